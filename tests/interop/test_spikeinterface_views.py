"""What views of recordings write down, SpikeInterface reads; what it writes down, we read."""

import json
import subprocess

import numpy as np
import pytest
from probeinterface import generate_linear_probe

from spikeloom.core.base import BaseExtractor
from spikeloom.core.binary import BinaryRecordingExtractor
from spikeloom.core.channel_aggregation import aggregate_channels
from spikeloom.core.segments import append_recordings, concatenate_recordings
from spikeloom.storage.provenance_json import to_plain

pytestmark = pytest.mark.peer

READ = """
import json, sys, warnings
warnings.simplefilter("ignore")
import spikeinterface as si

answers = {}
for name, description in json.load(open(sys.argv[1])).items():
    recording = si.load(description, base_folder=sys.argv[3])
    answers[name] = {
        "class": type(recording).__name__,
        "channel_ids": recording.channel_ids.tolist(),
        "dtype": recording.dtype.str,
        "traces": [recording.get_traces(k).tolist() for k in range(recording.get_num_segments())],
        "times": [recording.get_times(k).tolist() for k in range(recording.get_num_segments())],
        "locations": recording.get_channel_locations().tolist() if recording.has_probe() else None,
        "key": None,
    }
    key = recording.get_property("aggregation_key")
    if key is not None:
        answers[name]["key"] = key.tolist()
json.dump(answers, open(sys.argv[2], "w"))
"""

WRITE = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface as si
from spikeinterface.core.core_tools import SIJsonEncoder
from spikeinterface.preprocessing import astype

one, two = (
    si.read_binary(paths, 8.0, "int16", num_channels=3, channel_ids=["a", "b", "c"],
                   gain_to_uV=0.5, offset_to_uV=1.0)
    for paths in ([sys.argv[1] + "/0.raw"], [sys.argv[1] + "/0.raw", sys.argv[1] + "/1.raw"])
)
views = {
    "channels": two.select_channels(["c", "a"]),
    "names": two.rename_channels([7, 8, 9]),
    "frames": one.frame_slice(2, 6),
    "aggregated": si.aggregate_channels({"x": one, "y": one}),
    "appended": si.append_recordings([two, one]),
    "concatenated": si.concatenate_recordings([two, one]),
    "selected": two.select_segments([1]),
    "type": astype(two, "float32"),
    "sum": two + two,
    "difference": two - two,
}
answers = {}
for name, view in views.items():
    answers[name] = {
        "description": view.to_dict(recursive=True, include_properties=True),
        "channel_ids": view.channel_ids,
        "traces": [view.get_traces(k) for k in range(view.get_num_segments())],
        "times": [view.get_times(k) for k in range(view.get_num_segments())],
    }
json.dump(answers, open(sys.argv[2], "w"), cls=SIJsonEncoder)
"""


def ask(peer_python, code, *arguments):
    done = subprocess.run(
        [peer_python, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def folder(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    rng = np.random.default_rng(0)
    for k, n_samples in enumerate((10, 4)):
        rng.integers(-99, 99, (n_samples, 3)).astype("int16").tofile(data / f"{k}.raw")
    return data


def views_of(folder):
    one, two = (
        BinaryRecordingExtractor(
            [folder / f"{k}.raw" for k in range(n)], 8.0, "int16", 3, channel_ids=list("abc")
        )
        for n in (1, 2)
    )
    for recording in (one, two):
        probe = generate_linear_probe(num_elec=3, ypitch=20)
        probe.set_device_channel_indices([2, 0, 1])
        recording.set_probe(probe)
        recording.set_channel_gains(0.5)
        recording.set_channel_offsets(0.0)
    late = one.clone()
    late.shift_times(50.0)
    vector = one.clone()
    vector.set_times(np.cumsum(np.arange(10.0)))
    return {
        "channels": two.select_channels(["c", "a"]),
        "channels of channels": two.select_channels(["c", "a"]).select_channels(["a"]),
        "names": two.rename_channels([7, 8, 9]),
        "frames": one.frame_slice(2, 6).frame_slice(1, 3),
        "frames with times": vector.frame_slice(2, 6),
        "seconds": late.time_slice(50.5, 51.0),
        "aggregated": aggregate_channels({5: one, 3: one.rename_channels(list("def"))}),
        "appended": append_recordings([two, late]),
        "selected": two.select_segments(np.int64(1)),
        "selected twice": append_recordings([two, late]).select_segments([2, 0]),
        "concatenated": concatenate_recordings([two, one]),
        "type": two.astype("float32"),
        "sum": two + two,
        "difference": two - two.select_channels(["a", "b", "c"]),
    }


@pytest.mark.parametrize("is_relative", [False, True])
def test_spikeinterface_reads_what_we_write_down(peer_python, tmp_path, folder, is_relative):
    views = views_of(folder)
    described = {
        name: to_plain(view.to_dict(recursive=True, relative_to=tmp_path if is_relative else None))
        for name, view in views.items()
    }
    (tmp_path / "asked.json").write_text(json.dumps(described))
    ask(peer_python, READ, tmp_path / "asked.json", tmp_path / "answer.json", tmp_path)
    answers = json.loads((tmp_path / "answer.json").read_text())
    for name, view in views.items():
        answer = answers[name]
        assert answer["class"] == described[name]["class"].rpartition(".")[2]
        assert answer["channel_ids"] == view.channel_ids.tolist()
        assert answer["dtype"] == view.dtype.str
        assert len(answer["traces"]) == view.get_num_segments()
        for k, (traces, times) in enumerate(zip(answer["traces"], answer["times"], strict=True)):
            assert traces == view.get_traces(k).tolist(), name
            np.testing.assert_allclose(times, view.get_times(k), rtol=1e-12, err_msg=name)
        assert answer["locations"] == view.get_channel_locations().tolist(), name
    assert answers["aggregated"]["key"] == [5, 5, 5, 3, 3, 3]


def test_times_that_only_we_keep_do_not_stop_spikeinterface(peer_python, tmp_path, folder):
    one = BinaryRecordingExtractor(folder / "0.raw", 8.0, "int16", 3)
    late = one.clone()
    one.shift_times(1.0)
    late.shift_times(50.0)
    whole = concatenate_recordings([one, late])
    assert whole.get_end_time() == 50 + 9 / 8
    described = to_plain(whole.to_dict(recursive=True))
    assert BaseExtractor.from_dict(described).get_end_time() == 50 + 9 / 8
    (tmp_path / "asked.json").write_text(json.dumps({"whole": described}))
    ask(peer_python, READ, tmp_path / "asked.json", tmp_path / "answer.json", tmp_path)
    answer = json.loads((tmp_path / "answer.json").read_text())["whole"]
    assert answer["traces"] == [whole.get_traces().tolist()]


def test_we_read_what_spikeinterface_writes_down(peer_python, tmp_path, folder):
    ask(peer_python, WRITE, folder, tmp_path / "answer.json")
    answers = json.loads((tmp_path / "answer.json").read_text())
    assert len(answers) == 10
    for name, answer in answers.items():
        view = BaseExtractor.from_dict(answer["description"])
        assert view.channel_ids.tolist() == answer["channel_ids"], name
        assert view.get_num_segments() == len(answer["traces"])
        for k, traces in enumerate(answer["traces"]):
            assert view.get_traces(k).tolist() == traces, name
            np.testing.assert_allclose(view.get_times(k), answer["times"][k], rtol=1e-12)
    description = answers["aggregated"]["description"]
    again = BaseExtractor.from_dict(description)
    assert again.get_property("aggregation_key").tolist() == ["x"] * 3 + ["y"] * 3
