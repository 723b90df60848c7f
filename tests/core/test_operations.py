import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.base import BaseExtractor
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.operations import (
    AddRecordings,
    AsTypeRecording,
    AstypeRecording,
    SubtractRecordings,
    converted,
)
from spikeloom.errors import ParameterError

TRACES = np.arange(12, dtype=np.int16).reshape(4, 3)


def recording_of(traces=TRACES, **changed):
    arguments = {"traces_list": [traces], "sampling_frequency": 10.0, "t_starts": [2.0]}
    return NumpyRecording(**{**arguments, **changed})


# -- another type --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "round", "expected"),
    [
        ("int16", None, [1, 2, 2, -2, -2]),
        ("int16", True, [1, 2, 2, -2, -2]),
        ("int16", False, [0, 1, 2, -1, -2]),
        ("float32", None, [0.75, 1.5, 2.5, -1.75, -2.5]),
        ("float32", True, [1, 2, 2, -2, -2]),
        (None, None, [0.75, 1.5, 2.5, -1.75, -2.5]),
    ],
)
def test_values_of_another_type(dtype, round, expected):
    traces = np.array([[0.75, 1.5, 2.5, -1.75, -2.5]])
    parent = recording_of(traces.copy())
    view = AsTypeRecording(parent, dtype, round)
    assert view.get_traces().tolist() == [expected]
    assert view.get_traces().dtype == view.dtype == np.dtype(dtype or "float64")
    np.testing.assert_array_equal(parent.get_traces(), traces)
    again = BaseExtractor.from_dict(view.to_dict())
    assert again.get_traces(channel_ids=[3, 0]).tolist() == [[expected[3], expected[0]]]


def test_the_same_type_is_no_copy():
    view = recording_of().astype("int16")
    assert np.shares_memory(view.get_traces(), TRACES)
    assert view.get_start_time() == 2


@given(
    st.lists(st.floats(width=32), min_size=1),
    st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]),
    st.sampled_from(["float16", "float32", "float64"]),
    st.booleans(),
)
def test_what_a_type_cannot_hold_becomes_the_nearest_that_it_can(values, dtype, source, is_rounded):
    with np.errstate(over="ignore"):
        floats = np.array(values, np.float32).astype(source)
    found = converted(floats, np.dtype(dtype), is_rounded=is_rounded)
    limits = np.iinfo(dtype)
    precision = 1 if np.dtype(source).itemsize == 8 else 2.0**-23
    for value, got in zip(floats.tolist(), found.tolist(), strict=True):
        if np.isnan(value):
            assert got == 0
        elif value >= limits.max:
            assert limits.max - limits.max * precision - 2048 <= got <= limits.max
        elif value <= limits.min:
            assert got == limits.min
        else:
            assert got == (round(value) if is_rounded else int(value))


def test_whole_numbers_wrap_as_those_of_numpy():
    view = recording_of(np.array([[300, -1]], np.int16)).astype("uint8")
    assert view.get_traces().tolist() == [[44, 255]]


def test_both_spellings():
    assert AstypeRecording is AsTypeRecording
    description = recording_of().astype("float32").to_dict()
    assert description["class"] == "spikeinterface.preprocessing.astype.AstypeRecording"
    assert description["kwargs"]["dtype"] == "<f4"


# -- sums and differences ------------------------------------------------------------------------


def test_values_are_added_and_subtracted():
    first, second = recording_of(), recording_of(TRACES * 10)
    np.testing.assert_array_equal((first + second).get_traces(), TRACES * 11)
    np.testing.assert_array_equal((second - first).get_traces(), TRACES * 9)
    part = (second - first).get_traces(start_frame=1, end_frame=3, channel_ids=[2, 0])
    np.testing.assert_array_equal(part, TRACES[1:3, [2, 0]] * 9)
    for whole in (first + second, second - first):
        assert whole.get_start_time() == 2
        again = BaseExtractor.from_dict(whole.to_dict())
        np.testing.assert_array_equal(again.get_traces(), whole.get_traces())
        assert list(whole.to_dict()["kwargs"]) == ["recording1", "recording2"]
    np.testing.assert_array_equal(first.get_traces(), TRACES)


def test_a_file_that_names_the_operator_is_read():
    description = AddRecordings(recording_of(), recording_of()).to_dict()
    assert description["class"] == "spikeinterface.core.operatorrecordings.AddRecordings"
    description["kwargs"] = {**description["kwargs"], "operator": "add"}
    np.testing.assert_array_equal(BaseExtractor.from_dict(description).get_traces(), 2 * TRACES)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"traces": TRACES[:3]}, r"number of samples \(in segment 0\) 3, .* has 4"),
        ({"traces": TRACES.astype("f4")}, "dtype float32, .* int16"),
        ({"sampling_frequency": 20.0}, "sampling frequency 20.0"),
        ({"channel_ids": [0, 2, 1]}, "channel ids"),
        ({"traces_list": [TRACES, TRACES], "t_starts": None}, "number of segments 2"),
        ({"t_starts": [3.0]}, "different times in segment 0"),
        ({"t_starts": None}, "different times in segment 0"),
    ],
)
def test_what_does_not_fit_is_refused(changed, says):
    for operation in (AddRecordings, SubtractRecordings):
        with pytest.raises(ParameterError, match=says):
            operation(recording_of(), recording_of(**changed))
    with pytest.raises(ParameterError, match="list of recordings"):
        _ = recording_of() + 1


def test_the_same_times_said_differently_are_the_same():
    first, second = recording_of(), recording_of()
    second.set_times(first.get_times())
    np.testing.assert_array_equal((first + second).get_traces(), 2 * TRACES)
    second.set_times(first.get_times() + 1)
    with pytest.raises(ParameterError, match="different times"):
        _ = first + second


def scaled(gain, offset):
    recording = recording_of()
    recording.set_channel_gains(gain)
    recording.set_channel_offsets(offset)
    return recording


def test_microvolts_are_added_and_subtracted_too():
    first, second = scaled(0.5, 10.0), scaled(0.5, 3.0)
    for whole, operation in ((first + second, np.add), (first - second, np.subtract)):
        np.testing.assert_allclose(
            whole.get_traces(return_in_uV=True),
            operation(first.get_traces(return_in_uV=True), second.get_traces(return_in_uV=True)),
        )


def test_steps_of_different_size_make_no_microvolts():
    whole = scaled(0.5, 0.0) + scaled(0.25, 0.0)
    assert not whole.has_scaleable_traces()
    assert (scaled(0.5, 0.0) + recording_of()).get_channel_gains().tolist() == [0.5] * 3


def test_what_is_known_of_the_first_is_known_of_the_result():
    first, second = recording_of(), recording_of()
    first.set_property("depth", [1, 2, 3])
    first.annotate(is_filtered=True, rat="R1")
    first.set_dummy_probe_from_locations([[0, 0], [0, 20], [0, 40]])
    whole = first - second
    assert whole.get_property("depth").tolist() == [1, 2, 3]
    assert whole.get_annotation("rat") == "R1"
    assert whole.has_probe()
    assert not whole.is_filtered()
