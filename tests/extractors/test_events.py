"""Events of Open Ephys, SpikeGLX, NWB, neo and tables."""

import json
import shutil

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.recording_files import random_traces, write_spikeglx
from spikeloom.errors import DataError, MissingFileError, ParameterError, SpikeloomError
from spikeloom.extractors.listed_events import pulses


def _slow_pulses(levels):
    """Return pulses of a line as (first sample, sample after the last or -1)."""
    found, start = [], None
    for k, level in enumerate(levels):
        if level and start is None:
            start = k
        if not level and start is not None:
            found.append((start, k))
            start = None
    return found if start is None else [*found, (start, -1)]


# -- SpikeGLX --------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_pulses_of_all_lines_of_spikeglx(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr("spikeloom.extractors.spikeglx_events._N_SAMPLES", chunk)
    rng = np.random.default_rng(1)
    words = np.repeat(rng.integers(0, 1 << 16, 40, dtype=np.uint16), 5)
    traces = random_traces(200, 4)
    traces[:, -1] = words.view(np.int16)
    write_spikeglx(tmp_path, "run_g0_t0.imec0.ap", traces)
    event = si.read_spikeglx_event(tmp_path)
    assert len(event.channel_ids) == 16
    for bit in range(16):
        channel = f"imec0.ap:{bit}"
        found = event.get_events(channel)
        expected = _slow_pulses((words >> bit) & 1)
        np.testing.assert_allclose(found["time"], [start / 30_000 for start, _ in expected])
        lasts = [(stop - start) / 30_000 if stop > 0 else np.nan for start, stop in expected]
        np.testing.assert_allclose(found["duration"], lasts)
        assert set(found["label"]) <= {channel}


def test_streams_of_spikeglx(tmp_path):
    traces = random_traces(50, 3)
    traces[:, -1] = [0] * 20 + [64] * 30
    write_spikeglx(tmp_path, "run_g0_t0.imec0.ap", traces)
    event = si.read(tmp_path, kind="event")
    assert event.channel_ids.tolist() == ["imec0.ap:6"]
    assert np.isnan(event.get_events()["duration"]).all()
    assert si.read_spikeglx_event(tmp_path, "imec0.ap").get_num_segments() == 1
    with pytest.raises(ParameterError, match=r"imec0\.ap"):
        si.read_spikeglx_event(tmp_path, "imec7.ap")
    with pytest.raises(ParameterError, match="block_index"):
        si.read_spikeglx_event(tmp_path, block_index=1)


def test_files_of_spikeglx_without_sync(tmp_path):
    write_spikeglx(tmp_path, "run_g0_t0.imec0.ap", random_traces(50, 3), n_sync=0)
    with pytest.raises(DataError, match="sync"):
        si.read_spikeglx_event(tmp_path)


def test_the_hybrid_recording_has_a_pulse_each_second(data_folder):
    event = si.read_spikeglx_event(data_folder / "hybrid_np24_dev")
    events = event.get_events("imec0.ap:6")
    np.testing.assert_allclose(events["time"], np.arange(15))
    np.testing.assert_allclose(events["duration"], 0.5)


def test_a_line_that_never_changes_has_no_pulses():
    begins, ends = pulses(np.zeros(0, np.int64), np.zeros(0, bool))
    assert begins.size == ends.size == 0


# -- Open Ephys ------------------------------------------------------------------------------

OPEN_EPHYS = "oe_np_spikewrap/openephys/rawdata/sub-001/ses-001/ephys"


def test_real_events_of_open_ephys(data_folder):
    event = si.read_openephys_event(data_folder / OPEN_EPHYS)
    assert event.get_num_segments() == 2
    assert event.channel_ids.tolist() == ["Neuropixels PXI Sync", "Messages"]
    pulses_ = event.get_events("Neuropixels PXI Sync", 0)
    assert len(pulses_) == 1571
    np.testing.assert_allclose(pulses_["duration"][:100], 0.5, atol=1e-3)
    np.testing.assert_allclose(np.diff(pulses_["time"][:100]), 1.0, atol=1e-3)
    texts = event.get_events("Messages", 1)
    assert len(texts) == 1124
    assert texts["label"][0] == "NP OPTO 5 2 1 blue 14"
    kept = si.read(data_folder / OPEN_EPHYS, kind="event")
    assert isinstance(kept, si.OpenEphysBinaryEventExtractor)


def test_real_events_of_open_ephys_are_those_of_neo(data_folder):
    rawio = pytest.importorskip("neo.rawio")
    reader = rawio.OpenEphysBinaryRawIO(dirname=str(data_folder / OPEN_EPHYS))
    reader.parse_header()
    event = si.read_openephys_event(data_folder / OPEN_EPHYS)
    for channel, name in enumerate(reader.header["event_channels"]["name"].tolist()):
        for segment in range(2):
            times, lasts, labels = reader.get_event_timestamps(0, segment, channel)
            found = event.get_events(name, segment)
            np.testing.assert_allclose(found["time"], times)
            assert found["label"].tolist() == labels.tolist()
            if lasts is not None:
                whole = ~np.isnan(found["duration"])
                np.testing.assert_allclose(found["duration"][whole], lasts[whole])


