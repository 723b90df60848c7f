"""The arrays of one extension in a group of a zarr store, as SpikeInterface lays them out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension_files import (
    checked_name,
    is_array,
    is_table,
    note_pickled,
    plain_json,
    take,
)
from spikeloom.analyzer.stores import ExtensionNotes
from spikeloom.analyzer.table_types import index_of, types_of, with_types
from spikeloom.core.folder_metadata import name_of_property, property_of_name
from spikeloom.storage.provenance_json import decode_json
from spikeloom.storage.zarr_codecs import default_compressor
from spikeloom.storage.zarr_groups import ZarrGroup

if TYPE_CHECKING:
    from spikeloom.analyzer.extension import AnalyzerExtension

_WRAPPED = "value"
"""Attribute of plain values that are neither a dictionary nor a list."""


def write_extension_group(
    extension: "AnalyzerExtension", group: ZarrGroup, saving_options: Mapping[str, Any]
) -> None:
    """Write parameters and data of an extension into an empty group.

    Parameters
    ----------
    extension : AnalyzerExtension
        What is written.
    group : ZarrGroup
        Where to.
    saving_options : mapping
        ``compressor`` and ``filters`` for arrays; Blosc zstd with bit shuffling by default.
    """
    compressor = saving_options.get("compressor")
    options = {
        "compressor": default_compressor() if compressor is None else compressor,
        "filters": saving_options.get("filters"),
    }
    for name, value in extension.data.items():
        key = checked_name(extension, name)
        if is_table(value):
            _write_table(value, group.create_group(key))
        elif is_array(value):
            group.write_array(key, np.asarray(value), **options)
        else:
            content = plain_json(extension, name, value)
            if content is not None:
                plain = decode_json(content, key)
                # In a list of its own, so that texts are not taken for an array of them.
                group.write_object(key, [plain] if isinstance(plain, list) else plain)
                group.set_attributes(_attributes_of(plain), key)
    group.set_attributes({
        "info": extension.info(),
        "run_info": extension.run_info,
        "params": extension.params or {},
    })


def _attributes_of(plain: Any) -> dict[str, Any]:
    if isinstance(plain, dict):
        return {"dict": True}
    return {"dict": True, _WRAPPED: "list" if isinstance(plain, list) else "plain"}


def read_extension_group(extension: "AnalyzerExtension", group: ZarrGroup) -> None:
    """Set parameters and data of an extension from its group."""
    data: dict[str, Any] = {}
    for key in group.array_names():
        attributes = group.array_attributes(key)
        name = property_of_name(key)
        if "dict" in attributes or "object" in attributes:
            value = group.read_object(key)
            is_wrapped = attributes.get(_WRAPPED) == "list"
            data[name] = value[0] if is_wrapped else value
        else:
            data[name] = group.read_array(key)
    for key in group.group_names():
        inner = group.group(key)
        if "dataframe" in inner.attributes:
            unit_ids = extension.sorting_analyzer.unit_ids
            data[property_of_name(key)] = _read_table(inner, unit_ids)
    note_pickled(extension, group.refused_names())
    take(extension, notes_of(group), data)


def notes_of(group: ZarrGroup) -> ExtensionNotes:
    """Return parameters and run_info of an extension in a group."""
    attributes = group.attributes
    return ExtensionNotes(attributes.get("params"), attributes.get("run_info"))


def _write_table(table: Any, group: ZarrGroup) -> None:
    types = types_of(table)
    group.write_array("index", _plain_column(table.index.to_series())[0])
    names, missing = [], {}
    for column in table.columns:
        values, is_missing = _plain_column(table[column])
        key = name_of_property(str(column))
        group.write_array(key, values)
        names.append(str(column))
        if is_missing.any():
            missing[str(column)] = np.flatnonzero(is_missing)
    group.set_attributes({
        "dataframe": True,
        "columns": names,
        "types": types,
        "missing": missing,
    })


def _plain_column(column: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the values of a column as numbers or text, and which of its texts are missing."""
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    is_missing = np.asarray(pd.isna(column), bool)
    if pd.api.types.is_bool_dtype(column.dtype) and not is_missing.any():
        return column.to_numpy(dtype=bool), np.zeros(len(column), bool)
    if pd.api.types.is_integer_dtype(column.dtype) and not is_missing.any():
        kind = np.uint64 if pd.api.types.is_unsigned_integer_dtype(column.dtype) else np.int64
        return column.to_numpy(dtype=kind), np.zeros(len(column), bool)
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return values, np.zeros(len(column), bool)
    texts = ["" if is_none else str(one) for one, is_none in zip(column, is_missing, strict=True)]
    return np.array(texts, str), is_missing


def _read_table(group: ZarrGroup, unit_ids: NDArray[Any]) -> Any:
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    attributes = group.attributes
    types = attributes.get("types")
    texts = [str(one) for one in group.read_array("index").tolist()]
    found = [key for key in group.array_names() if key != "index"]
    named = {property_of_name(key): key for key in found}
    ordered = [name for name in attributes.get("columns") or () if name in named]
    columns = {}
    for name in [*ordered, *(name for name in named if name not in ordered)]:
        values = group.read_array(named[name])
        places = (attributes.get("missing") or {}).get(name)
        if places:
            values = values.astype(object)
            values[places] = np.nan
        columns[name] = values
    table = pd.DataFrame(columns, index=pd.Index(index_of(texts, unit_ids, types)))
    if types is None:
        # Versions of SpikeInterface write columns with missing values as floats or text.
        return table
    return with_types(table, types)
