"""Sortings in one file of numpy arrays, the oldest format: samples and labels of each segment."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.numpy_recording import checked_t_starts
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.spike_building import table_from_samples_and_labels
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.errors import DataError
from spikeloom.storage.json_fields import count_in
from spikeloom.storage.numpy_files import npz_names, read_npz, write_npz

_HEADER = ("unit_ids", "num_segment", "sampling_frequency")
_LARGEST_EXACT = 1 << 53
"""Numbers with decimals up to this are all there."""

_T_STARTS = "t_starts"


@stored_as("spikeinterface.core.npzsortingextractor.NpzSortingExtractor")
class NpzSortingExtractor(BaseSorting):
    """A sorting in a ``.npz`` file.

    Parameters
    ----------
    file_path : str or Path
        The file, which `NpzSortingExtractor.write_sorting` or SpikeInterface wrote.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is no such archive, or holds pickled objects.
    DataError
        When spikes are asked for, if one belongs to no unit.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20]}, 30000.0)
    >>> path = Path(tempfile.mkdtemp()) / "sorting.npz"
    >>> NpzSortingExtractor.write_sorting(sorting, path)
    >>> read_npz_sorting(path).get_unit_spike_train("a")
    array([10, 30])
    """

    def __init__(self, file_path: str | Path) -> None:
        self._path = Path(file_path).absolute()
        header = read_npz(self._path, _HEADER)
        numbers = {name: _only(header[name], self._path) for name in _HEADER[1:]}
        n_segments = count_in(numbers, "num_segment", self._path)
        super().__init__(numbers["sampling_frequency"], header["unit_ids"])
        for k, t_start in enumerate(_read_t_starts(self._path, n_segments)):
            self.add_sorting_segment(TableSortingSegment(self, k, t_start))
        self._kwargs = {"file_path": str(self._path)}

    @property
    def npz_filename(self) -> str:
        """The file."""
        return str(self._path)

    def _make_spike_table(self) -> SpikeTable:
        segments = range(self.get_num_segments())
        names = [f"spike_{what}_seg{k}" for what in ("indexes", "labels") for k in segments]
        arrays = read_npz(self._path, names)
        samples = [_as_whole(arrays[f"spike_indexes_seg{k}"]) for k in segments]
        labels = [_as_whole(arrays[f"spike_labels_seg{k}"]) for k in segments]
        return table_from_samples_and_labels(samples, labels, self.unit_ids)[0]

    @staticmethod
    def write_sorting(sorting: BaseSorting, save_path: str | Path) -> None:
        """Write a sorting to a ``.npz`` file, replacing what is there in one step.

        Parameters
        ----------
        sorting : BaseSorting
            The sorting.
        save_path : str or Path
            The file; ``.npz`` is added to its name if it is missing.

        Raises
        ------
        WriteError
            If the file cannot be written.
        """
        path = Path(save_path)
        if path.suffix != ".npz":
            path = path.with_name(f"{path.name}.npz")
        table = sorting.spike_table()
        arrays: dict[str, NDArray[Any]] = {
            "unit_ids": sorting.unit_ids,
            "num_segment": np.array([sorting.get_num_segments()], np.int64),
            "sampling_frequency": np.array([sorting.sampling_frequency], np.float64),
        }
        for k in range(sorting.get_num_segments()):
            spikes = table.segment_slice(k)
            arrays[f"spike_indexes_seg{k}"] = np.asarray(table.sample_index[spikes], np.int64)
            arrays[f"spike_labels_seg{k}"] = sorting.unit_ids[table.unit_index[spikes]]
        starts = sorting.get_segment_t_starts()
        if starts is not None:
            arrays[_T_STARTS] = np.array(starts, np.float64)  # NaN where it is not known
        write_npz(path, arrays)


def read_npz_sorting(file_path: str | Path) -> NpzSortingExtractor:
    """Open a sorting in a ``.npz`` file; see `NpzSortingExtractor`."""
    return NpzSortingExtractor(file_path)


def _only(values: NDArray[Any], path: Path) -> Any:
    """Return the number of an array that has one."""
    if values.size != 1 or values.dtype.kind not in "iuf":
        msg = f"{path}: a single number is expected; there are {values.size} of {values.dtype}."
        raise DataError(msg)
    return values.reshape(()).item()


def _read_t_starts(path: Path, n_segments: int) -> list[float | None]:
    """Return the start of each segment, which only files of spikeloom know."""
    is_known = _T_STARTS in npz_names(path)
    starts = read_npz(path, [_T_STARTS])[_T_STARTS].tolist() if is_known else None
    return checked_t_starts(starts, n_segments)


def _as_whole(values: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers that were written as numbers with decimals as what they are.

    SpikeInterface does so where a unit of number ids has no spikes in a segment.
    """
    is_exact = values.dtype.kind == "f" and bool(
        (np.abs(values.astype(np.float64)) < _LARGEST_EXACT).all()
    )
    if is_exact and np.array_equal(values, np.floor(values)):
        return values.astype(np.int64)
    return values