def _write_old_events(folder):
    """Write TTL events as Open Ephys did before version 0.6: times are samples."""
    place = folder / "experiment1" / "recording1"
    ttl = place / "events" / "Acq-100.0" / "TTL_1"
    ttl.mkdir(parents=True)
    np.save(ttl / "timestamps.npy", np.array([100, 150, 200, 250, 300]))
    np.save(ttl / "channel_states.npy", np.array([2, 3, -2, -3, 2], np.int16))
    described = {
        "folder_name": "Acq-100.0/TTL_1/",
        "channel_name": "TTL in",
        "sample_rate": 1000.0,
    }
    structure = {"GUI version": "0.5.5", "continuous": [], "events": [described], "spikes": []}
    (place / "structure.oebin").write_text(json.dumps(structure))
    return place


def test_events_of_older_versions_of_open_ephys(tmp_path):
    _write_old_events(tmp_path)
    events = si.read_openephys_event(tmp_path).get_events("TTL in")
    assert events["label"].tolist() == ["2", "3", "2"]
    np.testing.assert_allclose(events["time"], [0.1, 0.15, 0.3])
    np.testing.assert_allclose(events["duration"], [0.1, 0.1, np.nan])


def test_faults_of_open_ephys(tmp_path):
    place = _write_old_events(tmp_path)
    np.save(place / "events" / "Acq-100.0" / "TTL_1" / "channel_states.npy", np.array([1]))
    with pytest.raises(DataError, match="channel_states"):
        si.read_openephys_event(tmp_path)
    text = (place / "structure.oebin").read_text()
    (place / "structure.oebin").write_text(text.replace("Acq-100.0/TTL_1/", "../../.."))
    with pytest.raises(DataError, match="leads out"):
        si.read_openephys_event(tmp_path)
    shutil.rmtree(place / "events")
    (place / "structure.oebin").write_text(text)
    with pytest.raises(DataError, match="no events"):
        si.read_openephys_event(tmp_path)
    with pytest.raises(MissingFileError):
        si.read_openephys_event(tmp_path / "nowhere")


# -- NWB -------------------------------------------------------------------------------------


def test_real_intervals_of_nwb(data_folder):
    path = next((data_folder / "nwb_hdmfzarr").glob("*.nwb"))
    event = si.read_nwb_event(path)
    assert event.channel_ids.tolist() == ["trials"]
    trials = event.get_events()
    with h5py.File(path) as file:
        np.testing.assert_array_equal(trials["time"], file["intervals/trials/start_time"][:])
        lasts = file["intervals/trials/stop_time"][:] - file["intervals/trials/start_time"][:]
    np.testing.assert_allclose(trials["duration"], lasts)
    assert "response" in trials.dtype.names
    with pytest.raises(ParameterError, match="trials"):
        si.read_nwb_event(path, "epochs")


def test_nwb_without_intervals(data_folder):
    path = data_folder / "locust1_si_tdc2" / "locust_trial1.nwb"
    with pytest.raises(DataError, match="no intervals"):
        si.read_nwb_event(path)


# -- neo -------------------------------------------------------------------------------------


def test_spikes_and_events_of_blackrock_repacked_from_intan(data_folder):
    path = data_folder / "blackrock_repack" / "rat128.nev"
    sorting = si.read(path, kind="sorting")
    assert isinstance(sorting, si.BlackrockSortingExtractor)
    assert sorting.get_num_units() == 78
    assert sorting.sampling_frequency == 30_000
    assert sorting.get_property("channel")[0] == 37
    assert sorting.get_property("original_unit_name")[0] == "ch37#1"
    by_id = si.read_blackrock_sorting(file_path=path, use_format_ids=True)
    assert by_id.unit_ids[0] == "Unit 37001"
    other = si.read_neo_sorting(path, "BlackrockRawIO")
    assert other.to_spike_vector().tolist() == sorting.to_spike_vector().tolist()
    event = si.read_neo_event(path, "blackrock")
    assert event.channel_ids.tolist() == ["digital_input_port", "serial_input_port", "comments"]


def test_spikes_of_neo_survive_json(data_folder, tmp_path):
    path = data_folder / "blackrock_repack" / "rat128.nev"
    for sorting in (si.read_blackrock_sorting(path), si.read_neo_sorting(path, "blackrock")):
        sorting.dump(tmp_path / "sorting.json")
        again = si.load(tmp_path / "sorting.json")
        assert type(again) is type(sorting)
        assert again.to_spike_vector().tolist() == sorting.to_spike_vector().tolist()


def test_formats_that_neo_does_not_know(tmp_path):
    with pytest.raises(SpikeloomError, match="blackrock"):
        si.read_neo_sorting(tmp_path, "nonsense")
    with pytest.raises(MissingFileError):
        si.read_blackrock_sorting(tmp_path / "nowhere.nev")


