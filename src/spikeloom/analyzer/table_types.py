"""Types of the columns of pandas tables, noted beside files that do not keep them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def types_of(table: Any) -> dict[str, Any]:
    """Return the names of the types of a table's index and columns."""
    columns = {str(name): str(dtype) for name, dtype in table.dtypes.items()}
    return {"index": str(table.index.dtype), "columns": columns}


def with_types(table: Any, types: Mapping[str, Any] | None) -> Any:
    """Return a table with the types that were noted for it, as far as its values allow."""
    changed = table.copy(deep=False)
    for name, wanted in ((types or {}).get("columns") or {}).items():
        if name not in changed.columns or str(changed[name].dtype) == wanted:
            continue
        try:
            changed[name] = changed[name].astype(wanted)
        except (ValueError, TypeError):
            continue  # Somebody has changed the file: its values count more than the note.
    return changed


def index_of(
    texts: list[str], unit_ids: NDArray[Any], types: Mapping[str, Any] | None
) -> NDArray[Any]:
    """Return the index of a table from its texts: unit ids if there are as many rows as units.

    Parameters
    ----------
    texts : list of str
        As they stand in a file.
    unit_ids : ndarray of shape (n_units,)
        Of the analyzer.
    types : mapping or None
        As `types_of` returned them, if they were noted.

    Returns
    -------
    ndarray of shape (n_rows,)

    Examples
    --------
    >>> index_of(["01", "2"], np.array(["01", "2"]), None).tolist()
    ['01', '2']
    >>> index_of(["0", "1", "2"], np.array(["a", "b"]), {"index": "int64"}).tolist()
    [0, 1, 2]
    """
    written = np.array(texts, str)
    if len(texts) == len(unit_ids):
        try:
            return written.astype(unit_ids.dtype)
        except ValueError:
            return written
    noted = (types or {}).get("index")
    is_text = noted is not None and not noted.lower().startswith(("int", "uint", "float"))
    if is_text:
        return written
    for kind in (np.int64, np.float64):
        try:
            return written.astype(kind)
        except ValueError:
            continue
    return written
