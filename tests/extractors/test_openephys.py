import json

import numpy as np
import pytest

from making.openephys_legacy_files import write_openephys_legacy
from making.recording_files import RATE, random_traces, write_openephys
from spikeloom.core.loading import load
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.openephys_recording import (
    OpenEphysBinaryRecordingExtractor,
    read_openephys,
)

TRACES = random_traces(300, 6)
NAMES = ["CH1", "CH2", "CH3", "ADC1", "ADC2", "CH_SYNC"]


@pytest.fixture
def session(tmp_path):
    """Return a session of two nodes, two experiments, and two recordings in each."""
    folder = tmp_path / "session"
    for node in (101, 102):
        for experiment in (1, 2):
            for number in (1, 2):
                place = folder / f"Record Node {node}" / f"experiment{experiment}"
                traces = TRACES + 100 * (node - 101) + 10 * experiment + number
                first = 3000 * number
                write_openephys(place / f"recording{number}", traces, names=NAMES, first=first)
    return folder


def test_experiments_and_streams_are_listed_and_chosen(session):
    cls = OpenEphysBinaryRecordingExtractor
    assert cls.get_available_experiments(session) == ["experiment1", "experiment2"]
    names, ids = cls.get_streams(session)
    first, second = "Record Node 101#Rhythm-100", "Record Node 102#Rhythm-100"
    assert dict(zip(ids, names, strict=True)) == {
        "0": first,
        "1": second,
        "2": f"{first}_ADC",
        "3": f"{second}_ADC",
        f"{first}SYNC": f"{first}SYNC",
        f"{second}SYNC": f"{second}SYNC",
    }
    with pytest.raises(ParameterError, match="experiment_name=experiment1 or experiment2"):
        read_openephys(session)
    with pytest.raises(ParameterError, match="stream_name='Record Node 101#Rhythm-100'"):
        read_openephys(session, experiment_name="experiment2")
    with pytest.raises(ParameterError, match="experiment7"):
        read_openephys(session, experiment_name="experiment7")
    with pytest.raises(ParameterError, match="block_index must be 0 to 1"):
        read_openephys(session, block_index=2)
    with pytest.raises(ParameterError, match="not both"):
        read_openephys(session, block_index=1, experiment_name="experiment2")


def test_traces_of_each_stream(session, tmp_path):
    recording = read_openephys(session, experiment_name="experiment2", stream_id="1")
    assert recording.channel_ids.tolist() == ["CH1", "CH2", "CH3"]
    assert [recording.get_start_time(k) for k in range(2)] == [0.1, 0.2]
    np.testing.assert_array_equal(recording.get_traces(1), TRACES[:, :3] + 122)
    np.testing.assert_allclose(recording.get_channel_gains(), 0.195)
    inputs = read_openephys(session, block_index=0, stream_id="2")
    np.testing.assert_array_equal(inputs.get_traces(0), TRACES[:, 3:5] + 11)
    np.testing.assert_allclose(inputs.get_channel_gains(), 1e3)  # volts
    sync = read_openephys(session, block_index=0, stream_name="Record Node 101#Rhythm-100SYNC")
    np.testing.assert_array_equal(sync.get_traces(1), TRACES[:, 5:] + 12)
    recording.dump(tmp_path / "recording.json")
    again = load(tmp_path / "recording.json")
    np.testing.assert_array_equal(again.get_traces(1), recording.get_traces(1))


@pytest.mark.parametrize("below", ["Record Node 101", "Record Node 101/experiment1"])
def test_folders_at_any_level(session, below):
    recording = read_openephys(session / below, experiment_name="experiment1", stream_id="0")
    assert recording.get_num_segments() == 2
    one = read_openephys(session / "Record Node 101/experiment1/recording2")
    np.testing.assert_array_equal(one.get_traces(), TRACES[:, :3] + 12)


def test_inputs_between_traces_are_taken_apart(tmp_path):
    names = ["CH1", "ADC1", "CH2", "CH_SYNC", "ADC2", "CH3"]
    write_openephys(tmp_path / "experiment1" / "recording1", TRACES, names=names)
    recording = read_openephys(tmp_path)
    np.testing.assert_array_equal(recording.get_traces(), TRACES[:, [0, 2, 5]])
    np.testing.assert_array_equal(recording.get_traces(channel_ids=["CH3"]), TRACES[:, [5]])
    inputs = read_openephys(tmp_path, stream_name="Rhythm-100_ADC")
    np.testing.assert_array_equal(inputs.get_traces(), TRACES[:, [1, 4]])


