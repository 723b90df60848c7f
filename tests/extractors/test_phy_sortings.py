"""Sortings of phy and KiloSort."""

import numpy as np
import pytest

import spikeloom as si
from making.hashes import folder_state
from making.sorting_files import RATE, TRAINS, write_phy
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError

GROUPS = {1: "good", 3: "noise", 20: "mua"}


@pytest.fixture
def folder(tmp_path):
    return write_phy(
        tmp_path / "phy",
        group=GROUPS,
        KSLabel={1: "good", 3: "mua", 12: "good", 20: "mua"},
        ContamPct={1: 0.5, 3: 100.0},
    )


def test_spikes_ids_and_labels(folder):
    before = folder_state(folder)
    sorting = si.read_phy(folder)
    assert sorting.unit_ids.tolist() == [1, 3, 12, 20]  # 20 has no spikes, 12 no group
    assert sorting.sampling_frequency == RATE
    for unit, train in TRAINS.items():
        assert sorting.get_unit_spike_train(unit).tolist() == train
    assert sorting.get_unit_spike_train(20).size == 0
    assert sorting.get_property("quality").tolist() == ["good", "noise", "unsorted", "mua"]
    assert sorting.get_property("KSLabel").tolist() == ["good", "mua", "good", "mua"]
    np.testing.assert_array_equal(sorting.get_property("ContamPct"), [0.5, 100.0, np.nan, np.nan])
    assert sorting.get_property("original_cluster_id").tolist() == [1, 3, 12, 20]
    assert folder_state(folder) == before


def test_groups_are_left_out(folder):
    assert si.read_phy(folder, "noise").unit_ids.tolist() == [1, 12, 20]
    kept = si.read_phy(folder, exclude_cluster_groups=["noise", "mua"])
    assert kept.unit_ids.tolist() == [1, 12]
    assert kept.count_total_num_spikes() == len(TRAINS[1]) + len(TRAINS[12])
    assert si.read_phy(folder, ["good", "noise", "mua", "unsorted"]).get_num_units() == 0
    few = si.read_phy(folder, load_all_cluster_properties=False)
    assert sorted(few.get_property_keys()) == ["original_cluster_id", "quality"]


def test_kilosort_leaves_out_what_is_empty_or_not_good(folder):
    assert si.read_kilosort(folder).unit_ids.tolist() == [1, 3, 12]
    assert si.read_kilosort(folder, keep_good_only=True).unit_ids.tolist() == [1, 12]
    assert si.read_kilosort(folder, remove_empty_units=False).unit_ids.tolist() == [1, 3, 12, 20]


def test_good_only_needs_labels(tmp_path):
    folder = write_phy(tmp_path / "bare")
    assert si.read_kilosort(folder).get_property("quality").tolist() == ["unsorted"] * 3
    with pytest.raises(ParameterError, match="good"):
        si.read_kilosort(folder, keep_good_only=True)


def test_ids_of_spikeinterface_are_restored(tmp_path):
    named = write_phy(tmp_path / "text", si_unit_id={1: "b", 3: "c", 12: "a"})
    assert si.read_phy(named).unit_ids.tolist() == ["b", "c", "a"]
    numbered = write_phy(tmp_path / "numbers", si_unit_id={1: 7, 3: 5})  # phy made 12 later
    sorting = si.read_phy(numbered)
    assert sorting.unit_ids.tolist() == [7, 5, 8]
    assert sorting.get_unit_spike_train(8).tolist() == TRAINS[12]


def test_cluster_info_adds_what_only_it_has(folder):
    text = "cluster_id\tdepth\tgroup\n1\t10.5\tnoise\n3\t20.5\tnoise\n"
    (folder / "cluster_info.tsv").write_text(text)
    sorting = si.read_phy(folder)
    assert sorting.get_property("depth")[:2].tolist() == [10.5, 20.5]
    assert sorting.get_property("quality")[0] == "good"


def test_templates_stand_for_clusters_where_these_are_missing(folder):
    (folder / "spike_clusters.npy").rename(folder / "spike_templates.npy")
    assert si.read_kilosort(folder).count_total_num_spikes() == 9
    (folder / "spike_templates.npy").unlink()
    with pytest.raises(MissingFileError, match="spike_clusters"):
        si.read_kilosort(folder)


