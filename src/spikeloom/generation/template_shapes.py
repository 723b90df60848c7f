"""Templates of made-up neurons: a waveform that loses amplitude and time on its way to a channel.

Each neuron has one waveform, see `spikeloom.generation.spike_waveforms`. Its amplitude falls with
the distance, which for a flattened neuron depends on the direction, and it arrives later on
channels farther away.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.errors import ParameterError
from spikeloom.generation.random_streams import Purpose, given_or_new_seed, random_stream
from spikeloom.generation.spike_waveforms import (
    STEP_MS,
    SpikePhases,
    check_window,
    delayed_waveforms,
    fine_waveforms,
)

UNIT_PARAMETER_RANGES: Mapping[str, tuple[float, float]] = {
    "alpha": (100.0, 500.0),
    "depolarization_ms": (0.09, 0.14),
    "repolarization_ms": (0.5, 0.8),
    "recovery_ms": (1.0, 1.5),
    "positive_amplitude": (0.1, 0.25),
    "smooth_ms": (0.03, 0.07),
    "spatial_decay": (10.0, 45.0),
    "propagation_speed": (250.0, 350.0),
    "ellipse_shrink": (0.4, 1.0),
    "ellipse_angle": (0.0, 2 * np.pi),
    "spatial_power": (1.5, 2.5),
}
"""Ranges that the parameters of units are drawn from, see `generate_templates`."""

_PHASES = (
    "depolarization_ms",
    "repolarization_ms",
    "recovery_ms",
    "positive_amplitude",
    "smooth_ms",
)

_N_UNITS_TOGETHER = 32
"""Units that are worked on at once, in the processor's cache."""


