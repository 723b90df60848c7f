"""Folders of KiloSort as analyzers: what the sorter computed is there, and goes with the units."""

import subprocess

import numpy as np
import pytest

import spikeloom as si
from making.phy_folders import (
    CHANNEL_MAP,
    N_RAW_CHANNELS,
    N_SAMPLES,
    N_SPIKES,
    RATE,
    make_arrays,
    write_phy_folder,
)
from spikeloom.errors import MissingFileError, ParameterError

GAIN = 0.195


def arrays_of_kilosort_4():
    arrays = make_arrays()
    arrays["templates"][:, :, 5:] *= np.arange(6)[:, None, None] > 2
    rng = np.random.default_rng(3)
    arrays["spike_positions"] = rng.uniform(0, 100, (N_SPIKES, 2)).astype(np.float32)
    arrays["spike_times"][:2] = arrays["spike_times"][0]  # two spikes at once, not by their unit
    arrays["spike_templates"][:2] = [4, 1]
    arrays["spike_clusters"] = arrays["spike_templates"].astype(np.int32)
    return arrays


def expected_templates(arrays):
    """Return the templates as KiloSort 4 unwhitens them, zero where they were zero."""
    stored = arrays["templates"]
    unwhitened = stored @ arrays["whitening_mat_inv"].T.astype(np.float32)
    return unwhitened * stored.any(axis=1)[:, None, :]


def recording_of(folder):
    path = folder / "recording.dat"
    return si.read_binary(path, RATE, "int16", N_RAW_CHANNELS, gain_to_uV=2.0, offset_to_uV=0)


def test_what_kilosort_4_found_is_there(tmp_path):
    arrays = arrays_of_kilosort_4()
    folder = write_phy_folder(tmp_path / "ks", arrays=arrays)
    analyzer = si.read_kilosort_as_analyzer(folder, gain_to_uV=GAIN)
    assert analyzer.get_loaded_extension_names() == [
        "random_spikes", "templates", "spike_locations"
    ]  # fmt: skip
    assert analyzer.return_in_uV
    assert not analyzer.has_recording()
    assert analyzer.channel_ids.tolist() == [str(channel) for channel in CHANNEL_MAP]
    np.testing.assert_array_equal(analyzer.get_channel_locations(), arrays["channel_positions"])
    templates = analyzer.get_extension("templates")
    np.testing.assert_allclose(
        templates.get_data(), expected_templates(arrays) * GAIN, rtol=1e-5, atol=1e-6
    )
    assert templates.nbefore == 8  # where the templates are made to peak
    assert templates.nbefore + templates.nafter == arrays["templates"].shape[1]
    np.testing.assert_array_equal(analyzer.sparsity.mask, arrays["templates"].any(axis=1))
    assert analyzer.main_channel_indices.tolist() == list(range(6))
    # Two spikes at the same sample are in the order of their units.
    locations = analyzer.get_extension("spike_locations").get_data()
    order = np.lexsort((arrays["spike_clusters"], arrays["spike_times"]))
    assert order[:2].tolist() == [1, 0]
    np.testing.assert_array_equal(locations["x"], arrays["spike_positions"][order, 0])
    np.testing.assert_array_equal(locations["y"], arrays["spike_positions"][order, 1])
    vector = analyzer.sorting.to_spike_vector()
    np.testing.assert_array_equal(vector["unit_index"], arrays["spike_clusters"][order])


def test_places_beyond_all_are_infinite(tmp_path):
    arrays = arrays_of_kilosort_4()
    arrays["spike_positions"] = np.full((N_SPIKES, 2), 1e300)
    analyzer = si.read_kilosort_as_analyzer(write_phy_folder(tmp_path / "ks", arrays=arrays))
    assert np.isinf(analyzer.get_extension("spike_locations").get_data()["x"]).all()


