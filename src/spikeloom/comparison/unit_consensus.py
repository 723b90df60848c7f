"""Units of several sides joined where they match: the graph, and the units of the consensus."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.agreement_graph import AgreementGraph, without_duplicates
from spikeloom.comparison.consensus import ConsensusUnit, consensus_unit
from spikeloom.comparison.pair_matches import PairMatches


class ConsensusOfUnits:
    """What several sides agree on, by comparisons of their pairs; to be derived from."""

    name_list: list[str]
    """What the sides are called."""

    @property
    def comparisons(self) -> Mapping[tuple[str, str], PairMatches]:
        """The comparison of each pair, by their names."""
        raise NotImplementedError

    @property
    def _unit_ids_by_name(self) -> dict[str, NDArray[Any]]:
        """The units of each side."""
        raise NotImplementedError

    @cached_property
    def _agreement_graph(self) -> AgreementGraph:
        graph = AgreementGraph()
        for name, unit_ids in self._unit_ids_by_name.items():
            for unit_id in unit_ids.tolist():
                graph.add_node((name, unit_id))
        for (name1, name2), comparison in self.comparisons.items():
            ids1, ids2 = comparison.unit1_ids.tolist(), comparison.unit2_ids.tolist()
            for k1, k2 in enumerate(comparison._hungarian_12.tolist()):
                if k2 >= 0:
                    weight = float(comparison._scores[k1, k2])
                    graph.add_edge((name1, ids1[k1]), (name2, ids2[k2]), weight)
        return graph

    @cached_property
    def _clean_agreement_graph(self) -> AgreementGraph:
        return without_duplicates(self._agreement_graph)

    @cached_property
    def _consensus(self) -> list[ConsensusUnit]:
        parts = self._clean_agreement_graph.parts()
        return [consensus_unit(part, self.name_list) for part in parts]

    @property
    def units(self) -> dict[int, dict[str, Any]]:
        """The units that sides agree on: avg_agreement, unit_ids and agreement_number, by id."""
        return {k: deepcopy(unit.as_dict()) for k, unit in enumerate(self._consensus)}

    @property
    def graph(self) -> Any:
        """All units, joined where they match, as a ``networkx.Graph``; needs networkx."""
        return self._agreement_graph.to_networkx()

    @property
    def clean_graph(self) -> Any:
        """The same after cuts between units of one side, as a ``networkx.Graph``."""
        return self._clean_agreement_graph.to_networkx()

    @property
    def subgraphs(self) -> list[Any]:
        """The connected parts of `clean_graph`, one for each of `units`."""
        return [part.to_networkx() for part in self._clean_agreement_graph.parts()]

    def compute_subgraphs(self) -> tuple[list[list[str]], list[list[Any]]]:
        """Return the connected units: for each part the names of sides, and their unit ids."""
        parts = self._clean_agreement_graph.parts()
        return (
            [[name for name, _ in part.nodes] for part in parts],
            [[unit_id for _, unit_id in part.nodes] for part in parts],
        )

    def _do_agreement_matrix(self, minimum_agreement: int = 1) -> NDArray[np.float64]:
        """Return the average agreement of each unit, NaN for sides without it.

        Shape (n_units, n_sides), sides in the order of their names.
        """
        units = [unit for unit in self._consensus if unit.n_units >= minimum_agreement]
        matrix = np.full((len(units), len(self.name_list)), np.nan)
        for k, unit in enumerate(units):
            has_it = [name in unit.unit_ids for name in sorted(self.name_list)]
            matrix[k, has_it] = unit.average_agreement
        return matrix
