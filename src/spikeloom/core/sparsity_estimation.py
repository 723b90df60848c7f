"""Find out which channels each unit has: of templates, or of a recording and its spikes."""

from functools import partial
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core import sparsity_masks as masks
from spikeloom.core.noise_levels import get_noise_levels
from spikeloom.core.quick_templates import templates_of_some_spikes
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.template_peaks import PeakMode, PeakSign, channel_amplitudes, main_channels
from spikeloom.core.unit_conversion import ms_to_samples
from spikeloom.errors import ParameterError

T = TypeVar("T")

SparsityMethod = Literal[
    "radius",
    "best_channels",
    "closest_channels",
    "snr",
    "threshold",
    "ptp",
    "amplitude",
    "energy",
    "by_property",
]
"""How channels are chosen; "threshold" is an older name of "snr"."""

SEED = 2205
"""Of the choice of spikes, so that a sparsity can be found again."""

_BY_PLACE = ("radius", "closest_channels")
_BY_AMPLITUDE = ("best_channels", "amplitude", "snr", "threshold", "ptp")

_OLDER_OPTIONS = {"unit_batch_size", "allow_unfiltered", "sparsity_temp_folder"}
"""What needed a choice before, and does not matter any more."""

_APART_UM = 1e6
"""Distance that probes are put at when their contacts are in the same places."""


def compute_sparsity(
    templates_or_sorting_analyzer: Any,
    noise_levels: ArrayLike | None = None,
    method: SparsityMethod = "radius",
    peak_sign: PeakSign | None = None,
    amplitude_mode: PeakMode | None = None,
    num_channels: int | None = 5,
    radius_um: float | None = 100.0,
    threshold: float | None = 5,
    by_property: str | None = None,
    *,
    peak_mode: PeakMode | None = None,
) -> ChannelSparsity:
    """Find out which channels each unit has.

    Parameters
    ----------
    templates_or_sorting_analyzer : Templates or SortingAnalyzer
        What has the templates.
    noise_levels : array_like of shape (n_channels,), optional
        For "snr", in the unit of the templates; by default those of the analyzer, or of its
        recording.
    method : str, default "radius"
        "radius" takes the channels within `radius_um` of the main channel, "closest_channels" the
        `num_channels` closest to it, "best_channels" those with the largest amplitudes, "snr"
        those with an amplitude of `threshold` times their noise ("ptp": of that range), "amplitude"
        of `threshold` microvolts, "energy" whose waveforms exceed the noise so many times, and
        "by_property" those with the unit's value of a property.
    peak_sign : {"neg", "pos", "both"}, optional
        Which way peaks go; as the analyzer says by default, "neg" for Templates.
    amplitude_mode : {"extremum", "at_index", "peak_to_peak"}, optional
        How amplitudes are measured; as the analyzer says by default, else "extremum". Also
        spelled ``peak_mode``.
    num_channels : int, default 5
    radius_um : float, default 100
        In micrometres.
    threshold : float, default 5
    by_property : str, optional

    Returns
    -------
    ChannelSparsity

    Raises
    ------
    ParameterError
        If the method is unknown, or lacks what it needs.
    """
    given = templates_or_sorting_analyzer
    given = getattr(given, "sorting_analyzer", given)
    if peak_sign is None and not hasattr(given, "get_extension"):
        peak_sign = "neg"
    mode = amplitude_mode if peak_mode is None else peak_mode
    peak: tuple[PeakSign | None, PeakMode | None] = (peak_sign, mode)
    if method == "radius":
        return ChannelSparsity.from_radius(given, _needed(radius_um, "radius_um"), *peak)
    if method == "best_channels":
        n_channels = _needed(num_channels, "num_channels")
        return ChannelSparsity.from_best_channels(given, n_channels, *peak)
    if method == "closest_channels":
        n_channels = _needed(num_channels, "num_channels")
        return ChannelSparsity.from_closest_channels(given, n_channels, *peak)
    if method == "by_property":
        name = _needed(by_property, "by_property")
        return ChannelSparsity.from_property(given.sorting, given.recording, name)
    limit = _needed(threshold, "threshold")
    if method == "amplitude":
        return ChannelSparsity.from_amplitude(given, limit, mode, peak_sign)
    if method == "energy":
        return ChannelSparsity.from_energy(given, limit)
    if method not in {"snr", "threshold", "ptp"}:
        raise ParameterError(_unknown(method))
    mode = "peak_to_peak" if method == "ptp" else mode
    noise = _noise_of_analyzer(given) if noise_levels is None else noise_levels
    return ChannelSparsity.from_snr(given, limit, mode, peak_sign, noise)


