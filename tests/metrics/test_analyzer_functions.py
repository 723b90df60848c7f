"""Metrics one by one, under the names of SpikeInterface."""

import pytest

import spikeloom as si


@pytest.fixture(scope="module")
def analyzer():
    recording, sorting = si.generate_ground_truth_recording(
        durations=[20.0], num_channels=8, num_units=4, seed=4
    )
    made = si.create_sorting_analyzer(sorting, recording)
    made.compute(["random_spikes", "templates", "noise_levels", "spike_amplitudes"])
    return made


def test_values_are_those_of_the_table(analyzer):
    names = ["snr", "isi_violation", "amplitude_median"]
    table = analyzer.copy().compute("quality_metrics", metric_names=names).get_data()
    assert si.compute_snrs(analyzer) == table["snr"].to_dict()
    assert si.compute_amplitude_medians(analyzer) == table["amplitude_median"].to_dict()
    found = si.compute_isi_violations(analyzer)
    assert found.isi_violations_count == table["isi_violations_count"].to_dict()


def test_some_units_periods_and_parameters(analyzer):
    units = analyzer.unit_ids[[2, 0]].tolist()
    periods = [[0, 0, 300000, unit] for unit in range(4)]
    found = si.compute_num_spikes(analyzer, units, periods=periods)
    trains = [analyzer.sorting.get_unit_spike_train(unit) for unit in units]
    assert found == {u: (t < 300000).sum() for u, t in zip(units, trains, strict=True)}
    few = si.compute_refrac_period_violations(analyzer, refractory_period_ms=1.0)
    many = si.compute_refrac_period_violations(analyzer, refractory_period_ms=50.0)
    assert sum(many.rp_violations.values()) > sum(few.rp_violations.values())


def test_their_documentation_tells_parameters_and_columns():
    assert "refractory_period_ms=1.0" in si.compute_refrac_period_violations.__doc__
    assert "amplitude_median" in si.compute_amplitude_medians.__doc__
