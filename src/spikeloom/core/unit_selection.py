"""Views of some units of a sorting, in any order, perhaps under other ids."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.positions import positions_and_ids, renamed
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.sorting_matching import as_sorting
from spikeloom.core.spike_selection import select_units
from spikeloom.core.spike_trains import UnitTrains
from spikeloom.core.spike_vector import SpikeTable


@stored_as("spikeinterface.core.unitsselectionsorting.UnitsSelectionSorting")
class UnitsSelectionSorting(BaseSorting):
    """Some units of a sorting; see `BaseSorting.select_units` and `BaseSorting.rename_units`.

    Parameters
    ----------
    parent_sorting : BaseSorting
        The sorting.
    unit_ids : list, optional
        Its units to show, in this order; all by default.
    renamed_unit_ids : array_like, optional
        What they are called here; as there by default.

    Raises
    ------
    ParameterError
        If a unit is unknown or named twice, or if there is not one new id for each unit.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20], "c": [5]}, 30000.0)
    >>> UnitsSelectionSorting(sorting, ["c", "a"]).to_spike_vector()["unit_index"]
    array([0, 1, 1])
    """

    def __init__(
        self,
        parent_sorting: BaseSorting,
        unit_ids: Iterable[Any] | None = None,
        renamed_unit_ids: ArrayLike | None = None,
    ) -> None:
        parent = as_sorting(parent_sorting)
        positions, ids = positions_and_ids(parent, parent.unit_ids, unit_ids)
        new_ids = renamed(ids, renamed_unit_ids)
        super().__init__(parent.sampling_frequency, new_ids)
        for k in range(parent.get_num_segments()):
            self.add_sorting_segment(TableSortingSegment(self, k, None))
        parent.copy_metadata(self, ids=ids)
        parent.copy_time_info(self)
        self._parent = parent
        self._source, self._positions = _flattened(parent, positions)
        if np.array_equal(self._positions, np.arange(self._source.get_num_units())):
            self._same_spikes = self._source
        self._kwargs = {
            "parent_sorting": parent,
            "unit_ids": ids,
            "renamed_unit_ids": new_ids,
        }

    def _make_spike_table(self) -> SpikeTable:
        return select_units(
            self._source.spike_table(), self._positions, self._source.get_num_units()
        )

    def _make_trains(self) -> UnitTrains:
        trains = self._source._trains()
        return UnitTrains(trains.samples, trains.slices[self._positions])


def _flattened(
    sorting: BaseSorting, positions: NDArray[np.int64]
) -> tuple[BaseSorting, NDArray[np.int64]]:
    """Return the sorting that spikes are picked from: not a selection, but what that is one of."""
    if type(sorting) is UnitsSelectionSorting:
        return sorting._source, sorting._positions[positions]
    return sorting, positions