def estimate_sparsity(
    sorting: Any,
    recording: Any = None,
    num_spikes_for_sparsity: int = 100,
    ms_before: float = 1.0,
    ms_after: float = 2.5,
    method: SparsityMethod = "radius",
    peak_sign: PeakSign = "both",
    radius_um: float = 100.0,
    num_channels: int = 5,
    threshold: float | None = 5,
    amplitude_mode: PeakMode = "extremum",
    by_property: str | None = None,
    noise_levels: ArrayLike | None = None,
    main_channel_indices: ArrayLike | None = None,
    **job_kwargs: Any,
) -> ChannelSparsity:
    """Find out which channels each unit has, by the averages of some of its spikes.

    Parameters
    ----------
    sorting : BaseSorting or SortingAnalyzer
        The spikes.
    recording : BaseRecording
        The recording; the two may be given in either order. That of the analyzer, if one is given.
    num_spikes_for_sparsity : int, default 100
        Spikes of each unit.
    ms_before, ms_after : float
        Milliseconds around a spike.
    method : str, default "radius"
        See `compute_sparsity`; all but "energy".
    peak_sign, radius_um, num_channels, threshold, amplitude_mode, by_property
        See `compute_sparsity`.
    noise_levels : array_like of shape (n_channels,), optional
        For "snr", in microvolts if gains are known; computed if not given.
    main_channel_indices : array_like of shape (n_units,), optional
        Positions of main channels: for "radius" and "closest_channels", which then need no traces,
        and for "best_channels", which takes them first.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    ChannelSparsity

    Raises
    ------
    ParameterError
        If the method is unknown, or lacks what it needs.
    """
    sorting, recording = _sorting_and_recording(sorting, recording)
    jobs = {key: value for key, value in job_kwargs.items() if key not in _OLDER_OPTIONS}
    if method == "by_property":
        name = _needed(by_property, "by_property")
        return ChannelSparsity.from_property(sorting, recording, name)
    if method not in {*_BY_PLACE, *_BY_AMPLITUDE}:
        raise ParameterError(_unknown(method))
    make_templates = partial(
        templates_of_some_spikes,
        recording,
        sorting,
        n_spikes=num_spikes_for_sparsity,
        ms_before=ms_before,
        ms_after=ms_after,
        seed=SEED,
        return_in_uV=recording.has_scaleable_traces(),
        **jobs,
    )
    nbefore = ms_to_samples(ms_before, recording.sampling_frequency)
    mode: PeakMode = "peak_to_peak" if method == "ptp" else amplitude_mode
    if method in _BY_PLACE:
        channels = _checked_channels(main_channel_indices, recording, sorting)
        if channels is None:
            channels = main_channels(make_templates(), nbefore, peak_sign, mode)
        places_um = locations_apart(recording)
        if method == "radius":
            mask = masks.radius_mask(channels, places_um, radius_um)
        else:
            mask = masks.closest_mask(channels, places_um, num_channels)
    else:
        amplitudes = np.abs(channel_amplitudes(make_templates(), nbefore, peak_sign, mode))
        if method == "best_channels":
            channels = _checked_channels(main_channel_indices, recording, sorting)
            if channels is not None:  # found by other spikes, it need not be among the best here
                amplitudes[np.arange(len(channels)), channels] = np.inf
            mask = masks.best_mask(amplitudes, num_channels)
        else:
            noise = None if method == "amplitude" else _noise_of(recording, noise_levels, jobs)
            mask = masks.threshold_mask(amplitudes, _needed(threshold, "threshold"), noise)
    return ChannelSparsity(mask, sorting.unit_ids, recording.channel_ids)


