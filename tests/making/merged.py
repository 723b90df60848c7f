"""Analyzers with real extensions, merged and split, and what of them is compared."""

import numpy as np

import spikeloom as si
from making.analyzers import Small
from spikeloom.analyzer.creation import create_sorting_analyzer

QUIET = {"progress_bar": False}

ALL_SPIKES = {"method": "all"}

SETTINGS = {
    "random_spikes": ALL_SPIKES,
    "waveforms": {},
    "templates": {"operators": ["average", "std", "median"]},
    "noise_levels": {"random_slices_kwargs": {"seed": 0}},
    "spike_amplitudes": {},
    "spike_locations": {},
    "amplitude_scalings": {},
    "principal_components": {"n_components": 2},
    "template_similarity": {},
    "unit_locations": {"method": "center_of_mass"},
    "correlograms": {},
    "auto_correlograms": {},
    "isi_histograms": {},
}


class NeverMerged(Small):
    """Knows nothing of merges and splits."""

    extension_name = "never_merged"

    def _set_params(self):
        return {}

    def _run(self, verbose=False, **job_kwargs):
        self.data["n_units"] = np.arange(self.sorting_analyzer.get_num_units())


class MadeOfIt(Small):
    """Could be merged, but is made of what cannot."""

    extension_name = "made_of_it"
    depend_on = ["never_merged"]  # noqa: RUF012 - as classes of extensions have it

    def _set_params(self):
        return {}

    def _run(self, verbose=False, **job_kwargs):
        self.data["value"] = np.zeros(1)

    def _merge_extension_data(self, *args, **kwargs):
        return self.data

    def _split_extension_data(self, *args, **kwargs):
        return self.data


def make_ground_truth(num_units=6, durations=(8.0, 4.0), seed=3, num_channels=12):
    return si.generate_ground_truth_recording(
        durations=list(durations), num_channels=num_channels, num_units=num_units, seed=seed
    )


def analyzer_of(sorting, recording, settings=SETTINGS, **kwargs):
    analyzer = create_sorting_analyzer(sorting, recording, **QUIET, **kwargs)
    analyzer.compute(dict(settings), **QUIET)
    return analyzer


def computed_anew(analyzer, recording, settings=SETTINGS):
    """Return an analyzer of the same units and channels, on which everything is computed."""
    fresh = create_sorting_analyzer(
        analyzer.sorting,
        recording,
        sparsity=analyzer.sparsity,
        sparse=analyzer.is_sparse(),
        **QUIET,
    )
    fresh.compute(dict(settings), **QUIET)
    return fresh


def assert_same_values(found, expected, rtol=1e-5):
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        one, other = np.asarray(found[key]), np.asarray(values)
        assert one.shape == other.shape, key
        assert one.dtype == other.dtype, key
        if one.dtype.names:
            for name in one.dtype.names:
                np.testing.assert_allclose(one[name], other[name], rtol=rtol, atol=1e-5)
        else:
            np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-5, err_msg=key)
