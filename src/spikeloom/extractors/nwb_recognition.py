"""How the readers of NWB tell whether a file has something for them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from spikeloom.errors import SpikeloomError
from spikeloom.extractors.own_formats import zarr_attributes
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Recognition, known, unknown

if TYPE_CHECKING:
    from spikeloom.extractors.nwb_files import NwbTree

_N_SHOWN = 3


def is_nwb(peek: Peek) -> bool:
    """Tell whether a path is an NWB file, in HDF5 or zarr."""
    return "nwb_version" in peek.hdf5_attributes or b"nwb_version" in zarr_attributes(peek)


def recognise_nwb(
    peek: Peek,
    find: Callable[["NwbTree"], Sequence[str]],
    what: str,
    certainty: Certainty = Certainty.CONTENT,
) -> Recognition:
    """Say whether a path is an NWB file that has something.

    Parameters
    ----------
    peek : Peek
        The path.
    find : callable
        Takes the open file, returns what is found of it in words.
    what : str
        What is looked for, in words.
    certainty : Certainty
        How sure one can be if something is found.
    """
    if not is_nwb(peek):
        return unknown("it is no HDF5 file or zarr store with nwb_version")
    from spikeloom.extractors.nwb_files import open_nwb  # noqa: PLC0415 - imports h5py

    try:
        with open_nwb(peek.path) as tree:
            found = find(tree)
    except SpikeloomError as error:
        return unknown(f"it is a damaged NWB file ({error})")
    if not found:
        return unknown(f"it is an NWB file without {what}")
    return known(certainty, f"it is an NWB file with {', '.join(found[:_N_SHOWN])}")
