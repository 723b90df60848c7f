"""Where made-up neurons lie around a probe."""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError
from spikeloom.generation.random_streams import Purpose, given_or_new_seed, random_stream

_N_CANDIDATES = 32
"""Places that are tried for a neuron in one round."""

_LAYER_WIDTH = 0.2
"""Standard deviation of a layer, relative to the distance between layers."""


def generate_unit_locations(
    num_units: int,
    channel_locations: ArrayLike,
    margin_um: float = 20.0,
    minimum_z: float = 5.0,
    maximum_z: float = 40.0,
    minimum_distance: float | None = 20.0,
    max_iteration: int = 100,
    distance_strict: bool = False,
    distribution: Literal["uniform", "multimodal"] = "uniform",
    num_modes: int = 2,
    seed: int | None = None,
) -> NDArray[np.float64]:
    """Place neurons around a probe, not too close to each other.

    Parameters
    ----------
    num_units : int
        Number of neurons.
    channel_locations : array_like of shape (n_channels, 2 or 3)
        In um.
    margin_um : float, default 20.0
        How far beyond the outermost channels neurons may lie.
    minimum_z, maximum_z : float
        How far in front of the probe they lie, in um.
    minimum_distance : float, optional
        Least distance between two neurons in um, 20 by default; None for none.
    max_iteration : int, default 100
        How often new places are tried for neurons that are too close to others.
    distance_strict : bool, default False
        Raise, rather than warn, if some are still too close then.
    distribution : {"uniform", "multimodal"}
        Spread evenly, or in layers along the probe.
    num_modes : int, default 2
        Number of layers.
    seed : int, optional
        The same seed gives the same places; None is a new seed.

    Returns
    -------
    ndarray of shape (num_units, 3) and dtype float64
        Across, along and in front of the probe, in um.

    Raises
    ------
    ParameterError
        If an argument makes no sense, or if `distance_strict` and there is no room.

    Examples
    --------
    >>> from spikeloom.generation.template_shapes import generate_channel_locations
    >>> channels = generate_channel_locations(32, 2, 20.0)
    >>> generate_unit_locations(10, channels, seed=0).shape
    (10, 3)
    """
    channels_um = np.asarray(channel_locations, np.float64)
    if channels_um.ndim != 2 or channels_um.shape[1] not in {2, 3} or not len(channels_um):
        msg = f"channel_locations must be of shape (n_channels, 2 or 3); got {channels_um.shape}."
        raise ParameterError(msg)
    if distribution not in {"uniform", "multimodal"} or num_modes < 1 or num_units < 0:
        msg = (
            "distribution must be 'uniform' or 'multimodal', num_modes 1 at least and num_units "
            f"not negative; got {distribution!r}, {num_modes} and {num_units}."
        )
        raise ParameterError(msg)
    stream = random_stream(given_or_new_seed(seed), Purpose.UNIT_LOCATIONS)
    low, high = channels_um[:, :2].min(axis=0), channels_um[:, :2].max(axis=0)
    space = _Space(
        np.append(low - margin_um, minimum_z),
        np.append(high + margin_um, maximum_z),
        n_layers=num_modes if distribution == "multimodal" else 0,
    )
    places_um = space.draw(num_units, stream)
    if minimum_distance is None or minimum_distance <= 0:
        return places_um
    for _ in range(max_iteration):
        crowded = _crowded(places_um, minimum_distance)
        if not crowded.size:
            return places_um
        for unit in crowded:
            candidates_um = space.draw(_N_CANDIDATES, stream)
            places_um[unit] = np.inf  # is far from everything
            apart = _squares_apart(candidates_um, places_um).min(axis=1)
            # The first that is far enough keeps the distribution; else the best of the bad.
            is_enough = apart >= minimum_distance**2
            places_um[unit] = candidates_um[(is_enough if is_enough.any() else apart).argmax()]
    n_crowded = _crowded(places_um, minimum_distance).size
    if n_crowded:
        msg = (
            f"{n_crowded} of {num_units} units are closer than minimum_distance="
            f"{minimum_distance} um to another after max_iteration={max_iteration} rounds; "
            "lower minimum_distance, or give more room by margin_um and maximum_z."
        )
        if distance_strict:
            raise ParameterError(msg)
        warnings.warn(msg, stacklevel=2)
    return places_um


@dataclass(frozen=True, slots=True)
class _Space:
    """A box that units may lie in."""

    low_um: NDArray[np.float64]
    high_um: NDArray[np.float64]
    n_layers: int  # along the probe; 0 for none

    def draw(self, n_units: int, stream: np.random.Generator) -> NDArray[np.float64]:
        places_um = stream.uniform(self.low_um, self.high_um, (n_units, 3))
        if self.n_layers:
            low, high = self.low_um[1], self.high_um[1]
            spacing = (high - low) / (self.n_layers + 1)
            layers = low + spacing * stream.integers(1, self.n_layers + 1, n_units)
            along = layers + _LAYER_WIDTH * spacing * stream.standard_normal(n_units)
            places_um[:, 1] = np.clip(along, low, high)
        return places_um


def _crowded(places_um: NDArray[np.float64], minimum_distance: float) -> NDArray[np.int64]:
    """Return the units that are too close to one before them."""
    too_close = np.tril(_squares_apart(places_um, places_um) < minimum_distance**2, k=-1)
    return np.flatnonzero(too_close.any(axis=1))


def _squares_apart(
    first_um: NDArray[np.float64], second_um: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return squared distances of all places of two lists; shape (n_first, n_second)."""
    squares = np.zeros((len(first_um), len(second_um)))
    for here, there in zip(first_um.T, second_um.T, strict=True):  # axis by axis: no third one
        squares += (here[:, None] - there) ** 2
    return squares
