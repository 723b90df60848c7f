import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import ParameterError
from spikeloom.generation.probes import two_column_probe
from spikeloom.generation.unit_templates import (
    N_WINDOW_SAMPLES,
    draw_spike_shapes,
    draw_unit_positions,
    make_artefact_template,
    make_templates,
)

PEAK = N_WINDOW_SAMPLES // 2
seeds = st.integers(0, 10_000)


def draw_templates(seed, n_units=10):
    probe = two_column_probe()
    positions_um = draw_unit_positions(probe, n_units, seed=seed)
    shapes = draw_spike_shapes(n_units, seed=seed)
    amplitudes_uV = np.linspace(40, 300, n_units)
    return (
        probe,
        positions_um,
        make_templates(probe, positions_um, shapes, amplitudes_uV=amplitudes_uV),
    )


@given(seeds)
def test_the_trough_is_in_the_middle_of_the_nearest_channel_and_as_deep_as_asked_for(seed):
    probe, positions_um, templates_uV = draw_templates(seed)
    assert templates_uV.shape == (10, N_WINDOW_SAMPLES, 32)
    assert templates_uV.dtype == np.float32
    nearest = np.hypot(*(positions_um[:, None, :2] - probe).T).T.argmin(axis=1)
    for template, channel, depth_uV in zip(
        templates_uV, nearest, np.linspace(40, 300, 10), strict=True
    ):
        assert np.unravel_index(np.abs(template).argmax(), template.shape) == (PEAK, channel)
        assert template.min() == pytest.approx(-depth_uV, rel=1e-5)


@given(seeds)
def test_spikes_begin_and_end_at_zero_without_a_jump(seed):
    templates_uV = draw_templates(seed)[2]
    deepest = np.abs(templates_uV).max(axis=(1, 2))[:, None]
    assert not templates_uV[:, 0].any()
    assert (np.abs(templates_uV[:, [1, -1]]).max(axis=1) < 0.06 * deepest).all()


@given(seeds)
def test_amplitudes_fall_and_troughs_come_later_with_distance(seed):
    probe, positions_um, templates_uV = draw_templates(seed)
    for position_um, template in zip(positions_um, templates_uV, strict=True):
        offsets = np.column_stack([probe - position_um[:2], np.full(32, position_um[2])])
        order = np.argsort(np.linalg.norm(offsets, axis=1), kind="stable")
        depths = -template.min(axis=0)[order]
        assert (np.diff(depths) <= 1e-3).all()
        troughs = template.argmin(axis=0)[order][:6]
        assert (np.diff(troughs) >= 0).all()
        assert troughs[-1] > troughs[0]


@given(seeds)
def test_spikes_last_as_long_as_those_of_neurons(seed):
    templates_uV = draw_templates(seed)[2]
    for template in templates_uV:
        main = template[:, template.min(axis=0).argmin()]
        half_width_ms = np.count_nonzero(main < main.min() / 2) / 30
        assert 0.1 <= half_width_ms <= 0.35
        peak_ms = (main[PEAK:].argmax()) / 30
        assert 0.2 <= peak_ms <= 0.8
        assert 0.1 < main[PEAK:].max() / -main.min() < 0.6


@given(seeds, st.integers(1, 40))
def test_neurons_lie_in_front_of_the_probe_at_all_depths(seed, n_units):
    probe = two_column_probe()
    positions_um = draw_unit_positions(probe, n_units, seed=seed)
    assert positions_um.shape == (n_units, 3)
    assert (positions_um[:, 2] > 0).all()
    shares = np.sort((positions_um[:, 1] - probe[0, 1]) / np.ptp(probe[:, 1]))
    np.testing.assert_array_equal(np.floor(shares * n_units), np.arange(n_units))


def test_one_of_each_is_needed_for_every_unit():
    probe, positions_um = two_column_probe(4), np.ones((2, 3))
    with pytest.raises(ParameterError, match="2 positions, 3 shapes and 2 amplitudes"):
        make_templates(probe, positions_um, draw_spike_shapes(3, seed=0), amplitudes_uV=np.ones(2))


def test_an_artefact_is_on_all_channels_at_once():
    template_uV = make_artefact_template(32, amplitude_uV=80.0, seed=3)
    assert (np.abs(template_uV).argmax(axis=0) == PEAK).all()
    assert template_uV.min() == pytest.approx(-80.0)
    assert (template_uV[PEAK] < -50).all()
    assert not template_uV[-1].any()
    assert not template_uV[:30].any()
