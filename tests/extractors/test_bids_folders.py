import importlib.util

import numpy as np
import pytest

import spikeloom as si
from making.nwb_makers import make_nwb
from making.recording_files import random_traces
from spikeloom.errors import DataError, MissingDependencyError, MissingFileError, ReadError

TRACES = random_traces(200, 4)
NAME = "sub-1_ses-2"

WIRING = {"10": "c", "11": "n/a", "12": "a", "13": "b"}
"""Contact of each channel."""


def write_bids(folder, *, n_series=1, has_tables=True, wiring=WIRING, name=NAME):
    """Write an NWB file with four channels, and tables with a probe of three contacts."""
    folder.mkdir(exist_ok=True)
    maker = make_nwb(folder, "hdf5")
    table = "general/extracellular_ephys/electrodes"
    maker.group(table, colnames=["id"])
    maker.array(f"{table}/id", np.array([10, 11, 12, 13]))
    for k in range(n_series):
        maker.group(f"acquisition/s{k}", neurodata_type="ElectricalSeries")
        maker.array(f"acquisition/s{k}/data", TRACES + k)
        maker.array(f"acquisition/s{k}/electrodes", np.arange(4))
        maker.array(f"acquisition/s{k}/starting_time", 0.0, rate=1000.0)
    maker.path.rename(folder / f"{name}_ephys.nwb")
    if has_tables:
        contacts = ["contact_id\tprobe_id\tx\ty", "a\tp\t0\t0", "b\tp\t0\t20", "c\tp\t0\t40.5"]
        (folder / f"{name}_contacts.tsv").write_text("\n".join(contacts))
        rows = "".join(f"{channel}\t{contact}\n" for channel, contact in wiring.items())
        (folder / f"{name}_channels.tsv").write_text(f"channel_id\tcontact_id\n{rows}")
    return folder


def test_a_file_with_its_probe(tmp_path):
    (recording,) = si.read_bids(write_bids(tmp_path / "x"))
    assert recording.get_annotation("bids_name") == f"{NAME}_ephys"
    assert recording.get_probe().annotations["probe_id"] == "p"
    places = recording.get_channel_locations()[:, 1].tolist()
    assert dict(zip(recording.channel_ids.tolist(), places, strict=True)) == {
        12: 0.0, 13: 20.0, 10: 40.5
    }  # fmt: skip
    np.testing.assert_array_equal(
        recording.get_traces(channel_ids=[12, 13, 10]), TRACES[:, [2, 3, 0]]
    )


def test_several_series_and_files(tmp_path):
    folder = write_bids(tmp_path / "x", n_series=2)
    write_bids(folder, has_tables=False, name="sub-1_ses-3")
    recordings = si.read_bids(folder)
    names = [one.get_annotation("bids_name") for one in recordings]
    assert names == [f"{NAME}_ephys", f"{NAME}_ephys", "sub-1_ses-3_ephys"]
    np.testing.assert_array_equal(recordings[1].get_traces(channel_ids=[10]), TRACES[:, :1] + 1)


def test_a_file_without_tables(tmp_path):
    (recording,) = si.read_bids(write_bids(tmp_path / "x", has_tables=False))
    assert not recording.has_probe()
    np.testing.assert_array_equal(recording.get_traces(), TRACES)


def test_tables_that_contradict_the_recording(tmp_path):
    folder = write_bids(tmp_path / "x", wiring={"10": "a", "12": "a"})
    (recording,) = si.read_bids(folder)
    assert recording.channel_ids.tolist() == [12]  # what a contact is wired to last
    folder = write_bids(tmp_path / "y")
    (folder / f"{NAME}_channels.tsv").write_text("channel\n1\n")
    with pytest.raises(DataError, match="no columns contact_id, channel_id"):
        si.read_bids(folder)
    (folder / f"{NAME}_channels.tsv").write_text("channel_id\tcontact_id\n10\ta\n10\tb\n")
    with pytest.raises(DataError, match="does not go with"):
        si.read_bids(folder)
    path = folder / f"{NAME}_contacts.tsv"
    whole = path.read_text()
    for old, new, match in (
        ("contact_id", "contact", "no columns contact_id"),
        ("40.5", "far", "x and y must be numbers"),
        ("40.5", "nan", "a place for each contact"),
        ("b\tp", "a\tp", "each contact of a probe once"),
    ):
        path.write_text(whole.replace(old, new))
        with pytest.raises(DataError, match=match):
            si.read_bids(folder)


def test_folders_without_recordings(tmp_path):
    with pytest.raises(MissingFileError, match=r"no \.nwb or \.nix files"):
        si.read_bids(tmp_path)
    with pytest.raises(MissingFileError, match=r"no \.nwb or \.nix files"):
        si.read_bids(tmp_path / "absent")
    (tmp_path / "x_ephys.nix").write_bytes(b"no")
    has_nix = importlib.util.find_spec("nixio") is not None
    with pytest.raises(ReadError if has_nix else (MissingDependencyError, ReadError)):
        si.read_bids(tmp_path)
