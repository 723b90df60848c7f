"""What a Kwik dataset consists of: recordings, channel groups, spikes and clusterings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.hdf5_nodes import number_in

MAIN = "main"
"""The clustering that people work on."""
ORIGINAL = "original"
"""The clustering as the sorter left it."""

DEFAULT_CLUSTER_GROUPS: Mapping[int, str] = {0: "Noise", 1: "MUA", 2: "Good", 3: "Unsorted"}
UNSORTED = 3

DEFAULT_METADATA: Mapping[str, Any] = {
    "filter_low": 500.0,
    "filter_high_factor": 0.475,
    "filter_butter_order": 3,
    "extract_s_before": 10,
    "extract_s_after": 10,
    "n_features_per_channel": 3,
}
"""What klusta takes where a file does not say."""


@dataclass(frozen=True)
class KwikRecording:
    """A recording that a Kwik file names."""

    index: int
    """Its number, which spikes refer to."""
    name: str = ""
    """How people call it."""
    sampling_frequency: float | None = None
    """In Hz."""
    start_sample: int | None = None
    """Where it begins when all recordings follow each other."""
    start_time_s: float | None = None
    """When it begins, in seconds."""
    hdf5_path: str | None = None
    """The ``.raw.kwd`` file, as it is written in the file."""
    dat_path: str | None = None
    """The flat binary file, as it is written in the file."""


@dataclass(frozen=True)
class KwikChannelGroup:
    """Channels that were sorted together: a shank, a tetrode."""

    index: int
    """Its number."""
    channels: tuple[int, ...]
    """All its channels, as columns of the raw data."""
    channel_order: tuple[int, ...]
    """The channels that were kept, in the order of features and waveforms."""
    positions_um: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """Position by channel."""
    channel_names: Mapping[int, str] = field(default_factory=dict)
    """Name by channel."""
    adjacency_graph: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    """Pairs of neighbouring channels; shape (n_pairs, 2)."""
    clusterings: tuple[str, ...] = ()
    """Names of clusterings: main, then the others as sorted."""

    def positions_of(self, channels: tuple[int, ...]) -> NDArray[np.float64]:
        """Return positions in um, (n_channels, 2); a column 20 um apart where none are known."""
        known = self.positions_um
        return np.array(
            [known.get(channel, (0.0, 20.0 * k)) for k, channel in enumerate(channels)], np.float64
        ).reshape(-1, 2)


@dataclass(frozen=True)
class KwikFile:
    """What a ``.kwik`` file says, but for spikes and clusters."""

    path: Path
    """The file."""
    name: str
    """Name of the experiment."""
    creator: str
    """The program that wrote it."""
    metadata: Mapping[str, Any]
    """Parameters of spike detection, those of the PRM file."""
    klustakwik_metadata: Mapping[str, Any]
    """Parameters of clustering."""
    recordings: tuple[KwikRecording, ...]
    """In the order of their numbers."""
    channel_groups: Mapping[int, KwikChannelGroup]
    """By number."""
    event_types: tuple[str, ...] = ()
    """Names of the kinds of events."""

    @property
    def sampling_frequency(self) -> float:
        """In Hz.

        Raises
        ------
        DataError
            If the file does not say it.
        """
        stated = number_in(self.metadata, "sample_rate")
        rates = [stated, *(recording.sampling_frequency for recording in self.recordings)]
        known = next((rate for rate in rates if rate is not None), None)
        if known is None or not known > 0:
            msg = (
                f"{self.path} does not say its sampling frequency: neither application_data/"
                f"spikedetekt nor recordings have an attribute sample_rate above 0 (got {known})."
            )
            raise DataError(msg)
        return known

    def parameter(self, name: str) -> float:
        """Return a number among the metadata, or what klusta takes where the file has none."""
        known = number_in(self.metadata, name)
        return float(DEFAULT_METADATA[name]) if known is None else known

    def group(self, channel_group: int | None) -> KwikChannelGroup:
        """Return a channel group, the first one for None.

        Raises
        ------
        ParameterError
            If there is none of this number.
        DataError
            If there are none at all.
        """
        if not self.channel_groups:
            msg = f"{self.path} has no channel groups (/channel_groups/0 is expected at least)."
            raise DataError(msg)
        known = ", ".join(map(str, self.channel_groups))
        if channel_group is None:
            return next(iter(self.channel_groups.values()))
        found = self.channel_groups.get(channel_group)
        if found is None:
            msg = f"{self.path} has no channel group {channel_group}. Known: {known}."
            raise ParameterError(msg)
        return found


@dataclass(frozen=True)
class KwikSpikes:
    """The spikes of a channel group."""

    time_samples: NDArray[np.int64]
    """Sample of each, counted from the start of its recording; shape (n_spikes,)."""
    time_fractional: NDArray[np.uint8]
    """What is beyond the sample, in 255ths; shape (n_spikes,)."""
    recording_numbers: NDArray[np.int64]
    """Number of the recording of each; shape (n_spikes,)."""

    def recording_positions(self, recordings: tuple[KwikRecording, ...]) -> NDArray[np.int64]:
        """Return the position of each spike's recording; shape (n_spikes,).

        Raises
        ------
        DataError
            If a spike is of a recording that the file does not have.
        """
        # Where a file names no recordings, there is one, number 0.
        numbers = np.array([recording.index for recording in recordings] or [0], np.int64)
        if numbers.size == 1:  # most files: no need to search for each spike
            positions = np.zeros(self.recording_numbers.size, np.int64)
        else:
            positions = np.searchsorted(numbers, self.recording_numbers)
            positions = np.minimum(positions, numbers.size - 1)
        wrong = np.flatnonzero(numbers[positions] != self.recording_numbers)
        if wrong.size:
            k = int(wrong[0])
            msg = (
                f"Spike {k} is of recording {self.recording_numbers[k]}; the file has recordings "
                f"{', '.join(map(str, numbers))}."
            )
            raise DataError(msg)
        return positions


@dataclass(frozen=True)
class KwikClustering:
    """The clusters of a channel group's spikes."""

    name: str
    """Name of the clustering."""
    spike_clusters: NDArray[np.integer]
    """Cluster of each spike, in the type of the file; shape (n_spikes,)."""
    cluster_groups: Mapping[int, int]
    """Number of each cluster's group, also of clusters that have no spikes any more."""
    group_names: Mapping[int, str]
    """Name of each group."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Attributes of the clustering."""
    labels: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)
    """What else is known of clusters, by field and cluster (their ``user_data``)."""
