"""Snippets: short pieces of traces around threshold crossings, as some systems record them.

A snippet is `snippet_len` samples of all channels. Its frame is the sample of the recording at
which it was triggered, which is its sample `nbefore` if snippets are aligned.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.base import BaseSegment
from spikeloom.core.ids import Indices
from spikeloom.core.recording_snippets import BaseRecordingSnippets
from spikeloom.errors import ParameterError


class BaseSnippetsSegment(BaseSegment):
    """A contiguous piece of a recording of which only snippets are kept; subclasses read them."""

    def get_num_snippets(self) -> int:
        """Return the number of snippets."""
        raise NotImplementedError

    def get_frames(self, indices: Any = None) -> NDArray[np.int64]:
        """Return the frames of snippets: all of them, or those at `indices`."""
        raise NotImplementedError

    def get_snippets(self, indices: Any = None, channel_indices: Any = None) -> NDArray[Any]:
        """Return snippets of shape (n_snippets, snippet_len, n_channels).

        `indices` and `channel_indices` are slices, arrays of whole numbers, or None for all.
        """
        raise NotImplementedError

    def frames_to_indices(
        self, start_frame: int | None = None, end_frame: int | None = None
    ) -> Indices:
        """Return the positions of the snippets from `start_frame` to before `end_frame`."""
        frames = self.get_frames()
        if np.all(frames[1:] >= frames[:-1]):
            first = 0 if start_frame is None else int(np.searchsorted(frames, start_frame))
            end = len(frames) if end_frame is None else int(np.searchsorted(frames, end_frame))
            return slice(first, max(first, end))
        is_in = np.ones(len(frames), bool)
        if start_frame is not None:
            is_in &= frames >= start_frame
        if end_frame is not None:
            is_in &= frames < end_frame
        return np.flatnonzero(is_in)


def pick(snippets: NDArray[Any], indices: Any, channel_indices: Any) -> NDArray[Any]:
    """Return some snippets on some channels; both are slices, arrays or None for all."""
    picked = snippets if indices is None else snippets[indices]
    # One axis after the other: numpy pairs two lists off.
    return picked if channel_indices is None else picked[:, :, channel_indices]


class BaseSnippets(BaseRecordingSnippets):
    """Snippets of channels, in one or several segments.

    Parameters
    ----------
    sampling_frequency : float
        In Hz.
    nbefore : int or None
        Sample of a snippet that its frame belongs to; None if snippets are not aligned.
    snippet_len : int
        Samples of a snippet.
    channel_ids : array_like of shape (n_channels,)
        Whole numbers or strings.
    dtype : dtype
        Of the snippets.

    Raises
    ------
    ParameterError
        If `nbefore` does not lie within a snippet.
    """

    _main_properties: ClassVar[list[str]] = ["group", "gain_to_uV", "offset_to_uV"]

    def __init__(
        self,
        sampling_frequency: float,
        nbefore: int | None,
        snippet_len: int,
        channel_ids: ArrayLike,
        dtype: DTypeLike,
    ) -> None:
        super().__init__(sampling_frequency, channel_ids, dtype)
        if nbefore is not None and not 0 <= nbefore <= snippet_len:
            msg = (
                f"nbefore must be from 0 to the {snippet_len} samples of a snippet; got {nbefore}."
            )
            raise ParameterError(msg)
        self._nbefore = None if nbefore is None else int(nbefore)
        self._snippet_len = int(snippet_len)

    @property
    def nbefore(self) -> int | None:
        """Samples of a snippet before its frame, None if snippets are not aligned."""
        return self._nbefore

    @property
    def nafter(self) -> int | None:
        """Samples of a snippet from its frame on, None if snippets are not aligned."""
        return None if self._nbefore is None else self._snippet_len - self._nbefore

    @property
    def snippet_len(self) -> int:
        """Samples of a snippet."""
        return self._snippet_len

    def is_aligned(self) -> bool:
        """Return whether it is known which sample of a snippet its frame belongs to."""
        return self._nbefore is not None

    def add_snippets_segment(self, snippets_segment: BaseSnippetsSegment) -> None:
        """Append a segment."""
        self.add_segment(snippets_segment)

    # -- how many there are ------------------------------------------------------------------

    def get_num_snippets(self, segment_index: int | None = None) -> int:
        """Return the number of snippets of a segment."""
        return int(self._segments[self._check_segment_index(segment_index)].get_num_snippets())

    def get_total_snippets(self) -> int:
        """Return the number of snippets of all segments."""
        return sum(self.get_num_snippets(k) for k in range(self.get_num_segments()))

    # -- snippets ----------------------------------------------------------------------------

    def get_frames(
        self, indices: Any = None, segment_index: int | None = None
    ) -> NDArray[np.int64]:
        """Return the samples of the recording that snippets were triggered at.

        Parameters
        ----------
        indices : slice or array_like of int or bool, optional
            Which snippets; all by default.
        segment_index : int, optional
            Needed if there are several segments.

        Returns
        -------
        ndarray of shape (n_snippets,) and dtype int64

        Raises
        ------
        ParameterError
            If there are no such snippets, or if the segment is unknown.
        """
        segment = self._segments[self._check_segment_index(segment_index)]
        frames = segment.get_frames(checked_indices(indices, segment.get_num_snippets()))
        return np.asarray(frames, np.int64)

    def get_times(
        self, indices: Any = None, segment_index: int | None = None
    ) -> NDArray[np.float64]:
        """Return frames in seconds from the start of the segment; arguments as in `get_frames`."""
        times_s: NDArray[np.float64]
        times_s = self.get_frames(indices, segment_index) / self.sampling_frequency
        return times_s

    def get_snippets(
        self,
        indices: Any = None,
        segment_index: int | None = None,
        channel_ids: Iterable[Any] | None = None,
        return_in_uV: bool = False,
        *,
        return_scaled: bool | None = None,
    ) -> NDArray[Any]:
        """Return snippets.

        Parameters
        ----------
        indices : slice or array_like of int or bool, optional
            Which snippets; all by default.
        segment_index : int, optional
            Needed if there are several segments.
        channel_ids : list, optional
            Channels in this order; all by default.
        return_in_uV : bool, default False
            Return microvolts (float32) rather than what is in the file.
        return_scaled : bool, optional
            The same, as it was spelled before.

        Returns
        -------
        ndarray of shape (n_snippets, snippet_len, n_channels)
            Possibly a view of the file: not to be written to.

        Raises
        ------
        ParameterError
            If there are no such snippets, if a channel or the segment is unknown, or if
            microvolts are asked for and gains are not known.

        Examples
        --------
        >>> from spikeloom.core.numpy_snippets import NumpySnippets
        >>> snippets = NumpySnippets(
        ...     np.arange(12).reshape(2, 3, 2), np.array([10, 50]), 30000.0, channel_ids=["a", "b"]
        ... )
        >>> snippets.get_snippets([1], channel_ids=["b"])
        array([[[ 7], [ 9], [11]]])
        """
        segment = self._segments[self._check_segment_index(segment_index)]
        channel_indices = self.ids_to_indices(channel_ids, prefer_slice=True)
        snippets: NDArray[Any] = segment.get_snippets(
            checked_indices(indices, segment.get_num_snippets()), channel_indices
        )
        if return_in_uV if return_scaled is None else return_scaled:
            snippets = self._in_uV(snippets, channel_indices)
        return snippets

    def get_snippets_from_frames(
        self,
        segment_index: int | None = None,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_ids: Iterable[Any] | None = None,
        return_in_uV: bool = False,
        *,
        return_scaled: bool | None = None,
    ) -> NDArray[Any]:
        """Return the snippets whose frames are in a stretch of a segment.

        Parameters
        ----------
        segment_index : int, optional
            Needed if there are several segments.
        start_frame, end_frame : int, optional
            First frame, and the one after the last; all by default.
        channel_ids, return_in_uV, return_scaled
            As in `get_snippets`, like the result.
        """
        segment_index = self._check_segment_index(segment_index)
        return self.get_snippets(
            self._segments[segment_index].frames_to_indices(start_frame, end_frame),
            segment_index,
            channel_ids,
            return_in_uV,
            return_scaled=return_scaled,
        )

    # -- views -------------------------------------------------------------------------------

    def select_channels(self, channel_ids: Iterable[Any]) -> Any:
        """Return a view of some channels, in the order given."""
        from spikeloom.core.snippet_views import ChannelSliceSnippets  # noqa: PLC0415

        return ChannelSliceSnippets(self, channel_ids=channel_ids)

    def rename_channels(self, new_channel_ids: ArrayLike) -> Any:
        """Return a view whose channels have other ids; raises ParameterError for a wrong number."""
        from spikeloom.core.snippet_views import ChannelSliceSnippets  # noqa: PLC0415

        return ChannelSliceSnippets(self, renamed_channel_ids=new_channel_ids)

    def select_segments(self, segment_indices: int | Iterable[int]) -> Any:
        """Return a view of some segments."""
        from spikeloom.core.snippet_views import SelectSegmentSnippets  # noqa: PLC0415

        return SelectSegmentSnippets(self, segment_indices=segment_indices)


def checked_indices(indices: Any, n_snippets: int) -> Any:
    """Return positions of snippets as a slice, an array of whole numbers, or None for all.

    Raises
    ------
    ParameterError
        If they are a single number, no whole numbers, or outside of what there is.
    """
    if indices is None or isinstance(indices, slice):
        return indices
    array = np.asarray(indices)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iub":
        msg = (
            "indices must be a slice or a list of whole numbers or truth values; got "
            f"{array.dtype} of shape {array.shape}. Write [{indices}] for a single one."
        )
        raise ParameterError(msg)
    if array.dtype.kind == "b":
        if len(array) != n_snippets:
            msg = (
                f"A truth value is needed for each of the {n_snippets} snippets; got {len(array)}."
            )
            raise ParameterError(msg)
        return np.flatnonzero(array)
    if array.size and not -n_snippets <= array.min() <= array.max() < n_snippets:
        msg = (
            f"indices reach from {array.min()} to {array.max()}, but there are {n_snippets} "
            "snippets in this segment, counted from 0."
        )
        raise ParameterError(msg)
    return array


def as_segment_arrays(arrays: ArrayLike | Sequence[ArrayLike], n_dimensions: int) -> list[Any]:
    """Return one array for each segment, where a single array is that of the only one."""
    if isinstance(arrays, np.ndarray) and arrays.ndim == n_dimensions and arrays.dtype != object:
        return [arrays]
    return [np.asarray(array) for array in arrays]  # type: ignore[union-attr]
