"""Spikes within the refractory period of others, and what they say about contamination."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.curation.contamination import contamination_by_pairs
from spikeloom.errors import ParameterError
from spikeloom.metrics.spikes import MetricSpikes

_CONFIDENCE = 0.9
"""How sure `sliding_rp_violations` has to be."""


class IsiViolations(NamedTuple):
    """What `isi_violations` returns."""

    isi_violations_ratio: NDArray[np.float64]
    """Relative rate of the neurons that would cause them; (n_units,)."""
    isi_violations_count: NDArray[np.int64]
    """Intervals that are too short; (n_units,)."""


class RpViolations(NamedTuple):
    """What `rp_violations` returns."""

    rp_contamination: NDArray[np.float64]
    """Which part of the spikes are of other neurons; (n_units,)."""
    rp_violations: NDArray[np.int64]
    """Pairs of spikes that are too close; (n_units,)."""


def isi_violations(
    spikes: MetricSpikes, *, isi_threshold_ms: float = 1.5, min_isi_ms: float = 0.0
) -> IsiViolations:
    r"""Count the intervals between spikes that are too short, and relate them to the firing rate.

    .. math:: ratio = \frac{n_v \, T}{2 \, n^2 \, (t_{threshold} - t_{min})}

    for :math:`n_v` violations among n spikes in a duration T: the rate of violations that neurons
    firing independently of the unit would cause, over the rate of the unit. Intervals are whole
    samples, so that one of just `isi_threshold_ms` is never a violation; computed from times in
    seconds it may be one by rounding.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    isi_threshold_ms : float, default 1.5
        Shorter intervals than this are violations.
    min_isi_ms : float, default 0
        Intervals that cannot be seen, as spikes are not detected so close to others.

    Returns
    -------
    IsiViolations
        ``isi_violations_ratio`` from 0 (good) up, without a unit (NaN for a unit without
        spikes), and ``isi_violations_count`` (-1 for a unit without spikes).

    Raises
    ------
    ParameterError
        If the threshold is not above `min_isi_ms`.

    References
    ----------
    Hill, Mehta, Kleinfeld 2011, Quality metrics to accompany spike sorting of extracellular
    signals, J Neurosci 31(24), 8699-8705.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 11, 500]}, 1000.0)
    >>> found = isi_violations(spikes_of_sorting(sorting, [1000]))
    >>> found.isi_violations_count, found.isi_violations_ratio.round(1)
    (array([1]), array([37.]))
    """
    _check_periods("isi_threshold_ms", isi_threshold_ms, "min_isi_ms", min_isi_ms)
    counts, durations_s = spikes.counts, spikes.durations_s
    limit = isi_threshold_ms * spikes.sampling_frequency / 1000
    intervals = np.diff(spikes.keys(gap=int(limit) + 1))
    n_violations = _count_by_unit(spikes, np.flatnonzero(intervals < limit))
    unseen_s = 2 * counts * (isi_threshold_ms - min_isi_ms) / 1000
    ratios = np.full(spikes.n_units, np.nan)
    np.divide(n_violations * durations_s, unseen_s * counts, out=ratios, where=counts > 0)
    return IsiViolations(ratios, np.where(counts > 0, n_violations, -1))


def rp_violations(
    spikes: MetricSpikes, *, refractory_period_ms: float = 1.0, censored_period_ms: float = 0.0
) -> RpViolations:
    r"""Count the pairs of spikes within the refractory period, and estimate the contamination.

    .. math:: C = 1 - \sqrt{1 - \frac{n_v (T - 2 n t_c)}{n^2 (t_r - t_c)}}

    for :math:`n_v` pairs of spikes at most :math:`t_r` apart among n spikes in T samples, with a
    censored period :math:`t_c`; 1 where the root has no value. Unlike `isi_violations` this counts
    all pairs, not only those of spikes that follow each other.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    refractory_period_ms : float, default 1
        No two spikes of a neuron are closer.
    censored_period_ms : float, default 0
        No two spikes are detected that are closer.

    Returns
    -------
    RpViolations
        ``rp_contamination`` from 0 (pure) to 1, without a unit (NaN for a unit with at most one
        spike), and ``rp_violations`` (-1 for a unit without spikes).

    Raises
    ------
    ParameterError
        If the refractory period is not longer than the censored one, in samples.

    References
    ----------
    Llobet, Wyngaard, Barbour 2022, Automatic post-processing and merging of multiple spike-sorting
    analyses with Lussac, bioRxiv 2022.02.08.479192.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 12, 14, 500]}, 1000.0)
    >>> rp_violations(spikes_of_sorting(sorting, [9000]), refractory_period_ms=4).rp_violations
    array([3])
    """
    _check_periods(
        "refractory_period_ms", refractory_period_ms, "censored_period_ms", censored_period_ms
    )
    per_ms = spikes.sampling_frequency / 1000
    t_r, t_c = round(refractory_period_ms * per_ms), round(censored_period_ms * per_ms)
    _check_periods("refractory_period_ms in samples", t_r, "censored_period_ms in samples", t_c)
    counts = spikes.counts
    keys = spikes.keys(gap=t_r)
    n_later = np.searchsorted(keys, keys + t_r, side="right") - np.arange(1, keys.size + 1)
    n_violations = _sum_by_unit(spikes, n_later)
    contamination = contamination_by_pairs(
        n_violations, counts, spikes.total_samples, refractory=t_r, censored=t_c
    )
    return RpViolations(contamination, np.where(counts > 0, n_violations, -1))


def sliding_rp_violations(
    spikes: MetricSpikes,
    *,
    min_spikes: int = 0,
    bin_size_ms: float = 0.25,
    window_size_s: float = 1.0,
    exclude_ref_period_below_ms: float = 0.5,
    max_ref_period_ms: float = 10.0,
    contamination_values: Sequence[float] | NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    r"""Return the least contamination that can be excluded, whatever the refractory period is.

    For each contamination C that is tested, and each refractory period t up to the longest,
    :math:`V_e = \frac{2 t}{T} n_c (n_b + \frac{n_c - 1}{2})` violations are expected, of
    :math:`n_c = C n` foreign spikes with each other and with the unit's own :math:`n_b`. The
    result is the least C for which, at some t, the probability of more violations than were seen
    (Poisson distributed) is above 90 %.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    min_spikes : int, default 0
        Units with at most so many spikes get NaN.
    bin_size_ms : float, default 0.25
        Steps of the refractory period, rounded to samples.
    window_size_s : float, default 1
        Longest lag of the correlogram; no refractory period is longer.
    exclude_ref_period_below_ms : float, default 0.5
        Refractory periods whose bins have their middle at or below this are not tested.
    max_ref_period_ms : float, default 10
        The longest refractory period that is tested.
    contamination_values : array_like of shape (n_contaminations,), optional
        Those tested, increasing; 0.005, 0.01, ... 0.35 by default.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        A part of the spikes, one of `contamination_values`; NaN if none can be excluded.

    Raises
    ------
    ParameterError
        If a bin has no samples.

    References
    ----------
    International Brain Laboratory et al. 2022, Spike sorting pipeline for the International Brain
    Laboratory, doi:10.6084/m9.figshare.19705522. Steinmetz et al.,
    https://github.com/SteinmetzLab/slidingRefractory.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": np.arange(0, 100000, 50)}, 1000.0)
    >>> sliding_rp_violations(spikes_of_sorting(sorting, [100000]), bin_size_ms=1)
    array([0.01])
    """
    from scipy.special import pdtrc  # noqa: PLC0415 - scipy is slow to import

    tested = np.arange(0.5, 35.5, 0.5) / 100
    if contamination_values is not None:
        tested = np.asarray(contamination_values, np.float64)
    fs = spikes.sampling_frequency
    bin_size = round(fs * bin_size_ms * 1e-3)
    if bin_size < 1:
        msg = f"bin_size_ms has to be at least half a sample; got {bin_size_ms} ms at {fs} Hz."
        raise ParameterError(msg)
    # The same operations as for the bins of a correlogram, so that rounding falls alike.
    bin_size_s = bin_size * 1e3 / fs / 1000
    n_bins = min(int(max_ref_period_ms / 1000 / bin_size_s), round(fs * window_size_s) // bin_size)
    edges_s = np.arange(n_bins + 1) * bin_size * 1e3 / fs / 1000
    middles_s = (edges_s[:-1] + edges_s[1:]) / 2
    is_tested = middles_s > exclude_ref_period_below_ms / 1000
    seen = np.cumsum(_autocorrelograms(spikes, bin_size, n_bins), axis=1)[:, is_tested]
    results = np.full(spikes.n_units, np.nan)
    is_enough = (spikes.counts > min_spikes) & (spikes.durations_s > 0)
    if not is_tested.any() or not is_enough.any():
        return results
    counts, durations_s = spikes.counts[is_enough], spikes.durations_s[is_enough]
    n_c = counts[:, None] * tested  # (n_units, n_contaminations)
    pairs = n_c * (counts[:, None] * (1 - tested) + (n_c - 1) / 2) / durations_s[:, None]
    expected = 2 * edges_s[1:][is_tested] * pairs[:, :, None]
    confidence: NDArray[np.float64] = np.asarray(pdtrc(seen[is_enough][:, None, :], expected))
    is_excluded: NDArray[np.bool_] = np.any(confidence > _CONFIDENCE, axis=2)
    first = np.argmax(is_excluded, axis=1)
    results[is_enough] = np.where(is_excluded.any(axis=1), tested[first], np.nan)
    return results


def _autocorrelograms(spikes: MetricSpikes, bin_size: int, n_bins: int) -> NDArray[np.int64]:
    """Count the lags between spikes of a unit below ``n_bins * bin_size``; (n_units, n_bins)."""
    limit = n_bins * bin_size
    counts = np.zeros(spikes.n_units * n_bins, np.int64)
    keys, units = spikes.keys(gap=limit), spikes.unit_of_spikes()
    for nth in _further(keys, limit):
        lags = keys[nth:] - keys[:-nth]
        near = np.flatnonzero(lags < limit)
        bins = units[near] * n_bins + lags[near] // bin_size
        counts += np.bincount(bins, minlength=counts.size)
    return counts.reshape(spikes.n_units, n_bins)


def _further(keys: NDArray[np.int64], limit: int) -> Iterator[int]:
    """Yield 1, 2, ... while some spikes with so many between them are less than `limit` apart."""
    for nth in range(1, keys.size):
        if (keys[nth:] - keys[:-nth]).min() >= limit:
            return
        yield nth


def _count_by_unit(spikes: MetricSpikes, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the places in ``spikes.samples`` (increasing) by unit."""
    counts: NDArray[np.int64] = np.diff(np.searchsorted(places, spikes.unit_offsets))
    return counts


def _sum_by_unit(spikes: MetricSpikes, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum values of ``spikes.samples`` by unit."""
    sums = np.concatenate(([0], np.cumsum(values)))[spikes.unit_offsets]
    differences: NDArray[np.int64] = np.diff(sums)
    return differences


def _check_periods(long_name: str, long: float, short_name: str, short: float) -> None:
    if not 0 <= short < long:
        msg = (
            f"{long_name} has to be above {short_name}, and that not negative; got {long} and "
            f"{short}."
        )
        raise ParameterError(msg)
