"""Which points lie inside a polygon."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def fill_inside(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    vertices: NDArray[np.float64],
    inside: NDArray[np.bool_],
) -> None:
    """Mark in `inside` (n_points,) the points within the polygon `vertices` (n_vertices, 2).

    Even-odd rule: a ray to the right crosses the outline an odd number of times. A point with a
    coordinate that is not a number is outside.
    """
    n_vertices = vertices.shape[0]
    for i in range(x.size):
        is_inside = False
        j = n_vertices - 1
        for k in range(n_vertices):
            y0, y1 = vertices[k, 1], vertices[j, 1]
            if (y0 > y[i]) != (y1 > y[i]):
                x0, x1 = vertices[k, 0], vertices[j, 0]
                if x[i] < (x1 - x0) * (y[i] - y0) / (y1 - y0) + x0:
                    is_inside = not is_inside
            j = k
        inside[i] = is_inside
