"""Sortings to be compared: random ones, and such that a sorter might have made of a truth."""

import numpy as np
from hypothesis import strategies as st

from spikeloom.core.numpy_sorting import NumpySorting

FS = 30_000.0
DELTA = 12
"""Samples in the 0.4 ms that comparisons allow by default."""

# Crowded on purpose: bursts, doublets at one sample, and units without spikes.
trains = st.lists(st.integers(0, 300), max_size=12).map(sorted)


def segment_lists(n_segments):
    """Return a strategy for the trains of up to four units in each segment."""
    return st.integers(0, 4).flatmap(
        lambda n_units: st.lists(
            st.lists(trains, min_size=n_units, max_size=n_units),
            min_size=n_segments,
            max_size=n_segments,
        )
    )


pairs_of_segment_lists = st.integers(1, 2).flatmap(
    lambda n: st.tuples(segment_lists(n), segment_lists(n))
)


def sorting_of(segments, unit_ids=None, fs=FS):
    """Return a sorting of lists of trains, one list for each segment."""
    n_units = len(segments[0])
    ids = np.arange(n_units) if unit_ids is None else np.asarray(unit_ids)
    spikes = [
        (sample, unit, segment)
        for segment, units in enumerate(segments)
        for sample, unit in sorted((s, k) for k, train in enumerate(units) for s in train)
    ]
    dtype = [("sample_index", "i8"), ("unit_index", "i8"), ("segment_index", "i8")]
    return NumpySorting(np.array(spikes, dtype), fs, ids, num_segments=len(segments))


def trains_of(sorting):
    """Return the trains of all units, for each segment."""
    return [
        [sorting.get_unit_spike_train(unit_id, k) for unit_id in sorting.unit_ids.tolist()]
        for k in range(sorting.get_num_segments())
    ]


def true_segments(rng, *, n_units=8, n_segments=2, n_samples=300_000, refractory=90):
    """Return trains with a refractory period, one of them empty."""
    segments = [
        [
            np.cumsum(rng.exponential(2000, 2 * n_samples // 2000).astype(np.int64) + refractory)
            for _ in range(n_units)
        ]
        for _ in range(n_segments)
    ]
    for units in segments:
        units[-1] = units[-1][:0]
    return [[train[train < n_samples] for train in units] for units in segments]


def sorted_segments(rng, segments):
    """Return what a sorter makes of them: jitter, losses, false spikes, a merge, a split, noise."""
    found = []
    for units in segments:
        kept = [train[rng.random(train.size) < 0.9] for train in units]
        kept = [train + rng.integers(-3, 4, train.size) for train in kept]
        is_first = rng.random(kept[3].size) < 0.65
        extra = np.sort(rng.integers(0, 300_000, 200))
        half = rng.random(kept[0].size) < 0.5
        found.append([
            np.sort(np.concatenate((kept[1], kept[2]))),  # two units merged
            kept[3][is_first],
            kept[3][~is_first],  # one unit split
            np.sort(np.concatenate((kept[0], extra[::4]))),
            kept[0][half],  # a unit that is there already
            kept[5],
            extra,  # no unit at all
            kept[4][:0],
        ])
    return found
