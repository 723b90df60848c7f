"""Open whatever it is: `read` asks all readers who knows a path."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import KINDS, Certainty, Reader, get_reader
from spikeloom.extractors.recognising import Candidate, known_below, recognise
from spikeloom.extractors.url_reading import reader_of_url
from spikeloom.storage.stores import is_url, local_path

_N_PLACES_SHOWN = 20

_N_NAMES_SHOWN = 10


def read(
    path: str | Path, *, reader: str | None = None, kind: str | None = None, **kwargs: Any
) -> Any:
    """Open a file or folder of any format that is known, by what is in it.

    Parameters
    ----------
    path : str or Path
        A file, a folder, or the URL of a zarr store or NWB file. A folder of an unknown kind stands
        for the only file or folder in it that is known.
    reader : str, optional
        Name of the format, if you know better; see `get_available_readers`.
    kind : str, optional
        What you want, if the format has several: ``"recording"``, ``"sorting"``, ``"snippets"``,
        ``"event"``, ``"analyzer"``, ``"dataset"``, ``"templates"``, ``"probe"`` or
        ``"parameters"``.
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
        found = reader_of_url(str(path), kind, kwargs.get("storage_options"))
        return _open(found, path, kwargs)
    candidates = recognise(path, kind=kind)
    if candidates[0].certainty > Certainty.NO:
        return _open(candidates[0].reader, path, kwargs)
    below = known_below(local_path(path), kind)
    if len(below) == 1:
        place, one = below[0]
        return _open(one.reader, place, kwargs)
    raise DataError(_what_is_there(path, below) if below else _what_was_tried(path, candidates))


def _what_is_there(path: str | Path, below: list[tuple[Path, Candidate]]) -> str:
    top = local_path(path)
    places = [f"  {place.relative_to(top)} ({one.told})" for place, one in below[:_N_PLACES_SHOWN]]
    more = len(below) - len(places)
    shown = "\n".join([*places, f"  and {more} more"] if more else places)
    return f"{path} is no folder of a known format. Give one of the things in it:\n{shown}"


def _what_was_tried(path: str | Path, candidates: Iterable[Candidate]) -> str:
    def reason(one: Candidate) -> str:
        return one.recognition.reason

    lines = [
        f"  {why}: {', '.join(dict.fromkeys(one.reader.name for one in same))}"
        for why, same in groupby(sorted(candidates, key=reason), reason)
    ]
    told = "\n".join(lines)
    names = Peek(local_path(path)).names
    more = f", and {len(names) - _N_NAMES_SHOWN} more" if len(names) > _N_NAMES_SHOWN else ""
    holds = f" The folder holds {', '.join(names[:_N_NAMES_SHOWN])}{more}." if names else ""
    return (
        f"No reader knows {path}.{holds} If you know what it is, use its read_... function, or "
        f"read(path, reader=...). What was tried, and what each format missed:\n{told}"
    )


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
