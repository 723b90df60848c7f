import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.events import BaseEvent, SelectSegmentEvent
from spikeloom.core.numpy_events import NumpyEvent, NumpyEventSegment
from spikeloom.errors import ParameterError

EPOCH = np.dtype([("time", "<f8"), ("duration", "<f8"), ("label", "<U10")])


def make_event():
    """Return events of two segments on two channels, one with epochs."""
    epochs = np.array([(1.0, 0.1, "left"), (2.0, 0.2, "right"), (3.5, 0.3, "left")], EPOCH)
    event = NumpyEvent.from_dict([
        {"epochs": epochs, "pulses": [0.0, 1.0, 2.5, 4.0]},
        {"epochs": epochs[:1], "pulses": []},
    ])
    event.set_property("line", ["ai0", "di3"])
    event.annotate(session="a")
    return event


def test_events_are_returned_in_their_own_type():
    event = make_event()
    assert event.channel_ids.tolist() == ["epochs", "pulses"]
    assert event.get_num_channels() == 2
    assert event.get_num_segments() == 2
    assert event.get_dtype("epochs") == EPOCH
    assert event.get_events(channel_id="epochs", segment_index=0)["label"].tolist() == [
        *("left", "right", "left")
    ]
    assert event.get_event_times("epochs", 0).tolist() == [1.0, 2.0, 3.5]
    assert event.get_event_times("pulses", 1).tolist() == []


@pytest.mark.parametrize("channel_id", ["epochs", "pulses"])
@pytest.mark.parametrize(
    ("start", "end"), [(1.0, 2.5), (None, 1.0), (3.5, None), (1.1, 1.2), (2.0, 2.0), (0.0, 99.0)]
)
def test_both_ends_of_a_window_are_included(channel_id, start, end):
    event = make_event()
    every = event.get_event_times(channel_id, 0)
    expected = [
        t for t in every.tolist() if (start is None or t >= start) and (end is None or t <= end)
    ]
    found = event.get_events(channel_id, 0, start_time=start, end_time=end)
    assert found.dtype == event.get_dtype(channel_id)
    assert event.get_event_times(channel_id, 0, start, end).tolist() == expected
    assert len(found) == len(expected)


@given(
    st.lists(st.floats(-100, 100), max_size=30),
    st.none() | st.floats(-100, 100),
    st.none() | st.floats(-100, 100),
)
def test_a_window_equals_a_loop_even_if_events_are_out_of_order(times_s, start, end):
    event = NumpyEvent.from_dict({7: np.array(times_s)})
    if start is not None and end is not None and start > end:
        with pytest.raises(ParameterError, match="behind"):
            event.get_events(7, start_time=start, end_time=end)
        return
    expected = [t for t in times_s if (start is None or t >= start) and (end is None or t <= end)]
    assert event.get_events(7, start_time=start, end_time=end).tolist() == expected


def test_the_only_channel_and_segment_need_not_be_named():
    event = NumpyEvent.from_dict({"stim": np.array([1, 2, 3])})
    assert event.get_events().tolist() == [1, 2, 3]
    assert event.get_event_times(start_time=2).tolist() == [2.0, 3.0]
    assert event.get_dtype() == np.int64


def test_what_is_missing_or_unknown_is_said():
    event = make_event()
    with pytest.raises(ParameterError, match="give channel_id, one of 'epochs', 'pulses'"):
        event.get_events(segment_index=0)
    with pytest.raises(ParameterError, match="Provide 'segment_index'"):
        event.get_events("epochs")
    with pytest.raises(ValueError, match="Unknown event channel id: 'epoch'"):
        event.get_events("epoch", segment_index=0)
    with pytest.raises(ParameterError, match="no segment 2"):
        event.get_event_times("epochs", 2)


def test_a_timestamp_is_a_time_and_fields_without_one_are_refused():
    stamped = np.array([(0.5, 3)], [("timestamp", "f8"), ("code", "i4")])
    assert NumpyEvent.from_dict({0: stamped}).get_event_times(0).tolist() == [0.5]
    with pytest.raises(ParameterError, match="'time' or 'timestamp'"):
        NumpyEvent.from_dict({0: np.array([(0.5,)], [("when", "f8")])})
    with pytest.raises(ParameterError, match="so numbers"):
        NumpyEvent.from_dict({0: ["0.5"]})
    with pytest.raises(ParameterError, match="shape"):
        NumpyEvent.from_dict({0: np.zeros((2, 2))})
    with pytest.raises(ParameterError, match="dictionary of events"):
        NumpyEvent.from_dict([])
    with pytest.raises(ParameterError, match="in one segment and"):
        NumpyEvent.from_dict([{0: stamped}, {0: np.array([(1.0,)], [("time", "f8")])}])


def test_labels_of_all_segments_fit_and_a_channel_may_be_silent_in_one():
    short = np.array([(1.0, "a")], [("time", "f8"), ("label", "U1")])
    long = np.array([(2.0, "abc")], [("time", "f8"), ("label", "U3")])
    event = NumpyEvent.from_dict([{"x": short}, {"x": long, "y": [3.0]}])
    assert event.get_dtype("x")["label"] == np.dtype("U3")
    assert event.get_events("x", 0).dtype == event.get_events("x", 1).dtype
    assert event.get_events("x", 1)["label"].tolist() == ["abc"]
    assert event.get_event_times("y", 0).size == 0


def test_a_type_is_needed_for_each_channel():
    assert BaseEvent(["a", "b"], EPOCH).get_dtype("b") == EPOCH
    with pytest.raises(ParameterError, match="nothing of channel 'b'"):
        BaseEvent(["a", "b"], {"a": EPOCH})
    with pytest.raises(ParameterError, match=r"unknown channels \['c'\]"):
        NumpyEvent(["a"], "f8", [{"c": [1.0]}])


@pytest.mark.parametrize("copy", ["clone", "pickle", "memory", "dict"])
def test_copies_have_events_and_metadata(copy):
    event = make_event()
    event.add_event_segment(NumpyEventSegment({"epochs": np.zeros(0, EPOCH), "pulses": [9.0]}))
    made = {
        "clone": event.clone,
        "pickle": lambda: pickle.loads(pickle.dumps(event)),
        "memory": lambda: event.save(format="memory"),
        "dict": lambda: NumpyEvent.from_dict(
            event.to_dict(include_annotations=True, include_properties=True)
        ),
    }[copy]()
    assert isinstance(made, NumpyEvent)
    assert made.get_num_segments() == 3
    for k in range(3):
        for channel_id in event.channel_ids:
            np.testing.assert_array_equal(
                made.get_events(channel_id, k), event.get_events(channel_id, k)
            )
    assert made.get_property("line").tolist() == ["ai0", "di3"]
    assert made.get_annotation("session") == "a"
    assert not made.check_if_json_serializable()


def test_segments_are_views_in_the_order_given():
    event = make_event()
    second = event.select_segment(np.int64(1))
    assert isinstance(second, SelectSegmentEvent)
    assert second.get_event_times("epochs").tolist() == [1.0]
    assert second.get_parent() is event
    assert second.get_property("line").tolist() == ["ai0", "di3"]
    swapped = event.select_segments([1, 0])
    assert swapped.get_event_times("pulses", 1).tolist() == [0.0, 1.0, 2.5, 4.0]
    assert swapped.clone().get_event_times("pulses", 1, start_time=2).tolist() == [2.5, 4.0]
    assert event.segments[1].parent_extractor is event
    with pytest.raises(ParameterError, match="no segment 5"):
        event.select_segment(5)
