"""The documents' examples of waveform extractors run as they are printed (but for a lost comma)."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import spikeloom

EXTRACT = """
# extract dense waveforms on 500 spikes per unit
we = extract_waveforms(recording=recording,
                       sorting=sorting,
                       sparse=False,
                       folder="waveforms",
                       max_spikes_per_unit=500,
                       overwrite=True)
# same, but with parallel processing! (1s chunks processed by 8 jobs)
job_kwargs = dict(n_jobs=8, chunk_duration="1s")
we = extract_waveforms(recording=recording,
                       sorting=sorting,
                       sparse=False,
                       folder="waveforms_parallel",
                       max_spikes_per_unit=500,
                       overwrite=True,
                       **job_kwargs)
# same, but in-memory
we_mem = extract_waveforms(recording=recording,
                           sorting=sorting,
                           sparse=False,
                           folder=None,
                           mode="memory",
                           max_spikes_per_unit=500,
                           **job_kwargs)

# load pre-computed waveforms
we_loaded = load_waveforms(folder="waveforms")

# retrieve waveforms and templates for a unit
waveforms0 = we.get_waveforms(unit_id=unit0)
template0 = we.get_template(unit_id=unit0)

# compute template standard deviations (average is computed by default)
# (this can also be done within the 'extract_waveforms')
we.precompute_templates(modes=("std",))

# retrieve all template means and standard deviations
template_means = we.get_all_templates(mode="average")
template_stds = we.get_all_templates(mode="std")

# save to Zarr
we_zarr = we.save(folder="waveforms_zarr", format="zarr")

# extract sparse waveforms (see Sparsity section)
# this will use 50 spikes per unit to estimate the sparsity within a 40um radius from that unit
we_sparse = extract_waveforms(recording=recording,
                              sorting=sorting,
                              folder="waveforms_sparse",
                              max_spikes_per_unit=500,
                              method="radius",
                              radius_um=40,
                              num_spikes_for_sparsity=50)
"""

PORTABLE = """
# create a "processed" folder
processed_folder = Path("processed")

# save the sorting object in the "processed" folder
sorting = sorting.save(folder=processed_folder / "sorting")
# extract waveforms using relative paths
we = extract_waveforms(recording=recording,
                       sorting=sorting,
                       folder=processed_folder / "waveforms",
                       use_relative_path=True)
# the "processed" folder is now portable, and the waveform extractor can be reloaded
# from a different location/machine (without loading the recording)
we_loaded = si.load_waveforms(folder=processed_folder / "waveforms",
                              with_recording=False)
