"""Edit ``.kwik`` files so that a crash at any moment leaves the old file or the new.

The file is copied, the copy is edited and flushed to the disk, and takes the name of the file in
one step. Whatever is not edited stays as it was, byte by byte. Before the first edit ever, the file
is copied to ``<name>.kwik.bak``, which is never written again.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ChangedOnDiskError, ParameterError
from spikeloom.extractors.hdf5_files import damage_told
from spikeloom.extractors.kwik_contents import (
    DEFAULT_CLUSTER_GROUPS,
    ORIGINAL,
    UNSORTED,
    KwikClustering,
)
from spikeloom.extractors.kwik_file import list_clusterings, read_clustering
from spikeloom.extractors.kwik_writing import (
    as_clusters,
    checked_name,
    write_attributes,
    write_cluster_group,
    write_clustering,
    write_clusters,
    write_labels,
)
from spikeloom.storage.staged_saves import TakenError, staged_save

BACKUP_SUFFIX = ".bak"

ClusterGroup = int | str | None
"""Number or name of a group of clusters; None stands for unsorted."""


@contextmanager
def edited_group(path: Path, channel_group: int) -> Iterator[h5py.Group]:
    """Give a channel group of a copy of a ``.kwik`` file to edit, and replace the file by it.

    Parameters
    ----------
    path : Path
        The file.
    channel_group : int
        The channel group.

    Raises
    ------
    WriteError
        If the file cannot be written; it is as before then.
    ReadError
        If it is damaged.
    """
    path = path.resolve()
    with staged_save(path, overwrite=True, needed_bytes=path.stat().st_size) as staging:
        shutil.copyfile(path, staging.path)
        shutil.copymode(path, staging.path)
        with damage_told(path), h5py.File(staging.path, "r+") as file:
            yield file[f"channel_groups/{channel_group}"]
        _keep_backup(path)


def _keep_backup(path: Path) -> None:
    backup = path.with_name(path.name + BACKUP_SUFFIX)
    if backup.exists():
        return
    n_bytes = path.stat().st_size
    # Somebody else may be faster.
    with suppress(TakenError), staged_save(backup, needed_bytes=n_bytes) as staging:
        shutil.copy2(path, staging.path)


def save_clusters(
    path: Path,
    channel_group: int,
    known: KwikClustering,
    *,
    spike_clusters: NDArray[Any] | None = None,
    cluster_groups: Mapping[int, ClusterGroup] | None = None,
    metadata: Mapping[str, Any] | None = None,
    labels: Mapping[str, Mapping[int, Any]] | None = None,
) -> None:
    """Save the clusters of spikes, and what is known of clusters.

    Parameters
    ----------
    path : Path
        The ``.kwik`` file.
    channel_group : int
        The channel group.
    known : KwikClustering
        The clustering as it was read.
    spike_clusters : ndarray of shape (n_spikes,), optional
        Cluster of each spike, stored in the type that the file has.
    cluster_groups : mapping, optional
        Number or name of the group of clusters. A name that is not there becomes a new group.
    metadata : mapping, optional
        Attributes of the clustering.
    labels : mapping, optional
        Values by field and cluster; None takes a label away.

    Raises
    ------
    ParameterError
        If the clustering is the original one, which stays as the sorter left it; if there is not
        one cluster for each spike; or if there is no such group.
    ChangedOnDiskError
        If the clusters in the file are not those that were read.
    """
    _refuse_original(known.name)
    stored = known.spike_clusters
    labelled = stored if spike_clusters is None else as_clusters(spike_clusters, stored.dtype)
    if labelled.shape != stored.shape:
        msg = f"There are {stored.size} spikes; got clusters for {labelled.size}."
        raise ParameterError(msg)
    with edited_group(path, channel_group) as group:
        on_disk = read_clustering(path, group.file, channel_group, known.name)
        if not np.array_equal(on_disk.spike_clusters, stored):
            msg = (
                f"Another program changed clustering {known.name!r} in {path} after it was opened. "
                "Nothing was saved; open the file anew, or save under another name with "
                "add_clustering."
            )
            raise ChangedOnDiskError(msg)
        numbers = _numbered(on_disk.group_names, cluster_groups or {}, group, known.name)
        if spike_clusters is not None:
            # In place: the array keeps its type, its shape and its position in the file.
            group[f"spikes/clusters/{known.name}"][...] = labelled
        clusters = group.require_group(f"clusters/{known.name}")
        present = np.unique(labelled).tolist()
        write_clusters(clusters, [*present, *(c for c in numbers if c not in present)], numbers)
        write_attributes(clusters, metadata or {})
        write_labels(clusters, labels or {})


def _numbered(
    names: Mapping[int, str],
    cluster_groups: Mapping[int, ClusterGroup],
    group: h5py.Group,
    clustering: str,
) -> dict[int, int]:
    """Return the number of the group of each cluster; names that are new are written."""
    known = {name.lower(): number for number, name in names.items()}
    numbers = {}
    for cluster, wanted in cluster_groups.items():
        if wanted is None:
            number = UNSORTED
        elif isinstance(wanted, str):
            name = wanted.strip()
            if not name:
                msg = f"The group of cluster {cluster} has an empty name."
                raise ParameterError(msg)
            if name.lower() not in known:
                known[name.lower()] = max(known.values()) + 1
                groups = group.require_group(f"cluster_groups/{clustering}")
                write_cluster_group(groups, known[name.lower()], name)
            number = known[name.lower()]
        else:
            number = int(wanted)
            if number not in known.values():
                msg = (
                    f"There is no cluster group {number}. Known: {dict(names)}. "
                    "Add it with add_cluster_group."
                )
                raise ParameterError(msg)
        if int(cluster) < 0:
            msg = f"Clusters are numbered from 0 on; got {cluster}."
            raise ParameterError(msg)
        numbers[int(cluster)] = number
    return numbers


def add_clustering(
    path: Path, channel_group: int, name: str, spike_clusters: NDArray[Any], *, n_spikes: int
) -> None:
    """Add a clustering, all clusters of which are unsorted.

    Raises
    ------
    ParameterError
        If there is one of this name, or not one cluster for each spike.
    """
    labelled = as_clusters(spike_clusters)
    if labelled.size != n_spikes:
        msg = f"There are {n_spikes} spikes; got clusters for {labelled.size}."
        raise ParameterError(msg)
    with edited_group(path, channel_group) as group:
        _refuse_taken(group, checked_name(name))
        write_clustering(group, name, labelled)


def move_clustering(
    path: Path, channel_group: int, name: str, new_name: str, *, keeps_old: bool
) -> None:
    """Rename a clustering, or copy it.

    Raises
    ------
    ParameterError
        If there is no such clustering, or one of the new name.
    """
    with edited_group(path, channel_group) as group:
        _refuse_absent(group, name)
        _refuse_taken(group, checked_name(new_name))
        for place in ("spikes/clusters", "clusters", "cluster_groups"):
            parent = group.get(place)
            if parent is None or name not in parent:
                continue
            if keeps_old:
                parent.copy(name, new_name)
            else:
                parent.move(name, new_name)


def delete_clustering(path: Path, channel_group: int, name: str) -> None:
    """Delete a clustering.

    Raises
    ------
    ParameterError
        If there is none of this name.
    """
    with edited_group(path, channel_group) as group:
        _refuse_absent(group, name)
        for place in ("spikes/clusters", "clusters", "cluster_groups"):
            parent = group.get(place)
            if parent is not None and name in parent:
                del parent[name]


def name_cluster_group(
    path: Path, channel_group: int, known: KwikClustering, *, number: int, name: str, is_new: bool
) -> None:
    """Add a group of clusters, or rename one.

    Raises
    ------
    ParameterError
        If it is one of the four that always are; if a new one is there already, or one to be
        renamed is not; or if another has the name.
    """
    _refuse_original(known.name)
    _refuse_default(number)
    if is_new == (number in known.group_names):
        state = "is there already" if is_new else "is not there"
        msg = f"Cluster group {number} {state}. Known: {dict(known.group_names)}."
        raise ParameterError(msg)
    others = {text.lower() for each, text in known.group_names.items() if each != number}
    if not name.strip() or name.strip().lower() in others:
        msg = f"{name!r} is empty, or the name of another group. Known: {dict(known.group_names)}."
        raise ParameterError(msg)
    with edited_group(path, channel_group) as group:
        groups = group.require_group(f"cluster_groups/{known.name}")
        write_cluster_group(groups, number, name.strip())


def delete_cluster_group(
    path: Path, channel_group: int, known: KwikClustering, number: int
) -> None:
    """Delete a group of clusters; those in it become unsorted.

    Raises
    ------
    ParameterError
        If it is one of the four that always are, or not there.
    """
    _refuse_original(known.name)
    _refuse_default(number)
    if number not in known.group_names:
        msg = f"There is no cluster group {number}. Known: {dict(known.group_names)}."
        raise ParameterError(msg)
    with edited_group(path, channel_group) as group:
        del group[f"cluster_groups/{known.name}/{number}"]
        members = [cluster for cluster, own in known.cluster_groups.items() if own == number]
        write_clusters(group[f"clusters/{known.name}"], members, dict.fromkeys(members, UNSORTED))


def _refuse_original(name: str) -> None:
    if name == ORIGINAL:
        msg = (
            "The clustering 'original' stays as the sorter left it. Copy it with "
            "copy_clustering('original', <name>) and edit the copy."
        )
        raise ParameterError(msg)


def _refuse_default(number: int) -> None:
    if number <= max(DEFAULT_CLUSTER_GROUPS):
        msg = f"Groups 0 to 3 are {dict(DEFAULT_CLUSTER_GROUPS)} in all files; others begin at 4."
        raise ParameterError(msg)


def _refuse_taken(group: h5py.Group, name: str) -> None:
    if name in list_clusterings(group):
        msg = f"There is a clustering {name!r} already; choose another name, or delete it first."
        raise ParameterError(msg)


def _refuse_absent(group: h5py.Group, name: str) -> None:
    known = list_clusterings(group)
    if name not in known:
        msg = f"There is no clustering {name!r}. Known: {', '.join(known) or 'none'}."
        raise ParameterError(msg)
