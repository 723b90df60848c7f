"""Waveform view: raw data around some spikes of each cluster, their mean, or templates."""

from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.core.high_pass import HighPass
from spikeloom.curation.state import Spikes
from spikeloom.engine.executor import map_items
from spikeloom.viewdata.context import View, ViewContext
from spikeloom.viewdata.sampling import even_sample

WaveformKind = Literal["waveforms", "mean_waveforms", "templates"]

N_CLUSTERS_MAX = 8
"""Clusters drawn, the first ones of the selection."""

_INT16_MAX = np.iinfo(np.int16).max


class WaveformParams(msgspec.Struct, frozen=True):
    """Parameters of the Waveform view."""

    kind: WaveformKind = "waveforms"
    """What is shown of each cluster."""
    n_spikes: int = 100
    """Spikes shown per cluster at most."""
    is_filtered: bool = True
    """Whether raw data pass the high-pass filter."""


@dataclass(frozen=True, slots=True)
class Waveforms:
    """Waveforms of the selected clusters."""

    kind: WaveformKind
    """What is shown."""
    kinds: list[WaveformKind]
    """What can be shown of this dataset."""
    cluster_ids: list[int]
    """Clusters shown."""
    n_shown: list[int]
    """Waveforms of each cluster in `values`."""
    n_spikes: list[int]
    """Spikes of each cluster."""
    channels: list[list[int]]
    """Channels of each cluster, the main one first."""
    n_samples: int
    """Length of a waveform."""
    sample_ms: float
    """Time between samples, in ms."""
    first_ms: float
    """Time of the first sample from the spike, in ms."""
    values: NDArray[np.int16]
    """For each cluster (n_shown, n_channels, n_samples), one after the other, over `scale`."""
    scale: float
    """What one step of `values` stands for, in `unit`."""
    largest: float
    """Largest magnitude, in `unit`."""
    unit: str
    """Unit of the waveforms."""
    opacity: NDArray[np.float32]
    """How strongly each waveform is drawn (n_shown in total): its share of the spikes."""
    note: str
    """Why there is nothing to show; empty if there is something."""


