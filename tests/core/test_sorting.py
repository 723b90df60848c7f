import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.sortings import (
    FS,
    UNIT_IDS,
    dicts_of,
    example_sorting,
    recording_of,
    rows_of,
    segments_lists,
    sorting_of,
)
from spikeloom.core.base import BaseExtractor
from spikeloom.core.sorting import BaseSorting, BaseSortingSegment
from spikeloom.core.spike_vector import minimum_spike_dtype
from spikeloom.errors import ParameterError

BY_UNIT = ("sample_index", "segment_index", "unit_index")
BY_SEGMENT = ("sample_index", "unit_index", "segment_index")


class PlainSegment(BaseSortingSegment):
    """A segment as people outside write them."""

    def __init__(self, units, t_start=None):
        super().__init__(t_start)
        self.units = units
        self.n_calls = 0

    def get_unit_spike_train(self, unit_id, start_frame, end_frame):
        self.n_calls += 1
        train = np.array(self.units[unit_id], np.int64)
        keep = np.ones(train.size, bool)
        if start_frame is not None:
            keep &= train >= start_frame
        if end_frame is not None:
            keep &= train < end_frame
        return train[keep]


class PlainSorting(BaseSorting):
    def __init__(self, dicts):
        super().__init__(FS, list(dicts[0]))
        for units in dicts:
            self.add_sorting_segment(PlainSegment(units))
        self._kwargs = {"dicts": dicts}


@given(segments_lists)
def test_segments_written_outside_give_all(dicts):
    sorting = PlainSorting(dicts)
    assert sorting.to_spike_vector().tolist() == rows_of(dicts)
    assert dicts_of(sorting) == dicts


def test_without_cache_only_the_unit_is_read():
    sorting = PlainSorting([{"a": [5, 9], "b": [1]}])
    train = sorting.get_unit_spike_train("a", start_frame=6, use_cache=False)
    assert train.tolist() == [9]
    assert sorting.segments[0].n_calls == 1


@given(segments_lists, st.sampled_from(UNIT_IDS), st.integers(0, 70), st.integers(0, 70))
def test_a_stretch_of_a_train(dicts, unit, start, end):
    sorting = sorting_of(dicts)
    train = sorting.get_unit_spike_train(unit, 0, start, end)
    assert train.tolist() == [t for t in dicts[0][unit] if start <= t < end]
    assert train.dtype == np.int64


@given(segments_lists)
def test_reordered_vectors_are_those_of_lexsort(dicts):
    sorting = sorting_of(dicts)
    spikes = sorting.to_spike_vector()
    for lexsort in (BY_UNIT, BY_SEGMENT):
        vector, order, slices = sorting.to_reordered_spike_vector(lexsort)
        expected = np.lexsort([spikes[name] for name in lexsort])
        np.testing.assert_array_equal(vector, spikes[expected])
        np.testing.assert_array_equal(order, expected)
        for k, unit in enumerate(UNIT_IDS):
            for segment in range(len(dicts)):
                first, end = slices[k, segment] if lexsort == BY_UNIT else slices[segment, k]
                assert vector["sample_index"][first:end].tolist() == dicts[segment][unit]
    with pytest.raises(ParameterError, match="lexsort must be one of"):
        sorting.to_reordered_spike_vector(["unit_index", "segment_index", "sample_index"])


@given(segments_lists)
def test_indices_of_units_in_the_vector(dicts):
    sorting = sorting_of(dicts)
    samples = sorting.to_spike_vector()["sample_index"]
    found = {
        segment: {unit: samples[places].tolist() for unit, places in units.items()}
        for segment, units in sorting.get_spike_vector_to_indices().items()
    }
    assert found == dict(enumerate(dicts))


