"""Amplitudes, main channels and peaks of templates, by unit."""

from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.old_arguments import one_of
from spikeloom.core.quick_templates import templates_of_some_spikes
from spikeloom.core.recording import BaseRecording
from spikeloom.core.template_peaks import (
    PeakMode,
    PeakSign,
    channel_amplitudes,
    main_channels,
    peak_shifts,
)
from spikeloom.core.template_source import TemplateSource, template_source
from spikeloom.core.unit_conversion import ms_to_samples
from spikeloom.errors import ParameterError

T = TypeVar("T")


def get_dense_templates_array(
    one_object: Any,
    return_in_uV: bool | None = None,
    operator: str = "average",
    *,
    return_scaled: bool | None = None,
) -> NDArray[Any]:
    """Return the templates of all units on all channels.

    Parameters
    ----------
    one_object : Templates or SortingAnalyzer
        What has the templates.
    return_in_uV : bool, optional
        What the caller expects; they are never converted.
    operator : str, default "average"
        Which templates, where there are several.
    return_scaled : bool, optional
        Older spelling of `return_in_uV`.

    Returns
    -------
    ndarray of shape (n_units, n_samples, n_channels)

    Raises
    ------
    ParameterError
        If there are no templates, or they are not in the unit that is expected.
    """
    source = template_source(one_object, operator)
    expected = return_in_uV if return_scaled is None else return_scaled
    if expected is not None and expected != source.is_in_uV:
        unit = "microvolts" if source.is_in_uV else "steps of the file"
        msg = f"return_in_uV={expected} is not possible: these templates are in {unit}."
        raise ParameterError(msg)
    return source.templates


def get_main_channel_templates_array(
    one_object: Any,
    return_in_uV: bool | None = None,
    peak_sign: PeakSign | None = None,
    peak_mode: PeakMode | None = None,
) -> NDArray[Any]:
    """Return the template of each unit on its main channel, shape (n_units, n_samples)."""
    get_dense_templates_array(one_object, return_in_uV)  # which refuses another unit
    source = template_source(one_object)
    return _on_channels(source, source.main_channels(peak_sign, peak_mode))


def get_template_amplitudes(
    templates_or_sorting_analyzer: Any,
    peak_sign: PeakSign | None = None,
    peak_mode: PeakMode | None = None,
    abs_value: bool = True,
    operator: str = "average",
    *,
    mode: PeakMode | None = None,
    return_scaled: bool | None = None,  # noqa: ARG001 - templates are as they were computed
) -> dict[Any, NDArray[Any]]:
    """Return the amplitude of each unit on each channel.

    Parameters
    ----------
    templates_or_sorting_analyzer : Templates or SortingAnalyzer
        What has the templates.
    peak_sign : {"neg", "pos", "both"}, optional
        Which way peaks go; as the analyzer says by default, else "both".
    peak_mode : {"extremum", "at_index", "peak_to_peak"}, optional
        The farthest value, that at the spike, or from the lowest to the highest; as the analyzer
        says by default, else "extremum". Older spelling ``mode``.
    abs_value : bool, default True
        Without the sign.
    operator : str, default "average"
        Which templates, where there are several.

    Returns
    -------
    dict of unit id to ndarray of shape (n_channels,)

    Raises
    ------
    ParameterError
        If there are no templates, or the sign or the mode is unknown.

    Examples
    --------
    >>> from spikeloom.core.templates import Templates
    >>> templates = Templates(np.array([[[0.0, 1.0], [-5.0, 2.0]]]), 30000.0, 1, unit_ids=["a"])
    >>> get_template_amplitudes(templates, peak_sign="neg", abs_value=False)
    {'a': array([-5., 1.])}
    """
    source = template_source(templates_or_sorting_analyzer, operator)
    sign, chosen = source.peak(peak_sign, _either(peak_mode, mode))
    values = channel_amplitudes(source.templates, source.nbefore, sign, chosen)
    return _by_unit(source, list(np.abs(values) if abs_value else values))


