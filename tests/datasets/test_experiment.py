"""Experiments: metadata, aliases, arrays, parameters, and no way out of the folder."""

import json
import os
import shutil

import numpy as np
import pytest

import spikeloom as si
from making.crashes import die_at_each_line
from making.hashes import folder_state
from spikeloom.datasets.experiment import _read_array, _write_array
from spikeloom.datasets.experiment_creation import (
    create_experiment,
    experiment_problems,
)
from spikeloom.errors import (
    DataError,
    MissingFileError,
    ParameterError,
    ReadError,
    SpikeloomError,
    WriteError,
)
from spikeloom.storage import atomic

SPIKES = np.array([35, 795, 812, 2_398_670], np.uint64)


@pytest.fixture
def root(tmp_path):
    """A folder of raw data and arrays, with a metadata file."""
    root = tmp_path / "20160101"
    group = root / "main" / "0"
    group.mkdir(parents=True)
    (root / "test" / "0").mkdir(parents=True)
    np.save(group / "spike_times.npy", SPIKES)
    np.save(group / "spike_clusters.npy", np.array([1, 2, 1, 3], np.int32))
    np.save(root / "test" / "0" / "spike_times.npy", SPIKES[:2])
    np.save(root / "test" / "0" / "only_here.npy", SPIKES[:1])
    (group / "params.json").write_text('{"raw_files": ["20160101_2.dat"], "note": {"a": 1}}')
    (group / "clusters.json").write_text('{"1": {"group": "good"}}')
    np.arange(400, dtype="<i2").tofile(root / "20160101_2.dat")
    (group / "raw_1.dat").symlink_to("../../20160101_2.dat")
    (root / "params.prm").write_text(
        "experiment_name = '20160101'\n"
        "prb_file = 'tetrode'\n"
        "traces = dict(raw_data_files=[experiment_name + '_2.dat'], sample_rate=20000.,\n"
        "              n_channels=4, dtype='int16')\n"
    )
    (root / "tetrode.prb").write_text("channel_groups = {0: {'channels': list(range(4))}}\n")
    metadata = {
        "format": "spikeloom-experiment",
        "version": 1,
        "raw_files": ["20160101_2.dat"],
        "arrays": {
            "bad_channels": [3, 5],
            "times": {"path": "main/0/spike_times.npy", "unit": "samples"},
        },
        "user": {"rat": 7},
    }
    (root / "metadata.json").write_text(json.dumps(metadata))
    return root


@pytest.fixture
def exp(root):
    return si.Experiment(root / "metadata.json")


# --- the requirement, example by example ---------------------------------------------------------


def test_the_examples_of_the_requirement(exp, root):
    assert exp.base_dir == root
    assert exp.metadata["user"] == {"rat": 7}
    np.testing.assert_array_equal(exp.read_array("0/spike_times"), SPIKES)
    np.testing.assert_array_equal(exp.read_array("main/0/spike_times.npy"), SPIKES)
    assert exp._resolve_alias("0/spike_times") == "main/0/spike_times.npy"
    assert exp.read_metadata("0/params")["note"] == {"a": 1}
    assert exp.read_metadata("main/0/clusters.json") == {"1": {"group": "good"}}
    exp.write_array("0/spike_times", SPIKES[:3])
    np.testing.assert_array_equal(np.load(root / "main/0/spike_times.npy"), SPIKES[:3])
    exp.write_metadata("0/clusters", {"2": {"group": "mua"}})
    assert exp.read_metadata("0/clusters") == {"1": {"group": "good"}, "2": {"group": "mua"}}
    _write_array(root / "x.npy", SPIKES)
    np.testing.assert_array_equal(_read_array(root / "x.npy"), SPIKES)


def test_aliases(exp):
    np.testing.assert_array_equal(exp.read_array("times"), SPIKES)
    assert exp._resolve_alias("times") == "main/0/spike_times.npy"
    np.testing.assert_array_equal(exp.read_array("bad_channels"), [3, 5])
    np.testing.assert_array_equal(exp.read_array("test/0/spike_times"), SPIKES[:2])
    assert exp._resolve_alias("test/0/only_here") == "test/0/only_here.npy"
    assert exp._resolve_alias("0/raw_1") == "main/0/raw_1.dat"
    with pytest.raises(ParameterError, match=r"list in metadata\.json"):
        exp._resolve_alias("bad_channels")
    with pytest.raises(MissingFileError, match=r"main/0/only_here\.\* or 0/only_here\.\*"):
        exp.read_array("0/only_here")


