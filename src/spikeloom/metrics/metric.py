"""What a metric is, and the registry of all of them.

Third parties register theirs through the entry point group ``spikeloom.metrics``: each entry is a
`Metric`, under its name.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.metrics.inputs import MetricInputs
from spikeloom.registry import Registry

Family = Literal["spiketrain", "quality", "template"]
"""Which table a metric belongs to; "spiketrain" ones are in that of quality, too."""

Compute = Callable[..., Mapping[str, NDArray[Any]]]
"""Takes a `MetricInputs` and parameters; returns a value for each unit, by column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table of metrics."""

    dtype: type
    """`int` or `float`."""
    description: str
    """What it says, in a sentence."""
    unit: str = ""
    """Unit of its values; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metric:
    """A metric: what it is called, needs and gives, and how it is computed.

    Examples
    --------
    >>> Metric(
    ...     name="last_spike",
    ...     family="quality",
    ...     columns={"last_sample": Column(dtype=float, description="Sample of the last spike.")},
    ...     compute=lambda inputs: {
    ...         "last_sample": inputs.spikes.samples[inputs.spikes.slices[:, -1, 1] - 1]
    ...     },
    ... ).depend_on
    ()
    """

    name: str
    """Name under which it is asked for."""
    family: Family
    """Which table it belongs to."""
    columns: Mapping[str, Column]
    """Its columns, by name."""
    compute: Compute
    """Computes the columns."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters and their defaults."""
    depend_on: tuple[str, ...] = ()
    """Fields of `MetricInputs` that it needs besides the spikes; ``"a|b"`` for either of two."""
    needs_recording: bool = False
    """Whether it needs something that only the recording has."""
    needs_noise: bool = False
    """Whether it uses pieces of the recording, if that is there."""
    needs_pcs: bool = False
    """Whether it is one of those that ``skip_pc_metrics`` leaves out."""
    is_default: bool = True
    """Whether it is computed if nobody says which."""
    supports_periods: bool = False
    """Whether spikes of some periods give the metric in these periods."""
    is_multi_channel: bool = False
    """Whether it looks at templates on several channels."""
    deprecated_names: tuple[str, ...] = ()
    """What it, or parts of it, were called before."""

    def can_compute(self, inputs: MetricInputs) -> bool:
        """Tell whether all that it needs is there."""
        needed = (*self.depend_on, "recording") if self.needs_recording else self.depend_on
        return all(inputs.has(one) for one in needed)

    def with_defaults(self, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return all parameters, those not given with their defaults.

        Raises
        ------
        ParameterError
            If a parameter is unknown.
        """
        given = dict(params or {})
        unknown = sorted(set(given) - set(self.params))
        if unknown:
            msg = (
                f"The metric {self.name!r} has no parameter {', '.join(unknown)}. It has "
                f"{', '.join(self.params) or 'none'}."
            )
            raise ParameterError(msg)
        return deepcopy(dict(self.params)) | given

    def of(self, inputs: MetricInputs, **params: Any) -> dict[str, NDArray[Any]]:
        """Compute the metric.

        Returns
        -------
        dict of column name to ndarray of shape (n_units,)
            With the dtypes of the columns.

        Raises
        ------
        MissingExtensionError
            If something that it needs is not there.
        ParameterError
            If a parameter is unknown or makes no sense.
        """
        values = self.compute(inputs, **self.with_defaults(params))
        if set(values) != set(self.columns):
            msg = f"The metric {self.name!r} gave {sorted(values)}, not {sorted(self.columns)}."
            raise ParameterError(msg)
        return {
            name: np.asarray(values[name], np.int64 if column.dtype is int else np.float64)
            for name, column in self.columns.items()
        }


METRICS: Registry[Metric] = Registry("metric", entry_point_group="spikeloom.metrics")
"""All metrics that are known."""