def get_template_extremum_channel(
    templates_or_sorting_analyzer: Any,
    peak_sign: PeakSign = "neg",
    mode: PeakMode = "extremum",
    outputs: Literal["id", "index"] = "id",
    operator: str = "average",
    *,
    peak_mode: PeakMode | None = None,
) -> dict[Any, Any]:
    """Return the channel on which each unit is strongest.

    Parameters
    ----------
    templates_or_sorting_analyzer : Templates or SortingAnalyzer
        What has the templates.
    peak_sign : {"neg", "pos", "both"}, default "neg"
        Which way peaks go.
    mode : {"extremum", "at_index", "peak_to_peak"}, default "extremum"
        How strong a peak is; also spelled ``peak_mode``.
    outputs : {"id", "index"}, default "id"
        Ids or positions of channels.
    operator : str, default "average"
        Which templates, where there are several.

    Returns
    -------
    dict of unit id to channel id or position

    Raises
    ------
    ParameterError
        If there are no templates, or an option is unknown.

    Examples
    --------
    >>> from spikeloom.core.templates import Templates
    >>> templates = Templates(
    ...     np.array([[[0.0, 1.0], [-5.0, 6.0]]]), 30000.0, 1, unit_ids=[7], channel_ids=["x", "y"]
    ... )
    >>> get_template_extremum_channel(templates, peak_sign="neg")
    {7: 'x'}
    >>> get_template_extremum_channel(templates, peak_sign="pos", outputs="index")
    {7: 1}
    """
    if outputs not in {"id", "index"}:
        msg = f"outputs must be 'id' or 'index'; got {outputs!r}."
        raise ParameterError(msg)
    source = template_source(templates_or_sorting_analyzer, operator)
    channels = source.main_channels(peak_sign, peak_mode or mode)
    found = channels if outputs == "index" else source.channel_ids[channels]
    return _by_unit(source, found.tolist())


def get_template_extremum_channel_peak_shift(
    templates_or_sorting_analyzer: Any,
    peak_sign: PeakSign | None = "neg",
    operator: str | None = None,
) -> dict[Any, int]:
    """Return by how many samples the peak of each unit is behind its spikes.

    Parameters
    ----------
    templates_or_sorting_analyzer : Templates or SortingAnalyzer
        What has the templates.
    peak_sign : {"neg", "pos", "both"}, default "neg"
        Which way peaks go, on the channel where they are farthest.
    operator : str, optional
        Which templates, where there are several; averages by default.

    Returns
    -------
    dict of unit id to int
        In samples; negative where the peak comes before the spike.
    """
    source = template_source(templates_or_sorting_analyzer, operator or "average")
    sign, _ = source.peak(peak_sign, None)
    waveforms = _on_channels(source, source.main_channels(peak_sign))
    return _by_unit(source, peak_shifts(waveforms, source.nbefore, sign).tolist())


def get_template_peak_shift_on_main_channel(
    templates_or_sorting_analyzer: Any, peak_sign: PeakSign | None = None, with_dict: bool = True
) -> Any:
    """Return by how many samples the peak of each unit on its main channel is behind its spikes.

    Parameters
    ----------
    templates_or_sorting_analyzer : Templates or SortingAnalyzer
        What has the templates.
    peak_sign : {"neg", "pos", "both"}, optional
        Which way peaks go; as the analyzer says by default, else "both".
    with_dict : bool, default True
        Return a dictionary by unit id rather than an array.

    Returns
    -------
    dict of unit id to int, or ndarray of shape (n_units,)
        In samples; negative where the peak comes before the spike.
    """
    source = template_source(templates_or_sorting_analyzer)
    sign, _ = source.peak(peak_sign, None)
    # The main channel is that with the largest peak of either way, unless decided otherwise.
    shifts = peak_shifts(_on_channels(source, source.main_channels()), source.nbefore, sign)
    return _by_unit(source, shifts.tolist()) if with_dict else shifts


def get_template_extremum_amplitude(
    templates_or_sorting_analyzer: Any,
    peak_sign: PeakSign = "neg",
    peak_mode: PeakMode = "at_index",
    abs_value: bool = True,
    operator: str = "average",
    *,
    mode: PeakMode | None = None,
) -> dict[Any, float]:
    """Return the amplitude of each unit on the channel where it is strongest.

    Parameters
    ----------
    templates_or_sorting_analyzer : Templates or SortingAnalyzer
        What has the templates.
    peak_sign : {"neg", "pos", "both"}, default "neg"
        Which way peaks go.
    peak_mode : {"extremum", "at_index", "peak_to_peak"}, default "at_index"
        How strong a peak is, for the channel and for the amplitude; older spelling ``mode``.
    abs_value : bool, default True
        Without the sign.
    operator : str, default "average"
        Which templates, where there are several.

    Returns
    -------
    dict of unit id to float
        In microvolts, if the templates are.
    """
    source = template_source(templates_or_sorting_analyzer, operator)
    chosen = mode or peak_mode
    values = channel_amplitudes(source.templates, source.nbefore, peak_sign, chosen)
    amplitudes = _pick(values, source.main_channels(peak_sign, chosen))
    return _by_unit(source, (np.abs(amplitudes) if abs_value else amplitudes).tolist())


