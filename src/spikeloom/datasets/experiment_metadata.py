"""``metadata.json`` of an experiment: its schema, and how it is read and written."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.storage.json_codec import read_json, write_json
from spikeloom.storage.json_fields import as_object
from spikeloom.storage.json_schema import Fault, find_faults

METADATA_NAME = "metadata.json"
"""Name of the file in the folder of an experiment."""

SCHEMA_PATH = Path(__file__).with_name("experiment_schema.json")
"""The JSON schema of ``metadata.json``."""

FORMAT = "spikeloom-experiment"
VERSION = 1
DEFAULT_FOLDER = "main"
"""Where names like ``0/spike_times`` are looked up unless the metadata say otherwise."""

_N_BYTES_MAX = 256 << 20
_N_FAULTS_TOLD = 10


@cache
def experiment_schema() -> Mapping[str, Any]:
    """Return the JSON schema of ``metadata.json``."""
    schema: dict[str, Any] = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    return schema


def metadata_faults(metadata: object) -> list[Fault]:
    """Return what is wrong with the content of a ``metadata.json``; nothing if all is well.

    Examples
    --------
    >>> print(*metadata_faults({"arrays": {"0/bad": {"file": "x.npy"}}}), sep=chr(10))
    arrays['0/bad']: 'path' is missing.
    arrays['0/bad']: 'file' is not known here; allowed are path, description, unit.
    """
    return find_faults(metadata, experiment_schema())


def check_metadata(metadata: object, source: str) -> None:
    """Raise DataError if the schema does not allow some metadata, telling where they are from."""
    faults = metadata_faults(metadata)
    if faults:
        told = "\n".join(f"  {fault}" for fault in faults[:_N_FAULTS_TOLD])
        rest = len(faults) - _N_FAULTS_TOLD
        more = f"\n  and {rest} more." if rest > 0 else ""
        msg = f"{source} does not describe an experiment:\n{told}{more}"
        raise DataError(msg)


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or is no JSON.
    DataError
        If it holds something else than an object.
    """
    if not path.is_file():
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)
    n_bytes = path.stat().st_size
    if n_bytes > _N_BYTES_MAX:
        msg = f"{path} has {n_bytes:,} bytes, too many for metadata."
        raise ReadError(0, msg)
    return as_object(read_json(path), path)


def write_json_object(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object as a JSON file, in one step; raises DataError if JSON cannot hold it."""
    try:
        write_json(path, value)
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"{path.name}: these metadata cannot be written as JSON: {error}."
        raise DataError(msg) from error
