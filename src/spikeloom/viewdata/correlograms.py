"""Correlogram view: how often spikes of one cluster follow those of another at each lag.

Lags are whole samples. With a bin of `b` samples, bin `k` to the right of the centre holds the
lags in ``[k b, (k + 1) b)``; the left half of cell (i, j) mirrors the right half of (j, i), so
that ``c[i, j] == c[j, i][::-1]``. The centre bin is the larger of the counts of the two orders;
spikes at the same sample have no order and are in both. Source: phylib's `correlograms`, whose
counts these are, but for its rounding of seconds to samples, and for the centre bin, where it
counts spikes of two clusters at the same sample in the order in which they happen to come.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.kernels.correlograms import count_lags
from spikeloom.kernels.gather import gather_items
from spikeloom.kernels.spike_order import merge_sorted_labels
from spikeloom.viewdata.context import View, ViewContext
from spikeloom.viewdata.sampling import random_sample

N_CLUSTERS_MAX = 20
"""Clusters shown, the first ones of the selection."""

N_HALF_BINS_MAX = 5000
"""Bins on either side of the centre at most."""

_BIN_SIZE_MAX = 1 << 40


class CorrelogramParams(msgspec.Struct, frozen=True):
    """Parameters of the Correlogram view."""

    bin_ms: float = 1.0
    """Width of a bin."""
    window_ms: float = 50.0
    """Width of the whole window."""
    n_spikes: int = 100_000
    """Spikes used per cluster at most, chosen at random."""


@dataclass(frozen=True, slots=True)
class Correlograms:
    """Correlograms of all pairs of the selected clusters."""

    cluster_ids: list[int]
    """Clusters shown."""
    n_used: list[int]
    """Spikes used of each cluster."""
    n_spikes: list[int]
    """Spikes of each cluster."""
    n_bins: int
    """Bins, an odd number."""
    bin_ms: float
    """Width of a bin: a whole number of samples, the nearest to what was asked."""
    counts: NDArray[np.int32]
    """Pairs of spikes; shape (n_clusters, n_clusters, n_bins)."""
    baseline: NDArray[np.float32]
    """Pairs per bin if the trains were independent; shape (n_clusters, n_clusters)."""


def compute_correlograms(
    context: ViewContext, cluster_ids: list[int], params: CorrelogramParams
) -> Correlograms:
    """Return what the Correlogram view shows."""
    shown = cluster_ids[:N_CLUSTERS_MAX]
    rate = context.dataset.sampling_frequency
    bin_size, n_half_bins = bins_of(params.bin_ms, params.window_ms, rate)
    used = [random_sample(context.spikes_of(i), params.n_spikes, seed=i) for i in shown]
    counts = correlograms(
        context.dataset.spike_samples, used, bin_size=bin_size, n_half_bins=n_half_bins
    )
    sizes = np.array([spikes.size for spikes in used], np.float64)
    bin_s = bin_size / rate
    baseline = np.outer(sizes, sizes) * bin_s / max(context.dataset.duration_s, bin_s)
    return Correlograms(
        cluster_ids=shown,
        n_used=[spikes.size for spikes in used],
        n_spikes=[int(context.spikes_of(i).size) for i in shown],
        n_bins=2 * n_half_bins + 1,
        bin_ms=1000 * bin_s,
        counts=counts.astype(np.int32),
        baseline=baseline.astype(np.float32),
    )


def bins_of(bin_ms: float, window_ms: float, sampling_frequency: float) -> tuple[int, int]:
    """Return the width of a bin in samples, and the number of bins on either side of the centre.

    Raises
    ------
    ParameterError
        If a bin has no width, or there were too many bins to be shown.

    Examples
    --------
    >>> bins_of(1.0, 50.0, 30_000.0), bins_of(0.1, 30.0, 30_000.0)
    ((30, 25), (3, 150))
    """
    if not (bin_ms > 0 and 0 <= window_ms <= 2 * N_HALF_BINS_MAX * bin_ms):
        msg = (
            f"bin_ms={bin_ms} and window_ms={window_ms} are no bins: give a width above 0, and "
            f"a window of at most {2 * N_HALF_BINS_MAX} bins."
        )
        raise ParameterError(msg)
    bin_size = max(1, min(round(bin_ms * sampling_frequency / 1000), _BIN_SIZE_MAX))
    # A hair more than the quotient, so that 25.0 computed as 24.999… is not cut to 24.
    n_half_bins = max(1, int(0.5 * window_ms / bin_ms + 1e-9))
    return bin_size, n_half_bins


def correlograms(
    spike_samples: NDArray[np.int64],
    spikes: list[NDArray[np.integer]],
    *,
    bin_size: int,
    n_half_bins: int,
) -> NDArray[np.int64]:
    """Count the lags between all pairs of spike trains.

    Parameters
    ----------
    spike_samples : ndarray of shape (n_all_spikes,)
        Sample index of every spike, not decreasing.
    spikes : list of ndarray
        Spikes of each train, as increasing indices into `spike_samples`.
    bin_size : int
        Width of a bin in samples.
    n_half_bins : int
        Bins on either side of the centre.

    Returns
    -------
    ndarray of shape (n_trains, n_trains, 2 * n_half_bins + 1) and dtype int64
        ``[i, j, k]`` counts the pairs in which a spike of `j` follows one of `i` by lag bin
        ``k - n_half_bins``.

    Examples
    --------
    >>> samples = np.array([2, 3, 10, 12, 20, 24, 30, 40])
    >>> trains = [np.array([0, 2, 3, 6]), np.array([1, 5]), np.array([4, 7])]
    >>> correlograms(samples, trains, bin_size=1, n_half_bins=3)[0, 1]
    array([0, 0, 0, 0, 1, 0, 0])
    """
    n_trains = len(spikes)
    half = np.zeros((n_trains, n_trains, n_half_bins + 1), np.int64)
    if n_trains == 1:
        train_of = np.zeros(spikes[0].size, np.int32)
        count_lags(_samples_of(spike_samples, spikes[0]), train_of, bin_size, n_half_bins, half)
    elif n_trains:
        order = np.concatenate(spikes).astype(np.int64)
        starts = np.concatenate(([0], np.cumsum([train.size for train in spikes])))
        merged = np.empty_like(order)
        train_of = np.empty(order.size, np.int32)
        merge_sorted_labels(order, starts, merged, train_of)
        count_lags(_samples_of(spike_samples, merged), train_of, bin_size, n_half_bins, half)
    centre = np.maximum(half[:, :, 0], half[:, :, 0].T)
    left = half[:, :, :0:-1].transpose(1, 0, 2)
    return np.concatenate([left, centre[:, :, None], half[:, :, 1:]], axis=2)


def _samples_of(spike_samples: NDArray[np.int64], spikes: NDArray[np.integer]) -> NDArray[np.int64]:
    samples = np.empty(spikes.size, np.int64)
    gather_items(spike_samples, spikes, samples)
    return samples


CORRELOGRAMS = View(CorrelogramParams, compute_correlograms, Correlograms)
"""The view, for the registry."""
