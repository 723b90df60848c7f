"""Views of some channels of a recording, in any order, perhaps under other ids."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.matching import as_recording
from spikeloom.core.old_arguments import one_of, with_new_names
from spikeloom.core.positions import (
    as_slice,
    is_everything,
    picked_positions,
    positions_and_ids,
    renamed,
)
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment


@stored_as("spikeinterface.core.channelslice.ChannelSliceRecording")
class ChannelSliceRecording(BaseRecording):
    """Some channels of a recording; see `BaseRecording.select_channels` and `rename_channels`.

    Parameters
    ----------
    recording : BaseRecording
        The recording; also spelled ``parent_recording``.
    channel_ids : list, optional
        Its channels to show, in this order; all by default.
    renamed_channel_ids : array_like, optional
        What they are called here; as there by default.

    Raises
    ------
    ParameterError
        If a channel is unknown or named twice, or if there is not one new id for each channel.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.array([[1, 2, 3]])], 30000.0, channel_ids=["a", "b", "c"])
    >>> ChannelSliceRecording(recording, ["c", "a"]).get_traces()
    array([[3, 1]])
    """

    def __init__(
        self,
        recording: BaseRecording | None = None,
        channel_ids: Iterable[Any] | None = None,
        renamed_channel_ids: ArrayLike | None = None,
        *,
        parent_recording: BaseRecording | None = None,
    ) -> None:
        parent = as_recording(one_of(recording, parent_recording, "recording", "parent_recording"))
        positions, ids = positions_and_ids(parent, parent.channel_ids, channel_ids)
        new_ids = renamed(ids, renamed_channel_ids)
        super().__init__(parent.sampling_frequency, new_ids, parent.dtype)
        for segment in parent.segments:
            self.add_recording_segment(ChannelSliceRecordingSegment(segment, positions))
        parent.copy_metadata(self, ids=ids)
        self._parent = parent
        self._is_all = np.array_equal(positions, np.arange(parent.get_num_channels()))
        self._kwargs = {"recording": parent, "channel_ids": ids, "renamed_channel_ids": new_ids}

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Mapping[str, Any],  # noqa: ARG003 - inherited
    ) -> dict[str, Any]:
        return with_new_names(old_kwargs, parent_recording="recording")

    def is_binary_compatible(self) -> bool:
        """Return whether the traces lie in flat files: all channels do, in their order."""
        return self._is_all and self._kwargs["recording"].is_binary_compatible()

    def get_binary_description(self) -> dict[str, Any]:
        """Return file_paths, dtype, num_channels, time_axis and file_offset of flat files."""
        if not self.is_binary_compatible():
            return super().get_binary_description()
        description: dict[str, Any] = self._kwargs["recording"].get_binary_description()
        return description


class ChannelSliceRecordingSegment(BaseRecordingSegment):
    """Some channels of a segment.

    Parameters
    ----------
    segment : BaseRecordingSegment
        The segment.
    positions : ndarray of shape (n_channels,)
        Positions of the channels in it.
    """

    def __init__(self, segment: BaseRecordingSegment, positions: NDArray[np.int64]) -> None:
        super().__init__(times=segment.times)
        # A slice of a slice is one of what that is a slice of: the same is read in one step.
        self._source, self._positions = _flattened(segment, positions)
        self._all = as_slice(self._positions)

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return int(self._source.get_num_samples())

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces of shape (end_frame - start_frame, n_channels)."""
        if channel_indices is None or is_everything(channel_indices):
            picked = self._all
        else:
            picked = as_slice(picked_positions(self._positions, channel_indices))
        return self._source.get_traces(start_frame, end_frame, picked)


def _flattened(
    segment: BaseRecordingSegment, positions: NDArray[np.int64]
) -> tuple[BaseRecordingSegment, NDArray[np.int64]]:
    if type(segment) is ChannelSliceRecordingSegment:
        return segment._source, segment._positions[positions]
    return segment, positions
