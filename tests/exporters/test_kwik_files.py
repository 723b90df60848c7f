"""What is written as Kwik is read back, and files appear as a whole."""

import h5py
import numpy as np
import pytest
from hypothesis import given, strategies as st

import spikeloom as si
from making.kwik_datasets import (
    METADATA,
    RATE,
    group_data,
    klusta_dataset,
    raw_recording,
    raw_traces,
)
from spikeloom import KwikModel
from spikeloom.errors import ParameterError, WriteError
from spikeloom.extractors.kwik_contents import KwikRecording


def test_files_are_laid_out_as_klusta_does(tmp_path):
    path = klusta_dataset(tmp_path)
    with h5py.File(path) as file:
        assert file.attrs["kwik_version"] == 2
        assert file.attrs["name"].dtype.kind == "S"
        detection = file["application_data/spikedetekt"].attrs
        assert detection["sample_rate"] == RATE
        assert detection["n_channels"] == 6
        assert detection["dtype"].tolist() == [b"int16"]
        assert detection["raw_data_files"].tolist() == [b"a.dat", b"b.dat"]
        assert detection["use_single_threshold"] == 1
        group = file["channel_groups/1"]
        assert group.attrs["channel_order"].dtype == np.int32
        assert group.attrs["adjacency_graph"].shape == (6, 2)
        spikes = group["spikes"]
        kinds = [spikes[n].dtype.str for n in ("time_samples", "time_fractional", "recording")]
        assert kinds == ["<u8", "|u1", "<i4"]
        assert spikes["clusters/main"].dtype == np.int32
        assert group["clusters/main/5"].attrs["cluster_group"] == 4
        assert group["cluster_groups/main/4"].attrs["name"].tolist() == [b"Odd"]
        assert file["recordings/1"].attrs["start_sample"] == 3000
        assert file["recordings/1/raw"].attrs["hdf5_path"].tolist() == [b"session.raw.kwd"]
    with h5py.File(path.with_suffix(".kwx")) as file:
        stored = file["channel_groups/1/features_masks"]
        assert stored.chunks is None  # which klusta maps into memory
        assert stored.dtype == np.float32
    with h5py.File(path.with_suffix(".raw.kwd")) as file:
        assert file["recordings/0/data"].shape == (3000, 6)
        assert file["recordings/0"].attrs["bit_depth"] == 16


@given(st.data())
def test_any_spikes_come_back(tmp_path_factory, data):
    n_spikes = data.draw(st.integers(0, 30))
    n_recordings = data.draw(st.integers(1, 3))
    whole = st.lists(st.integers(0, 5000), min_size=n_spikes, max_size=n_spikes)
    numbers = np.sort(
        data.draw(st.lists(st.integers(0, n_recordings - 1), min_size=n_spikes, max_size=n_spikes))
    ).astype(int)
    samples = np.array(data.draw(whole), int)
    samples = samples[np.lexsort([samples, numbers])]
    clusters = np.array(data.draw(whole), int)
    path = tmp_path_factory.mktemp("kwik") / "a.kwik"
    group = si.KwikChannelGroupData(
        channels=[3, 1],
        time_samples=samples,
        recording_numbers=numbers,
        clusterings={"main": clusters},
    )
    recordings = [KwikRecording(k, start_sample=6000 * k) for k in range(n_recordings)]
    si.write_kwik(path, {0: group}, sampling_frequency=RATE, recordings=recordings)
    sorting = si.read_kwik(path)
    assert sorting.unit_ids.tolist() == np.unique(clusters).tolist()
    for unit_id in sorting.unit_ids:
        for k in range(n_recordings):
            expected = samples[(clusters == unit_id) & (numbers == k)]
            assert sorting.get_unit_spike_train(unit_id, k).tolist() == expected.tolist()
    model = KwikModel(path)
    # The axis of all recordings goes on where the file says that the next one begins, if no
    # spike contradicts that.
    np.testing.assert_array_equal(model.spike_samples, samples + 6000 * numbers)
    np.testing.assert_array_equal(model.spike_clusters, clusters)


def test_a_recording_of_microvolts_keeps_its_gains(tmp_path):
    recording = raw_recording()
    recording.set_channel_gains(np.linspace(0.1, 0.6, 6))
    recording.set_channel_offsets(0.0)
    path = klusta_dataset(tmp_path, raw_recording=recording)
    found = si.read_kwik_recording(path)
    np.testing.assert_allclose(found.get_channel_gains(), np.linspace(0.1, 0.6, 6))
    si.check_recordings_equal(found, si.read_kwik_recording(path.with_suffix(".raw.kwd")))


def test_features_are_read_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("spikeloom.exporters.kwik_files._N_BATCH_ROWS", 7)
    model = KwikModel(klusta_dataset(tmp_path))
    np.testing.assert_array_equal(model.features, group_data().features)
    np.testing.assert_array_equal(model.masks, group_data().masks)


def test_what_is_there_is_not_overwritten_unless_asked(tmp_path):
    path = klusta_dataset(tmp_path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        klusta_dataset(tmp_path)
    assert path.read_bytes() == before
    klusta_dataset(tmp_path, groups={0: group_data(n_spikes=10)}, overwrite=True)
    assert KwikModel(path).n_spikes == 10
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "session.kwik",
        "session.kwx",
        "session.raw.kwd",
    ]


