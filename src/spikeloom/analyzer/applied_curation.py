"""Sortings and analyzers whose units are labelled, removed, merged and split as a curation says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.core.merging_units import apply_merges_to_sorting, apply_splits_to_sorting
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.unit_ids import (
    UnitId,
    generate_unit_ids_for_merge_group,
    generate_unit_ids_for_split,
    plain_ids,
)
from spikeloom.curation.curation_format import CurationLike, as_curation
from spikeloom.curation.curation_model import Curation, SequentialCuration
from spikeloom.curation.unit_labels import curation_label_to_vectors
from spikeloom.errors import CurationError, ParameterError

Origins = dict[UnitId, list[UnitId]]
"""For each unit those that it was made of."""


def apply_curation(
    sorting_or_analyzer: BaseSorting | SortingAnalyzer,
    curation_dict_or_model: CurationLike,
    censor_ms: float | None = None,
    new_id_strategy: str = "append",
    merging_mode: str = "soft",
    sparsity_overlap: float = 0.75,
    raise_error_if_overlap_fails: bool = True,
    verbose: bool = False,
    **job_kwargs: Any,
) -> Any:
    """Return a sorting or an analyzer as a curation says.

    Units are removed, then merged, then split. Their labels become properties: a merged unit has
    an exclusive label if all its parts have it, and any other if one of them has it; parts of a
    split unit have its labels.

    Parameters
    ----------
    sorting_or_analyzer : BaseSorting or SortingAnalyzer
        What is curated; it stays as it is.
    curation_dict_or_model : mapping, Curation, SequentialCuration, or list of mappings
        The curation, or several that are applied one after the other.
    censor_ms : float, optional
        In a merged unit, a spike that follows the one before it by less than this is left out.
    new_id_strategy : {"append", "take_first", "join", "split"}
        How units are named for which the curation leaves it open; see
        `spikeloom.core.unit_ids.generate_unit_ids_for_merge_group`.
    merging_mode, sparsity_overlap, raise_error_if_overlap_fails
        For analyzers; see `spikeloom.analyzer.merging.merge_units`.
    verbose : bool, default False
        Say more.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    BaseSorting or SortingAnalyzer
        A new one, in memory.

    Raises
    ------
    CurationError
        If it is no curation, contradicts itself, or is for other units.
    ParameterError
        If there is neither a sorting nor an analyzer.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({0: [10, 30], 1: [20], 2: [5]}, 30000.0)
    >>> merges = [{"unit_ids": [0, 1], "new_unit_id": 9}]
    >>> curation = {"format_version": "2", "unit_ids": [0, 1, 2], "removed": [2], "merges": merges}
    >>> apply_curation(sorting, curation).unit_ids
    array([9])
    """
    given = sorting_or_analyzer
    if not isinstance(given, BaseSorting | SortingAnalyzer):
        msg = f"A sorting or an analyzer is curated; got {type(given).__name__}."
        raise ParameterError(msg)
    curation = as_curation(curation_dict_or_model)
    options = {
        "merging_mode": merging_mode,
        "sparsity_overlap": sparsity_overlap,
        "raise_error_if_overlap_fails": raise_error_if_overlap_fails,
        "verbose": verbose,
        **job_kwargs,
    }
    steps = curation.curation_steps if isinstance(curation, SequentialCuration) else [curation]
    for step in steps:
        given = _curated(given, step, censor_ms, new_id_strategy, options)
    return given


def apply_curation_labels(
    sorting_or_analyzer: BaseSorting | SortingAnalyzer,
    curation_dict_or_model: Mapping[str, Any] | Curation,
) -> None:
    """Give the units of a sorting or an analyzer the labels of a curation as properties.

    Parameters
    ----------
    sorting_or_analyzer : BaseSorting or SortingAnalyzer
        Has units of the curation; its properties change.
    curation_dict_or_model : mapping or Curation
        The curation.

    Raises
    ------
    CurationError
        If it is no curation, or does not know a unit.
    """
    curation = as_curation(curation_dict_or_model)
    if not isinstance(curation, Curation):
        msg = "Labels are of one curation; take one of the steps."
        raise CurationError(msg)
    _set_labels(sorting_or_analyzer, curation, {u: [u] for u in _ids_of(sorting_or_analyzer)})


def _curated(
    given: BaseSorting | SortingAnalyzer,
    curation: Curation,
    censor_ms: float | None,
    strategy: str,
    options: Mapping[str, Any],
) -> BaseSorting | SortingAnalyzer:
    ids = _ids_of(given)
    if set(ids) != set(curation.unit_ids):
        differing = sorted(set(ids) ^ set(curation.unit_ids), key=str)[:5]
        msg = (
            f"The curation is for other units: {differing} are only in it, or only in what is to "
            "be curated."
        )
        raise CurationError(msg)
    # Always something new, so that labels do not change what was given.
    curated: Any = given.select_units([unit for unit in ids if unit not in set(curation.removed)])
    origins: Origins = {unit: [unit] for unit in _ids_of(curated)}
    if curation.merges:
        curated = _merged(curated, curation, origins, censor_ms, strategy, options)
    if curation.splits:
        curated = _split(curated, curation, origins, strategy, options)
    _set_labels(curated, curation, origins)
    return curated  # type: ignore[no-any-return]


def _merged(
    given: Any,
    curation: Curation,
    origins: Origins,
    censor_ms: float | None,
    strategy: str,
    options: Mapping[str, Any],
) -> Any:
    groups = [list(merge.unit_ids) for merge in curation.merges]
    given_ids = [merge.new_unit_id for merge in curation.merges]
    strategy = "append" if strategy == "split" else strategy
    taken = [*_ids_of(given), *(new for new in given_ids if new is not None)]
    left = [group for group, new in zip(groups, given_ids, strict=True) if new is None]
    made = iter(generate_unit_ids_for_merge_group(taken, left, None, strategy) if left else [])
    new_ids = [next(made) if new is None else new for new in given_ids]
    if isinstance(given, BaseSorting):
        merged = apply_merges_to_sorting(given, groups, new_ids, censor_ms)
    else:
        merged, merged_ids = given.merge_units(
            groups, new_ids, censor_ms, return_new_unit_ids=True, **options
        )
        groups = [groups[new_ids.index(new)] for new in merged_ids]
        new_ids = merged_ids
    for group, new in zip(groups, new_ids, strict=True):
        parts = [origins.pop(unit) for unit in group]
        origins[new] = [unit for part in parts for unit in part]
    return merged


def _split(
    given: Any,
    curation: Curation,
    origins: Origins,
    strategy: str,
    options: Mapping[str, Any],
) -> Any:
    counts = (given if isinstance(given, BaseSorting) else given.sorting).count_num_spikes_per_unit(
        outputs="dict"
    )
    splits = {one.unit_id: one.parts(counts[one.unit_id]) for one in curation.splits}
    given_ids = {one.unit_id: one.new_unit_ids for one in curation.splits if one.new_unit_ids}
    _check_numbers_of_parts(splits, given_ids)
    strategy = strategy if strategy == "split" else "append"
    taken = [*_ids_of(given), *(new for ids in given_ids.values() for new in ids)]
    left = {unit: parts for unit, parts in splits.items() if unit not in given_ids}
    made = iter(generate_unit_ids_for_split(taken, left, None, strategy) if left else [])
    new_ids = [list(given_ids[unit]) if unit in given_ids else next(made) for unit in splits]
    if isinstance(given, BaseSorting):
        split = apply_splits_to_sorting(given, splits, new_ids)
    else:
        jobs = {key: value for key, value in options.items() if key not in _ONLY_FOR_MERGES}
        split = given.split_units(splits, new_ids, **jobs)
    for unit, ids in zip(splits, new_ids, strict=True):
        source = origins.pop(unit)
        origins.update(dict.fromkeys(ids, source))
    return split


_ONLY_FOR_MERGES = {"merging_mode", "sparsity_overlap", "raise_error_if_overlap_fails"}


def _check_numbers_of_parts(
    splits: Mapping[UnitId, Sequence[Any]], given_ids: Mapping[UnitId, Sequence[UnitId]]
) -> None:
    for unit, ids in given_ids.items():
        if len(ids) != len(splits[unit]):
            msg = (
                f"Unit {unit!r} is split into {len(splits[unit])} parts, with those spikes that no "
                f"part lists, and has {len(ids)} new ids: give one for each."
            )
            raise CurationError(msg)


def _set_labels(given: BaseSorting | SortingAnalyzer, curation: Curation, origins: Origins) -> None:
    """Set labels as properties, by those of the units that each unit was made of."""
    columns = curation_label_to_vectors(curation)
    place = {unit: k for k, unit in enumerate(curation.unit_ids)}
    unknown = [unit for units in origins.values() for unit in units if unit not in place]
    if unknown:
        msg = f"The curation does not know the units {unknown[:5]}."
        raise CurationError(msg)
    rows = [[place[unit] for unit in origins[new]] for new in _ids_of(given)]
    for name, column in columns.items():
        values = [_common(column[of_unit]) for of_unit in rows]
        labels = np.array(values, dtype=column.dtype)
        if isinstance(given, BaseSorting):
            given.set_property(name, labels)
        else:
            given.set_sorting_property(name, labels, save=False)


def _common(labels: NDArray[Any]) -> Any:
    if labels.dtype == bool:
        return labels.any()
    return labels[0] if (labels == labels[0]).all() else ""


def _ids_of(given: BaseSorting | SortingAnalyzer) -> list[UnitId]:
    return plain_ids(given.unit_ids)
