"""What formats have no place for, in the same words before anything is written and afterwards."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

START = "the start of segments in seconds is not kept"
TIMES = "the time of each sample is not kept"
UNIT_IDS = "ids of units are others"
CHANNEL_IDS = "channel ids are not kept"
POSITIONS = "positions of channels are not kept"

_N_NAMES_SHOWN = 8


def shown(values: list[Any]) -> str:
    """Return some values in words, but not too many.

    Examples
    --------
    >>> shown([*range(10)])
    '0, 1, 2, 3, 4, 5, 6, 7 and 2 more'
    """
    listed = ", ".join(str(value) for value in values[:_N_NAMES_SHOWN])
    more = len(values) - _N_NAMES_SHOWN
    return f"{listed} and {more} more" if more > 0 else listed or "none"


def lost_properties(names: Iterable[str]) -> list[str]:
    """Return the sentence that says that properties get lost, if there are some."""
    listed = [*names]
    return [f"properties are not kept: {shown(listed)}"] if listed else []


def changed_properties(names: Iterable[str]) -> list[str]:
    """Return the sentence that says that properties get other values, if there are some."""
    listed = [*names]
    return [f"properties are written otherwise: {shown(listed)}"] if listed else []


def properties_but(
    is_kept: Callable[[str, NDArray[Any]], bool],
) -> Callable[[Any], list[str]]:
    """Return what says which properties get lost, where those that `is_kept` tells are kept."""

    def losses(source: Any) -> list[str]:
        properties = {key: source.get_property(key) for key in source.get_property_keys()}
        return lost_properties(
            key for key, values in properties.items() if not is_kept(key, values)
        )

    return losses


def is_column(key: str, values: NDArray[Any]) -> bool:
    """Return whether a property has a number, a truth value or a text for each unit or channel."""
    del key
    return values.ndim == 1 and values.dtype.kind in "biufU"


def starts(source: Any) -> list[str]:
    """Say that starts get lost, if a segment of a recording or sorting does not begin at 0."""
    first = np.array([0])
    begin = [source.sample_index_to_time(first, k) for k in range(source.get_num_segments())]
    return [START] if np.any(begin) else []


def times(recording: Any) -> list[str]:
    """Say that the times of samples of a recording get lost, if it has some."""
    return [TIMES] if recording.has_any_time_vector() else []


def positions(recording: Any) -> list[str]:
    """Say that positions of channels get lost, if there are some."""
    return [POSITIONS] if recording.has_probe() else []


def together(*parts: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    """Return what says all that each of several functions says."""
    return lambda source: [sentence for part in parts for sentence in part(source)]
