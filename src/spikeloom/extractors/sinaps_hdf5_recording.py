"""Recordings of the SiNAPS research platform in HDF5 files."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import DataError
from spikeloom.extractors.checked_numbers import finite_gain, finite_number
from spikeloom.extractors.hdf5_arrays import read_array
from spikeloom.extractors.hdf5_channel_rows import ChannelRows, ChannelRowsSegment
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.hdf5_nodes import dataset_at, plain
from spikeloom.extractors.listed_spikes import checked_rate
from spikeloom.extractors.sinaps_recording import CentredSegment, bits_of, check_stream

_PLACES = {
    "filt": "RealTimeProcessedData/FilteredData",
    "raw": "RawData/ElectrodeArrayData",
    "aux": "RawData/AuxData",
}

_ADVANCED = "Advanced Recording Parameters"


@stored_as(
    "spikeinterface.extractors.sinapsrecordingextractors.SinapsResearchPlatformH5RecordingExtractor"
)
class SinapsResearchPlatformH5RecordingExtractor(BaseRecording):
    """A stream of an HDF5 file of the SiNAPS research platform.

    Parameters
    ----------
    file_path : str or Path
        The file.
    stream_name : {"filt", "raw", "aux"}, default "filt"
        Filtered or raw traces of electrodes, or auxiliary inputs.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it lacks the stream or settings, or contradicts itself.
    ParameterError
        If there is no such stream.

    Notes
    -----
    As for `SinapsResearchPlatformRecordingExtractor`.
    """

    def __init__(self, file_path: str | Path, stream_name: str = "filt") -> None:
        check_stream(stream_name)
        path = Path(file_path).absolute()
        with open_hdf5(path) as file:
            place = _PLACES[stream_name]
            values = ChannelRows(path, dataset_at(file, place), place)
            rate = checked_rate(_told(path, file, "Parameters/SamplingFrequency"), path)
            gains = ["VoltageConverter"]
            if stream_name == "aux":
                gains = ["VoltageConverterAUX", "VoltageAUXConverter"]
            gain = _number(path, file, *(f"Parameters/{name}" for name in gains))
            n_bits = bits_of(path, _number(path, file, f"{_ADVANCED}/DAQ/nbADCLevels"))
            probe_type = _told(path, file, f"{_ADVANCED}/Probe/probeType")
        dtype = np.dtype(np.int16) if values.dtype == np.uint16 else values.dtype
        super().__init__(rate, np.arange(values.n_channels), dtype)
        segment = ChannelRowsSegment(values, rate)
        self.add_recording_segment(CentredSegment(segment, rate, n_bits))
        self.set_channel_gains(finite_gain(path, gain, gains[0]))
        self.set_channel_offsets(0.0)
        self.annotate(probe_type="" if probe_type is None else str(probe_type))
        self._kwargs = {"file_path": str(path), "stream_name": stream_name}


def read_sinaps_research_platform_h5(
    file_path: str | Path, stream_name: str = "filt"
) -> SinapsResearchPlatformH5RecordingExtractor:
    """Open an HDF5 file of SiNAPS; see `SinapsResearchPlatformH5RecordingExtractor`."""
    return SinapsResearchPlatformH5RecordingExtractor(file_path, stream_name)


def _told(path: Path, file: h5py.File, *names: str) -> Any:
    """Return the only or first value of the first of these datasets that is there, or None."""
    for name in names:
        dataset = dataset_at(file, name)
        if dataset is not None:
            values = read_array(path, dataset).reshape(-1)
            return plain(values[0]) if values.size else None
    return None


def _number(path: Path, file: h5py.File, *names: str) -> float:
    value = _told(path, file, *names)
    if value is None:
        msg = f"{path} has no {' or '.join(names)}."
        raise DataError(msg)
    return finite_number(path, value, names[0])
