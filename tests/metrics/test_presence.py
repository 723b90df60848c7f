import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.sortings import FS, UNIT_IDS, segments_lists, sorting_of
from reference.metrics import presence_ratio as twin
from spikeloom.errors import ParameterError
from spikeloom.metrics.presence import firing_ranges, presence_ratios
from spikeloom.metrics.spikes import spikes_of_sorting
from spikeloom.metrics.spiketrain import firing_rates, num_spikes

N_SAMPLES = [60, 45, 3]


@given(segments_lists, st.integers(1, 70), st.floats(0, 1))
def test_presence_counts_the_whole_bins_with_enough_spikes(dicts, bin_size, ratio):
    n_samples = N_SAMPLES[: len(dicts)]
    dicts = [
        {u: [s for s in train if s < n] for u, train in d.items()}
        for d, n in zip(dicts, n_samples, strict=True)
    ]
    spikes = spikes_of_sorting(sorting_of(dicts), n_samples)
    found = presence_ratios(spikes, bin_duration_s=bin_size / FS, mean_fr_ratio_thresh=ratio)
    for u, unit in enumerate(UNIT_IDS):
        trains = [d[unit] for d in dicts]
        n_spikes = sum(map(len, trains))
        if not n_spikes:
            assert np.isnan(found[u])
            continue
        size = int(bin_size / FS * FS)
        n_least = int(n_spikes / (sum(n_samples) / FS) * (bin_size / FS) * ratio)
        assert found[u] == pytest.approx(twin(trains, n_samples, size, n_least), nan_ok=True)


def test_no_interval_of_a_segment_is_lost_and_no_short_one_counted():
    # Bins that follow each other through all segments would lose the whole of the second here, or
    # count what is left of the first as a bin.
    spikes = spikes_of_sorting(sorting_of([{"a": [1]}, {"a": [2, 40]}]), [30, 60])
    assert presence_ratios(spikes, bin_duration_s=0.06).tolist() == [1.0]
    assert presence_ratios(spikes, bin_duration_s=0.02) == pytest.approx([3 / 4])


def test_bins_lie_in_periods():
    spikes = spikes_of_sorting(
        sorting_of([{"a": [1, 51]}]), [100], periods=[[0, 0, 20, 0], [0, 50, 70, 0]]
    )
    assert presence_ratios(spikes, bin_duration_s=0.01).tolist() == [0.5]


def test_the_firing_range_is_that_of_rates_in_bins():
    spikes = spikes_of_sorting(sorting_of([{"a": [1, 2, 3, 15], "b": []}]), [40])
    found = firing_ranges(spikes, bin_size_s=0.01, percentiles=(0, 100))
    assert found[0] == pytest.approx(300)
    assert np.isnan(found[1])
    assert np.isnan(firing_ranges(spikes, bin_size_s=1.0)).all()


def test_units_without_spikes_have_no_rate():
    spikes = spikes_of_sorting(sorting_of([{"a": [1, 2], "b": []}, {"a": [], "b": []}]), [40, 60])
    assert num_spikes(spikes).tolist() == [2, 0]
    assert firing_rates(spikes)[0] == 20.0
    assert np.isnan(firing_rates(spikes)[1])


def test_nonsense_is_refused():
    spikes = spikes_of_sorting(sorting_of([{"a": [1]}]), [40])
    with pytest.raises(ParameterError, match="part of the mean rate"):
        presence_ratios(spikes, mean_fr_ratio_thresh=-1)
    with pytest.raises(ParameterError, match="one sample"):
        firing_ranges(spikes, bin_size_s=0)
