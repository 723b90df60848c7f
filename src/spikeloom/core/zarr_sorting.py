"""Sortings in zarr stores: compressed columns of spikes in a folder, or at a URL."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.numpy_recording import checked_t_starts
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.spike_vector import SpikeTable, check_unit_range, is_in_order
from spikeloom.core.zarr_metadata import (
    read_zarr_metadata,
    resolved_location,
    write_zarr_metadata,
)
from spikeloom.errors import DataError
from spikeloom.storage.json_fields import count_in
from spikeloom.storage.zarr_codecs import default_compressor, delta_filter
from spikeloom.storage.zarr_groups import ZarrGroup
from spikeloom.storage.zarr_opening import open_zarr

_N_SPIKES_PER_CHUNK = 1_000_000


@stored_as("spikeinterface.core.zarrextractors.ZarrSortingExtractor")
class ZarrSortingExtractor(BaseSorting):
    """A sorting in a zarr store that ``sorting.save(format="zarr")`` made.

    Parameters
    ----------
    folder_path : str or Path
        A folder, or a URL (``s3://bucket/sorting.zarr``).
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.
    zarr_group : str, optional
        Group within the store, such as ``"sorting"`` of a saved analyzer.
    lazy_spike_vector : bool, default False
        Without effect: spikes are always read when they are first asked for.
    root_path : str or Path, optional
        Older name of `folder_path`.
    group : ZarrGroup, optional
        The root of the store, if it is open already.

    Raises
    ------
    ReadError
        If there is no zarr store.
    DataError
        If it holds no sorting.
    """

    def __init__(
        self,
        folder_path: str | Path | None = None,
        storage_options: dict[str, Any] | None = None,
        zarr_group: str | None = None,
        lazy_spike_vector: bool = False,
        *,
        root_path: str | Path | None = None,
        group: ZarrGroup | None = None,
    ) -> None:
        location = resolved_location(folder_path if folder_path is not None else root_path)
        if group is None:
            group = open_zarr(location, storage_options=storage_options)
        if zarr_group is not None:
            group = group.group(zarr_group)
        attributes = group.attributes
        if "unit_ids" not in group.array_names() or attributes.get("num_segments") is None:
            msg = f"{location} holds no sorting: it has no unit_ids or no num_segments."
            raise DataError(msg)
        n_segments = count_in(attributes, "num_segments", location)
        rate = attributes.get("sampling_frequency")
        super().__init__(rate, group.read_array("unit_ids"))  # type: ignore[arg-type]
        self._group = group
        starts = checked_t_starts(attributes.get("t_starts") or None, n_segments)
        for k, t_start in enumerate(starts):
            self.add_sorting_segment(TableSortingSegment(self, k, t_start))
        read_zarr_metadata(self, group)
        self._kwargs = {
            "folder_path": str(location),
            "storage_options": storage_options,
            "zarr_group": zarr_group,
        }
        if lazy_spike_vector:  # an argument that older versions do not take
            self._kwargs["lazy_spike_vector"] = True

    def _make_spike_table(self) -> SpikeTable:
        spikes = self._group.group("spikes")
        stored = [spikes.read_array(name) for name in ("sample_index", "unit_index")]
        slices = spikes.read_array("segment_slices")
        is_sound = (
            all(one.dtype.kind in "iu" for one in (*stored, slices))
            and stored[0].ndim == 1
            and stored[0].shape == stored[1].shape
            and slices.ndim == 2
            and slices.shape[1] == 2
            and len(slices) <= self.get_num_segments()
        )
        offsets = np.zeros(self.get_num_segments() + 1, np.int64)
        if is_sound:
            offsets[1 : len(slices) + 1] = slices[:, 1]
            offsets = np.maximum.accumulate(offsets)
        if not is_sound or offsets[-1] != stored[0].size:
            msg = (
                f"{self._kwargs['folder_path']}: sample_index {stored[0].shape}, unit_index "
                f"{stored[1].shape} and segment_slices {slices.shape} do not go together."
            )
            raise DataError(msg)
        check_unit_range(stored[1], self.get_num_units())
        samples: NDArray[np.int64] = stored[0].astype(np.int64, copy=False)
        units = stored[1].astype(np.int32)
        for first, last in pairwise(offsets.tolist()):
            if not is_in_order(samples[first:last]):
                msg = f"The spikes in {self._kwargs['folder_path']} are not in order of time."
                raise DataError(msg)
        return SpikeTable(samples, units, offsets)


def read_zarr_sorting(
    folder_path: str | Path, storage_options: dict[str, Any] | None = None
) -> ZarrSortingExtractor:
    """Open a sorting in a zarr store; see `ZarrSortingExtractor`."""
    return ZarrSortingExtractor(folder_path, storage_options)


def write_zarr_sorting(
    sorting: BaseSorting,
    group: ZarrGroup,
    *,
    source: BaseSorting | None,
    compressor: Any = None,
    filters: Any = None,
) -> None:
    """Write a sorting into a zarr group.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    group : ZarrGroup
        Where to.
    source : BaseSorting or None
        What it was made from, if its provenance is kept.
    compressor : numcodecs codec, optional
        Blosc zstd with bit shuffling by default.
    filters : list of numcodecs codecs, optional
        Differences by default.
    """
    table = sorting.spike_table()
    compressor = default_compressor() if compressor is None else compressor
    filters = [delta_filter("<i8")] if filters is None else filters
    group.write_array("unit_ids", sorting.unit_ids)
    spikes = group.create_group("spikes")
    chunks = (max(1, min(table.n_spikes, _N_SPIKES_PER_CHUNK)),)
    for name, values in (("sample_index", table.sample_index), ("unit_index", table.unit_index)):
        spikes.write_array(
            name,
            np.asarray(values).astype(np.int64, copy=False),
            chunks=chunks,
            compressor=compressor,
            filters=filters,
        )
    offsets = table.segment_offsets
    spikes.write_array("segment_slices", np.stack([offsets[:-1], offsets[1:]], axis=1))
    firsts = np.asarray(table.sample_index[:: chunks[0]], np.int64)
    spikes.write_array("sample_index_chunk_firsts", firsts)
    write_zarr_metadata(sorting, group, source, ZarrSortingExtractor)
    group.set_attributes({
        **group.attributes,
        "sampling_frequency": sorting.sampling_frequency,
        "t_starts": [segment._t_start for segment in sorting.segments],
    })
