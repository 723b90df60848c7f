"""Random pieces, noise, waveforms, templates, sparsity and motion are those of SpikeInterface."""

import json
import subprocess

import numpy as np
import pytest
from probeinterface import Probe

import spikeloom.core.template_tools as tools
from spikeloom.core.channel_geometry import get_closest_channels, order_channels_by_depth
from spikeloom.core.chunk_margins import get_chunk_with_margin
from spikeloom.core.loading import load
from spikeloom.core.motion import Motion
from spikeloom.core.noise_levels import get_noise_levels
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.random_chunks import get_random_data_chunks, get_random_sample_slices
from spikeloom.core.sparsity_estimation import compute_sparsity, estimate_sparsity
from spikeloom.core.template_estimation import (
    estimate_templates,
    estimate_templates_with_accumulator,
)
from spikeloom.core.templates import Templates
from spikeloom.core.waveform_extraction import extract_waveforms_to_single_buffer

pytestmark = pytest.mark.peer

ASK = """
import json, sys
from pathlib import Path
import numpy as np
import spikeinterface.core as si
from probeinterface import Probe
from spikeinterface.core import template_tools
from spikeinterface.core.time_series_tools import get_random_sample_slices
from spikeinterface.core.waveform_tools import extract_waveforms_to_single_buffer
from spikeinterface.core.motion import Motion

folder = Path(sys.argv[1])
given = json.loads((folder / "question.json").read_text())
si.set_global_job_kwargs(progress_bar=False, n_jobs=1)
traces = [np.load(folder / "traces0.npy"), np.load(folder / "traces1.npy")]
recording = si.NumpyRecording(traces, given["fs"], channel_ids=given["channel_ids"])
recording.set_channel_gains(given["gains"])
recording.set_channel_offsets(given["offsets"])
recording.set_dummy_probe_from_locations(np.array(given["locations"]))
dicts = [{k: np.array(v, "i8") for k, v in d.items()} for d in given["dicts"]]
sorting = si.NumpySorting.from_unit_dict(dicts, given["fs"])
spikes = sorting.to_spike_vector()
mask = np.array(given["mask"])
answer, arrays = {}, {}
answer["slices"] = [
    [[int(v) for v in one] for one in get_random_sample_slices(recording, **options)]
    for options in given["slices"]
]
arrays["chunks"] = si.get_random_data_chunks(recording, chunk_size=50, seed=3, return_in_uV=True)
for method in ("mad", "std", "rms"):
    arrays[f"noise_{method}"] = si.get_noise_levels(
        recording, method=method, random_slices_kwargs=dict(chunk_size=1001, seed=1)
    )
segment = recording.segments[1]
for k, (arguments, options) in enumerate(given["margins"]):
    piece, left, right = si.get_chunk_with_margin(segment, *arguments, **options)
    arrays[f"piece_{k}"] = piece
    answer[f"sides_{k}"] = [int(left), int(right)]
closest = si.get_closest_channels(recording, num_channels=3)
arrays["closest"], arrays["closest_um"] = closest
for k, (dimensions, flip) in enumerate(given["orders"]):
    order = si.order_channels_by_depth(recording, dimensions=dimensions, flip=flip)
    arrays[f"order_{k}"] = np.stack(order)
for name, sparsity_mask in (("dense", None), ("sparse", mask)):
    for in_uV in (True, False):
        arrays[f"waveforms_{name}_{in_uV}"] = extract_waveforms_to_single_buffer(
            recording, spikes, 12, 20, mode="shared_memory", return_in_uV=in_uV,
            dtype="float32" if in_uV else None, sparsity_mask=sparsity_mask, copy=True,
        )
    arrays[f"average_{name}"], arrays[f"std_{name}"] = si.estimate_templates_with_accumulator(
        recording, spikes, sorting.unit_ids, 12, 20, sparsity_mask=sparsity_mask, return_std=True
    )
    arrays[f"median_{name}"] = si.estimate_templates(
        recording, spikes, sorting.unit_ids, 12, 20, operator="median", sparsity_mask=sparsity_mask
    )
probe = Probe(ndim=2)
probe.set_contacts(np.array(given["locations"]), shank_ids=["s"] * 6)
probe.set_contact_ids([f"e{k}" for k in range(6)])
probe.set_device_channel_indices(np.arange(len(given["channel_ids"])))
probe.create_auto_shape()
probe.annotate(name="shank of many")
templates = si.Templates(
    arrays["average_dense"], given["fs"], 12, channel_ids=recording.channel_ids,
    unit_ids=sorting.unit_ids, probe=probe,
)
templates.to_zarr(folder / "peer_dense.zarr")
templates.to_sparse(mask).to_zarr(folder / "peer_sparse.zarr")
for sign in ("neg", "pos", "both"):
    for mode in ("extremum", "at_index", "peak_to_peak"):
        amplitudes = template_tools.get_template_amplitudes(templates, sign, mode, abs_value=False)
        arrays[f"amplitudes_{sign}_{mode}"] = np.array(list(amplitudes.values()))
        arrays[f"main_{sign}_{mode}"] = templates.get_main_channels(sign, mode)
    shifts = template_tools.get_template_peak_shift_on_main_channel(templates, sign)
    arrays[f"shifts_{sign}"] = np.array(list(shifts.values()))
    on_main = template_tools.get_template_amplitude_on_main_channel(templates, sign, "at_index")
    arrays[f"on_main_{sign}"] = np.array(list(on_main.values()))
for k, options in enumerate(given["sparsities"]):
    options = dict(options)
    if options.pop("with_noise", False):
        options["noise_levels"] = arrays["noise_mad"]
    arrays[f"sparsity_{k}"] = si.compute_sparsity(templates, **options).mask
for k, options in enumerate(given["estimated"]):
    arrays[f"estimated_{k}"] = si.estimate_sparsity(sorting, recording, **options).mask
arrays["main_estimated"] = template_tools.estimate_main_channel_from_recording(
    recording, sorting, "both", "extremum", seed=5
)
rng = np.random.default_rng(8)
times = [np.linspace(0.5, 9.5, 10), np.linspace(0.5, 4.5, 5)]
motion = Motion([rng.normal(0, 9, (t.size, 4)) for t in times], times, np.arange(4) * 50.0, "x")
motion.save(folder / "peer_motion")
at = (rng.uniform(-1, 11, 40), rng.uniform(-30, 200, 40))
arrays["motion_times"], arrays["motion_depths"] = at
arrays["motion"] = motion.get_displacement_at_time_and_depth(*at, segment_index=1)
arrays["motion_grid"] = motion.get_displacement_at_time_and_depth(*at, segment_index=0, grid=True)
np.savez(folder / "answer.npz", **arrays)
(folder / "answer.json").write_text(json.dumps(answer))
"""

