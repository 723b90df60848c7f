"""Analyzers in which groups of units are one.

What was computed comes along. A soft merge takes no trace twice: each extension makes what merged
units have of what their parts had, on the channels that all of them share. A hard merge gives
merged units all channels of their parts, and computes for them what depends on traces.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.copies import derived, saved_as
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.recomputing import Recomputing, check_job_kwargs, rows_before
from spikeloom.core.merging_units import apply_merges_to_sorting
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.unit_ids import UnitId, generate_unit_ids_for_merge_group, plain_ids
from spikeloom.errors import ParameterError

MergingMode = Literal["soft", "hard"]
"""How extensions are merged."""

Groups = Sequence[Sequence[UnitId]]
"""Units that become one, of two ids or more each."""

_MAIN_CHANNEL = "main_channel_id"


def merge_units(
    analyzer: SortingAnalyzer,
    merge_unit_groups: Groups,
    new_unit_ids: Sequence[UnitId] | None = None,
    censor_ms: float | None = None,
    merging_mode: MergingMode = "soft",
    sparsity_overlap: float = 0.75,
    raise_error_if_overlap_fails: bool = True,
    new_id_strategy: str = "append",
    return_new_unit_ids: bool = False,
    format: str = "memory",
    folder: str | Path | None = None,
    verbose: bool = False,
    **job_kwargs: Any,
) -> Any:
    """Return an analyzer in which groups of units are one, with all extensions.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer; it stays as it is.
    merge_unit_groups : sequence of groups of at least two unit ids
        What is merged. No unit may be in two groups. The method `SortingAnalyzer.merge_units` takes
        groups as arguments of their own, too: ``merge_units([0, 1], [2, 3])``.
    new_unit_ids : sequence of unit ids, optional
        One for each group; by default by `new_id_strategy`.
    censor_ms : float, optional
        In a merged unit, a spike that follows the one before it by less than this is left out.
    merging_mode : {"soft", "hard"}
        "soft": merged units have the channels that all of their parts have, and extensions are made
        of what was computed for these. "hard": they have the channels of any part, and what
        depends on traces is computed for them.
    sparsity_overlap : float, default 0.75
        For a soft merge, the parts of a unit must share so much of the channels that any has.
    raise_error_if_overlap_fails : bool, default True
        False leaves groups that share less as they are, with a warning.
    new_id_strategy : {"append", "take_first", "join"}
        See `spikeloom.core.unit_ids.generate_unit_ids_for_merge_group`.
    return_new_unit_ids : bool, default False
        Return the ids of merged units, too.
    format, folder
        See `spikeloom.create_sorting_analyzer`.
    verbose : bool, default False
        Say more.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    SortingAnalyzer, or tuple of SortingAnalyzer and list of unit ids
        Without extensions that cannot be merged, which a warning names.

    Raises
    ------
    ParameterError
        If groups or ids make no sense, or parts share too few channels.
    MissingExtensionError
        If a hard merge needs the recording, and it is not at hand.

    Examples
    --------
    >>> from spikeloom.analyzer.creation import create_sorting_analyzer
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20], "c": [5]}, 30000.0)
    >>> recording = NumpyRecording([np.zeros((50, 2), "f4")], 30000.0)
    >>> analyzer = create_sorting_analyzer(
    ...     sorting, recording, sparse=False, main_channel_indices=[0, 0, 1], progress_bar=False
    ... )
    >>> merged = merge_units(analyzer, [["a", "b"]], new_unit_ids=["d"])
    >>> merged.unit_ids, merged.sorting.get_unit_spike_train("d")
    (array(['c', 'd'], dtype='<U1'), array([10, 20, 30]))
    """
    groups = [plain_ids(group) for group in merge_unit_groups]
    _check(groups, merging_mode, job_kwargs)
    generate_unit_ids_for_merge_group(analyzer.unit_ids, groups, new_unit_ids, new_id_strategy)
    fits, masks = _overlaps(analyzer, groups, merging_mode, sparsity_overlap)
    if not all(fits):
        _refuse(groups, fits, sparsity_overlap, is_fatal=raise_error_if_overlap_fails)
        groups = _chosen(groups, fits)
        if new_unit_ids is not None:
            new_unit_ids = _chosen(plain_ids(new_unit_ids), fits)
    if not groups:
        same = saved_as(analyzer, format, folder)
        return (same, []) if return_new_unit_ids else same
    sorting, keep_mask, new_ids = apply_merges_to_sorting(
        analyzer.sorting,
        groups,
        new_unit_ids,
        censor_ms,
        return_extra=True,
        new_id_strategy=new_id_strategy,
    )
    sparsity = _merged_sparsity(analyzer, sorting, new_ids, _chosen(masks, fits))
    _settle_main_channels(analyzer, sorting, sparsity, groups, new_ids)
    merger = _Merger(
        Recomputing(analyzer, new_ids, is_verbose=verbose, job_kwargs=job_kwargs),
        groups,
        new_ids,
        None if keep_mask.all() else keep_mask,
        merging_mode,
    )
    merged = derived(
        analyzer,
        sorting=sorting,
        sparsity=sparsity,
        make_extension=merger,
        format=format,
        folder=folder,
    )
    merger.recomputing.warn_of_left_out("merged")
    return (merged, new_ids) if return_new_unit_ids else merged


def are_units_mergeable(
    analyzer: SortingAnalyzer,
    merge_unit_groups: Groups,
    merging_mode: MergingMode = "soft",
    sparsity_overlap: float = 0.75,
    return_masks: bool = False,
) -> Any:
    """Tell whether groups of units share enough channels to be merged.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer. Units of a dense one have all channels, so that all can be merged.
    merge_unit_groups : sequence of groups of unit ids
        What might be merged.
    merging_mode : {"soft", "hard"}
        A hard merge is always possible.
    sparsity_overlap : float, default 0.75
        How much of the channels that any unit of a group has all of them must share.
    return_masks : bool, default False
        Return the channels that merged units would have, too.

    Returns
    -------
    mergeable : dict of tuple of unit ids to bool
    masks : dict of tuple of unit ids to ndarray of shape (n_channels,) and dtype bool
        With `return_masks`.

    Raises
    ------
    ParameterError
        If a unit is unknown.
    """
    groups = [tuple(plain_ids(group)) for group in merge_unit_groups]
    _check_mode(merging_mode)
    fits, masks = _overlaps(analyzer, groups, merging_mode, sparsity_overlap)
    mergeable = dict(zip(groups, fits, strict=True))
    return (mergeable, dict(zip(groups, masks, strict=True))) if return_masks else mergeable


def as_groups(first: Any, others: Sequence[Any]) -> tuple[list[Any], tuple[Any, ...]]:
    """Return groups of units, and what else was given, of the arguments of a call.

    Parameters
    ----------
    first : sequence of groups of unit ids, or group of unit ids
        If it is a group itself, all lists that follow are groups, too.
    others : sequence
        The other arguments that were given by position.

    Returns
    -------
    groups : list of groups of unit ids
    others : tuple
        Those that are no groups.

    Examples
    --------
    >>> as_groups([0, 1], ([2, 3],)) == as_groups([[0, 1], [2, 3]], ())
    True
    >>> as_groups([[0, 1]], ([7],))
    ([[0, 1]], ([7],))
    """
    given = list(first)
    if not given or any(_is_several(one) for one in given):
        return given, tuple(others)
    n_groups = next((k for k, one in enumerate(others) if not _is_several(one)), len(others))
    if n_groups < len(others):
        msg = (
            f"After groups of units, give {others[n_groups]!r} by its name, as in "
            "merge_units([0, 1], [2, 3], merging_mode='hard')."
        )
        raise ParameterError(msg)
    return [given, *(list(one) for one in others)], ()


class _Merger:
    """Makes the extensions of the new analyzer, one after the other."""

    def __init__(
        self,
        recomputing: Recomputing,
        groups: list[list[UnitId]],
        new_ids: list[UnitId],
        keep_mask: NDArray[np.bool_] | None,
        mode: MergingMode,
    ) -> None:
        self.recomputing = recomputing
        self._groups = groups
        self._new_ids = new_ids
        self._keep_mask = keep_mask
        self._is_hard = mode == "hard"

    def __call__(
        self, extension: AnalyzerExtension, new: SortingAnalyzer
    ) -> AnalyzerExtension | None:
        def merge() -> AnalyzerExtension:
            return extension.merge(
                new,
                self._groups,
                self._new_ids,
                self._keep_mask,
                self.recomputing.is_verbose,
                **self.recomputing.job_kwargs,
            )

        return self.recomputing.make(extension, new, merge, is_hard=self._is_hard)


def _check(groups: Groups, mode: str, job_kwargs: Mapping[str, Any]) -> None:
    _check_mode(mode)
    if not groups:
        msg = "There is nothing to merge: give at least one group of two units."
        raise ParameterError(msg)
    check_job_kwargs(job_kwargs)


def _check_mode(mode: str) -> None:
    if mode not in {"soft", "hard"}:
        msg = f"merging_mode is 'soft' or 'hard'; got {mode!r}."
        raise ParameterError(msg)


def _is_several(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes)


def _chosen(values: Sequence[Any], is_chosen: Sequence[bool]) -> list[Any]:
    return [one for one, chosen in zip(values, is_chosen, strict=True) if chosen]


# -- channels --------------------------------------------------------------------------------


def _overlaps(
    analyzer: SortingAnalyzer, groups: Groups, mode: str, threshold: float
) -> tuple[list[bool], list[NDArray[np.bool_]]]:
    """Return whether each group can be merged, and the channels that it would have then."""
    n_channels = analyzer.get_num_channels()
    fits: list[bool] = []
    masks: list[NDArray[np.bool_]] = []
    for group in groups:
        rows = np.asarray(analyzer.sorting.ids_to_indices(group), np.int64)
        if analyzer.sparsity is None:
            fits.append(True)
            masks.append(np.ones(n_channels, bool))
            continue
        of_units = analyzer.sparsity.mask[rows]
        in_all, in_any = of_units.all(axis=0), of_units.any(axis=0)
        n_shared, n_used = int(in_all.sum()), int(in_any.sum())
        # A unit without channels could not be shown anywhere, however low the threshold is.
        is_enough = n_shared > 0 and n_shared >= threshold * n_used
        fits.append(mode == "hard" or is_enough)
        masks.append(np.asarray(in_any if mode == "hard" else in_all))
    return fits, masks


def _refuse(groups: Groups, fits: Sequence[bool], threshold: float, *, is_fatal: bool) -> None:
    misfits = [list(group) for group, fit in zip(groups, fits, strict=True) if not fit]
    what = (
        f"The units of {misfits[:5]} share less than {threshold:g} of their channels, which is too "
        "little for a soft merge."
    )
    if is_fatal:
        msg = (
            f"{what} Use merging_mode='hard', a lower sparsity_overlap, or "
            "raise_error_if_overlap_fails=False to leave them as they are."
        )
        raise ParameterError(msg)
    warnings.warn(f"{what} They are not merged.", UserWarning, stacklevel=4)


def _merged_sparsity(
    analyzer: SortingAnalyzer,
    sorting: NumpySorting,
    new_ids: Sequence[UnitId],
    masks: Sequence[NDArray[np.bool_]],
) -> ChannelSparsity | None:
    if analyzer.sparsity is None:
        return None
    mask = analyzer.sparsity.mask[rows_before(analyzer, plain_ids(sorting.unit_ids), new_ids)]
    for new_id, channels in zip(new_ids, masks, strict=True):
        mask[sorting.id_to_index(new_id)] = channels
    return ChannelSparsity(mask, sorting.unit_ids, analyzer.channel_ids)


def _settle_main_channels(
    analyzer: SortingAnalyzer,
    sorting: NumpySorting,
    sparsity: ChannelSparsity | None,
    groups: Groups,
    new_ids: Sequence[UnitId],
) -> None:
    """Let the main channels of merged units be among the channels that they have.

    It is that of the part with most spikes; if a soft merge has lost it, of the next one.
    """
    ids = sorting.get_property(_MAIN_CHANNEL)
    if ids is None or sparsity is None:
        return
    ids = ids.copy()
    channels = analyzer.main_channel_indices
    counts = np.asarray(analyzer.sorting.count_num_spikes_per_unit(outputs="array"))
    for group, new_id in zip(groups, new_ids, strict=True):
        position = sorting.id_to_index(new_id)
        rows = np.asarray(analyzer.sorting.ids_to_indices(group), np.int64)
        by_size = channels[rows[np.argsort(-counts[rows], kind="stable")]]
        known = by_size[sparsity.mask[position][by_size]]
        if known.size:
            ids[position] = analyzer.channel_ids[known[0]]
    sorting.set_property(_MAIN_CHANNEL, cast("Any", ids))
