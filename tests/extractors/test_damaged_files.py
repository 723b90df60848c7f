"""Damaged files of all own formats but HDF5's: what opens is sound, all else is told, and soon."""

import json
import subprocess
import sys

import numpy as np
import pytest

import spikeloom as si
from making.absence import absent
from making.damage_cases import CASES, DATA_FOLDER
from making.damage_runs import N_MORE_KIBIBYTES_MAX
from making.processes import environment
from making.recording_files import random_traces, write_mda
from making.rich_objects import rich_recording, rich_sorting
from reference.mtscomp import write_cbin
from spikeloom.errors import DataError, ParameterError, ReadError, SpikeloomError
from spikeloom.extractors.cluster_tables import read_cluster_tables
from spikeloom.extractors.prb_files import read_prb
from spikeloom.storage.arrays import open_npy
from spikeloom.storage.numpy_files import read_npz

N_MUTATIONS, N_MUTATIONS_SLOW = 60, 100_000

N_GROUPS = 6


def check(names, count, seed):
    """Damage files `count` times in a process of its own; see `making.damage_runs`."""
    command = [sys.executable, "-m", "making.damage_runs", *names]
    ran = subprocess.run(
        [*command, "--count", str(count), "--seed", str(seed)],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    assert [one["case"] for one in found] == list(names)
    there = [one for one in found if "absent" not in one]
    assert len(there) == len(found) or not DATA_FOLDER.exists()
    for one in there:
        assert one["faults"] == [], one
        assert {"fine", "told"} <= set(one["outcomes"]), one
        assert one["grown_mib"] << 10 < N_MORE_KIBIBYTES_MAX, one
    return there


@pytest.mark.parametrize("k", range(N_GROUPS))
def test_damage_is_told(k):
    check(list(CASES)[k::N_GROUPS], N_MUTATIONS, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", CASES)
def test_much_damage_is_told(name):
    if not check([name], N_MUTATIONS_SLOW, seed=1_000_000):
        absent(f"The real files of the case {name} are not at {DATA_FOLDER}.")


# --- damage of kinds that were once not told ----------------------------------------------------


def change_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("number", [2**31 - 1, -(2**31), 2**30])
def test_sizes_are_checked_before_anything_is_made(tmp_path, number):
    path = tmp_path / "x.mda"
    write_mda(path, np.zeros((3, 10)))
    content = bytearray(path.read_bytes())
    content[16:20] = (number % 2**32).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SpikeloomError):
        si.read_mda_sorting(path, 3e4)
    write_cbin(tmp_path / "x.cbin", random_traces(200, 4), 3e4, chunk_samples=64)
    change_json(tmp_path / "x.ch", n_channels=number)
    with pytest.raises(SpikeloomError):
        si.read_cbin(tmp_path / "x.cbin").get_traces(0, 0, 5)


@pytest.mark.parametrize("order", [["C"], {}, "c", None])
def test_orders_of_chunks_are_told(tmp_path, order):
    write_cbin(tmp_path / "x.cbin", random_traces(200, 4), 3e4, chunk_samples=64)
    change_json(tmp_path / "x.ch", chunk_order=order)
    with pytest.raises(DataError, match="chunk_order must be C or F"):
        si.read_cbin(tmp_path / "x.cbin")


@pytest.mark.parametrize("counts", ["1,2," + "9" * 5000, "1,2,²"])
def test_counts_that_are_none_are_told(tmp_path, counts):
    meta = tmp_path / "rec_g0_t0.imec0.ap.meta"
    meta.write_text(f"imSampRate=30000\nnSavedChans=3\nsnsApLfSy={counts}\n")
    random_traces(40, 3).tofile(meta.with_suffix(".bin"))
    with pytest.raises(DataError, match="snsApLfSy must be 3 whole numbers"):
        si.read_spikeglx(tmp_path)


def test_names_that_are_far_too_long_are_none(tmp_path):
    meta = tmp_path / "rec_g0_t0.imec0.ap.meta"
    names = f"(2,0,0)(AP0;0:0)({'A' * 100_000};1:1)"
    meta.write_text(
        "imSampRate=30000\nnSavedChans=2\nsnsApLfSy=2,0,0\nimAiRangeMax=0.6\nimChan0apGain=500\n"
        f"snsSaveChanSubset=0:1\n~snsChanMap={names}\n"
    )
    random_traces(40, 2).tofile(meta.with_suffix(".bin"))
    with pytest.warns(UserWarning, match="opened without a probe"):
        recording = si.read_spikeglx(tmp_path)
    assert recording.channel_ids.tolist() == ["imec0.ap#CH0", "imec0.ap#CH1"]


def test_positions_that_are_none_are_told(tmp_path):
    write_mda(tmp_path / "raw.mda", random_traces(20, 2).T)
    (tmp_path / "params.json").write_text('{"samplerate": 30000}')
    (tmp_path / "geom.csv").write_text("0,0\n0,nan\n")
    with pytest.raises(DataError, match=r"geom\.csv is no list of positions"):
        si.read_mda_recording(tmp_path)


@pytest.fixture
def saved_sorting(tmp_path):
    rich_sorting().save(folder=tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.parametrize("number", [2**31, -1, 1.0, True, "2", None])
def test_numbers_of_segments_are_counted(saved_sorting, number):
    change_json(saved_sorting / "numpysorting_info.json", num_segments=number)
    with pytest.raises(DataError, match="num_segments must be a whole number from 0"):
        si.load(saved_sorting)


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), 0, -1.0, "x", [], None, 1e300])
def test_sampling_frequencies_are_numbers_of_hertz(saved_sorting, rate):
    change_json(saved_sorting / "numpysorting_info.json", sampling_frequency=rate)
    with pytest.raises(ParameterError, match="must be a positive number of Hz"):
        si.load(saved_sorting)


