"""The high-pass filter through which raw data are looked at."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError


@dataclass(frozen=True)
class HighPass:
    """A Butterworth high-pass filter, to be run forward and backward (zero phase).

    Raises
    ------
    ParameterError
        If the cut-off is not between zero and half the sampling frequency.
    """

    sampling_frequency: float
    """In Hz."""
    cutoff_hz: float = 150.0
    """Frequency of half power of one pass, in Hz. phy's default."""
    order: int = 3
    """Order of one pass."""
    margin_ms: float = 10.0
    """What is read on either side of a window so that the filter has settled inside it."""

    def __post_init__(self) -> None:
        nyquist_hz = self.sampling_frequency / 2
        if not 0 < self.cutoff_hz < nyquist_hz:
            msg = (
                f"cutoff_hz={self.cutoff_hz} is not between 0 and the Nyquist frequency "
                f"{nyquist_hz} Hz of this recording."
            )
            raise ParameterError(msg)

    @property
    def margin_samples(self) -> int:
        """`margin_ms` in samples."""
        return round(self.margin_ms * self.sampling_frequency / 1000)

    @property
    def sections(self) -> NDArray[np.float32]:
        """Second-order sections ``b0 b1 b2 1 a1 a2``; shape (n_sections, 6)."""
        return _design(self.order, self.cutoff_hz, self.sampling_frequency)[0]

    @property
    def steady(self) -> NDArray[np.float32]:
        """State of each section when its own input is constantly one; shape (n_sections, 2)."""
        return _design(self.order, self.cutoff_hz, self.sampling_frequency)[1]


@cache
def _design(
    order: int, cutoff_hz: float, sampling_frequency: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return `HighPass.sections` and `HighPass.steady`.

    The analogue Butterworth filter with its cut-off bent so that the bilinear transform puts it
    where it was asked for: a section for each pair of poles and one for the real pole that an odd
    order has, the most damped first. The same filter as ``scipy.signal.butter`` designs; that
    module would take as long to import as everything else together.
    """
    t = np.tan(np.pi * cutoff_hz / sampling_frequency)
    sections, gain = [], 1.0
    if order % 2:
        sections.append([1, -1, 0, 1, (t - 1) / (t + 1), 0])
        gain /= t + 1
    for k in reversed(range(order // 2)):
        damping = 2 * np.sin(np.pi * (2 * k + 1) / (2 * order))
        scale = 1 + damping * t + t**2
        sections.append([1, -2, 1, 1, 2 * (t**2 - 1) / scale, (1 - damping * t + t**2) / scale])
        gain /= scale
    sos = np.array(sections)
    sos[0, :3] *= gain
    sos = sos.astype(np.float32)
    # A constant input leaves nothing behind, so all of the state is what cancels it.
    steady = np.column_stack([-sos[:, 0], sos[:, 2]])
    for array in (sos, steady):
        array.setflags(write=False)
    return sos, steady
