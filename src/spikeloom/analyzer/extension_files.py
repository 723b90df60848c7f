"""The files of one extension in a folder: arrays, tables and plain values; never pickles."""

import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.analyzer.stores import ExtensionNotes
from spikeloom.analyzer.table_types import index_of, types_of, with_types
from spikeloom.core.folder_metadata import name_of_property, property_of_name
from spikeloom.errors import DataError, ParameterError
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.numpy_files import open_records
from spikeloom.storage.provenance_json import encode_json, read_provenance

if TYPE_CHECKING:
    from spikeloom.analyzer.extension import AnalyzerExtension

_NOTES = ("params", "info", "run_info")


def write_extension_files(
    extension: "AnalyzerExtension", folder: Path, ready: Collection[str] = ()
) -> None:
    """Write parameters and data of an extension into a folder that nobody reads yet.

    Parameters
    ----------
    extension : AnalyzerExtension
        What is written.
    folder : Path
        Where to; made if need be.
    ready : collection of str
        Names of arrays whose files are there already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {}
    for name, value in extension.data.items():
        if name in ready:
            continue
        stem = folder / checked_name(extension, name)
        if is_table(value):
            text = value.to_csv(index=True)
            stem.with_name(f"{stem.name}.csv").write_text(text, encoding="utf-8", newline="")
            tables[name] = types_of(value)
        elif is_array(value):
            with stem.with_name(f"{stem.name}.npy").open("wb") as file:
                npy_writer(np.asarray(value))(file)
        else:
            content = plain_json(extension, name, value)
            if content is not None:
                stem.with_name(f"{stem.name}.json").write_bytes(content)
    info: dict[str, Any] = dict(extension.info())
    if tables:
        info["tables"] = tables
    (folder / "info.json").write_bytes(encode_json(info))
    (folder / "run_info.json").write_bytes(encode_json(extension.run_info))
    (folder / "params.json").write_bytes(encode_json(extension.params or {}))


def read_extension_files(
    extension: "AnalyzerExtension", folder: Path, *, lazy: bool = False
) -> None:
    """Set parameters and data of an extension from what `write_extension_files`, or another, wrote.

    Parameters
    ----------
    extension : AnalyzerExtension
        To be filled.
    folder : Path
        Where from.
    lazy : bool, default False
        Give memory maps of the arrays instead of reading them.
    """
    notes = read_notes(folder)
    info = read_provenance(folder / "info.json") if (folder / "info.json").is_file() else {}
    tables = info.get("tables") or {}
    data: dict[str, Any] = {}
    pickled = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in {f"{note}.json" for note in _NOTES}:
            continue
        name = property_of_name(path.stem)
        if path.suffix == ".json":
            data[name] = read_provenance(path)
        elif path.suffix == ".npy":
            data[name] = open_records(path, is_mapped=lazy)
        elif path.suffix == ".csv":
            data[name] = _read_table(path, extension, tables.get(name))
        elif path.suffix in {".pkl", ".pickle"}:
            pickled.append(name)
    note_pickled(extension, pickled)
    take(extension, notes, data)


def read_notes(folder: Path) -> ExtensionNotes:
    """Return parameters and run_info of an extension in a folder."""
    run_info = folder / "run_info.json"
    return ExtensionNotes(
        read_provenance(folder / "params.json"),
        read_provenance(run_info) if run_info.is_file() else None,
    )


def take(extension: "AnalyzerExtension", notes: ExtensionNotes, data: dict[str, Any]) -> None:
    """Give an extension what was read."""
    extension.params = dict(notes.params or {})
    # Versions before 0.101.1 wrote no run_info, but only what was complete.
    known = notes.run_info or {"run_completed": bool(data), "runtime_s": None}
    extension.run_info = dict(known)
    extension.data = data


def note_pickled(extension: "AnalyzerExtension", names: Collection[str]) -> None:
    """Say that pickled parts of an extension are left out."""
    if not names:
        return
    listed = ", ".join(sorted(names)[:4]) + (", …" if len(names) > 4 else "")
    message = (
        f"The extension {extension.extension_name!r} has {len(names)} parts that are pickled "
        f"({listed}); pickles are never read, so these are left out."
    )
    warnings.warn(message, UserWarning, stacklevel=5)


def checked_name(extension: "AnalyzerExtension", name: str) -> str:
    """Return the name of the file, or zarr array, of one of the data of an extension."""
    if name in _NOTES or not name:
        msg = (
            f"The extension {extension.extension_name!r} has data named {name!r}, a name that is "
            "taken by what is noted of it: give it another."
        )
        raise ParameterError(msg)
    return name_of_property(name)


def is_table(value: object) -> bool:
    """Return whether a value is a pandas table, without importing pandas for that."""
    return type(value).__name__ == "DataFrame" and hasattr(value, "to_csv")


def is_array(value: object) -> bool:
    """Return whether a value is an array of anything but Python objects."""
    return isinstance(value, np.ndarray) and not value.dtype.hasobject


def plain_json(extension: "AnalyzerExtension", name: str, value: object) -> bytes | None:
    """Return a plain value as JSON; None, with a warning, if it is none."""
    try:
        return encode_json(value)
    except ParameterError as error:
        message = (
            f"{name!r} of the extension {extension.extension_name!r} is not saved, as it is "
            f"neither an array, nor a table, nor plain: {error}"
        )
        warnings.warn(message, UserWarning, stacklevel=6)
        return None


def _read_table(path: Path, extension: "AnalyzerExtension", types: Mapping[str, Any] | None) -> Any:
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    try:
        # Ids are read as text first: "01" is no number.
        table = pd.read_csv(path, converters={0: str}, **_exact_numbers(pd))
    except (ValueError, OSError) as error:
        msg = f"{path} is no table that can be read: {error}."
        raise DataError(msg) from error
    unit_ids = extension.sorting_analyzer.unit_ids
    texts = [str(one) for one in table.iloc[:, 0]]
    table = table.iloc[:, 1:].set_axis(pd.Index(index_of(texts, unit_ids, types)), axis=0)
    return with_types(table, types)


def _exact_numbers(pd: Any) -> dict[str, Any]:
    """Return the option by which numbers are read as they were written, where one is needed."""
    version = tuple(int(part) for part in pd.__version__.split(".")[:2])
    return {"float_precision": "round_trip"} if version < (3, 1) else {}
