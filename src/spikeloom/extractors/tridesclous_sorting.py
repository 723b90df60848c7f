"""Sortings of tridesclous: working folders with a catalogue of clusters and the spikes it found."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.json_files import count_in, number_in, read_json_object
from spikeloom.extractors.listed_spikes import ListedSpikesSorting
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.storage.dtype_names import named_dtype

_GROUP = re.compile(r"channel_group_([0-9]{1,9})")

_CATALOGUE = "catalogues/initial"

_PROPERTIES = ("cell_label", "tag", "extremum_channel")
"""Fields of the table of clusters that units keep."""


@stored_as("spikeinterface.extractors.tridesclousextractors.TridesclousSortingExtractor")
class TridesclousSortingExtractor(ListedSpikesSorting):
    """A sorting of tridesclous, which need not be installed.

    Parameters
    ----------
    folder_path : str or Path
        The working folder, with ``info.json`` and ``channel_group_*``.
    chan_grp : int, optional
        Which group of channels; needed if there are several.

    Raises
    ------
    MissingFileError, ReadError
        If there is no such folder, or a file of it cannot be read.
    DataError
        If the peeler has not run, or files do not fit together.
    ParameterError
        If there are several groups and none was chosen, or no such one.

    Notes
    -----
    Units are the clusters whose labels are not negative. Properties: ``cell_label``, ``tag`` and
    ``extremum_channel``, where the catalogue has them.
    """

    def __init__(self, folder_path: str | Path, chan_grp: int | None = None) -> None:
        folder = Path(folder_path).absolute()
        told = read_json_object(folder / "info.json")
        source = told.get("datasource_info")
        if not isinstance(source, dict):
            msg = f"{folder / 'info.json'} has no datasource_info, which tells the sampling rate."
            raise DataError(msg)
        rate = number_in(source, "sample_rate", folder / "info.json")
        n_segments = count_in(source, "nb_segment", folder / "info.json")
        group = folder / f"channel_group_{_chosen_group(folder, chan_grp)}"
        clusters = read_collected_array(group / _CATALOGUE, "clusters", ("cluster_label",))
        clusters = clusters[clusters["cluster_label"] >= 0]
        labels = clusters["cluster_label"].astype(np.int64)
        order = np.argsort(labels)
        columns = []
        for k in range(n_segments):
            spikes = read_collected_array(
                group / f"segment_{k}", "spikes", ("index", "cluster_label")
            )
            found = np.searchsorted(labels, spikes["cluster_label"], sorter=order)
            units = order[np.minimum(found, labels.size - 1)] if labels.size else found
            is_known = np.zeros(len(spikes), bool)
            if labels.size:
                is_known = labels[units] == spikes["cluster_label"]
            n_known = int(is_known.sum())
            columns.append((spikes["index"][is_known], units[is_known], np.full(n_known, k)))
        samples, units, segments = (np.concatenate(part) for part in zip(*columns, strict=True))
        super().__init__(
            rate, labels, samples.astype(np.int64), units, segments, [None] * n_segments
        )
        for name in _PROPERTIES:
            if name in (clusters.dtype.names or ()):
                self.set_property(name, clusters[name])
        self._kwargs = {"folder_path": str(folder), "chan_grp": chan_grp}


def read_tridesclous(
    folder_path: str | Path, chan_grp: int | None = None
) -> TridesclousSortingExtractor:
    """Read a sorting of tridesclous; see `TridesclousSortingExtractor`."""
    return TridesclousSortingExtractor(folder_path, chan_grp)


def read_collected_array(folder: Path, name: str, fields: tuple[str, ...]) -> NDArray[Any]:
    """Return a table of those that tridesclous keeps in a folder, described by ``arrays.json``.

    Parameters
    ----------
    folder : Path
        A folder with ``arrays.json``.
    name : str
        Name of the table, whose rows are in ``<name>.raw``.
    fields : tuple of str
        Fields with whole numbers that it must have.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or cannot be read.
    DataError
        If it is no such table, or the file is too short for it.
    """
    listed = folder / "arrays.json"
    told = read_json_object(listed).get(name)
    path = folder / f"{name}.raw"
    try:
        dtype = named_dtype([tuple(field) for field in told["dtype"]])  # type: ignore[index]
        shape = tuple(int(n) for n in told["shape"])  # type: ignore[index]
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        msg = f"{listed} does not say of which dtype and shape {name} is, as it must: {error}."
        raise DataError(msg) from error
    is_table = all(one in (dtype.names or ()) and dtype[one].kind in "iu" for one in fields)
    if not is_table or dtype.hasobject or len(shape) != 1 or shape[0] < 0:
        msg = f"{listed}: {name} must be a table with {', '.join(fields)}; got {dtype}, {shape}."
        raise DataError(msg)
    if not path.is_file():
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes > path.stat().st_size:
        msg = (
            f"{path} has {path.stat().st_size} bytes; {shape[0]} rows of {dtype.itemsize} expected."
        )
        raise DataError(msg)
    return np.fromfile(path, dtype, shape[0])


def _chosen_group(folder: Path, wanted: int | None) -> int:
    matched = [_GROUP.fullmatch(path.name) for path in folder.iterdir() if path.is_dir()]
    groups = sorted(int(one[1]) for one in matched if one is not None)
    if wanted is None and len(groups) == 1:
        return groups[0]
    if wanted not in groups:
        msg = f"{folder} has channel groups {groups}: choose one with chan_grp; got {wanted}."
        raise ParameterError(msg)
    return int(wanted)


def _recognise(peek: Peek) -> Recognition:
    groups = [path for path in peek.matching("channel_group_*") if path.is_dir()]
    if "info.json" in peek.names and groups:
        if (groups[0] / _CATALOGUE / "arrays.json").is_file():
            return known(Certainty.CONTENT, "it has info.json and a catalogue of clusters")
        return unknown("it has info.json and channel groups, but no catalogue of clusters")
    return unknown("it is no folder with info.json and channel_group_*")


READERS = (
    Reader(
        name="tridesclous",
        kind="sorting",
        recognise=_recognise,
        read=read_tridesclous,
        function="read_tridesclous",
        description="a working folder of tridesclous",
    ),
)
"""Readers of this module."""
