"""Times of spikes of all segments on one axis, as formats want them that know no segments."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer


@dataclass(frozen=True, slots=True, eq=False)
class CommonTimes:
    """Where segments lie on one time axis.

    If each segment begins after the one before it has ended, by the times that they have, these
    are kept. Otherwise each but the first is moved to where the one before it ends.
    """

    sorting: BaseSorting
    """The spikes."""
    clock: Any
    """Recording that knows the times of its samples; None if the sorting knows them itself."""
    segments: tuple[int, ...]
    """The segments, in this order."""
    own_starts_s: NDArray[np.float64]
    """Where each begins by its own time; shape (n_segments,)."""
    shifts_s: NDArray[np.float64]
    """What is added to the times of each; shape (n_segments,)."""
    durations_s: NDArray[np.float64]
    """How long each is; shape (n_segments,)."""
    has_durations: bool
    """Whether that is known; without a recording, a segment ends with its last spike."""

    @property
    def intervals_s(self) -> NDArray[np.float64]:
        """Start and end of each segment; shape (n_segments, 2)."""
        starts_s = self.own_starts_s + self.shifts_s
        return np.stack([starts_s, starts_s + self.durations_s], axis=1)

    def train_s(self, unit_id: Any) -> NDArray[np.float64]:
        """Return the times of the spikes of a unit in seconds; shape (n_spikes,)."""
        trains = [
            self._own_times_s(unit_id, segment) + shift_s
            for segment, shift_s in zip(self.segments, self.shifts_s, strict=True)
        ]
        return np.concatenate(trains)

    def _own_times_s(self, unit_id: Any, segment: int) -> NDArray[np.float64]:
        if self.clock is None:
            return self.sorting.get_unit_spike_train_in_seconds(unit_id, segment)
        samples = self.sorting.get_unit_spike_train(unit_id, segment)
        return np.asarray(self.clock.sample_index_to_time(samples, segment), np.float64)


def common_times(
    sorting: BaseSorting,
    analyzer: "SortingAnalyzer | None" = None,
    segment_index: int | None = None,
) -> CommonTimes:
    """Return where segments lie on one time axis.

    Parameters
    ----------
    sorting : BaseSorting
        The spikes.
    analyzer : SortingAnalyzer, optional
        That the sorting is of: it knows how long segments are, and its recording the times.
    segment_index : int, optional
        The only segment; all by default.

    Raises
    ------
    ParameterError
        If there is no such segment.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict([{"a": [0, 999]}, {"a": [499]}], 1000.0)
    >>> common_times(sorting).train_s("a")
    array([0.   , 0.999, 1.499])
    """
    n_segments = sorting.get_num_segments()
    if segment_index is not None and not 0 <= segment_index < n_segments:
        msg = f"Segments are 0 to {n_segments - 1}; got segment_index={segment_index}."
        raise ParameterError(msg)
    chosen = tuple(range(n_segments)) if segment_index is None else (int(segment_index),)
    clock = None
    if analyzer is not None and (analyzer.has_recording() or analyzer.has_temporary_recording()):
        clock = analyzer.recording
    source: Any = sorting if clock is None else clock
    rate = sorting.sampling_frequency
    starts_s = np.array([source.sample_index_to_time(0, k) for k in chosen], np.float64)
    n_samples = _n_samples(sorting, analyzer, chosen)
    if n_samples is None:
        lasts = [max(int(sorting.get_last_spike_frame(k)), 0) for k in chosen]
    else:
        lasts = [max(n - 1, 0) for n in n_samples]
    last_s = [source.sample_index_to_time(last, k) for last, k in zip(lasts, chosen, strict=True)]
    durations_s = np.array(last_s, np.float64) + 1 / rate - starts_s
    shifts_s = np.zeros(len(chosen))
    # Half a sample is not an overlap, but what is left of rounding.
    if np.any(starts_s[1:] < starts_s[:-1] + durations_s[:-1] - 0.5 / rate):
        ends_s = starts_s[0] + np.cumsum(durations_s)
        shifts_s[1:] = ends_s[:-1] - starts_s[1:]
    has_durations = n_samples is not None
    return CommonTimes(sorting, clock, chosen, starts_s, shifts_s, durations_s, has_durations)


def _n_samples(
    sorting: BaseSorting, analyzer: "SortingAnalyzer | None", segments: tuple[int, ...]
) -> list[int] | None:
    if analyzer is not None:
        return [analyzer.get_num_samples(k) for k in segments]
    if sorting.has_recording():
        return [sorting.get_num_samples(k) for k in segments]
    return None
