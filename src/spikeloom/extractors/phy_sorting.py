"""Sortings in folders of phy and KiloSort (1 to 4), with all labels of clusters."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from warnings import warn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.cluster_tables import CLUSTER_INFO, Labels, read_cluster_tables
from spikeloom.extractors.listed_spikes import (
    ListedSpikesSorting,
    as_samples,
    required_rate,
    set_labels,
)
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.phy_arrays import PhyFolder, as_labels
from spikeloom.extractors.phy_params import read_phy_params
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.storage.delimited import Cell, parse_cell, read_table

GROUP, KS_LABEL, UNIT_ID = "group", "KSLabel", "si_unit_id"

UNSORTED = "unsorted"

_RENAMED = {GROUP: "quality", "chan_grp": "group", "ch_group": "group", "channel_group": "group"}

_SPIKE_TIMES = "spike_times"

_N_PLACES_MAX = 1 << 22


class _PhyFolderSorting(ListedSpikesSorting):
    """What `PhySortingExtractor` and `KiloSortSortingExtractor` share."""

    def __init__(
        self,
        folder_path: str | Path,
        *,
        excluded: Iterable[str] = (),
        keep_good_only: bool = False,
        remove_empty_units: bool = False,
        load_all_cluster_properties: bool = True,
        channel_ids: ArrayLike | None = None,
        sampling_frequency: float | None = None,
    ) -> None:
        given = Path(folder_path).absolute()
        folder = given.parent if given.name == "params.py" else given
        if not folder.is_dir():
            msg = f"There is no folder {folder}."
            raise MissingFileError(2, msg)
        rate = sampling_frequency
        if rate is None and (folder / "params.py").is_file():
            params = read_phy_params(folder / "params.py")
            rate, folder = params.sampling_frequency, params.dir_path
        arrays = PhyFolder(folder, [])
        samples, labels = _read_spikes(arrays)
        rate = required_rate(rate, folder)
        tables, warnings = _read_labels(folder)
        with_spikes = _with_spikes(labels)
        listed = {cluster for field in tables.values() for cluster in field}
        clusters = with_spikes.tolist()
        if not remove_empty_units:
            clusters = sorted(listed.union(clusters))
        qualities = _qualities(tables, clusters)
        kept = _kept(
            clusters, qualities, tables.get(KS_LABEL), excluded=excluded, good_only=keep_good_only
        )
        clusters = [clusters[k] for k in kept]
        positions = _positions(clusters, labels)
        has_unit = positions >= 0
        if not has_unit.all():
            samples, positions = samples[has_unit], positions[has_unit]
        super().__init__(rate, _unit_ids(clusters, tables.get(UNIT_ID)), samples, positions)
        self.set_property("original_cluster_id", np.array(clusters, np.int64))
        self.set_property("quality", np.array([qualities[k] for k in kept], np.str_))
        if load_all_cluster_properties:
            shown = {name: field for name, field in tables.items() if name not in {GROUP, UNIT_ID}}
            set_labels(self, shown, clusters, _RENAMED)
        if channel_ids is not None:
            self._set_main_channels(arrays, clusters, labels, channel_ids)
        self.annotate(phy_folder=str(folder))
        self.reading_warnings = (*arrays.warnings, *warnings)
        """What was wrong with files that are not needed, and are taken for absent."""

    def restore_metadata(self, description: Mapping[str, Any]) -> None:
        """Set what a dictionary tells; SpikeInterface drops clusters that no table names."""
        listed = description.get("properties", {}).get("original_cluster_id")
        if listed is not None and len(listed) != self.get_num_units():
            msg = (
                f"The file tells properties of {len(listed)} of {self.get_num_units()} clusters in "
                f"{self.get_annotation('phy_folder')}; they are left out for those of the folder."
            )
            warn(msg, UserWarning, stacklevel=2)
            description = {**description, "properties": {}}
        super().restore_metadata(description)

    def _set_main_channels(
        self,
        arrays: PhyFolder,
        clusters: Sequence[int],
        labels: NDArray[np.int32],
        channel_ids: ArrayLike,
    ) -> None:
        """Say on which channel of the recording each unit's most common template is largest."""
        templates = arrays.optional_unsqueezed("templates", 3)
        spike_templates = arrays.vector("spike_templates", labels.size)
        if templates is None or spike_templates is None:
            msg = f"{arrays.folder} lacks templates.npy or spike_templates.npy: leave channel_ids."
            raise ParameterError(msg)
        ids = np.asarray(channel_ids)
        channel_map = arrays.optional_indices("channel_map")
        columns = np.arange(len(ids)) if channel_map is None else channel_map.reshape(-1)
        where = arrays.optional_indices("template_ind", 2)
        if where is None:
            where = arrays.optional_indices("templates_ind", 2)
        largest = np.argmax(np.ptp(templates, axis=1), axis=1)
        if where is not None and where.shape == (len(templates), templates.shape[2]):
            largest = where[np.arange(len(templates)), largest]
        numbers = as_labels(spike_templates, "spike_templates")
        main = np.zeros(len(clusters), np.int64)
        for k, cluster in enumerate(clusters):
            own = numbers[labels == cluster]
            template = int(np.bincount(own).argmax()) if own.size else cluster
            main[k] = largest[template] if template < len(largest) else 0
        if main.size and (main.max() >= len(columns) or columns[main].max() >= len(ids)):
            msg = (
                f"{len(ids)} channel_ids were given, but the channels of {arrays.folder} are more."
            )
            raise ParameterError(msg)
        self.set_property("main_channel_id", ids[columns[main]])


