"""What an app needs to know of a sorted dataset, whatever its files look like."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.raw_traces import RawTraces
from spikeloom.core.spike_groups import SpikeGroups
from spikeloom.datasets.features import SparseFeatures
from spikeloom.datasets.templates import TemplateSet
from spikeloom.datasets.waveform_pool import WaveformPool
from spikeloom.extractors.cluster_tables import Labels


class Dataset(Protocol):  # noqa: PLR0904 - a record, not a class that does things
    """A sorted recording: spikes in clusters, and whatever else is there.

    All arrays are read-only; opening one writes nothing. What a dataset does not have is None.
    """

    @property
    def name(self) -> str:
        """How people call it."""

    @property
    def folder(self) -> Path:
        """Folder that holds its files, and ``.spikeloom/`` once it was edited."""

    @property
    def sampling_frequency(self) -> float:
        """In Hz."""

    @property
    def duration_s(self) -> float:
        """Length of the recording, or time of the last spike where that is unknown."""

    @property
    def spike_samples(self) -> NDArray[np.int64]:
        """Sample index of each spike, not decreasing; shape (n_spikes,)."""

    @property
    def spike_clusters(self) -> NDArray[np.int32]:
        """Cluster of each spike as on disk; shape (n_spikes,)."""

    @property
    def spike_templates(self) -> NDArray[np.int32]:
        """Template of each spike as the sorter found it; shape (n_spikes,)."""

    @property
    def spike_groups(self) -> SpikeGroups:
        """Spikes by cluster as on disk."""

    @property
    def labels(self) -> Labels:
        """What is known of clusters, by field; ``group`` is good, mua, noise or unsorted."""

    @property
    def amplitudes(self) -> NDArray[np.floating[Any]] | None:
        """Amplitude that the sorter gave each spike, in its own unit; shape (n_spikes,)."""

    @property
    def channel_positions(self) -> NDArray[np.float64]:
        """In um; shape (n_channels, 2)."""

    @property
    def channel_shanks(self) -> NDArray[np.int64]:
        """Shank of each channel."""

    @property
    def channel_labels(self) -> tuple[str, ...]:
        """How people call each channel."""

    @property
    def n_samples_waveforms(self) -> int:
        """Length of a waveform in samples."""

    @property
    def traces(self) -> RawTraces | None:
        """The raw data."""

    @property
    def gain_uV(self) -> float | None:  # noqa: N802 - the unit is part of the name
        """What one step of the raw data stands for, in µV; None where no file tells it."""

    @property
    def waveform_pool(self) -> WaveformPool | None:
        """Waveforms saved beside the dataset."""

    @property
    def templates(self) -> TemplateSet | None:
        """The sorter's templates."""

    @property
    def listed_channels(self) -> NDArray[np.int64] | None:
        """Channels that the sorter lists for each template, the main one first, -1 for none.

        Shape (n_templates, n_listed). They stand in where there are no templates.
        """

    @property
    def template_similarity(self) -> NDArray[np.floating[Any]] | None:
        """Similarity between templates; shape (n_templates, n_templates)."""

    @property
    def features(self) -> SparseFeatures | None:
        """Principal components of spikes."""

    @property
    def notes(self) -> Mapping[str, str]:
        """Why something is absent, by what ("traces", "features", "templates")."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the files, for people."""
