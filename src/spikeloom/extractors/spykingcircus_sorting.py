"""Sortings of SpyKING CIRCUS (1): ``<name>.result.hdf5`` with a ``.params`` file above it."""

import re
from pathlib import Path

import numpy as np

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, MissingFileError
from spikeloom.extractors.json_files import read_text
from spikeloom.extractors.listed_spikes import (
    ListedSpikesSorting,
    as_columns,
    as_samples,
    checked_rate,
    required_rate,
)
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

_RATE = re.compile(r"^\s*sampling_rate\s*=\s*([^#\s]+)", re.MULTILINE)

_UNIT_NUMBER = re.compile(r"temp_([0-9]{1,9})")

_N_PARAMS_BYTES_MAX = 1 << 20

_MERGED, _RESULT = ".result-merged.hdf5", ".result.hdf5"

_N_FOLDERS_MAX = 1000


@stored_as("spikeinterface.extractors.spykingcircusextractors.SpykingCircusSortingExtractor")
class SpykingCircusSortingExtractor(ListedSpikesSorting):
    """A sorting of SpyKING CIRCUS.

    Parameters
    ----------
    folder_path : str or Path
        The folder of the results, the one above it, or the file of the results. Merged results are
        taken where there are some.
    sampling_frequency : float, optional
        In Hz; by default that of the ``.params`` file.

    Raises
    ------
    MissingFileError, ReadError
        If there are no results, or they are damaged.
    DataError
        If the file is of something else.
    ParameterError
        If the sampling frequency is not known.
    """

    def __init__(self, folder_path: str | Path, sampling_frequency: float | None = None) -> None:
        from spikeloom.extractors.hdf5_arrays import read_vector  # noqa: PLC0415 - imports h5py
        from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py
        from spikeloom.extractors.hdf5_nodes import dataset_at, group_at, names_in  # noqa: PLC0415 - imports h5py

        given = Path(folder_path).absolute()
        path = given if given.is_file() else _result_in(given)
        rate = sampling_frequency
        if rate is None:
            rate = _rate_above(path)
        rate = required_rate(rate, path.parent)
        with open_hdf5(path) as file:
            group = group_at(file, "spiketimes")
            numbers = {
                int(matched[1]): name
                for name in names_in(group)
                if (matched := _UNIT_NUMBER.fullmatch(name))
            }
            if group is None:
                msg = f"{path} has no spiketimes."
                raise DataError(msg)
            trains = []
            for number in sorted(numbers):
                dataset = dataset_at(group, numbers[number])
                if dataset is None:
                    msg = f"{path}: spiketimes/{numbers[number]} is no list of times."
                    raise DataError(msg)
                trains.append(as_samples(read_vector(path, dataset), f"{path}, {dataset.name}"))
        super().__init__(rate, np.array(sorted(numbers), np.int64), *as_columns(trains))
        self._kwargs = {"folder_path": str(given)}
        if sampling_frequency is not None:
            self._kwargs["sampling_frequency"] = rate


def read_spykingcircus(
    folder_path: str | Path, sampling_frequency: float | None = None
) -> SpykingCircusSortingExtractor:
    """Read a sorting of SpyKING CIRCUS; see `SpykingCircusSortingExtractor`."""
    return SpykingCircusSortingExtractor(folder_path, sampling_frequency)


def _result_in(folder: Path) -> Path:
    if not folder.is_dir():
        msg = f"There is nothing at {folder}."
        raise MissingFileError(2, msg)
    inner = sorted(path for path in folder.iterdir() if path.is_dir())[:_N_FOLDERS_MAX]
    for place in (folder, *inner):
        for suffix in (_MERGED, _RESULT):
            found = sorted(place.glob(f"*{suffix}"))
            if found:
                return found[0]
    msg = f"Neither {folder} nor a folder in it has *{_RESULT}."
    raise MissingFileError(2, msg)


def _rate_above(path: Path) -> float | None:
    for folder in path.parents[:2]:
        for params in sorted(folder.glob("*.params")):
            found = _RATE.search(read_text(params, _N_PARAMS_BYTES_MAX))
            if found is not None:
                return checked_rate(found[1], f"{params}, sampling_rate")
    return None


def _recognise(peek: Peek) -> Recognition:
    if not peek.is_folder:
        if peek.is_hdf5 and "spiketimes" in peek.hdf5_members:
            return known(Certainty.CONTENT, "it is an HDF5 file with spiketimes")
        return unknown("it is no folder, and no HDF5 file with spiketimes")
    for suffix in (_MERGED, _RESULT):
        found = peek.matching(f"*{suffix}")
        if found:
            return known(Certainty.LAYOUT, f"it has {found[0].name}")
    for params in peek.matching("*.params"):
        inner = params.with_suffix("")
        if inner.is_dir() and Peek(inner).has(f"*{_RESULT}"):
            return known(Certainty.LAYOUT, f"it has {params.name} and results")
    return unknown(f"it has no *{_RESULT}")


READERS = (
    Reader(
        name="spykingcircus",
        kind="sorting",
        recognise=_recognise,
        read=read_spykingcircus,
        function="read_spykingcircus",
        extensions=(_RESULT, _MERGED),
        description="results of SpyKING CIRCUS",
    ),
)
"""Readers of this module."""
