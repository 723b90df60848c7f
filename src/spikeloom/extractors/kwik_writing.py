"""Write parts of ``.kwik`` files, in klusta's dialect, into an HDF5 file that is open."""

from collections.abc import Iterable, Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError
from spikeloom.extractors.kwik_contents import DEFAULT_CLUSTER_GROUPS, UNSORTED

N_COLORS = 9
"""Colours of KlustaViewa that clusters get: numbers 2 to 10."""

_ATTRIBUTE_BYTES_MAX = 64_000
"""What the header of a group has room for."""

_NAME_LENGTH_MAX = 200


def write_attribute(node: h5py.Group, name: str, value: Any) -> None:
    """Write an attribute as klusta does: text as an array of bytes, truth values as numbers.

    Raises
    ------
    ParameterError
        If the value is of a kind that an attribute cannot have, or too large for one.
    """
    if value is None:
        value = ""
    if isinstance(value, bool | np.bool):
        value = int(value)
    if isinstance(value, list | tuple) and value and all(isinstance(v, str) for v in value):
        value = np.array([text.encode() for text in value])
    elif isinstance(value, str):
        value = np.array([value.encode()], f"S{max(1, len(value.encode()))}")
    array = np.asarray(value)
    if array.dtype.kind not in "iufS" or array.nbytes > _ATTRIBUTE_BYTES_MAX:
        msg = (
            f"{name}={value!r:.80} cannot be an attribute of a Kwik file: numbers, texts and lists "
            f"of them can, up to {_ATTRIBUTE_BYTES_MAX} bytes; this is {array.nbytes} bytes of "
            f"{array.dtype}."
        )
        raise ParameterError(msg)
    node.attrs[name] = value if isinstance(value, int | float | np.generic) else array


def write_attributes(node: h5py.Group, values: Mapping[str, Any]) -> None:
    """Write several attributes; see `write_attribute`."""
    for name, value in values.items():
        write_attribute(node, str(name), value)


def checked_name(name: str) -> str:
    """Return the name of a clustering if it can be one.

    Raises
    ------
    ParameterError
        If it is empty, too long, or has characters that paths in HDF5 files give a meaning.
    """
    is_fine = name.isprintable() and "/" not in name
    if not is_fine or name.strip(".") == "" or len(name) > _NAME_LENGTH_MAX:
        msg = f"A clustering cannot be named {name!r}: a printable text without / is needed."
        raise ParameterError(msg)
    return name


def write_clustering(
    group: h5py.Group,
    name: str,
    spike_clusters: ArrayLike,
    *,
    cluster_groups: Mapping[int, int] | None = None,
    group_names: Mapping[int, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a new clustering into a channel group.

    Parameters
    ----------
    group : h5py.Group
        The channel group, which has no clustering of this name.
    name : str
        Name of the clustering.
    spike_clusters : array_like of shape (n_spikes,)
        Cluster of each spike.
    cluster_groups : mapping, optional
        Number of the group of each cluster; 3, which is unsorted, by default.
    group_names : mapping, optional
        Names of groups beside the four that always are.
    metadata : mapping, optional
        Attributes of the clustering.

    Raises
    ------
    ParameterError
        If `spike_clusters` are not numbers of clusters.
    """
    labels = as_clusters(spike_clusters)
    group.create_dataset(f"spikes/clusters/{checked_name(name)}", data=labels)
    clusters = group.require_group(f"clusters/{name}")
    write_attributes(clusters, metadata or {})
    write_clusters(clusters, np.unique(labels).tolist(), cluster_groups or {})
    groups = group.require_group(f"cluster_groups/{name}")
    for number, text in {**DEFAULT_CLUSTER_GROUPS, **(group_names or {})}.items():
        write_cluster_group(groups, number, text)


def as_clusters(spike_clusters: ArrayLike, dtype: Any = np.int32) -> NDArray[np.integer]:
    """Return numbers of clusters in the type of the file.

    Raises
    ------
    ParameterError
        If they are no whole numbers from 0 on, or do not fit into the type.

    Examples
    --------
    >>> as_clusters([3, 5])
    array([3, 5], dtype=int32)
    """
    given = np.asarray(spike_clusters)
    limit = min(np.iinfo(dtype).max, np.iinfo(np.int32).max)
    is_list = given.ndim == 1 and (given.dtype.kind in "iu" or not given.size)
    if not is_list or (given.size and not 0 <= given.min() <= given.max() <= limit):
        msg = (
            "spike_clusters must be a list of the cluster numbers of spikes, whole numbers from 0 "
            f"to {limit}; got {given.dtype} of shape {given.shape}"
            + (f", from {given.min()} to {given.max()}." if is_list else ".")
        )
        raise ParameterError(msg)
    return given.astype(dtype)


def write_clusters(
    clusters: h5py.Group, numbers: Iterable[int], cluster_groups: Mapping[int, int]
) -> None:
    """Write the group of clusters; those that are new and in none are unsorted.

    New ones get a colour of KlustaViewa.
    """
    for number in numbers:
        name, given = str(number), cluster_groups.get(number)
        is_new = name not in clusters
        node = clusters.require_group(name)
        if given is not None or "cluster_group" not in node.attrs:
            write_attribute(node, "cluster_group", UNSORTED if given is None else int(given))
        if is_new:
            color = 2 + number % N_COLORS
            write_attribute(node.require_group("application_data/klustaviewa"), "color", color)


def write_cluster_group(groups: h5py.Group, number: int, name: str) -> None:
    """Write the name of a group of clusters."""
    write_attribute(groups.require_group(str(number)), "name", name)


def write_labels(clusters: h5py.Group, labels: Mapping[str, Mapping[int, Any]]) -> None:
    """Write what else is known of clusters into their ``user_data``; None takes a label away."""
    for field, values in labels.items():
        for cluster, value in values.items():
            node = clusters.require_group(str(cluster)).require_group("user_data")
            if value is not None:
                write_attribute(node, field, value)
            elif field in node.attrs:
                del node.attrs[field]
