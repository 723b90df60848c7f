import numpy as np
import pytest
from scipy.signal import sosfreqz

from reference import filters
from spikeloom.core.high_pass import HighPass
from spikeloom.core.raw_traces import RawTraces
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
def test_the_margin_is_five_milliseconds_and_the_level_that_of_one(rate):
    assert HighPass(rate).margin_samples == rate / 200
    assert HighPass(rate).level_samples == rate / 1000
    assert HighPass(400.0).level_samples == 1


def coloured(spectrum_hz, n_samples=1 << 17):
    """Return white noise and noise of a spectrum of 1/f², as strong as it at `spectrum_hz`."""
    white = np.random.default_rng(5).standard_normal(n_samples)
    frequencies = np.fft.rfftfreq(n_samples, 1 / 30_000)
    frequencies[0] = np.inf
    shape = np.sqrt(1 + (spectrum_hz / frequencies) ** 2)
    return np.fft.irfft(np.fft.rfft(white) * shape, n_samples)


@pytest.mark.parametrize(("spectrum_hz", "share"), [(0, 0.006), (300, 0.012), (1000, 0.03)])
def test_windows_are_as_cut_from_the_filtered_recording(spectrum_hz, share):
    # The figures of the module's description, with some room: the root of the mean square error
    # as a share of the standard deviation of the filtered recording.
    high_pass = HighPass(30_000.0)
    raw = (20 * coloured(spectrum_hz))[:, None]
    whole = filters.forward_backward(raw, filters.high_pass(30_000.0), high_pass.level_samples)
    starts = np.arange(3000, len(raw) - 3000, 97)
    traces = RawTraces((raw,), np.arange(1), 30_000.0)
    windows = traces.cut_windows(starts, 82, high_pass=high_pass)[:, :, 0]
    error = windows - whole[starts[:, None] + np.arange(82), 0]
    assert np.sqrt(np.mean(error**2)) < share * whole.std()


@pytest.mark.parametrize("cutoff_hz", [0.0, -1.0, 500.0, 600.0])
def test_a_cutoff_outside_of_what_the_sampling_allows_is_an_error(cutoff_hz):
    with pytest.raises(ParameterError, match="Nyquist frequency 500"):
        HighPass(1000.0, cutoff_hz=cutoff_hz)
