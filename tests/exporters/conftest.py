"""An analyzer of two segments with everything that exports write."""

import sys

import numpy as np
import pytest

from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.generation import generate_ground_truth_recording


@pytest.fixture(scope="module")
def known_analyzer():
    """Four units, of which the last has no spikes, with properties of all kinds, and metrics."""
    made, sorting = generate_ground_truth_recording([3.0, 2.0], num_channels=6, num_units=3, seed=4)
    recording = NumpyRecording([made.get_traces(k) for k in range(2)], made.sampling_frequency)
    recording.set_channel_gains(1.0)
    recording.set_channel_offsets(0.0)
    recording = recording.set_probegroup(made.get_probegroup())
    recording.set_property("brain_area", ["CA1"] * 3 + ["CA3"] * 3)
    recording.set_property("is_bad", [False] * 5 + [True])
    trains = [
        {
            f"u{k}": sorting.get_unit_spike_train(unit_id, segment)
            for k, unit_id in enumerate(sorting.unit_ids)
        }
        | {"silent": np.zeros(0, np.int64)}
        for segment in range(2)
    ]
    sorting = NumpySorting.from_unit_dict(trains, sorting.sampling_frequency)
    sorting.set_property("quality", ["good", "mua", "", "µ"])
    sorting.set_property("is_accepted", [True, False, True, False])
    sorting.set_property("n_merged", [1, 2, 3, 4])
    sorting.set_property("position", np.arange(8.0).reshape(4, 2))
    sorting.set_property("snr", [9.0, 9.0, 9.0, 9.0])
    analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    analyzer.compute(
        {
            "random_spikes": {},
            "waveforms": {},
            "templates": {},
            "noise_levels": {},
            "unit_locations": {"method": "center_of_mass"},
            "quality_metrics": {"metric_names": ["num_spikes", "snr", "isi_violation"]},
            "template_metrics": {},
        },
        progress_bar=False,
    )
    return analyzer


@pytest.fixture
def without(monkeypatch):
    """Make a package one that is not installed."""

    def hide(package):
        monkeypatch.setitem(sys.modules, package, None)

    return hide
