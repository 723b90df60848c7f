"""How many pairs of spikes there are at each lag, exactly: in bins of whole samples.

``counts[a, b, k]`` counts the pairs of a spike of `a` and another of `b` whose difference (the one
of `a` less that of `b`) lies in ``[k - n_half_bins, k - n_half_bins + 1) * bin_size`` samples. Bins
are closed on the left, so ``counts[b, a]`` is ``counts[a, b]`` backwards but for differences at
their edges.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.engine.executor import map_items
from spikeloom.errors import ParameterError

_N_BYTES = 1 << 26
"""Counts that are made at once."""

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class LagBins:
    """Bins of lags, as many before zero as behind it."""

    bin_size: int
    """Samples in a bin."""
    n_half_bins: int
    """Bins on either side of zero."""
    edges_ms: NDArray[np.float64]
    """Shape (2 n_half_bins + 1,)."""

    @classmethod
    def of(cls, window_ms: float, bin_ms: float, sampling_frequency: float) -> "LagBins":
        """Return as many whole bins as there are in a window.

        Raises
        ------
        ParameterError
            If a bin is less than a sample, or the window less than two bins.

        Examples
        --------
        >>> bins = LagBins.of(4.0, 1.0, 30000.0)
        >>> bins.bin_size, bins.n_half_bins, bins.edges_ms
        (30, 2, array([-2., -1.,  0.,  1.,  2.]))
        """
        bin_size = round(sampling_frequency * bin_ms * 1e-3)
        if bin_size < 1:
            sample_ms = 1e3 / sampling_frequency
            msg = f"bin_ms={bin_ms} is less than a sample, which is {sample_ms:.4g} ms."
            raise ParameterError(msg)
        n_half_bins = round(sampling_frequency * window_ms / 2 * 1e-3) // bin_size
        if n_half_bins < 1:
            msg = f"window_ms={window_ms} has no room for two bins of bin_ms={bin_ms}."
            raise ParameterError(msg)
        edges = np.arange(-n_half_bins, n_half_bins + 1) * bin_size * 1e3 / sampling_frequency
        return cls(bin_size, n_half_bins, np.asarray(edges, np.float64))

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return 2 * self.n_half_bins

    @property
    def window(self) -> int:
        """Samples from zero to either end."""
        return self.bin_size * self.n_half_bins


def cross_counts(sorting: BaseSorting, bins: LagBins) -> Counts:
    """Return the counts of all pairs of units.

    Parameters
    ----------
    sorting : BaseSorting
    bins : LagBins

    Returns
    -------
    ndarray of shape (n_units, n_units, n_bins) and dtype int64

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": np.array([10, 50]), "b": np.array([11])}, 1000)
    >>> cross_counts(sorting, LagBins.of(4.0, 1.0, 1000.0))[0]
    array([[0, 0, 0, 0],
           [0, 1, 0, 0]])
    """
    n_units = sorting.get_num_units()
    counts = np.zeros((n_units, n_units, bins.n_bins), np.int64)
    for segment in _segments(sorting):
        for chosen in _blocks(np.arange(n_units), n_units, bins):
            within, at_edge = _followers(segment, chosen, bins)
            counts[chosen] += _before(within, at_edge)
            counts[:, chosen, bins.n_half_bins :] += within.swapaxes(0, 1)
    return counts


def counts_of_units(
    sorting: BaseSorting, unit_indices: NDArray[np.int64], bins: LagBins
) -> tuple[Counts, Counts]:
    """Return the counts of some units with all, and of all units with those.

    Returns
    -------
    rows : ndarray of shape (n_chosen, n_units, n_bins) and dtype int64
        ``cross_counts(...)[unit_indices]``.
    columns : ndarray of shape (n_units, n_chosen, n_bins) and dtype int64
        ``cross_counts(...)[:, unit_indices]``.
    """
    chosen = np.asarray(unit_indices, np.int64)
    n_units, half = sorting.get_num_units(), bins.n_half_bins
    rows = np.zeros((len(chosen), n_units, bins.n_bins), np.int64)
    columns = np.zeros((n_units, len(chosen), bins.n_bins), np.int64)
    for segment in _segments(sorting):
        within, at_edge = _followers(segment, chosen, bins)
        rows += _before(within, at_edge)
        columns[:, :, half:] += within.swapaxes(0, 1)
        # Those before a spike are those behind it when time goes backwards.
        within, at_edge = _followers(segment.reversed(), chosen, bins)
        rows[:, :, half:] += within
        columns += _before(within, at_edge).swapaxes(0, 1)
    return rows, columns


def auto_counts(
    sorting: BaseSorting, bins: LagBins, unit_indices: NDArray[np.int64] | None = None
) -> Counts:
    """Return the counts of units with themselves.

    Returns
    -------
    ndarray of shape (n_units, n_bins) and dtype int64
        ``cross_counts(...)[u, u]`` of the chosen units, or of all.
    """
    samples, groups = trains_with_groups(sorting, unit_indices)
    n_rows = sorting.get_num_units() if unit_indices is None else len(unit_indices)
    counts = np.zeros(n_rows * bins.n_bins, np.int64)
    n_segments = max(sorting.get_num_segments(), 1)
    first = np.arange(len(samples))
    behind = 1
    while len(first):
        first = first[first < len(samples) - behind]
        second = first + behind
        lags = samples[second] - samples[first]
        near = (groups[second] == groups[first]) & (lags <= bins.window)
        first, lags = first[near], lags[near]
        rows = groups[first] // n_segments * bins.n_bins + bins.n_half_bins
        after, before = lags // bins.bin_size, -(-lags // bins.bin_size)
        counts += np.bincount((rows + after)[after < bins.n_half_bins], minlength=counts.size)
        counts += np.bincount(rows - before, minlength=counts.size)
        behind += 1
    return counts.reshape(n_rows, bins.n_bins)


def trains_with_groups(
    sorting: BaseSorting, unit_indices: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the trains of units one after the other, and which train a spike belongs to.

    Returns
    -------
    samples : ndarray of shape (n_spikes,) and dtype int64
        Unit by unit and segment by segment, increasing within one.
    groups : ndarray of shape (n_spikes,) and dtype int64
        Place of the unit among the chosen ones, times the number of segments, plus the segment.
    """
    trains = sorting._trains()
    slices = trains.slices
    if unit_indices is None:
        sizes = (slices[..., 1] - slices[..., 0]).ravel()
        return trains.samples, np.repeat(np.arange(len(sizes)), sizes)
    chosen = slices[np.asarray(unit_indices, np.int64)].reshape(-1, 2)
    pieces = [trains.samples[begin:end] for begin, end in chosen]
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
    return samples, np.repeat(np.arange(len(chosen)), chosen[:, 1] - chosen[:, 0])


