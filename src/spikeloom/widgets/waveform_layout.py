"""Where waveforms of many channels are drawn in one plane: each at the place of its channel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

DISTANCE_um = 20.0
"""Taken for the distance of channels where there is only one."""


@dataclass(frozen=True, eq=False)
class WaveformLayout:
    """How samples and voltages become places on the probe."""

    locations_um: NDArray[np.float64]
    """Middle of each channel; shape (n_channels, 2)."""
    sample_um: float
    """Width of a sample."""
    voltage_um: float
    """Height of one microvolt, or step."""
    n_samples: int
    """Samples of a waveform."""

    def x_um(self, channels: ArrayLike, shift_um: float = 0.0) -> NDArray[np.float64]:
        """Return where samples are drawn, NaN behind each channel; shape (n_channels, n_samples+1).

        The NaN keeps the lines of two channels apart.
        """
        samples = (np.arange(self.n_samples + 1.0) - (self.n_samples - 1) / 2) * self.sample_um
        places = self.locations_um[np.asarray(channels), 0][:, np.newaxis] + samples + shift_um
        places[:, -1] = np.nan
        return np.asarray(places)

    def y_um(self, waveforms: NDArray[np.floating], channels: ArrayLike) -> NDArray[np.float64]:
        """Return where voltages are drawn.

        Parameters
        ----------
        waveforms : ndarray of shape (..., n_samples, n_channels)
            On these channels.
        channels : array_like of shape (n_channels,)

        Returns
        -------
        ndarray of shape (..., n_channels, n_samples + 1)
            With NaN behind each channel.
        """
        values = np.moveaxis(np.asarray(waveforms, np.float64), -1, -2) * self.voltage_um
        values = values + self.locations_um[np.asarray(channels), 1][:, np.newaxis]
        gap = np.full((*values.shape[:-1], 1), np.nan)
        return np.concatenate([values, gap], axis=-1)


def distances_of(locations_um: ArrayLike) -> tuple[float, float]:
    """Return the distance of channels side by side, and of those above each other.

    Parameters
    ----------
    locations_um : array_like of shape (n_channels, 2)

    Returns
    -------
    across_um, along_um : float

    Examples
    --------
    >>> distances_of([[0, 0], [30, 0], [0, 20], [30, 20]])
    (30.0, 20.0)
    >>> distances_of([[0, 0], [0, 25], [0, 50]])
    (25.0, 25.0)
    """
    places = np.asarray(locations_um, np.float64)[:, :2]
    dx, dy = np.abs(places[:, np.newaxis] - places[np.newaxis]).transpose(2, 0, 1)
    row_height = _smallest(dy, np.inf)
    across = _smallest(dx[dy < 0.5 * row_height], np.inf)
    along = _smallest(dy[dx < 0.5 * min(across, _smallest(dx, np.inf))], row_height)
    if not np.isfinite(across):
        across = along
    if not np.isfinite(along):
        along = across
    return (across, along) if np.isfinite(across) else (DISTANCE_um, DISTANCE_um)


def _smallest(distances: NDArray[np.float64], otherwise: float) -> float:
    """Return the smallest distance that is not zero."""
    found = distances[distances > 1e-6]
    return float(found.min()) if found.size else otherwise


def layout_of(
    locations_um: ArrayLike,
    templates: NDArray[np.floating],
    scale: float = 1.0,
    widen: float = 1.0,
) -> WaveformLayout:
    """Return a layout in which waveforms have room.

    Parameters
    ----------
    locations_um : array_like of shape (n_channels, 2)
        Middle of each channel.
    templates : ndarray of shape (n_units, n_samples, n_channels)
        The largest of them is a bit higher than the distance of channels.
    scale, widen : float, default 1
        Factors by which waveforms are higher and wider.

    Returns
    -------
    WaveformLayout

    Examples
    --------
    >>> layout = layout_of([[0, 0], [0, 20]], np.array([[[0, 0], [-60.0, 0]]]))
    >>> layout.voltage_um
    0.4
    """
    places = np.asarray(locations_um, np.float64)[:, :2]
    across, along = distances_of(places)
    n_samples = templates.shape[1]
    height = float(np.ptp(templates, axis=1).max(initial=0.0)) or 1.0
    return WaveformLayout(
        places, 0.85 * widen * across / n_samples, 1.2 * scale * along / height, n_samples
    )