@stored_as("spikeinterface.extractors.phykilosortextractors.PhySortingExtractor")
class PhySortingExtractor(_PhyFolderSorting):
    """The sorting in a folder of phy.

    Parameters
    ----------
    folder_path : str or Path
        The folder with ``params.py``, or that file.
    exclude_cluster_groups : list of str or str, optional
        Groups whose clusters are left out, such as ``"noise"``.
    load_all_cluster_properties : bool, default True
        Make properties of all columns of the tables, rather than of groups only.
    sampling_frequency : float, optional
        In Hz; needed if there is no ``params.py``.

    Raises
    ------
    MissingFileError, ReadError
        If the times or the clusters of spikes are absent or damaged.
    DataError
        If files contradict each other.
    ParameterError
        If the sampling frequency is not known.

    Notes
    -----
    Unit ids are the numbers of clusters, or those that SpikeInterface noted in ``si_unit_id``.
    Clusters that a table names, but that have no spikes, are units without spikes; clusters that no
    table names are ``"unsorted"``. Properties: ``original_cluster_id``, ``quality`` (phy's group;
    that of KiloSort where phy has none), and one for each column of each table, NaN or an empty
    text where a cluster has no value.
    """

    def __init__(
        self,
        folder_path: str | Path,
        exclude_cluster_groups: Iterable[str] | str | None = None,
        load_all_cluster_properties: bool = True,
        sampling_frequency: float | None = None,
    ) -> None:
        names = exclude_cluster_groups
        excluded = [names] if isinstance(names, str) else list(names or ())
        super().__init__(
            folder_path,
            excluded=excluded,
            load_all_cluster_properties=load_all_cluster_properties,
            sampling_frequency=sampling_frequency,
        )
        self._kwargs = {
            "folder_path": str(Path(folder_path).absolute()),
            "exclude_cluster_groups": excluded or None,
        }
        if not load_all_cluster_properties:
            self._kwargs["load_all_cluster_properties"] = False
        if sampling_frequency is not None:
            self._kwargs["sampling_frequency"] = self.sampling_frequency


@stored_as("spikeinterface.extractors.phykilosortextractors.KiloSortSortingExtractor")
class KiloSortSortingExtractor(_PhyFolderSorting):
    """The sorting in a folder of KiloSort, of any version.

    Parameters
    ----------
    folder_path : str or Path
        The folder. Of the files only ``spike_times.npy`` and one of ``spike_clusters.npy`` and
        ``spike_templates.npy`` are needed.
    keep_good_only : bool, default False
        Leave out what KiloSort does not call good.
    remove_empty_units : bool, default True
        Leave out clusters without spikes.
    channel_ids : array_like of shape (n_channels,), optional
        Channels of the recording that was sorted: the property ``main_channel_id`` is added.
    sampling_frequency : float, optional
        In Hz; needed if there is no ``params.py``.

    Raises
    ------
    MissingFileError, ReadError
        If the times or the clusters of spikes are absent or damaged.
    DataError
        If files contradict each other.
    ParameterError
        If the sampling frequency is not known, or nothing says what is good.

    Notes
    -----
    Properties as in `PhySortingExtractor`: ``KSLabel``, ``ContamPct``, ``Amplitude`` and others.
    """

    def __init__(
        self,
        folder_path: str | Path,
        keep_good_only: bool = False,
        remove_empty_units: bool = True,
        channel_ids: ArrayLike | None = None,
        sampling_frequency: float | None = None,
    ) -> None:
        super().__init__(
            folder_path,
            keep_good_only=keep_good_only,
            remove_empty_units=remove_empty_units,
            channel_ids=channel_ids,
            sampling_frequency=sampling_frequency,
        )
        self._kwargs = {
            "folder_path": str(Path(folder_path).absolute()),
            "keep_good_only": keep_good_only,
        }
        if not remove_empty_units:
            self._kwargs["remove_empty_units"] = False
        if sampling_frequency is not None:
            self._kwargs["sampling_frequency"] = self.sampling_frequency
        if channel_ids is not None:
            self._kwargs["channel_ids"] = np.asarray(channel_ids)


