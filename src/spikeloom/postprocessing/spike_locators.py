"""How spikes are placed: one class a method, which works on the spikes of a chunk."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.chunk_pass import TraceBlock
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.postprocessing.amplitude_scalings import scale_of
from spikeloom.postprocessing.localization import FEATURES, LOCATION_DTYPES, LocationGrid
from spikeloom.postprocessing.radial_decrease import enforce_decrease, radial_parents
from spikeloom.postprocessing.triangulation import Optimizer, triangulate_near


@dataclass(frozen=True)
class Neighbours:
    """The channels around each channel."""

    first: NDArray[np.int64]
    """Where those of each channel begin in `columns`, and the end; shape (n_channels + 1,)."""
    columns: NDArray[np.int64]
    """Positions of channels, increasing for each."""

    @property
    def n_max(self) -> int:
        """Most that a channel has."""
        return int(np.diff(self.first).max(initial=0))

    def of(self, channel: int) -> NDArray[np.int64]:
        """Return the channels around a channel, itself among them."""
        return self.columns[self.first[channel] : self.first[channel + 1]]


def neighbours(mask: NDArray[np.bool_]) -> Neighbours:
    """Return the channels that a mask (n_channels, n_channels) has around each channel."""
    first = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).astype(np.int64)
    return Neighbours(first, np.nonzero(mask)[1].astype(np.int64))


@dataclass(frozen=True)
class MainChannels:
    """Which channel each spike is looked at from."""

    of_units: NDArray[np.int64]
    """Main channel of each unit; shape (n_units,)."""
    around: Neighbours | None = None
    """Channels among which the strongest one of each spike is taken; None for the unit's."""
    sign: int = -1
    """Which way peaks go: -1, 1, or 0 for either."""

    def of(
        self, block: TraceBlock, rows: NDArray[np.int64], units: NDArray[np.integer]
    ) -> NDArray[np.int64]:
        """Return the channel of each spike; shape (n_spikes,)."""
        from spikeloom.kernels.spike_features import (  # noqa: PLC0415 - imports numba
            Around,
            strongest_channels,
        )

        channels: NDArray[np.int64] = self.of_units[units]
        if self.around is None:
            return channels
        strongest = np.empty(channels.size, np.int64)
        around = Around(block.raw, scale_of(block), self.around.first, self.around.columns)
        strongest_channels(around, rows, channels, self.sign, strongest)
        return strongest


