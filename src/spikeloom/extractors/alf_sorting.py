"""Sortings by the ALF convention of the International Brain Laboratory: ``spikes.times.npy``, ….

Source: https://docs.internationalbrainlab.org (ALF dataset types).
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, MissingDependencyError, MissingFileError, ReadError
from spikeloom.extractors.json_files import read_json_object
from spikeloom.extractors.listed_spikes import (
    ListedSpikesSorting,
    as_property,
    as_samples,
    checked_rate,
)
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.phy_arrays import as_labels
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.storage.arrays import open_npy
from spikeloom.storage.delimited import parse_cell, read_table

INFO_FILE = "_spikeloom_spikes.info.json"
"""What the convention has no place for, as `write_alf_sorting` writes it: rate and unit ids."""

METRICS = "clusters.metrics"

_N_UNITS_MAX = 1 << 22


@stored_as("spikeinterface.extractors.alfsortingextractor.ALFSortingExtractor")
class ALFSortingExtractor(ListedSpikesSorting):
    """A sorting in a folder of ALF files.

    Parameters
    ----------
    folder_path : str or Path
        The folder, with ``spikes.clusters.npy`` and ``spikes.samples.npy`` or ``spikes.times.npy``.
        Names may have more parts, such as ``spikes.times.<uuid>.npy``.
    sampling_frequency : float, optional
        In Hz; by default that noted by `write_alf_sorting`, else 30000.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or damaged.
    DataError
        If files contradict each other.

    Notes
    -----
    Unit ids are the rows of the tables of clusters. Columns of ``clusters.metrics`` (``.csv``, or
    ``.pqt`` if pandas and pyarrow are installed) and files ``clusters.*.npy`` with a row for each
    cluster are properties; ``label`` of the metrics, 1 for clusters that passed all tests, stays a
    number.
    """

    def __init__(self, folder_path: str | Path, sampling_frequency: float | None = None) -> None:
        folder = Path(folder_path).absolute()
        if not folder.is_dir():
            msg = f"There is no folder {folder}."
            raise MissingFileError(2, msg)
        info = read_json_object(folder / INFO_FILE) if (folder / INFO_FILE).is_file() else {}
        given = info.get("sampling_frequency", 30_000.0)
        rate = checked_rate(given if sampling_frequency is None else sampling_frequency, folder)
        samples, labels = _read_spikes(folder, rate)
        columns = _read_columns(folder)
        n_units = max([
            0,
            *(len(values) for values in columns.values()),
            int(labels.max(initial=-1)) + 1,
        ])
        if n_units > _N_UNITS_MAX:
            msg = f"{folder}: spikes.clusters names the cluster {n_units - 1}, which is no row."
            raise DataError(msg)
        noted = info.get("unit_ids")
        ids = np.arange(n_units)
        if isinstance(noted, list) and len(noted) == len(set(map(str, noted))) == n_units:
            ids = np.array(noted)
        super().__init__(rate, ids, samples, labels)
        for name, values in columns.items():
            if len(values) == n_units and name not in self.get_property_keys():
                self.set_property(name, values)
        self._kwargs = {"folder_path": str(folder), "sampling_frequency": rate}


def read_alf_sorting(
    folder_path: str | Path, sampling_frequency: float | None = None
) -> ALFSortingExtractor:
    """Read a sorting in a folder of ALF files; see `ALFSortingExtractor`."""
    return ALFSortingExtractor(folder_path, sampling_frequency)


def _find(folder: Path, name: str, suffix: str = ".npy") -> Path | None:
    """Return the file of a dataset, whose name may have further parts."""
    exact = folder / f"{name}{suffix}"
    found = [exact] if exact.is_file() else sorted(folder.glob(f"{name}.*{suffix}"))
    return found[0] if found else None


def _read_spikes(folder: Path, rate: float) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    clusters = _find(folder, "spikes.clusters")
    samples = _find(folder, "spikes.samples")
    times = _find(folder, "spikes.times")
    if clusters is None or (samples is None and times is None):
        missing = "spikes.clusters.npy" if clusters is None else "spikes.samples.npy (or times)"
        msg = f"{folder} has no {missing}."
        raise MissingFileError(2, msg)
    labels = as_labels(open_npy(clusters).reshape(-1), clusters.stem)
    if samples is not None:
        found = as_samples(open_npy(samples).reshape(-1), samples)
    else:
        found = as_samples(open_npy(times).reshape(-1), times, rate)  # type: ignore[arg-type]
    if found.size != labels.size:
        msg = f"{folder}: {found.size} times of spikes do not fit {labels.size} clusters of them."
        raise DataError(msg)
    return found, labels


def _read_columns(folder: Path) -> dict[str, NDArray[Any]]:
    """Return what is known of clusters, a row for each."""
    columns = {}
    for path in sorted(folder.glob("clusters.*.npy")):
        values = open_npy(path)
        if values.ndim in {1, 2} and values.dtype.kind in "iufbSU":
            columns[path.name.split(".")[1]] = values
    table, columnar = _find(folder, METRICS, ".csv"), _find(folder, METRICS, ".pqt")
    if table is not None:
        header, rows = read_table(table)
        for k, name in enumerate(header):
            if name:
                columns[name] = as_property([parse_cell(row[k]) for row in rows])
    elif columnar is not None:
        columns |= _read_parquet(columnar)
    uuids = _find(folder, "clusters.uuids", ".csv")
    if uuids is not None:
        _, rows = read_table(uuids)
        columns["uuids"] = np.array([row[0] for row in rows], np.str_)
    return columns


def _read_parquet(path: Path) -> dict[str, NDArray[Any]]:
    try:
        import_module("pyarrow")
        table = import_module("pandas").read_parquet(path)
    except ImportError as error:
        msg = f"{path} is a table of Parquet: pip install pandas pyarrow to read it."
        raise MissingDependencyError(msg) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path} cannot be read as a table of Parquet: {error}."
        raise ReadError(0, msg) from error
    found = {}
    for name in table.columns:
        values = table[name].to_numpy()
        found[str(name)] = values if values.dtype.kind in "iufb" else as_property(list(values))
    return found


def _recognise(peek: Peek) -> Recognition:
    if not peek.is_folder:
        return unknown("it is no folder")
    if not peek.has("spikes.clusters*.npy"):
        return unknown("it has no spikes.clusters.npy")
    if not peek.has("spikes.times*.npy") and not peek.has("spikes.samples*.npy"):
        return unknown("it has no spikes.times.npy and no spikes.samples.npy")
    return known(Certainty.LAYOUT, "it has spikes.clusters and spikes.times or spikes.samples")


READERS = (
    Reader(
        name="alf",
        kind="sorting",
        recognise=_recognise,
        read=read_alf_sorting,
        function="read_alf_sorting",
        extensions=("",),
        description="ALF files of the International Brain Laboratory",
    ),
)
"""Readers of this module."""
