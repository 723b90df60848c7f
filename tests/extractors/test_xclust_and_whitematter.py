import json
import subprocess

import numpy as np
import pytest

import spikeloom as si
from making.recording_files import random_traces
from making.rig_files import write_xclust
from spikeloom.errors import DataError, MissingFileError, ParameterError

RATE = 32_000.0
TRAINS = {1: [10, 40, 900], 12: [5, 2000, 2000], 3: [7]}


def trains_of(sorting):
    return {unit: sorting.get_unit_spike_train(unit).tolist() for unit in sorting.unit_ids.tolist()}


def test_a_folder_of_clusters(tmp_path):
    folder = write_xclust(tmp_path / "x", TRAINS, rate=RATE)
    sorting = si.read_xclust(folder, sampling_frequency=RATE)
    assert trains_of(sorting) == {f"S_{k}": train for k, train in TRAINS.items()}
    ids = sorting.unit_ids.tolist()
    assert ids == ["S_1", "S_12", "S_3"]  # in the order of the names of files
    assert sorting.get_property("unit_name").tolist()[1] == "S_cluster_12"
    assert sorting.get_property("cluster_id").tolist() == ["1", "12", "3"]
    sorting.dump(tmp_path / "x.json")
    assert trains_of(si.load(tmp_path / "x.json")) == trains_of(sorting)
    assert trains_of(si.read(folder, sampling_frequency=RATE)) == trains_of(sorting)


def test_listed_files(tmp_path):
    folder = write_xclust(tmp_path / "x", TRAINS, rate=RATE)
    one = si.read_xclust(file_path_list=[folder / "S~3.CEL"], sampling_frequency=RATE)
    assert trains_of(one) == {"S_3": [7]}
    assert trains_of(si.read(folder / "S~3.CEL", sampling_frequency=RATE)) == {"S_3": [7]}
    one.dump(tmp_path / "x.json")
    assert trains_of(si.load(tmp_path / "x.json")) == {"S_3": [7]}


def test_a_cluster_without_spikes(tmp_path):
    folder = write_xclust(tmp_path / "x", {1: []}, rate=RATE)
    assert trains_of(si.read_xclust(folder, sampling_frequency=RATE)) == {"S_1": []}


def test_arguments_that_make_no_sense(tmp_path):
    folder = write_xclust(tmp_path / "x", TRAINS, rate=RATE)
    for given in ({}, {"folder_path": folder, "file_path_list": [folder / "S~1.CEL"]}):
        with pytest.raises(ParameterError, match="either folder_path, or file_path_list"):
            si.read_xclust(**given, sampling_frequency=RATE)
    with pytest.raises(ParameterError, match="give sampling_frequency"):
        si.read_xclust(folder)
    with pytest.raises(MissingFileError, match=r"no \.CEL files"):
        si.read_xclust(tmp_path, sampling_frequency=RATE)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("%%BEGINHEADER", "no", "does not begin with a header"),
        ("%%ENDHEADER", "no", "does not begin with a header"),
        ("% Cluster: 3", "% Clutter: 3", "must tell Cluster"),
        ("time", "thyme", "Fields with time"),
        ("id time", "id a b c time", "has 3 columns"),
        ("0.0002", "x", "not a table of numbers"),
    ],
)
def test_files_that_are_damaged(tmp_path, old, new, match):
    folder = write_xclust(tmp_path / "x", TRAINS, rate=RATE)
    path = folder / "S~3.CEL"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=match):
        si.read_xclust(folder, sampling_frequency=RATE)


def test_two_files_of_one_unit(tmp_path):
    folder = write_xclust(tmp_path / "x", TRAINS, rate=RATE)
    (folder / "S_3.CEL").write_bytes((folder / "S~3.CEL").read_bytes())
    with pytest.raises(DataError, match="two files of one unit"):
        si.read_xclust(folder, sampling_frequency=RATE)


def write_whitematter(path, traces):
    path.write_bytes(b"header!!" + traces.tobytes())
    return path


def test_a_file_of_white_matter(tmp_path):
    traces = random_traces(500, 6)
    path = write_whitematter(tmp_path / "x.bin", traces)
    recording = si.read_whitematter(path, 25_000.0, 6, channel_ids=list("abcdef"))
    np.testing.assert_array_equal(recording.get_traces(), traces)
    np.testing.assert_allclose(recording.get_channel_gains(), 0.190734863)
    assert recording.channel_ids.tolist() == list("abcdef")
    recording.dump(tmp_path / "x.json")
    again = si.load(tmp_path / "x.json")
    assert type(again) is type(recording)
    np.testing.assert_array_equal(again.get_traces(), traces)
    named = si.read(
        path, reader="whitematter", sampling_frequency=1e4, num_channels=6, gain_to_uV=305.0
    )
    np.testing.assert_allclose(named.get_channel_gains(), 305.0)
    with pytest.raises(MissingFileError):
        si.read_whitematter(tmp_path / "absent.bin", 1e4, 6)


THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import spikeinterface.extractors as se
from spikeinterface.core import load

cel, bin, folder = sys.argv[1:]
sorting = se.read_xclust(cel, sampling_frequency=32000.0)
recording = se.read_whitematter(bin, 25000.0, 6)
sorting.dump_to_json(f"{folder}/theirs_s.json")
recording.dump_to_json(f"{folder}/theirs_r.json")
def trains(one):
    return {str(u): one.get_unit_spike_train(u).tolist() for u in one.unit_ids}
print(json.dumps({
    "trains": trains(sorting), "ours": trains(load(f"{folder}/ours_s.json")),
    "names": sorting.get_property("unit_name").tolist(),
    "clusters": sorting.get_property("cluster_id").tolist(),
    "traces": recording.get_traces().tolist(), "gains": recording.get_channel_gains().tolist(),
    "ids": recording.channel_ids.tolist(),
    "our traces": load(f"{folder}/ours_r.json").get_traces().tolist(),
}))
"""


@pytest.mark.peer
def test_what_spikeinterface_reads(tmp_path, peer_python):
    # It drops all but one of several spikes at the same sample.
    trains = TRAINS | {12: [5, 2000]}
    folder = write_xclust(tmp_path / "x", trains, rate=RATE)
    path = write_whitematter(tmp_path / "x.bin", random_traces(300, 6))
    sorting = si.read_xclust(folder, sampling_frequency=RATE)
    recording = si.read_whitematter(path, 25_000.0, 6)
    sorting.dump(tmp_path / "ours_s.json")
    recording.dump(tmp_path / "ours_r.json")
    done = subprocess.run(
        [peer_python, "-c", THEIRS, folder, path, tmp_path],
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = json.loads(done.stdout)
    assert theirs["trains"] == theirs["ours"] == trains_of(sorting)
    assert theirs["names"] == sorting.get_property("unit_name").tolist()
    assert theirs["clusters"] == sorting.get_property("cluster_id").tolist()
    assert theirs["traces"] == theirs["our traces"] == recording.get_traces().tolist()
    assert theirs["gains"] == recording.get_channel_gains().tolist()
    assert theirs["ids"] == recording.channel_ids.tolist()
    assert trains_of(si.load(tmp_path / "theirs_s.json")) == trains_of(sorting)
    loaded = si.load(tmp_path / "theirs_r.json")
    np.testing.assert_array_equal(loaded.get_traces(), recording.get_traces())
