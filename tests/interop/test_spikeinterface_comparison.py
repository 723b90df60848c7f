"""Comparisons give the numbers that SpikeInterface gives, and where they do not, better ones."""

import json
import subprocess

import numpy as np
import pytest

from making.absence import absent
from making.compared import FS, sorted_segments, sorting_of, true_segments
from spikeloom.comparison import (
    CollisionGTComparison,
    calculate_agreement_scores_with_distance,
    compare_multiple_sorters,
    compare_sorter_to_ground_truth,
    compare_spike_trains,
    compare_two_sorters,
    count_matching_events,
    make_match_count_matrix,
)

pytestmark = pytest.mark.peer

NEEDS = "import networkx, pandas, scipy, spikeinterface.comparison"

ASK = """
import json, sys
import numpy as np
import spikeinterface as si
import spikeinterface.comparison as sc
from spikeinterface.comparison import comparisontools as tools

given = json.load(open(sys.argv[1]))

def sorting_of(segments, unit_ids):
    dicts = [{u: np.array(t, "i8") for u, t in zip(unit_ids, units)} for units in segments]
    return si.NumpySorting.from_unit_dict(dicts, given["fs"])

def table(frame):
    return [list(map(str, frame.index)), list(map(str, frame.columns)), frame.values.tolist()]

def series(match):
    return [list(map(str, match.index)), [str(value) for value in match.values]]

answers = []
for pair in given["pairs"]:
    one, two = (sorting_of(*each) for each in pair["sortings"])
    answer = {
        "counts": tools.make_match_count_matrix(one, two, 12).values.tolist(),
        "symmetric": tools.make_match_count_matrix(one, two, 12, True).values.tolist(),
        "distance": np.nan_to_num(
            tools.calculate_agreement_scores_with_distance(one, two, 12).values
        ).tolist(),
    }
    trains = [each.get_unit_spike_train(each.unit_ids[0], 0) for each in (one, two)]
    answer["events"] = tools.count_matching_events(*trains, 12)
    answer["labels"] = [x.tolist() for x in tools.compare_spike_trains(*trains)]
    symmetric = sc.compare_two_sorters(one, two, match_score=0.4)
    answer["two"] = {
        "scores": table(symmetric.agreement_scores),
        "ordered": table(symmetric.get_ordered_agreement_scores()),
        "hungarian": [series(m) for m in symmetric.get_matching()],
        "best": [series(symmetric.best_match_12), series(symmetric.best_match_21)],
        "possible": {str(u): [str(i) for i in m] for u, m in symmetric.possible_match_12.items()},
    }
    answer["truth"] = []
    for options in pair["options"]:
        truth = sc.compare_sorter_to_ground_truth(one, two, exhaustive_gt=True, **options)
        answer["truth"].append({
            "scores": table(truth.agreement_scores),
            "raw": table(truth.get_performance("raw_count").drop(columns="tested_id")),
            "tested": [str(i) for i in truth.count_score["tested_id"]],
            "by_unit": table(truth.get_performance()),
            "average": truth.get_performance("pooled_with_average", "dict"),
            "kinds": [
                [str(u) for u in units] for units in (
                    truth.get_well_detected_units(), truth.get_false_positive_units(),
                    truth.get_redundant_units(), truth.get_overmerged_units(),
                    truth.get_bad_units(),
                )
            ],
            "categories": {k: int(v) for k, v in truth.count_units_categories().items()},
        })
    answers.append(answer)
several = [sorting_of(*each) for each in given["several"]]
multi = sc.compare_multiple_sorters(several, match_score=0.4, n_jobs=1)
agreed = multi.get_agreement_sorting(2)
vector = agreed.to_spike_vector()
of_multi = {
    "units": [
        [unit["avg_agreement"], {n: str(u) for n, u in unit["unit_ids"].items()},
         unit["agreement_number"]]
        for unit in multi.units.values()
    ],
    "agreed": [vector[name].tolist() for name in ("sample_index", "unit_index", "segment_index")],
    "ids": agreed.unit_ids.tolist(),
}
one, two = (sorting_of(*each) for each in given["collisions"])
truth = sc.compare_sorter_to_ground_truth(one, two)
of_spikes = {
    "confusion": table(truth.get_confusion_matrix()),
    "labels1": [truth.get_labels1(u)[0].tolist() for u in one.unit_ids],
    "labels2": [truth.get_labels2(u)[0].tolist() for u in two.unit_ids],
}
collisions = sc.CollisionGTComparison(
    one, two, collision_lag=3.0, nbins=5, progress_bar=False, match_score=0.3
)
similarity = np.array(given["similarity"])
of_collisions = [
    collisions.all_tp.tolist(), collisions.all_fn.tolist(),
    [np.nan_to_num(x, nan=-1).tolist() if x.dtype.kind == "f" else x.tolist()
     for x in collisions.compute_collision_by_similarity(similarity)],
]
answer = {
    "pairs": answers, "multi": of_multi, "collisions": of_collisions, "spikes": of_spikes
}
json.dump(answer, open(sys.argv[2], "w"), default=float)
"""