def read_phy(
    folder_path: str | Path,
    exclude_cluster_groups: Iterable[str] | str | None = None,
    load_all_cluster_properties: bool = True,
    sampling_frequency: float | None = None,
) -> PhySortingExtractor:
    """Read the sorting in a folder of phy; see `PhySortingExtractor`."""
    return PhySortingExtractor(
        folder_path, exclude_cluster_groups, load_all_cluster_properties, sampling_frequency
    )


def read_kilosort(
    folder_path: str | Path,
    keep_good_only: bool = False,
    remove_empty_units: bool = True,
    channel_ids: ArrayLike | None = None,
    sampling_frequency: float | None = None,
) -> KiloSortSortingExtractor:
    """Read the sorting in a folder of KiloSort; see `KiloSortSortingExtractor`."""
    return KiloSortSortingExtractor(
        folder_path, keep_good_only, remove_empty_units, channel_ids, sampling_frequency
    )


def _read_spikes(arrays: PhyFolder) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    if arrays.find("spike_clusters") is not None:
        name = "spike_clusters"
    elif arrays.find("spike_templates") is not None:
        name = "spike_templates"
    else:
        msg = f"{arrays.folder} has neither spike_clusters.npy nor spike_templates.npy."
        raise MissingFileError(2, msg)
    times = arrays.required(_SPIKE_TIMES).reshape(-1)
    labels = as_labels(arrays.required(name).reshape(-1), name)
    if times.size != labels.size:
        msg = f"{arrays.folder}: {times.size} {_SPIKE_TIMES} do not fit {labels.size} {name}."
        raise DataError(msg)
    samples = as_samples(times, arrays.folder / f"{_SPIKE_TIMES}.npy")
    return samples, labels


def _read_labels(folder: Path) -> tuple[Labels, tuple[str, ...]]:
    """Return what all tables say; ``cluster_info`` adds what is only in it."""
    tables = read_cluster_tables(folder)
    labels, warnings = dict(tables.labels), list(tables.warnings)
    for path in (folder / f"{CLUSTER_INFO}.tsv", folder / f"{CLUSTER_INFO}.csv"):
        if not path.is_file():
            continue
        try:
            header, rows = read_table(path)
        except ReadError as error:
            warnings.append(str(error))
            continue
        key = next((header.index(name) for name in ("cluster_id", "id") if name in header), None)
        for column, name in enumerate(header if key is not None else ()):
            if column != key and name and name not in labels:
                labels[name] = _column(rows, key or 0, column)
    return labels, tuple(warnings)


def _column(rows: Iterable[Sequence[str]], key: int, column: int) -> dict[int, Cell]:
    cells = ((parse_cell(row[key]), parse_cell(row[column])) for row in rows)
    return {
        cluster: value for cluster, value in cells if isinstance(cluster, int) and value is not None
    }


def _qualities(tables: Labels, clusters: Sequence[int]) -> list[str]:
    groups: Mapping[int, Cell] = tables.get(GROUP, tables.get(KS_LABEL, {}))
    return [str(groups.get(cluster, UNSORTED)) for cluster in clusters]


