"""Times of spikes on an axis: one segment in its own time, several one after the other."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.widgets.sources import chosen_segments, sorting_of


@dataclass(frozen=True, eq=False)
class Timeline:
    """Where segments lie on a time axis."""

    segments: tuple[int, ...]
    """The segments that are shown, in this order."""
    starts_s: NDArray[np.float64]
    """Where each begins; shape (n_segments,)."""
    ends_s: NDArray[np.float64]
    """Where each ends; shape (n_segments,)."""
    clock: Any
    """What has ``sample_index_to_time`` for the only segment; None if there are several."""
    sampling_frequency: float
    """In Hz."""

    @property
    def limits_s(self) -> tuple[float, float]:
        """Where the first begins and the last ends."""
        return float(self.starts_s[0]), float(self.ends_s[-1])

    @property
    def boundaries_s(self) -> NDArray[np.float64]:
        """Where one segment follows another; shape (n_segments - 1,)."""
        return self.starts_s[1:]

    def times_s(self, place: int, samples: ArrayLike) -> NDArray[np.float64]:
        """Return where samples of the segment at `place` lie; of the shape of `samples`."""
        if self.clock is not None:
            times = self.clock.sample_index_to_time(np.asarray(samples), self.segments[0])
            return np.asarray(times, np.float64)
        offset: float = self.starts_s[place]
        return np.asarray(offset + np.asarray(samples) / self.sampling_frequency, np.float64)


def timeline_of(source: Any, segment_indices: Any = None) -> Timeline:
    """Return where segments lie on a time axis.

    A single segment has its own times; of several, the first begins at 0 s and each begins where
    the one before it ends.

    Parameters
    ----------
    source : BaseSorting or SortingAnalyzer
        Without a recording, a segment ends with its last spike.
    segment_indices : int or list of int, optional
        Segments; all by default.

    Raises
    ------
    ParameterError
        If there is no such segment.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict([{"a": [0, 999]}, {"a": [499]}], 1000.0)
    >>> timeline_of(sorting).boundaries_s
    array([1.])
    """
    sorting = sorting_of(source)
    chosen = chosen_segments(sorting.get_num_segments(), segment_indices)
    n_samples = np.array([_n_samples(source, sorting, k) for k in chosen], np.int64)
    rate = sorting.sampling_frequency
    if len(chosen) == 1:
        clock = _clock(source, sorting)
        ends = [
            clock.sample_index_to_time(int(k), chosen[0]) for k in (0, max(n_samples[0] - 1, 0))
        ]
        first, last = np.array([ends[0]]), np.array([ends[1] + 1 / rate])
        return Timeline(tuple(chosen), first, last, clock, rate)
    stops = np.cumsum(n_samples) / rate
    return Timeline(tuple(chosen), stops - n_samples / rate, stops, None, rate)


def _n_samples(source: Any, sorting: BaseSorting, segment_index: int) -> int:
    if source is not sorting:
        source = getattr(source, "sorting_analyzer", source)
        return int(source.get_num_samples(segment_index))
    if sorting.has_recording():
        return int(sorting.get_num_samples(segment_index))
    return int(sorting.get_last_spike_frame(segment_index)) + 1


def _clock(source: Any, sorting: BaseSorting) -> Any:
    analyzer = getattr(source, "sorting_analyzer", source)
    if analyzer is not sorting and analyzer.has_recording():
        return analyzer.recording
    return sorting
