"""The writers of this package, in one table."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.core.binary import read_binary
from spikeloom.core.event_folder import FolderEvent
from spikeloom.core.loading import load
from spikeloom.core.npz_sorting import NpzSortingExtractor, read_npz_sorting
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.writing import write_binary_recording
from spikeloom.exporters.sorting_to_alf import write_alf_sorting
from spikeloom.exporters.sorting_to_phy import cluster_numbers, write_phy_sorting
from spikeloom.exporters.writer_registry import Writer
from spikeloom.extractors.alf_sorting import read_alf_sorting
from spikeloom.extractors.phy_sorting import read_phy
from spikeloom.extractors.plain_arrays import read_npy_recording
from spikeloom.storage.staged_saves import refuse_taken, staged_save

UNIT_ID = "unit_id"
"""Property with the ids that units had, where a format has numbers of its own for them."""

_CHUNK_BYTES = 1 << 26

_NWB_COLUMNS = ("electrodes", "electrode_group", "obs_intervals", "waveforms")
"""Columns that refer to other tables of a file: properties of these names get others."""

_NO_START = datetime(1970, 1, 1, tzinfo=UTC)


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
    del job_kwargs
    n_samples, n_channels = recording.get_num_samples(0), recording.get_num_channels()
    with staged_save(
        path, overwrite=overwrite, needed_bytes=int(recording.get_total_memory_size())
    ) as staging:
        shape = (n_samples, n_channels)
        written = np.lib.format.open_memmap(
            staging.path, mode="w+", dtype=recording.dtype, shape=shape
        )
        step = max(1, _CHUNK_BYTES // max(1, n_channels * written.dtype.itemsize))
        for start in range(0, n_samples, step):
            stop = min(start + step, n_samples)
            written[start:stop] = recording.get_traces(0, start, stop)
        written.flush()
        del written  # or its file could not be renamed on Windows


def _read_npy(path: Path, source: BaseRecording) -> BaseRecording:
    return read_npy_recording(path, source.sampling_frequency)


def _write_kwd(
    recording: BaseRecording, path: Path, *, overwrite: bool = False, **job_kwargs: Any
) -> None:
    from spikeloom.exporters.sorting_to_kwik import export_to_kwik  # noqa: PLC0415 - h5py

    del job_kwargs
    none: list[dict[int, list[int]]] = [{} for _ in range(recording.get_num_segments())]
    empty = NumpySorting.from_unit_dict(none, recording.sampling_frequency)
    export_to_kwik(empty, path, recording, overwrite=overwrite)


def _read_kwd(path: Path, source: BaseRecording) -> BaseRecording:
    from spikeloom.extractors.kwik_recording import read_kwik_recording  # noqa: PLC0415 - h5py

    del source
    return read_kwik_recording(path)


def _one_segment(what: str) -> Callable[[Any], list[str]]:
    def obstacles(source: Any) -> list[str]:
        n_segments = source.get_num_segments()
        if n_segments == 1:
            return []
        return [f"{what} has one segment, and there are {n_segments}"]

    return obstacles


def _whole_numbers(recording: BaseRecording) -> list[str]:
    if recording.dtype == np.int16:
        return []
    return [f".raw.kwd files hold int16, and these traces are {recording.dtype}"]


def _bare(recording: BaseRecording) -> list[str]:
    return [
        "only the traces are kept: note sampling_frequency="
        f"{recording.sampling_frequency:g}, num_channels={recording.get_num_channels()}, "
        f"dtype={str(recording.dtype)!r}, and gains, offsets and the probe"
    ]


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
    return [f"units get numbers; their ids are kept as the property {UNIT_ID}"]


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

    del job_kwargs
    named = sorting
    special = [key for key in _NWB_COLUMNS if key in sorting.get_property_keys()]
    if special:
        named = NumpySorting.from_sorting(sorting, with_metadata=True)
        for key in special:
            named.set_property(f"{key}_property", named.get_property(key))
            named.delete_property(key)
    export_to_nwb(named, path, remove_if_exists=overwrite, session_start_time=_NO_START)


def _read_nwb(path: Path, source: BaseSorting) -> BaseSorting:
    from spikeloom.extractors.nwb_sorting import read_nwb_sorting  # noqa: PLC0415 - h5py

    first = float(np.asarray(source.sample_index_to_time(np.array([0]), 0))[0])
    return read_nwb_sorting(path, t_start=first)


def _nwb_obstacles(sorting: BaseSorting) -> list[str]:
    found = _one_segment("a table of units in NWB")(sorting)
    return found if sorting.get_num_units() else [*found, "NWB has no tables without units"]


def _nwb_changes(sorting: BaseSorting) -> list[str]:
    found = ["the session began on 1970-01-01, as nobody says when: use export_to_nwb to say it"]
    kind = sorting.unit_ids.dtype.kind
    if kind in "iu" and sorting.get_num_units() and sorting.unit_ids.min() < 0:
        found.append("ids of units become text, as some are negative")
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
        obstacles=_one_segment("a flat binary file"),
        changes=_bare,
        description="one flat binary file of traces alone",
    ),
    Writer(
        name="npy",
        kind="recording",
        write=_write_npy,
        read_back=_read_npy,
        suffixes=(".npy",),
        obstacles=_one_segment("a .npy file"),
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
        description="raw data of Kwik (.raw.kwd), with a .kwik file without spikes",
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
        obstacles=_one_segment("a folder of phy"),
        description="spikes and tables of clusters of phy; export_to_phy adds what its views need",
    ),
    Writer(
        name="kwik",
        kind="sorting",
        write=_write_kwik,
        read_back=_read_kwik,
        suffixes=(".kwik",),
        obstacles=_have_spikes,
        changes=_renumbered,
        description="a .kwik file, without raw data",
    ),
    Writer(
        name="alf",
        kind="sorting",
        write=_written_by(write_alf_sorting),
        read_back=_read_by(read_alf_sorting),
        obstacles=_one_segment("a folder of ALF files"),
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
