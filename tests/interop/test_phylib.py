"""What spikeloom saves, phylib reads; what both compute is the same."""

import json
import subprocess

import numpy as np
import pytest

from making.sessions import labels_of
from spikeloom.app.sessions import save
from spikeloom.viewdata.correlograms import correlograms

pytestmark = pytest.mark.peer

LOAD = """
import json, logging, sys
from phylib.io.model import load_model

logging.disable(logging.CRITICAL)
model = load_model(sys.argv[1])
templates = {}
for i in json.loads(sys.argv[3]):
    template = model.get_template(i)
    if template is not None:
        templates[i] = [template.channel_ids.tolist(), template.template.tolist()]
json.dump({
    "spike_clusters": model.spike_clusters.tolist(),
    "metadata": {name: sorted(rows.items()) for name, rows in model.metadata.items()},
    "spike_samples": model.spike_samples.tolist(),
    "amplitudes": model.amplitudes.tolist(),
    "duration": float(model.duration),
    "channel_mapping": model.channel_mapping.tolist(),
    "templates": templates,
}, open(sys.argv[2], "w"))
"""

CCG = """
import json, sys
import numpy as np
from phylib.stats.ccg import correlograms, firing_rate

given = json.load(open(sys.argv[1]))
answers = []
for bin_size, window_size in given["bins"]:
    answers.append(correlograms(
        np.array(given["samples"], np.float64), np.array(given["clusters"]),
        cluster_ids=given["ids"], sample_rate=1.0, bin_size=bin_size, window_size=window_size,
    ).tolist())
rate = firing_rate(
    np.array(given["clusters"]), cluster_ids=given["ids"], bin_size=given["bins"][0][0],
    duration=given["duration"],
)
json.dump({"counts": answers, "baseline": rate.tolist()}, open(sys.argv[2], "w"))
"""


def ask(peer_python, tmp_path, code, first, *more):
    """Run code in the environment of peers and return the JSON that it writes."""
    answer = tmp_path / "answer.json"
    done = subprocess.run(
        [peer_python, "-c", code, first, answer, *more],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(answer.read_text())


def curate(session):
    """Merge, split, label, move, undo and redo; every kind of action."""
    first, second, third, fourth, *_ = session.workspace.state.cluster_ids
    session.select([first], [second])
    session.merge()
    session.label("note", "merged µ", which="all")
    large = max(
        session.workspace.state.spikes, key=lambda i: session.workspace.state.spikes[i].size
    )
    session.select([large])
    session.split(session.workspace.state.spikes[large][::3])
    session.undo()
    session.redo()
    session.move("good", cluster_ids=[third])
    session.move("noise", cluster_ids=[fourth])
    session.label("quality", 2.5, cluster_ids=[third])
    session.label("cl", 7, cluster_ids=[third])
    session.label("quality", 1, cluster_ids=[fourth])
    session.undo()


@pytest.mark.parametrize("name", ["hybrid_np24_dev", "phy_template_phydata", "axona_tt8_dev"])
def test_phylib_reads_back_exactly_what_was_curated(
    copy_dataset, open_dataset, peer_python, tmp_path, name
):
    folder = copy_dataset(name)
    app_session = open_dataset(folder)
    curate(app_session.session)
    save(app_session)
    model = app_session.model
    answer = ask(peer_python, tmp_path, LOAD, folder / "params.py", json.dumps([0, 3, 5]))
    assert answer["spike_clusters"] == app_session.session.spike_clusters.tolist()
    metadata = {field: dict(map(tuple, rows)) for field, rows in answer["metadata"].items()}
    expected = labels_of(app_session.session)
    assert {field: rows for field, rows in metadata.items() if rows} == expected
    assert set(expected) >= {"group", "note", "quality", "cl"}
    # What was not touched is read alike.
    assert answer["spike_samples"] == model.spike_samples.tolist()
    np.testing.assert_allclose(answer["amplitudes"], model.amplitudes)
    assert answer["duration"] == pytest.approx(model.duration_s)
    assert answer["channel_mapping"] == model.channel_map.tolist()
    for template_id, (channel_ids, waveform) in answer["templates"].items():
        ours = model.templates.get(int(template_id))
        assert ours.channel_ids[0] == channel_ids[0]
        assert set(ours.channel_ids.tolist()) == set(channel_ids)
        np.testing.assert_allclose(
            model.templates.dense(int(template_id), channel_ids), waveform, rtol=1e-3, atol=1e-4
        )


def test_phylib_reads_every_save_of_a_long_curation(
    copy_dataset, open_dataset, peer_python, tmp_path
):
    folder = copy_dataset("hybrid_np24_dev", has_raw=False)
    app_session = open_dataset(folder)
    session = app_session.session
    for k in range(3):
        ids = session.workspace.state.cluster_ids
        session.merge(ids[k : k + 2])
        session.label("round", k, cluster_ids=ids[-1:])
        save(app_session)
        answer = ask(peer_python, tmp_path, LOAD, folder / "params.py", "[]")
        assert answer["spike_clusters"] == session.spike_clusters.tolist()
        assert dict(map(tuple, answer["metadata"]["round"])) == labels_of(session)["round"]


def compare(peer_python, tmp_path, samples, clusters, bins):
    """Return phylib's correlograms and ours for several widths of bins and windows."""
    ids = np.unique(clusters).tolist()
    given = {
        "samples": samples.tolist(),
        "clusters": clusters.tolist(),
        "ids": ids,
        "bins": bins,
        "duration": float(samples[-1]),
    }
    path = tmp_path / "given.json"
    path.write_text(json.dumps(given))
    answer = ask(peer_python, tmp_path, CCG, path)
    trains = [np.flatnonzero(clusters == i) for i in ids]
    for counts, (bin_size, window_size) in zip(answer["counts"], bins, strict=True):
        n_half_bins = int(0.5 * window_size / bin_size)
        ours = correlograms(samples, trains, bin_size=bin_size, n_half_bins=n_half_bins)
        yield np.array(counts), ours


BINS = [[1, 51], [3, 301], [30, 1500], [7, 70]]


def test_correlograms_equal_those_of_phylib_on_whole_samples(peer_python, tmp_path):
    rng = np.random.default_rng(3)
    # No two spikes at one sample: of those phylib counts some, by the order they come in.
    samples = np.sort(rng.choice(60_000, 3000, replace=False)).astype(np.int64)
    clusters = rng.integers(0, 5, samples.size)
    for theirs, ours in compare(peer_python, tmp_path, samples, clusters, BINS):
        np.testing.assert_array_equal(theirs, ours)


def test_correlograms_of_real_spikes_equal_those_of_phylib_but_for_coincidences(
    data_folder, peer_python, tmp_path
):
    folder = data_folder / "hybrid_np24_dev" / "phy"
    samples = np.load(folder / "spike_times.npy").reshape(-1).astype(np.int64)
    clusters = np.load(folder / "spike_clusters.npy").reshape(-1)
    chosen = np.isin(clusters, [0, 1, 2, 16, 20])
    samples, clusters = samples[chosen], clusters[chosen]
    n_coincidences = int((np.diff(samples) == 0).sum())
    for theirs, ours in compare(peer_python, tmp_path, samples, clusters, BINS):
        centre = ours.shape[2] // 2
        off_centre = np.arange(ours.shape[2]) != centre
        np.testing.assert_array_equal(theirs[:, :, off_centre], ours[:, :, off_centre])
        difference = ours[:, :, centre] - theirs[:, :, centre]
        assert np.all(np.diag(difference) == 0)
        assert np.all((difference >= 0) & (difference <= n_coincidences))
