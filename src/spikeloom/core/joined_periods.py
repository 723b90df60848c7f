"""Periods of units in order, and joined where they meet.

Periods are structured arrays of dtype `unit_period_dtype`, of half-open ranges of samples.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.spike_vector import unit_period_dtype

Periods = NDArray[np.void]


def sorted_periods(periods: Periods) -> tuple[Periods, NDArray[np.int64]]:
    """Return periods in order of segment, unit and first sample, and where each was before."""
    order = np.lexsort((
        periods["start_sample_index"],
        periods["unit_index"],
        periods["segment_index"],
    ))
    return periods[order], order


def joined_periods(periods: Periods) -> Periods:
    """Return periods in order, with those of a unit and segment that meet or overlap made one.

    Examples
    --------
    >>> periods = np.zeros(3, unit_period_dtype)
    >>> periods["start_sample_index"], periods["end_sample_index"] = [50, 0, 10], [60, 10, 20]
    >>> joined = joined_periods(periods)
    >>> joined["start_sample_index"], joined["end_sample_index"]
    (array([ 0, 50]), array([20, 60]))
    """
    ordered, _ = sorted_periods(periods)
    joined: list[tuple[int, int, int, int]] = []
    for segment, start, end, unit in rows_of_periods(ordered):
        if joined and (joined[-1][0], joined[-1][3]) == (segment, unit) and start <= joined[-1][2]:
            last = joined.pop()
            joined.append((segment, last[1], max(last[2], end), unit))
        else:
            joined.append((segment, start, end, unit))
    return periods_of_rows(joined)


def rows_of_periods(periods: Periods) -> list[tuple[int, int, int, int]]:
    """Return periods as tuples (segment, start, end, unit)."""
    names = ("segment_index", "start_sample_index", "end_sample_index", "unit_index")
    return list(zip(*(periods[name].tolist() for name in names), strict=True))


def periods_of_rows(rows: list[tuple[int, int, int, int]]) -> Periods:
    """Return tuples (segment, start, end, unit) as periods of dtype `unit_period_dtype`."""
    periods = np.zeros(len(rows), unit_period_dtype)
    names = ("segment_index", "start_sample_index", "end_sample_index", "unit_index")
    for name, column in zip(names, np.array(rows, np.int64).reshape(-1, 4).T, strict=True):
        periods[name] = column
    return periods