def generate_templates(
    channel_locations: ArrayLike,
    units_locations: ArrayLike,
    sampling_frequency: float,
    ms_before: float,
    ms_after: float,
    seed: int | None = None,
    dtype: DTypeLike = "float32",
    upsample_factor: int | None = None,
    unit_params: Mapping[str, Any] | None = None,
    mode: Literal["ellipsoid", "sphere"] = "ellipsoid",
    spatial_profile: Literal["exponential", "power"] = "exponential",
) -> NDArray[np.floating]:
    """Make the templates of neurons at known places.

    Parameters
    ----------
    channel_locations : array_like of shape (n_channels, 2 or 3)
        In um.
    units_locations : array_like of shape (n_units, 3)
        Across, along and in front of the probe, in um; see `generate_unit_locations`.
    sampling_frequency : float
        In Hz.
    ms_before, ms_after : float
        How much to make before and after the trough, in ms.
    seed : int, optional
        The same seed gives the same templates; None is a new seed.
    dtype : dtype, default float32
        Number type of the result.
    upsample_factor : int, optional
        Make each template so many times, each a fraction of a sample later than the one before.
    unit_params : dict, optional
        Parameters of units, each a number for all, an array of one for each, or a tuple of the
        ends of a range to draw from:

        * ``alpha``: amplitude at the neuron itself (100 to 500)
        * ``depolarization_ms``, ``repolarization_ms``, ``recovery_ms``: how long the potential
          falls (0.09 to 0.14), rises (0.5 to 0.8) and comes back to rest (1 to 1.5)
        * ``positive_amplitude``: height of the hump, relative to the trough (0.1 to 0.25)
        * ``smooth_ms``: standard deviation of the smoothing (0.03 to 0.07)
        * ``spatial_decay``: distance constant of the amplitude in um (10 to 45)
        * ``spatial_power``: exponent of the profile ``"power"`` (1.5 to 2.5)
        * ``propagation_speed``: in um per ms (250 to 350); None for none
        * ``ellipse_shrink``, ``ellipse_angle``: how flat the neuron is (0.4 to 1), and its
          direction in radians (0 to a full turn)
    mode : {"ellipsoid", "sphere"}
        Whether distances depend on the direction.
    spatial_profile : {"exponential", "power"}
        ``alpha * exp(-r / spatial_decay)`` or ``alpha / (1 + (r / spatial_decay)**spatial_power)``.

    Returns
    -------
    ndarray of shape (n_units, n_samples, n_channels), or (n_units, n_samples, n_channels, upsample_factor)
        Troughs on the nearest channels are at sample
        ``round(ms_before * sampling_frequency / 1000)``.

    Raises
    ------
    ParameterError
        If a shape, a name or a number makes no sense, or if spikes do not fit into the window.

    Examples
    --------
    >>> channels = generate_channel_locations(4, 1, 20.0)
    >>> templates = generate_templates(channels, [[0.0, 20.0, 10.0]], 30_000.0, 1.0, 3.0, seed=0)
    >>> templates.shape, int(np.abs(templates[0]).max(axis=0).argmax())
    ((1, 120, 4), 1)
    """  # noqa: E501 - the shape of what is returned
    channels_um, units_um = _checked_locations(channel_locations, units_locations)
    if mode not in {"ellipsoid", "sphere"}:
        msg = f"mode must be 'ellipsoid' or 'sphere'; got {mode!r}."
        raise ParameterError(msg)
    if spatial_profile not in {"exponential", "power"}:
        msg = f"spatial_profile must be 'exponential' or 'power'; got {spatial_profile!r}."
        raise ParameterError(msg)
    if upsample_factor is not None and int(upsample_factor) < 1:
        msg = f"upsample_factor={upsample_factor} must be 1 at least, or None."
        raise ParameterError(msg)
    n_units = len(units_um)
    params = draw_unit_parameters(unit_params or {}, n_units, given_or_new_seed(seed))
    if mode == "sphere":
        params.update(ellipse_shrink=[1.0] * n_units, ellipse_angle=[0.0] * n_units)
    n_before, n_after = (round(ms * sampling_frequency / 1000) for ms in (ms_before, ms_after))
    n_phases = int(upsample_factor or 1)
    fractions = np.arange(n_phases) / n_phases
    templates = np.empty((n_units, n_before + n_after, len(channels_um), n_phases), dtype)
    work = np.float32 if templates.dtype == np.float32 else np.float64
    for begin in range(0, n_units, _N_UNITS_TOGETHER):
        units = slice(begin, begin + _N_UNITS_TOGETHER)
        own = {name: _as_numbers(values[units]) for name, values in params.items()}
        phases = SpikePhases(**{name: own[name] for name in _PHASES})
        check_window(phases, ms_before, ms_after)
        distances_um = ellipsoid_distances(
            channels_um, units_um[units], shrink=own["ellipse_shrink"], angle=own["ellipse_angle"]
        )
        later_um = distances_um - distances_um.min(axis=1, keepdims=True)
        delays = later_um / own["propagation_speed"][:, None] * (sampling_frequency / 1000)
        # A sample is a number of steps: then all samples of a channel lie alike between two of
        # them. It is a power of two, so that twice the sampling frequency means the same grid.
        sample_ms = 1000 / sampling_frequency
        n_steps = 1 << max(0, round(math.log2(sample_ms / STEP_MS)))
        gains = _gains(distances_um, own, spatial_profile)
        delayed_waveforms(
            fine_waveforms(phases, step_ms=sample_ms / n_steps, dtype=work),
            (delays[..., None] - fractions).reshape(len(delays), -1) * sample_ms,
            n_before=n_before,
            n_samples=n_before + n_after,
            n_steps=n_steps,
            gains=np.repeat(gains, n_phases, axis=1),
            out=templates[units].reshape(len(delays), n_before + n_after, -1),
        )
    return templates if upsample_factor is not None else templates[..., 0]


def draw_unit_parameters(
    unit_params: Mapping[str, Any], n_units: int, seed: int
) -> dict[str, list[Any]]:
    """Return each parameter of each unit, as given or drawn.

    Raises
    ------
    ParameterError
        If a parameter is unknown, or has another number of values than there are units.

    Examples
    --------
    >>> params = draw_unit_parameters({"alpha": 100.0, "propagation_speed": None}, 2, seed=0)
    >>> params["alpha"], params["propagation_speed"], 10 <= min(params["spatial_decay"]) <= 45
    ([100.0, 100.0], [None, None], True)
    """
    unknown = sorted(set(unit_params) - set(UNIT_PARAMETER_RANGES))
    if unknown:
        msg = f"Unknown parameters of units: {unknown}. Known: {list(UNIT_PARAMETER_RANGES)}."
        raise ParameterError(msg)
    params: dict[str, list[Any]] = {}
    for number, (name, default) in enumerate(UNIT_PARAMETER_RANGES.items()):
        value = unit_params.get(name, default)
        if isinstance(value, tuple):
            # A stream for each: to give one parameter does not change the others.
            stream = random_stream(seed, Purpose.TEMPLATE_SHAPES, number)
            low, high = value
            value = stream.uniform(low, high, n_units)
        if value is None or np.ndim(value) == 0:
            params[name] = [value] * n_units
            continue
        params[name] = np.asarray(value).tolist()
        if np.shape(value) != (n_units,):
            msg = f"unit_params[{name!r}] has shape {np.shape(value)}; there are {n_units} units."
            raise ParameterError(msg)
    return params


