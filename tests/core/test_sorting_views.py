"""Views of views of sortings are what the same steps make of plain dictionaries."""

import json
import pickle
from itertools import pairwise

import numpy as np
from hypothesis import given, settings, strategies as st

from making.sortings import N_SAMPLES, dicts_of, recording_of, rows_of, segments_lists, sorting_of
from spikeloom.core.base import BaseExtractor
from spikeloom.core.excess_spikes import RemoveExcessSpikesSorting
from spikeloom.core.numpy_folder_sorting import NumpyFolderSorting, write_numpy_folder
from spikeloom.core.sorting_segments import append_sortings, concatenate_sortings, split_sorting
from spikeloom.core.sorting_slices import select_sorting_periods
from spikeloom.core.spike_vector import base_period_dtype
from spikeloom.core.unit_aggregation import aggregate_units
from spikeloom.storage.provenance_json import encode_json


def select_units(draw, sorting, dicts):
    units = draw(st.permutations(sorting.unit_ids.tolist()))
    units = units[: draw(st.integers(0, len(units)))]
    new = [f"{unit}'" for unit in units]
    selected = sorting.select_units(units, renamed_unit_ids=new)
    picked = [{n: d[u] for n, u in zip(new, units, strict=True)} for d in dicts]
    return selected, picked


def rename_units(draw, sorting, dicts):
    new = [f"r{k}" for k in range(sorting.get_num_units())]
    return sorting.rename_units(new), [
        dict(zip(new, units.values(), strict=True)) for units in dicts
    ]


def remove_units(draw, sorting, dicts):
    gone = draw(st.sets(st.sampled_from(sorting.unit_ids.tolist()))) if len(dicts[0]) else set()
    return sorting.remove_units(sorted(gone)), [
        {u: train for u, train in units.items() if u not in gone} for units in dicts
    ]


def select_segments(draw, sorting, dicts):
    which = draw(st.lists(st.integers(0, len(dicts) - 1), min_size=1, max_size=3))
    return sorting.select_segments(which), [dicts[k] for k in which]


def slice_frames(draw, sorting, dicts):
    k = draw(st.integers(0, len(dicts) - 1))
    start = draw(st.integers(0, 30))
    end = draw(st.none() | st.integers(start, 70))
    sliced = sorting.select_segments(k).frame_slice(start, end)
    limit = 10**9 if end is None else end
    return sliced, [
        {u: [t - start for t in train if start <= t < limit] for u, train in dicts[k].items()}
    ]


def append(draw, sorting, dicts):
    which = draw(st.lists(st.integers(0, len(dicts) - 1), min_size=1, max_size=2))
    others = [sorting.select_segments([k]) for k in which]
    return append_sortings([sorting, *others]), [*dicts, *[dicts[k] for k in which]]


def concatenate(draw, sorting, dicts):
    lengths = [
        max([0, *(t + 1 for train in units.values() for t in train)]) + draw(st.integers(0, 5))
        for units in dicts
    ]
    parts = [sorting.select_segments(k) for k in range(len(dicts))]
    firsts = np.cumsum([0, *lengths])
    joined = {
        unit: [t + int(first) for d, first in zip(dicts, firsts, strict=False) for t in d[unit]]
        for unit in dicts[0]
    }
    return concatenate_sortings(parts, lengths), [joined]


def split(draw, sorting, dicts):
    k = draw(st.integers(0, len(dicts) - 1))
    lengths = draw(st.lists(st.integers(0, 40), min_size=1, max_size=4))
    cuts = np.cumsum([0, *lengths]).tolist()
    parts = [
        {u: [t - low for t in train if low <= t < high] for u, train in dicts[k].items()}
        for low, high in pairwise(cuts)
    ]
    result = split_sorting(sorting.select_segments(k), [recording_of(lengths)])
    result = result.to_numpy_sorting()
    result._recording = None  # so that steps behind this one may go beyond its end
    return result, parts


def aggregate(draw, sorting, dicts):
    n_units = sorting.get_num_units()
    both = aggregate_units([sorting, sorting])  # ids are there twice: they are numbered
    joined = [[*units.values(), *units.values()] for units in dicts]
    ids = [str(k) for k in range(2 * n_units)]
    return both, [dict(zip(ids, trains, strict=True)) for trains in joined]


def remove_excess(draw, sorting, dicts):
    lengths = [draw(st.integers(0, 70)) for _ in dicts]
    kept = RemoveExcessSpikesSorting(sorting, recording_of(lengths))
    return kept, [
        {u: [t for t in train if t < n] for u, train in units.items()}
        for units, n in zip(dicts, lengths, strict=True)
    ]


