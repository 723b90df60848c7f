"""KwikModel: what phy's users see of a Kwik dataset, and edits that leave everything else alone."""

import shutil

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.hashes import folder_bytes, folder_state
from making.kwik_datasets import (
    CHANNELS,
    LENGTHS,
    METADATA,
    RATE,
    group_data,
    klusta_dataset,
    raw_traces,
    viewa_dataset,
)
from spikeloom import KwikModel
from spikeloom.core.high_pass import HighPass
from spikeloom.datasets.kwik_dataset import as_dataset
from spikeloom.errors import ChangedOnDiskError, DataError, ParameterError, WriteError


@pytest.fixture
def path(tmp_path):
    return klusta_dataset(tmp_path / "data")


@pytest.fixture
def model(path):
    return KwikModel(path)


@pytest.fixture
def real(data_folder, tmp_path):
    """A copy of a real file of klusta."""
    for source in (data_folder / "kwik_hybrid10s").iterdir():
        shutil.copyfile(source, tmp_path / source.name)
    return tmp_path / "hybrid_10sec.kwik"


def arrays_of(path):
    """Return the values and positions of all arrays of a file."""
    found = {}

    def keep(name, node):
        if isinstance(node, h5py.Dataset):
            found[name] = (node[()].tobytes(), node.dtype, node.shape, node.id.get_offset())

    with h5py.File(path, "r") as file:
        file.visititems(keep)
    return found


# -- real data ---------------------------------------------------------------------------------


def test_the_examples_of_the_documents(real):
    model = KwikModel(str(real))
    assert model.spike_samples[:3].tolist() == [35, 795, 812]
    assert model.spike_samples.dtype == np.uint64
    np.testing.assert_allclose(model.spike_times[:3], [1.75e-03, 3.975e-02, 4.06e-02])
    assert model.spike_clusters.shape == (1653,)
    assert model.cluster_ids.tolist() == [0, *range(2, 18)]
    assert model.cluster_groups == dict.fromkeys([0, *range(2, 18)], 3)
    assert model.default_cluster_groups == {0: "Noise", 1: "MUA", 2: "Good", 3: "Unsorted"}


def test_a_real_file_has_what_klusta_finds_in_it(real):
    # The figures are those of klusta 3.0.16, run on the file.
    model = KwikModel(real)
    assert int(model.spike_samples.sum()) == 159_550_678
    assert model.features.shape == (1653, 32, 3)
    assert model.features[10].sum() == pytest.approx(-1847.3538, rel=1e-5)
    assert model.masks.shape == (1653, 32)
    np.testing.assert_allclose(model.masks[5, 8:11], [0.21302742, 0.6355362, 0.72246003])
    assert model.clusterings == ["main", "original"]
    assert model.metadata["threshold_strong_std_factor"] == 4.5
    assert model.kk2_metadata == {"num_starting_clusters": 100}
    assert model.clustering_metadata["klustakwik2_num_starting_clusters"] == 100
    assert model.describe() == {
        "Kwik file": str(real),
        "Recordings": "1",
        "List of shanks": "0*",
        "Clusterings": "main*, original",
        "Channels": "32",
        "Spikes": "1653",
        "Clusters": "17",
        "Duration": "10s",
    }
    assert model.traces is None
    assert model.waveforms is None
    assert "hybrid_10sec.dat" in model.notes["traces"]
    assert len(model.warnings) == 1


def test_opening_writes_nothing(real, tmp_path):
    before = folder_state(tmp_path)
    model = KwikModel(real)
    np.asarray(model.features)
    model.clustering = "original"
    repr(model)
    model.close()
    assert folder_state(tmp_path) == before


