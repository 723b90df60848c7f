"""Every metric says how it is computed, in which unit and range it is, and where it comes from."""

from importlib import import_module

import pytest

from spikeloom.metrics.catalogue import metrics_of_family

FUNCTIONS = {
    "amplitude": ["amplitude_cutoffs", "amplitude_medians", "noise_cutoffs"],
    "amplitude_variation": ["amplitude_cvs", "sd_ratios"],
    "drift": ["drift"],
    "isolation": ["d_primes", "mahalanobis", "silhouettes"],
    "nearest_neighbors": ["nearest_neighbors"],
    "nn_isolation": ["nn_isolation", "nn_noise_overlap"],
    "presence": ["firing_ranges", "presence_ratios"],
    "refractory": ["isi_violations", "rp_violations", "sliding_rp_violations"],
    "snr": ["snrs"],
    "spiketrain": ["firing_rates", "num_spikes"],
    "synchrony": ["synchrony"],
    "template": [
        "half_widths",
        "main_to_next_extremum_durations",
        "number_of_peaks",
        "peak_to_trough_durations",
        "recovery_slopes",
        "repolarization_slopes",
        "waveform_baseline_flatness",
        "waveform_ratios",
        "waveform_widths",
    ],
    "template_space": ["exp_decay", "spread", "velocity_fit"],
}
EACH = [(module, name) for module, names in FUNCTIONS.items() for name in names]


def test_all_metrics_are_looked_at():
    n_metrics = len(metrics_of_family("quality")) + len(metrics_of_family("template"))
    assert len(EACH) == n_metrics + 1  # nn_advanced is two


@pytest.mark.parametrize(("module", "name"), EACH)
def test_a_metric_has_formula_unit_range_and_reference(module, name):
    text = getattr(import_module(f"spikeloom.metrics.{module}"), name).__doc__
    assert "math:" in text
    assert "References\n" in text
    returned = text.split("    Returns\n", 1)[1].split("    Raises\n")[0]
    returned = returned.split("    References\n")[0]
    units = ("unit", "In Hz", "In seconds", "micrometres", "In 1/um", "A part of")
    assert any(word in returned for word in units), returned


@pytest.mark.parametrize("family", ["quality", "template"])
def test_columns_are_described(family):
    for metric in metrics_of_family(family):
        for name, column in metric.columns.items():
            assert column.description, name
