"""Zero-phase recursive filtering of short blocks, vectorised over channels.

Blocks are time-major, (n_samples, n_channels): the inner loop runs over channels, which the
compiler turns into vector instructions. A filter is a cascade of second-order sections in
transposed direct form II, run forward and then backward, each time from the steady state of
the first sample it meets (so that an offset does not ring).
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def filter_forward_backward(
    block: NDArray[np.float32],
    sections: NDArray[np.float32],
    steady: NDArray[np.float32],
    state: NDArray[np.float32],
) -> None:
    """Filter `block` (n_samples, n_channels) in place, forward then backward.

    `sections` (n_sections, 6) are ``b0 b1 b2 1 a1 a2``; `steady` (n_sections, 2) is their state
    for a constant input of one; `state` (2, n_channels) is scratch.
    """
    n_samples, n_channels = block.shape
    for s in range(sections.shape[0]):
        b0, b1, b2 = sections[s, 0], sections[s, 1], sections[s, 2]
        a1, a2 = sections[s, 4], sections[s, 5]
        for c in range(n_channels):
            state[0, c] = steady[s, 0] * block[0, c]
            state[1, c] = steady[s, 1] * block[0, c]
        for t in range(n_samples):
            for c in range(n_channels):
                x = block[t, c]
                y = b0 * x + state[0, c]
                state[0, c] = b1 * x - a1 * y + state[1, c]
                state[1, c] = b2 * x - a2 * y
                block[t, c] = y
    for s in range(sections.shape[0]):
        b0, b1, b2 = sections[s, 0], sections[s, 1], sections[s, 2]
        a1, a2 = sections[s, 4], sections[s, 5]
        for c in range(n_channels):
            state[0, c] = steady[s, 0] * block[n_samples - 1, c]
            state[1, c] = steady[s, 1] * block[n_samples - 1, c]
        # Counted up: inside a loop that counts down, the one over channels is not vectorised.
        for k in range(n_samples):
            t = n_samples - 1 - k
            for c in range(n_channels):
                x = block[t, c]
                y = b0 * x + state[0, c]
                state[0, c] = b1 * x - a1 * y + state[1, c]
                state[1, c] = b2 * x - a2 * y
                block[t, c] = y
