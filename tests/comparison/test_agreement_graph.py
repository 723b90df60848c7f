import pytest

from spikeloom.comparison.agreement_graph import AgreementGraph, without_duplicates


def graph_of(nodes, edges):
    graph = AgreementGraph()
    for node in nodes.split():
        graph.add_node((node[0], int(node[1:])))
    for one, two, weight in edges:
        graph.add_edge((one[0], int(one[1:])), (two[0], int(two[1:])), weight)
    return graph


def shown(graph):
    return [" ".join(f"{name}{unit}" for name, unit in part.nodes) for part in graph.parts()]


def test_connected_units_are_one_part():
    graph = graph_of("a0 a1 b0 b1 c0", [("a1", "b0", 0.9), ("b0", "c0", 0.6)])
    assert shown(graph) == ["a0", "a1 b0 c0", "b1"]
    assert graph.edges == [(("a", 1), ("b", 0), 0.9), (("b", 0), ("c", 0), 0.6)]


def test_the_weakest_edge_of_two_units_of_a_sorter_is_cut():
    edges = [("a0", "b0", 0.9), ("b0", "c0", 0.6), ("c0", "a1", 0.8)]
    graph = graph_of("a0 a1 b0 c0", edges)
    assert shown(graph) == ["a0 a1 b0 c0"]
    clean = without_duplicates(graph)
    # The edges of a0 and a1 are asked; that of b and c is not theirs.
    assert shown(clean) == ["a0 b0 c0", "a1"]
    assert len(graph.edges) == 3  # the graph itself is as it was


def test_nothing_is_cut_where_no_sorter_has_two_units():
    graph = graph_of("a0 b0 c0", [("a0", "b0", 0.9), ("b0", "c0", 0.6), ("a0", "c0", 0.7)])
    assert without_duplicates(graph).edges == graph.edges


def test_nodes_and_edges_can_be_taken_away():
    graph = graph_of("a0 b0 c0", [("a0", "b0", 0.9), ("b0", "c0", 0.6)])
    graph.remove_edge(("a", 0), ("b", 0))
    assert shown(graph) == ["a0", "b0 c0"]
    graph.remove_node(("b", 0))
    assert graph.edges == []
    assert graph.nodes == [("a", 0), ("c", 0)]


def test_graphs_go_to_networkx():
    networkx = pytest.importorskip("networkx")
    graph = graph_of("a0 b0 c0", [("a0", "b0", 0.9)]).to_networkx()
    assert isinstance(graph, networkx.Graph)
    assert list(graph.nodes) == [("a", 0), ("b", 0), ("c", 0)]
    assert list(graph.edges(data="weight")) == [(("a", 0), ("b", 0), 0.9)]
