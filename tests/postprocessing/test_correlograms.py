import numpy as np
import pytest
from hypothesis import given, strategies as st

import spikeloom.postprocessing as pp
from making import unit_analyzers as made
from reference import unit_lags as twin
from spikeloom.core.merging_units import apply_merges_to_sorting
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import ParameterError
from spikeloom.postprocessing import lag_counts
from spikeloom.postprocessing.lag_counts import LagBins, auto_counts, counts_of_units, cross_counts

RATE = 1000.0


@st.composite
def sortings(draw, n_units=3):
    """A sorting of one or two segments, with spikes at the same sample, and its columns."""
    segments = []
    for _ in range(draw(st.integers(1, 2))):
        steps = draw(st.lists(st.sampled_from([0, 0, 1, 2, 5, 30]), max_size=30))
        labels = draw(
            st.lists(st.integers(0, n_units - 1), min_size=len(steps), max_size=len(steps))
        )
        segments.append((np.cumsum(steps, dtype=np.int64), np.array(labels, np.int64)))
    samples, labels = zip(*segments, strict=True)
    sorting = NumpySorting.from_samples_and_labels(
        list(samples), list(labels), RATE, unit_ids=np.arange(n_units)
    )
    return sorting, segments


all_bins = st.tuples(st.integers(1, 4), st.integers(1, 5)).map(
    lambda pair: LagBins.of(2.0 * pair[0] * pair[1], float(pair[0]), RATE)
)


@given(sortings(), all_bins)
def test_all_ordered_pairs_are_counted(made_up, bins):
    sorting, segments = made_up
    expected = sum(
        twin.correlograms(samples, labels, 3, bins.bin_size, bins.n_half_bins)
        for samples, labels in segments
    )
    counts = cross_counts(sorting, bins)
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_array_equal(auto_counts(sorting, bins), expected[range(3), range(3)])
    some = np.array([2, 0])
    rows, columns = counts_of_units(sorting, some, bins)
    np.testing.assert_array_equal(rows, expected[some])
    np.testing.assert_array_equal(columns, expected[:, some])
    np.testing.assert_array_equal(auto_counts(sorting, bins, some), expected[some, some])


@given(sortings(), st.integers(1, 6))
def test_one_order_mirrors_the_other_but_for_edges(made_up, n_half_bins):
    sorting, _ = made_up
    # At bins of one sample all lags are edges: lag 0 stands at place n_half_bins.
    counts = cross_counts(sorting, LagBins.of(2.0 * n_half_bins, 1.0, RATE))
    inner = counts[:, :, 1:]
    np.testing.assert_array_equal(inner, inner.swapaxes(0, 1)[:, :, ::-1])


@given(sortings())
def test_a_window_over_everything_has_all_pairs(made_up):
    sorting, segments = made_up
    counts = cross_counts(sorting, LagBins.of(4000.0, 50.0, RATE))
    expected = np.zeros((3, 3), np.int64)
    for _, labels in segments:
        n = np.bincount(labels, minlength=3)
        expected += np.outer(n, n) - np.diag(n)
    np.testing.assert_array_equal(counts.sum(axis=2), expected)


@given(sortings(), all_bins, st.integers(1, 4))
def test_a_censored_merge_has_no_short_lags(made_up, bins, censor_samples):
    sorting, _ = made_up
    merged = apply_merges_to_sorting(sorting, [[0, 2]], censor_ms=censor_samples * 1e3 / RATE)
    fine = LagBins.of(40.0, 1.0, RATE)
    counts = auto_counts(merged, fine)[merged.id_to_index(3)]
    # The lag of spikes that are left is that of the censored period at least.
    assert counts[fine.n_half_bins : fine.n_half_bins + censor_samples].sum() == 0
    assert counts[fine.n_half_bins - censor_samples + 1 : fine.n_half_bins].sum() == 0


def test_blocks_of_units_make_no_difference(monkeypatch):
    sorting = NumpySorting.from_unit_dict(made.make_trains(), made.FS)
    bins = LagBins.of(50.0, 1.0, made.FS)
    expected = cross_counts(sorting, bins)
    monkeypatch.setattr(lag_counts, "_N_BYTES", 1)
    np.testing.assert_array_equal(cross_counts(sorting, bins), expected)


