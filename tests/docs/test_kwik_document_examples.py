"""The documented examples of Kwik datasets print what the document prints, in its order.

Numbers are printed as by the numpy of that time, and compared without white space, as IPython lays
them out otherwise. What its headings without text are about is done with real files.
"""

import ast
import doctest
import os
import re
import shutil
import subprocess

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.hashes import folder_state
from spikeloom import KwikModel

EXAMPLES = """
>>> from phy.io import KwikModel

>>> !ls | grep myexperiment
myexperiment.kwik
myexperiment.kwx
myexperiment.raw.kwd

>>> kwik_path = 'myexperiment.kwik'
>>> model = KwikModel(kwik_path)

>>> model.spike_samples
array([     35,     795,     812, ..., 2398670, 2398753, 2399983], dtype=uint64)

>>> model.spike_times
array([  1.75000000e-03,   3.97500000e-02,   4.06000000e-02, ...,
         1.19933500e+02,   1.19937650e+02,   1.19999150e+02])

>>> model.spike_clusters
array([20, 10, 25, ..., 10, 12, 20], dtype=uint32)

>>> model.cluster_ids
array([ 2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
       19, 20, 21, 22, 23, 24, 25])

>>> model.cluster_groups
{2: 3,
 3: 3,
 4: 3,
 5: 3,
 6: 3,
 7: 3,
 8: 3,
 9: 3,
 10: 3,
 11: 3,
 12: 3,
 13: 3,
 14: 3,
 15: 3,
 16: 3,
 17: 3,
 18: 3,
 19: 3,
 20: 3,
 21: 3,
 22: 3,
 23: 3,
 24: 3,
 25: 3}

>>> model.default_cluster_groups
{0: 'Noise', 1: 'MUA', 2: 'Good', 3: 'Unsorted'}
"""

REAL = {
    "kwik_hybrid10s/hybrid_10sec": (1653, 17, 32, 20_000),
    "axona_tt8_dev/axona_tt8_dev": (10_287, 8, 4, 48_000),
}
"""Spikes, clusters, channels and sampling frequency of each dataset."""

PACKAGES = ["spikeloom.io", "spikeloom"]
"""What stands for phy.io."""


class Spaceless(doctest.OutputChecker):
    """Compares what is printed without white space."""

    def check_output(self, want, got, optionflags):
        return "".join(want.split()) == "".join(got.split())


def listed(command):
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def documented(tmp_path, monkeypatch):
    """The dataset that the document speaks of, two minutes long, in the current folder."""
    rng = np.random.default_rng(0)
    samples = np.concatenate([
        [35, 795, 812],
        np.sort(rng.choice(np.arange(1000, 2_398_000), 1994, replace=False)),
        [2_398_670, 2_398_753, 2_399_983],
    ])
    clusters = rng.integers(2, 26, samples.size)
    clusters[:3], clusters[-3:] = [20, 10, 25], [10, 12, 20]
    group = si.KwikChannelGroupData(
        channels=[0, 1], time_samples=samples, clusterings={"main": clusters}
    )
    path = tmp_path / "myexperiment.kwik"
    raw = si.NumpyRecording([np.zeros((2_400_000, 2), np.int16)], 20_000.0)
    si.write_kwik(path, {0: group}, sampling_frequency=20_000.0, raw_recording=raw)
    with h5py.File(path, "r+") as file:  # of the type that the document shows, not klusta's
        stored = file["channel_groups/0/spikes/clusters"]
        del stored["main"]
        stored["main"] = clusters.astype(np.uint32)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.skipif(os.name == "nt", reason="ls and grep are those of a Unix shell")
def test_the_examples_print_what_is_printed(documented, package):
    text = re.sub(r">>> !(.*)", r'>>> print(listed("\1"), end="")', EXAMPLES)
    text = text.replace("phy.io", package)
    test = doctest.DocTestParser().get_doctest(text, {"listed": listed}, "document", None, 0)
    said = []
    with np.printoptions(legacy="1.13"):
        results = doctest.DocTestRunner(checker=Spaceless()).run(test, out=said.append)
    assert results.attempted == 10
    assert not results.failed, "".join(said)


# -- with real files, and the headings that have no text -------------------------------------


@pytest.fixture(params=REAL)
def real(request, data_folder, tmp_path):
    """A copy of a real dataset, and what is known of it."""
    source = data_folder / request.param
    for path in source.parent.glob(f"{source.name}.*"):
        shutil.copyfile(path, tmp_path / path.name)
    return KwikModel(tmp_path / f"{source.name}.kwik"), REAL[request.param]


def test_spikes_and_clusters(real):
    model, (n_spikes, n_clusters, _, rate) = real
    assert model.spike_samples.shape == model.spike_times.shape == (n_spikes,)
    assert model.spike_samples.dtype == np.uint64
    assert (np.diff(model.spike_samples.astype(np.int64)) >= 0).all()
    np.testing.assert_allclose(model.spike_times * rate, model.spike_samples)
    assert model.spike_clusters.shape == (n_spikes,)
    assert model.cluster_ids.tolist() == sorted(set(model.spike_clusters.tolist()))
    assert len(model.cluster_ids) == n_clusters
    assert list(model.cluster_groups) == model.cluster_ids.tolist()
    assert set(model.cluster_groups.values()) <= set(model.default_cluster_groups)


