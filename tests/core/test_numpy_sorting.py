import pickle

import numpy as np
import pytest
from hypothesis import given

from making.sortings import FS, dicts_of, example_sorting, rows_of, segments_lists, sorting_of
from spikeloom.core.numpy_sorting import NumpySorting, SpikeVectorSortingSegment
from spikeloom.core.spike_vector import base_peak_dtype, minimum_spike_dtype
from spikeloom.errors import DataError, ParameterError


def vector_of(rows):
    return np.array(rows, minimum_spike_dtype)


@given(segments_lists)
def test_spikes_from_everywhere_are_the_same(dicts):
    rows = rows_of(dicts)
    ids = list(dicts[0])
    samples = [[t for units in [d] for u in units for t in units[u]] for d in dicts]
    labels = [[u for u in d for _ in d[u]] for d in dicts]
    times_s = [np.array(one, float) / FS for one in samples]
    for sorting in (
        sorting_of(dicts),
        NumpySorting.from_samples_and_labels(samples, labels, FS, ids),
        NumpySorting.from_times_and_labels(times_s, labels, FS, ids),
        NumpySorting.from_times_labels(
            times=samples, labels=labels, sampling_frequency=FS, unit_ids=ids
        ),
        NumpySorting(vector_of(rows), FS, ids, num_segments=len(dicts)),
        NumpySorting(vector_of(rows[::-1]), FS, ids, num_segments=len(dicts)),
    ):
        assert sorting.to_spike_vector().tolist() == rows
        assert dicts_of(sorting) == dicts
        assert sorting.get_num_segments() == len(dicts)


def test_segments_without_spikes_at_the_end_stay():
    sorting = NumpySorting.from_unit_dict([{"a": [1]}, {"a": []}, {}], FS)
    for copied in (sorting, sorting.clone(), pickle.loads(pickle.dumps(sorting))):
        assert copied.get_num_segments() == 3
    assert NumpySorting.from_samples_and_labels([[1], []], [["a"], []], FS).get_num_segments() == 2
    assert NumpySorting.from_sorting(sorting).get_num_segments() == 3


def test_labels_without_a_unit_are_refused():
    with pytest.raises(DataError, match="7"):
        NumpySorting.from_samples_and_labels([1, 2], [0, 7], FS, unit_ids=[0, 1])
    with pytest.raises(DataError, match="unit index 2"):
        NumpySorting(vector_of([(1, 2, 0)]), FS, ["a", "b"])


def test_a_vector_in_order_is_not_copied_and_travels_once():
    vector = vector_of([(k, k % 2, 0) for k in range(10_000)])
    sorting = NumpySorting(vector, FS, ["a", "b"])
    assert np.shares_memory(sorting.to_spike_vector(), vector)
    assert len(pickle.dumps(sorting)) < 1.1 * vector.nbytes
    assert dicts_of(pickle.loads(pickle.dumps(sorting))) == dicts_of(sorting)


def test_columns_travel_as_they_are():
    sorting = NumpySorting.from_unit_dict({"a": np.arange(10_000)}, FS)
    assert len(pickle.dumps(sorting)) < 13 * 10_000


def test_a_copy_shares_spikes_unless_told_otherwise():
    sorting = example_sorting()
    assert NumpySorting.from_sorting(sorting).spike_table() is sorting.spike_table()
    copied = NumpySorting.from_sorting(sorting, with_metadata=True, copy_spike_vector=True)
    assert not np.shares_memory(
        copied.spike_table().sample_index, sorting.spike_table().sample_index
    )
    assert copied.get_property("quality").tolist() == ["good", "mua", "noise"]
    assert NumpySorting.from_sorting(sorting).get_property("quality") is None


def test_no_spikes_and_no_units():
    for sorting in (
        NumpySorting.from_unit_dict({"a": []}, FS),
        NumpySorting.from_unit_dict({}, FS),
        NumpySorting(vector_of([]), FS, []),
    ):
        assert sorting.get_num_segments() == 1
        assert sorting.to_spike_vector().size == 0
        assert sorting.get_end_time() == 0.0
        assert sorting.count_total_num_spikes() == 0


def test_peaks_are_spikes_of_channels():
    peaks = np.array([(8, 1, -4.5, 0), (3, 0, -9.0, 1)], base_peak_dtype)
    sorting = NumpySorting.from_peaks(peaks, FS, ["left", "right"])
    assert dicts_of(sorting) == [{"left": [], "right": [8]}, {"left": [3], "right": []}]


def test_times_of_neo_trains_are_rounded():
    class Train:
        def __init__(self, times_s):
            self.magnitude = np.array(times_s)

        def rescale(self, unit):
            assert unit == "s"
            return self

    trains = [Train([0.0019999]), Train([0.003])]
    sorting = NumpySorting.from_neo_spiketrain_list(trains, FS, unit_ids=["a", "b"])
    assert dicts_of(sorting) == [{"a": [2], "b": [3]}]
    several = NumpySorting.from_neo_spiketrain_list([trains, trains], FS)
    assert several.get_num_segments() == 2
    with pytest.raises(ParameterError, match="do not fit"):
        NumpySorting.from_neo_spiketrain_list(trains, FS, unit_ids=["a"])


def test_start_times():
    sorting = NumpySorting(vector_of([(1, 0, 0)]), FS, ["a"], num_segments=2, t_starts=[1.0, None])
    assert [sorting.get_start_time(k) for k in (0, 1)] == [1.0, 0.0]
    with pytest.raises(ParameterError, match="t_starts"):
        NumpySorting(vector_of([(1, 0, 0)]), FS, ["a"], t_starts=[1.0, 2.0])


def test_a_segment_over_a_spike_vector():
    vector = vector_of([(1, 0, 0), (4, 1, 0), (9, 0, 0), (2, 0, 1)])
    segment = SpikeVectorSortingSegment(vector, 0, ["a", "b"])
    assert segment.get_unit_spike_train("a", None, None).tolist() == [1, 9]
    assert segment.get_unit_spike_train("a", 2, 9).tolist() == []