def select_periods(draw, sorting, dicts):
    bounds = st.tuples(st.integers(0, len(dicts) - 1), st.integers(0, 70), st.integers(0, 70))
    rows = draw(st.lists(bounds, max_size=4))
    selected = select_sorting_periods(sorting, np.array(rows, base_period_dtype))
    return selected, [
        {
            u: [t for t in train if any(s == k and low <= t < high for s, low, high in rows)]
            for u, train in units.items()
        }
        for k, units in enumerate(dicts)
    ]


def gather(draw, sorting, dicts):
    sorting.precompute_spike_trains()
    return sorting, dicts


def copy(draw, sorting, dicts):
    how = draw(st.integers(0, 3))
    if how == 0:
        return sorting.clone(), dicts
    if how == 1:
        return pickle.loads(pickle.dumps(sorting)), dicts
    return (sorting.to_numpy_sorting() if how == 2 else sorting.to_shared_memory_sorting()), dicts


STEPS = (
    *(select_units, rename_units, remove_units, select_segments, slice_frames, append),
    *(concatenate, split, aggregate, remove_excess, select_periods, gather, copy),
)


@settings(max_examples=200)
@given(segments_lists, st.lists(st.sampled_from(STEPS), max_size=5), st.data())
def test_any_chain_of_views(dicts, steps, data):
    sorting = sorting_of(dicts)
    for step in steps:
        if max(map(len, dicts)) <= 16:
            sorting, dicts = step(data.draw, sorting, dicts)
    if data.draw(st.booleans()):  # by way of the vector first, or by way of the trains
        assert sorting.to_spike_vector().tolist() == rows_of(dicts)
    assert dicts_of(sorting) == dicts
    assert sorting.get_num_segments() == len(dicts)
    assert sorting.to_spike_vector().tolist() == rows_of(dicts)
    counts = [sum(map(len, each)) for each in zip(*(d.values() for d in dicts), strict=True)]
    assert sorting.count_num_spikes_per_unit("array").tolist() == counts
    by_unit = sorting.to_reordered_spike_vector(return_order=False, return_slices=False)
    assert by_unit["sample_index"].tolist() == [
        t
        for each in zip(*(d.values() for d in dicts), strict=True)
        for train in each
        for t in train
    ]


VIEWS = (
    *(select_units, rename_units, remove_units, select_segments, slice_frames, append),
    *(concatenate, aggregate),
)


@settings(max_examples=50)
@given(segments_lists, st.lists(st.sampled_from(VIEWS), min_size=1, max_size=4), st.data())
def test_any_chain_of_views_goes_through_json(tmp_path_factory, dicts, steps, data):
    source = sorting_of(dicts)
    folder = tmp_path_factory.mktemp("views")
    write_numpy_folder(source, folder)
    sorting = NumpyFolderSorting(folder)
    for step in steps:
        if max(map(len, dicts)) <= 16:
            sorting, dicts = step(data.draw, sorting, dicts)
    description = json.loads(encode_json(sorting.to_dict(recursive=True)))
    restored = BaseExtractor.from_dict(description)
    assert dicts_of(restored) == dicts
    assert restored.unit_ids.tolist() == sorting.unit_ids.tolist()
    assert sorting.check_serializability("json")


def test_nothing_is_computed_before_it_is_asked_for():
    asked = []

    class Counted(type(sorting_of([{"a": [1]}]))):
        def _make_spike_table(self):
            asked.append(1)
            return super()._make_spike_table()

    dicts = [{"a": [1, 5], "b": [2]}]
    sorting = Counted.from_unit_dict(dicts, 1000.0)
    view = append_sortings([sorting.select_units(["b", "a"]).frame_slice(1, None)]).select_segments(
        0
    )
    view = aggregate_units([view, view]).rename_units([4, 3, 2, 1])
    view = RemoveExcessSpikesSorting(view, recording_of([N_SAMPLES]))
    view.clone()
    assert view.unit_ids.tolist() == [4, 3, 2, 1]
    assert asked == []
    assert view.get_unit_spike_train(3).tolist() == [0, 4]
    assert asked == [1]


def test_views_share_what_is_the_same():
    sorting = sorting_of([{"a": [1, 5], "b": [2]}, {"a": [3], "b": []}])
    renamed = sorting.rename_units(["c", "d"]).select_segments([0, 1])
    assert renamed.to_spike_vector() is sorting.to_spike_vector()
    picked = sorting.select_units(["b"]).select_segments(0)
    samples = sorting.get_unit_spike_train("b", 0)
    assert np.shares_memory(picked.get_unit_spike_train("b"), samples)
