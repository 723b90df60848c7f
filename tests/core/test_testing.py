import numpy as np
import pytest

from making import rich_objects as making
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.testing import (
    check_extractor_annotations_equal,
    check_extractor_properties_equal,
    check_recordings_equal,
    check_sorted_arrays_equal,
    check_sortings_equal,
)


def test_recordings():
    recording = making.rich_recording((40_000, 5), 2)
    same = making.rich_recording((40_000, 5), 2)
    check_recordings_equal(recording, same, check_annotations=True, check_properties=True)
    changed = [recording.get_traces(k).copy() for k in range(2)]
    changed[0][35_000, 1] += 1
    other = NumpyRecording(changed, making.RATE, channel_ids=recording.channel_ids)
    recording.copy_metadata(other)
    for in_uV in (True, False):
        with pytest.raises(AssertionError):
            check_recordings_equal(recording, other, return_in_uV=in_uV)
    for wrong in (
        recording.select_channels(recording.channel_ids[::-1]),
        recording.select_segments([0]),
        recording.select_segments([1, 0]),
    ):
        with pytest.raises(AssertionError):
            check_recordings_equal(recording, wrong)
    same.annotate(note="other")
    check_recordings_equal(recording, same, return_scaled=False)
    with pytest.raises(AssertionError, match="note"):
        check_recordings_equal(recording, same, check_annotations=True)
    same.set_property("quality", ["x", "y"])
    with pytest.raises(AssertionError):
        check_recordings_equal(recording, same, check_properties=True)
    wide = recording.astype("int32")
    check_recordings_equal(recording, wide, force_dtype="int64")


def test_sortings():
    sorting, same = making.rich_sorting(), making.rich_sorting()
    check_sortings_equal(sorting, same, check_annotations=True, check_properties=True)
    with pytest.raises(AssertionError):
        check_sortings_equal(sorting, making.rich_sorting(seed=2))
    with pytest.raises(AssertionError):
        check_sortings_equal(sorting, sorting.select_units(sorting.unit_ids[:2]))
    one = NumpySorting.from_unit_dict({"a": [5], "b": [5]}, 1000.0)
    check_sortings_equal(one, NumpySorting.from_unit_dict({"a": [5], "b": [5]}, 1000.0))
    with pytest.raises(AssertionError):
        check_sortings_equal(one, NumpySorting.from_unit_dict({"a": [5], "b": [6]}, 1000.0))


def test_parts():
    check_sorted_arrays_equal([3, 1], np.array([1, 3]))
    with pytest.raises(AssertionError):
        check_sorted_arrays_equal([3, 1], [3, 3])
    one, other = making.rich_sorting(), making.rich_sorting()
    other.set_property("more", np.zeros(4))
    other.annotate(more=1)
    for check in (check_extractor_annotations_equal, check_extractor_properties_equal):
        check(one, one)
        with pytest.raises(AssertionError):
            check(one, other)
