"""Sortings in HDF5 files: those of HerdingSpikes and of Combinato."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.listed_spikes import (
    ListedSpikesSorting,
    as_columns,
    as_samples,
    checked_rate,
    required_rate,
)
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

if TYPE_CHECKING:
    import h5py

_SIGNS = {"both": ("neg", "pos"), "neg": ("neg",), "pos": ("pos",)}

_GOOD = 1
"""Types of groups of Combinato are -1 for artefacts, 0 for what is unsorted, more for units."""


@stored_as(
    "spikeinterface.extractors.herdingspikesextractors.HerdingspikesSortingExtractor",
    "spikeinterface.extractors.herdingspikesextractors.HS2SortingExtractor",
)
class HerdingspikesSortingExtractor(ListedSpikesSorting):
    """A sorting of HerdingSpikes 2.

    Parameters
    ----------
    file_path : str or Path
        The HDF5 file of the clusters.
    sampling_frequency : float, optional
        In Hz; by default that of the file.

    Raises
    ------
    MissingFileError, ReadError
        If there is no such file, or it is damaged.
    DataError
        If it is of something else.
    ParameterError
        If nothing says the sampling frequency.

    Notes
    -----
    The property ``hs_location`` is the centre of each unit, in the pitch of the electrodes.
    """

    def __init__(self, file_path: str | Path, sampling_frequency: float | None = None) -> None:
        from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py

        path = Path(file_path).absolute()
        with open_hdf5(path) as file:
            times, clusters = _vector(path, file, "times"), _vector(path, file, "cluster_id")
            centres = _table(path, file, "centres", 2) if "centres" in file else None
            rate = sampling_frequency
            if rate is None and "Sampling" in file:
                # 0 stands for what is not known.
                rate = float(_vector(path, file, "Sampling")[0]) or None
        if len(times) != len(clusters):
            msg = f"{path} has {len(times)} times and {len(clusters)} cluster_id."
            raise DataError(msg)
        rate = required_rate(rate, path)
        ids, units = np.unique(as_samples(clusters, path), return_inverse=True)
        super().__init__(rate, ids, as_samples(times, path), units)
        if centres is not None and len(centres) == len(ids):
            self.set_property("hs_location", centres)
        self._kwargs = {"file_path": str(path)}
        if sampling_frequency is not None:
            self._kwargs["sampling_frequency"] = rate


@stored_as("spikeinterface.extractors.combinatoextractors.CombinatoSortingExtractor")
class CombinatoSortingExtractor(ListedSpikesSorting):
    """A sorting of Combinato.

    Parameters
    ----------
    folder_path : str or Path
        The folder of a channel, with ``data_<channel>.h5`` and ``sort_<sign>_<user>``.
    sampling_frequency : float, optional
        In Hz; by default that of the file ``<channel>.h5`` beside the folder.
    user : str, default "simple"
        Who sorted.
    det_sign : {"both", "neg", "pos"}, default "both"
        Spikes of which sign.
    keep_good_only : bool, default True
        Leave out artefacts and what is unsorted.

    Raises
    ------
    MissingFileError, ReadError
        If there are no such files, or one is damaged.
    DataError
        If a file is of something else.
    ParameterError
        If an argument makes no sense, or nothing says the sampling frequency.

    Notes
    -----
    Units are counted, negative spikes first. Properties: ``unsorted`` and ``artifact``.
    """

    def __init__(
        self,
        folder_path: str | Path,
        sampling_frequency: float | None = None,
        user: str = "simple",
        det_sign: str = "both",
        keep_good_only: bool = True,
    ) -> None:
        folder = Path(folder_path).absolute()
        if det_sign not in _SIGNS:
            msg = f"det_sign must be one of {', '.join(_SIGNS)}; got {det_sign!r}."
            raise ParameterError(msg)
        sorted_files = {
            sign: path
            for sign in _SIGNS[det_sign]
            if (path := folder / f"sort_{sign}_{user}" / "sort_cat.h5").is_file()
        }
        if not sorted_files:
            msg = f"{folder} has no sort_{'|'.join(_SIGNS[det_sign])}_{user}/sort_cat.h5."
            raise MissingFileError(2, msg)
        rate = sampling_frequency
        if rate is None:
            rate = _rate_beside(folder)
        rate = required_rate(rate, folder)
        found = [
            (as_samples(times_ms, path, rate / 1000), kind)
            for sign, path in sorted_files.items()
            for times_ms, kind in _groups(folder, sign, path)
            if kind >= _GOOD or not keep_good_only
        ]
        kinds = np.array([kind for _, kind in found], np.int64)
        super().__init__(rate, np.arange(len(found)), *as_columns([train for train, _ in found]))
        self.set_property("unsorted", kinds == 0)
        self.set_property("artifact", kinds == -1)
        self._kwargs = {
            "folder_path": str(folder),
            "sampling_frequency": rate,
            "user": user,
            "det_sign": det_sign,
            "keep_good_only": keep_good_only,
        }


def read_herdingspikes(
    file_path: str | Path, sampling_frequency: float | None = None
) -> HerdingspikesSortingExtractor:
    """Read a sorting of HerdingSpikes; see `HerdingspikesSortingExtractor`."""
    return HerdingspikesSortingExtractor(file_path, sampling_frequency)


def read_combinato(
    folder_path: str | Path, sampling_frequency: float | None = None, **kwargs: Any
) -> CombinatoSortingExtractor:
    """Read a sorting of Combinato; see `CombinatoSortingExtractor`."""
    return CombinatoSortingExtractor(folder_path, sampling_frequency, **kwargs)


def _groups(folder: Path, sign: str, path: Path) -> Iterator[tuple[NDArray[np.float64], int]]:
    """Give the times in ms and the type of each group of clusters."""
    from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py

    detected = folder / f"data_{folder.stem}.h5"
    with open_hdf5(detected) as file:
        times_ms = _vector(detected, file, f"{sign}/times").astype(np.float64)
    with open_hdf5(path) as file:
        classes = _vector(path, file, "classes")
        places = as_samples(_vector(path, file, "index"), path)
        members = as_samples(_table(path, file, "groups", 2), path)
        kinds = dict(as_samples(_table(path, file, "types", 2), path).tolist())
    if len(classes) != len(places) or ((places < 0) | (places >= len(times_ms))).any():
        msg = f"{path}: classes and index must be of the spikes of {detected}, {len(times_ms)}."
        raise DataError(msg)
    for group in np.unique(members[:, 1]).tolist():
        if group not in kinds:
            msg = f"{path}: types does not tell what group {group} is."
            raise DataError(msg)
        of_group = np.isin(classes, members[members[:, 1] == group, 0])
        yield times_ms[places[of_group]], int(kinds[group])


def _rate_beside(folder: Path) -> float | None:
    from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py

    path = folder.with_name(f"{folder.name}.h5")
    if not path.is_file():
        return None
    with open_hdf5(path) as file:
        return checked_rate(_vector(path, file, "sr"), f"{path}, sr")


def _vector(path: Path, file: "h5py.File", name: str) -> NDArray[Any]:
    """Return a list of numbers with at least one axis; DataError if there is none."""
    return np.atleast_1d(_table(path, file, name, 1))


def _table(path: Path, file: "h5py.File", name: str, n_axes: int) -> NDArray[Any]:
    from spikeloom.extractors.hdf5_arrays import read_array  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.hdf5_nodes import dataset_at  # noqa: PLC0415 - imports h5py

    dataset = dataset_at(file, name)
    values = None if dataset is None else read_array(path, dataset)
    if values is None or values.dtype.kind not in "iuf" or values.ndim not in {n_axes, n_axes - 1}:
        msg = f"{path}: {name} must be an array of numbers with {n_axes} axes."
        raise DataError(msg)
    if n_axes > 1 and (values.ndim != n_axes or values.shape[1] < n_axes):
        msg = f"{path}: {name} must be of shape (n, {n_axes}); got {values.shape}."
        raise DataError(msg)
    return values


def _recognise_herdingspikes(peek: Peek) -> Recognition:
    if {"cluster_id", "times", "centres"} <= set(peek.hdf5_members):
        return known(Certainty.CONTENT, "it is HDF5 with cluster_id, times and centres")
    return unknown("it is no HDF5 file with cluster_id, times and centres")


def _recognise_combinato(peek: Peek) -> Recognition:
    found = peek.matching("sort_*")
    if found and f"data_{peek.path.stem}.h5" in peek.names:
        return known(Certainty.LAYOUT, f"it has data_{peek.path.stem}.h5 and {found[0].name}")
    return unknown("it is no folder with data_<its name>.h5 and sort_*")


READERS = (
    Reader(
        name="herdingspikes",
        kind="sorting",
        recognise=_recognise_herdingspikes,
        read=read_herdingspikes,
        function="read_herdingspikes",
        extensions=(".hdf5", ".h5"),
        description="clusters of HerdingSpikes",
    ),
    Reader(
        name="combinato",
        kind="sorting",
        recognise=_recognise_combinato,
        read=read_combinato,
        function="read_combinato",
        description="the folder of a channel of Combinato",
    ),
)
"""Readers of this module."""
