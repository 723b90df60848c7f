"""What spikeloom and SpikeInterface save themselves, and flat files, as readers of the registry."""

from pathlib import Path
from typing import Any

from spikeloom.core.binary import read_binary
from spikeloom.core.loading import load
from spikeloom.core.npz_sorting import read_npz_sorting
from spikeloom.errors import ParameterError, ReadError
from spikeloom.extractors.peeking import Peek, read_head
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.storage.numpy_files import npz_names

_FLAT_SUFFIXES = (".dat", ".bin", ".raw", ".fil", ".i16")

_SAVED = ("si_folder.json", "cached.json", "cached.pkl", "spikeinterface_info.json")

_ZARR_FILES = (".zattrs", ".zgroup", "zarr.json")

_N_ATTRIBUTES_BYTES = 1 << 16


def zarr_attributes(peek: Peek) -> bytes:
    """Return the beginning of the attributes of a zarr store, of anything else nothing."""
    found = b""
    for name in _ZARR_FILES:
        if name in peek.names:
            found += read_head(peek.path / name, _N_ATTRIBUTES_BYTES)
    return found


def _recognise_saved(peek: Peek) -> Recognition:
    if peek.is_folder:
        there = [name for name in _SAVED if name in peek.names]
        if there:
            return known(Certainty.CONTENT, f"it has {there[0]}")
        attributes = zarr_attributes(peek)
        if attributes and b"nwb_version" not in attributes:
            return known(Certainty.LAYOUT, "it is a zarr store")
        if {"sorter_output", "spikeinterface_log.json"} <= set(peek.names):
            return known(Certainty.CONTENT, "it is the folder of a sorter")
        if {"waveforms", "params.json"} <= set(peek.names):
            return known(Certainty.LAYOUT, "it has waveforms and params.json")
        return unknown(f"it is no zarr store and has none of {', '.join(_SAVED)}")
    if peek.suffix in {".json", ".pkl", ".pickle"}:
        if peek.suffix == ".json" and b'"class"' not in peek.head:
            return unknown("the JSON does not begin with a class, as dump() writes it")
        return known(Certainty.NAME, f"dump() makes {peek.suffix} files")
    return unknown("it is no folder, and no .json file of dump()")


def _recognise_npz(peek: Peek) -> Recognition:
    if not peek.head.startswith(b"PK"):
        return unknown("it is no .npz archive")
    try:
        names = set(npz_names(peek.path))
    except ReadError as error:
        return unknown(f"it is a damaged archive ({error})")
    if {"unit_ids", "num_segment"} <= names:
        return known(Certainty.CONTENT, "it has unit_ids and num_segment")
    return unknown("it is an archive without unit_ids and num_segment")


def _recognise_flat(peek: Peek) -> Recognition:
    if peek.suffix in _FLAT_SUFFIXES and not peek.is_folder:
        return known(Certainty.GUESS, f"{peek.suffix} files are often flat binary files")
    return unknown(f"it does not end in {', '.join(_FLAT_SUFFIXES)}")


def _read_flat(path: str | Path, **kwargs: Any) -> Any:
    missing = [
        name
        for name, others in (
            ("sampling_frequency", ()),
            ("dtype", ()),
            ("num_channels", ("channel_ids", "num_chan")),
        )
        if name not in kwargs and not any(other in kwargs for other in others)
    ]
    if missing:
        msg = (
            f"{path} is taken for a flat binary file, of which nothing says what is in it: give "
            f"{', '.join(f'{name}=...' for name in missing)} (see read_binary)."
        )
        raise ParameterError(msg)
    return read_binary(path, **kwargs)


READERS = (
    Reader(
        name="spikeloom",
        kind="any",
        recognise=_recognise_saved,
        read=load,
        function="load",
        extensions=("", ".zarr", ".json"),
        description="what save() and dump() made, of spikeloom and SpikeInterface",
    ),
    Reader(
        name="npz",
        kind="sorting",
        recognise=_recognise_npz,
        read=read_npz_sorting,
        function="read_npz_sorting",
        extensions=(".npz",),
        description="a sorting in one archive of numpy arrays",
    ),
    Reader(
        name="binary",
        kind="recording",
        recognise=_recognise_flat,
        read=_read_flat,
        function="read_binary",
        extensions=_FLAT_SUFFIXES,
        description="flat binary files, of which you know what is in them",
    ),
)
"""Readers of this module."""
