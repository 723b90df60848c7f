"""What is known of an open Kwik dataset, as it was read; see `spikeloom.datasets.kwik`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.kwik_arrays import (
    ConcatenatedTraces,
    FeatureRows,
    WaveformFilter,
    WaveformRows,
)
from spikeloom.errors import DataError, SpikeloomError
from spikeloom.extractors.hdf5_arrays import open_array
from spikeloom.extractors.hdf5_chunks import ChunkedArray
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.hdf5_nodes import dataset_at, number_in
from spikeloom.extractors.kwik_contents import (
    MAIN,
    KwikChannelGroup,
    KwikClustering,
    KwikFile,
    KwikSpikes,
)
from spikeloom.extractors.kwik_file import open_kwik, read_clustering, read_spikes
from spikeloom.extractors.kwik_times import concatenate_spikes, put_in_order, recording_offsets
from spikeloom.extractors.kwik_traces import RecordingTraces, find_traces

Rows = NDArray[Any] | FeatureRows | ChunkedArray
"""An array with a row for each spike, which may lie in the file."""

_N_WINDOW_SAMPLES_MAX = 1 << 16


@dataclass(frozen=True)
class KwikGroupState:
    """A channel group of a Kwik dataset: its spikes, its raw data, its features."""

    kwik: KwikFile
    """What the file says."""
    group: KwikChannelGroup
    """The channels."""
    found: tuple[RecordingTraces, ...]
    """Raw data of each recording."""
    spikes: KwikSpikes
    """Spikes as in the file."""
    spike_samples: NDArray[np.int64]
    """Spikes on the time axis of all recordings together; shape (n_spikes,)."""
    features_masks: NDArray[Any] | ChunkedArray | None
    """As in the ``.kwx`` file."""
    notes: Mapping[str, str]
    """Why something is absent, by what ("traces", "features", "masks")."""
    warnings: tuple[str, ...]
    """What was wrong with the files, for people."""

    @property
    def n_spikes(self) -> int:
        """Number of spikes."""
        return int(self.spike_samples.size)

    @cached_property
    def n_features_per_channel(self) -> int:
        """Number of features of a channel, as the file says or as there are."""
        names = ("n_features_per_channel", "nfeatures_per_channel")
        stated = number_in(self.kwik.metadata, *names)
        if self.features_masks is None:
            return int(self.kwik.parameter(names[0]) if stated is None else stated)
        n_most = self.features_masks.shape[1] // max(1, len(self.group.channel_order))
        # There may be columns behind those of channels, such as time; never fewer.
        return int(stated) if stated is not None and 1 <= stated <= n_most else n_most

    @cached_property
    def features(self) -> NDArray[Any] | FeatureRows | None:
        """Features (n_spikes, n_channels, n_features_per_channel)."""
        shape = (len(self.group.channel_order), self.n_features_per_channel)
        return self._layer(slice(0, shape[0] * shape[1]), 0, shape)

    @cached_property
    def masks(self) -> NDArray[Any] | FeatureRows | None:
        """Masks (n_spikes, n_channels), from 0 to 1."""
        if self.features_masks is None or self.features_masks.ndim != 3:
            return None
        n_channels, step = len(self.group.channel_order), self.n_features_per_channel
        return self._layer(slice(0, n_channels * step, step or None), 1, (n_channels,))

    def _layer(
        self, columns: slice, layer: int, shape: tuple[int, ...]
    ) -> NDArray[Any] | FeatureRows | None:
        stored = self.features_masks
        if stored is None:
            return None
        picked = layer if stored.ndim == 3 else None
        if isinstance(stored, ChunkedArray):
            return FeatureRows(stored, columns, picked, shape)
        block = stored[:, columns] if picked is None else stored[:, columns, picked]
        return block.reshape(len(block), *shape)

    @cached_property
    def all_traces(self) -> ConcatenatedTraces | None:
        """Raw data of all channels."""
        pieces = [each.traces for each in self.found if each.traces is not None]
        return ConcatenatedTraces(pieces) if len(pieces) == len(self.found) else None

    @cached_property
    def traces(self) -> ConcatenatedTraces | None:
        """Raw data of the channels that were kept, in their order."""
        if self.all_traces is None:
            return None
        return ConcatenatedTraces(
            self.all_traces.pieces, np.array(self.group.channel_order, np.int64)
        )

    @property
    def window(self) -> tuple[int, int]:
        """Samples of a waveform before its spike, and from it on.

        Raises
        ------
        DataError
            If the file says what cannot be.
        """
        before, after = (self.kwik.parameter(f"extract_s_{side}") for side in ("before", "after"))
        if not (before >= 0 and after >= 0 and 1 <= before + after <= _N_WINDOW_SAMPLES_MAX):
            msg = (
                f"{self.kwik.path} says extract_s_before={before:g}, extract_s_after={after:g}; "
                f"1 to {_N_WINDOW_SAMPLES_MAX} samples together make a waveform."
            )
            raise DataError(msg)
        return int(before), int(after)

    @cached_property
    def waveforms(self) -> WaveformRows | None:
        """Waveforms (n_spikes, n_samples, n_channels), made when they are asked for."""
        if self.traces is None:
            return None
        rate = self.kwik.sampling_frequency
        is_filtered = number_in(self.kwik.metadata, "waveform_filter") != 0
        waveform_filter = WaveformFilter(
            rate,
            self.kwik.parameter("filter_low"),
            self.kwik.parameter("filter_high_factor") * rate,
            int(self.kwik.parameter("filter_butter_order")),
        )
        return WaveformRows(
            self.traces,
            self.spike_samples,
            self.window,
            waveform_filter if is_filtered else None,
        )


@dataclass(frozen=True)
class _Told:
    """What is to be told to people."""

    notes: dict[str, str]
    warnings: list[str]


def load_group(kwik: KwikFile, channel_group: int | None) -> KwikGroupState:
    """Read the spikes of a channel group; raw data and features stay in their files.

    Raises
    ------
    ParameterError
        If there is no such channel group.
    ReadError, DataError
        If a required file is damaged, or makes no sense.
    """
    group = kwik.group(channel_group)
    told = _Told({}, [])
    with open_kwik(kwik.path) as file:
        spikes = read_spikes(kwik.path, file, group.index)
    found = _checked_traces(find_traces(kwik), group, told)
    positions = spikes.recording_positions(kwik.recordings)
    last_samples = np.full(max(1, len(kwik.recordings)), -1, np.int64)
    np.maximum.at(last_samples, positions, spikes.time_samples)
    offsets = recording_offsets(
        [None if each.traces is None else each.traces.shape[0] for each in found],
        [each.recording.start_sample for each in found],
        last_samples.tolist(),
    )
    samples = concatenate_spikes(spikes.time_samples, positions, offsets)
    samples, n_moved = put_in_order(samples, kwik.sampling_frequency)
    if n_moved:
        told.warnings.append(
            f"{n_moved} of {samples.size} spikes came a little before the one above them, and were "
            "moved to its sample."
        )
    features_masks = _open_features(kwik, group, samples.size, told)
    return KwikGroupState(
        kwik=kwik,
        group=group,
        found=found,
        spikes=spikes,
        spike_samples=samples,
        features_masks=features_masks,
        notes=told.notes,
        warnings=tuple(told.warnings),
    )


def _checked_traces(
    found: list[RecordingTraces],
    group: KwikChannelGroup,
    told: _Told,
) -> tuple[RecordingTraces, ...]:
    """Return raw data that go together; else none, with a note that says why."""
    problems = [each.problem for each in found if each.traces is None]
    kinds = {(each.traces.shape[1], each.traces.dtype) for each in found if each.traces is not None}
    n_needed = max(group.channel_order, default=-1) + 1
    if len(kinds) > 1:
        problems.append("The raw data of recordings differ in channels or type.")
    elif kinds and min(kinds)[0] < n_needed:
        problems.append(
            f"The raw data have {min(kinds)[0]} channels, but channel group {group.index} has "
            f"channel {n_needed - 1}."
        )
    if not problems:
        return tuple(found)
    told.notes["traces"] = problems[0]
    told.warnings.append(f"{problems[0]} There are no traces and waveforms.")
    is_usable = not kinds or (len(kinds) == 1 and min(kinds)[0] >= n_needed)
    if is_usable:
        return tuple(found)
    return tuple(RecordingTraces(each.recording, None, None, problems[0]) for each in found)


def _open_features(
    kwik: KwikFile,
    group: KwikChannelGroup,
    n_spikes: int,
    told: _Told,
) -> NDArray[Any] | ChunkedArray | None:
    path = kwik.path.with_suffix(".kwx")
    if not path.is_file():
        told.notes["features"] = f"{path.name} is not there."
        return None
    try:
        with open_hdf5(path) as file:
            dataset = dataset_at(file, f"channel_groups/{group.index}/features_masks")
            if dataset is None:
                told.notes["features"] = f"{path.name} has none of channel group {group.index}."
                return None
            stored = open_array(path, dataset)
    except SpikeloomError as error:
        told.notes["features"] = str(error)
        told.warnings.append(f"There are no features: {error}")
        return None
    is_table = stored.ndim == 2 or (stored.ndim == 3 and stored.shape[2] == 2)
    n_channels = len(group.channel_order)
    if not is_table or stored.shape[0] != n_spikes or stored.shape[1] < n_channels:
        told.notes["features"] = (
            f"{path.name} has features of shape {stored.shape}, which do not go with {n_spikes} "
            f"spikes and {n_channels} channels."
        )
        told.warnings.append(told.notes["features"])
        return None
    if stored.ndim == 2:
        told.notes["masks"] = f"{path.name} has features without masks."
    return stored


def load_clustering(state: KwikGroupState, name: str | None) -> KwikClustering | None:
    """Read a clustering; main (else the first) for None, and None if there are none at all.

    Raises
    ------
    ParameterError
        If there is none of this name.
    DataError
        If it has not one cluster for each spike.
    """
    path, group = state.kwik.path, state.group
    if name is None:
        if not group.clusterings:
            return None
        name = MAIN if MAIN in group.clusterings else group.clusterings[0]
    with open_kwik(path) as file:
        clustering = read_clustering(path, file, group.index, name)
    if clustering.spike_clusters.size != state.n_spikes:
        msg = (
            f"{path}: channel group {group.index} has {state.n_spikes} spikes, but clustering "
            f"{name!r} is one of {clustering.spike_clusters.size}."
        )
        raise DataError(msg)
    return clustering
