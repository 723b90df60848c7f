"""Write a recording as an NWB file (Neurodata Without Borders).

Source: https://nwb-schema.readthedocs.io (ElectricalSeries).
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.core.recording import BaseRecording
from spikeloom.core.writing import write_into_array
from spikeloom.engine.options import job_options
from spikeloom.errors import ParameterError
from spikeloom.exporters.nwb_electrodes import electrode_rows
from spikeloom.exporters.nwb_sessions import (
    check_nwb_target,
    require_pynwb,
    saved_session,
    session_file,
)

_VOLTS_PER_uV = 1e-6

_CHUNK_BYTES = 1 << 20
"""Of a piece that is compressed."""

_N_CHUNK_CHANNELS = 64

_N_TIMES = 1 << 20
"""How many times are in memory at once."""


def export_recording_to_nwb(
    recording: BaseRecording,
    nwb_file_path: str | Path,
    remove_if_exists: bool = False,
    session_start_time: datetime | None = None,
    *,
    session_description: str = "A recording.",
    identifier: str | None = None,
    nwbfile: Any = None,
    name: str = "ElectricalSeries",
    compress: bool = True,
    **job_kwargs: Any,
) -> None:
    """Write traces to an NWB file; it is there as a whole or not at all.

    Parameters
    ----------
    recording : BaseRecording
        The traces, which are written as they are, with gains and offsets beside them.
    nwb_file_path : str or Path
        File to make.
    remove_if_exists : bool, default False
        Replace what is at `nwb_file_path`, at the very end.
    session_start_time : datetime, optional
        When the session began; times of the recording count from then. NWB needs it.
    session_description : str
        What the session was.
    identifier : str, optional
        Of the file; made up by default.
    nwbfile : pynwb.NWBFile, optional
        What the traces are added to, with all that it has of a session, before it is written.
    name : str, default "ElectricalSeries"
        Of the series. Of several segments each has its own, with its number behind the name.
    compress : bool, default True
        Compress them, by gzip, which all readers know.
    **job_kwargs
        Job options, for reading the traces.

    Raises
    ------
    ParameterError
        If there are no channels or no samples, or `nwbfile` cannot take them, or is given together
        with what it says itself.
    MissingDependencyError
        If pynwb is not installed.
    WriteError
        If something is at `nwb_file_path` already (also a FileExistsError then), or it cannot be
        written.

    Warns
    -----
    UserWarning
        If nobody says when the session began: 1970-01-01 is written.

    Notes
    -----
    Channels are electrodes: their ids are the column ``channel_name``, their positions ``rel_x``
    and ``rel_y``, and each property is a column of its own, ``channel_group`` for ``group``. Gains
    are the conversion to volts, 1 where they are unknown. NWB has one offset for all channels, and
    0 is written if they differ; the column ``offset_to_uV`` has them all. A segment has its rate
    and start, or the time of each sample if these were given.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((300, 4), "int16")], 30000.0)
    >>> path = Path(tempfile.mkdtemp()) / "traces.nwb"
    >>> start = datetime(2026, 3, 1, 9, tzinfo=UTC)
    >>> export_recording_to_nwb(recording, path, session_start_time=start)
    >>> from spikeloom.extractors.nwb_recording import read_nwb_recording
    >>> read_nwb_recording(path).get_num_samples()
    300
    """
    _check(recording)
    target = Path(nwb_file_path).absolute()
    check_nwb_target(target, replaces=remove_if_exists)
    file = session_file(nwbfile, session_start_time, identifier, session_description)
    names = series_names(recording, name)
    _refuse_taken_names(file, names)
    rows = electrode_rows(file, RecordingInfo.of(recording))
    for k, each in enumerate(names):
        file.add_acquisition(_empty_series(file, recording, k, each, rows, compress=compress))
    options = job_options(**job_kwargs)
    with saved_session(file, target, overwrite=remove_if_exists) as written:
        for k, each in enumerate(names):
            node = written[f"acquisition/{each}"]
            write_into_array(recording, k, node["data"], options=options)
            if "timestamps" in node:
                _fill_times(recording, k, node["timestamps"])


def series_names(recording: BaseRecording, name: str = "ElectricalSeries") -> list[str]:
    """Return the name of the electrical series of each segment."""
    n_segments = recording.get_num_segments()
    return [name] if n_segments == 1 else [f"{name}{k}" for k in range(n_segments)]


def _check(recording: BaseRecording) -> None:
    n_samples = [recording.get_num_samples(k) for k in range(recording.get_num_segments())]
    if not recording.get_num_channels() or not n_samples or not all(n_samples):
        msg = (
            f"NWB has no empty electrical series, and there are {recording.get_num_channels()} "
            f"channels and segments of {n_samples} samples."
        )
        raise ParameterError(msg)


def _refuse_taken_names(nwbfile: Any, names: list[str]) -> None:
    taken = [name for name in names if name in nwbfile.acquisition]
    if taken:
        msg = f"The NWB file has {', '.join(taken)} already: give another name=..."
        raise ParameterError(msg)


def _empty_series(
    nwbfile: Any,
    recording: BaseRecording,
    segment_index: int,
    name: str,
    rows: NDArray[np.int64],
    *,
    compress: bool,
) -> Any:
    """Return a series of which traces, and times if it has them, are to be filled in the file."""
    n_samples, n_channels = recording.get_shape(segment_index)
    n_together = min(n_channels, _N_CHUNK_CHANNELS)
    n_rows = max(1, _CHUNK_BYTES // (n_together * recording.dtype.itemsize))
    data_io = require_pynwb("hdmf.backends.hdf5").H5DataIO
    compressed = {"compression": "gzip", "shuffle": True} if compress else {}
    settings = _scale(recording)
    if recording.has_time_vector(segment_index):
        settings["timestamps"] = data_io(shape=(n_samples,), dtype=np.dtype(float), **compressed)
    else:
        settings["rate"] = float(recording.sampling_frequency)
        settings["starting_time"] = float(recording.get_start_time(segment_index))
    return require_pynwb("pynwb.ecephys").ElectricalSeries(
        name=name,
        description=f"Traces of segment {segment_index}.",
        data=data_io(
            shape=(n_samples, n_channels),
            dtype=recording.dtype,
            chunks=(min(n_rows, n_samples), n_together),
            **compressed,
        ),
        electrodes=nwbfile.create_electrode_table_region(rows.tolist(), "The channels."),
        **settings,
    )


def _scale(recording: BaseRecording) -> dict[str, Any]:
    """Return how values become volts."""
    if not recording.has_scaleable_traces():
        return {}
    gains = np.asarray(recording.get_channel_gains(), np.float64)
    offsets = np.asarray(recording.get_channel_offsets(), np.float64)
    offset_uV = float(offsets[0]) if np.all(offsets == offsets[0]) else 0.0
    if np.all(gains == gains[0]):
        return {"conversion": float(gains[0]) * _VOLTS_PER_uV, "offset": offset_uV * _VOLTS_PER_uV}
    return {
        "conversion": _VOLTS_PER_uV,
        "channel_conversion": gains,
        "offset": offset_uV * _VOLTS_PER_uV,
    }


def _fill_times(recording: BaseRecording, segment_index: int, dataset: h5py.Dataset) -> None:
    times = recording.segments[segment_index].times
    for first in range(0, len(dataset), _N_TIMES):
        last = min(first + _N_TIMES, len(dataset))
        dataset[first:last] = times.between(first, last)
