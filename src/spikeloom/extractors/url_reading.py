"""Which reader opens what is behind a URL."""

from typing import Any

from spikeloom.errors import DataError
from spikeloom.extractors.reader_registry import Reader, get_reader

_NWB_KEYS = {"recording": "nwb", "sorting": "nwb-sorting", "event": "nwb-event"}


def reader_of_url(url: str, kind: str | None, storage_options: dict[str, Any] | None) -> Reader:
    """Return the reader of an NWB file, in HDF5 or zarr, or of a zarr store of another kind.

    Parameters
    ----------
    url : str
        The URL.
    kind : str, optional
        What is wanted of it; by default traces, or units if there are none, or else intervals.
    storage_options : dict, optional
        How to reach it, as fsspec takes it.

    Raises
    ------
    MissingFileError, ReadError
        If there is nothing, or if it cannot be reached.
    DataError
        If it is an HDF5 file of another kind, or of no use for what is wanted.
    """
    from spikeloom.extractors.nwb_files import open_nwb  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.nwb_places import nwb_place  # noqa: PLC0415 - only for URLs

    place = nwb_place(url, storage_options=storage_options)
    with open_nwb(place) as tree:
        if "nwb_version" not in tree.attributes(""):
            if place.far_file() is None:
                return get_reader("spikeloom-any")
            msg = f"{url} is an HDF5 file, but not NWB: download it to open it."
            raise DataError(msg)
        if kind is None:
            has_units = tree.shape("units/id") is not None
            kind = "sorting" if has_units else "event"
            kind = "recording" if tree.of_type("ElectricalSeries") else kind
    if kind not in _NWB_KEYS:
        msg = f"{url} is an NWB file, which holds no {kind}."
        raise DataError(msg)
    return get_reader(_NWB_KEYS[kind])
