"""Recordings with spikes in them, small enough to be looked at."""

import numpy as np

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting

FS = 10000.0


def make_units(
    seed=0,
    *,
    lengths=(4000, 700),
    n_units=3,
    n_channels=4,
    n_spikes=25,
    dtype="int16",
    gain=0.5,
    offset=3.0,
):
    """Return a recording and a sorting, with spikes up to the very ends of the segments."""
    rng = np.random.default_rng(seed)
    traces = [rng.normal(0, 90, (n, n_channels)).astype(dtype) for n in lengths]
    ids = [f"c{k}" for k in range(n_channels)]
    recording = NumpyRecording(traces, FS, channel_ids=ids)
    if gain is not None:
        recording.set_channel_gains(gain * (1 + np.arange(n_channels)))
        recording.set_channel_offsets(offset)
    recording.set_dummy_probe_from_locations([[0, 20 * k] for k in range(n_channels)])
    trains = [
        {
            f"u{k}": np.sort(np.concatenate([[0, n - 1], rng.integers(0, n, n_spikes - 2)]))
            if n
            else []
            for k in range(n_units)
        }
        for n in lengths
    ]
    return recording, NumpySorting.from_unit_dict(trains, FS)


def windows_of(recording, spikes, nbefore, nafter, *, mask=None, in_uV=False):
    """Cut out windows one sample at a time: zero outside, sparse channels first."""
    n_channels = recording.get_num_channels()
    if mask is None:
        mask = np.ones((int(spikes["unit_index"].max(initial=0)) + 1, n_channels), bool)
        n_columns = n_channels
    else:
        n_columns = mask.sum(axis=1).max(initial=0)
    n_segments = recording.get_num_segments()
    traces = [recording.get_traces(k, return_in_uV=in_uV) for k in range(n_segments)]
    windows = np.zeros((len(spikes), nbefore + nafter, n_columns), traces[0].dtype)
    for i, (sample, unit, segment) in enumerate(spikes.tolist()):
        for t in range(nbefore + nafter):
            at = sample - nbefore + t
            if 0 <= at < len(traces[segment]):
                values = traces[segment][at, mask[unit]]
                windows[i, t, : len(values)] = values
    return windows
