"""Load compiled kernels before the first click needs them."""

import threading

import numpy as np

from spikeloom.app.sessions import AppSession
from spikeloom.core.high_pass import HighPass
from spikeloom.core.raw_traces import RawTraces
from spikeloom.engine.cancellation import CancelToken
from spikeloom.kernels.envelopes import fill_envelope
from spikeloom.kernels.extremes import find_extremes
from spikeloom.kernels.gather import gather_scaled
from spikeloom.kernels.histograms import count_intervals, count_times, count_values
from spikeloom.kernels.polygons import fill_inside
from spikeloom.kernels.sparse_rows import gather_columns
from spikeloom.viewdata.amplitudes import prepare_backgrounds
from spikeloom.viewdata.correlograms import correlograms

N_SPIKES_PREPARED = 20_000_000
"""Spikes up to which everything in grey is read when a dataset is opened; it is read all over
the files, which would keep a slow disk busy where there are more."""


def warm_up(app_session: AppSession) -> threading.Thread:
    """Call each kernel once on next to nothing, in a thread of its own; return the thread.

    The first time ever this compiles them, which takes some seconds; later they come from
    numba's cache in milliseconds. A click meanwhile waits for its own kernel only. Then what is
    shown in grey beside the clusters is read.
    """

    def work() -> None:
        _call_kernels()
        if 0 < app_session.model.n_spikes <= N_SPIKES_PREPARED:
            prepare_backgrounds(app_session.context(CancelToken()))

    thread = threading.Thread(target=work, name="spikeloom-warm-up", daemon=True)
    thread.start()
    return thread


def _call_kernels() -> None:
    raw = np.zeros((2000, 2), np.int16)
    raw.setflags(write=False)  # as memory maps are: kernels are compiled apart for those
    traces = RawTraces((raw,), np.arange(2), 30_000.0)
    traces.cut_windows(np.array([0], np.int64), 10, high_pass=HighPass(30_000.0))
    samples = np.arange(4)
    samples.setflags(write=False)
    amplitudes = np.zeros(4)
    amplitudes.setflags(write=False)
    # Indices of spikes from the cache, or just grouped.
    for chosen in (np.zeros(4, np.int64), np.zeros(4, np.int32)):
        gather_scaled(samples, chosen, 1.0, 1.0, np.zeros(4, np.float32))
        gather_scaled(amplitudes, chosen, 1.0, 1.0, np.zeros(4))
        for is_writeable in (True, False):
            chosen.setflags(write=is_writeable)
            correlograms(samples, [chosen], bin_size=1, n_half_bins=2)
    find_extremes(np.zeros(4), np.zeros(2), np.zeros(2))
    count_values(np.zeros(4), 0.0, 1.0, np.zeros(2, np.int32))
    spikes = np.arange(4, dtype=np.int32)
    spikes.setflags(write=False)
    counts = np.zeros(2, np.int64)
    count_intervals(samples, spikes, 0.0, 1.0, counts)
    count_times(samples, spikes, 0.0, 1.0, counts)
    fill_envelope(np.zeros((2, 1), np.float32), np.array([0, 1, 2]), np.zeros((1, 2, 2), "f4"))
    corners = np.zeros((3, 2))
    fill_inside(np.zeros(1), np.zeros(1), corners, np.zeros(1, np.bool_))
    stored = np.zeros((1, 3, 2), np.float32)
    stored.setflags(write=False)
    one = np.zeros((1, 1), np.int64)
    gather_columns(stored, np.zeros(1, np.int64), one, np.zeros((1, 3, 1), np.float32))