def test_what_is_made_of_it(tmp_path):
    folder = write_phy_folder(tmp_path / "ks", arrays=arrays_of_kilosort_4())
    analyzer = si.read_kilosort_as_analyzer(folder, gain_to_uV=GAIN)
    analyzer.compute(["unit_locations", "template_similarity"], progress_bar=False)
    assert len(analyzer.get_extension("unit_locations").get_data()) == 6
    saved = analyzer.save_as(folder=tmp_path / "saved", format="binary_folder")
    again = si.load_sorting_analyzer(tmp_path / "saved")
    for name in ("templates", "spike_locations"):
        mine, other = (one.get_extension(name).get_data() for one in (saved, again))
        np.testing.assert_array_equal(mine, other)


def test_templates_without_unwhitening_and_without_gain(tmp_path):
    arrays = arrays_of_kilosort_4()
    folder = write_phy_folder(tmp_path / "ks", arrays=arrays)
    analyzer = si.read_kilosort_as_analyzer(folder, unwhiten=False)
    assert not analyzer.return_in_uV
    np.testing.assert_array_equal(
        analyzer.get_extension("templates").get_data(), arrays["templates"]
    )


def test_older_versions_whiten_from_the_right(tmp_path):
    arrays = make_arrays()
    folder = write_phy_folder(tmp_path / "ks", arrays=arrays, uV_per_bit=2.0)
    analyzer = si.read_kilosort_as_analyzer(folder)
    assert analyzer.return_in_uV
    expected = arrays["templates"] @ arrays["whitening_mat_inv"].astype(np.float32) * 2
    templates = analyzer.get_extension("templates").get_data()
    np.testing.assert_allclose(templates, expected, rtol=1e-5, atol=1e-6)
    assert not analyzer.has_extension("spike_locations")


def test_sparse_templates_and_curated_units(tmp_path):
    """A merged unit has the mean of the templates of its spikes; columns are where they belong."""
    arrays = make_arrays(is_sparse=True)
    dense = make_arrays()
    kept = np.zeros(dense["templates"].shape[::2], bool)
    np.put_along_axis(kept, arrays["template_ind"], values=True, axis=1)
    merged = np.isin(arrays["spike_clusters"], [0, 3])
    arrays["spike_clusters"][merged] = 9
    folder = write_phy_folder(tmp_path / "ks", arrays=arrays, tables={})
    analyzer = si.read_kilosort_as_analyzer(folder, unwhiten=False)
    assert analyzer.unit_ids.tolist() == [1, 2, 4, 5, 9]
    templates = dense["templates"] * kept[:, None, :]
    counts = np.bincount(arrays["spike_templates"][merged])
    expected = np.average(templates[[0, 3]], axis=0, weights=counts[[0, 3]])
    found = analyzer.get_extension("templates").get_unit_template(9)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_array_equal(
        analyzer.get_extension("templates").get_unit_template(4), templates[4]
    )
    np.testing.assert_array_equal(analyzer.sparsity.mask[-1], kept[0] | kept[3])


def test_with_the_recording_that_was_sorted(tmp_path):
    arrays = arrays_of_kilosort_4()
    arrays["spike_times"][-1] = N_SAMPLES + 5  # KiloSort finds some beyond the end
    folder = write_phy_folder(tmp_path / "ks", arrays=arrays)
    recording = recording_of(folder)
    analyzer = si.read_kilosort_as_analyzer(folder, recording)
    assert analyzer.has_recording()
    assert analyzer.channel_ids.tolist() == recording.channel_ids[CHANNEL_MAP].tolist()
    np.testing.assert_array_equal(analyzer.get_channel_locations(), arrays["channel_positions"])
    np.testing.assert_allclose(
        analyzer.get_extension("templates").get_data(),
        expected_templates(arrays) * 2, rtol=1e-5, atol=1e-6,
    )  # fmt: skip
    assert analyzer.sorting.spike_table().n_spikes == N_SPIKES - 1
    assert len(analyzer.get_extension("spike_locations").get_data()) == N_SPIKES - 1
    analyzer.compute("spike_amplitudes", progress_bar=False)
    assert analyzer.get_extension("spike_amplitudes").get_data().dtype == np.float32


