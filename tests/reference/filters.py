"""Twin of the zero-phase filter: scipy's cascade, forward then backward."""

import numpy as np
from scipy.signal import butter, sosfilt, sosfilt_zi


def forward_backward(block, sos):
    """Filter `block` (n_samples, n_channels), each pass from the steady state of its first sample.

    In double precision.
    """
    signal = np.asarray(block, np.float64)
    steady = sosfilt_zi(np.asarray(sos, np.float64))[:, :, None]  # (n_sections, 2, 1)
    signal, _ = sosfilt(sos, signal, axis=0, zi=steady * signal[0])
    backward, _ = sosfilt(sos, signal[::-1], axis=0, zi=steady * signal[-1])
    return backward[::-1]


def high_pass(sampling_frequency, cutoff_hz=150.0, order=3):
    """Return the sections of phy's filter in double precision."""
    return butter(order, cutoff_hz, "highpass", fs=sampling_frequency, output="sos")
