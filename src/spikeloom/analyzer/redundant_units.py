"""Units that were found twice: found, and left out."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.comparison.coincidences import count_coincidences, delta_in_samples
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.template_tools import (
    get_template_amplitudes,
    get_template_peak_shift_on_main_channel,
)
from spikeloom.core.unit_ids import UnitId, plain_ids
from spikeloom.curation.aligned_sortings import align_sorting
from spikeloom.errors import ParameterError

RemoveStrategy = Literal["minimum_shift", "highest_amplitude", "max_spikes"]
"""Which of two units stays; see `remove_redundant_units`."""


def find_redundant_units(
    sorting: BaseSorting,
    delta_time: float = 0.4,
    agreement_threshold: float = 0.2,
    duplicate_threshold: float = 0.8,
) -> list[tuple[UnitId, UnitId]]:
    """Find pairs of units that have most of their spikes in common.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    delta_time : float, default 0.4
        Spikes so many ms apart, or less, coincide.
    agreement_threshold : float, default 0.2
        Coinciding spikes must make up this part of all spikes of both at least.
    duplicate_threshold : float, default 0.8
        And more than this part of the spikes of one of them.

    Returns
    -------
    list of tuple of two unit ids
        The later unit first.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict(
    ...     {"a": [100, 300, 500], "b": [102, 301], "c": [200]}, 30000.0
    ... )
    >>> find_redundant_units(sorting)
    [('b', 'a')]
    """
    delta = delta_in_samples(delta_time, sorting.sampling_frequency)
    n_common = count_coincidences(sorting, sorting, delta, is_symmetric=True)
    n_spikes = np.asarray(sorting.count_num_spikes_per_unit(outputs="array"), np.int64)
    n_any = n_spikes[:, np.newaxis] + n_spikes - n_common
    agreement = n_common / np.maximum(n_any, 1)
    n_of_smaller = np.maximum(np.minimum(n_spikes[:, np.newaxis], n_spikes), 1)
    is_pair = (agreement >= agreement_threshold) & (n_common / n_of_smaller > duplicate_threshold)
    rows, columns = np.nonzero(np.tril(is_pair & (n_common > 0), k=-1))
    ids = plain_ids(sorting.unit_ids)
    return [(ids[i], ids[j]) for i, j in zip(rows.tolist(), columns.tolist(), strict=True)]


def remove_redundant_units(
    sorting_or_sorting_analyzer: BaseSorting | SortingAnalyzer,
    align: bool = True,
    unit_peak_shifts: Mapping[UnitId, float] | None = None,
    delta_time: float = 0.4,
    agreement_threshold: float = 0.2,
    duplicate_threshold: float = 0.8,
    remove_strategy: RemoveStrategy = "minimum_shift",
    extra_outputs: bool = False,
) -> Any:
    """Leave out one of each pair of units that have most of their spikes in common.

    Parameters
    ----------
    sorting_or_sorting_analyzer : BaseSorting or SortingAnalyzer
        The units.
    align : bool, default True
        Compare spikes where units peak, rather than where they were found.
    unit_peak_shifts : mapping of unit id to float, optional
        By how many samples the peak of each unit is behind its spikes; an analyzer with templates
        knows.
    delta_time, agreement_threshold, duplicate_threshold : float
        See `find_redundant_units`.
    remove_strategy : {"minimum_shift", "highest_amplitude", "max_spikes"}
        Which unit stays: that whose peak is closer to its spikes, and if that is the same, that
        with the higher template there; that with the higher template; or that with more spikes.
    extra_outputs : bool, default False
        Return the pairs, too.

    Returns
    -------
    BaseSorting, or tuple of BaseSorting and list of tuple of unit ids

    Raises
    ------
    ParameterError
        If a strategy needs what is not there.
    """
    given = sorting_or_sorting_analyzer
    analyzer = given if isinstance(given, SortingAnalyzer) else None
    sorting: BaseSorting = given.sorting if isinstance(given, SortingAnalyzer) else given
    _check(remove_strategy, analyzer, align=align)
    if align and unit_peak_shifts is None:
        if analyzer is None:
            msg = (
                "To align the units of a sorting, give unit_peak_shifts; or use align=False, or an "
                "analyzer with templates."
            )
            raise ParameterError(msg)
        unit_peak_shifts = get_template_peak_shift_on_main_channel(analyzer, with_dict=True)
    shifts = dict(unit_peak_shifts or {}) if align else {}
    pairs = find_redundant_units(
        align_sorting(sorting, shifts) if shifts else sorting,
        delta_time,
        agreement_threshold,
        duplicate_threshold,
    )
    ranks = _ranks(remove_strategy, sorting, analyzer, shifts)
    # Of two that are as good, the earlier one goes.
    removed = [later if ranks[later] < ranks[earlier] else earlier for later, earlier in pairs]
    kept = sorting.remove_units(list(dict.fromkeys(removed)))
    return (kept, pairs) if extra_outputs else kept


def _check(strategy: str, analyzer: SortingAnalyzer | None, *, align: bool) -> None:
    if strategy not in get_args(RemoveStrategy):
        msg = f"remove_strategy is one of {', '.join(get_args(RemoveStrategy))}; got {strategy!r}."
        raise ParameterError(msg)
    if analyzer is None and strategy != "max_spikes":
        msg = f"The strategy {strategy!r} needs templates: give an analyzer, or use 'max_spikes'."
        raise ParameterError(msg)
    if strategy == "minimum_shift" and not align:
        msg = "The strategy 'minimum_shift' needs align=True."
        raise ParameterError(msg)


def _ranks(
    strategy: str,
    sorting: BaseSorting,
    analyzer: SortingAnalyzer | None,
    shifts: Mapping[UnitId, float],
) -> dict[UnitId, tuple[float, ...]]:
    """Return what decides between two units: the one with less goes."""
    ids = plain_ids(sorting.unit_ids)
    if strategy == "max_spikes" or analyzer is None:
        counts = sorting.count_num_spikes_per_unit(outputs="dict")
        return {unit: (float(counts[unit]),) for unit in ids}
    templates: dict[UnitId, NDArray[Any]] = get_template_amplitudes(analyzer, peak_mode="at_index")
    heights = {unit: float(np.max(np.abs(values))) for unit, values in templates.items()}
    if strategy == "highest_amplitude":
        return {unit: (heights[unit],) for unit in ids}
    return {unit: (-abs(shifts.get(unit, 0.0)), heights[unit]) for unit in ids}