def test_saving_a_real_file_changes_only_what_was_saved(real, tmp_path):
    before, files = arrays_of(real), folder_bytes(tmp_path)
    model = KwikModel(real)
    clusters = model.spike_clusters.copy()
    clusters[:100] = 40
    model.save(clusters, {40: "good"})
    after = arrays_of(real)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"channel_groups/0/spikes/clusters/main"}
    main = "channel_groups/0/spikes/clusters/main"
    assert after[main][1:] == before[main][1:]  # type, shape, position
    files[f"{real.name}.bak"] = files.pop(real.name)
    now = folder_bytes(tmp_path)
    del now[real.name]
    assert now == files


# -- a made-up dataset -------------------------------------------------------------------------


def test_recordings_follow_each_other(model):
    data = group_data()
    numbers = np.asarray(data.recording_numbers)
    expected = np.asarray(data.time_samples) + np.where(numbers == 1, LENGTHS[0], 0)
    np.testing.assert_array_equal(model.spike_samples, expected)
    np.testing.assert_allclose(model.spike_times, expected / RATE)
    np.testing.assert_array_equal(model.spike_recordings, numbers)
    assert model.recordings == [0, 1]
    assert model.duration == sum(LENGTHS) / RATE


def test_traces_are_those_of_all_recordings(model):
    whole = np.concatenate(raw_traces())
    np.testing.assert_array_equal(model.all_traces[:], whole)
    np.testing.assert_array_equal(model.traces[:], whole[:, CHANNELS])
    np.testing.assert_array_equal(model.traces[2990:3010, 1], whole[2990:3010, 3])
    np.testing.assert_array_equal(
        model.traces[[7999, 0, 3000]], whole[[7999, 0, 3000]][:, CHANNELS]
    )


def test_features_and_masks_are_those_of_the_file(model):
    data = group_data()
    np.testing.assert_array_equal(model.features, data.features)
    np.testing.assert_array_equal(model.masks, data.masks)
    assert model.features_masks.shape == (80, 12, 2)
    assert model.all_features is model.features
    assert model.has_kwx()


def test_channels_are_columns_of_the_raw_data(model):
    assert model.channel_order.tolist() == list(CHANNELS)
    assert model.channels.tolist() == sorted(CHANNELS)
    assert model.n_channels == 4
    assert model.channel_positions[:, 0].tolist() == [0, 10, 20, 30]
    assert model.probe.device_channel_indices.tolist() == list(CHANNELS)
    assert len(model.adjacency_graph) == 6


