"""The channels of several recordings of the same length, side by side."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core import probes, provenance, times as clock
from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices, as_ids
from spikeloom.core.matching import as_recordings, check_equal
from spikeloom.core.old_arguments import one_of, with_new_names
from spikeloom.core.positions import as_slice, picked_positions
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.times import Times
from spikeloom.errors import ParameterError

Recordings = Sequence[BaseRecording] | Mapping[Any, BaseRecording]

_NUMBERS = frozenset("biuf")


@stored_as("spikeinterface.core.channelsaggregationrecording.ChannelsAggregationRecording")
class ChannelsAggregationRecording(BaseRecording):
    """The channels of several recordings as one; see `aggregate_channels`."""

    _main_properties: ClassVar[list[str]] = [*BaseRecording._main_properties, "aggregation_key"]

    def __init__(
        self,
        recording_list_or_dict: Recordings | None = None,
        renamed_channel_ids: ArrayLike | None = None,
        *,
        recording_list: Recordings | None = None,
    ) -> None:
        given = one_of(
            recording_list_or_dict, recording_list, "recording_list_or_dict", "recording_list"
        )
        recordings = as_recordings(given.values() if isinstance(given, Mapping) else given)
        keys = list(given) if isinstance(given, Mapping) else list(range(len(recordings)))
        _check_alike(recordings, keys)
        ids = _joined_ids(recordings, renamed_channel_ids)
        super().__init__(recordings[0].sampling_frequency, ids, recordings[0].dtype)
        self._recordings = recordings
        for properties in (_joined_properties(recordings), _key_property(recordings, keys)):
            self._properties.update(properties)
        annotations = provenance.shared_annotations([one._annotations for one in recordings])
        self._annotations.update(annotations)
        self._probegroup = _joined_probegroup(recordings)
        for segments in zip(*(one.segments for one in recordings), strict=True):
            self.add_recording_segment(
                ChannelsAggregationRecordingSegment(
                    segments,
                    [one.get_num_channels() for one in recordings],
                    self.dtype,
                    _common_times(segments, keys),
                )
            )
        # A list: keys of a dictionary that are no strings would not survive a file of JSON. They
        # are in the property.
        self._kwargs = {
            "recording_list_or_dict": recordings,
            "renamed_channel_ids": None if renamed_channel_ids is None else ids,
        }

    @property
    def recordings(self) -> list[BaseRecording]:
        """The recordings, in order."""
        return self._recordings

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Mapping[str, Any],  # noqa: ARG003 - inherited
    ) -> dict[str, Any]:
        return with_new_names(old_kwargs, recording_list="recording_list_or_dict")


class ChannelsAggregationRecordingSegment(BaseRecordingSegment):
    """The channels of several segments of the same length, side by side.

    Parameters
    ----------
    segments : list of BaseRecordingSegment
        The segments.
    n_channels : list of int
        Number of channels of each.
    dtype : dtype
        Of their traces.
    times : Times
        Times of the result.
    """

    def __init__(
        self,
        segments: Sequence[BaseRecordingSegment],
        n_channels: Sequence[int],
        dtype: np.dtype[Any],
        times: Times,
    ) -> None:
        super().__init__(times=times)
        self._sources = list(segments)
        self._edges = np.concatenate(([0], np.cumsum(n_channels))).astype(np.int64)
        self._dtype = dtype

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return int(self._sources[0].get_num_samples())

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Read the channels asked for, from each recording once, in the order asked for."""
        start = 0 if start_frame is None else start_frame
        end = self.get_num_samples() if end_frame is None else end_frame
        wanted = picked_positions(np.arange(self._edges[-1]), channel_indices)
        source_of = np.searchsorted(self._edges, wanted, side="right") - 1
        sources = np.unique(source_of)
        if sources.size == 1:
            k = int(sources[0])
            return self._sources[k].get_traces(start, end, as_slice(wanted - self._edges[k]))
        traces = np.empty((end - start, wanted.size), self._dtype)
        for k in sources:
            columns = np.flatnonzero(source_of == k)
            part = as_slice(wanted[columns] - self._edges[k])
            traces[:, as_slice(columns)] = self._sources[k].get_traces(start, end, part)
        return traces


