"""``.kwik``: the HDF5 file of spikes, clusters and metadata that klusta and KlustaViewa share.

Two programs wrote the format in dialects that are both read here: klusta 3 (parameters under the
names of its PRM files, recordings in flat files), and KlustaViewa with its Open Ephys relatives
(``nchannels``, ``.raw.kwd`` files, custom data under ``user_data``). Text is stored as arrays of
zero-padded bytes, and truth values as numbers.

Source: https://github.com/klusta-team/kwiklib/wiki/Kwik-format
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeloom.core.unit_conversion import SAMPLE_MAX
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.hdf5_arrays import read_vector
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.hdf5_nodes import (
    attributes,
    child,
    dataset_at,
    group_at,
    names_in,
    number_in,
    numbered_children,
)
from spikeloom.extractors.kwik_contents import (
    DEFAULT_CLUSTER_GROUPS,
    MAIN,
    UNSORTED,
    KwikChannelGroup,
    KwikClustering,
    KwikFile,
    KwikRecording,
    KwikSpikes,
)

KWIK_VERSION = 2


@contextmanager
def open_kwik(path: Path) -> Iterator[h5py.File]:
    """Open a ``.kwik`` file for reading.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is no HDF5 file, or damaged.
    DataError
        If it is of another version.
    """
    with open_hdf5(path) as file:
        version = number_in(attributes(file), "kwik_version")
        if version != KWIK_VERSION:
            msg = (
                f"{path} has kwik_version {version}; version {KWIK_VERSION} is expected. Files of "
                "other versions, or without one, are not Kwik as klusta and KlustaViewa write it."
            )
            raise DataError(msg)
        yield file


def read_kwik_file(path: Path) -> KwikFile:
    """Read what a ``.kwik`` file says, but for spikes and clusters.

    Parameters
    ----------
    path : Path
        The file; nothing is written.

    Raises
    ------
    MissingFileError, ReadError, DataError
        See `open_kwik`.
    """
    with open_kwik(path) as file:
        head = attributes(file)
        groups = group_at(file, "channel_groups")
        return KwikFile(
            path=path,
            name=str(head.get("name") or path.stem),
            creator=str(head.get("creator_version") or ""),
            metadata=attributes(child(file, "application_data/spikedetekt")),
            klustakwik_metadata=attributes(child(file, "application_data/klustakwik2")),
            recordings=read_recordings(file),
            channel_groups={
                number: _read_channel_group(groups, number) for number in numbered_children(groups)
            },
            event_types=tuple(names_in(group_at(file, "event_types"))),
        )


def read_recordings(file: h5py.File) -> tuple[KwikRecording, ...]:
    """Return the recordings that an open ``.kwik``, ``.kwd`` or ``.kwe`` file names."""
    recordings = group_at(file, "recordings")
    found = []
    for number in numbered_children(recordings):
        node = child(recordings, str(number))
        known, raw = attributes(node), attributes(child(node, "raw"))
        start_sample = number_in(known, "start_sample")
        rate = number_in(known, "sample_rate")
        found.append(
            KwikRecording(
                index=number,
                name=str(known.get("name") or f"recording_{number}"),
                sampling_frequency=rate,
                start_sample=None if start_sample is None else int(start_sample),
                start_time_s=_start_time_s(known, rate),
                hdf5_path=_path_text(raw.get("hdf5_path")),
                dat_path=_path_text(raw.get("dat_path")),
            )
        )
    return tuple(found)


def _start_time_s(known: Mapping[str, Any], rate: float | None) -> float | None:
    """Return when a recording begins: klusta says it in seconds, Open Ephys in whole samples."""
    start = number_in(known, "start_time")
    if start is None or not rate:
        return start
    is_count = np.asarray(known["start_time"]).dtype.kind in "iu"
    return start / rate if is_count else start


def _path_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _read_channel_group(groups: h5py.Group | None, number: int) -> KwikChannelGroup:
    node = child(groups, str(number))
    known = attributes(node)
    listed = group_at(node, "channels")
    channels = numbered_children(listed)
    positions, names = {}, {}
    for channel in channels:
        said = attributes(child(listed, str(channel)))
        names[channel] = str(said.get("name") or channel)
        place = np.asarray(said.get("position"))
        if place.dtype.kind in "iuf" and place.size == 2 and np.all(np.isfinite(place)):
            x, y = place.reshape(-1).tolist()
            positions[channel] = (float(x), float(y))
    order = np.asarray(known.get("channel_order", channels))
    kept = _as_numbers(order) if order.dtype.kind in "iuf" else channels
    pairs = np.asarray(known.get("adjacency_graph", ()))
    is_graph = pairs.ndim == 2 and pairs.shape[1] == 2 and pairs.dtype.kind in "iu"
    return KwikChannelGroup(
        index=number,
        channels=tuple(channels or sorted(kept)),
        channel_order=tuple(kept),
        positions_um=positions,
        channel_names=names,
        adjacency_graph=pairs.astype(np.int64) if is_graph else np.zeros((0, 2), np.int64),
        clusterings=list_clusterings(node),
    )


def _as_numbers(order: NDArray[Any]) -> list[int]:
    values = [int(value) for value in order.reshape(-1).tolist()]
    return [value for value in dict.fromkeys(values) if value >= 0]


def list_clusterings(group: h5py.Group) -> tuple[str, ...]:
    """Return the names of the clusterings of a channel group: main, then the others as sorted."""
    names = names_in(group_at(group, "spikes/clusters"))
    return tuple(sorted(names, key=lambda name: name != MAIN))


def read_spikes(path: Path, file: h5py.File, channel_group: int) -> KwikSpikes:
    """Read the spikes of a channel group.

    Raises
    ------
    DataError
        If lists differ in length, or hold what no spike can have.
    """
    spikes = group_at(file, f"channel_groups/{channel_group}/spikes")
    times = None if spikes is None else dataset_at(spikes, "time_samples")
    if spikes is None or times is None:  # spikes were not detected yet
        none = np.zeros(0, np.int64)
        return KwikSpikes(none, none.astype(np.uint8), none)
    samples = read_vector(path, times)
    n_spikes = samples.size
    if n_spikes and not 0 <= samples.min() <= samples.max() < SAMPLE_MAX:
        msg = f"{path}: {times.name} goes from {samples.min()} to {samples.max()}: not samples."
        raise DataError(msg)
    recordings = _optional_vector(path, spikes, "recording", n_spikes)
    fractions = _optional_vector(path, spikes, "time_fractional", n_spikes)
    return KwikSpikes(
        time_samples=samples.astype(np.int64),
        time_fractional=fractions.astype(np.uint8),
        recording_numbers=recordings.astype(np.int64),
    )


def _optional_vector(path: Path, group: h5py.Group, name: str, length: int) -> NDArray[Any]:
    """Return a list of the spikes, zeros where there is none."""
    dataset = dataset_at(group, name)
    if dataset is None:
        return np.zeros(length, np.int64)
    values = read_vector(path, dataset)
    if values.size != length or (length and not 0 <= values.min() <= values.max() < SAMPLE_MAX):
        msg = (
            f"{path}: {dataset.name} has {values.size} values; one, not negative, is expected for "
            f"each of the {length} spikes."
        )
        raise DataError(msg)
    return values


def read_clustering(path: Path, file: h5py.File, channel_group: int, name: str) -> KwikClustering:
    """Read a clustering of a channel group.

    Raises
    ------
    ParameterError
        If there is none of this name.
    DataError
        If it makes no sense.
    """
    group = file[f"channel_groups/{channel_group}"]
    dataset = dataset_at(group, f"spikes/clusters/{name}") if "/" not in name else None
    if dataset is None:
        known = ", ".join(list_clusterings(group)) or "none"
        msg = f"Channel group {channel_group} has no clustering {name!r}. Known: {known}."
        raise ParameterError(msg)
    spike_clusters = read_vector(path, dataset)
    if spike_clusters.dtype.kind not in "iu" or (
        spike_clusters.size and not 0 <= spike_clusters.min() <= spike_clusters.max() < 1 << 31
    ):
        msg = f"{path}: {dataset.name} of {spike_clusters.dtype} holds no cluster numbers."
        raise DataError(msg)
    clusters = group_at(group, f"clusters/{name}")
    group_names = _read_group_names(group_at(group, f"cluster_groups/{name}"))
    numbers = {text.lower(): number for number, text in group_names.items()}
    cluster_groups: dict[int, int] = {}
    labels: dict[str, dict[int, Any]] = {}
    for cluster in numbered_children(clusters):
        node = child(clusters, str(cluster))
        stated = attributes(node).get("cluster_group")
        if isinstance(stated, str):  # some files have the name where the number belongs
            stated = numbers.get(stated.lower())
        number = number_in({"group": stated}, "group")
        cluster_groups[cluster] = UNSORTED if number is None else int(number)
        for key, value in attributes(child(node, "user_data")).items():
            labels.setdefault(key, {})[cluster] = value
    return KwikClustering(
        name, spike_clusters, cluster_groups, group_names, attributes(clusters), labels
    )


def _read_group_names(groups: h5py.Group | None) -> dict[int, str]:
    """Return the names of cluster groups, the four that always are among them."""
    names = dict(DEFAULT_CLUSTER_GROUPS)
    for number in numbered_children(groups):
        said = attributes(child(groups, str(number)))
        names[number] = str(said.get("name") or names.get(number) or f"group_{number}")
    return names
