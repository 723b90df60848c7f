"""Kwik files that spikeloom wrote or saved, in klusta and SpikeInterface; theirs in spikeloom."""

import subprocess

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.absence import absent, python_beside
from making.kwik_datasets import METADATA, group_data, klusta_dataset
from spikeloom import KwikModel

pytestmark = pytest.mark.peer


@pytest.fixture
def klusta_python(peer_python):
    """Interpreter of an environment with klusta 3.0.16, beside that of the other peers."""
    return python_beside(peer_python, "klusta")


HEAD = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from klusta.kwik.model import KwikModel
"""

TELL = (
    HEAD
    + """
model = KwikModel(sys.argv[1])
spikes = np.arange(model.n_spikes)
found = dict(
    spike_samples=model.spike_samples,
    spike_clusters=model.spike_clusters,
    spike_recordings=model.spike_recordings,
    channel_order=model.channel_order,
    channels=model.channels,
    channel_positions=model.channel_positions,
    clusterings=model.clusterings,
    clusters=list(model.cluster_groups),
    groups=list(model.cluster_groups.values()),
    features=model.all_features[spikes],
    masks=model.all_masks[:],
    sample_rate=model.sample_rate,
)
if model.all_traces is not None:
    found.update(
        traces=model.traces[2990:3010],
        all_traces=model.all_traces[2990:3010],
        waveforms=model.all_waveforms[spikes],
    )
np.savez(sys.argv[2], **found)
"""
)

MOCK = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from klusta.kwik.mock import create_mock_kwik
np.random.seed(3)
print(create_mock_kwik(
    sys.argv[1], n_clusters=9, n_spikes=150, n_channels=8, n_features_per_channel=2,
    n_samples_traces=20000, with_kwx=True, with_kwd=True, add_original=True,
))
"""

SAVE = (
    HEAD
    + """
model = KwikModel(sys.argv[1])
clusters = model.spike_clusters.copy()
clusters[:7] = 50
model.add_cluster_group(6, "new")
model.save(clusters, {50: "new", 3: "good"}, {"by": "klusta"})
model.copy_clustering("main", "second")
"""
)


