"""A registry: names on one side, plugged-in things on the other.

Formats, views and metrics are registered by name. A duplicate name raises, an unknown name
lists the known ones, and third parties join through an entry-point group that is read on the
first lookup (so that importing spikeloom imports no plugin).
"""

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

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
        expected to call `register`, or to return the thing to register under its name. One that
        cannot be loaded is left out, with a warning.
    name_of : callable, optional
        Returns the name of what an entry point returns, or None if that is nothing to register
        (a module that registers its things itself); by default it is that of the entry point.

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

    def __init__(
        self,
        kind: str,
        *,
        entry_point_group: str | None = None,
        name_of: Callable[[Any], str | None] | None = None,
    ) -> None:
        self._kind = kind
        self._name_of = name_of
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
                try:
                    self._join(entry_point)
                except Exception as error:  # noqa: BLE001 - whatever a stranger's module raises
                    message = (
                        f"The {self._kind} {entry_point.name!r} of another package is left out, as "
                        f"{entry_point.value} cannot be loaded: {type(error).__name__}: {error}"
                    )
                    warnings.warn(message, UserWarning, stacklevel=4)

    def _join(self, entry_point: EntryPoint) -> None:
        thing = entry_point.load()
        name = entry_point.name if self._name_of is None else self._name_of(thing)
        if name is not None and name not in self._things:
            self.register(name, thing)


def names_of_room(
    package: str, stub_file: str, elsewhere: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return what makes the names of a room be imported when they are first used.

    Parameters
    ----------
    package, stub_file : str
        ``__name__`` and ``__file__`` of the room; its own names are those of its stub.
    elsewhere : mapping of str to str
        Names that users look for in this room, too, and the rooms that they live in. They may be
        on a higher floor, as nothing is imported before somebody asks.

    Returns
    -------
    getattr, dir, all
        ``__getattr__``, ``__dir__`` and ``__all__`` of the room.
    """
    import lazy_loader  # noqa: PLC0415 - only for rooms, not for registries

    own, _, names = lazy_loader.attach_stub(package, stub_file)

    def attribute(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
        if name in elsewhere:
            return getattr(import_module(f"spikeloom.{elsewhere[name]}"), name)
        return own(name)

    everything = [*names, *elsewhere]
    return attribute, lambda: list(everything), everything
