"""Write a sorting, or an analyzer, as a Kwik dataset."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.exporters.kwik_files import KwikChannelGroupData, write_kwik
from spikeloom.extractors.kwik_contents import DEFAULT_CLUSTER_GROUPS, ORIGINAL, KwikRecording

_GROUP = "group"
_QUALITY = "quality"
_ORIGINAL_ID = "original_cluster_id"


def export_to_kwik(
    sorting: BaseSorting | SortingAnalyzer,
    file_path: str | Path,
    recording: BaseRecording | None = None,
    *,
    copy_binary: bool = True,
    metadata: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a sorting as a Kwik dataset, which klusta, phy and KlustaViewa open.

    Parameters
    ----------
    sorting : BaseSorting or SortingAnalyzer
        The spikes. The property ``group`` tells the channel group of each unit, and ``quality`` its
        group of clusters by name; other properties of numbers and texts become labels.
    file_path : str or Path
        The ``.kwik`` file; the others get its name.
    recording : BaseRecording, optional
        The recording that was sorted; that of the analyzer, or the registered one, by default. It
        tells channels and positions; its property ``group`` tells channel groups.
    copy_binary : bool, default True
        Write the traces to the ``.raw.kwd`` file.
    metadata : mapping, optional
        Parameters of spike detection and of the filter for waveforms, as in PRM files.
    overwrite : bool, default False
        Replace files that are there.

    Returns
    -------
    Path
        The ``.kwik`` file.

    Raises
    ------
    ParameterError
        If units are of channel groups that the recording does not have.
    WriteError
        If a file is there already, or cannot be written.

    Notes
    -----
    Clusters have the numbers that units had in the file that they were read from, else their ids if
    these are whole numbers, else they are counted from 0.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([1.0], num_units=3, seed=0)
    >>> path = Path(tempfile.mkdtemp()) / "example.kwik"
    >>> _ = export_to_kwik(sorting, path, recording)
    >>> sorted(file.name for file in path.parent.iterdir())
    ['example.kwik', 'example.kwx', 'example.raw.kwd']
    """
    spikes, raw = _sources(sorting, recording)
    clusters = _cluster_numbers(spikes)
    unit_groups = _unit_groups(spikes)
    channel_groups = _channel_groups(spikes, raw)
    unknown = set(unit_groups.tolist()) - set(channel_groups)
    if unknown:
        msg = (
            f"Units are of the channel groups {sorted(unknown)}, but the recording has channels of "
            f"groups {sorted(channel_groups)}."
        )
        raise ParameterError(msg)
    table = spikes.spike_table()
    parts = {}
    for number, channels in channel_groups.items():
        units = np.flatnonzero(unit_groups == number)
        rows = np.flatnonzero(np.isin(table.unit_index, units))
        labelled = clusters[table.unit_index[rows]]
        groups, names = _cluster_groups(spikes, units, clusters)
        parts[number] = KwikChannelGroupData(
            channels=channels,
            time_samples=table.sample_index[rows],
            recording_numbers=table.segment_index()[rows] if rows.size else rows,
            clusterings={"main": labelled, ORIGINAL: labelled},
            cluster_groups=groups,
            group_names=names,
            labels=_labels(spikes, units, clusters),
            positions_um=_positions(raw, channels),
            channel_names=_channel_names(raw, channels),
        )
    return write_kwik(
        file_path,
        parts,
        sampling_frequency=spikes.sampling_frequency,
        recordings=() if raw is not None and copy_binary else _recordings(spikes, raw),
        raw_recording=raw if copy_binary else None,
        metadata=metadata,
        overwrite=overwrite,
    )


def _sources(
    sorting: BaseSorting | SortingAnalyzer, recording: BaseRecording | None
) -> tuple[BaseSorting, BaseRecording | None]:
    if isinstance(sorting, SortingAnalyzer):
        own = sorting.recording if sorting.has_recording() else None
        return sorting.sorting, own if recording is None else recording
    return sorting, sorting._recording if recording is None else recording


