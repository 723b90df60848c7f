"""The high-pass filter through which raw data are looked at.

A window is cut out of the recording with margins, filtered forward and backward, and the margins
are dropped. What lies beyond them is not known, and the filter forgets it only slowly: its
slowest mode falls to a third in 2.1 ms at 150 Hz. So the recording is taken to go on beyond either
margin as it is at its end: constant, at the mean of the outermost `HighPass.level_ms`. That is as
good a guess as there is (the best linear one, for the sum of white noise and of local field
potentials with a spectrum of 1/f², is hardly better), and the filter is started in both directions
as if it had run over all of that.

The error that is left, in a window of 82 samples at 30 kHz, is 0.4 % of the standard deviation of
filtered white noise, 0.8 % with field potentials as strong as the noise at 300 Hz, and 2 % where
they are so at 1000 Hz. A spike of ten standard deviations is off by a thousandth or two at most.
Started at the value of the first sample, which is mostly noise, the filter would need 10 ms for the
first of these.
"""

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
    margin_ms: float = 5.0
    """What is read on either side of a window so that the filter has settled inside it."""
    level_ms: float = 1.0
    """What of either end is averaged to continue the recording beyond it."""

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
    def level_samples(self) -> int:
        """`level_ms` in samples, at least one."""
        return max(1, round(self.level_ms * self.sampling_frequency / 1000))

    @property
    def sections(self) -> NDArray[np.float32]:
        """Second-order sections ``b0 b1 b2 1 a1 a2``; shape (n_sections, 6)."""
        return _design(self.order, self.cutoff_hz, self.sampling_frequency)[0]

    @property
    def ends(self) -> NDArray[np.float32]:
        """What the filter starts from; shape (2 * n_sections, 1 + 2 * n_sections).

        The first column is the state when the input always was one. The others are a matrix that
        takes the state after the forward pass, less that for the level at which the recording goes
        on, to the state in which the backward pass arrives there.
        """
        return _design(self.order, self.cutoff_hz, self.sampling_frequency)[1]


@cache
def _design(
    order: int, cutoff_hz: float, sampling_frequency: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return `HighPass.sections` and `HighPass.ends`.

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
    steady = np.zeros(2 * len(sos))
    steady[:2] = -sos[0, 0], sos[0, 2]
    ends = np.column_stack([steady, _turn(sos.astype(np.float64))]).astype(np.float32)
    for array in (sos, ends):
        array.setflags(write=False)
    return sos, ends


def _turn(sections: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the state that the backward pass gets from a forward pass whose input has ended.

    With ``s' = A s + b x`` and ``y = c s + d x`` for one step of the filter, the forward pass goes
    on as ``y[k] = c A^k s``, and the backward pass over all of this ends in ``sum A^k b y[k]``,
    which is ``T s`` with ``T = b c + A T A``. Shape (2 * n_sections, 2 * n_sections).
    """
    n_states = 2 * len(sections)
    # Each step is linear: it is found by what it makes of each state and of the input.
    unit = np.eye(n_states + 1)
    states, signal = unit[:n_states].copy(), unit[n_states].copy()
    stepped = np.empty((n_states, n_states + 1))
    for k, (b0, b1, b2, _, a1, a2) in enumerate(sections):
        output = b0 * signal + states[2 * k]
        stepped[2 * k] = b1 * signal - a1 * output + states[2 * k + 1]
        stepped[2 * k + 1] = b2 * signal - a2 * output
        signal = output
    step, entry, exit_ = stepped[:, :n_states], stepped[:, n_states:], signal[None, :n_states]
    system = np.eye(n_states**2) - np.kron(step, step.T)
    return np.linalg.solve(system, (entry @ exit_).ravel()).reshape(n_states, n_states)
