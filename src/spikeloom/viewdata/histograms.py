"""ISI and Firing rate views: histograms of all spikes of each cluster."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.kernels.histograms import count_intervals, count_times
from spikeloom.viewdata.context import View, ViewContext

N_CLUSTERS_MAX = 20
"""Clusters shown, the first ones of the selection."""

N_BINS_MAX = 10_000


class IntervalParams(msgspec.Struct, frozen=True):
    """Parameters of the ISI view."""

    n_bins: int = 50
    """Number of bins."""
    min_ms: float = 0.0
    """Shortest interval shown."""
    max_ms: float = 50.0
    """Longest interval shown."""


class RateParams(msgspec.Struct, frozen=True):
    """Parameters of the Firing rate view."""

    n_bins: int = 200
    """Number of bins."""
    min_s: float = 0.0
    """Start of the time shown."""
    max_s: float = -1.0
    """End of the time shown; negative for the end of the recording."""


@dataclass(frozen=True, slots=True)
class Histograms:
    """One histogram for each selected cluster."""

    cluster_ids: list[int]
    """Clusters shown."""
    n_spikes: list[int]
    """Spikes of each cluster, all of which are used."""
    n_bins: int
    """Number of bins."""
    low: float
    """Start of the first bin, in `x_unit`."""
    high: float
    """End of the last bin, in `x_unit`."""
    values: NDArray[np.float32]
    """Height of each bin, in `y_unit`; shape (n_clusters, n_bins)."""
    x_unit: str
    """Unit of the bins."""
    y_unit: str
    """Unit of the heights."""


def compute_intervals(
    context: ViewContext, cluster_ids: list[int], params: IntervalParams
) -> Histograms:
    """Return what the ISI view shows: intervals between successive spikes."""
    shown = cluster_ids[:N_CLUSTERS_MAX]
    low, high = params.min_ms, max(params.max_ms, params.min_ms + 1e-3)
    n_bins = _checked(params.n_bins, low, high)
    samples_per_ms = context.dataset.sampling_frequency / 1000
    counts = np.zeros((len(shown), n_bins), np.int64)
    for row, cluster_id in enumerate(shown):
        context.cancel.check()
        count_intervals(
            context.dataset.spike_samples,
            context.spikes_of(cluster_id),
            low * samples_per_ms,
            (high - low) * samples_per_ms / n_bins,
            counts[row],
        )
    return Histograms(
        cluster_ids=shown,
        n_spikes=[int(context.spikes_of(i).size) for i in shown],
        n_bins=n_bins,
        low=low,
        high=high,
        values=counts.astype(np.float32),
        x_unit="ms",
        y_unit="intervals",
    )


def compute_rates(context: ViewContext, cluster_ids: list[int], params: RateParams) -> Histograms:
    """Return what the Firing rate view shows: spikes per second over the recording."""
    shown = cluster_ids[:N_CLUSTERS_MAX]
    low = params.min_s
    high = params.max_s if params.max_s > low else max(_end_s(context), low + 1e-3)
    n_bins = _checked(params.n_bins, low, high)
    rate = context.dataset.sampling_frequency
    bin_s = (high - low) / n_bins
    counts = np.zeros((len(shown), n_bins), np.int64)
    for row, cluster_id in enumerate(shown):
        context.cancel.check()
        count_times(
            context.dataset.spike_samples,
            context.spikes_of(cluster_id),
            low * rate,
            bin_s * rate,
            counts[row],
        )
    return Histograms(
        cluster_ids=shown,
        n_spikes=[int(context.spikes_of(i).size) for i in shown],
        n_bins=n_bins,
        low=low,
        high=high,
        values=(counts / bin_s).astype(np.float32),
        x_unit="s",
        y_unit="Hz",
    )


def _end_s(context: ViewContext) -> float:
    """Return the end of the recording, or the time after the last spike if that is later."""
    dataset = context.dataset
    n_samples = int(dataset.spike_samples[-1]) + 1 if dataset.spike_samples.size else 0
    return max(dataset.duration_s, n_samples / dataset.sampling_frequency)


def _checked(n_bins: int, low: float, high: float) -> int:
    """Return a number of bins that makes sense between `low` and `high`."""
    n_bins = min(max(1, n_bins), N_BINS_MAX)
    if not low + (high - low) / n_bins > low:
        msg = f"Between {low} and {high} there is no room for {n_bins} bins."
        raise ParameterError(msg)
    return n_bins


INTERVALS = View(IntervalParams, compute_intervals, Histograms)
"""The view, for the registry."""

RATES = View(RateParams, compute_rates, Histograms)
"""The view, for the registry."""
