"""Sortings: the spikes of units, in one or several segments."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.base import BaseSegment
from spikeloom.core.recording import BaseRecording
from spikeloom.core.spike_vector import cut_train
from spikeloom.core.times import RegularTimes, Times
from spikeloom.core.unit_spikes import UnitSpikes
from spikeloom.errors import ParameterError


class BaseSortingSegment(BaseSegment):
    """A contiguous piece of a sorting; subclasses return the spikes of a unit in it.

    Parameters
    ----------
    t_start : float, optional
        Time of sample 0 in seconds; 0 if nobody says.
    """

    def __init__(self, t_start: float | None = None) -> None:
        super().__init__()
        self._t_start = None if t_start is None else float(t_start)
        self.shift_s = 0.0
        """By how much somebody made this segment later."""

    def get_unit_spike_train(
        self, unit_id: Any, start_frame: int | None = None, end_frame: int | None = None
    ) -> NDArray[np.int64]:
        """Return the samples of the spikes of a unit from `start_frame` to before `end_frame`."""
        raise NotImplementedError


class TableSortingSegment(BaseSortingSegment):
    """A segment of a sorting that knows all its spikes at once."""

    def __init__(self, sorting: "BaseSorting", segment_index: int, t_start: float | None) -> None:
        super().__init__(t_start)
        self.set_parent_extractor(sorting)
        self._segment_index = segment_index

    def get_unit_spike_train(
        self, unit_id: Any, start_frame: int | None = None, end_frame: int | None = None
    ) -> NDArray[np.int64]:
        """Return the samples of the spikes of a unit from `start_frame` to before `end_frame`."""
        sorting = self.parent_extractor
        if not isinstance(sorting, BaseSorting):
            msg = "This segment belongs to no sorting any more; keep the sorting as long as it."
            raise ParameterError(msg)
        return sorting.get_unit_spike_train(unit_id, self._segment_index, start_frame, end_frame)


class BaseSorting(UnitSpikes):
    """The spikes of units.

    All spikes are kept once, in the order of their samples, and once more by unit when a unit's
    spikes are asked for; both are built by one pass over the spikes.

    Parameters
    ----------
    sampling_frequency : float
        In Hz.
    unit_ids : array_like of shape (n_units,)
        Whole numbers or strings.
    """

    def __init__(self, sampling_frequency: float, unit_ids: ArrayLike) -> None:
        super().__init__(sampling_frequency, unit_ids)
        self._recording: BaseRecording | None = None

    def add_sorting_segment(self, sorting_segment: BaseSortingSegment) -> None:
        """Append a segment."""
        self.add_segment(sorting_segment)
        self._forget_spikes()

    def get_unit_spike_train(
        self,
        unit_id: Any,
        segment_index: int | None = None,
        start_frame: int | None = None,
        end_frame: int | None = None,
        return_times: bool = False,
        use_cache: bool = True,
    ) -> NDArray[Any]:
        """Return the spikes of a unit.

        Parameters
        ----------
        unit_id : int or str
            The unit.
        segment_index : int, optional
            Needed if there are several segments.
        start_frame, end_frame : int, optional
            First sample, and the one after the last; all by default.
        return_times : bool, default False
            Return seconds rather than samples.
        use_cache : bool, default True
            Gather the spikes of all units at the first call, which makes all others immediate.

        Returns
        -------
        ndarray of shape (n_spikes,) and dtype int64, or float64 for times
            Increasing. Samples are a view: not to be written to.

        Raises
        ------
        ParameterError
            If the unit or the segment is unknown.
        """
        segment_index = self._check_segment_index(segment_index)
        unit_index = self.id_to_index(unit_id)
        segment = self._segments[segment_index]
        has_all = self._cached_trains is not None or isinstance(segment, TableSortingSegment)
        if use_cache or has_all:
            samples = self._trains().train(unit_index, segment_index, start_frame, end_frame)
        else:
            every = segment.get_unit_spike_train(unit_id, None, None)
            first, last = cut_train(every, start_frame, end_frame)
            samples = np.asarray(every[first:last], np.int64)
        if not return_times:
            return samples
        times_s: NDArray[np.float64] = self.sample_index_to_time(samples, segment_index)
        return times_s

    def get_unit_spike_train_in_seconds(
        self,
        unit_id: Any,
        segment_index: int | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
        use_cache: bool = True,
    ) -> NDArray[np.float64]:
        """Return the times of the spikes of a unit from `start_time` to `end_time`, both included.

        Times are those of the registered recording, else those of the file, else samples over the
        sampling frequency.
        """
        segment_index = self._check_segment_index(segment_index)
        segment = self._segments[segment_index]
        native = getattr(segment, "get_unit_spike_train_in_seconds", None)
        if native is not None and not self.has_recording():
            self.id_to_index(unit_id)
            times_s: NDArray[np.float64] = np.asarray(native(unit_id, None, None))
            times_s = times_s + segment.shift_s
        else:
            times_s = self.get_unit_spike_train(
                unit_id, segment_index, return_times=True, use_cache=use_cache
            )
        first = 0 if start_time is None else int(np.searchsorted(times_s, start_time))
        last = len(times_s) if end_time is None else np.searchsorted(times_s, end_time, "right")
        return times_s[first:last]

    # -- time and recording ------------------------------------------------------------------

    def register_recording(self, recording: BaseRecording, check_spike_frames: bool = True) -> None:
        """Say which recording was sorted: its times become those of the spikes.

        Parameters
        ----------
        recording : BaseRecording
            With as many segments and the same sampling frequency.
        check_spike_frames : bool, default True
            Warn if spikes lie behind the end of the recording.

        Raises
        ------
        ParameterError
            If the recording does not fit.
        """
        ours, theirs = self.sampling_frequency, recording.sampling_frequency
        if abs(ours - theirs) > 0.1:
            msg = f"The recording has a sampling frequency of {theirs} Hz, the sorting {ours} Hz."
            raise ParameterError(msg)
        if self.get_num_segments() != recording.get_num_segments():
            msg = (
                f"The recording has {recording.get_num_segments()} segments, the sorting "
                f"{self.get_num_segments()}."
            )
            raise ParameterError(msg)
        if check_spike_frames and self._has_spikes_outside(recording):
            message = (
                "Some spikes exceed the recording's duration! Removing these excess spikes with "
                "remove_excess_spikes(sorting, recording) might be needed for what follows."
            )
            warnings.warn(message, UserWarning, stacklevel=2)
        self._recording = recording
        for segment, sorted_segment in zip(self._segments, recording.segments, strict=True):
            segment._t_start = sorted_segment.get_start_time()
            segment.shift_s = 0.0

    def _has_spikes_outside(self, recording: BaseRecording) -> bool:
        table = self.spike_table()
        for k in range(self.get_num_segments()):
            samples = table.sample_index[table.segment_slice(k)]
            if samples.size and not 0 <= samples[0] <= samples[-1] < recording.get_num_samples(k):
                return True
        return False

    def has_recording(self) -> bool:
        """Return whether a recording is registered."""
        return self._recording is not None

    def _registered(self) -> BaseRecording:
        if self._recording is None:
            msg = "This needs the recording that was sorted: call register_recording(recording)."
            raise ParameterError(msg)
        return self._recording

    def get_num_samples(self, segment_index: int | None = None) -> int:
        """Return the samples of a segment of the registered recording."""
        return self._registered().get_num_samples(self._check_segment_index(segment_index))

    def get_total_samples(self) -> int:
        """Return the samples of all segments of the registered recording."""
        return self._registered().get_total_samples()

    def get_total_duration(self) -> float:
        """Return how long all segments of the registered recording are together, in seconds."""
        return self._registered().get_total_duration()

    def _times(self, segment_index: int) -> Times:
        segment = self._segments[segment_index]
        if self._recording is None:
            times: Times = RegularTimes(self._sampling_frequency, segment._t_start)
        else:
            times = self._recording.segments[segment_index].times
        return times.shifted(segment.shift_s) if segment.shift_s else times

    def has_time_vector(self, segment_index: int | None = None) -> bool:
        """Return whether a segment of the registered recording has a time for each sample."""
        segment_index = self._check_segment_index(segment_index)
        return self._recording is not None and self._recording.has_time_vector(segment_index)

    def get_times(
        self,
        segment_index: int | None = None,
        start_frame: int | None = None,
        end_frame: int | None = None,
    ) -> NDArray[np.float64] | None:
        """Return the times of the samples of the registered recording, None without one."""
        segment_index = self._check_segment_index(segment_index)
        if self._recording is None:
            return None
        shift_s: float = self._segments[segment_index].shift_s
        times_s = self._recording.get_times(segment_index, start_frame, end_frame)
        return times_s + shift_s if shift_s else times_s

    def get_start_time(self, segment_index: int | None = None) -> float:
        """Return the time of sample 0 of a segment in seconds."""
        return float(self._times(self._check_segment_index(segment_index)).of_frames(0))

    def get_segment_t_starts(self) -> list[float | None] | None:
        """Return the start times of the segments where known, None if none is."""
        starts = [
            None if segment._t_start is None and not segment.shift_s else self.get_start_time(k)
            for k, segment in enumerate(self._segments)
        ]
        return None if all(start is None for start in starts) else starts

    def get_end_time(self, segment_index: int | None = None) -> float:
        """Return the time of the last sample of the recording, else of the last spike."""
        segment_index = self._check_segment_index(segment_index)
        if self._recording is not None:
            shift_s: float = self._segments[segment_index].shift_s
            return self._recording.get_end_time(segment_index) + shift_s
        return float(self._times(segment_index).of_frames(self.get_last_spike_frame(segment_index)))

    def shift_times(self, shift: float, segment_index: int | None = None) -> None:
        """Make a segment (by default all) later by `shift` seconds; the recording stays."""
        chosen = range(self.get_num_segments())
        for k in chosen if segment_index is None else [self._check_segment_index(segment_index)]:
            self._segments[k].shift_s += float(shift)

    def sample_index_to_time(self, sample_ind: ArrayLike, segment_index: int | None = None) -> Any:
        """Return the time of samples (one or many) in seconds."""
        return self._times(self._check_segment_index(segment_index)).of_frames(sample_ind)[()]

    def time_to_sample_index(self, time: ArrayLike, segment_index: int | None = 0) -> Any:
        """Return the sample at a time (one or many) in seconds."""
        return self._times(self._check_segment_index(segment_index)).frames_at(time)[()]

    @property
    def sorting_info(self) -> Any:
        """How it was sorted, as `set_sorting_info` said; None if nobody did."""
        return self.get_annotation("__sorting_info__")

    def set_sorting_info(
        self, recording_dict: dict[str, Any], params_dict: dict[str, Any], log_dict: dict[str, Any]
    ) -> None:
        """Remember of what recording, with what parameters and with what log it was sorted."""
        info = {"recording": recording_dict, "params": params_dict, "log": log_dict}
        self.annotate(__sorting_info__=info)

    # -- views -------------------------------------------------------------------------------

    def select_units(
        self, unit_ids: Iterable[Any], renamed_unit_ids: ArrayLike | None = None
    ) -> Any:
        """Return a view of some units, in the order given, perhaps with other ids.

        Raises
        ------
        ParameterError
            If a unit is unknown or there twice.
        """
        from spikeloom.core.unit_selection import UnitsSelectionSorting  # noqa: PLC0415

        return UnitsSelectionSorting(self, unit_ids=unit_ids, renamed_unit_ids=renamed_unit_ids)

    def rename_units(self, new_unit_ids: ArrayLike) -> Any:
        """Return a view whose units have other ids."""
        return self.select_units(self.unit_ids, renamed_unit_ids=new_unit_ids)

    def remove_units(self, remove_unit_ids: Iterable[Any]) -> Any:
        """Return a view without some units; raises ParameterError if one of them is unknown."""
        is_kept = np.ones(self.get_num_units(), bool)
        is_kept[self.ids_to_indices(remove_unit_ids)] = False
        return self.select_units(self.unit_ids[is_kept])

    def remove_empty_units(self) -> Any:
        """Return a view without the units that have no spikes."""
        return self.select_units(self.get_non_empty_unit_ids())

    def frame_slice(
        self, start_frame: int | None, end_frame: int | None, check_spike_frames: bool = True
    ) -> Any:
        """Return the spikes from `start_frame` to before `end_frame`, counted from the start."""
        from spikeloom.core.sorting_slices import FrameSliceSorting  # noqa: PLC0415

        return FrameSliceSorting(
            self,
            start_frame=start_frame,
            end_frame=end_frame,
            check_spike_frames=check_spike_frames,
        )

    def time_slice(self, start_time: float | None, end_time: float | None) -> Any:
        """Return the spikes from `start_time` to before `end_time`, in seconds."""
        from spikeloom.core.sorting_slices import sorting_time_slice  # noqa: PLC0415

        return sorting_time_slice(self, start_time, end_time)

    def select_periods(self, periods: NDArray[np.void]) -> Any:
        """Return the spikes that lie in periods, of all units or of those that they name."""
        from spikeloom.core.sorting_slices import select_sorting_periods  # noqa: PLC0415

        return select_sorting_periods(self, periods)

    def select_segments(self, segment_indices: int | Iterable[int]) -> Any:
        """Return a view of some segments."""
        from spikeloom.core.sorting_segments import select_segment_sorting  # noqa: PLC0415

        return select_segment_sorting(self, segment_indices)

    def split_by(self, property: str = "group", outputs: Literal["dict", "list"] = "dict") -> Any:
        """Split into one sorting for each value of a property; see the same of recordings."""
        values = self.get_property(property)
        if values is None or outputs not in {"dict", "list"}:
            msg = (
                f"The property {property!r} is not set, or outputs={outputs!r} is neither 'dict' "
                f"nor 'list'. Known: {', '.join(self.get_property_keys()) or 'none'}."
            )
            raise ParameterError(msg)
        parts = {}
        for value in np.unique(values):
            part = self.select_units(self.unit_ids[values == value])
            part.annotate(split_by_property=property)
            parts[value.item() if hasattr(value, "item") else value] = part
        return parts if outputs == "dict" else list(parts.values())

    # -- conversions -------------------------------------------------------------------------

    def to_numpy_sorting(self, propagate_cache: bool = True) -> Any:
        """Return a copy in memory, with properties and annotations."""
        from spikeloom.core.numpy_sorting import NumpySorting  # noqa: PLC0415

        return NumpySorting.from_sorting(self, with_metadata=True, propagate_cache=propagate_cache)

    def to_shared_memory_sorting(self) -> Any:
        """Return a copy in memory that other processes can use without copying it."""
        from spikeloom.core.shared_memory import SharedMemorySorting  # noqa: PLC0415

        return SharedMemorySorting.from_sorting(self, with_metadata=True)

    def to_multiprocessing(self, n_jobs: int) -> Any:
        """Return a copy fit for so many processes: in shared memory if there are several."""
        return self.to_numpy_sorting() if n_jobs == 1 else self.to_shared_memory_sorting()

    def copy_time_info(self, other: Self) -> None:
        """Give `other`, which has the same segments, the times of this sorting."""
        for ours, theirs in zip(self._segments, other.segments, strict=True):
            theirs._t_start, theirs.shift_s = ours._t_start, ours.shift_s
        if self._recording is not None and other._recording is None:
            other._recording = self._recording

    def clone(self) -> Self:
        """Return a sorting like this one, with all annotations and properties, and its times."""
        clone = super().clone()
        self.copy_time_info(clone)
        return clone

    def _extra_metadata_to_dict(self, description: dict[str, Any]) -> None:
        starts = [segment._t_start for segment in self._segments]
        if any(start is not None for start in starts):
            description["t_starts"] = starts
        shifts = [segment.shift_s for segment in self._segments]
        if any(shifts):
            description["time_shifts"] = shifts

    def _extra_metadata_from_dict(self, description: Mapping[str, Any]) -> None:
        starts = description.get("t_starts") or ()
        for segment, start in zip(self._segments, starts, strict=False):
            segment._t_start = None if start is None else float(start)
        shifts = description.get("time_shifts") or ()
        for segment, shift_s in zip(self._segments, shifts, strict=False):
            segment.shift_s = float(shift_s)
