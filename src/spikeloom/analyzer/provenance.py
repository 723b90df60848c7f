"""What a saved analyzer says of its recording and its sorting, and how to find them again."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from spikeloom.core.base import BaseExtractor
from spikeloom.core.dumping import for_files, with_names
from spikeloom.core.loading import load
from spikeloom.core.provenance import (
    is_extractor_dict,
    with_absolute_paths,
    with_changed_paths,
)
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import DataError, ParameterError, SpikeloomError
from spikeloom.storage.provenance_json import to_plain

PathMap = Mapping[str | Path, str | Path]
"""New places of what was moved, by the old ones: files, or folders above them."""


def described(
    extractor: BaseExtractor, folder: Path | None, put_times: Callable[[Any], str] | None = None
) -> dict[str, Any] | None:
    """Return how an object can be made again; None if it lives in memory.

    Parameters
    ----------
    extractor : BaseExtractor
        The object.
    folder : Path or None
        What paths are relative to; None leaves them absolute.
    put_times : callable, optional
        Keeps the times of all samples of a segment, and returns a name for them; they are left out
        by default.
    """
    if not extractor.check_serializability("json"):
        return None
    description = extractor.to_dict(include_annotations=True, relative_to=folder, recursive=True)
    if put_times is not None:
        description = with_names(description, put_times)
    try:
        plain: dict[str, Any] = to_plain(for_files(description))
    except ParameterError:
        return None
    return plain


def absolute(
    description: Mapping[str, Any], folder: Path | None, path_map: PathMap | None = None
) -> dict[str, Any]:
    """Return a description with the absolute paths of today.

    Parameters
    ----------
    description : mapping
        As it was saved.
    folder : Path or None
        What relative paths start from.
    path_map : mapping, optional
        New places, by old ones: as they stand in the description, or absolute.
    """
    if not is_extractor_dict(description):
        msg = "It describes no object: it needs class, version, kwargs and annotations."
        raise DataError(msg)

    def moved(path: str) -> str:
        return moved_path(path, path_map or {})

    whole = with_changed_paths(description, moved)
    if whole.get("relative_paths"):
        if folder is None:
            msg = "Its paths are relative: give base_folder, the folder that they start from."
            raise DataError(msg)
        whole = with_changed_paths(with_absolute_paths(whole, folder), moved)
    return whole


def moved_path(path: str, path_map: PathMap) -> str:
    r"""Return where a file is now, if it or a folder above it is in the map.

    Examples
    --------
    >>> (
    ...     moved_path("/data/rec/a.raw", {"/data": "/mnt/lab"}),
    ...     moved_path("/database", {"/data": "/"}),
    ... )
    ('/mnt/lab/rec/a.raw', '/database')
    >>> moved_path("D:\\rec\\a.raw", {"D:\\rec": "/mnt/rec"})
    '/mnt/rec/a.raw'
    """
    plain = path.replace("\\", "/")
    for old, new in sorted(path_map.items(), key=lambda item: -len(str(item[0]))):
        start = str(old).replace("\\", "/").rstrip("/")
        if plain == start or plain.startswith(f"{start}/"):
            return f"{str(new).rstrip('/')}{plain[len(start) :]}"
    return path


def open_recording(description: Mapping[str, Any]) -> BaseRecording:
    """Make the recording that a description with absolute paths says; see `absolute`.

    Raises
    ------
    DataError
        If it says something else.
    """
    recording = load(description)
    if not isinstance(recording, BaseRecording):
        msg = f"It describes a {type(recording).__name__}, no recording."
        raise DataError(msg)
    return recording


def open_sorting_source(
    description: Mapping[str, Any] | None, folder: Path | None
) -> BaseSorting | None:
    """Return the sorting that an analyzer was made of; None if it is not there any more."""
    if description is None:
        return None
    try:
        sorting = load(absolute(description, folder))
    except (SpikeloomError, OSError, TypeError, ValueError, KeyError):
        return None  # Nothing needs it: the analyzer has a copy of the spikes.
    return sorting if isinstance(sorting, BaseSorting) else None
