"""Save recordings, sortings and snippets: to folders, zarr stores and memory."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spikeloom.core.base import BaseExtractor
from spikeloom.core.events import BaseEvent
from spikeloom.core.recording import BaseRecording
from spikeloom.core.snippets import BaseSnippets
from spikeloom.core.sorting import BaseSorting
from spikeloom.engine.options import JOB_KEYS, OLD_SPELLINGS, job_options
from spikeloom.errors import ParameterError
from spikeloom.storage.stores import is_url, local_path

if TYPE_CHECKING:
    from spikeloom.storage.zarr_nodes import ZarrFormat

_OLDER_NAMES = {"binary_folder": "binary", "npy_folder": "npy"}


def save(
    extractor: BaseExtractor,
    format: str | None = None,
    *,
    folder: str | Path | None = None,
    name: str | None = None,
    overwrite: bool = False,
    verbose: bool = False,  # noqa: ARG001 - SpikeInterface's; the progress bar says it
    **kwargs: Any,
) -> Any:
    """Save an object, and return what was saved, opened.

    Nothing stands under the final name until all of it is written; what stood there before is
    replaced, if `overwrite` says so, at that moment only.

    Parameters
    ----------
    extractor : BaseRecording, BaseSorting, BaseSnippets or BaseEvent
        The object.
    format : str, optional
        ``"binary"`` (recordings; the default), ``"numpy_folder"`` (sortings; the default),
        ``"npz_folder"`` (sortings), ``"npy"`` (snippets and events; the default), ``"zarr"``
        (recordings and sortings) or ``"memory"``.
    folder : str or Path, optional
        Where to; for zarr also a URL. ``.zarr`` is appended for zarr. By default a new folder in
        `spikeloom.get_global_tmp_folder`.
    name : str, optional
        Name of the saved object, and of the folder among temporary ones.
    overwrite : bool, default False
        Replace what is there.
    verbose : bool
        Without effect.
    **kwargs
        Of the format: ``dtype`` (recordings), ``compressor``, ``filters``,
        ``compressor_by_dataset``, ``filters_by_dataset``, ``channel_chunk_size``,
        ``storage_options``, ``zarr_format``, ``shard_duration_s`` (zarr), ``sharedmem`` (memory),
        ``resume`` (recordings: go on with a save that was killed); and job options, see
        `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    BaseExtractor
        The saved object, with all properties, annotations, probe and times.

    Raises
    ------
    WriteError
        If something is there already (then also a FileExistsError), or cannot be written.
    ParameterError
        If the format or an option is unknown.
    """
    kind, formats = _formats_of(extractor)
    chosen = next(iter(formats)) if format is None else _OLDER_NAMES.get(format, format)
    if chosen not in formats:
        msg = f"A {kind} can be saved as {', '.join(formats)}; got format={format!r}."
        raise ParameterError(msg)
    known = formats[chosen]
    unknown = sorted(set(kwargs) - {*known.options, *JOB_KEYS, *OLD_SPELLINGS})
    if unknown:
        msg = (
            f"format={chosen!r} has no option {', '.join(unknown)} for a {kind}. It has "
            f"{', '.join((*known.options, 'the options of jobs'))} ({', '.join(JOB_KEYS)})."
        )
        raise ParameterError(msg)
    own = {key: value for key, value in kwargs.items() if key in known.options}
    job_options(**{key: value for key, value in kwargs.items() if key not in own})
    given = kwargs if known.is_chunked else own
    source = extractor if name is None else _named(extractor, name)
    if chosen == "memory":
        saved = known.write(source, **given)
    else:
        saved = known.write(source, _place(folder, name), overwrite=overwrite, **given)
    if isinstance(extractor, BaseSorting) and extractor.has_recording():
        extractor.copy_time_info(saved)
    return saved


@dataclass(frozen=True)
class Format:
    """A way to save a kind of object."""

    write: Callable[..., Any]
    """Takes the object, where to, and the options; returns the saved object."""
    options: tuple[str, ...] = ()
    """Names of its options, besides those of jobs."""
    is_chunked: bool = False
    """Whether it is written chunk by chunk, so that job options have an effect."""


_ZARR_OPTIONS = (
    *("compressor", "filters", "compressor_by_dataset", "filters_by_dataset"),
    *("channel_chunk_size", "shard_duration_s"),
)


def _named(extractor: BaseExtractor, name: str) -> BaseExtractor:
    """Return a twin with another name, which shares all else; it is for reading only."""
    twin = object.__new__(type(extractor))
    twin.__dict__.update(extractor.__dict__)
    twin._annotations = extractor._annotations | {"name": name}
    return twin


def _formats_of(extractor: BaseExtractor) -> tuple[str, dict[str, Format]]:
    remote = ("storage_options", "zarr_format")
    if isinstance(extractor, BaseRecording):
        return "recording", {
            "binary": Format(save_binary, ("dtype", "resume"), is_chunked=True),
            "zarr": Format(
                save_zarr_recording,
                ("dtype", "resume", *remote, *_ZARR_OPTIONS),
                is_chunked=True,
            ),
            "memory": Format(save_recording_to_memory, ("dtype", "sharedmem"), is_chunked=True),
        }
    if isinstance(extractor, BaseSorting):
        return "sorting", {
            "numpy_folder": Format(save_numpy_folder, ("mmap_mode",)),
            "npz_folder": Format(save_npz_folder),
            "zarr": Format(save_zarr_sorting, ("compressor", "filters", *remote)),
            "memory": Format(save_sorting_to_memory, ("sharedmem",)),
        }
    if isinstance(extractor, BaseSnippets):
        return "set of snippets", {
            "npy": Format(save_snippets, ("dtype",)),
            "memory": Format(save_snippets_to_memory, ("dtype",)),
        }
    if isinstance(extractor, BaseEvent):
        return "set of events", {
            "npy": Format(save_events),
            "memory": Format(save_events_to_memory),
        }
    msg = f"A {type(extractor).__name__} has no format to be saved in."
    raise ParameterError(msg)


def _place(folder: str | Path | None, name: str | None) -> str | Path:
    if folder is not None:
        return folder if is_url(folder) else local_path(folder).absolute()
    from spikeloom.engine.folders import get_global_tmp_folder  # noqa: PLC0415 - rarely needed

    return Path(get_global_tmp_folder()) / (name or secrets.token_hex(4))


def _local(place: str | Path, format: str) -> Path:
    if isinstance(place, str):
        msg = f"{place} is a URL; format={format!r} needs a folder. Zarr can go to URLs."
        raise ParameterError(msg)
    return place


def save_binary(
    recording: BaseRecording,
    place: str | Path,
    *,
    overwrite: bool = False,
    dtype: Any = None,
    resume: bool = False,
    **job_kwargs: Any,
) -> BaseRecording:
    """Save a recording to a folder of flat binary files."""
    from contextlib import ExitStack  # noqa: PLC0415 - imports what only saving needs

    from spikeloom.core.binary_folder import (  # noqa: PLC0415
        BinaryFolderRecording,
        write_binary_folder_metadata,
    )
    from spikeloom.core.saved_fingerprints import fingerprint_of  # noqa: PLC0415
    from spikeloom.core.writing import write_folder_traces  # noqa: PLC0415
    from spikeloom.storage.staged_saves import staged_save  # noqa: PLC0415

    folder = _local(place, "binary")
    options = job_options(**job_kwargs)
    wanted = np.dtype(recording.dtype if dtype is None else dtype)
    n_bytes = recording.get_total_samples() * recording.get_sample_size_in_bytes(wanted)
    with ExitStack() as stack:
        staging = stack.enter_context(
            staged_save(
                folder,
                overwrite=overwrite,
                is_replaceable=is_saved_folder,
                needed_bytes=n_bytes,
                fingerprint=fingerprint_of(recording, wanted) if resume else "",
                resume=resume,
            )
        )
        staging.path.mkdir(exist_ok=True)
        names = write_folder_traces(recording, staging, wanted, options, resume=resume)
        write_binary_folder_metadata(recording, staging.path, names, wanted)
    return BinaryFolderRecording(folder)


def save_zarr_recording(
    recording: BaseRecording,
    place: str | Path,
    *,
    overwrite: bool = False,
    dtype: Any = None,
    storage_options: dict[str, Any] | None = None,
    zarr_format: "ZarrFormat" = 2,
    resume: bool = False,
    **kwargs: Any,
) -> BaseRecording:
    """Save a recording to a zarr store."""
    from spikeloom.core.saved_fingerprints import fingerprint_of  # noqa: PLC0415
    from spikeloom.core.zarr_recording import ZarrRecordingExtractor  # noqa: PLC0415
    from spikeloom.core.zarr_writing import ZarrOptions, write_zarr_recording  # noqa: PLC0415
    from spikeloom.storage.zarr_opening import zarr_location  # noqa: PLC0415
    from spikeloom.storage.zarr_saving import saving_zarr  # noqa: PLC0415

    location = zarr_location(place)
    specific = {key: value for key, value in kwargs.items() if key in _ZARR_OPTIONS}
    layout = ZarrOptions(**specific)
    options = job_options(**{k: v for k, v in kwargs.items() if k not in specific})
    wanted = np.dtype(recording.dtype if dtype is None else dtype)
    with saving_zarr(
        location,
        overwrite=overwrite,
        zarr_format=zarr_format,
        storage_options=storage_options,
        fingerprint=fingerprint_of(recording, wanted, specific) if resume else "",
        resume=resume,
    ) as saving:
        write_zarr_recording(
            recording, saving, dtype=wanted, options=options, layout=layout, resume=resume
        )
    return ZarrRecordingExtractor(location, storage_options=storage_options)


def save_recording_to_memory(
    recording: BaseRecording, *, sharedmem: bool = True, dtype: Any = None, **job_kwargs: Any
) -> BaseRecording:
    """Copy a recording into memory, by default such that other processes can use it."""
    from spikeloom.core.numpy_recording import NumpyRecording  # noqa: PLC0415
    from spikeloom.core.recording import copy_times  # noqa: PLC0415
    from spikeloom.core.shared_memory import SharedMemoryRecording  # noqa: PLC0415
    from spikeloom.core.writing import write_memory_recording  # noqa: PLC0415

    kind: Literal["sharedmem", "numpy"] = "sharedmem" if sharedmem else "numpy"
    arrays, blocks = write_memory_recording(recording, dtype, buffer_type=kind, **job_kwargs)
    rate, ids = recording.sampling_frequency, recording.channel_ids
    if sharedmem:
        copied: BaseRecording = SharedMemoryRecording(
            [block.name for block in blocks],
            [array.shape for array in arrays],
            arrays[0].dtype,
            rate,
            channel_ids=ids,
        )
    else:
        copied = NumpyRecording(arrays, rate, channel_ids=ids)
    recording.copy_metadata(copied)
    copy_times(recording, copied)
    return copied


def save_numpy_folder(
    sorting: BaseSorting,
    place: str | Path,
    *,
    overwrite: bool = False,
    mmap_mode: Literal["r", "c"] | None = None,
) -> BaseSorting:
    """Save a sorting to a folder with its spike vector."""
    from spikeloom.core.numpy_folder_sorting import (  # noqa: PLC0415
        NumpyFolderSorting,
        write_numpy_folder,
    )

    folder = _local(place, "numpy_folder")
    _write_staged(folder, partial(write_numpy_folder, sorting), overwrite=overwrite)
    return NumpyFolderSorting(folder, mmap_mode=mmap_mode)


def save_npz_folder(
    sorting: BaseSorting, place: str | Path, *, overwrite: bool = False
) -> BaseSorting:
    """Save a sorting to a folder with an npz file, the oldest format."""
    from spikeloom.core.npz_folder_sorting import (  # noqa: PLC0415
        NpzFolderSorting,
        write_npz_folder,
    )

    folder = _local(place, "npz_folder")
    _write_staged(folder, partial(write_npz_folder, sorting), overwrite=overwrite)
    return NpzFolderSorting(folder)


def save_zarr_sorting(
    sorting: BaseSorting,
    place: str | Path,
    *,
    overwrite: bool = False,
    storage_options: dict[str, Any] | None = None,
    compressor: Any = None,
    filters: Any = None,
    zarr_format: "ZarrFormat" = 2,
) -> BaseSorting:
    """Save a sorting to a zarr store."""
    from spikeloom.core.zarr_sorting import (  # noqa: PLC0415
        ZarrSortingExtractor,
        write_zarr_sorting,
    )
    from spikeloom.storage.zarr_opening import zarr_location  # noqa: PLC0415
    from spikeloom.storage.zarr_saving import saving_zarr  # noqa: PLC0415

    location = zarr_location(place)
    with saving_zarr(
        location,
        overwrite=overwrite,
        zarr_format=zarr_format,
        storage_options=storage_options,
    ) as saving:
        write_zarr_sorting(
            sorting, saving.group, source=sorting, compressor=compressor, filters=filters
        )
    return ZarrSortingExtractor(location, storage_options=storage_options)


def save_sorting_to_memory(sorting: BaseSorting, *, sharedmem: bool = True) -> BaseSorting:
    """Copy a sorting into memory, by default such that other processes can use it."""
    copied: BaseSorting = (
        sorting.to_shared_memory_sorting() if sharedmem else sorting.to_numpy_sorting()
    )
    return copied


def save_snippets(
    snippets: BaseSnippets, place: str | Path, *, overwrite: bool = False, dtype: Any = None
) -> BaseSnippets:
    """Save snippets to a folder of structured arrays."""
    from spikeloom.core import npy_folder_snippets  # noqa: PLC0415

    folder = _local(place, "npy")
    return npy_folder_snippets.save_snippets(snippets, folder, overwrite=overwrite, dtype=dtype)


def save_snippets_to_memory(snippets: BaseSnippets, *, dtype: Any = None) -> BaseSnippets:
    """Copy snippets into memory."""
    from spikeloom.core.numpy_snippets import NumpySnippets  # noqa: PLC0415

    return NumpySnippets.from_snippets(snippets, dtype=dtype)


def save_events(event: BaseEvent, place: str | Path, *, overwrite: bool = False) -> BaseEvent:
    """Save events to a folder of structured arrays."""
    from spikeloom.core import event_folder  # noqa: PLC0415

    return event_folder.save_events(event, _local(place, "npy"), overwrite=overwrite)


def save_events_to_memory(event: BaseEvent) -> BaseEvent:
    """Copy events into memory."""
    from spikeloom.core.numpy_events import NumpyEvent  # noqa: PLC0415

    return NumpyEvent.from_event(event)


def _write_staged(folder: Path, write: Callable[[Path], None], *, overwrite: bool) -> None:
    from spikeloom.storage.staged_saves import staged_save  # noqa: PLC0415

    with staged_save(folder, overwrite=overwrite, is_replaceable=is_saved_folder) as staging:
        staging.path.mkdir(exist_ok=True)
        write(staging.path)


def is_saved_folder(path: Path) -> bool:
    """Return whether a folder looks like one that saving made, and so may be replaced."""
    names = ("si_folder.json", "spikeinterface_info.json", ".zgroup", "zarr.json", "cached.json")
    return path.is_dir() and any((path / name).exists() for name in names)
