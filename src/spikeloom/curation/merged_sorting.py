"""A sorting whose units are merged, as a view that a file can describe."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.merging_units import set_properties_after_merging
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.sorting_matching import as_sorting
from spikeloom.core.spike_selection import keep_spikes
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.core.unit_changes import merge_units
from spikeloom.core.unit_ids import UnitId, generate_unit_ids_for_merge_group, plain_ids
from spikeloom.errors import ParameterError

PropertiesPolicy = Literal["keep", "remove"]
"""Whether new units have properties, where their units had the same, or have none."""


@stored_as("spikeinterface.curation.mergeunitssorting.MergeUnitsSorting")
class MergeUnitsSorting(BaseSorting):
    """A sorting in which groups of units are merged; new units are the last ones.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    units_to_merge : sequence of groups of at least two unit ids
        What is merged; or one group. No unit may be in two groups.
    new_unit_ids : sequence of unit ids, optional
        One for each group; by default ids that are not there yet.
    properties_policy : {"keep", "remove"}
        "keep": a new unit has the values of its units where they are the same. "remove": it has
        none.
    delta_time_ms : float or None, default 0.4
        A spike of a new unit is left out if it is at most so long after that of another of its
        units: it was found twice. None keeps all.

    Raises
    ------
    ParameterError
        If groups or ids make no sense.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 400], "b": [12, 90], "c": [5]}, 30000.0)
    >>> merged = MergeUnitsSorting(sorting, [["a", "b"]], new_unit_ids=["d"])
    >>> merged.unit_ids.tolist(), merged.get_unit_spike_train("d")
    (['c', 'd'], array([ 10,  90, 400]))
    """

    def __init__(  # noqa: PLR0917 - as SpikeInterface has it
        self,
        sorting: BaseSorting,
        units_to_merge: Sequence[Sequence[UnitId]] | Sequence[UnitId],
        new_unit_ids: Sequence[UnitId] | None = None,
        properties_policy: PropertiesPolicy = "keep",
        delta_time_ms: float | None = 0.4,
    ) -> None:
        parent = as_sorting(sorting)
        check_policy(properties_policy)
        if delta_time_ms is not None and not delta_time_ms >= 0:
            msg = f"delta_time_ms is 0 or more, or None; got {delta_time_ms}."
            raise ParameterError(msg)
        groups = _as_groups(units_to_merge)
        new_ids = plain_ids(
            generate_unit_ids_for_merge_group(parent.unit_ids, groups, new_unit_ids=new_unit_ids)
        )
        merged = merge_units(parent.spike_table(), parent.unit_ids, groups, new_unit_ids=new_ids)
        super().__init__(parent.sampling_frequency, merged.unit_ids)
        for k in range(parent.get_num_segments()):
            self.add_sorting_segment(TableSortingSegment(self, k, None))
        parent.copy_metadata(self, skip_properties=parent.get_property_keys())
        parent.copy_time_info(self)
        if properties_policy == "keep":
            set_properties_after_merging(self, parent, groups, new_ids)
        else:
            keep_properties_of_others(parent, self, new_ids)
        self._parent = parent
        self._kwargs = {
            "sorting": parent,
            "units_to_merge": groups,
            "new_unit_ids": new_ids,
            "properties_policy": properties_policy,
            "delta_time_ms": delta_time_ms,
        }

    def _make_spike_table(self) -> SpikeTable:
        parent: BaseSorting = self._kwargs["sorting"]
        groups, delta_ms = self._kwargs["units_to_merge"], self._kwargs["delta_time_ms"]
        table = parent.spike_table()
        merged = merge_units(
            table, parent.unit_ids, groups, new_unit_ids=self._kwargs["new_unit_ids"]
        )
        if delta_ms is None:
            return merged.table
        delta = int(delta_ms / 1000 * parent.sampling_frequency)
        is_kept = np.ones(table.n_spikes, bool)
        for group in groups:
            is_kept &= _found_once(table, np.asarray(parent.ids_to_indices(group)), delta)
        return keep_spikes(merged.table, is_kept)


def merge_units_sorting(  # noqa: PLR0917 - as SpikeInterface has it
    sorting: BaseSorting,
    units_to_merge: Sequence[Sequence[UnitId]] | Sequence[UnitId],
    new_unit_ids: Sequence[UnitId] | None = None,
    properties_policy: PropertiesPolicy = "keep",
    delta_time_ms: float | None = 0.4,
) -> MergeUnitsSorting:
    """Return a sorting in which groups of units are merged; see `MergeUnitsSorting`."""
    return MergeUnitsSorting(
        sorting, units_to_merge, new_unit_ids, properties_policy, delta_time_ms
    )


def check_policy(properties_policy: str) -> None:
    """Raise ParameterError unless there is such a policy."""
    if properties_policy not in {"keep", "remove"}:
        msg = f"properties_policy is 'keep' or 'remove'; got {properties_policy!r}."
        raise ParameterError(msg)


def keep_properties_of_others(
    parent: BaseSorting, sorting: BaseSorting, new_unit_ids: Sequence[UnitId]
) -> None:
    """Give units that are not new what they had, and new ones what stands for nothing.

    Properties whose kind has nothing that stands for nothing are left out.
    """
    new = set(plain_ids(new_unit_ids))
    others = [unit_id for unit_id in sorting.unit_ids.tolist() if unit_id not in new]
    positions = parent.ids_to_indices(others)
    for key in parent.get_property_keys():
        values = np.asarray(parent.get_property(key))
        if not new or values.dtype.kind in "fOSU":
            sorting.set_property(key, values[positions], ids=others)


def _as_groups(units_to_merge: Sequence[Sequence[UnitId]] | Sequence[UnitId]) -> list[list[UnitId]]:
    groups = list(units_to_merge)
    if groups and not isinstance(groups[0], list | tuple | np.ndarray):
        groups = [groups]
    return [plain_ids(group) for group in groups]


def _found_once(
    table: SpikeTable, unit_indices: NDArray[np.integer], delta: int
) -> NDArray[np.bool_]:
    """Tell which spikes do not follow one of another unit of a group by at most `delta`."""
    is_kept = np.ones(table.n_spikes, bool)
    spikes = np.flatnonzero(np.isin(table.unit_index, unit_indices))
    segments = np.searchsorted(table.segment_offsets, spikes, side="right")
    is_near = np.diff(table.sample_index[spikes]) <= delta
    is_near &= np.diff(segments) == 0
    is_near &= np.diff(table.unit_index[spikes]) != 0
    is_kept[spikes[1:][is_near]] = False
    return is_kept
