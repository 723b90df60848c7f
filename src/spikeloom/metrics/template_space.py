"""How templates spread over the probe: how fast, how far, and how they fade with distance."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError

Direction = Literal["x", "y"]
"""The axis along which the probe is long."""

_FLAT = 1e-12
"""Distances and variances below this are none."""


class Velocities(NamedTuple):
    """What `velocity_fit` returns, in micrometres per millisecond."""

    velocity_above: float
    velocity_below: float


def velocity_fit(
    template: NDArray[np.floating],
    channel_locations: NDArray[np.floating],
    sampling_frequency: float,
    *,
    min_channels: int = 3,
    min_r2: float = 0.2,
    column_range: float | None = None,
    depth_direction: Direction = "y",
) -> Velocities:
    r"""Return how fast a spike travels along the probe, above and below its trough.

    The times of the troughs of channels are fitted by their distance from the channel with the
    lowest one, by the median of the slopes between all pairs (Theil and Sen); the velocity is one
    over that slope.

    .. math:: v = 1 / \operatorname{median}_{i < j} \frac{t_j - t_i}{d_j - d_i}

    for the times t and distances d of channels.

    Parameters
    ----------
    template : ndarray of shape (n_samples, n_channels)
        Of one unit, on the channels where it is seen, upsampled.
    channel_locations : ndarray of shape (n_channels, 2)
        In micrometres.
    sampling_frequency : float
        Of the template, in Hz.
    min_channels : int, default 3
        Least number of channels on a side (that of the trough is on both).
    min_r2 : float, default 0.2
        A worse fit gives NaN.
    column_range : float, optional
        Take only channels so near to the column of the largest amplitude, in micrometres.
    depth_direction : {"x", "y"}, default "y"
        The axis along which the probe is long.

    Returns
    -------
    Velocities
        In micrometres per millisecond, any sign; NaN where there is no fit.

    References
    ----------
    Jia et al. 2019, High-density extracellular probes reveal dendritic backpropagation and
    facilitate neuron classification, J Neurophysiol 121(5), 1831-1847.

    Examples
    --------
    >>> template = np.zeros((50, 5))
    >>> template[[10, 12, 14, 16, 18], range(5)] = [-90, -70, -50, -30, -10]
    >>> locations = np.array([[0.0, 20.0 * k] for k in range(5)])
    >>> velocity_fit(template, locations, 20000.0)
    Velocities(velocity_above=200.0, velocity_below=nan)
    """
    template, locations = _along_depth(template, channel_locations, column_range, depth_direction)
    depths = locations[:, _depth_axis(depth_direction)]
    times_ms = np.argmin(template, axis=0) / sampling_frequency * 1000
    main = int(np.argmin(template.min(axis=0)))
    distances = np.linalg.norm(locations - locations[main], axis=1)
    sides = depths >= depths[main], depths <= depths[main]
    velocities = [
        _velocity(distances[side], times_ms[side] - times_ms[main], min_r2)
        if np.count_nonzero(side) >= min_channels
        else np.nan
        for side in sides
    ]
    return Velocities(*velocities)


def _velocity(
    distances_um: NDArray[np.floating], times_ms: NDArray[np.floating], min_r2: float
) -> float:
    first, second = np.triu_indices(distances_um.size, 1)
    steps = distances_um[second] - distances_um[first]
    is_apart = np.abs(steps) > _FLAT
    if not is_apart.any():
        return np.nan
    rises = times_ms[second] - times_ms[first]
    slope = float(np.median(rises[is_apart] / steps[is_apart]))
    fitted = slope * distances_um + np.median(times_ms - slope * distances_um)
    spread = np.square(times_ms - times_ms.mean()).sum() + _FLAT
    r2 = 1 - np.square(times_ms - fitted).sum() / spread
    return 1 / slope if r2 > min_r2 and slope != 0 else np.nan


def exp_decay(
    template: NDArray[np.floating],
    channel_locations: NDArray[np.floating],
    *,
    peak_function: str = "ptp",
    min_r2: float = 0.2,
    linear_fit: bool = False,
    channel_tolerance: float | None = None,
    min_channels_for_fit: int | None = None,
    num_channels_for_fit: int | None = None,
    normalize_decay: bool = False,
) -> float:
    r"""Return how fast the amplitude of a template fades with distance.

    The d of a fit :math:`a e^{-d x} + o` to the amplitudes of the channels at the distances x from
    that with the largest one; or minus the slope of a line.

    Parameters
    ----------
    template : ndarray of shape (n_samples, n_channels)
        Of one unit, on the channels where it is seen.
    channel_locations : ndarray of shape (n_channels, 2)
        In micrometres.
    peak_function : {"ptp", "min"}, default "ptp"
        Amplitudes are from lowest to highest, or the lowest value.
    min_r2 : float, default 0.2
        A worse fit gives NaN.
    linear_fit : bool, default False
        Fit a line instead.
    channel_tolerance : float, optional
        Take only channels so near in x to that of the largest amplitude, in micrometres; of them
        the nearest in y, and their largest absolute values as amplitudes.
    min_channels_for_fit : int, optional
        With fewer such channels the result is NaN; 5 for a line, 8 otherwise.
    num_channels_for_fit : int, optional
        Number of such channels that are taken; 6 for a line, 10 otherwise.
    normalize_decay : bool, default False
        Divide amplitudes by the largest, if there is a `channel_tolerance`.

    Returns
    -------
    float
        In 1/um (from 1e-5 to 2), or amplitude per um for a line; NaN if there is no fit.

    References
    ----------
    Fabre et al. 2023, Bombcell, doi:10.5281/zenodo.8172821.

    Examples
    --------
    >>> locations = np.array([[0.0, 20.0 * k] for k in range(8)])
    >>> template = -100 * np.exp(-0.03 * locations[:, 1])[None]
    >>> exp_decay(np.concatenate((template, np.zeros((1, 8)))), locations)
    0.03
    """
    lowest = peak_function == "min"
    amplitudes = np.abs(template.min(axis=0) if lowest else np.ptp(template, axis=0))
    main = int(np.argmax(amplitudes))
    offsets = np.abs(channel_locations - channel_locations[main])
    distances = np.linalg.norm(offsets, axis=1)
    if channel_tolerance is not None:
        n_least = min_channels_for_fit or (5 if linear_fit else 8)
        n_taken = num_channels_for_fit or (6 if linear_fit else 10)
        is_near = offsets[:, 0] <= channel_tolerance
        if np.count_nonzero(is_near) < n_least:
            return np.nan
        heights = np.where(is_near, offsets[:, 1], offsets[:, 1].max() + 1)
        taken = np.argsort(heights, kind="stable")[:n_taken]
        distances, amplitudes = distances[taken], np.abs(template[:, taken]).max(axis=0)
        if normalize_decay:
            amplitudes /= amplitudes.max()
    order = np.argsort(distances, kind="stable")
    x, y = distances[order].astype(np.float64), amplitudes[order].astype(np.float64)
    decay, r2 = _fit_line(x, y) if linear_fit else _fit_decay(x, y)
    return decay if r2 >= min_r2 else np.nan


def _fit_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    spread = np.square(x - x.mean()).sum()
    if spread == 0:
        return np.nan, np.nan
    slope = float((x - x.mean()) @ (y - y.mean()) / spread)
    return -slope, _r2(y, y.mean() + slope * (x - x.mean()))


def _fit_decay(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    from scipy.optimize import curve_fit  # noqa: PLC0415 - scipy is slow to import

    def model(
        at: NDArray[np.float64], decay: float, height: float, offset: float
    ) -> NDArray[np.float64]:
        return height * np.exp(-decay * at) + offset

    def slopes(
        at: NDArray[np.float64], decay: float, height: float, _offset: float
    ) -> NDArray[np.float64]:
        faded = np.exp(-decay * at)
        return np.column_stack([-height * at * faded, faded, np.ones(at.size)])

    height, offset = y[0], y.min()
    lower, upper = [1e-5, 0.5 * height, 0], [2, 1.5 * height, 2 * offset]
    if x.size < len(lower) or not offset > 0:
        return np.nan, np.nan
    try:
        found, _ = curve_fit(
            model, x, y, bounds=(lower, upper), p0=[1e-3, height, offset], jac=slopes
        )
    except (RuntimeError, ValueError):
        return np.nan, np.nan
    return float(found[0]), _r2(y, model(x, *found))


def _r2(values: NDArray[np.float64], fitted: NDArray[np.float64]) -> float:
    spread = np.square(values - values.mean()).sum()
    return float(1 - np.square(values - fitted).sum() / spread) if spread > 0 else np.nan


def spread(
    template: NDArray[np.floating],
    channel_locations: NDArray[np.floating],
    *,
    spread_threshold: float = 0.2,
    spread_smooth_um: float | None = 20,
    column_range: float | None = None,
    depth_direction: Direction = "y",
) -> float:
    r"""Return over which length of the probe a template is seen.

    .. math:: \max_{c : a_c > threshold\, \max a} y_c - \min_{c : a_c > threshold\, \max a} y_c

    for depths y and amplitudes a of channels c.

    Parameters
    ----------
    template : ndarray of shape (n_samples, n_channels)
        Of one unit, on the channels where it is seen.
    channel_locations : ndarray of shape (n_channels, 2)
        In micrometres.
    spread_threshold : float, default 0.2
        Channels above this part of the largest amplitude (from lowest to highest) are counted.
    spread_smooth_um : float or None, default 20
        Standard deviation of a Gaussian that smooths amplitudes along the probe.
    column_range : float, optional
        Take only channels so near to the column of the largest amplitude, in micrometres.
    depth_direction : {"x", "y"}, default "y"
        The axis along which the probe is long.

    Returns
    -------
    float
        In micrometres, from 0 up; NaN for a flat template.

    References
    ----------
    Jia et al. 2019, J Neurophysiol 121(5), 1831-1847.

    Examples
    --------
    >>> template = np.array([[-10.0, -90.0, -30.0, -5.0], [0.0, 0.0, 0.0, 0.0]])
    >>> locations = np.array([[0.0, 20.0 * k] for k in range(4)])
    >>> spread(template, locations, spread_smooth_um=None)
    20.0
    """
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415 - scipy is slow to import

    template, locations = _along_depth(template, channel_locations, column_range, depth_direction)
    depths = locations[:, _depth_axis(depth_direction)]
    amplitudes = np.ptp(template, axis=0)
    steps = np.diff(np.unique(depths))
    if spread_smooth_um and steps.size:
        amplitudes = gaussian_filter1d(amplitudes, spread_smooth_um / np.median(steps))
    largest = amplitudes.max(initial=0)
    if not largest > 0:
        return np.nan
    return float(np.ptp(depths[amplitudes / largest > spread_threshold]))


def _depth_axis(depth_direction: str) -> int:
    if depth_direction not in {"x", "y"}:
        msg = f"depth_direction must be 'x' or 'y'; got {depth_direction!r}."
        raise ParameterError(msg)
    return 1 if depth_direction == "y" else 0


def _along_depth(
    template: NDArray[np.floating],
    channel_locations: NDArray[np.floating],
    column_range: float | None,
    depth_direction: str,
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return template and locations in order of depth, perhaps of one column only."""
    axis = _depth_axis(depth_direction)
    if column_range is not None:
        columns = channel_locations[:, 1 - axis]
        main = int(np.argmax(np.ptp(template, axis=0)))
        is_near = np.abs(columns - columns[main]) <= column_range
        template, channel_locations = template[:, is_near], channel_locations[is_near]
    order = np.argsort(channel_locations[:, axis], kind="stable")
    return template[:, order], channel_locations[order]
