"""Write a sorting as ALF files, by the convention of the International Brain Laboratory."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.extractors.alf_sorting import INFO_FILE, METRICS
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.delimited import format_table
from spikeloom.storage.staged_saves import staged_save


def write_alf_sorting(
    sorting: BaseSorting, folder_path: str | Path, *, overwrite: bool = False
) -> Path:
    """Write a sorting as ALF files; they are there as a whole or not at all.

    Parameters
    ----------
    sorting : BaseSorting
        Of one segment. Properties with one value for each unit become columns of
        ``clusters.metrics.csv``.
    folder_path : str or Path
        Folder to make.
    overwrite : bool, default False
        Replace a folder of ALF files that is there.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        If there are several segments, which the convention has no place for.
    WriteError
        If something is there already (also a FileExistsError then), or it cannot be written.

    Notes
    -----
    ``spikes.times`` are those of the recording if one is registered. ``clusters.channels`` and the
    like need a recording and are not made. Sampling frequency and unit ids, which the convention
    does not know, are in ``_spikeloom_spikes.info.json``.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [30, 90], "b": [60]}, 30000.0)
    >>> folder = write_alf_sorting(sorting, Path(tempfile.mkdtemp()) / "alf")
    >>> np.load(folder / "spikes.clusters.npy")
    array([0, 1, 0], dtype=int32)
    """
    if sorting.get_num_segments() != 1:
        msg = (
            f"ALF files have one segment, and this sorting {sorting.get_num_segments()}: write "
            "sorting.select_segments([k]) one by one."
        )
        raise ParameterError(msg)
    folder = Path(folder_path).absolute()
    table = sorting.spike_table()
    times_s = np.asarray(sorting.sample_index_to_time(table.sample_index, 0), np.float64)
    arrays: dict[str, NDArray[Any]] = {
        "spikes.samples": np.asarray(table.sample_index, np.int64),
        "spikes.times": times_s,
        "spikes.clusters": np.asarray(table.unit_index, np.int32),
    }
    info = {
        "sampling_frequency": sorting.sampling_frequency,
        "unit_ids": sorting.unit_ids.tolist(),
    }
    with staged_save(folder, overwrite=overwrite, is_replaceable=_is_alf) as staging:
        staging.path.mkdir(exist_ok=True)
        for name, values in arrays.items():
            write_atomic(staging.path / f"{name}.npy", npy_writer(values))
        metrics = _metrics(sorting)
        write_atomic(staging.path / f"{METRICS}.csv", metrics)
        write_atomic(staging.path / INFO_FILE, json.dumps(info, indent=1).encode())
    return folder


def _metrics(sorting: BaseSorting) -> bytes:
    columns = {}
    for key in sorting.get_property_keys():
        values = sorting.get_property(key)
        if values is not None and values.ndim == 1 and values.dtype.kind in "biufU":
            columns[str(key)] = values.astype(int) if values.dtype.kind == "b" else values
    columns.setdefault("cluster_id", np.arange(sorting.get_num_units()))
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return format_table(list(columns), rows)


def _is_alf(folder: Path) -> bool:
    return folder.is_dir() and any(folder.glob("spikes.clusters*.npy"))