@given(segments_lists)
def test_counts(dicts):
    sorting = sorting_of(dicts)
    counts = {unit: sum(len(units[unit]) for units in dicts) for unit in UNIT_IDS}
    for _ in range(2):  # of the vector, then of the trains
        assert sorting.count_num_spikes_per_unit() == counts
        assert sorting.count_num_spikes_per_unit("array", ["c", "a"]).tolist() == [
            *(counts["c"], counts["a"])
        ]
        sorting.precompute_spike_trains()
    assert sorting.count_total_num_spikes() == sum(counts.values())
    assert sorting.get_non_empty_unit_ids().tolist() == [u for u in UNIT_IDS if counts[u]]
    assert sorting.get_empty_unit_ids().tolist() == [u for u in UNIT_IDS if not counts[u]]
    assert sorting.remove_empty_units().unit_ids.tolist() == [u for u in UNIT_IDS if counts[u]]


def test_positions_of_samples_count_from_the_segment():
    sorting = example_sorting()
    assert sorting.search_cached_spikes_sorted([0, 4, 5, 99], 0).tolist() == [0, 1, 2, 4]
    assert sorting.search_cached_spikes_sorted(2, 1) == 1
    with pytest.raises(ParameterError, match="segment_index"):
        sorting.search_cached_spikes_sorted([0])


def test_vectors_by_segment_and_with_channels():
    sorting = example_sorting()
    parts, slices = sorting.to_spike_vector(concatenated=False, return_slices=True)
    assert [part.size for part in parts] == [4, 3]
    assert slices.tolist() == [[0, 4], [4, 7]]
    wide = sorting.to_spike_vector(extremum_channel_inds={"a": 7, "b": 8, "c": 9})
    assert wide["channel_index"].tolist() == [7, 8, 7, 7, 7, 9, 9]
    assert wide.dtype.names == (*minimum_spike_dtype.names, "channel_index")
    same = sorting.to_spike_vector(main_channel_indices=[7, 8, 9])
    np.testing.assert_array_equal(same, wide)
    with pytest.raises(ParameterError, match=r"\['c'\]"):
        sorting.to_spike_vector(extremum_channel_inds={"a": 7, "b": 8})


def test_the_vector_is_kept_only_if_wanted():
    sorting = example_sorting()
    assert sorting.to_spike_vector(use_cache=False) is not sorting.to_spike_vector()
    assert sorting.to_spike_vector() is sorting.to_spike_vector()


def test_unknown_units_and_segments():
    sorting = example_sorting()
    for call in (
        lambda: sorting.get_unit_spike_train("z", 0),
        lambda: sorting.get_unit_spike_train("a"),
        lambda: sorting.get_unit_spike_train("a", 2),
        lambda: sorting.get_unit_spike_train("a", segment_index=True),
        lambda: sorting.get_unit_spike_train_in_seconds("z", 0),
        lambda: sorting.remove_units(["z"]),
        lambda: sorting.select_units("a"),
        lambda: sorting.count_num_spikes_per_unit(unit_ids=["z"]),
        lambda: sorting.count_num_spikes_per_unit(outputs="list"),
    ):
        with pytest.raises(ParameterError):
            call()


# -- times -------------------------------------------------------------------------------------


def test_times_of_a_sorting_alone():
    sorting = sorting_of([{"a": [10, 500]}], t_starts=[-1.0])
    assert sorting.get_unit_spike_train("a", return_times=True).tolist() == [-0.99, -0.5]
    assert sorting.get_unit_spike_train_in_seconds("a", end_time=-0.99).tolist() == [-0.99]
    assert sorting.get_start_time() == -1.0
    assert sorting.get_end_time() == -0.5
    assert sorting.sample_index_to_time([0, 1000]).tolist() == [-1.0, 0.0]
    assert sorting.time_to_sample_index([-1.0, 0.0]).tolist() == [0, 1000]
    assert sorting.time_to_sample_index(0.0) == 1000
    assert sorting.get_times() is None
    sorting.shift_times(2.0)
    assert sorting.get_start_time() == 1.0
    assert sorting.get_unit_spike_train("a", return_times=True).tolist() == [1.01, 1.5]


