"""Units in NWB files, read back with pynwb."""

from datetime import UTC, datetime

import numpy as np
import pynwb
import pytest
from probeinterface import ProbeGroup, generate_linear_probe, generate_multi_shank

import spikeloom as si
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import MissingDependencyError, ParameterError, WriteError
from spikeloom.exporters import add_units_to_nwbfile, export_to_nwb

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def new_file():
    return pynwb.NWBFile("A session.", "session-1", START)


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


@pytest.fixture(scope="module")
def path(known_analyzer, tmp_path_factory):
    target = tmp_path_factory.mktemp("nwb") / "units.nwb"
    export_to_nwb(known_analyzer, target, session_start_time=START, identifier="one")
    return target


def test_the_file_says_what_session_it_is(path, read):
    file = read(path)
    assert file.identifier == "one"
    assert file.session_start_time == START
    assert [one.name for one in path.parent.iterdir()] == ["units.nwb"]


def test_times_are_in_seconds_on_one_axis(path, read, known_analyzer):
    units = read(path).units
    assert units["unit_name"].data[:].tolist() == ["u0", "u1", "u2", "silent"]
    assert units.id[:].tolist() == [0, 1, 2, 3]
    fs, sorting = known_analyzer.sampling_frequency, known_analyzer.sorting
    for row, unit_id in enumerate(known_analyzer.unit_ids):
        trains = [sorting.get_unit_spike_train(unit_id, k) for k in range(2)]
        expected = np.concatenate([trains[0] / fs, 3.0 + trains[1] / fs])
        np.testing.assert_allclose(units["spike_times"][row], expected, rtol=0, atol=1e-9)
        np.testing.assert_allclose(units["obs_intervals"][row], [[0, 3], [3, 5]])
    assert units.resolution == pytest.approx(1 / fs)
    segments = read(path).intervals["segments"].to_dataframe()
    assert segments["segment_index"].tolist() == [0, 1]
    assert segments["own_start_time"].tolist() == [0, 0]
    np.testing.assert_allclose(segments["stop_time"], [3, 5])


def test_templates_are_in_volts(path, read, known_analyzer):
    units = read(path).units
    templates = known_analyzer.get_extension("templates")
    for operator, name in (("average", "waveform_mean"), ("std", "waveform_sd")):
        expected = templates.get_data(operator=operator) * 1e-6
        np.testing.assert_allclose(units[name].data[:], expected, rtol=1e-6, atol=1e-12)
        assert units[name].data.dtype == np.float32
    assert units.waveform_rate == known_analyzer.sampling_frequency
    assert units.waveform_unit == "volts"
    assert units.waveform_time_before_peak_in_ms == pytest.approx(1.0)


def test_metrics_locations_and_properties_are_columns(path, read, known_analyzer):
    units = read(path).units
    table = known_analyzer.get_extension("quality_metrics").get_data()
    np.testing.assert_allclose(units["snr"].data[:], table["snr"].to_numpy(float, na_value=np.nan))
    assert units["num_spikes"].data.dtype.kind == "i"
    assert units["snr"].description == "Template amplitude over noise level."
    table = known_analyzer.get_extension("template_metrics").get_data()
    np.testing.assert_allclose(units["trough_half_width"].data[:], table["trough_half_width"])
    assert units["trough_half_width"].description.endswith("In s.")
    locations = known_analyzer.get_extension("unit_locations").get_data()
    np.testing.assert_allclose(units["y"].data[:], locations[:, 1])
    assert units["quality"].data[:].tolist() == ["good", "mua", "", "µ"]
    assert units["is_accepted"].data[:].tolist() == [True, False, True, False]
    assert units["n_merged"].data[:].tolist() == [1, 2, 3, 4]
    assert units["position"].data[:].tolist() == np.arange(8.0).reshape(4, 2).tolist()
    # The metric of the same name is another thing.
    assert units["snr_property"].data[:].tolist() == [9.0] * 4


def test_electrodes_are_the_channels(path, read, known_analyzer):
    file = read(path)
    electrodes = file.electrodes.to_dataframe()
    assert electrodes["channel_name"].tolist() == known_analyzer.channel_ids.astype(str).tolist()
    np.testing.assert_allclose(
        electrodes[["rel_x", "rel_y"]].to_numpy(), known_analyzer.get_channel_locations()
    )
    assert electrodes["location"].tolist() == ["CA1"] * 3 + ["CA3"] * 3
    assert electrodes["is_bad"].tolist() == [False] * 5 + [True]
    assert electrodes["gain_to_uV"].tolist() == [1.0] * 6
    assert set(electrodes["group_name"]) == {"probe"}
    assert file.units["electrodes"][0].index.tolist() == list(range(6))
    assert {one.name for one in file.units["electrode_group"].data[:]} == {"probe"}


