"""The names under which classes are written into files, and the way back.

Files that SpikeInterface wrote name its classes by their import path, which changed over the years
while the last part, the name of the class, hardly ever did. What we write carries the path that
SpikeInterface knows, so that it can load it; classes that only we have carry their own.

A class named in a file is looked up, never imported from wherever the file says.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

from spikeloom.errors import DataError
from spikeloom.registry import Registry

PEER_VERSION = "0.105.3"
"""The version of SpikeInterface whose layout we write."""

C = TypeVar("C", bound=type)

_classes: Registry[type] = Registry(
    "class of stored objects", entry_point_group="spikeloom.classes"
)
_written_names: dict[type, str] = {}

_ROOMS = (
    *("core", "extractors", "generation", "preprocessing", "curation", "comparison"),
    *("analyzer", "postprocessing", "metrics", "sorters"),
)
"""Rooms whose public names are tried for a name that nobody registered yet."""


def stored_as(path: str, *aliases: str) -> Callable[[C], C]:
    """Register a class under the import path that stands in files.

    Parameters
    ----------
    path : str
        Import path of the class in SpikeInterface, or here if SpikeInterface has none like it.
    *aliases : str
        Names (last parts) that it had in older files.

    Examples
    --------
    >>> @stored_as("spikeinterface.core.example.ExampleRecording", "OldExampleRecording")
    ... class ExampleRecording: ...
    >>> class_of("spikeinterface.elsewhere.OldExampleRecording")
    <class '...ExampleRecording'>
    """

    def register(cls: C) -> C:
        for name in (path.rpartition(".")[2], *aliases):
            _classes.register(name, cls)
        _written_names[cls] = path
        return cls

    return register


def stored_name(cls: type) -> tuple[str, str, str]:
    """Return import path, top package and version to write into files for `cls`."""
    path = _written_names.get(cls)
    if path is None:
        path = f"{cls.__module__}.{cls.__qualname__}"
    package = path.partition(".")[0]
    if package == "spikeinterface":
        return path, package, PEER_VERSION
    version = getattr(sys.modules.get(package), "__version__", "unknown")
    return path, package, str(version)


def class_of(path: str) -> type[Any]:
    """Return the class that a file names.

    Raises
    ------
    DataError
        If it is neither one of ours (by the name that SpikeInterface has for it) nor defined in a
        module that is imported already.
    """
    module, _, name = path.rpartition(".")
    if not module.startswith(("spikeinterface", "spikeloom")):
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type):
            return found
    if name not in _classes:
        _import_rooms(name)
    if name in _classes:
        return _classes.get(name)
    found = getattr(sys.modules.get(module), name, None)
    if isinstance(found, type):
        return found
    msg = (
        f"The file names the class {path}, which is unknown here. If it is your own, import the "
        "module that defines it first; if it is SpikeInterface's, this version of spikeloom has no "
        "such class."
    )
    raise DataError(msg)


def _import_rooms(name: str) -> None:
    """Import the room that has `name`, which registers it."""
    for room in _ROOMS:
        try:
            module = import_module(f"spikeloom.{room}")
        except ModuleNotFoundError:
            continue
        if getattr(module, name, None) is not None:
            return
