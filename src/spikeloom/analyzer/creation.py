"""Make analyzers of sortings and recordings."""

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer, copied_sorting
from spikeloom.analyzer.main_channels import (
    PROPERTY,
    checked_peak,
    estimate_main_channels,
    known_main_channels,
)
from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.analyzer.saving import check_place, checked_options, write_analyzer
from spikeloom.core.channel_aggregation import aggregate_channels
from spikeloom.core.excess_spikes import has_exceeding_spikes, remove_excess_spikes
from spikeloom.core.recording import BaseRecording
from spikeloom.core.saving import is_saved_folder
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.sparsity_estimation import estimate_sparsity
from spikeloom.core.template_peaks import PeakMode, PeakSign
from spikeloom.core.unit_aggregation import aggregate_units
from spikeloom.engine.options import JOB_KEYS, OLD_SPELLINGS
from spikeloom.errors import ParameterError
from spikeloom.storage.staged_saves import refuse_taken
from spikeloom.storage.stores import is_url, local_path
from spikeloom.storage.zarr_opening import zarr_location

_FREQUENCY_ATOL_HZ, _FREQUENCY_RTOL = 1e-2, 1e-5

_SPARSITY_KEYS = frozenset(
    name
    for name, one in inspect.signature(estimate_sparsity).parameters.items()
    if one.kind is not inspect.Parameter.VAR_KEYWORD
    and name not in {"sorting", "recording", "main_channel_indices"}
)


@dataclass(frozen=True)
class _Choices:
    """How main channels and sparsity are found."""

    peak_sign: PeakSign
    peak_mode: PeakMode
    n_spikes: int
    seed: int | None
    is_sparse: bool
    sparsity: dict[str, Any]
    """Options of `estimate_sparsity`."""
    jobs: dict[str, Any]


