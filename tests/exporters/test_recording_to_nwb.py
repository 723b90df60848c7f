"""Traces in NWB files, read back with pynwb and with our reader."""

from datetime import UTC, datetime

import h5py
import numpy as np
import pynwb
import pytest
from probeinterface import ProbeGroup, generate_linear_probe

import spikeloom as si
from making.recording_files import random_traces
from spikeloom.errors import MissingDependencyError, ParameterError, WriteError
from spikeloom.exporters import add_units_to_nwbfile, export_recording_to_nwb

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
RATE = 20_000.0


@pytest.fixture
def read():
    """Read a file, which has to be a valid one."""
    files = []

    def open_one(path):
        assert pynwb.validate(path=path) == []
        files.append(pynwb.NWBHDF5IO(path, "r"))
        return files[-1].read()

    yield open_one
    for file in files:
        file.close()


def made(n_segments=1, n_channels=5, n_samples=700):
    return si.NumpyRecording(
        [random_traces(n_samples + k, n_channels) for k in range(n_segments)],
        RATE,
        t_starts=[2.0 + k for k in range(n_segments)],
    )


def test_traces_rate_and_start(tmp_path, read):
    recording = made()
    path = tmp_path / "a.nwb"
    export_recording_to_nwb(recording, path, session_start_time=START, identifier="one")
    file = read(path)
    assert (file.identifier, file.session_start_time) == ("one", START)
    series = file.acquisition["ElectricalSeries"]
    np.testing.assert_array_equal(series.data[:], recording.get_traces())
    assert series.data.dtype == np.int16
    assert (series.rate, series.starting_time, series.timestamps) == (RATE, 2.0, None)
    assert series.electrodes.data[:].tolist() == [0, 1, 2, 3, 4]
    assert [one.name for one in tmp_path.iterdir()] == ["a.nwb"]
    si.check_recordings_equal(
        recording.rename_channels([str(k) for k in range(5)]), si.read_nwb_recording(path)
    )


def test_each_segment_is_a_series(tmp_path, read):
    recording = made(n_segments=2)
    path = tmp_path / "a.nwb"
    export_recording_to_nwb(recording, path, session_start_time=START, name="Raw")
    file = read(path)
    assert list(file.acquisition) == ["Raw0", "Raw1"]
    for k in (0, 1):
        series = file.acquisition[f"Raw{k}"]
        np.testing.assert_array_equal(series.data[:], recording.get_traces(k))
        assert series.starting_time == 2.0 + k
    assert len(file.electrodes) == 5


@pytest.mark.parametrize(
    ("gains", "offsets", "expected"),
    [
        ([0.2] * 5, [3.0] * 5, {"conversion": 2e-7, "offset": 3e-6}),
        ([0.1, 0.2, 0.3, 0.4, 0.5], [3.0] * 5, {"conversion": 1e-6, "offset": 3e-6}),
        ([0.2] * 5, [0.0, 1.0, 2.0, 3.0, 4.0], {"conversion": 2e-7, "offset": 0.0}),
        (None, None, {"conversion": 1.0, "offset": 0.0}),
    ],
)
def test_values_become_volts(tmp_path, read, gains, offsets, expected):
    recording = made()
    if gains is not None:
        recording.set_channel_gains(gains)
        recording.set_channel_offsets(offsets)
    path = tmp_path / "a.nwb"
    export_recording_to_nwb(recording, path, session_start_time=START)
    series = read(path).acquisition["ElectricalSeries"]
    assert {"conversion": series.conversion, "offset": series.offset} == pytest.approx(expected)
    if gains is None:
        return
    again = si.read_nwb_recording(path)
    np.testing.assert_allclose(again.get_channel_gains(), gains)
    np.testing.assert_allclose(again.get_channel_offsets(), offsets)
    if np.ptp(offsets) == 0:
        np.testing.assert_allclose(
            series.get_data_in_units(), recording.get_traces(return_in_uV=True) * 1e-6, rtol=1e-5
        )


def test_channels_are_electrodes(tmp_path, read):
    group = ProbeGroup()
    for k in (0, 1):
        probe = generate_linear_probe(2)
        probe.move([500.0 * k, 0])
        probe.set_device_channel_indices([2 * k, 2 * k + 1])
        probe.model_name = f"model {k}"
        group.add_probe(probe)
    recording = made(n_channels=4).set_probegroup(group)
    recording.set_property("brain_area", ["CA1", "CA1", "CA3", "CA3"])
    recording.set_property("is_bad", [False, True, False, False])
    path = tmp_path / "a.nwb"
    export_recording_to_nwb(recording, path, session_start_time=START)
    electrodes = read(path).electrodes.to_dataframe()
    assert electrodes["channel_name"].tolist() == ["0", "1", "2", "3"]
    np.testing.assert_allclose(
        electrodes[["rel_x", "rel_y"]].to_numpy(), recording.get_channel_locations()
    )
    assert electrodes["location"].tolist() == ["CA1", "CA1", "CA3", "CA3"]
    assert electrodes["is_bad"].tolist() == [False, True, False, False]
    assert electrodes["group_name"].tolist() == ["probe0", "probe0", "probe1", "probe1"]
    again = si.read_nwb_recording(path)
    np.testing.assert_allclose(again.get_channel_locations(), recording.get_channel_locations())
    assert again.get_channel_groups().tolist() == recording.get_channel_groups().tolist()
    assert len(again.get_probegroup().probes) == 2