READ_BACK = """
import json, sys
from pathlib import Path
import numpy as np
import spikeinterface.core as si

folder = Path(sys.argv[1])
dense, sparse = si.load(folder / "our_dense.zarr"), si.load(folder / "our_sparse.zarr")
assert dense == si.load(folder / "peer_dense.zarr")
theirs = si.load(folder / "peer_sparse.zarr")
assert np.array_equal(sparse.templates_array, theirs.templates_array)
assert np.array_equal(sparse.sparsity_mask, theirs.sparsity_mask)
assert sparse.probe.annotations == theirs.probe.annotations
motion = si.load(folder / "our_motion")
assert motion == si.load(folder / "peer_motion") and motion.direction == "x"
"""

FS = 10000.0
MARGINS = [
    [[100, 200, None, 30], {}],
    [[10, 200, [2, 0], 30], {}],
    [[None, None, None, 30], {}],
    [[10, 490, None, 30], {"add_zeros": True}],
    [[10, 490, None, 30], {"add_zeros": True, "window_on_margin": True, "dtype": "float32"}],
    [[100, 200, None, 30], {"add_zeros": True, "window_on_margin": True, "dtype": "float32"}],
    [[None, None, None, 5], {"add_zeros": True, "dtype": "float64"}],
    [[10, 490, None, 30], {"add_reflect_padding": True}],
]
ORDERS = [[["x", "y"], False], [["y", "x"], False], ["y", False], [["x", "y"], True]]
SLICES = [
    {"seed": 0},
    {"seed": 7, "num_chunks_per_segment": 4, "chunk_duration": "10ms"},
    {"seed": 7, "chunk_size": 123, "margin_frames": 40},
    {"seed": 2, "chunk_size": 400},
    {"seed": 2, "chunk_size": 10**6},
]
SPARSITIES = [
    {"method": "radius", "radius_um": 30.0},
    {"method": "best_channels", "num_channels": 3},
    {"method": "closest_channels", "num_channels": 4},
    {"method": "snr", "threshold": 2.0, "with_noise": True},
    {"method": "amplitude", "threshold": 30.0},
]
ESTIMATED = [
    {"method": "radius", "radius_um": 30.0},
    {"method": "best_channels", "num_channels": 3},
    {"method": "closest_channels", "num_channels": 4, "peak_sign": "neg"},
]


