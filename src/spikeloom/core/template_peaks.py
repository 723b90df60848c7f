"""How strong templates are on each channel, and where they are strongest."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError

PeakSign = Literal["neg", "pos", "both"]
"""Which way a peak goes."""

PeakMode = Literal["extremum", "at_index", "peak_to_peak"]
"""The farthest value of a template, that at its spike, or from the lowest to the highest."""

_SIGNS = ("neg", "pos", "both")
_MODES = ("extremum", "at_index", "peak_to_peak")


def check_peak(peak_sign: str, peak_mode: str = "extremum") -> None:
    """Raise ParameterError if there is no such sign or mode."""
    if peak_sign not in _SIGNS:
        msg = f"peak_sign must be one of {', '.join(_SIGNS)}; got {peak_sign!r}."
        raise ParameterError(msg)
    if peak_mode not in _MODES:
        msg = f"The mode of a peak must be one of {', '.join(_MODES)}; got {peak_mode!r}."
        raise ParameterError(msg)


def channel_amplitudes(
    templates: NDArray[np.floating], nbefore: int, peak_sign: PeakSign, peak_mode: PeakMode
) -> NDArray[np.floating]:
    """Return the amplitude of each template on each channel, with its sign.

    Parameters
    ----------
    templates : ndarray of shape (n_units, n_samples, n_channels)
    nbefore : int
        Samples before the spike.
    peak_sign : {"neg", "pos", "both"}
        For "both", amplitudes have no sign.
    peak_mode : {"extremum", "at_index", "peak_to_peak"}

    Returns
    -------
    ndarray of shape (n_units, n_channels)

    Raises
    ------
    ParameterError
        If the sign or the mode is unknown, or the spike is not within the templates.

    Examples
    --------
    >>> templates = np.array([[[0.0, 1.0], [-5.0, 2.0], [3.0, 0.0]]])
    >>> channel_amplitudes(templates, 1, "neg", "extremum")
    array([[-5., 0.]])
    >>> channel_amplitudes(templates, 1, "both", "peak_to_peak")
    array([[8., 2.]])
    """
    check_peak(peak_sign, peak_mode)
    n_samples = templates.shape[1]
    if not 0 <= nbefore < max(n_samples, 1):
        msg = f"The spike is at sample {nbefore} of templates of {n_samples} samples."
        raise ParameterError(msg)
    if n_samples == 0:
        return np.zeros((templates.shape[0], templates.shape[2]), templates.dtype)
    values: NDArray[Any]
    if peak_mode == "peak_to_peak":
        values = np.ptp(templates, axis=1)
        return values
    if peak_mode == "at_index":
        values = templates[:, nbefore]
        return np.abs(values) if peak_sign == "both" else values
    if peak_sign == "both":
        values = np.abs(templates).max(axis=1)
    else:
        values = templates.min(axis=1) if peak_sign == "neg" else templates.max(axis=1)
    return values


def main_channels(
    templates: NDArray[np.floating],
    nbefore: int,
    peak_sign: PeakSign = "both",
    peak_mode: PeakMode = "extremum",
) -> NDArray[np.int64]:
    """Return the channel on which each template is strongest.

    Parameters
    ----------
    templates, nbefore, peak_sign, peak_mode
        See `channel_amplitudes`.

    Returns
    -------
    ndarray of shape (n_units,) and dtype int64

    Raises
    ------
    ParameterError
        If there are no channels; and see `channel_amplitudes`.

    Examples
    --------
    >>> templates = np.array([[[0.0, 1.0], [-5.0, 6.0], [3.0, 0.0]]])
    >>> main_channels(templates, 1, "neg", "at_index"), main_channels(templates, 1, "pos")
    (array([0]), array([1]))
    """
    strengths = channel_amplitudes(templates, nbefore, peak_sign, peak_mode)
    if peak_sign == "neg" and peak_mode != "peak_to_peak":
        strengths = -strengths
    if not len(strengths):
        return np.zeros(0, np.int64)
    if not strengths.shape[1]:
        msg = "Templates without channels have no main channel."
        raise ParameterError(msg)
    return np.asarray(np.argmax(strengths, axis=1), np.int64)


def peak_shifts(
    waveforms: NDArray[np.floating], nbefore: int, peak_sign: PeakSign
) -> NDArray[np.int64]:
    """Return by how many samples the peak of each waveform is behind its spike.

    Parameters
    ----------
    waveforms : ndarray of shape (n_units, n_samples)
        Of one channel each.
    nbefore : int
        Samples before the spike.
    peak_sign : {"neg", "pos", "both"}

    Returns
    -------
    ndarray of shape (n_units,) and dtype int64
        Negative where the peak is before the spike.

    Examples
    --------
    >>> peak_shifts(np.array([[0.0, 1.0, -3.0]]), 1, "neg")
    array([1])
    """
    check_peak(peak_sign)
    if not waveforms.size:
        return np.zeros(len(waveforms), np.int64)
    heights = {"neg": -waveforms, "pos": waveforms, "both": np.abs(waveforms)}[peak_sign]
    return np.asarray(np.argmax(heights, axis=1) - nbefore, np.int64)
