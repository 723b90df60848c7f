"""What readers of events share: arrays with time, duration and label of each event."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.events import BaseEvent
from spikeloom.core.numpy_events import NumpyEventSegment


class ListedEvents(BaseEvent):
    """Events whose file was read into memory: an array for each channel of each segment.

    Parameters
    ----------
    segments : list of dict
        Events by channel; all channels are in all segments. Fields ``time`` and ``duration`` in
        seconds, ``label``, and perhaps others.
    """

    def __init__(self, segments: Sequence[Mapping[str, NDArray[Any]]]) -> None:
        ids = list(segments[0]) if segments else []
        dtypes = {id_: event_dtype(*(one[id_] for one in segments)) for id_ in ids}
        super().__init__(np.array(ids, np.str_), dtypes)
        for one in segments:
            self.add_event_segment(
                NumpyEventSegment({id_: one[id_].astype(dtypes[id_]) for id_ in ids})
            )


def described_events(
    times_s: NDArray[np.float64],
    durations_s: NDArray[np.float64] | None,
    labels: NDArray[Any] | str,
    others: Mapping[str, NDArray[Any]] | None = None,
) -> NDArray[Any]:
    """Return events as an array in the order of time.

    Parameters
    ----------
    times_s : ndarray of shape (n_events,)
        When each begins.
    durations_s : ndarray of shape (n_events,), optional
        How long each lasts; 0 by default.
    labels : ndarray of shape (n_events,), or str
        Names, or that of all.
    others : mapping of str to ndarray of shape (n_events,), optional
        Further fields.

    Examples
    --------
    >>> described_events(np.array([2.0, 1.0]), None, "pulse")["time"]
    array([1., 2.])
    """
    names = np.full(len(times_s), labels) if isinstance(labels, str) else labels.astype(np.str_)
    further = dict(others or {})
    width = max(1, names.dtype.itemsize // 4)
    fields = [("time", "f8"), ("duration", "f8"), ("label", f"<U{width}")]
    described = [(name, values.dtype, values.shape[1:]) for name, values in further.items()]
    events = np.zeros(len(times_s), np.dtype([*fields, *described]))
    events["time"] = times_s
    events["duration"] = 0.0 if durations_s is None else durations_s
    events["label"] = names
    for name, values in further.items():
        events[name] = values
    return events[np.argsort(events["time"], kind="stable")]


def event_dtype(*arrays: NDArray[Any]) -> np.dtype[Any]:
    """Return the type that holds the events of all segments, whose labels may differ in length."""
    found = arrays[0].dtype
    for one in arrays[1:]:
        found = np.promote_types(found, one.dtype)
    return found


def pulses(
    samples: NDArray[np.int64], is_on: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where pulses of one line begin and end, of its edges in order of time.

    An end without a beginning is left out; the end of a pulse that does not end is -1.

    Examples
    --------
    >>> pulses(np.array([3, 5, 9, 12]), np.array([False, True, False, True]))
    (array([ 5, 12]), array([ 9, -1]))
    """
    begins = np.flatnonzero(is_on)
    ends = np.full(begins.size, -1, np.int64)
    has_next = begins + 1 < is_on.size
    following = begins[has_next] + 1
    ends[has_next] = np.where(is_on[following], -1, samples[following])
    return samples[begins], ends
