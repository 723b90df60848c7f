"""A sorting with a unit that is split, as a view that a file can describe."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.merging_units import set_properties_after_splits
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.sorting_matching import as_sorting
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.core.unit_changes import split_units
from spikeloom.core.unit_ids import UnitId, plain_ids
from spikeloom.curation.merged_sorting import (
    PropertiesPolicy,
    check_policy,
    keep_properties_of_others,
)
from spikeloom.errors import ParameterError


@stored_as("spikeinterface.curation.splitunitsorting.SplitUnitSorting")
class SplitUnitSorting(BaseSorting):
    """A sorting in which a unit is split; its parts are the last units.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    split_unit_id : int or str
        The unit.
    indices_list : list of array_like of shape (n_spikes,)
        For each segment the part that each spike of the unit goes to: any numbers, in whose order
        the parts are. An array by itself, if there is one segment.
    new_unit_ids : sequence of unit ids, optional
        One for each part; by default ids that are not there yet.
    properties_policy : {"keep", "remove"}
        "keep": parts have the properties of their unit. "remove": they have none.

    Raises
    ------
    ParameterError
        If there is no such unit, an array is not as long as its train, or ids make no sense.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({0: [10, 30, 50], 1: [20]}, 30000.0)
    >>> split = SplitUnitSorting(sorting, 0, [[0, 1, 0]])
    >>> split.unit_ids.tolist(), split.get_unit_spike_train(2)
    ([1, 2, 3], array([10, 50]))
    """

    def __init__(  # noqa: PLR0917 - as SpikeInterface has it
        self,
        sorting: BaseSorting,
        split_unit_id: UnitId,
        indices_list: Sequence[ArrayLike] | ArrayLike,
        new_unit_ids: Sequence[UnitId] | None = None,
        properties_policy: PropertiesPolicy = "keep",
    ) -> None:
        parent = as_sorting(sorting)
        check_policy(properties_policy)
        parent.id_to_index(split_unit_id)  # says if there is none
        part_of = _parts_by_spike(parent, split_unit_id, indices_list)
        labels = np.unique(np.concatenate([np.zeros(0, np.int64), *part_of]))
        flat = np.concatenate([np.zeros(0, np.int64), *part_of])
        parts = [np.flatnonzero(flat == label) for label in labels]
        given = None if new_unit_ids is None else [list(new_unit_ids)]
        split = split_units(
            parent.spike_table(), parent.unit_ids, {split_unit_id: parts}, new_unit_ids=given
        )
        super().__init__(parent.sampling_frequency, split.unit_ids)
        for k in range(parent.get_num_segments()):
            self.add_sorting_segment(TableSortingSegment(self, k, None))
        parent.copy_metadata(self, skip_properties=parent.get_property_keys())
        parent.copy_time_info(self)
        new_ids = plain_ids(split.new_unit_ids[0])
        if properties_policy == "keep":
            set_properties_after_splits(self, parent, [split_unit_id], [new_ids])
        else:
            keep_properties_of_others(parent, self, new_ids)
        self._parts = parts
        self._kwargs = {
            "sorting": parent,
            "split_unit_id": plain_ids([split_unit_id])[0],
            "indices_list": part_of,
            "new_unit_ids": new_ids,
            "properties_policy": properties_policy,
        }

    def _make_spike_table(self) -> SpikeTable:
        parent: BaseSorting = self._kwargs["sorting"]
        splits = {self._kwargs["split_unit_id"]: self._parts}
        new_ids = [self._kwargs["new_unit_ids"]]
        return split_units(
            parent.spike_table(), parent.unit_ids, splits, new_unit_ids=new_ids
        ).table


def split_unit_sorting(  # noqa: PLR0917 - as SpikeInterface has it
    sorting: BaseSorting,
    split_unit_id: UnitId,
    indices_list: Sequence[ArrayLike] | ArrayLike,
    new_unit_ids: Sequence[UnitId] | None = None,
    properties_policy: PropertiesPolicy = "keep",
) -> SplitUnitSorting:
    """Return a sorting in which a unit is split; see `SplitUnitSorting`."""
    return SplitUnitSorting(sorting, split_unit_id, indices_list, new_unit_ids, properties_policy)


def _parts_by_spike(
    sorting: BaseSorting, unit_id: UnitId, indices_list: Sequence[ArrayLike] | ArrayLike
) -> list[NDArray[np.int64]]:
    n_segments = sorting.get_num_segments()
    first: object = indices_list[0] if isinstance(indices_list, list | tuple) else 0
    given = indices_list if isinstance(first, list | tuple | np.ndarray) else [indices_list]
    arrays = [np.asarray(one, np.int64) for one in given]  # type: ignore[union-attr]
    n_spikes = [
        len(sorting.get_unit_spike_train(unit_id, segment_index=k)) for k in range(n_segments)
    ]
    if [one.shape for one in arrays] != [(n,) for n in n_spikes]:
        msg = (
            f"indices_list is to have a part for each spike of unit {unit_id!r}, {n_spikes} by "
            f"segment; got arrays of shapes {[one.shape for one in arrays]}."
        )
        raise ParameterError(msg)
    return arrays