def ellipsoid_distances(
    channel_locations: NDArray[np.float64],
    unit_locations: NDArray[np.float64],
    *,
    shrink: ArrayLike = 1.0,
    angle: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Return the distances of channels from units that are flattened along one direction.

    Parameters
    ----------
    channel_locations : ndarray of shape (n_channels, 3)
        In um.
    unit_locations : ndarray of shape (n_units, 3)
        In um.
    shrink : float or array_like of shape (n_units,), default 1.0
        How much nearer than it is a channel must be along the short axis.
    angle : float or array_like of shape (n_units,), default 0.0
        Angle of the long axis in the plane of the probe, in radians.

    Returns
    -------
    ndarray of shape (n_units, n_channels) and dtype float64
        In um; farther than they are along the short axis.

    Examples
    --------
    >>> channels = np.array([[10.0, 0.0, 0.0], [0.0, 10.0, 0.0]])
    >>> ellipsoid_distances(channels, np.zeros((1, 3)), shrink=0.5)
    array([[10., 20.]])
    """
    x, y, z = np.moveaxis(channel_locations - unit_locations[:, None], -1, 0)
    angles = np.asarray(angle)[..., None]
    along = np.cos(angles) * x + np.sin(angles) * y
    across = np.cos(angles) * y - np.sin(angles) * x
    squares = along**2 + (across / np.asarray(shrink)[..., None]) ** 2 + z**2
    return np.asarray(np.sqrt(squares))


def generate_channel_locations(
    num_channels: int, num_columns: int, contact_spacing_um: float
) -> NDArray[np.float64]:
    """Return the positions of channels in columns.

    Parameters
    ----------
    num_channels : int
        Number of channels, one column after the other.
    num_columns : int
        Number of columns, each with the same number of channels.
    contact_spacing_um : float
        Distance between columns, and between channels of a column.

    Returns
    -------
    ndarray of shape (n_channels, 2) and dtype float64
        In um.

    Raises
    ------
    ParameterError
        If the channels do not fill the columns.

    Examples
    --------
    >>> generate_channel_locations(4, 2, 20.0).tolist()
    [[0.0, 0.0], [0.0, 20.0], [20.0, 0.0], [20.0, 20.0]]
    """
    if num_columns < 1 or num_channels % num_columns:
        msg = f"{num_channels} channels do not fill num_columns={num_columns} columns evenly."
        raise ParameterError(msg)
    column, row = np.divmod(np.arange(num_channels), max(1, num_channels // num_columns))
    return np.column_stack([column, row]) * float(contact_spacing_um)


def _as_numbers(values: list[Any]) -> NDArray[np.float64]:
    """Return parameters as numbers; a speed that is None is without limit."""
    return np.array([np.inf if value is None else value for value in values], np.float64)


def _gains(
    distances_um: NDArray[np.float64], own: Mapping[str, NDArray[np.float64]], spatial_profile: str
) -> NDArray[np.float64]:
    """Return the amplitude at each distance; shape (n_units, n_channels)."""
    alpha = own["alpha"][:, None]
    relative = distances_um / own["spatial_decay"][:, None]
    if spatial_profile == "exponential":
        return np.asarray(alpha * np.exp(-relative))
    return np.asarray(alpha / (1 + relative ** own["spatial_power"][:, None]))


def _checked_locations(
    channel_locations: ArrayLike, units_locations: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both with three coordinates."""
    channels_um = np.asarray(channel_locations, np.float64)
    units_um = np.asarray(units_locations, np.float64)
    if channels_um.ndim != 2 or channels_um.shape[1] not in {2, 3} or not len(channels_um):
        msg = f"channel_locations must be of shape (n_channels, 2 or 3); got {channels_um.shape}."
        raise ParameterError(msg)
    if units_um.ndim != 2 or units_um.shape[1] != 3:
        msg = f"units_locations must be of shape (n_units, 3); got {units_um.shape}."
        raise ParameterError(msg)
    in_plane = np.zeros((len(channels_um), 3))
    in_plane[:, : channels_um.shape[1]] = channels_um
    return in_plane, units_um
