import subprocess
import sys

import numpy as np
import pytest
import zarr

from making.units import make_units, windows_of
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.spike_vector import minimum_spike_dtype
from spikeloom.core.spike_windows import has_exceeding_spikes
from spikeloom.core.waveform_extraction import (
    extract_waveforms_to_buffers,
    extract_waveforms_to_single_buffer,
)
from spikeloom.errors import ParameterError

WINDOW = (6, 9)
MASK = np.array([[True, False, True, True], [False] * 4, [False, True, False, False]])
JOBS = [
    {},
    {"n_jobs": 2, "chunk_size": 333},
    {"n_jobs": 2, "pool_engine": "process", "chunk_size": 2500},
]


def extract(recording, spikes, *window, **options):
    return extract_waveforms_to_single_buffer(
        recording, spikes, *window, **{"mode": "shared_memory", "progress_bar": False} | options
    )


@pytest.fixture(scope="module", params=["int16", "float32", "float64", ">i2", "float16"])
def units(request):
    return make_units(dtype=request.param)


@pytest.mark.parametrize("in_uV", [True, False])
@pytest.mark.parametrize("mask", [None, MASK], ids=["dense", "sparse"])
def test_windows_are_those_of_the_traces(units, mask, in_uV):
    recording, sorting = units
    spikes = sorting.to_spike_vector()
    ours = extract(recording, spikes, *WINDOW, return_in_uV=in_uV, sparsity_mask=mask)
    expected = windows_of(recording, spikes, *WINDOW, mask=mask, in_uV=in_uV)
    assert ours.dtype == expected.dtype
    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("jobs", JOBS)
@pytest.mark.parametrize("mode", ["memmap", "shared_memory", "zarr"])
def test_neither_workers_nor_chunks_nor_places_matter(tmp_path, mode, jobs):
    recording, sorting = make_units()
    spikes = sorting.to_spike_vector()
    path = {"memmap": tmp_path / "w.npy", "zarr": tmp_path / "w.zarr" / "a" / "waveforms"}.get(mode)
    options = {"sparsity_mask": MASK, "zarr_target_chunk_bytes": 3000}
    ours = extract(recording, spikes, *WINDOW, mode=mode, file_path=path, **options, **jobs)
    expected = windows_of(recording, spikes, *WINDOW, mask=MASK, in_uV=True)
    np.testing.assert_array_equal(ours[:], expected)
    if mode == "memmap":
        np.testing.assert_array_equal(np.load(path), expected)
    if mode == "zarr":
        stored = zarr.open_group(tmp_path / "w.zarr", mode="r")["a/waveforms"]
        np.testing.assert_array_equal(stored[:], expected)


@pytest.mark.parametrize("mode", ["shared_memory", "zarr"])
def test_spikes_in_any_order(tmp_path, mode):
    recording, sorting = make_units()
    spikes = np.random.default_rng(1).permutation(sorting.to_spike_vector())
    path = None if mode == "shared_memory" else tmp_path / "w.zarr" / "waveforms"
    ours = extract(recording, spikes, *WINDOW, mode=mode, file_path=path)
    np.testing.assert_array_equal(ours[:], windows_of(recording, spikes, *WINDOW, in_uV=True))


class Counting:
    """A segment of another one that notes which channels are read."""

    def __init__(self, segment):
        self.segment = segment
        self.read = []

    def __getattr__(self, name):
        return getattr(self.segment, name)

    def get_traces(self, start, end, channels=None):
        self.read.append(np.arange(4)[slice(None) if channels is None else channels].tolist())
        return self.segment.get_traces(start, end, channels)


def test_only_channels_of_the_units_are_computed():
    recording, sorting = make_units(lengths=(3000,))
    lazy = recording.astype("float32")
    counting = Counting(lazy.segments[0])
    lazy._segments[0] = counting
    spikes = sorting.select_units(["u0", "u2"]).to_spike_vector()
    mask = np.array([[True, False, False, False], [False, False, True, False]])
    ours = extract(lazy, spikes, *WINDOW, return_in_uV=True, sparsity_mask=mask)
    assert {tuple(channels) for channels in counting.read if channels} == {(0, 2)}
    expected = windows_of(recording, spikes, *WINDOW, mask=mask, in_uV=True)
    np.testing.assert_array_equal(ours, expected)


def test_whole_numbers_are_rounded_and_stop_at_their_range():
    traces = np.array([[0.6], [-0.6], [4e5], [-1.5]], np.float32)
    recording = NumpyRecording([traces], 1000.0)
    spikes = np.array([(0, 0, 0)], minimum_spike_dtype)
    ours = extract(recording, spikes, 0, 4, return_in_uV=False, dtype="int16")
    assert ours[0, :, 0].tolist() == [1, -1, 32767, -2]
    halves = extract(recording, spikes, 0, 2, return_in_uV=False, dtype="float16")
    assert halves.dtype == np.float16
    assert halves[0, 1, 0] == np.float16(-0.6)


@pytest.mark.parametrize("mode", ["memmap", "shared_memory", "zarr"])
def test_nothing_gives_nothing(tmp_path, mode):
    recording, _ = make_units()
    none = np.zeros(0, minimum_spike_dtype)
    name = {"memmap": "w.npy", "zarr": "w.zarr/w"}.get(mode)
    path = None if name is None else tmp_path / name
    assert extract(recording, none, *WINDOW, mode=mode, file_path=path).shape == (0, 15, 4)
    one = np.array([(5, 0, 0)], minimum_spike_dtype)
    for empty in ({"sparsity_mask": np.zeros((1, 4), bool)},):
        ours = extract(recording, one, *WINDOW, mode=mode, file_path=path, **empty)
        assert ours.shape == (1, 15, 0)


