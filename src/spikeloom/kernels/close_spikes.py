"""Go through spike trains and drop spikes that are too close to others."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def drop_close_spikes(
    samples: NDArray[np.int64],
    is_first: NDArray[np.bool_],
    period: int,
    drops_later: NDArray[np.bool_],
    is_dropped: NDArray[np.bool_],
) -> None:
    """Mark spikes until none are left that are at most `period` samples apart.

    Samples do not decrease within a train; `is_first` tells where trains begin. Each spike is
    compared with the last one that stays: where it is too close, it goes itself, or that one does
    if `drops_later` of it is False.
    """
    last = 0
    for i in range(samples.size):
        if is_first[i] or samples[i] - samples[last] > period:
            last = i
        elif drops_later[i]:
            is_dropped[i] = True
        else:
            is_dropped[last] = True
            last = i