def test_raw_data_of_another_dataset_are_not_taken_over(tmp_path):
    klusta_dataset(tmp_path)
    with pytest.raises(ParameterError, match="would be taken for the raw data"):
        klusta_dataset(tmp_path, has_raw=False, overwrite=True)
    recordings = [
        KwikRecording(k, start_sample=3000 * k, hdf5_path="session.raw.kwd") for k in (0, 1)
    ]
    path = klusta_dataset(tmp_path, has_raw=False, recordings=recordings, overwrite=True)
    np.testing.assert_array_equal(KwikModel(path).all_traces[:], np.concatenate(raw_traces()))


def test_a_failure_leaves_no_file(tmp_path):
    class Broken:
        shape = (80, 4, 3)

        def __getitem__(self, rows):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        klusta_dataset(tmp_path, groups={1: group_data(features=Broken(), masks=None)})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(WriteError):
        si.write_kwik(tmp_path / "a" / "b.kwik", {}, sampling_frequency=RATE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_samples": np.arange(79)},
        {"time_samples": np.arange(80) - 1},
        {"time_samples": np.arange(80) + 0.5},
        {"clusterings": {"main": np.zeros(3, int)}},
        {"clusterings": {"a/b": np.zeros(80, int)}},
        {"recording_numbers": np.zeros(3, int)},
        {"channels": (1, 1, 2, 3)},
        {"features": np.zeros((3, 4, 3))},
        {"masks": np.zeros((80, 3))},
        {"features": None},
        {"positions_um": np.zeros((3, 2))},
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, wrong):
    with pytest.raises(ParameterError):
        klusta_dataset(tmp_path, groups={0: group_data(**wrong)})
    assert list(tmp_path.iterdir()) == []


def test_other_arguments_that_do_not_fit_are_refused(tmp_path):
    for arguments in (
        {"metadata": {"a": object()}},
        {"metadata": {"a": np.zeros(100_000)}},
        {"recordings": [KwikRecording(0)]},
        {"raw_recording": si.NumpyRecording(raw_traces(), RATE / 2)},
    ):
        with pytest.raises(ParameterError):
            klusta_dataset(tmp_path, **arguments)
    with pytest.raises(ParameterError, match=r"ends in \.kwik"):
        si.write_kwik(tmp_path / "a.h5", {}, sampling_frequency=RATE)
    with pytest.raises(ParameterError, match="positive"):
        si.write_kwik(tmp_path / "a.kwik", {}, sampling_frequency=0)
    assert list(tmp_path.iterdir()) == []


# -- sortings ----------------------------------------------------------------------------------


def test_a_kwik_sorting_is_exported_as_it_was(tmp_path):
    groups = {0: group_data(seed=1), 1: group_data(seed=2, channels=(1, 5))}
    source = klusta_dataset(tmp_path / "a", groups=groups, metadata=METADATA)
    sorting, recording = si.read_kwik(source), si.read_kwik_recording(source)
    sorting.set_property("snr", np.arange(10) / 4)
    path = si.export_to_kwik(sorting, tmp_path / "b" / "copy.kwik", recording)
    again = si.read_kwik(path)
    si.check_sortings_equal(sorting, again)
    for key in ("group", "quality", "original_cluster_id", "snr"):
        assert again.get_property(key).tolist() == sorting.get_property(key).tolist()
    si.check_recordings_equal(recording, si.read_kwik_recording(path))


def test_real_sortings_are_exported_and_come_back(data_folder, tmp_path):
    sorting = si.read_klusta(data_folder / "axona_tt8_dev")
    again = si.read_kwik(si.export_to_kwik(sorting, tmp_path / "copy.kwik"))
    si.check_sortings_equal(sorting, again)
    assert again.get_property("quality").tolist() == sorting.get_property("quality").tolist()


def test_units_with_names_become_clusters_counted_from_0(tmp_path):
    trains = {"b": [5, 9], "a": [7]}
    sorting = si.NumpySorting.from_unit_dict(trains, RATE)
    sorting.set_property("quality", ["good", "strange"])
    path = si.export_to_kwik(sorting, tmp_path / "a.kwik")
    again = si.read_kwik(path)
    assert again.unit_ids.tolist() == [0, 1]
    assert again.get_unit_spike_train(0).tolist() == [5, 9]
    assert again.get_property("quality").tolist() == ["good", "strange"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.kwik", "a.kwx"]


def test_an_analyzer_is_exported_with_its_recording(tmp_path):
    recording, sorting = si.generate_ground_truth_recording([1.0, 0.5], num_units=3, seed=0)
    analyzer = si.create_sorting_analyzer(sorting, recording, sparse=False)
    path = si.export_to_kwik(analyzer, tmp_path / "a.kwik", metadata={"filter_low": 300.0})
    model = KwikModel(path)
    assert model.traces.shape == (recording.get_total_samples(), recording.get_num_channels())
    assert model.waveforms.shape[0] == sorting.count_total_num_spikes()
    np.testing.assert_array_equal(model.channel_positions, recording.get_channel_locations())


def test_units_of_groups_that_the_recording_lacks_are_refused(tmp_path):
    sorting = si.NumpySorting.from_unit_dict({0: [5], 1: [7]}, RATE)
    sorting.set_property("group", [0, 9])
    recording = si.NumpyRecording([np.zeros((100, 2), np.int16)], RATE)
    with pytest.raises(ParameterError, match=r"channel groups \[9\]"):
        si.export_to_kwik(sorting, tmp_path / "a.kwik", recording)
