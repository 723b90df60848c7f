import numpy as np
import pytest

from spikeloom.errors import ParameterError
from spikeloom.generation.template_shapes import (
    draw_unit_parameters,
    ellipsoid_distances,
    generate_channel_locations,
    generate_templates,
)

RATE = 30_000.0
CHANNELS = generate_channel_locations(8, 2, 20.0)
UNITS = np.array([[0.0, 0.0, 10.0], [20.0, 40.0, 15.0], [5.0, 61.0, 30.0]])
ROUND = {"ellipse_shrink": 1.0, "ellipse_angle": 0.0}


def make(**options):
    options = {"seed": 1, **options}
    return generate_templates(CHANNELS, UNITS, RATE, 1.0, 3.0, **options)


def test_templates_are_largest_where_they_should_be():
    templates = make(mode="sphere")
    assert templates.shape == (3, 120, 8)
    assert templates.dtype == np.float32
    distances = np.linalg.norm(UNITS[:, None, :2] - CHANNELS, axis=2)
    largest = np.abs(templates).max(axis=1)
    np.testing.assert_array_equal(largest.argmax(axis=1), distances.argmin(axis=1))
    for unit in range(3):
        assert templates[unit, :, distances[unit].argmin()].argmin() == 30
    assert np.abs(templates[:, [0, -1]]).max() < 0.05 * largest.max()


def test_amplitudes_fall_as_the_profile_says():
    params = {"alpha": 200.0, "spatial_decay": 25.0, "spatial_power": 2.0}
    distances = np.linalg.norm(np.append(CHANNELS, np.zeros((8, 1)), 1) - UNITS[:, None], axis=2)
    options = {"unit_params": {**params, "propagation_speed": None}, "mode": "sphere"}
    exponential = -make(**options).min(axis=1)
    np.testing.assert_allclose(exponential, 200 * np.exp(-distances / 25), rtol=1e-3)
    power = -make(spatial_profile="power", **options).min(axis=1)
    np.testing.assert_allclose(power, 200 / (1 + (distances / 25) ** 2), rtol=1e-3)


def test_far_channels_see_spikes_later():
    templates = make(unit_params={"propagation_speed": 100.0}, mode="sphere")
    troughs = templates[0].argmin(axis=0)
    distances = np.linalg.norm(np.append(CHANNELS, np.zeros((8, 1)), 1) - UNITS[0], axis=1)
    expected = 30 + 30 * (distances - distances.min()) / 100
    np.testing.assert_allclose(troughs, expected, atol=0.6)


def test_fractions_are_shifts():
    whole = make(dtype="float64")
    fractions = make(dtype="float64", upsample_factor=4)
    assert fractions.shape == (3, 120, 8, 4)
    np.testing.assert_allclose(fractions[..., 0], whole, atol=1e-9)
    fast = generate_templates(CHANNELS, UNITS, 4 * RATE, 1.0, 3.0, seed=1, dtype="float64")
    for k in range(4):
        np.testing.assert_allclose(fractions[..., k], fast[:, k::4], atol=0.02)


def test_flat_neurons_reach_farther_one_way():
    channels = np.array([[30.0, 0.0, 0.0], [0.0, 30.0, 0.0]])
    here = np.zeros((1, 3))
    np.testing.assert_allclose(ellipsoid_distances(channels, here), [[30, 30]])
    flat = ellipsoid_distances(channels, here, shrink=0.5, angle=0.0)
    np.testing.assert_allclose(flat, [[30, 60]])
    both = ellipsoid_distances(
        channels, np.zeros((2, 3)), shrink=[0.5, 0.5], angle=[0.0, np.pi / 2]
    )
    np.testing.assert_allclose(both, [[30, 60], [60, 30]])


def test_units_together_are_as_each_alone():
    units = np.random.default_rng(0).uniform([0, 0, 5], [20, 60, 40], (40, 3))
    params = draw_unit_parameters({}, 40, seed=3)
    options = {"sampling_frequency": RATE, "ms_before": 1.0, "ms_after": 3.0}
    together = generate_templates(CHANNELS, units, **options, unit_params=params)
    for k in (0, 15, 16, 39):
        own = {name: values[k] for name, values in params.items()}
        alone = generate_templates(CHANNELS, units[k : k + 1], **options, unit_params=own)
        np.testing.assert_allclose(together[k], alone[0], atol=1e-4)


def test_whole_numbers_are_rounded_towards_zero():
    whole, real = make(dtype="int16"), make(dtype="float64")
    np.testing.assert_array_equal(whole, np.trunc(real))


def test_seeds_decide_and_given_parameters_leave_the_others_alone():
    np.testing.assert_array_equal(make(), make())
    assert not np.array_equal(make(), make(seed=2))
    drawn = draw_unit_parameters({}, 5, seed=3)
    given = draw_unit_parameters({"alpha": 7, "smooth_ms": (0.1, 0.2)}, 5, seed=3)
    assert given["alpha"] == [7] * 5
    assert all(0.1 <= value <= 0.2 for value in given["smooth_ms"])
    for name in set(drawn) - {"alpha", "smooth_ms"}:
        assert drawn[name] == given[name]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "cube"}, "mode"),
        ({"spatial_profile": "linear"}, "spatial_profile"),
        ({"upsample_factor": 0}, "upsample_factor"),
        ({"unit_params": {"alhpa": 3}}, "alhpa"),
        ({"unit_params": {"alpha": [1.0, 2.0]}}, "3 units"),
        ({"unit_params": {"recovery_ms": 9.0}}, "ms_after"),
    ],
)
def test_what_makes_no_sense_is_refused(options, said):
    with pytest.raises(ParameterError, match=said):
        make(**options)


@pytest.mark.parametrize(
    ("channels", "units"), [(np.zeros((0, 2)), UNITS), (np.zeros(4), UNITS), (CHANNELS, CHANNELS)]
)
def test_places_need_coordinates(channels, units):
    with pytest.raises(ParameterError, match="shape"):
        generate_templates(channels, units, RATE, 1.0, 3.0)


def test_channels_fill_columns():
    np.testing.assert_array_equal(
        generate_channel_locations(3, 1, 10.0), [[0.0, 0], [0.0, 10], [0.0, 20]]
    )
    with pytest.raises(ParameterError, match="evenly"):
        generate_channel_locations(5, 2, 10.0)


def test_no_units_are_fine():
    assert generate_templates(CHANNELS, np.zeros((0, 3)), RATE, 1.0, 3.0).shape == (0, 120, 8)
