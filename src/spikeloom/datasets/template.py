"""`TemplateModel`: a dataset of KiloSort, SpyKING CIRCUS or another template-matching sorter.

The files are described in phy's documentation; `load_template_model` reads each of them with
its variants, treats a damaged optional file as absent (with a warning), and writes nothing.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.raw_traces import RawTraces
from spikeloom.core.spike_groups import SpikeGroups, group_spikes
from spikeloom.datasets.features import SparseFeatures
from spikeloom.datasets.templates import TemplateSet, cosine_similarity
from spikeloom.datasets.waveform_pool import WaveformPool
from spikeloom.extractors.cluster_tables import Labels, Texts
from spikeloom.extractors.phy_params import PhyParams
from spikeloom.storage.cache import cached_array
from spikeloom.storage.fingerprints import fingerprint_array

N_SAMPLES_WAVEFORMS = 82
"""Length of a waveform where no template says it; KiloSort's."""


@dataclass(frozen=True)
class TemplateModel:
    """A sorted dataset in phy's format; see `spikeloom.datasets.dataset.Dataset`."""

    params: PhyParams
    """What ``params.py`` says."""
    spike_samples: NDArray[np.int64]
    """Sample index of each spike, not decreasing; shape (n_spikes,)."""
    spike_clusters: NDArray[np.int32]
    """Cluster of each spike as on disk; shape (n_spikes,)."""
    spike_templates: NDArray[np.int32]
    """Template of each spike; shape (n_spikes,)."""
    amplitudes: NDArray[np.floating[Any]] | None
    """Amplitude that the sorter gave each spike; shape (n_spikes,)."""
    channel_map: NDArray[np.int64]
    """Raw column of each channel; shape (n_channels,)."""
    channel_positions: NDArray[np.float64]
    """In um; shape (n_channels, 2)."""
    channel_shanks: NDArray[np.int64]
    """Shank of each channel."""
    channel_probes: NDArray[np.int64]
    """Probe of each channel."""
    traces: RawTraces | None
    """The raw data."""
    templates: TemplateSet | None
    """The sorter's templates."""
    stored_similarity: NDArray[np.floating[Any]] | None
    """``similar_templates.npy``."""
    listed_channels: NDArray[np.int64] | None
    """``pc_feature_ind.npy``: channels of each template, the main one first, -1 for none."""
    features: SparseFeatures | None
    """``pc_features.npy``."""
    template_features: SparseFeatures | None
    """``template_features.npy``; its "channels" are templates and its one component is a value."""
    waveform_pool: WaveformPool | None
    """``_phy_spikes_subset.*.npy``."""
    spike_samples_reordered: NDArray[np.int64] | None
    """``spike_times_reordered.npy``: another time axis; shape (n_spikes,)."""
    spike_attributes: Mapping[str, NDArray[Any]]
    """``spike_<name>.npy`` by name; shape (n_spikes,) or (n_spikes, 2)."""
    labels: Labels
    """What is known of clusters, by field and cluster id."""
    label_texts: Texts
    """Text of labels that ``str`` would write in another way."""
    label_files: Mapping[str, Path]
    """File that each field was read from."""
    spike_clusters_path: Path
    """File that holds the clusters; may not exist yet."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Why something is absent."""
    warnings: tuple[str, ...] = ()
    """What was wrong with the files."""

    @property
    def name(self) -> str:
        """Folder of the dataset and the one above it, which together tell recordings apart."""
        folder = self.folder
        return f"{folder.parent.name}/{folder.name}" if folder.parent.name else folder.name

    @property
    def folder(self) -> Path:
        """Folder of the ``.npy`` files."""
        return self.params.dir_path.resolve()

    @property
    def sampling_frequency(self) -> float:
        """In Hz."""
        return self.params.sampling_frequency

    @property
    def n_spikes(self) -> int:
        """Number of spikes."""
        return int(self.spike_samples.size)

    @property
    def n_channels(self) -> int:
        """Number of channels that were sorted."""
        return int(self.channel_map.size)

    @property
    def n_templates(self) -> int:
        """Number of templates: of stored ones, else of those that spikes name."""
        if self.templates is not None:
            return self.templates.n_templates
        return int(self.spike_templates.max(initial=-1)) + 1

    @property
    def duration_s(self) -> float:
        """Length of the raw data, or time of the last spike without them."""
        if self.traces is not None:
            return self.traces.n_samples / self.sampling_frequency
        last = int(self.spike_samples[-1]) if self.n_spikes else 0
        return last / self.sampling_frequency

    @property
    def channel_labels(self) -> tuple[str, ...]:
        """Raw columns, or positions where ``show_mapped_channels`` is false."""
        if self.params.show_mapped_channels:
            return tuple(str(channel) for channel in self.channel_map)
        return tuple(str(channel) for channel in range(self.n_channels))

    @property
    def n_samples_waveforms(self) -> int:
        """Length of a waveform in samples."""
        if self.templates is not None:
            return self.templates.n_samples
        if self.waveform_pool is not None:
            return int(self.waveform_pool.stored.shape[1])
        return N_SAMPLES_WAVEFORMS

    def describe(self) -> dict[str, str]:
        """Return what the dataset holds, for people: phy's names, then what phy does not tell."""
        files = ", ".join(str(path) for path in self.params.dat_paths) or "none"
        return {
            "Data files": files if self.traces is not None else f"{files} (absent)",
            "Directory": str(self.folder),
            "Duration": f"{self.duration_s:.1f}s",
            "Sample rate": f"{self.sampling_frequency / 1000:.1f} kHz",
            "Data type": str(self.params.dtype),
            "# of channels": str(self.n_channels),
            "# of channels (raw)": str(self.params.n_channels_dat),
            "# of templates": str(self.n_templates),
            "# of clusters": str(self.spike_groups.labels.size),
            "# of spikes": f"{self.n_spikes:,}",
        }

    @property
    def gain_uV(self) -> float | None:  # noqa: N802 - the unit is part of the name
        """``uV_per_bit`` of ``params.py``, which phy takes for an attribute without meaning."""
        gain = self.params.extra.get("uv_per_bit")
        if isinstance(gain, (int, float)) and 0 < gain <= sys.float_info.max:
            return float(gain)
        return None

    @cached_property
    def spike_clusters_fingerprint(self) -> str:
        """Fingerprint of the clusters as they were read."""
        return fingerprint_array(self.spike_clusters)

    @cached_property
    def spike_groups(self) -> SpikeGroups:
        """Spikes by cluster as on disk; the order is kept in the cache by content."""
        return _cached_groups(self.spike_clusters, self.spike_clusters_fingerprint)

    @cached_property
    def template_similarity(self) -> NDArray[np.floating[Any]] | None:
        """As stored by the sorter, else the cosine between templates."""
        if self.stored_similarity is not None:
            return self.stored_similarity
        if self.templates is None:
            return None
        return cosine_similarity(self.templates)


def _cached_groups(spike_clusters: NDArray[np.int32], fingerprint: str) -> SpikeGroups:
    """Group spikes, or read back the groups of an earlier opening of the same content.

    One array holds both parts: ``[n_labels, labels…, counts…, order…]``.
    """
    made: list[SpikeGroups] = []

    def pack() -> NDArray[np.int64]:
        groups = group_spikes(spike_clusters)
        made.append(groups)
        return np.concatenate(([groups.labels.size], groups.labels, groups.counts(), groups.order))

    packed = cached_array("spike-groups-1", fingerprint, pack)
    if made:
        return made[0]
    n_labels = int(packed[0])
    labels, counts = packed[1 : n_labels + 1], packed[n_labels + 1 : 2 * n_labels + 1]
    offsets = np.concatenate(([0], np.cumsum(counts)))
    return SpikeGroups(np.array(labels), offsets, packed[2 * n_labels + 1 :])
