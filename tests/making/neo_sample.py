"""What the makers of small files of foreign formats return: the file, and what must be read."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class NeoSample:
    """A file or folder with traces, and the facts that were written into it.

    ``segments`` holds the traces of each segment, of shape (n_samples, n_channels); ``damaged``
    are the files whose bytes tests change.
    """

    path: Path
    segments: tuple
    ids: tuple
    rate: float
    gain_uV: float | tuple | None
    offset_uV: float | tuple = 0.0
    names: tuple = ()
    t_starts: tuple = (0.0,)
    options: dict = field(default_factory=dict)
    files: tuple = ()
    streams: tuple = ()

    @property
    def damaged(self):
        return self.files or (self.path,)


def packed(dtype, **values):
    """Return the bytes of one record; fields that are not given are zero."""
    record = np.zeros(1, dtype)
    for name, value in values.items():
        record[name] = value
    return record.tobytes()