def test_an_alias_of_several_files_asks_for_the_path(exp):
    exp.write_array("main/0/spike_times.txt", SPIKES)
    with pytest.raises(ParameterError, match=r"spike_times\.npy or main/0/spike_times\.txt"):
        exp.read_array("0/spike_times")
    np.testing.assert_array_equal(exp.read_array("0/spike_times.txt"), SPIKES)


def test_raw_data_through_a_link_with_what_the_parameters_say(exp, root):
    raw = exp.read_array("0/raw_1")
    assert raw.shape == (100, 4)
    np.testing.assert_array_equal(np.asarray(raw), np.arange(400).reshape(100, 4))
    traces = exp.read_traces()
    assert traces.sampling_frequency == 20_000
    assert traces.has_probe()
    with pytest.raises(ParameterError, match=r"Raw data are never"):
        exp.write_array("0/raw_1", np.zeros(3))
    assert (root / "20160101_2.dat").stat().st_size == 800


def test_neo_formats_are_read_through_links_to_elsewhere(data_folder, tmp_path):
    root = tmp_path / "exp"
    exp = create_experiment(root, [data_folder / "blackrock_repack" / "rat128.ns5"])
    assert (root / "rat128.ns5").is_symlink()
    assert (root / "main" / "0" / "raw_0.ns5").readlink().as_posix() == "../../rat128.ns5"
    assert exp.read_array("0/raw_0").shape == (10_000, 128)
    assert exp.read_traces().get_num_channels() == 128
    assert experiment_problems(root) == []


def test_raw_files_are_named_from_the_folder_as_well(data_folder, tmp_path):
    np.zeros(1280, np.int16).tofile(tmp_path / "b.dat")
    exp = create_experiment(tmp_path, [data_folder / "blackrock_repack/rat128.ns5", "b.dat"])
    assert exp.metadata["raw_files"] == ["rat128.ns5", "b.dat"]
    assert exp.read_traces().get_num_samples() == 10_010
    # What nothing says is told.
    assert "n_channels 128, dtype int16" in exp.describe()["Assumed"]
    with pytest.raises(MissingFileError, match=r"absent\.dat, here or in .*new"):
        create_experiment(tmp_path / "new", ["absent.dat"])


# --- parameters ----------------------------------------------------------------------------------


def test_parameters_and_probe_are_read_once_and_kept_in_one_place(exp, root):
    assert exp.params["traces"]["n_channels"] == 4
    assert exp.probe.get_contact_count() == 4
    (root / "params.prm").unlink()
    (root / "tetrode.prb").unlink()
    assert exp.params["experiment_name"] == "20160101"
    assert exp.probe.get_contact_count() == 4
    assert "traces" not in json.loads((root / "metadata.json").read_text())


def test_the_real_parameters_of_klusta(data_folder, tmp_path):
    for path in (data_folder / "kwik_hybrid10s").glob("*.pr?"):
        shutil.copy(path, tmp_path)
    exp = si.Experiment(metadata_dict={}, base_dir=tmp_path)
    assert exp.params["traces"]["n_channels"] == 32
    assert exp.params["spikedetekt"]["threshold_strong_std_factor"] == 4.5
    assert exp.probe.get_contact_count() == 32


def test_code_in_parameters_does_not_run(root):
    made = root / "made"
    (root / "params.prm").write_text(f"open({str(made)!r}, 'w').close()\n")
    with pytest.raises(ReadError, match="line 1"):
        _ = si.Experiment(root).params
    assert not made.exists()


def test_what_the_metadata_say_of_a_file_comes_before_the_parameters(exp, root):
    exp.write_metadata(
        "metadata", {"raw_files": [{"path": "20160101_2.dat", "n_channels": 2, "offset": 400}]}
    )
    assert exp.read_array("20160101_2.dat").shape == (100, 2)
    assert exp.read_array("0/raw_1").shape == (100, 2)


# --- metadata ------------------------------------------------------------------------------------


def test_opening_and_reading_change_nothing(exp, root):
    before = folder_state(root)
    si.Experiment(root)
    exp.read_array("0/raw_1")
    exp.describe()
    experiment_problems(root)
    assert folder_state(root) == before


def test_metadata_are_updated_and_saved(exp, root):
    exp.write_metadata("metadata", {"name": "rat 7"})
    assert exp.metadata["name"] == "rat 7"
    assert exp.metadata["user"] == {"rat": 7}
    assert si.Experiment(root).metadata == exp.metadata
    exp.metadata["user"]["rat"] = 8
    exp.write_metadata()
    assert si.Experiment(root).metadata["user"] == {"rat": 8}
    exp.write_metadata("0/new", {"a": 1})
    assert (root / "main" / "0" / "new.json").is_file()


