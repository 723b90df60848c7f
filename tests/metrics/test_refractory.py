import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.sortings import FS, N_SAMPLES, UNIT_IDS, segments_lists, sorting_of
from reference.metrics import count_close_pairs, count_short_intervals, sliding_contamination
from spikeloom.errors import ParameterError
from spikeloom.metrics.refractory import isi_violations, rp_violations, sliding_rp_violations
from spikeloom.metrics.spikes import spikes_of_sorting


def spikes_of(dicts, **kwargs):
    return spikes_of_sorting(sorting_of(dicts), [N_SAMPLES] * len(dicts), **kwargs)


@given(segments_lists, st.floats(0.2, 20), st.floats(0, 0.1))
def test_isi_violations_are_intervals_below_the_threshold(dicts, threshold_ms, min_isi_ms):
    found = isi_violations(spikes_of(dicts), isi_threshold_ms=threshold_ms, min_isi_ms=min_isi_ms)
    for u, unit in enumerate(UNIT_IDS):
        trains = [d[unit] for d in dicts]
        n = sum(map(len, trains))
        if n == 0:
            assert found.isi_violations_count[u] == -1
            assert np.isnan(found.isi_violations_ratio[u])
            continue
        n_violations = count_short_intervals(trains, threshold_ms * FS / 1000)
        assert found.isi_violations_count[u] == n_violations
        duration = len(dicts) * N_SAMPLES / FS
        ratio = n_violations * duration / (2 * n**2 * (threshold_ms - min_isi_ms) / 1000)
        assert found.isi_violations_ratio[u] == pytest.approx(ratio)


def test_an_interval_of_just_the_threshold_is_no_violation_wherever_it_is():
    # In seconds, 0.0015 is once more and once less than the difference of two times.
    starts = np.arange(0, 10**7, 9973)
    train = np.sort(np.concatenate((starts, starts + 45)))
    spikes = spikes_of_sorting(sorting_of([{"a": train}], fs=30000.0), [10**7 + 100])
    assert isi_violations(spikes, isi_threshold_ms=1.5).isi_violations_count.tolist() == [0]
    seconds = np.diff(train / 30000.0)
    assert 0 < np.count_nonzero(seconds < 0.0015) < starts.size
    found = isi_violations(spikes, isi_threshold_ms=1.51)
    assert found.isi_violations_count.tolist() == [starts.size]


@given(segments_lists, st.integers(2, 20), st.integers(0, 1))
def test_rp_violations_are_all_close_pairs(dicts, t_r, t_c):
    found = rp_violations(spikes_of(dicts), refractory_period_ms=t_r, censored_period_ms=t_c)
    for u, unit in enumerate(UNIT_IDS):
        trains = [d[unit] for d in dicts]
        n, n_samples = sum(map(len, trains)), len(dicts) * N_SAMPLES
        n_violations = count_close_pairs(trains, t_r)
        assert found.rp_violations[u] == (n_violations if n else -1)
        if n <= 1:
            assert np.isnan(found.rp_contamination[u])
            continue
        root = 1 - n_violations * (n_samples - 2 * n * t_c) / (n**2 * (t_r - t_c))
        expected = 1.0 if root < 0 else 1 - math.sqrt(root)
        assert found.rp_contamination[u] == pytest.approx(expected)


@given(segments_lists)
def test_the_sliding_contamination_is_the_least_that_is_excluded(dicts):
    values = [0.05, 0.2, 0.6]
    found = sliding_rp_violations(
        spikes_of(dicts),
        bin_size_ms=2,
        exclude_ref_period_below_ms=2.5,
        max_ref_period_ms=10.1,
        contamination_values=values,
    )
    for u, unit in enumerate(UNIT_IDS):
        trains = [d[unit] for d in dicts]
        if sum(map(len, trains)) == 0:
            assert np.isnan(found[u])
            continue
        # Bins of two samples; the first, with its middle at 1 ms, is not tested.
        expected = sliding_contamination(trains, FS, len(dicts) * N_SAMPLES, 2, 5, 1, values)
        assert found[u] == pytest.approx(expected, nan_ok=True)


def test_units_with_few_spikes_have_no_sliding_contamination():
    spikes = spikes_of([{"a": list(range(0, 60, 12)), "b": []}])
    assert np.isnan(sliding_rp_violations(spikes, min_spikes=5, bin_size_ms=1)).all()


def test_a_window_limits_the_refractory_periods():
    train = np.arange(0, 10**5, 50)
    spikes = spikes_of_sorting(sorting_of([{"a": train}]), [10**5])
    short = sliding_rp_violations(spikes, bin_size_ms=1, window_size_s=0.003)
    assert short[0] > sliding_rp_violations(spikes, bin_size_ms=1)[0]


def test_nonsense_is_refused():
    spikes = spikes_of([{"a": [1, 2]}])
    with pytest.raises(ParameterError, match="has to be above min_isi_ms"):
        isi_violations(spikes, isi_threshold_ms=1, min_isi_ms=1)
    with pytest.raises(ParameterError, match="in samples"):
        rp_violations(spikes, refractory_period_ms=1.2, censored_period_ms=1.0)
    with pytest.raises(ParameterError, match="half a sample"):
        sliding_rp_violations(spikes, bin_size_ms=0.1)
