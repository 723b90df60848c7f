"""Trace view: raw data of all channels over a short interval, with spikes marked."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.core.high_pass import HighPass
from spikeloom.core.raw_traces import RawTraces
from spikeloom.errors import ParameterError
from spikeloom.kernels.envelopes import fill_envelope
from spikeloom.kernels.filters import filter_forward_backward
from spikeloom.viewdata.context import View, ViewContext

MAX_INTERVAL_S = 10.0
"""Longest interval that is read at once."""

N_COLUMNS_MAX = 8192

_SPIKE_CHANNEL_SHARE = 0.5
"""A spike is marked on channels with at least this share of its template's amplitude."""

_INT16_MAX = np.iinfo(np.int16).max
_QUANTILES = (0.01, 0.99)


class TraceParams(msgspec.Struct, frozen=True):
    """Parameters of the Trace view."""

    start_s: float = 0.0
    """Start of the interval."""
    end_s: float = 0.25
    """End of the interval."""
    n_columns: int = 1200
    """Pixel columns; longer intervals are reduced to the extremes in each."""
    is_filtered: bool = True
    """Whether data pass the high-pass filter."""
    shows_all_spikes: bool = False
    """Whether spikes of all clusters are marked, not only of the selected ones."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Raw data of an interval."""

    start_s: float
    """Time of the first sample."""
    end_s: float
    """Time after the last sample."""
    duration_s: float
    """Length of the recording."""
    n_channels: int
    """Channels, from the top of the view to its bottom as `order` says."""
    n_columns: int
    """Columns of `values`."""
    is_envelope: bool
    """Whether a column holds the extremes of several samples, or one sample."""
    values: NDArray[np.int16]
    """Over `scale`: (n_channels, n_columns, 2) least and greatest, or (n_channels, n_columns)."""
    scale: float
    """What one step of `values` stands for, in `unit`."""
    spread: float
    """Distance between the 1 % and 99 % quantiles, in `unit`: what a row's height is made for."""
    unit: str
    """Unit of the data."""
    order: list[int]
    """Channels from the lowest on the probe to the highest."""
    spike_times_s: NDArray[np.float64]
    """Spikes to mark."""
    spike_clusters: NDArray[np.int32]
    """Their clusters."""
    spike_channels: NDArray[np.int32]
    """Channels on which to mark them, one list after the other."""
    spike_n_channels: NDArray[np.int32]
    """Length of each spike's list."""
    before_ms: float
    """What is marked before a spike's time, in ms."""
    after_ms: float
    """What is marked after it, in ms."""
    note: str
    """Why there is nothing to show; empty if there is something."""


