"""Spike tables from what users have: samples and labels, trains of units, peaks, spike vectors.

Inputs are mostly in order already, which one linear look tells. Where only spikes of one sample
are out of order, only those are sorted; else the spikes of a segment are sorted by one number
each, sample and unit packed into 63 bits, by a linear radix sort.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.spike_labels import check_unit_ids, index_labels
from spikeloom.core.spike_vector import (
    SpikeTable,
    blocks,
    check_unit_range,
    is_in_order,
    minimum_spike_dtype,
    offsets_of,
    read_only,
    ties_are_in_order,
    uses_kernels,
)
from spikeloom.core.unit_conversion import SAMPLE_MAX
from spikeloom.errors import DataError, ParameterError

_NO_UNITS = np.zeros(0, np.int32)
_N_KEY_BITS = 63
_N_DIGIT_BITS_MAX = 11  # 2048 places to write to: as many as the processor's cache takes


def table_from_samples_and_labels(
    samples_list: Sequence[ArrayLike],
    labels_list: Sequence[ArrayLike],
    unit_ids: ArrayLike | None = None,
) -> tuple[SpikeTable, NDArray[Any]]:
    """Build the spike table of samples and labels, in any order.

    Parameters
    ----------
    samples_list : sequence of array_like of shape (n_spikes,)
        Samples of the spikes of each segment.
    labels_list : sequence of array_like of shape (n_spikes,)
        Labels of the same spikes, whole numbers or text.
    unit_ids : array_like of shape (n_units,), optional
        The unit ids, in the order wanted; without it, the labels that occur, increasing.

    Returns
    -------
    table : SpikeTable
    unit_ids : ndarray of shape (n_units,)

    Raises
    ------
    DataError
        If samples and labels do not match, samples are no whole numbers, or a label is not among
        `unit_ids`.

    Examples
    --------
    >>> table, unit_ids = table_from_samples_and_labels([[9, 3], []], [["b", "a"], []])
    >>> unit_ids, table.sample_index, table.unit_index, table.n_segments
    (array(['a', 'b'], dtype='<U1'), array([3, 9]), array([0, 1], dtype=int32), 2)
    """
    if len(samples_list) != len(labels_list):
        msg = (
            f"Got samples of {len(samples_list)} segments and labels of {len(labels_list)}; "
            "give one array of each for every segment."
        )
        raise DataError(msg)
    samples = [_as_samples(values) for values in samples_list]
    ids, indices = index_labels(labels_list, unit_ids)
    for segment_index, (values, units) in enumerate(zip(samples, indices, strict=True)):
        if values.size != units.size:
            msg = (
                f"Segment {segment_index} has {values.size} samples and {units.size} labels; "
                "give one label for each sample."
            )
            raise DataError(msg)
    offsets = offsets_of([values.size for values in samples])
    # Of one segment, the indices were made for us: no need for another copy.
    unit_index = indices[0] if len(indices) == 1 else np.concatenate([*indices, _NO_UNITS])
    sample_index = np.empty(offsets[-1], np.int64)
    for (begin, end), values in zip(pairwise(offsets), samples, strict=True):
        sample_index[begin:end] = values
    return _sorted_table(sample_index, unit_index, offsets), ids


def table_from_unit_dicts(
    units_list: Sequence[Mapping[Any, ArrayLike]], unit_ids: ArrayLike | None = None
) -> tuple[SpikeTable, NDArray[Any]]:
    """Build the spike table of trains of units.

    Parameters
    ----------
    units_list : sequence of mapping of unit id to array_like of shape (n_spikes,)
        For each segment, the samples of each unit, in any order. A unit that a segment does not
        name has no spikes there.
    unit_ids : array_like of shape (n_units,), optional
        The unit ids in the order wanted; without it, in the order in which they are first named.

    Returns
    -------
    table : SpikeTable
    unit_ids : ndarray of shape (n_units,)

    Raises
    ------
    DataError
        If a unit is not among `unit_ids`, or samples are no whole numbers.

    Examples
    --------
    >>> table, unit_ids = table_from_unit_dicts([{"b": [9, 3], "a": [3]}, {"a": [1]}])
    >>> unit_ids, table.sample_index, table.unit_index, table.segment_offsets
    (array(['b', 'a'], dtype='<U1'), array([3, 3, 9, 1]), array([0, 1, 0, 1], dtype=int32),
     array([0, 3, 4]))
    """
    named = list(dict.fromkeys(unit for units in units_list for unit in units))
    ids = check_unit_ids(named if unit_ids is None else unit_ids)
    missing = [unit for unit in named if unit not in set(ids.tolist())]
    if missing:
        msg = f"Units {missing[:5]} are not among the {ids.size} unit ids; add them to unit_ids."
        raise DataError(msg)
    trains_list = [
        [_as_samples(units.get(unit, ())) for unit in ids.tolist()] for units in units_list
    ]
    offsets = offsets_of([sum(train.size for train in trains) for trains in trains_list])
    sample_index = np.empty(offsets[-1], np.int64)
    unit_index = np.empty(offsets[-1], np.int32)
    begin = 0
    for trains in trains_list:
        for i, train in enumerate(trains):
            sample_index[begin : begin + train.size] = train
            unit_index[begin : begin + train.size] = i
            begin += train.size
    return _sorted_table(sample_index, unit_index, offsets), ids


def table_from_columns(
    sample_index: ArrayLike,
    unit_index: ArrayLike,
    segment_index: ArrayLike | None = None,
    *,
    n_units: int,
    n_segments: int | None = None,
    in_place: bool = False,
) -> SpikeTable:
    """Build the spike table of three columns, in any order.

    Parameters
    ----------
    sample_index, unit_index, segment_index : array_like of shape (n_spikes,)
        Without `segment_index` all spikes are of one segment.
    n_units : int
        Unit indices are less than this.
    n_segments : int, optional
        Number of segments, also of those without spikes; without it, as many as have spikes.
    in_place : bool, default False
        Take over the columns, rather than copies, where they have the types of a table and can be
        written: they are put in order then.

    Raises
    ------
    DataError
        If the columns differ in length, or an index is out of its range.

    Examples
    --------
    >>> table = table_from_columns([5, 2, 2], [0, 1, 0], [1, 0, 0], n_units=2, n_segments=3)
    >>> table.sample_index, table.unit_index, table.segment_offsets
    (array([2, 2, 5]), array([0, 1, 0], dtype=int32), array([0, 2, 3, 3]))
    """
    samples, units = _as_samples(sample_index), _as_samples(unit_index)
    segments = None if segment_index is None else _as_samples(segment_index)
    if samples.size != units.size or (segments is not None and segments.size != samples.size):
        sizes = [samples.size, units.size, samples.size if segments is None else segments.size]
        msg = f"The columns of spikes have {sizes} entries; they must have the same number."
        raise DataError(msg)
    check_unit_range(units, n_units)
    if segments is None:
        offsets = offsets_of([samples.size, *[0] * ((n_segments or 1) - 1)])
    else:
        offsets = _segment_offsets(segments, n_segments)
        if not is_in_order(segments):
            # Few segments: numpy sorts numbers of 16 bits by a radix sort.
            narrow = segments.astype(np.uint16) if offsets.size <= 1 << 16 else segments
            order = np.argsort(narrow, kind="stable")
            samples, units = samples[order], units[order]
    if in_place:
        own = np.require(samples, np.int64, ["C", "W"]), np.require(units, np.int32, ["C", "W"])
    else:
        own = np.array(samples, np.int64), units.astype(np.int32)
    return _sorted_table(*own, offsets)


def table_from_spike_vector(
    vector: NDArray[np.void] | Sequence[NDArray[np.void]],
    *,
    n_units: int | None = None,
    n_segments: int | None = None,
    sort_ties: bool = False,
) -> SpikeTable:
    """Make a spike table over a spike vector: without a copy, if it is in order.

    Parameters
    ----------
    vector : ndarray with the fields of `minimum_spike_dtype`, or a list of one for each segment
        More fields may be there, and are not kept. It may be a memory map.
    n_units : int, optional
        If given, unit indices are checked.
    n_segments : int, optional
        Number of segments, also of those without spikes; without it, as many as have spikes.
    sort_ties : bool
        Whether spikes of one sample must be in order of units. By default a vector in order of
        time is kept as it is: what was computed for it, spike by spike, lies in its order.

    Raises
    ------
    DataError
        If a field is missing, or an index is out of its range.

    Examples
    --------
    >>> from spikeloom.core.spike_vector import minimum_spike_dtype
    >>> vector = np.array([(2, 1, 0), (2, 0, 0), (7, 0, 1)], minimum_spike_dtype)
    >>> table_from_spike_vector(vector).vector is vector
    True
    >>> table_from_spike_vector(vector, sort_ties=True).unit_index
    array([0, 1, 0], dtype=int32)
    """
    if not isinstance(vector, np.ndarray):
        n_segments = len(vector) if n_segments is None else n_segments
        vector = np.concatenate(list(vector)) if len(vector) else np.zeros(0, minimum_spike_dtype)
    names = {"sample_index", "unit_index", "segment_index"}
    missing = sorted(names - set(vector.dtype.names or ()))
    if missing:
        msg = f"A spike vector has the fields {sorted(names)}; missing: {missing}."
        raise DataError(msg)
    samples, units = vector["sample_index"], vector["unit_index"]
    segments = vector["segment_index"]
    columns = (samples, units, segments)
    if any(column.ndim != 1 or column.dtype.kind not in "biuf" for column in columns):
        msg = f"A spike vector is a list of records of numbers; got {vector.dtype} {vector.shape}."
        raise DataError(msg)
    if n_units is not None:
        check_unit_range(units, n_units)
    if samples.dtype == np.int64 and units.dtype.kind in "iu" and is_in_order(segments):
        offsets = _segment_offsets(segments, n_segments)
        parts = [slice(begin, end) for begin, end in pairwise(offsets)]
        if all(
            is_in_order(samples[part])
            and (not sort_ties or ties_are_in_order(samples[part], units[part]))
            for part in parts
        ):
            plain = vector.dtype == minimum_spike_dtype
            return SpikeTable(samples, units, read_only(offsets), vector if plain else None)
    n_units = int(units.max()) + 1 if n_units is None else n_units
    return table_from_columns(samples, units, segments, n_units=n_units, n_segments=n_segments)


def table_from_peaks(
    peaks: NDArray[np.void], unit_ids: ArrayLike, *, n_segments: int | None = None
) -> SpikeTable:
    """Build the spike table of detected peaks: each channel is a unit.

    Parameters
    ----------
    peaks : ndarray with the fields sample_index, channel_index and segment_index
    unit_ids : array_like of shape (n_channels,)
        One id for each channel, in the order of the channels.
    n_segments : int, optional
        Number of segments, also of those without peaks.

    Raises
    ------
    DataError
        If a peak's channel has no unit.

    Examples
    --------
    >>> from spikeloom.core.spike_vector import base_peak_dtype
    >>> peaks = np.array([(8, 1, -4.5, 0), (3, 0, -9.0, 0)], base_peak_dtype)
    >>> table_from_peaks(peaks, ["left", "right"]).sample_index
    array([3, 8])
    """
    return table_from_columns(
        peaks["sample_index"],
        peaks["channel_index"],
        peaks["segment_index"],
        n_units=check_unit_ids(unit_ids).size,
        n_segments=n_segments,
    )


def sort_spikes(sample_index: NDArray[np.int64], unit_index: NDArray[np.int32]) -> None:
    """Sort the spikes of one segment by sample, then unit, in place.

    Parameters
    ----------
    sample_index, unit_index : ndarray of shape (n_spikes,)
        Unit indices are not negative.

    Examples
    --------
    >>> samples, units = np.array([7, 3, 3]), np.array([0, 2, 1], np.int32)
    >>> sort_spikes(samples, units)
    >>> samples, units
    (array([3, 3, 7]), array([1, 2, 0], dtype=int32))
    """
    if not is_in_order(sample_index):
        _sort_all(sample_index, unit_index)
    elif not ties_are_in_order(sample_index, unit_index):
        _sort_ties(sample_index, unit_index)


def sorted_times(times: ArrayLike) -> NDArray[np.number]:
    """Return times in order: themselves if they are, or else a new array.

    Parameters
    ----------
    times : array_like of shape (n_spikes,)
        Samples or seconds.

    Examples
    --------
    >>> sorted_times([7, -3, 5])
    array([-3,  5,  7])
    """
    train = np.asarray(times)
    if np.all(train[1:] >= train[:-1]):
        return train
    if train.dtype != np.int64 or not uses_kernels(train.size):
        return np.sort(train)
    low, high = int(train.min()), int(train.max())
    if (high - low).bit_length() > _N_KEY_BITS:
        return np.sort(train)
    in_order = _sort_keys(train - low, (high - low).bit_length(), 0)
    in_order += low
    return in_order


def _sort_all(sample_index: NDArray[np.int64], unit_index: NDArray[np.int32]) -> None:
    """Sort spikes by sample, then unit, in place, as one number for each spike."""
    low, high = int(sample_index.min()), int(sample_index.max())
    n_unit_bits = int(unit_index.max()).bit_length()
    n_bits = (high - low).bit_length() + n_unit_bits
    if n_bits > _N_KEY_BITS:
        order = np.lexsort((unit_index, sample_index))
        sample_index[:], unit_index[:] = sample_index[order], unit_index[order]
        return
    # Trains one after the other are in order of units: no need to look at the bits of the units.
    n_bits_in_order = n_unit_bits if is_in_order(unit_index) else 0
    keys = sample_index  # packed where the samples are, to need no more memory
    for block in blocks(slice(0, keys.size)):
        keys[block] -= low
        keys[block] <<= n_unit_bits
        keys[block] |= unit_index[block]
    in_order = _sort_keys(keys, n_bits, n_bits_in_order)
    mask = (1 << n_unit_bits) - 1
    for block in blocks(slice(0, keys.size)):
        unit_index[block] = in_order[block] & mask
        np.right_shift(in_order[block], n_unit_bits, out=sample_index[block])
        sample_index[block] += low


def _sort_keys(keys: NDArray[np.int64], n_bits: int, n_bits_in_order: int) -> NDArray[np.int64]:
    """Return numbers of `n_bits` bits in order; `keys` is overwritten, and may be what returns."""
    if not uses_kernels(keys.size):
        # Trains one after the other are runs, which a stable sort finds and merges.
        keys.sort(kind="stable" if n_bits_in_order else None)
        return keys
    # Late: numba is slow to import.
    from spikeloom.kernels.radix_sort import sort_by_digit  # noqa: PLC0415

    n_bits -= n_bits_in_order
    n_passes = -(-n_bits // _N_DIGIT_BITS_MAX)
    n_digit_bits = -(-n_bits // n_passes)
    source, target = keys, np.empty_like(keys)
    for i in range(n_passes):
        sort_by_digit(source, n_bits_in_order + i * n_digit_bits, n_digit_bits, target)
        source, target = target, source
    return source


def _sort_ties(sample_index: NDArray[np.int64], unit_index: NDArray[np.int32]) -> None:
    """Put spikes of one sample in order of units, in place; samples are in order."""
    same = sample_index[1:] == sample_index[:-1]
    in_tie = np.zeros(sample_index.size, np.bool_)
    in_tie[1:] = same
    in_tie[:-1] |= same
    spikes = np.flatnonzero(in_tie)
    units = unit_index[spikes]
    _sort_all(sample_index[spikes], units)
    # Samples stay where they are: the units alone move, within each tie.
    unit_index[spikes] = units


def _sorted_table(
    sample_index: NDArray[np.int64], unit_index: NDArray[np.int32], offsets: NDArray[np.int64]
) -> SpikeTable:
    """Sort the spikes of each segment in place, and make a table that nobody writes through."""
    for begin, end in pairwise(offsets):
        sort_spikes(sample_index[begin:end], unit_index[begin:end])
    return SpikeTable(read_only(sample_index), read_only(unit_index), read_only(offsets))


def _segment_offsets(segments: NDArray[np.integer], n_segments: int | None) -> NDArray[np.int64]:
    """Return where each segment begins among the spikes in order of segments."""
    low, high = (int(segments.min()), int(segments.max())) if segments.size else (0, -1)
    n_segments = max(1, high + 1) if n_segments is None else n_segments
    if n_segments < 0:
        msg = f"The number of segments is {n_segments}; it is not negative."
        raise ParameterError(msg)
    if low < 0 or high >= n_segments:
        msg = f"Spikes are of segments {low} to {high}, and there are {n_segments} segments."
        raise DataError(msg)
    if is_in_order(segments):
        return np.searchsorted(segments, np.arange(n_segments + 1)).astype(np.int64)
    return offsets_of(np.bincount(segments, minlength=n_segments))


def _as_samples(samples: ArrayLike) -> NDArray[np.integer]:
    """Return whole numbers as an integer array; floats are fine if they are whole."""
    array = np.asarray(samples)
    if array.size == 0:
        return np.zeros(0, np.int64)
    if array.ndim == 1 and array.dtype.kind == "f":
        with np.errstate(over="ignore"):  # of half floats, which have no number as large
            is_sample = (np.abs(array) < SAMPLE_MAX).all()  # which NaN is not
        is_whole = is_sample and bool((array == np.floor(array)).all())
        array = array.astype(np.int64) if is_whole else array
    if array.ndim != 1 or array.dtype.kind not in "iu":
        msg = (
            f"Samples and indices are lists of whole numbers; got an array of {array.dtype} and "
            f"shape {array.shape}. Round times in seconds times the sampling frequency first."
        )
        raise DataError(msg)
    return array