@pytest.mark.parametrize("content", ["[]", "3", '"x"', "null"])
def test_files_that_should_hold_an_object_are_told(saved_sorting, content):
    for name in ("annotations.json", "numpysorting_info.json", "si_folder.json"):
        whole = (saved_sorting / name).read_text()
        (saved_sorting / name).write_text(content)
        with pytest.raises(DataError, match=r"object with names is expected|does not describe"):
            si.load(saved_sorting)
        (saved_sorting / name).write_text(whole)


def test_slices_of_segments_cover_the_spikes(tmp_path):
    store = tmp_path / "x.zarr"
    rich_sorting().save(folder=store, format="zarr")
    layout = store / "spikes/segment_slices/.zarray"
    change_json(layout, shape=[2, 2])
    with pytest.raises(SpikeloomError):
        si.load(store).to_spike_vector()


def test_stored_probes_fit_the_channels(tmp_path):
    rich_recording((20,), n_channels=4).save(folder=tmp_path / "saved", progress_bar=False)
    path = tmp_path / "saved/probegroup.json"
    described = json.loads(path.read_text())
    positions = described["probes"][0]["contact_positions"]
    positions[0][0] = float("nan")
    path.write_text(json.dumps(described))
    with pytest.raises(DataError, match="where each of its contacts is"):
        si.load(tmp_path / "saved")
    path.write_text('{"probes": []}')
    with pytest.raises(DataError, match="probe"):
        si.load(tmp_path / "saved")


def test_times_that_are_none_are_told_when_they_are_read(tmp_path):
    recording = rich_recording((20, 30))
    recording.save(folder=tmp_path / "saved", progress_bar=False)
    path = tmp_path / "saved/times_cached_seg1.npy"
    times = np.load(path)
    times[7] = np.nan
    np.save(path, times)
    loaded = si.load(tmp_path / "saved")
    assert np.isfinite(loaded.get_times(1, 0, 5)).all()
    with pytest.raises(DataError, match="stored times"):
        loaded.get_times(1)


@pytest.mark.parametrize("shape", [(2**32, 2**32, 4), (-1, -1), (2**62,)])
def test_shapes_beyond_all_numbers_are_told(tmp_path, shape):
    path = tmp_path / "x.npy"
    with path.open("wb") as file:
        header = {"descr": "<i2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(100))
    with pytest.raises(ReadError, match=r"not a complete \.npy file"):
        open_npy(path)


def test_members_of_archives_are_arrays(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, unit_ids=np.arange(3))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x93NUMPY", b"\x92NUMPY"))
    with pytest.raises(ReadError, match=r"x\.npz cannot be read"):
        read_npz(path)


def test_clusters_that_no_integer_can_count_are_left_out(tmp_path):
    (tmp_path / "cluster_group.tsv").write_text("cluster_id\tgroup\n1e300\tgood\n2.0\tmua\n")
    found = read_cluster_tables(tmp_path)
    assert found.labels == {"group": {2: "mua"}}
    assert "1 of 2 rows" in found.warnings[0]


def test_contacts_in_one_place_are_no_probe_but_keep_their_positions(tmp_path):
    write_mda(tmp_path / "raw.mda", random_traces(20, 2).T)
    (tmp_path / "params.json").write_text('{"samplerate": 30000}')
    (tmp_path / "geom.csv").write_text("0,5\n0,5\n")
    recording = si.read_mda_recording(tmp_path)
    assert not recording.has_probe()
    assert recording.get_channel_locations().tolist() == [[0, 5], [0, 5]]


def test_contacts_of_a_probe_file_in_one_place_are_told(tmp_path):
    path = tmp_path / "x.prb"
    path.write_text("channel_groups = {0: {'channels': [0, 1], 'geometry': [(0, 5), (0, 5)]}}\n")
    with pytest.raises(DataError, match="several channels in one place"):
        read_prb(path)


def test_channels_without_samples_take_no_memory(tmp_path):
    write_mda(tmp_path / "raw.mda", np.zeros((100_000_000, 0), "<i2"))
    (tmp_path / "params.json").write_text('{"samplerate": 30000}')
    with pytest.raises(DataError, match="has the shape"):
        si.read_mda_recording(tmp_path)
