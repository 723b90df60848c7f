"""How far templates stand out of the noise."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.template_peaks import PeakMode, PeakSign, channel_amplitudes


def snrs(
    templates: NDArray[np.floating],
    nbefore: int,
    main_channels: ArrayLike,
    noise_levels: ArrayLike,
    *,
    method: PeakMode = "extremum",
    peak_sign: PeakSign = "both",
) -> NDArray[np.float64]:
    r"""Return the signal to noise ratio of each unit on its main channel.

    .. math:: SNR = |A| / \sigma_{noise}

    Parameters
    ----------
    templates : ndarray of shape (n_units, n_samples, n_channels)
        Average or median waveforms.
    nbefore : int
        Samples before the spike.
    main_channels : array_like of shape (n_units,)
        Position of each unit's main channel.
    noise_levels : array_like of shape (n_channels,)
        In the unit of the templates.
    method : {"extremum", "at_index", "peak_to_peak"}, default "extremum"
        The amplitude is the farthest value of the template, that at the spike, or from the lowest
        to the highest.
    peak_sign : {"neg", "pos", "both"}, default "both"
        Which way peaks go.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        From 0 up, no unit; inf on a channel without noise, NaN if there is no signal either.

    Raises
    ------
    ParameterError
        If the sign or the method is unknown.

    References
    ----------
    Lemon 1984, Methods for neuronal recording in conscious animals, IBRO Handbook Series 4. Jackson
    and Fetz 2007, Compact movable microwire array for long-term chronic unit recording in cerebral
    cortex of primates, J Neurophysiol 98(5), 3109-3118.

    Examples
    --------
    >>> snrs(np.array([[[0.0, 1.0], [-60.0, 2.0], [3.0, 0.0]]]), 1, [0], [10.0, 10.0])
    array([6.])
    """
    channels = np.asarray(main_channels, np.int64)
    values = channel_amplitudes(templates, nbefore, peak_sign, method)
    amplitudes = np.abs(values[np.arange(len(channels)), channels]).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: NDArray[np.float64] = amplitudes / np.asarray(noise_levels, np.float64)[channels]
    return ratios
