import numpy as np
from hypothesis import given, strategies as st
from scipy.optimize import nnls

from reference import spike_features as twin
from spikeloom.kernels.spike_scalings import Shapes, Windows, fit_scalings, non_negative


@given(st.integers(0, 10_000), st.integers(1, 9))
def test_non_negative_fits_are_those_of_scipy(seed, n):
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(30, n)) + rng.choice([0, 3]) * rng.normal(size=(30, 1))
    right = rng.normal(size=30)
    found = np.empty(n)
    non_negative(columns.T @ columns, columns.T @ right, found)
    np.testing.assert_allclose(found, nnls(columns, right)[0], atol=1e-8)


@given(st.integers(0, 10_000))
def test_what_tells_nothing_new_gets_nothing(seed):
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(30, 4))
    columns[:, 2], columns[:, 3] = columns[:, 0], 0
    right = columns[:, 0] * 2 + columns[:, 1] + 0.1 * rng.normal(size=30)
    found = np.empty(4)
    non_negative(columns.T @ columns, columns.T @ right, found)
    assert min(found[0], found[2]) == 0
    assert found[3] == 0
    expected = np.linalg.lstsq(columns[:, :2], right, rcond=None)[0]
    np.testing.assert_allclose([found[0] + found[2], found[1]], expected, atol=1e-8)


@given(st.integers(0, 10_000), st.sampled_from([-1, 0, 3, 9]))
def test_scalings_are_those_of_regressions(seed, delta):
    rng = np.random.default_rng(seed)
    n_units, n_channels, n_window, nbefore = 3, 4, 6, 2
    traces = rng.normal(0, 20, (60, n_channels)).astype("i2")
    scale = np.array([[1, 0.5, 2, 1], [0, 3, 0, 1]], "f4")
    mask = rng.random((n_units, n_channels)) < 0.6
    mask[:, 0] = mask[:, 0] | ~mask.any(axis=1)
    templates = rng.normal(size=(n_units, n_channels, n_window)) * mask[:, :, np.newaxis]
    templates[2] *= rng.choice([0, 1])
    rows = np.sort(rng.integers(0, 60, 12))
    units = rng.integers(0, n_units, 12)
    sums = np.where(templates.any(axis=2), templates.sum(axis=2), np.nan)
    counts = mask.astype(int)
    shares = counts @ counts.T > 0
    windows = Windows(traces, scale, rows - nbefore, units)
    spikes = np.array([0, 3, 4, 11])
    scalings, has_collided = np.zeros(4, "f4"), np.zeros(4, bool)
    energies = np.where(rng.random(n_units) < 0.5, (templates**2).sum(axis=(1, 2)), np.nan)
    shapes = Shapes(templates, sums, mask, shares, energies)
    fit_scalings(windows, shapes, spikes, delta, scalings, has_collided)
    for k, spike in enumerate(spikes.tolist()):
        others = [
            (int(rows[j]), int(units[j]))
            for j in range(12)
            if j != spike
            and shares[units[spike], units[j]]
            and delta >= 0
            and (rows[spike] - delta <= rows[j])
            and (rows[j] < rows[spike] + delta or (j < spike and rows[j] == rows[spike]))
        ]
        own = (int(rows[spike]), int(units[spike]))
        same = [own[1] == unit and row == own[0] for row, unit in others]
        assert has_collided[k] == bool(others)
        if any(same):
            continue  # one and the same twice: how much each of them gets is anyone's choice
        expected = twin.scaling(traces, scale, own, others, templates, mask, nbefore)
        twice = len(set(others)) < len(others)
        if not twice:
            np.testing.assert_allclose(scalings[k], expected, rtol=1e-4, atol=1e-5)


def test_a_spike_that_is_there_twice_has_a_half_each_time():
    template = np.array([1.0, -5.0, 2.0, 0.5])
    traces = np.zeros((12, 1), "f4")
    traces[4:8, 0] = 3 * template
    mask, scale = np.ones((1, 1), bool), np.array([[1], [0]], "f4")
    shapes = Shapes(
        template[np.newaxis, np.newaxis],
        template.sum(keepdims=True)[:, None],
        mask,
        mask,
        np.array([template @ template]),
    )
    windows = Windows(traces, scale, np.array([4, 4]), np.array([0, 0]))
    scalings, has_collided = np.zeros(2, "f4"), np.zeros(2, bool)
    fit_scalings(windows, shapes, np.arange(2), 5, scalings, has_collided)
    np.testing.assert_allclose(scalings, 1.5, rtol=1e-6)
