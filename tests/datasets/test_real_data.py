"""Real and repackaged datasets: what a correct reader says of them."""

import shutil
import sys

import msgspec
import numpy as np
import pytest

from making.contexts import open_context
from making.hashes import folder_state
from making.phy_folders import params_text
from making.processes import run_python
from spikeloom.app.frames import encode_frame
from spikeloom.datasets.template_loading import load_template_model
from spikeloom.viewdata.views import VIEWS

# Folder: spikes, clusters, templates, channels, sampling frequency in Hz, duration in s.
FACTS = {
    "phy_template_phydata": (314, 62, 64, 32, 25_000, 11.93612),
    "ks_bme410_partial": (58_544, 295, 297, 72, 30_000, 59.9993),
    "axona_tt8_dev/phy": (10_287, 8, 8, 4, 48_000, 401.0093),
    "hybrid_np24_dev/phy": (3_909, 18, 23, 24, 30_000, 15.0),
    "locust1_si_tdc2/phy": (777, 7, 7, 4, 15_000, 431_548 / 15_000),
}

# Folder: traces, templates, features, amplitudes.
PARTS = {
    "phy_template_phydata": (False, True, True, True),
    "ks_bme410_partial": (False, False, False, True),
    "axona_tt8_dev/phy": (False, True, True, True),
    "hybrid_np24_dev/phy": (True, True, True, True),
    "locust1_si_tdc2/phy": (True, True, True, True),
}


@pytest.mark.parametrize("name", FACTS)
def test_each_dataset_opens_with_its_known_facts(data_folder, name):
    model = load_template_model(data_folder / name)
    n_spikes, n_clusters, n_templates, n_channels, rate, duration_s = FACTS[name]
    assert model.n_spikes == n_spikes
    assert model.spike_groups.labels.size == n_clusters
    assert model.n_templates == n_templates
    assert model.n_channels == n_channels
    assert model.sampling_frequency == rate
    assert model.duration_s == pytest.approx(duration_s, abs=1e-4)
    assert np.all(np.diff(model.spike_samples) >= 0)


@pytest.mark.parametrize("name", FACTS)
def test_what_a_dataset_lacks_is_noted_and_the_rest_is_there(data_folder, name):
    model = load_template_model(data_folder / name)
    found = (model.traces, model.templates, model.features, model.amplitudes)
    assert tuple(part is not None for part in found) == PARTS[name]
    for part, note in zip(found, ("traces", "templates", "features"), strict=False):
        assert (part is None) == (note in model.notes)
    words = ["raw data file"] * (model.traces is None)
    if name == "phy_template_phydata":
        words.insert(0, "similar_templates.npy says that no template is like any other")
    assert len(model.warnings) == len(words)
    assert all(word in text for word, text in zip(words, model.warnings, strict=True))


@pytest.mark.parametrize("name", FACTS)
def test_working_through_every_view_changes_no_byte_and_no_time_stamp(copy_dataset, name):
    folder = copy_dataset(name.split("/")[0])
    before = folder_state(folder.parent)
    for unneeded in ("spike_clusters.npy", "whitening_mat_inv.npy"):
        assert (folder / unneeded).exists() == (
            str((folder / unneeded).relative_to(folder.parent)) in before
        )
    context = open_context(folder)
    work_through(context)
    assert folder_state(folder.parent) == before


@pytest.mark.parametrize("name", FACTS)
def test_optional_files_that_phy_would_write_at_opening_are_not_written(copy_dataset, name):
    folder = copy_dataset(name.split("/")[0], has_raw=False)
    for unneeded in ("spike_clusters.npy", "whitening_mat_inv.npy"):
        (folder / unneeded).unlink(missing_ok=True)
    before = folder_state(folder)
    work_through(open_context(folder))
    assert folder_state(folder) == before


def work_through(context):
    """Compute every view for a few clusters with every kind of it, and the tables."""
    ids = context.state.cluster_ids[:3]
    for i in ids:
        assert (
            context.catalog.facts(i, context.spikes_of(i))["n_spikes"] == context.spikes_of(i).size
        )
        context.catalog.similarity(i, context.state)
    for name in VIEWS:
        view = VIEWS.get(name)
        kinds = [{}]
        if "kind" in view.params.__struct_fields__:
            kind = msgspec.json.schema(view.params)["$defs"][view.params.__name__]["properties"][
                "kind"
            ]
            kinds = [{"kind": k} for k in kind["enum"]]
        for params in kinds:
            for chosen in ([], ids[:1], ids):
                result = view.compute(context, chosen, msgspec.convert(params, view.params))
                assert encode_frame(result)


def test_the_matlab_dataset_is_read_as_it_was_meant(data_folder):
    model = load_template_model(data_folder / "phy_template_phydata")
    raw = np.load(data_folder / "phy_template_phydata" / "spike_times.npy")
    assert raw.shape == (314, 1)
    assert np.isfortran(raw) or raw.flags.f_contiguous
    np.testing.assert_array_equal(model.spike_samples, raw[:, 0])
    assert model.templates.stored.shape == (64, 82, 32)
    assert model.templates.stored_channels.shape == (64, 32)
    assert set(model.channel_shanks.tolist()) == {0, 1}
    assert model.params.n_channels_dat == 34
    assert model.features.spike_ids.size == model.features.n_stored_spikes
    assert model.template_features.stored.shape == (314, 1, 16)
    assert model.labels == {"group": {4: "good"}}


def test_the_labels_of_a_sorting_saved_by_spikeinterface_are_read(data_folder):
    model = load_template_model(data_folder / "locust1_si_tdc2" / "phy")
    assert set(model.labels["snr"]) == set(model.spike_groups.labels.tolist())
    assert all(isinstance(value, float) for value in model.labels["snr"].values())
    assert len(model.labels) > 30


def test_spike_arrays_of_kilosort_4_open_with_a_params_file(data_folder, tmp_path):
    source = data_folder / "ks4_np_aolab"
    for path in (source / "te8922").iterdir():
        shutil.copyfile(path, tmp_path / path.name)
    for path in (source / "concat1_tsv").iterdir():
        shutil.copyfile(path, tmp_path / path.name)
    (tmp_path / "params.py").write_text(
        params_text(dat_path=[], sample_rate=30_000.0, n_channels_dat=384)
    )
    model = load_template_model(tmp_path)
    assert model.n_spikes == 99_519
    assert model.spike_groups.labels.size == 311
    assert len(model.labels["KSLabel"]) == 358
    assert set(model.labels["KSLabel"].values()) == {"good", "mua"}
    # KiloSort 4 calls the column of cluster_group.tsv KSLabel, so that no cluster has a group yet.
    assert set(model.labels) == {"KSLabel", "Amplitude", "ContamPct"}


@pytest.mark.skipif(sys.platform != "linux", reason="uses capabilities of Linux")
def test_a_dataset_that_its_user_may_only_read_opens(copy_dataset):
    folder = copy_dataset("phy_template_phydata")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    output = run_python(
        """
        import os, sys
        from pathlib import Path
        from making.processes import drop_powers
        from spikeloom.datasets.template_loading import load_template_model

        drop_powers()
        folder = Path(sys.argv[1])
        try:
            (folder / "made").write_text("")
        except PermissionError:
            model = load_template_model(folder)
            print(model.n_spikes, model.spike_groups.labels.size)
        """,
        folder,
    )
    folder.chmod(0o755)
    assert output.split() == ["314", "62"]
