"""Group spikes by label in one linear pass (a counting sort), and merge sorted spike lists."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def count_labels(labels: NDArray[np.integer], counts: NDArray[np.int64]) -> None:
    """Count each label into `counts` (n_labels,); labels lie in ``[0, n_labels)``."""
    for i in range(labels.size):
        counts[labels[i]] += 1


@kernel
def fill_order(
    labels: NDArray[np.integer], next_slot: NDArray[np.int64], order: NDArray[np.integer]
) -> None:
    """Write the index of every spike into the range of its label, keeping spike order.

    `next_slot` (n_labels,) starts as the first position of each label's range in `order`
    (n_spikes,) and is advanced. Stable, so each range of `order` increases.
    """
    for i in range(labels.size):
        label = labels[i]
        order[next_slot[label]] = i
        next_slot[label] += 1


@kernel
def merge_sorted(
    values: NDArray[np.integer], starts: NDArray[np.int64], merged: NDArray[np.integer]
) -> None:
    """Merge the sorted runs ``values[starts[k]:starts[k + 1]]`` into `merged` (n_values,).

    A linear scan over the run heads: few clusters are merged at a time, and for up to tens of
    runs this beats a heap. Equal values keep the order of their runs.
    """
    n_runs = starts.size - 1
    head = starts[:-1].copy()
    for i in range(values.size):
        best = -1
        for k in range(n_runs):
            if head[k] < starts[k + 1] and (best < 0 or values[head[k]] < values[head[best]]):
                best = k
        merged[i] = values[head[best]]
        head[best] += 1


@kernel
def merge_sorted_labels(
    values: NDArray[np.integer],
    starts: NDArray[np.int64],
    merged: NDArray[np.integer],
    run_of: NDArray[np.int32],
) -> None:
    """Like `merge_sorted`, and write the run each value came from into `run_of` (n_values,)."""
    n_runs = starts.size - 1
    head = starts[:-1].copy()
    for i in range(values.size):
        best = -1
        for k in range(n_runs):
            if head[k] < starts[k + 1] and (best < 0 or values[head[k]] < values[head[best]]):
                best = k
        merged[i] = values[head[best]]
        run_of[i] = best
        head[best] += 1


@kernel
def fill_spikes(
    labels: NDArray[np.int32],
    first: int,
    next_slot: NDArray[np.int64],
    order: NDArray[np.int64],
) -> None:
    """Like `fill_order`, for a block of the spikes, of which the first is spike number `first`."""
    for i in range(labels.size):
        label = labels[i]
        order[next_slot[label]] = first + i
        next_slot[label] += 1


@kernel
def fill_trains(
    labels: NDArray[np.int32],
    samples: NDArray[np.int64],
    next_slot: NDArray[np.int64],
    trains: NDArray[np.int64],
) -> None:
    """Like `fill_spikes`, but write the spikes' samples instead of their numbers."""
    for i in range(labels.size):
        label = labels[i]
        trains[next_slot[label]] = samples[i]
        next_slot[label] += 1


@kernel
def keep_labels(
    labels: NDArray[np.int32],
    samples: NDArray[np.int64],
    new_label: NDArray[np.int32],
    kept_samples: NDArray[np.int64],
    kept_labels: NDArray[np.int32],
) -> int:
    """Relabel a block of spikes and keep those whose new label is not negative; return how many.

    `new_label` has one number for each old label. The outputs have one place more than spikes
    are kept: every spike is written, and only a kept one moves the place on, which spares the
    processor a branch that it cannot foresee.
    """
    n_kept = 0
    for i in range(labels.size):
        label = new_label[labels[i]]
        kept_samples[n_kept] = samples[i]
        kept_labels[n_kept] = label
        n_kept += label >= 0
    return n_kept
