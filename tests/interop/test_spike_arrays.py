"""Spikes in order, random choices, merges and splits are those that SpikeInterface gives."""

import json
import subprocess

import numpy as np
import pytest

from spikeloom.core.random_spikes import random_spike_indices
from spikeloom.core.spike_building import table_from_unit_dicts
from spikeloom.core.spike_selection import (
    cast_periods_to_unit_period_dtype,
    remap_unit_indices_in_vector,
    spikes_in_periods,
)
from spikeloom.core.spike_trains import group_by_unit
from spikeloom.core.unit_changes import merge_units, split_units

pytestmark = pytest.mark.peer

ASK = """
import json, sys
import numpy as np
import spikeinterface as si
from spikeinterface.core.sorting_tools import (
    apply_merges_to_sorting, apply_splits_to_sorting, random_spikes_selection,
    remap_unit_indices_in_vector, select_sorting_periods,
)

given = json.load(open(sys.argv[1]))
dicts = [{int(k): np.array(v, "i8") for k, v in d.items()} for d in given["dicts"]]
sorting = si.NumpySorting.from_unit_dict(dicts, given["fs"])
vector = sorting.to_spike_vector()
answer = {"vector": vector.tolist(), "unit_ids": sorting.unit_ids.tolist()}
answer["random"] = [
    random_spikes_selection(sorting, **choice).tolist() for choice in given["random"]
]
for lexsort, name in (
    (("sample_index", "segment_index", "unit_index"), "by_unit"),
    (("sample_index", "unit_index", "segment_index"), "by_segment"),
):
    _, order, slices = sorting.to_reordered_spike_vector(lexsort)
    answer[name] = [order.tolist(), slices.tolist()]
answer["merges"] = []
for groups, options in given["merges"]:
    merged, mask, ids = apply_merges_to_sorting(sorting, groups, return_extra=True, **options)
    answer["merges"].append(
        [merged.to_spike_vector().tolist(), merged.unit_ids.tolist(), mask.tolist(),
         np.array(ids).tolist()]
    )
splits = {int(k): v for k, v in given["splits"].items()}
split, ids = apply_splits_to_sorting(sorting, splits, return_extra=True)
answer["splits"] = [
    split.to_spike_vector().tolist(), split.unit_ids.tolist(), [np.array(i).tolist() for i in ids]
]
selected = select_sorting_periods(sorting, np.array(given["periods"]))
answer["periods"] = selected.to_spike_vector().tolist()
remapped, mask = remap_unit_indices_in_vector(vector, sorting.unit_ids, *given["remap"])
answer["remap"] = [remapped.tolist(), mask.tolist()]
json.dump(answer, open(sys.argv[2], "w"))
"""

FS, N_SAMPLES = 1000.0, [6000, 6000]


def make_question():
    rng = np.random.default_rng(3)
    n_spikes = {4: 300, 0: 0, 7: 40, 2: 900}
    dicts = [
        {unit: np.sort(rng.integers(0, 6000, n)).tolist() for unit, n in n_spikes.items()}
        for _ in range(2)
    ]
    parts = rng.integers(0, 3, 600)
    segments = rng.integers(0, 2, 30)
    starts = rng.integers(0, 6000, 30)
    units = rng.integers(0, 4, 30)
    margins = {"margin_size": 700, "num_samples": N_SAMPLES}
    return {
        "fs": FS,
        "dicts": dicts,
        "random": [
            {"seed": 0},
            {"seed": 1, "max_spikes_per_unit": 20},
            {"seed": 2, "max_spikes_per_unit": 20, **margins},
            {"seed": 3, "method": "percentage", "percentage": 0.33},
            {"seed": 3, "method": "all"},
        ],
        "merges": [
            [[[4, 2]], {}],
            [[[4, 7]], {"new_id_strategy": "take_first"}],
            [[[2, 7]], {"new_unit_ids": [50], "censor_ms": 6.0}],
            [[[2, 7], [0, 4]], {"censor_ms": 1.0}],
        ],
        "splits": {"4": [np.flatnonzero(parts == part).tolist() for part in range(3)]},
        "periods": np.stack([segments, starts, starts + 400, units], axis=1).tolist(),
        "remap": [[2, 9, 4], [2, 7]],
    }


@pytest.fixture(scope="module")
def question():
    return make_question()


@pytest.fixture(scope="module")
def answer(question, peer_python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("peer")
    (folder / "question.json").write_text(json.dumps(question))
    done = subprocess.run(
        [peer_python, "-W", "ignore", "-c", ASK, folder / "question.json", folder / "answer.json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "answer.json").read_text())


@pytest.fixture(scope="module")
def ours(question):
    return table_from_unit_dicts([
        {int(unit): train for unit, train in units.items()} for units in question["dicts"]
    ])


def rows_of(table):
    return [list(row) for row in table.to_spike_vector().tolist()]


def test_the_spike_vector_is_the_same(ours, answer):
    table, unit_ids = ours
    assert unit_ids.tolist() == answer["unit_ids"]
    assert rows_of(table) == answer["vector"]


def test_spikes_by_unit_are_the_same(ours, answer):
    for major, name in (("unit", "by_unit"), ("segment", "by_segment")):
        groups = group_by_unit(ours[0], 4, major=major)
        assert [groups.order.tolist(), groups.slices.tolist()] == answer[name]


def test_random_spikes_are_the_same(ours, question, answer):
    for choice, expected in zip(question["random"], answer["random"], strict=True):
        chosen = random_spike_indices(ours[0], 4, **choice)
        assert chosen.tolist() == expected


def test_merges_are_the_same(ours, question, answer):
    for (groups, options), expected in zip(question["merges"], answer["merges"], strict=True):
        given = dict(options)
        censor = given.pop("censor_ms", None)
        merged = merge_units(*ours, groups, censor_samples=censor, **given)  # at 1 kHz
        found = [rows_of(merged.table), merged.unit_ids.tolist(), merged.keep_mask.tolist()]
        assert [*found, merged.new_unit_ids] == expected


def test_splits_are_the_same(ours, question, answer):
    splits = {int(unit): parts for unit, parts in question["splits"].items()}
    split = split_units(*ours, splits)
    found = [rows_of(split.table), split.unit_ids.tolist(), split.new_unit_ids]
    assert found == answer["splits"]


def test_spikes_in_periods_are_the_same(ours, question, answer):
    periods = cast_periods_to_unit_period_dtype(question["periods"])
    table = ours[0]
    kept = table.to_spike_vector()[spikes_in_periods(table, periods, 4)]
    assert [list(row) for row in kept.tolist()] == answer["periods"]


def test_remapped_indices_are_the_same(ours, question, answer):
    table, unit_ids = ours
    vector, mask = remap_unit_indices_in_vector(
        table.to_spike_vector(), unit_ids, *question["remap"]
    )
    assert [[list(row) for row in vector.tolist()], mask.tolist()] == answer["remap"]
