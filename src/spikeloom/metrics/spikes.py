"""The spikes that metrics are computed from: by unit and segment, perhaps in some periods only."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.core.spike_selection import cast_periods_to_unit_period_dtype, spikes_in_periods
from spikeloom.core.spike_trains import group_by_unit
from spikeloom.core.spike_vector import SpikeTable, offsets_of, unit_period_dtype
from spikeloom.errors import DataError, ParameterError


@dataclass(frozen=True, slots=True, eq=False)
class MetricSpikes:
    """Spikes grouped by unit and segment, and for how long each unit was looked at.

    Made by `spikes_of_sorting` or `spikes_of_table`.
    """

    samples: NDArray[np.int64]
    """Samples, unit by unit and segment by segment, increasing within one; (n_spikes,)."""
    order: NDArray[np.int64]
    """Place of each of them in the spike vector of the sorting; (n_spikes,)."""
    slices: NDArray[np.int64]
    """Where each train begins in `samples`, and ends; (n_units, n_segments, 2)."""
    n_samples: NDArray[np.int64]
    """Samples of each segment; (n_segments,)."""
    total_samples: NDArray[np.int64]
    """Samples in which each unit was looked at: of all segments, or of its periods; (n_units,)."""
    sampling_frequency: float
    """In Hz."""
    periods: NDArray[np.void] | None = None
    """Periods that spikes were taken from, of each unit; dtype `unit_period_dtype`."""

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.slices.shape[0])

    @property
    def n_segments(self) -> int:
        """Number of segments."""
        return int(self.n_samples.size)

    @property
    def n_spikes(self) -> int:
        """Number of spikes of all units."""
        return int(self.samples.size)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of spikes of each unit; (n_units,)."""
        counts: NDArray[np.int64] = np.diff(self.slices, axis=2)[:, :, 0].sum(axis=1)
        return counts

    @property
    def durations_s(self) -> NDArray[np.float64]:
        """How long each unit was looked at, in seconds; (n_units,)."""
        return self.total_samples / self.sampling_frequency

    @property
    def unit_offsets(self) -> NDArray[np.int64]:
        """Where the spikes of each unit begin in `samples`, and where all end; (n_units + 1,)."""
        return offsets_of(self.counts)

    def unit_of_spikes(self) -> NDArray[np.int64]:
        """Return the unit index of each of `samples`, a new array; (n_spikes,)."""
        return np.repeat(np.arange(self.n_units), self.counts)

    def keys(self, gap: int) -> NDArray[np.int64]:
        """Return samples shifted so that trains follow each other at least `gap` samples apart.

        One search over all spikes then does what a loop over all units and segments would.

        Returns
        -------
        ndarray of shape (n_spikes,) and dtype int64
            Increasing.
        """
        if not self.n_spikes:
            return self.samples
        begins, ends = self.slices.reshape(-1, 2).T
        has_spikes = ends > begins
        begins, ends = begins[has_spikes], ends[has_spikes]
        first, last = self.samples[begins], self.samples[ends - 1]
        starts = np.concatenate(([0], np.cumsum(last - first + gap + 1)[:-1]))
        return self.samples + np.repeat(starts - first, ends - begins)

    def train(self, unit_index: int, segment_index: int) -> NDArray[np.int64]:
        """Return the samples of a unit's spikes in a segment, a view."""
        begin, end = self.slices[unit_index, segment_index]
        return self.samples[begin:end]

    def places(self, unit_index: int, segment_index: int | None = None) -> NDArray[np.int64]:
        """Return where a unit's spikes stand in the spike vector, a view."""
        if segment_index is None:
            begin, end = self.unit_offsets[unit_index : unit_index + 2]
        else:
            begin, end = self.slices[unit_index, segment_index]
        return self.order[begin:end]

    def values_by_unit(self, values: ArrayLike) -> list[NDArray[np.generic]]:
        """Split values of the spikes of the spike vector by unit.

        Parameters
        ----------
        values : array_like of shape (n_spikes_of_sorting, ...)
            In the order of the spike vector.

        Returns
        -------
        list of ndarray of shape (n_spikes, ...)

        Raises
        ------
        DataError
            If there are not as many values as the sorting has spikes.
        """
        array = np.asarray(values)
        if self.periods is None and len(array) != self.n_spikes:
            msg = f"There are {len(array)} values for {self.n_spikes} spikes: one each is needed."
            raise DataError(msg)
        if self.n_spikes and len(array) <= int(self.order.max()):
            msg = f"There are {len(array)} values, fewer than the sorting has spikes."
            raise DataError(msg)
        grouped = array[self.order]
        offsets = self.unit_offsets
        return [grouped[begin:end] for begin, end in pairwise(offsets)]


