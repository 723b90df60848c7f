"""Events of MaxWell, Alpha Omega and Plexon 2, under the names that SpikeInterface has."""

import json
import subprocess

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.alphaomega_files import make_alphaomega
from making.hdf5_array_files import make_maxwell, make_maxwell_old
from spikeloom.errors import DataError, MissingDependencyError, MissingFileError, ReadError
from spikeloom.extractors.reading import recognise

FIRST_FRAME = (3 << 16) + 7

CHANGES = [(100, 1), (300, 0), (400, 2), (410, 1), (900, 0)]
"""Samples, and what the inputs are from then on."""


def make_pulses(folder, changes=CHANGES):
    """Write a file of MaxOne whose last two rows count samples."""
    path = make_maxwell_old(folder).path
    bits = np.zeros(len(changes), [("frameno", "<i8"), ("bits", "<i4")])
    for k, (sample, value) in enumerate(changes):
        bits[k] = (sample + FIRST_FRAME, value)
    with h5py.File(path, "a") as file:
        file["bits"] = bits
        file["sig"][-2:, 0] = [FIRST_FRAME & 0xFFFF, FIRST_FRAME >> 16]
    return path


def test_pulses_of_maxone(tmp_path):
    path = make_pulses(tmp_path / "x")
    events = si.read_maxwell_event(path)
    assert events.channel_ids.tolist() == [1, 2]
    found = events.get_events(1)
    assert found["frame"].tolist() == [100, 300, 410, 900]
    assert found["state"].tolist() == [1, -1, 1, -1]
    assert found["label"].tolist() == ["on", "off", "on", "off"]
    np.testing.assert_allclose(found["time"], found["frame"] / 20_000)
    np.testing.assert_allclose(found["duration"], [0.01, 0, 490 / 20_000, 0])
    assert events.get_events(2)["frame"].tolist() == [300, 400, 900]
    assert events.get_events(1, start_time=0.02)["frame"].tolist() == [410, 900]
    assert isinstance(si.read(path, kind="event"), si.MaxwellEventExtractor)
    assert recognise(path)[0].reader.kind == "recording"
    events.dump(tmp_path / "x.json")
    np.testing.assert_array_equal(si.load(tmp_path / "x.json").get_events(1), found)


def test_changes_in_any_order(tmp_path):
    events = si.read_maxwell_event(make_pulses(tmp_path / "x", CHANGES[::-1]))
    assert events.get_events(1)["frame"].tolist() == [100, 300, 410, 900]


def test_no_pulses(tmp_path):
    assert si.read_maxwell_event(make_pulses(tmp_path / "x", [])).channel_ids.size == 0


def test_files_of_maxwell_without_known_events(tmp_path):
    with pytest.raises(DataError, match="version 20160704; this one's is 20190530"):
        si.read_maxwell_event(make_maxwell(tmp_path / "new").path)
    with pytest.raises(DataError, match="no table bits"):
        si.read_maxwell_event(make_maxwell_old(tmp_path / "old").path)
    path = make_pulses(tmp_path / "x")
    with h5py.File(path, "a") as file:
        del file["sig"]
    with pytest.raises(DataError, match="no sig"):
        si.read_maxwell_event(path)
    path.write_bytes(b"x")
    with pytest.raises(ReadError):
        si.read_maxwell_event(path)


def test_events_of_alphaomega(tmp_path):
    sample = make_alphaomega(tmp_path / "x")
    events = si.read_alphaomega_event(sample.path)
    general = si.read_neo_event(sample.path, "alphaomega")
    assert events.channel_ids.tolist() == general.channel_ids.tolist()
    for channel in events.channel_ids:
        np.testing.assert_array_equal(events.get_events(channel), general.get_events(channel))
    assert sum(len(events.get_events(channel)) for channel in events.channel_ids) == 2
    events.dump(tmp_path / "x.json")
    again = si.load(tmp_path / "x.json")
    assert type(again) is si.AlphaOmegaEventExtractor
    with pytest.raises(MissingFileError):
        si.read_alphaomega_event(tmp_path / "absent")


def test_plexon_2_needs_what_neo_needs(tmp_path):
    with pytest.raises(MissingFileError):
        si.read_plexon2_event(tmp_path / "absent.pl2")
    (tmp_path / "x.pl2").write_bytes(b"no")
    with pytest.raises((MissingDependencyError, ReadError)):
        si.read_plexon2_event(tmp_path / "x.pl2", use_names_as_ids=True)


THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import spikeinterface.extractors as se

maxwell = se.read_maxwell_event(sys.argv[1])
alpha = se.read_alphaomega_event(sys.argv[2])
print(json.dumps({
    "maxwell": {str(c): {name: maxwell.get_events(c)[name].tolist()
                for name in ("frame", "state", "time")} for c in maxwell.channel_ids.tolist()},
    "alpha": {str(c): alpha.get_events(c)["time"].tolist() for c in alpha.channel_ids},
}))
"""


@pytest.mark.peer
def test_what_spikeinterface_reads(tmp_path, peer_python):
    path, sample = make_pulses(tmp_path / "x"), make_alphaomega(tmp_path / "y")
    with h5py.File(path, "a") as file:
        # With numpy 2 it forgets the upper half of this number.
        file["sig"][-1, 0] = 0
        bits = file["bits"][()]
        bits["frameno"] -= FIRST_FRAME >> 16 << 16
        file["bits"][...] = bits
    done = subprocess.run(
        [peer_python, "-c", THEIRS, path, sample.path], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = json.loads(done.stdout)
    events = si.read_maxwell_event(path)
    mine = {
        str(c): {name: events.get_events(c)[name].tolist() for name in ("frame", "state", "time")}
        for c in events.channel_ids.tolist()
    }
    assert mine == theirs["maxwell"]
    alpha = si.read_alphaomega_event(sample.path)
    assert {c: alpha.get_events(c)["time"].tolist() for c in alpha.channel_ids} == theirs["alpha"]
