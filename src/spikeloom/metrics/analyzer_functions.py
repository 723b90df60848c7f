"""Metrics of an analyzer one by one, as functions that have the names of SpikeInterface."""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spikeloom.metrics.analyzer_inputs import inputs_of_analyzer
from spikeloom.metrics.catalogue import get_metric


def _function_of(name: str, metric_name: str) -> Callable[..., Any]:
    metric = get_metric(metric_name)

    def compute(
        sorting_analyzer: Any,
        unit_ids: Sequence[Any] | None = None,
        periods: ArrayLike | None = None,
        **params: Any,
    ) -> Any:
        inputs = inputs_of_analyzer(
            sorting_analyzer,
            periods=periods,
            with_pcs=metric.needs_pcs,
            with_recording=metric.needs_recording,
        )
        columns = metric.of(inputs, **params)
        ids = sorting_analyzer.unit_ids if unit_ids is None else np.asarray(unit_ids)
        places = sorting_analyzer.sorting.ids_to_indices(ids.tolist())
        by_unit = {
            column: dict(zip(ids.tolist(), values[places].tolist(), strict=True))
            for column, values in columns.items()
        }
        if len(by_unit) == 1:
            return next(iter(by_unit.values()))
        return namedtuple(metric_name, by_unit)(**by_unit)  # noqa: PYI024 - fields are columns

    told = "\n".join(
        f"    {column} : {one.description}" + (f" In {one.unit}." if one.unit else "")
        for column, one in metric.columns.items()
    )
    given = ", ".join(f"{key}={value!r}" for key, value in metric.params.items()) or "none"
    compute.__name__ = compute.__qualname__ = name
    compute.__doc__ = f"""Compute the metric {metric_name!r} of the units of an analyzer.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With {", ".join(metric.depend_on) or "any extensions"}.
    unit_ids : sequence of unit ids, optional
        Units; all by default.
    periods : array_like, optional
        Take the spikes of these periods only.
    **params
        {given}.

    Returns
    -------
    dict of unit id to value, or a named tuple of one for each column
{told}
    """
    return compute


compute_amplitude_cutoffs = _function_of("compute_amplitude_cutoffs", "amplitude_cutoff")
compute_amplitude_cv_metrics = _function_of("compute_amplitude_cv_metrics", "amplitude_cv")
compute_amplitude_medians = _function_of("compute_amplitude_medians", "amplitude_median")
compute_drift_metrics = _function_of("compute_drift_metrics", "drift")
compute_firing_ranges = _function_of("compute_firing_ranges", "firing_range")
compute_firing_rates = _function_of("compute_firing_rates", "firing_rate")
compute_isi_violations = _function_of("compute_isi_violations", "isi_violation")
compute_noise_cutoffs = _function_of("compute_noise_cutoffs", "noise_cutoff")
compute_num_spikes = _function_of("compute_num_spikes", "num_spikes")
compute_presence_ratios = _function_of("compute_presence_ratios", "presence_ratio")
compute_refrac_period_violations = _function_of("compute_refrac_period_violations", "rp_violation")
compute_sd_ratio = _function_of("compute_sd_ratio", "sd_ratio")
compute_sliding_rp_violations = _function_of(
    "compute_sliding_rp_violations", "sliding_rp_violation"
)
compute_snrs = _function_of("compute_snrs", "snr")
compute_synchrony_metrics = _function_of("compute_synchrony_metrics", "synchrony")
