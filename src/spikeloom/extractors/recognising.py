"""Ask all readers what they think of a path, or of what lies below it."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path

from spikeloom.errors import MissingFileError
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import (
    KINDS,
    Certainty,
    Reader,
    Recognition,
    get_readers,
)
from spikeloom.storage.stores import local_path

_N_PLACES_MAX = 200
"""Files and folders that are looked at below a folder of an unknown kind."""

_DEPTH_MAX = 5


@dataclass(frozen=True)
class Candidate:
    """A reader and what it thinks of a path."""

    reader: Reader
    recognition: Recognition

    @property
    def certainty(self) -> Certainty:
        """How sure it is."""
        return self.recognition.certainty

    @property
    def told(self) -> str:
        """Name of the format and what is read of it."""
        kind = "" if self.reader.kind == "any" else f", {self.reader.kind}"
        return f"{self.reader.name}{kind}"

    @property
    def rank(self) -> tuple[int, int, str]:
        """What to sort by: the surest first, then by kind and name."""
        return (-self.certainty, KINDS.index(self.reader.kind), self.reader.name)


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
    return _ask(Peek(local), kind)


def _ask(peek: Peek, kind: str | None) -> list[Candidate]:
    asked = [one for one in get_readers() if kind is None or one.kind in {kind, "any"}]
    candidates = [Candidate(one, one.recognise(peek)) for one in asked]
    return sorted(candidates, key=lambda one: one.rank)


def known_below(path: Path, kind: str | None = None) -> list[tuple[Path, Candidate]]:
    """Return what in a folder of an unknown kind a reader knows, and the best for each.

    Parameters
    ----------
    path : Path
        The folder; of a file nothing is returned.
    kind : str, optional
        Ask only readers that make such objects.

    Returns
    -------
    list of (Path, Candidate)
        Files and folders, those near the top first. Folders that are known are not looked into.
        Those that may be anything by their name are there only if nothing else is.
    """
    found: list[tuple[Path, Candidate]] = []
    todo = deque([(Peek(path), 0)] if path.is_dir() else [])
    n_seen = 0
    while todo and n_seen < _N_PLACES_MAX:
        peek, depth = todo.popleft()
        for name in peek.names[: _N_PLACES_MAX - n_seen]:
            n_seen += 1
            inner = Peek(path=peek.path / name)
            best = _ask(inner, kind)[0]
            if best.certainty > Certainty.NO:
                found.append((inner.path, best))
            elif inner.is_folder and depth < _DEPTH_MAX:
                todo.append((inner, depth + 1))
    sure = [one for one in found if one[1].certainty >= Certainty.NAME]
    return sure or found
