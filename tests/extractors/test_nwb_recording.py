import numpy as np
import pytest

from making.nwb_makers import make_nwb
from making.recording_files import random_traces
from spikeloom.core.loading import load
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.nwb_recording import NwbRecordingExtractor, read_nwb_recording
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reading import read
from spikeloom.extractors.recognising import recognise

TRACES = random_traces(500, 4)
TABLE = "general/extracellular_ephys/electrodes"
COLUMNS = {
    "id": np.arange(6),
    "rel_x": np.array([0.0, 0, 0, 0, 10, 10]),
    "rel_y": np.arange(6) * 20.0,
    "group_name": np.array(["a", "a", "a", "b", "b", "b"]),
    "location": np.array(["CA1", "CA1", "CA3", "CA3", "DG", "DG"]),
    "imp": np.arange(6) / 10,
}


def write_series(maker, path, traces, *, has_times=False, **attributes):
    maker.group(path, neurodata_type="ElectricalSeries")
    maker.array(f"{path}/data", traces, conversion=2e-7, offset=1e-6, **attributes)
    maker.array(f"{path}/electrodes", np.arange(traces.shape[1] if traces.ndim > 1 else 1) + 1)
    if has_times:
        maker.array(f"{path}/timestamps", 5 + np.arange(len(traces)) / 1000)
    else:
        maker.array(f"{path}/starting_time", 2.5, rate=20_000.0)


def write_nwb(maker, **kwargs):
    maker.group(TABLE, colnames=list(COLUMNS))
    for name, values in COLUMNS.items():
        maker.array(f"{TABLE}/{name}", values)
    write_series(maker, "acquisition/ElectricalSeries", TRACES, **kwargs)


@pytest.fixture(params=["hdf5", "zarr"])
def maker(request, tmp_path):
    return make_nwb(tmp_path, request.param)


def test_a_series_with_electrodes(maker, tmp_path):
    write_nwb(maker)
    recording = read_nwb_recording(maker.path)
    assert recording.channel_ids.tolist() == [1, 2, 3, 4]
    assert (recording.sampling_frequency, recording.get_start_time()) == (20_000, 2.5)
    np.testing.assert_array_equal(recording.get_traces(), TRACES)
    np.testing.assert_array_equal(recording.get_traces(0, 7, 9, [4, 1]), TRACES[7:9, [3, 0]])
    np.testing.assert_allclose(recording.get_channel_gains(), 0.2)
    np.testing.assert_allclose(recording.get_channel_offsets(), 1.0)
    np.testing.assert_array_equal(recording.get_channel_locations()[:, 1], [20, 40, 60, 80])
    assert recording.get_channel_groups().tolist() == ["a", "a", "b", "b"]
    assert recording.get_property("brain_area").tolist() == ["CA1", "CA3", "CA3", "DG"]
    assert recording.get_property("imp").tolist() == [0.1, 0.2, 0.3, 0.4]
    plain = read_nwb_recording(maker.path, load_channel_properties=False)
    assert plain.get_property("imp") is None
    recording.dump(tmp_path / "recording.json")
    np.testing.assert_array_equal(load(tmp_path / "recording.json").get_traces(), TRACES)


def test_times_of_samples(maker):
    write_nwb(maker, has_times=True)
    recording = read_nwb_recording(maker.path)
    assert recording.sampling_frequency == pytest.approx(1000)
    assert recording.get_start_time() == 5
    assert not recording.has_time_vector()
    recording = read_nwb_recording(maker.path, load_time_vector=True)
    assert recording.has_time_vector()
    np.testing.assert_allclose(recording.get_times(), 5 + np.arange(500) / 1000)


def test_several_series(maker):
    write_nwb(maker)
    write_series(maker, "processing/ecephys/LFP/low", TRACES[:100, :2])
    paths = ["acquisition/ElectricalSeries", "processing/ecephys/LFP/low"]
    assert NwbRecordingExtractor.fetch_available_electrical_series_paths(maker.path) == paths
    with pytest.raises(ParameterError, match="'processing/ecephys/LFP/low'"):
        read_nwb_recording(maker.path)
    low = read_nwb_recording(maker.path, electrical_series_path=paths[1])
    np.testing.assert_array_equal(low.get_traces(), TRACES[:100, :2])
    with pytest.raises(ParameterError, match="no electrical series 'x'"):
        read_nwb_recording(maker.path, electrical_series_path="x")


def test_a_series_of_one_channel(maker):
    write_nwb(maker)
    write_series(maker, "acquisition/one", TRACES[:, 0])
    one = read_nwb_recording(maker.path, electrical_series_path="acquisition/one")
    np.testing.assert_array_equal(one.get_traces(), TRACES[:, :1])


def test_files_are_recognised_by_their_content(maker):
    assert recognise(maker.path, kind="recording")[0].reader.name != "nwb"  # no series yet
    write_nwb(maker)
    assert recognise(maker.path)[0].reader.name == "nwb"
    assert isinstance(read(maker.path), NwbRecordingExtractor)


def test_what_is_wrong_is_told(maker):
    with pytest.raises(DataError, match="no electrical series"):
        read_nwb_recording(maker.path)
    path = "acquisition/ElectricalSeries"
    maker.group(path, neurodata_type="ElectricalSeries")
    with pytest.raises(DataError, match="must be of shape"):
        read_nwb_recording(maker.path)
    maker.array(f"{path}/data", TRACES, conversion="much")
    with pytest.raises(DataError, match="neither a rate"):
        read_nwb_recording(maker.path)
    maker.array(f"{path}/starting_time", 0.0, rate=20_000.0)
    with pytest.raises(DataError, match="conversion must be a number"):
        read_nwb_recording(maker.path)
    maker.array(f"{path}/electrodes", np.arange(4) + 900)
    with pytest.raises(DataError, match="4 rows of a table of 0 electrodes"):
        read_nwb_recording(maker.path)


def test_what_is_no_file(tmp_path):
    (tmp_path / "x.nwb").write_bytes(b"no")
    with pytest.raises(ReadError, match="no HDF5 file"):
        read_nwb_recording(tmp_path / "x.nwb")
    with pytest.raises(MissingFileError):
        read_nwb_recording(tmp_path / "y.nwb")
    with pytest.raises(ParameterError, match="stream_mode"):
        read_nwb_recording("https://example.org/x.nwb", stream_mode="smoke")


def test_the_real_locust_file(data_folder):
    path = data_folder / "locust1_si_tdc2/locust_trial1.nwb"
    recording = read_nwb_recording(path)
    raw = np.fromfile(data_folder / "locust_tdc/locust_trial_01.raw", "<i2").reshape(-1, 4)
    np.testing.assert_array_equal(recording.get_traces(), raw)
    assert recording.sampling_frequency == 15_000
    np.testing.assert_allclose(recording.get_channel_gains(), 1.0)
    assert set(recording.get_property("brain_area")) == {"AL"}


def test_a_real_file_without_traces_says_so(data_folder):
    (path,) = (data_folder / "nwb_hdmfzarr").glob("*.nwb")
    with pytest.raises(DataError, match="no electrical series"):
        read_nwb_recording(path)
    candidates = recognise(path)
    told = [one.recognition.reason for one in candidates if one.reader.name == "nwb"]
    assert "it is an NWB file without electrical series" in told
    assert "nwb_version" in Peek(path).hdf5_attributes