def test_synchronised_times(tmp_path):
    folder = tmp_path / "experiment1" / "recording1"
    write_openephys(folder, TRACES, first=600)
    recording = read_openephys(tmp_path, load_sync_timestamps=True)
    assert recording.has_time_vector()
    np.testing.assert_allclose(recording.get_times(), 1.02 + np.arange(300) / RATE)
    np.save(folder / "continuous/Rhythm-100/timestamps.npy", np.zeros(5))
    with pytest.warns(UserWarning, match="5 times for 300 samples"):
        recording = read_openephys(tmp_path, load_sync_timestamps=True)
    assert recording.get_start_time() == 0.02


def test_timestamps_of_old_versions_count_samples(tmp_path):
    folder = tmp_path / "experiment1" / "recording1"
    write_openephys(folder, TRACES)
    inner = folder / "continuous" / "Rhythm-100"
    (inner / "sample_numbers.npy").unlink()
    np.save(inner / "timestamps.npy", np.arange(3000, 3300))
    assert read_openephys(tmp_path).get_start_time() == 0.1


def test_several_streams_of_one_node(tmp_path):
    folder = tmp_path / "experiment1" / "recording1"
    write_openephys(folder, TRACES, stream="Probe-AP")
    write_openephys(folder, TRACES[:30, :2], stream="Probe-LFP", rate=2500.0)
    low = read_openephys(tmp_path, stream_name="Probe-LFP")
    assert (low.sampling_frequency, low.get_num_samples()) == (2500.0, 30)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"continuous": 3}, "must be a list"),
        ({"continuous": [3]}, "lists int"),
        ({"folder_name": "../../secret"}, "no name of a folder"),
        ({"folder_name": ""}, "no name of a folder"),
        ({"folder_name": "x" * 300}, "no name of a folder"),
        ({"channels": []}, "lists no channels"),
        ({"channels": [1]}, "lists no channels"),
        ({"num_channels": 3}, "num_channels 3"),
        ({"sample_rate": 0}, "sample_rate"),
        ({"sample_rate": None}, "sample_rate"),
        ({"channels": [{"bit_volts": "x"}], "num_channels": 1}, "bit_volts"),
    ],
)
def test_structures_that_make_no_sense(tmp_path, change, told):
    folder = tmp_path / "experiment1" / "recording1"
    write_openephys(folder, TRACES)
    path = folder / "structure.oebin"
    content = json.loads(path.read_text())
    if "continuous" in change:
        content |= change
    else:
        content["continuous"][0] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=told) as caught:
        read_openephys(tmp_path)
    assert "structure.oebin" in str(caught.value)


def test_recordings_that_differ_are_no_segments(tmp_path):
    write_openephys(tmp_path / "experiment1" / "recording1", TRACES)
    write_openephys(tmp_path / "experiment1" / "recording2", TRACES[:, :4])
    with pytest.raises(DataError, match="differ in channels"):
        read_openephys(tmp_path)
    with pytest.raises(MissingFileError, match=r"structure\.oebin"):
        read_openephys(tmp_path / "experiment1/recording1/continuous")


def test_legacy_files(tmp_path):
    pytest.importorskip("neo")
    traces = random_traces(4096, 3)
    write_openephys_legacy(tmp_path / "old", traces)
    recording = read_openephys(tmp_path / "old")
    np.testing.assert_array_equal(recording.get_traces(), traces)
    np.testing.assert_allclose(recording.get_channel_gains(), 0.195)
    np.testing.assert_array_equal(recording.clone().get_traces(), traces)


def test_the_real_neuropixels_session(data_folder):
    folder = data_folder / "oe_np_spikewrap/openephys/rawdata/sub-001/ses-001/ephys"
    recording = read_openephys(folder)
    assert (recording.get_num_channels(), recording.get_num_segments()) == (384, 2)
    assert [recording.get_num_samples(k) for k in range(2)] == [1000, 1000]
    assert recording.sampling_frequency == 30_000
    assert recording.get_channel_locations().shape == (384, 2)
    assert recording.get_property("inter_sample_shift").max() < 1
    assert recording.get_start_time(0) == 21836244 / 30_000
    synchronised = read_openephys(folder, load_sync_timestamps=True)
    assert synchronised.get_start_time(0) == pytest.approx(727.86343557)
    sync = read_openephys(folder, stream_name=f"{recording.stream_name}SYNC")
    assert sync.channel_ids.tolist() == ["AP_SYNC"]


def test_the_real_hippocampus_session(data_folder):
    recording = read_openephys(data_folder / "oe_hippocampus16")
    assert recording.get_shape(0) == (66_438, 16)
    assert recording.sampling_frequency == 40_000
    np.testing.assert_allclose(recording.get_channel_gains(), 0.05)
