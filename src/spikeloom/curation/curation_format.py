"""Read SpikeInterface's curation files, of all versions.

Version 2 is what `Curation.to_dict` writes. Version 1 has ``merge_unit_groups`` and
``removed_units``; what has no version is of sortingview, with ``labelsByUnit`` and ``mergeGroups``.
In all of them, several spellings of a thing are in use.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.core.unit_ids import UnitId, plain_ids
from spikeloom.curation.curation_model import (
    Curation,
    LabelDefinition,
    ManualLabel,
    Merge,
    SequentialCuration,
    Split,
)
from spikeloom.errors import CurationError, DataError, MissingFileError

SUPPORTED_VERSIONS = ("1", "2")
"""Versions of the format; files without one are of sortingview."""

Spelled = Any
"""What files have for a thing, in one of several spellings."""

CurationLike = Mapping[str, Any] | list[Any] | tuple[Any, ...] | Curation | SequentialCuration
"""A curation, its dictionary, or several of them in a list."""


def validate_curation_dict(curation_dict: Mapping[str, Any]) -> None:
    """Raise CurationError if a dictionary is no curation, or contradicts itself.

    Parameters
    ----------
    curation_dict : mapping
        As it stands in a file.

    Examples
    --------
    >>> validate_curation_dict({"format_version": "2", "unit_ids": [0, 1], "removed": [1]})
    >>> validate_curation_dict({"format_version": "2", "unit_ids": [0, 1], "removed": [7]})
    Traceback (most recent call last):
    spikeloom.errors.CurationError: Units [7] are removed, but not among the 2 unit ids.
    """
    curation_from_dict(curation_dict)


def load_curation(curation_path: str | Path) -> Curation:
    """Read a curation file.

    Parameters
    ----------
    curation_path : str or Path
        A JSON file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DataError
        If it is no JSON.
    CurationError
        If it is no curation, or contradicts itself.
    """
    path = Path(curation_path)
    if not path.is_file():
        msg = f"There is no curation file {path}."
        raise MissingFileError(msg)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"The curation file {path} is no JSON: {error}."
        raise DataError(msg) from error
    return curation_from_dict(found)


def as_curation(given: CurationLike) -> Curation | SequentialCuration:
    """Return a curation, or several, of what stands for it.

    Raises
    ------
    CurationError
        If it is none, or contradicts itself.
    """
    if isinstance(given, Curation | SequentialCuration):
        return given
    if isinstance(given, Mapping):
        return curation_from_dict(given)
    if isinstance(given, list | tuple):
        steps = [one if isinstance(one, Curation) else curation_from_dict(one) for one in given]
        return SequentialCuration(steps)
    msg = f"A curation is a dictionary, a list of them, or a Curation; got {type(given).__name__}."
    raise CurationError(msg)


def curation_from_dict(curation_dict: Mapping[str, Any]) -> Curation:
    """Return the curation of a dictionary.

    Parameters
    ----------
    curation_dict : mapping
        As it stands in a file of any version.

    Raises
    ------
    CurationError
        If it is no curation, or contradicts itself.
    """
    if not isinstance(curation_dict, Mapping):
        msg = f"A curation is a dictionary; got {type(curation_dict).__name__}."
        raise CurationError(msg)
    try:
        return _curation_of(dict(curation_dict))
    except CurationError:
        raise
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        msg = f"The curation is not spelled as it should be: {type(error).__name__} {error}."
        raise CurationError(msg) from error


def _curation_of(given: dict[str, Any]) -> Curation:
    version = str(given.get("format_version", "0"))
    if version == "0":
        given = _from_sortingview(given)
    elif version == "1":
        if given.get("merge_unit_groups") is not None:
            given["merges"] = given["merge_unit_groups"]
        if given.get("removed_units") is not None:
            given["removed"] = given["removed_units"]
    elif version not in SUPPORTED_VERSIONS:
        msg = f"Curation files of version {version!r} are unknown; known are {SUPPORTED_VERSIONS}."
        raise CurationError(msg)
    if given.get("unit_ids") is None:
        msg = "The curation has no unit_ids."
        raise CurationError(msg)
    return Curation(
        unit_ids=plain_ids(given["unit_ids"]),
        label_definitions=_definitions(given.get("label_definitions")),
        manual_labels=[_labels(one) for one in given.get("manual_labels") or []],
        removed=plain_ids(given.get("removed") or []),
        merges=_merges(given.get("merges")),
        splits=_splits(given.get("splits")),
        format_version=version,
    )


def _from_sortingview(given: Mapping[str, Any]) -> dict[str, Any]:
    labels_by_unit = given.get("labelsByUnit")
    if labels_by_unit is None:
        msg = "The curation has neither a format_version nor labelsByUnit."
        raise CurationError(msg)
    are_numbers = all(str(unit).isdigit() for unit in labels_by_unit)
    known = {str(unit): unit for unit in plain_ids(given.get("unit_ids") or ())}

    def as_id(unit: UnitId) -> UnitId:
        return known.get(str(unit), int(unit) if are_numbers else str(unit))

    groups = [[as_id(unit) for unit in group] for group in given.get("mergeGroups") or []]
    units = [as_id(unit) for unit in labels_by_unit] + [unit for group in groups for unit in group]
    options = sorted({label for labels in labels_by_unit.values() for label in labels})
    return {
        "unit_ids": given.get("unit_ids", list(dict.fromkeys(units))),
        "label_definitions": {"all_labels": {"label_options": options, "exclusive": False}},
        "manual_labels": [
            {"unit_id": as_id(unit), "labels": {"all_labels": list(labels)}}
            for unit, labels in labels_by_unit.items()
        ],
        "merges": groups,
    }


def _definitions(given: Mapping[str, Any] | None) -> dict[str, LabelDefinition]:
    found = {}
    for name, one in (given or {}).items():
        if isinstance(one, LabelDefinition):
            found[name] = one
            continue
        options = [str(option) for option in one["label_options"]]
        found[name] = LabelDefinition(name, options, bool(one["exclusive"]))
    return found


def _labels(given: Spelled) -> ManualLabel:
    if isinstance(given, ManualLabel):
        return given
    labels = given.get("labels")
    if labels is None:  # categories stand beside the id
        labels = {name: values for name, values in given.items() if name != "unit_id"}
    for name, values in labels.items():
        if not isinstance(values, list | tuple):
            msg = f"Labels of unit {given['unit_id']!r} for {name!r} are no list, but {values!r}."
            raise CurationError(msg)
    unit_id = plain_ids([given["unit_id"]])[0]
    return ManualLabel(unit_id, {name: [*values] for name, values in labels.items()})


def _merges(given: Spelled) -> list[Merge]:
    if isinstance(given, Mapping):  # new id: units
        given = [{"unit_ids": units, "new_unit_id": new_id} for new_id, units in given.items()]
    found = []
    for one in given or []:
        if isinstance(one, Merge):
            found.append(one)
        elif isinstance(one, Mapping):
            new_id = one.get("new_unit_id")
            new_id = None if new_id is None else plain_ids([new_id])[0]
            found.append(Merge(plain_ids(one["unit_ids"]), new_id))
        else:
            found.append(Merge(plain_ids(one)))
    return found


def _splits(given: Spelled) -> list[Split]:
    if isinstance(given, Mapping):  # unit: parts, or the label of each spike
        given = [
            {"unit_id": unit, "mode": "indices", "indices": parts}
            if len(parts) and isinstance(parts[0], list | tuple | np.ndarray)
            else {"unit_id": unit, "mode": "labels", "labels": parts}
            for unit, parts in given.items()
        ]
    found = []
    for one in given or []:
        if isinstance(one, Split):
            found.append(one)
            continue
        indices, labels, new_ids = (one.get(k) for k in ("indices", "labels", "new_unit_ids"))
        found.append(
            Split(
                plain_ids([one["unit_id"]])[0],
                one.get("mode", "indices"),
                None if indices is None else [plain_ids(part) for part in indices],
                None if labels is None else plain_ids(labels),
                None if new_ids is None else plain_ids(new_ids),
            )
        )
    return found
