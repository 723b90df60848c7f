"""What is computed of spikes and their waveforms is what SpikeInterface computes."""

import json
import subprocess

import numpy as np
import pytest

from making.spiking import FS, spiking

ASK = """
import json, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface.full as si

folder = Path(sys.argv[1])
given = json.loads((folder / "question.json").read_text())
si.set_global_job_kwargs(progress_bar=False, n_jobs=1, chunk_duration="300ms")
for name, case in given["cases"].items():
    n_segments = len(case["trains"])
    traces = [np.load(folder / f"{name}{k}.npy") for k in range(n_segments)]
    ids = [f"ch{k}" for k in range(len(case["locations"]))]
    recording = si.NumpyRecording(traces, given["fs"], channel_ids=ids)
    recording.set_channel_gains(case["gains"])
    recording.set_channel_offsets(case["offsets"])
    recording.set_dummy_probe_from_locations(np.array(case["locations"]))
    dicts = [{k: np.array(v, "i8") for k, v in d.items()} for d in case["trains"]]
    sorting = si.NumpySorting.from_unit_dict(dicts, given["fs"])
    sparsity = None
    if case["mask"] is not None:
        mask = np.array(case["mask"])
        sparsity = si.ChannelSparsity(mask, sorting.unit_ids, recording.channel_ids)
    analyzer = si.create_sorting_analyzer(
        sorting, recording, sparse=sparsity is not None, sparsity=sparsity,
        main_channel_indices=np.array(case["main_channels"]), return_in_uV=case["return_in_uV"],
    )
    arrays = {}
    for label, names in case["computed"]:
        for extension, params in names.items():
            computed = analyzer.compute(extension, **params)
            for key, values in computed.data.items():
                arrays[f"{label}/{extension}/{key}"] = np.asarray(values)
    templates = analyzer.get_extension("templates")
    arrays["median"] = templates.get_templates(operator="median")
    arrays["percentile"] = templates.get_templates(operator="percentile", percentile=30.0)
    arrays["of_unit"] = analyzer.get_extension("waveforms").get_waveforms_one_unit("u1")
    arrays["dense"] = analyzer.get_extension("waveforms").get_waveforms_one_unit(
        "u1", force_dense=True
    )
    chosen = analyzer.get_extension("random_spikes")
    arrays["selected"] = chosen.get_selected_indices_in_spike_train("u1", n_segments - 1)
    amplitudes = analyzer.get_extension("spike_amplitudes")
    arrays["by_unit"] = amplitudes.get_data(outputs="by_unit")[n_segments - 1]["u2"]
    arrays["by_unit_all"] = amplitudes.get_data(outputs="by_unit", concatenated=True)["u2"]
    np.savez(folder / f"{name}.npz", **arrays)
"""

COMPUTED = [
    (
        "first",
        {
            "random_spikes": {"seed": 7, "max_spikes_per_unit": 40},
            "noise_levels": {"random_slices_kwargs": {"seed": 3, "chunk_size": 1000}},
            "templates": {},
        },
    ),
    (
        "main",
        {
            "random_spikes": {"seed": 5, "max_spikes_per_unit": 45, "margin_size": 60},
            "waveforms": {"ms_before": 1.2, "ms_after": 2.0},
            "templates": {"operators": ["average", "std", "median", ("percentile", 75.0)]},
            "spike_amplitudes": {},
            "spike_locations": {},
            "amplitude_scalings": {},
        },
    ),
    *[
        (f"located{k}", {"spike_locations": params})
        for k, params in enumerate([
            {"method_kwargs": {"feature": "energy", "radius_um": 45.0}, "ms_before": 0.3},
            {"method_kwargs": {"feature": "peak_voltage", "radius_um": 25.0}},
            {"spike_retriever_kwargs": {"channel_from_template": False, "radius_um": 30.0}},
            {
                "spike_retriever_kwargs": {"channel_from_template": False, "peak_sign": "both"},
                "method_kwargs": {"feature": "energy"},
            },
            {"method": "grid_convolution", "method_kwargs": {"prototype": None}},
            {
                "method": "grid_convolution",
                "method_kwargs": {
                    "prototype": None,
                    "radius_um": 50.0,
                    "upsampling_um": 10.0,
                    "percentile": 20.0,
                    "weight_method": {"mode": "gaussian_2d"},
                },
            },
            {"method": "monopolar_triangulation", "method_kwargs": {"enforce_decrease": False}},
            {
                "method": "monopolar_triangulation",
                "method_kwargs": {
                    "enforce_decrease": False,
                    "feature": "energy",
                    "optimizer": "least_square",
                    "max_distance_um": 1000.0,
                },
            },
        ])
    ],
    *[
        (f"scaled{k}", {"amplitude_scalings": params})
        for k, params in enumerate([
            {"handle_collisions": False},
            {"ms_before": 0.5, "ms_after": 0.7, "delta_collision_ms": 1.0},
            {"delta_collision_ms": 8.0},
        ])
    ],
]