def _kept(
    clusters: Sequence[int],
    qualities: Sequence[str],
    sorter_labels: Mapping[int, Cell] | None,
    *,
    excluded: Iterable[str],
    good_only: bool,
) -> list[int]:
    """Return the positions of the clusters that are wanted."""
    left_out = set(excluded)
    kept = [k for k, quality in enumerate(qualities) if quality not in left_out]
    if not good_only:
        return kept
    if sorter_labels is None and not set(qualities) - {UNSORTED}:
        msg = "keep_good_only=True, but no table of this folder says which clusters are good."
        raise ParameterError(msg)
    if sorter_labels is None:
        return [k for k in kept if qualities[k] == "good"]
    return [k for k in kept if sorter_labels.get(clusters[k]) == "good"]


def _with_spikes(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the clusters that have spikes, in order."""
    if labels.size and labels.min() >= 0 and labels.max() < _N_PLACES_MAX:
        is_there = np.zeros(int(labels.max()) + 1, np.bool_)
        is_there[labels] = True  # many times quicker than to sort or to hash all labels
        return np.flatnonzero(is_there)
    return np.unique(labels).astype(np.int64)


def _positions(clusters: Sequence[int], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the position of each spike's cluster, -1 where it is not wanted."""
    if not clusters:
        return np.full(labels.size, -1, np.int32)
    wanted = np.array(clusters, np.int64)
    largest = max(int(wanted[-1]), int(labels.max(initial=0)))
    if largest < _N_PLACES_MAX:  # a table is quicker than a search, if it is small
        places = np.full(largest + 1, -1, np.int32)
        places[wanted[wanted >= 0]] = np.flatnonzero(wanted >= 0)
        return places[labels]
    found = np.minimum(np.searchsorted(wanted, labels), wanted.size - 1)
    return np.where(wanted[found] == labels, found, -1).astype(np.int32)


def _unit_ids(clusters: Sequence[int], noted: Mapping[int, Cell] | None) -> NDArray[Any]:
    """Return the ids that units had before, where they are noted and each has one of its own."""
    if noted:
        ids = [noted.get(cluster) for cluster in clusters]
        if None not in ids and len(set(ids)) == len(ids):
            kinds = {type(value) for value in ids}
            if kinds <= {int} or kinds <= {str}:
                return np.array(ids)
            if float not in kinds:
                return np.array([str(value) for value in ids])
        if None in ids and all(value is None or isinstance(value, int) for value in ids):
            return _completed(ids)  # type: ignore[arg-type]
    return np.array(clusters, np.int64)


def _completed(ids: list[int | None]) -> NDArray[np.int64]:
    """Count on from the largest id for clusters that phy made, or whose id is taken."""
    numbers = [value for value in ids if value is not None]
    following = max(numbers, default=-1) + 1
    found = []
    for value in ids:
        if value is None or numbers.count(value) > 1:
            found.append(following)
            following += 1
        else:
            found.append(value)
    return np.array(found, np.int64)


def _recognise_phy(peek: Peek) -> Recognition:
    if not peek.is_folder:
        if peek.path.name == "params.py" and (peek.path.parent / f"{_SPIKE_TIMES}.npy").is_file():
            return known(Certainty.LAYOUT, "it is params.py beside spike_times.npy")
        return unknown("it is no folder with spike_times.npy, and no params.py in one")
    return _recognise_folder(peek, needs_params=True)


def _recognise_kilosort(peek: Peek) -> Recognition:
    if not peek.is_folder:
        return unknown("it is no folder")
    return _recognise_folder(peek, needs_params=False)


def _recognise_folder(peek: Peek, *, needs_params: bool) -> Recognition:
    names = set(peek.names)
    if needs_params and "params.py" not in names:
        return unknown("it has no params.py")
    if f"{_SPIKE_TIMES}.npy" not in names:
        return unknown("it has no spike_times.npy")
    if not names & {"spike_clusters.npy", "spike_templates.npy"}:
        return unknown("it has no spike_clusters.npy and no spike_templates.npy")
    certainty = Certainty.LAYOUT if needs_params else Certainty.NAME
    return known(certainty, "it has the spikes of phy and KiloSort")


READERS = (
    Reader(
        name="phy",
        kind="sorting",
        recognise=_recognise_phy,
        read=read_phy,
        function="read_phy",
        extensions=("",),
        description="a sorting of KiloSort, SpyKING CIRCUS or SpikeInterface, curated in phy",
    ),
    Reader(
        name="kilosort",
        kind="sorting",
        recognise=_recognise_kilosort,
        read=read_kilosort,
        function="read_kilosort",
        extensions=("",),
        description="a sorting of KiloSort 1 to 4",
    ),
)
"""Readers of this module."""
