"""Folders of SpikeGLX: which files belong to which stream and segment."""

import os
from dataclasses import dataclass
from pathlib import Path

from spikeloom.errors import DataError, MissingFileError
from spikeloom.extractors.spikeglx_meta import (
    FileName,
    SpikeGLXMeta,
    parse_file_name,
    read_spikeglx_meta,
)

DATA_SUFFIXES = (".bin", ".cbin")

SYNC = "-SYNC"
"""What the stream of sync words is called more than the stream that it belongs to."""

_N_FILES_MAX = 100_000


@dataclass(frozen=True)
class SpikeGLXFile:
    """A pair of files.

    Parameters
    ----------
    meta_path, data_path : Path
        The files.
    name : FileName
        What their name says.
    """

    meta_path: Path
    data_path: Path
    name: FileName

    @property
    def stream(self) -> str:
        """Name of the stream."""
        return self.name.stream


def find_spikeglx_files(path: Path) -> list[SpikeGLXFile]:
    """Return the pairs of files in a folder and below it, or the one that a file belongs to.

    Raises
    ------
    MissingFileError
        If there are none.
    DataError
        If two pairs would be the same stretch of the same stream.
    """
    if not path.exists():
        msg = f"There is nothing at {path}."
        raise MissingFileError(2, msg)
    metas = [path.with_suffix(".meta")] if path.is_file() else _metas_below(path)
    pairs: list[SpikeGLXFile] = []
    lone: list[str] = []
    for meta_path in metas:
        data = [meta_path.with_suffix(suffix) for suffix in DATA_SUFFIXES]
        there = [one for one in data if one.is_file()]
        if there and meta_path.is_file():
            pairs.append(SpikeGLXFile(meta_path, there[0], _name_of(meta_path)))
        else:
            lone.append(meta_path.name)
    if not pairs:
        alone = f" There is {', '.join(lone[:5])}, without its other half." if lone else ""
        msg = f"{path} has no pair of a .bin (or .cbin) and a .meta file of SpikeGLX.{alone}"
        raise MissingFileError(2, msg)
    _check_unique(pairs, path)
    return sorted(pairs, key=lambda one: (one.name.gate, one.name.trigger, one.stream))


def stream_names(pairs: list[SpikeGLXFile]) -> list[str]:
    """Return the streams: probes' traces, then other devices', then sync words of all.

    Raises
    ------
    DataError, ReadError
        If the first header of a stream cannot be read.
    """
    firsts: dict[str, SpikeGLXFile] = {}
    for one in pairs:
        firsts.setdefault(one.stream, one)
    found = sorted(firsts, key=_order)
    with_sync = [name for name in found if read_spikeglx_meta(firsts[name].meta_path).n_sync]
    return [*found, *(name + SYNC for name in with_sync)]


def read_metas(pairs: list[SpikeGLXFile], stream: str) -> list[tuple[SpikeGLXFile, SpikeGLXMeta]]:
    """Read the headers of one stream, a pair of files for each segment."""
    return [(one, read_spikeglx_meta(one.meta_path)) for one in pairs if one.stream == stream]


def _order(name: str) -> tuple[int, str, str]:
    device, _, band = name.partition(".")
    kinds = ("imec", "obx", "nidq")
    kind = next((k for k, start in enumerate(kinds) if device.startswith(start)), len(kinds))
    return (kind + (10 if band == "lf" else 0), device, band)


def _metas_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    n_seen = 0
    for root, folders, names in os.walk(folder):
        folders.sort()
        n_seen += len(names)
        found.extend(Path(root) / name for name in sorted(names) if name.endswith(".meta"))
        if n_seen > _N_FILES_MAX:
            msg = f"{folder} holds more than {_N_FILES_MAX} files: give the folder of one run."
            raise DataError(msg)
    return found


def _name_of(meta_path: Path) -> FileName:
    name = parse_file_name(meta_path.name)
    # A file that was renamed still says inside what it was.
    return name if name.device else read_spikeglx_meta(meta_path).file_name


def _check_unique(pairs: list[SpikeGLXFile], path: Path) -> None:
    places: dict[tuple[int, int, str], SpikeGLXFile] = {}
    for one in pairs:
        place = (one.name.gate, one.name.trigger, one.stream)
        other = places.setdefault(place, one)
        if other is not one:
            msg = (
                f"{path} holds two files of the stream {one.stream}, gate {one.name.gate}, trigger "
                f"{one.name.trigger}: {other.data_path} and {one.data_path}. Give the folder of "
                "one run, or the file itself."
            )
            raise DataError(msg)