def compute_waveforms(
    context: ViewContext, cluster_ids: list[int], params: WaveformParams
) -> Waveforms:
    """Return what the Waveform view shows."""
    shown = cluster_ids[:N_CLUSTERS_MAX]
    kinds = known_kinds(context)
    if params.kind not in kinds and kinds:
        params = msgspec.structs.replace(params, kind=kinds[0])
    channels = [context.best_channels(cluster_id) for cluster_id in shown]
    blocks, opacity = _blocks(context, shown, channels, params)
    largest = max((_magnitude(block) for block in blocks), default=0.0)
    scale = largest / _INT16_MAX if largest > 0 else 1.0
    n_samples = context.dataset.n_samples_waveforms
    rate = context.dataset.sampling_frequency
    return Waveforms(
        kind=params.kind,
        kinds=kinds,
        cluster_ids=shown,
        n_shown=[len(block) for block in blocks],
        n_spikes=[int(context.spikes_of(cluster_id).size) for cluster_id in shown],
        channels=[part.tolist() for part in channels],
        n_samples=n_samples,
        sample_ms=1000 / rate,
        first_ms=-1000 * (n_samples // 2) / rate,
        values=_pack(blocks, scale),
        scale=scale,
        largest=largest,
        unit=_unit(context, params),
        opacity=np.concatenate(opacity) if opacity else np.zeros(0, np.float32),
        note=_note(context, params) if shown and not any(map(len, blocks)) else "",
    )


def known_kinds(context: ViewContext) -> list[WaveformKind]:
    """Return what can be shown of a dataset, the usual one first."""
    dataset = context.dataset
    kinds: list[WaveformKind] = []
    if dataset.traces is not None or dataset.waveform_pool is not None:
        kinds += ["waveforms", "mean_waveforms"]
    if dataset.templates is not None:
        kinds.append("templates")
    return kinds


def high_pass_of(context: ViewContext) -> HighPass:
    """Return the filter through which raw data of a dataset are shown."""
    return HighPass(context.dataset.sampling_frequency)


def _blocks(
    context: ViewContext,
    cluster_ids: list[int],
    channels: list[NDArray[np.int64]],
    params: WaveformParams,
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Return waveforms (n_shown, n_samples, n_channels) and their opacity for each cluster."""
    if params.kind == "templates":
        pairs = [_template_block(context, i, c) for i, c in zip(cluster_ids, channels, strict=True)]
        return [block for block, _ in pairs], [alpha for _, alpha in pairs]
    # Several clusters: one thread each; a single one: its spikes are shared out.
    is_spread = len(cluster_ids) < 2

    def read(k: int) -> NDArray[np.float32]:
        context.cancel.check()

        def make() -> _Block:
            spikes = context.spikes_of(cluster_ids[k])
            return (_raw_block(context, spikes, channels[k], params, is_spread=is_spread),)

        key = ("waveforms", cluster_ids[k], params)
        return context.catalog.memo.get(key, make)[0]

    blocks = map_items(read, range(len(cluster_ids)))
    return blocks, [np.ones(len(block), np.float32) for block in blocks]


_Block = tuple[NDArray[np.float32]]
"""Waveforms (n_shown, n_samples, n_channels)."""


def _magnitude(block: NDArray[np.float32]) -> float:
    return max(float(block.max(initial=0)), -float(block.min(initial=0)))


def _raw_block(
    context: ViewContext,
    spikes: Spikes,
    channels: NDArray[np.int64],
    params: WaveformParams,
    *,
    is_spread: bool,
) -> NDArray[np.float32]:
    """Return waveforms (n_shown, n_samples, n_channels) of some spikes, or their mean."""
    dataset = context.dataset
    n_samples = dataset.n_samples_waveforms
    if dataset.traces is not None:
        sample = even_sample(spikes, params.n_spikes)
        starts = dataset.spike_samples[sample] - n_samples // 2
        high_pass = high_pass_of(context) if params.is_filtered else None
        block = dataset.traces.cut_windows(
            starts, n_samples, channels.tolist(), high_pass=high_pass, is_spread=is_spread
        )
        if dataset.gain_uV is not None:
            block *= np.float32(dataset.gain_uV)
    elif dataset.waveform_pool is not None:
        sample = even_sample(dataset.waveform_pool.select(spikes), params.n_spikes)
        block = dataset.waveform_pool.get(sample, channels.tolist())
    else:
        return np.zeros((0, n_samples, channels.size), np.float32)
    if params.kind == "mean_waveforms" and len(block):
        return np.asarray(block.mean(axis=0, keepdims=True))
    return block


def _template_block(
    context: ViewContext, cluster_id: int, channels: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the templates of a cluster, and the share of its spikes that each of them found."""
    templates = context.dataset.templates
    if templates is None:
        empty = np.zeros((0, context.dataset.n_samples_waveforms, channels.size), np.float32)
        return empty, np.zeros(0, np.float32)
    counts = context.catalog.template_counts(cluster_id, context.spikes_of(cluster_id))
    waveforms = [templates.dense(int(i), channels.tolist()) for i in counts.template_ids]
    return np.stack(waveforms), (counts.counts / counts.counts.max()).astype(np.float32)


def _pack(blocks: list[NDArray[np.float32]], scale: float) -> NDArray[np.int16]:
    """Put blocks (n, n_samples, n_channels) behind each other, samples last, as integers."""
    packed = np.empty(sum(block.size for block in blocks), np.int16)
    start = 0
    for block in blocks:
        target = packed[start : start + block.size].reshape(
            block.shape[0], block.shape[2], block.shape[1]
        )
        np.rint(block.transpose(0, 2, 1) * np.float32(1 / scale), out=target, casting="unsafe")
        start += block.size
    return packed


def _unit(context: ViewContext, params: WaveformParams) -> str:
    if params.kind == "templates":
        return "template units"
    return "raw units" if context.dataset.gain_uV is None else "µV"


def _note(context: ViewContext, params: WaveformParams) -> str:
    notes = context.dataset.notes
    if params.kind == "templates":
        return notes.get("templates", "These clusters have no template.")
    return notes.get("traces", "No file tells on which channels these clusters are.")


WAVEFORMS = View(WaveformParams, compute_waveforms, Waveforms)
"""The view, for the registry."""
