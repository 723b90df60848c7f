"""How much the cross-correlogram of two units is like the auto-correlogram of each."""

import numpy as np
from numpy.typing import NDArray

_WINDOW_OF_SILENT_UNITS = 20
_LEAST_THRESHOLD = 1e-5


def smooth_correlograms(
    correlograms: NDArray[np.number], bins: NDArray[np.floating], sigma_ms: float = 0.6
) -> NDArray[np.float64]:
    """Smooth correlograms with a Gaussian.

    Parameters
    ----------
    correlograms : ndarray of shape (n_units, n_units, n_bins)
        Counts.
    bins : ndarray of shape (n_bins + 1,)
        Edges of the bins, in ms.
    sigma_ms : float, default 0.6
        Standard deviation, in ms.

    Returns
    -------
    ndarray of shape (n_units, n_units, n_bins)
    """
    from scipy.signal import fftconvolve  # noqa: PLC0415 - scipy is slow to import

    if not correlograms.size:
        return np.zeros(correlograms.shape)
    weights = np.exp(-(bins**2) / (2 * sigma_ms**2))
    weights /= weights.sum()
    smoothed = fftconvolve(correlograms, weights[np.newaxis, np.newaxis], mode="same", axes=2)
    return np.asarray(smoothed, np.float64)


def adaptive_window(auto_correlogram: NDArray[np.floating], threshold: float) -> int:
    """Return how many bins it is from the middle of a smoothed auto-correlogram to its first peak.

    Parameters
    ----------
    auto_correlogram : ndarray of shape (n_bins,)
        A smoothed one.
    threshold : float
        Where it is lower it has no peak; half of that if it has none at all then.

    Returns
    -------
    int
    """
    from scipy.signal import find_peaks  # noqa: PLC0415 - scipy is slow to import

    middle = auto_correlogram.size // 2
    if not np.abs(auto_correlogram).sum():
        return min(_WINDOW_OF_SILENT_UNITS, middle)
    bends = -np.gradient(np.gradient(auto_correlogram))
    peaks = find_peaks(bends)[0]
    peaks = peaks[peaks < middle]
    while threshold >= _LEAST_THRESHOLD:
        high = peaks[auto_correlogram[peaks] >= threshold]
        if high.size:
            return int(middle - high[-1])
        threshold /= 2
    return 1


def correlogram_differences(
    smoothed: NDArray[np.float64],
    windows: NDArray[np.int64],
    n_spikes: NDArray[np.int64],
    pair_mask: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return how much cross-correlograms differ from the auto-correlograms of their units.

    All are scaled to a mean of one. Within a window around zero, the mean absolute difference to
    the auto-correlogram of either unit is taken; the unit with more spikes weighs more, also for
    the window.

    Parameters
    ----------
    smoothed : ndarray of shape (n_units, n_units, n_bins)
        Smoothed correlograms.
    windows : ndarray of shape (n_units,)
        Window of each unit, in bins to each side.
    n_spikes : ndarray of shape (n_units,)
        Spikes of each unit.
    pair_mask : ndarray of shape (n_units, n_units) and dtype bool
        For which pairs.

    Returns
    -------
    ndarray of shape (n_units, n_units)
        NaN for other pairs.
    """
    differences = np.full(pair_mask.shape, np.nan)
    middle = smoothed.shape[2] // 2
    for i, j in zip(*np.nonzero(pair_mask), strict=True):
        weights = n_spikes[[i, j]] / max(int(n_spikes[i] + n_spikes[j]), 1)
        window = max(round(float((weights * windows[[i, j]]).sum())), 1)
        inside = slice(max(middle - window, 0), middle + window)
        cross = _scaled(smoothed[i, j])[inside]
        to_each = [np.abs(cross - _scaled(smoothed[k, k])[inside]).mean() for k in (i, j)]
        differences[i, j] = float((weights * to_each).sum())
    return differences


def _scaled(correlogram: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = correlogram.mean()
    return correlogram / mean if mean else correlogram