def test_times_of_the_recording():
    sorting = sorting_of([{"a": [1, 3]}])
    recording = recording_of([4])
    recording.set_times(np.array([5.0, 6.0, 8.0, 9.0]))
    sorting.register_recording(recording)
    assert sorting.has_time_vector()
    assert sorting.get_unit_spike_train("a", return_times=True).tolist() == [6.0, 9.0]
    # The ends count for times and not for frames, however times are given.
    assert sorting.get_unit_spike_train("a", end_frame=4, return_times=True).tolist() == [6.0, 9.0]
    assert sorting.get_unit_spike_train("a", end_frame=3, return_times=True).tolist() == [6.0]
    assert sorting.get_unit_spike_train_in_seconds("a", end_time=9.0).tolist() == [6.0, 9.0]
    assert sorting.get_start_time() == 5.0
    assert sorting.get_end_time() == 9.0
    assert sorting.get_num_samples() == sorting.get_total_samples() == 4
    sorting.shift_times(1.0)
    assert sorting.get_times().tolist() == [6.0, 7.0, 9.0, 10.0]
    assert sorting.get_end_time() == 10.0
    assert recording.get_times().tolist() == [5.0, 6.0, 8.0, 9.0]


def test_native_times_are_preferred_to_samples():
    class TimedSegment(PlainSegment):
        def get_unit_spike_train_in_seconds(self, unit_id, start_time, end_time):
            return np.array(self.units[unit_id]) / FS + 0.0001

    sorting = BaseSorting(FS, ["a"])
    sorting.add_sorting_segment(TimedSegment({"a": [10, 20]}))
    assert sorting.get_unit_spike_train_in_seconds("a").tolist() == [0.0101, 0.0201]
    assert sorting.get_unit_spike_train_in_seconds("a", start_time=0.02).tolist() == [0.0201]


def test_recordings_that_do_not_fit():
    sorting = example_sorting()
    with pytest.raises(ParameterError, match="segments"):
        sorting.register_recording(recording_of([60]))
    with pytest.raises(ParameterError, match="sampling frequency"):
        sorting.register_recording(recording_of([60, 60], fs=30000.0))
    with pytest.warns(UserWarning, match="exceed"):
        sorting.register_recording(recording_of([60, 59]))
    with pytest.raises(ParameterError, match="register_recording"):
        example_sorting().get_num_samples(0)


# -- copies ------------------------------------------------------------------------------------


def test_copies_keep_times_and_shifts():
    sorting = example_sorting(t_starts=[5.0, None])
    sorting.shift_times(0.5, segment_index=1)
    description = sorting.to_dict()
    for copied in (
        sorting.clone(),
        pickle.loads(pickle.dumps(sorting)),
        BaseExtractor.from_dict(description),
        sorting.to_numpy_sorting(),
        sorting.to_shared_memory_sorting(),
        sorting.to_numpy_sorting().clone(),
        pickle.loads(pickle.dumps(sorting.to_numpy_sorting())),
    ):
        assert [copied.get_start_time(k) for k in (0, 1)] == [5.0, 0.5]
        assert copied.segments[1]._t_start is None
        assert dicts_of(copied) == dicts_of(sorting)


def test_a_clone_keeps_the_recording_and_shares_no_annotations():
    sorting = example_sorting()
    sorting.register_recording(recording_of([60, 60], t_starts=[1.0, 100.0]))
    clone = sorting.clone()
    assert clone._recording is sorting._recording
    clone.annotate(name="other")
    clone.get_annotation("remarks", copy=False)["by"].append(2)
    assert sorting.name == "example"
    assert sorting.get_annotation("remarks") == {"by": ["me", 1]}


def test_split_by_a_property():
    sorting = example_sorting()
    parts = sorting.split_by("quality")
    assert {key: part.unit_ids.tolist() for key, part in parts.items()} == {
        "good": ["a"],
        "mua": ["b"],
        "noise": ["c"],
    }
    assert parts["mua"].get_annotation("split_by_property") == "quality"
    assert len(sorting.split_by("quality", outputs="list")) == 3
    with pytest.raises(ParameterError, match="group"):
        sorting.split_by("group")


def test_information_of_the_sorter_is_kept():
    sorting = example_sorting()
    assert sorting.sorting_info is None
    sorting.set_sorting_info({"path": "a"}, {"threshold": 5}, {"ok": True})
    assert sorting.clone().sorting_info["params"] == {"threshold": 5}
