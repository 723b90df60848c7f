import importlib.metadata

import pytest

from spikeloom import registry
from spikeloom.errors import DuplicateNameError, UnknownNameError
from spikeloom.registry import Registry


@pytest.fixture
def shapes():
    shapes = Registry[int]("shape")
    shapes.register("square", 4)
    shapes.register("triangle", 3)
    return shapes


def test_things_are_found_by_name(shapes):
    assert shapes.get("square") == 4
    assert shapes.names() == list(shapes) == ["square", "triangle"]
    assert "square" in shapes
    assert "circle" not in shapes


def test_an_unknown_name_is_an_error_that_lists_the_known_ones(shapes):
    with pytest.raises(
        UnknownNameError, match=r"No shape is named 'circle'. Known: square, triangle"
    ):
        shapes.get("circle")


def test_a_name_is_taken_once(shapes):
    assert shapes.register("square", 4) == 4  # the very same thing
    with pytest.raises(DuplicateNameError, match="square"):
        shapes.register("square", 5)
    assert shapes.get("square") == 4


class EntryPoint:
    def __init__(self, name, load):
        self.name, self.load, self.value = name, load, f"elsewhere:{name}"


def test_third_parties_join_at_the_first_look_up(monkeypatch):
    loaded = []

    def entry_points(*, group):
        loaded.append(group)
        return [
            EntryPoint("circle", lambda: 0),
            EntryPoint("line", lambda: shapes.register("line", 2)),
            EntryPoint("square", lambda: 99),
        ]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    shapes = Registry[int]("shape", entry_point_group="tests.shapes")
    shapes.register("square", 4)
    assert loaded == []
    assert shapes.names() == ["circle", "line", "square"]
    assert shapes.get("circle") == 0
    assert shapes.get("line") == 2
    assert shapes.get("square") == 4
    assert loaded == ["tests.shapes"]


def test_a_third_party_that_cannot_be_loaded_is_left_out(monkeypatch):
    def fail():
        msg = "no module named broken"
        raise ImportError(msg)

    points = [EntryPoint("broken", fail), EntryPoint("taken", lambda: shapes.register("line", 3))]
    points.append(EntryPoint("circle", lambda: 0))
    monkeypatch.setattr(registry, "entry_points", lambda *, group: points)
    shapes = Registry[int]("shape", entry_point_group="tests.shapes")
    shapes.register("line", 2)
    with pytest.warns(UserWarning, match="'(broken|taken)' of another package is left out") as told:
        assert shapes.names() == ["circle", "line"]
    assert len(told) == 2
    assert shapes.get("line") == 2


def test_things_can_tell_their_names(monkeypatch):
    points = [EntryPoint("some", lambda: "circle"), EntryPoint("module", lambda: None)]
    monkeypatch.setattr(registry, "entry_points", lambda *, group: points)
    shapes = Registry("shape", entry_point_group="tests.shapes", name_of=lambda thing: thing)
    assert shapes.names() == ["circle"]


def test_importing_spikeloom_loads_no_plugin():
    group = importlib.metadata.entry_points(group="spikeloom.views")
    assert list(group) == []