@pytest.fixture(scope="module")
def question():
    rng = np.random.default_rng(11)
    n_channels, lengths = 6, (20000, 500)
    # No two distances from a channel are the same, so that there is one order of neighbours.
    locations = [[0, 0], [21, 9], [1, 30], [23, 41], [3, 62], [27, 77]]
    dicts = []
    for n_samples in lengths:
        units = {f"u{k}": np.sort(rng.integers(0, n_samples, 60)).tolist() for k in range(3)}
        dicts.append(units)
    mask = rng.random((3, n_channels)) < 0.5
    mask[:, 0] = True
    return {
        "fs": FS,
        "channel_ids": [f"c{k}" for k in range(n_channels)],
        "gains": [0.5, 0.5, 0.5, 1.5, 0.25, 1.0],
        "offsets": [3.0, 0.0, -5.0, 0.0, 0.0, 1.0],
        "locations": locations,
        "dicts": dicts,
        "mask": mask.tolist(),
        "margins": MARGINS,
        "orders": ORDERS,
        "slices": SLICES,
        "sparsities": [
            {"peak_sign": "neg", "amplitude_mode": "extremum"} | options for options in SPARSITIES
        ],
        "estimated": ESTIMATED,
    }


@pytest.fixture(scope="module")
def recording(question):
    rng = np.random.default_rng(12)
    n_channels = len(question["channel_ids"])
    traces = [rng.normal(0, 40, (n, n_channels)) for n in (20000, 500)]
    shape = -300 * np.exp(-(((np.arange(32) - 12) / 4.0) ** 2))
    for segment, units in zip(traces, question["dicts"], strict=True):
        for k, samples in enumerate(units.values()):
            for sample in samples:
                if 12 <= sample < len(segment) - 20:
                    segment[sample - 12 : sample + 20, 2 * k] += shape * (1 - 0.3 * k)
                    segment[sample - 12 : sample + 20, 2 * k + 1] -= shape * 0.4
    traces = [np.round(segment).astype(np.int16) for segment in traces]
    made = NumpyRecording(traces, FS, channel_ids=question["channel_ids"])
    made.set_channel_gains(question["gains"])
    made.set_channel_offsets(question["offsets"])
    made.set_dummy_probe_from_locations(question["locations"])
    return made


