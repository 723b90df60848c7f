import numpy as np
import pytest

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.properties import missing_values
from spikeloom.errors import ParameterError, UnknownNameError


@pytest.fixture
def recording():
    return NumpyRecording([np.zeros((3, 4), np.int16)], 10.0, channel_ids=list("abcd"))


def test_values_come_back_for_all_ids_and_for_some(recording):
    recording.set_property("depth", [1.0, 2.0, 3.0, 4.0])
    assert recording.get_property("depth").tolist() == [1, 2, 3, 4]
    assert recording.get_property("depth", ids=["d", "a"]).tolist() == [4, 1]
    assert recording.get_property("none") is None
    assert recording.get_channel_property("b", "depth") == 2
    assert recording.get_channel_property("b", "none") is None
    recording.set_property("depth", None)
    assert "depth" not in recording.get_property_keys()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5], [np.nan, 1.5, np.nan, np.nan]),
        (["x"], ["", "x", "", ""]),
        ([b"x"], [b"", b"x", b"", b""]),
    ],
)
def test_what_is_not_named_is_missing(recording, values, expected):
    recording.set_property("new", values, ids=["b"])
    np.testing.assert_array_equal(recording.get_property("new"), expected)


@pytest.mark.parametrize("values", [[1], [True], np.array([1], np.uint8)])
def test_whole_numbers_have_no_natural_missing_value(recording, values):
    with pytest.raises(ParameterError, match="natural missing value"):
        recording.set_property("new", values, ids=["b"])
    missing = np.asarray(values).dtype.type(0)
    recording.set_property("new", values, ids=["b"], missing_value=missing)
    assert recording.get_property("new").tolist() == [0, 1, 0, 0]


def test_a_missing_value_is_of_the_kind_of_the_values(recording):
    with pytest.raises(ParameterError, match="not of the kind"):
        recording.set_property("new", [1], ids=["b"], missing_value="none")
    with pytest.raises(ParameterError, match="not of the kind"):
        recording.set_property("new", np.array([1], np.uint8), ids=["b"], missing_value=-1)
    recording.set_property("new", np.array([1], np.uint8), ids=["b"], missing_value=7)
    assert recording.get_property("new").tolist() == [7, 1, 7, 7]
    assert recording.get_property("new").dtype == np.uint8


def test_values_of_some_ids_are_replaced_and_strings_grow(recording):
    recording.set_property("area", ["CA1"] * 4)
    before = recording.get_property("area")
    recording.set_property("area", ["subiculum", "DG"], ids=["d", "b"])
    assert recording.get_property("area").tolist() == ["CA1", "DG", "CA1", "subiculum"]
    assert before.tolist() == ["CA1"] * 4  # what someone may hold stays as it was


def test_naming_all_ids_replaces_everything_even_the_kind(recording):
    recording.set_property("p", [1, 2, 3, 4])
    recording.set_property("p", ["w", "x", "y", "z"], ids=["d", "c", "b", "a"])
    assert recording.get_property("p").tolist() == ["z", "y", "x", "w"]


def test_lists_of_different_lengths_are_values(recording):
    recording.set_property("lists", [[1], [1, 2], [], [3]])
    assert recording.get_property("lists").dtype == object
    assert recording.get_property("lists", ids=["b"])[0] == [1, 2]


def test_what_does_not_fit_is_refused(recording):
    recording.set_property("p", [1, 2, 3, 4])
    recording.set_property("wide", np.zeros((4, 2)))
    with pytest.raises(ParameterError, match="one value for each of the 4 ids; got 3"):
        recording.set_property("q", [1, 2, 3])
    with pytest.raises(ParameterError, match="a single value"):
        recording.set_property("q", 1)
    with pytest.raises(ParameterError, match="got 1 values for 2 ids"):
        recording.set_property("q", [1], ids=["a", "b"])
    with pytest.raises(ParameterError, match="more than once"):
        recording.set_property("q", [1, 2], ids=["a", "a"])
    with pytest.raises(ParameterError, match=r"holds int\d+; got float"):
        recording.set_property("p", [1.5], ids=["a"])
    with pytest.raises(ParameterError, match="shape"):
        recording.set_property("wide", [1.5], ids=["a"])
    with pytest.raises(ParameterError, match="Unknown channel id"):
        recording.set_property("q", [1.0], ids=["z"])
    assert recording.get_property_keys() == ["p", "wide"]


def test_deleting_needs_the_right_name(recording):
    recording.set_property("p", [1, 2, 3, 4])
    with pytest.raises(UnknownNameError, match=r"There is no property 'q'\. Known: p"):
        recording.delete_property("q")
    recording.delete_property("p")
    assert recording.get_property_keys() == []


def test_missing_values_have_the_shape_of_the_others():
    assert missing_values("p", np.zeros((2, 3)), 4).shape == (4, 3)
    assert missing_values("p", np.array([None]), 2).tolist() == [None, None]


def test_uint_groups_of_some_channels_leave_the_others_in_group_0(recording):
    recording.set_channel_groups(np.array([3], np.uint8), channel_ids=["c"])
    assert recording.get_channel_groups().tolist() == [0, 0, 3, 0]
    recording.clear_channel_groups()
    assert recording.get_channel_groups().tolist() == [0, 0, 0, 0]


def test_annotations(recording):
    recording.annotate(rat="R1", sessions=[1, 2])
    with pytest.raises(ParameterError, match="annotated already"):
        recording.set_annotation("rat", "R2")
    recording.set_annotation("rat", "R2", overwrite=True)
    recording.get_annotation("sessions").append(3)
    assert recording.get_annotation("sessions") == [1, 2]
    recording.get_annotation("sessions", copy=False).append(3)
    assert recording.get_annotation("sessions") == [1, 2, 3]
    assert recording.get_annotation("cat") is None
    recording.delete_annotation("rat")
    with pytest.raises(ParameterError, match="There is no annotation 'rat'"):
        recording.delete_annotation("rat")


def test_the_name_is_an_annotation(recording):
    assert recording.name == "NumpyRecording"
    recording.name = "probe A"
    assert recording.get_annotation("name") == "probe A"
    assert recording.select_channels(["a"]).name == "probe A"
    recording.name = None
    assert recording.name == "NumpyRecording"
    assert "name" not in recording.get_annotation_keys()
