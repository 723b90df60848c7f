"""Curations give the units that SpikeInterface gives, and where they do not, better ones."""

import json
import subprocess

import numpy as np
import pandas as pd
import pytest

import spikeloom as si
from making.curations import DEFINITIONS, FS, curation_v1, curation_v2, make_sorting, trains_of
from making.merged import analyzer_of
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.analyzer.merge_steps import PRESETS
from spikeloom.curation import (
    apply_curation,
    compute_merge_unit_groups,
    find_redundant_units,
    remove_duplicated_spikes,
    threshold_metrics_label_units,
)

pytestmark = pytest.mark.peer

ASK = """
import json, sys, warnings
import numpy as np
import pandas as pd
import spikeinterface as si
import spikeinterface.curation as sc

warnings.simplefilter("ignore")
given = json.load(open(sys.argv[1]))

def sorting_of(segments):
    ids = [u for u, _ in segments[0]]
    dicts = [{u: np.array(t, "i8") for u, t in one} for one in segments]
    return si.NumpySorting.from_unit_dict(dicts, given["fs"])

def told(sorting):
    return {
        "ids": sorting.unit_ids.tolist(),
        "trains": [[sorting.get_unit_spike_train(u, segment_index=k).tolist()
                    for k in range(2)] for u in sorting.unit_ids],
        "properties": {k: sorting.get_property(k).tolist() for k in sorting.get_property_keys()},
    }

answer = {"curations": []}
for one in given["curations"]:
    sorting = sorting_of(one["segments"])
    answer["curations"].append(told(sc.apply_curation(sorting, one["curation"], **one["options"])))
bursts = sorting_of(given["bursts"])
answer["duplicates"] = {
    method: told(sc.remove_duplicated_spikes(bursts, censored_period_ms=0.5, method=method))
    for method in given["methods"]
}
answer["redundant"] = [
    [[int(a), int(b)] for a, b in sc.find_redundant_units(sorting_of(given["double"]), **options)]
    for options in given["redundant"]
]
metrics = pd.DataFrame(given["metrics"])
answer["labels"] = [
    sc.threshold_metrics_label_units(metrics, thresholds, **options)["label"].tolist()
    for thresholds, options in given["thresholds"]
]
print("ANSWER" + json.dumps(answer))
"""

MERGES = """
import json, sys, warnings
import numpy as np
import spikeinterface as si
import spikeinterface.curation as sc

warnings.simplefilter("ignore")
analyzer = si.load_sorting_analyzer(sys.argv[1])
answer = {}
for preset, params in json.loads(sys.argv[2]).items():
    groups, outs = sc.compute_merge_unit_groups(
        analyzer, preset, resolve_graph=False, steps_params=params, extra_outputs=True)
    kept = ("correlogram_diff", "presence_distances", "unit_distances", "win_sizes")
    answer[preset] = {
        "pairs": [[str(a), str(b)] for a, b in groups],
        "outs": {k: np.nan_to_num(np.asarray(outs[k], float)).tolist() for k in kept if k in outs},
        "p_values": np.asarray(outs["cross_contaminations"][1]).tolist()
                    if "cross_contaminations" in outs else None,
    }
print("ANSWER" + json.dumps(answer))
"""

METHODS = ["keep_first", "keep_last", "keep_first_iterative", "keep_last_iterative"]
REDUNDANT = [{}, {"delta_time": 1.0, "agreement_threshold": 0.05, "duplicate_threshold": 0.1}]
METRICS = {"snr": [2.0, 8.0, float("nan"), 9.0], "drift": [-4.0, 1.0, 1.0, float("nan")]}
THRESHOLDS = [
    [{"snr": {"greater": 5, "less": 9.0}, "drift": {"less": 3.0, "abs": True}}, options]
    for options in (
        {"operator": operator, "nan_policy": policy}
        for operator in ("and", "or")
        for policy in ("fail", "pass", "ignore")
    )
]


def asked(python, code, *arguments):
    done = subprocess.run(
        [python, "-c", code, *arguments], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rpartition("ANSWER")[2])


def segments_of(sorting):
    trains = trains_of(sorting)
    return [[[u, trains[u][k]] for u in trains] for k in range(2)]


def bursting():
    rng = np.random.default_rng(4)
    dicts = [{u: np.sort(rng.integers(0, 900, 200)) for u in range(3)} for _ in range(2)]
    return si.NumpySorting.from_unit_dict(dicts, FS)


def doubled():
    rng = np.random.default_rng(5)
    dicts = []
    for _ in range(2):
        trains = {u: np.sort(rng.choice(20_000, 300, replace=False)) for u in range(4)}
        trains[4] = trains[1][rng.random(300) < 0.9] + 2
        trains[5] = np.sort(np.concatenate([trains[2][::2], trains[3][:20] + 1]))
        dicts.append(trains)
    return si.NumpySorting.from_unit_dict(dicts, FS)


