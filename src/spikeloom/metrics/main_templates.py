"""Templates on their main channels, upsampled, with their extrema."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError
from spikeloom.metrics.template_extrema import Extrema, template_extrema


@dataclass(frozen=True, slots=True, eq=False)
class MainTemplates:
    """Templates on their main channels, upsampled, with their extrema."""

    values: NDArray[np.floating]
    """(n_units, n_samples)."""
    sampling_frequency: float
    """Of the upsampled templates, in Hz."""
    extrema: list[Extrema]
    """Of each unit."""


def main_templates(
    templates: NDArray[np.floating],
    main_channels: ArrayLike,
    sampling_frequency: float,
    *,
    upsampling_factor: int = 10,
    min_thresh_detect_peaks_troughs: float = 0.3,
    edge_exclusion_ms: float = 0.09,
    min_peak_trough_distance_ratio: float = 0.2,
    min_extremum_distance_samples: int = 3,
) -> MainTemplates:
    """Upsample templates on their main channels, and find their extrema.

    Parameters
    ----------
    templates : ndarray of shape (n_units, n_samples, n_channels)
        In microvolts.
    main_channels : array_like of shape (n_units,)
        Position of each unit's main channel.
    sampling_frequency : float
        In Hz.
    upsampling_factor : int, default 10
        By a polyphase filter; 1 leaves templates as they are.
    min_thresh_detect_peaks_troughs, edge_exclusion_ms, min_peak_trough_distance_ratio, \
min_extremum_distance_samples
        See `template_extrema`.

    Returns
    -------
    MainTemplates

    Raises
    ------
    ParameterError
        If the factor is below 1.

    Examples
    --------
    >>> times = np.arange(60)
    >>> shape = 20 * np.exp(-((times - 40) / 6.0) ** 2) - 90 * np.exp(-((times - 20) / 3.0) ** 2)
    >>> made = main_templates(shape[None, :, None], [0], 30000.0)
    >>> made.values.shape, made.extrema[0].trough.index
    ((1, 600), 200)
    """
    channels = np.asarray(main_channels, np.int64)
    values = upsampled(templates[np.arange(len(channels)), :, channels], upsampling_factor)
    fs_up = sampling_frequency * upsampling_factor
    extrema = [
        template_extrema(
            one,
            fs_up,
            min_thresh_detect_peaks_troughs=min_thresh_detect_peaks_troughs,
            edge_exclusion_ms=edge_exclusion_ms,
            min_peak_trough_distance_ratio=min_peak_trough_distance_ratio,
            min_extremum_distance_samples=min_extremum_distance_samples,
        )
        for one in values
    ]
    return MainTemplates(values, fs_up, extrema)


def upsampled(templates: NDArray[np.floating], factor: int, axis: int = 1) -> NDArray[np.floating]:
    """Return templates with `factor` times the samples along an axis.

    Raises
    ------
    ParameterError
        If the factor is below 1.
    """
    from scipy.signal import resample_poly  # noqa: PLC0415 - scipy is slow to import

    if factor < 1:
        msg = f"upsampling_factor is a whole number from 1 on; got {factor}."
        raise ParameterError(msg)
    if factor == 1 or not templates.size:
        return templates
    finer: NDArray[np.floating] = resample_poly(templates, up=factor, down=1, axis=axis)
    return finer
