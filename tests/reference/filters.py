"""Twin of the zero-phase filter: scipy's cascade, forward then backward over a longer signal."""

import numpy as np
from scipy.signal import butter, sos2zpk, sosfilt, sosfilt_zi


def forward_backward(block, sos, n_level):
    """Filter `block` (n_samples, n_channels) as if it went on for ever, in double precision.

    It is taken to be constant beyond either end, at the mean of its outermost `n_level` samples.
    """
    sos = np.asarray(sos, np.float64)
    signal = np.asarray(block, np.float64)
    before, after = signal[:n_level].mean(axis=0), signal[-n_level:].mean(axis=0)
    n_long = int(-25 / np.log(np.abs(sos2zpk(sos)[1]).max()))  # what is left then is e^-25
    longer = np.concatenate([signal, np.tile(after, (n_long, 1))])
    steady = sosfilt_zi(sos)[:, :, None]  # (n_sections, 2, 1)
    forward, _ = sosfilt(sos, longer, axis=0, zi=steady * before)
    return sosfilt(sos, forward[::-1], axis=0)[::-1][: len(signal)]


def high_pass(sampling_frequency, cutoff_hz=150.0, order=3):
    """Return the sections of phy's filter in double precision."""
    return butter(order, cutoff_hz, "highpass", fs=sampling_frequency, output="sos")