def _cluster_numbers(sorting: BaseSorting) -> NDArray[np.int64]:
    """Return the number of each unit's cluster, distinct within a channel group."""
    groups = _unit_groups(sorting)
    for numbers in (sorting.get_property(_ORIGINAL_ID), sorting.unit_ids):
        if numbers is None or numbers.dtype.kind not in "iu":
            continue
        pairs = np.column_stack([groups, numbers])
        are_fine = not numbers.size or 0 <= numbers.min() <= numbers.max() < 1 << 31
        if are_fine and len(np.unique(pairs, axis=0)) == numbers.size:
            return numbers.astype(np.int64)
    return np.arange(sorting.get_num_units())


def _unit_groups(sorting: BaseSorting) -> NDArray[np.int64]:
    groups = sorting.get_property(_GROUP) if _has_groups(sorting) else None
    if groups is None:
        return np.zeros(sorting.get_num_units(), np.int64)
    return groups.astype(np.int64)


def _has_groups(sorting: BaseSorting) -> bool:
    groups = sorting.get_property(_GROUP)
    return groups is not None and groups.dtype.kind in "iu" and not (groups < 0).any()


def _channel_groups(
    sorting: BaseSorting, recording: BaseRecording | None
) -> dict[int, NDArray[np.int64]]:
    """Return the columns of each channel group; a single group where units have none."""
    if recording is None:  # nobody knows the channels: one stands for those of a group
        present = np.unique(_unit_groups(sorting)).tolist() or [0]
        return {number: np.array([k]) for k, number in enumerate(present)}
    groups = np.asarray(recording.get_channel_groups())
    if not _has_groups(sorting) or groups.dtype.kind not in "iu":
        return {0: np.arange(recording.get_num_channels())}
    return {number: np.flatnonzero(groups == number) for number in np.unique(groups).tolist()}


def _positions(
    recording: BaseRecording | None, channels: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    if recording is None or not recording.has_channel_location():
        return None
    return np.asarray(recording.get_channel_locations())[channels, :2]


def _channel_names(
    recording: BaseRecording | None, channels: NDArray[np.int64]
) -> list[str] | None:
    if recording is None:
        return None
    names = recording.get_property("channel_name")
    return [str(name) for name in (recording.channel_ids if names is None else names)[channels]]


def _cluster_groups(
    sorting: BaseSorting, units: NDArray[np.int64], clusters: NDArray[np.int64]
) -> tuple[dict[int, int], dict[int, str]]:
    """Return the group of clusters, and the names of groups that not all files have."""
    qualities = sorting.get_property(_QUALITY)
    known = {name.lower(): number for number, name in DEFAULT_CLUSTER_GROUPS.items()}
    groups, names = {}, {}
    for unit in units.tolist() if qualities is not None else ():
        name = str(qualities[unit]).strip()  # type: ignore[index]  # there are some
        if not name:
            continue
        if name.lower() not in known:
            known[name.lower()] = len(known)
            names[known[name.lower()]] = name
        groups[int(clusters[unit])] = known[name.lower()]
    return groups, names


def _labels(
    sorting: BaseSorting, units: NDArray[np.int64], clusters: NDArray[np.int64]
) -> dict[str, dict[int, Any]]:
    labels: dict[str, dict[int, Any]] = {}
    for key in sorting.get_property_keys():
        values = sorting.get_property(key)
        if key in {_GROUP, _QUALITY, _ORIGINAL_ID} or values is None or values.ndim != 1:
            continue
        if values.dtype.kind in "iufbU":
            labels[key] = {int(clusters[u]): values[u].item() for u in units.tolist()}
    return labels


def _recordings(sorting: BaseSorting, recording: BaseRecording | None) -> list[KwikRecording]:
    first, listed = 0, []
    for k in range(sorting.get_num_segments()):
        start_s = recording.get_start_time(k) if recording is not None else None
        listed.append(
            KwikRecording(
                k,
                f"recording_{k}",
                sorting.sampling_frequency,
                start_sample=None if recording is None and k else first,
                start_time_s=start_s,
            )
        )
        first += recording.get_num_samples(k) if recording is not None else 0
    return listed
