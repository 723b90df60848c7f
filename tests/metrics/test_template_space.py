import numpy as np
import pytest

from spikeloom.errors import ParameterError
from spikeloom.metrics.template_space import exp_decay, spread, velocity_fit

FS = 30000.0


def line(n, step=20.0):
    return np.column_stack((np.zeros(n), step * np.arange(n)))


def travelling(times, heights):
    template = np.zeros((100, len(times)))
    template[times, np.arange(len(times))] = -np.asarray(heights, float)
    return template


def test_velocities_above_and_below_the_trough():
    template = travelling([44, 42, 40, 43, 46, 49], [20, 50, 90, 70, 40, 20])
    found = velocity_fit(template, line(6), FS)
    assert found.velocity_below == pytest.approx(20 / (2 / FS * 1000))
    assert found.velocity_above == pytest.approx(20 / (3 / FS * 1000))


def test_velocities_do_not_depend_on_the_order_of_channels_or_the_axis():
    template = travelling([44, 42, 40, 43, 46, 49], [20, 50, 90, 70, 40, 20])
    order = np.array([3, 0, 5, 1, 4, 2])
    expected = velocity_fit(template, line(6), FS)
    assert velocity_fit(template[:, order], line(6)[order], FS) == pytest.approx(expected)
    turned = line(6)[:, ::-1]
    assert velocity_fit(template, turned, FS, depth_direction="x") == pytest.approx(expected)


def test_one_outlier_does_not_change_the_median_of_slopes():
    template = travelling([40, 43, 46, 49, 52, 2, 58, 61, 64], [90, 80, 70, 60, 50, 40, 30, 20, 10])
    found = velocity_fit(template, line(9), FS, min_r2=-10)
    assert found.velocity_above == pytest.approx(20 / (3 / FS * 1000), rel=0.05)


def test_few_channels_or_bad_fits_have_no_velocity():
    template = travelling([40, 43, 46], [90, 70, 40])
    found = velocity_fit(template, line(3), FS)
    assert np.isfinite(found.velocity_above)
    assert np.isnan(found.velocity_below)
    assert np.isnan(velocity_fit(template, line(3), FS, min_channels=4)).all()
    same = travelling([40, 40, 40], [90, 70, 40])
    assert np.isnan(velocity_fit(same, line(3), FS)).all()
    noise = travelling([40, 90, 10, 80, 20, 60], [90, 70, 40, 30, 20, 10])
    assert np.isnan(velocity_fit(noise, line(6), FS, min_r2=0.9)).all()


def test_a_column_may_be_chosen():
    template = travelling([40, 43, 46, 99], [90, 70, 40, 80])
    locations = np.array([[0, 0], [0, 20], [0, 40], [50, 60.0]])
    found = velocity_fit(template, locations, FS, column_range=10)
    assert found.velocity_above == pytest.approx(20 / (3 / FS * 1000))


@pytest.mark.parametrize("decay", [0.01, 0.05, 0.2])
def test_the_decay_is_found_with_its_offset(decay):
    heights = 5 + 95 * np.exp(-decay * line(12)[:, 1])
    template = np.concatenate((-heights[None], np.zeros((3, 12))))
    assert exp_decay(template, line(12)) == pytest.approx(decay, rel=1e-3)
    assert exp_decay(template, line(12), peak_function="min") == pytest.approx(decay, rel=1e-3)
    if decay < 0.1:
        near = exp_decay(template, line(12), channel_tolerance=33, normalize_decay=True)
        assert near == pytest.approx(decay, rel=0.05)


def test_a_line_is_fitted_where_asked_for():
    heights = 100 - 0.5 * line(6)[:, 1]
    template = np.concatenate((-heights[None], np.zeros((3, 6))))
    assert exp_decay(template, line(6), linear_fit=True) == pytest.approx(0.5)


def test_what_cannot_be_fitted_has_no_decay():
    assert np.isnan(exp_decay(np.zeros((5, 8)), line(8)))
    assert np.isnan(
        exp_decay(-np.ones((5, 8)), line(8), channel_tolerance=3, min_channels_for_fit=9)
    )
    assert np.isnan(exp_decay(np.zeros((5, 1)), line(1), linear_fit=True))
    rng = np.random.default_rng(0)
    assert np.isnan(exp_decay(rng.normal(size=(5, 30)), line(30), min_r2=0.9))


def test_the_spread_is_from_the_first_to_the_last_channel_above_the_threshold():
    template = np.zeros((4, 8))
    template[1] = [0, 5, 30, 100, 60, 25, 10, 2]
    assert spread(template, line(8), spread_smooth_um=None) == 60.0
    assert spread(template, line(8), spread_smooth_um=None, spread_threshold=0.5) == 20.0
    assert spread(template, line(8)) >= 60.0
    order = np.array([3, 0, 5, 1, 4, 2, 7, 6])
    assert spread(template[:, order], line(8)[order]) == spread(template, line(8))


def test_flat_templates_and_single_channels():
    assert np.isnan(spread(np.zeros((4, 8)), line(8)))
    assert spread(np.eye(4)[:, :1], line(1)) == 0
    with pytest.raises(ParameterError, match="'x' or 'y'"):
        spread(np.zeros((4, 8)), line(8), depth_direction="z")
