"""Amplitude view: how large each spike is, over time.

Kinds of amplitude:

template
    What the sorter gave the spike (``amplitudes.npy``), times the largest magnitude of its
    template on the main channel.
raw
    Peak-to-peak amplitude of the filtered raw waveform on the cluster's main channel.
feature
    One principal component on one channel, by default the first on the main channel.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.extremes import find_extremes
from spikeloom.kernels.gather import gather_scaled
from spikeloom.kernels.histograms import count_values
from spikeloom.kernels.products import gather_products
from spikeloom.viewdata.context import View, ViewContext
from spikeloom.viewdata.features import feature_values
from spikeloom.viewdata.sampling import allocate, even_sample
from spikeloom.viewdata.waveforms import high_pass_of

AmplitudeKind = Literal["template", "raw", "feature"]

N_CLUSTERS_MAX = 8
"""Clusters drawn, the first ones of the selection."""

N_HISTOGRAM_BINS = 100

RAW_SHARE = 5
"""Raw amplitudes are read for this many times fewer spikes than the others."""

_RAW_BATCH = 10_000
_TAIL = 0.001
"""Share of the spikes that may lie beyond either end of the axis."""


class AmplitudeParams(msgspec.Struct, frozen=True):
    """Parameters of the Amplitude view."""

    kind: AmplitudeKind = "template"
    """Kind of amplitude."""
    n_spikes: int = 10_000
    """Spikes shown per cluster at most."""
    n_background: int = 10_000
    """Spikes of neighbouring clusters shown in grey at most."""
    channel: int = -1
    """Channel of the feature; -1 for the main channel of the first cluster."""
    component: int = 0
    """Principal component of the feature."""


@dataclass(frozen=True, slots=True)
class Amplitudes:
    """Amplitudes of the selected clusters."""

    kind: AmplitudeKind
    """Kind of amplitude."""
    kinds: list[AmplitudeKind]
    """Kinds that this dataset has."""
    cluster_ids: list[int]
    """Clusters shown."""
    n_shown: list[int]
    """Spikes of each cluster in `values`; those of the background come first."""
    n_spikes: list[int]
    """Spikes of each cluster."""
    n_background: int
    """Spikes of other clusters with the same main channel, at the start of `values`."""
    times_s: NDArray[np.float32]
    """Time of each spike shown."""
    values: NDArray[np.float32]
    """Amplitude of each spike shown; nan where there is none."""
    low: float
    """Low end of the amplitude axis."""
    high: float
    """High end of the amplitude axis."""
    histograms: NDArray[np.int32]
    """Spikes shown by amplitude, from `low` to `high`; shape (n_clusters, n_bins)."""
    n_bins: int
    """Bins of the histograms."""
    unit: str
    """Unit of the amplitudes."""
    label: str
    """What the amplitude axis shows."""
    channel: int
    """Channel of the feature, whether it is shown or not."""
    duration_s: float
    """Length of the recording."""
    note: str
    """Why there is nothing to show; empty if there is something."""


def compute_amplitudes(
    context: ViewContext, cluster_ids: list[int], params: AmplitudeParams
) -> Amplitudes:
    """Return what the Amplitude view shows."""
    shown = cluster_ids[:N_CLUSTERS_MAX]
    kinds = known_kinds(context)
    kind = params.kind if params.kind in kinds or not kinds else kinds[0]
    n_each = params.n_spikes // (RAW_SHARE if kind == "raw" else 1)
    channel = feature_channel(context, shown, params.channel)
    wanted = _Wanted(kind, channel, params.component)
    background = _background(context, shown, params.n_background, wanted)
    own = [_part(context, i, n_each, wanted) for i in shown]
    low, high = _limits(np.concatenate([values for _, values in own] or [np.zeros(0)]))
    return Amplitudes(
        kind=kind,
        kinds=kinds,
        cluster_ids=shown,
        n_shown=[values.size for _, values in own],
        n_spikes=[int(context.spikes_of(i).size) for i in shown],
        n_background=background[1].size,
        times_s=np.concatenate([background[0], *(times_s for times_s, _ in own)]),
        values=_joined(background[1], [values for _, values in own]),
        low=low,
        high=high,
        histograms=_histograms([values for _, values in own], low, high),
        n_bins=N_HISTOGRAM_BINS,
        unit=_unit(context, kind),
        label=_label(context, kind, channel, params.component),
        channel=channel,
        duration_s=context.dataset.duration_s,
        note="" if kinds else "There is neither amplitudes.npy, nor raw data, nor features.",
    )


def known_kinds(context: ViewContext) -> list[AmplitudeKind]:
    """Return the kinds of amplitude that a dataset has, the usual one first."""
    dataset = context.dataset
    kinds: list[AmplitudeKind] = []
    if dataset.amplitudes is not None:
        kinds.append("template")
    if dataset.traces is not None:
        kinds.append("raw")
    if dataset.features is not None:
        kinds.append("feature")
    return kinds


def feature_channel(context: ViewContext, cluster_ids: list[int], wanted: int) -> int:
    """Return the channel of the feature: the one asked for, else the first cluster's main one."""
    if 0 <= wanted < len(context.dataset.channel_labels):
        return wanted
    for cluster_id in cluster_ids[:1]:
        best = context.best_channels(cluster_id)
        if best.size:
            return int(best[0])
    return 0