HUNGARIAN_AND_BEST = [
    {"match_score": 0.3, "match_mode": "hungarian"},
    {"match_score": 0.3, "match_mode": "best", "delta_time": 1.0},
]


def plain(segments):
    return [[np.asarray(train).tolist() for train in units] for units in segments]


def crowded(rng, n_units):
    """Return two segments in which any two units have coincidences and many spikes are bursts."""
    sizes = rng.integers(0, 150, (2, n_units))
    return [[np.sort(rng.integers(0, 8000, n)) for n in of_segment] for of_segment in sizes]


def make_question():
    rng = np.random.default_rng(11)
    truth = true_segments(rng)
    names = [f"t{k}" for k in range(8)]
    tested = sorted_segments(rng, truth)
    # Without the empty unit, whose spikes SpikeInterface fails to label.
    one_segment = [units[:-1] for units in true_segments(rng, n_segments=1)]
    # No two spikes at one sample, whose order SpikeInterface leaves to chance.
    two = [[np.unique(t) * 2 + k % 2 for k, t in enumerate(units)] for units in crowded(rng, 6)]
    pairs = [
        ([truth, list(range(8))], [tested, [10, 11, 12, 13, 14, 15, 16, 17]]),
        ([truth, names], [tested, [f"s{k}" for k in range(8)]]),
        ([crowded(rng, 5), [4, 3, 9, 1, 0]], [crowded(rng, 7), list(range(7))]),
        ([two, list(range(6))], [two[::-1], list(range(6))]),
    ]
    return {
        "fs": FS,
        "pairs": [
            {
                "sortings": [[plain(segments), ids] for segments, ids in (one, two)],
                "options": HUNGARIAN_AND_BEST,
            }
            for one, two in pairs
        ],
        "several": [
            [plain(truth), list(range(8))],
            [plain(tested), [f"s{k}" for k in range(8)]],
            [plain(sorted_segments(rng, truth)), list(range(20, 28))],
        ],
        "collisions": [
            [plain(one_segment), list(range(7))],
            [plain(sorted_segments(rng, one_segment)), list(range(8))],
        ],
        "similarity": rng.random((7, 7)).tolist(),
    }


@pytest.fixture(scope="module")
def question():
    return make_question()


@pytest.fixture(scope="module")
def answer(question, peer_python, tmp_path_factory):
    has_all = subprocess.run([peer_python, "-W", "ignore", "-c", NEEDS], capture_output=True)
    if has_all.returncode:
        absent(f"The environment of peers lacks a package: {has_all.stderr.decode()[-80:]}")
    folder = tmp_path_factory.mktemp("peer")
    (folder / "question.json").write_text(json.dumps(question))
    done = subprocess.run(
        [peer_python, "-W", "ignore", "-c", ASK, folder / "question.json", folder / "answer.json"],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "answer.json").read_text())


@pytest.fixture(scope="module", params=range(4), ids=["generated", "names", "crowded", "bursts"])
def compared(request, question, answer):
    """Return two sortings and what SpikeInterface says of them."""
    pair = question["pairs"][request.param]
    return [sorting_of(*each) for each in pair["sortings"]], answer["pairs"][request.param]


def table(frame):
    return [list(map(str, frame.index)), list(map(str, frame.columns)), frame.to_numpy().tolist()]


def series(match):
    return [list(map(str, match.index)), [str(value) for value in match]]


def test_coincidences_are_counted_alike(compared):
    (one, two), expected = compared
    assert make_match_count_matrix(one, two, 12).to_numpy().tolist() == expected["counts"]
    symmetric = make_match_count_matrix(one, two, 12, ensure_symmetry=True).to_numpy()
    # SpikeInterface bounds the count by the spikes of the second unit only.
    bound = one.count_num_spikes_per_unit("array")[:, np.newaxis]
    assert symmetric.tolist() == np.minimum(expected["symmetric"], bound).tolist()
    scores = calculate_agreement_scores_with_distance(one, two, 12).to_numpy()
    np.testing.assert_allclose(scores, expected["distance"], rtol=1e-9, atol=1e-12)


