"""What can be read of a Kwik dataset, under the names that users of phy and klusta know."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.kwik_arrays import ConcatenatedTraces, WaveformRows
from spikeloom.datasets.kwik_state import KwikGroupState, Rows
from spikeloom.extractors.kwik_contents import (
    DEFAULT_CLUSTER_GROUPS,
    DEFAULT_METADATA,
    UNSORTED,
    KwikClustering,
)
from spikeloom.extractors.kwik_probe import probe_of_groups

if TYPE_CHECKING:
    from probeinterface import Probe


class Description(dict[str, str]):
    """Facts for people; shown as a table."""

    def __repr__(self) -> str:
        return "\n".join(f"{name:<24}{value}" for name, value in self.items())


class KwikView:  # noqa: PLR0904 - phy's names, one for each thing
    """A channel group of a Kwik dataset, and a clustering of it; `KwikModel` opens it."""

    default_cluster_groups: Mapping[int, str] = dict(DEFAULT_CLUSTER_GROUPS)
    """Groups that clusters of all files can be in: number and name."""

    _state: KwikGroupState
    _clustering: KwikClustering | None

    def __repr__(self) -> str:
        return repr(self.describe())

    # -- what it is --------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The ``.kwik`` file."""
        return self._state.kwik.path

    @property
    def kwik_path(self) -> Path:
        """The ``.kwik`` file."""
        return self.path

    @property
    def name(self) -> str:
        """Name of the file, without suffix."""
        return self.path.stem

    @property
    def metadata(self) -> dict[str, Any]:
        """Parameters of spike detection; what klusta takes where the file says nothing."""
        return {**DEFAULT_METADATA, **self._state.kwik.metadata}

    @property
    def kk2_metadata(self) -> dict[str, Any]:
        """Parameters of KlustaKwik."""
        return dict(self._state.kwik.klustakwik_metadata)

    @property
    def clustering_metadata(self) -> dict[str, Any]:
        """Parameters that the file notes of the clustering."""
        return {} if self._clustering is None else dict(self._clustering.metadata)

    @property
    def sample_rate(self) -> float:
        """Sampling frequency in Hz."""
        return self._state.kwik.sampling_frequency

    @property
    def duration(self) -> float:
        """Length of the raw data in seconds, or time of the last spike where there are none."""
        if self.all_traces is not None:
            return len(self.all_traces) / self.sample_rate
        return int(self._state.spike_samples.max(initial=0)) / self.sample_rate

    @property
    def recordings(self) -> list[int]:
        """Numbers of the recordings."""
        return [recording.index for recording in self._state.kwik.recordings]

    @property
    def n_recordings(self) -> int:
        """Number of recordings."""
        return len(self.recordings)

    @property
    def notes(self) -> dict[str, str]:
        """Why something is absent, by what: traces, features, masks."""
        return dict(self._state.notes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the files, for people."""
        return self._state.warnings

    def describe(self) -> Description:
        """Return what the dataset holds, for people; the current group and clustering have a ``*``.

        The keys are phy's.
        """
        groups = [f"{g}*" if g == self.channel_group else str(g) for g in self.channel_groups]
        names = [f"{c}*" if c == self.clustering else c for c in self.clusterings]
        return Description({
            "Kwik file": str(self.path),
            "Recordings": str(self.n_recordings),
            "List of shanks": ", ".join(groups),
            "Clusterings": ", ".join(names),
            "Channels": str(self.n_channels),
            "Spikes": str(self.n_spikes),
            "Clusters": str(self.n_clusters),
            "Duration": f"{self.duration:.0f}s",
        })

    # -- channels ----------------------------------------------------------------------------

    @property
    def channel_groups(self) -> list[int]:
        """Numbers of the channel groups (shanks)."""
        return list(self._state.kwik.channel_groups)

    @property
    def channel_group(self) -> int:
        """Number of the channel group that is shown; another one goes back to main."""
        return self._state.group.index

    @property
    def channels(self) -> NDArray[np.int64]:
        """All channels of the group, as columns of the raw data; shape (n_channels,)."""
        return np.array(self._state.group.channels, np.int64)

    @property
    def channel_order(self) -> NDArray[np.int64]:
        """Channels that were kept, in the order of features, masks, waveforms and traces."""
        return np.array(self._state.group.channel_order, np.int64)

    @property
    def n_channels(self) -> int:
        """Number of all channels of the group."""
        return len(self._state.group.channels)

    @property
    def channel_positions(self) -> NDArray[np.float64]:
        """Positions of `channel_order` in um; shape (n_kept_channels, 2)."""
        return self._state.group.positions_of(self._state.group.channel_order)

    @property
    def channel_names(self) -> dict[int, str]:
        """Name of each channel, by column of the raw data."""
        known = self._state.group.channel_names
        kept = (*self._state.group.channels, *self._state.group.channel_order)
        return {channel: known.get(channel, str(channel)) for channel in kept}

    @property
    def adjacency_graph(self) -> NDArray[np.int64]:
        """Pairs of neighbouring channels; shape (n_pairs, 2)."""
        return self._state.group.adjacency_graph

    @property
    def probe(self) -> "Probe":
        """The channels that were kept, as a probe of the probeinterface package."""
        return probe_of_groups([self._state.group])

    # -- spikes ------------------------------------------------------------------------------

    @property
    def n_spikes(self) -> int:
        """Number of spikes of the channel group."""
        return self._state.n_spikes

    @property
    def spike_ids(self) -> NDArray[np.int64]:
        """0 to `n_spikes` - 1."""
        return np.arange(self.n_spikes)

    @property
    def spike_samples(self) -> NDArray[np.uint64]:
        """Sample of each spike, recordings one after the other; shape (n_spikes,)."""
        return _read_only(self._state.spike_samples.view(np.uint64))

    @property
    def spike_times(self) -> NDArray[np.float64]:
        """Time of each spike in seconds, recordings one after the other; shape (n_spikes,)."""
        return self._state.spike_samples / self.sample_rate

    @property
    def spike_recordings(self) -> NDArray[np.int64]:
        """Number of the recording of each spike; shape (n_spikes,)."""
        return _read_only(self._state.spikes.recording_numbers)

    @property
    def features_masks(self) -> Rows | None:
        """Features and masks as in the ``.kwx`` file; shape (n_spikes, n_features, 2)."""
        return self._state.features_masks

    @property
    def features(self) -> Rows | None:
        """Features; shape (n_spikes, n_kept_channels, n_features_per_channel)."""
        return self._state.features

    @property
    def masks(self) -> Rows | None:
        """Masks from 0 to 1; shape (n_spikes, n_kept_channels)."""
        return self._state.masks

    @property
    def n_features_per_channel(self) -> int:
        """Number of features of each channel."""
        return self._state.n_features_per_channel

    @property
    def n_samples_waveforms(self) -> int:
        """Length of a waveform in samples."""
        return sum(self._state.window)

    @property
    def waveforms(self) -> WaveformRows | None:
        """Waveforms, cut out of the raw data and filtered when they are asked for.

        Shape (n_spikes, n_samples_waveforms, n_kept_channels), in steps of the raw data. The filter
        is klusta's: Butterworth from ``filter_low`` to ``filter_high_factor`` times the sampling
        frequency, forward and backward.
        """
        return self._state.waveforms

    @property
    def traces(self) -> ConcatenatedTraces | None:
        """Raw data of `channel_order`, recordings one after the other; (n_samples, n_channels)."""
        return self._state.traces

    @property
    def all_traces(self) -> ConcatenatedTraces | None:
        """Raw data of all channels of the file, recordings one after the other."""
        return self._state.all_traces

    all_features, all_masks, all_features_masks = features, masks, features_masks
    all_waveforms = waveforms

    def has_kwx(self) -> bool:
        """Return whether there is a ``.kwx`` file."""
        return self.path.with_suffix(".kwx").is_file()

    # -- clusters ----------------------------------------------------------------------------

    @property
    def clusterings(self) -> list[str]:
        """Names of the clusterings of the channel group, main first."""
        return list(self._state.group.clusterings)

    @property
    def clustering(self) -> str | None:
        """Name of the clustering that is shown; None if the spikes were not sorted."""
        return None if self._clustering is None else self._clustering.name

    @property
    def spike_clusters(self) -> NDArray[np.integer] | None:
        """Cluster of each spike, in the type of the file; shape (n_spikes,)."""
        return None if self._clustering is None else _read_only(self._clustering.spike_clusters)

    @property
    def cluster_ids(self) -> NDArray[np.int64]:
        """Clusters that have spikes, increasing; shape (n_clusters,)."""
        clusters = self.spike_clusters
        return np.zeros(0, np.int64) if clusters is None else np.unique(clusters).astype(np.int64)

    @property
    def n_clusters(self) -> int:
        """Number of clusters that have spikes."""
        return int(self.cluster_ids.size)

    @property
    def cluster_groups(self) -> dict[int, int]:
        """Number of the group of each cluster; `cluster_group_names` tells what it means."""
        known = {} if self._clustering is None else self._clustering.cluster_groups
        return {c: known.get(c, UNSORTED) for c in self.cluster_ids.tolist()}

    @property
    def cluster_group_names(self) -> dict[int, str]:
        """Name of each group that clusters of this clustering can be in."""
        known = None if self._clustering is None else self._clustering.group_names
        return dict(self.default_cluster_groups if known is None else known)

    @property
    def cluster_metadata(self) -> dict[int, str]:
        """Name of the group of each cluster in small letters, as klusta 3 has them."""
        names = self.cluster_group_names
        groups = self.cluster_groups
        return {c: names.get(number, f"group_{number}").lower() for c, number in groups.items()}

    @property
    def cluster_labels(self) -> dict[str, dict[int, Any]]:
        """What else the file notes of clusters, by field and cluster."""
        known = {} if self._clustering is None else self._clustering.labels
        return {field: dict(values) for field, values in known.items()}


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.setflags(write=False)
    return view
