"""Spikes of a stretch of a sorting, given in frames or in seconds, or of many periods."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.frame_slices import frames_within, time_slice
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.recording import checked_frames
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.sorting_matching import as_sorting, only_segment_of
from spikeloom.core.spike_selection import (
    cast_periods_to_unit_period_dtype,
    keep_spikes,
    spikes_in_periods,
)
from spikeloom.core.spike_vector import SpikeTable, base_period_dtype, read_only
from spikeloom.core.times import RegularTimes
from spikeloom.errors import ParameterError

_NO_END = int(np.iinfo(np.int64).max)


@stored_as("spikeinterface.core.frameslicesorting.FrameSliceSorting")
class FrameSliceSorting(BaseSorting):
    """A stretch of a sorting of one segment; see `BaseSorting.frame_slice`.

    Samples count from the start of the stretch. If a recording is registered, the same stretch of
    it is registered here.

    Parameters
    ----------
    parent_sorting : BaseSorting
        The sorting.
    start_frame : int, optional
        Its first frame to show; 0 by default.
    end_frame : int, optional
        The one after the last; by default the end of the recording, or behind the last spike. A
        stretch may be empty.
    check_spike_frames : bool, default True
        If a recording is registered, refuse a sorting with spikes outside of it.

    Raises
    ------
    ParameterError
        If there are several segments, or if the frames are not within the recording.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20]}, 10.0)
    >>> part = FrameSliceSorting(sorting, 15, 31)
    >>> part.get_unit_spike_train("a"), part.get_start_time()
    (array([15]), 1.5)
    """

    def __init__(
        self,
        parent_sorting: BaseSorting,
        start_frame: int | None = None,
        end_frame: int | None = None,
        check_spike_frames: bool = True,
    ) -> None:
        parent = as_sorting(parent_sorting)
        only_segment_of(parent, "frame_slice")
        recording = parent._recording
        if recording is None:
            # Where the last spike is, is not known before spikes are asked for.
            start, end = checked_frames(start_frame, end_frame, _NO_END)
        else:
            start, end = frames_within(start_frame, end_frame, recording.get_num_samples(0))
            if check_spike_frames and parent._has_spikes_outside(recording):
                msg = (
                    "The sorting has spikes outside of its recording. Remove them with "
                    "remove_excess_spikes(sorting, recording), or use check_spike_frames=False."
                )
                raise ParameterError(msg)
        super().__init__(parent.sampling_frequency, parent.unit_ids)
        segment = parent.segments[0]
        if recording is None:
            times = RegularTimes(parent.sampling_frequency, segment._t_start).sliced(start, start)
            t_start = times.t_start
        else:
            self._recording = recording.frame_slice(start, end)
            t_start = self._recording.get_start_time(0)
        self.add_sorting_segment(TableSortingSegment(self, 0, t_start))
        self._segments[0].shift_s = segment.shift_s
        parent.copy_metadata(self)
        self._parent = parent
        self._source, self._start, self._end = _flattened(parent, start, end)
        self._kwargs = {
            "parent_sorting": parent,
            "start_frame": start,
            "end_frame": None if end == _NO_END else end,
            "check_spike_frames": check_spike_frames,
        }

    def _make_spike_table(self) -> SpikeTable:
        table = self._source.spike_table()
        spikes = table.window(0, self._start, self._end)
        samples = read_only(table.sample_index[spikes] - self._start)
        return SpikeTable(samples, table.unit_index[spikes], np.array([0, samples.size]))


def _flattened(sorting: BaseSorting, start: int, end: int) -> tuple[BaseSorting, int, int]:
    """Return the sorting that spikes are cut out of, and where: not a slice of a slice."""
    if type(sorting) is not FrameSliceSorting:
        return sorting, start, end
    inner_end = sorting._end if end == _NO_END else min(sorting._start + end, sorting._end)
    return sorting._source, sorting._start + start, inner_end


def sorting_time_slice(
    sorting: BaseSorting, start_time: float | None, end_time: float | None
) -> FrameSliceSorting:
    """Return a view of the spikes from `start_time` to before `end_time`.

    Parameters
    ----------
    sorting : BaseSorting
        A sorting of one segment.
    start_time, end_time : float or None
        In seconds; None is the start, or the end.

    Raises
    ------
    ParameterError
        If there are several segments, or if the times lie before the start or, if a recording is
        registered, outside of it.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30]}, 10.0)
    >>> sorting_time_slice(sorting, 2.0, None).get_unit_spike_train("a", return_times=True)
    array([3.])
    """
    only_segment_of(sorting, "time_slice")
    if start_time is not None and end_time is not None and start_time > end_time:
        msg = f"start_time={start_time} is behind end_time={end_time}."
        raise ParameterError(msg)
    recording = sorting._recording
    if recording is not None:
        shift_s = sorting.segments[0].shift_s
        start_s, end_s = (None if t is None else t - shift_s for t in (start_time, end_time))
        frames = time_slice(recording, start_s, end_s)._kwargs
        return FrameSliceSorting(sorting, frames["start_frame"], frames["end_frame"])
    return FrameSliceSorting(
        sorting,
        _frame_near(sorting, start_time, "start_time"),
        _frame_near(sorting, end_time, "end_time"),
    )


def _frame_near(sorting: BaseSorting, time_s: float | None, name: str) -> int | None:
    """Return the frame nearest to a time of a sorting without a recording."""
    if time_s is None:
        return None
    frame = int(sorting.time_to_sample_index(time_s, 0))
    if frame < 0:
        start_s = sorting.get_start_time(0)
        msg = f"{name}={time_s} s is before the start of the sorting, which is {start_s} s."
        raise ParameterError(msg)
    return frame


def select_sorting_periods(sorting: BaseSorting, periods: ArrayLike | None) -> Any:
    """Return the spikes that lie in periods, in memory.

    Samples, units and times stay as they are; spikes elsewhere are left out.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    periods : array_like or None
        Periods of units, as `cast_periods_to_unit_period_dtype` takes them, or of all units, with
        the fields of `base_period_dtype`; ends are exclusive. None returns the sorting itself.

    Returns
    -------
    NumpySorting
        With properties, annotations and times of `sorting`.

    Raises
    ------
    DataError
        If the fields are others, or if a period is of a unit or segment that does not exist.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20]}, 10.0)
    >>> part = select_sorting_periods(sorting, [[0, 0, 15, 0], [0, 0, 50, 1]])
    >>> part.to_spike_vector()["sample_index"]
    array([10, 20])
    """
    if periods is None:
        return sorting
    table = sorting.spike_table()
    is_inside = spikes_in_periods(
        table, _as_periods(periods), sorting.get_num_units(), sorting._cached_orders.get("unit")
    )
    selected = NumpySorting(
        keep_spikes(table, is_inside), sorting.sampling_frequency, sorting.unit_ids
    )
    sorting.copy_metadata(selected)
    sorting.copy_time_info(selected)
    return selected


def _as_periods(periods: ArrayLike) -> NDArray[np.void]:
    """Return periods of units, or of all units, as a structured array."""
    array = np.asarray(periods)
    names = set(array.dtype.names or ())
    if names == set(base_period_dtype.names or ()):
        plain = np.empty(array.shape, base_period_dtype)
        for name in names:
            plain[name] = array[name]
        return plain
    return cast_periods_to_unit_period_dtype(array)
