import numpy as np
import pytest

from making.merged import QUIET, analyzer_of, make_ground_truth
from making.sortings import sorting_of
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.curation import align_sorting, find_redundant_units, remove_redundant_units
from spikeloom.errors import ParameterError


@pytest.fixture(scope="module")
def analyzer():
    """Return an analyzer of which two units were found once more."""
    recording, sorting = make_ground_truth(num_units=4)
    rng = np.random.default_rng(0)
    dicts = []
    for k in range(2):
        trains = {u: sorting.get_unit_spike_train(u, segment_index=k) for u in sorting.unit_ids}
        first = trains[sorting.unit_ids[0]]
        trains["late"] = first + 4  # four samples behind the peak
        part = rng.random(len(trains[sorting.unit_ids[1]])) < 0.9
        trains["part"] = trains[sorting.unit_ids[1]][part]
        dicts.append(trains)
    double = NumpySorting.from_unit_dict(dicts, sorting.sampling_frequency)
    settings = {"random_spikes": {"method": "all"}, "templates": {}}
    return analyzer_of(double, recording, settings, sparse=False)


def test_pairs_are_found(analyzer):
    first, second = analyzer.unit_ids[:2].tolist()
    assert find_redundant_units(analyzer.sorting) == [("late", first), ("part", second)]
    assert find_redundant_units(analyzer.sorting, duplicate_threshold=1.0) == []
    assert find_redundant_units(analyzer.sorting, delta_time=0.1) == [("part", second)]


def test_units_without_spikes_are_no_pairs():
    assert find_redundant_units(sorting_of([{"a": [], "b": [], "c": [5]}])) == []


@pytest.mark.parametrize("strategy", ["minimum_shift", "highest_amplitude"])
def test_the_better_template_stays(analyzer, strategy):
    kept, pairs = remove_redundant_units(analyzer, remove_strategy=strategy, extra_outputs=True)
    assert len(pairs) == 2
    assert "late" not in kept.unit_ids.tolist()
    assert kept.get_num_units() == 4


def test_the_unit_with_more_spikes_stays(analyzer):
    kept = remove_redundant_units(analyzer.sorting, align=False, remove_strategy="max_spikes")
    first = analyzer.unit_ids[0].item()
    assert "part" not in kept.unit_ids.tolist()
    # Of two with as many, the later.
    assert "late" in kept.unit_ids.tolist()
    assert first not in kept.unit_ids.tolist()


def test_shifts_may_be_given(analyzer):
    strict = {"delta_time": 0.05, "remove_strategy": "max_spikes"}
    shifts = {"late": 4}
    _, pairs = remove_redundant_units(
        analyzer.sorting, unit_peak_shifts=shifts, extra_outputs=True, **strict
    )
    assert ("late", analyzer.unit_ids[0].item()) in pairs
    _, without = remove_redundant_units(analyzer.sorting, align=False, extra_outputs=True, **strict)
    assert ("late", analyzer.unit_ids[0].item()) not in without


def test_what_makes_no_sense(analyzer):
    with pytest.raises(ParameterError, match="needs templates"):
        remove_redundant_units(analyzer.sorting)
    with pytest.raises(ParameterError, match="unit_peak_shifts"):
        remove_redundant_units(analyzer.sorting, remove_strategy="max_spikes")
    with pytest.raises(ParameterError, match="align=True"):
        remove_redundant_units(analyzer, align=False)
    with pytest.raises(ParameterError, match="remove_strategy"):
        remove_redundant_units(analyzer, remove_strategy="random")


def test_aligned_trains_stay_in_order():
    sorting = sorting_of([{"a": [5, 9], "b": [7]}, {"a": [1], "b": []}])
    moved = align_sorting(sorting, {"a": -3})
    assert moved.to_spike_vector()["sample_index"].tolist() == [7, 8, 12, 4]
    assert sorting.to_spike_vector()["sample_index"].tolist() == [5, 7, 9, 1]
    assert QUIET
