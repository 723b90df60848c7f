"""The writers of this package, in one table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.binary import read_binary
from spikeloom.core.event_folder import FolderEvent
from spikeloom.core.loading import load
from spikeloom.core.npz_sorting import NpzSortingExtractor, read_npz_sorting
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.recording import BaseRecording
from spikeloom.core.segments import append_recordings
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.writing import write_binary_recording, write_into_array
from spikeloom.engine.options import job_options
from spikeloom.exporters import losses
from spikeloom.exporters.sorting_to_alf import write_alf_sorting
from spikeloom.exporters.sorting_to_phy import cluster_numbers, write_phy_sorting
from spikeloom.exporters.writer_registry import Writer
from spikeloom.extractors.alf_sorting import read_alf_sorting
from spikeloom.extractors.phy_sorting import read_phy
from spikeloom.extractors.plain_arrays import read_npy_recording
from spikeloom.storage.staged_saves import refuse_taken, staged_save

UNIT_ID = "unit_id"
"""Property with the ids that units had, where a format has numbers of its own for them."""

_NWB_COLUMNS = ("electrodes", "electrode_group", "obs_intervals", "waveforms")
"""Columns that refer to other tables of a file: properties of these names get others."""

_JOINING_RECORDINGS = "concatenate_recordings"
_JOINING_SORTINGS = "concatenate_sortings"

_NO_SESSION_START = "the session began on 1970-01-01, as nobody says when: use {function} to say it"


def _save_as(format: str) -> Callable[..., Any]:
    def write(source: Any, path: Path, *, overwrite: bool = False, **job_kwargs: Any) -> None:
        options = job_kwargs if isinstance(source, BaseRecording) else {}
        source.save(format=format, folder=path, overwrite=overwrite, **options)

    return write


def _written_by(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a writer that knows no jobs."""

    def write(source: Any, path: Path, *, overwrite: bool = False, **job_kwargs: Any) -> None:
        del job_kwargs
        function(source, path, overwrite=overwrite)

    return write


def _read_by(function: Callable[[Path], Any]) -> Callable[[Path, Any], Any]:
    """Return a reader for what says itself all that is needed to read it."""
    return lambda path, _: function(path)


# -- recordings ------------------------------------------------------------------------------


def _write_flat(
    recording: BaseRecording, path: Path, *, overwrite: bool = False, **job_kwargs: Any
) -> None:
    refuse_taken(path, overwrite=overwrite)
    write_binary_recording(recording, path, add_file_extension=False, **job_kwargs)


def _read_flat(path: Path, source: BaseRecording) -> BaseRecording:
    return read_binary(
        path, source.sampling_frequency, source.dtype, num_channels=source.get_num_channels()
    )


def _write_npy(
    recording: BaseRecording, path: Path, *, overwrite: bool = False, **job_kwargs: Any
) -> None:
    needed = int(recording.get_total_memory_size())
    with staged_save(path, overwrite=overwrite, needed_bytes=needed) as staging:
        written = np.lib.format.open_memmap(
            staging.path, mode="w+", dtype=recording.dtype, shape=recording.get_shape(0)
        )
        write_into_array(recording, 0, written, options=job_options(**job_kwargs))
        written.flush()
        del written  # or its file could not be renamed on Windows


def _read_npy(path: Path, source: BaseRecording) -> BaseRecording:
    return read_npy_recording(path, source.sampling_frequency)


def _write_kwd(
    recording: BaseRecording, path: Path, *, overwrite: bool = False, **job_kwargs: Any
) -> None:
    from spikeloom.exporters.sorting_to_kwik import export_to_kwik  # noqa: PLC0415 - h5py

    none: list[dict[int, list[int]]] = [{} for _ in range(recording.get_num_segments())]
    empty = NumpySorting.from_unit_dict(none, recording.sampling_frequency)
    export_to_kwik(empty, path, recording, overwrite=overwrite, **job_kwargs)


def _read_kwd(path: Path, source: BaseRecording) -> BaseRecording:
    from spikeloom.extractors.kwik_recording import read_kwik_recording  # noqa: PLC0415 - h5py

    del source
    return read_kwik_recording(path)


