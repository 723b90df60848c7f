import json
import subprocess

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.rig_files import sinaps_traces, write_sinaps, write_sinaps_hdf5
from spikeloom.errors import DataError, MissingFileError, ParameterError

MIDDLE = 2048


@pytest.fixture(params=["flat", "hdf5"])
def path(request, tmp_path):
    if request.param == "flat":
        return write_sinaps(tmp_path)
    return write_sinaps_hdf5(tmp_path / "rec.h5")


def read(path, *args):
    is_hdf5 = path.suffix == ".h5"
    return (si.read_sinaps_research_platform_h5 if is_hdf5 else si.read_sinaps_research_platform)(
        path, *args
    )


@pytest.mark.parametrize(("stream", "gain"), [("filt", 4.5), ("raw", 4.5), ("aux", 100.0)])
def test_streams(path, tmp_path, stream, gain):
    recording = read(path, stream)
    expected = sinaps_traces()[stream].astype(int) - MIDDLE
    assert recording.get_dtype() == np.int16
    assert recording.get_traces().dtype == np.int16
    np.testing.assert_array_equal(recording.get_traces(), expected)
    np.testing.assert_array_equal(recording.get_traces(0, 7, 200, [2, 0]), expected[7:200, [2, 0]])
    np.testing.assert_array_equal(recording.get_channel_gains(), gain)
    np.testing.assert_array_equal(recording.get_channel_offsets(), 0)
    assert recording.sampling_frequency == 20_000
    assert recording.channel_ids.tolist() == list(range(expected.shape[1]))
    assert recording.get_annotation("probe_type") == "p4s1"
    recording.dump(tmp_path / "x.json")
    again = si.load(tmp_path / "x.json")
    assert type(again) is type(recording)
    np.testing.assert_array_equal(again.get_traces(), expected)


def test_recognised_by_content(path):
    assert type(si.read(path)) is type(read(path))
    aux = si.read(path, stream_name="aux")
    assert aux.get_num_channels() == 3


def test_no_such_stream(path):
    with pytest.raises(ParameterError, match="stream_name must be one of filt, raw, aux"):
        read(path, "lfp")


def test_other_flat_files_hold_raw_traces(tmp_path):
    recording = si.read_sinaps_research_platform(write_sinaps(tmp_path, suffix=".dat"))
    np.testing.assert_array_equal(
        recording.get_traces(), sinaps_traces()["raw"].astype(int) - MIDDLE
    )


def test_signed_values_stay(tmp_path):
    path = write_sinaps(tmp_path, voltageDataType="'int16'")
    recording = si.read_sinaps_research_platform(path, "raw")
    np.testing.assert_array_equal(recording.get_traces(), sinaps_traces()["raw"])


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"nbElectrodes": 0}, "nbElectrodes must be from 1"),
        ({"nbElectrodes": 4.5}, "nbElectrodes must be from 1"),
        ({"nbElectrodes": "__import__('os')"}, "nbElectrodes must be a number"),
        ({"numberUserAUX": -1}, "numberUserAUX must be from 0"),
        ({"samplingFreq": 0}, "sampling frequency must be"),
        ({"nbADCLevels": 1}, "nbADCLevels must be from 2"),
        ({"voltageConverter": ""}, "voltageConverter must be a number"),
        ({"voltageConverter": "1e200"}, "beyond all gains"),
        ({"voltageDataType": "object"}, "voltageDataType must be one of"),
    ],
)
def test_settings_that_make_no_sense(tmp_path, settings, match):
    with pytest.raises(DataError, match=match):
        si.read_sinaps_research_platform(write_sinaps(tmp_path, **settings))


def test_files_that_lack_something(tmp_path):
    path = write_sinaps(tmp_path)
    (tmp_path / "metadata_rec.txt").unlink()
    with pytest.raises(MissingFileError, match=r"metadata_rec\.txt"):
        si.read_sinaps_research_platform(path)
    path = write_sinaps_hdf5(tmp_path / "x.h5")
    for name in ("Parameters/VoltageConverter", "RealTimeProcessedData/FilteredData"):
        with h5py.File(path, "a") as file:
            del file[name]
        with pytest.raises(DataError, match=f"has no {name}"):
            si.read_sinaps_research_platform_h5(path)


THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import spikeinterface.extractors as se
from spikeinterface.extractors import sinapsrecordingextractors as module
from spikeinterface.core import load

module.get_sinaps_probe = lambda kind: None  # it would ask the network for probes
flat, hdf5, folder = sys.argv[1:]
answers = {}
for name in ("filt", "raw", "aux"):
    for kind, one in (
        ("flat", se.read_sinaps_research_platform(flat, name)),
        ("hdf5", se.read_sinaps_research_platform_h5(hdf5, name)),
    ):
        one.dump_to_json(f"{folder}/theirs_{kind}_{name}.json")
        answers[f"{kind}_{name}"] = {
            "traces": one.get_traces().tolist(), "dtype": str(one.get_dtype()),
            "gains": one.get_channel_gains().tolist(), "ids": one.channel_ids.tolist(),
            "ours": load(f"{folder}/ours_{kind}_{name}.json").get_traces().tolist(),
        }
print(json.dumps(answers))
"""


@pytest.mark.peer
def test_what_spikeinterface_reads(tmp_path, peer_python):
    # It reads "4,5" as 4.5, too, but by running the text.
    paths = {"flat": write_sinaps(tmp_path), "hdf5": write_sinaps_hdf5(tmp_path / "rec.h5")}
    mine = {}
    for kind, path in paths.items():
        for name in ("filt", "raw", "aux"):
            mine[f"{kind}_{name}"] = read(path, name)
            mine[f"{kind}_{name}"].dump(tmp_path / f"ours_{kind}_{name}.json")
    done = subprocess.run(
        [peer_python, "-c", THEIRS, *paths.values(), tmp_path],
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = json.loads(done.stdout)
    for name, recording in mine.items():
        assert theirs[name]["traces"] == theirs[name]["ours"] == recording.get_traces().tolist()
        assert theirs[name]["dtype"] == str(recording.get_dtype())
        assert theirs[name]["gains"] == recording.get_channel_gains().tolist()
        assert theirs[name]["ids"] == recording.channel_ids.tolist()
        loaded = si.load(tmp_path / f"theirs_{name}.json")
        assert type(loaded) is type(recording)
        np.testing.assert_array_equal(loaded.get_traces(), recording.get_traces())
