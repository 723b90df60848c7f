"""The units of several sortings of the same segments, side by side."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core import provenance
from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import as_ids
from spikeloom.core.matching import check_sampling_frequencies
from spikeloom.core.properties import missing_values
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.sorting_matching import as_sortings
from spikeloom.core.spike_building import sort_spikes
from spikeloom.core.spike_trains import UnitTrains
from spikeloom.core.spike_vector import SpikeTable, offsets_of, read_only
from spikeloom.errors import ParameterError

Sortings = Sequence[BaseSorting] | Mapping[Any, BaseSorting]


@stored_as("spikeinterface.core.unitsaggregationsorting.UnitsAggregationSorting")
class UnitsAggregationSorting(BaseSorting):
    """The units of several sortings as one; see `aggregate_units`."""

    _main_properties: ClassVar[list[str]] = [*BaseSorting._main_properties, "aggregation_key"]

    def __init__(
        self,
        sorting_list: Sortings,
        renamed_unit_ids: ArrayLike | None = None,
        sampling_frequency_max_diff: float = 0,
    ) -> None:
        sortings = as_sortings(sorting_list)
        _check_alike(sortings, sampling_frequency_max_diff)
        ids = _joined_ids(sortings, renamed_unit_ids)
        super().__init__(sortings[0].sampling_frequency, ids)
        self._sortings = sortings
        annotations = provenance.shared_annotations([one._annotations for one in sortings])
        self._annotations.update(annotations)
        self._properties.update(_joined_properties(sortings))
        if isinstance(sorting_list, Mapping):
            self._properties["aggregation_key"] = _keys_of_units(sorting_list)
        for k in range(sortings[0].get_num_segments()):
            self.add_sorting_segment(TableSortingSegment(self, k, None))
        self._take_times()
        # A list: keys of a dictionary that are no strings would not survive a file of JSON. They
        # are in the property.
        self._kwargs = {
            "sorting_list": sortings,
            "renamed_unit_ids": None if renamed_unit_ids is None else ids,
        }
        if sampling_frequency_max_diff:  # an argument that older versions do not take
            self._kwargs["sampling_frequency_max_diff"] = sampling_frequency_max_diff

    @property
    def sortings(self) -> list[BaseSorting]:
        """The sortings, in order."""
        return self._sortings

    def _take_times(self) -> None:
        """Take the times of the first sorting for which they were set; warn if others differ."""
        with_times = [one for one in self._sortings if _are_times_set(one)]
        if not with_times:
            return
        first = with_times[0]
        recordings = [one._recording for one in self._sortings]
        for ours, theirs in zip(self._segments, first.segments, strict=True):
            ours._t_start, ours.shift_s = theirs._t_start, theirs.shift_s
        if recordings[0] is not None and all(one is recordings[0] for one in recordings):
            self._recording = recordings[0]
        for k, other in enumerate(with_times):
            if any(
                other.get_start_time(i) != first.get_start_time(i)
                for i in range(self.get_num_segments())
            ):
                warnings.warn(
                    f"The times of sortings differ (number {k} of those that have times); those "
                    "of the first are used for all units.",
                    stacklevel=4,
                )
                return

    def _make_spike_table(self) -> SpikeTable:
        tables = [one.spike_table() for one in self._sortings]
        first_units = offsets_of([one.get_num_units() for one in self._sortings])
        counts = np.sum([np.diff(table.segment_offsets) for table in tables], axis=0)
        offsets = offsets_of(counts)
        samples = np.empty(offsets[-1], np.int64)
        units = np.empty(offsets[-1], np.int32)
        for k in range(self.get_num_segments()):
            begin = int(offsets[k])
            for table, first_unit in zip(tables, first_units[:-1], strict=True):
                spikes = table.segment_slice(k)
                end = begin + spikes.stop - spikes.start
                samples[begin:end] = table.sample_index[spikes]
                np.add(table.unit_index[spikes], first_unit, out=units[begin:end], casting="unsafe")
                begin = end
            sort_spikes(samples[offsets[k] : begin], units[offsets[k] : begin])
        return SpikeTable(read_only(samples), read_only(units), read_only(offsets))

    def _make_trains(self) -> UnitTrains:
        parts = [one._trains() for one in self._sortings]
        first_spikes = offsets_of([part.samples.size for part in parts])
        slices = [part.slices + first for part, first in zip(parts, first_spikes[:-1], strict=True)]
        samples = np.concatenate([part.samples for part in parts])
        return UnitTrains(read_only(samples), read_only(np.concatenate(slices)))


def aggregate_units(
    sorting_list: Sortings,
    renamed_unit_ids: ArrayLike | None = None,
    sampling_frequency_max_diff: float = 0,
) -> UnitsAggregationSorting:
    """Return the units of several sortings as those of one.

    Parameters
    ----------
    sorting_list : list or dict of BaseSorting
        Sortings with the same sampling frequency and number of segments. The keys of a dictionary
        become the property ``aggregation_key``.
    renamed_unit_ids : array_like of shape (n_units,), optional
        New ids. By default the ids stay if they are of one kind and no id is there twice; else
        they are 0, 1, 2, …, as text unless all were numbers.
    sampling_frequency_max_diff : float, default 0
        How much the sampling frequencies may differ, in Hz.

    Returns
    -------
    UnitsAggregationSorting
        With the properties that any of the sortings has, missing values where one has it not, and
        the annotations in which all agree. Times are those of the first sorting that has some.

    Raises
    ------
    ParameterError
        If sortings do not fit each other, if only some have the property ``main_channel_id``, or if
        the number of new ids is wrong.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> first = NumpySorting.from_unit_dict({"a": [10, 30]}, 30000.0)
    >>> second = NumpySorting.from_unit_dict({"b": [20]}, 30000.0)
    >>> both = aggregate_units({"left": first, "right": second})
    >>> both.unit_ids, both.get_property("aggregation_key")
    (array(['a', 'b'], dtype='<U1'), array(['left', 'right'], dtype='<U5'))
    """
    return UnitsAggregationSorting(sorting_list, renamed_unit_ids, sampling_frequency_max_diff)


def _check_alike(sortings: Sequence[BaseSorting], sampling_frequency_max_diff: float) -> None:
    check_sampling_frequencies(
        [one.sampling_frequency for one in sortings], sampling_frequency_max_diff
    )
    for k, one in enumerate(sortings):
        if one.get_num_segments() != sortings[0].get_num_segments():
            msg = (
                f"Sorting {k} has {one.get_num_segments()} segments, but sorting 0 has "
                f"{sortings[0].get_num_segments()}: it must be the same."
            )
            raise ParameterError(msg)
    filled = [one for one in sortings if one.get_num_units()]
    has_main = ["main_channel_id" in one.get_property_keys() for one in filled]
    if any(has_main) and not all(has_main):
        msg = (
            f"{sum(has_main)} of {len(has_main)} sortings have the property main_channel_id; set "
            "it for all of them, or delete it from all of them."
        )
        raise ParameterError(msg)


def _joined_ids(sortings: Sequence[BaseSorting], new_ids: ArrayLike | None) -> NDArray[Any]:
    n_units = sum(one.get_num_units() for one in sortings)
    if new_ids is not None:
        ids = as_ids(new_ids, "unit id")
        if ids.size != n_units:
            msg = f"One new id is needed for each of the {n_units} units; got {ids.size}."
            raise ParameterError(msg)
        return ids
    # Through lists: numpy makes floats of signed and unsigned numbers together.
    filled = [one.unit_ids for one in sortings if one.get_num_units()]
    listed = list(chain.from_iterable(ids.tolist() for ids in filled))
    kinds = {"i" if ids.dtype.kind in "iu" else "U" for ids in filled}
    if len(kinds) < 2 and len(set(listed)) == n_units:
        return np.array(listed) if listed else sortings[0].unit_ids
    if kinds == {"i"}:
        return np.arange(n_units, dtype=np.uint64)
    return np.array([str(k) for k in range(n_units)])


def _keys_of_units(sortings: Mapping[Any, BaseSorting]) -> NDArray[Any]:
    """Return, for each unit, the key of its sorting."""
    keys = np.array(list(sortings)) if len({type(key) for key in sortings}) == 1 else np.zeros(())
    if keys.ndim != 1:  # keys of several kinds, or tuples
        keys = np.empty(len(sortings), object)
        keys[:] = list(sortings)
    return np.repeat(keys, [one.get_num_units() for one in sortings.values()])


def _joined_properties(sortings: Sequence[BaseSorting]) -> dict[str, NDArray[Any]]:
    """Return all properties, with missing values where a sorting has none.

    Those of different kinds or shapes, and numbers that cannot be missing, are left out.
    """
    filled = [one for one in sortings if one.get_num_units()]
    keys = dict.fromkeys(chain.from_iterable(one.get_property_keys() for one in filled))
    joined: dict[str, NDArray[Any]] = {}
    for key in keys:
        known = [v for one in filled if (v := one._properties.get(key)) is not None]
        fault = _fault_of(known)
        if fault is None and len(known) < len(filled):
            try:
                known = [
                    one._properties[key]
                    if key in one._properties
                    else missing_values(key, known[0], one.get_num_units())
                    for one in filled
                ]
            except ParameterError:
                fault = "some sortings lack it, and its kind of number has no missing value"
        if fault is None:
            joined[key] = np.concatenate(known)
        else:
            warnings.warn(f"The property {key!r} is left out: {fault}.", stacklevel=5)
    return joined


def _fault_of(arrays: Sequence[NDArray[Any]]) -> str | None:
    """Return why values of several sortings cannot stand in one array; None if they can."""
    kinds = sorted({array.dtype.kind for array in arrays})
    if len(kinds) > 1 or (kinds == ["V"] and len({array.dtype for array in arrays}) > 1):
        dtypes = ", ".join(str(array.dtype) for array in arrays[:8])
        return f"it is of different kinds in the sortings ({dtypes})"
    shapes = sorted({array.shape[1:] for array in arrays})
    return f"its values have different shapes ({shapes})" if len(shapes) > 1 else None


def _are_times_set(sorting: BaseSorting) -> bool:
    return any(segment._t_start is not None or segment.shift_s for segment in sorting.segments)
