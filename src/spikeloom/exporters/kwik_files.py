"""Write Kwik datasets as klusta does: ``.kwik``, ``.kwx`` and ``.raw.kwd``."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom import __version__
from spikeloom.core.recording import BaseRecording
from spikeloom.core.writing import write_into_array
from spikeloom.engine.options import JobOptions, job_options
from spikeloom.errors import ParameterError
from spikeloom.extractors.kwik_contents import MAIN, KwikRecording
from spikeloom.extractors.kwik_file import KWIK_VERSION
from spikeloom.extractors.kwik_probe import neighbour_pairs
from spikeloom.extractors.kwik_traces import RAW_SUFFIX
from spikeloom.extractors.kwik_writing import (
    as_clusters,
    write_attribute,
    write_attributes,
    write_clustering,
    write_labels,
)
from spikeloom.storage.staged_saves import staged_save

_N_BATCH_ROWS = 1 << 14


@dataclass(frozen=True)
class KwikChannelGroupData:
    """What is written of a channel group."""

    channels: ArrayLike
    """Columns of the raw data, in the order of features; shape (n_channels,)."""
    time_samples: ArrayLike
    """Sample of each spike, counted from the start of its recording; shape (n_spikes,)."""
    clusterings: Mapping[str, ArrayLike] = field(default_factory=dict)
    """Cluster of each spike, by name of the clustering: main, original."""
    recording_numbers: ArrayLike | None = None
    """Number of the recording of each spike; 0 by default."""
    time_fractional: ArrayLike | None = None
    """What is beyond the sample, in 255ths; 0 by default."""
    cluster_groups: Mapping[int, int] = field(default_factory=dict)
    """Number of the group of clusters of main; the others, and other clusterings, are unsorted."""
    group_names: Mapping[int, str] = field(default_factory=dict)
    """Names of groups of clusters from number 4 on."""
    labels: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)
    """What else is known of clusters of main, by field and cluster."""
    positions_um: ArrayLike | None = None
    """Position of each channel; shape (n_channels, 2)."""
    channel_names: Sequence[str] | None = None
    """Name of each channel; its column by default."""
    adjacency_graph: ArrayLike | None = None
    """Pairs of neighbouring channels; those within 100 um by default."""
    features: Any = None
    """Array (n_spikes, n_channels, n_features_per_channel), read in batches."""
    masks: Any = None
    """Array (n_spikes, n_channels), from 0 to 1; 1 by default."""

    @property
    def n_spikes(self) -> int:
        """Number of spikes."""
        return int(np.asarray(self.time_samples).size)


def write_kwik(
    file_path: str | Path,
    channel_groups: Mapping[int, KwikChannelGroupData],
    *,
    sampling_frequency: float,
    recordings: Sequence[KwikRecording] = (),
    raw_recording: BaseRecording | None = None,
    metadata: Mapping[str, Any] | None = None,
    kk2_metadata: Mapping[str, Any] | None = None,
    events: Mapping[str, Mapping[str, ArrayLike]] | None = None,
    overwrite: bool = False,
    **job_kwargs: Any,
) -> Path:
    """Write a Kwik dataset: ``.kwik`` and ``.kwx``, and ``.raw.kwd`` if there are raw data.

    Parameters
    ----------
    file_path : str or Path
        The ``.kwik`` file; the others get its name.
    channel_groups : mapping of int to KwikChannelGroupData
        Channels, spikes, clusters and features by number of the channel group.
    sampling_frequency : float
        In Hz.
    recordings : sequence of KwikRecording, optional
        The recordings, with the places of their raw data. Those of `raw_recording` by default.
    raw_recording : BaseRecording, optional
        Raw data to write to the ``.raw.kwd`` file, a segment for each recording. All its channels
        are written, in their order.
    metadata, kk2_metadata : mapping, optional
        Parameters of spike detection and of clustering, as in PRM files.
    events : mapping, optional
        ``time_samples`` and ``recording`` of the events of each type, and other lists of the same
        length, which become custom data.
    overwrite : bool, default False
        Replace files that are there.
    **job_kwargs
        Job options, for reading the raw data.

    Returns
    -------
    Path
        The ``.kwik`` file.

    Raises
    ------
    ParameterError
        If numbers do not fit together.
    WriteError
        If a file is there already (also a FileExistsError then), or cannot be written.

    Notes
    -----
    Each file appears as a whole, the ``.kwik`` file last.

    Examples
    --------
    >>> import tempfile
    >>> group = KwikChannelGroupData(
    ...     channels=[0, 1], time_samples=[10, 35, 60], clusterings={"main": [2, 3, 2]}
    ... )
    >>> path = Path(tempfile.mkdtemp()) / "example.kwik"
    >>> _ = write_kwik(path, {0: group}, sampling_frequency=20000.0)
    >>> from spikeloom.extractors.kwik_sorting import read_kwik
    >>> read_kwik(path).get_unit_spike_train(2)
    array([10, 60])
    """
    path = Path(file_path).absolute()
    if path.suffix != ".kwik":
        msg = f"The name of a Kwik file ends in .kwik; got {path.name}."
        raise ParameterError(msg)
    if not sampling_frequency > 0:
        msg = f"sampling_frequency must be a positive number of Hz; got {sampling_frequency}."
        raise ParameterError(msg)
    parts = {int(number): _checked(number, part) for number, part in channel_groups.items()}
    raw_path = path.with_suffix(RAW_SUFFIX)
    listed = _listed(recordings, raw_recording, raw_path.name, sampling_frequency)
    if raw_recording is None and raw_path.exists() and not _names(listed, raw_path):
        msg = (
            f"{raw_path} is there and would be taken for the raw data of {path.name}; delete it, "
            "choose another name, or say in recordings that it holds the raw data."
        )
        raise ParameterError(msg)
    parameters = _parameters(metadata or {}, parts, sampling_frequency, raw_recording)
    with ExitStack() as stack:
        # Renamed in the reverse order: that the .kwik file is there means that all is done.
        paths = [path, path.with_suffix(".kwx"), *([raw_path] if raw_recording else [])]
        files = [stack.enter_context(staged_save(p, overwrite=overwrite)).path for p in paths]
        with h5py.File(files[0], "w") as file:
            _write_head(file, path)
            write_attributes(file.require_group("application_data/spikedetekt"), parameters)
            write_attributes(file.require_group("application_data/klustakwik2"), kk2_metadata or {})
            groups = file.require_group("channel_groups")
            for number, part in parts.items():
                _write_channel_group(groups.create_group(str(number)), part)
            _write_recordings(file, listed, is_raw=False)
            _write_events(file, events or {})
        with h5py.File(files[1], "w") as file:
            _write_head(file, path)
            groups = file.require_group("channel_groups")
            for number, part in parts.items():
                _write_features(groups.create_group(str(number)), part)
        if raw_recording is not None:
            with h5py.File(files[2], "w") as file:
                _write_head(file, path)
                _write_recordings(file, listed, is_raw=True)
                _write_traces(file, listed, raw_recording, job_options(**job_kwargs))
    return path


def _checked(number: int, part: KwikChannelGroupData) -> KwikChannelGroupData:
    """Return a channel group all arrays of which fit together.

    Raises
    ------
    ParameterError
        If they do not.
    """
    channels = np.asarray(part.channels, np.int64).reshape(-1)
    samples = np.asarray(part.time_samples)
    n_spikes, n_channels = samples.size, channels.size
    lists = {"time_samples": samples, **{k: np.asarray(v) for k, v in part.clusterings.items()}}
    for name in ("recording_numbers", "time_fractional"):
        if getattr(part, name) is not None:
            lists[name] = np.asarray(getattr(part, name))
    for name, values in lists.items():
        is_whole = values.dtype.kind in "iu" or not values.size
        if values.shape != (n_spikes,) or not is_whole or (n_spikes and values.min() < 0):
            msg = (
                f"Channel group {number}: {name} must hold a whole number from 0 on for each of "
                f"{n_spikes} spikes; got {values.dtype} of shape {values.shape}."
            )
            raise ParameterError(msg)
    positions = np.column_stack([np.zeros(n_channels), 20.0 * np.arange(n_channels)])
    if part.positions_um is not None:
        positions = np.asarray(part.positions_um, np.float64)
    shapes = {"positions_um": positions.shape}
    wanted: dict[str, tuple[int, ...]] = {"positions_um": (n_channels, 2)}
    if part.features is not None:
        shapes["features"], wanted["features"] = (
            tuple(part.features.shape[:2]),
            (n_spikes, n_channels),
        )
    if part.masks is not None:
        shapes["masks"], wanted["masks"] = tuple(part.masks.shape), (n_spikes, n_channels)
    wrong = {name: shape for name, shape in shapes.items() if shape != wanted[name]}
    are_distinct = np.unique(channels).size == n_channels and (channels >= 0).all()
    if (
        wrong
        or not are_distinct
        or number < 0
        or (part.masks is not None and part.features is None)
    ):
        msg = (
            f"Channel group {number} has channels {channels.tolist()} and {n_spikes} spikes; "
            f"{wrong or 'channels must be distinct columns, and masks come with features'}; "
            f"shapes must begin with {wanted}."
        )
        raise ParameterError(msg)
    return replace(part, channels=channels, time_samples=samples, positions_um=positions)


def _listed(
    recordings: Sequence[KwikRecording],
    raw: BaseRecording | None,
    raw_name: str,
    sampling_frequency: float,
) -> list[KwikRecording]:
    """Return the recordings to write."""
    if raw is None:
        return list(recordings)
    n_segments = raw.get_num_segments()
    if recordings and len(recordings) != n_segments:
        msg = f"raw_recording has {n_segments} segments for {len(recordings)} recordings."
        raise ParameterError(msg)
    if abs(raw.sampling_frequency - sampling_frequency) > 1e-6 * sampling_frequency:
        msg = (
            f"raw_recording has a sampling frequency of {raw.sampling_frequency} Hz, not "
            f"{sampling_frequency} Hz."
        )
        raise ParameterError(msg)
    first, listed = 0, []
    for k in range(n_segments):
        start_s = first / sampling_frequency
        if raw.get_segment_t_starts() is not None or raw.has_time_vector(k):
            start_s = raw.get_start_time(k)
        given = recordings[k] if recordings else KwikRecording(k, f"recording_{k}")
        listed.append(
            replace(
                given,
                sampling_frequency=sampling_frequency,
                start_sample=first,
                start_time_s=start_s,
                hdf5_path=raw_name,
                dat_path=None,
            )
        )
        first += raw.get_num_samples(k)
    return listed


def _names(recordings: Sequence[KwikRecording], raw_path: Path) -> bool:
    return any(
        recording.hdf5_path is not None and Path(recording.hdf5_path).name == raw_path.name
        for recording in recordings
    )


def _parameters(
    metadata: Mapping[str, Any],
    parts: Mapping[int, KwikChannelGroupData],
    sampling_frequency: float,
    raw: BaseRecording | None,
) -> dict[str, Any]:
    """Return the parameters of spike detection, with what readers need."""
    parameters = {"sample_rate": sampling_frequency, **metadata}
    n_features = {part.features.shape[2] for part in parts.values() if part.features is not None}
    if len(n_features) > 1:
        msg = f"Channel groups have {n_features} features per channel; all must have as many."
        raise ParameterError(msg)
    if n_features:
        parameters["n_features_per_channel"] = int(n_features.pop())
    if raw is not None:
        parameters["n_channels"] = raw.get_num_channels()
        parameters["dtype"] = raw.dtype.name
    return parameters


def _write_head(file: h5py.File, path: Path) -> None:
    creator = f"spikeloom {__version__}"
    head = {"kwik_version": KWIK_VERSION, "name": path.stem, "creator_version": creator}
    write_attributes(file, head)


def _write_channel_group(node: h5py.Group, part: KwikChannelGroupData) -> None:
    channels = np.asarray(part.channels)
    write_attribute(node, "channel_order", channels.astype(np.int32))
    graph = part.adjacency_graph
    if graph is None:
        graph = neighbour_pairs(channels, np.asarray(part.positions_um))
    pairs = np.asarray(graph, np.int32).reshape(-1, 2)
    write_attribute(node, "adjacency_graph", pairs)
    names = part.channel_names or [str(channel) for channel in channels.tolist()]
    places = np.asarray(part.positions_um, np.float32)
    for channel, name, place in zip(channels.tolist(), names, places, strict=True):
        described = {"name": str(name), "position": place}
        write_attributes(node.require_group(f"channels/{channel}"), described)
    spikes = node.require_group("spikes")
    none = np.zeros(part.n_spikes, np.int64)
    numbers = none if part.recording_numbers is None else np.asarray(part.recording_numbers)
    fractions = none if part.time_fractional is None else np.asarray(part.time_fractional)
    spikes.create_dataset("time_samples", data=np.asarray(part.time_samples).astype(np.uint64))
    spikes.create_dataset("time_fractional", data=fractions.astype(np.uint8))
    spikes.create_dataset("recording", data=numbers.astype(np.int32))
    spikes.require_group("clusters")
    node.require_group("clusters")
    for name, labels in part.clusterings.items():
        is_main = name == MAIN
        write_clustering(
            node,
            name,
            as_clusters(labels),
            cluster_groups=part.cluster_groups if is_main else None,
            group_names=part.group_names if is_main else None,
        )
    if part.labels and MAIN in part.clusterings:
        write_labels(node["clusters/main"], part.labels)


def _write_features(node: h5py.Group, part: KwikChannelGroupData) -> None:
    """Write features and masks, each mask as often as its channel has features."""
    if part.features is None:
        return
    n_spikes, n_channels, n_features = part.features.shape
    shape = (n_spikes, n_channels * n_features, 2)
    # Not in chunks, not compressed: klusta maps the file into memory.
    stored = node.create_dataset("features_masks", shape, np.float32)
    for first in range(0, n_spikes, _N_BATCH_ROWS):
        rows = slice(first, min(first + _N_BATCH_ROWS, n_spikes))
        block = np.ones((rows.stop - first, *shape[1:]), np.float32)
        block[:, :, 0] = np.asarray(part.features[rows]).reshape(len(block), -1)
        if part.masks is not None:
            block[:, :, 1] = np.repeat(np.asarray(part.masks[rows]), n_features, axis=1)
        stored[rows] = block


def _write_recordings(
    file: h5py.File, recordings: Sequence[KwikRecording], *, is_raw: bool
) -> None:
    nodes = file.require_group("recordings")
    for recording in recordings:
        node = nodes.create_group(str(recording.index))
        known = {
            "name": recording.name or f"recording_{recording.index}",
            "start_sample": recording.start_sample,
            "start_time": recording.start_time_s,
            "sample_rate": recording.sampling_frequency,
        }
        write_attributes(node, {name: value for name, value in known.items() if value is not None})
        places = {"hdf5_path": recording.hdf5_path, "dat_path": recording.dat_path}
        if not is_raw and any(places.values()):
            raw = node.create_group("raw")
            write_attributes(raw, {name: place for name, place in places.items() if place})


def _write_traces(
    file: h5py.File, recordings: Sequence[KwikRecording], raw: BaseRecording, options: JobOptions
) -> None:
    for k, recording in enumerate(recordings):
        node = file[f"recordings/{recording.index}"]
        write_attribute(node, "bit_depth", raw.dtype.itemsize * 8)
        if raw.has_scaleable_traces() and not np.any(raw.get_channel_offsets()):
            # Where Open Ephys notes the microvolts of a step.
            gains = np.asarray(raw.get_channel_gains(), np.float64)
            write_attribute(node.create_group("application_data"), "channel_bit_volts", gains)
        stored = node.create_dataset("data", raw.get_shape(k), raw.dtype)
        write_into_array(raw, k, stored, options=options)


def _write_events(file: h5py.File, events: Mapping[str, Mapping[str, ArrayLike]]) -> None:
    for name, lists in events.items():
        node = file.require_group(f"event_types/{name}/events")
        samples = np.asarray(lists["time_samples"]).astype(np.uint64)
        numbers: NDArray[Any] = np.asarray(lists.get("recording", np.zeros(samples.size)))
        node.create_dataset("time_samples", data=samples)
        node.create_dataset("recording", data=numbers.astype(np.uint16))
        for field_name, values in lists.items():
            if field_name not in {"time_samples", "recording"}:
                column = np.asarray(values)
                column = np.char.encode(column, "utf-8") if column.dtype.kind == "U" else column
                node.require_group("user_data").create_dataset(field_name, data=column)
