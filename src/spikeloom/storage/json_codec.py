"""JSON files: read with clear errors, written atomically."""

from pathlib import Path
from typing import Any

import msgspec

from spikeloom.errors import ReadError
from spikeloom.storage.atomic import write_atomic


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Read a JSON file.

    Raises
    ------
    ReadError
        If it is absent or is not JSON.
    """
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"{path} cannot be read as JSON: {error}."
        raise ReadError(0, msg) from error


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, atomically, making the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, msgspec.json.format(msgspec.json.encode(value), indent=1))