CASES = {
    "sparse": (spiking(seed=1, n_spikes=80), 60.0, True),
    "dense": (spiking((20000,), seed=2), None, True),
    "steps": (spiking((9000, 50, 8000), seed=3, n_spikes=12), 45.0, False),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory, peer_python):
    folder = tmp_path_factory.mktemp("peer")
    cases = {}
    for name, (made, radius_um, in_uV) in CASES.items():
        for k, traces in enumerate(made.traces):
            np.save(folder / f"{name}{k}.npy", traces)
        cases[name] = {
            "trains": [{u: t.tolist() for u, t in one.items()} for one in made.trains],
            "locations": made.locations.tolist(),
            "gains": made.gains.tolist(),
            "offsets": made.offsets.tolist(),
            "mask": None if radius_um is None else made.mask(radius_um).tolist(),
            "main_channels": made.main_channels.tolist(),
            "return_in_uV": in_uV,
            "computed": COMPUTED,
        }
    (folder / "question.json").write_text(json.dumps({"fs": FS, "cases": cases}))
    command = [str(peer_python), "-W", "ignore", "-c", ASK, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: dict(np.load(folder / f"{name}.npz")) for name in CASES}


@pytest.fixture(scope="module", params=list(CASES))
def both(request, answers):
    """What both computed, by name, of each case."""
    made, radius_um, in_uV = CASES[request.param]
    analyzer = made.analyzer(radius_um=radius_um, return_in_uV=in_uV)
    ours = {}
    for label, names in COMPUTED:
        for extension, params in names.items():
            computed = analyzer.compute(extension, progress_bar=False, **params)
            for key, values in computed.data.items():
                ours[f"{label}/{extension}/{key}"] = np.array(values)
    return analyzer, ours, answers[request.param]


def check(both, name, **tolerance):
    _, ours, theirs = both
    assert ours[name].shape == theirs[name].shape
    assert ours[name].dtype == theirs[name].dtype
    np.testing.assert_allclose(ours[name], theirs[name], **tolerance)


pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:Pieces are shortened"),
]


def test_the_same_spikes_are_chosen(both):
    for label in ("first", "main"):
        check(both, f"{label}/random_spikes/random_spikes_indices", rtol=0)
    analyzer, _, theirs = both
    last = analyzer.get_num_segments() - 1
    chosen = analyzer.get_extension("random_spikes")
    found = chosen.get_selected_indices_in_spike_train("u1", last)
    np.testing.assert_array_equal(found, theirs["selected"])


def test_noise_levels_are_the_same(both):
    _, ours, theirs = both
    name = "first/noise_levels/noise_levels"  # theirs are float64 where traces are not scaled
    np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5)
    assert ours[name].dtype == np.float32