"""

SPARSITY = """
# in this case 'we' should be a dense waveform_extractor
sparsity = compute_sparsity(we, method="radius", radius_um=40)
"""

SAVE_SPARSE = """
we_sparse = we.save(sparsity=sparsity, folder="waveforms_sparse")
"""


def mocked():
    recording = spikeloom.generate_recording(
        num_channels=4, sampling_frequency=30000.0, durations=[10.325, 3.5], set_probe=True
    )
    sorting = spikeloom.generate_sorting(
        num_units=5,
        sampling_frequency=30000.0,
        durations=[10.325, 3.5],
        firing_rate=15,
        refractory_period=1.5,
    )
    return recording, sorting


def ground_truth():
    return spikeloom.generate_ground_truth_recording(
        durations=[5.0, 3.5], num_channels=16, num_units=6, seed=3
    )


@pytest.fixture(params=[mocked, ground_truth])
def names(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recording, sorting = request.param()
    known = ("extract_waveforms", "load_waveforms", "compute_sparsity")
    return {
        **{name: getattr(spikeloom, name) for name in known},
        "si": spikeloom,
        "Path": Path,
        "recording": recording,
        "sorting": sorting,
        "unit0": sorting.unit_ids[0],
    }


def run(example, names):
    exec(compile(example, "example", "exec"), names)
    return names


def test_waveforms_are_extracted_loaded_and_saved(names):
    run(EXTRACT, names)
    unit0, we = names["unit0"], names["we"]
    n_units, n_channels = len(names["sorting"].unit_ids), names["recording"].get_num_channels()
    assert names["template_means"].shape == (n_units, we.nsamples, n_channels)
    assert (names["template_stds"] >= 0).all()
    waveforms = names["waveforms0"]
    np.testing.assert_allclose(waveforms.mean(axis=0), names["template0"], atol=1e-3)
    np.testing.assert_allclose(waveforms.std(axis=0), names["template_stds"][0], atol=1e-3)
    assert names["we_mem"].folder is None
    assert names["we_loaded"].get_waveforms(unit0).shape == waveforms.shape
    assert names["we_zarr"].format == "zarr"
    np.testing.assert_array_equal(names["we_zarr"].get_waveforms(unit0), waveforms)
    assert names["we_sparse"].is_sparse()


def test_a_folder_can_be_taken_elsewhere(names, tmp_path, monkeypatch):
    run(PORTABLE, names)
    unit0 = names["unit0"]
    assert not names["we_loaded"].has_recording()
    shutil.move("processed", tmp_path / "elsewhere")
    monkeypatch.chdir("/")
    moved = names["load_waveforms"](tmp_path / "elsewhere" / "waveforms", with_recording=False)
    np.testing.assert_array_equal(moved.get_waveforms(unit0), names["we"].get_waveforms(unit0))
    source = moved.sorting_analyzer.get_sorting_provenance()
    np.testing.assert_array_equal(source.to_spike_vector(), moved.sorting.to_spike_vector())


def test_sparsity_is_computed_and_used(names):
    unit0 = names["unit0"]
    names["we"] = names["extract_waveforms"](
        names["recording"], names["sorting"], folder="dense", sparse=False
    )
    run(SPARSITY + SAVE_SPARSE, names)
    we, sparsity, we_sparse = names["we"], names["sparsity"], names["we_sparse"]
    assert we_sparse.sparsity == sparsity
    assert we_sparse.is_sparse()
    channels = sparsity.unit_id_to_channel_indices[unit0]
    assert 0 < channels.size <= we.get_num_channels()
    dense = we.get_waveforms(unit0)
    np.testing.assert_array_equal(we_sparse.get_waveforms(unit0), dense[:, :, channels])


def test_template_tools_take_a_waveform_extractor(names):
    we = names["extract_waveforms"](names["recording"], names["sorting"], mode="memory")
    for name in (
        "get_template_amplitudes",
        "get_template_extremum_channel",
        "get_template_extremum_channel_peak_shift",
        "get_template_extremum_amplitude",
    ):
        found = getattr(spikeloom, name)(we)
        assert list(found) == we.unit_ids.tolist()


def test_waveforms_are_sparse_unless_told_otherwise(names):
    extract, recording, sorting = (names[k] for k in ("extract_waveforms", "recording", "sorting"))
    assert extract(recording, sorting, mode="memory").is_sparse()
    assert not extract(recording, sorting, mode="memory", sparse=False).is_sparse()
    few = extract(
        recording, sorting, mode="memory", method="best_channels", num_channels=2, n_jobs=16
    )
    assert few.sparsity.mask.sum(axis=1).tolist() == [2] * sorting.get_num_units()


def test_waveforms_in_a_folder_are_npy_files(names):
    we = names["extract_waveforms"](names["recording"], names["sorting"], folder="waveforms")
    assert list(Path("waveforms").rglob("waveforms*.npy"))
    assert we.folder.resolve() == Path("waveforms").resolve()


def test_modes_of_templates_can_be_asked_for_with_the_waveforms(names):
    we = names["extract_waveforms"](
        names["recording"],
        names["sorting"],
        mode="memory",
        sparse=False,
        precompute_template=("average", "median", "std"),
    )
    waveforms = we.get_waveforms(names["unit0"])
    for mode, expected in (
        ("median", np.median(waveforms, axis=0)),
        ("std", waveforms.std(axis=0)),
    ):
        found = we.get_template(names["unit0"], mode=mode)
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_units_are_selected_with_their_waveforms(names):
    we = names["extract_waveforms"](names["recording"], names["sorting"], mode="memory")
    chosen = names["sorting"].unit_ids[1:3]
    few = we.select_units(chosen)
    assert few.unit_ids.tolist() == chosen.tolist()
    np.testing.assert_array_equal(few.get_waveforms(chosen[1]), we.get_waveforms(chosen[1]))


def test_the_old_class_has_a_new_name(names):
    we = names["extract_waveforms"](names["recording"], names["sorting"], mode="memory")
    assert isinstance(we, spikeloom.MockWaveformExtractor)
    assert isinstance(we, spikeloom.WaveformExtractor)
    analyzer = spikeloom.create_sorting_analyzer(names["sorting"], names["recording"])
    analyzer.compute(["random_spikes", "waveforms", "templates"])
    covered = spikeloom.MockWaveformExtractor(analyzer)
    template = covered.get_template(names["unit0"], force_dense=True)
    found = analyzer.get_extension("templates").get_templates([names["unit0"]])[0]
    np.testing.assert_array_equal(template, found)