def test_metadata_that_break_the_schema_are_not_written(exp, root):
    before = folder_state(root)
    with pytest.raises(DataError, match=r"arrays\['x'\]: 5 is not an array"):
        exp.write_metadata("metadata", {"arrays": {"x": 5}})
    with pytest.raises(DataError, match="JSON"):
        exp.write_metadata("metadata", {"user": {"x": object()}})
    assert folder_state(root) == before
    assert "times" in exp.metadata["arrays"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"arrays": {"x": {"file": "y"}}}', r"metadata\.json.*\n.*arrays\['x'\]: 'path' is miss"),
        ('{"raw_files": [{"path": "a", "n_channels": 0}]}', r"raw_files\[0\]\.n_channels: 0 is l"),
        ('{"raw_filse": []}', "'raw_filse' is not known here; allowed are format"),
        ("[1]", "holds a list"),
        ("{", "JSON"),
        ('{"user": ' + "[" * 100_000, "JSON|nested"),
    ],
)
def test_where_a_metadata_file_breaks_the_schema_is_told(root, text, told):
    (root / "metadata.json").write_text(text)
    with pytest.raises((DataError, ReadError), match=told):
        si.Experiment(root)


def test_experiments_without_a_file(tmp_path, monkeypatch):
    exp = si.Experiment(metadata_dict={"name": "x"}, base_dir=tmp_path)
    assert not list(tmp_path.iterdir())
    exp.write_array("0/a", [1, 2])
    exp.write_metadata()
    assert si.Experiment(base_dir=tmp_path).read_array("0/a").tolist() == [1, 2]
    monkeypatch.chdir(tmp_path)
    assert si.Experiment().metadata["name"] == "x"
    assert si.Experiment("metadata.json").read_array("0/a").tolist() == [1, 2]
    with pytest.raises(MissingFileError, match="no folder"):
        si.Experiment(metadata_dict={}, base_dir=tmp_path / "absent")
    with pytest.raises(MissingFileError, match=r"metadata\.json"):
        si.Experiment(base_dir=tmp_path / "main")


def test_lists_in_the_metadata_stay_lists(exp, root):
    exp.write_array("bad_channels", np.array([1, 2, 9]))
    assert si.Experiment(root).metadata["arrays"]["bad_channels"] == [1, 2, 9]


@pytest.mark.parametrize(
    ("alias", "place"),
    [
        ("0/new", "main/0/new.npy"),
        ("5/new", "main/5/new.npy"),
        ("main/1/new", "main/1/new.npy"),
        ("test/0/new", "test/0/new.npy"),
        ("test/9/new.tar", "test/9/new.tar"),
        ("new.txt", "new.txt"),
        ("times", "main/0/spike_times.npy"),
    ],
)
def test_where_arrays_are_written(exp, root, alias, place):
    exp.write_array(alias, [1, 2])
    assert (root / place).is_file()
    np.testing.assert_array_equal(np.asarray(exp.read_array(alias)), [1, 2])


# --- no way out ----------------------------------------------------------------------------------

ESCAPES = [
    "../x.npy",
    "/etc/passwd",
    "main/../../x.npy",
    "..",
    "C:/x.npy",
    "a\\..\\b.npy",
    "",
    "\0",
]


@pytest.mark.parametrize("path", [*ESCAPES, f"main/{'x' * 300}.npy"])
def test_paths_do_not_lead_out(exp, root, path):
    before = folder_state(root.parent)
    for run in (
        lambda: exp.read_array(path),
        lambda: exp.write_array(path, [1]),
        lambda: exp.read_metadata(path),
        lambda: exp.write_metadata(path, {}),
    ):
        with pytest.raises(ParameterError, match="below the folder"):
            run()
    assert folder_state(root.parent) == before


@pytest.mark.parametrize("path", ESCAPES)
def test_metadata_cannot_name_paths_that_lead_out(path):
    for metadata in (
        {"arrays": {"x": {"path": path}}},
        {"raw_files": [path]},
        {"raw_files": [{"path": path}]},
        {"params": path},
        {"probe": path},
        {"default": path},
    ):
        with pytest.raises(DataError, match="is not a"):
            si.Experiment(metadata_dict=metadata, base_dir=".")


