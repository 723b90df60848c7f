"""Several metrics at once, as columns or as a table."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.metrics.catalogue import get_metric, metrics_of_family
from spikeloom.metrics.inputs import MetricInputs
from spikeloom.metrics.metric import Family

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(slots=True, eq=False)
class MetricColumns:
    """Values of several metrics."""

    values: dict[str, NDArray[Any]] = field(default_factory=dict)
    """By column, in the order of the metrics; (n_units,) each, int64 or float64."""
    run_times_s: dict[str, float] = field(default_factory=dict)
    """How long each metric took, in seconds."""

    def to_table(self, unit_ids: ArrayLike) -> "DataFrame":
        """Return a pandas table with a row for each unit.

        Columns are float64, and those of counts Int64: a count of -1, for a unit that has none, is
        missing there.
        """
        import pandas as pd  # noqa: PLC0415 - pandas is slow to import

        columns = {
            name: pd.arrays.IntegerArray(values.copy(), values < 0)
            if values.dtype == np.int64
            else values
            for name, values in self.values.items()
        }
        return pd.DataFrame(columns, index=pd.Index(np.asarray(unit_ids)))


def default_metric_names(
    inputs: MetricInputs,
    family: Family = "quality",
    *,
    skip_pc_metrics: bool = False,
    include_multi_channel_metrics: bool = False,
) -> list[str]:
    """Return the metrics that are computed if nobody says which: those whose needs are there.

    Parameters
    ----------
    inputs : MetricInputs
        What there is.
    family : {"quality", "spiketrain", "template"}, default "quality"
        Which table.
    skip_pc_metrics : bool, default False
        Leave those of principal components out.
    include_multi_channel_metrics : bool, default False
        Take those of templates on several channels, too.

    Returns
    -------
    list of str
        In the order of the columns.
    """
    return [
        metric.name
        for metric in metrics_of_family(family)
        if (metric.is_default or (include_multi_channel_metrics and metric.is_multi_channel))
        and not (skip_pc_metrics and metric.needs_pcs)
        and metric.can_compute(inputs)
    ]


def compute_metric_columns(
    inputs: MetricInputs,
    metric_names: Iterable[str] | None = None,
    metric_params: Mapping[str, Mapping[str, Any]] | None = None,
) -> MetricColumns:
    """Compute several metrics.

    Parameters
    ----------
    inputs : MetricInputs
        What they are computed from.
    metric_names : iterable of str, optional
        Which; by default all of quality whose needs are there.
    metric_params : dict of metric name to dict, optional
        Parameters that are not to have their defaults.

    Returns
    -------
    MetricColumns

    Raises
    ------
    UnknownNameError
        If a metric is unknown.
    ParameterError
        If a parameter is unknown, or makes no sense.
    MissingExtensionError
        If something that a metric needs is not there.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20]}, 1000.0)
    >>> inputs = MetricInputs(spikes=spikes_of_sorting(sorting, [100]))
    >>> compute_metric_columns(inputs, ["num_spikes", "firing_rate"]).to_table(["a", "b"])
       num_spikes  firing_rate
    a           2         20.0
    b           1         10.0
    """
    names = default_metric_names(inputs) if metric_names is None else list(metric_names)
    columns = MetricColumns()
    for name in names:
        start = time.perf_counter()
        columns.values |= get_metric(name).of(inputs, **(metric_params or {}).get(name, {}))
        columns.run_times_s[name] = time.perf_counter() - start
    return columns
