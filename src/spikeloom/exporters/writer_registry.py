"""All formats that can be written, in one registry, for conversion.

Modules with writers are listed by name in one table and imported when the registry is first asked;
other packages join through the entry-point group ``spikeloom.writers``, each entry point being a
`Writer`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from spikeloom.errors import ParameterError
from spikeloom.registry import Registry

MODULES = ("spikeloom.exporters.writers",)
"""Modules with a tuple ``WRITERS``, imported when someone asks what can be written."""


def _no_obstacles(source: Any) -> list[str]:
    del source
    return []


@dataclass(frozen=True)
class Writer:
    """A format that can be written.

    Parameters
    ----------
    name : str
        Name of the format, one word, lower case.
    kind : {"recording", "sorting", "event", "snippets", "analyzer"}
        What it keeps.
    write : callable
        Takes the object, the path and ``overwrite``; whatever it makes is there as a whole or not
        at all.
    read_back : callable
        Takes the path and the object that was written; returns what is there.
    suffixes : tuple of str
        Endings of paths by which the format is chosen; "" for folders.
    obstacles : callable
        Takes an object; returns sentences that say what of it the format has no place for, so that
        it cannot be written.
    changes : callable
        The same of what becomes different without harm to spikes and traces.
    description : str
        What it is, in a few words.
    extra : str, optional
        Optional dependency that it needs.
    """

    name: str
    kind: str
    write: Callable[..., Any]
    read_back: Callable[[Path, Any], Any]
    suffixes: tuple[str, ...] = ()
    obstacles: Callable[[Any], list[str]] = _no_obstacles
    changes: Callable[[Any], list[str]] = _no_obstacles
    description: str = ""
    extra: str | None = None


REGISTRY: Registry[Writer] = Registry("writer", entry_point_group="spikeloom.writers")
"""The writers by ``name-kind``."""


def register_writers(writers: Iterable[Writer]) -> None:
    """Add writers to the registry.

    Raises
    ------
    DuplicateNameError
        If one of that name and kind is there already.
    """
    for writer in writers:
        REGISTRY.register(f"{writer.name}-{writer.kind}", writer)


@cache
def _load_own_writers() -> None:
    for name in MODULES:
        register_writers(import_module(name).WRITERS)


def get_writers(kind: str | None = None) -> list[Writer]:
    """Return all writers, or those that keep one kind of object, by name.

    Parameters
    ----------
    kind : {"recording", "sorting", "event", "snippets", "analyzer"}, optional
        What they keep.

    Examples
    --------
    >>> [writer.name for writer in get_writers("sorting")]
    ['alf', 'kwik', 'npz', 'numpy', 'nwb', 'phy', 'zarr']
    """
    _load_own_writers()
    listed = [REGISTRY.get(name) for name in REGISTRY.names()]
    return [writer for writer in listed if kind in {None, writer.kind}]


def chosen_writer(kind: str, path: Path, name: str | None = None) -> Writer:
    """Return the writer for an object and a path.

    Parameters
    ----------
    kind : str
        What the object is.
    path : Path
        Where it is to be written; its ending chooses the format.
    name : str, optional
        The format, if the path does not say it.

    Raises
    ------
    ParameterError
        If there is no such format for such objects, or the path does not say it.
    """
    writers = get_writers(kind)
    listed = ", ".join(
        f"{one.name} ({' or '.join(end or 'a folder' for end in one.suffixes) or 'a folder'})"
        for one in writers
    )
    if not writers:
        msg = f"A {kind} cannot be written to any format; {', '.join(_kinds())} can."
        raise ParameterError(msg)
    if name is not None:
        found = [one for one in writers if one.name == name]
    else:
        endings = [
            (len(end), one)
            for one in writers
            for end in one.suffixes
            if (end and path.name.lower().endswith(end)) or (not end and not path.suffix)
        ]
        longest = max((length for length, _ in endings), default=-1)
        found = [one for length, one in endings if length == longest]
    if len(found) != 1:
        asked = f"There is no format {name!r}" if name else f"{path.name!r} does not say the format"
        msg = f"{asked} for a {kind}. Give one of {listed}."
        raise ParameterError(msg)
    return found[0]


def _kinds() -> list[str]:
    return sorted({one.kind for one in get_writers()})
