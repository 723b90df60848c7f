import numpy as np
import pytest

from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.curation.correlogram_scores import (
    adaptive_window,
    correlogram_differences,
    smooth_correlograms,
)
from spikeloom.curation.presence_distances import presence_distances
from spikeloom.curation.slay_scores import refractory_violation, significance, slay_scores
from spikeloom.errors import ParameterError

BINS = np.arange(-25.0, 26.0)


def with_gap(rate=40.0, half_width=3):
    counts = np.full(50, rate)
    counts[25 - half_width : 25 + half_width] = 0
    return counts


def test_smoothing_keeps_sums_but_for_the_ends():
    counts = np.zeros((1, 1, 50))
    counts[0, 0, 20:30] = 7
    smoothed = smooth_correlograms(counts, BINS, 1.0)
    assert smoothed.sum() == pytest.approx(counts.sum())
    assert smooth_correlograms(np.zeros((0, 0, 50)), BINS).shape == (0, 0, 50)


def test_the_window_ends_at_the_first_peak():
    counts = 10 + 20 * np.exp(-((np.abs(BINS[:-1] + 0.5) - 6) ** 2) / 4) * (
        np.abs(BINS[:-1] + 0.5) > 1
    )
    window = adaptive_window(counts, counts.max() / 2)
    assert 5 <= window <= 8
    assert adaptive_window(np.zeros(50), 0.0) == 20
    assert adaptive_window(np.zeros(10), 0.0) == 5
    assert adaptive_window(np.full(50, 3.0), 1.0) == 1


def test_like_correlograms_differ_little():
    alike, flat = with_gap(), np.full(50, 40.0)
    correlograms = np.array([[alike, alike, flat], [alike, alike, flat], [flat, flat, alike]])
    pairs = np.triu(np.ones((3, 3), bool), 1)
    found = correlogram_differences(
        correlograms, np.array([6, 6, 6]), np.array([100, 50, 10]), pairs
    )
    assert found[0, 1] == 0
    assert found[0, 2] > 0.4
    assert np.isnan(found[1, 0])


def test_distances_of_presence_over_segments():
    dicts = [{"a": [5, 15], "b": []}, {"a": [], "b": [5, 15]}]
    sorting = NumpySorting.from_unit_dict(dicts, 10.0)
    pairs = np.array([[False, True], [False, False]])
    found = presence_distances(sorting, [100, 100], pairs, bin_duration_s=1.0)
    # One segment later; the last, incomplete bin of each segment is left out.
    assert found[0, 1] == 9.0
    silent = presence_distances(sorting.select_units(["a"]), [100, 100], np.zeros((1, 1), bool))
    assert silent.tolist() == [[1.0]]


def test_distances_of_presence_are_those_of_scipy():
    from scipy.stats import wasserstein_distance

    rng = np.random.default_rng(0)
    trains = {k: np.sort(rng.integers(0, 100_000, 500)) for k in range(3)}
    sorting = NumpySorting.from_unit_dict(trains, 1000.0)
    edges = np.arange(0, 100_000, 2000)
    found = presence_distances(sorting, [100_000], np.triu(np.ones((3, 3), bool), 1))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        counts = [np.histogram(trains[k], edges)[0] for k in (i, j)]
        times = edges[1:] / 1000.0
        assert found[i, j] == pytest.approx(wasserstein_distance(times, times, *counts))


def test_slay_prefers_pairs_with_a_gap():
    alike, flat = with_gap(200.0), np.random.default_rng(0).poisson(200.0, 50).astype(float)
    assert refractory_violation(alike, 1.0) < 1e-6
    assert refractory_violation(flat, 1.0) > 0.99
    assert significance(np.zeros(50), 1.0) == 0
    assert significance(alike, 1.0) > abs(significance(flat, 1.0))
    pairs = np.triu(np.ones((2, 2), bool), 1)
    correlograms = np.array([[alike, alike], [alike, alike]])
    together = slay_scores(np.full((2, 2), 0.9), correlograms, 1.0, pairs)[0, 1]
    apart = slay_scores(np.full((2, 2), 0.9), correlograms * 0 + flat, 1.0, pairs)[0, 1]
    assert together > 0.5 > apart
    with pytest.raises(ParameterError, match="less than 2 ms"):
        slay_scores(np.ones((2, 2)), correlograms, 2.5, pairs)