def test_two_trains_are_compared_alike(compared):
    sortings, expected = compared
    trains = [each.get_unit_spike_train(each.unit_ids[0], 0) for each in sortings]
    assert count_matching_events(*trains, 12) == expected["events"]
    assert [x.tolist() for x in compare_spike_trains(*trains)] == expected["labels"]


def test_two_sorters_are_compared_alike(compared):
    (one, two), answer = compared
    comparison, expected = compare_two_sorters(one, two, match_score=0.4), answer["two"]
    assert table(comparison.agreement_scores) == expected["scores"]
    assert [series(match) for match in comparison.get_matching()] == expected["hungarian"]
    best = [series(comparison.best_match_12), series(comparison.best_match_21)]
    assert best == expected["best"]
    possible = comparison.possible_match_12
    assert {str(u): list(map(str, m)) for u, m in possible.items()} == expected["possible"]
    ordered = comparison.get_ordered_agreement_scores().to_numpy()
    # Units that agree with none are in no particular order.
    assert ordered.max(axis=1).tolist() == np.max(expected["ordered"][2], axis=1).tolist()


@pytest.mark.parametrize("k", range(len(HUNGARIAN_AND_BEST)))
def test_a_sorter_is_compared_with_the_truth_alike(compared, k):
    (one, two), answer = compared
    expected = answer["truth"][k]
    ours = compare_sorter_to_ground_truth(one, two, exhaustive_gt=True, **HUNGARIAN_AND_BEST[k])
    assert table(ours.agreement_scores) == expected["scores"]
    raw = ours.get_performance("raw_count")
    assert table(raw.drop(columns="tested_id")) == expected["raw"]
    assert [str(unit) for unit in raw["tested_id"]] == expected["tested"]
    assert table(ours.get_performance()) == expected["by_unit"]
    average = ours.get_performance("pooled_with_average", "dict")
    assert average == pytest.approx(expected["average"], rel=1e-12)
    kinds = (
        ours.get_well_detected_units(),
        ours.get_false_positive_units(),
        ours.get_redundant_units(),
        ours.get_overmerged_units(),
        ours.get_bad_units(),
    )
    assert [list(map(str, units)) for units in kinds] == expected["kinds"]
    assert ours.count_units_categories().to_dict() == expected["categories"]


def test_spikes_are_labelled_alike(question, answer):
    # In one segment: SpikeInterface fails where there are several.
    one, two = (sorting_of(*each) for each in question["collisions"])
    expected = answer["spikes"]
    ours = compare_sorter_to_ground_truth(one, two)
    assert table(ours.get_confusion_matrix()) == expected["confusion"]
    for get, sorting, name in (
        (ours.get_labels1, one, "labels1"),
        (ours.get_labels2, two, "labels2"),
    ):
        assert [get(unit)[0].tolist() for unit in sorting.unit_ids.tolist()] == expected[name]


def test_several_sorters_agree_alike(question, answer):
    sortings = [sorting_of(*each) for each in question["several"]]
    ours, expected = compare_multiple_sorters(sortings, match_score=0.4), answer["multi"]
    units = ours.units.values()
    assert [unit["agreement_number"] for unit in units] == [one[2] for one in expected["units"]]
    ids = [{name: str(u) for name, u in unit["unit_ids"].items()} for unit in units]
    assert ids == [one[1] for one in expected["units"]]
    averages = [unit["avg_agreement"] for unit in units]
    np.testing.assert_allclose(averages, [one[0] for one in expected["units"]], rtol=1e-12)
    agreed = ours.get_agreement_sorting(2)
    assert agreed.unit_ids.tolist() == expected["ids"]


def test_collisions_are_counted_alike(question, answer):
    one, two = (sorting_of(*each) for each in question["collisions"])
    ours = CollisionGTComparison(one, two, collision_lag=3.0, nbins=5, match_score=0.3)
    tp, fn, (similarities, recall, names) = answer["collisions"]
    assert ours.all_tp.tolist() == tp
    assert ours.all_fn.tolist() == fn
    by_similarity = ours.compute_collision_by_similarity(question["similarity"])
    np.testing.assert_array_equal(np.unique(by_similarity[0]), np.unique(similarities))
    # The two directions of a pair are equally similar: in either order.
    of_ours = dict(zip(by_similarity[2].tolist(), by_similarity[1].tolist(), strict=True))
    of_theirs = dict(zip(names, recall, strict=True))
    assert of_ours.keys() == of_theirs.keys()
    for pair, values in of_theirs.items():
        np.testing.assert_array_equal(np.nan_to_num(of_ours[pair], nan=-1), values)