def create_sorting_analyzer(
    sorting: BaseSorting | Mapping[Any, BaseSorting],
    recording: BaseRecording | Mapping[Any, BaseRecording],
    format: str = "memory",
    folder: str | Path | None = None,
    main_channel_indices: ArrayLike | None = None,
    lazy: bool = False,
    peak_sign: PeakSign = "both",
    peak_mode: PeakMode = "extremum",
    num_spikes_for_main_channel: int = 100,
    seed: int | None = None,
    sparse: bool = True,
    sparsity: ChannelSparsity | None = None,
    set_sparsity_by_dict_key: bool = False,
    return_in_uV: bool = True,
    overwrite: bool = False,
    backend_options: Mapping[str, Any] | None = None,
    sparsity_kwargs: Mapping[str, Any] | None = None,
    job_kwargs: Mapping[str, Any] | None = None,
    *,
    return_scaled: bool | None = None,
    **extra_kwargs: Any,
) -> SortingAnalyzer:
    """Make an analyzer of a sorting and its recording.

    Parameters
    ----------
    sorting : BaseSorting, or dict of them
        The spikes; they are copied. For a dictionary, units of all are put together, and the key
        of each becomes the property ``aggregation_key``.
    recording : BaseRecording, or dict of them
        What was sorted; a dictionary with the same keys if `sorting` is one.
    format : {"memory", "binary_folder", "zarr"}, default "memory"
        Where it is kept.
    folder : str or Path, optional
        Folder, or for zarr also a URL; ``.zarr`` is appended for zarr.
    main_channel_indices : array_like of shape (n_units,), optional
        Position of the channel on which each unit is strongest. By default the property
        ``main_channel_id`` of the sorting; else they are found by a few spikes of each unit.
    lazy : bool, default False
        Map large results from the folder instead of keeping them in memory.
    peak_sign : {"both", "neg", "pos"}, default "both"
        Which way peaks go, for main channels.
    peak_mode : {"extremum", "at_index", "peak_to_peak"}, default "extremum"
        How peaks are measured, for main channels.
    num_spikes_for_main_channel : int, default 100
        Spikes of each unit that main channels are found by.
    seed : int, optional
        For the choice of these spikes; a fixed one by default.
    sparse : bool, default True
        Give each unit channels of its own: those within 100 µm of its main channel, unless
        `sparsity_kwargs` say otherwise. Needs a probe then.
    sparsity : ChannelSparsity, optional
        The channels of each unit.
    set_sparsity_by_dict_key : bool, default False
        For dictionaries: give each unit all channels of its own recording.
    return_in_uV : bool, default True
        Work in microvolts. Also spelled ``return_scaled``.
    overwrite : bool, default False
        Replace what is in the folder.
    backend_options : mapping, optional
        For zarr: ``storage_options`` to reach a URL, ``saving_options`` (compressor, filters).
    sparsity_kwargs : mapping, optional
        Options of `spikeloom.estimate_sparsity`: ``method``, ``radius_um``, ``num_channels``, …
    job_kwargs : mapping, optional
        See `spikeloom.set_global_job_kwargs`.
    return_scaled : bool, optional
        Older name of `return_in_uV`.
    **extra_kwargs
        Options of sparsity and of jobs, given one by one.

    Returns
    -------
    SortingAnalyzer

    Raises
    ------
    ParameterError
        If sorting and recording do not fit, or an argument makes no sense.
    WriteError
        If something is in the folder already, or it cannot be written.

    Examples
    --------
    >>> import spikeloom as si
    >>> recording, sorting = si.generate_ground_truth_recording(durations=[2.0], seed=1)
    >>> create_sorting_analyzer(sorting, recording, progress_bar=False)
    SortingAnalyzer: 4 channels - 10 units - 1 segments - memory - sparse - has recording
    Loaded 0 extensions:
    """
    if isinstance(sorting, BaseRecording) and isinstance(recording, BaseSorting):
        sorting, recording = recording, sorting
    in_uV = return_in_uV if return_scaled is None else return_scaled
    sign, mode = checked_peak(peak_sign, peak_mode)
    options, jobs = _parted(sparsity_kwargs, job_kwargs, extra_kwargs)
    choices = _Choices(
        sign,
        mode,
        num_spikes_for_main_channel,
        seed,
        sparse and sparsity is None and not set_sparsity_by_dict_key,
        options,
        jobs,
    )
    _refuse_early(format, folder, backend_options, overwrite=overwrite)
    pairs = _pairs(sorting, recording)
    whole_recording, whole_sorting = _whole(pairs)
    source = whole_sorting
    whole_sorting = _fitting(whole_sorting, whole_recording)
    channels = _known_channels(pairs, whole_sorting, whole_recording, main_channel_indices)
    if channels is None:
        channels = _main_channels(pairs, choices)
    if set_sparsity_by_dict_key and sparsity is None:
        sparsity = _sparsity_of_groups(pairs, whole_sorting, whole_recording)
    elif choices.is_sparse:
        sparsity = _sparsity(pairs, whole_sorting, whole_recording, channels, choices)
    elif sparsity is not None:
        _check_sparsity(sparsity, whole_sorting, whole_recording, channels)
    copied = copied_sorting(whole_sorting)
    copied.set_property(PROPERTY, whole_recording.channel_ids[channels])
    analyzer = SortingAnalyzer(
        copied,
        whole_recording,
        RecordingInfo.of(whole_recording),
        sparsity=sparsity,
        return_in_uV=_checked_scale(whole_recording, in_uV=in_uV),
        settings={"peak_sign": sign, "peak_mode": mode},
    )
    analyzer.is_lazy = lazy
    analyzer.set_sorting_source(lambda: source)
    analyzer.store = write_analyzer(
        analyzer, format, folder, backend_options=backend_options, overwrite=overwrite
    )
    return analyzer


