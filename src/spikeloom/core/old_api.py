"""Objects of the first SpikeInterface (before 0.90) as ours, and ours as code for it expects them.

The old ones have one segment, traces of shape (n_channels, n_samples), and methods of other names.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.sorting import BaseSorting, BaseSortingSegment
from spikeloom.errors import ParameterError


class NewToOldRecording:
    """A recording with the methods of the first SpikeInterface."""

    def __init__(self, recording: BaseRecording) -> None:
        _require_one_segment(recording)
        self._recording = recording

    def get_traces(
        self,
        channel_ids: Iterable[Any] | None = None,
        start_frame: int | None = None,
        end_frame: int | None = None,
    ) -> NDArray[Any]:
        """Return traces of shape (n_channels, n_samples)."""
        traces = self._recording.get_traces(0, start_frame, end_frame, channel_ids=channel_ids)
        return traces.T

    def get_num_frames(self) -> int:
        """Return the number of samples of each channel."""
        return self._recording.get_num_samples(0)

    def get_num_channels(self) -> int:
        """Return the number of channels."""
        return self._recording.get_num_channels()

    def get_sampling_frequency(self) -> float:
        """Return the samples per second, in Hz."""
        return self._recording.sampling_frequency

    def get_channel_ids(self) -> list[Any]:
        """Return the ids of the channels."""
        ids: list[Any] = self._recording.channel_ids.tolist()
        return ids

    def get_channel_property(self, channel_id: Any, property: str) -> Any:
        """Return a property of one channel."""
        return self._recording.get_channel_property(channel_id, property)


class NewToOldSorting:
    """A sorting with the methods of the first SpikeInterface, whose unit ids are whole numbers."""

    def __init__(self, sorting: BaseSorting) -> None:
        _require_one_segment(sorting)
        ids = sorting.unit_ids
        numbers = ids.tolist() if ids.dtype.kind in "iu" else list(range(len(ids)))
        self._sorting = sorting
        self._id_of = dict(zip(numbers, ids.tolist(), strict=True))

    def get_unit_ids(self) -> list[int]:
        """Return the ids of the units, as whole numbers."""
        return list(self._id_of)

    def get_unit_spike_train(
        self, unit_id: int, start_frame: int | None = None, end_frame: int | None = None
    ) -> NDArray[np.int64]:
        """Return the samples of the spikes of a unit."""
        return self._sorting.get_unit_spike_train(self._id_of[unit_id], 0, start_frame, end_frame)

    def get_units_spike_train(
        self,
        unit_ids: Sequence[int] | None = None,
        start_frame: int | None = None,
        end_frame: int | None = None,
    ) -> list[NDArray[np.int64]]:
        """Return the samples of the spikes of several units."""
        wanted = self.get_unit_ids() if unit_ids is None else unit_ids
        return [self.get_unit_spike_train(k, start_frame, end_frame) for k in wanted]

    def get_sampling_frequency(self) -> float:
        """Return the samples per second, in Hz."""
        return self._sorting.sampling_frequency


@stored_as("spikeinterface.core.old_api_utils.OldToNewRecording")
class OldToNewRecording(BaseRecording):
    """A recording of the first SpikeInterface as one of ours."""

    def __init__(self, oldapi_recording_extractor: Any) -> None:
        old = oldapi_recording_extractor
        first = old.get_traces(start_frame=0, end_frame=1)
        super().__init__(old.get_sampling_frequency(), old.get_channel_ids(), first.dtype)
        self.add_recording_segment(_OldRecordingSegment(old, self.channel_ids))
        self._serializability = dict.fromkeys(self._serializability, False)
        self._kwargs = {"oldapi_recording_extractor": old}
        _copy_properties(old, self, "channel", self.channel_ids)


class _OldRecordingSegment(BaseRecordingSegment):
    def __init__(self, old: Any, channel_ids: NDArray[Any]) -> None:
        super().__init__(old.get_sampling_frequency())
        self._old = old
        self._channel_ids = channel_ids

    def get_num_samples(self) -> int:
        return int(self._old.get_num_frames())

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        chosen = slice(None) if channel_indices is None else channel_indices
        traces: NDArray[Any] = np.asarray(
            self._old.get_traces(
                channel_ids=self._channel_ids[chosen].tolist(),
                start_frame=start_frame,
                end_frame=end_frame,
            )
        )
        return traces.T


@stored_as("spikeinterface.core.old_api_utils.OldToNewSorting")
class OldToNewSorting(BaseSorting):
    """A sorting of the first SpikeInterface as one of ours."""

    def __init__(self, oldapi_sorting_extractor: Any) -> None:
        old = oldapi_sorting_extractor
        super().__init__(old.get_sampling_frequency(), old.get_unit_ids())
        self.add_sorting_segment(_OldSortingSegment(old))
        self._serializability = dict.fromkeys(self._serializability, False)
        self._kwargs = {"oldapi_sorting_extractor": old}
        _copy_properties(old, self, "unit", self.unit_ids)


class _OldSortingSegment(BaseSortingSegment):
    def __init__(self, old: Any) -> None:
        super().__init__()
        self._old = old

    def get_unit_spike_train(
        self, unit_id: Any, start_frame: int | None = None, end_frame: int | None = None
    ) -> NDArray[np.int64]:
        train = self._old.get_unit_spike_train(
            unit_id=unit_id, start_frame=start_frame, end_frame=end_frame
        )
        return np.asarray(train, np.int64)


def create_extractor_from_new_recording(new_recording: BaseRecording) -> NewToOldRecording:
    """Return a recording with the methods of the first SpikeInterface."""
    return NewToOldRecording(new_recording)


def create_extractor_from_new_sorting(new_sorting: BaseSorting) -> NewToOldSorting:
    """Return a sorting with the methods of the first SpikeInterface."""
    return NewToOldSorting(new_sorting)


def create_recording_from_old_extractor(oldapi_recording_extractor: Any) -> OldToNewRecording:
    """Return a recording of the first SpikeInterface as one of ours."""
    return OldToNewRecording(oldapi_recording_extractor)


def create_sorting_from_old_extractor(oldapi_sorting_extractor: Any) -> OldToNewSorting:
    """Return a sorting of the first SpikeInterface as one of ours."""
    return OldToNewSorting(oldapi_sorting_extractor)


def _require_one_segment(extractor: BaseRecording | BaseSorting) -> None:
    if extractor.get_num_segments() != 1:
        msg = (
            f"The first SpikeInterface knows one segment; this object has "
            f"{extractor.get_num_segments()}: select or concatenate them first."
        )
        raise ParameterError(msg)


def _copy_properties(
    old: Any, new: BaseRecording | BaseSorting, kind: str, ids: NDArray[Any]
) -> None:
    """Copy the properties that all channels or units have."""
    names_of = getattr(old, f"get_shared_{kind}_property_names", None)
    get = getattr(old, f"get_{kind}_property", None)
    if names_of is None or get is None:
        return
    for name in names_of():
        values = [get(id, name) for id in ids.tolist()]
        if name not in {"gain", "offset", "location"}:
            new.set_property(name, values)
        elif name == "location" and isinstance(new, BaseRecording):
            new.set_dummy_probe_from_locations(np.asarray(values, float))
        elif isinstance(new, BaseRecording):
            new.set_property(f"{name}_to_uV", np.asarray(values, float))
