"""Open whatever it is: `read` asks all readers who knows a path."""

import dataclasses
from pathlib import Path
from typing import Any

from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import (
    KINDS,
    Certainty,
    Reader,
    Recognition,
    get_reader,
    get_readers,
)
from spikeloom.storage.stores import is_url, local_path

_N_REASONS_MAX = 200

_N_FILES_MAX = 64
"""Files that are looked at in a folder of an unknown kind."""


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A reader and what it thinks of a path."""

    reader: Reader
    recognition: Recognition

    @property
    def rank(self) -> tuple[int, int, str]:
        """What to sort by: the surest first, then by kind and name."""
        return (-self.recognition.certainty, KINDS.index(self.reader.kind), self.reader.name)


def read(
    path: str | Path, *, reader: str | None = None, kind: str | None = None, **kwargs: Any
) -> Any:
    """Open a file or folder of any format that is known, by what is in it.

    Parameters
    ----------
    path : str or Path
        A file, a folder, or a URL of a zarr store. A folder of an unknown kind stands for the only
        file in it that is known.
    reader : str, optional
        Name of the format, if you know better; see `get_available_readers`.
    kind : {"recording", "sorting", "snippets", "event", "analyzer", "dataset"}, optional
        What you want, if the format has several.
    **kwargs
        For the function that reads this format, such as ``stream_name`` or, for flat binary files,
        ``sampling_frequency``, ``num_channels`` and ``dtype``.

    Returns
    -------
    object
        A recording, a sorting, …; nothing of the traces is read yet.

    Raises
    ------
    MissingFileError
        If there is nothing at the path.
    DataError
        If no reader knows it; the message says what each of them missed.
    ParameterError
        If an argument is missing or unknown.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "traces.npy"
    >>> np.save(file, np.zeros((100, 4), "int16"))
    >>> read(file, sampling_frequency=30000.0).get_num_channels()
    4
    """
    if kind is not None and kind not in KINDS:
        msg = f"kind must be one of {', '.join(KINDS)}; got {kind!r}."
        raise ParameterError(msg)
    if reader is not None:
        return _open(get_reader(reader), path, kwargs)
    if is_url(path):
        return _open(get_reader("spikeloom-any"), path, kwargs)
    candidates = recognise(path, kind=kind)
    best = candidates[0]
    if best.recognition.certainty is Certainty.NO:
        inner = known_files_in(local_path(path), kind)
        if len(inner) == 1:
            return _open(inner[0][1].reader, inner[0][0], kwargs)
        if inner:
            told = ", ".join(f"{file.name} ({one.reader.name})" for file, one in inner[:20])
            msg = f"{path} is no folder of a known format, but holds {told}: give one of these."
            raise DataError(msg)
        reasons = "\n".join(
            f"  {one.reader.name} ({one.reader.kind}): {one.recognition.reason}"
            for one in candidates[:_N_REASONS_MAX]
        )
        wanted = "" if kind is None else f" as a {kind}"
        msg = (
            f"No reader knows {path}{wanted}. If you know what it is, use its read_... function, "
            f"or read(path, reader=...). What each of them missed:\n{reasons}"
        )
        raise DataError(msg)
    return _open(best.reader, path, kwargs)


def recognise(path: str | Path, *, kind: str | None = None) -> list[Candidate]:
    """Ask all readers what they think of a file or folder, and return the surest first.

    Parameters
    ----------
    path : str or Path
        The file or folder.
    kind : str, optional
        Ask only readers that make such objects.

    Raises
    ------
    MissingFileError
        If there is nothing at the path.
    """
    local = local_path(path)
    if not local.exists():
        above = "exists" if local.parent.is_dir() else "is not there either"
        msg = f"There is nothing at {local}. The folder above it {above}."
        raise MissingFileError(2, msg)
    peek = Peek(local)
    asked = [one for one in get_readers() if kind is None or one.kind in {kind, "any"}]
    candidates = [Candidate(one, one.recognise(peek)) for one in asked]
    return sorted(candidates, key=lambda one: one.rank)


def known_files_in(path: Path, kind: str | None) -> list[tuple[Path, Candidate]]:
    """Return the files in a folder of an unknown kind that a reader knows, and by which."""
    if not path.is_dir():
        return []
    found = []
    for name in Peek(path).names[:_N_FILES_MAX]:
        inner = path / name
        best = None if inner.is_dir() else recognise(inner, kind=kind)[0]
        if best is not None and best.recognition.certainty >= Certainty.NAME:
            found.append((inner, best))
    return found


def _open(reader: Reader, path: str | Path, kwargs: dict[str, Any]) -> Any:
    try:
        return reader.read(path, **kwargs)
    except TypeError as error:
        # What Python says of arguments speaks of a function that the caller did not call.
        if "argument" not in str(error):
            raise
        name = reader.function or reader.name
        msg = f"{path} was recognised as {reader.name}; {name}: {error}."
        raise ParameterError(msg) from error