def aggregate_channels(
    recording_list_or_dict: Recordings | None = None,
    renamed_channel_ids: ArrayLike | None = None,
    *,
    recording_list: Recordings | None = None,
) -> ChannelsAggregationRecording:
    """Return the channels of several recordings as those of one.

    Parameters
    ----------
    recording_list_or_dict : list or dict of BaseRecording
        Recordings with the same sampling frequency, type and length. Where each channel comes from
        is told by the property ``aggregation_key``: the key of the dictionary, or the position in
        the list. Also spelled ``recording_list``.
    renamed_channel_ids : array_like of shape (n_channels,), optional
        New ids. By default the ids stay if they are of one kind and no id is there twice; else they
        are "0", "1", "2", …

    Returns
    -------
    ChannelsAggregationRecording
        With the properties that all recordings have, the annotations in which they agree, and
        their probes, each recording's of its own. Times are those of the first recording for which
        times were set.

    Raises
    ------
    ParameterError
        If recordings do not fit each other, if only some have probes, or if the number of new ids
        is wrong.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> first = NumpyRecording([np.array([[1, 2]])], 30000.0, channel_ids=["a", "b"])
    >>> second = NumpyRecording([np.array([[3]])], 30000.0, channel_ids=["c"])
    >>> both = aggregate_channels({"left": first, "right": second})
    >>> both.get_traces(channel_ids=["c", "a"])
    array([[3, 1]])
    >>> both.get_property("aggregation_key")
    array(['left', 'left', 'right'], dtype='<U5')
    """
    return ChannelsAggregationRecording(
        recording_list_or_dict, renamed_channel_ids, recording_list=recording_list
    )


def _check_alike(recordings: Sequence[BaseRecording], keys: Sequence[Any]) -> None:
    check_equal("sampling frequency", [one.sampling_frequency for one in recordings], keys)
    check_equal("dtype", [one.dtype for one in recordings], keys)
    check_equal("number of segments", [one.get_num_segments() for one in recordings], keys)
    for k in range(recordings[0].get_num_segments()):
        n_samples = [one.get_num_samples(k) for one in recordings]
        check_equal(f"number of samples (in segment {k})", n_samples, keys)


def _joined_ids(recordings: Sequence[BaseRecording], new_ids: ArrayLike | None) -> NDArray[Any]:
    n_channels = sum(one.get_num_channels() for one in recordings)
    if new_ids is not None:
        ids = as_ids(new_ids, "channel id")
        if ids.size != n_channels:
            msg = f"One new id is needed for each of the {n_channels} channels; got {ids.size}."
            raise ParameterError(msg)
        return ids
    # Through lists: numpy makes floats of signed and unsigned numbers together.
    listed = list(chain.from_iterable(one.channel_ids.tolist() for one in recordings))
    kinds = {"i" if one.channel_ids.dtype.kind in "iu" else "U" for one in recordings}
    if len(kinds) == 1 and len(set(listed)) == n_channels:
        return np.array(listed) if listed else recordings[0].channel_ids
    return np.array([str(k) for k in range(n_channels)])


def _key_property(
    recordings: Sequence[BaseRecording], keys: Sequence[Any]
) -> dict[str, NDArray[Any]]:
    counts = [one.get_num_channels() for one in recordings]
    values = np.array(keys) if len({type(key) for key in keys}) == 1 else np.zeros((0, 0))
    if values.ndim != 1:  # keys of several kinds, or tuples
        values = np.empty(len(keys), object)
        values[:] = keys
    return {"aggregation_key": np.repeat(values, counts)}


def _joined_properties(recordings: Sequence[BaseRecording]) -> dict[str, NDArray[Any]]:
    """Return the properties that all recordings have, in kinds and shapes that fit together."""
    joined = {}
    for key in recordings[0].get_property_keys():
        known = [v for one in recordings if (v := one._properties.get(key)) is not None]
        if len(known) == len(recordings) and _fit(known):
            joined[key] = np.concatenate(known)
    return joined


def _fit(arrays: Sequence[NDArray[Any]]) -> bool:
    kinds = {array.dtype.kind for array in arrays}
    is_structured = "V" in kinds and len({array.dtype for array in arrays}) > 1
    is_one_kind = len(kinds) == 1 or kinds <= _NUMBERS
    return len({array.shape[1:] for array in arrays}) == 1 and is_one_kind and not is_structured


def _joined_probegroup(recordings: Sequence[BaseRecording]) -> Any:
    with_channels = [one for one in recordings if one.get_num_channels()]
    with_probe = [one for one in with_channels if one.has_probe()]
    if not with_probe:
        return None
    if len(with_probe) < len(with_channels):
        msg = (
            f"{len(with_probe)} of {len(with_channels)} recordings have probes, the others have "
            "not. Set probes for all with set_probe(...), or take them away with remove_probe()."
        )
        raise ParameterError(msg)
    return probes.concatenated([one.get_probegroup() for one in with_probe])


def _common_times(segments: Iterable[BaseRecordingSegment], keys: Sequence[Any]) -> Times:
    """Return the times of the first segment whose times were set; warn if others differ."""
    named = list(zip(keys, segments, strict=True))
    are_set = [(key, segment) for key, segment in named if clock.is_set(segment.times)]
    (first_key, first), *others = are_set or named[:1]
    n_samples = first.get_num_samples()
    for key, segment in others:
        if not clock.are_same(segment.times, first.times, n_samples):
            warnings.warn(
                f"The times of recording {key!r} differ from those of recording {first_key!r}, "
                "which are used for all channels.",
                stacklevel=4,
            )
    return first.times
