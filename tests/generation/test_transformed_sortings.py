import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.round_trips import digest, digest_in_another_process
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.spike_vector import minimum_spike_dtype
from spikeloom.errors import ParameterError
from spikeloom.generation import transformed_sortings
from spikeloom.generation.generated_sortings import generate_sorting
from spikeloom.generation.transformed_sortings import (
    TransformSorting,
    as_spike_vector,
    distance_to_nearest,
)

RATE = 10_000.0
trains = st.lists(st.integers(0, 200), max_size=15).map(sorted)


def trains_of(sorting):
    return [
        {
            unit_id: sorting.get_unit_spike_train(unit_id, segment_index=k).tolist()
            for unit_id in sorting.unit_ids.tolist()
        }
        for k in range(sorting.get_num_segments())
    ]


def make(dicts):
    return NumpySorting.from_unit_dict(dicts, RATE)


def test_units_of_the_same_id_are_joined_and_others_are_new():
    first = make([{"a": [10, 30], "b": [20]}, {"a": [5]}])
    second = make([{"c": [11], "b": [25, 15]}, {"c": [7], "b": [6]}])
    sorting = TransformSorting.add_from_sorting(first, second)
    assert sorting.unit_ids.tolist() == ["a", "b", "c"]
    assert sorting.get_added_units_inds().tolist() == ["c"]
    assert trains_of(sorting) == [
        {"a": [10, 30], "b": [15, 20, 25], "c": [11]},
        {"a": [5], "b": [6], "c": [7]},
    ]
    vector = sorting.to_spike_vector()
    existing = vector[sorting.get_added_spikes_from_existing_indices()]
    assert existing["sample_index"].tolist() == [15, 25, 6]
    new = vector[sorting.get_added_spikes_from_new_indices()]
    assert new["sample_index"].tolist() == [11, 7]
    assert sorting.get_added_spikes_indices().size == 5
    assert sorting.added_spikes_mask.sum() == 5
    assert sorting.get_parent() is first


@given(trains, trains, trains, st.booleans())
def test_all_spikes_are_there_and_their_source_is_known(known, added, new, as_labels):
    first = NumpySorting.from_samples_and_labels([known], [["a"] * len(known)], RATE, ["a"])
    if as_labels:
        labels = ["a"] * len(added) + ["n"] * len(new)
        sorting = TransformSorting.from_samples_and_labels(
            first, [added + new], [labels], RATE, unit_ids=["a", "n"]
        )
    else:
        sorting = TransformSorting.add_from_unit_dict(first, {"a": added, "n": new})
    assert sorting.get_unit_spike_train("a").tolist() == sorted(known + added)
    assert sorting.get_unit_spike_train("n").tolist() == new
    vector = sorting.to_spike_vector()
    from_existing = vector["sample_index"][sorting.added_spikes_from_existing_mask]
    assert from_existing.tolist() == added
    assert vector["sample_index"][sorting.added_spikes_from_new_mask].tolist() == new


@given(trains, trains)
def test_refractory_periods_are_kept(known, added):
    first = NumpySorting.from_samples_and_labels([known], [["a"] * len(known)], RATE, ["a"])
    sorting = TransformSorting.add_from_unit_dict(first, {"a": added}, refractory_period_ms=0.5)
    vector = sorting.to_spike_vector()["sample_index"]
    is_added = sorting.added_spikes_mask
    # What was there stays, however close.
    assert vector[~is_added].tolist() == known
    kept = vector[is_added]
    assert np.all(distance_to_nearest(kept, np.array(known, np.int64)) > 5)
    assert np.all(np.diff(kept) > 5)
    # And no more than needed are dropped: each dropped one is close to something.
    for sample in set(added) - set(kept.tolist()):
        others = [*known, *(other for other in added if other < sample)]
        assert added.count(sample) > 1 or min(abs(sample - other) for other in others) <= 5


def test_new_units_are_taken_as_they_are():
    sorting = TransformSorting.add_from_unit_dict(make({"a": [50]}), {"b": [1, 2, 3]}, 1.0)
    assert sorting.get_unit_spike_train("b").tolist() == [1, 2, 3]


