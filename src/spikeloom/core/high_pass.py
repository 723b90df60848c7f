"""The high-pass filter through which raw data are looked at."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt_zi

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

    @cached_property
    def sections(self) -> NDArray[np.float32]:
        """Second-order sections ``b0 b1 b2 1 a1 a2``; shape (n_sections, 6)."""
        sos = butter(
            self.order, self.cutoff_hz, "highpass", fs=self.sampling_frequency, output="sos"
        )
        return np.ascontiguousarray(sos, np.float32)

    @cached_property
    def steady(self) -> NDArray[np.float32]:
        """State of each section when its own input is constantly one; shape (n_sections, 2)."""
        sections = self.sections.astype(np.float64)
        return np.array([sosfilt_zi(section[None])[0] for section in sections], np.float32)
