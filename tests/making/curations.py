"""Curations, and sortings to apply them to."""

import numpy as np

from spikeloom.core.numpy_sorting import NumpySorting

FS = 10_000.0
DEFINITIONS = {
    "quality": {"label_options": ["good", "noise", "MUA"], "exclusive": True},
    "putative_type": {"label_options": ["excitatory", "pyramidal"], "exclusive": False},
}


def make_sorting(unit_ids=(1, 2, 3, 6, 10, 14), n_spikes=30, seed=0):
    rng = np.random.default_rng(seed)
    dicts = [
        {u: np.sort(rng.choice(5000, n_spikes, replace=False)) for u in unit_ids} for _ in range(2)
    ]
    return NumpySorting.from_unit_dict(dicts, FS)


def curation_v1(unit_ids=(1, 2, 3, 6, 10, 14)):
    a, b, c, d, e, f = unit_ids
    return {
        "format_version": "1",
        "unit_ids": [a, b, c, d, e, f],
        "label_definitions": DEFINITIONS,
        "manual_labels": [
            {"unit_id": a, "quality": ["good"]},
            {"unit_id": b, "quality": ["good"], "putative_type": ["excitatory", "pyramidal"]},
            {"unit_id": c, "putative_type": ["excitatory"]},
        ],
        "merge_unit_groups": [[a, b]],
        "removed_units": [d],
    }


def curation_v2(unit_ids=(1, 2, 3, 6, 10, 14)):
    a, b, c, d, e, f = unit_ids
    return {
        "format_version": "2",
        "unit_ids": [a, b, c, d, e, f],
        "label_definitions": DEFINITIONS,
        "manual_labels": [
            {"unit_id": a, "labels": {"quality": ["good"]}},
            {"unit_id": b, "labels": {"quality": ["noise"], "putative_type": ["excitatory"]}},
            {"unit_id": f, "labels": {"quality": ["MUA"]}},
        ],
        "merges": [{"unit_ids": [a, b]}, {"unit_ids": [e, c]}],
        "splits": [{"unit_id": f, "mode": "indices", "indices": [[0, 5, 7], [1, 2, 59]]}],
        "removed": [d],
    }


SORTINGVIEW = {
    "mergeGroups": [["2", "10"], ["3", "1"]],
    "labelsByUnit": {"1": ["accept"], "6": ["artifact", "accept"], "14": ["artifact"]},
}


def trains_of(sorting):
    return {
        u: [sorting.get_unit_spike_train(u, segment_index=k).tolist() for k in range(2)]
        for u in sorting.unit_ids.tolist()
    }
