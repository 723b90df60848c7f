"""The time of each sample of a segment.

Most recordings have a regular clock: two numbers say it all. Several of them in a row have one
after the other. Only where someone gives a time for each sample is there an array, and then it is
theirs, never copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import DataError, ParameterError

_N_COMPARED = 1 << 20
"""How many times are compared at once."""


class Times(Protocol):
    """When the samples of a segment were taken; frames are positions from its start."""

    def of_frames(self, frames: ArrayLike) -> NDArray[np.float64]:
        """Return the times of `frames`, in seconds."""

    def frames_at(self, times_s: ArrayLike) -> NDArray[np.int64]:
        """Return the frames at `times_s`."""

    def between(self, start_frame: int, end_frame: int) -> NDArray[np.float64]:
        """Return the times of a stretch of frames, in seconds."""

    def sliced(self, start_frame: int, end_frame: int) -> "Times":
        """Return the times of a stretch, whose first frame is frame 0 of the result."""

    def shifted(self, shift_s: float) -> "Times":
        """Return the same times, all later by `shift_s` seconds."""


@dataclass(frozen=True)
class RegularTimes:
    """A regular clock.

    Examples
    --------
    >>> times = RegularTimes(1000.0, 5.0)
    >>> times.of_frames([0, 500])
    array([5. , 5.5])
    >>> times.frames_at(5.5)
    array(500)
    """

    sampling_frequency: float
    t_start: float | None = None
    """Time of the first sample in seconds; None is 0 and says that nobody set it."""

    def of_frames(self, frames: ArrayLike) -> NDArray[np.float64]:
        """Return the times of `frames`, in seconds."""
        times_s: NDArray[np.float64] = np.asarray(frames) / self.sampling_frequency
        return times_s if self.t_start is None else times_s + self.t_start

    def frames_at(self, times_s: ArrayLike) -> NDArray[np.int64]:
        """Return the frames nearest to `times_s`."""
        since_start_s = np.asarray(times_s, np.float64) - (self.t_start or 0.0)
        return np.asarray(np.round(since_start_s * self.sampling_frequency)).astype(np.int64)

    def between(self, start_frame: int, end_frame: int) -> NDArray[np.float64]:
        """Return the times of a stretch of frames, in seconds."""
        return self.of_frames(np.arange(start_frame, end_frame))

    def sliced(self, start_frame: int, end_frame: int) -> "RegularTimes":  # noqa: ARG002 - protocol
        """Return the times of a stretch, whose first frame is frame 0 of the result."""
        return RegularTimes(self.sampling_frequency, float(self.of_frames(start_frame)))

    def shifted(self, shift_s: float) -> "RegularTimes":
        """Return the same times, all later by `shift_s` seconds."""
        return RegularTimes(self.sampling_frequency, (self.t_start or 0.0) + shift_s)


@dataclass(frozen=True)
class GivenTimes:
    """A time for each sample, as someone gave it.

    Examples
    --------
    >>> times = GivenTimes(np.array([0.0, 0.1, 0.5]))
    >>> times.frames_at([0.1, 0.4])
    array([1, 1])
    """

    vector: Any
    """Times in seconds, shape (n_samples,), increasing: an array, memory map or zarr array."""

    def of_frames(self, frames: ArrayLike) -> NDArray[np.float64]:
        """Return the times of `frames`, in seconds."""
        frames = np.asarray(frames)
        if isinstance(self.vector, np.ndarray):
            return _finite(self.vector[frames])
        # A zarr array takes sorted lists best; its ends suffice for the dense ones.
        if frames.size == 0:
            return np.zeros(frames.shape)
        low = int(frames.min())
        stretch = np.asarray(self.vector[low : int(frames.max()) + 1])
        return _finite(stretch[frames - low])

    def frames_at(self, times_s: ArrayLike) -> NDArray[np.int64]:
        """Return the last frames that are not later than `times_s`."""
        if isinstance(self.vector, np.ndarray):
            found = np.searchsorted(self.vector, np.asarray(times_s, np.float64), side="right")
            return np.asarray(found - 1, np.int64)
        frame_at = np.vectorize(self._frame_at, otypes=[np.int64])
        return cast("NDArray[np.int64]", np.asarray(frame_at(np.asarray(times_s, np.float64))))

    def _frame_at(self, time_s: float) -> int:
        """Find a frame by halving, which reads few chunks of an array on disk."""
        low, high = 0, self.vector.shape[0]
        while low < high:
            middle = (low + high) // 2
            if time_s < self.vector[middle]:
                high = middle
            else:
                low = middle + 1
        return low - 1

    def between(self, start_frame: int, end_frame: int) -> NDArray[np.float64]:
        """Return the times of a stretch of frames, in seconds."""
        return _finite(self.vector[start_frame:end_frame])

    def sliced(self, start_frame: int, end_frame: int) -> "GivenTimes":
        """Return the times of a stretch, whose first frame is frame 0 of the result."""
        if isinstance(self.vector, np.ndarray):
            return GivenTimes(self.vector[start_frame:end_frame])
        return GivenTimes(VectorStretch(self.vector, start_frame, end_frame))

    def shifted(self, shift_s: float) -> "GivenTimes":
        """Return the same times, all later by `shift_s` seconds; the given array stays as it is."""
        return GivenTimes(np.asarray(self.vector) + shift_s)


class VectorStretch:
    """A stretch of an array on disk, read only when values are asked for.

    Parameters
    ----------
    vector : array-like of shape (n_samples,)
        Takes whole numbers and slices, as a zarr array does.
    start, end : int
        First value, and the one after the last.
    """

    ndim = 1

    def __init__(self, vector: Any, start: int, end: int) -> None:
        self.shape = (end - start,)
        self.dtype = vector.dtype
        self._vector = vector
        self._start = start

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, slice):
            return self._vector[self._start + range(len(self))[key]]
        start, end, step = key.indices(len(self))
        values = np.asarray(self._vector[self._start + start : self._start + max(start, end)])
        return values[::step]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)


@dataclass(frozen=True)
class PiecewiseTimes:
    """Several stretches one after the other, each with times of its own.

    Examples
    --------
    >>> times = PiecewiseTimes((RegularTimes(10.0), RegularTimes(10.0, 100.0)), (5, 5))
    >>> times.of_frames([4, 5])
    array([  0.4, 100. ])
    >>> times.frames_at([0.4, 100.1])
    array([4, 6])
    """

    pieces: tuple[Times, ...]
    n_samples: tuple[int, ...]

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """First frame of each piece, and the end of the last; shape (n_pieces + 1,)."""
        return np.concatenate(([0], np.cumsum(self.n_samples))).astype(np.int64)

    @cached_property
    def _first_times_s(self) -> NDArray[np.float64]:
        return np.array([float(piece.of_frames(0)) for piece in self.pieces])

    def of_frames(self, frames: ArrayLike) -> NDArray[np.float64]:
        """Return the times of `frames`, in seconds."""
        frames = np.asarray(frames)
        piece_of = np.clip(np.searchsorted(self.edges[1:-1], frames, side="right"), 0, None)
        times_s = np.empty(frames.shape, np.float64)
        for k in np.unique(piece_of):
            is_in = piece_of == k
            times_s[is_in] = self.pieces[k].of_frames(frames[is_in] - self.edges[k])
        return times_s

    def frames_at(self, times_s: ArrayLike) -> NDArray[np.int64]:
        """Return the frames at `times_s`; in a pause, the last frame before it."""
        times = np.asarray(times_s, np.float64)
        piece_of = np.clip(np.searchsorted(self._first_times_s, times, side="right") - 1, 0, None)
        frames = np.empty(times.shape, np.int64)
        last = len(self.pieces) - 1
        for k in np.unique(piece_of):
            is_in = piece_of == k
            found = self.pieces[k].frames_at(times[is_in])
            # What lies behind the last piece lies behind it, not in it; as with a single one.
            high = found if k == last else np.minimum(found, self.n_samples[k] - 1)
            frames[is_in] = high + self.edges[k]
        return frames

    def between(self, start_frame: int, end_frame: int) -> NDArray[np.float64]:
        """Return the times of a stretch of frames, in seconds."""
        parts = [
            piece.between(max(start_frame - first, 0), min(end_frame - first, n))
            for piece, first, n in zip(
                self.pieces, self.edges[:-1].tolist(), self.n_samples, strict=True
            )
            if start_frame < first + n and end_frame > first
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def sliced(self, start_frame: int, end_frame: int) -> Times:
        """Return the times of a stretch, whose first frame is frame 0 of the result."""
        kept: list[Times] = []
        n_kept: list[int] = []
        for piece, first, n in zip(
            self.pieces, self.edges[:-1].tolist(), self.n_samples, strict=True
        ):
            low, high = max(start_frame - first, 0), min(end_frame - first, n)
            if low < high:
                kept.append(piece.sliced(low, high))
                n_kept.append(high - low)
        if kept:
            return joined(kept, n_kept)
        # Nothing is left, but it is still known when that nothing was.
        k = int(np.searchsorted(self.edges[1:-1], start_frame, side="right"))
        frame = start_frame - int(self.edges[k])
        return self.pieces[k].sliced(frame, frame)

    def shifted(self, shift_s: float) -> "PiecewiseTimes":
        """Return the same times, all later by `shift_s` seconds."""
        return PiecewiseTimes(tuple(p.shifted(shift_s) for p in self.pieces), self.n_samples)


def joined(pieces: Sequence[Times], n_samples: Sequence[int]) -> Times:
    """Return the times of stretches one after the other; of a single one, its own.

    Stretches without samples have no times and leave no trace.
    """
    filled = [(piece, n) for piece, n in zip(pieces, n_samples, strict=True) if n > 0]
    if len(filled) < 2:
        return filled[0][0] if filled else pieces[0]
    flat: list[Times] = []
    counts: list[int] = []
    for piece, n in filled:
        inner = piece if isinstance(piece, PiecewiseTimes) else PiecewiseTimes((piece,), (n,))
        flat.extend(inner.pieces)
        counts.extend(inner.n_samples)
    return PiecewiseTimes(tuple(flat), tuple(counts))


def are_increasing(pieces: Sequence[Times], n_samples: Sequence[int]) -> bool:
    """Return whether each stretch begins after the one before it has ended."""
    filled = [(piece, n) for piece, n in zip(pieces, n_samples, strict=True) if n > 0]
    ends = [float(piece.of_frames(n - 1)) for piece, n in filled[:-1]]
    starts = [float(piece.of_frames(0)) for piece, _ in filled[1:]]
    return all(end < start for end, start in zip(ends, starts, strict=True))


def are_same(times: Times, others: Times, n_samples: int) -> bool:
    """Return whether two segments of `n_samples` samples have the same time for each sample."""
    if times is others:
        return True
    if isinstance(times, RegularTimes) and isinstance(others, RegularTimes):
        is_same_start = (times.t_start or 0.0) == (others.t_start or 0.0)
        return is_same_start and times.sampling_frequency == others.sampling_frequency
    # Piece by piece: there may be more times than fit into memory.
    return all(
        np.array_equal(
            times.between(first, end := min(first + _N_COMPARED, n_samples)),
            others.between(first, end),
        )
        for first in range(0, n_samples, _N_COMPARED)
    )


def is_set(times: Times) -> bool:
    """Return whether someone set these times, rather than leave them to count from 0."""
    if isinstance(times, PiecewiseTimes):
        return any(is_set(piece) for piece in times.pieces)
    return not (isinstance(times, RegularTimes) and times.t_start is None)


def _finite(times_s: ArrayLike) -> NDArray[np.float64]:
    """Return times of a file; they are looked at here, for all of them may be too many."""
    found = np.asarray(times_s)
    if not np.isfinite(found).all():
        msg = "Some of the stored times of samples are no numbers of seconds (NaN or infinity)."
        raise DataError(msg)
    return found


def given_times(vector: ArrayLike, n_samples: int) -> GivenTimes:
    """Return `vector` as times of a segment of `n_samples` samples.

    Raises
    ------
    ParameterError
        If there is not one time for each sample, or they are no numbers.
    """
    array = vector if hasattr(vector, "shape") else np.asarray(vector, np.float64)
    shape = cast("tuple[int, ...]", getattr(array, "shape", ()))
    if shape != (n_samples,):
        msg = f"Times need one value for each of the {n_samples} samples; got shape {shape}."
        raise ParameterError(msg)
    dtype = np.dtype(getattr(array, "dtype", np.float64))
    if dtype.kind not in "iuf":
        msg = f"Times are numbers of seconds; got an array of {dtype}."
        raise ParameterError(msg)
    if isinstance(array, np.ndarray) and dtype != np.float64:
        array = array.astype(np.float64)
    return GivenTimes(array)
