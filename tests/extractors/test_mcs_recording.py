import json
import subprocess

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.recording_files import random_traces
from making.rig_files import write_mcs_hdf5
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError

TRACES = random_traces(1000, 5).astype(np.int32)
STREAM = "Data/Recording_0/AnalogStream/Stream_0"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.h5"


def test_a_stream_with_its_channels(path, tmp_path):
    write_mcs_hdf5(path, TRACES, rows=[2, 0, 1, 4, 3], ADZero=[0, 1, 2, 3, 4])
    recording = si.read(path)
    assert isinstance(recording, si.MCSH5RecordingExtractor)
    assert recording.channel_ids.tolist() == ["Ch10", "Ch11", "Ch12", "Ch13", "Ch14"]
    assert recording.get_property("electrode_labels").tolist() == ["A1", "A2", "A3", "A4", "A5"]
    assert recording.sampling_frequency == 20_000
    assert recording.get_dtype() == np.int32
    np.testing.assert_array_equal(recording.get_traces(), TRACES)
    np.testing.assert_array_equal(
        recording.get_traces(0, 10, 700, ["Ch14", "Ch10"]), TRACES[10:700, [4, 0]]
    )
    assert recording.get_traces(0, 5, 5).shape == (0, 5)
    assert recording.get_traces(0, channel_ids=[]).shape == (1000, 0)
    gain = 381_470 * 1e-12 * 1e6
    np.testing.assert_allclose(recording.get_channel_gains(), gain)
    np.testing.assert_allclose(recording.get_channel_offsets(), -gain * np.arange(5))
    np.testing.assert_allclose(
        recording.get_traces(return_in_uV=True), (TRACES - np.arange(5)) * gain, rtol=1e-6
    )
    recording.dump(tmp_path / "x.json")
    np.testing.assert_array_equal(si.load(tmp_path / "x.json").get_traces(), TRACES)


def test_streams(path):
    write_mcs_hdf5(path, TRACES)
    write_mcs_hdf5(path, TRACES[:, :2] * 2, number=3, Tick=100)
    assert si.MCSH5RecordingExtractor.get_streams(path) == (["Filter 0", "Filter 3"], ["0", "3"])
    assert si.read_mcsh5(path).get_num_channels() == 5  # the first, as SpikeInterface does
    for chosen in ({"stream_id": 3}, {"stream_id": "3"}, {"stream_name": "Filter 3"}):
        slow = si.read_mcsh5(path, **chosen)
        assert slow.sampling_frequency == 10_000
        np.testing.assert_array_equal(slow.get_traces(), TRACES[:, :2] * 2)
    with pytest.raises(ParameterError, match=r"no stream with stream_id=1.*'Filter 3'"):
        si.read_mcsh5(path, 1)


def test_interruptions_begin_segments(path):
    stamps = [[500, 0, 399], [90_000, 400, 999]]
    write_mcs_hdf5(path, TRACES, stamps=stamps)
    recording = si.read_mcsh5(path)
    assert [recording.get_num_samples(k) for k in range(2)] == [400, 600]
    assert [recording.get_start_time(k) for k in range(2)] == [0.0005, 0.09]
    np.testing.assert_array_equal(recording.get_traces(1, 590, 600), TRACES[990:])


def test_what_is_no_voltage(path):
    write_mcs_hdf5(path, TRACES, Unit="A", ADZero=2)
    recording = si.read_mcsh5(path)
    assert not recording.has_scaleable_traces()
    assert recording.get_property("physical_unit").tolist() == ["A"] * 5
    np.testing.assert_allclose(recording.get_property("gain_to_physical_unit"), 3.8147e-7)
    np.testing.assert_allclose(recording.get_property("offset_to_physical_unit"), -7.6294e-7)


