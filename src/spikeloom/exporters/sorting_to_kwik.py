"""Write a sorting, or an analyzer, as a Kwik dataset."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.exporters.analyzer_copies import working_copy
from spikeloom.exporters.kwik_features import SpikeFeatures, compute_kwik_features
from spikeloom.exporters.kwik_files import KwikChannelGroupData, write_kwik
from spikeloom.extractors.kwik_contents import DEFAULT_CLUSTER_GROUPS, ORIGINAL, KwikRecording
from spikeloom.storage.staged_folder import folder_beside
from spikeloom.storage.staged_saves import refuse_taken

_GROUP = "group"
_QUALITY = "quality"
_ORIGINAL_ID = "original_cluster_id"


def export_to_kwik(
    sorting: BaseSorting | SortingAnalyzer,
    file_path: str | Path,
    recording: BaseRecording | None = None,
    *,
    copy_binary: bool = True,
    compute_pc_features: bool = True,
    metadata: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    **job_kwargs: Any,
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
        The raw data; those of the analyzer, or the registered ones, by default. It tells channels
        and positions; its property ``group`` tells channel groups.
    copy_binary : bool, default True
        Write the traces to the ``.raw.kwd`` file.
    compute_pc_features : bool, default True
        Write features and masks of all spikes of an analyzer to the ``.kwx`` file.
    metadata : mapping, optional
        Parameters of spike detection and of the filter for waveforms, as in PRM files.
    overwrite : bool, default False
        Replace files that are there.
    **job_kwargs
        Job options, for features, masks and the raw data.

    Returns
    -------
    Path
        The ``.kwik`` file.

    Raises
    ------
    ParameterError
        If units are of channel groups that the recording does not have, the recording has other
        channels than the analyzer, or `metadata` say what cannot be.
    WriteError
        If a file is there already, or cannot be written.

    Notes
    -----
    Clusters have the numbers that units had in the file that they were read from, else their ids if
    these are whole numbers, else they are counted from 0.

    Features are projections on the principal components of the analyzer by channel, on all channels
    of the channel group; three, not whitened, are computed if it has none. It is not changed. Masks
    are klusta's: 0 where the peak of a spike is at ``threshold_weak_std_factor`` times the standard
    deviation of the noise or below, 1 at ``threshold_strong_std_factor``, which `metadata` can set;
    and 0 on channels that are not the unit's in a sparse analyzer. Without a recording there are
    none. Waveforms are those of the raw data; the filter for them is switched off if the recording
    says that it is filtered.

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
    channel_groups = _channel_groups(spikes, raw)
    unknown = set(_unit_groups(spikes).tolist()) - set(channel_groups)
    if unknown:
        msg = (
            f"Units are of the channel groups {sorted(unknown)}, but the recording has channels of "
            f"groups {sorted(channel_groups)}."
        )
        raise ParameterError(msg)
    path = Path(file_path).absolute()
    refuse_taken(path, overwrite=overwrite)  # before much is computed
    parameters = dict(metadata or {})
    if raw is not None and raw.is_filtered():
        parameters = {"waveform_filter": False, **parameters}
    with folder_beside(path) as folder:
        features = None
        if compute_pc_features and isinstance(sorting, SortingAnalyzer):
            features = _features(sorting, recording, folder, parameters, job_kwargs)
        if features is not None:
            parameters = {**features.parameters, **parameters}
        parts = {
            number: _part(spikes, raw, features, number=number, channels=channels)
            for number, channels in channel_groups.items()
        }
        return write_kwik(
            path,
            parts,
            sampling_frequency=spikes.sampling_frequency,
            recordings=() if raw is not None and copy_binary else _recordings(spikes, raw),
            raw_recording=raw if copy_binary else None,
            metadata=parameters,
            overwrite=overwrite,
            **job_kwargs,
        )


def _part(
    sorting: BaseSorting,
    recording: BaseRecording | None,
    features: SpikeFeatures | None,
    *,
    number: int,
    channels: NDArray[np.int64],
) -> KwikChannelGroupData:
    """Return what is written of a channel group."""
    table, clusters = sorting.spike_table(), _cluster_numbers(sorting)
    units = np.flatnonzero(_unit_groups(sorting) == number)
    rows = np.flatnonzero(np.isin(table.unit_index, units))
    labelled = clusters[table.unit_index[rows]]
    groups, names = _cluster_groups(sorting, units, clusters)
    known = (None, None) if features is None else features.of(rows, channels.size)
    return KwikChannelGroupData(
        channels=channels,
        time_samples=table.sample_index[rows],
        recording_numbers=table.segment_index()[rows] if rows.size else rows,
        clusterings={"main": labelled, ORIGINAL: labelled},
        cluster_groups=groups,
        group_names=names,
        labels=_labels(sorting, units, clusters),
        positions_um=_positions(recording, channels),
        channel_names=_channel_names(recording, channels),
        features=known[0],
        masks=known[1],
    )


def _features(
    analyzer: SortingAnalyzer,
    recording: BaseRecording | None,
    folder: Path,
    metadata: Mapping[str, Any],
    job_kwargs: Mapping[str, Any],
) -> SpikeFeatures | None:
    """Return features and masks of all spikes; None if there are no spikes, or no recording."""
    copy = working_copy(analyzer)
    has_own = copy.has_recording() or copy.has_temporary_recording()
    if recording is not None and recording.channel_ids.tolist() != copy.channel_ids.tolist():
        msg = "The recording has other channels than the analyzer, whose features are written."
        raise ParameterError(msg)
    if recording is not None and not has_own:
        copy.set_temporary_recording(recording)
    elif not has_own:
        message = f"The dataset will have no features. {analyzer.why_no_recording()}"
        warnings.warn(message, stacklevel=3)
        return None
    if not analyzer.sorting.count_total_num_spikes():
        return None
    channel_groups = _channel_groups(analyzer.sorting, copy.recording)
    unit_channels = np.zeros((analyzer.get_num_units(), analyzer.get_num_channels()), bool)
    for unit, number in enumerate(_unit_groups(analyzer.sorting).tolist()):
        unit_channels[unit, channel_groups[number]] = True
    return compute_kwik_features(
        copy, unit_channels, folder, metadata=metadata, job_kwargs=job_kwargs
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
    is_alone = sorting.get_num_units() and not _has_groups(sorting)
    if is_alone or groups.dtype.kind not in "iu":
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
