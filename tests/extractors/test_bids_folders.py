import importlib.util

import numpy as np
import pytest

import spikeloom as si
from making.bids_folders import NAME, TRACES, write_bids
from spikeloom.errors import DataError, MissingDependencyError, MissingFileError, ReadError


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
        ("40.5", "20", "makes no probe 'p'"),
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
