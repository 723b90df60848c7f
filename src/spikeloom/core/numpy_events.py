"""Events of arrays in memory."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core import provenance
from spikeloom.core.class_names import stored_as
from spikeloom.core.events import BaseEvent, BaseEventSegment, between
from spikeloom.errors import ParameterError

EventDict = Mapping[Any, ArrayLike]
"""Events of a segment by channel id."""


@stored_as("spikeinterface.core.numpyextractors.NumpyEvent")
class NumpyEvent(BaseEvent):
    """Events of arrays in memory; better made with `from_dict`.

    Parameters
    ----------
    channel_ids : array_like of shape (n_channels,)
        Whole numbers or strings.
    structured_dtype : dtype or dict
        Type of the events; see `BaseEvent`.
    event_dict_list : list of dict, optional
        Events of each segment by channel id. A channel that is left out has none there.
    """

    def __init__(
        self,
        channel_ids: ArrayLike,
        structured_dtype: DTypeLike | Mapping[Any, DTypeLike],
        event_dict_list: Iterable[EventDict] = (),
    ) -> None:
        super().__init__(channel_ids, structured_dtype)
        self._serializability.update(json=False, pickle=False)
        self._kwargs = {
            "channel_ids": self.channel_ids,
            "structured_dtype": self.structured_dtype,
            "event_dict_list": [],
        }
        for events in event_dict_list:
            self.add_event_segment(NumpyEventSegment(self._complete(events)))

    def add_event_segment(self, event_segment: BaseEventSegment) -> None:
        """Append a segment, a `NumpyEventSegment`."""
        super().add_event_segment(event_segment)
        if isinstance(event_segment, NumpyEventSegment):
            self._kwargs["event_dict_list"].append(event_segment.events)

    def _complete(self, events: EventDict) -> dict[Any, NDArray[Any]]:
        """Return the events of all channels, each as an array of its type."""
        unknown = [channel_id for channel_id in events if channel_id not in self.structured_dtype]
        if unknown:
            msg = f"A segment has events of the unknown channels {unknown}."
            raise ParameterError(msg)
        return {
            channel_id: _as_events(events.get(channel_id, ()), channel_id).astype(dtype, copy=False)
            if channel_id in events
            else np.zeros(0, dtype)
            for channel_id, dtype in self.structured_dtype.items()
        }

    @classmethod
    def from_event(cls, event: BaseEvent) -> "NumpyEvent":
        """Read all events of another object into memory, with its metadata."""
        copied = cls(
            event.channel_ids,
            event.structured_dtype,
            [
                {
                    channel_id: np.array(event.get_events(channel_id, k))
                    for channel_id in event.channel_ids.tolist()
                }
                for k in range(event.get_num_segments())
            ],
        )
        event.copy_metadata(copied)
        return copied

    @staticmethod
    def from_dict(
        event_dict_list: EventDict | Sequence[EventDict], base_folder: Any = None
    ) -> "NumpyEvent":
        """Make events of dictionaries.

        Parameters
        ----------
        event_dict_list : dict or list of dict
            Events of each segment by channel id: structured arrays with a field ``time`` or
            ``timestamp`` in seconds, or plain times. A channel that a segment leaves out has no
            events in it. A dictionary that `to_dict` made is taken, too.
        base_folder : str or Path, optional
            See `BaseExtractor.from_dict`.

        Raises
        ------
        ParameterError
            If there are no dictionaries, if a value is not a list of events, or if the events of
            a channel are of types that do not go together.

        Examples
        --------
        >>> event = NumpyEvent.from_dict({"stim": np.array([0.5, 1.5]), "lick": [0.7]})
        >>> event.channel_ids
        array(['stim', 'lick'], dtype='<U4')
        >>> event.get_event_times("stim", start_time=1.0)
        array([1.5])
        """
        if provenance.is_extractor_dict(event_dict_list):
            made: NumpyEvent = BaseEvent.from_dict(event_dict_list, base_folder)
            return made
        listed = [event_dict_list] if isinstance(event_dict_list, Mapping) else event_dict_list
        if not listed or not all(isinstance(events, Mapping) for events in listed):
            msg = "A dictionary of events by channel is needed, or a list of one for each segment."
            raise ParameterError(msg)
        dtypes: dict[Any, np.dtype[Any]] = {}
        for events in listed:
            for channel_id, values in events.items():
                found = _as_events(values, channel_id).dtype
                dtypes[channel_id] = _common_dtype(dtypes.get(channel_id, found), found, channel_id)
        return NumpyEvent(list(dtypes), dtypes, listed)


class NumpyEventSegment(BaseEventSegment):
    """A segment of events in memory.

    Parameters
    ----------
    event_dict : dict
        An array of events by channel id.
    """

    def __init__(self, event_dict: Mapping[Any, NDArray[Any]]) -> None:
        super().__init__()
        self.events = event_dict
        """Events by channel id."""

    def get_events(
        self, channel_id: Any, start_time: float | None, end_time: float | None
    ) -> NDArray[Any]:
        """Return the events of a channel from `start_time` to `end_time`, both included."""
        return between(np.asarray(self.events[channel_id]), start_time, end_time)


def _as_events(values: ArrayLike, channel_id: object) -> NDArray[Any]:
    array = np.asarray(values)
    if array.size == 0 and array.dtype.names is None:
        array = array.astype(np.float64).reshape(-1)
    if array.ndim != 1:
        msg = f"The events of {channel_id!r} must be a list; got an array of shape {array.shape}."
        raise ParameterError(msg)
    return array


def _common_dtype(known: np.dtype[Any], found: np.dtype[Any], channel_id: object) -> np.dtype[Any]:
    """Return the type that holds the events of two segments, whose labels may be longer."""
    if known == found:
        return known
    try:
        return np.promote_types(known, found)
    except TypeError as error:
        msg = f"The events of {channel_id!r} are {known} in one segment and {found} in another."
        raise ParameterError(msg) from error