def compute_traces(context: ViewContext, cluster_ids: list[int], params: TraceParams) -> Traces:
    """Return what the Trace view shows."""
    dataset = context.dataset
    rate = dataset.sampling_frequency
    positions = dataset.channel_positions
    order = np.lexsort((positions[:, 0], positions[:, 1]))
    start, end = _interval(params, rate, dataset.duration_s)
    block = np.zeros((0, order.size), np.float32)
    if dataset.traces is not None:
        high_pass = HighPass(rate) if params.is_filtered else None
        block = read_interval(dataset.traces, start, end, high_pass)
        block *= np.float32(dataset.gain_uV or 1.0)
    context.cancel.check()
    n_columns = min(max(1, params.n_columns), N_COLUMNS_MAX)
    is_envelope = len(block) > 2 * n_columns
    values = envelope(block, n_columns) if is_envelope else np.ascontiguousarray(block.T)
    largest = float(np.abs(values).max(initial=0.0))
    scale = largest / _INT16_MAX if largest > 0 else 1.0
    quantiles = (
        np.quantile(block[:: max(1, len(block) // 1000)], _QUANTILES) if block.size else (0, 0)
    )
    marks = _marks(context, cluster_ids, start, end, show_all=params.shows_all_spikes)
    return Traces(
        start_s=start / rate,
        end_s=end / rate,
        duration_s=dataset.duration_s,
        n_channels=order.size,
        n_columns=values.shape[1] if values.size else 0,
        is_envelope=is_envelope,
        values=np.rint(values * np.float32(1 / scale)).astype(np.int16),
        scale=scale,
        spread=float(quantiles[1] - quantiles[0]),
        unit="raw units" if dataset.gain_uV is None else "µV",
        order=order.tolist(),
        spike_times_s=context.times_s(marks.spikes),
        spike_clusters=marks.clusters,
        spike_channels=marks.channels,
        spike_n_channels=marks.n_channels,
        before_ms=1000 * marks.before_samples / rate,
        after_ms=1000 * marks.after_samples / rate,
        note=dataset.notes.get("traces", "") if dataset.traces is None else "",
    )


def read_interval(
    traces: RawTraces, start: int, end: int, high_pass: HighPass | None
) -> NDArray[np.float32]:
    """Return samples `start` to `end` of all channels, filtered or centred on their median."""
    if high_pass is None:
        block = traces.read(start, end)
        return np.asarray(block - np.median(block, axis=0)) if len(block) else block
    margin = high_pass.margin_samples
    first = max(0, start - margin)
    wide = traces.read(first, end + margin)
    if len(wide):
        sections, ends, n_level = high_pass.sections, high_pass.ends, high_pass.level_samples
        state = np.empty((1 + 2 * len(ends), traces.n_channels), np.float32)
        filter_forward_backward(wide, start - first, sections, ends, n_level, state)
    return wide[start - first : end - first]


def envelope(block: NDArray[np.float32], n_columns: int) -> NDArray[np.float32]:
    """Reduce samples (n_samples, n_channels) to extremes (n_channels, n_columns, 2)."""
    edges = np.linspace(0, len(block), n_columns + 1).astype(np.int64)
    extremes = np.empty((block.shape[1], n_columns, 2), np.float32)
    fill_envelope(block, edges, extremes)
    return extremes


def spike_beside(
    context: ViewContext, cluster_id: int, time_s: float, *, step: int
) -> float | None:
    """Return the time of a cluster's next (`step` 1) or previous (-1) spike, going round.

    The spike nearest to `time_s` by less than a sample counts as the one that is looked at.

    Raises
    ------
    ParameterError
        If `step` is neither 1 nor -1.
    """
    if step not in {1, -1}:
        msg = f"step={step} is neither 1 nor -1."
        raise ParameterError(msg)
    spikes = context.spikes_of(cluster_id)
    if spikes.size == 0:
        return None
    samples = context.dataset.spike_samples[spikes]
    sample = round(time_s * context.dataset.sampling_frequency)
    if step > 0:
        k = int(np.searchsorted(samples, sample, side="right")) % samples.size
    else:
        k = int(np.searchsorted(samples, sample, side="left")) - 1
    return float(samples[k] / context.dataset.sampling_frequency)


@dataclass(frozen=True, slots=True)
class _Marks:
    spikes: NDArray[np.int64]
    clusters: NDArray[np.int32]
    channels: NDArray[np.int32]
    n_channels: NDArray[np.int32]
    before_samples: int
    after_samples: int


def _interval(params: TraceParams, rate: float, duration_s: float) -> tuple[int, int]:
    length_s = min(max(params.end_s - params.start_s, 2 / rate), MAX_INTERVAL_S, duration_s)
    start_s = min(max(0.0, params.start_s), max(0.0, duration_s - length_s))
    start = round(start_s * rate)
    return start, start + max(1, round(length_s * rate))


def _marks(
    context: ViewContext, cluster_ids: list[int], start: int, end: int, *, show_all: bool
) -> _Marks:
    """Return the spikes of an interval and the channels to mark them on."""
    samples = context.dataset.spike_samples
    first, last = np.searchsorted(samples, [start, end])
    clusters = context.clusters_of(slice(int(first), int(last)))
    spikes = np.arange(first, last)
    if not show_all:
        is_wanted = np.isin(clusters, cluster_ids)
        spikes, clusters = spikes[is_wanted], clusters[is_wanted]
    lists = {int(i): _marked_channels(context, int(i)) for i in np.unique(clusters)}
    channels = [lists[int(i)] for i in clusters]
    n_samples = context.dataset.n_samples_waveforms
    before = min(n_samples // 2, round(context.dataset.sampling_frequency / 2000))
    return _Marks(
        spikes=spikes,
        clusters=clusters,
        channels=np.concatenate([*channels, np.zeros(0, np.int32)]).astype(np.int32),
        n_channels=np.array([part.size for part in channels], np.int32),
        before_samples=before,
        after_samples=before,
    )


def _marked_channels(context: ViewContext, cluster_id: int) -> NDArray[np.int64]:
    spikes = context.spikes_of(cluster_id)
    channels = context.catalog.best_channels(cluster_id, spikes)
    amplitudes = context.catalog.channel_amplitudes(cluster_id, spikes)
    if channels.size == 0:
        return channels
    return np.asarray(channels[amplitudes >= _SPIKE_CHANNEL_SHARE * amplitudes[0]])


TRACES = View(TraceParams, compute_traces, Traces)
"""The view, for the registry."""