def curations():
    text = tuple("abcdef")
    by_indices = {
        "format_version": "2",
        "unit_ids": [1, 2, 3, 6, 10, 14],
        "splits": [
            {"unit_id": 2, "indices": [[1, 3, 59], [2, 4]], "new_unit_ids": [50, 51, 52]},
            {"unit_id": 10, "indices": [[0, 30]], "new_unit_ids": [60, 61]},
        ],
        "label_definitions": DEFINITIONS,
        "manual_labels": [{"unit_id": 2, "labels": {"quality": ["MUA"]}}],
    }
    return [
        ((1, 2, 3, 6, 10, 14), curation_v1(), {}),
        ((1, 2, 3, 6, 10, 14), curation_v2(), {}),
        ((1, 2, 3, 6, 10, 14), curation_v2(), {"censor_ms": 3.0}),
        ((1, 2, 3, 6, 10, 14), curation_v1(), {"new_id_strategy": "take_first"}),
        (text, curation_v2(text), {}),
        (text, curation_v1(text), {"new_id_strategy": "join"}),
        ((1, 2, 3, 6, 10, 14), by_indices, {}),
    ]


@pytest.fixture(scope="module")
def peer(peer_python, tmp_path_factory):
    given = {
        "fs": FS,
        "curations": [
            {"segments": segments_of(make_sorting(ids)), "curation": one, "options": options}
            for ids, one, options in curations()
        ],
        "bursts": segments_of(bursting()),
        "methods": METHODS,
        "double": segments_of(doubled()),
        "redundant": REDUNDANT,
        "metrics": METRICS,
        "thresholds": THRESHOLDS,
    }
    path = tmp_path_factory.mktemp("asked") / "given.json"
    path.write_text(json.dumps(given))
    return asked(peer_python, ASK, path)


@pytest.mark.parametrize("number", range(len(curations())))
def test_curated_sortings_are_the_same(peer, number):
    ids, given, options = curations()[number]
    expected = peer["curations"][number]
    curated = apply_curation(make_sorting(ids), given, **options)
    trains = trains_of(curated)
    assert list(trains) == expected["ids"]
    assert [trains[u] for u in expected["ids"]] == expected["trains"]
    for name, values in expected["properties"].items():
        # Labels that not all parts of a merged unit have are dropped there, but described as kept.
        assert curated.get_property(name).tolist() == values
    assert "quality" in expected["properties"]


@pytest.mark.parametrize("method", METHODS)
def test_duplicates_are_the_same(peer, method):
    removed = remove_duplicated_spikes(bursting(), censored_period_ms=0.5, method=method)
    assert list(trains_of(removed).values()) == peer["duplicates"][method]["trains"]


def test_redundant_units_are_the_same(peer):
    found = [[list(p) for p in find_redundant_units(doubled(), **one)] for one in REDUNDANT]
    assert found == peer["redundant"]
    assert found[0] == [[4, 1], [5, 2]]
    assert found[1] != found[0]


def test_labels_by_thresholds_are_the_same(peer):
    metrics = pd.DataFrame(METRICS)
    for (thresholds, options), expected in zip(THRESHOLDS, peer["labels"], strict=True):
        found = threshold_metrics_label_units(metrics, thresholds, **options)
        assert found["label"].tolist() == expected


@pytest.fixture(scope="module")
def split_analyzer(tmp_path_factory):
    recording, sorting = si.generate_ground_truth_recording(
        durations=[60.0], sampling_frequency=30_000.0, num_channels=16, num_units=6, seed=7
    )
    trains = {u: sorting.get_unit_spike_train(u) for u in sorting.unit_ids.tolist()}
    a, b = list(trains)[3:5]
    is_first = np.random.default_rng(0).random(len(trains[a])) < 0.5
    trains["a0"], trains["a1"] = trains[a][is_first], trains[a][~is_first]
    is_early = trains[b] < 30 * sorting.sampling_frequency
    trains["b0"], trains["b1"] = trains[b][is_early], trains[b][~is_early]
    del trains[a], trains[b]
    divided = si.NumpySorting.from_unit_dict(trains, sorting.sampling_frequency)
    settings = {
        "random_spikes": {"seed": 0},
        "templates": {},
        "noise_levels": {"random_slices_kwargs": {"seed": 0}},
        "template_similarity": {"method": "l1"},
        "unit_locations": {"method": "center_of_mass"},
        "correlograms": {},
        "spike_amplitudes": {},
        "spike_locations": {},
    }
    folder = tmp_path_factory.mktemp("merges") / "analyzer"
    analyzer_of(divided, recording, settings, sparse=False).save_as("binary_folder", folder)
    return load_sorting_analyzer(folder), folder


PARAMS = {
    preset: {
        name: {
            "correlogram": {"corr_diff_thresh": 0.5},
            "presence_distance": {"presence_distance_thresh": 10.0},
            "template_similarity": {"template_diff_thresh": 0.6},
        }[name]
        for name in PRESETS[preset]
        if name in {"correlogram", "presence_distance", "template_similarity"}
    }
    for preset in PRESETS
}


@pytest.fixture(scope="module")
def peer_merges(peer_python, split_analyzer):
    return asked(peer_python, MERGES, split_analyzer[1], json.dumps(PARAMS))


@pytest.mark.parametrize("preset", PRESETS)
def test_candidates_for_merges_are_the_same(peer_merges, split_analyzer, preset):
    expected = peer_merges[preset]
    pairs, outs = compute_merge_unit_groups(
        split_analyzer[0],
        preset,
        resolve_graph=False,
        steps_params=PARAMS[preset],
        extra_outputs=True,
    )
    assert [list(pair) for pair in pairs] == expected["pairs"]
    assert pairs
    for name, values in expected["outs"].items():
        np.testing.assert_allclose(np.nan_to_num(outs[name]), values, rtol=1e-6, atol=1e-9)
    if expected["p_values"] is not None:
        np.testing.assert_allclose(outs["cross_contaminations"][1], expected["p_values"], atol=1e-4)
