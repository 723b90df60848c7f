"""Convert between any format that can be read and any that can be written, and prove it.

What is written stands beside its target under a hidden name until it was read back and compared
with the source, value by value; only then does it take its place.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.core.base import BaseExtractor
from spikeloom.core.events import BaseEvent
from spikeloom.core.recording import BaseRecording
from spikeloom.core.snippets import BaseSnippets
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import DataError, ParameterError, WriteError
from spikeloom.exporters.comparing import find_differences
from spikeloom.exporters.writer_registry import Writer, chosen_writer
from spikeloom.extractors.reader_registry import Certainty
from spikeloom.extractors.reading import read
from spikeloom.extractors.recognising import recognise
from spikeloom.storage.staged_folder import folder_beside
from spikeloom.storage.staged_saves import refuse_taken
from spikeloom.storage.stores import is_url, local_path

KINDS: dict[str, type] = {
    "recording": BaseRecording,
    "sorting": BaseSorting,
    "event": BaseEvent,
    "snippets": BaseSnippets,
}
"""What can be converted."""

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class ConversionPlan:
    """What a conversion would do.

    Parameters
    ----------
    source : BaseExtractor
        What is to be written, opened.
    kind : str
        What it is: one of `KINDS`.
    writer : Writer
        The format.
    target : Path
        Where it goes.
    obstacles, changes : tuple of str
        What makes it impossible, and what will be otherwise than in the source.
    """

    source: BaseExtractor
    kind: str
    writer: Writer
    target: Path
    obstacles: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    def says(self, note: str) -> bool:
        """Return whether it is said that something will be otherwise."""
        return any(change.startswith(note) for change in self.changes)


@dataclass(frozen=True)
class Conversion:
    """What a conversion did."""

    plan: ConversionPlan
    """What was to be done."""
    checksums: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file, by its path relative to the folder of the target."""
    notes: tuple[str, ...] = ()
    """What else the format has no place for, found by comparing."""

    def format_checksums(self) -> str:
        """Return the checksums as ``sha256sum`` writes, and checks, them."""
        return "".join(f"{digest}  {name}\n" for name, digest in self.checksums.items())


def plan_conversion(
    source: str | Path | BaseExtractor | SortingAnalyzer,
    target: str | Path,
    *,
    to: str | None = None,
    kind: str | None = None,
    overwrite: bool = False,
    **read_kwargs: Any,
) -> ConversionPlan:
    """Say what `convert` would do; nothing is written.

    Parameters
    ----------
    source, target, to, kind, overwrite, **read_kwargs
        See `convert`.

    Raises
    ------
    DataError
        If no reader knows the source.
    ParameterError
        If the format cannot be told, or the target is the source.
    WriteError
        If something is at the target that is not to be replaced.
    """
    if is_url(target):
        msg = f"{target} is a URL: read(...).save(folder=..., format='zarr') writes there."
        raise ParameterError(msg)
    path = _as_named(local_path(target).absolute())
    opened, name = source, None
    if isinstance(source, str | Path):
        wanted = kind or _kind_for(path, to)
        opened = _open(source, wanted, kind, read_kwargs)
        _refuse_source(source, path)
    elif read_kwargs:
        msg = f"The source is open already: it takes no {', '.join(sorted(read_kwargs))}."
        raise ParameterError(msg)
    if isinstance(opened, SortingAnalyzer):
        opened = opened.sorting
    name = kind_of(opened)
    writer = chosen_writer(name, path, to)
    endings = writer.suffixes
    if endings and "" not in endings and not path.name.lower().endswith(endings):
        path = path.with_name(path.name + endings[0])
    _check_target(path, overwrite=overwrite)
    return ConversionPlan(
        opened,  # type: ignore[arg-type]  # kind_of refuses all else
        name,
        writer,
        path,
        tuple(writer.obstacles(opened)),
        tuple(writer.changes(opened)),
    )


