"""Sortings for tests, and what they hold as plain dictionaries of lists."""

import numpy as np
from hypothesis import strategies as st

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting

FS = 1000.0
N_SAMPLES = 60

UNIT_IDS = ("a", "b", "c", "d")

trains = st.lists(st.integers(0, N_SAMPLES - 1), max_size=12).map(sorted)
segments = st.tuples(*[trains] * len(UNIT_IDS)).map(
    lambda each: dict(zip(UNIT_IDS, each, strict=True))  # in this order
)
segments_lists = st.lists(segments, min_size=1, max_size=3)


def sorting_of(dicts, *, t_starts=None, fs=FS):
    """Return a sorting of the trains of each segment, by unit id."""
    sorting = NumpySorting.from_unit_dict(
        [{unit: np.array(train, np.int64) for unit, train in units.items()} for units in dicts], fs
    )
    for segment, t_start in zip(sorting.segments, t_starts or [], strict=False):
        segment._t_start = t_start
    return sorting


def recording_of(n_samples, *, t_starts=None, fs=FS, n_channels=1, **kwargs):
    """Return a recording whose segments are so long."""
    traces = [np.zeros((n, n_channels), np.int16) for n in n_samples]
    return NumpyRecording(traces, fs, t_starts=t_starts, **kwargs)


def dicts_of(sorting):
    """Return the trains of each segment, by unit id."""
    return [
        {
            unit: sorting.get_unit_spike_train(unit, segment_index=k).tolist()
            for unit in sorting.unit_ids.tolist()
        }
        for k in range(sorting.get_num_segments())
    ]


def rows_of(dicts):
    """Return the rows of the spike vector that trains make."""
    return [
        (sample, unit, segment)
        for segment, units in enumerate(dicts)
        for sample, unit in sorted(
            (sample, k) for k, train in enumerate(units.values()) for sample in train
        )
    ]


def example_sorting(**kwargs):
    """Return a sorting of two segments with properties and annotations."""
    sorting = sorting_of([{"a": [3, 9, 30], "b": [4], "c": []}, {"a": [1], "b": [], "c": [2, 59]}])
    sorting.set_property("quality", ["good", "mua", "noise"])
    sorting.set_property("location", np.arange(6.0).reshape(3, 2))
    sorting.annotate(name="example", remarks={"by": ["me", 1]})
    for segment, t_start in zip(sorting.segments, kwargs.get("t_starts", ()), strict=False):
        segment._t_start = t_start
    return sorting


def check_same(sorting, expected):
    """Complain unless two sortings are the same in all that they tell."""
    assert sorting.unit_ids.tolist() == expected.unit_ids.tolist()
    assert sorting.unit_ids.dtype.kind == expected.unit_ids.dtype.kind
    assert sorting.sampling_frequency == expected.sampling_frequency
    assert dicts_of(sorting) == dicts_of(expected)
    np.testing.assert_array_equal(sorting.to_spike_vector(), expected.to_spike_vector())
    assert sorted(sorting.get_property_keys()) == sorted(expected.get_property_keys())
    for key in expected.get_property_keys():
        np.testing.assert_array_equal(sorting.get_property(key), expected.get_property(key))
    assert sorting._annotations == expected._annotations
    for k in range(expected.get_num_segments()):
        assert sorting.get_start_time(k) == expected.get_start_time(k)