@dataclass(frozen=True)
class _Segment:
    samples: NDArray[np.int64]
    """Not decreasing; shape (n_spikes,)."""
    units: NDArray[np.integer[Any]]
    """Shape (n_spikes,)."""
    order: NDArray[np.int64]
    """Spikes by unit; shape (n_spikes,)."""
    starts: NDArray[np.int64]
    """Where each unit begins in `order`; shape (n_units + 1,)."""

    def reversed(self) -> "_Segment":
        """Return the spikes in the order in which they come when time goes backwards."""
        last = len(self.samples) - 1
        return _Segment(
            np.ascontiguousarray(-self.samples[::-1]),
            np.ascontiguousarray(self.units[::-1]),
            last - self.order,
            self.starts,
        )


def _segments(sorting: BaseSorting) -> list[_Segment]:
    table = sorting.spike_table()
    groups = sorting._order("unit")
    segments = []
    for segment_index in range(sorting.get_num_segments()):
        spikes = table.segment_slice(segment_index)
        if spikes.stop - spikes.start < 2:
            continue
        slices = groups.slices[:, segment_index]
        pieces = [groups.order[begin:end] for begin, end in slices]
        order = groups.order if len(table.segment_offsets) == 2 else np.concatenate(pieces)
        starts = np.concatenate([[0], np.cumsum(slices[:, 1] - slices[:, 0])])
        samples = np.ascontiguousarray(table.sample_index[spikes], np.int64)
        units = np.ascontiguousarray(table.unit_index[spikes], np.int32)
        segments.append(_Segment(samples, units, order - spikes.start, starts.astype(np.int64)))
    return segments


def _blocks(units: NDArray[np.int64], n_units: int, bins: LagBins) -> list[NDArray[np.int64]]:
    """Cut units into blocks whose counts take little memory."""
    n_together = max(1, _N_BYTES // max(1, n_units * bins.n_half_bins * 16))
    return [units[k : k + n_together] for k in range(0, len(units), n_together)]


def _followers(
    segment: _Segment, chosen: NDArray[np.int64], bins: LagBins
) -> tuple[Counts, Counts]:
    """Return how many spikes of each unit follow those of chosen units, by bin and at edges."""
    from spikeloom.kernels.unit_lags import count_lags_of_units  # noqa: PLC0415 - numba is slow

    n_units = len(segment.starts) - 1
    within = np.zeros((len(chosen), n_units, bins.n_half_bins), np.int64)
    at_edge = np.zeros((len(chosen), n_units, bins.n_half_bins + 1), np.int64)

    def count(rows: slice) -> None:
        count_lags_of_units(
            segment.samples,
            segment.units,
            segment.order,
            segment.starts,
            chosen[rows],
            bins.bin_size,
            within[rows],
            at_edge[rows],
        )

    step = max(1, -(-len(chosen) // 16))
    map_items(count, [slice(k, k + step) for k in range(0, len(chosen), step)])
    return within, at_edge


def _before(within: Counts, at_edge: Counts) -> Counts:
    """Return counts by bins closed on the left, of the chosen units less those that follow them.

    Bin ``n_half_bins - c`` is for lags in ``((c - 1), c] * bin_size``: those in ``[c - 1, c)``,
    less those at its lower edge, and those at its upper edge.
    """
    half = within.shape[2]
    counts = np.zeros((*within.shape[:2], 2 * half), np.int64)
    backwards = within - at_edge[..., :half] + at_edge[..., 1:]
    counts[..., :half] = backwards[..., ::-1]
    counts[..., half] = at_edge[..., 0]
    return counts