@dataclass(frozen=True)
class Locator:
    """Places spikes; the methods differ in `locate`."""

    channels: MainChannels
    locations: NDArray[np.float64]
    """Positions of channels in micrometres; shape (n_channels, 2)."""
    window: tuple[int, int]
    """Samples before a spike, and from it on."""

    method = "peak_channel"

    @property
    def margin(self) -> int:
        """Samples needed around a spike."""
        return max(self.window)

    def __call__(
        self, block: TraceBlock, spikes: SpikeTable, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[Any], ...]:
        """Return the positions of some spikes."""
        rows = spikes.sample_index[chosen] - block.first_sample
        channels = self.channels.of(block, rows, spikes.unit_index[chosen])
        found = self.locate(block, rows, channels)
        located = np.zeros(rows.size, LOCATION_DTYPES[self.method])
        for k, name in enumerate(located.dtype.names or ()):
            located[name] = found[:, k]
        return (located,)

    def locate(
        self,
        block: TraceBlock,  # noqa: ARG002 - for other methods
        rows: NDArray[np.int64],  # noqa: ARG002
        channels: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return positions of shape (n_spikes, 2 or more)."""
        return self.locations[channels]


@dataclass(frozen=True)
class FeatureLocator(Locator):
    """Places spikes by their center of mass."""

    around: Neighbours = field(kw_only=True)
    feature: str = field(kw_only=True)

    method = "center_of_mass"

    def features(
        self, block: TraceBlock, rows: NDArray[np.int64], channels: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return how strong spikes are at the neighbours; shape (n_spikes, n_neighbours_max)."""
        from spikeloom.kernels.spike_features import (  # noqa: PLC0415 - imports numba
            Around,
            neighbour_features,
        )

        features = np.zeros((rows.size, self.around.n_max))
        around = Around(block.raw, scale_of(block), self.around.first, self.around.columns)
        feature = FEATURES.index(self.feature)
        neighbour_features(around, rows, channels, self.window, feature, features)
        return features

    def locate(
        self, block: TraceBlock, rows: NDArray[np.int64], channels: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return x and y."""
        from spikeloom.kernels.spike_features import (  # noqa: PLC0415 - imports numba
            weighted_centers,
        )

        features = self.features(block, rows, channels)
        centers = np.empty((rows.size, 2))
        near = (self.around.first, self.around.columns)
        weighted_centers(features, channels, *near, self.locations, centers)
        return centers


@dataclass(frozen=True)
class MonopoleLocator(FeatureLocator):
    """Places spikes by how their strength falls off."""

    max_distance_um: float = field(kw_only=True)
    optimizer: Optimizer = field(kw_only=True)
    is_decreasing: bool = field(kw_only=True)

    method = "monopolar_triangulation"

    @cached_property
    def parents(self) -> dict[int, Any]:
        """What `radial_decrease.radial_parents` returns for each channel."""
        return {
            channel: radial_parents(self.locations, channel, self.around.of(channel))
            for channel in range(len(self.locations))
        }

    def locate(
        self, block: TraceBlock, rows: NDArray[np.int64], channels: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return x, y, z and alpha."""
        features = self.features(block, rows, channels)
        if self.feature == "peak_voltage":
            features = np.abs(features)
        if self.is_decreasing:
            for channel in np.unique(channels).tolist():
                which = np.flatnonzero(channels == channel)
                near = slice(self.around.of(channel).size)
                values = features[which, near]
                features[which, near] = enforce_decrease(values, self.parents[channel])
        return triangulate_near(
            features,
            channels,
            (self.around.first, self.around.columns),
            self.locations,
            max_distance_um=self.max_distance_um,
            optimizer=self.optimizer,
        )


@dataclass(frozen=True)
class GridLocator(Locator):
    """Places spikes where made-up ones of a grid are most alike."""

    grid: LocationGrid = field(kw_only=True)
    prototype: NDArray[np.float64] = field(kw_only=True)
    percentile: float = field(kw_only=True)

    method = "grid_convolution"

    @cached_property
    def around(self) -> Neighbours:
        """Channels that the points near each channel are seen from."""
        seen = [(self.grid.weights[:, :, near] > 0).any(axis=(0, 2)) for near in self.grid.is_near]
        return neighbours(np.array(seen).reshape(len(seen), -1))

    def locate(
        self, block: TraceBlock, rows: NDArray[np.int64], channels: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return x, y and z."""
        from spikeloom.kernels.spike_features import (  # noqa: PLC0415 - imports numba
            Around,
            grid_centers,
            neighbour_products,
        )

        around = self.around
        products = np.zeros((rows.size, around.n_max))
        seen_from = Around(block.raw, scale_of(block), around.first, around.columns)
        shape = self.prototype
        neighbour_products(seen_from, rows, channels, self.window[0], shape, products)
        centers = np.zeros((rows.size, 3))
        for channel in np.unique(channels).tolist():
            which = np.flatnonzero(channels == channel)
            near, seen = self.grid.is_near[channel], around.of(channel)
            found = np.empty((which.size, 3))
            grid_centers(
                np.ascontiguousarray(products[which, : seen.size]),
                np.ascontiguousarray(self.grid.weights[:, seen][:, :, near]),
                self.grid.positions_um[near],
                self.grid.depths,
                1 - self.percentile / 100,
                found,
            )
            centers[which] = found
        return centers
