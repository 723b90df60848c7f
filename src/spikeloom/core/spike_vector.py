"""The spikes of a sorting as columns, and the spike vector that is made of them when asked for.

Spikes stand in order of segment, then of sample; spikes of one sample stand in order of units.
A spike vector is one structured array with three int64 fields (24 bytes a spike). A `SpikeTable`
keeps the same in 12 bytes a spike, knows its segments, and may lie over a memory map, a block
of shared memory, or a spike vector that exists already.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError, ParameterError

minimum_spike_dtype = np.dtype([
    ("sample_index", np.int64),
    ("unit_index", np.int64),
    ("segment_index", np.int64),
])
"""One spike of a spike vector."""

base_peak_dtype = np.dtype([
    ("sample_index", np.int64),
    ("channel_index", np.int64),
    ("amplitude", np.float64),
    ("segment_index", np.int64),
])
"""One detected peak."""

spike_peak_dtype = np.dtype([*base_peak_dtype.descr, ("unit_index", np.int64)])
"""One detected peak that was given to a unit."""

base_period_dtype = np.dtype([
    ("segment_index", np.int64),
    ("start_sample_index", np.int64),
    ("end_sample_index", np.int64),
])
"""One period of a segment, in samples, its end exclusive."""

unit_period_dtype = np.dtype([*base_period_dtype.descr, ("unit_index", np.int64)])
"""One period of a segment for one unit."""

N_SPIKES_COMPILED = 1 << 20
"""From so many spikes on compiled kernels are used: numpy takes up to 0.06 s for fewer, while
loading the compiler costs 0.6 s once. The results are the same."""

_N_SPIKES_LOADED = 1 << 14
"""From so many on, if the compiler is there already."""

N_BLOCK = 1 << 16
"""Spikes are worked through in blocks that fit into a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class SpikeTable:
    """All spikes of a sorting, in the order of its spike vector.

    The arrays are taken as they are, without a copy and without a check: use the functions of
    `spikeloom.core.spike_building` for spikes in another order.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 9, 4]), np.array([1, 0, 1], np.int32), np.array([0, 2, 3]))
    >>> table.n_spikes, table.n_segments, table.segment_slice(1)
    (3, 2, slice(2, 3, None))
    >>> table.to_spike_vector()["segment_index"]
    array([0, 0, 1])
    """

    sample_index: NDArray[np.int64]
    """Sample of each spike in its segment; shape (n_spikes,)."""
    unit_index: NDArray[np.integer]
    """Unit of each spike, as its position among the unit ids; shape (n_spikes,)."""
    segment_offsets: NDArray[np.int64]
    """First spike of each segment, and the number of spikes; shape (n_segments + 1,)."""
    vector: NDArray[np.void] | None = None
    """The spike vector of which the columns are views, if that is where they came from."""

    @property
    def n_spikes(self) -> int:
        """Number of spikes in all segments."""
        return int(self.sample_index.size)

    @property
    def n_segments(self) -> int:
        """Number of segments, also of those without spikes."""
        return int(self.segment_offsets.size) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of the columns, or of the spike vector under them."""
        if self.vector is not None:
            return int(self.vector.nbytes)
        return int(self.sample_index.nbytes + self.unit_index.nbytes)

    def segment_slice(self, segment_index: int) -> slice:
        """Return where the spikes of a segment stand.

        Raises
        ------
        ParameterError
            If there is no such segment.
        """
        if not 0 <= segment_index < self.n_segments:
            msg = f"There is no segment {segment_index}: there are {self.n_segments} segments."
            raise ParameterError(msg)
        begin, end = self.segment_offsets[segment_index : segment_index + 2]
        return slice(int(begin), int(end))

    def window(
        self, segment_index: int, start_frame: int | None = None, end_frame: int | None = None
    ) -> slice:
        """Return where the spikes of ``[start_frame, end_frame)`` of a segment stand."""
        spikes = self.segment_slice(segment_index)
        first, last = cut_train(self.sample_index[spikes], start_frame, end_frame)
        return slice(spikes.start + first, spikes.start + last)

    def segment_index(self) -> NDArray[np.int64]:
        """Return the segment of each spike, a new array of shape (n_spikes,)."""
        return np.repeat(np.arange(self.n_segments), np.diff(self.segment_offsets))

    def last_spike_frame(self, segment_index: int) -> int:
        """Return the sample of the last spike of a segment; 0 in a segment without spikes."""
        spikes = self.segment_slice(segment_index)
        return int(self.sample_index[spikes.stop - 1]) if spikes.stop > spikes.start else 0

    def to_spike_vector(self) -> NDArray[np.void]:
        """Return the spike vector; a new array unless the table lies over one.

        Returns
        -------
        ndarray of shape (n_spikes,) and dtype `minimum_spike_dtype`
        """
        if self.vector is not None:
            return self.vector
        vector = np.empty(self.n_spikes, minimum_spike_dtype)
        for segment_index in range(self.n_segments):
            for block in blocks(self.segment_slice(segment_index)):
                vector["sample_index"][block] = self.sample_index[block]
                vector["unit_index"][block] = self.unit_index[block]
                vector["segment_index"][block] = segment_index
        return vector


def uses_kernels(n_spikes: int, n_worth_loading: int = N_SPIKES_COMPILED) -> bool:
    """Tell whether compiled kernels are the quicker way, which gives the same results.

    Parameters
    ----------
    n_spikes : int
        What there is to do.
    n_worth_loading : int
        From so many spikes on, kernels are quicker even if the compiler has yet to be loaded.

    Examples
    --------
    >>> uses_kernels(100), uses_kernels(10_000_000)
    (False, True)
    """
    return n_spikes >= (_N_SPIKES_LOADED if "numba" in sys.modules else n_worth_loading)


def blocks(spikes: slice) -> Iterator[slice]:
    """Cut a range of spikes into blocks.

    Examples
    --------
    >>> list(blocks(slice(3, 70000)))
    [slice(3, 65539, None), slice(65539, 70000, None)]
    """
    for begin in range(spikes.start, spikes.stop, N_BLOCK):
        yield slice(begin, min(begin + N_BLOCK, spikes.stop))


def cut_train(
    samples: NDArray[np.int64], start_frame: int | None = None, end_frame: int | None = None
) -> tuple[int, int]:
    """Return which spikes of a sorted train lie in ``[start_frame, end_frame)``.

    Parameters
    ----------
    samples : ndarray of shape (n_spikes,)
        Increasing.
    start_frame, end_frame : int, optional
        In samples; None is no bound.

    Returns
    -------
    first, end : int
        The spikes are ``samples[first:end]``.

    Examples
    --------
    >>> cut_train(np.array([2, 5, 5, 9]), 5, 9)
    (1, 3)
    """
    first = 0 if start_frame is None else int(np.searchsorted(samples, start_frame))
    end = samples.size if end_frame is None else int(np.searchsorted(samples, end_frame))
    return first, max(first, end)


def offsets_of(counts: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Return where each of several ranges begins that follow each other, and where the last ends.

    Examples
    --------
    >>> offsets_of([2, 0, 3])
    array([0, 2, 2, 5])
    """
    return np.concatenate(([0], np.cumsum(np.asarray(counts, np.int64)))).astype(np.int64)


