"""Units of several recordings are matched by their templates; correlograms beside the truth."""

import numpy as np
import pytest

import spikeloom as si
from spikeloom.errors import ParameterError


@pytest.fixture(scope="module")
def analyzers():
    recording, sorting = si.generate_ground_truth_recording(
        durations=[20.0], num_channels=8, num_units=5, seed=2
    )
    made = []
    for start, order in ((0.0, [0, 1, 2, 3, 4]), (10.0, [3, 1, 4, 0])):
        ids = sorting.unit_ids[order]
        part = sorting.time_slice(start, start + 10.0).select_units(ids)
        part = part.rename_units([f"{'ab'[start > 0]}{one}" for one in ids])
        one = si.create_sorting_analyzer(
            part, recording.time_slice(start, start + 10.0), sparse=False
        )
        one.compute(["random_spikes", "templates"], progress_bar=False)
        made.append(one)
    return made


def test_a_unit_is_found_again_the_next_day(analyzers):
    compared = si.compare_templates(*analyzers)
    matches = compared.hungarian_match_12.to_dict()
    assert matches == {"a0": "b0", "a1": "b1", "a2": "", "a3": "b3", "a4": "b4"}
    assert compared.agreement_scores.shape == (5, 4)
    some = si.compare_templates(*analyzers, unit_ids1=["a3", "a0"], unit_ids2=["b0", "b3"])
    assert some.hungarian_match_21.to_dict() == {"b0": "a0", "b3": "a3"}


def test_several_days_agree_on_units(analyzers):
    compared = si.compare_multiple_templates(analyzers, ["one", "two"])
    units = compared.units.values()
    both = [one["unit_ids"] for one in units if one["agreement_number"] == 2]
    assert both == [{"one": f"a{k}", "two": f"b{k}"} for k in (0, 1, 3, 4)]
    assert len(units) == 5


def test_what_makes_no_sense_is_said(analyzers):
    with pytest.raises(ParameterError, match="names"):
        si.compare_multiple_templates(analyzers, ["one", "one"])
    with pytest.raises(ParameterError, match="nobody"):
        si.compare_templates(*analyzers, unit_ids1=["nobody"])


def test_correlograms_of_what_was_found_perfectly_are_those_of_the_truth():
    sorting = si.generate_sorting(num_units=4, durations=[60.0], seed=1)
    compared = si.CorrelogramGTComparison(sorting, sorting, window_ms=20.0, bin_ms=1.0)
    assert compared.correlograms["true"].shape == (4, 4, 20)
    assert np.nanmax(compared.relative_errors()) == 0
    assert compared.relative_errors(5.0).shape == (4, 4, 10)
    similarities, errors = compared.compute_correlogram_by_similarity(np.eye(4))
    assert np.all(np.diff(similarities) >= 0)
    assert errors.shape == (16, 20)


def test_missed_spikes_are_missed_in_correlograms():
    truth = si.generate_sorting(num_units=3, durations=[60.0], seed=1)
    trains = {unit: truth.get_unit_spike_train(unit) for unit in truth.unit_ids}
    trains[truth.unit_ids[0]] = trains[truth.unit_ids[0]][::10]
    tested = si.NumpySorting.from_unit_dict(trains, truth.sampling_frequency)
    compared = si.CorrelogramGTComparison(truth, tested)
    assert compared.good_gt.tolist() == truth.unit_ids[1:].tolist()
    assert np.nanmax(compared.relative_errors()) == 0
