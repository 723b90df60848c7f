"""Where NWB files are: on this machine, or behind a URL, in HDF5 or zarr."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeloom.errors import MissingFileError, ParameterError
from spikeloom.extractors.hdf5_sources import FarSource, has_signature
from spikeloom.storage.places import cache_folder
from spikeloom.storage.stores import is_url, local_path

_ZARR = "zarr"

_HDF5_MODES = ("fsspec", "remfile", "ros3")
"""What SpikeInterface calls its ways to read HDF5 files behind URLs; here there is one."""


@dataclass(frozen=True)
class NwbPlace:
    """A file, a zarr store or a URL, with how it is reached; see `nwb_place`."""

    location: str | Path
    """An absolute path, or a URL."""
    stream_mode: str | None = None
    """What is behind the URL, if the user says so."""
    storage_options: dict[str, Any] | None = None
    """How to reach a URL, as fsspec takes it."""
    cache: bool = False
    """Whether what was fetched of an HDF5 file is kept for good."""
    stream_cache_path: str | None = None
    """In which folder."""

    def kwargs(self) -> dict[str, Any]:
        """Return the arguments of an extractor that lead here."""
        streaming = {
            "stream_mode": self.stream_mode,
            "cache": self.cache,
            "stream_cache_path": self.stream_cache_path,
        }
        return {
            "file_path": str(self.location),
            "storage_options": self.storage_options,
            **{name: value for name, value in streaming.items() if value},
        }

    def far_file(self) -> FarSource | None:
        """Return the HDF5 file behind a URL; None if there is a zarr store, or this is no URL.

        Raises
        ------
        MissingFileError, ReadError
            If there is nothing, or if it cannot be reached.
        """
        if not is_url(self.location) or self.stream_mode == _ZARR:
            return None
        from spikeloom.storage.remote_bytes import RemoteBytes  # noqa: PLC0415 - imports fsspec

        folder = None
        if self.cache:
            folder = Path(self.stream_cache_path or cache_folder() / "streams")
        try:
            found = RemoteBytes(str(self.location), self.storage_options, folder)
        except MissingFileError:
            if self.stream_mode is None:
                return None  # what is no file may be a store
            raise
        return found if self.stream_mode or has_signature(found) else None


def nwb_place(
    file_path: str | Path | NwbPlace,
    stream_mode: str | None = None,
    storage_options: dict[str, Any] | None = None,
    *,
    cache: bool = False,
    stream_cache_path: str | Path | None = None,
) -> NwbPlace:
    """Return where an NWB file is.

    Parameters
    ----------
    file_path : str or Path
        The file, the folder of a zarr store, or the URL of either.
    stream_mode : {"fsspec", "remfile", "ros3", "zarr"}, optional
        What is behind a URL: an HDF5 file (the first three, which are read in the same way), or a
        zarr store. By default that is found out.
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.
    cache : bool, default False
        Keep what was fetched of an HDF5 file, for the next time.
    stream_cache_path : str or Path, optional
        In which folder; by default in that of spikeloom's caches.

    Raises
    ------
    ParameterError
        If there is no such `stream_mode`, or if it is not for this file.
    """
    if isinstance(file_path, NwbPlace):
        return file_path
    if stream_mode not in {None, _ZARR, *_HDF5_MODES}:
        known = ", ".join(map(repr, (*_HDF5_MODES, _ZARR)))
        msg = f"stream_mode must be None or one of {known}; got {stream_mode!r}."
        raise ParameterError(msg)
    is_far = is_url(file_path)
    if (stream_mode in _HDF5_MODES or cache) and not is_far:
        msg = f"stream_mode={stream_mode!r} and cache are for URLs; {file_path} is a path."
        raise ParameterError(msg)
    if cache and stream_mode == _ZARR:
        msg = "cache is for HDF5 files; of a zarr store nothing is kept."
        raise ParameterError(msg)
    return NwbPlace(
        str(file_path) if is_far else local_path(file_path).absolute(),
        stream_mode,
        storage_options,
        cache,
        None if stream_cache_path is None else str(Path(stream_cache_path).absolute()),
    )
