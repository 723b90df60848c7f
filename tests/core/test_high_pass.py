import numpy as np
import pytest
from scipy.signal import sosfreqz

from spikeloom.core.high_pass import HighPass
from spikeloom.errors import ParameterError


def test_the_default_is_the_filter_of_phy():
    high_pass = HighPass(30_000.0)
    _, response = sosfreqz(high_pass.sections.astype(float), worN=[150.0, 15.0], fs=3e4)
    assert abs(response[0]) ** 2 == pytest.approx(0.5, rel=1e-2)  # half power at 150 Hz
    assert abs(response[1]) == pytest.approx(1e-3, rel=5e-2)  # third order: 60 dB a decade below


def test_sections_are_normalised_as_the_kernel_expects():
    sections = HighPass(20_000.0, order=5).sections
    assert sections.shape == (3, 6)
    assert np.all(sections[:, 3] == 1)
    assert sections.dtype == np.float32


@pytest.mark.parametrize("rate", [15_000.0, 30_000.0])
def test_the_margin_is_ten_milliseconds(rate):
    assert HighPass(rate).margin_samples == rate / 100


@pytest.mark.parametrize("cutoff_hz", [0.0, -1.0, 500.0, 600.0])
def test_a_cutoff_outside_of_what_the_sampling_allows_is_an_error(cutoff_hz):
    with pytest.raises(ParameterError, match="Nyquist frequency 500"):
        HighPass(1000.0, cutoff_hz=cutoff_hz)