def test_links_lead_out_for_raw_data_alone(exp, root, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    np.save(secret / "x.npy", SPIKES)
    (secret / "x.json").write_text('{"a": 1}')
    (secret / "id_rsa").write_text("1 2")
    np.zeros(40, np.int16).tofile(secret / "x.dat")
    for name, target in {
        "a.npy": "x.npy",
        "b.json": "x.json",
        "c.txt": "id_rsa",
        "d.dat": "id_rsa",
        "e.dat": "x.json",
        "f.npy": "x.dat",
        "g.dat": "x.dat",
    }.items():
        (root / name).symlink_to(secret / target)
    (root / "folder").symlink_to(secret)
    for name in ("a.npy", "c.txt", "d.dat", "e.dat", "f.npy", "folder/x.npy", "folder/x.dat"):
        with pytest.raises(ParameterError, match="out of the experiment"):
            exp.read_array(name)
    with pytest.raises(ParameterError, match="out of the experiment"):
        exp.read_metadata("b.json")
    assert exp.read_array("g.dat").shape == (10, 4)
    before = folder_state(secret)
    for name in ("a.npy", "c.txt", "folder/y.npy"):
        with pytest.raises(ParameterError, match="link"):
            exp.write_array(name, [1])
    with pytest.raises(ParameterError, match="link"):
        exp.write_metadata("b.json", {"a": 2})
    assert folder_state(secret) == before
    assert (root / "a.npy").is_symlink()


def test_links_inside_are_followed_and_loops_told(exp, root):
    (root / "same.npy").symlink_to("main/0/spike_times.npy")
    np.testing.assert_array_equal(exp.read_array("same.npy"), SPIKES)
    with pytest.raises(ParameterError, match="link"):
        exp.write_array("same.npy", [1])
    (root / "round.npy").symlink_to("round.npy")
    (root / "broken.npy").symlink_to("nothing.npy")
    for name in ("round.npy", "broken.npy"):
        with pytest.raises(SpikeloomError, match=name):
            exp.read_array(name)


def test_a_write_that_fails_leaves_what_was_there(exp, root):
    before = folder_state(root)
    for name in ("0/spike_times", "bad_channels"):
        with pytest.raises(SpikeloomError):
            exp.write_array(name, np.array([object()]))
    (root / "main" / "0").chmod(0o500)
    try:
        if not os.access(root / "main" / "0", os.W_OK):
            with pytest.raises(WriteError, match="spike_times"):
                exp.write_array("0/spike_times", [1])
    finally:
        (root / "main" / "0").chmod(0o755)
    assert folder_state(root) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process that can be forked")
def test_a_crash_while_writing_leaves_the_old_array_or_the_new(exp, root):
    folder = root / "main" / "0"
    exp.write_array("0/big", np.zeros(100))

    def tidy():
        for path in folder.glob(".*.tmp"):
            path.unlink()

    def check(_line):
        found = np.load(folder / "big.npy")
        assert found.shape == (100,)
        assert len(set(found.tolist())) == 1

    n_deaths = die_at_each_line(
        lambda: exp.write_array("0/big", np.ones(100)), [atomic.__file__], check, prepare=tidy
    )
    assert n_deaths > 10
    np.testing.assert_array_equal(exp.read_array("0/big"), np.ones(100))


# --- making, describing, checking ----------------------------------------------------------------


def test_an_experiment_is_made_of_raw_files(data_folder, tmp_path):
    root = tmp_path / "exp"
    root.mkdir()
    inside = root / "session" / "a.dat"
    inside.parent.mkdir()
    np.zeros(80, np.int16).tofile(inside)
    outside = data_folder / "raw_4ch_1s" / "test-4ch-1s.dat"
    flat = {"n_channels": 4, "dtype": "int16", "sample_rate": 20000}
    exp = create_experiment(root, [outside, inside], name="rat 7", flat=flat)
    assert exp.metadata["name"] == "rat 7"
    assert exp.read_metadata("0/params") == {"raw_files": ["test-4ch-1s.dat", "session/a.dat"]}
    assert exp.read_array("0/raw_0").shape == (20_000, 4)
    assert exp.read_array("0/raw_1").shape == (20, 4)
    assert exp.read_traces().get_num_samples() == 20_020
    assert exp.describe()["Channels"] == "4"
    assert experiment_problems(root) == []
    with pytest.raises(ParameterError, match="already"):
        create_experiment(root)
    with pytest.raises(MissingFileError, match=r"absent\.dat"):
        create_experiment(tmp_path / "other", ["absent.dat"])
    assert not (tmp_path / "other").exists()


def test_all_that_is_wrong_is_found(exp, root):
    assert experiment_problems(root) == []
    (root / "main" / "0" / "spike_clusters.npy").write_bytes(b"\x93NUMPY damaged")
    (root / "20160101_2.dat").unlink()
    (root / "tetrode.prb").unlink()
    problems = experiment_problems(root)
    assert len(problems) == 4
    assert "20160101_2.dat" in problems[0]
    assert "tetrode" in problems[1]
    told = " ".join(problems[2:])
    assert "raw_1.dat" in told
    assert "spike_clusters" in told
    (root / "metadata.json").write_text('{"version": 2, "params": "../x"}')
    assert len(experiment_problems(root)) == 2
