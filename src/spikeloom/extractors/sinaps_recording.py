"""Recordings of the SiNAPS research platform in flat files, with their settings in a text file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.array_segments import FlatColumnsSegment
from spikeloom.extractors.checked_numbers import finite_gain, finite_number
from spikeloom.extractors.json_files import read_text
from spikeloom.extractors.listed_spikes import checked_rate
from spikeloom.extractors.peeking import Peek, read_head
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

STREAMS = ("filt", "raw", "aux")

_N_SETTINGS_BYTES_MAX = 1 << 20

_N_CHANNELS_MAX = 1 << 16

_N_BITS_MAX = 16

_DECIMAL_COMMA = re.compile(r"(-?[0-9]+),([0-9]+)")


class CentredSegment(BaseRecordingSegment):
    """A segment whose values of uint16 are returned as int16, 0 being half of the range.

    Parameters
    ----------
    segment : BaseRecordingSegment
        What is read; values of other types stay as they are.
    sampling_frequency : float
        In Hz.
    n_bits : int
        Bits of the converter.
    """

    def __init__(
        self, segment: BaseRecordingSegment, sampling_frequency: float, n_bits: int
    ) -> None:
        super().__init__(sampling_frequency)
        self._segment = segment
        self._middle = np.uint16(1 << (n_bits - 1))

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return self._segment.get_num_samples()

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces."""
        traces = self._segment.get_traces(start_frame, end_frame, channel_indices)
        if traces.dtype != np.uint16:
            return traces
        return np.ascontiguousarray(traces - self._middle).view(np.int16)  # modulo 2^16


@stored_as(
    "spikeinterface.extractors.sinapsrecordingextractors.SinapsResearchPlatformRecordingExtractor"
)
class SinapsResearchPlatformRecordingExtractor(BaseRecording):
    """A stream of a flat file of the SiNAPS research platform.

    Parameters
    ----------
    file_path : str or Path
        The ``.bin`` file, with all streams, or another one with raw traces only. Beside it is
        ``metadata_<its name>.txt``.
    stream_name : {"filt", "raw", "aux"}, default "filt"
        Filtered or raw traces of electrodes, or auxiliary inputs.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or cannot be read.
    DataError
        If the settings lack something, or contradict themselves.
    ParameterError
        If there is no such stream.

    Notes
    -----
    The files do not say where electrodes are. The annotation ``probe_type`` names the probe, which
    ``probeinterface.get_probe("sinaps-research-platform", probe_type)`` fetches.
    """

    def __init__(self, file_path: str | Path, stream_name: str = "filt") -> None:
        check_stream(stream_name)
        path = Path(file_path).absolute()
        settings = _Settings(path.parent / f"metadata_{path.stem}.txt")
        n_electrodes = settings.whole("nbElectrodes", 1, _N_CHANNELS_MAX)
        n_aux = 0
        is_raw_alone = path.suffix != ".bin"
        if not is_raw_alone:
            n_aux = sum(
                settings.whole(name, 0, _N_CHANNELS_MAX) for name in ("nbHWAux", "numberUserAUX")
            )
        stream = "raw" if is_raw_alone else stream_name
        first = {"raw": 0, "filt": n_electrodes, "aux": 2 * n_electrodes}[stream]
        n_channels = n_aux if stream == "aux" else n_electrodes
        rate = checked_rate(settings.number("samplingFreq"), settings.path)
        dtype = settings.dtype()
        segment = FlatColumnsSegment(
            path,
            rate,
            None,
            n_columns=n_electrodes if is_raw_alone else 2 * n_electrodes + n_aux,
            columns=slice(first, first + n_channels),
            dtype=dtype,
        )
        super().__init__(rate, np.arange(n_channels), np.int16 if dtype == np.uint16 else dtype)
        self.add_recording_segment(CentredSegment(segment, rate, settings.n_bits()))
        gain = "voltageAUXConverter" if stream == "aux" else "voltageConverter"
        self.set_channel_gains(finite_gain(settings.path, settings.number(gain), gain))
        self.set_channel_offsets(0.0)
        self.annotate(probe_type=settings.told.get("probeType", ""))
        self._kwargs = {"file_path": str(path), "stream_name": stream_name}


def read_sinaps_research_platform(
    file_path: str | Path, stream_name: str = "filt"
) -> SinapsResearchPlatformRecordingExtractor:
    """Open a flat file of SiNAPS; see `SinapsResearchPlatformRecordingExtractor`."""
    return SinapsResearchPlatformRecordingExtractor(file_path, stream_name)


def check_stream(stream_name: str) -> None:
    """Raise ParameterError if SiNAPS has no stream of that name."""
    if stream_name not in STREAMS:
        msg = f"stream_name must be one of {', '.join(STREAMS)}; got {stream_name!r}."
        raise ParameterError(msg)


def bits_of(where: Path, n_levels: float) -> int:
    """Return the bits of a converter with so many levels; raises DataError if it has none such."""
    n_bits = int(np.log2(n_levels)) if n_levels >= 2 else 0
    if not 0 < n_bits <= _N_BITS_MAX:
        msg = f"{where}: nbADCLevels must be from 2 to {1 << _N_BITS_MAX}; got {n_levels}."
        raise DataError(msg)
    return n_bits


class _Settings:
    """What a text file of settings tells: lines like ``nbElectrodes=1024``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = read_text(path, _N_SETTINGS_BYTES_MAX).splitlines()
        pairs = (line.split("=", 1) for line in lines if "=" in line and "**" not in line)
        self.told: Mapping[str, str] = {
            key.strip(): value.strip().strip("'\"") for key, value in pairs
        }

    def number(self, name: str) -> float:
        """Return a number, which may have a comma."""
        text = _DECIMAL_COMMA.sub(r"\1.\2", self.told.get(name, ""))
        return finite_number(self.path, text, name)

    def whole(self, name: str, least: int, most: int) -> int:
        """Return a whole number within limits."""
        value = self.number(name)
        if value != int(value) or not least <= value <= most:
            msg = f"{self.path}: {name} must be from {least} to {most}; got {value}."
            raise DataError(msg)
        return int(value)

    def n_bits(self) -> int:
        """Return the bits of the converter."""
        return bits_of(self.path, self.number("nbADCLevels"))

    def dtype(self) -> np.dtype[Any]:
        """Return the type of the values."""
        name = self.told.get("voltageDataType", "uint16")
        if name not in {"uint16", "int16", "int32", "float32"}:
            msg = f"{self.path}: voltageDataType must be one of int16 or uint16; got {name!r}."
            raise DataError(msg)
        return np.dtype(name)


def _recognise(peek: Peek) -> Recognition:
    settings = peek.path.with_name(f"metadata_{peek.path.stem}.txt")
    if peek.is_folder or peek.path == settings or not settings.is_file():
        return unknown(f"there is no {settings.name} beside it")
    if b"nbElectrodes" in read_head(settings):
        return known(Certainty.CONTENT, f"{settings.name} beside it tells nbElectrodes")
    return unknown(f"{settings.name} beside it does not tell nbElectrodes")


READERS = (
    Reader(
        name="sinaps",
        kind="recording",
        recognise=_recognise,
        read=read_sinaps_research_platform,
        function="read_sinaps_research_platform",
        extensions=(".bin", ".dat"),
        description="SiNAPS research platform, flat files",
    ),
)
"""Readers of this module."""