def test_spikes_of_neuralynx_tetrodes(tmp_path):
    """A made-up .ntt file: header of 16 KiB, then records with time, unit and waveforms."""
    pytest.importorskip("neo")
    kind = np.dtype([
        ("timestamp", "<u8"),
        ("channel", "<u4"),
        ("unit", "<u4"),
        ("features", "<i4", 8),
        ("samples", "<i2", (32, 4)),
    ])
    records = np.zeros(6, kind)
    records["timestamp"] = 1_000_000 + np.array([0, 100, 200, 300, 400, 500])  # microseconds
    records["unit"] = [1, 2, 1, 0, 2, 1]
    lines = [
        "######## Neuralynx Data File Header",
        "## File Name C:\\data\\TT1.ntt",
        "## Time Opened (m/d/y): 1/2/2020  (h:m:s.ms) 10:0:0.0",
        "-CheetahRev 5.5.1",
        "-AcqEntName TT1",
        "-FileType Spike",
        "-RecordSize 304",
        "-HardwareSubSystemName AcqSystem1",
        "-HardwareSubSystemType DigitalLynx",
        "-SamplingFrequency 32000",
        "-ADMaxValue 32767",
        "-ADBitVolts 0.0000001 0.0000001 0.0000001 0.0000001",
        "-NumADChannels 4",
        "-ADChannel 0 1 2 3",
        "-InputRange 400 400 400 400",
        "-InputInverted True",
        "-WaveformLength 32",
        "-AlignmentPt 8",
    ]
    header = ("\r\n".join(lines) + "\r\n").encode("latin-1").ljust(16 << 10, b"\0")
    (tmp_path / "TT1.ntt").write_bytes(header + records.tobytes())
    sorting = si.read(tmp_path, sampling_frequency=32_000.0)
    assert isinstance(sorting, si.NeuralynxSortingExtractor)
    assert sorting.count_total_num_spikes() == 6
    assert sorting.get_num_units() == 3
    intervals = [np.diff(sorting.get_unit_spike_train(unit)) for unit in sorting.unit_ids]
    assert [one.tolist() for one in intervals] == [[], [6, 10], [10]]
    assert sorting.get_property("electrode").tolist() == ["TT1"] * 3
    assert sorting.get_property("quality").tolist() == ["unsorted", "sorted", "sorted"]


# -- tables ----------------------------------------------------------------------------------


def test_tables_of_bids(tmp_path):
    path = tmp_path / "sub-1_events.tsv"
    path.write_text(
        "onset\tduration\ttrial_type\tchannel\treaction\n"
        "2.5\t0.2\tgo\tleft\t0.31\n0.5\tn/a\tstop\tright\tn/a\n1.0\t0.1\tgo\tleft\t0.4\n"
    )
    event = si.read(path)
    assert isinstance(event, si.TableEventExtractor)
    assert event.channel_ids.tolist() == ["left", "right"]
    left = event.get_events("left")
    assert left["time"].tolist() == [1.0, 2.5]
    assert left["label"].tolist() == ["go", "go"]
    assert left["reaction"].tolist() == [0.4, 0.31]
    assert np.isnan(event.get_events("right")["duration"][0])


def test_npy_files_of_times(tmp_path):
    np.save(tmp_path / "times.npy", np.array([2.0, 1.0]))
    assert si.read_event_table(tmp_path / "times.npy").get_event_times().tolist() == [1.0, 2.0]
    np.save(tmp_path / "intervals.npy", np.array([[1.0, 1.5], [2.0, 2.25]]))
    lasts = si.read_event_table(tmp_path / "intervals.npy").get_events()["duration"]
    assert lasts.tolist() == [0.5, 0.25]
    records = np.array([(1.5, "on"), (0.5, "off")], [("time", "f8"), ("label", "U3")])
    np.save(tmp_path / "records.npy", records)
    event = si.read(tmp_path / "records.npy")
    assert event.get_events()["label"].tolist() == ["off", "on"]


def test_faults_of_tables(tmp_path):
    path = tmp_path / "events.tsv"
    path.write_text("onset\tduration\nsoon\t1\n")
    with pytest.raises(DataError, match="onset"):
        si.read_event_table(path)
    path.write_text("when\n1.0\n")
    with pytest.raises(DataError, match="time_column"):
        si.read_event_table(path)
    assert si.read_event_table(path, "when").get_event_times().tolist() == [1.0]
    with pytest.raises(ParameterError, match="where"):
        si.read_event_table(path, "where")
    with pytest.raises(MissingFileError):
        si.read_event_table(tmp_path / "nowhere.npy")
    path.write_text("onset\tduration\n")
    assert len(si.read_event_table(path).get_events()) == 0


def test_events_are_saved_and_loaded(tmp_path):
    path = tmp_path / "events.tsv"
    path.write_text("onset\tduration\tlabel\n1.0\t0.5\ta\n")
    event = si.read_event_table(path)
    saved = event.save(folder=tmp_path / "saved")
    assert saved.get_events("events").tolist() == event.get_events("events").tolist()
    event.dump(tmp_path / "event.json")
    assert si.load(tmp_path / "event.json").get_events().tolist() == event.get_events().tolist()