def template_amplitudes(
    context: ViewContext, spikes: NDArray[np.integer], cluster_id: int | None = None
) -> NDArray[np.float64]:
    """Return the template amplitude of given spikes; nan where the template is unknown.

    If they all belong to one cluster, `cluster_id` saves looking up each spike's template where
    the cluster has a single one. Shape (n_spikes,).
    """
    dataset = context.dataset
    products = np.full(spikes.size, np.nan)
    if dataset.amplitudes is None:
        return products
    if dataset.templates is None:
        return np.asarray(dataset.amplitudes[spikes], np.float64)
    magnitudes = dataset.templates.main_magnitudes
    if cluster_id is not None:
        template = context.only_template(cluster_id)
        if template is not None and template < magnitudes.size:
            factor = float(magnitudes[template])
            gather_scaled(dataset.amplitudes, spikes, factor, 1.0, products)
            return products
    gather_products(dataset.amplitudes, dataset.spike_templates, magnitudes, spikes, products)
    return products


def raw_amplitudes(
    context: ViewContext, cluster_id: int, spikes: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the peak-to-peak amplitude of raw waveforms on a cluster's main channel."""
    dataset = context.dataset
    channel = context.catalog.main_channel(cluster_id, context.spikes_of(cluster_id))
    if dataset.traces is None or channel is None:
        return np.full(spikes.size, np.nan)
    n_samples = dataset.n_samples_waveforms
    values = np.empty(spikes.size)
    high_pass = high_pass_of(context)
    for first in range(0, spikes.size, _RAW_BATCH):
        context.cancel.check()
        batch = spikes[first : first + _RAW_BATCH]
        starts = dataset.spike_samples[batch] - n_samples // 2
        windows = dataset.traces.cut_windows(starts, n_samples, [channel], high_pass=high_pass)
        values[first : first + _RAW_BATCH] = np.ptp(windows[:, :, 0], axis=1)
    return values * (dataset.gain_uV or 1.0)


def amplitude_values(
    context: ViewContext,
    cluster_id: int,
    spikes: NDArray[np.integer],
    *,
    kind: AmplitudeKind,
    channel: int,
    component: int,
) -> NDArray[np.float64]:
    """Return one kind of amplitude of given spikes of a cluster; shape (n_spikes,)."""
    if kind == "feature":
        return feature_values(context, spikes, channel, component)
    if kind == "raw":
        return raw_amplitudes(context, cluster_id, spikes)
    return template_amplitudes(context, spikes, cluster_id)


_Part = tuple[NDArray[np.float32], NDArray[np.float64]]
"""Times in s and amplitudes of some spikes of a cluster."""

_Samples = tuple[NDArray[np.float32], NDArray[np.float32]]
"""The same, no more exact than they are sent."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which amplitude is shown."""

    kind: AmplitudeKind
    channel: int
    component: int


def _part(context: ViewContext, cluster_id: int, n_max: int, wanted: _Wanted) -> _Part:
    """Return times and amplitudes of at most `n_max` spikes of a cluster."""
    context.cancel.check()

    def make() -> _Part:
        spikes = even_sample(context.spikes_of(cluster_id), n_max)
        values = amplitude_values(
            context,
            cluster_id,
            spikes,
            kind=wanted.kind,
            channel=wanted.channel,
            component=wanted.component,
        )
        return context.plot_times_s(spikes), values

    of_feature = (wanted.channel, wanted.component) if wanted.kind == "feature" else ()
    return context.catalog.memo.get(
        ("amplitudes", wanted.kind, cluster_id, n_max, of_feature), make
    )


def prepare_backgrounds(context: ViewContext) -> None:
    """Read what is shown in grey beside each cluster, before anyone selects it."""
    n_max = AmplitudeParams().n_background
    for cluster_id in context.state.cluster_ids:
        context.cancel.check()
        if context.dataset.amplitudes is not None:
            _background(context, [cluster_id], n_max, _Wanted("template", 0, 0))


_Background = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]
"""Times in s and amplitudes of spikes, cluster by cluster; where each cluster ends."""


