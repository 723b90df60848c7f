"""Write a sorting alone as the files of phy: spikes and tables of clusters, without raw data."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.extractors.cluster_tables import table_name
from spikeloom.extractors.phy_sorting import GROUP, UNIT_ID
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.delimited import format_table
from spikeloom.storage.staged_saves import staged_save

_ORIGINAL_ID = "original_cluster_id"

_FIELDS = {"quality": GROUP, "group": "channel_group"}
"""What phy calls properties that SpikeInterface calls otherwise."""

_CLUSTER_MAX = 1 << 31


def write_phy_sorting(
    sorting: BaseSorting, folder_path: str | Path, *, overwrite: bool = False
) -> Path:
    """Write a sorting as the files of phy that hold spikes and labels; all of them or none.

    Parameters
    ----------
    sorting : BaseSorting
        Of one segment. Properties with one value for each unit become tables of clusters.
    folder_path : str or Path
        Folder to make.
    overwrite : bool, default False
        Replace a folder of phy that is there.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        If there are several segments, which phy has no place for.
    WriteError
        If something is there already (also a FileExistsError then), or it cannot be written.

    Notes
    -----
    Templates and features need the recording: for a folder that phy itself opens, make an analyzer
    and use `export_to_phy`. Clusters have the ids of units if these are whole numbers, else they
    are counted from 0, and the ids are in the table ``cluster_si_unit_id.tsv``.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({7: [30, 90], 2: [60]}, 30000.0)
    >>> folder = write_phy_sorting(sorting, Path(tempfile.mkdtemp()) / "phy")
    >>> np.load(folder / "spike_clusters.npy")
    array([7, 2, 7], dtype=int32)
    """
    if sorting.get_num_segments() != 1:
        msg = (
            f"Folders of phy have one segment, and this sorting {sorting.get_num_segments()}: "
            "write sorting.select_segments([k]) one by one."
        )
        raise ParameterError(msg)
    folder = Path(folder_path).absolute()
    clusters, are_ids = cluster_numbers(sorting)
    table = sorting.spike_table()
    labels = clusters[table.unit_index].astype(np.int32)
    arrays = {
        "spike_times": np.asarray(table.sample_index, np.int64),
        "spike_clusters": labels,
        "spike_templates": labels,
    }
    columns = _columns(sorting)
    if not are_ids:
        columns[UNIT_ID] = sorting.unit_ids
    if GROUP not in columns and sorting.get_num_units():
        # Units without spikes are known by their row in a table.
        columns[GROUP] = np.full(sorting.get_num_units(), "unsorted")
    with staged_save(folder, overwrite=overwrite, is_replaceable=_is_phy) as staging:
        staging.path.mkdir(exist_ok=True)
        for name, values in arrays.items():
            write_atomic(staging.path / f"{name}.npy", npy_writer(values))
        for field, values in columns.items():
            rows = sorted(zip(clusters.tolist(), _cells(values), strict=True))
            content = format_table(["cluster_id", field], rows)
            write_atomic(staging.path / table_name(field), content)
        rate = float(sorting.sampling_frequency)
        lines = ["dat_path = ''", "n_channels_dat = 0", "dtype = 'int16'", "offset = 0"]
        params = "\n".join([*lines, f"sample_rate = {rate!r}", ""])
        write_atomic(staging.path / "params.py", params.encode())
    return folder


def cluster_numbers(sorting: BaseSorting) -> tuple[NDArray[np.int64], bool]:
    """Return a number for each unit, and whether these are the ids of units."""
    ids = sorting.unit_ids
    if ids.dtype.kind in "iu" and (not ids.size or 0 <= ids.min() <= ids.max() < _CLUSTER_MAX):
        return ids.astype(np.int64), True
    return np.arange(sorting.get_num_units(), dtype=np.int64), False


def _columns(sorting: BaseSorting) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    for key in sorting.get_property_keys():
        values = sorting.get_property(key)
        is_column = values is not None and values.ndim == 1 and values.dtype.kind in "biufU"
        if is_column and key != _ORIGINAL_ID:
            columns[_field_of(str(key), columns)] = values  # type: ignore[assignment]
    return columns


def _field_of(key: str, taken: Mapping[str, Any]) -> str:
    field = _FIELDS.get(key, key)
    while field in taken or field in {"cluster_id", UNIT_ID}:
        field += "_property"
    return field


def _cells(values: NDArray[Any]) -> list[Any]:
    if values.dtype.kind == "b":
        return [int(value) for value in values.tolist()]
    return [
        None if isinstance(value, float) and math.isnan(value) else value
        for value in values.tolist()
    ]


def _is_phy(folder: Path) -> bool:
    return (folder / "params.py").is_file() and (folder / "spike_times.npy").is_file()
