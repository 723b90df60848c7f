"""Segments of recordings: how long they are, their traces, and when their samples were taken."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core import times as clock
from spikeloom.core.ids import Indices
from spikeloom.core.segment import BaseSegment
from spikeloom.core.times import RegularTimes, Times
from spikeloom.errors import ParameterError

_N_WINDOWS_TOGETHER = 256
"""Windows that are copied at once, in the processor's cache."""


def picked(traces: NDArray[Any], channel_indices: Indices | Sequence[int] | None) -> NDArray[Any]:
    """Return the columns at `channel_indices` of traces: a view for a slice, else a copy.

    Examples
    --------
    >>> picked(np.arange(6).reshape(2, 3), [2, 0])
    array([[2, 0],
           [5, 3]])
    """
    if channel_indices is None:
        return traces
    if isinstance(channel_indices, slice):
        return traces[:, channel_indices]
    # Much faster than fancy indexing, which steps through a table for each value.
    return np.take(traces, np.asarray(channel_indices, np.int64), axis=1)


class BaseRecordingSegment(BaseSegment):
    """A contiguous piece of a recording: subclasses say how long it is and read its traces.

    Parameters
    ----------
    sampling_frequency : float, optional
        In Hz; needed if there is no `time_vector`.
    t_start : float, optional
        Time of the first sample in seconds.
    time_vector : array, optional
        Time of each sample in seconds, an array, memory map or zarr array; it is not copied.
    times : Times, optional
        Times of another kind; instead of the others.
    """

    def __init__(
        self,
        sampling_frequency: float | None = None,
        t_start: float | None = None,
        time_vector: Any = None,
        *,
        times: Times | None = None,
    ) -> None:
        super().__init__()
        if times is None and time_vector is not None:
            times = clock.GivenTimes(time_vector)
        elif times is None:
            if sampling_frequency is None:
                msg = "A segment needs a sampling frequency or a time vector."
                raise ParameterError(msg)
            t_start = None if t_start is None else float(t_start)
            times = RegularTimes(float(sampling_frequency), t_start)
        self.times: Times = times
        self.are_times_set = False
        """Whether someone set the times after it was made, so that they are not in its file."""

    @property
    def t_start(self) -> float | None:
        """Time of the first sample in seconds, None if nobody set it."""
        return self.times.t_start if isinstance(self.times, RegularTimes) else None

    @property
    def time_vector(self) -> Any:
        """Time of each sample if somebody gave them one by one, else None."""
        return self.times.vector if isinstance(self.times, clock.GivenTimes) else None

    @property
    def sampling_frequency(self) -> float | None:
        """Samples per second, None if there is a time vector."""
        return self.times.sampling_frequency if isinstance(self.times, RegularTimes) else None

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        raise NotImplementedError

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces of shape (end_frame - start_frame, n_channels), in steps of the file.

        The caller has checked the frames and fills them in; `channel_indices` is a slice, an array
        or None for all.
        """
        raise NotImplementedError

    def cut_windows(self, starts: NDArray[np.int64], windows: NDArray[Any]) -> bool:
        """Copy windows of all channels, where one costs no more than its own samples.

        Parameters
        ----------
        starts : ndarray of shape (n_windows,) and dtype int64
            First sample of each window, all of which lie inside the segment.
        windows : ndarray of shape (n_windows, n_window_samples, n_channels)
            What they are written to.

        Returns
        -------
        bool
            False, with nothing written, where traces are better read in long stretches: files,
            and what is computed from its surroundings.
        """
        del starts, windows
        return False

    def get_times(self) -> NDArray[np.float64]:
        """Return the time of each sample in seconds."""
        return self.times.between(0, self.get_num_samples())

    def get_start_time(self) -> float:
        """Return the time of the first sample in seconds."""
        return self._time_of(0)

    def get_end_time(self) -> float:
        """Return the time of the last sample in seconds."""
        return self._time_of(max(0, self.get_num_samples() - 1))

    def _time_of(self, frame: int) -> float:
        if self.time_vector is not None and self.time_vector.shape[0] == 0:
            return math.nan  # a list of times that is empty does not say when that was
        return float(self.times.of_frames(frame))

    def get_times_kwargs(self) -> dict[str, Any]:
        """Return what to make a segment with that has the same times."""
        return {"times": self.times}

    def sample_index_to_time(self, sample_ind: ArrayLike) -> Any:
        """Return the times of samples in seconds."""
        return self.times.of_frames(sample_ind)[()]

    def time_to_sample_index(self, time_s: ArrayLike) -> Any:
        """Return the samples at times in seconds."""
        return self.times.frames_at(time_s)[()]


def copy_windows(traces: NDArray[Any], starts: NDArray[np.int64], windows: NDArray[Any]) -> None:
    """Copy windows out of traces in memory.

    Parameters
    ----------
    traces : ndarray of shape (n_samples, n_channels)
        The traces.
    starts : ndarray of shape (n_windows,) and dtype int64
        First sample of each window; all lie inside.
    windows : ndarray of shape (n_windows, n_window_samples, n_channels)
        What they are written to.

    Examples
    --------
    >>> windows = np.zeros((2, 3, 1), np.int64)
    >>> copy_windows(np.arange(9)[:, None], np.array([5, 0]), windows)
    >>> windows[..., 0]
    array([[5, 6, 7],
           [0, 1, 2]])
    """
    if not windows.size:
        return
    # All windows that there are, one above the other, without a copy.
    shape = (len(traces) - windows.shape[1] + 1, *windows.shape[1:])
    strides = (traces.strides[0], *traces.strides)
    every = np.lib.stride_tricks.as_strided(traces, shape, strides, writeable=False)
    for begin in range(0, starts.size, _N_WINDOWS_TOGETHER):
        some = slice(begin, begin + _N_WINDOWS_TOGETHER)
        windows[some] = every[starts[some]]
