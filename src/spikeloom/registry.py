"""A registry: names on one side, plugged-in things on the other.

Formats, views and metrics are registered by name. A duplicate name raises, an unknown name
lists the known ones, and third parties join through an entry-point group that is read on the
first lookup (so that importing spikeloom imports no plugin).
"""

import threading
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from spikeloom.errors import DuplicateNameError, UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one kind, by name.

    Parameters
    ----------
    kind : str
        What the things are, in the singular, for error messages ("view", "format").
    entry_point_group : str, optional
        Group whose entry points are loaded on the first lookup. Loading an entry point is
        expected to call `register`, or to return the thing to register under its name.

    Examples
    --------
    >>> shapes = Registry[int]("shape")
    >>> shapes.register("triangle", 3)
    3
    >>> shapes.get("triangle")
    3
    >>> shapes.get("circle")
    Traceback (most recent call last):
    spikeloom.errors.UnknownNameError: No shape is named 'circle'. Known: triangle.
    """

    def __init__(self, kind: str, *, entry_point_group: str | None = None) -> None:
        self._kind = kind
        self._group = entry_point_group
        self._things: dict[str, T] = {}
        self._is_loaded = entry_point_group is None
        self._lock = threading.RLock()

    def register(self, name: str, thing: T) -> T:
        """Register `thing` under `name` and return it.

        Raises
        ------
        DuplicateNameError
            If the name is taken by something else.
        """
        with self._lock:
            known = self._things.setdefault(name, thing)
        if known is not thing:
            msg = f"A {self._kind} named {name!r} is registered already: {known!r}."
            raise DuplicateNameError(msg)
        return thing

    def get(self, name: str) -> T:
        """Return what is registered under `name`.

        Raises
        ------
        UnknownNameError
            If nothing is; the message lists the known names.
        """
        self._load()
        try:
            return self._things[name]
        except KeyError:
            msg = f"No {self._kind} is named {name!r}. Known: {', '.join(self.names())}."
            raise UnknownNameError(msg) from None

    def names(self) -> list[str]:
        """Return the known names, sorted."""
        self._load()
        return sorted(self._things)

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def _load(self) -> None:
        with self._lock:
            if self._is_loaded or self._group is None:
                return
            self._is_loaded = True
            for entry_point in entry_points(group=self._group):
                thing = entry_point.load()
                if entry_point.name not in self._things:
                    self.register(entry_point.name, thing)
