"""Edits and selections as JSON, for the journal.

Spike lists are written as the differences between successive indices, compressed; a split of a
million spikes takes a few hundred kilobytes.
"""

import base64
import binascii
import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.curation.edits import Edit, Label, Merge, Restore, Split
from spikeloom.curation.selection import Selection
from spikeloom.curation.state import Labels
from spikeloom.errors import JournalError
from spikeloom.storage.delimited import Cell

_BYTES_PER_SPIKE_MAX = 8


def encode_edit(edit: Edit) -> dict[str, Any]:
    """Return a JSON object that stands for an edit."""
    match edit:
        case Merge(cluster_ids, to):
            return {"op": "merge", "clusters": list(cluster_ids), "to": to}
        case Split(cluster_ids, spikes, parts, first_id):
            return {
                "op": "split",
                "clusters": list(cluster_ids),
                "first": first_id,
                "spikes": encode_integers(spikes),
                "parts": None if parts is None else encode_integers(parts),
            }
        case Label(name, values):
            return {"op": "label", "name": name, "values": _encode_values(values)}
        case Restore(removed, restored, labels):
            return {
                "op": "restore",
                "removed": list(removed),
                "clusters": [[i, encode_integers(spikes)] for i, spikes in restored.items()],
                "labels": {name: _encode_values(values) for name, values in labels.items()},
            }
        case _:
            msg = f"{type(edit).__name__} is not kept in journals."
            raise JournalError(0, msg)


def decode_edit(entry: dict[str, Any]) -> Edit:
    """Return the edit that a JSON object stands for.

    Raises
    ------
    JournalError
        If it stands for none.
    """
    try:
        match entry["op"]:
            case "merge":
                return Merge(tuple(entry["clusters"]), entry["to"])
            case "split":
                parts = entry["parts"]
                return Split(
                    tuple(entry["clusters"]),
                    decode_integers(entry["spikes"]),
                    None if parts is None else decode_integers(parts),
                    entry["first"],
                )
            case "label":
                return Label(entry["name"], _decode_values(entry["values"]))
            case "restore":
                return Restore(
                    tuple(entry["removed"]),
                    {i: decode_integers(spikes) for i, spikes in entry["clusters"]},
                    _decode_labels(entry["labels"]),
                )
            case other:
                msg = f"The journal has an edit {other!r}, which this version does not know."
                raise JournalError(0, msg)
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error) as error:
        msg = f"The journal has an edit that cannot be read ({error!r})."
        raise JournalError(0, msg) from error


def _encode_values(values: Mapping[int, Cell | None]) -> list[list[Any]]:
    return [[cluster_id, _encode_cell(value)] for cluster_id, value in values.items()]


def _decode_values(pairs: list[list[Any]]) -> dict[int, Cell | None]:
    return {int(cluster_id): _decode_cell(value) for cluster_id, value in pairs}


def _decode_labels(columns: dict[str, list[list[Any]]]) -> Labels:
    return {
        name: {i: value for i, value in _decode_values(pairs).items() if value is not None}
        for name, pairs in columns.items()
    }


def _encode_cell(value: Cell | None) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}  # JSON has no such numbers
    return value


def _decode_cell(value: Any) -> Cell | None:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return float(value["float"])
    if value is None or isinstance(value, (int, float, str)):
        return value
    msg = f"{value!r} is no label."
    raise ValueError(msg)


def encode_integers(values: NDArray[np.integer]) -> dict[str, Any]:
    """Return integers as a JSON object."""
    steps = np.diff(values.astype(np.int64), prepend=0).astype("<i8")
    return {"n": int(values.size), "z": base64.b64encode(zlib.compress(steps.tobytes())).decode()}


def decode_integers(entry: dict[str, Any]) -> NDArray[np.int64]:
    """Return integers from a JSON object made by `encode_integers`."""
    n_values = int(entry["n"])
    limit = n_values * _BYTES_PER_SPIKE_MAX
    # The stated length bounds what is unpacked, so a forged journal cannot fill the memory.
    content = zlib.decompressobj().decompress(base64.b64decode(entry["z"]), limit + 1)
    if len(content) != limit:
        msg = f"{n_values} integers were promised, {len(content)} bytes came."
        raise ValueError(msg)
    values = np.cumsum(np.frombuffer(content, "<i8")).astype(np.int64)
    values.setflags(write=False)
    return values


def encode_selection(selection: Selection) -> list[list[int]]:
    """Return a selection as two lists."""
    return [list(selection.best), list(selection.similar)]


def decode_selection(entry: list[list[int]]) -> Selection:
    """Return the selection that two lists stand for."""
    best, similar = entry
    return Selection(tuple(best), tuple(similar))
