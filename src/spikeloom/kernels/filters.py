"""Zero-phase recursive filtering of short blocks, vectorised over channels.

Blocks are time-major, (n_samples, n_channels): the inner loop runs over channels, which the
compiler turns into vector instructions. A filter is a cascade of second-order sections in
transposed direct form II, run forward and then backward, as if the signal had always been, and
went on for ever, at the mean of its first and of its last samples (so that an offset does not ring,
and a single odd sample does not matter).
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def filter_forward_backward(
    block: NDArray[np.float32],
    n_dropped: int,
    sections: NDArray[np.float32],
    ends: NDArray[np.float32],
    n_level_samples: int,
    state: NDArray[np.float32],
) -> None:
    """Filter `block` (n_samples, n_channels) in place, forward then backward.

    What is left in the first `n_dropped` samples is of no use: they are filtered forward only.

    `sections` (n_sections, 6) are ``b0 b1 b2 1 a1 a2``. `ends` (n_states, 1 + n_states), with two
    states for each section, holds their state for a constant input of one, then the matrix from
    the state after the forward pass to the state before the backward pass, both for an input that
    goes on at zero. `n_level_samples` are averaged at each end. `state` (1 + 2 * n_states,
    n_channels) is scratch.
    """
    n_samples, n_channels = block.shape
    n_states = 2 * sections.shape[0]
    n_level = min(max(n_level_samples, 1), n_samples)
    forward, backward = state[:n_states], state[n_states : 2 * n_states]
    level = state[2 * n_states]
    _average(block[:n_level], level)
    for s in range(n_states):
        for c in range(n_channels):
            forward[s, c] = ends[s, 0] * level[c]
    _average(block[n_samples - n_level :], level)
    _run(block, 0, 1, n_samples, sections, forward)
    for s in range(n_states):
        for c in range(n_channels):
            forward[s, c] -= ends[s, 0] * level[c]
            backward[s, c] = 0
    for s in range(n_states):
        for r in range(n_states):
            for c in range(n_channels):
                backward[s, c] += ends[s, 1 + r] * forward[r, c]
    _run(block, n_samples - 1, -1, n_samples - n_dropped, sections, backward)


@kernel
def _average(samples: NDArray[np.float32], mean: NDArray[np.float32]) -> None:
    """Average `samples` (n_samples, n_channels) over time into `mean` (n_channels,)."""
    n_samples, n_channels = samples.shape
    for c in range(n_channels):
        mean[c] = 0
    for t in range(n_samples):
        for c in range(n_channels):
            mean[c] += samples[t, c]
    scale = np.float32(1 / n_samples)
    for c in range(n_channels):
        mean[c] *= scale


@kernel
def _run(
    block: NDArray[np.float32],
    first: int,
    step: int,
    n_steps: int,
    sections: NDArray[np.float32],
    state: NDArray[np.float32],
) -> None:
    """Run the cascade over the samples ``first + k * step`` of `block`, in place.

    The loops count up in either direction: inside one that counts down, that over channels is not
    vectorised.
    """
    n_channels = block.shape[1]
    n_done = 0
    if sections.shape[0] > 1 and sections[0, 2] == 0 and sections[0, 5] == 0:
        # Most of the time goes into loads and stores: a section of first order, as odd orders have
        # it, takes none of its own if it shares the loop of the next.
        a0, a1, e1 = sections[0, 0], sections[0, 1], sections[0, 4]
        b0, b1, b2 = sections[1, 0], sections[1, 1], sections[1, 2]
        f1, f2 = sections[1, 4], sections[1, 5]
        early, late, later = state[0], state[2], state[3]
        for k in range(n_steps):
            row = block[first + k * step]
            for c in range(n_channels):
                x = row[c]
                u = a0 * x + early[c]
                early[c] = a1 * x - e1 * u
                y = b0 * u + late[c]
                late[c] = b1 * u - f1 * y + later[c]
                later[c] = b2 * u - f2 * y
                row[c] = y
        n_done = 2
    for s in range(n_done, sections.shape[0]):
        b0, b1, b2 = sections[s, 0], sections[s, 1], sections[s, 2]
        f1, f2 = sections[s, 4], sections[s, 5]
        late, later = state[2 * s], state[2 * s + 1]
        for k in range(n_steps):
            row = block[first + k * step]
            for c in range(n_channels):
                x = row[c]
                y = b0 * x + late[c]
                late[c] = b1 * x - f1 * y + later[c]
                later[c] = b2 * x - f2 * y
                row[c] = y