def test_a_time_for_each_sample(tmp_path, read, monkeypatch):
    monkeypatch.setattr("spikeloom.exporters.recording_to_nwb._N_TIMES", 64)
    recording = made()
    times = 7.0 + np.arange(700) / RATE
    times[300:] += 0.25
    recording.set_times(times)
    path = tmp_path / "a.nwb"
    export_recording_to_nwb(recording, path, session_start_time=START)
    series = read(path).acquisition["ElectricalSeries"]
    np.testing.assert_array_equal(series.timestamps[:], times)
    assert series.rate is None
    again = si.read_nwb_recording(path, load_time_vector=True)
    np.testing.assert_array_equal(again.get_times(), times)


@pytest.mark.parametrize("compress", [True, False])
def test_traces_are_written_in_chunks(tmp_path, read, compress, monkeypatch):
    monkeypatch.setattr("spikeloom.exporters.recording_to_nwb._CHUNK_BYTES", 1000)
    recording = made(n_channels=70)
    path = tmp_path / "a.nwb"
    export_recording_to_nwb(
        recording, path, session_start_time=START, compress=compress, chunk_size=33
    )
    np.testing.assert_array_equal(
        read(path).acquisition["ElectricalSeries"].data[:], recording.get_traces()
    )
    with h5py.File(path) as file:
        data = file["acquisition/ElectricalSeries/data"]
        assert (data.chunks, data.compression) == ((7, 64), "gzip" if compress else None)


def test_traces_and_units_are_in_one_file(tmp_path, read):
    recording, sorting = si.generate_ground_truth_recording([1.0], num_units=3, seed=0)
    nwbfile = pynwb.NWBFile("Open field.", "mouse-7", START)
    analyzer = si.create_sorting_analyzer(sorting, recording, sparse=False)
    add_units_to_nwbfile(analyzer, nwbfile)
    path = tmp_path / "a.nwb"
    export_recording_to_nwb(recording, path, nwbfile=nwbfile)
    file = read(path)
    assert len(file.electrodes) == recording.get_num_channels()
    assert len(file.units) == 3
    np.testing.assert_array_equal(
        file.acquisition["ElectricalSeries"].data[:], recording.get_traces()
    )
    with pytest.raises(ParameterError, match="ElectricalSeries already"):
        export_recording_to_nwb(recording, tmp_path / "b.nwb", nwbfile=nwbfile)
    with pytest.raises(ParameterError, match="channel_name"):
        export_recording_to_nwb(
            recording.rename_channels(list("abcd")), tmp_path / "b.nwb", nwbfile=nwbfile, name="X"
        )
    assert not (tmp_path / "b.nwb").exists()


def test_what_cannot_be_written(tmp_path):
    path = tmp_path / "a.nwb"
    for empty in (made(n_samples=0), si.NumpyRecording([np.zeros((9, 0), np.int16)], RATE)):
        with pytest.raises(ParameterError, match="no empty electrical series"):
            export_recording_to_nwb(empty, path, session_start_time=START)
    nwbfile = pynwb.NWBFile("Open field.", "mouse-7", START)
    with pytest.raises(ParameterError, match="pass one"):
        export_recording_to_nwb(made(), path, session_start_time=START, nwbfile=nwbfile)
    with pytest.warns(UserWarning, match="1970"):
        export_recording_to_nwb(made(), path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        export_recording_to_nwb(made(), path, session_start_time=START)
    with pytest.raises(ParameterError, match="folder"):
        export_recording_to_nwb(made(), tmp_path, True, START)
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        export_recording_to_nwb(made(), tmp_path / "file" / "a.nwb", False, START)

    class Broken(si.NumpyRecording):
        def get_traces(self, *args, **kwargs):
            raise ZeroDivisionError

    broken = Broken([random_traces(50, 2)], RATE)
    with pytest.raises(ZeroDivisionError):
        export_recording_to_nwb(broken, path, True, START)
    assert path.read_bytes() == before


def test_without_pynwb_the_error_says_what_to_install(tmp_path, without):
    without("pynwb")
    with pytest.raises(MissingDependencyError, match=r"pip install 'spikeloom\[nwb\]'"):
        export_recording_to_nwb(made(), tmp_path / "a.nwb", session_start_time=START)
