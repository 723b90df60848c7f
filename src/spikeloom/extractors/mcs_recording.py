"""Recordings of Multi Channel Systems in HDF5 files, as its DataManager exports them."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import DataError
from spikeloom.extractors.hdf5_arrays import read_array
from spikeloom.extractors.hdf5_channel_rows import ChannelRows, ChannelRowsSegment
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.hdf5_nodes import attributes, dataset_at, group_at, names_in
from spikeloom.extractors.physical_units import set_physical_units
from spikeloom.extractors.streams import chosen_stream

_STREAMS = "Data/Recording_0/AnalogStream"

_PREFIX = "Stream_"

_TICKS_PER_S = 1e6

_N_STRETCHES_MAX = 1 << 16

_FIELDS = ("ChannelID", "RowIndex", "Label", "Unit", "Exponent", "ADZero", "Tick")
"""Of the table of channels, besides the factor of conversion."""


@stored_as("spikeinterface.extractors.mcsh5extractors.MCSH5RecordingExtractor")
class MCSH5RecordingExtractor(BaseRecording):
    """An analogue stream of an HDF5 file of Multi Channel Systems.

    Parameters
    ----------
    file_path : str or Path
        The file.
    stream_id : int or str, optional
        Number of the stream; 0 by default.
    stream_name : str, optional
        Its label, instead of its number.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it has no analogue streams, or contradicts itself.
    ParameterError
        If there is no such stream.

    Notes
    -----
    Where the recording was interrupted, a new segment begins, at its time. Channels are called by
    their numbers, as in ``Ch7``; ``electrode_labels`` are the names that people know. What is no
    voltage has no gains, but the properties ``physical_unit``, ``gain_to_physical_unit`` and
    ``offset_to_physical_unit``.
    """

    def __init__(
        self,
        file_path: str | Path,
        stream_id: int | str | None = None,
        stream_name: str | None = None,
    ) -> None:
        path = Path(file_path).absolute()
        with open_hdf5(path) as file:
            ids, names = _streams(path, file)
            is_asked = stream_id is not None or stream_name is not None
            default = ids.index("0") if "0" in ids and not is_asked else None
            k = chosen_stream(
                ids,
                names,
                stream_id=stream_id,
                stream_name=stream_name,
                where=path,
                default=default,
            )
            stream = group_at(file, f"{_STREAMS}/{_PREFIX}{ids[k]}")
            values = ChannelRows(path, dataset_at(stream, "ChannelData"), "ChannelData")
            channels = _channels(path, stream, values.n_channels)
            stretches = _stretches(path, stream, values.n_samples)
        rate = _TICKS_PER_S / _tick(path, channels)
        super().__init__(rate, [f"Ch{one}" for one in channels["ChannelID"]], values.dtype)
        for first, start, end in stretches:
            segment = ChannelRowsSegment(
                values,
                rate,
                first / _TICKS_PER_S,
                rows=channels["RowIndex"].astype(np.int64),
                start=start,
                end=end,
            )
            self.add_recording_segment(segment)
        self.stream_id, self.stream_name = ids[k], names[k]
        self._set_scale(path, channels)
        self.set_property("electrode_labels", _texts(channels["Label"]))
        self._kwargs = {"file_path": str(path), "stream_id": int(ids[k])}

    def _set_scale(self, path: Path, channels: NDArray[Any]) -> None:
        factors = np.asarray(channels["ConversionFactor"], np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            gains = factors * 10.0 ** channels["Exponent"].astype(np.float64)
            offsets = -channels["ADZero"].astype(np.float64) * gains
            is_finite = np.isfinite(np.stack([gains, offsets]).astype(np.float32) * 1e6).all()
        if not is_finite:
            msg = f"{path}: Exponent and ConversionFactor of InfoChannel are beyond all numbers."
            raise DataError(msg)
        units = _texts(channels["Unit"])
        if all(unit == "V" for unit in units):
            self.set_channel_gains(gains * 1e6)
            self.set_channel_offsets(offsets * 1e6)
        set_physical_units(self, units, gains, offsets)

    @classmethod
    def get_streams(cls, file_path: str | Path) -> tuple[list[str], list[str]]:
        """Return the names and the ids of the analogue streams of a file."""
        path = Path(file_path).absolute()
        with open_hdf5(path) as file:
            ids, names = _streams(path, file)
        return names, ids


def read_mcsh5(
    file_path: str | Path, stream_id: int | str | None = None, stream_name: str | None = None
) -> MCSH5RecordingExtractor:
    """Open an HDF5 file of Multi Channel Systems; see `MCSH5RecordingExtractor`."""
    return MCSH5RecordingExtractor(file_path, stream_id, stream_name)


def _streams(path: Path, file: h5py.File) -> tuple[list[str], list[str]]:
    """Return ids and names of the analogue streams of the first recording."""
    streams = group_at(file, _STREAMS)
    numbers = [name.removeprefix(_PREFIX) for name in names_in(streams) if _PREFIX in name]
    ids = sorted((one for one in numbers if one.isdecimal()), key=int)
    if not ids:
        msg = f"{path} has no analogue streams in {_STREAMS}."
        raise DataError(msg)
    known = [attributes(group_at(streams, f"{_PREFIX}{id_}")) for id_ in ids]
    return ids, [str(one.get("Label", "")) for one in known]


def _channels(path: Path, stream: h5py.Group | None, n_rows: int) -> NDArray[Any]:
    """Return the table of channels."""
    dataset = dataset_at(stream, "InfoChannel")
    fields = () if dataset is None else dataset.dtype.names or ()
    missing = [name for name in (*_FIELDS, "ConversionFactor") if name not in fields]
    if dataset is None or missing:
        msg = f"{path} has no table InfoChannel with {', '.join(missing)}."
        raise DataError(msg)
    channels = read_array(path, dataset)
    if channels.ndim != 1 or not 0 < channels.size <= n_rows:
        msg = f"{path}: InfoChannel is of shape {channels.shape} for {n_rows} rows of ChannelData."
        raise DataError(msg)
    for name in ("ChannelID", "RowIndex", "Exponent", "ADZero", "Tick", "ConversionFactor"):
        if channels[name].dtype.kind not in "iuf" or channels[name].ndim != 1:
            msg = f"{path}: {name} of InfoChannel must be numbers; got {channels[name].dtype}."
            raise DataError(msg)
    rows = channels["RowIndex"]
    if rows.min() < 0 or rows.max() >= n_rows or len(np.unique(rows)) < rows.size:
        msg = f"{path}: RowIndex of InfoChannel must name {n_rows} rows of ChannelData once."
        raise DataError(msg)
    if len(np.unique(channels["ChannelID"])) < rows.size:
        msg = f"{path}: numbers of channels occur twice in InfoChannel."
        raise DataError(msg)
    return channels


def _tick(path: Path, channels: NDArray[Any]) -> float:
    """Return the microseconds from one sample to the next, which all channels share."""
    ticks = np.unique(channels["Tick"])
    if ticks.size != 1 or not np.isfinite(ticks[0]) or ticks[0] <= 0:
        msg = f"{path}: Tick of InfoChannel must be the same number above 0; got {ticks[:5]}."
        raise DataError(msg)
    return float(ticks[0])


def _stretches(
    path: Path, stream: h5py.Group | None, n_samples: int
) -> list[tuple[float, int, int]]:
    """Return time in microseconds, first sample and end of each stretch without interruption."""
    dataset = dataset_at(stream, "ChannelDataTimeStamps")
    if dataset is None:
        return [(0.0, 0, n_samples)]
    table = read_array(path, dataset)
    is_table = table.dtype.kind in "iu" and table.ndim == 2 and table.shape[1] == 3
    if not is_table or not 0 < len(table) <= _N_STRETCHES_MAX:
        msg = (
            f"{path}: ChannelDataTimeStamps must be whole numbers of shape (n_segments, 3); got "
            f"{table.dtype} of {table.shape}."
        )
        raise DataError(msg)
    if len(table) == 1:
        return [(float(table[0, 0]), 0, n_samples)]  # some files count its samples wrongly
    starts, lasts = table[:, 1], table[:, 2]
    is_sorted = (starts <= lasts).all() and (lasts[:-1] < starts[1:]).all()
    if not is_sorted or starts[0] < 0 or lasts[-1] >= n_samples:
        msg = f"{path}: ChannelDataTimeStamps must name stretches of {n_samples} samples in order."
        raise DataError(msg)
    return [(float(first), int(start), int(last) + 1) for first, start, last in table.tolist()]


def _texts(values: NDArray[Any]) -> list[str]:
    return [
        (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)).strip("\0 ")
        for one in values.tolist()
    ]
