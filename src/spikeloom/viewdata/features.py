"""Feature view: principal components of some spikes of each cluster, on two channels."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.features import SparseFeatures
from spikeloom.kernels.sparse_rows import gather_columns
from spikeloom.storage.arrays import read_ahead
from spikeloom.viewdata.context import View, ViewContext
from spikeloom.viewdata.sampling import even_sample, spread_sample

N_CLUSTERS_MAX = 8
"""Clusters drawn, the first ones of the selection."""

N_CHANNELS = 2
"""Channels that the subplots refer to as 0 and 1."""

N_COMPONENTS_MAX = 3
"""Principal components sent: A, B and C."""


class FeatureParams(msgspec.Struct, frozen=True):
    """Parameters of the Feature view."""

    n_spikes: int = 2500
    """Spikes shown per cluster at most."""
    n_background: int = 2500
    """Spikes of all clusters shown in grey at most."""
    channels: str = ""
    """Channels to use instead of the automatic ones, separated by commas."""


@dataclass(frozen=True, slots=True)
class Features:
    """Features of the selected clusters."""

    cluster_ids: list[int]
    """Clusters shown."""
    n_shown: list[int]
    """Spikes of each cluster in `values`; those of the background come first."""
    n_spikes: list[int]
    """Spikes of each cluster."""
    n_without: list[int]
    """Shown spikes of each cluster without a feature on one of the channels."""
    n_background: int
    """Spikes of the background, at the start of `values`."""
    channels: list[int]
    """The channels."""
    n_components: int
    """Principal components per channel."""
    times_s: NDArray[np.float32]
    """Time of each spike shown."""
    values: NDArray[np.float32]
    """Shape (n_spikes_shown, n_channels, n_components); nan where there is none."""
    largest: float
    """Largest magnitude among spikes of the clusters."""
    duration_s: float
    """Length of the recording."""
    note: str
    """Why there is nothing to show; empty if there is something."""


def compute_features(
    context: ViewContext, cluster_ids: list[int], params: FeatureParams
) -> Features:
    """Return what the Feature view shows."""
    shown = cluster_ids[:N_CLUSTERS_MAX]
    features = context.dataset.features
    if features is None or not shown:
        return _nothing(context, shown)
    channels = chosen_channels(context, shown, params.channels)
    if not channels:
        return _nothing(context, shown)
    background = _background(context, features, channels, params.n_background)
    own = [_part(context, i, features, channels, n_max=params.n_spikes) for i in shown]
    values = np.concatenate([background[1], *(part[1] for part in own)])
    return Features(
        cluster_ids=shown,
        n_shown=[len(part[1]) for part in own],
        n_spikes=[int(context.spikes_of(i).size) for i in shown],
        n_without=[_n_missing(part[1]) for part in own],
        n_background=len(background[1]),
        channels=channels,
        n_components=values.shape[2],
        times_s=np.concatenate([background[0], *(part[0] for part in own)]),
        values=values,
        largest=max(_magnitude(part[1]) for part in own),
        duration_s=context.dataset.duration_s,
        note="",
    )


_Part = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Times in s, and features (n_spikes, n_channels, n_components)."""

_Rows = tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]
"""Times in s, templates, and features as stored (n_spikes, n_components, n_stored_channels)."""

_Picked = tuple[NDArray[np.float32]]
"""Features on one channel (n_spikes, n_components)."""


def _part(
    context: ViewContext,
    cluster_id: int,
    features: SparseFeatures,
    channels: list[int],
    *,
    n_max: int,
) -> _Part:
    """Return times and features of at most `n_max` spikes of a cluster."""
    context.cancel.check()

    def make() -> _Part:
        spikes = spread_sample(_with_features(context, cluster_id, features), n_max, cluster_id)
        read_ahead(features.stored, features.rows_of(spikes), 1)
        template = context.only_template(cluster_id)
        found = features.get(spikes, channels, template=template)[:, :N_COMPONENTS_MAX]
        values = np.ascontiguousarray(found.transpose(0, 2, 1))
        return context.plot_times_s(spikes), values

    return context.catalog.memo.get(("features", cluster_id, n_max, *channels), make)