def convert(
    source: str | Path | BaseExtractor | SortingAnalyzer,
    target: str | Path,
    *,
    to: str | None = None,
    kind: str | None = None,
    overwrite: bool = False,
    on_step: Callable[[str], None] | None = None,
    job_kwargs: dict[str, Any] | None = None,
    **read_kwargs: Any,
) -> Conversion:
    """Write a recording, sorting, … in another format, and check the copy before it is named.

    Parameters
    ----------
    source : str, Path, BaseExtractor or SortingAnalyzer
        A file or folder of any format that can be read, or what was opened of one.
    target : str or Path
        File or folder to make. The ending of its format is appended if it is missing.
    to : str, optional
        The format, by its name; by default that which the ending of `target` says.
    kind : {"recording", "sorting", "event", "snippets"}, optional
        What to read, where the source has several.
    overwrite : bool, default False
        Replace what is at the target, at the very end.
    on_step : callable, optional
        Told in words what is done next.
    job_kwargs : dict, optional
        Job options, for traces; see `spikeloom.set_global_job_kwargs`.
    **read_kwargs
        For the function that reads the source; see `spikeloom.read`.

    Returns
    -------
    Conversion
        What was done: the plan, the checksums of all files, and what the format did not keep.

    Raises
    ------
    DataError
        If no reader knows the source, or the copy is not the same as the source: it is removed
        then.
    ParameterError
        If the format has no place for what the source holds, or cannot be told.
    WriteError
        If something is at the target already (also a FileExistsError then), or it cannot be
        written.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20]}, 30000.0)
    >>> done = convert(sorting, Path(tempfile.mkdtemp()) / "sorting.npz")
    >>> list(done.checksums)
    ['sorting.npz']
    """
    told = on_step or _say_nothing
    told(f"Opening {source}" if isinstance(source, str | Path) else "Looking at the source")
    plan = plan_conversion(source, target, to=to, kind=kind, overwrite=overwrite, **read_kwargs)
    if plan.obstacles:
        msg = (
            f"A {plan.kind} of this kind cannot be written as {plan.writer.name}: "
            f"{'; '.join(plan.obstacles)}."
        )
        raise ParameterError(msg)
    with folder_beside(plan.target) as folder:
        staged = folder / plan.target.name
        told(f"Writing {plan.writer.name} ({plan.writer.description})")
        plan.writer.write(plan.source, staged, overwrite=False, **(job_kwargs or {}))
        told("Reading it back and comparing")
        copy = plan.writer.read_back(staged, plan.source)
        found = find_differences(plan.source, copy, on_progress=_in_tenths(told))
        del copy
        if found.faults:
            msg = (
                f"The copy at {plan.target} would not be the same as the source, so it is not "
                f"kept: {'; '.join(found.faults)}."
            )
            raise DataError(msg)
        told("Adding up checksums")
        checksums = {
            path.relative_to(folder).as_posix(): checksum_of(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        _move(folder, plan.target.parent, overwrite=overwrite)
    notes = (note for note in found.notes if not plan.says(note))
    return Conversion(plan, checksums, tuple(notes))


def _say_nothing(text: str) -> None:
    del text


def _in_tenths(told: Callable[[str], None]) -> Callable[[float], None]:
    """Return what tells of each tenth that is compared, but for the last."""
    seen = [0]

    def on_progress(share: float) -> None:
        tenths = int(share * 10)
        if seen[0] < tenths < 10:
            seen[0] = tenths
            told(f"Compared {tenths * 10} %")

    return on_progress


def kind_of(opened: object) -> str:
    """Return what an object is, by the names of `KINDS`.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    for name, known in KINDS.items():
        if isinstance(opened, known):
            return name
    msg = (
        f"A {type(opened).__name__} cannot be converted; a {', '.join(KINDS)} can. Give kind=... "
        "if the source has one of these, too."
    )
    raise ParameterError(msg)


def checksum_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _as_named(path: Path) -> Path:
    """Return the path by which a format names all of its files."""
    if path.name.lower().endswith(".raw.kwd"):
        return path.with_name(path.name[: -len(".raw.kwd")] + ".kwik")
    return path


def _kind_for(path: Path, to: str | None) -> str | None:
    """Return the kind of object that a target can hold, if that is one kind only."""
    found = []
    for kind in KINDS:
        try:
            chosen_writer(kind, path, to)
        except ParameterError:
            continue
        found.append(kind)
    return found[0] if len(found) == 1 else None


def _open(
    source: str | Path, wanted: str | None, asked: str | None, read_kwargs: dict[str, Any]
) -> Any:
    if wanted is None or asked is not None:
        return read(source, kind=wanted, **read_kwargs)
    try:
        return read(source, kind=wanted, **read_kwargs)
    except DataError:
        opened = read(source, **read_kwargs)
        if isinstance(opened, SortingAnalyzer | KINDS[wanted]):
            return opened
        raise


def _refuse_source(source: str | Path, target: Path) -> None:
    if is_url(source):
        return
    path = local_path(source).resolve()
    place = target.resolve()
    if path == place or place in path.parents or (path.is_dir() and path in place.parents):
        msg = f"{target} is the source, or one is inside the other: give another path."
        raise ParameterError(msg)


def _check_target(path: Path, *, overwrite: bool) -> None:
    refuse_taken(path, overwrite=overwrite, is_replaceable=_is_replaceable)


def _is_replaceable(path: Path) -> bool:
    """Tell whether a file, or a folder of a known format, may be replaced."""
    if not path.is_dir():
        return True
    return recognise(path)[0].recognition.certainty >= Certainty.LAYOUT


def _move(folder: Path, place: Path, *, overwrite: bool) -> None:
    """Give everything in a folder its name elsewhere on the same disk."""
    made = sorted(folder.iterdir())
    for path in made:
        _check_target(place / path.name, overwrite=overwrite)
    for path in made:
        target = place / path.name
        try:
            if target.is_dir() and not target.is_symlink():
                old = folder / f".{path.name}.old"
                target.rename(old)
            path.replace(target)
        except OSError as error:
            msg = f"{target} cannot be replaced: {error.strerror or error}."
            raise WriteError(error.errno or 0, msg) from error
