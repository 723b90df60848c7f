"""Save a curation the way phy does, so that phy opens the result.

Written: one ``cluster_<field>.tsv`` for each field (``cluster_group.tsv`` among them),
``cluster_info.tsv`` with all columns of the Cluster view, and ``spike_clusters.npy`` as int32.
All files are staged before the first is replaced, ``spike_clusters.npy`` comes last, and what was
there before is copied to a snapshot folder first.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.curation.state import CurationState
from spikeloom.errors import WriteError
from spikeloom.extractors.cluster_tables import CLUSTER_INFO, table_name
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import Writer, flush_folder, replace_together
from spikeloom.storage.delimited import Cell, format_table
from spikeloom.storage.places import is_writable

N_SNAPSHOTS_MAX = 20
"""Snapshots kept, beside the very first one."""

_SNAPSHOTS = "snapshots"


@dataclass(frozen=True, slots=True)
class SavePlan:
    """What a save will write."""

    contents: Mapping[Path, bytes | Writer]
    """New content of each file, in the order of replacement."""

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return list(self.contents)


def plan_save(
    state: CurationState,
    spike_clusters: NDArray[np.int32],
    info: Mapping[int, Mapping[str, Cell | None]],
    *,
    spike_clusters_path: Path,
    texts: Mapping[str, Mapping[int, tuple[Cell, str]]] | None = None,
) -> SavePlan:
    """Work out the files of a save.

    Parameters
    ----------
    state : CurationState
        Clusters and labels.
    spike_clusters : ndarray of shape (n_spikes,)
        Cluster of each spike.
    info : mapping
        Row of the Cluster view for each cluster, with its ``id``.
    spike_clusters_path : Path
        The file of the clusters; tables go beside it.
    texts : mapping, optional
        For each field that the dataset's files had: value and original text of cells whose text a
        plain conversion would not give back (``007``); cells that still have that value keep
        their text.
    """
    texts = texts or {}
    folder = spike_clusters_path.parent
    contents: dict[Path, bytes | Writer] = {}
    for field in sorted(state.labels):
        path = folder / table_name(field)
        table = _label_rows(state, field, texts.get(field, {}))
        # An empty table too, where there were values: they may stand in a table of many fields.
        if table or field in texts or path.exists():
            contents[path] = format_table(["cluster_id", field], table)
    contents[folder / f"{CLUSTER_INFO}.tsv"] = _info_table(state, info)
    contents[spike_clusters_path] = npy_writer(np.ascontiguousarray(spike_clusters, np.int32))
    return SavePlan(contents)


def write_save(plan: SavePlan) -> None:
    """Write the files of a plan, each in one step.

    Raises
    ------
    WriteError
        If a file cannot be written; then none was changed.
    """
    folder = plan.paths[-1].parent
    if not is_writable(folder):
        msg = (
            f"{folder} is read-only, so nothing was saved. Your edits are safe in the journal; "
            "make the folder writable and save again."
        )
        raise WriteError(13, msg)
    replace_together(plan.contents)


def take_snapshot(plan: SavePlan, folder: Path) -> str:
    """Copy the files that a plan will replace below `folder`; return the name of the copy.

    The first snapshot of a dataset, its files as the sorter left them, is kept for good.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    snapshot = folder / _SNAPSHOTS / stamp
    try:
        snapshot.mkdir(parents=True)
        for path in plan.paths:
            if path.exists():
                shutil.copy2(path, snapshot / path.name)
        flush_folder(snapshot)
    except OSError as error:
        shutil.rmtree(snapshot, ignore_errors=True)
        msg = f"The files could not be copied to {snapshot}: {error.strerror or error}."
        raise WriteError(error.errno or 0, msg) from error
    for old in sorted((folder / _SNAPSHOTS).iterdir())[1:-N_SNAPSHOTS_MAX]:
        shutil.rmtree(old, ignore_errors=True)
    return f"{_SNAPSHOTS}/{stamp}"


def _label_rows(
    state: CurationState, field: str, texts: Mapping[int, tuple[Cell, str]]
) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = []
    for cluster_id in state.cluster_ids:
        value = state.label(field, cluster_id)
        if value is not None:
            known = texts.get(cluster_id)
            is_untouched = known and (known[0] is value or known[0] == value)  # nan equals nothing
            rows.append((cluster_id, known[1] if known and is_untouched else value))
    return rows


def _info_table(state: CurationState, info: Mapping[int, Mapping[str, Cell | None]]) -> bytes:
    names: Iterable[str] = dict.fromkeys(name for row in info.values() for name in row)
    columns = sorted(name for name in names if name != "id")
    rows = [
        [cluster_id, *(_info_cell(info[cluster_id].get(name)) for name in columns)]
        for cluster_id in state.cluster_ids
    ]
    return format_table(["cluster_id", *columns], rows)


def _info_cell(value: Cell | None) -> Cell | None:
    return f"{value:.8f}" if isinstance(value, float) else value
