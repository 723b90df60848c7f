import numpy as np
import pytest

from reference import delayed_waveforms as twin
from spikeloom.kernels.delayed_waveforms import write_delayed


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_steps", [1, 4])
def test_waveforms_equal_the_twin(dtype, n_steps):
    rng = np.random.default_rng(0)
    grid = rng.normal(size=(3, 60)).astype(dtype)
    first = rng.integers(0, 60 - 9 * n_steps - 1, (3, 5))
    shares, gains = rng.random((2, 3, 5)).astype(dtype)
    templates = np.full((3, 9, 5), np.nan, dtype)
    write_delayed(grid, first, shares, gains, n_steps, templates)
    for unit in range(3):
        for c in range(5):
            own = (first[unit, c], shares[unit, c], gains[unit, c])
            expected = twin.delayed_waveform(grid[unit].tolist(), *own, n_steps, 9)
            np.testing.assert_allclose(templates[unit, :, c], expected, rtol=1e-4, atol=1e-5)