def get_template_amplitude_on_main_channel(
    templates_or_sorting_analyzer: Any,
    peak_sign: PeakSign | None = None,
    peak_mode: PeakMode | None = None,
    abs_value: bool = True,
    with_dict: bool = True,
) -> Any:
    """Return the amplitude of each unit on its main channel.

    Parameters
    ----------
    templates_or_sorting_analyzer : Templates or SortingAnalyzer
        What has the templates. The main channels are those that an analyzer has; of Templates,
        those with the farthest value.
    peak_sign : {"neg", "pos", "both"}, optional
        Which way peaks go; as the analyzer says by default, else "both".
    peak_mode : {"extremum", "at_index", "peak_to_peak"}, optional
        How the amplitude is measured; as the analyzer says by default, else "extremum".
    abs_value : bool, default True
        Without the sign.
    with_dict : bool, default True
        Return a dictionary by unit id rather than an array.

    Returns
    -------
    dict of unit id to float, or ndarray of shape (n_units,)
    """
    source = template_source(templates_or_sorting_analyzer)
    sign, mode = source.peak(peak_sign, peak_mode)
    channels = source.known_main_channels
    if channels is None:
        channels = source.main_channels(sign)
    values = channel_amplitudes(source.templates, source.nbefore, sign, mode)
    amplitudes = _pick(np.abs(values) if abs_value else values, channels)
    return _by_unit(source, amplitudes.tolist()) if with_dict else amplitudes


def estimate_main_channel_from_recording(
    recording: Any,
    sorting: Any,
    peak_sign: PeakSign | None = None,
    peak_mode: PeakMode | None = None,
    num_spikes_for_main_channel: int = 100,
    ms_before: float = 1.0,
    ms_after: float = 2.5,
    seed: int | None = None,
    **job_kwargs: Any,
) -> NDArray[np.int64]:
    """Return the main channel of each unit, by the average of some of its spikes.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    sorting : BaseSorting
        Its spikes; the two may be given in either order.
    peak_sign : {"neg", "pos", "both"}, optional
        Which way peaks go; "both" by default.
    peak_mode : {"extremum", "at_index", "peak_to_peak"}, optional
        How strong a peak is; "extremum" by default.
    num_spikes_for_main_channel : int, default 100
        Spikes of each unit.
    ms_before, ms_after : float
        Milliseconds around a spike.
    seed : int, optional
        For the choice of spikes.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    ndarray of shape (n_units,) and dtype int64
        Positions of channels; 0 for units without spikes.
    """
    if not isinstance(recording, BaseRecording):
        recording, sorting = sorting, recording
    templates = templates_of_some_spikes(
        recording,
        sorting,
        n_spikes=num_spikes_for_main_channel,
        ms_before=ms_before,
        ms_after=ms_after,
        seed=seed,
        return_in_uV=False,
        **job_kwargs,
    )
    nbefore = ms_to_samples(ms_before, recording.sampling_frequency)
    return main_channels(templates, nbefore, peak_sign or "both", peak_mode or "extremum")


def _either(value: T | None, older: T | None) -> T | None:
    if value is None and older is None:
        return None
    return one_of(value, older, "peak_mode", "mode")


def _by_unit(source: TemplateSource, values: list[T]) -> dict[Any, T]:
    return dict(zip(source.unit_ids.tolist(), values, strict=True))


def _pick(values: NDArray[Any], channels: NDArray[np.int64]) -> NDArray[Any]:
    """Return the value of each unit on its channel."""
    picked: NDArray[Any] = values[np.arange(len(channels)), channels]
    return picked


def _on_channels(source: TemplateSource, channels: NDArray[np.int64]) -> NDArray[Any]:
    waveforms: NDArray[Any] = source.templates[np.arange(len(channels)), :, channels]
    return waveforms
