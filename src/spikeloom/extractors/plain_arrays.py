"""Recordings in ``.npy`` files: one array for each segment."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from spikeloom.core.class_names import stored_as
from spikeloom.core.numpy_recording import checked_t_starts
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.array_segments import ArraySegment
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.storage.arrays import open_npy

_N_CHANNELS_MAX = 1 << 20
"""Files without samples can tell any number of channels."""

_MAGIC = b"\x93NUMPY"


@stored_as("spikeloom.NpyRecordingExtractor")
class NpyRecordingExtractor(BaseRecording):
    """A recording in ``.npy`` files, read through memory maps.

    Parameters
    ----------
    file_paths : str, Path or list of them
        A file for each segment, of numbers of shape (n_samples, n_channels), or (n_samples,) for
        a single channel.
    sampling_frequency : float
        In Hz.
    t_starts : list of float, optional
        Time of the first sample of each segment in seconds.
    channel_ids : array_like of shape (n_channels,), optional
        0, 1, 2, … by default.
    time_axis : {0, 1}, default 0
        1 if the arrays are of shape (n_channels, n_samples).
    gain_to_uV, offset_to_uV : float or array_like of shape (n_channels,), optional
        Microvolts per step, and of step 0.
    is_filtered : bool, optional
        Whether the traces are filtered already.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or damaged.
    DataError
        If an array has another shape, or files do not go together.
    ParameterError
        If numbers do not fit together.
    """

    def __init__(
        self,
        file_paths: str | Path | Sequence[str | Path],
        sampling_frequency: float,
        t_starts: Sequence[float | None] | None = None,
        channel_ids: ArrayLike | None = None,
        time_axis: int = 0,
        gain_to_uV: ArrayLike | None = None,
        offset_to_uV: ArrayLike | None = None,
        is_filtered: bool | None = None,
    ) -> None:
        listed = [file_paths] if isinstance(file_paths, str | Path) else list(file_paths)
        if not listed or time_axis not in {0, 1}:
            msg = f"At least one file is needed, and time_axis is 0 or 1; got {time_axis}."
            raise ParameterError(msg)
        paths = [Path(path).absolute() for path in listed]
        arrays = [open_npy(path) for path in paths]
        for k, (path, array) in enumerate(zip(paths, arrays, strict=True)):
            if array.ndim not in {1, 2}:
                msg = f"{path} has the shape {array.shape}; traces are (n_samples, n_channels)."
                raise DataError(msg)
            two = array[:, np.newaxis] if array.ndim == 1 else array
            arrays[k] = two.T if time_axis == 1 and array.ndim == 2 else two
            if arrays[k].shape[1] > _N_CHANNELS_MAX:
                msg = f"{path} has the shape {array.shape}: too many channels for a recording."
                raise DataError(msg)
        kinds = {(array.shape[1], array.dtype) for array in arrays}
        if len(kinds) > 1:
            told = " and ".join(f"{n} channels of {dtype}" for n, dtype in sorted(kinds, key=str))
            msg = f"Files of one recording have the same channels and dtype; these have {told}."
            raise DataError(msg)
        n_channels = arrays[0].shape[1]
        ids = np.arange(n_channels) if channel_ids is None else np.asarray(channel_ids)
        if len(ids) != n_channels:
            msg = f"{len(ids)} channel ids do not fit {n_channels} channels of {paths[0]}."
            raise ParameterError(msg)
        super().__init__(sampling_frequency, ids, arrays[0].dtype)
        starts = checked_t_starts(t_starts, len(arrays))
        for array, t_start in zip(arrays, starts, strict=True):
            self.add_recording_segment(ArraySegment(array, self.sampling_frequency, t_start))
        if is_filtered is not None:
            self.annotate(is_filtered=bool(is_filtered))
        if gain_to_uV is not None:
            self.set_channel_gains(gain_to_uV)
            self.set_channel_offsets(0.0 if offset_to_uV is None else offset_to_uV)
        self._kwargs = {
            "file_paths": [str(path) for path in paths],
            "sampling_frequency": self.sampling_frequency,
            "t_starts": None if t_starts is None else starts,
            "channel_ids": self.channel_ids,
            "time_axis": int(time_axis),
            "gain_to_uV": gain_to_uV,
            "offset_to_uV": offset_to_uV,
            "is_filtered": is_filtered,
        }


def read_npy_recording(
    file_paths: str | Path | Sequence[str | Path],
    sampling_frequency: float,
    t_starts: Sequence[float | None] | None = None,
    channel_ids: ArrayLike | None = None,
    time_axis: int = 0,
    gain_to_uV: ArrayLike | None = None,
    offset_to_uV: ArrayLike | None = None,
    is_filtered: bool | None = None,
) -> NpyRecordingExtractor:
    """Open ``.npy`` files as a recording; see `NpyRecordingExtractor` for the parameters.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "traces.npy"
    >>> np.save(path, np.arange(6, dtype="int16").reshape(3, 2))
    >>> read_npy_recording(path, 30000.0).get_traces(start_frame=2)
    array([[4, 5]], dtype=int16)
    """
    return NpyRecordingExtractor(
        file_paths,
        sampling_frequency,
        t_starts,
        channel_ids,
        time_axis,
        gain_to_uV,
        offset_to_uV,
        is_filtered,
    )


def _recognise(peek: Peek) -> Recognition:
    if peek.head.startswith(_MAGIC):
        return known(Certainty.GUESS, "it is a .npy file")
    return unknown("it does not begin like a .npy file")


READERS = (
    Reader(
        name="npy",
        kind="recording",
        recognise=_recognise,
        read=read_npy_recording,
        function="read_npy_recording",
        extensions=(".npy",),
        description="traces in .npy files",
    ),
)
"""Readers of this module."""
