"""Whether several sortings fit each other; if not, which of them does not, and in what."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError


def as_sorting(sorting: Any) -> BaseSorting:
    """Return `sorting`; raises ParameterError if it is none."""
    if not isinstance(sorting, BaseSorting):
        msg = f"A sorting is needed; got {type(sorting).__name__}."
        raise ParameterError(msg)
    return sorting


def as_sortings(sortings: Iterable[Any] | Mapping[Any, Any]) -> list[BaseSorting]:
    """Return a list of sortings, of a list or a dictionary of them.

    Raises
    ------
    ParameterError
        If it is empty, or if something in it is no sorting.
    """
    if isinstance(sortings, Mapping):
        sortings = sortings.values()
    if isinstance(sortings, BaseSorting | str) or not isinstance(sortings, Iterable):
        msg = f"A list of sortings is needed; got {type(sortings).__name__}."
        raise ParameterError(msg)
    listed = [as_sorting(sorting) for sorting in sortings]
    if not listed:
        msg = "A list of sortings is needed, at least one; got an empty list."
        raise ParameterError(msg)
    return listed


def only_segment_of(sorting: BaseSorting, what: str) -> None:
    """Check that a sorting has one segment.

    Raises
    ------
    ParameterError
        If it has several, or none.
    """
    n_segments = sorting.get_num_segments()
    if n_segments != 1:
        msg = (
            f"{what} works on a sorting of one segment; this one has {n_segments}. Take one with "
            "select_segments(0), or make them one with concatenate_sortings([sorting])."
        )
        raise ParameterError(msg)


def check_same_units(sortings: Sequence[BaseSorting]) -> None:
    """Check that sortings have the same units, in the same order.

    Raises
    ------
    ParameterError
        If one of them has other units than the first.
    """
    for k, sorting in enumerate(sortings):
        if not np.array_equal(sorting.unit_ids, sortings[0].unit_ids):
            msg = (
                f"Sorting {k} has the units {sorting.unit_ids[:8].tolist()} "
                f"({sorting.get_num_units()}), but sorting 0 has "
                f"{sortings[0].unit_ids[:8].tolist()} ({sortings[0].get_num_units()}): they must "
                "be the same, in the same order. Use select_units(...) first."
            )
            raise ParameterError(msg)


def appended_recording(recordings: Sequence[BaseRecording]) -> BaseRecording | None:
    """Return recordings one after the other; None if they do not fit each other."""
    from spikeloom.core.segments import AppendSegmentRecording  # noqa: PLC0415 - rarely needed

    if len(recordings) == 1:
        return recordings[0]
    first = recordings[0]
    is_fitting = all(
        one.dtype == first.dtype
        and np.array_equal(one.channel_ids, first.channel_ids)
        and one.sampling_frequency == first.sampling_frequency
        for one in recordings
    )
    return AppendSegmentRecording(recordings) if is_fitting else None