def _background(
    context: ViewContext, features: SparseFeatures, channels: list[int], n_max: int
) -> _Part:
    """Return times and features of spikes evenly spread over the recording and all clusters."""
    # The same spikes whatever is selected: they are read once, and each channel is picked once.
    memo = context.catalog.memo

    def read() -> _Rows:
        spikes = _background_spikes(context, features, n_max)
        places = features.rows_of(spikes)
        read_ahead(features.stored, places, 1)
        rows = np.asarray(features.stored[places, :N_COMPONENTS_MAX], np.float32)
        return context.plot_times_s(spikes), features.spike_templates[spikes], rows

    times_s, templates, rows = memo.get(("background features", n_max), read)

    values = np.empty((len(rows), len(channels), rows.shape[1]), np.float32)
    for k, channel in enumerate(channels):

        def pick(channel: int = channel) -> _Picked:
            picked = np.empty((*rows.shape[:2], 1), np.float32)  # (n_spikes, n_components, 1)
            columns = features.columns_of(templates, [channel])
            gather_columns(rows, np.arange(len(rows)), columns, picked)
            return (picked[:, :, 0],)

        values[:, k] = memo.get(("background features", n_max, channel), pick)[0]
    return times_s, values


def _n_missing(values: NDArray[np.float32]) -> int:
    """Return how many spikes lack a feature on one of the channels."""
    is_missing = np.isnan(values[:, 0, 0])
    for channel in range(1, values.shape[1]):
        is_missing |= np.isnan(values[:, channel, 0])
    return int(np.count_nonzero(is_missing))


def _magnitude(values: NDArray[np.float32]) -> float:
    """Return the largest magnitude, 0 where there is none."""
    finite = values if values.size and not np.isnan(values.min()) else values[np.isfinite(values)]
    return max(float(finite.max(initial=0.0)), -float(finite.min(initial=0.0)))


def chosen_channels(context: ViewContext, cluster_ids: Sequence[int], wanted: str) -> list[int]:
    """Return the channels of the view: those asked for, completed by automatic ones.

    Automatic are the channels of the first cluster: first those that all clusters share, then
    the rest, each by falling amplitude.
    """
    n_channels = len(context.dataset.channel_positions)
    chosen = [int(text) for text in wanted.split(",") if text.strip().isdecimal()]
    chosen = [channel for channel in chosen if channel < n_channels]
    first = context.best_channels(cluster_ids[0]).tolist()
    shared = set(first)
    for cluster_id in cluster_ids[1:]:
        shared &= set(context.best_channels(cluster_id).tolist())
    automatic = sorted(first, key=lambda channel: channel not in shared)
    channels = list(dict.fromkeys([*chosen, *automatic]))
    if not channels:
        channels = list(range(n_channels))
    # With a single channel both axes show that one.
    return (channels * N_CHANNELS)[:N_CHANNELS] if channels else []


def feature_values(
    context: ViewContext, spikes: NDArray[np.integer], channel: int, component: int
) -> NDArray[np.float64]:
    """Return one feature of given spikes, nan where there is none; shape (n_spikes,)."""
    features = context.dataset.features
    if features is None or not 0 <= component < features.n_components:
        return np.full(spikes.size, np.nan)
    return features.get(spikes, [channel])[:, component, 0].astype(np.float64)


def _with_features(
    context: ViewContext, cluster_id: int, features: SparseFeatures
) -> NDArray[np.integer]:
    """Return the spikes of a cluster that have features."""
    spikes = context.spikes_of(cluster_id)
    if features.spike_ids is None:
        return spikes
    return spikes[features.rows_of(spikes) >= 0]


def _background_spikes(
    context: ViewContext, features: SparseFeatures, n_max: int
) -> NDArray[np.integer]:
    """Return spikes evenly spread over the whole recording and all clusters."""
    if features.spike_ids is None:
        n_spikes = context.dataset.spike_samples.size
        step = max(1, n_spikes // max(1, n_max))
        return np.arange(0, n_spikes, step)[: max(n_max, 0)]
    return np.sort(even_sample(features.spike_ids, n_max))


def _nothing(context: ViewContext, cluster_ids: list[int]) -> Features:
    reason = context.dataset.notes.get("features", "No channel is known for these clusters.")
    return Features(
        cluster_ids=cluster_ids,
        n_shown=[0] * len(cluster_ids),
        n_spikes=[int(context.spikes_of(i).size) for i in cluster_ids],
        n_without=[0] * len(cluster_ids),
        n_background=0,
        channels=[],
        n_components=0,
        times_s=np.zeros(0, np.float32),
        values=np.zeros(0, np.float32),
        largest=0.0,
        duration_s=context.dataset.duration_s,
        note=reason if cluster_ids else "",
    )


FEATURES = View(FeatureParams, compute_features, Features)
"""The view, for the registry."""
