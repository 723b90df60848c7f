"""Where the channels of a small made-up probe lie."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError


def two_column_probe(
    n_channels: int = 32, *, column_spacing_um: float = 32.0, step_um: float = 20.0
) -> NDArray[np.float64]:
    """Return the channel positions of a linear probe with two staggered columns.

    Parameters
    ----------
    n_channels : int, default 32
        Number of channels, counted from the tip.
    column_spacing_um : float, default 32.0
        Distance between the columns.
    step_um : float, default 20.0
        How much farther up the probe each channel lies than the one before it, which is in the
        other column.

    Returns
    -------
    ndarray of shape (n_channels, 2) and dtype float64
        Across and along the probe, in um.

    Raises
    ------
    ParameterError
        If there is no channel, or two would lie at the same place.

    Examples
    --------
    >>> two_column_probe(3).tolist()
    [[0.0, 0.0], [32.0, 20.0], [0.0, 40.0]]
    """
    if n_channels < 1:
        msg = f"n_channels={n_channels}; a probe has at least one channel."
        raise ParameterError(msg)
    if step_um <= 0:
        msg = f"step_um={step_um} is not positive; channels would lie on each other."
        raise ParameterError(msg)
    channels = np.arange(n_channels)
    return np.column_stack([column_spacing_um * (channels % 2), step_um * channels])
