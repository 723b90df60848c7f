"""What plots are made of: units, segments and extensions that are there, or a clear error."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import MissingExtensionError, ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer
    from spikeloom.analyzer.extension import AnalyzerExtension

UNITS_SHOWN_MAX = 60
"""More units than this have no room for a label each."""


def analyzer_of(given: Any) -> "SortingAnalyzer":
    """Return the analyzer that is given, or that a WaveformExtractor stands for.

    Raises
    ------
    ParameterError
        If it is neither.
    """
    from spikeloom.analyzer.analyzer import SortingAnalyzer  # noqa: PLC0415 - only for some plots

    analyzer = getattr(given, "sorting_analyzer", given)
    if not isinstance(analyzer, SortingAnalyzer):
        msg = (
            f"This plot needs a SortingAnalyzer; got {type(given).__name__}. Make one with "
            "create_sorting_analyzer(sorting, recording)."
        )
        raise ParameterError(msg)
    return analyzer


def sorting_of(given: Any) -> BaseSorting:
    """Return the sorting that is given, or that of an analyzer; raises ParameterError if neither.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 20]}, 30000.0)
    >>> sorting_of(sorting) is sorting
    True
    """
    if isinstance(given, BaseSorting):
        return given
    found = getattr(getattr(given, "sorting_analyzer", given), "sorting", None)
    if not isinstance(found, BaseSorting):
        msg = f"This plot needs a sorting or a SortingAnalyzer; got {type(given).__name__}."
        raise ParameterError(msg)
    return found


def extension_of(analyzer: "SortingAnalyzer", name: str) -> "AnalyzerExtension":
    """Return an extension that was computed.

    Raises
    ------
    MissingExtensionError
        If it is not there; the message says what to compute.
    """
    found = analyzer.get_loaded(name)
    if found is None:
        msg = (
            f"This plot needs the extension {name!r}, which is not there: call "
            f"analyzer.compute({name!r}) first."
        )
        raise MissingExtensionError(msg)
    return found


def chosen_units(
    source: Any, unit_ids: Iterable[Any] | None = None
) -> tuple[list[Any], NDArray[np.int64]]:
    """Return ids and positions of the units to show.

    Parameters
    ----------
    source : BaseSorting, SortingAnalyzer or Templates
        What has units.
    unit_ids : iterable, optional
        Those to show, in this order; all by default.

    Returns
    -------
    ids : list
    positions : ndarray of shape (n_units,) and dtype int64

    Raises
    ------
    ParameterError
        If there is no such unit, one is there twice, or there are none.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10], "b": [20]}, 30000.0)
    >>> chosen_units(sorting, ["b"])
    (['b'], array([1]))
    """
    known = np.asarray(source.unit_ids).tolist()
    if unit_ids is None:
        listed = known
    else:
        listed = [one.item() if isinstance(one, np.generic) else one for one in unit_ids]
    places = {unit_id: k for k, unit_id in enumerate(known)}
    unknown = [unit_id for unit_id in listed if unit_id not in places]
    if unknown:
        msg = f"There are no units {unknown}; there are {_some(known)}."
        raise ParameterError(msg)
    if len(set(listed)) != len(listed):
        msg = f"unit_ids has some units more than once: {listed}."
        raise ParameterError(msg)
    if not listed:
        msg = "There are no units to show."
        raise ParameterError(msg)
    return listed, np.array([places[unit_id] for unit_id in listed], np.int64)


def chosen_segments(n_segments: int, segment_indices: Any = None) -> list[int]:
    """Return the segments to show: all by default, else one or several of them.

    Raises
    ------
    ParameterError
        If there is no such segment.

    Examples
    --------
    >>> chosen_segments(3), chosen_segments(3, 1), chosen_segments(3, [2])
    ([0, 1, 2], [1], [2])
    """
    if segment_indices is None:
        return list(range(n_segments))
    listed = [int(k) for k in np.atleast_1d(segment_indices)]
    if not listed or any(not 0 <= k < n_segments for k in listed):
        msg = f"Segments are 0 to {n_segments - 1}; got {listed}."
        raise ParameterError(msg)
    return listed


def only_segment(n_segments: int, segment_index: int | None) -> int:
    """Return the segment to show; raises ParameterError if there are several and none is chosen."""
    if segment_index is None and n_segments != 1:
        msg = f"There are {n_segments} segments: choose one with segment_index=..."
        raise ParameterError(msg)
    return chosen_segments(n_segments, segment_index)[0]


def voltage_unit(is_in_uV: bool) -> str:
    """Return what voltages are in, for the label of an axis.

    Examples
    --------
    >>> voltage_unit(True), voltage_unit(False)
    ('µV', 'steps')
    """
    return "µV" if is_in_uV else "steps"


def _some(ids: list[Any]) -> str:
    shown = ", ".join(map(repr, ids[:8]))
    return f"{shown}, … ({len(ids)} units)" if len(ids) > 8 else shown
