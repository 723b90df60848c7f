"""How many spikes two sortings have in common, for every pair of units.

Two spikes coincide if they are at most `delta_frames` samples apart. One pass over both lists of
spikes, which are in order of time, counts the coincidences of all pairs of units at once.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.unit_tables import pair_table, unit_series
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sorting_matching import as_sorting
from spikeloom.engine.executor import map_items
from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

Columns = tuple[NDArray[np.int64], NDArray[np.int32]]
"""Samples and unit indices of the spikes of a segment, in order of samples."""

_FREQUENCY_TOLERANCE = 1e-3
"""Sorters round the sampling frequency; so much of it may differ."""

_ROUNDING_SAMPLES = 1e-6


def delta_in_samples(delta_time: float, sampling_frequency: float) -> int:
    """Return how many samples there are in a time, rounded down.

    Parameters
    ----------
    delta_time : float
        In ms.
    sampling_frequency : float
        In Hz.

    Raises
    ------
    ParameterError
        If the time is negative or no number.

    Notes
    -----
    What is a whole number of samples stays one: 0.3 ms at 20 kHz are 6 samples, although
    ``0.3 / 1000 * 20000`` is a little less than that.

    Examples
    --------
    >>> delta_in_samples(0.4, 30000.0), delta_in_samples(0.3, 20000.0)
    (12, 6)
    """
    n_samples = delta_time * sampling_frequency / 1000
    if not (math.isfinite(n_samples) and n_samples >= 0):
        msg = f"delta_time is a time in ms, not negative; got {delta_time!r}."
        raise ParameterError(msg)
    return math.floor(n_samples + _ROUNDING_SAMPLES)


def check_delta(delta_frames: int) -> int:
    """Return a distance in samples; raises ParameterError if it is negative."""
    if delta_frames < 0:
        msg = f"delta_frames is a number of samples, not negative; got {delta_frames}."
        raise ParameterError(msg)
    return int(delta_frames)


def check_comparable(sortings: Sequence[Any]) -> list[BaseSorting]:
    """Return sortings of the same recording.

    Raises
    ------
    ParameterError
        If something is no sorting, or if numbers of segments or sampling frequencies differ.
    """
    checked = [as_sorting(sorting) for sorting in sortings]
    first = checked[0]
    for k, sorting in enumerate(checked):
        n_segments = sorting.get_num_segments()
        if n_segments != first.get_num_segments():
            msg = (
                f"Sorting {k} has {n_segments} segments, sorting 0 has {first.get_num_segments()}: "
                "only sortings of the same recording can be compared."
            )
            raise ParameterError(msg)
        difference = abs(sorting.sampling_frequency - first.sampling_frequency)
        if difference > _FREQUENCY_TOLERANCE * first.sampling_frequency:
            msg = (
                f"Sorting {k} has a sampling frequency of {sorting.sampling_frequency} Hz, sorting "
                f"0 of {first.sampling_frequency} Hz: only sortings of the same recording can be "
                "compared."
            )
            raise ParameterError(msg)
    return checked


def segment_columns(sorting: BaseSorting, segment_index: int) -> Columns:
    """Return samples and unit indices of a segment as plain arrays, which kernels are made for."""
    table = sorting.spike_table()
    spikes = table.segment_slice(segment_index)
    # Copies: for arrays that are strided or read only, kernels would be compiled once more.
    return table.sample_index[spikes].astype(np.int64), table.unit_index[spikes].astype(np.int32)


def count_coincidences(
    sorting1: BaseSorting,
    sorting2: BaseSorting,
    delta_frames: int,
    *,
    is_symmetric: bool = False,
) -> NDArray[np.int64]:
    """Count the coinciding spikes of every pair of units.

    Parameters
    ----------
    sorting1, sorting2 : BaseSorting
        Sortings of the same recording.
    delta_frames : int
        How far apart two spikes may be, in samples; included.
    is_symmetric : bool, default False
        Count in both directions and take the larger count, which the order of the sortings does
        not change. It does so in bursts closer than `delta_frames`: a spike of `sorting2` may
        count for several spikes of `sorting1`.

    Returns
    -------
    ndarray of shape (n_units1, n_units2) and dtype int64
        Never more than a unit of `sorting2` has spikes; if symmetric, than either unit has.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other or `delta_frames` is negative.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> one = NumpySorting.from_unit_dict({0: [100, 200, 300], 1: [150]}, 30000.0)
    >>> two = NumpySorting.from_unit_dict({"a": [103, 300], "b": [151, 207]}, 30000.0)
    >>> count_coincidences(one, two, 5)
    array([[2, 0],
           [0, 1]])
    """
    one, two = check_comparable([sorting1, sorting2])
    delta = check_delta(delta_frames)
    shape = (one.get_num_units(), two.get_num_units())
    counts = np.zeros(shape, np.int64)
    for segment_index in range(one.get_num_segments() if counts.size else 0):
        columns1 = segment_columns(one, segment_index)
        columns2 = segment_columns(two, segment_index)
        directions = [(columns1, columns2, shape), (columns2, columns1, shape[::-1])]
        there, *back = map_items(
            lambda each: _count_in_segment(*each, delta), directions[: 1 + is_symmetric]
        )
        counts += np.maximum(there, back[0].T) if back else there
    np.minimum(counts, two.count_num_spikes_per_unit("array"), out=counts)
    if is_symmetric:
        np.minimum(counts, one.count_num_spikes_per_unit("array")[:, np.newaxis], out=counts)
    return counts


def _count_in_segment(
    columns1: Columns, columns2: Columns, shape: tuple[int, int], delta: int
) -> NDArray[np.int64]:
    from spikeloom.kernels import coincidences  # noqa: PLC0415 - numba is slow to import

    n_spikes = max(columns1[0].size, columns2[0].size)
    dtype = np.int32 if n_spikes <= np.iinfo(np.int32).max else np.int64
    last: NDArray[np.integer] = np.full(shape, -1, dtype)
    seen: NDArray[np.integer] = np.full(shape[1], -1, dtype)
    counts = np.zeros(shape, np.int64)
    coincidences.count_coincidences(*columns1, *columns2, delta, last, seen, counts)
    return counts


def make_match_count_matrix(
    sorting1: BaseSorting, sorting2: BaseSorting, delta_frames: int, ensure_symmetry: bool = False
) -> "pd.DataFrame":
    """Return `count_coincidences` as a table with units as rows and columns.

    Parameters
    ----------
    sorting1, sorting2 : BaseSorting
        Sortings of the same recording.
    delta_frames : int
        How far apart two spikes may be, in samples; included.
    ensure_symmetry : bool, default False
        Count in both directions and take the larger count.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other or `delta_frames` is negative.
    """
    counts = count_coincidences(sorting1, sorting2, delta_frames, is_symmetric=ensure_symmetry)
    return pair_table(counts, sorting1.unit_ids, sorting2.unit_ids)


def do_count_event(sorting: BaseSorting) -> "pd.Series":
    """Return the number of spikes of each unit."""
    return unit_series(sorting.count_num_spikes_per_unit("array"), sorting.unit_ids)
