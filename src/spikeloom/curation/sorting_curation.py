"""A sorting that is curated step by step, with undo and redo."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spikeloom.core.sorting import BaseSorting
from spikeloom.core.unit_ids import UnitId, plain_ids
from spikeloom.curation.merged_sorting import MergeUnitsSorting, PropertiesPolicy, check_policy
from spikeloom.curation.split_sorting import SplitUnitSorting
from spikeloom.errors import ParameterError
from spikeloom.optional import require

if TYPE_CHECKING:
    import networkx as nx


class CurationSorting:
    """A sorting that is merged, split and thinned out step by step; every step can be undone.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting, which stays as it is.
    make_graph : bool, default False
        Keep what became of what, for `graph`; that needs networkx.
    properties_policy : {"keep", "remove"}
        Whether units that come of others have their properties; see `MergeUnitsSorting`.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({0: [10, 300], 1: [90], 2: [5]}, 30000.0)
    >>> curated = CurationSorting(sorting)
    >>> curated.merge([0, 1])
    >>> curated.remove_unit(2)
    >>> curated.sorting.unit_ids.tolist()
    [3]
    >>> curated.undo()
    >>> curated.sorting.unit_ids.tolist()
    [2, 3]
    """

    def __init__(
        self,
        sorting: BaseSorting,
        make_graph: bool = False,  # noqa: FBT001, FBT002 - as SpikeInterface has it
        properties_policy: PropertiesPolicy = "keep",
    ) -> None:
        check_policy(properties_policy)
        self._stages = [sorting]
        self._edges: list[list[tuple[UnitId, UnitId]]] = []
        self._stage = 0
        self._makes_graph = make_graph
        self._policy: PropertiesPolicy = properties_policy
        numbers = [int(one) for one in sorting.unit_ids.tolist() if str(one).isdigit()]
        self.max_used_id = max(numbers, default=-1)
        """The largest id that is a number, of units there are or were."""

    @property
    def sorting(self) -> BaseSorting:
        """The sorting as it is now."""
        return self._stages[self._stage]

    @property
    def current_sorting(self) -> BaseSorting:
        """The sorting as it is now."""
        return self.sorting

    # -- steps -------------------------------------------------------------------------------

    def split(
        self,
        split_unit_id: UnitId,
        indices_list: Sequence[ArrayLike] | ArrayLike,
        new_unit_ids: Sequence[UnitId] | None = None,
    ) -> None:
        """Split a unit; see `SplitUnitSorting`."""
        before = self.sorting
        if new_unit_ids is None:
            arrays = indices_list if isinstance(indices_list, list | tuple) else [indices_list]
            flat = [np.ravel(np.asarray(one)) for one in arrays]
            new_unit_ids = self._unused_ids(np.unique(np.concatenate(flat)).size)
        after = SplitUnitSorting(
            before, split_unit_id, indices_list, new_unit_ids, properties_policy=self._policy
        )
        new = [(split_unit_id, unit_id) for unit_id in plain_ids(new_unit_ids)]
        self._add(after, {split_unit_id}, new)

    def merge(
        self,
        units_to_merge: Sequence[UnitId],
        new_unit_id: UnitId | None = None,
        delta_time_ms: float | None = 0.4,
    ) -> None:
        """Merge units into one; see `MergeUnitsSorting`."""
        new_id = self._unused_ids(1)[0] if new_unit_id is None else new_unit_id
        merged = plain_ids(units_to_merge)
        after = MergeUnitsSorting(
            self.sorting,
            [merged],
            [new_id],
            properties_policy=self._policy,
            delta_time_ms=delta_time_ms,
        )
        self._add(after, set(merged), [(unit_id, new_id) for unit_id in merged])

    def remove_units(self, unit_ids: Sequence[UnitId]) -> None:
        """Remove units; raises ParameterError if there is no such unit."""
        self.sorting.ids_to_indices(unit_ids)
        removed = set(plain_ids(unit_ids))
        kept = [unit_id for unit_id in self.sorting.unit_ids.tolist() if unit_id not in removed]
        self._add(self.sorting.select_units(kept), removed, [])

    def remove_unit(self, unit_id: UnitId) -> None:
        """Remove a unit."""
        self.remove_units([unit_id])

    def select_units(
        self, unit_ids: Sequence[UnitId], renamed_unit_ids: Sequence[UnitId] | None = None
    ) -> None:
        """Take some units only, perhaps with other ids."""
        after = self.sorting.select_units(unit_ids, renamed_unit_ids)
        pairs = list(zip(plain_ids(unit_ids), after.unit_ids.tolist(), strict=True))
        self._add(after, set(self.sorting.unit_ids.tolist()), pairs)

    def rename(self, renamed_unit_ids: Sequence[UnitId]) -> None:
        """Give all units other ids."""
        self.select_units(self.sorting.unit_ids.tolist(), renamed_unit_ids)

    def remove_empty_units(self) -> None:
        """Remove units without spikes."""
        after = self.sorting.remove_empty_units()
        removed = set(self.sorting.unit_ids.tolist()) - set(after.unit_ids.tolist())
        self._add(after, removed, [])

    # -- undo --------------------------------------------------------------------------------

    def undo_available(self) -> bool:
        """Tell whether there is a step to undo."""
        return self._stage > 0

    def redo_available(self) -> bool:
        """Tell whether there is an undone step."""
        return self._stage < len(self._stages) - 1

    def undo(self) -> None:
        """Undo the last step, if there is one."""
        self._stage -= self.undo_available()

    def redo(self) -> None:
        """Do the last undone step again, if there is one."""
        self._stage += self.redo_available()

    # -- what became of what -----------------------------------------------------------------

    @property
    def graph(self) -> "nx.DiGraph":
        """What became of what, as a ``networkx.DiGraph`` of (unit_id, stage).

        Raises
        ------
        ParameterError
            If it was made without ``make_graph=True``.
        """
        nx = require("networkx", feature="A graph", extra="widgets")
        if not self._makes_graph:
            msg = "There is no graph: make it with CurationSorting(sorting, make_graph=True)."
            raise ParameterError(msg)
        graph = nx.DiGraph()
        graph.add_nodes_from((unit_id, 0) for unit_id in self._stages[0].unit_ids.tolist())
        for stage, edges in enumerate(self._edges[: self._stage]):
            graph.add_edges_from(((one, stage), (two, stage + 1)) for one, two in edges)
        return graph

    def draw_graph(self, **kwargs: object) -> None:
        """Draw `graph` with networkx and matplotlib, from stage to stage."""
        nx = require("networkx", feature="A graph", extra="widgets")
        graph = self.graph
        rows = {unit_id: k for k, unit_id in enumerate(dict.fromkeys(n[0] for n in graph.nodes))}
        positions = {node: (node[1], -rows[node[0]]) for node in graph.nodes}
        labels = {node: str(node[0]) for node in graph.nodes}
        nx.draw(graph, pos=positions, labels=labels, **kwargs)

    def _unused_ids(self, n_ids: int) -> list[UnitId]:
        numbers = range(self.max_used_id + 1, self.max_used_id + 1 + n_ids)
        is_text = self.sorting.unit_ids.dtype.kind in "US"
        return [str(one) if is_text else one for one in numbers]

    def _add(
        self, after: BaseSorting, gone: set[UnitId], new: Sequence[tuple[UnitId, UnitId]]
    ) -> None:
        kept = [one for one in self.sorting.unit_ids.tolist() if one not in gone]
        del self._stages[self._stage + 1 :], self._edges[self._stage :]
        self._stages.append(after)
        self._edges.append([*((one, one) for one in kept), *new])
        self._stage += 1
        numbers = [int(one) for one in after.unit_ids.tolist() if str(one).isdigit()]
        self.max_used_id = max(self.max_used_id, *numbers, -1)


def curation_sorting(
    sorting: BaseSorting,
    make_graph: bool = False,  # noqa: FBT001, FBT002 - as SpikeInterface has it
    properties_policy: PropertiesPolicy = "keep",
) -> CurationSorting:
    """Return a sorting that is curated step by step; see `CurationSorting`."""
    return CurationSorting(sorting, make_graph, properties_policy)