def test_main_channels(folder):
    np.save(folder / "channel_map.npy", np.array([3, 1, 0]))
    np.save(folder / "spike_templates.npy", np.load(folder / "spike_clusters.npy"))
    templates = np.zeros((13, 5, 3), np.float32)
    templates[1, 2, 0], templates[3, 2, 1], templates[12, 2, 2] = 1, -2, 3
    np.save(folder / "templates.npy", templates)
    sorting = si.read_kilosort(folder, channel_ids=["w", "x", "y", "z"])
    assert sorting.get_property("main_channel_id").tolist() == ["z", "x", "w"]
    with pytest.raises(ParameterError, match="channel_ids"):
        si.read_kilosort(folder, channel_ids=["w"])


def test_faults_are_told(tmp_path, folder):
    with pytest.raises(MissingFileError):
        si.read_phy(tmp_path / "nowhere")
    (folder / "params.py").unlink()
    with pytest.raises(ParameterError, match="sampling_frequency"):
        si.read_phy(folder)
    assert si.read_phy(folder, sampling_frequency=1000).sampling_frequency == 1000
    np.save(folder / "spike_clusters.npy", np.arange(4))
    with pytest.raises(DataError, match="4"):
        si.read_phy(folder, sampling_frequency=1000)
    (folder / "spike_times.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(ReadError, match="spike_times"):
        si.read_phy(folder, sampling_frequency=1000)


def test_huge_labels_take_no_memory(tmp_path):
    folder = write_phy(tmp_path / "phy")
    labels = np.load(folder / "spike_clusters.npy")
    labels[0] = 2**31 - 1
    np.save(folder / "spike_clusters.npy", labels)
    assert si.read_phy(folder).unit_ids.tolist() == [1, 3, 12, 2**31 - 1]


def test_they_are_recognised_and_come_back_from_json(folder, tmp_path):
    opened = si.read(folder)
    assert isinstance(opened, si.PhySortingExtractor)
    assert isinstance(si.read(folder / "params.py", kind="sorting"), si.PhySortingExtractor)
    for sorting in (opened, si.read_kilosort(folder, keep_good_only=True)):
        sorting.dump(tmp_path / "sorting.json")
        again = si.load(tmp_path / "sorting.json")
        assert type(again) is type(sorting)
        assert again.to_spike_vector().tolist() == sorting.to_spike_vector().tolist()


@pytest.mark.parametrize(
    ("name", "n_units", "n_spikes", "rate"),
    [
        ("phy_template_phydata", 62, 314, 25_000),
        ("ks_bme410_partial", 295, 58_544, 30_000),  # without templates.npy
        ("axona_tt8_dev/phy", 8, 10_287, 48_000),
        ("locust1_si_tdc2/phy", 7, 777, 15_000),
    ],
)
def test_real_folders(data_folder, name, n_units, n_spikes, rate):
    for read in (si.read_phy, si.read_kilosort):
        sorting = read(data_folder / name)
        assert sorting.get_num_units() == n_units
        assert sorting.count_total_num_spikes() == n_spikes
        assert sorting.sampling_frequency == rate


def test_spikes_of_kilosort_4_alone(data_folder, tmp_path):
    sorting = si.read_kilosort(data_folder / "ks4_np_aolab" / "te8922", sampling_frequency=30_000.0)
    assert (sorting.get_num_units(), sorting.count_total_num_spikes()) == (311, 99_519)


def test_tables_of_kilosort_4_repackaged_with_made_up_spikes(data_folder, tmp_path):
    folder = write_phy(tmp_path / "ks4")
    for path in (data_folder / "ks4_np_aolab" / "concat1_tsv").glob("*.tsv"):
        (folder / path.name).write_bytes(path.read_bytes())
    sorting = si.read_kilosort(folder, remove_empty_units=False)
    assert sorting.get_num_units() == 358
    assert {"KSLabel", "Amplitude", "ContamPct"} <= set(sorting.get_property_keys())
    assert sorting.get_property("Amplitude")[:2].tolist() == [2499.9, 2029.4]
    assert sorting.get_property("quality")[:3].tolist() == ["good", "good", "mua"]
