"""Folders of waveforms that are written here are opened in SpikeInterface."""

import json
import subprocess

import numpy as np
import pytest

import spikeloom as si
from spikeloom.analyzer import extract_waveforms

pytestmark = pytest.mark.peer

READ = """
import json, sys
from pathlib import Path
import numpy as np
from spikeinterface.core import load_waveforms

folder = Path(sys.argv[1])
we = load_waveforms(folder / "waveforms")
arrays = {}
for unit_id in we.unit_ids:
    waveforms, index = we.get_waveforms(unit_id, with_index=True)
    arrays[f"waveforms_{unit_id}"] = waveforms
    arrays[f"index_{unit_id}"] = np.c_[index["spike_index"], index["segment_index"]]
    arrays[f"template_{unit_id}"] = we.get_template(unit_id)
np.savez(folder / "read.npz", **arrays)
(folder / "answer.json").write_text(json.dumps({"has_recording": we.has_recording()}))
"""


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("in_memory", [True, False])
def test_spikeinterface_reads_our_folders(peer_python, tmp_path, sparse, in_memory):
    recording, sorting = si.generate_ground_truth_recording(
        durations=[3.0, 2.0], num_channels=8, num_units=4, seed=1
    )
    recording = recording.save(folder=tmp_path / "recording", progress_bar=False)
    if in_memory:
        sorting = si.NumpySorting.from_sorting(sorting)
    else:
        sorting = sorting.save(folder=tmp_path / "sorting")
    we = extract_waveforms(
        recording, sorting, tmp_path / "waveforms", sparse=sparse, radius_um=40,
        use_relative_path=True, progress_bar=False,
    )  # fmt: skip
    subprocess.run([peer_python, "-c", READ, str(tmp_path)], check=True, capture_output=True)
    assert json.loads((tmp_path / "answer.json").read_text()) == {"has_recording": True}
    with np.load(tmp_path / "read.npz") as read:
        for unit_id in we.unit_ids:
            waveforms, index = we.get_waveforms(unit_id, with_index=True)
            # There, sparse ones are as wide as those of the unit with most channels.
            found = read[f"waveforms_{unit_id}"][:, :, : waveforms.shape[2]]
            np.testing.assert_array_equal(found, waveforms)
            pairs = np.c_[index["spike_index"], index["segment_index"]]
            np.testing.assert_array_equal(read[f"index_{unit_id}"], pairs)
            template = we.get_template(unit_id, force_dense=True)
            np.testing.assert_array_equal(read[f"template_{unit_id}"], template)
