"""Twin of the point-in-polygon test, in exact arithmetic."""

from fractions import Fraction
from math import isfinite


def is_inside(x, y, vertices):
    """Tell whether a ray to the right crosses the outline an odd number of times."""
    if not (isfinite(x) and isfinite(y)):
        return False
    x, y = Fraction(x), Fraction(y)
    corners = [(Fraction(a), Fraction(b)) for a, b in vertices]
    n_crossings = 0
    for (x0, y0), (x1, y1) in zip(corners, [corners[-1], *corners[:-1]], strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (x1 - x0) * (y - y0) / (y1 - y0):
            n_crossings += 1
    return n_crossings % 2 == 1