def _parameters(path):
    """Return all that a PRM file says in plain values, by name."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text())):
        name = getattr(node, "arg", None)
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            found[name] = node.value.value
    return found


def test_metadata(real):
    model, (*_, n_channels, rate) = real
    assert model.sample_rate == model.metadata["sample_rate"] == rate
    assert (model.channel_groups, model.recordings) == ([0], [0])
    assert model.channels.tolist() == model.channel_order.tolist() == [*range(n_channels)]
    assert model.probe.get_contact_count() == n_channels
    if model.name == "hybrid_10sec":  # klusta noted its parameters
        known = {**model.metadata, **model.kk2_metadata}
        written = _parameters(model.path.with_suffix(".prm"))
        assert len(written) > 15
        assert {name: known[name] for name in written} == written


def test_features_and_masks(real):
    model, (n_spikes, _, n_channels, _) = real
    with h5py.File(model.path.with_suffix(".kwx")) as file:
        stored = file["channel_groups/0/features_masks"][:]
    np.testing.assert_array_equal(model.features_masks[:], stored)
    np.testing.assert_array_equal(
        model.features[:], stored[:, :, 0].reshape(n_spikes, n_channels, 3)
    )
    np.testing.assert_array_equal(model.masks[:], stored[:, ::3, 1])
    assert 0 <= model.masks[:].min() <= model.masks[:].max() <= 1


def test_waveforms_and_traces(real):
    model, (n_spikes, _, n_channels, rate) = real
    assert model.traces is None
    assert model.waveforms is None
    assert "raw data" in model.notes["traces"]
    # The raw data are absent: others take their place, with what the file does not say of them.
    n_samples = int(model.spike_samples[-1]) + 100
    name = model._state.kwik.recordings[0].dat_path
    slope = np.arange(n_samples, dtype=np.int64)[:, np.newaxis] * (1 + np.arange(n_channels))
    (slope % 1000).astype(np.int16).tofile(model.path.parent / name)
    with h5py.File(model.path, "r+") as file:
        file["application_data/spikedetekt"].attrs["n_channels"] = n_channels
    model.open(model.path)
    assert model.traces.shape == model.all_traces.shape == (n_samples, n_channels)
    np.testing.assert_array_equal(model.traces[123:125], slope[123:125] % 1000)
    before, after = (int(model.metadata[f"extract_s_{side}"]) for side in ("before", "after"))
    assert model.waveforms.shape == (n_spikes, before + after, n_channels)
    assert model.waveforms[:5].dtype == np.float32
    assert model.duration == n_samples / rate
    # The band-pass filter leaves nothing of what all samples have in common.
    np.full((n_samples, n_channels), 700, np.int16).tofile(model.path.parent / name)
    model.open(model.path)
    assert np.abs(model.waveforms[:20]).max() < 1


def test_multiple_clusterings(real):
    model, (n_spikes, *_) = real
    main = model.spike_clusters.copy()
    assert model.clusterings == ["main", "original"]
    model.clustering = "original"
    assert model.spike_clusters.shape == (n_spikes,)
    model.clustering = "main"
    model.copy_clustering("main", "mine")
    model.add_clustering("halves", np.arange(n_spikes) % 2)
    model.rename_clustering("halves", "parity")
    assert model.clusterings == ["main", "mine", "original", "parity"]
    model.clustering = "parity"
    assert model.cluster_ids.tolist() == [0, 1]
    model.delete_clustering("mine")
    np.testing.assert_array_equal(KwikModel(model.path).spike_clusters, main)
    assert KwikModel(model.path, clustering="parity").n_clusters == 2


def test_spike_clusters_are_modified(real):
    model, (_, n_clusters, *_) = real
    before = folder_state(model.path.parent)
    with h5py.File(model.path) as file:
        original = file["channel_groups/0/spikes/clusters/original"][:]
    clusters = model.spike_clusters.copy()
    one, other = model.cluster_ids[:2].tolist()
    merged = int(model.cluster_ids.max()) + 1
    clusters[(clusters == one) | (clusters == other)] = merged
    model.save(clusters, {merged: 2})
    again = KwikModel(model.path)
    np.testing.assert_array_equal(again.spike_clusters, clusters)
    assert again.spike_clusters.dtype == clusters.dtype
    assert again.n_clusters == n_clusters - 1
    assert again.cluster_groups[merged] == 2
    with h5py.File(model.path) as file:
        np.testing.assert_array_equal(
            file["channel_groups/0/spikes/clusters/original"][:], original
        )
    after = folder_state(model.path.parent)
    changed = {name for name in after if after[name] != before.get(name)}
    assert {str(name) for name in changed} == {model.path.name, f"{model.path.name}.bak"}
