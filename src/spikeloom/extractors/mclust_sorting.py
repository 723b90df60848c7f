"""Sortings of MClust: folders with a ``.t`` file, or one of its variants, for each unit."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.listed_spikes import (
    ListedSpikesSorting,
    as_columns,
    as_samples,
    required_rate,
)
from spikeloom.extractors.peeking import Peek, read_head
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

SUFFIXES = (".t64", ".t32", ".t", ".raw64", ".raw32")
"""In this order; a folder is read by the first that it has."""

_END = b"%%ENDHEADER"

_BEGIN = b"%%BEGINHEADER"

_TICKS_PER_S = 10_000
"""Of ``.t`` files: times are in tenths of milliseconds."""

_N_HEADER_BYTES_MAX = 1 << 16

_UNIT_NUMBER = re.compile(r"_([0-9]{1,9})$")


@stored_as("spikeinterface.extractors.mclustextractors.MClustSortingExtractor")
class MClustSortingExtractor(ListedSpikesSorting):
    """A sorting of MClust.

    Parameters
    ----------
    folder_path : str or Path
        Folder with files such as ``TT1_01.t``, whose names end in the number of the unit.
    sampling_frequency : float
        In Hz.
    sampling_frequency_raw : float, optional
        Ticks per second of times in ``.raw64`` and ``.raw32`` files, for which it is needed.

    Raises
    ------
    MissingFileError, ReadError
        If there are no such files, or one cannot be read.
    DataError
        If a file has no end of its header, or two files are of one unit.
    ParameterError
        If `sampling_frequency_raw` is missing.
    """

    def __init__(
        self,
        folder_path: str | Path,
        sampling_frequency: float,
        sampling_frequency_raw: float | None = None,
    ) -> None:
        folder = Path(folder_path).absolute()
        rate = required_rate(sampling_frequency, folder)
        suffix, paths = _files_of(folder)
        ticks_per_s = float(_TICKS_PER_S)
        if suffix.startswith(".raw"):
            if sampling_frequency_raw is None:
                msg = f"{folder}: {suffix} do not say their clock; give sampling_frequency_raw."
                raise ParameterError(msg)
            ticks_per_s = required_rate(sampling_frequency_raw, folder)
        units: dict[int, NDArray[np.int64]] = {}
        for path in paths:
            number = _UNIT_NUMBER.search(path.stem)
            if number is None or int(number[1]) in units:
                msg = f"{path}: names end in _ and the number of a unit, each another one."
                raise DataError(msg)
            units[int(number[1])] = as_samples(read_ticks(path), path, rate / ticks_per_s)
        super().__init__(rate, np.array(list(units), np.int64), *as_columns(list(units.values())))
        self.set_property("file_name", [path.name for path in paths])
        self._kwargs = {
            "folder_path": str(folder),
            "sampling_frequency": rate,
            "sampling_frequency_raw": sampling_frequency_raw,
        }


def read_mclust(
    folder_path: str | Path,
    sampling_frequency: float,
    sampling_frequency_raw: float | None = None,
) -> MClustSortingExtractor:
    """Read a sorting of MClust; see `MClustSortingExtractor`."""
    return MClustSortingExtractor(folder_path, sampling_frequency, sampling_frequency_raw)


def read_ticks(path: Path) -> NDArray[np.float64]:
    """Return the times in a file of MClust, in its ticks.

    Raises
    ------
    ReadError
        If it cannot be read.
    DataError
        If its header has no end, or what follows is no list of numbers.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise ReadError(error.errno or 0, msg) from error
    end = content.find(_END, 0, _N_HEADER_BYTES_MAX)
    start = content.find(b"\n", end) + 1 if end >= 0 else 0
    if end >= 0 and start == 0:
        msg = f"{path}: a new line is expected after {_END.decode()} at byte {end}."
        raise DataError(msg)
    if end < 0 and content.startswith(_BEGIN):
        msg = f"{path}: no {_END.decode()} in the first {_N_HEADER_BYTES_MAX} bytes."
        raise DataError(msg)
    width = 8 if path.suffix.lower().endswith("64") else 4
    n_left = (len(content) - start) % width
    if n_left:
        msg = f"{path}: times of {width} bytes are expected from byte {start}; {n_left} are left."
        raise DataError(msg)
    ticks = np.frombuffer(content, f">u{width}", offset=start)
    if path.suffix.lower() == ".t":
        # MClust 3 writes times of 64 bits here, too: their upper halves are 0.
        ticks = ticks[ticks > 0]
    return ticks.astype(np.float64)


def _files_of(folder: Path) -> tuple[str, list[Path]]:
    try:
        names = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        msg = f"{folder} cannot be listed: {error.strerror or error}."
        raise MissingFileError(error.errno or 2, msg) from error
    for suffix in SUFFIXES:
        found = [path for path in names if path.suffix.lower() == suffix]
        if found:
            return suffix, found
    msg = f"{folder} has no files of MClust ({', '.join(SUFFIXES)})."
    raise MissingFileError(2, msg)


def _recognise(peek: Peek) -> Recognition:
    found = [path for suffix in SUFFIXES for path in peek.matching(f"*{suffix}")]
    if not found:
        return unknown(f"it is no folder with {', '.join(SUFFIXES)} files")
    if read_head(found[0]).startswith(_BEGIN):
        return known(Certainty.CONTENT, f"it has {found[0].name}, with a header of MClust")
    return known(Certainty.GUESS, f"it has {found[0].name}")


READERS = (
    Reader(
        name="mclust",
        kind="sorting",
        recognise=_recognise,
        read=read_mclust,
        function="read_mclust",
        extensions=SUFFIXES,
        description="a folder of MClust",
    ),
)
"""Readers of this module."""