def two_probes():
    group = ProbeGroup()
    first = generate_multi_shank(num_shank=2, num_columns=1, num_contact_per_column=2)
    first.manufacturer, first.model_name, first.serial_number = "maker", "A2x2", "42"
    second = generate_linear_probe(num_elec=2)
    second.move([1000, 0])
    for probe in (first, second):
        group.add_probe(probe)
    # The wires of the two are mixed.
    group.set_global_device_channel_indices([5, 0, 4, 1, 2, 3])
    return group


def test_probes_are_devices_and_shanks_are_groups(tmp_path, read):
    recording = NumpyRecording([np.zeros((1000, 6), np.int16)], 1000.0)
    recording = recording.set_probegroup(two_probes())
    sorting = NumpySorting.from_unit_dict({7: [10, 20], 3: [500]}, 1000.0)
    analyzer = si.create_sorting_analyzer(
        sorting,
        recording,
        sparse=False,
        return_in_uV=False,
        main_channel_indices=[0, 2],
        progress_bar=False,
    )
    export_to_nwb(analyzer, tmp_path / "a.nwb", session_start_time=START)
    file = read(tmp_path / "a.nwb")
    assert set(file.devices) == {"probe0", "probe1"}
    assert file.devices["probe0"].description == "maker A2x2"
    assert file.devices["probe0"].serial_number == "42"
    groups = file.electrodes.to_dataframe()["group_name"].tolist()
    shanks = ["probe0_shank_0", "probe0_shank_1", "probe1", "probe1"]
    assert groups == [shanks[0], shanks[1], *shanks[2:], shanks[1], shanks[0]]
    places = file.electrodes.to_dataframe()[["rel_x", "rel_y"]].to_numpy()
    np.testing.assert_allclose(places, analyzer.get_channel_locations())
    # Whole numbers are ids of the table, too.
    assert file.units.id[:].tolist() == [7, 3]
    assert [one.name for one in file.units["electrode_group"].data[:]] == [shanks[0], shanks[2]]


def test_waveforms_without_microvolts_are_left_out_with_a_warning(tmp_path, read):
    rng = np.random.default_rng(0)
    recording = NumpyRecording([rng.integers(-9, 9, (1000, 2)).astype(np.int16)], 1000.0)
    sorting = NumpySorting.from_unit_dict({"a": [100, 200]}, 1000.0)
    recording.set_dummy_probe_from_locations([[0, 0], [0, 40]])
    analyzer = si.create_sorting_analyzer(
        sorting, recording, sparse=False, return_in_uV=False, progress_bar=False
    )
    analyzer.compute(["random_spikes", "templates"], progress_bar=False)
    with pytest.warns(UserWarning, match="not in microvolts"):
        export_to_nwb(analyzer, tmp_path / "a.nwb", session_start_time=START)
    assert "waveform_mean" not in read(tmp_path / "a.nwb").units.colnames


def test_a_sorting_has_times_and_properties(known_analyzer, tmp_path, read):
    sorting = known_analyzer.sorting.select_segments([0])
    plain = NumpySorting.from_sorting(sorting, with_metadata=True)
    export_to_nwb(plain, tmp_path / "a.nwb", session_start_time=START)
    file = read(tmp_path / "a.nwb")
    assert file.electrodes is None
    assert "segments" not in file.intervals
    assert set(file.units.colnames) == {
        "unit_name",
        "spike_times",
        *("quality", "is_accepted", "n_merged", "position", "snr"),
        *({"main_channel_id"} & set(plain.get_property_keys())),
    }
    np.testing.assert_allclose(
        file.units["spike_times"][0], plain.get_unit_spike_train("u0") / plain.sampling_frequency
    )
    assert file.units["spike_times"][3].size == 0


@pytest.mark.parametrize(
    ("key", "column"),
    [("a/b:c", "a_b_c"), ("description", "description_property"), ("id", "id_property")],
)
def test_properties_get_names_that_files_can_have(key, column, tmp_path, read):
    sorting = NumpySorting.from_unit_dict({"a": [100], "b": [3]}, 1000.0)
    sorting.set_property(key, [1.5, 2.5])
    export_to_nwb(sorting, tmp_path / "a.nwb", session_start_time=START)
    units = read(tmp_path / "a.nwb").units
    assert units[column].data[:].tolist() == [1.5, 2.5]
    assert f"Property {key!r}" in units[column].description


