"""All formats that can be read, in one registry.

A reader says whether it knows a path, by a cheap look at it, and opens it. Modules of readers are
listed by name in one table and imported when the registry is first asked; other packages join
through the entry-point group ``spikeloom.readers``, each entry point being a `Reader`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import import_module
from typing import Any

from spikeloom.extractors.peeking import Peek
from spikeloom.registry import Registry

MODULES = (
    "spikeloom.extractors.own_formats",
    "spikeloom.extractors.plain_arrays",
    "spikeloom.extractors.mda_recording",
    "spikeloom.extractors.cbin_recording",
    "spikeloom.extractors.spikeglx_recording",
    "spikeloom.extractors.openephys_recording",
    "spikeloom.extractors.nwb_recording",
    "spikeloom.extractors.nwb_timeseries",
    "spikeloom.extractors.mearec_files",
    "spikeloom.extractors.mearec_templates",
    "spikeloom.extractors.rig_hdf5_readers",
    "spikeloom.extractors.sinaps_recording",
    "spikeloom.extractors.whitematter_recording",
    "spikeloom.extractors.kwik_readers",
    "spikeloom.extractors.neo_readers",
    "spikeloom.extractors.phy_sorting",
    "spikeloom.extractors.alf_sorting",
    "spikeloom.extractors.matlab_sortings",
    "spikeloom.extractors.mclust_sorting",
    "spikeloom.extractors.neuroscope_files",
    "spikeloom.extractors.xclust_sorting",
    "spikeloom.extractors.tridesclous_sorting",
    "spikeloom.extractors.hdf5_sortings",
    "spikeloom.extractors.yass_sorting",
    "spikeloom.extractors.nwb_sorting",
    "spikeloom.extractors.spykingcircus_sorting",
    "spikeloom.extractors.neo_spikes",
    "spikeloom.extractors.nwb_events",
    "spikeloom.extractors.openephys_events",
    "spikeloom.extractors.spikeglx_events",
    "spikeloom.extractors.table_events",
    "spikeloom.extractors.parameter_readers",
    # Rooms above this one bring theirs along as other packages do: nothing here imports them.
    "spikeloom.datasets.dataset_readers",
)
"""Modules with a tuple ``READERS``, imported when someone asks what can be read."""

KINDS = (
    *("recording", "sorting", "snippets", "event", "analyzer", "dataset", "templates", "probe"),
    *("parameters", "any"),
)
"""What a reader makes; of two that know a path equally well, the kind that comes first wins."""


class Certainty(IntEnum):
    """How sure a reader is that it can open something."""

    NO = 0
    """It is something else."""
    GUESS = 1
    """The name would fit, and so would many others'."""
    NAME = 2
    """The name is that of this format alone."""
    LAYOUT = 3
    """The files that belong to this format are there."""
    CONTENT = 4
    """The content says so."""


@dataclass(frozen=True)
class Recognition:
    """What a reader thinks of a path: how sure it is, and why."""

    certainty: Certainty
    reason: str


@dataclass(frozen=True)
class Reader:
    """A format that can be read.

    Parameters
    ----------
    name : str
        Name of the format, one word, lower case.
    kind : str
        What it makes: one of `KINDS`.
    recognise : callable
        Takes a `Peek`, returns a `Recognition`; reads a few kilobytes at most.
    read : callable
        Takes the path and keyword arguments, returns the object.
    function : str
        Public function that reads it, for people who know the format.
    extensions : tuple of str
        Usual endings of its files.
    description : str
        What it is, in a few words.
    extra : str, optional
        Optional dependency that it needs.
    """

    name: str
    kind: str
    recognise: Callable[[Peek], Recognition]
    read: Callable[..., Any]
    function: str = ""
    extensions: tuple[str, ...] = ()
    description: str = ""
    extra: str | None = None


REGISTRY: Registry[Reader] = Registry("reader", entry_point_group="spikeloom.readers")
"""The readers by ``name``, or ``name-kind`` where one format gives several kinds of objects."""


def known(certainty: Certainty, reason: str) -> Recognition:
    """Say that a path looks like a format, and why."""
    return Recognition(certainty, reason)


def unknown(reason: str) -> Recognition:
    """Say that a path is of another format, and why."""
    return Recognition(Certainty.NO, reason)


def imported_later(module: str, name: str) -> Callable[..., Any]:
    """Return a function that imports another one when it is called, for modules slow to import."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(module), name)(*args, **kwargs)

    return call


def register_readers(readers: Iterable[Reader]) -> None:
    """Add readers to the registry.

    Raises
    ------
    DuplicateNameError
        If one of that name and kind is there already.
    """
    for reader in readers:
        key = reader.name if reader.kind == "recording" else f"{reader.name}-{reader.kind}"
        REGISTRY.register(key, reader)


@cache
def _load_own_readers() -> None:
    for name in MODULES:
        register_readers(import_module(name).READERS)


def get_reader(name: str) -> Reader:
    """Return a reader by its name; raises UnknownNameError for one that is not there."""
    _load_own_readers()
    return REGISTRY.get(name)


def get_readers(kind: str | None = None) -> list[Reader]:
    """Return all readers, or those that make one kind of object, by name.

    Parameters
    ----------
    kind : str, optional
        What they make: one of `KINDS`.

    Examples
    --------
    >>> [reader.name for reader in get_readers("recording")][:3]
    ['alphaomega', 'axograph', 'axon']
    """
    _load_own_readers()
    listed = [REGISTRY.get(name) for name in REGISTRY.names()]
    return [reader for reader in listed if kind in {None, reader.kind}]


def get_available_readers(kind: str | None = None) -> list[str]:
    """Return the names of the readers that `read` asks; see `get_readers`."""
    _load_own_readers()
    return [name for name in REGISTRY.names() if kind in {None, REGISTRY.get(name).kind}]
