"""What identifies the content of a recording, so that a save of it can be continued."""

import hashlib
import json
from typing import Any

import numpy as np

from spikeloom.core.provenance import paths_of
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import ParameterError
from spikeloom.storage.provenance_json import to_plain


def fingerprint_of(recording: BaseRecording, dtype: np.dtype[Any], options: Any = None) -> str:
    """Return a text that differs between recordings, and between ways to save them.

    It is made of the provenance, of sizes and changes of the files that it names, and of the
    number type.

    Raises
    ------
    ParameterError
        If the recording lives in memory, so that another process cannot have the same.
    """
    if not recording.check_serializability("json"):
        msg = (
            "A save can be resumed only for a recording that comes from files; this one lives in "
            "memory. Save without resume=True."
        )
        raise ParameterError(msg)
    description = recording.to_dict(recursive=True)
    files = [_state(path) for path in paths_of(description)]
    shapes = [recording.get_shape(k) for k in range(recording.get_num_segments())]
    text = json.dumps(
        to_plain([description, files, shapes, dtype.str, repr(options)]), sort_keys=True
    )
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _state(path: str) -> list[int]:
    from pathlib import Path  # noqa: PLC0415 - only here

    try:
        state = Path(path).stat()
    except OSError:
        return []
    return [state.st_size, state.st_mtime_ns]