@pytest.fixture(scope="module")
def sorting(question):
    return NumpySorting.from_unit_dict(question["dicts"], FS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("peer")


def run_peer(python, script, folder):
    done = subprocess.run(
        [python, "-W", "ignore", "-c", script, folder],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def answer(question, recording, peer_python, folder):
    (folder / "question.json").write_text(json.dumps(question))
    for k in range(2):
        np.save(folder / f"traces{k}.npy", recording.get_traces(k))
    run_peer(peer_python, ASK, folder)
    with np.load(folder / "answer.npz") as arrays:
        return {**json.loads((folder / "answer.json").read_text()), **arrays}


@pytest.fixture(scope="module")
def templates(answer, question, recording, sorting):
    probe = Probe(ndim=2)
    probe.set_contacts(np.array(question["locations"]), shank_ids=["s"] * 6)
    probe.set_contact_ids([f"e{k}" for k in range(6)])
    probe.set_device_channel_indices(np.arange(6))
    probe.create_auto_shape()
    probe.annotate(name="shank of many")
    return Templates(
        answer["average_dense"],
        FS,
        12,
        channel_ids=recording.channel_ids,
        unit_ids=sorting.unit_ids,
        probe=probe,
    )


@pytest.mark.filterwarnings("ignore:Pieces are shortened")
def test_random_pieces_are_the_same(recording, answer):
    for options, expected in zip(SLICES, answer["slices"], strict=True):
        assert [list(one) for one in get_random_sample_slices(recording, **options)] == expected
    chunks = get_random_data_chunks(recording, chunk_size=50, seed=3, return_scaled=True)
    np.testing.assert_array_equal(chunks, answer["chunks"])


@pytest.mark.filterwarnings("ignore:Pieces are shortened")
@pytest.mark.parametrize("method", ["mad", "std", "rms"])
def test_noise_levels_are_the_same(recording, answer, method):
    options = {"chunk_size": 1001, "seed": 1}
    ours = get_noise_levels(recording, method=method, random_slices_kwargs=options)
    np.testing.assert_allclose(ours, answer[f"noise_{method}"], rtol=2e-6)


@pytest.mark.parametrize("k", range(len(MARGINS)))
def test_margins_are_the_same(recording, answer, k):
    arguments, options = MARGINS[k]
    piece, *sides = get_chunk_with_margin(recording.segments[1], *arguments, **options)
    expected = answer[f"piece_{k}"]
    assert (sides, piece.dtype) == (answer[f"sides_{k}"], expected.dtype)
    np.testing.assert_array_equal(piece, expected)


def test_neighbours_and_orders_are_the_same(recording, answer):
    indices, distances_um = get_closest_channels(recording, num_channels=3)
    np.testing.assert_array_equal(indices, answer["closest"])
    np.testing.assert_allclose(distances_um, answer["closest_um"])
    for k, (dimensions, flip) in enumerate(ORDERS):
        order = order_channels_by_depth(recording, dimensions=dimensions, flip=flip)
        np.testing.assert_array_equal(np.stack(order), answer[f"order_{k}"])


@pytest.mark.parametrize("in_uV", [True, False])
@pytest.mark.parametrize("name", ["dense", "sparse"])
def test_waveforms_are_the_same(recording, sorting, question, answer, name, in_uV):
    ours = extract_waveforms_to_single_buffer(
        recording,
        sorting.to_spike_vector(),
        12,
        20,
        mode="shared_memory",
        return_in_uV=in_uV,
        sparsity_mask=question["mask"] if name == "sparse" else None,
        progress_bar=False,
    )
    expected = answer[f"waveforms_{name}_{in_uV}"]
    assert ours.dtype == expected.dtype
    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("name", ["dense", "sparse"])
def test_templates_are_the_same(recording, sorting, question, answer, name):
    given = (recording, sorting.to_spike_vector(), sorting.unit_ids, 12, 20)
    options = {
        "sparsity_mask": question["mask"] if name == "sparse" else None,
        "progress_bar": False,
    }
    average, std = estimate_templates_with_accumulator(*given, return_std=True, **options)
    np.testing.assert_allclose(average, answer[f"average_{name}"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(std, answer[f"std_{name}"], rtol=1e-3, atol=1e-3)
    median = estimate_templates(*given, operator="median", **options)
    np.testing.assert_allclose(median, answer[f"median_{name}"], rtol=1e-6)


@pytest.mark.parametrize("sign", ["neg", "pos", "both"])
def test_amplitudes_and_main_channels_are_the_same(templates, answer, sign):
    for mode in ("extremum", "at_index", "peak_to_peak"):
        amplitudes = tools.get_template_amplitudes(templates, sign, mode, abs_value=False)
        np.testing.assert_array_equal(
            list(amplitudes.values()), answer[f"amplitudes_{sign}_{mode}"]
        )
        if (sign, mode) != ("neg", "at_index"):  # where the other takes the highest for the lowest
            channels = templates.get_main_channels(sign, mode)
            np.testing.assert_array_equal(channels, answer[f"main_{sign}_{mode}"])
    shifts = tools.get_template_peak_shift_on_main_channel(templates, sign)
    np.testing.assert_array_equal(list(shifts.values()), answer[f"shifts_{sign}"])
    on_main = tools.get_template_amplitude_on_main_channel(templates, sign, "at_index")
    np.testing.assert_allclose(list(on_main.values()), answer[f"on_main_{sign}"])


def test_sparsities_are_the_same(templates, recording, sorting, question, answer):
    for k, options in enumerate(question["sparsities"]):
        given = dict(options)
        if given.pop("with_noise", False):
            given["noise_levels"] = answer["noise_mad"]
        mask = compute_sparsity(templates, **given).mask
        np.testing.assert_array_equal(mask, answer[f"sparsity_{k}"], str(options))
        assert 0 < mask.sum() < mask.size


def test_estimated_sparsities_are_the_same_where_gains_are(recording, sorting, answer):
    # The other looks at steps of the file even where channels differ in gain.
    equal = recording.clone()
    for key in ("gain_to_uV", "offset_to_uV"):
        equal.delete_property(key)
    for k, options in enumerate(ESTIMATED):
        mask = estimate_sparsity(sorting, equal, progress_bar=False, **options).mask
        np.testing.assert_array_equal(mask, answer[f"estimated_{k}"])
        swapped = estimate_sparsity(equal, sorting, progress_bar=False, **options)
        np.testing.assert_array_equal(swapped.mask, mask)
    channels = tools.estimate_main_channel_from_recording(
        recording, sorting, "both", "extremum", seed=5, progress_bar=False
    )
    np.testing.assert_array_equal(channels, answer["main_estimated"])


def test_motion_is_read_and_interpolated_alike(folder, answer):
    motion = load(folder / "peer_motion")
    at = answer["motion_times"], answer["motion_depths"]
    ours = motion.get_displacement_at_time_and_depth(*at, segment_index=1)
    np.testing.assert_allclose(ours, answer["motion"], atol=1e-9)
    grid = motion.get_displacement_at_time_and_depth(*at, segment_index=0, grid=True)
    np.testing.assert_allclose(grid, answer["motion_grid"], atol=1e-9)
    assert (motion.num_segments, motion.direction) == (2, "x")


def test_files_go_both_ways(folder, answer, templates, question, peer_python):
    dense, sparse = load(folder / "peer_dense.zarr"), load(folder / "peer_sparse.zarr")
    assert dense == templates
    assert dense.probe.annotations == templates.probe.annotations
    assert sparse == templates.to_sparse(np.array(question["mask"]))
    dense.to_zarr(folder / "our_dense.zarr")
    sparse.to_zarr(folder / "our_sparse.zarr")
    Motion.load(folder / "peer_motion").save(folder / "our_motion")
    run_peer(peer_python, READ_BACK, folder)
