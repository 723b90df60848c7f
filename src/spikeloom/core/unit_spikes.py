"""The spikes of units, kept once in the order of time and once more by unit.

Both are built by one pass over the spikes when they are first asked for. A view whose spikes are
those of another object shares what that one has built.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.base import BaseExtractor
from spikeloom.core.sampling_frequency import checked_sampling_frequency
from spikeloom.core.spike_building import table_from_unit_dicts
from spikeloom.core.spike_trains import (
    Major,
    UnitOrder,
    UnitTrains,
    count_spikes,
    group_by_unit,
    trains_by_unit,
)
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.errors import ParameterError

_LEXSORTS: Mapping[tuple[str, ...], Major] = {
    ("sample_index", "segment_index", "unit_index"): "unit",
    ("sample_index", "unit_index", "segment_index"): "segment",
}
"""What spikes can be sorted by, the last name first, as numpy.lexsort reads it."""


class UnitSpikes(BaseExtractor):
    """Units and their spikes, in samples; the part of a sorting that knows no times.

    Parameters
    ----------
    sampling_frequency : float
        In Hz.
    unit_ids : array_like of shape (n_units,)
        Whole numbers or strings.
    """

    _id_kind: ClassVar[str] = "unit id"
    _main_properties: ClassVar[list[str]] = ["main_channel_id"]

    def __init__(self, sampling_frequency: float, unit_ids: ArrayLike) -> None:
        super().__init__(unit_ids)
        self._sampling_frequency = checked_sampling_frequency(sampling_frequency)
        self._same_spikes: UnitSpikes | None = None
        """An object with the same spikes: what it works out of them is shared."""
        self._forget_spikes()

    def _forget_spikes(self) -> None:
        """Forget what was worked out of the spikes."""
        self._cached_table: SpikeTable | None = None
        self._cached_spike_vector: NDArray[np.void] | None = None
        self._cached_trains: UnitTrains | None = None
        self._cached_orders: dict[Major, UnitOrder] = {}

    # -- units -------------------------------------------------------------------------------

    @property
    def unit_ids(self) -> NDArray[Any]:
        """Ids of the units; shape (n_units,)."""
        return self._main_ids

    @property
    def sampling_frequency(self) -> float:
        """Samples per second, in Hz."""
        return self._sampling_frequency

    def get_sampling_frequency(self) -> float:
        """Return the samples per second, in Hz."""
        return self._sampling_frequency

    def get_unit_ids(self) -> NDArray[Any]:
        """Return the ids of the units; shape (n_units,)."""
        return self._main_ids

    def get_num_units(self) -> int:
        """Return the number of units."""
        return len(self._main_ids)

    def get_unit_property(self, unit_id: Any, key: str) -> Any:
        """Return a property of one unit, None if there is none of this name."""
        values = self.get_property(key)
        return None if values is None else values[self.id_to_index(unit_id)]

    # -- spikes ------------------------------------------------------------------------------

    def _make_spike_table(self) -> SpikeTable:
        """Gather all spikes; subclasses that have them at hand return them."""
        trains = [
            {
                unit_id: segment.get_unit_spike_train(unit_id, None, None)
                for unit_id in self.unit_ids.tolist()
            }
            for segment in self._segments
        ]
        return table_from_unit_dicts(trains, self.unit_ids)[0]

    def spike_table(self) -> SpikeTable:
        """Return all spikes as columns, in the order of the spike vector; kept from then on."""
        if self._same_spikes is not None:
            return self._same_spikes.spike_table()
        if self._cached_table is None:
            self._cached_table = self._make_spike_table()
        return self._cached_table

    def _make_trains(self) -> UnitTrains:
        """Group the samples of all spikes by unit; subclasses may have them at hand."""
        return trains_by_unit(self.spike_table(), self.get_num_units())

    def _trains(self) -> UnitTrains:
        if self._same_spikes is not None:
            return self._same_spikes._trains()
        if self._cached_trains is None:
            self._cached_trains = self._make_trains()
        return self._cached_trains

    def _order(self, major: Major) -> UnitOrder:
        if self._same_spikes is not None:
            return self._same_spikes._order(major)
        if major not in self._cached_orders:
            table = self.spike_table()
            self._cached_orders[major] = group_by_unit(table, self.get_num_units(), major=major)
        return self._cached_orders[major]

    def precompute_spike_trains(self) -> None:
        """Gather the spikes of all units now rather than when the first is asked for."""
        self._trains()

    def to_spike_vector(
        self,
        concatenated: bool = True,
        extremum_channel_inds: Mapping[Any, int] | None = None,
        main_channel_indices: ArrayLike | None = None,
        use_cache: bool = True,
        return_slices: bool = False,
    ) -> Any:
        """Return all spikes in one structured array, by segment, sample and unit.

        Parameters
        ----------
        concatenated : bool, default True
            One array; else a list with one for each segment.
        extremum_channel_inds : dict, optional
            Channel of each unit by id, older spelling of `main_channel_indices`.
        main_channel_indices : array_like of shape (n_units,), optional
            Channel of each unit, for a field ``channel_index``.
        use_cache : bool, default True
            Keep the array for the next call.
        return_slices : bool, default False
            Also return first and end of each segment, shape (n_segments, 2).

        Returns
        -------
        ndarray of shape (n_spikes,)
            With the fields sample_index, unit_index and segment_index, all int64.
        """
        table = self.spike_table()
        vector = self._spike_vector(use_cache=use_cache)
        channels = self._channel_of_units(extremum_channel_inds, main_channel_indices)
        if channels is not None:
            vector = _with_channels(vector, channels)
        offsets = table.segment_offsets
        slices = np.stack([offsets[:-1], offsets[1:]], axis=1)
        spikes = vector if concatenated else [vector[first:last] for first, last in slices]
        return (spikes, slices) if return_slices else spikes

    def _spike_vector(self, *, use_cache: bool) -> NDArray[np.void]:
        if self._same_spikes is not None:
            return self._same_spikes._spike_vector(use_cache=use_cache)
        vector = self._cached_spike_vector
        if vector is None:
            vector = self.spike_table().to_spike_vector()
            if use_cache:
                self._cached_spike_vector = vector
        return vector

    def _channel_of_units(
        self, by_id: Mapping[Any, int] | None, by_index: ArrayLike | None
    ) -> NDArray[np.int64] | None:
        if by_index is not None:
            channels = np.asarray(by_index, np.int64)
        elif by_id is not None:
            missing = [unit_id for unit_id in self.unit_ids.tolist() if unit_id not in by_id]
            if missing:
                msg = f"extremum_channel_inds has no channel for the units {missing[:8]}."
                raise ParameterError(msg)
            channels = np.array([by_id[unit_id] for unit_id in self.unit_ids.tolist()], np.int64)
        else:
            return None
        if channels.shape != (self.get_num_units(),):
            msg = f"{self.get_num_units()} units need a channel each; got shape {channels.shape}."
            raise ParameterError(msg)
        return channels

    def to_reordered_spike_vector(
        self,
        lexsort: tuple[str, str, str] = ("sample_index", "segment_index", "unit_index"),
        return_order: bool = True,
        return_slices: bool = True,
    ) -> Any:
        """Return the spike vector sorted by unit first, or by segment and unit.

        Parameters
        ----------
        lexsort : tuple of str
            What to sort by, the last first: ``("sample_index", "segment_index", "unit_index")`` or
            ``("sample_index", "unit_index", "segment_index")``.
        return_order : bool, default True
            Also return the positions in the spike vector; shape (n_spikes,).
        return_slices : bool, default True
            Also return first and end of each group: shape (n_units, n_segments, 2), or
            (n_segments, n_units, 2) for the second order.

        Raises
        ------
        ParameterError
            For another order.
        """
        major = _LEXSORTS.get(tuple(lexsort))
        if major is None:
            msg = f"lexsort must be one of {list(_LEXSORTS)}; got {lexsort}."
            raise ParameterError(msg)
        groups = self._order(major)
        results = [self.to_spike_vector()[groups.order]]
        results += [groups.order] if return_order else []
        results += [groups.slices] if return_slices else []
        return results[0] if len(results) == 1 else tuple(results)

    def get_spike_vector_to_indices(self) -> dict[int, dict[Any, NDArray[np.int64]]]:
        """Return, by segment and unit, the positions of its spikes in the spike vector."""
        groups = self._order("unit")
        return {
            segment_index: {
                unit_id: groups.spikes_of(k, segment_index)
                for k, unit_id in enumerate(self.unit_ids.tolist())
            }
            for segment_index in range(self.get_num_segments())
        }

    def search_cached_spikes_sorted(
        self, indices: ArrayLike, segment_index: int | None = None
    ) -> Any:
        """Return how many spikes of a segment come before samples (one or many)."""
        table = self.spike_table()
        spikes = table.segment_slice(self._check_segment_index(segment_index))
        return np.searchsorted(table.sample_index[spikes], indices)

    # -- counts ------------------------------------------------------------------------------

    def count_num_spikes_per_unit(
        self,
        outputs: Literal["dict", "array"] = "dict",
        unit_ids: Iterable[Any] | None = None,
    ) -> Any:
        """Return the number of spikes of each unit in all segments, by id or as an array."""
        if outputs not in {"dict", "array"}:
            msg = f"outputs must be 'dict' or 'array'; got {outputs!r}."
            raise ParameterError(msg)
        trains = (self._same_spikes or self)._cached_trains
        if trains is not None:
            slices = trains.slices
            counts = (slices[..., 1] - slices[..., 0]).sum(axis=1)
        else:
            counts = count_spikes(self.spike_table(), self.get_num_units()).sum(axis=1)
        positions = self.ids_to_indices(unit_ids)
        counts = counts[positions]
        if outputs == "array":
            return counts
        return dict(zip(self.unit_ids[positions].tolist(), counts.tolist(), strict=True))

    def count_total_num_spikes(self) -> int:
        """Return the number of spikes of all units in all segments."""
        return self.spike_table().n_spikes

    def get_non_empty_unit_ids(self) -> NDArray[Any]:
        """Return the ids of the units that have spikes."""
        has_spikes: NDArray[np.bool_] = self.count_num_spikes_per_unit("array") > 0
        return self.unit_ids[has_spikes]

    def get_empty_unit_ids(self) -> NDArray[Any]:
        """Return the ids of the units without spikes."""
        is_empty: NDArray[np.bool_] = self.count_num_spikes_per_unit("array") == 0
        return self.unit_ids[is_empty]

    def get_last_spike_frame(self, segment_index: int | None = None) -> int:
        """Return the sample of the last spike in a segment, 0 without spikes."""
        return self.spike_table().last_spike_frame(self._check_segment_index(segment_index))


def _with_channels(vector: NDArray[np.void], channels: NDArray[np.int64]) -> NDArray[np.void]:
    """Return a spike vector with a field for the channel of each spike's unit."""
    wider = np.empty(vector.size, [*vector.dtype.descr, ("channel_index", np.int64)])
    for name in vector.dtype.names or ():
        wider[name] = vector[name]
    wider["channel_index"] = channels[vector["unit_index"]]
    return wider
