import numpy as np
import pytest

from making.sortings import sorting_of
from spikeloom.errors import ParameterError
from spikeloom.metrics.drift import drift
from spikeloom.metrics.spikes import spikes_of_sorting


def spikes_of(n_samples, step=5):
    return spikes_of_sorting(
        sorting_of([{"a": np.arange(0, n, step)} for n in n_samples]), n_samples
    )


def test_drift_is_the_spread_of_median_positions():
    depths = np.repeat([0.0, 10.0, 14.0, 2.0], 200)
    locations = np.column_stack((np.zeros(800), depths))
    found = drift(spikes_of([4000]), locations, interval_s=1)
    assert found.drift_ptp == pytest.approx([14.0])
    assert found.drift_std == pytest.approx([np.std([0, 10, 14, 2])])
    assert found.drift_mad == pytest.approx([5.0])
    across = drift(spikes_of([4000]), locations, interval_s=1, direction="x")
    assert across.drift_ptp == pytest.approx([0.0])


def test_structured_locations_are_understood():
    locations = np.zeros(800, [("x", "f4"), ("y", "f4"), ("z", "f4")])
    locations["z"][400:] = 3
    found = drift(spikes_of([4000]), locations, interval_s=1, direction="z")
    assert found.drift_ptp == pytest.approx([3.0])
    with pytest.raises(ParameterError, match="directions x, y"):
        drift(spikes_of([4000]), np.zeros((800, 2)), direction="z")


def test_no_interval_of_any_segment_is_lost():
    # The unit moves in the last interval of the first segment only.
    depths = np.concatenate((np.zeros(200), np.full(200, 9.0), np.zeros(400)))
    locations = np.column_stack((depths, depths))
    found = drift(spikes_of([2000, 2000]), locations, interval_s=1)
    assert found.drift_ptp == pytest.approx([9.0])


@pytest.mark.parametrize(
    "options",
    [
        {"interval_s": 3},  # one interval, where two are asked for
        {"interval_s": 1, "min_num_bins": 5},
        {"interval_s": 1, "min_spikes_per_interval": 201},
    ],
)
def test_too_little_gives_nan(options):
    found = drift(spikes_of([4000]), np.zeros((800, 2)), **options)
    assert np.isnan(np.stack(found)).all()


def test_half_of_the_intervals_are_enough():
    train = np.concatenate((np.arange(0, 2000, 5), [3500]))
    spikes = spikes_of_sorting(sorting_of([{"a": train, "b": []}]), [4000])
    found = drift(spikes, np.zeros((401, 2)), interval_s=1)
    assert found.drift_ptp[0] == 0
    assert np.isnan(found.drift_ptp[1])
    found = drift(spikes, np.zeros((401, 2)), interval_s=1, min_fraction_valid_intervals=0.4)
    assert np.isnan(found.drift_ptp).all()