def is_in_order(sample_index: NDArray[np.integer]) -> bool:
    """Tell whether the spikes of one segment stand in order of time; linear.

    Examples
    --------
    >>> is_in_order(np.array([-2, 4, 4])), is_in_order(np.array([4, 3]))
    (True, False)
    """
    for block in blocks(slice(0, sample_index.size)):
        part = sample_index[max(0, block.start - 1) : block.stop]
        if bool(np.any(part[1:] < part[:-1])):
            return False
    return True


def ties_are_in_order(sample_index: NDArray[np.integer], unit_index: NDArray[np.integer]) -> bool:
    """Tell whether spikes of one sample stand in order of units; linear.

    Examples
    --------
    >>> ties_are_in_order(np.array([4, 4, 5]), np.array([1, 2, 0]))
    True
    >>> ties_are_in_order(np.array([4, 4, 5]), np.array([2, 1, 0]))
    False
    """
    for block in blocks(slice(0, sample_index.size)):
        around = slice(max(0, block.start - 1), block.stop)
        samples, units = sample_index[around], unit_index[around]
        if bool(np.any((units[1:] < units[:-1]) & (samples[1:] == samples[:-1]))):
            return False
    return True


def read_only(values: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written through; the array itself stays as it is."""
    view = values.view()
    view.flags.writeable = False
    return view


def check_unit_range(unit_index: NDArray[np.integer], n_units: int) -> None:
    """Check that each spike has a unit.

    Raises
    ------
    DataError
        If a unit index is negative or not less than `n_units`.

    Examples
    --------
    >>> check_unit_range(np.array([0, 2]), 3)
    """
    if unit_index.size == 0:
        return
    low, high = int(unit_index.min()), int(unit_index.max())
    if low < 0 or high >= n_units:
        wrong = low if low < 0 else high
        msg = f"A spike has unit index {wrong}; with {n_units} units it is 0 to {n_units - 1}."
        raise DataError(msg)
