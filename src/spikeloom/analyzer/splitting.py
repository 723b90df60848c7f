"""Analyzers in which units are split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.copies import derived
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.recomputing import Recomputing, check_job_kwargs, rows_before
from spikeloom.core.merging_units import apply_splits_to_sorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.unit_ids import UnitId, plain_ids
from spikeloom.errors import ParameterError


def split_units(
    analyzer: SortingAnalyzer,
    split_units: Mapping[UnitId, Sequence[ArrayLike]],
    new_unit_ids: Sequence[Sequence[UnitId]] | None = None,
    new_id_strategy: str = "append",
    return_new_unit_ids: bool = False,
    format: str = "memory",
    folder: str | Path | None = None,
    verbose: bool = False,
    **job_kwargs: Any,
) -> Any:
    """Return an analyzer in which units are split, with all extensions.

    Parts have the channels of their unit, and what was computed for each of its spikes; what is
    computed for units is computed for the parts.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer; it stays as it is.
    split_units : mapping of unit id to a list of parts
        Each part lists some of the unit's spikes, counted through all segments; together the parts
        have each spike once.
    new_unit_ids : sequence of sequences of unit ids, optional
        One for each part; by default by `new_id_strategy`.
    new_id_strategy : {"append", "split"}
        See `spikeloom.core.unit_ids.generate_unit_ids_for_split`.
    return_new_unit_ids : bool, default False
        Return the ids of the parts, too.
    format, folder
        See `spikeloom.create_sorting_analyzer`.
    verbose : bool, default False
        Say more.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    SortingAnalyzer, or tuple of SortingAnalyzer and list of list of unit ids
        Without extensions that cannot be split, which a warning names.

    Raises
    ------
    ParameterError
        If the parts do not have each spike of their unit once, or ids make no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from spikeloom.analyzer.creation import create_sorting_analyzer
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({0: [10, 30, 40], 1: [20]}, 30000.0)
    >>> recording = NumpyRecording([np.zeros((50, 2), "f4")], 30000.0)
    >>> analyzer = create_sorting_analyzer(
    ...     sorting, recording, sparse=False, main_channel_indices=[0, 1], progress_bar=False
    ... )
    >>> split = analyzer.split_units({0: [[0, 2], [1]]})
    >>> split.unit_ids, split.sorting.get_unit_spike_train(2)
    (array([1, 2, 3]), array([10, 40]))
    """
    check_job_kwargs(job_kwargs)
    if not split_units:
        msg = "There is nothing to split: give at least one unit and its parts."
        raise ParameterError(msg)
    splits = dict(zip(plain_ids(split_units), split_units.values(), strict=True))
    sorting, new_ids = apply_splits_to_sorting(
        analyzer.sorting,
        splits,
        new_unit_ids,
        return_extra=True,
        new_id_strategy=new_id_strategy,
    )
    parts = [part for ids in new_ids for part in ids]
    recomputing = Recomputing(analyzer, parts, is_verbose=verbose, job_kwargs=job_kwargs)

    def make(extension: AnalyzerExtension, new: SortingAnalyzer) -> AnalyzerExtension | None:
        return recomputing.make(
            extension,
            new,
            lambda: extension.split(new, splits, new_ids, verbose, **job_kwargs),
        )

    split = derived(
        analyzer,
        sorting=sorting,
        sparsity=_split_sparsity(analyzer, sorting.unit_ids, splits, new_ids),
        make_extension=make,
        format=format,
        folder=folder,
    )
    recomputing.warn_of_left_out("split")
    return (split, new_ids) if return_new_unit_ids else split


def _split_sparsity(
    analyzer: SortingAnalyzer,
    unit_ids: Sequence[UnitId],
    splits: Mapping[UnitId, Any],
    new_ids: Sequence[Sequence[UnitId]],
) -> ChannelSparsity | None:
    if analyzer.sparsity is None:
        return None
    unit_of = {part: unit for unit, ids in zip(splits, new_ids, strict=True) for part in ids}
    rows = rows_before(analyzer, unit_ids, list(unit_of))
    for position, unit in enumerate(plain_ids(unit_ids)):
        if unit in unit_of:
            rows[position] = analyzer.sorting.id_to_index(unit_of[unit])
    return ChannelSparsity(analyzer.sparsity.mask[rows], unit_ids, analyzer.channel_ids)
