import numpy as np
from hypothesis import given, strategies as st

from reference import spike_order as twin
from spikeloom.kernels.spike_order import (
    count_labels,
    fill_order,
    fill_spikes,
    fill_trains,
    keep_labels,
    merge_sorted,
    merge_sorted_labels,
)

labels_lists = st.lists(st.integers(0, 9), max_size=60)
runs_lists = st.lists(st.lists(st.integers(0, 50), max_size=15).map(sorted), max_size=6)


@given(labels_lists)
def test_labels_are_counted(labels):
    counts = np.zeros(10, np.int64)
    count_labels(np.array(labels, np.int32), counts)
    assert counts.tolist() == twin.count_labels(labels, 10)


@given(labels_lists)
def test_each_label_gets_its_spikes_in_time_order(labels):
    counts = np.bincount(np.array(labels, np.int64), minlength=10)
    next_slot = np.concatenate(([0], np.cumsum(counts)))[:-1]
    order = np.full(len(labels), -1, np.int32)
    fill_order(np.array(labels, np.int32), next_slot, order)
    assert order.tolist() == twin.order_by_label(labels, 10)
    assert next_slot.tolist() == np.cumsum(counts).tolist()


@given(runs_lists)
def test_sorted_runs_are_merged_and_equal_values_keep_the_order_of_their_runs(runs):
    values = np.array([value for run in runs for value in run], np.int64)
    starts = np.concatenate(([0], np.cumsum([len(run) for run in runs]))).astype(np.int64)
    merged, labelled = np.full_like(values, -1), np.full_like(values, -1)
    run_of = np.full(values.size, -1, np.int32)
    merge_sorted(values, starts, merged)
    merge_sorted_labels(values, starts, labelled, run_of)
    expected = twin.merge_runs(runs)
    assert merged.tolist() == labelled.tolist() == [value for value, _ in expected]
    assert run_of.tolist() == [run for _, run in expected]


def starts_of(labels):
    counts = np.bincount(np.array(labels, np.int64), minlength=10)
    return np.concatenate(([0], np.cumsum(counts)))[:-1]


@given(labels_lists, st.integers(0, 5))
def test_spikes_are_grouped_block_by_block(labels, n_first):
    next_slot = starts_of(labels)
    order = np.full(len(labels), -1)
    fill_spikes(np.array(labels[:n_first], np.int32), 0, next_slot, order)
    fill_spikes(np.array(labels[n_first:], np.int32), len(labels[:n_first]), next_slot, order)
    assert order.tolist() == twin.order_by_label(labels, 10)


@given(labels_lists)
def test_trains_are_the_samples_of_the_spikes_in_order_of_labels(labels):
    samples = np.arange(len(labels)) * 3 - 7
    trains = np.full(len(labels), -1)
    fill_trains(np.array(labels, np.int32), samples, starts_of(labels), trains)
    assert trains.tolist() == [samples[i] for i in twin.order_by_label(labels, 10)]


@given(labels_lists, st.lists(st.integers(-1, 3), min_size=10, max_size=10))
def test_spikes_of_negative_labels_are_left_out(labels, new_label):
    samples = np.arange(len(labels)) * 3 - 7
    expected = twin.keep_labels(labels, samples.tolist(), new_label)
    kept_samples = np.zeros(len(expected) + 1, np.int64)
    kept_labels = np.zeros(len(expected) + 1, np.int32)
    n_kept = keep_labels(
        np.array(labels, np.int32),
        samples,
        np.array(new_label, np.int32),
        kept_samples,
        kept_labels,
    )
    kept = zip(kept_samples[:n_kept].tolist(), kept_labels[:n_kept].tolist(), strict=True)
    assert list(kept) == expected
