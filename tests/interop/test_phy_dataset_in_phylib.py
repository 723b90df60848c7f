import json
import subprocess

import numpy as np
import pytest

from spikeloom.cli.demo import make_demo_dataset
from spikeloom.datasets.template_loading import load_template_model

CODE = """
import json, logging, sys
import numpy as np

messages = []

class Keep(logging.Handler):
    def emit(self, record):
        messages.append(record.getMessage())

logging.getLogger("phylib").addHandler(Keep(logging.WARNING))
from phylib.io.model import load_model

model = load_model(sys.argv[1])
model.describe()
loading_messages = list(messages)
spikes = np.arange(0, model.n_spikes, 97)
template_ids = np.unique(model.spike_templates)
json.dump({
    "messages": loading_messages,
    "n_spikes": int(model.n_spikes),
    "duration_s": float(model.duration),
    "clusters": np.bincount(model.spike_clusters).tolist(),
    "metadata": {name: sorted(rows.items()) for name, rows in model.metadata.items()},
    "amplitudes": model.amplitudes[spikes].tolist(),
    "best_channels": [int(model.get_template(i).channel_ids[0]) for i in template_ids],
    "features": model.get_features(spikes, [4, 20]).tolist(),
    "template_features": list(model.get_template_features(spikes).shape),
    "waveforms": list(model.get_waveforms(spikes, [0, 5]).shape),
    "traces": model.traces[1000:1003].tolist(),
    "similarity": model.similar_templates.tolist(),
    "channel_shanks": model.channel_shanks.tolist(),
}, open(sys.argv[2], "w"))
"""


@pytest.mark.peer
def test_phylib_reads_what_was_exported_as_spikeloom_does(tmp_path, peer_python):
    make_demo_dataset(tmp_path / "demo", duration_s=8.0, seed=1)
    params_path, answer_path = tmp_path / "demo" / "params.py", tmp_path / "answer.json"
    done = subprocess.run(
        [peer_python, "-c", CODE, params_path, answer_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(answer_path.read_text())
    ours = load_template_model(params_path)
    spikes = np.arange(0, ours.n_spikes, 97)
    # phylib says this of every dataset without _phy_spikes_subset files, which are optional.
    unasked = "Skipping spike waveforms that do not exist"
    assert [text for text in answer["messages"] if not text.startswith(unasked)] == []
    assert answer["n_spikes"] == ours.n_spikes
    assert answer["duration_s"] == ours.duration_s == 8.0
    assert answer["clusters"] == np.bincount(ours.spike_clusters).tolist()
    assert {name: dict(rows) for name, rows in answer["metadata"].items()} == ours.labels
    np.testing.assert_allclose(answer["amplitudes"], ours.amplitudes[spikes])
    expected = ours.templates.main_channels[ours.spike_groups.labels]
    assert answer["best_channels"] == expected.tolist()
    # phylib gives zero where a spike has no feature.
    features = np.nan_to_num(ours.features.get(spikes, [4, 20])).transpose(0, 2, 1)
    np.testing.assert_allclose(answer["features"], features, rtol=1e-5)
    assert features.any()
    assert answer["template_features"] == [spikes.size, ours.n_templates]
    assert answer["waveforms"] == [spikes.size, 82, 2]
    assert answer["traces"] == ours.traces.read(1000, 1003).tolist()
    np.testing.assert_allclose(answer["similarity"], ours.template_similarity)
    assert answer["channel_shanks"] == [0] * 32
