"""What headers may say, looked at before neo believes it.

Damaged headers make some raw readers of neo run forever, or take all memory there is; others
compare what they read with the size of the file.
"""

import mmap
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from spikeloom.errors import DataError
from spikeloom.extractors.peeking import read_head

N_CHANNELS_MAX = 1 << 16
"""No system records more at once."""

_N_HEADER_BYTES = 1 << 24

_N_ABF_SECTIONS = 18

_N_ABF_ENTRIES_MAX = 1 << 14

_LONG_ABF_SECTIONS = (10, 15)
"""Samples, and the table of sweeps."""

_NEX_HEADER, _NEX_VARIABLE, _NEX_MARKER_LENGTH = 544, 208, 136
"""Sizes of the header and of a variable's, and where in it the length of labels is."""

_MPX_BLOCK = struct.Struct("<Hc")

_MPX_END = 65_535


def _check_alphaomega(folder: Path) -> None:
    """Look whether each block of a file says where the next one is."""
    for path in sorted(folder.glob("*.mpx")):
        if path.stat().st_size < _MPX_BLOCK.size:
            continue  # neo tells that it is empty
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            place, n_bytes = 0, 0
            while place + _MPX_BLOCK.size <= len(data) and n_bytes != _MPX_END:
                n_bytes, _ = _MPX_BLOCK.unpack_from(data, place)
                if n_bytes < _MPX_BLOCK.size:
                    msg = f"{path}: the block at byte {place} has {n_bytes} bytes; 3 are the least."
                    raise DataError(msg)
                place += n_bytes


def _check_axon(path: Path) -> None:
    """Look whether sections of an ABF 2 file have no more entries than the file has room for."""
    head = read_head(path, 76 + 16 * _N_ABF_SECTIONS).ljust(76 + 16 * _N_ABF_SECTIONS, b"\0")
    if not head.startswith(b"ABF2"):
        return
    for k in range(_N_ABF_SECTIONS):
        n_entries = struct.unpack_from("<q", head, 84 + 16 * k)[0]
        n_max = path.stat().st_size if k in _LONG_ABF_SECTIONS else _N_ABF_ENTRIES_MAX
        if not 0 <= n_entries <= n_max:
            msg = f"{path}: section {k} has {n_entries} entries; 0 to {n_max} expected."
            raise DataError(msg)


def _check_elan(path: Path) -> None:
    """Look whether the table of channels is as long as it says."""
    table = path.with_name(f"{path.name}.ent")
    lines = read_head(table, _N_HEADER_BYTES).splitlines() if table.is_file() else []
    if len(lines) > 9:
        _check_number(table, "the number of channels", lines[9], len(lines))


def _check_neuroexplorer(path: Path) -> None:
    """Look whether labels of markers are no longer than the file."""
    n_bytes = path.stat().st_size
    head = read_head(path, _N_HEADER_BYTES)
    for start in range(_NEX_HEADER, len(head) - _NEX_VARIABLE + 1, _NEX_VARIABLE):
        if (start - _NEX_HEADER) // _NEX_VARIABLE >= struct.unpack_from("<i", head, 280)[0]:
            break
        length = struct.unpack_from("<i", head, start + _NEX_MARKER_LENGTH)[0]
        if not 0 <= length <= n_bytes:
            msg = f"{path}: labels of the variable at byte {start} have {length} characters."
            raise DataError(msg)


def _check_neuroscope(path: Path) -> None:
    settings = path.with_suffix(".xml")
    _check_xml(settings, {b"nChannels>": N_CHANNELS_MAX})


def _check_spikegadgets(path: Path) -> None:
    n_bytes = path.stat().st_size
    _check_xml(path, {b'numBytes="': n_bytes, b'numChannels="': N_CHANNELS_MAX})


def _check_xml(path: Path, largest: Mapping[bytes, int]) -> None:
    """Look whether settings define no entities, and numbers are within reason."""
    text = read_head(path, _N_HEADER_BYTES) if path.is_file() else b""
    if b"<!ENTITY" in text:
        msg = f"{path} defines entities, which settings have no need of."
        raise DataError(msg)
    for before, n_max in largest.items():
        for found in re.finditer(re.escape(before) + rb"\s*([0-9]+)", text):
            _check_number(path, before.decode().strip('=">'), found[1], n_max)


def _check_number(path: Path, what: str, text: bytes, n_max: int) -> None:
    number = text.strip()
    if number.isdigit() and (len(number) > 18 or int(number) > n_max):
        msg = f"{path}: {what} is {number[:30].decode()}; no more than {n_max} expected."
        raise DataError(msg)


CHECKS: Mapping[str, Callable[[Path], None]] = MappingProxyType({
    "alphaomega": _check_alphaomega,
    "axon": _check_axon,
    "elan": _check_elan,
    "neuroexplorer": _check_neuroexplorer,
    "neuroscope": _check_neuroscope,
    "spikegadgets": _check_spikegadgets,
})
"""What to look at, of each format that needs it; DataError says what is wrong."""