def spikes_of_sorting(
    sorting: BaseSorting,
    n_samples: Sequence[int] | None = None,
    *,
    periods: ArrayLike | None = None,
) -> MetricSpikes:
    """Group the spikes of a sorting for metrics.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    n_samples : sequence of int, optional
        Samples of each segment; by default those of the registered recording.
    periods : array_like, optional
        See `spikes_of_table`.

    Returns
    -------
    MetricSpikes

    Raises
    ------
    ParameterError
        If `n_samples` is neither given nor known, or is for another number of segments.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20]}, 1000.0)
    >>> spikes = spikes_of_sorting(sorting, [100])
    >>> spikes.counts, spikes.durations_s
    (array([2, 1]), array([0.1, 0.1]))
    """
    if n_samples is None:
        n_samples = [sorting.get_num_samples(k) for k in range(sorting.get_num_segments())]
    return spikes_of_table(
        sorting.spike_table(),
        n_units=sorting.get_num_units(),
        n_samples=n_samples,
        sampling_frequency=sorting.sampling_frequency,
        periods=periods,
    )


def spikes_of_table(
    table: SpikeTable,
    *,
    n_units: int,
    n_samples: Sequence[int],
    sampling_frequency: float,
    periods: ArrayLike | None = None,
) -> MetricSpikes:
    """Group the spikes of a table for metrics.

    Parameters
    ----------
    table : SpikeTable
        All spikes.
    n_units : int
        Number of units, also of those without spikes.
    n_samples : sequence of int
        Samples of each segment.
    sampling_frequency : float
        In Hz.
    periods : array_like, optional
        Take only the spikes in these periods, which do not overlap: with the fields of
        `unit_period_dtype`, or without ``unit_index`` for all units.

    Returns
    -------
    MetricSpikes

    Raises
    ------
    ParameterError
        If `n_samples` is for another number of segments.
    DataError
        If a period is of a unit or segment that does not exist.
    """
    lengths = np.asarray(n_samples, np.int64)
    if lengths.size != table.n_segments:
        msg = f"n_samples is of {lengths.size} segments, the sorting has {table.n_segments}."
        raise ParameterError(msg)
    groups = group_by_unit(table, n_units)
    order, slices = groups.order, groups.slices
    total = np.full(n_units, lengths.sum(), np.int64)
    of_units = None
    if periods is not None:
        of_units = _periods_of_units(periods, n_units)
        is_kept = spikes_in_periods(table, of_units, n_units, groups)[order]
        n_before = np.concatenate(([0], np.cumsum(is_kept)))  # (n_spikes + 1,)
        order, slices = order[is_kept], n_before[slices]
        n_in = of_units["end_sample_index"] - of_units["start_sample_index"]
        total = np.bincount(of_units["unit_index"], n_in, n_units).astype(np.int64)
    samples = np.asarray(table.sample_index[order], np.int64)
    return MetricSpikes(samples, order, slices, lengths, total, float(sampling_frequency), of_units)


def _periods_of_units(periods: ArrayLike, n_units: int) -> NDArray[np.void]:
    """Return periods of each unit, also where they were given for all."""
    array = np.asarray(periods)
    names = array.dtype.names
    if names is None or "unit_index" in names:
        return cast_periods_to_unit_period_dtype(array)
    repeated = np.zeros(len(array) * n_units, unit_period_dtype)
    for name in names:
        repeated[name] = np.tile(array[name], n_units)
    repeated["unit_index"] = np.repeat(np.arange(n_units), len(array))
    return repeated
