"""The unit that a channel was recorded in, and the way to it, beside the gain to microvolts."""

import numpy as np
from numpy.typing import ArrayLike

from spikeloom.core.recording import BaseRecording


def set_physical_units(
    recording: BaseRecording, units: ArrayLike, gains: ArrayLike, offsets: ArrayLike = 0.0
) -> None:
    """Set the properties that tell the unit of each channel, which may be no voltage.

    Parameters
    ----------
    recording : BaseRecording
        It gets ``physical_unit``, ``gain_to_physical_unit`` and ``offset_to_physical_unit``.
    units : str or array_like of shape (n_channels,)
        The units, of all channels or of each.
    gains, offsets : float or array_like of shape (n_channels,)
        Value in that unit = gain * stored value + offset.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((10, 2), "int16")], 1000.0)
    >>> set_physical_units(recording, "mV", [0.5, 0.25])
    >>> recording.get_property("gain_to_physical_unit")
    array([0.5 , 0.25])
    """
    n_channels = recording.get_num_channels()
    recording.set_property("physical_unit", np.array(np.broadcast_to(units, n_channels)))
    for name, values in (("gain", gains), ("offset", offsets)):
        numbers = np.array(np.broadcast_to(np.asarray(values, np.float64), n_channels))
        recording.set_property(f"{name}_to_physical_unit", numbers)
