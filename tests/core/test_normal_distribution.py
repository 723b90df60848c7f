"""The density is the one that scipy knows."""

import numpy as np
import pytest
from scipy import stats

import spikeloom as si


def test_the_density_is_that_of_scipy():
    x = np.linspace(-4, 9, 50)
    np.testing.assert_allclose(si.normal_pdf(x, 2.0, 3.0), stats.norm.pdf(x, 2.0, 3.0))


def test_a_standard_deviation_is_positive():
    with pytest.raises(ValueError, match="positive"):
        si.normal_pdf(0.0, sigma=0.0)
