"""Kwik files of both dialects: recordings, sortings, events, and what is wrong with files."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.hashes import folder_state
from making.kwik_datasets import (
    CHANNELS,
    LENGTHS,
    RATE,
    group_data,
    klusta_dataset,
    raw_traces,
    viewa_dataset,
    write_open_ephys_kwd,
)
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.kwik_file import read_kwik_file
from spikeloom.extractors.kwik_traces import find_traces
from spikeloom.extractors.reading import read


@pytest.fixture(params=[klusta_dataset, viewa_dataset], ids=["klusta", "viewa"])
def dataset(request, tmp_path):
    return request.param(tmp_path / "data")


def test_a_real_file_of_klusta(data_folder):
    folder = data_folder / "kwik_hybrid10s"
    sorting = si.read_klusta(folder)
    assert sorting.count_total_num_spikes() == 1653
    assert sorting.get_num_units() == 17
    assert sorting.sampling_frequency == 20_000
    assert set(sorting.get_property("quality")) == {"unsorted"}
    assert sorting.get_unit_spike_train(14)[0] == 35
    kwik = read_kwik_file(folder / "hybrid_10sec.kwik")
    assert kwik.group(0).clusterings == ("main", "original")
    assert len(kwik.group(0).channels) == 32
    assert kwik.metadata["filter_low"] == 500
    assert kwik.metadata["prb_file"] == "1x32_buzsaki"
    original = si.read_kwik(folder / "hybrid_10sec.kwik", clustering="original")
    assert original.count_total_num_spikes() == 1653


def test_a_real_tetrode_repackaged(data_folder):
    sorting = si.read_kwik(data_folder / "axona_tt8_dev" / "axona_tt8_dev.kwik")
    assert sorting.count_total_num_spikes() == 10_287
    assert sorting.get_num_units() == 8
    assert sorting.sampling_frequency == 48_000
    assert sorting.get_property("quality").tolist() == ["mua", *["good"] * 7]
    without = si.read_klusta(data_folder / "axona_tt8_dev", exclude_cluster_groups=["MUA"])
    assert without.unit_ids.tolist() == list(range(1, 8))


def test_reading_writes_nothing(dataset):
    before = folder_state(dataset.parent)
    si.read_kwik(dataset).spike_table()
    si.read_kwik_recording(dataset).get_traces(0)
    si.read_kwik_event(dataset)
    assert folder_state(dataset.parent) == before


def test_the_sorting_has_a_segment_for_each_recording(dataset):
    expected = group_data()
    numbers = np.asarray(expected.recording_numbers)
    main = np.asarray(expected.clusterings["main"])
    sorting = si.read_kwik(dataset)
    assert sorting.get_num_segments() == 2
    assert sorting.unit_ids.tolist() == np.unique(main).tolist()
    for unit_id in sorting.unit_ids:
        for k in (0, 1):
            rows = (main == unit_id) & (numbers == k)
            np.testing.assert_array_equal(
                sorting.get_unit_spike_train(unit_id, k), np.asarray(expected.time_samples)[rows]
            )


def test_units_know_their_groups_and_labels(tmp_path):
    klusta = si.read_kwik(klusta_dataset(tmp_path))
    qualities = klusta.get_property("quality").tolist()
    assert qualities == ["noise", "mua", "good", "odd", "unsorted"]
    assert klusta.get_property("group").tolist() == [1] * 5
    viewa = si.read_kwik(viewa_dataset(tmp_path))
    assert viewa.get_property("quality").tolist() == ["good", "unsorted", "good", "mua", "good"]
    assert viewa.get_property("depth").tolist() == [20.0, 30.0, 40.0, 50.0, 60.0]


def test_the_same_cluster_numbers_in_several_groups_become_units_of_their_own(tmp_path):
    groups = {0: group_data(seed=1), 2: group_data(seed=2, channels=(1, 5))}
    path = klusta_dataset(tmp_path, groups=groups)
    both = si.read_kwik(path)
    assert both.unit_ids.tolist() == list(range(10))
    assert both.get_property("group").tolist() == [0] * 5 + [2] * 5
    assert both.get_property("original_cluster_id").tolist() == [2, 3, 4, 5, 6] * 2
    assert both.count_total_num_spikes() == 160
    one = si.read_kwik(path, channel_group=2)
    assert one.unit_ids.tolist() == [2, 3, 4, 5, 6]
    np.testing.assert_array_equal(one.get_unit_spike_train(3, 1), both.get_unit_spike_train(6, 1))


def test_clusters_of_groups_can_be_left_out(tmp_path):
    path = klusta_dataset(tmp_path)
    assert si.read_kwik(path, exclude_cluster_groups="noise").unit_ids.tolist() == [3, 4, 5, 6]
    left = si.read_kwik(path, exclude_cluster_groups=["Noise", "odd", "unsorted"])
    assert left.unit_ids.tolist() == [3, 4]
    main = np.asarray(group_data().clusterings["main"])
    assert left.count_total_num_spikes() == np.isin(main, [3, 4]).sum()
    with pytest.raises(ParameterError, match=r"no cluster groups \['bad'\]. Known: good, mua"):
        si.read_kwik(path, exclude_cluster_groups=["bad"])


def test_a_sorting_is_made_again_from_its_description(tmp_path):
    path = klusta_dataset(tmp_path)
    sorting = si.read_kwik(path, channel_group=1, clustering="original")
    again = si.load(sorting.to_dict())
    si.check_sortings_equal(sorting, again)
    assert "klustaextractors.KlustaSortingExtractor" in sorting.to_dict()["class"]
    recording = si.read_kwik_recording(path)
    si.check_recordings_equal(recording, si.load(recording.to_dict()))


def test_the_recording_has_the_traces_and_the_probe(dataset):
    recording = si.read_kwik_recording(dataset)
    assert recording.get_num_segments() == 2
    assert [recording.get_num_samples(k) for k in (0, 1)] == list(LENGTHS)
    assert recording.dtype == np.int16
    assert recording.sampling_frequency == RATE
    for k, expected in enumerate(raw_traces()):
        np.testing.assert_array_equal(recording.get_traces(k), expected)
        np.testing.assert_array_equal(
            recording.get_traces(k, 17, 1999, channel_ids=[4, 1]), expected[17:1999, [4, 1]]
        )


def test_spikes_and_traces_have_the_same_times(dataset):
    sorting, recording = si.read_kwik(dataset), si.read_kwik_recording(dataset)
    unit_id = sorting.unit_ids[0]
    times_s = sorting.get_unit_spike_train_in_seconds(unit_id, 1)
    sorting.register_recording(recording)
    np.testing.assert_allclose(sorting.get_unit_spike_train_in_seconds(unit_id, 1), times_s)
    assert times_s[0] > (LENGTHS[0] / RATE if dataset.stem == "session" else 0.5)


def test_a_probe_has_a_shank_for_each_channel_group(tmp_path):
    groups = {0: group_data(channels=(4, 3, 2)), 1: group_data(channels=(0, 1, 5))}
    recording = si.read_kwik_recording(klusta_dataset(tmp_path, groups=groups))
    assert recording.get_channel_groups().tolist() == [1, 1, 0, 0, 0, 1]
    # Both shanks have the same coordinates of their own, so they are put side by side.
    assert recording.get_channel_locations()[:, 0].tolist() == [220, 230, 20, 10, 0, 240]


def test_gains_of_open_ephys(tmp_path):
    path = tmp_path / "experiment1_100.raw.kwd"
    write_open_ephys_kwd(path, gains=np.full(6, 0.195))
    recording = si.read_kwik_recording(path)
    np.testing.assert_allclose(recording.get_channel_gains(), 0.195)
    assert recording.get_start_time(1) == 2.0
    traces_uV = recording.get_traces(0, return_in_uV=True)
    np.testing.assert_allclose(traces_uV, raw_traces()[0] * np.float32(0.195), rtol=1e-6)


def test_traces_are_read_by_other_processes(dataset, tmp_path):
    recording = si.read_kwik_recording(dataset)
    paths = [tmp_path / "0.raw", tmp_path / "1.raw"]
    si.write_binary_recording(
        recording, paths, n_jobs=2, pool_engine="process", chunk_size=701, progress_bar=False
    )
    for path, expected in zip(paths, raw_traces(), strict=True):
        np.testing.assert_array_equal(np.fromfile(path, "i2").reshape(-1, 6), expected)


def test_events_are_those_of_their_recording(tmp_path):
    events = si.read_kwik_event(klusta_dataset(tmp_path))
    assert events.channel_ids.tolist() == ["notes", "stimulus"]
    stimuli = events.get_events("stimulus", 0)
    assert stimuli["sample"].tolist() == [10, 200]
    assert stimuli["code"].tolist() == [1, 2]
    np.testing.assert_allclose(stimuli["time"], [10 / RATE, 200 / RATE])
    start_s = LENGTHS[0] / RATE
    np.testing.assert_allclose(events.get_event_times("stimulus", 1), [start_s + 30 / RATE])
    assert events.get_events("notes", 1)["Text"].tolist() == ["hello µ"]
    assert events.get_events("notes", 0).size == 0


def test_events_of_open_ephys(tmp_path):
    path = tmp_path / "experiment1.kwe"
    with h5py.File(path, "w") as file:
        file.attrs["kwik_version"] = 2
        recording = file.create_group("recordings/0")
        recording.attrs.update({"sample_rate": np.float32(RATE), "start_time": np.uint64(40_000)})
        events = file.create_group("event_types/TTL/events")
        events["time_samples"] = np.array([41_000, 42_000], np.uint64)
        events["recording"] = np.array([0, 0], np.uint16)
        events["user_data/eventID"] = np.array([1, 0], np.uint8)
        events["user_data/event_channels"] = np.array([3, 3], np.uint8)
        notes = file.create_group("event_types/Messages/events")
        notes["time_samples"] = np.array([40_000], np.uint64)
        notes["user_data/Text"] = np.array([b"start"])
    found = si.read_kwik_event(path)
    pulses = found.get_events("TTL")
    np.testing.assert_allclose(pulses["time"], [2.05, 2.1])
    assert pulses["eventID"].tolist() == [1, 0]
    assert found.get_events("Messages")["Text"].tolist() == ["start"]


# -- where the raw data are --------------------------------------------------------------------


def sources(path):
    return [found.source for found in find_traces(read_kwik_file(path))]


def point_to(path, name, value, numbers=(0, 1)):
    with h5py.File(path, "r+") as file:
        for k in numbers:
            raw = file.require_group(f"recordings/{k}/raw")
            for known in list(raw.attrs):
                del raw.attrs[known]
            if value is not None:
                raw.attrs[name] = np.array([value.encode()])


@pytest.mark.parametrize(
    "said",
    [
        "session.raw.kwd",
        "/somewhere/else/session.raw.kwd",
        "C:\\data\\session.raw.kwd",
        "{session.raw.kwd}/recordings/0",
        "session.raw.kwd/recordings/0/data",
        "{raw.kwd}/recordings/0",
        "gone.raw.kwd",
        None,
    ],
)
def test_raw_data_in_kwd_files_are_found(tmp_path, said):
    path = klusta_dataset(tmp_path)
    point_to(path, "hdf5_path", said)
    assert sources(path) == [path.with_suffix(".raw.kwd")] * 2


@pytest.mark.parametrize("said", ["a.dat", "/somewhere/else/a.dat", "sub/../a.dat"])
def test_flat_files_are_found_beside_the_file_not_in_the_working_folder(
    tmp_path, said, monkeypatch
):
    path = klusta_dataset(tmp_path / "data", has_raw=False)
    raw_traces()[0].tofile(path.parent / "a.dat")
    (path.parent / "sub").mkdir()
    point_to(path, "dat_path", said)
    with h5py.File(path, "r+") as file:
        file["application_data/spikedetekt"].attrs.update({"n_channels": 6, "dtype": b"int16"})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.dat").write_bytes(b"wrong")
    monkeypatch.chdir(elsewhere)
    assert [source.resolve() for source in sources(path)] == [path.parent / "a.dat"] * 2
    np.testing.assert_array_equal(si.read_kwik_recording(path).get_traces(0), raw_traces()[0])


def test_a_file_without_recordings_has_the_flat_file_of_its_name(tmp_path):
    path = klusta_dataset(
        tmp_path,
        has_raw=False,
        recordings=(),
        groups={0: group_data(recording_numbers=None, time_samples=np.arange(80) * 9)},
        metadata={"n_channels": 6, "dtype": "int16"},
    )
    raw_traces()[0].tofile(path.with_suffix(".dat"))
    assert si.read_kwik_recording(path).get_num_samples() == LENGTHS[0]
    assert si.KwikModel(path).traces.shape == (LENGTHS[0], len(CHANNELS))


def test_raw_data_that_are_not_there_are_named(data_folder):
    with pytest.raises(MissingFileError, match=r"hybrid_10sec.dat.* is not in .*kwik_hybrid10s"):
        si.read_kwik_recording(data_folder / "kwik_hybrid10s" / "hybrid_10sec.kwik")


# -- what is wrong -----------------------------------------------------------------------------


def changed(tmp_path, change, suffix=".kwik"):
    path = klusta_dataset(tmp_path)
    with h5py.File(path.with_suffix(suffix), "r+") as file:
        change(file)
    return path


def replace(name, values):
    def change(file):
        del file[name]
        file[name] = np.asarray(values)

    return change


SPIKES = "channel_groups/1/spikes"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda f: f.attrs.pop("kwik_version"), DataError, "kwik_version None"),
        (lambda f: f.attrs.update(kwik_version=1), DataError, "kwik_version 1"),
        (lambda f: f.pop("channel_groups"), ParameterError, "no clustering 'main'"),
        (replace(f"{SPIKES}/time_samples", np.zeros(80)), None, ""),
        (replace(f"{SPIKES}/time_samples", np.full(80, -1)), DataError, "from -1 to -1"),
        (replace(f"{SPIKES}/time_samples", [b"a"] * 80), DataError, "list of numbers"),
        (replace(f"{SPIKES}/time_samples", np.arange(79)), DataError, "each of the 79 spikes"),
        (replace(f"{SPIKES}/recording", np.full(80, 7)), DataError, "recording 7.* 0, 1"),
        (replace(f"{SPIKES}/clusters/main", np.arange(3)), DataError, "is one of 3"),
        (replace(f"{SPIKES}/clusters/main", np.full(80, -1)), DataError, "no cluster numbers"),
        (replace(f"{SPIKES}/clusters/main", np.full(80, 0.5)), DataError, "no cluster numbers"),
    ],
)
def test_files_that_make_no_sense_are_refused_with_a_sentence(tmp_path, change, error, said):
    path = changed(tmp_path, change)
    if error is None:
        si.read_kwik(path).spike_table()
        return
    with pytest.raises(error, match=said):
        si.read_kwik(path).spike_table()


def test_a_file_that_says_no_sampling_frequency(tmp_path):
    def change(file):
        del file["application_data"]
        for k in (0, 1):
            del file[f"recordings/{k}"].attrs["sample_rate"]

    with pytest.raises(DataError, match="sample_rate"):
        si.read_kwik(changed(tmp_path, change))


def test_an_array_larger_than_the_file_is_not_allocated(tmp_path):
    def change(file):
        del file[f"{SPIKES}/time_samples"]
        file.create_dataset(
            f"{SPIKES}/time_samples", (1 << 44,), np.uint64, chunks=(1024,), fillvalue=1
        )

    with pytest.raises(DataError, match="whole file has"):
        si.read_kwik(changed(tmp_path, change))


def test_chunks_that_cannot_be_in_the_file_are_not_looked_for(tmp_path):
    """One byte of damage makes half a million of five, which take minutes to be looked up."""

    def change(file):
        del file[f"{SPIKES}/clusters/main"]
        file.create_dataset(f"{SPIKES}/clusters/main", (8_257_616,), np.uint32, chunks=(16,))

    with pytest.raises(DataError, match="in 516101 chunks"):
        si.read_kwik(changed(tmp_path, change))


def test_other_files_are_refused_by_their_content(tmp_path):
    path = tmp_path / "a.kwik"
    with pytest.raises(MissingFileError, match="no file"):
        si.read_kwik(path)
    path.write_bytes(b"hello world")
    with pytest.raises(ReadError, match="begins with b'hello wo'"):
        si.read_kwik(path)
    with pytest.raises(MissingFileError, match=r"there are 0 \(none\)"):
        si.read_klusta(tmp_path / ".." / Path(tmp_path).name / "..")
    with h5py.File(path, "w") as file:
        file["recordings/0/data"] = np.zeros((3, 2))
    with pytest.raises(DataError, match="kwik_version"):
        si.read_kwik(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    path = klusta_dataset(tmp_path)
    whole = path.read_bytes()
    for n_bytes in (len(whole) - 1, len(whole) // 2, 600, 100):
        path.write_bytes(whole[:n_bytes])
        with pytest.raises((ReadError, DataError)):
            si.read_kwik(path).spike_table()


def test_unknown_groups_and_clusterings_are_told_with_the_known_ones(tmp_path):
    path = klusta_dataset(tmp_path)
    with pytest.raises(ParameterError, match=r"no channel group 0\. Known: 1"):
        si.read_kwik(path, channel_group=0)
    with pytest.raises(ParameterError, match="no clustering 'x'"):
        si.read_kwik(path, clustering="x")
    with pytest.raises(ParameterError, match="Known: main, original"):
        si.read_kwik(path, channel_group=1, clustering="x")


def test_a_folder_with_several_files_is_ambiguous(tmp_path):
    path = klusta_dataset(tmp_path)
    shutil.copy(path, path.with_name("other.kwik"))
    with pytest.raises(MissingFileError, match=r"other.kwik, session.kwik"):
        si.read_klusta(tmp_path)


# -- recognised by content ---------------------------------------------------------------------


def test_files_are_recognised_by_what_is_in_them(tmp_path):
    path = klusta_dataset(tmp_path / "a")
    other = path.rename(path.with_name("other.bak"))  # whatever its name
    assert isinstance(read(other), si.KlustaSortingExtractor)
    other.rename(path)
    assert isinstance(read(path.parent), si.KlustaSortingExtractor)
    assert isinstance(read(path, kind="recording"), si.KwikRecordingExtractor)
    assert isinstance(read(path, kind="event"), si.KwikEventExtractor)
    assert isinstance(read(path, kind="dataset"), si.KwikModel)
    assert isinstance(read(path.with_suffix(".raw.kwd")), si.KwikRecordingExtractor)
    sorting = read(path, channel_group=1, clustering="original")
    assert sorting.get_num_units() == 10


@pytest.mark.parametrize("told", ["i2,,", "9" * 5000, "object"])
def test_types_of_flat_files_that_are_none_are_told(tmp_path, told):
    metadata = {"n_channels": 6, "dtype": told}
    path = klusta_dataset(tmp_path, has_raw=False, recordings=(), metadata=metadata)
    raw_traces()[0].tofile(path.with_suffix(".dat"))
    with pytest.raises(MissingFileError, match="which is no type of numbers"):
        si.read_kwik_recording(path)
