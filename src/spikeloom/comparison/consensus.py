"""Consensus units: the connected units of several sorters, and the spikes that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.agreement_graph import AgreementGraph, Node
from spikeloom.comparison.spike_labels import compare_spike_trains
from spikeloom.core.sorting import BaseSorting

SPIKE_TRAIN_MODES = ("union", "intersection")


@dataclass(frozen=True, slots=True)
class ConsensusUnit:
    """A unit that some sorters agree on."""

    unit_ids: dict[str, Any]
    """The unit of each sorter that has it, by the sorter's name."""
    n_units: int
    """How many units are joined in it."""
    average_agreement: float
    """Mean agreement of those that match; 0 for a unit that only one sorter has."""
    best_pair: tuple[Node, Node] | None
    """The two units that agree most; None if there is one only."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dictionary, under the names that SpikeInterface has."""
        return {
            "avg_agreement": self.average_agreement,
            "unit_ids": dict(self.unit_ids),
            "agreement_number": self.n_units,
        }


def consensus_unit(part: AgreementGraph, names: Sequence[str]) -> ConsensusUnit:
    """Make a unit of a connected part of the graph; `names` are those of the sorters, in order.

    Examples
    --------
    >>> graph = AgreementGraph()
    >>> graph.add_node(("b", 7))
    >>> consensus_unit(graph, ["a", "b"]).as_dict()
    {'avg_agreement': 0.0, 'unit_ids': {'b': 7}, 'agreement_number': 1}
    """
    edges = part.edges
    of_sorter = dict(part.nodes)
    best = max(edges, key=lambda edge: edge[2]) if edges else None
    return ConsensusUnit(
        unit_ids={name: of_sorter[name] for name in names if name in of_sorter},
        n_units=len(part.nodes),
        average_agreement=float(np.mean([edge[2] for edge in edges])) if edges else 0.0,
        best_pair=None if best is None else (best[0], best[1]),
    )


def consensus_train(
    unit: ConsensusUnit, sortings: dict[str, BaseSorting], segment_index: int, mode: str
) -> NDArray[np.int64]:
    """Return the spikes of a consensus unit in a segment, in samples.

    Those of its two units that agree most: the spikes of the first and those of the second that it
    lacks ("union"), or the spikes of the first that the second has, too ("intersection"). Spikes
    are the same if they are 5 samples apart at most, whatever `delta_time` is.
    """
    if unit.best_pair is None:
        ((name, unit_id),) = unit.unit_ids.items()
        return sortings[name].get_unit_spike_train(unit_id, segment_index)
    train1, train2 = (
        sortings[name].get_unit_spike_train(unit_id, segment_index)
        for name, unit_id in unit.best_pair
    )
    labels1, labels2 = compare_spike_trains(train1, train2)
    if mode == "intersection":
        common: NDArray[np.int64] = train1[labels1 == "TP"]
        return common
    return np.sort(np.concatenate((train1, train2[labels2 == "FP"])))
