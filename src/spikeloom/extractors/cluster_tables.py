"""``cluster_*.tsv``: what is known of each cluster, one or several columns a file.

Every ``.tsv`` and ``.csv`` file of a dataset that has a ``cluster_id`` column is read, but
``cluster_info.tsv``, which is made from the others. All other columns become fields.
Where two files give the same field, the file named after the field wins, then the last by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spikeloom.errors import ReadError
from spikeloom.storage.delimited import Cell, parse_cell, read_table

CLUSTER_INFO = "cluster_info"

Labels = dict[str, dict[int, Cell]]
"""Field, then cluster id, to value; clusters without a value are absent."""


Texts = dict[str, dict[int, tuple[Cell, str]]]
"""Value and original text of the cells that ``str`` would write in another way (``007``)."""


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


def read_cluster_tables(folder: Path) -> ClusterTables:
    """Read all cluster tables of `folder`; a file that cannot be read gives a warning."""
    labels: Labels = {}
    texts: Texts = {}
    origin: dict[str, Path] = {}
    warnings: list[str] = []
    paths = sorted([*folder.glob("*.csv"), *folder.glob("*.tsv")], key=lambda p: (p.suffix, p.name))
    for path in paths:
        if path.stem == CLUSTER_INFO or path.name.startswith("."):
            continue
        try:
            header, rows = read_table(path)
        except ReadError as error:
            warnings.append(str(error.strerror or error))
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
        if isinstance(cluster_id, float) and cluster_id.is_integer():
            cluster_id = int(cluster_id)
        if isinstance(cluster_id, int):
            found[cluster_id] = row
    return found


def _is_outranked(name: str, path: Path, origin: Mapping[str, Path]) -> bool:
    """Tell whether another file than `path` has the better claim on field `name`."""
    own_name = f"cluster_{name}"
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