def test_units_join_a_session(known_analyzer, tmp_path, read):
    file = new_file()
    export_to_nwb(known_analyzer, tmp_path / "a.nwb", nwbfile=file)
    assert read(tmp_path / "a.nwb").session_description == "A session."
    assert file.units is not None
    # A second sorting of the same channels shares their electrodes.
    other = known_analyzer.select_units(["u1"])
    with pytest.raises(ParameterError, match="'units' already: give another name"):
        add_units_to_nwbfile(other, file)
    add_units_to_nwbfile(other, file, name="units_again", description="Some.")
    with pytest.raises(ParameterError, match="'units_again' already"):
        add_units_to_nwbfile(other, file, name="units_again")
    with pynwb.NWBHDF5IO(tmp_path / "b.nwb", "w") as writer:
        writer.write(file)
    again = read(tmp_path / "b.nwb")
    assert len(again.electrodes) == 6
    table = again.processing["ecephys"]["units_again"]
    assert table["unit_name"].data[:].tolist() == ["u1"]
    with pytest.raises(ParameterError, match="nwbfile says itself"):
        export_to_nwb(
            known_analyzer, tmp_path / "c.nwb", nwbfile=new_file(), session_start_time=START
        )


def test_units_are_appended_to_a_file_on_the_disk(known_analyzer, tmp_path, read):
    export_to_nwb(known_analyzer, tmp_path / "a.nwb", session_start_time=START)
    with pynwb.NWBHDF5IO(tmp_path / "a.nwb", "r+") as writer:
        file = writer.read()
        add_units_to_nwbfile(known_analyzer.select_units(["u1"]), file, name="again")
        writer.write(file)
    file = read(tmp_path / "a.nwb")
    assert len(file.units) == 4
    table = file.processing["ecephys"]["again"]
    assert table["electrodes"][0].index.tolist() == list(range(6))
    assert table["electrode_group"][0].name == "probe"
    assert len(file.intervals["segments"]) == 2


def test_electrodes_that_are_there_are_found_by_name(known_analyzer):
    file = new_file()
    device = file.create_device("mine", description="Mine.")
    group = file.create_electrode_group("g", description="g", location="CA1", device=device)
    file.add_electrode_column("channel_name", "Name.")
    names = known_analyzer.channel_ids.astype(str).tolist()
    for name in ["other", *names[::-1]]:
        file.add_electrode(group=group, location="CA1", channel_name=name)
    add_units_to_nwbfile(known_analyzer, file)
    assert file.units["electrodes"].target.data[:6].tolist() == [6, 5, 4, 3, 2, 1]
    assert len(file.electrodes) == 7
    unknown = new_file()
    device = unknown.create_device("mine", description="Mine.")
    group = unknown.create_electrode_group("g", description="g", location="CA1", device=device)
    unknown.add_electrode(group=group, location="CA1")
    with pytest.raises(ParameterError, match="'channel_name' does not have each"):
        add_units_to_nwbfile(known_analyzer, unknown)
    assert unknown.units is None


def test_without_a_start_an_early_one_is_written_with_a_warning(tmp_path, read):
    sorting = NumpySorting.from_unit_dict({"a": [100]}, 1000.0)
    with pytest.warns(UserWarning, match="session_start_time"):
        export_to_nwb(sorting, tmp_path / "a.nwb")
    assert read(tmp_path / "a.nwb").session_start_time == datetime(1970, 1, 1, tzinfo=UTC)


def test_what_is_there_is_replaced_only_if_wanted_and_at_the_end(tmp_path, monkeypatch, read):
    sorting = NumpySorting.from_unit_dict({"a": [100]}, 1000.0)
    target = tmp_path / "a.nwb"
    target.write_text("mine")
    with pytest.raises(WriteError, match="exists already"):
        export_to_nwb(sorting, target, session_start_time=START)

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pynwb.NWBHDF5IO, "write", fail)
        with pytest.raises(WriteError):
            export_to_nwb(sorting, target, True, START)
    assert [one.name for one in tmp_path.iterdir()] == ["a.nwb"]
    assert target.read_text() == "mine"
    export_to_nwb(sorting, target, remove_if_exists=True, session_start_time=START)
    assert read(target).units["spike_times"][0].tolist() == [0.1]


def test_what_cannot_be_written_is_refused(known_analyzer, tmp_path):
    with pytest.raises(ParameterError, match="sorting or a SortingAnalyzer is needed; got int"):
        export_to_nwb(3, tmp_path / "a.nwb", session_start_time=START)
    none = known_analyzer.sorting.select_units([])
    with pytest.raises(ParameterError, match="no units"):
        export_to_nwb(none, tmp_path / "a.nwb", session_start_time=START)
    with pytest.raises(ParameterError, match="folder"):
        export_to_nwb(known_analyzer, tmp_path, True, session_start_time=START)
    assert list(tmp_path.iterdir()) == []


def test_without_pynwb_the_error_says_what_to_install(known_analyzer, tmp_path, without):
    without("pynwb")
    with pytest.raises(MissingDependencyError, match=r"pip install 'spikeloom\[nwb\]'"):
        export_to_nwb(known_analyzer, tmp_path / "a.nwb", session_start_time=START)
