"""``spikeloom convert`` and ``spikeloom describe``: what is printed, written, and how it ends."""

import hashlib
import json

import numpy as np
import pytest
from typer.testing import CliRunner

import spikeloom as si
from making.hashes import folder_state
from making.sorting_files import TRAINS, write_phy
from spikeloom.cli.main import app


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


def _facts(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_sorting_is_described(run, tmp_path):
    folder = write_phy(tmp_path / "phy", group={1: "good", 3: "mua"})
    before = folder_state(folder)
    facts = _facts(run("describe", folder, "--json"))
    assert facts["format"].startswith("phy")
    assert facts["kind"] == "sorting"
    assert facts["units"].startswith("3 (1, 3, 12)")
    assert facts["spikes"] == "9"
    assert facts["sampling frequency"] == "20000 Hz"
    assert facts["quality"] == "good: 1, mua: 1, unsorted: 1"
    plain = run("describe", folder).stdout
    assert all(name in plain for name in facts)
    assert folder_state(folder) == before


def test_a_recording_is_described_once_it_can_be_opened(run, tmp_path):
    np.zeros((1000, 4), "<i2").tofile(tmp_path / "raw.dat")
    facts = _facts(run("describe", tmp_path / "raw.dat", "--json"))
    assert "sampling_frequency" in facts["to open it"]
    known = ("--sample-rate", 1000, "--n-channels", 4, "--dtype", "int16")
    facts = _facts(run("describe", tmp_path / "raw.dat", "--json", *known))
    assert facts["duration"] == "1 s (1000 samples)"
    assert facts["channels"].startswith("4 ")
    assert facts["probe"] == "none"


def test_events_and_snippets_are_described(run, tmp_path):
    (tmp_path / "events.tsv").write_text("onset\tlabel\n1.0\ta\n2.0\tb\n")
    facts = _facts(run("describe", tmp_path / "events.tsv", "--json"))
    assert facts["kind"] == "event"
    assert facts["events of events"] == "2"


def test_a_folder_stands_for_the_only_known_file_in_it(run, tmp_path):
    si.NpzSortingExtractor.write_sorting(
        si.NumpySorting.from_unit_dict(TRAINS, 1000.0), tmp_path / "sorting.npz"
    )
    (tmp_path / "notes.txt").write_text("?")
    facts = _facts(run("describe", tmp_path, "--json"))
    assert facts["path"].endswith("sorting.npz")
    assert facts["units"].startswith("3")


def test_what_was_tried_is_told(run, tmp_path):
    (tmp_path / "what.xyz").write_text("?")
    result = run("describe", tmp_path / "what.xyz")
    assert result.exit_code == 1
    assert "No reader knows" in result.stderr
    assert "  it does not begin like a .npy file: npy\n" in result.stderr
    assert run("describe", tmp_path / "nowhere").exit_code == 1


def test_probes_parameters_and_experiments_are_described(run, data_folder, tmp_path):
    probe = run("describe", data_folder / "probes/generic/tetrode/4tetrodes.json").stdout
    assert "probe 4        unnamed, 4 contacts, 1 shanks\n" in probe
    told = run("describe", data_folder / "axona_tt8_dev/axona_tt8_dev.prm").stdout
    assert "kind             parameters\n" in told
    assert "prb_file         axona_tt8_dev.prb\n" in told
    assert run("experiment", "init", tmp_path / "day1").exit_code == 0
    assert "Name           day1\n" in run("describe", tmp_path / "day1").stdout


def test_a_stream_is_chosen_by_name_or_number(run, data_folder):
    path = data_folder / "intan_rhd/sampledata.rhd"
    for stream in ("1", "RHD2000 auxiliary input channel"):
        assert "A-AUX3" in run("describe", path, "--stream", stream).stdout
    assert "There are --stream='RHD2000 amp" in run("describe", path, "--stream", "9").stdout


def test_messages_name_options_rather_than_arguments(run, data_folder, tmp_path):
    path = data_folder / "locust_tdc/locust_trial_01.raw"
    asked = "give --sample-rate=..., --dtype=..., --n-channels=..."
    assert asked in run("describe", path).stdout
    assert asked in run("convert", path, tmp_path / "a.zarr").stderr
    assert (
        "that is --n-channels=4, --dtype='int16', --sample-rate=20000" in run("traces", path).stderr
    )


def test_a_folder_of_several_things_is_listed(run, data_folder):
    result = run("describe", data_folder / "locust1_si_tdc2", "--json")
    facts = _facts(result)
    assert facts["format"] == "a folder of no format of its own; known in it are 9"
    assert facts["phy"] == "phy, sorting"
    assert facts["locust_trial1.nwb"] == "nwb, recording"


def test_headers_without_traces_are_described_as_probes(run, data_folder):
    told = run("describe", data_folder / "spikeglx_meta/NP-Ultra.meta").stdout
    assert "probe 1        NP1100, 384 contacts, 1 shanks\n" in told


def test_template_libraries_are_described(run, data_folder):
    facts = _facts(run("describe", data_folder / "mearec_templates", "--json"))
    assert facts["units"] == "330"
    assert facts["channels"] == "4"
    assert facts["probe"] == "tetrode"


def test_a_dry_run_writes_nothing(run, tmp_path):
    folder = write_phy(tmp_path / "phy")
    result = run("convert", folder, tmp_path / "a.npz", "--dry-run")
    assert result.exit_code == 0
    assert "would write" in result.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["phy"]


def test_a_dry_run_says_what_gets_lost(run, tmp_path):
    folder = write_phy(tmp_path / "phy", group={1: "good"})
    result = run("convert", folder, tmp_path / "a.npz", "--dry-run")
    assert "properties are not kept: " in result.stderr
    told = run("convert", folder, tmp_path / "a.npz")
    assert told.stderr.count("properties are not kept: ") == 1


def test_a_recording_is_converted_to_nwb(run, tmp_path):
    np.save(tmp_path / "a.npy", np.arange(600, dtype=np.int16).reshape(200, 3))
    result = run("convert", tmp_path / "a.npy", tmp_path / "a.nwb", "--sample-rate", 1000)
    assert result.exit_code == 0, result.output
    assert "1970-01-01" in result.stderr
    np.testing.assert_array_equal(
        si.read_nwb_recording(tmp_path / "a.nwb").get_traces(), np.load(tmp_path / "a.npy")
    )


def test_a_dry_run_says_what_is_impossible(run, tmp_path):
    si.NumpySorting.from_unit_dict([{1: [3]}, {1: [4]}], 1000.0).save(folder=tmp_path / "two")
    result = run("convert", tmp_path / "two", tmp_path / "a", "--to", "phy", "--dry-run")
    assert result.exit_code == 1
    assert "segment" in result.stderr


def test_a_sorting_is_converted_with_checksums(run, tmp_path):
    folder = write_phy(tmp_path / "phy", group={1: "good"})
    sums = tmp_path / "sums"
    result = run("convert", folder, tmp_path / "a.kwik", "--checksums", sums)
    assert result.exit_code == 0, result.output
    assert "is the same as the source" in result.stdout
    for line in sums.read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
        assert digest in result.stdout
    kwik = si.read(tmp_path / "a.kwik")
    assert kwik.get_unit_spike_train(12).tolist() == TRAINS[12]
    again = run("convert", folder, tmp_path / "a.kwik")
    assert again.exit_code == 1
    assert run("convert", folder, tmp_path / "a.kwik", "--overwrite").exit_code == 0


def test_traces_are_converted(run, tmp_path):
    traces = np.arange(4000, dtype="<i2").reshape(1000, 4)
    traces.tofile(tmp_path / "raw.dat")
    known = ("--sample-rate", 1000, "--set", "num_channels=4", "--set", "dtype=int16")
    result = run("convert", tmp_path / "raw.dat", tmp_path / "a.zarr", *known)
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(si.read(tmp_path / "a.zarr").get_traces(), traces)


def test_bad_arguments_are_told(run, tmp_path):
    folder = write_phy(tmp_path / "phy")
    for arguments in (("--to", "nonsense"), ("--set", "nonsense"), ("--kind", "nonsense")):
        result = run("convert", folder, tmp_path / "a.npz", *arguments)
        assert result.exit_code == 1, arguments
        assert "nonsense" in result.stderr
    assert not (tmp_path / "a.npz").exists()


def test_formats_are_listed(run):
    result = run("convert", "--list")
    assert result.exit_code == 0
    for name in ("alf", "kwik", "npz", "numpy", "nwb", "phy", "zarr", "binary", "flat"):
        assert f"\n{name} " in f"\n{result.stdout}"


REAL = [
    *("phy_template_phydata", "kwik_hybrid10s", "intan_rhd", "locust1_si_tdc2/analyzer"),
    *("mearec/nn32_12u_6s.h5", "oe_np_spikewrap/openephys/rawdata/sub-001/ses-001/ephys"),
]


@pytest.mark.parametrize("name", REAL)
def test_real_data_are_described(run, data_folder, name):
    facts = _facts(run("describe", data_folder / name, "--json"))
    assert len(facts) > 4
