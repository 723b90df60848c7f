"""Channel groups of Kwik files as shanks of a probe, and the other way round."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.extractors.kwik_contents import KwikChannelGroup

if TYPE_CHECKING:
    from probeinterface import Probe


_SHANK_GAP_UM = 200.0


def probe_of_groups(groups: Sequence[KwikChannelGroup]) -> "Probe":
    """Return a probe with a shank for each channel group, wired to the columns of the raw data.

    Many files give each shank coordinates of its own. Where contacts of several would be at the
    same place, shanks are put side by side, 200 um apart.
    """
    from probeinterface import Probe  # noqa: PLC0415 - takes a while to import

    places = [_distinct(group.positions_of(group.channel_order)) for group in groups]
    if len(_unique(np.concatenate(places))) < sum(map(len, places)):
        edge_um = 0.0
        for place in places:
            place[:, 0] += edge_um - place[:, 0].min(initial=np.inf)
            edge_um = place[:, 0].max(initial=edge_um) + _SHANK_GAP_UM
    kept = [len(group.channel_order) for group in groups]
    probe = Probe(ndim=2, si_units="um")
    probe.set_contacts(
        np.concatenate(places),
        shapes="circle",
        shape_params={"radius": 1},
        shank_ids=np.repeat([str(group.index) for group in groups], kept),
    )
    probe.set_device_channel_indices(
        np.concatenate([group.channel_order for group in groups]).astype(np.int64)
    )
    return probe


def _unique(positions_um: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.unique(positions_um, axis=0)


def _distinct(positions_um: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions, or a column 20 um apart if some contacts would be at the same place."""
    if len(_unique(positions_um)) == len(positions_um):
        return positions_um.copy()
    n_channels = len(positions_um)
    return np.column_stack([np.zeros(n_channels), 20.0 * np.arange(n_channels)])


def neighbour_pairs(
    channels: ArrayLike, positions_um: ArrayLike, radius_um: float = 100.0
) -> NDArray[np.int32]:
    """Return the pairs of channels that are close to each other, an adjacency graph.

    Parameters
    ----------
    channels : array_like of shape (n_channels,)
        Columns of the raw data.
    positions_um : array_like of shape (n_channels, 2)
        Where they are.
    radius_um : float, default 100
        Largest distance of neighbours.

    Returns
    -------
    ndarray of shape (n_pairs, 2) and dtype int32

    Examples
    --------
    >>> neighbour_pairs([4, 5, 6], [[0, 0], [0, 20], [0, 200]])
    array([[4, 5]], dtype=int32)
    """
    columns = np.asarray(channels, np.int32)
    places = np.asarray(positions_um, np.float64).reshape(-1, 2)
    distances = np.linalg.norm(places[:, np.newaxis] - places[np.newaxis], axis=2)
    first, second = np.nonzero(np.triu(distances <= radius_um, 1))
    return np.column_stack([columns[first], columns[second]]).astype(np.int32)
