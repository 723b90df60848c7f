import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference.polygons import is_inside
from spikeloom.kernels.polygons import fill_inside

corners = st.tuples(st.integers(-6, 6), st.integers(-6, 6))


def inside(points, vertices):
    points = np.array(points, np.float64).reshape(-1, 2)
    found = np.zeros(len(points), np.bool_)
    fill_inside(points[:, 0].copy(), points[:, 1].copy(), np.array(vertices, np.float64), found)
    return found.tolist()


@given(
    st.lists(corners, min_size=3, max_size=12),
    st.lists(st.tuples(st.integers(-28, 28), st.integers(-28, 28)), max_size=30),
)
def test_equals_exact_arithmetic_for_any_polygon_even_one_that_crosses_itself(vertices, quarters):
    points = [(x / 4, y / 4) for x, y in quarters]
    assert inside(points, vertices) == [is_inside(x, y, vertices) for x, y in points]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_point_without_a_finite_coordinate_is_outside(bad):
    square = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    assert inside([(bad, 0), (0, bad), (bad, bad), (0, 0)], square) == [False, False, False, True]


def test_every_point_belongs_to_exactly_one_of_two_polygons_that_share_an_edge():
    left = [(0, 0), (2, 0), (2, 2), (0, 2)]
    right = [(2, 0), (4, 0), (4, 2), (2, 2)]
    points = [(x / 4, y / 4) for x in range(16) for y in range(8)]
    both = zip(inside(points, left), inside(points, right), strict=True)
    assert all(a != b for a, b in both)
