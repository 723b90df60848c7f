"""Cut filtered windows of raw traces, several side by side."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.filters import filter_forward_backward
from spikeloom.kernels.jit import kernel

_SPAN_MAX = 2
"""Channels that are copied and filtered, for each that is wanted, at most."""


@kernel
def cut_filtered_windows(
    raw: NDArray[np.generic],
    starts: NDArray[np.int64],
    channels: NDArray[np.int64],
    sections: NDArray[np.float32],
    ends: NDArray[np.float32],
    n_level_samples: int,
    scratch: NDArray[np.float32],
    windows: NDArray[np.float32],
) -> None:
    """Copy the window that begins at each of `starts` into `windows`, filtered.

    `raw` is (n_samples, n_raw_channels) of any number type, `windows` is
    (n_windows, n_window_samples, n_channels); `sections`, `ends` and `n_level_samples` are those of
    `filter_forward_backward`. Each window is read with a margin on either side, in which the
    filter settles; outside the recording the nearest sample is repeated.

    `scratch` is (n_window_samples + 2 * margin + 1 + 2 * n_states, n_lanes), with a lane for each
    channel at least. As many windows as there is room for lie side by side in it and are filtered
    together: a filter has to wait for its own last step, which other lanes fill.
    """
    n_wide = scratch.shape[0] - 1 - 4 * sections.shape[0]
    lanes, state = scratch[:n_wide], scratch[n_wide:]
    n_window_samples = windows.shape[1]
    margin = (n_wide - n_window_samples) // 2
    n_channels = channels.size
    # Neighbours in the file are copied by vector instructions, also with some more between them.
    low = channels.min()
    width = channels.max() + 1 - low
    is_dense = width <= min(_SPAN_MAX * n_channels, scratch.shape[1])
    if not is_dense:
        width = n_channels
    n_side_by_side = scratch.shape[1] // width
    for first in range(0, starts.size, n_side_by_side):
        last = min(first + n_side_by_side, starts.size)
        for i in range(first, last):
            lane = (i - first) * width
            if is_dense:
                _lay_neighbours(raw, starts[i] - margin, low, lanes, lane, width)
            else:
                _lay_channels(raw, starts[i] - margin, channels, lanes, lane)
        filter_forward_backward(lanes, margin, sections, ends, n_level_samples, state)
        for i in range(first, last):
            lane = (i - first) * width
            for t in range(n_window_samples):
                source = lanes[margin + t, lane : lane + width]
                for c in range(n_channels):
                    windows[i, t, c] = source[channels[c] - low if is_dense else c]


@kernel
def _lay_neighbours(
    raw: NDArray[np.generic],
    start: int,
    low: int,
    lanes: NDArray[np.float32],
    lane: int,
    width: int,
) -> None:
    """Copy `width` channels from `low` on into `lanes` from `lane` on, from sample `start` on."""
    for t in range(lanes.shape[0]):
        sample = min(max(start + t, 0), raw.shape[0] - 1)
        source = raw[sample, low : low + width]
        target = lanes[t, lane : lane + width]
        for c in range(width):
            target[c] = source[c]


@kernel
def _lay_channels(
    raw: NDArray[np.generic],
    start: int,
    channels: NDArray[np.int64],
    lanes: NDArray[np.float32],
    lane: int,
) -> None:
    """Copy `channels` into `lanes` from `lane` on, from sample `start` on."""
    n_channels = channels.size
    for t in range(lanes.shape[0]):
        sample = min(max(start + t, 0), raw.shape[0] - 1)
        source = raw[sample]
        target = lanes[t, lane : lane + n_channels]
        for c in range(n_channels):
            target[c] = source[channels[c]]
