"""How many spikes of units are foreign, told by spikes that are too close to each other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError


@dataclass(frozen=True)
class RefractoryPeriods:
    """Times in which a neuron does not fire twice, and how long units were looked at."""

    censored: int
    """Samples within which no two spikes are found."""
    refractory: int
    """Samples within which a neuron has no two spikes."""
    n_samples: int
    """Samples of all segments."""

    def __post_init__(self) -> None:
        if not 0 <= self.censored < self.refractory:
            msg = (
                f"The refractory period, {self.refractory} samples, has to be longer than the "
                f"censored one, {self.censored} samples."
            )
            raise ParameterError(msg)


def contamination_by_pairs(
    n_pairs: ArrayLike,
    n_spikes: ArrayLike,
    n_samples: ArrayLike,
    *,
    refractory: int,
    censored: int = 0,
) -> NDArray[np.float64]:
    r"""Return which part of the spikes of units are foreign, told by pairs that are too close.

    .. math:: C = 1 - \sqrt{1 - \frac{n_v (T - 2 n t_c)}{n^2 (t_r - t_c)}}

    for :math:`n_v` pairs of spikes at most :math:`t_r` apart among n spikes in T samples, with a
    censored period :math:`t_c`; 1 where the root has no value.

    Parameters
    ----------
    n_pairs : array_like of int
        Pairs of spikes that are at most `refractory` apart.
    n_spikes : array_like of int
        Number of spikes.
    n_samples : array_like of int
        Samples in which spikes were looked for.
    refractory, censored : int
        Refractory and censored period in samples.

    Returns
    -------
    ndarray of float64
        From 0 to 1, no unit; NaN for at most one spike.

    References
    ----------
    Llobet, Wyngaard, Barbour 2022, Automatic post-processing and merging of multiple spike-sorting
    analyses with Lussac, bioRxiv 2022.02.08.479192.

    Examples
    --------
    >>> contamination_by_pairs([0, 20], [100, 100], [9000, 9000], refractory=30).round(3)
    array([0.   , 0.368])
    """
    n, n_violations = np.asarray(n_spikes, np.float64), np.asarray(n_pairs, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = np.asarray(n_samples) - 2 * n * censored
        under_root = 1 - n_violations * seen / (n**2 * (refractory - censored))
        part = np.where(under_root < 0, 1.0, 1 - np.sqrt(np.maximum(under_root, 0)))
    return np.where(n > 1, part, np.nan)


def contamination(train: NDArray[np.int64], periods: RefractoryPeriods) -> float:
    """Return which part of the spikes of a train are foreign, as `contamination_by_pairs` has it.

    Parameters
    ----------
    train : ndarray of shape (n_spikes,)
        Samples, not decreasing; of all segments, one after the other.
    periods : RefractoryPeriods
        The periods.

    Returns
    -------
    float
        From 0 to 1; NaN for a train of at most one spike.

    Examples
    --------
    >>> contamination(np.arange(0, 9000, 90), RefractoryPeriods(0, 30, 9000))
    0.0
    """
    n_spikes = train.size
    ends = np.searchsorted(train, train + periods.refractory, side="right")
    n_violations = int(ends.sum()) - n_spikes * (n_spikes + 1) // 2
    part = contamination_by_pairs(
        n_violations,
        n_spikes,
        periods.n_samples,
        refractory=periods.refractory,
        censored=periods.censored,
    )
    return float(part)


def cross_contamination(
    train1: NDArray[np.int64],
    train2: NDArray[np.int64],
    periods: RefractoryPeriods,
    *,
    contamination1: float,
    limit: float,
) -> tuple[float, float]:
    r"""Return which part of the spikes of a train are not of the neuron of another.

    Of spikes that are independent of those of the first train, :math:`2 n_1 n_2 t_r / T` are closer
    to one than the refractory period. Of spikes of its neuron, only as many as the first train is
    contaminated.

    Parameters
    ----------
    train1, train2 : ndarray of shape (n_spikes,)
        Samples, not decreasing; of all segments, one after the other.
    periods : RefractoryPeriods
        The periods.
    contamination1 : float
        Contamination of the first train.
    limit : float
        A cross-contamination to test for.

    Returns
    -------
    cross_contamination : float
        About 0 if both trains are of one neuron, about 1 if they are of two.
    p_value : float
        How probable at least as many close spikes are if the cross-contamination is `limit`.

    References
    ----------
    Llobet, Wyngaard, Barbour 2022, as for `contamination_by_pairs`.
    """
    from scipy.special import betainc  # noqa: PLC0415 - scipy is slow to import

    n1, n2 = float(train1.size), float(train2.size)
    t_r, n_samples = periods.refractory, periods.n_samples
    n_close = n_pairs_within(train1, train2, t_r) - n_pairs_within(train1, train2, periods.censored)
    estimate = float("-inf")
    if contamination1 != 1.0:
        excess = n_close * n_samples / (2 * n1 * n2 * t_r) - 1.0
        estimate = float(1 - excess / (contamination1 - 1.0))
    n_trials = n1 * n2 * ((1 - contamination1) * limit + contamination1)
    n_seen = int(n_close - 1)
    if n_seen < 0:
        return estimate, 1.0
    if n_trials <= n_seen:
        return estimate, 0.0
    # The binomial distribution, also between whole numbers of trials.
    return estimate, float(betainc(n_seen + 1, n_trials - n_seen, 2 * t_r / n_samples))


def n_pairs_within(
    train1: NDArray[np.int64], train2: NDArray[np.int64], max_distance: int
) -> float:
    """Count the pairs of spikes of two trains that are less than so many samples apart.

    Those just so far apart count half: before they were rounded to samples, half were closer.

    Examples
    --------
    >>> n_pairs_within(np.array([0, 50]), np.array([3, 55]), 5)
    1.5
    """
    if max_distance <= 0:
        return 0.0
    n_pairs = 0.0
    for side_low, side_high in (("right", "left"), ("left", "right")):
        low = np.searchsorted(train2, train1 - max_distance, side=side_low)  # type: ignore[call-overload]
        high = np.searchsorted(train2, train1 + max_distance, side=side_high)  # type: ignore[call-overload]
        n_pairs += float((high - low).sum()) / 2
    return n_pairs


def merged_train(
    train1: ArrayLike, train2: ArrayLike, duplicate_period: float
) -> NDArray[np.int64]:
    """Return two trains as one, without what was found for both units.

    Parameters
    ----------
    train1, train2 : array_like of shape (n_spikes,)
        Samples, not decreasing.
    duplicate_period : float
        A spike at most so many samples after one of the other train is left out.

    Examples
    --------
    >>> merged_train([10, 12, 40], [11, 50], 5)
    array([10, 40, 50])
    """
    trains = [np.asarray(train1, np.int64), np.asarray(train2, np.int64)]
    samples = np.concatenate(trains)
    order = np.argsort(samples, kind="stable")
    is_second = np.repeat([False, True], [one.size for one in trains])[order]
    samples = samples[order]
    is_kept = np.ones(samples.size, bool)
    is_kept[1:] = (np.diff(samples) > duplicate_period) | (is_second[1:] == is_second[:-1])
    return samples[is_kept]