def run(python, code, *arguments):
    command = [str(python), "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def in_klusta(python, path, tmp_path):
    run(python, TELL, path, tmp_path / "told.npz")
    with np.load(tmp_path / "told.npz") as told:
        return dict(told)


def check_alike(told, model):
    same = ("spike_samples", "spike_clusters", "spike_recordings", "channel_order", "channels")
    for name in (*same, "channel_positions", "features", "masks"):
        np.testing.assert_array_equal(told[name], getattr(model, name), err_msg=name)
    assert told["clusterings"].tolist() == model.clusterings
    assert told["sample_rate"] == model.sample_rate
    groups = dict(zip(told["clusters"].tolist(), told["groups"].tolist(), strict=True))
    assert groups == model.cluster_metadata
    if "traces" in told:
        np.testing.assert_array_equal(told["traces"], model.traces[2990:3010])
        np.testing.assert_array_equal(told["all_traces"], model.all_traces[2990:3010])
        # klusta leaves out spikes that are nearer to the end than a waveform is long.
        inner = (model.spike_samples > 60) & (model.spike_samples < len(model.traces) - 60)
        scale = np.abs(told["waveforms"][inner]).max()
        np.testing.assert_allclose(
            told["waveforms"][inner], model.waveforms[inner], atol=1e-5 * scale
        )


def test_klusta_reads_what_is_written(klusta_python, tmp_path):
    path = klusta_dataset(tmp_path / "data", metadata={**METADATA, "sample_rate": 20_000})
    told = in_klusta(klusta_python, path, tmp_path)
    assert "waveforms" in told
    check_alike(told, KwikModel(path))


def test_klusta_reads_what_is_saved(klusta_python, tmp_path):
    path = klusta_dataset(tmp_path / "data")
    model = KwikModel(path)
    clusters = model.spike_clusters.copy()
    clusters[::9] = 400
    model.add_cluster_group(8, "eight")
    model.save(clusters, {400: "eight", 3: "good"}, labels={"note": {400: "x"}})
    model.copy_clustering("main", "second")
    model.add_clustering("third", np.arange(80))
    told = in_klusta(klusta_python, path, tmp_path)
    assert told["clusterings"].tolist() == ["main", "original", "second", "third"]
    check_alike(told, model)


def test_klusta_reads_an_exported_sorting(klusta_python, tmp_path):
    recording, sorting = si.generate_ground_truth_recording([1.0], num_units=4, seed=0)
    path = si.export_to_kwik(sorting, tmp_path / "a.kwik", recording)
    with h5py.File(path.with_suffix(".kwx"), "r+") as file:  # which klusta cannot do without
        file["channel_groups/0/features_masks"] = np.zeros(
            (sorting.count_total_num_spikes(), 3 * recording.get_num_channels(), 2), np.float32
        )
    check_alike(in_klusta(klusta_python, path, tmp_path), KwikModel(path))


@pytest.mark.parametrize("is_filtered", [False, True])
def test_klusta_reads_an_exported_analyzer_with_features(klusta_python, tmp_path, is_filtered):
    recording, sorting = si.generate_ground_truth_recording(
        [1.0, 0.5], num_channels=6, num_units=4, seed=0
    )
    recording.annotate(is_filtered=is_filtered)
    recording.set_property("group", np.array([1, 0, 1, 0, 1, 0]))
    sorting.set_property("group", [0, 1, 0, 1])
    sorting.set_property("quality", ["good", "mua", "noise", "good"])
    analyzer = si.create_sorting_analyzer(sorting, recording, sparse=False)
    path = si.export_to_kwik(analyzer, tmp_path / "a.kwik")
    told, model = in_klusta(klusta_python, path, tmp_path), KwikModel(path)
    check_alike(told, model)
    assert told["features"].shape == (model.n_spikes, 3, 3)
    assert told["features"].any(axis=(0, 2)).all()
    assert 0 < told["masks"].mean() < 1
    assert told["all_traces"].shape == (20, 6)
    assert sorted(set(told["groups"].tolist())) == ["good", "noise"]


def test_what_klusta_wrote_is_read_alike(klusta_python, tmp_path):
    (tmp_path / "data").mkdir()
    path = run(klusta_python, MOCK, tmp_path / "data")
    told = in_klusta(klusta_python, path, tmp_path)
    assert "waveforms" in told
    check_alike(told, KwikModel(path))
    run(klusta_python, SAVE, path)
    model = KwikModel(path)
    assert model.cluster_metadata[50] == "new"
    assert model.cluster_metadata[3] == "good"
    assert model.clustering_metadata["by"] == "klusta"
    assert model.clusterings == ["main", "original", "second"]
    check_alike(in_klusta(klusta_python, path, tmp_path), model)


def test_a_real_file_is_read_alike(klusta_python, data_folder, tmp_path):
    path = data_folder / "kwik_hybrid10s" / "hybrid_10sec.kwik"
    check_alike(in_klusta(klusta_python, path, tmp_path), KwikModel(path))


SPIKEINTERFACE = """
import sys, warnings
warnings.simplefilter("ignore")
try:
    import h5py
except ImportError:
    print("no h5py")
    sys.exit()
import numpy as np
from spikeinterface.extractors import read_klusta
sorting = read_klusta(sys.argv[1])
np.savez(
    sys.argv[2],
    unit_ids=sorting.unit_ids,
    rate=sorting.sampling_frequency,
    group=sorting.get_property("group"),
    quality=sorting.get_property("quality"),
    **{f"train{unit_id}": sorting.get_unit_spike_train(unit_id) for unit_id in sorting.unit_ids},
)
"""


def test_spikeinterface_reads_the_same_units(peer_python, data_folder, tmp_path):
    one = group_data(
        recording_numbers=None, time_samples=np.arange(80) * 9, cluster_groups={2: 0, 3: 2}
    )
    path = klusta_dataset(tmp_path / "a", has_raw=False, recordings=(), groups={0: one})
    (tmp_path / "a" / "a.prm").write_text("traces = dict(sample_rate=20000)\n")
    real = data_folder / "axona_tt8_dev" / "axona_tt8_dev.kwik"
    for each in (path, real):
        if run(peer_python, SPIKEINTERFACE, each, tmp_path / "told.npz") == "no h5py":
            absent("The environment of SpikeInterface has no h5py; run scripts/peers.")
        ours = si.read_klusta(each)
        with np.load(tmp_path / "told.npz") as told:
            assert told["unit_ids"].tolist() == ours.unit_ids.tolist()
            assert told["rate"] == ours.sampling_frequency
            for key in ("group", "quality"):
                assert told[key].tolist() == ours.get_property(key).tolist()
            for unit_id in ours.unit_ids:
                np.testing.assert_array_equal(
                    told[f"train{unit_id}"], ours.get_unit_spike_train(unit_id)
                )
