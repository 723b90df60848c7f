"""Sortings in ``.kwik`` files of klusta, KlustaViewa and phy."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.spike_building import table_from_samples_and_labels
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.kwik_contents import (
    MAIN,
    UNSORTED,
    KwikClustering,
    KwikFile,
    KwikSpikes,
)
from spikeloom.extractors.kwik_file import (
    open_kwik,
    read_clustering,
    read_kwik_file,
    read_spikes,
)
from spikeloom.extractors.listed_spikes import as_property


@stored_as("spikeinterface.extractors.klustaextractors.KlustaSortingExtractor")
class KlustaSortingExtractor(BaseSorting):
    """The sorting of a ``.kwik`` file, a segment for each of its recordings.

    Parameters
    ----------
    file_or_folder_path : str or Path
        A ``.kwik`` file, or a folder with one.
    exclude_cluster_groups : list of str or str, optional
        Groups whose clusters are left out, such as ``"noise"``; in any case of letters.
    channel_group : int, optional
        The channel group to read; all by default.
    clustering : str, default "main"
        The clustering to read.

    Raises
    ------
    MissingFileError
        If there is no such file, or not one in the folder.
    ReadError, DataError
        If the file is damaged, or makes no sense.
    ParameterError
        If there is no such channel group, clustering or cluster group.

    Notes
    -----
    Unit ids are the clusters' numbers; where several channel groups use the same ones, units are
    counted from 0. Properties: ``group`` is the channel group, ``quality`` the name of the cluster
    group in small letters, ``original_cluster_id`` the cluster's number, and whatever else the
    file notes of clusters.
    """

    def __init__(
        self,
        file_or_folder_path: str | Path,
        exclude_cluster_groups: Iterable[str] | str | None = None,
        channel_group: int | None = None,
        clustering: str = MAIN,
    ) -> None:
        given = Path(file_or_folder_path).absolute()
        kwik = read_kwik_file(_kwik_path(given))
        wanted = kwik.channel_groups if channel_group is None else [kwik.group(channel_group).index]
        parts = []
        with open_kwik(kwik.path) as file:
            for group in wanted:
                if channel_group is None and clustering not in kwik.group(group).clusterings:
                    continue  # spikes of this shank were not sorted
                spikes = read_spikes(kwik.path, file, group)
                parts.append((group, spikes, read_clustering(kwik.path, file, group, clustering)))
        if not parts:
            msg = f"{kwik.path} has no clustering {clustering!r} in any of its channel groups."
            raise ParameterError(msg)
        excluded = _excluded_names(exclude_cluster_groups, [part[2] for part in parts])
        self._parts = [_part_of(kwik, *part, excluded) for part in parts]
        clusters = np.concatenate([part.clusters for part in self._parts])
        are_unique = np.unique(clusters).size == clusters.size
        super().__init__(
            kwik.sampling_frequency, clusters if are_unique else np.arange(clusters.size)
        )
        for k, recording in enumerate(kwik.recordings or (None,)):
            start_s = None if recording is None else recording.start_time_s or None
            self.add_sorting_segment(TableSortingSegment(self, k, start_s))
        self._set_properties()
        self._kwargs = {
            "file_or_folder_path": str(given),
            "exclude_cluster_groups": exclude_cluster_groups,
        }
        if channel_group is not None or clustering != MAIN:  # which SpikeInterface does not know
            self._kwargs |= {"channel_group": channel_group, "clustering": clustering}

    def _set_properties(self) -> None:
        parts = self._parts
        counts = [part.clusters.size for part in parts]
        self.set_property("group", np.repeat([part.channel_group for part in parts], counts))
        self.set_property("quality", [name for part in parts for name in part.qualities])
        self.set_property("original_cluster_id", np.concatenate([part.clusters for part in parts]))
        fields = sorted({field for part in parts for field in part.clustering.labels})
        for field in fields:
            if field not in self.get_property_keys():
                values = [
                    part.clustering.labels.get(field, {}).get(cluster)
                    for part in parts
                    for cluster in part.clusters.tolist()
                ]
                self.set_property(field, as_property(values))

    def _make_spike_table(self) -> SpikeTable:
        first, samples, units, segments = 0, [], [], []
        for part in self._parts:
            position = np.searchsorted(part.clusters, part.clustering.spike_clusters)
            position = np.minimum(position, max(part.clusters.size - 1, 0))
            is_kept = (
                part.clusters[position] == part.clustering.spike_clusters
                if part.clusters.size
                else np.zeros(position.size, bool)
            )
            samples.append(part.spikes.time_samples[is_kept])
            units.append(position[is_kept] + first)
            segments.append(part.segments[is_kept])
            first += part.clusters.size
        where = np.concatenate(segments)
        every, labels = np.concatenate(samples), np.concatenate(units)
        rows = [np.flatnonzero(where == k) for k in range(self.get_num_segments())]
        return table_from_samples_and_labels(
            [every[each] for each in rows],
            [labels[each] for each in rows],
            np.arange(self.get_num_units()),
        )[0]


@dataclass(frozen=True)
class _Part:
    """The units of a channel group."""

    channel_group: int
    spikes: KwikSpikes
    clustering: KwikClustering
    clusters: NDArray[np.int64]
    """Clusters that are units, increasing."""
    segments: NDArray[np.int64]
    """Segment of each spike."""

    @property
    def qualities(self) -> list[str]:
        return [_quality(self.clustering, cluster) for cluster in self.clusters.tolist()]


def _part_of(
    kwik: KwikFile,
    channel_group: int,
    spikes: KwikSpikes,
    clustering: KwikClustering,
    excluded: set[str],
) -> _Part:
    if clustering.spike_clusters.size != spikes.time_samples.size:
        msg = (
            f"{kwik.path}: channel group {channel_group} has {spikes.time_samples.size} spikes, "
            f"but clustering {clustering.name!r} is one of {clustering.spike_clusters.size}."
        )
        raise DataError(msg)
    every = np.unique(clustering.spike_clusters).astype(np.int64).tolist()
    kept = [cluster for cluster in every if _quality(clustering, cluster) not in excluded]
    return _Part(
        channel_group,
        spikes,
        clustering,
        clusters=np.array(kept, np.int64),
        segments=spikes.recording_positions(kwik.recordings),
    )


def _quality(clustering: KwikClustering, cluster: int) -> str:
    number = clustering.cluster_groups.get(cluster, UNSORTED)
    return clustering.group_names.get(number, f"group_{number}").lower()


def _excluded_names(
    excluded: Iterable[str] | str | None, clusterings: Iterable[KwikClustering]
) -> set[str]:
    names = [excluded] if isinstance(excluded, str) else list(excluded or ())
    known = {name.lower() for each in clusterings for name in each.group_names.values()}
    unknown = [name for name in names if str(name).lower() not in known]
    if unknown:
        msg = f"There are no cluster groups {unknown}. Known: {', '.join(sorted(known))}."
        raise ParameterError(msg)
    return {name.lower() for name in names}


def _kwik_path(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.kwik"))
    if len(found) != 1:
        names = ", ".join(each.name for each in found) or "none"
        msg = f"One .kwik file is expected in {path}; there are {len(found)} ({names})."
        raise MissingFileError(2, msg)
    return found[0]


def read_klusta(
    file_or_folder_path: str | Path,
    exclude_cluster_groups: Iterable[str] | str | None = None,
    channel_group: int | None = None,
    clustering: str = MAIN,
) -> KlustaSortingExtractor:
    """Open the sorting of a ``.kwik`` file; see `KlustaSortingExtractor`."""
    return KlustaSortingExtractor(
        file_or_folder_path, exclude_cluster_groups, channel_group, clustering
    )


def read_kwik(
    file_path: str | Path,
    channel_group: int | None = None,
    clustering: str = MAIN,
    exclude_cluster_groups: Iterable[str] | str | None = None,
) -> KlustaSortingExtractor:
    """Open the sorting of a ``.kwik`` file; see `KlustaSortingExtractor`."""
    return KlustaSortingExtractor(file_path, exclude_cluster_groups, channel_group, clustering)
