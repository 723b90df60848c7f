import json
import subprocess

import numpy as np
import pytest

import spikeloom as si
from making.neuroscope_files import RATE, make_neuroscope, write_clusters
from spikeloom.errors import DataError, MissingFileError, ParameterError

GROUPS = {
    1: ([5, 9, 20, 21, 30, 44], [2, 0, 1, 2, 3, 2]),
    2: ([7, 8, 400], [5, 1, 5]),
    10: ([], []),
}
"""Samples and clusters of the spikes of each electrode group."""


@pytest.fixture
def folder(tmp_path):
    make_neuroscope(tmp_path / "x")
    for group, (samples, clusters) in GROUPS.items():
        write_clusters(tmp_path / "x", "x", group, samples, clusters)
    return tmp_path / "x"


def trains_of(sorting):
    return {unit: sorting.get_unit_spike_train(unit).tolist() for unit in sorting.unit_ids.tolist()}


def test_all_groups_of_a_folder(folder, tmp_path):
    sorting = si.read_neuroscope_sorting(folder)
    assert sorting.sampling_frequency == RATE
    assert trains_of(sorting) == {2: [20], 3: [5, 21, 44], 4: [30], 5: [8], 6: [7, 400]}
    assert sorting.get_property("group").tolist() == [1, 1, 1, 2, 2]
    assert sorting.get_property("original_cluster_id").tolist() == [1, 2, 3, 1, 5]
    qualities = ["mua", "sorted", "sorted", "mua", "sorted"]
    assert sorting.get_property("quality").tolist() == qualities
    sorting.dump(tmp_path / "x.json")
    again = si.load(tmp_path / "x.json")
    assert type(again) is type(sorting)
    assert trains_of(again) == trains_of(sorting)


def test_what_is_left_out(folder):
    assert list(trains_of(si.read_neuroscope_sorting(folder, keep_mua_units=False))) == [3, 4, 6]
    assert list(trains_of(si.read_neuroscope_sorting(folder, exclude_shanks=[1]))) == [1, 2]
    assert si.read_neuroscope_sorting(folder, exclude_shanks=[1, 2]).get_num_units() == 0


def test_one_pair(folder, tmp_path):
    paths = {"resfile_path": folder / "x.res.2", "clufile_path": folder / "x.clu.2"}
    sorting = si.read_neuroscope_sorting(**paths)
    assert trains_of(sorting) == {1: [8], 2: [7, 400]}
    sorting.dump(tmp_path / "x.json")
    assert trains_of(si.load(tmp_path / "x.json")) == trains_of(sorting)
    for path in paths.values():
        assert trains_of(si.read(path)) == trains_of(sorting)


def test_recognised_by_its_files(folder):
    assert isinstance(si.read(folder, kind="sorting"), si.NeuroScopeSortingExtractor)
    assert isinstance(si.read(folder / "x.xml"), si.NeuroScopeRecordingExtractor)


def test_a_session(folder):
    recording = si.read_neuroscope(folder / "x.xml")
    assert isinstance(recording, si.NeuroScopeRecordingExtractor)
    recording, sorting = si.read_neuroscope(folder / "x.xml", load_sorting=True)
    assert recording.get_num_channels() == 5
    assert list(trains_of(sorting)) == [3, 4, 6]
    only = si.read_neuroscope(folder / "x.xml", load_recording=False, load_sorting=True)
    assert isinstance(only, si.NeuroScopeSortingExtractor)
    with pytest.raises(ParameterError, match="Ask for something"):
        si.read_neuroscope(folder / "x.xml", load_recording=False)
    traces = si.read_neuroscope_recording(folder / "x.dat", folder / "x.xml")
    np.testing.assert_array_equal(traces.get_traces(), recording.get_traces())


def test_arguments_that_make_no_sense(folder):
    for given in ({}, {"folder_path": folder, "resfile_path": "x"}, {"clufile_path": "x"}):
        with pytest.raises(ParameterError, match="either folder_path, or both"):
            si.read_neuroscope_sorting(**given)
    (folder / "y.xml").write_text("<a/>")
    with pytest.raises(ParameterError, match=r"2 \.xml files"):
        si.read_neuroscope_sorting(folder)
    with pytest.raises(DataError, match="sampling frequency must be"):
        si.read_neuroscope_sorting(folder, xml_file_path=folder / "y.xml")
    assert si.read_neuroscope_sorting(folder, xml_file_path=folder / "x.xml").get_num_units() == 5


def test_files_that_are_missing(folder):
    with pytest.raises(MissingFileError, match="no folder"):
        si.read_neuroscope_sorting(folder / "absent")
    (folder / "x.clu.2").unlink()
    with pytest.raises(MissingFileError, match=r"x\.res\.2 lacks its \.clu file"):
        si.read_neuroscope_sorting(folder)
    for path in folder.glob("*.*.*"):
        path.unlink()
    with pytest.raises(MissingFileError, match=r"no \.res and \.clu files"):
        si.read_neuroscope_sorting(folder)


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("x.clu.2", "2\n5\n1\n", "has 3 numbers"),
        ("x.clu.2", "2\n5\nx\n5\n", "whole number in each line"),
        ("x.clu.2", "2\n5\n1.5\n5\n", "whole number in each line"),
        ("x.res.2", "7\n99999999999999999999\n400\n", "whole number in each line"),
        ("x.res.2", "7 1\n8 1\n400 1\n", "2 numbers in each line"),
        ("x.res.2", "-7\n8\n400\n", "before the recording, at -7"),
        ("x.xml", "<parameters", "no XML file"),
        ("x.xml", "<a><acquisitionSystem/></a>", "sampling frequency must be"),
    ],
)
def test_files_that_are_damaged(folder, name, text, match):
    (folder / name).write_text(text)
    with pytest.raises(DataError, match=match):
        si.read_neuroscope_sorting(folder)


THEIRS = """
import json, sys, types, warnings
from xml.etree import ElementTree
warnings.simplefilter("ignore")
try:
    import lxml
except ImportError:  # the standard library reads these settings as well
    sys.modules["lxml"] = types.ModuleType("lxml")
    sys.modules["lxml"].etree = ElementTree
import spikeinterface.extractors as se
from spikeinterface.core import load

folder, ours, dumped = sys.argv[1:]
answers = []
for kwargs in ({}, {"keep_mua_units": False}, {"exclude_shanks": [1]}):
    answers.append(se.read_neuroscope_sorting(folder, **kwargs))
answers[0].dump_to_json(dumped)
answers.append(load(ours))
print(json.dumps([
    [s.get_sampling_frequency(), s.get_property("group").tolist(),
     {str(u): s.get_unit_spike_train(u).tolist() for u in s.unit_ids}]
    for s in answers
]))
"""


@pytest.mark.peer
def test_what_spikeinterface_reads(folder, tmp_path, peer_python):
    sorting = si.read_neuroscope_sorting(folder)
    sorting.dump(tmp_path / "ours.json")
    arguments = [folder, tmp_path / "ours.json", tmp_path / "theirs.json"]
    done = subprocess.run(
        [peer_python, "-c", THEIRS, *arguments], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    mine = [
        sorting,
        si.read_neuroscope_sorting(folder, keep_mua_units=False),
        si.read_neuroscope_sorting(folder, exclude_shanks=[1]),
        sorting,
    ]
    for one, theirs in zip(mine, json.loads(done.stdout), strict=True):
        trains = {str(unit): train for unit, train in trains_of(one).items()}
        assert [one.sampling_frequency, one.get_property("group").tolist(), trains] == theirs
    assert trains_of(si.load(tmp_path / "theirs.json")) == trains_of(sorting)
