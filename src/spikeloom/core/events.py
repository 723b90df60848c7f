"""Events: when something happened beside the recording, such as pulses and stimuli.

Each channel has events of a structured type with a field ``time`` (or ``timestamp``) in seconds,
and perhaps ``duration``, ``label`` and others; or of plain numbers, which are the times.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.base import BaseExtractor, BaseSegment, segment_list
from spikeloom.core.class_names import stored_as
from spikeloom.errors import ParameterError

_TIME_FIELDS = ("time", "timestamp")


def times_of(events: NDArray[Any]) -> NDArray[Any]:
    """Return the times of events in seconds.

    Examples
    --------
    >>> times_of(np.array([(1.5, "on")], [("time", "f8"), ("label", "U2")]))
    array([1.5])
    """
    names = events.dtype.names
    return events if names is None else events[next(n for n in _TIME_FIELDS if n in names)]


def are_events(events: NDArray[Any]) -> bool:
    """Return whether an array holds times, or records with a field of times, all of them finite."""
    names = events.dtype.names
    if names is not None and not set(names) & set(_TIME_FIELDS):
        return False
    times_s = times_of(events)
    is_list = times_s.dtype.kind in "iuf" and times_s.shape == events.shape
    return is_list and bool(np.isfinite(times_s).all())


def between(events: NDArray[Any], start_time: float | None, end_time: float | None) -> NDArray[Any]:
    """Return the events from `start_time` to `end_time` in seconds, both included.

    An event that lasts counts where it begins. Without bounds, `events` itself is returned.

    Raises
    ------
    ParameterError
        If the start is behind the end.
    """
    if start_time is None and end_time is None:
        return events
    low = -np.inf if start_time is None else start_time
    high = np.inf if end_time is None else end_time
    if low > high:
        msg = f"start_time={start_time} is behind end_time={end_time}."
        raise ParameterError(msg)
    times_s = times_of(events)
    picked: NDArray[Any] = events[(times_s >= low) & (times_s <= high)]
    return picked


class BaseEventSegment(BaseSegment):
    """A contiguous piece of events; subclasses return the events of a channel in it."""

    def get_events(
        self, channel_id: Any, start_time: float | None, end_time: float | None
    ) -> NDArray[Any]:
        """Return the events of a channel from `start_time` to `end_time`, both included."""
        raise NotImplementedError

    def get_event_times(
        self, channel_id: Any, start_time: float | None, end_time: float | None
    ) -> NDArray[Any]:
        """Return the times of these events in seconds."""
        return times_of(self.get_events(channel_id, start_time, end_time))


class BaseEvent(BaseExtractor):
    """Events on channels.

    Parameters
    ----------
    channel_ids : array_like of shape (n_channels,)
        Whole numbers or strings.
    structured_dtype : dtype or dict
        Type of the events of all channels, or a dictionary by channel id. One with fields needs
        ``time`` or ``timestamp`` among them.

    Raises
    ------
    ParameterError
        If a type has no such field, or if a channel has no type.
    """

    _id_kind: ClassVar[str] = "event channel id"

    def __init__(
        self, channel_ids: ArrayLike, structured_dtype: DTypeLike | Mapping[Any, DTypeLike]
    ) -> None:
        super().__init__(channel_ids)
        self.structured_dtype: dict[Any, np.dtype[Any]] = {}
        """Type of the events of each channel, by its id."""
        ids = self._main_ids.tolist()
        dtypes: Mapping[Any, Any] = dict.fromkeys(ids, structured_dtype)
        if isinstance(structured_dtype, Mapping):
            dtypes = cast("Mapping[Any, Any]", structured_dtype)
        for channel_id in ids:
            if channel_id not in dtypes:
                msg = f"structured_dtype says nothing of channel {channel_id!r}."
                raise ParameterError(msg)
            self.structured_dtype[channel_id] = _checked_dtype(dtypes[channel_id])

    @property
    def channel_ids(self) -> NDArray[Any]:
        """Ids of the channels; shape (n_channels,)."""
        return self._main_ids

    def get_num_channels(self) -> int:
        """Return the number of channels."""
        return len(self._main_ids)

    def get_dtype(self, channel_id: Any = None) -> np.dtype[Any]:
        """Return the type of the events of a channel (of the only one by default)."""
        return self.structured_dtype[self._check_channel_id(channel_id)]

    def add_event_segment(self, event_segment: BaseEventSegment) -> None:
        """Append a segment."""
        self.add_segment(event_segment)

    def _check_channel_id(self, channel_id: Any) -> Any:
        """Return the id of a channel as the dictionaries of segments have it."""
        if channel_id is None:
            if self.get_num_channels() != 1:
                known = ", ".join(map(repr, self._main_ids.tolist())) or "none"
                msg = (
                    f"There are {self.get_num_channels()} event channels: give channel_id, one of "
                    f"{known}."
                )
                raise ParameterError(msg)
            return self._main_ids[0].item()
        return self._main_ids[self.id_to_index(channel_id)].item()

    def get_events(
        self,
        channel_id: Any = None,
        segment_index: int | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
    ) -> NDArray[Any]:
        """Return the events of a channel.

        Parameters
        ----------
        channel_id : int or str, optional
            The channel; needed if there are several.
        segment_index : int, optional
            Needed if there are several segments.
        start_time, end_time : float, optional
            First and last time in seconds, both included; all events by default. An event that
            lasts counts where it begins.

        Returns
        -------
        ndarray of shape (n_events,) and the dtype of `get_dtype`

        Raises
        ------
        ParameterError
            If the channel or segment is unknown, or missing where there are several; if the
            start is behind the end.

        Examples
        --------
        >>> from spikeloom.core.numpy_events import NumpyEvent
        >>> events = NumpyEvent.from_dict({"pulses": [0.5, 1.0, 2.5]})
        >>> events.get_events("pulses", start_time=1.0, end_time=2.5)
        array([1. , 2.5])
        """
        segment = self._segments[self._check_segment_index(segment_index)]
        events: NDArray[Any] = segment.get_events(
            self._check_channel_id(channel_id), start_time, end_time
        )
        return events

    def get_event_times(
        self,
        channel_id: Any = None,
        segment_index: int | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
    ) -> NDArray[np.float64]:
        """Return the times of the events of a channel in seconds; arguments as in `get_events`."""
        segment = self._segments[self._check_segment_index(segment_index)]
        times_s = segment.get_event_times(self._check_channel_id(channel_id), start_time, end_time)
        return np.asarray(times_s, np.float64)

    def select_segment(self, segment_indices: int | Iterable[int]) -> "SelectSegmentEvent":
        """Return a view of one or some segments."""
        return SelectSegmentEvent(self, segment_indices)

    def select_segments(self, segment_indices: int | Iterable[int]) -> "SelectSegmentEvent":
        """Return a view of some segments, as other objects spell it."""
        return SelectSegmentEvent(self, segment_indices)


def _checked_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    checked = np.dtype(dtype)
    if checked.names is not None and not set(_TIME_FIELDS) & set(checked.names):
        msg = (
            f"Events need a field 'time' or 'timestamp', in seconds; got the fields "
            f"{', '.join(checked.names)}."
        )
        raise ParameterError(msg)
    if checked.names is None and checked.kind not in "iuf":
        msg = f"Events without fields are times in seconds, so numbers; got {checked}."
        raise ParameterError(msg)
    return checked


@stored_as("spikeinterface.core.segmentutils.SelectSegmentEvent")
class SelectSegmentEvent(BaseEvent):
    """A view of some segments of events.

    Parameters
    ----------
    event : BaseEvent
        The events.
    segment_indices : int or list of int
        The segments, in this order.
    """

    def __init__(self, event: BaseEvent, segment_indices: int | Iterable[int]) -> None:
        super().__init__(event.channel_ids, event.structured_dtype)
        indices = (
            list(segment_indices) if isinstance(segment_indices, Iterable) else [segment_indices]
        )
        for segment in segment_list(event, indices):
            self.add_event_segment(ParentEventSegment(segment))
        event.copy_metadata(self)
        self._parent = event
        self._kwargs = {"event": event, "segment_indices": [int(k) for k in indices]}


class ParentEventSegment(BaseEventSegment):
    """A segment that is one of another object."""

    def __init__(self, parent_segment: BaseEventSegment) -> None:
        super().__init__()
        self._parent_segment = parent_segment

    def get_events(
        self, channel_id: Any, start_time: float | None, end_time: float | None
    ) -> NDArray[Any]:
        """Return the events of a channel from `start_time` to `end_time`, both included."""
        return self._parent_segment.get_events(channel_id, start_time, end_time)

    def get_event_times(
        self, channel_id: Any, start_time: float | None, end_time: float | None
    ) -> NDArray[Any]:
        """Return the times of these events in seconds."""
        return self._parent_segment.get_event_times(channel_id, start_time, end_time)
