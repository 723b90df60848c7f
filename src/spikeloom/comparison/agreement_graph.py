"""A graph of units of several sorters, joined where they match; its parts are consensus units.

A node is the name of a sorter and a unit id. Everything stands in the order of sorters and their
units, so that the same sortings always give the same graph.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikeloom.optional import require

Node = tuple[str, Any]
"""Name of a sorter, and the id of one of its units."""
Edge = tuple[Node, Node, float]
"""Two units that match, and how well they agree."""


@dataclass(slots=True)
class AgreementGraph:
    """Units that match, undirected.

    Examples
    --------
    >>> graph = AgreementGraph()
    >>> for node in [("a", 0), ("a", 1), ("b", 0)]:
    ...     graph.add_node(node)
    >>> graph.add_edge(("a", 1), ("b", 0), 0.9)
    >>> [part.nodes for part in graph.parts()]
    [[('a', 0)], [('a', 1), ('b', 0)]]
    """

    weights: dict[Node, dict[Node, float]] = field(default_factory=dict)
    """The neighbours of each node, and how well they agree."""

    @property
    def nodes(self) -> list[Node]:
        """All nodes, in the order in which they were added."""
        return list(self.weights)

    @property
    def edges(self) -> list[Edge]:
        """All edges, each once, from the node that was added first."""
        place = {node: k for k, node in enumerate(self.weights)}
        return [
            (one, two, weight)
            for one, neighbours in self.weights.items()
            for two, weight in neighbours.items()
            if place[one] < place[two]
        ]

    def add_node(self, node: Node) -> None:
        """Add a node, unless it is there."""
        self.weights.setdefault(node, {})

    def add_edge(self, one: Node, two: Node, weight: float) -> None:
        """Join two nodes."""
        self.weights[one][two] = weight
        self.weights[two][one] = weight

    def remove_edge(self, one: Node, two: Node) -> None:
        """Separate two nodes."""
        del self.weights[one][two]
        del self.weights[two][one]

    def remove_node(self, node: Node) -> None:
        """Remove a node, and its edges."""
        for neighbour in self.weights.pop(node):
            del self.weights[neighbour][node]

    def part(self, nodes: Iterable[Node]) -> "AgreementGraph":
        """Return a copy with some of the nodes, and the edges between them."""
        kept = set(nodes)
        return AgreementGraph({
            node: {two: weight for two, weight in neighbours.items() if two in kept}
            for node, neighbours in self.weights.items()
            if node in kept
        })

    def parts(self) -> "list[AgreementGraph]":
        """Return the connected parts, in the order of their first nodes."""
        seen: set[Node] = set()
        parts = []
        for node in self.weights:
            if node not in seen:
                reached = self._reached_from(node)
                seen |= reached
                parts.append(self.part(reached))
        return parts

    def _reached_from(self, node: Node) -> set[Node]:
        reached, left = {node}, [node]
        while left:
            for neighbour in self.weights[left.pop()]:
                if neighbour not in reached:
                    reached.add(neighbour)
                    left.append(neighbour)
        return reached

    def to_networkx(self) -> Any:
        """Return the graph as a ``networkx.Graph``, with agreement as "weight"."""
        nx = require("networkx", feature="A graph", extra="widgets")
        graph = nx.Graph()
        graph.add_nodes_from(self.weights)
        graph.add_weighted_edges_from(self.edges)
        return graph


def without_duplicates(graph: AgreementGraph) -> AgreementGraph:
    """Return a graph where fewer units of the same sorter are joined, through other sorters.

    In each connected part, of each sorter that has several units in it, in the order of names: as
    many edges of these units are cut as there are units too many, those that agree least first.
    Long chains of matches may leave some of them joined.
    """
    clean = graph.part(graph.weights)
    for part in graph.parts():
        for sorter, n_units in _n_units_by_sorter(part.nodes):
            if n_units > 1:
                for one, two, _ in _weakest_edges(part, sorter, n_units):
                    clean.remove_edge(one, two)
    return clean


def _n_units_by_sorter(nodes: Sequence[Node]) -> list[tuple[str, int]]:
    names, counts = np.unique([name for name, _ in nodes], return_counts=True)
    return list(zip(names.tolist(), counts.tolist(), strict=True))


def _weakest_edges(part: AgreementGraph, sorter: str, n_units: int) -> list[Edge]:
    """Cut the weakest edges of the units of a sorter out of a part, and drop their units."""
    units = [node for node in part.nodes if node[0] == sorter]
    edges = [(node, two, weight) for node in units for two, weight in part.weights[node].items()]
    weakest = sorted(edges, key=lambda edge: edge[2])[: n_units - 1]
    for one, two, _ in weakest:
        part.remove_edge(one, two)
    for node in dict.fromkeys(one for one, _, _ in weakest):
        part.remove_node(node)
    return weakest