def test_values_in_one_piece_are_a_memory_map(path):
    write_mcs_hdf5(path, TRACES)
    with h5py.File(path, "a") as file:
        del file[f"{STREAM}/ChannelData"]
        file[f"{STREAM}/ChannelData"] = TRACES.T
    np.testing.assert_array_equal(si.read_mcsh5(path).get_traces(0, 5, 9), TRACES[5:9])


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"RowIndex": [0, 1, 2, 3, 9]}, "RowIndex of InfoChannel must name 5 rows"),
        ({"RowIndex": 1}, "RowIndex"),
        ({"ChannelID": 7}, "numbers of channels occur twice"),
        ({"Tick": 0}, "Tick of InfoChannel"),
        ({"Tick": [50, 50, 50, 50, 51]}, "Tick of InfoChannel"),
        ({"Exponent": 2_000_000}, "beyond all numbers"),
    ],
)
def test_tables_that_contradict_themselves(path, columns, match):
    write_mcs_hdf5(path, TRACES, **columns)
    with pytest.raises(DataError, match=match):
        si.read_mcsh5(path)


@pytest.mark.parametrize(
    "stamps", [[[0, 0, 399], [9, 300, 999]], [[0, 0, 399], [9, 400, 1000]], [[0, 0], [1, 1]]]
)
def test_stretches_that_cannot_be(path, stamps):
    write_mcs_hdf5(path, TRACES, stamps=stamps)
    with pytest.raises(DataError, match="ChannelDataTimeStamps must"):
        si.read_mcsh5(path)


@pytest.mark.parametrize("name", ["ChannelData", "InfoChannel"])
def test_what_is_missing(path, name):
    write_mcs_hdf5(path, TRACES)
    with h5py.File(path, "a") as file:
        del file[f"{STREAM}/{name}"]
    with pytest.raises(DataError, match=f"has no .*{name}"):
        si.read_mcsh5(path)


def test_what_is_no_such_file(path):
    with pytest.raises(MissingFileError):
        si.read_mcsh5(path)
    path.write_bytes(b"no")
    with pytest.raises(ReadError, match="no HDF5 file"):
        si.read_mcsh5(path)
    path.unlink()
    with h5py.File(path, "w") as file:
        file.attrs["McsHdf5ProtocolType"] = "CMOS_MEA"
        file["Data/x"] = 1
    with pytest.raises(DataError, match="no analogue streams"):
        si.read_mcsh5(path)
    with pytest.raises(DataError, match="McsHdf5ProtocolType is RawData"):
        si.read(path)


THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import spikeinterface.extractors as se
from spikeinterface.core import load

path, ours, dumped = sys.argv[1:]
recording = se.read_mcsh5(path, stream_id=1)
recording.dump_to_json(dumped)
print(json.dumps({
    "traces": recording.get_traces().tolist(), "ours": load(ours).get_traces().tolist(),
    "ids": recording.channel_ids.tolist(), "rate": recording.get_sampling_frequency(),
    "gains": recording.get_channel_gains().tolist(),
    "offsets": recording.get_channel_offsets().tolist(),
    "labels": recording.get_property("electrode_labels").tolist(),
}))
"""


@pytest.mark.peer
def test_what_spikeinterface_reads(path, tmp_path, peer_python):
    write_mcs_hdf5(path, TRACES * 2)
    # Its offsets are right for this exponent only, and its channels for rows in this order.
    write_mcs_hdf5(path, TRACES, number=1, Exponent=-6, ConversionFactor=1, ADZero=3)
    recording = si.read_mcsh5(path, stream_id=1)
    recording.dump(tmp_path / "ours.json")
    arguments = [path, tmp_path / "ours.json", tmp_path / "theirs.json"]
    done = subprocess.run(
        [peer_python, "-c", THEIRS, *arguments], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = json.loads(done.stdout)
    assert theirs["traces"] == theirs["ours"] == TRACES.tolist()
    assert theirs["ids"] == recording.channel_ids.tolist()
    assert theirs["rate"] == pytest.approx(20_000)
    np.testing.assert_allclose(recording.get_channel_gains(), theirs["gains"])
    np.testing.assert_allclose(recording.get_channel_offsets(), theirs["offsets"])
    assert theirs["labels"] == recording.get_property("electrode_labels").tolist()
    loaded = si.load(tmp_path / "theirs.json")
    assert isinstance(loaded, si.MCSH5RecordingExtractor)
    np.testing.assert_array_equal(loaded.get_traces(), TRACES)
