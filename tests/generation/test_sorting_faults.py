import numpy as np
import pytest

from making.round_trips import digest, digest_in_another_process
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import ParameterError
from spikeloom.generation.generated_sortings import generate_sorting
from spikeloom.generation.sorting_faults import (
    inject_some_duplicate_units,
    inject_some_split_units,
    next_unit_ids,
)


def make(n_units=9):
    return generate_sorting(n_units, durations=[20.0, 10.0], firing_rates=6.0, seed=0)


def test_duplicates_follow_their_units():
    sorting = make()
    more = inject_some_duplicate_units(sorting, num=3, max_shift=4, seed=1)
    assert more.unit_ids.tolist() == [*sorting.unit_ids.tolist(), "9", "10", "11"]
    for k in range(3):
        for segment in range(2):
            known = sorting.get_unit_spike_train(str(k), segment_index=segment)
            train = more.get_unit_spike_train(str(9 + k), segment_index=segment)
            inner = (known > 4) & (known < known[-1] - 4)
            shifts = np.unique((train - known)[inner])
            assert shifts.size == 1
            assert 1 <= abs(shifts[0]) <= 4
            assert 0 <= train.min() <= train.max() <= known[-1]
            np.testing.assert_array_equal(
                more.get_unit_spike_train(str(k), segment_index=segment), known
            )


def test_duplicates_may_have_a_share_of_the_spikes():
    sorting = make()
    more = inject_some_duplicate_units(sorting, num=2, ratio=0.5, seed=1)
    for k in range(2):
        counts = [
            sum(more.get_unit_spike_train(unit, segment_index=s).size for s in range(2))
            for unit in (str(k), str(9 + k))
        ]
        assert counts[1] == pytest.approx(counts[0] / 2, abs=2)


def test_shifts_go_both_ways():
    sorting = generate_sorting(200, durations=[2.0], seed=0)
    more = inject_some_duplicate_units(sorting, num=200, max_shift=2, seed=0)
    shifts = set()
    for k in range(200):
        known = sorting.get_unit_spike_train(str(k))
        if known.size > 2:
            shifts.add(int((more.get_unit_spike_train(str(200 + k)) - known)[1]))
    assert shifts == {-2, -1, 1, 2}


def test_duplicates_are_the_same_in_another_process(tmp_path):
    more = inject_some_duplicate_units(make(), ratio=0.7, seed=3)
    assert digest_in_another_process(more, tmp_path) == digest(more)
    assert digest(more) == digest(inject_some_duplicate_units(make(), ratio=0.7, seed=3))


def test_units_without_spikes_are_duplicated_too():
    sorting = generate_sorting(2, firing_rates=0.0, seed=0)
    more = inject_some_duplicate_units(sorting, num=2)
    assert more.to_spike_vector().size == 0
    assert more.get_num_units() == 4


def test_parts_are_their_unit():
    sorting = make()
    parted, ids = inject_some_split_units(sorting, ["2", "7"], num_split=3, output_ids=True, seed=1)
    assert ids == {"2": ["9", "10", "11"], "7": ["12", "13", "14"]}
    expected = ["0", "1", "9", "10", "11", "3", "4", "5", "6", "12", "13", "14", "8"]
    assert parted.unit_ids.tolist() == expected
    for segment in range(2):
        for unit_id in sorting.unit_ids.tolist():
            parts = [
                parted.get_unit_spike_train(part, segment_index=segment)
                for part in ids.get(unit_id, [unit_id])
            ]
            np.testing.assert_array_equal(
                np.sort(np.concatenate(parts)),
                sorting.get_unit_spike_train(unit_id, segment_index=segment),
            )
            if unit_id in ids:
                assert min(part.size for part in parts) > 5
    alone = inject_some_split_units(sorting, ["2", "7"], num_split=3, seed=1)
    assert digest(alone) == digest(parted)


def test_ids_may_be_numbers():
    sorting = NumpySorting.from_unit_dict({4: [1, 5], 11: [3]}, 1000.0)
    assert inject_some_duplicate_units(sorting, num=1).unit_ids.tolist() == [4, 11, 12]
    assert inject_some_split_units(sorting, [11]).unit_ids.tolist() == [4, 12, 13]


def test_ids_must_be_numbers_to_go_on_from():
    sorting = NumpySorting.from_unit_dict({"a": [1, 5], "b": [3]}, 1000.0)
    with pytest.raises(ParameterError, match="digits"):
        next_unit_ids(sorting, 1)


@pytest.mark.parametrize("options", [{"num": 10}, {"max_shift": 0}, {"ratio": 0.0}, {"ratio": 1.5}])
def test_duplicates_that_make_no_sense_are_refused(options):
    with pytest.raises(ParameterError):
        inject_some_duplicate_units(make(), **options)


def test_parts_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError, match="num_split"):
        inject_some_split_units(make(), ["1"], num_split=0)
    with pytest.raises(ParameterError, match="Unknown"):
        inject_some_split_units(make(), ["77"])
