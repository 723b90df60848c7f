"""Cut filtered windows of raw traces, several side by side."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.filters import filter_forward_backward
from spikeloom.kernels.jit import kernel


@kernel
def cut_filtered_windows(
    raw: NDArray[np.generic],
    starts: NDArray[np.int64],
    channels: NDArray[np.int64],
    sections: NDArray[np.float32],
    steady: NDArray[np.float32],
    lanes: NDArray[np.float32],
    state: NDArray[np.float32],
    windows: NDArray[np.float32],
) -> None:
    """Copy the window that begins at each of `starts` into `windows`, filtered.

    `raw` is (n_samples, n_raw_channels) of any number type, `windows` is
    (n_windows, n_window_samples, n_channels); `sections` and `steady` are those of
    `filter_forward_backward`. Each window is read with a margin on either side, in which the
    filter settles; outside the recording the nearest sample is repeated.

    `lanes` (n_window_samples + 2 * margin, n_lanes) and `state` (2, n_lanes) are scratch. As many
    windows as there is room for lie side by side in `lanes` and are filtered together: a filter
    has to wait for its own last step, which other lanes fill.
    """
    n_samples = raw.shape[0]
    n_wide = lanes.shape[0]
    n_window_samples = windows.shape[1]
    margin = (n_wide - n_window_samples) // 2
    n_channels = channels.size
    n_side_by_side = lanes.shape[1] // n_channels
    for first in range(0, starts.size, n_side_by_side):
        last = min(first + n_side_by_side, starts.size)
        for i in range(first, last):
            lane = (i - first) * n_channels
            for t in range(n_wide):
                sample = min(max(starts[i] - margin + t, 0), n_samples - 1)
                source = raw[sample]
                target = lanes[t, lane : lane + n_channels]
                for c in range(n_channels):
                    target[c] = source[channels[c]]
        filter_forward_backward(lanes, sections, steady, state)
        for i in range(first, last):
            lane = (i - first) * n_channels
            for t in range(n_window_samples):
                source = lanes[margin + t, lane : lane + n_channels]
                for c in range(n_channels):
                    windows[i, t, c] = source[c]