def _write_nwb_traces(
    recording: BaseRecording, path: Path, *, overwrite: bool = False, **job_kwargs: Any
) -> None:
    from spikeloom.exporters.nwb_sessions import NO_START  # noqa: PLC0415 - h5py
    from spikeloom.exporters.recording_to_nwb import (  # noqa: PLC0415 - h5py
        export_recording_to_nwb,
    )

    export_recording_to_nwb(
        recording, path, remove_if_exists=overwrite, session_start_time=NO_START, **job_kwargs
    )


def _read_nwb_traces(path: Path, source: BaseRecording) -> BaseRecording:
    from spikeloom.exporters.recording_to_nwb import series_names  # noqa: PLC0415 - h5py
    from spikeloom.extractors.nwb_recording import read_nwb_recording  # noqa: PLC0415 - h5py

    parts = [
        read_nwb_recording(path, electrical_series_path=f"acquisition/{name}")
        for name in series_names(source)
    ]
    return parts[0] if len(parts) == 1 else append_recordings(parts)


def _nwb_trace_obstacles(recording: BaseRecording) -> list[str]:
    found = []
    if recording.has_any_time_vector():
        found.append(
            "there is a time for each sample, and NWB has either these or the sampling frequency: "
            "use export_recording_to_nwb, or recording.reset_times()"
        )
    if not recording.get_num_channels() or not all(
        recording.get_num_samples(k) for k in range(recording.get_num_segments())
    ):
        found.append("NWB has no series without channels or samples")
    return found


def _nwb_trace_changes(recording: BaseRecording) -> list[str]:
    found = [_NO_SESSION_START.format(function="export_recording_to_nwb")]
    n_segments = recording.get_num_segments()
    if n_segments > 1:
        found.append(
            f"{n_segments} segments become series, acquisition/ElectricalSeries0 and so on: open "
            "each with electrical_series_path=..., and put them together with append_recordings"
        )
    if not recording.has_scaleable_traces():
        found.append("NWB says how many volts a step is, which is not known: 1 is written")
    elif np.ptp(np.asarray(recording.get_channel_offsets())):
        found.append(
            "NWB has one offset for all channels, and theirs differ: other programs read 0, the "
            "column offset_to_uV has them"
        )
    return found


def _one_segment(what: str, joining: str) -> Callable[[Any], list[str]]:
    def obstacles(source: Any) -> list[str]:
        n_segments = source.get_num_segments()
        if n_segments == 1:
            return []
        return [
            f"{what} has one segment, and there are {n_segments}: put them one behind the other "
            f"with {joining}, or write each by itself with select_segments([k])"
        ]

    return obstacles


def _whole_numbers(recording: BaseRecording) -> list[str]:
    if recording.dtype == np.int16:
        return []
    return [f".raw.kwd files hold int16, and these traces are {recording.dtype}"]


def _kwd_properties(recording: BaseRecording) -> list[str]:
    has_gains = recording.has_scaleable_traces() and not np.any(recording.get_channel_offsets())
    kept = {"contact_vector", "location", "channel_name", "group"}
    kept |= {"gain_to_uV", "offset_to_uV"} if has_gains else set()
    return losses.properties_but(lambda key, _: key in kept)(recording)


def _is_nwb_column(key: str, values: NDArray[Any]) -> bool:
    return key in {"contact_vector", "location"} or (
        values.ndim == 1 and values.dtype.names is None and values.dtype.kind != "O"
    )


def _bare(recording: BaseRecording) -> list[str]:
    return [
        "only the traces are kept: note sampling_frequency="
        f"{recording.sampling_frequency:g}, num_channels={recording.get_num_channels()}, "
        f"dtype={str(recording.dtype)!r}, and gains, offsets and the probe",
        *losses.starts(recording),
        *losses.times(recording),
        *losses.positions(recording),
        *losses.properties_but(lambda *_: False)(recording),
        *_without_ids(recording),
    ]


def _without_ids(recording: BaseRecording) -> list[str]:
    numbers = np.arange(recording.get_num_channels())
    are_numbers = np.array_equal(recording.channel_ids.astype(str), numbers.astype(str))
    return [] if are_numbers else [losses.CHANNEL_IDS]


# -- sortings --------------------------------------------------------------------------------