def _parted(
    sparsity_kwargs: Mapping[str, Any] | None,
    job_kwargs: Mapping[str, Any] | None,
    extra: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return options of sparsity, and those of jobs, wherever they were given."""
    options = dict(sparsity_kwargs or {})
    options |= {key: value for key, value in extra.items() if key in _SPARSITY_KEYS}
    jobs = dict(job_kwargs or {})
    known = {*JOB_KEYS, *OLD_SPELLINGS}
    jobs |= {key: value for key, value in {**options, **extra}.items() if key in known}
    options = {key: value for key, value in options.items() if key not in known}
    unknown = sorted({*options, *extra} - _SPARSITY_KEYS - known)
    if unknown:
        msg = (
            f"create_sorting_analyzer has no option {', '.join(unknown)}. Besides its own it "
            f"takes those of sparsity ({', '.join(sorted(_SPARSITY_KEYS))}) and of jobs "
            f"({', '.join(JOB_KEYS)})."
        )
        raise ParameterError(msg)
    return options, jobs


def _refuse_early(
    format: str,
    folder: str | Path | None,
    backend_options: Mapping[str, Any] | None,
    *,
    overwrite: bool,
) -> None:
    """Refuse a place that cannot be written to, before anything is read."""
    check_place(format, folder)
    checked_options(backend_options)
    if format == "memory" or folder is None or is_url(folder):
        return
    place = zarr_location(local_path(folder)) if format == "zarr" else local_path(folder)
    refuse_taken(Path(place).absolute(), overwrite=overwrite, is_replaceable=is_saved_folder)


# -- one or several pairs of a recording and a sorting ---------------------------------------

Pairs = dict[Any, tuple[BaseRecording, BaseSorting]]


def _pairs(sorting: Any, recording: Any) -> Pairs:
    """Return recordings and sortings by key; the key is None if there is one of each."""
    if not isinstance(sorting, Mapping) and not isinstance(recording, Mapping):
        return {None: (_checked(recording, BaseRecording), _checked(sorting, BaseSorting))}
    if not (isinstance(sorting, Mapping) and isinstance(recording, Mapping)):
        msg = "sorting and recording must both be dictionaries, or none of them."
        raise ParameterError(msg)
    if set(sorting) != set(recording) or not sorting:
        msg = (
            f"The sortings have the keys {list(sorting)}, the recordings {list(recording)}: they "
            "must be the same."
        )
        raise ParameterError(msg)
    return {
        key: (_checked(recording[key], BaseRecording), _checked(one, BaseSorting))
        for key, one in sorting.items()
    }


def _checked(given: Any, kind: type) -> Any:
    if not isinstance(given, kind):
        msg = f"A {kind.__name__} is needed; got {type(given).__name__}."
        raise ParameterError(msg)
    return given


def _whole(pairs: Pairs) -> tuple[BaseRecording, BaseSorting]:
    if set(pairs) == {None}:
        return pairs[None]
    return (
        aggregate_channels({key: recording for key, (recording, _) in pairs.items()}),
        aggregate_units({key: sorting for key, (_, sorting) in pairs.items()}),
    )


def _fitting(sorting: BaseSorting, recording: BaseRecording) -> BaseSorting:
    """Return a sorting that fits a recording; raises ParameterError if none can be made."""
    ours, theirs = sorting.sampling_frequency, recording.sampling_frequency
    if ours != theirs:
        if not np.isclose(ours, theirs, rtol=_FREQUENCY_RTOL, atol=_FREQUENCY_ATOL_HZ):
            msg = (
                f"The sorting has a sampling frequency of {ours} Hz, the recording of {theirs} Hz: "
                "they do not belong together."
            )
            raise ParameterError(msg)
        message = (
            f"The sorting has a sampling frequency of {ours} Hz, the recording of {theirs} Hz, "
            "which is used."
        )
        warnings.warn(message, UserWarning, stacklevel=3)
        sorting = copied_sorting(sorting)
        sorting._sampling_frequency = theirs
    if has_exceeding_spikes(sorting, recording):
        message = "Some spikes lie outside of the recording; they are left out."
        warnings.warn(message, UserWarning, stacklevel=3)
        left: BaseSorting = remove_excess_spikes(sorting, recording)
        return left
    return sorting


def _checked_scale(recording: BaseRecording, *, in_uV: bool) -> bool:
    if in_uV and recording.dtype.kind in "iu" and not recording.has_scaleable_traces():
        message = (
            "Gains and offsets of the recording are not known, so nothing is in microvolts "
            "(return_in_uV=False). Use set_channel_gains(...) and set_channel_offsets(...)."
        )
        warnings.warn(message, UserWarning, stacklevel=3)
        return False
    return bool(in_uV)


# -- main channels and sparsity --------------------------------------------------------------


def _known_channels(
    pairs: Pairs, sorting: BaseSorting, recording: BaseRecording, given: ArrayLike | None
) -> NDArray[np.int64] | None:
    """Return the main channels that are given, or that each sorting says of its own recording."""
    if given is not None or len(pairs) == 1:
        return known_main_channels(sorting, recording, given)
    found, first = [], 0
    for part, units in pairs.values():
        channels = known_main_channels(units, part, None)
        if channels is None:
            return None
        found.append(channels + first)
        first += part.get_num_channels()
    return np.concatenate(found)


def _main_channels(pairs: Pairs, choices: _Choices) -> NDArray[np.int64]:
    """Find main channels of units, each among the channels of its own recording."""
    found, first = [], 0
    for recording, sorting in pairs.values():
        channels = estimate_main_channels(
            recording,
            remove_excess_spikes(sorting, recording),
            choices.peak_sign,
            choices.peak_mode,
            n_spikes=choices.n_spikes,
            seed=choices.seed,
            **choices.jobs,
        )
        found.append(channels + first)
        first += recording.get_num_channels()
    return np.concatenate(found)


def _sparsity(
    pairs: Pairs,
    sorting: BaseSorting,
    recording: BaseRecording,
    main_channels: NDArray[np.int64],
    choices: _Choices,
) -> ChannelSparsity:
    """Find the channels of units, each among those of its own recording."""
    options: dict[str, Any] = {
        "peak_sign": choices.peak_sign,
        "amplitude_mode": choices.peak_mode,
        **choices.sparsity,
    }
    if not recording.has_probe() and options.get("method", "radius") in {
        "radius",
        "closest_channels",
    }:
        msg = (
            "The recording has no probe, so which channels are near a unit is not known. Use "
            "recording.set_probe(...), sparse=False, or sparsity_kwargs=dict("
            "method='best_channels', num_channels=...)."
        )
        raise ParameterError(msg)
    mask = np.zeros((sorting.get_num_units(), recording.get_num_channels()), bool)
    for (part, units), (rows, columns) in zip(pairs.values(), _blocks(pairs), strict=True):
        if rows.start == rows.stop:
            continue
        mask[rows, columns] = estimate_sparsity(
            remove_excess_spikes(units, part),
            part,
            main_channel_indices=main_channels[rows] - columns.start,
            **{**options, **choices.jobs},
        ).mask
    mask[np.arange(len(mask)), main_channels] = True
    return ChannelSparsity(mask, sorting.unit_ids, recording.channel_ids)


def _sparsity_of_groups(
    pairs: Pairs, sorting: BaseSorting, recording: BaseRecording
) -> ChannelSparsity:
    if set(pairs) == {None}:
        msg = "set_sparsity_by_dict_key needs dictionaries of sortings and recordings."
        raise ParameterError(msg)
    mask = np.zeros((sorting.get_num_units(), recording.get_num_channels()), bool)
    for rows, columns in _blocks(pairs):
        mask[rows, columns] = True
    return ChannelSparsity(mask, sorting.unit_ids, recording.channel_ids)


def _blocks(pairs: Pairs) -> list[tuple[slice, slice]]:
    """Return which units and channels belong to each pair, as positions in the whole."""
    blocks, unit, channel = [], 0, 0
    for recording, sorting in pairs.values():
        next_unit = unit + sorting.get_num_units()
        next_channel = channel + recording.get_num_channels()
        blocks.append((slice(unit, next_unit), slice(channel, next_channel)))
        unit, channel = next_unit, next_channel
    return blocks


def _check_sparsity(
    sparsity: ChannelSparsity,
    sorting: BaseSorting,
    recording: BaseRecording,
    main_channels: NDArray[np.int64],
) -> None:
    if not (
        np.array_equal(sparsity.unit_ids, sorting.unit_ids)
        and np.array_equal(sparsity.channel_ids, recording.channel_ids)
    ):
        msg = "The sparsity is of other units or channels than the sorting and the recording."
        raise ParameterError(msg)
    is_in = sparsity.mask[np.arange(len(main_channels)), main_channels]
    has_any = sparsity.mask.any(axis=1)
    outside = sorting.unit_ids[~is_in & has_any]
    if outside.size:
        msg = (
            f"The sparsity leaves out the main channel of the units {outside.tolist()[:8]}. Give "
            "main_channel_indices that lie within it, or a wider sparsity."
        )
        raise ParameterError(msg)
