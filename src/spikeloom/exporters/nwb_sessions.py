"""NWB files (Neurodata Without Borders): what session they are of, and how they get to the disk."""

import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py

from spikeloom.errors import ParameterError
from spikeloom.optional import require
from spikeloom.storage.staged_saves import refuse_taken, staged_save

NO_START = datetime(1970, 1, 1, tzinfo=UTC)
"""What stands for a start that nobody knows."""


def require_pynwb(module: str = "pynwb") -> Any:
    """Return pynwb, or a module that comes with it; raises MissingDependencyError without it."""
    return require(module, feature="Writing NWB files", extra="nwb")


def session_file(
    nwbfile: Any, start_time: datetime | None, identifier: str | None, description: str
) -> Any:
    """Return an NWB file in memory: the one that is given, or a new one.

    Parameters
    ----------
    nwbfile : pynwb.NWBFile or None
    start_time : datetime, optional
        When the session of a new one began; NWB needs it.
    identifier : str, optional
        Of a new one; made up by default.
    description : str
        What the session of a new one was.

    Raises
    ------
    ParameterError
        If a file is given together with what it says itself.
    MissingDependencyError
        If pynwb is not installed.

    Warns
    -----
    UserWarning
        If nobody says when the session began: 1970-01-01 is written.
    """
    pynwb = require_pynwb()
    if nwbfile is not None:
        if start_time is not None or identifier is not None:
            msg = "nwbfile says itself when its session began and what its identifier is: pass one."
            raise ParameterError(msg)
        return nwbfile
    if start_time is None:
        warnings.warn(
            "NWB files say when the session began, which is not known: 1970-01-01 is written. "
            "Pass session_start_time=datetime(...).",
            stacklevel=3,
        )
    return pynwb.NWBFile(
        session_description=description,
        identifier=identifier or str(uuid.uuid4()),
        session_start_time=start_time or NO_START,
    )


def check_nwb_target(target: Path, *, replaces: bool) -> None:
    """Refuse a target that is taken or a folder; raises WriteError or ParameterError."""
    refuse_taken(target, overwrite=replaces)
    if target.is_dir():
        msg = f"{target} is a folder; give the path of a file."
        raise ParameterError(msg)


@contextmanager
def saved_session(
    nwbfile: Any, target: Path, *, overwrite: bool, needed_bytes: int = 0
) -> Iterator[h5py.File]:
    """Write an NWB file; it is there as a whole, or not at all.

    Parameters
    ----------
    nwbfile : pynwb.NWBFile
        What is written.
    target : Path
        File to make.
    overwrite : bool
        Replace what is at the target, at the very end.
    needed_bytes : int, default 0
        About how much will be written, to be compared with what the disk has free.

    Yields
    ------
    h5py.File
        The file, to fill arrays that only their shape was known of.
    """
    pynwb = require_pynwb()
    with (
        staged_save(target, overwrite=overwrite, needed_bytes=needed_bytes) as staging,
        # pynwb would warn that the name of the file, while it is written, is not one of NWB.
        h5py.File(staging.path, "w") as file,
        pynwb.NWBHDF5IO(mode="w", file=file) as writer,
    ):
        writer.write(nwbfile)
        yield file