def test_times_and_segments_are_those_of_the_sorting():
    first = generate_sorting(2, durations=[1.0, 1.0], t_starts=[3.0, 4.0], seed=0)
    sorting = TransformSorting.add_from_unit_dict(first, [{"7": [100]}])
    assert sorting.get_num_segments() == 2
    times = sorting.get_unit_spike_train("7", segment_index=0, return_times=True)
    assert times.tolist() == [3.0 + 100 / 30_000]


def test_the_same_in_another_process(tmp_path):
    first, second = generate_sorting(seed=0), generate_sorting(7, seed=1)
    sorting = TransformSorting.add_from_sorting(first, second, refractory_period_ms=4.0)
    expected = digest(sorting)
    assert sorting.check_serializability("json")
    assert digest_in_another_process(sorting, tmp_path) == expected
    assert digest(pickle.loads(pickle.dumps(sorting))) == expected
    in_memory = TransformSorting.add_from_sorting(first.to_numpy_sorting(), second)
    assert not in_memory.check_serializability("json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"new_unit_ids": ["a"]}, "already"),
        ({"new_unit_ids": [3]}, "type"),
        ({"added_spikes_existing_units": [[5, 1, 0]]}, "unit"),
        ({"added_spikes_new_units": [[5, 1, 0]]}, "unit"),
        ({"added_spikes_existing_units": [[5, 0, 1]]}, "segment"),
        ({"added_spikes_existing_units": [[5, 0]]}, "fields"),
    ],
)
def test_what_does_not_fit_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        TransformSorting(make({"a": [1, 2]}), **change)


def test_sortings_must_go_together():
    one = make({"a": [1]})
    with pytest.raises(ParameterError, match="Sampling frequencies"):
        TransformSorting.add_from_sorting(one, NumpySorting.from_unit_dict({"a": [1]}, 2 * RATE))
    with pytest.raises(ParameterError, match="segments"):
        TransformSorting.add_from_sorting(one, make([{"a": [1]}, {"a": [1]}]))


def test_spike_vectors_of_rows():
    expected = np.array([(4, 1, 0)], minimum_spike_dtype)
    assert as_spike_vector([[4, 1, 0]]) == expected
    assert as_spike_vector(expected) == expected
    assert as_spike_vector(None).size == as_spike_vector([]).size == 0


@given(st.lists(st.integers(-50, 50)), trains)
def test_distances_are_to_the_nearest(samples, train):
    distances = distance_to_nearest(np.array(samples, np.int64), np.array(train, np.int64))
    if train:
        expected = [min(abs(sample - spike) for spike in train) for sample in samples]
        assert distances.tolist() == expected
    else:
        assert all(distance > 10**15 for distance in distances)


@pytest.mark.parametrize("is_sorted", [True, False])
def test_compiled_and_plain_code_merge_alike(is_sorted, monkeypatch):
    rng = np.random.default_rng(3)
    columns = rng.integers(0, [400, 4], (2000, 2))
    columns = columns[np.lexsort(columns.T[::-1] if is_sorted else columns.T[:1])]
    spikes = np.zeros(2000, minimum_spike_dtype)
    spikes["sample_index"], spikes["unit_index"] = columns.T
    first = NumpySorting(spikes, RATE, list("abcd"))
    added = rng.integers(0, [450, 4, 1], (300, 3))
    new = rng.integers([0, 4, 0], [450, 6, 1], (300, 3))
    found = []
    for compiled in (False, True):
        monkeypatch.setattr(transformed_sortings, "uses_kernels", lambda *_, so=compiled: so)
        sorting = TransformSorting(first, added, new, ["e", "f"])
        masks = (sorting.added_spikes_from_existing_mask, sorting.added_spikes_from_new_mask)
        found.append((sorting.to_spike_vector().tolist(), *(mask.tolist() for mask in masks)))
    assert found[0] == found[1]
    assert found[0][0] == sorted(found[0][0])