def test_a_gain_for_a_recording_that_knows_none(tmp_path):
    folder = write_phy_folder(tmp_path / "ks", arrays=arrays_of_kilosort_4())
    recording = si.read_binary(folder / "recording.dat", RATE, "int16", N_RAW_CHANNELS)
    analyzer = si.read_kilosort_as_analyzer(folder, recording, gain_to_uV=3.0, offset_to_uV=1.0)
    np.testing.assert_array_equal(analyzer.recording.get_channel_offsets(), 1.0)
    assert analyzer.return_in_uV
    assert not recording.has_scaleable_traces()  # the given one is as it was


def test_a_recording_that_was_not_sorted(tmp_path):
    folder = write_phy_folder(tmp_path / "ks")
    recording = recording_of(folder)
    with pytest.raises(ParameterError, match=r"channel 9 .* 4 channels"):
        si.read_kilosort_as_analyzer(folder, recording.select_channels([0, 1, 2, 3]))


def test_folders_that_lack_files(tmp_path, data_folder):
    with pytest.raises(MissingFileError):
        si.read_kilosort_as_analyzer(tmp_path)
    analyzer = si.read_kilosort_as_analyzer(data_folder / "ks_bme410_partial")
    assert (analyzer.get_num_units(), analyzer.get_num_channels()) == (295, 72)
    assert analyzer.get_loaded_extension_names() == ["random_spikes"]
    assert not analyzer.is_sparse()


def test_a_real_folder(data_folder):
    analyzer = si.read_kilosort_as_analyzer(data_folder / "phy_template_phydata")
    assert (analyzer.get_num_units(), analyzer.get_num_channels()) == (62, 32)
    templates = analyzer.get_extension("templates").get_data()
    assert templates.shape == (62, 82, 32)
    assert np.isfinite(templates).all()
    assert analyzer.sparsity.mask.any(axis=1).sum() > 50


THEIRS = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface.extractors as se

analyzer = se.read_kilosort_as_analyzer(sys.argv[1], gain_to_uV=0.195, offset_to_uV=0.0)
templates = analyzer.get_extension("templates")
np.savez(
    sys.argv[2], average=templates.data["average"], nbefore=templates.nbefore,
    mask=analyzer.sparsity.mask, units=analyzer.unit_ids, main=analyzer.main_channel_indices,
    x=analyzer.get_extension("spike_locations").data["spike_locations"]["x"],
)
"""


@pytest.mark.peer
def test_what_spikeinterface_makes_of_it(tmp_path, peer_python):
    arrays = arrays_of_kilosort_4()
    # SpikeInterface takes spikes at the same sample as they come.
    arrays["spike_times"] = np.arange(N_SPIKES, dtype=np.uint64) * 90 + 20
    folder = write_phy_folder(tmp_path / "ks", arrays=arrays, tables={})
    np.save(folder / "ops.npy", {"nt0min": 8, "nt": 20}, allow_pickle=True)
    out = tmp_path / "theirs.npz"
    subprocess.run([peer_python, "-c", THEIRS, folder, out], check=True, timeout=280)
    theirs = np.load(out)
    analyzer = si.read_kilosort_as_analyzer(folder, gain_to_uV=GAIN)
    templates = analyzer.get_extension("templates")
    assert templates.nbefore == theirs["nbefore"]
    np.testing.assert_array_equal(analyzer.unit_ids, theirs["units"])
    np.testing.assert_array_equal(analyzer.sparsity.mask, theirs["mask"])
    np.testing.assert_array_equal(analyzer.main_channel_indices, theirs["main"])
    # Theirs is not zero on channels that are not a unit's.
    np.testing.assert_allclose(
        templates.get_data(), theirs["average"] * theirs["mask"][:, None, :], rtol=1e-4, atol=1e-6
    )
    locations = analyzer.get_extension("spike_locations").get_data()
    np.testing.assert_array_equal(locations["x"], theirs["x"])


def test_templates_of_no_samples_are_none(tmp_path):
    arrays = arrays_of_kilosort_4()
    arrays["templates"] = arrays["templates"][:, :0]
    folder = write_phy_folder(tmp_path / "ks", arrays=arrays)
    analyzer = si.read_kilosort_as_analyzer(folder)
    assert not analyzer.has_extension("templates")
