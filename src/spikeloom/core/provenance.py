"""How an object came to be, as a dictionary of plain values from which it can be made again.

The dictionary names the class, the arguments that it was made with (among them the objects that it
is a view of, as dictionaries of their own), and what people said of it since. The keys and rules
are those of SpikeInterface, which reads and writes the same.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard

import numpy as np

from spikeloom.core.class_names import class_of
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.storage.json_fields import arguments_from, object_in

_EXTRACTOR_KEYS = {"annotations", "class", "kwargs", "version"}

_REMOTE = ("http://", "https://", "s3://", "gs://", "gcs://", "memory://")


def is_extractor_dict(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether `value` is such a dictionary."""
    return isinstance(value, Mapping) and all(key in value for key in _EXTRACTOR_KEYS)


def map_extractors(value: Any, change: Callable[[Any], Any], is_one: Callable[[Any], bool]) -> Any:
    """Return `value` with `change` made to every extractor in it, however deep."""
    if is_one(value):
        return change(value)
    if isinstance(value, Mapping):
        return {key: map_extractors(item, change, is_one) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map_extractors(item, change, is_one) for item in value)
    return value


def make_extractor(description: Mapping[str, Any], base_folder: str | Path | None = None) -> Any:
    """Make the object that a dictionary describes.

    Parameters
    ----------
    description : dict
        As `to_dict` returns it.
    base_folder : str or Path, optional
        Folder that relative paths start from; needed if there are any.

    Raises
    ------
    DataError
        If it is not such a dictionary, or if it names an unknown class.
    ParameterError
        If its paths are relative and no base folder is given.
    """
    if not is_extractor_dict(description):
        msg = (
            "This dictionary describes no object: it needs class, version, kwargs and annotations."
        )
        raise DataError(msg)
    if description.get("relative_paths"):
        if base_folder is None:
            msg = "The paths in this description are relative: give base_folder, their start."
            raise ParameterError(msg)
        description = with_absolute_paths(description, base_folder)
    cls = _extractor_class(description["class"])
    what = f"The description of a {cls.__name__}"
    kwargs = map_extractors(
        object_in(description, "kwargs", what),
        lambda inner: make_extractor(inner, base_folder),
        is_extractor_dict,
    )
    with arguments_from(f"{what} (arguments {', '.join(sorted(kwargs))})"):
        extractor = cls(**cls._handle_kwargs_backward_compatibility(kwargs, description))
    extractor.restore_metadata(description)
    return extractor


def _extractor_class(name: object) -> type[Any]:
    if isinstance(name, str):
        cls = class_of(name)
        if hasattr(cls, "restore_metadata"):
            return cls
    msg = f"class must name what can be made of a description; got {name!r:.100}."
    raise DataError(msg)


def with_relative_paths(description: dict[str, Any], folder: str | Path) -> dict[str, Any]:
    """Return `description` with paths relative to `folder`, if all of them can be.

    What counts as a path is decided by its key, as SpikeInterface does. A file on another drive, or
    one on the net, has no relative path; then all stay absolute.
    """
    base = Path(folder).resolve()
    if not base.is_dir():
        msg = f"Paths can be relative to a folder only; {folder} is none."
        raise MissingFileError(2, msg)
    if not all(_can_be_relative(path, base) for path in paths_of(description)):
        return description

    def relative(path: str) -> str:
        resolved = Path(path)
        if not os.path.exists(resolved):  # noqa: PTH110 - which answers for all names
            return path
        return PurePosixPath(Path(os.path.relpath(resolved.resolve(), base)).as_posix()).as_posix()

    changed = _map_paths(description, relative)
    return _mark_relative(changed, is_relative=True)


def with_absolute_paths(description: Mapping[str, Any], folder: str | Path) -> dict[str, Any]:
    """Return `description` with relative paths resolved from `folder`."""
    base = Path(folder).resolve()

    def absolute(path: str) -> str:
        if path.startswith(_REMOTE) or Path(path).is_absolute():
            return path
        return str(Path(os.path.normpath(base / path)))

    return _mark_relative(_map_paths(dict(description), absolute), is_relative=False)


def paths_of(description: Mapping[str, Any]) -> list[str]:
    """Return the paths in a description."""
    found: list[str] = []

    def collect(path: str) -> str:
        found.append(path)
        return path

    _map_paths(dict(description), collect)
    return found


def with_changed_paths(
    description: Mapping[str, Any], change: Callable[[str], str]
) -> dict[str, Any]:
    """Return `description` with `change` made to each path in it."""
    return _map_paths(dict(description), change)


def _can_be_relative(path: str, base: Path) -> bool:
    if path.startswith(_REMOTE):
        return False
    try:
        os.path.relpath(Path(path).absolute(), base)
    except ValueError:  # another drive of Windows
        return False
    return True


def _map_paths(description: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Return a description with its paths changed, those of objects within it too."""
    result = dict(description)
    result["kwargs"] = _map_paths_of(object_in(description, "kwargs", "The description"), change)
    return result


def _map_paths_of(value: Any, change: Callable[[str], str], *, is_path: bool = False) -> Any:
    if is_extractor_dict(value):
        return _map_paths(value, change)
    if isinstance(value, Mapping):
        return {
            key: _map_paths_of(item, change, is_path="path" in str(key))
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_map_paths_of(item, change, is_path=is_path) for item in value]
    if is_path and isinstance(value, str | Path):
        return change(str(value))
    return value


def _mark_relative(description: dict[str, Any], *, is_relative: bool) -> dict[str, Any]:
    def mark(inner: Mapping[str, Any]) -> dict[str, Any]:
        return _mark_relative(dict(inner), is_relative=is_relative)

    result = dict(description)
    result["relative_paths"] = is_relative
    result["kwargs"] = map_extractors(description["kwargs"], mark, is_extractor_dict)
    return result


def plain_copy(annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return annotations that share nothing with these."""
    return deepcopy(dict(annotations))


def shared_annotations(annotations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a copy of what all have, with the same value.

    Examples
    --------
    >>> shared_annotations([{"probe": "A", "day": [1, 2]}, {"probe": "B", "day": [1, 2]}])
    {'day': [1, 2]}
    """
    first, *others = annotations
    shared = {
        key: value
        for key, value in first.items()
        if all(key in other and _are_equal(other[key], value) for other in others)
    }
    return plain_copy(shared)


def _are_equal(value: Any, other: Any) -> bool:
    try:
        return bool(np.array_equal(value, other))
    except (TypeError, ValueError):  # lists of different lengths within each other
        return False