def _write_npz(
    sorting: BaseSorting, path: Path, *, overwrite: bool = False, **job_kwargs: Any
) -> None:
    del job_kwargs
    refuse_taken(path, overwrite=overwrite)
    NpzSortingExtractor.write_sorting(sorting, path)


def _write_kwik(
    sorting: BaseSorting, path: Path, *, overwrite: bool = False, **job_kwargs: Any
) -> None:
    from spikeloom.exporters.sorting_to_kwik import export_to_kwik  # noqa: PLC0415 - h5py

    del job_kwargs
    named = sorting
    if _is_renumbered(sorting) and UNIT_ID not in sorting.get_property_keys():
        named = NumpySorting.from_sorting(sorting, with_metadata=True)
        named.set_property(UNIT_ID, sorting.unit_ids)
    recording = sorting._recording if sorting.has_recording() else None
    export_to_kwik(named, path, recording, copy_binary=False, overwrite=overwrite)


def _read_kwik(path: Path, source: BaseSorting) -> BaseSorting:
    from spikeloom.extractors.kwik_sorting import read_kwik  # noqa: PLC0415 - imports h5py

    del source
    return read_kwik(path)


def _is_renumbered(sorting: BaseSorting) -> bool:
    originals = sorting.get_property("original_cluster_id")
    are_ids = cluster_numbers(sorting)[1]
    return not are_ids or (
        originals is not None and not np.array_equal(originals, sorting.unit_ids)
    )


def _renumbered(sorting: BaseSorting) -> list[str]:
    if not _is_renumbered(sorting):
        return []
    return [f"{losses.UNIT_IDS}: units get numbers, and their ids are the property {UNIT_ID}"]


def _have_spikes(sorting: BaseSorting) -> list[str]:
    counts = sorting.count_num_spikes_per_unit(outputs="array")
    n_empty = int(np.count_nonzero(counts == 0))
    if not n_empty:
        return []
    return [f"{n_empty} units have no spikes, which Kwik has no place for (remove_empty_units)"]


def _write_nwb(
    sorting: BaseSorting, path: Path, *, overwrite: bool = False, **job_kwargs: Any
) -> None:
    from spikeloom.exporters.analyzer_to_nwb import export_to_nwb  # noqa: PLC0415 - pynwb
    from spikeloom.exporters.nwb_sessions import NO_START  # noqa: PLC0415 - h5py

    del job_kwargs
    named = sorting
    special = [key for key in _NWB_COLUMNS if key in sorting.get_property_keys()]
    if special:
        named = NumpySorting.from_sorting(sorting, with_metadata=True)
        for key in special:
            named.set_property(f"{key}_property", named.get_property(key))
            named.delete_property(key)
    export_to_nwb(named, path, remove_if_exists=overwrite, session_start_time=NO_START)


def _read_nwb(path: Path, source: BaseSorting) -> BaseSorting:
    from spikeloom.extractors.nwb_sorting import read_nwb_sorting  # noqa: PLC0415 - h5py

    first = float(np.asarray(source.sample_index_to_time(np.array([0]), 0))[0])
    return read_nwb_sorting(path, t_start=first)


def _nwb_obstacles(sorting: BaseSorting) -> list[str]:
    found = _one_segment("a table of units in NWB", _JOINING_SORTINGS)(sorting)
    return found if sorting.get_num_units() else [*found, "NWB has no tables without units"]


def _nwb_changes(sorting: BaseSorting) -> list[str]:
    found = [_NO_SESSION_START.format(function="export_to_nwb")]
    kind = sorting.unit_ids.dtype.kind
    if kind in "iu" and sorting.get_num_units() and sorting.unit_ids.min() < 0:
        found.append("ids of units become text, as some are negative")
    objects = [
        key
        for key in sorting.get_property_keys()
        if np.asarray(sorting.get_property(key)).dtype.kind == "O"
    ]
    found += losses.changed_properties(objects)
    if not sorting.get_num_segments():
        return found
    first = float(np.asarray(sorting.sample_index_to_time(np.array([0]), 0))[0])
    if first:
        found.append(f"times count from the session's start: read it with t_start={first!r}")
    return found


