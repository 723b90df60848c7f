"""Recordings of real files are what SpikeInterface and neo read, and files of both name them."""

import json
import subprocess

import numpy as np
import pytest

import spikeloom as si
from making.recording_files import random_traces, write_mda, write_openephys_legacy, write_spikeglx
from spikeloom.core.loading import load

pytestmark = pytest.mark.peer

READ = """
import json, sys, traceback, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface.extractors as se

for job in json.loads(Path(sys.argv[1]).read_text()):
    out = Path(job["out"])
    try:
        recording = getattr(se, job["function"])(job["path"], **job["kwargs"])
        n = recording.get_num_segments()
        known = {
            "ids": np.asarray(recording.channel_ids).astype(str),
            "rate": recording.sampling_frequency,
            "n_segments": n,
            "starts": [recording.get_start_time(k) for k in range(n)],
            **{f"traces{k}": recording.get_traces(k) for k in range(n)},
        }
        if recording.has_scaleable_traces():
            known["gains"] = recording.get_channel_gains()
            known["offsets"] = recording.get_channel_offsets()
            for k in range(n):
                known[f"uV{k}"] = recording.get_traces(k, end_frame=100, return_in_uV=True)
        if recording.has_probe():
            known["positions"] = recording.get_channel_locations()
            known["groups"] = recording.get_property("group").astype(str)
        shifts = recording.get_property("inter_sample_shift")
        if shifts is not None:
            known["shifts"] = shifts
        np.savez(out, **known)
        if job["dumped"]:
            recording.dump_to_json(job["dumped"])
    except Exception:
        out.with_suffix(".failed").write_text(traceback.format_exc())
"""

OE = "oe_np_spikewrap/openephys/rawdata/sub-001/ses-001/ephys"

REAL = {
    "spikeglx": ("read_spikeglx", "hybrid_np24_dev", {"stream_id": "imec0.ap"}),
    "openephys_np": ("read_openephys", OE, {}),
    "openephys_16": ("read_openephys", "oe_hippocampus16", {}),
    "intan": ("read_intan", "intan_rhd/sampledata.rhd", {"stream_id": "0"}),
    "intan_aux": ("read_intan", "intan_rhd/sampledata.rhd", {"stream_id": "1"}),
    "intan_files": ("read_intan", "intan_ofps128/info.rhd", {"stream_id": "0"}),
    "blackrock": ("read_blackrock", "blackrock_repack/rat128.ns5", {}),
}


@pytest.fixture(scope="module")
def jobs(data_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    listed = {
        name: (function, data_folder / place, kwargs)
        for name, (function, place, kwargs) in REAL.items()
    }
    traces = random_traces(600, 5)
    for k in range(2):
        write_spikeglx(folder / "glx", f"rat_g0_t{k}.imec0.ap", traces + k, first_sample=100 * k)
        write_spikeglx(folder / "glx", f"rat_g0_t{k}.nidq", traces + k, n_sync=0)
    for stream in ("imec0.ap", "nidq"):
        listed[f"made_{stream}"] = ("read_spikeglx", folder / "glx", {"stream_id": stream})
    write_openephys_legacy(folder / "legacy", random_traces(2048, 3))
    listed["legacy"] = ("read_openephys", folder / "legacy", {})
    (folder / "mda").mkdir()
    write_mda(folder / "mda/raw.mda", traces.T)
    (folder / "mda/params.json").write_text('{"samplerate": 30000}')
    (folder / "mda/geom.csv").write_text("".join(f"0,{k}\n" for k in range(5)))
    listed["mda"] = ("read_mda_recording", folder / "mda", {})
    return folder, listed


@pytest.fixture(scope="module")
def theirs(jobs, peer_python):
    """Return what SpikeInterface reads, by name, and the folder of its JSON files."""
    folder, listed = jobs
    told = [
        {
            "function": function,
            "path": str(path),
            "kwargs": kwargs,
            "out": str(folder / f"{name}.npz"),
            "dumped": str(folder / f"{name}.json"),
        }
        for name, (function, path, kwargs) in listed.items()
    ]
    (folder / "jobs.json").write_text(json.dumps(told))
    script = folder / "read.py"
    script.write_text(READ)
    subprocess.run([peer_python, script, folder / "jobs.json"], check=True, timeout=280)
    return folder


NAMES = [*REAL, "made_imec0.ap", "made_nidq", "legacy", "mda"]


@pytest.mark.parametrize("name", NAMES)
def test_both_read_the_same(jobs, theirs, name):
    function, path, kwargs = jobs[1][name]
    failed = theirs / f"{name}.failed"
    assert not failed.exists(), failed.read_text()
    known = np.load(theirs / f"{name}.npz")
    recording = getattr(si, function)(path, **kwargs)
    assert recording.channel_ids.astype(str).tolist() == known["ids"].tolist()
    assert recording.sampling_frequency == pytest.approx(float(known["rate"]))
    assert recording.get_num_segments() == known["n_segments"]
    starts = [recording.get_start_time(k) for k in range(recording.get_num_segments())]
    np.testing.assert_allclose(starts, known["starts"])
    for k in range(recording.get_num_segments()):
        np.testing.assert_array_equal(recording.get_traces(k), known[f"traces{k}"])
        if recording.has_scaleable_traces():
            mine = recording.get_traces(k, end_frame=100, return_in_uV=True)
            np.testing.assert_allclose(mine, known[f"uV{k}"], rtol=1e-5)
    if recording.has_scaleable_traces():
        np.testing.assert_allclose(recording.get_channel_gains(), known["gains"])
        np.testing.assert_allclose(recording.get_channel_offsets(), known["offsets"])
    assert recording.has_probe() == ("positions" in known)
    if "positions" in known:
        np.testing.assert_allclose(recording.get_channel_locations(), known["positions"])
        assert recording.get_property("group").astype(str).tolist() == known["groups"].tolist()
    if "shifts" in known:
        np.testing.assert_allclose(recording.get_property("inter_sample_shift"), known["shifts"])


@pytest.mark.parametrize("name", NAMES)
def test_their_files_load_here(jobs, theirs, name):
    function, path, kwargs = jobs[1][name]
    recording = load(theirs / f"{name}.json")
    mine = getattr(si, function)(path, **kwargs)
    assert type(recording) is type(mine)
    np.testing.assert_array_equal(recording.get_traces(0), mine.get_traces(0))


LOAD = """
import sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface.full as si

for path in sorted(Path(sys.argv[1]).glob("*.json")):
    recording = si.load(path)
    np.save(path.with_suffix(".npy"), recording.get_traces(0))
"""


def test_our_files_load_there(jobs, tmp_path, peer_python):
    for name in NAMES:
        function, path, kwargs = jobs[1][name]
        getattr(si, function)(path, **kwargs).dump(tmp_path / f"{name}.json")
    script = tmp_path / "load.py"
    script.write_text(LOAD)
    done = subprocess.run(
        [peer_python, script, tmp_path], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name in NAMES:
        function, path, kwargs = jobs[1][name]
        mine = getattr(si, function)(path, **kwargs).get_traces(0)
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), mine)