def test_waveforms_are_the_same(both):
    check(both, "main/waveforms/waveforms", rtol=1e-6, atol=1e-4)
    analyzer, _, theirs = both
    waveforms = analyzer.get_extension("waveforms")
    np.testing.assert_allclose(waveforms.get_waveforms_one_unit("u1"), theirs["of_unit"], 1e-6)
    dense = waveforms.get_waveforms_one_unit("u1", force_dense=True)
    np.testing.assert_allclose(dense, theirs["dense"], rtol=1e-6)


def test_templates_are_the_same(both):
    for label in ("first", "main"):
        check(both, f"{label}/templates/average", rtol=1e-4, atol=1e-4)
        if label == "main" or both[0].return_in_uV:
            # Straight of steps of the file, the other's squares go beyond 16 bits.
            check(both, f"{label}/templates/std", rtol=1e-3, atol=1e-3)
    check(both, "main/templates/median", rtol=1e-6, atol=1e-4)
    check(both, "main/templates/percentile_75.0", rtol=1e-5, atol=1e-4)
    analyzer, _, theirs = both
    templates = analyzer.get_extension("templates")
    np.testing.assert_allclose(
        templates.get_templates(operator="median"), theirs["median"], 1e-6, 1e-4
    )
    ours = templates.get_templates(operator="percentile", percentile=30.0)
    np.testing.assert_allclose(ours, theirs["percentile"], 1e-5, 1e-4)


def test_amplitudes_are_the_same(both):
    check(both, "main/spike_amplitudes/amplitudes", rtol=1e-6)
    analyzer, _, theirs = both
    amplitudes = analyzer.get_extension("spike_amplitudes")
    last = analyzer.get_num_segments() - 1
    by_unit = amplitudes.get_data(outputs="by_unit")
    np.testing.assert_allclose(by_unit[last]["u2"], theirs["by_unit"], rtol=1e-6)
    together = amplitudes.get_data(outputs="by_unit", concatenated=True)["u2"]
    np.testing.assert_allclose(together, theirs["by_unit_all"], rtol=1e-6)


def test_locations_are_the_same(both):
    _, ours, theirs = both
    for label in ["main", *[f"located{k}" for k in range(6)]]:
        name = f"{label}/spike_locations/spike_locations"
        assert ours[name].dtype == theirs[name].dtype
        for field in ours[name].dtype.names:
            np.testing.assert_allclose(
                ours[name][field], theirs[name][field], rtol=1e-4, atol=2e-3, err_msg=label
            )


def test_triangulated_locations_are_close(both):
    # The other stops early, some way before the best place.
    _, ours, theirs = both
    for k in (6, 7):
        name = f"located{k}/spike_locations/spike_locations"
        for field in ("x", "y", "z"):
            distance = np.abs(ours[name][field] - theirs[name][field])
            assert np.median(distance) < 0.1
            assert np.quantile(distance, 0.75) < 2


def test_scalings_are_the_same(both):
    _, ours, theirs = both
    for label in ("main", "scaled0", "scaled1", "scaled2"):
        name = f"{label}/amplitude_scalings/"
        mask = theirs[name + "collision_mask"]
        np.testing.assert_array_equal(ours[name + "collision_mask"], mask)
        # In steps of the file, the other cuts the templates of colliding spikes to whole numbers.
        which = np.ones(mask.size, bool) if both[0].return_in_uV else ~mask
        # Of a spike that is there twice, it has neither; here each has a half.
        spikes = both[0].sorting.to_spike_vector()
        _, place, counts = np.unique(spikes, return_inverse=True, return_counts=True)
        near_twins = np.zeros(mask.size, bool)
        near_twins[counts[place.reshape(-1)] > 1] = True
        which &= ~near_twins
        found, expected = (one[name + "amplitude_scalings"] for one in (ours, theirs))
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found[which], expected[which], rtol=1e-3, atol=1e-3)
    assert ours["main/amplitude_scalings/collision_mask"].any()
