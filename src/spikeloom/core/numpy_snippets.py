"""Snippets of arrays in memory."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.snippets import BaseSnippets, BaseSnippetsSegment, as_segment_arrays, pick
from spikeloom.errors import ParameterError


@stored_as("spikeinterface.core.numpyextractors.NumpySnippets")
class NumpySnippets(BaseSnippets):
    """Snippets of arrays in memory, which are used as they are.

    Parameters
    ----------
    snippets_list : ndarray or list of ndarray, each of shape (n_snippets, snippet_len, n_channels)
        Snippets of each segment, all of the same type, length and number of channels.
    spikesframes_list : ndarray or list of ndarray, each of shape (n_snippets,)
        Sample of the recording that each snippet belongs to.
    sampling_frequency : float
        In Hz.
    nbefore : int, optional
        Sample of a snippet that its frame belongs to; None if snippets are not aligned.
    channel_ids : array_like of shape (n_channels,), optional
        0, 1, 2, … by default.

    Raises
    ------
    ParameterError
        If the arrays do not go together.

    Examples
    --------
    >>> snippets = NumpySnippets(np.zeros((3, 32, 4)), np.array([50, 90, 200]), 30000.0, nbefore=10)
    >>> snippets.get_num_snippets(), snippets.snippet_len, snippets.nafter
    (3, 32, 22)
    >>> snippets.get_frames(indices=[0, 2])
    array([ 50, 200])
    """

    def __init__(
        self,
        snippets_list: ArrayLike | Sequence[ArrayLike],
        spikesframes_list: ArrayLike | Sequence[ArrayLike],
        sampling_frequency: float,
        nbefore: int | None = None,
        channel_ids: ArrayLike | None = None,
    ) -> None:
        arrays, frames = _checked(snippets_list, spikesframes_list)
        n_channels = arrays[0].shape[2]
        ids = np.arange(n_channels) if channel_ids is None else np.asarray(channel_ids)
        if len(ids) != n_channels:
            msg = f"{len(ids)} channel ids do not fit snippets of {n_channels} channels."
            raise ParameterError(msg)
        super().__init__(sampling_frequency, nbefore, arrays[0].shape[1], ids, arrays[0].dtype)
        self._serializability.update(json=False, pickle=False)
        for snippets, frames_of_segment in zip(arrays, frames, strict=True):
            self.add_snippets_segment(NumpySnippetsSegment(snippets, frames_of_segment))
        self._kwargs = {
            "snippets_list": arrays,
            "spikesframes_list": frames,
            "nbefore": nbefore,
            "sampling_frequency": self.sampling_frequency,
            "channel_ids": self.channel_ids,
        }

    @classmethod
    def from_snippets(cls, snippets: BaseSnippets, dtype: DTypeLike | None = None) -> Self:
        """Read all snippets of another object into memory, with its metadata."""
        segments = range(snippets.get_num_segments())
        dtype = snippets.dtype if dtype is None else dtype
        empty = np.zeros((0, snippets.snippet_len, snippets.get_num_channels()), dtype)
        copied = cls(
            [np.array(snippets.get_snippets(segment_index=k), dtype) for k in segments] or [empty],
            [snippets.get_frames(segment_index=k).copy() for k in segments]
            or [np.zeros(0, np.int64)],
            snippets.sampling_frequency,
            nbefore=snippets.nbefore,
            channel_ids=snippets.channel_ids,
        )
        snippets.copy_metadata(copied)
        return copied


class NumpySnippetsSegment(BaseSnippetsSegment):
    """A segment of snippets in memory.

    Parameters
    ----------
    snippets : ndarray of shape (n_snippets, snippet_len, n_channels)
        The snippets.
    spikesframes : ndarray of shape (n_snippets,) and dtype int64
        Their frames.
    """

    def __init__(self, snippets: NDArray[Any], spikesframes: NDArray[np.int64]) -> None:
        super().__init__()
        self._snippets = snippets
        self._frames = spikesframes

    def get_num_snippets(self) -> int:
        """Return the number of snippets."""
        return len(self._frames)

    def get_frames(self, indices: Any = None) -> NDArray[np.int64]:
        """Return the frames of snippets: all of them, or those at `indices`."""
        return self._frames if indices is None else self._frames[indices]

    def get_snippets(self, indices: Any = None, channel_indices: Any = None) -> NDArray[Any]:
        """Return snippets of shape (n_snippets, snippet_len, n_channels)."""
        return pick(self._snippets, indices, channel_indices)


def _checked(
    snippets_list: ArrayLike | Sequence[ArrayLike],
    spikesframes_list: ArrayLike | Sequence[ArrayLike],
) -> tuple[list[NDArray[Any]], list[NDArray[np.int64]]]:
    arrays = as_segment_arrays(snippets_list, 3)
    frames = as_segment_arrays(spikesframes_list, 1)
    if not arrays or any(array.ndim != 3 for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays) or "none"
        msg = (
            "Snippets must be a list of arrays of shape (n_snippets, snippet_len, n_channels); "
            f"got {shapes}."
        )
        raise ParameterError(msg)
    if len({(*array.shape[1:], array.dtype) for array in arrays}) > 1:
        kinds = ", ".join(f"{array.shape[1:]} of {array.dtype}" for array in arrays)
        msg = f"Snippets of all segments need the same shape and type; got {kinds}."
        raise ParameterError(msg)
    counts = [len(array) for array in arrays]
    if [frame.shape for frame in frames] != [(n,) for n in counts]:
        msg = (
            f"A frame is needed for each snippet: there are {counts} snippets by segment, and "
            f"frames of shapes {[frame.shape for frame in frames]}."
        )
        raise ParameterError(msg)
    return arrays, [as_frames(frame) for frame in frames]


def as_frames(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return samples as whole numbers.

    Raises
    ------
    ParameterError
        If some are not whole.
    """
    frames = values.astype(np.int64, copy=False)
    if values.dtype.kind not in "iu" and not np.array_equal(frames, values):
        msg = "Frames are samples of the recording, so whole numbers; multiply seconds by Hz."
        raise ParameterError(msg)
    return frames
