"""Views of snippets: some channels, or some segments."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.base import segment_list
from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.positions import as_slice, picked_positions, positions_and_ids, renamed
from spikeloom.core.snippets import BaseSnippets, BaseSnippetsSegment


@stored_as("spikeinterface.core.channelslice.ChannelSliceSnippets")
class ChannelSliceSnippets(BaseSnippets):
    """A view of some channels of snippets, in any order, perhaps with other ids.

    Parameters
    ----------
    parent_snippets : BaseSnippets
        The snippets.
    channel_ids : list, optional
        Channels of the view; all by default.
    renamed_channel_ids : list, optional
        Their ids in the view; the same by default.

    Raises
    ------
    ParameterError
        If a channel is unknown or there twice, or if the number of new ids is wrong.
    """

    def __init__(
        self,
        parent_snippets: BaseSnippets,
        channel_ids: Iterable[Any] | None = None,
        renamed_channel_ids: ArrayLike | None = None,
    ) -> None:
        positions, ids = positions_and_ids(
            parent_snippets, parent_snippets.channel_ids, channel_ids
        )
        new_ids = renamed(ids, renamed_channel_ids)
        super().__init__(
            parent_snippets.sampling_frequency,
            parent_snippets.nbefore,
            parent_snippets.snippet_len,
            new_ids,
            parent_snippets.dtype,
        )
        for segment in parent_snippets.segments:
            self.add_snippets_segment(ParentSnippetsSegment(segment, positions))
        parent_snippets.copy_metadata(self, ids=ids)
        self._parent = parent_snippets
        self._kwargs = {
            "parent_snippets": parent_snippets,
            "channel_ids": ids,
            "renamed_channel_ids": new_ids,
        }


@stored_as("spikeinterface.core.segmentutils.SelectSegmentSnippets")
class SelectSegmentSnippets(BaseSnippets):
    """A view of some segments of snippets.

    Parameters
    ----------
    parent_snippets : BaseSnippets
        The snippets.
    segment_indices : int or list of int
        The segments, in this order.

    Raises
    ------
    ParameterError
        If there is no such segment.
    """

    def __init__(self, parent_snippets: BaseSnippets, segment_indices: int | Iterable[int]) -> None:
        super().__init__(
            parent_snippets.sampling_frequency,
            parent_snippets.nbefore,
            parent_snippets.snippet_len,
            parent_snippets.channel_ids,
            parent_snippets.dtype,
        )
        indices = (
            list(segment_indices) if isinstance(segment_indices, Iterable) else [segment_indices]
        )
        for segment in segment_list(parent_snippets, indices):
            self.add_snippets_segment(ParentSnippetsSegment(segment))
        parent_snippets.copy_metadata(self)
        self._parent = parent_snippets
        self._kwargs = {
            "parent_snippets": parent_snippets,
            "segment_indices": [int(k) for k in indices],
        }


class ParentSnippetsSegment(BaseSnippetsSegment):
    """Some channels of a segment of another object (all of them for None)."""

    def __init__(
        self,
        parent_segment: BaseSnippetsSegment,
        parent_channels: NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__()
        self._parent_segment = parent_segment
        self._parent_channels = parent_channels

    def get_num_snippets(self) -> int:
        """Return the number of snippets."""
        return self._parent_segment.get_num_snippets()

    def get_frames(self, indices: Any = None) -> NDArray[np.int64]:
        """Return the frames of snippets: all of them, or those at `indices`."""
        return self._parent_segment.get_frames(indices)

    def get_snippets(self, indices: Any = None, channel_indices: Any = None) -> NDArray[Any]:
        """Return snippets of shape (n_snippets, snippet_len, n_channels)."""
        if self._parent_channels is not None:
            channel_indices = as_slice(picked_positions(self._parent_channels, channel_indices))
        return self._parent_segment.get_snippets(indices, channel_indices)

    def frames_to_indices(
        self, start_frame: int | None = None, end_frame: int | None = None
    ) -> Indices:
        """Return the positions of the snippets from `start_frame` to before `end_frame`."""
        return self._parent_segment.frames_to_indices(start_frame, end_frame)
