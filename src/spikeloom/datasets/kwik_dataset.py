"""A Kwik dataset as an app opens it; see `spikeloom.datasets.dataset.Dataset`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.raw_traces import RawTraces
from spikeloom.core.spike_groups import SpikeGroups, group_spikes
from spikeloom.datasets.features import SparseFeatures
from spikeloom.datasets.kwik_view import KwikView
from spikeloom.errors import ParameterError, SpikeloomError
from spikeloom.extractors.cluster_tables import Labels
from spikeloom.extractors.kwik_contents import ORIGINAL
from spikeloom.extractors.kwik_file import open_kwik, read_clustering

_FEATURE_BYTES_MAX = 1 << 30
"""Features that lie in chunks are unpacked if they take no more."""


@dataclass(frozen=True)
class KwikDataset:
    """A channel group of a Kwik dataset, with one clustering of it, in the words of all datasets.

    Kwik has no templates: the clusters that the sorter found stand in for them, so that edits can
    be told from what the sorter did.
    """

    name: str
    """Name of the file, and of the channel group where there are several."""
    folder: Path
    """Folder of the ``.kwik`` file."""
    sampling_frequency: float
    """In Hz."""
    duration_s: float
    """Length of the raw data, or time of the last spike."""
    spike_samples: NDArray[np.int64]
    """Sample index of each spike; shape (n_spikes,)."""
    spike_clusters: NDArray[np.int32]
    """Cluster of each spike as on disk; shape (n_spikes,)."""
    spike_templates: NDArray[np.int32]
    """Cluster of each spike in the original clustering; shape (n_spikes,)."""
    labels: Labels
    """What is known of clusters, by field; ``group`` is that of phy."""
    channel_positions: NDArray[np.float64]
    """In um; shape (n_channels, 2)."""
    channel_shanks: NDArray[np.int64]
    """The channel group, for each channel."""
    channel_labels: tuple[str, ...]
    """Names of channels."""
    n_samples_waveforms: int
    """Length of a waveform in samples."""
    traces: RawTraces | None
    """The raw data."""
    features: SparseFeatures | None
    """Features; in memory, where they lie in chunks of the file."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Why something is absent."""
    warnings: tuple[str, ...] = ()
    """What was wrong with the files."""
    amplitudes: None = None
    gain_uV: None = None
    waveform_pool: None = None
    templates: None = None
    listed_channels: None = None
    template_similarity: None = None

    @cached_property
    def spike_groups(self) -> SpikeGroups:
        """Spikes by cluster as on disk."""
        return group_spikes(self.spike_clusters)


def as_dataset(model: KwikView) -> KwikDataset:
    """Return what a `KwikModel` shows as a dataset that an app opens.

    Parameters
    ----------
    model : KwikModel
        An open dataset.

    Raises
    ------
    ParameterError
        If its spikes are not sorted.
    """
    if model.spike_clusters is None:
        msg = f"The spikes of channel group {model.channel_group} of {model.path} are not sorted."
        raise ParameterError(msg)
    notes = {
        "templates": "Kwik files have no templates.",
        "amplitudes": "Kwik files have no amplitudes.",
        **model.notes,
    }
    clusters = model.spike_clusters.astype(np.int32)
    sorted_as = _original_clusters(model, clusters)
    is_alone = len(model.channel_groups) == 1
    shown = model.channel_order
    return KwikDataset(
        name=model.name if is_alone else f"{model.name}, channel group {model.channel_group}",
        folder=model.path.parent,
        sampling_frequency=model.sample_rate,
        duration_s=model.duration,
        spike_samples=model.spike_samples.view(np.int64),
        spike_clusters=clusters,
        spike_templates=sorted_as,
        labels={"group": dict(model.cluster_metadata), **model.cluster_labels},
        channel_positions=model.channel_positions,
        channel_shanks=np.full(shown.size, model.channel_group),
        channel_labels=tuple(model.channel_names[channel] for channel in shown.tolist()),
        n_samples_waveforms=model.n_samples_waveforms,
        traces=_raw_traces(model, notes),
        features=_sparse_features(model, sorted_as, notes),
        notes=notes,
        warnings=model.warnings,
    )


def _original_clusters(model: KwikView, clusters: NDArray[np.int32]) -> NDArray[np.int32]:
    if ORIGINAL not in model.clusterings:
        return clusters
    with open_kwik(model.path) as file:
        found = read_clustering(model.path, file, model.channel_group, ORIGINAL)
    stored = found.spike_clusters.astype(np.int32)
    return stored if stored.size == clusters.size else clusters


def _raw_traces(model: KwikView, notes: dict[str, str]) -> RawTraces | None:
    if model.all_traces is None:
        return None
    try:
        return RawTraces(
            cast("tuple[NDArray[Any], ...]", model.all_traces.pieces),  # they are read like arrays
            model.channel_order,
            model.sample_rate,
        )
    except SpikeloomError as error:
        notes["traces"] = str(error)
        return None


def _sparse_features(
    model: KwikView, spike_templates: NDArray[np.int32], notes: dict[str, str]
) -> SparseFeatures | None:
    stored = model.features
    if stored is None:
        return None
    if not isinstance(stored, np.ndarray):
        n_bytes = stored.size * stored.dtype.itemsize
        if n_bytes > _FEATURE_BYTES_MAX:
            notes["features"] = (
                f"The features lie in chunks of the .kwx file and take {n_bytes / 1e9:.1f} GB, too "
                "much to unpack them."
            )
            return None
        stored = stored[:]
    return SparseFeatures(
        stored=stored.transpose(0, 2, 1),
        channel_ids=None,
        spike_ids=None,
        spike_templates=spike_templates,
        n_channels=stored.shape[1],
    )
