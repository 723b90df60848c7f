"""``cluster_*.tsv``: what is known of each cluster, one or several columns a file.

Every ``.tsv`` and ``.csv`` file of a dataset that has a ``cluster_id`` column is read, but
``cluster_info.tsv``, which is made from the others. All other columns become fields.
Where two files give the same field, the file named after the field wins, then the last by name.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spikeloom.errors import ReadError
from spikeloom.storage.delimited import Cell, parse_cell, read_table

CLUSTER_INFO = "cluster_info"

_ID_END = 2.0**53
"""Larger numbers with decimals are no longer whole numbers one by one."""

_NOT_IN_FILE_NAMES = re.compile(r"[/\\\x00-\x1f]")

Labels = dict[str, dict[int, Cell]]
"""Field, then cluster id, to value; clusters without a value are absent."""


Texts = dict[str, dict[int, tuple[Cell, str]]]
"""Value and original text of the cells that ``str`` would write in another way (``007``)."""


def table_name(field: str) -> str:
    """Return the name of the file that holds a field by itself.

    Examples
    --------
    >>> table_name("group"), table_name("spikes/s")
    ('cluster_group.tsv', 'cluster_spikes_s.tsv')
    """
    return f"cluster_{_NOT_IN_FILE_NAMES.sub('_', field)}.tsv"


@dataclass(frozen=True, slots=True)
class ClusterTables:
    """The fields found in a folder, and what was wrong on the way."""

    labels: Labels
    """Values by field and cluster id."""
    texts: Texts
    """Cells whose text must be kept to be written back unchanged."""
    origin: Mapping[str, Path]
    """File that each field was read from."""
    warnings: tuple[str, ...]
    """Files and rows that could not be used."""


def read_cluster_tables(
    folder: Path, *, newer: Path | None = None, left_out: Collection[str] = ()
) -> ClusterTables:
    """Read all cluster tables of a folder; a file that cannot be read gives a warning.

    Parameters
    ----------
    folder : Path
        The folder.
    newer : Path, optional
        Another folder, whose tables are read instead of those of the same name.
    left_out : collection of str
        Names of files that are not read.
    """
    labels: Labels = {}
    texts: Texts = {}
    origin: dict[str, Path] = {}
    warnings: list[str] = []
    found = [
        path
        for place in (folder, newer)
        if place is not None
        for pattern in ("*.csv", "*.tsv")
        for path in place.glob(pattern)
        if place is newer or path.name not in left_out
    ]
    paths = {path.name: path for path in found}
    for path in sorted(paths.values(), key=lambda p: (p.suffix, p.name)):
        if path.stem == CLUSTER_INFO or path.name.startswith("."):
            continue
        try:
            header, rows = read_table(path)
        except ReadError as error:
            warnings.append(str(error))
            continue
        if "cluster_id" not in header:
            continue
        good = _rows_by_cluster(rows, header.index("cluster_id"))
        if len(good) < len(rows):
            warnings.append(
                f"{path.name}: {len(rows) - len(good)} of {len(rows)} rows have no cluster_id of "
                "their own that is a whole number; they are left out."
            )
        for column, name in enumerate(header):
            if name in {"", "cluster_id"} or _is_outranked(name, path, origin):
                continue
            cells = {cluster_id: row[column] for cluster_id, row in good.items()}
            labels[name], texts[name] = _parse_column(cells)
            origin[name] = path
    return ClusterTables(labels, texts, origin, tuple(warnings))


def _rows_by_cluster(rows: Iterable[list[str]], key: int) -> dict[int, list[str]]:
    """Return the rows by cluster id; the last row of a cluster wins."""
    found = {}
    for row in rows:
        cluster_id = parse_cell(row[key])
        if isinstance(cluster_id, float) and abs(cluster_id) < _ID_END and cluster_id.is_integer():
            cluster_id = int(cluster_id)
        if isinstance(cluster_id, int):
            found[cluster_id] = row
    return found


def _is_outranked(name: str, path: Path, origin: Mapping[str, Path]) -> bool:
    """Tell whether another file than `path` has the better claim on field `name`."""
    own_name = Path(table_name(name)).stem
    return name in origin and origin[name].stem == own_name and path.stem != own_name


def _parse_column(
    cells: Mapping[int, str],
) -> tuple[dict[int, Cell], dict[int, tuple[Cell, str]]]:
    values: dict[int, Cell] = {}
    texts: dict[int, tuple[Cell, str]] = {}
    for cluster_id, text in cells.items():
        value = parse_cell(text)
        if value is not None:
            values[cluster_id] = value
            if str(value) != text:
                texts[cluster_id] = (value, text)
    return values, texts
