"""Sortings of XClust: a text file, ``.CEL``, for each cluster."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.json_files import read_text
from spikeloom.extractors.listed_spikes import (
    ListedSpikesSorting,
    as_columns,
    as_samples,
    required_rate,
)
from spikeloom.extractors.peeking import Peek, read_head
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.extractors.text_tables import parse_numbers

_BEGIN, _END = "%%BEGINHEADER", "%%ENDHEADER"

_CLUSTER, _FIELDS, _TIME = "Cluster", "Fields", "time"

_SUFFIX = ".cel"

_N_BYTES_MAX = 1 << 32


@stored_as("spikeinterface.extractors.xclustextractors.XClustSortingExtractor")
class XClustSortingExtractor(ListedSpikesSorting):
    """A sorting of XClust.

    Parameters
    ----------
    folder_path : str or Path, optional
        Folder with ``.CEL`` files such as ``BL1~2.CEL``, of the cluster 2 of a session BL1.
    file_path_list : list of str or Path, optional
        Instead of a folder, such files.
    sampling_frequency : float
        In Hz.

    Raises
    ------
    MissingFileError, ReadError
        If there are no such files, or one cannot be read.
    DataError
        If a file has no times, or two files are of one unit.
    ParameterError
        If neither a folder nor files are given, or the sampling frequency is missing.

    Notes
    -----
    Units are called by their files, as ``BL1_2``. Properties: ``unit_name`` ("BL1_cluster_2") and
    ``cluster_id``, the text in the file. Spikes of a unit at the same sample are all kept.
    """

    def __init__(
        self,
        folder_path: str | Path | None = None,
        *,
        file_path_list: Sequence[str | Path] | None = None,
        sampling_frequency: float | None = None,
    ) -> None:
        paths = _paths(folder_path, file_path_list)
        rate = required_rate(sampling_frequency, paths[0].parent)
        found = [_read_cluster(path) for path in paths]
        ids = [path.stem.replace("~", "_") for path in paths]
        if len(set(ids)) < len(ids):
            msg = f"{paths[0].parent} has two files of one unit: {', '.join(sorted(ids))}."
            raise DataError(msg)
        trains = [
            as_samples(times_s, path, rate) for path, (_, times_s) in zip(paths, found, strict=True)
        ]
        super().__init__(rate, np.array(ids, np.str_), *as_columns(trains))
        names = [path.stem.replace("~", "_cluster_") for path in paths]
        self.set_property("unit_name", np.array(names, np.str_))
        self.set_property("cluster_id", np.array([cluster for cluster, _ in found], np.str_))
        listed = None if file_path_list is None else [str(path) for path in paths]
        self._kwargs = {
            "folder_path": None if folder_path is None else str(paths[0].parent),
            "file_path_list": listed,
            "sampling_frequency": rate,
        }


def read_xclust(
    folder_path: str | Path | None = None,
    *,
    file_path_list: Sequence[str | Path] | None = None,
    sampling_frequency: float | None = None,
) -> XClustSortingExtractor:
    """Read a sorting of XClust; see `XClustSortingExtractor`."""
    return XClustSortingExtractor(
        folder_path, file_path_list=file_path_list, sampling_frequency=sampling_frequency
    )


def _paths(
    folder_path: str | Path | None, file_path_list: Sequence[str | Path] | None
) -> list[Path]:
    if (folder_path is None) == (not file_path_list):
        msg = "Give either folder_path, or file_path_list with at least one file."
        raise ParameterError(msg)
    if folder_path is None:
        return [Path(path).absolute() for path in file_path_list or ()]
    folder = Path(folder_path).absolute()
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [path for path in inside if path.suffix.lower() == _SUFFIX and path.is_file()]
    if not paths:
        msg = f"{folder} holds no .CEL files."
        raise MissingFileError(2, msg)
    return paths


def _read_cluster(path: Path) -> tuple[str, NDArray[np.float64]]:
    """Return the name of a cluster, and the times of its spikes in seconds."""
    lines = read_text(path, _N_BYTES_MAX).splitlines()
    if _BEGIN not in lines[:1] or _END not in lines:
        msg = f"{path} does not begin with a header from {_BEGIN} to {_END}."
        raise DataError(msg)
    end = lines.index(_END)
    told = dict(
        line.removeprefix("%").strip().split(":", 1) for line in lines[1:end] if ":" in line
    )
    fields = told.get(_FIELDS, "").split()
    if _CLUSTER not in told or _TIME not in fields:
        msg = f"{path}: its header must tell {_CLUSTER}, and {_FIELDS} with {_TIME}; got {told}."
        raise DataError(msg)
    try:
        table = parse_numbers(
            [line for line in lines[end + 1 :] if not line.startswith("%")], np.float64
        )
    except (ValueError, OverflowError) as error:
        msg = f"{path} is not a table of numbers: {error}."
        raise DataError(msg) from error
    column = fields.index(_TIME)
    if len(table) and table.shape[1] <= column:
        msg = f"{path} has {table.shape[1]} columns; its header tells {len(fields)}."
        raise DataError(msg)
    return told[_CLUSTER].strip(), table[:, min(column, table.shape[1] - 1)]


def _read(path: str | Path, **kwargs: Any) -> XClustSortingExtractor:
    if Path(path).is_dir():
        return XClustSortingExtractor(path, **kwargs)
    return XClustSortingExtractor(file_path_list=[path], **kwargs)


def _recognise(peek: Peek) -> Recognition:
    paths = peek.matching(f"*{_SUFFIX}") if peek.is_folder else [peek.path]
    if paths and paths[0].suffix.lower() == _SUFFIX:
        if read_head(paths[0]).startswith(_BEGIN.encode()):
            return known(Certainty.CONTENT, f"{paths[0].name} has a header of XClust")
        return known(Certainty.GUESS, f"{paths[0].name} is called as XClust's files are")
    return unknown("it is no .CEL file, and no folder of them")


READERS = (
    Reader(
        name="xclust",
        kind="sorting",
        recognise=_recognise,
        read=_read,
        function="read_xclust",
        extensions=(".CEL",),
        description="clusters of XClust",
    ),
)
"""Readers of this module."""
