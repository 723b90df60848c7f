"""Recordings of White Matter: flat files of int16 behind eight bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spikeloom.core.binary import BinaryRecordingExtractor
from spikeloom.core.class_names import stored_as
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Reader, Recognition, unknown

_HEADSTAGE_GAIN_UV = 0.190734863

_N_HEADER_BYTES = 8


@stored_as("spikeinterface.extractors.whitematterrecordingextractor.WhiteMatterRecordingExtractor")
class WhiteMatterRecordingExtractor(BinaryRecordingExtractor):
    """A binary file of White Matter.

    Parameters
    ----------
    file_path : str or Path
        The file.
    sampling_frequency : float
        In Hz.
    num_channels : int
        Channels in the file; head stages have 64, analogue panels 32.
    channel_ids : list, optional
        What channels are called; counted from 0 by default.
    is_filtered : bool, optional
        Whether traces were filtered.
    gain_to_uV : float, optional
        Microvolts per step, 10^6 times the ``voltsperbit`` of the ``.xml`` file that belongs to it;
        by default that of a head stage, 0.190734863.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or cannot be read.
    ParameterError
        If arguments make no sense.
    """

    def __init__(
        self,
        file_path: str | Path,
        sampling_frequency: float,
        num_channels: int,
        channel_ids: Sequence[Any] | None = None,
        is_filtered: bool | None = None,
        gain_to_uV: float | None = None,
    ) -> None:
        super().__init__(
            file_path,
            sampling_frequency,
            "int16",
            num_channels,
            channel_ids=channel_ids,
            file_offset=_N_HEADER_BYTES,
            gain_to_uV=_HEADSTAGE_GAIN_UV if gain_to_uV is None else gain_to_uV,
            offset_to_uV=0.0,
            is_filtered=is_filtered,
        )
        self._kwargs = {
            "file_path": str(Path(file_path).absolute()),
            "sampling_frequency": sampling_frequency,
            "num_channels": num_channels,
            "channel_ids": None if channel_ids is None else list(channel_ids),
            "is_filtered": is_filtered,
            "gain_to_uV": gain_to_uV,
        }


def read_whitematter(
    file_path: str | Path,
    sampling_frequency: float,
    num_channels: int,
    channel_ids: Sequence[Any] | None = None,
    is_filtered: bool | None = None,
    gain_to_uV: float | None = None,
) -> WhiteMatterRecordingExtractor:
    """Open a binary file of White Matter; see `WhiteMatterRecordingExtractor`."""
    return WhiteMatterRecordingExtractor(
        file_path, sampling_frequency, num_channels, channel_ids, is_filtered, gain_to_uV
    )


def _recognise(_: Peek) -> Recognition:
    return unknown("nothing in such a file says so: ask for it by reader='whitematter'")


READERS = (
    Reader(
        name="whitematter",
        kind="recording",
        recognise=_recognise,
        read=read_whitematter,
        function="read_whitematter",
        extensions=(".bin",),
        description="White Matter, of which you know channels and rate",
    ),
)
"""Readers of this module."""
