"""The score by which SLAy decides on merges.

It adds to the similarity of two templates how much the cross-correlogram departs from a flat one,
and takes off how little it shows of a refractory period.

References
----------
Koukuntla et al., SLAy, https://github.com/saikoukunt/SLAy.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError

_NO_PEAK = -4.0
"""Significance of a correlogram without a dip or a peak: far too low to merge anything."""

_TESTED_BINS = np.array([1, 2, 4, 6, 8, 12, 16, 20])
_ACCEPTED_CONTAMINATION = 0.15
_PEAK_WIDTH_MS = 2.0


def slay_scores(
    similarities: NDArray[np.floating],
    correlograms: NDArray[np.number],
    bin_ms: float,
    pair_mask: NDArray[np.bool_],
    *,
    k1: float = 0.25,
    k2: float = 1.0,
) -> NDArray[np.float64]:
    """Return the scores of pairs; those to merge have high ones.

    Parameters
    ----------
    similarities : ndarray of shape (n_units, n_units)
        Of templates, from 0 to 1.
    correlograms : ndarray of shape (n_units, n_units, n_bins)
        Counts.
    bin_ms : float
        Width of bins, in ms.
    pair_mask : ndarray of shape (n_units, n_units) and dtype bool
        For which pairs; for others the score is the similarity.
    k1 : float, default 0.25
        Weight of the significance of the cross-correlogram.
    k2 : float, default 1
        Weight of violations of the refractory period.

    Returns
    -------
    ndarray of shape (n_units, n_units)

    Raises
    ------
    ParameterError
        If bins are too wide, which is from 2 ms on, or too few.
    """
    n_half = correlograms.shape[2] // 2
    if bin_ms >= 2 or n_half < _TESTED_BINS[-1]:
        msg = (
            f"SLAy needs correlograms with bins of less than 2 ms, and {2 * _TESTED_BINS[-1]} of "
            f"them at least; got {correlograms.shape[2]} of {bin_ms} ms."
        )
        raise ParameterError(msg)
    scores = np.array(similarities, np.float64)
    for i, j in zip(*np.nonzero(pair_mask), strict=True):
        counts = np.asarray(correlograms[i, j], np.float64)
        scores[i, j] += k1 * significance(counts, bin_ms) - k2 * refractory_violation(
            counts, bin_ms
        )
    return scores


def significance(correlogram: NDArray[np.float64], bin_ms: float) -> float:
    """Return how far a cross-correlogram is from a flat one, around the dip next to zero.

    Parameters
    ----------
    correlogram : ndarray of shape (n_bins,)
        Counts.
    bin_ms : float
        Width of bins, in ms.

    Returns
    -------
    float
        0 if it has no spikes, -4 if it has no dip.
    """
    from scipy.signal import butter, find_peaks_cwt, sosfiltfilt  # noqa: PLC0415 - slow to import

    if not correlogram.sum():
        return 0.0
    width = _PEAK_WIDTH_MS / bin_ms
    low_pass = butter(4, 100 / (500 / bin_ms), output="sos")
    bends = sosfiltfilt(low_pass, np.diff(correlogram, 2))
    edges = find_peaks_cwt(-bends, width, noise_perc=90) + 1
    middle = correlogram.size / 2
    distances = np.abs(edges - middle)
    distances = distances[distances > width / 2]
    if not distances.size:
        return _NO_PEAK
    reach = distances.min() * 1.5
    first = int(max(middle - reach, 0))
    last = int(min(middle + reach, correlogram.size - 1))
    inside = correlogram[first : last + 1]
    if not inside.sum():
        return 0.0
    flat = np.arange(1, inside.size + 1) / inside.size
    return float(4 * np.abs(np.cumsum(inside) / inside.sum() - flat)[:-1].sum() / inside.size)


def refractory_violation(correlogram: NDArray[np.float64], bin_ms: float) -> float:
    """Return how improbable it is that a correlogram has a refractory period.

    Parameters
    ----------
    correlogram : ndarray of shape (n_bins,)
        Counts.
    bin_ms : float
        Width of bins, in ms.

    Returns
    -------
    float
        From 0, if for some period there are clearly fewer counts than 15 % contamination would
        give, to 1.
    """
    from scipy.signal import butter, sosfiltfilt  # noqa: PLC0415 - scipy is slow to import
    from scipy.special import pdtr  # noqa: PLC0415

    half = correlogram.size // 2
    mean = (correlogram[half:] + correlogram[:half][::-1]) / 2
    seen = np.cumsum(mean)[_TESTED_BINS - 1]
    low_pass = butter(4, 250 / (500 / bin_ms), btype="low", output="sos")
    rate = sosfiltfilt(low_pass, mean).max()  # counts in a bin
    expected = _TESTED_BINS * rate * _ACCEPTED_CONTAMINATION
    confidence = 1 - pdtr(np.floor(seen), np.maximum(expected, 0))
    return float(1 - confidence.max())