def test_windows_longer_than_the_recording():
    recording, sorting = make_units(lengths=(5, 0, 3), n_spikes=3)
    spikes = sorting.to_spike_vector()
    ours = extract(recording, spikes, 20, 30)
    np.testing.assert_array_equal(ours, windows_of(recording, spikes, 20, 30, in_uV=True))


def test_spikes_outside_the_recording_are_zero(tmp_path):
    recording, _ = make_units(lengths=(100,))
    spikes = np.array([(-5, 0, 0), (50, 0, 0), (100, 0, 0), (105, 0, 0)], minimum_spike_dtype)
    path = tmp_path / "w.zarr" / "w"
    for options in ({}, {"mode": "zarr", "file_path": path, "zarr_target_chunk_bytes": 1}):
        ours = extract(recording, spikes, 3, 3, **options)[:]
        assert ours.any(axis=(1, 2)).tolist() == [False, True, False, False]
    sorting = NumpySorting(spikes, 10000.0, ["a"])
    assert has_exceeding_spikes(sorting, recording)
    assert has_exceeding_spikes(recording, sorting)
    assert not has_exceeding_spikes(recording, NumpySorting(spikes[1:2], 10000.0, ["a"]))


@pytest.mark.parametrize("mode", ["memmap", "shared_memory"])
@pytest.mark.parametrize("mask", [None, MASK], ids=["dense", "sparse"])
def test_a_buffer_for_each_unit(tmp_path, mode, mask):
    recording, sorting = make_units()
    spikes = sorting.to_spike_vector()
    ours = extract_waveforms_to_buffers(
        recording,
        spikes,
        sorting.unit_ids,
        *WINDOW,
        mode=mode,
        folder=tmp_path if mode == "memmap" else None,
        sparsity_mask=mask,
        copy=True,
        progress_bar=False,
    )
    assert list(ours) == sorting.unit_ids.tolist()
    every = windows_of(recording, spikes, *WINDOW, mask=mask, in_uV=True)
    for k, unit_id in enumerate(ours):
        n_own = 4 if mask is None else mask[k].sum()
        expected = every[spikes["unit_index"] == k][:, :, :n_own]
        np.testing.assert_array_equal(ours[unit_id], expected)
        if mode == "memmap":
            stored = np.load(tmp_path / f"waveforms_{unit_id}.npy")
            np.testing.assert_array_equal(stored, expected)


def read_elsewhere(name, dtype, shape):
    """Return the sum of shared memory as another process sees it."""
    read = "from spikeloom.storage.shared_blocks import attach_block as attach, n_bytes_of"
    look = f"array = attach({name!r}, n_bytes_of({shape}, {dtype!r})).array({shape}, {dtype!r})"
    done = subprocess.run(
        [sys.executable, "-c", f"{read}; {look}; print(int(array.sum()))"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_memory_that_others_can_use():
    recording, sorting = make_units()
    spikes = sorting.to_spike_vector()
    options = {"copy": False, "return_in_uV": False}
    windows, info = extract(recording, spikes, *WINDOW, **options)
    np.testing.assert_array_equal(windows, windows_of(recording, spikes, *WINDOW))
    elsewhere = read_elsewhere(info["shm_name"], info["dtype"], info["shape"])
    assert elsewhere == windows.sum(dtype=np.int64)
    by_unit, infos = extract_waveforms_to_buffers(
        recording,
        spikes,
        sorting.unit_ids,
        *WINDOW,
        mode="shared_memory",
        sparsity_mask=MASK,
        progress_bar=False,
        **options,
    )
    for k, unit_id in enumerate(sorting.unit_ids.tolist()):
        expected = windows[spikes["unit_index"] == k][:, :, MASK[k]]
        np.testing.assert_array_equal(by_unit[unit_id], expected)
        assert infos[unit_id][2:] == ("<i2", expected.shape)
        if expected.size:
            assert read_elsewhere(*infos[unit_id][1:]) == expected.sum(dtype=np.int64)


def test_a_file_that_was_not_finished_does_not_stay(tmp_path):
    recording, sorting = make_units()
    recording._segments[1] = None
    with pytest.raises(AttributeError):
        extract(
            recording,
            sorting.to_spike_vector(),
            *WINDOW,
            mode="memmap",
            file_path=tmp_path / "w.npy",
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "disk"}, "mode must be one of"),
        ({"mode": "memmap"}, "needs file_path"),
        ({"file_path": "w.npy"}, "needs no file_path"),
        ({"sparsity_mask": np.ones((3, 5), bool)}, "mask has shape"),
        ({"sparsity_mask": np.ones((2, 4), bool)}, "unit_index"),
        ({"mode": "zarr", "file_path": "data/w"}, "no array of a zarr store"),
        ({"nafter": -20}, "not possible"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    recording, sorting = make_units()
    given = {"nbefore": 6, "nafter": 9} | options
    window = (given.pop("nbefore"), given.pop("nafter"))
    with pytest.raises(ParameterError, match=message):
        extract(recording, sorting.to_spike_vector(), *window, **given)


def test_gains_are_needed_for_microvolts():
    recording, sorting = make_units(gain=None)
    with pytest.raises(ParameterError, match="gains and offsets are not known"):
        extract(recording, sorting.to_spike_vector(), *WINDOW)
    with pytest.raises(ParameterError, match="spike vector has no segment_index, unit_index"):
        extract(recording, sorting.to_spike_vector()[["sample_index"]], *WINDOW)


def test_ids_that_are_no_file_names(tmp_path):
    recording, sorting = make_units(n_units=1)
    with pytest.raises(ParameterError, match="cannot be part of the name"):
        extract_waveforms_to_buffers(
            recording,
            sorting.to_spike_vector(),
            ["../a"],
            *WINDOW,
            folder=tmp_path,
            progress_bar=False,
        )
