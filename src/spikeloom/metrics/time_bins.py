"""Bins of equal length over segments or periods, and how many spikes are in each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.metrics.spikes import MetricSpikes


@dataclass(frozen=True, slots=True, eq=False)
class TimeBins:
    """Bins of one length, each whole within one segment, in order of time."""

    segment_index: NDArray[np.int64]
    """Segment of each bin; (n_bins,)."""
    start: NDArray[np.int64]
    """First sample of each bin in its segment; (n_bins,)."""
    size: int
    """Samples of a bin."""

    def spike_ranges(self, spikes: MetricSpikes, unit_index: int) -> NDArray[np.int64]:
        """Return which spikes of a unit are in each bin.

        Returns
        -------
        ndarray of shape (n_bins, 2)
            First, and end, among ``spikes.samples``.
        """
        ranges = np.empty((self.start.size, 2), np.int64)
        for k in range(spikes.n_segments):
            of_segment = self.segment_index == k
            begin = spikes.slices[unit_index, k, 0]
            train = spikes.train(unit_index, k)
            start = self.start[of_segment]
            ranges[of_segment, 0] = begin + np.searchsorted(train, start)
            ranges[of_segment, 1] = begin + np.searchsorted(train, start + self.size)
        return ranges

    def counts(self, spikes: MetricSpikes, unit_index: int) -> NDArray[np.int64]:
        """Count the spikes of a unit in each bin; (n_bins,)."""
        counts: NDArray[np.int64] = np.diff(self.spike_ranges(spikes, unit_index), axis=1)[:, 0]
        return counts


def bins_of_units(spikes: MetricSpikes, bin_size_s: float) -> list[TimeBins]:
    """Cut the segments, or the periods of each unit, into whole bins.

    What is left over at the end of a segment or period is in no bin: a shorter bin would have
    fewer spikes for no reason of the unit's.

    Parameters
    ----------
    spikes : MetricSpikes
        Says how long segments are, and which periods there are.
    bin_size_s : float
        In seconds.

    Returns
    -------
    list of TimeBins
        Of each unit; the same one for all if there are no periods.

    Raises
    ------
    ParameterError
        If a bin has no samples.
    """
    size = int(bin_size_s * spikes.sampling_frequency)
    if spikes.periods is None and spikes.n_units:
        return [bins_of_unit(spikes, 0, size)] * spikes.n_units
    return [bins_of_unit(spikes, unit, size) for unit in range(spikes.n_units)]


def bins_of_unit(spikes: MetricSpikes, unit_index: int, size: int) -> TimeBins:
    """Cut the segments, or the periods of a unit, into whole bins of `size` samples.

    Raises
    ------
    ParameterError
        If a bin has no samples.
    """
    if size < 1:
        msg = f"A bin has to be at least one sample long; got {size}."
        raise ParameterError(msg)
    if spikes.periods is None:
        segments = np.arange(spikes.n_segments)
        return _whole_bins(segments, np.zeros_like(segments), spikes.n_samples, size)
    periods = spikes.periods[spikes.periods["unit_index"] == unit_index]
    periods = np.sort(periods, order=["segment_index", "start_sample_index"])
    return _whole_bins(
        periods["segment_index"], periods["start_sample_index"], periods["end_sample_index"], size
    )


def _whole_bins(
    segments: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], size: int
) -> TimeBins:
    n_bins = np.maximum(ends - starts, 0) // size
    which = np.repeat(np.arange(n_bins.size), n_bins)
    nth = np.arange(which.size) - np.repeat(np.cumsum(n_bins) - n_bins, n_bins)
    return TimeBins(segments[which], starts[which] + nth * size, size)