def test_waveforms_are_filtered_as_klusta_does(model):
    from scipy.signal import butter, filtfilt

    numerator, denominator = butter(3, [500 / (RATE / 2), 0.95], "bandpass")
    whole = np.concatenate(raw_traces())[:, CHANNELS].astype(float)
    assert model.waveforms.shape == (80, 40, 4)
    for spike in (20, 41, 60):
        sample = int(model.spike_samples[spike])
        wide = whole[sample - 15 - 4 : sample + 25 + 5]
        filtered = filtfilt(numerator, denominator, wide, axis=0)[4:-5]
        np.testing.assert_allclose(model.waveforms[spike], filtered, rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(model.waveforms[[60, 20]][1], model.waveforms[20])


def test_waveforms_do_not_depend_on_how_many_are_asked_for(model, monkeypatch):
    together = model.waveforms[:]
    monkeypatch.setattr("spikeloom.datasets.kwik_arrays._N_BATCH_VALUES", 500)
    np.testing.assert_array_equal(together, model.waveforms[:])


def test_a_waveform_at_the_edge_has_zeros_where_there_are_no_data(tmp_path):
    data = group_data(
        time_samples=[2, LENGTHS[1] - 3],
        recording_numbers=[0, 1],
        clusterings={"main": [1, 1]},
        features=None,
        masks=None,
    )
    metadata = {**METADATA, "waveform_filter": 0}
    model = KwikModel(klusta_dataset(tmp_path, groups={0: data}, metadata=metadata))
    first, last = model.waveforms[:]
    assert not first[:13].any()
    np.testing.assert_array_equal(first[13:], raw_traces()[0][:27, CHANNELS])
    assert not last[18:].any()
    np.testing.assert_array_equal(last[:18], raw_traces()[1][-18:, CHANNELS])


def test_a_filter_that_cannot_be_is_told_when_waveforms_are_asked_for(tmp_path):
    metadata = {**METADATA, "filter_high_factor": 0.6}
    model = KwikModel(klusta_dataset(tmp_path, metadata=metadata))
    with pytest.raises(DataError, match=r"from 500.0 to 12000.0 Hz.*filter_high_factor"):
        model.waveforms[0]


def test_the_older_dialect_shows_the_same(tmp_path):
    old, new = KwikModel(viewa_dataset(tmp_path)), KwikModel(klusta_dataset(tmp_path))
    for name in ("spike_samples", "spike_clusters", "features", "masks", "channel_order"):
        np.testing.assert_array_equal(getattr(old, name), getattr(new, name))
    np.testing.assert_array_equal(old.traces[100:5000:7], new.traces[100:5000:7])
    np.testing.assert_array_equal(old.features[[5, 70, 6], 1], new.features[[5, 70, 6], 1])
    np.testing.assert_array_equal(old.masks[-3:], new.masks[-3:])
    assert old.spike_clusters.dtype == np.uint32
    assert old.clusterings == ["main"]
    assert old.channels.tolist() == [0, 2, 3, 4, 5]
    assert old.cluster_labels["depth"][3] == 30.0
    assert old.cluster_metadata == {2: "good", 3: "unsorted", 4: "good", 5: "mua", 6: "good"}


def test_features_without_masks(tmp_path):
    path = klusta_dataset(tmp_path)
    values = np.random.default_rng(0).normal(size=(80, 13)).astype(np.float32)
    with h5py.File(path.with_suffix(".kwx"), "w") as file:
        file["channel_groups/1/features_masks"] = values  # with time in the last column
    model = KwikModel(path)
    np.testing.assert_array_equal(model.features, values[:, :12].reshape(80, 4, 3))
    assert model.masks is None
    assert "without masks" in model.notes["masks"]


@pytest.mark.parametrize("stated", [None, 4, 9])
def test_how_many_features_a_channel_has_is_told_by_their_number(tmp_path, stated):
    features = np.random.default_rng(0).normal(size=(80, 4, 4)).astype(np.float32)
    path = klusta_dataset(tmp_path, groups={1: group_data(features=features)})
    with h5py.File(path, "r+") as file:
        known = file["application_data/spikedetekt"].attrs
        del known["n_features_per_channel"]
        if stated is not None:
            known["nfeatures_per_channel"] = stated
    model = KwikModel(path)
    np.testing.assert_array_equal(model.features, features)
    np.testing.assert_array_equal(model.masks, group_data().masks)


def test_features_of_another_dataset_are_left_out_with_a_warning(tmp_path):
    path = klusta_dataset(tmp_path)
    with h5py.File(path.with_suffix(".kwx"), "w") as file:
        file["channel_groups/1/features_masks"] = np.zeros((79, 12, 2))
    model = KwikModel(path)
    assert model.features is None
    assert "do not go with 80 spikes" in model.warnings[0]


def test_without_raw_data_recordings_begin_where_the_file_says(tmp_path):
    path = klusta_dataset(tmp_path)
    expected = KwikModel(path).spike_samples
    path.with_suffix(".raw.kwd").unlink()
    model = KwikModel(path)
    np.testing.assert_array_equal(model.spike_samples, expected)
    assert model.all_traces is None


def test_channel_groups_and_clusterings_are_switched(tmp_path):
    groups = {0: group_data(seed=1), 3: group_data(seed=2, n_spikes=50, channels=(1, 5))}
    model = KwikModel(klusta_dataset(tmp_path, groups=groups))
    assert (model.channel_groups, model.channel_group) == ([0, 3], 0)
    model.clustering = "original"
    np.testing.assert_array_equal(model.spike_clusters, groups[0].clusterings["original"])
    model.channel_group = 3
    assert model.clustering == "main"
    np.testing.assert_array_equal(model.spike_clusters, groups[3].clusterings["main"])
    assert model.features.shape == (50, 2, 3)
    assert model.traces.shape == (8000, 2)
    with pytest.raises(ValueError, match=r"no channel group 1\. Known: 0, 3"):
        model.channel_group = 1
    with pytest.raises(ValueError, match=r"no clustering 'x'\. Known: main, original"):
        model.clustering = "x"
    assert (model.channel_group, model.clustering) == (3, "main")
    with pytest.raises(ValueError, match="no clustering"):
        KwikModel(model.path, clustering="x")
    again = KwikModel(model.path, channel_group=3, clustering="original")
    assert again.describe()["List of shanks"] == "0, 3*"
    assert again.describe()["Clusterings"] == "main, original*"


def test_spikes_that_were_not_sorted(tmp_path):
    model = KwikModel(klusta_dataset(tmp_path, groups={0: group_data(clusterings={})}))
    assert (model.clusterings, model.clustering, model.spike_clusters) == ([], None, None)
    assert model.n_clusters == 0
    assert model.cluster_groups == {}
    with pytest.raises(ParameterError, match="not sorted"):
        model.save(np.zeros(80, int))
    model.add_clustering("main", np.zeros(80, int))
    model.clustering = "main"
    assert model.cluster_ids.tolist() == [0]


# -- edits -------------------------------------------------------------------------------------


def test_clusters_and_groups_are_saved(model, path):
    clusters = model.spike_clusters.copy()
    clusters[:30] = 100
    model.save(clusters, {100: "MUA", 3: 2, 4: None}, {"who": "me"})
    for found in (model, KwikModel(path)):
        np.testing.assert_array_equal(found.spike_clusters, clusters)
        assert found.cluster_groups == {2: 0, 3: 2, 4: 3, 5: 4, 6: 3, 100: 1}
        assert found.clustering_metadata["who"] == "me"
    with h5py.File(path) as file:
        node = file["channel_groups/1/clusters/main/100/application_data/klustaviewa"]
        assert 2 <= node.attrs["color"] <= 10


def test_groups_that_are_not_named_stay(model):
    before = model.cluster_groups
    model.save(cluster_groups={2: 2})
    assert model.cluster_groups == {**before, 2: 2}


def test_a_new_group_is_saved_under_its_number(model, path):
    model.add_cluster_group(5, "new")
    clusters = model.spike_clusters.copy()
    clusters[0] = 77
    model.save(clusters, {77: "new"})
    again = KwikModel(path)
    assert again.cluster_groups[77] == 5
    assert again.cluster_group_names[5] == "new"


def test_a_name_that_is_new_becomes_a_group(model, path):
    model.save(cluster_groups={2: "Strange", 3: "strange"})
    again = KwikModel(path)
    assert again.cluster_group_names[5] == "Strange"
    assert again.cluster_metadata[2] == again.cluster_metadata[3] == "strange"


def test_labels_are_saved_and_taken_away(model, path):
    model.save(labels={"note": {2: "a-b", 3: "µ"}, "snr": {2: 1.5}})
    model.save(labels={"note": {3: None}})
    assert KwikModel(path).cluster_labels == {"note": {2: "a-b"}, "snr": {2: 1.5}}
    assert si.read_kwik(path).get_property("note").tolist() == ["a-b", "", "", "", ""]


def test_the_original_clustering_is_never_touched(model, path):
    name = "channel_groups/1/spikes/clusters/original"
    before = arrays_of(path)[name]
    model.save(np.zeros(80, int))
    model.clustering = "original"
    for edit in (
        lambda: model.save(np.zeros(80, int)),
        lambda: model.save(cluster_groups={2: 2}),
        lambda: model.add_cluster_group(9, "x"),
    ):
        with pytest.raises(ParameterError, match="stays as the sorter left it"):
            edit()
    assert arrays_of(path)[name] == before


def test_the_file_as_it_was_is_kept_once(model, path):
    backup = path.with_name("session.kwik.bak")
    before = path.read_bytes()
    with pytest.raises(ParameterError):
        model.save(np.zeros(3, int))
    assert not backup.exists()
    model.save(np.zeros(80, int))
    assert backup.read_bytes() == before
    model.save(np.ones(80, int))
    assert backup.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "session.kwik",
        "session.kwik.bak",
        "session.kwx",
        "session.raw.kwd",
    ]


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.uint64])
def test_the_type_of_the_stored_clusters_stays(model, path, dtype):
    model.save(model.spike_clusters.astype(dtype))
    assert KwikModel(path).spike_clusters.dtype == np.int32