def test_units_without_spikes():
    empty = NumpySorting.from_unit_dict({"a": [], "b": []}, RATE)
    ccgs, bins = pp.compute_correlograms(empty, window_ms=10.0)
    assert ccgs.shape == (2, 2, 10)
    assert not ccgs.any()
    assert len(bins) == 11
    assert pp.compute_auto_correlograms(empty, window_ms=10.0)[0].shape == (2, 10)
    assert pp.compute_isi_histograms(empty, window_ms=10.0)[0].tolist() == [[0] * 10] * 2
    acgs, quantiles, lags = pp.compute_acgs_3d(empty)
    assert acgs.shape == (2, 10, 51)
    assert not acgs.any()
    assert len(lags) == 51
    assert np.isnan(quantiles).all()
    nobody = empty.select_units([])
    assert pp.compute_correlograms(nobody, window_ms=10.0)[0].shape == (0, 0, 10)
    assert pp.compute_auto_correlograms(nobody, window_ms=10.0)[0].shape == (0, 10)
    assert pp.compute_isi_histograms(nobody, window_ms=10.0)[0].shape == (0, 10)
    assert pp.compute_acgs_3d(nobody)[0].shape == (0, 10, 51)


def test_intervals_of_several_segments():
    trains = [{"a": [0, 5, 20]}, {"a": [1, 6, 7]}]
    sorting = NumpySorting.from_unit_dict(trains, RATE)
    counts, edges = pp.compute_isi_histograms(sorting, window_ms=15.0, bin_ms=5.0)
    # The last bin has its upper edge.
    assert counts.tolist() == [[1, 2, 1]]
    assert edges.tolist() == [0.0, 5.0, 10.0, 15.0]


def test_one_segment_as_arrays():
    samples, units = np.array([0, 3, 3, 9]), np.array([0, 1, 0, 1])
    counts = pp.correlogram_for_one_segment(samples, units, 8, 2, 2)
    np.testing.assert_array_equal(counts, twin.correlograms(samples, units, 2, 2, 4))
    autos = pp.auto_correlogram_for_one_segment(samples, units, 8, 2, 2)
    np.testing.assert_array_equal(autos, counts[[0, 1], [0, 1]])


def test_rates_of_a_regular_train():
    sorting = NumpySorting.from_unit_dict({"a": np.arange(0, 60_000, 20)}, RATE)
    acgs, quantiles, lags = pp.compute_acgs_3d(
        sorting, window_ms=60.0, num_firing_rate_quantiles=2, smoothing_factor=None
    )
    np.testing.assert_allclose(quantiles, [[50.0, 50.0]])
    assert lags[np.flatnonzero(acgs[0].max(axis=0))].tolist() == [-20.0, 20.0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bin_ms": 0.1}, "less than a sample"),
        ({"window_ms": 1.0}, "no room"),
        ({"method": "fortran"}, "numba"),
    ],
)
def test_what_makes_no_sense_is_refused(options, words):
    sorting = NumpySorting.from_unit_dict({"a": [1]}, RATE)
    for compute in (pp.compute_correlograms, pp.compute_auto_correlograms):
        with pytest.raises(ParameterError, match=words):
            compute(sorting, **{"window_ms": 50.0, **options})


def test_intervals_need_a_bin():
    sorting = NumpySorting.from_unit_dict({"a": [1]}, RATE)
    with pytest.raises(ParameterError, match="no room"):
        pp.compute_isi_histograms(sorting, window_ms=1.0, bin_ms=2.0)
    with pytest.raises(ParameterError, match="less than a sample"):
        pp.compute_isi_histograms(sorting, window_ms=1.0, bin_ms=0.2)


def test_analyzers_keep_what_is_computed():
    analyzer = made.make_analyzer(sparse=True)
    ccgs, _ = pp.compute_correlograms(analyzer, window_ms=20.0)
    extension = analyzer.get_extension("correlograms")
    assert extension.params["window_ms"] == 20.0
    np.testing.assert_array_equal(ccgs, extension.get_data()[0])
    np.testing.assert_array_equal(
        ccgs, pp.compute_correlograms(analyzer.sorting, window_ms=20.0)[0]
    )
    assert pp.compute_acgs_3d(analyzer)[0].shape == (5, 10, 51)
    assert pp.compute_isi_histograms(analyzer)[0].shape == (5, 50)
    assert pp.compute_auto_correlograms(analyzer)[0].shape == (5, 50)
