import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikeloom.errors import ParameterError
from spikeloom.generation.ground_truth import make_ground_truth

ARRAYS = ("templates_uV", "spike_samples", "spike_units", "spike_scales", "unit_drifts")


@settings(max_examples=15)
@given(
    duration_s=st.floats(1, 20),
    seed=st.integers(0, 1 << 40),
    n_neurons=st.integers(1, 25),
    n_channels=st.integers(1, 40),
)
def test_a_ground_truth_is_in_order_whatever_is_asked_for(duration_s, seed, n_neurons, n_channels):
    options = {"duration_s": duration_s, "seed": seed, "n_neurons": n_neurons}
    truth = make_ground_truth(**options, n_channels=n_channels)
    assert truth.n_samples == round(duration_s * 30_000)
    assert truth.n_channels == n_channels
    assert truth.n_units == n_neurons + 9
    assert truth.templates_uV.shape == (truth.n_units, 82, n_channels)
    assert truth.spike_samples.shape == truth.spike_units.shape == truth.spike_scales.shape
    assert (np.diff(truth.spike_samples) >= 0).all()
    assert ((truth.spike_samples >= 0) & (truth.spike_samples < truth.n_samples)).all()
    assert ((truth.spike_units >= 0) & (truth.spike_units < truth.n_units)).all()
    assert (truth.spike_scales > 0).all()
    for unit in truth.units_of_kind("neuron") + truth.units_of_kind("far"):
        train = truth.spike_samples[truth.spike_units == unit]
        assert (np.diff(train) >= 0.002 * 30_000).all()


@given(st.integers(0, 1000))
@settings(max_examples=5)
def test_the_same_seed_gives_the_same_truth_and_another_one_another(seed):
    first, again, other = (make_ground_truth(duration_s=2, seed=s) for s in (seed, seed, seed + 1))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert first.spike_samples.size != other.spike_samples.size or not np.array_equal(
        first.spike_samples, other.spike_samples
    )
    assert not np.array_equal(first.templates_uV, other.templates_uV)


def test_neurons_are_as_large_as_real_ones_and_far_ones_are_small():
    truth = make_ground_truth(duration_s=5.0)
    peaks_uV = np.abs(truth.templates_uV).max(axis=(1, 2))
    near_uV, far_uV = (peaks_uV[truth.units_of_kind(kind)] for kind in ("neuron", "far"))
    assert near_uV.min() == pytest.approx(60, rel=1e-3)
    assert 200 < near_uV.max() <= 281
    assert ((far_uV > 20) & (far_uV < 45)).all()
    assert len(truth.units_of_kind("artefact")) == 1
    assert np.isnan(truth.unit_positions_um[truth.units_of_kind("artefact")]).all()


def test_the_amplitudes_of_two_neurons_drift():
    truth = make_ground_truth(duration_s=30.0)
    assert np.flatnonzero(truth.unit_drifts).tolist() == [0, 1]
    half = truth.n_samples // 2
    for unit in (0, 1, 2):
        is_own = truth.spike_units == unit
        early = truth.spike_scales[is_own & (truth.spike_samples < half)].mean()
        late = truth.spike_scales[is_own & (truth.spike_samples >= half)].mean()
        assert late - early == pytest.approx(truth.unit_drifts[unit] / 2, abs=0.04)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"duration_s": 0.5}, "duration_s=0.5 is too short"),
        ({"duration_s": float("nan")}, "duration_s=nan"),
        ({"duration_s": 2.0, "n_neurons": 0}, "n_neurons=0"),
        ({"duration_s": 2.0, "n_channels": 0}, "n_channels=0"),
        ({"duration_s": 2.0, "seed": -3}, "seed=-3"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        make_ground_truth(**options)