@pytest.mark.parametrize(
    "wrong", [np.zeros(79, int), np.full(80, -1), np.full(80, 0.5), np.full(80, 1 << 40)]
)
def test_clusters_that_cannot_be_are_refused(model, path, wrong):
    before = path.read_bytes()
    with pytest.raises(ParameterError):
        model.save(wrong)
    assert path.read_bytes() == before


def test_groups_that_cannot_be_are_refused(model, path):
    before = path.read_bytes()
    for wrong in ({2: 17}, {2: "  "}, {-1: 2}):
        with pytest.raises(ParameterError):
            model.save(cluster_groups=wrong)
    assert path.read_bytes() == before


def test_what_another_program_saved_is_not_overwritten(model, path):
    other = KwikModel(path)
    other.save(np.zeros(80, int))
    with pytest.raises(ChangedOnDiskError, match="Another program changed"):
        model.save(np.ones(80, int))
    model.open(path)
    model.save(np.ones(80, int))
    assert KwikModel(path).cluster_ids.tolist() == [1]


def test_a_link_is_followed(model, path, tmp_path):
    link = tmp_path / "link.kwik"
    link.symlink_to(path)
    found = KwikModel(link)
    found.save(np.zeros(80, int))
    assert link.is_symlink()
    assert KwikModel(path).cluster_ids.tolist() == [0]


