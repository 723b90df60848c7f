import numpy as np
import pytest

from reference.projections import project
from spikeloom.kernels.projections import project_windows
from spikeloom.postprocessing.all_projections import ProjectionTask

N_WINDOW, N_COMPONENTS = 7, 3


def made(dtype, seed=0):
    rng = np.random.default_rng(seed)
    traces = rng.integers(-100, 100, (60, 6)).astype(dtype)
    mask = rng.random((5, 6)) < 0.6
    mask[3] = mask[1]  # one set of channels for both
    mask[4] = False
    columns = np.where(mask, np.cumsum(mask, axis=1) - 1, -1)
    weights = rng.normal(size=(6, N_WINDOW, N_COMPONENTS)).astype(np.float32)
    offsets = rng.normal(size=(6, N_COMPONENTS)).astype(np.float32)
    starts = np.sort(rng.integers(-N_WINDOW - 3, 65, 200))
    return traces, columns, weights, offsets, starts, rng.integers(0, 5, 200)


def projected(traces, scale, starts, units, columns, weights, offsets):
    found = np.zeros((len(starts), N_COMPONENTS, 6), np.float32)
    task = ProjectionTask(None, (3, N_WINDOW - 3), columns, weights, offsets, found)
    project_windows(traces, scale, starts, units, N_WINDOW, task._axes, found)
    return found


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32, np.float64])
def test_equals_one_product_after_the_other(dtype):
    traces, columns, weights, offsets, starts, units = made(dtype)
    scale = np.array([np.linspace(0.5, 2, 6), np.linspace(-3, 3, 6)], np.float32)
    found = projected(traces, scale, starts, units, columns, weights, offsets)
    scaled = traces * scale[0].astype(float) + scale[1]
    expected = project(scaled, starts, units, columns, weights.astype(float), offsets, 6)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-3)
    assert np.abs(expected).max() > 100


def test_windows_know_nothing_of_each_other():
    traces, columns, weights, offsets, starts, units = made(np.int16, 1)
    scale = np.ones((2, 6), np.float32)
    args = columns, weights, offsets
    together = projected(traces, scale, starts, units, *args)
    for i in range(0, 200, 17):
        alone = projected(traces, scale, starts[i : i + 1], units[i : i + 1], *args)
        np.testing.assert_array_equal(alone[0], together[i])