WRITERS = (
    Writer(
        name="binary",
        kind="recording",
        write=_save_as("binary"),
        read_back=_read_by(load),
        suffixes=("",),
        description="a folder of flat binary files, as recording.save() makes",
    ),
    Writer(
        name="zarr",
        kind="recording",
        write=_save_as("zarr"),
        read_back=_read_by(load),
        suffixes=(".zarr",),
        description="a compressed zarr store",
    ),
    Writer(
        name="flat",
        kind="recording",
        write=_write_flat,
        read_back=_read_flat,
        suffixes=(".dat", ".bin", ".raw"),
        obstacles=_one_segment("a flat binary file", _JOINING_RECORDINGS),
        changes=_bare,
        description="one flat binary file of traces alone",
    ),
    Writer(
        name="npy",
        kind="recording",
        write=_write_npy,
        read_back=_read_npy,
        suffixes=(".npy",),
        obstacles=_one_segment("a .npy file", _JOINING_RECORDINGS),
        changes=_bare,
        description="one .npy file of traces alone",
    ),
    Writer(
        name="kwik",
        kind="recording",
        write=_write_kwd,
        read_back=_read_kwd,
        suffixes=(".kwik",),
        obstacles=_whole_numbers,
        changes=losses.together(_without_ids, losses.times, _kwd_properties),
        description="raw data of Kwik (.raw.kwd), with a .kwik file without spikes",
    ),
    Writer(
        name="nwb",
        kind="recording",
        write=_write_nwb_traces,
        read_back=_read_nwb_traces,
        suffixes=(".nwb",),
        obstacles=_nwb_trace_obstacles,
        changes=losses.together(_nwb_trace_changes, losses.properties_but(_is_nwb_column)),
        description="electrical series in an NWB file, compressed",
        extra="nwb",
    ),
    Writer(
        name="numpy",
        kind="sorting",
        write=_save_as("numpy_folder"),
        read_back=_read_by(load),
        suffixes=("",),
        description="a folder with a spike vector, as sorting.save() makes",
    ),
    Writer(
        name="npz",
        kind="sorting",
        write=_write_npz,
        read_back=_read_by(read_npz_sorting),
        suffixes=(".npz",),
        changes=losses.properties_but(lambda *_: False),
        description="one .npz file of spikes alone",
    ),
    Writer(
        name="zarr",
        kind="sorting",
        write=_save_as("zarr"),
        read_back=_read_by(load),
        suffixes=(".zarr",),
        description="a compressed zarr store",
    ),
    Writer(
        name="phy",
        kind="sorting",
        write=_written_by(write_phy_sorting),
        read_back=_read_by(read_phy),
        obstacles=_one_segment("a folder of phy", _JOINING_SORTINGS),
        changes=losses.together(losses.starts, losses.properties_but(losses.is_column)),
        description="spikes and tables of clusters of phy; export_to_phy adds what its views need",
    ),
    Writer(
        name="kwik",
        kind="sorting",
        write=_write_kwik,
        read_back=_read_kwik,
        suffixes=(".kwik",),
        obstacles=_have_spikes,
        changes=losses.together(
            _renumbered, losses.starts, losses.properties_but(losses.is_column)
        ),
        description="a .kwik file, without raw data",
    ),
    Writer(
        name="alf",
        kind="sorting",
        write=_written_by(write_alf_sorting),
        read_back=_read_by(read_alf_sorting),
        obstacles=_one_segment("a folder of ALF files", _JOINING_SORTINGS),
        changes=losses.together(losses.starts, losses.properties_but(losses.is_column)),
        description="ALF files of the International Brain Laboratory",
    ),
    Writer(
        name="nwb",
        kind="sorting",
        write=_write_nwb,
        read_back=_read_nwb,
        suffixes=(".nwb",),
        obstacles=_nwb_obstacles,
        changes=_nwb_changes,
        description="a table of units in an NWB file",
        extra="nwb",
    ),
    Writer(
        name="npy",
        kind="event",
        write=_save_as("npy"),
        read_back=_read_by(FolderEvent),
        suffixes=("",),
        description="a folder of .npy files, as event.save() makes",
    ),
    Writer(
        name="npy",
        kind="snippets",
        write=_save_as("npy"),
        read_back=_read_by(load),
        suffixes=("",),
        description="a folder of .npy files, as snippets.save() makes",
    ),
)
"""Writers of this module."""