def test_a_folder_that_cannot_be_written_to(model, path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.copyfile", refuse)
    before = path.read_bytes()
    with pytest.raises(WriteError, match="Permission denied"):
        model.save(np.zeros(80, int))
    assert path.read_bytes() == before


def test_clusterings_are_managed(model, path):
    model.add_clustering("mine", np.arange(80))
    assert model.clusterings == ["main", "mine", "original"]
    assert model.clustering == "main"
    model.clustering = "mine"
    assert model.n_clusters == 80
    assert set(model.cluster_groups.values()) == {3}
    model.clustering = "main"
    model.copy_clustering("main", "copy")
    model.rename_clustering("mine", "yours")
    assert model.clusterings == ["main", "copy", "original", "yours"]
    model.clustering = "copy"
    assert model.cluster_groups == {2: 0, 3: 1, 4: 2, 5: 4, 6: 3}
    assert model.cluster_group_names[4] == "Odd"
    model.clustering = "main"
    model.delete_clustering("yours")
    assert KwikModel(path).clusterings == ["main", "copy", "original"]


def test_clusterings_that_cannot_be_managed(model, path):
    before = path.read_bytes()
    for wrong in (
        lambda: model.rename_clustering("main", "new"),
        lambda: model.delete_clustering("main"),
        lambda: model.rename_clustering("a", "b"),
        lambda: model.delete_clustering("a"),
        lambda: model.copy_clustering("a", "b"),
        lambda: model.copy_clustering("main", "original"),
        lambda: model.rename_clustering("original", "main"),
        lambda: model.add_clustering("original", np.zeros(80, int)),
        lambda: model.add_clustering("a/b", np.zeros(80, int)),
        lambda: model.add_clustering("..", np.zeros(80, int)),
        lambda: model.add_clustering("", np.zeros(80, int)),
        lambda: model.add_clustering("new", np.zeros(79, int)),
    ):
        with pytest.raises(ValueError, match=r".+"):
            wrong()
    assert path.read_bytes() == before
    assert model.clusterings == ["main", "original"]


def test_cluster_groups_are_managed(model, path):
    model.add_cluster_group(7, "Interneuron")
    model.rename_cluster_group(7, "Fast")
    assert KwikModel(path).cluster_group_names == {
        **model.default_cluster_groups,
        4: "Odd",
        7: "Fast",
    }
    model.delete_cluster_group(4)
    assert model.cluster_groups[5] == 3
    before = path.read_bytes()
    for wrong in (
        lambda: model.add_cluster_group(1, "x"),
        lambda: model.rename_cluster_group(3, "x"),
        lambda: model.delete_cluster_group(0),
        lambda: model.add_cluster_group(7, "x"),
        lambda: model.add_cluster_group(8, "GOOD"),
        lambda: model.rename_cluster_group(8, "x"),
        lambda: model.delete_cluster_group(8),
    ):
        with pytest.raises(ValueError, match=r".+"):
            wrong()
    assert path.read_bytes() == before


# -- for an app --------------------------------------------------------------------------------


def test_an_app_gets_what_it_needs(model):
    dataset = as_dataset(model)
    data = group_data()
    assert dataset.spike_samples.dtype == np.int64
    np.testing.assert_array_equal(dataset.spike_templates, data.clusterings["original"])
    assert dataset.labels["group"][5] == "odd"
    assert dataset.spike_groups.labels.tolist() == [2, 3, 4, 5, 6]
    found = dataset.features.get(np.array([7, 3]), [2, 0])
    np.testing.assert_array_equal(
        found, np.asarray(data.features)[[7, 3]][:, [2, 0]].transpose(0, 2, 1)
    )
    whole = np.concatenate(raw_traces())
    np.testing.assert_array_equal(dataset.traces.read(2990, 3010), whole[2990:3010, CHANNELS])
    windows = dataset.traces.cut_windows(np.array([100, 2990]), 20)
    assert windows.shape == (2, 20, 4)
    assert dataset.channel_labels == ("4", "3", "2", "0")
    assert dataset.n_samples_waveforms == 40


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_an_app_reads_what_lies_in_chunks(model, tmp_path, compression):
    path = viewa_dataset(tmp_path)
    with h5py.File(path.with_suffix(".raw.kwd"), "r+") as file:
        for k, traces in enumerate(raw_traces()):
            del file[f"recordings/{k}/data"]
            stored = {"chunks": (256, 6), "compression": compression}
            file.create_dataset(f"recordings/{k}/data", data=traces, **stored)
    whole, found = as_dataset(model), as_dataset(KwikModel(path))
    assert "traces" not in found.notes
    for start, end in ((0, 10), (2990, 3010), (7990, 9000)):
        np.testing.assert_array_equal(found.traces.read(start, end), whole.traces.read(start, end))
    # Beyond both ends, over the end of the first recording, and many of them.
    starts = np.concatenate([[-15, 2990, 7995], whole.spike_samples])
    for high_pass in (None, HighPass(RATE)):
        np.testing.assert_array_equal(
            found.traces.cut_windows(starts, 20, [2, 0], high_pass=high_pass),
            whole.traces.cut_windows(starts, 20, [2, 0], high_pass=high_pass),
        )
    spikes = np.array([7, 3])
    np.testing.assert_array_equal(
        found.features.get(spikes, [2, 0]), whole.features.get(spikes, [2, 0])
    )


def test_features_in_chunks_that_are_too_many_to_unpack_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("spikeloom.datasets.kwik_dataset._FEATURE_BYTES_MAX", 100)
    dataset = as_dataset(KwikModel(viewa_dataset(tmp_path)))
    assert dataset.features is None
    assert "chunks" in dataset.notes["features"]
