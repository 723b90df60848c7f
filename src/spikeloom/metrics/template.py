"""The shape of templates on their main channel: durations, widths, slopes, ratios.

Each function takes templates `(n_units, n_samples)` and their extrema, as `main_templates` makes
them, and returns one value for each unit; NaN where a template has not got what it is about.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.metrics.main_templates import MainTemplates
from spikeloom.metrics.template_extrema import Extremum

_N_SLOPE_MIN = 3
"""Fewer samples than this have no slope worth the name."""


class HalfWidths(NamedTuple):
    """What `half_widths` returns, in seconds."""

    trough_half_width: NDArray[np.float64]
    peak_half_width: NDArray[np.float64]


class NumberOfPeaks(NamedTuple):
    """What `number_of_peaks` returns."""

    num_positive_peaks: NDArray[np.int64]
    num_negative_peaks: NDArray[np.int64]


class WaveformRatios(NamedTuple):
    """What `waveform_ratios` returns, without a unit."""

    peak_before_to_trough_ratio: NDArray[np.float64]
    peak_after_to_trough_ratio: NDArray[np.float64]
    peak_before_to_peak_after_ratio: NDArray[np.float64]
    main_peak_to_trough_ratio: NDArray[np.float64]


class WaveformWidths(NamedTuple):
    """What `waveform_widths` returns, in seconds."""

    trough_width: NDArray[np.float64]
    peak_before_width: NDArray[np.float64]
    peak_after_width: NDArray[np.float64]


def peak_to_trough_durations(made: MainTemplates) -> NDArray[np.float64]:
    r"""Return the time from the main trough to the main peak after it.

    Short for narrow, fast spiking cells (below about 0.4 ms in cortex).

    .. math:: t_{peak\,after} - t_{trough}

    Parameters
    ----------
    made : MainTemplates
        Upsampled templates with their extrema.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        In seconds, above 0; NaN if one of them is not there.

    References
    ----------
    Barthó et al. 2004, Characterization of neocortical principal cells and interneurons by
    network interactions and extracellular features, J Neurophysiol 92(1), 600-608.

    Examples
    --------
    >>> from spikeloom.metrics.main_templates import main_templates
    >>> corners = [0, 15, 20, 25, 40, 59], [0, 0, -90, 0, 30, 0]
    >>> template = np.interp(np.arange(60), *corners)[None, :, None]
    >>> made = main_templates(template, [0], 30000.0, upsampling_factor=1)
    >>> peak_to_trough_durations(made) * 30000
    array([20.])
    """
    samples = [_between(one.trough, one.peak_after) for one in made.extrema]
    return np.array(samples, np.float64) / made.sampling_frequency


def main_to_next_extremum_durations(made: MainTemplates) -> NDArray[np.float64]:
    """Return the time between the largest extremum and its next.

    From a trough that is the peak after it (or before, without one); from a peak the trough.

    .. math:: |t_{next} - t_{main}|

    Parameters
    ----------
    made : MainTemplates
        Upsampled templates with their extrema.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        In seconds, above 0; NaN if there are no two.

    References
    ----------
    Jia et al. 2019, High-density extracellular probes reveal dendritic backpropagation and
    facilitate neuron classification, J Neurophysiol 121(5), 1831-1847.

    Examples
    --------
    >>> from spikeloom.metrics.main_templates import main_templates
    >>> corners = [0, 15, 20, 25, 40, 59], [0, 0, -90, 0, 30, 0]
    >>> template = np.interp(np.arange(60), *corners)[None, :, None]
    >>> made = main_templates(template, [0], 30000.0, upsampling_factor=1)
    >>> main_to_next_extremum_durations(made) * 30000
    array([20.])
    """
    samples = []
    for values, one in zip(made.values, made.extrema, strict=True):
        there = [e for e in (one.trough, one.peak_before, one.peak_after) if e.exists]
        main = max(there, key=lambda e: abs(values[e.index]), default=one.trough)
        after = one.peak_after if one.peak_after.exists else one.peak_before
        samples.append(_between(main, after if main is one.trough else one.trough))
    return np.array(samples, np.float64) / made.sampling_frequency


def half_widths(made: MainTemplates) -> HalfWidths:
    r"""Return how long the trough, and the larger peak, are beyond half of their value.

    .. math:: t_{right} - t_{left}, \quad x(t_{left}) = x(t_{right}) = x_{extremum} / 2

    Parameters
    ----------
    made : MainTemplates
        Upsampled templates with their extrema.

    Returns
    -------
    HalfWidths
        In seconds, above 0; NaN where a template does not come back to half on both sides.

    References
    ----------
    Barthó et al. 2004, J Neurophysiol 92(1), 600-608.

    Examples
    --------
    >>> from spikeloom.metrics.main_templates import main_templates
    >>> corners = [0, 15, 20, 25, 40, 59], [0, 0, -90, 0, 30, 0]
    >>> template = np.interp(np.arange(60), *corners)[None, :, None]
    >>> made = main_templates(template, [0], 30000.0, upsampling_factor=1)
    >>> half_widths(made).trough_half_width * 30000
    array([5.])
    """
    trough = [one.trough.half_width for one in made.extrema]
    peak = []
    for values, one in zip(made.values, made.extrema, strict=True):
        there = [e for e in (one.peak_after, one.peak_before) if e.exists]
        larger = max(there, key=lambda e: values[e.index], default=one.peak_after)
        peak.append(larger.half_width)
    return HalfWidths(*(np.array(each) / made.sampling_frequency for each in (trough, peak)))


def repolarization_slopes(made: MainTemplates) -> NDArray[np.float64]:
    r"""Return the slope of a line through the samples from the trough until 0 is reached.

    By least squares.

    .. math:: \frac{\sum_k (t_k - \bar t)(x_k - \bar x)}{\sum_k (t_k - \bar t)^2}

    Parameters
    ----------
    made : MainTemplates
        Upsampled templates with their extrema.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        In the unit of the templates per second (uV/s); NaN if 0 is reached in less than 3 samples,
        or not at all.

    References
    ----------
    Jia et al. 2019, J Neurophysiol 121(5), 1831-1847.

    Examples
    --------
    >>> from spikeloom.metrics.main_templates import main_templates
    >>> corners = [0, 15, 20, 25, 40, 59], [0, 0, -90, 0, 30, 0]
    >>> template = np.interp(np.arange(60), *corners)[None, :, None]
    >>> made = main_templates(template, [0], 30000.0, upsampling_factor=1)
    >>> repolarization_slopes(made) / 30000
    array([18.])
    """
    slopes = np.full(len(made.values), np.nan)
    for unit, (values, one) in enumerate(zip(made.values, made.extrema, strict=True)):
        if one.trough.exists:
            rest = values[one.trough.index :]
            n_below = int(np.argmax(rest >= 0)) if (rest >= 0).any() else 0
            if n_below >= _N_SLOPE_MIN:
                slopes[unit] = _slope(rest[:n_below]) * made.sampling_frequency
    return slopes


def recovery_slopes(made: MainTemplates, *, recovery_window_ms: float = 0.7) -> NDArray[np.float64]:
    r"""Return the slope of a line through the samples after the peak that follows the trough.

    By least squares.

    .. math:: \frac{\sum_k (t_k - \bar t)(x_k - \bar x)}{\sum_k (t_k - \bar t)^2}

    Parameters
    ----------
    made : MainTemplates
        Upsampled templates with their extrema.
    recovery_window_ms : float, default 0.7
        Length of the window behind the peak; shorter if the template ends.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        In the unit of the templates per second (uV/s); NaN if there is no peak, or it is the last
        sample.

    References
    ----------
    Jia et al. 2019, J Neurophysiol 121(5), 1831-1847.

    Examples
    --------
    >>> from spikeloom.metrics.main_templates import main_templates
    >>> corners = [0, 15, 20, 25, 40, 59], [0, 0, -90, 0, 30, 0]
    >>> template = np.interp(np.arange(60), *corners)[None, :, None]
    >>> made = main_templates(template, [0], 30000.0, upsampling_factor=1)
    >>> (recovery_slopes(made) / 30000).round(3)
    array([-1.579])
    """
    n_samples = recovery_window_ms / 1000 * made.sampling_frequency
    slopes = np.full(len(made.values), np.nan)
    for unit, (values, one) in enumerate(zip(made.values, made.extrema, strict=True)):
        if one.peak_after.exists:
            begin = one.peak_after.index
            window = values[begin : int(begin + n_samples)]
            if window.size > 1:
                slopes[unit] = _slope(window) * made.sampling_frequency
    return slopes


def number_of_peaks(made: MainTemplates) -> NumberOfPeaks:
    r"""Return how many prominent peaks and troughs each template has.

    .. math:: \#\{extrema : prominence \geq threshold \cdot \max_t |x_t|\}

    Parameters
    ----------
    made : MainTemplates
        Upsampled templates with their extrema.

    Returns
    -------
    NumberOfPeaks
        From 0 on; no unit.

    References
    ----------
    Fabre et al. 2023, Bombcell, doi:10.5281/zenodo.8172821.

    Examples
    --------
    >>> from spikeloom.metrics.main_templates import main_templates
    >>> corners = [0, 15, 20, 25, 40, 59], [0, 0, -90, 0, 30, 0]
    >>> template = np.interp(np.arange(60), *corners)[None, :, None]
    >>> made = main_templates(template, [0], 30000.0, upsampling_factor=1)
    >>> number_of_peaks(made)  # the peak is a little too low to be counted
    NumberOfPeaks(num_positive_peaks=array([0]), num_negative_peaks=array([1]))
    """
    positive = [
        one.peak_before.sample_indices.size + one.peak_after.sample_indices.size
        for one in made.extrema
    ]
    negative = [one.trough.sample_indices.size for one in made.extrema]
    return NumberOfPeaks(np.array(positive, np.int64), np.array(negative, np.int64))


def waveform_ratios(made: MainTemplates) -> WaveformRatios:
    """Return ratios of the absolute values of peaks and trough.

    .. math:: |x_{one}| / |x_{other}|

    Parameters
    ----------
    made : MainTemplates
        Upsampled templates with their extrema.

    Returns
    -------
    WaveformRatios
        From 0 up, no unit; NaN where one of the two is not there.

    References
    ----------
    Fabre et al. 2023, Bombcell, doi:10.5281/zenodo.8172821.

    Examples
    --------
    >>> from spikeloom.metrics.main_templates import main_templates
    >>> corners = [0, 15, 20, 25, 40, 59], [0, 0, -90, 0, 30, 0]
    >>> template = np.interp(np.arange(60), *corners)[None, :, None]
    >>> made = main_templates(template, [0], 30000.0, upsampling_factor=1)
    >>> waveform_ratios(made).peak_after_to_trough_ratio.round(3)
    array([0.333])
    """
    before, trough, after = (
        _heights(made, [getattr(one, name) for one in made.extrema])
        for name in ("peak_before", "trough", "peak_after")
    )
    return WaveformRatios(
        _ratio(before, trough),
        _ratio(after, trough),
        _ratio(before, after),
        _ratio(np.fmax(before, after), trough),
    )


def waveform_widths(made: MainTemplates) -> WaveformWidths:
    r"""Return the widths of trough and peaks at half of their prominence.

    .. math:: t_{right} - t_{left}, \quad x(t_{left}) = x(t_{right}) = x_{extremum} - prominence / 2

    Parameters
    ----------
    made : MainTemplates
        Upsampled templates with their extrema.

    Returns
    -------
    WaveformWidths
        In seconds, above 0; NaN where one is not there, or not prominent.

    References
    ----------
    Fabre et al. 2023, Bombcell, doi:10.5281/zenodo.8172821.

    Examples
    --------
    >>> from spikeloom.metrics.main_templates import main_templates
    >>> corners = [0, 15, 20, 25, 40, 59], [0, 0, -90, 0, 30, 0]
    >>> template = np.interp(np.arange(60), *corners)[None, :, None]
    >>> made = main_templates(template, [0], 30000.0, upsampling_factor=1)
    >>> (waveform_widths(made).trough_width * 30000).round(2)
    array([5.])
    """
    widths = (
        np.array([getattr(one, name).width for one in made.extrema]) / made.sampling_frequency
        for name in ("trough", "peak_before", "peak_after")
    )
    return WaveformWidths(*widths)


def waveform_baseline_flatness(
    made: MainTemplates, *, baseline_window_ms: Sequence[float] | None = (0.0, 0.5)
) -> NDArray[np.float64]:
    r"""Return how far the baseline is from flat.

    .. math:: \frac{\max_{t \in b} |x_t - \bar x_b|}{\max_t |x_t - \bar x_b|}

    for a window b, with the mean there.

    Parameters
    ----------
    made : MainTemplates
        Upsampled templates with their extrema.
    baseline_window_ms : (float, float) or None, default (0, 0.5)
        Begin and end of the window, from the beginning of the template.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        From 0 (flat) to 1, no unit; NaN without a window, or for a template of one value.

    References
    ----------
    Fabre et al. 2023, Bombcell, doi:10.5281/zenodo.8172821.

    Examples
    --------
    >>> from spikeloom.metrics.main_templates import main_templates
    >>> corners = [0, 15, 20, 25, 40, 59], [0, 0, -90, 0, 30, 0]
    >>> template = np.interp(np.arange(60), *corners)[None, :, None]
    >>> made = main_templates(template, [0], 30000.0, upsampling_factor=1)
    >>> waveform_baseline_flatness(made)
    array([0.])
    """
    flatness = np.full(len(made.values), np.nan)
    if baseline_window_ms is None:
        return flatness
    begin, end = (max(0, int(ms / 1000 * made.sampling_frequency)) for ms in baseline_window_ms)
    baseline = made.values[:, begin:end]
    if not baseline.size:
        return flatness
    mean = baseline.mean(axis=1, keepdims=True)
    off_baseline = np.abs(baseline - mean).max(axis=1)
    return _ratio(off_baseline, np.abs(made.values - mean).max(axis=1))


def _between(one: Extremum, other: Extremum) -> float:
    return float(abs(other.index - one.index)) if one.exists and other.exists else np.nan


def _slope(values: NDArray[np.floating]) -> float:
    """Return the slope of the line through values, per sample, by least squares."""
    steps = np.arange(values.size) - (values.size - 1) / 2
    return float(steps @ values.astype(np.float64) / (steps @ steps))


def _heights(made: MainTemplates, extrema: Iterable[Extremum]) -> NDArray[np.float64]:
    heights = [
        abs(values[e.index]) if e.exists else np.nan
        for values, e in zip(made.values, extrema, strict=True)
    ]
    return np.array(heights, np.float64)


def _ratio(above: NDArray[np.floating], below: NDArray[np.floating]) -> NDArray[np.float64]:
    ratios = np.full(len(below), np.nan)
    np.divide(above, below, out=ratios, where=below != 0)
    return ratios