def _background(context: ViewContext, shown: list[int], n_max: int, wanted: _Wanted) -> _Samples:
    """Return spikes of other clusters that are seen on the first cluster's main channel."""
    catalog, state = context.catalog, context.state
    channel = None
    if shown and wanted.kind != "raw":
        channel = catalog.main_channel(shown[0], state.spikes[shown[0]])
    if channel is None or n_max <= 0:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    seen = [i for i, spikes in state.spikes.items() if catalog.is_seen_on(channel, i, spikes)]

    # Of all clusters on the channel: the same for each of them, whichever is selected.
    def make() -> _Background:
        return _of_clusters(context, seen, n_max, wanted)

    of_feature = (wanted.channel, wanted.component) if wanted.kind == "feature" else ()
    key = ("background amplitudes", wanted.kind, n_max, of_feature, *seen)
    times_s, values, ends = catalog.memo.get(key, make)
    starts = [0, *ends[:-1].tolist()]
    kept = [
        slice(start, end)
        for i, start, end in zip(seen, starts, ends.tolist(), strict=True)
        if i not in shown
    ]
    times_s = np.concatenate([times_s[:0], *(times_s[part] for part in kept)])
    values = np.concatenate([values[:0], *(values[part] for part in kept)])
    n_spikes = times_s.size
    if n_spikes <= n_max:
        return times_s, values
    # There is one cluster more in store than is shown, so there may be some spikes too many.
    chosen = (np.arange(n_max) * (n_spikes / n_max)).astype(np.int64)
    return times_s[chosen], values[chosen]


def _of_clusters(
    context: ViewContext, cluster_ids: list[int], n_max: int, wanted: _Wanted
) -> _Background:
    """Return so many spikes of some clusters that `n_max` are left without any one of them."""
    lists = [context.spikes_of(i) for i in cluster_ids]
    sizes = [spikes.size for spikes in lists]
    n_total, shares = n_max, allocate(sizes, n_max, n_max)
    while n_total < min(sum(sizes), n_max + max(shares)):
        n_total = n_max + max(shares)
        shares = allocate(sizes, n_max, n_total)
    chosen = [even_sample(s, n) for s, n in zip(lists, shares, strict=True)]
    spikes = np.concatenate(chosen)
    if wanted.kind == "feature":
        values = feature_values(context, spikes, wanted.channel, wanted.component)
    else:
        values = _amplitudes_of_clusters(context, cluster_ids, shares, spikes)
    return context.plot_times_s(spikes), values.astype(np.float32), np.cumsum(shares)


def _amplitudes_of_clusters(
    context: ViewContext, cluster_ids: list[int], sizes: list[int], spikes: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the template amplitude of spikes: so many of each cluster, one after the other."""
    dataset = context.dataset
    found = [context.only_template(i) for i in cluster_ids]
    template_ids = [template for template in found if template is not None]
    if dataset.amplitudes is None or dataset.templates is None or len(template_ids) < len(found):
        return template_amplitudes(context, spikes)
    # The template of each spike need not be looked up, which takes as long as its amplitude.
    magnitudes = dataset.templates.main_magnitudes
    if max(template_ids, default=0) >= magnitudes.size:
        return template_amplitudes(context, spikes)
    values = np.empty(spikes.size)
    gather_scaled(dataset.amplitudes, spikes, 1.0, 1.0, values)
    values *= np.repeat(magnitudes[np.array(template_ids, np.int64)], sizes)
    return values


def _joined(background: NDArray[np.float32], own: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Return amplitudes one after the other, as they are sent."""
    joined = np.empty(background.size + sum(values.size for values in own), np.float32)
    return np.concatenate([background, *own], out=joined, casting="same_kind")


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of an amplitude axis that shows zero and all but the oddest spikes."""
    # As many as are needed for the quantiles, and one more to the inside of each.
    n_kept = int(_TAIL * values.size) + 2
    smallest, largest = np.empty(n_kept), np.empty(n_kept)
    n_finite = find_extremes(values, smallest, largest)
    if n_finite == 0:
        return 0.0, 1.0
    low = min(0.0, _quantile(smallest, n_finite))
    high = max(0.0, _quantile(largest, n_finite))
    if low == high:
        return 0.0, 1.0
    margin = 0.05 * (high - low)
    return low - (margin if low < 0 else 0), high + (margin if high > 0 else 0)


def _quantile(tail: NDArray[np.float64], n_values: int) -> float:
    """Return the value `_TAIL` from the end of `n_values` of which `tail` is one, in order."""
    position = _TAIL * (n_values - 1)
    k = int(position)
    inner = tail[min(k + 1, n_values - 1)]
    return float(tail[k] + (position - k) * (inner - tail[k]))


def _histograms(parts: list[NDArray[np.float64]], low: float, high: float) -> NDArray[np.int32]:
    counts = np.zeros((len(parts), N_HISTOGRAM_BINS), np.int32)
    for values, row in zip(parts, counts, strict=True):
        count_values(values, low, high, row)
    return counts


def _unit(context: ViewContext, kind: AmplitudeKind) -> str:
    if kind == "raw":
        return "raw units" if context.dataset.gain_uV is None else "µV"
    return "template units" if kind == "template" else "PC units"


def _label(context: ViewContext, kind: AmplitudeKind, channel: int, component: int) -> str:
    if kind == "feature":
        return f"feature {context.dataset.channel_labels[channel]}{'ABC'[component % 3]}"
    return {"template": "template amplitude", "raw": "raw amplitude (peak to peak)"}[kind]


AMPLITUDES = View(AmplitudeParams, compute_amplitudes, Amplitudes)
"""The view, for the registry."""
