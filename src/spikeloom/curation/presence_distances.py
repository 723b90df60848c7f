"""How far apart in time units fire."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting


def presence_distances(
    sorting: BaseSorting,
    n_samples: Sequence[int],
    pair_mask: NDArray[np.bool_],
    bin_duration_s: float = 2.0,
) -> NDArray[np.float64]:
    """Return how far, on average, the activity of a unit has to be moved to be that of another.

    It is the Wasserstein distance of the histograms of spikes over time; segments follow each
    other. Bins that are not complete are left out.

    Parameters
    ----------
    sorting : BaseSorting
        The units.
    n_samples : sequence of int
        Samples of each segment.
    pair_mask : ndarray of shape (n_units, n_units) and dtype bool
        For which pairs.
    bin_duration_s : float, default 2
        Width of bins, in seconds.

    Returns
    -------
    ndarray of shape (n_units, n_units)
        In seconds; 1 for other pairs, NaN where a unit has no spikes.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [1, 11], "b": [51, 61]}, 10.0)
    >>> presence_distances(sorting, [100], np.array([[False, True], [False, False]]))
    array([[1., 5.],
           [1., 1.]])
    """
    shares = np.cumsum(_histograms(sorting, n_samples, bin_duration_s), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = shares / shares[:, -1:] if shares.shape[1] else shares
    distances = np.ones(pair_mask.shape)
    for i, j in zip(*np.nonzero(pair_mask), strict=True):
        distances[i, j] = np.abs(shares[i] - shares[j])[:-1].sum() * bin_duration_s
        if not shares.shape[1]:
            distances[i, j] = np.nan
    return distances


def _histograms(
    sorting: BaseSorting, n_samples: Sequence[int], bin_duration_s: float
) -> NDArray[np.float64]:
    """Count the spikes of each unit in each bin; (n_units, n_bins)."""
    table, n_units = sorting.spike_table(), sorting.get_num_units()
    size = bin_duration_s * sorting.sampling_frequency
    of_segments = [np.zeros((n_units, 0))]
    for segment_index, n in enumerate(n_samples):
        edges = np.arange(0, n, size)
        n_bins = max(len(edges) - 1, 0)
        spikes = table.segment_slice(segment_index)
        samples, units = table.sample_index[spikes], table.unit_index[spikes]
        bins = np.searchsorted(edges, samples, side="right") - 1
        if n_bins:
            bins[samples == edges[-1]] = n_bins - 1  # the last bin has both its edges
        is_in = (bins >= 0) & (bins < n_bins)
        counts = np.bincount(units[is_in] * n_bins + bins[is_in], minlength=n_units * n_bins)
        of_segments.append(counts.reshape(n_units, n_bins).astype(np.float64))
    return np.concatenate(of_segments, axis=1)
