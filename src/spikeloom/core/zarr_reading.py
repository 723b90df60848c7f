"""Open zarr stores of recordings or sortings, whichever they hold."""

from pathlib import Path
from typing import Any

from spikeloom.core.zarr_metadata import resolved_location
from spikeloom.core.zarr_recording import ZarrRecordingExtractor
from spikeloom.core.zarr_sorting import ZarrSortingExtractor
from spikeloom.errors import DataError
from spikeloom.storage.zarr_codecs import default_compressor
from spikeloom.storage.zarr_opening import open_zarr


def read_zarr(
    folder_path: str | Path, storage_options: dict[str, Any] | None = None
) -> ZarrRecordingExtractor | ZarrSortingExtractor:
    """Open a zarr store that ``save(format="zarr")`` made.

    Parameters
    ----------
    folder_path : str or Path
        A folder, or a URL (``s3://bucket/recording.zarr``).
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.

    Raises
    ------
    ReadError
        If there is no zarr store.
    DataError
        If it holds neither a recording nor a sorting.
    """
    location = resolved_location(folder_path)
    group = open_zarr(location, storage_options=storage_options)
    names = group.array_names()
    if "unit_ids" in names:
        return ZarrSortingExtractor(location, storage_options, group=group)
    if "channel_ids" in names:
        return ZarrRecordingExtractor(location, storage_options, group=group)
    msg = f"{location} holds neither a recording (channel_ids) nor a sorting (unit_ids)."
    raise DataError(msg)


def get_default_zarr_compressor(clevel: int = 5) -> Any:
    """Return the compressor that traces are saved with: Blosc zstd with bit shuffling.

    Parameters
    ----------
    clevel : int, default 5
        0 (none) to 9 (smallest, slowest).
    """
    return default_compressor(clevel)