def _sorting_and_recording(first: Any, second: Any) -> tuple[BaseSorting, BaseRecording]:
    """Return what was given in either order, or what an analyzer holds."""
    if second is None:
        first = getattr(first, "sorting_analyzer", first)
        first, second = getattr(first, "sorting", first), getattr(first, "recording", None)
    if isinstance(first, BaseRecording):
        first, second = second, first
    if isinstance(first, BaseSorting) and isinstance(second, BaseRecording):
        return first, second
    msg = (
        "A sorting and its recording are needed, or an analyzer; got "
        f"{type(first).__name__} and {type(second).__name__}."
    )
    raise ParameterError(msg)


def precompute_sparsity(recording: Any, sorting: Any, *args: Any, **kwargs: Any) -> ChannelSparsity:
    """Find out which channels each unit has; older name of `estimate_sparsity`."""
    return estimate_sparsity(sorting, recording, *args, **kwargs)


def locations_apart(recording: BaseRecording) -> NDArray[np.float64]:
    """Return the positions of channels, with probes far apart that have contacts in one place.

    Returns
    -------
    ndarray of shape (n_channels, 2) and dtype float64
        In micrometres.

    Raises
    ------
    ParameterError
        If there is no probe.
    """
    places_um = recording.get_channel_locations()
    contacts = recording.get_property("contact_vector")
    if contacts is not None and len(np.unique(places_um, axis=0)) < len(places_um):
        places_um = places_um.copy()
        places_um[:, 0] += _APART_UM * contacts["probe_index"]
    return places_um


def _checked_channels(
    main_channel_indices: ArrayLike | None, recording: BaseRecording, sorting: BaseSorting
) -> NDArray[np.int64] | None:
    if main_channel_indices is None:
        return None
    channels = np.asarray(main_channel_indices, np.int64)
    n_channels = recording.get_num_channels()
    is_unknown = (channels < 0) | (channels >= n_channels)
    if channels.shape != (sorting.get_num_units(),) or is_unknown.any():
        msg = (
            f"main_channel_indices needs a channel, 0 to {n_channels - 1}, for each of the "
            f"{sorting.get_num_units()} units; got {main_channel_indices!r}."
        )
        raise ParameterError(msg)
    return channels


def _noise_of(
    recording: BaseRecording, noise_levels: ArrayLike | None, jobs: dict[str, Any]
) -> NDArray[np.floating]:
    if noise_levels is not None:
        return np.asarray(noise_levels, np.float64)
    options = {key: value for key, value in jobs.items() if key != "chunk_size"}
    in_uV = recording.has_scaleable_traces()
    return get_noise_levels(recording, in_uV, random_slices_kwargs={"seed": SEED}, **options)


def _noise_of_analyzer(given: Any) -> NDArray[np.floating] | None:
    """Return the noise of an analyzer's recording if it has not been computed, but can be."""
    has_extension = getattr(given, "has_extension", None)
    if has_extension is None or has_extension("noise_levels") or not given.has_recording():
        return None
    return get_noise_levels(
        given.recording,
        given.return_in_uV,
        random_slices_kwargs={"seed": SEED},
        progress_bar=False,
    )


def _needed(value: T | None, name: str) -> T:
    if value is None:
        msg = f"This method needs {name}."
        raise ParameterError(msg)
    return value


def _unknown(method: str) -> str:
    known = ", ".join((*_BY_PLACE, *_BY_AMPLITUDE, "by_property"))
    return f"method must be one of {known}, or 'energy' of an analyzer; got {method!r}."
