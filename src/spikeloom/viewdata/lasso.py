"""Which spikes lie inside a polygon drawn in a view: all of them, not only the ones drawn.

The polygon is in the coordinates of the plot's axes. Every spike of the selected clusters gets
the very coordinates that the view would draw it at; a spike without coordinates (no feature was
computed for it, or its template has none on that channel) is *unplaced*: it is counted, and never
moved without being asked about.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.kernels.polygons import fill_inside
from spikeloom.viewdata.amplitudes import AmplitudeKind, amplitude_values
from spikeloom.viewdata.context import ViewContext
from spikeloom.viewdata.features import feature_values

N_VERTICES_MIN, N_VERTICES_MAX = 3, 10_000


class Axis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an axis of a plot shows."""

    kind: Literal["time", "feature", "template", "raw"]
    """Time in seconds, a feature, or a kind of amplitude."""
    channel: int = -1
    """Channel of a feature."""
    component: int = 0
    """Principal component of a feature."""


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A polygon drawn in a plot."""

    x: Axis
    """Horizontal axis."""
    y: Axis
    """Vertical axis."""
    vertices: list[tuple[float, float]]
    """Corners in the units of the axes."""


class LassoCounts(msgspec.Struct, frozen=True):
    """What a lasso takes of each selected cluster."""

    cluster_ids: list[int]
    """The clusters."""
    n_inside: list[int]
    """Spikes inside."""
    n_spikes: list[int]
    """All spikes."""
    n_unplaced: list[int]
    """Spikes without coordinates in this plot."""


def spikes_inside(
    context: ViewContext, cluster_ids: list[int], regions: list[Region]
) -> tuple[NDArray[np.int64], LassoCounts]:
    """Return the spikes of clusters that lie inside any of the regions.

    Raises
    ------
    ParameterError
        If a region has fewer than three corners.
    """
    inside: list[NDArray[np.integer]] = []
    n_inside, n_spikes, n_unplaced = [], [], []
    for cluster_id in cluster_ids:
        context.cancel.check()
        spikes = context.spikes_of(cluster_id)
        is_inside = np.zeros(spikes.size, np.bool_)
        is_unplaced = np.zeros(spikes.size, np.bool_)
        for region in regions:
            _check(region)
            x = _coordinates(context, cluster_id, spikes, region.x)
            y = _coordinates(context, cluster_id, spikes, region.y)
            in_region = np.zeros(spikes.size, np.bool_)
            fill_inside(x, y, np.array(region.vertices, np.float64), in_region)
            is_inside |= in_region
            is_unplaced |= ~(np.isfinite(x) & np.isfinite(y))
        inside.append(spikes[is_inside])
        n_inside.append(int(is_inside.sum()))
        n_spikes.append(int(spikes.size))
        n_unplaced.append(int((is_unplaced & ~is_inside).sum()))
    found = np.sort(np.concatenate([*inside, np.zeros(0, np.int64)])).astype(np.int64)
    return found, LassoCounts(cluster_ids, n_inside, n_spikes, n_unplaced)


def _check(region: Region) -> None:
    if not N_VERTICES_MIN <= len(region.vertices) <= N_VERTICES_MAX:
        msg = (
            f"A lasso needs {N_VERTICES_MIN} to {N_VERTICES_MAX} corners; "
            f"got {len(region.vertices)}."
        )
        raise ParameterError(msg)


def _coordinates(
    context: ViewContext, cluster_id: int, spikes: NDArray[np.integer], axis: Axis
) -> NDArray[np.float64]:
    """Return where spikes lie along an axis, rounded as drawn (to float32)."""
    if axis.kind == "time":
        values = context.times_s(spikes)
    elif axis.kind == "feature":
        values = feature_values(context, spikes, axis.channel, axis.component)
    else:
        kind: AmplitudeKind = axis.kind
        values = amplitude_values(
            context, cluster_id, spikes, kind=kind, channel=axis.channel, component=axis.component
        )
    return values.astype(np.float32).astype(np.float64)
