"""Analyzers made of others: saved elsewhere, or with some of the units."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.analyzer import planner
from spikeloom.analyzer.analyzer import SortingAnalyzer, copied_sorting
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.saving import check_place, write_analyzer
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sparsity import ChannelSparsity

MakeExtension = Callable[[AnalyzerExtension, SortingAnalyzer], AnalyzerExtension | None]
"""Takes an extension of the old analyzer and the new one; returns the new one's, if it has one."""


def saved_as(
    analyzer: SortingAnalyzer,
    format: str = "memory",
    folder: str | Path | None = None,
    *,
    backend_options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> SortingAnalyzer:
    """Return a copy of an analyzer, with all its extensions, that is kept elsewhere.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer; it stays as it is.
    format, folder, backend_options, overwrite
        See `spikeloom.create_sorting_analyzer`.
    """
    return derived(
        analyzer,
        sorting=copied_sorting(analyzer.sorting),
        sparsity=analyzer.sparsity,
        make_extension=lambda extension, new: extension.copy(new),
        sorting_source=analyzer.get_sorting_provenance,
        format=format,
        folder=folder,
        backend_options=backend_options,
        overwrite=overwrite,
    )


def with_units(
    analyzer: SortingAnalyzer,
    unit_ids: Sequence[Any],
    format: str = "memory",
    folder: str | Path | None = None,
) -> SortingAnalyzer:
    """Return an analyzer of some units, with all extensions.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer; it stays as it is.
    unit_ids : sequence of int or str
        The units, in the order that they will have.
    format, folder
        See `spikeloom.create_sorting_analyzer`.

    Raises
    ------
    ParameterError
        If a unit is unknown.
    """
    ids = list(unit_ids)
    rows = np.asarray(analyzer.sorting.ids_to_indices(ids))
    sparsity = analyzer.sparsity
    if sparsity is not None:
        mask = sparsity.mask[rows] if rows.size else sparsity.mask[:0]
        sparsity = ChannelSparsity(
            mask, analyzer.unit_ids[rows.astype(np.intp)], analyzer.channel_ids
        )

    def source() -> BaseSorting | None:
        known = analyzer.get_sorting_provenance()
        if known is None or not set(ids) <= set(known.unit_ids.tolist()):
            return None
        selected: BaseSorting = known.select_units(ids)
        return selected

    return derived(
        analyzer,
        sorting=copied_sorting(analyzer.sorting.select_units(ids)),
        sparsity=sparsity,
        make_extension=lambda extension, new: extension.copy(new, unit_ids=ids),
        sorting_source=source,
        format=format,
        folder=folder,
    )


def derived(
    analyzer: SortingAnalyzer,
    *,
    sorting: BaseSorting,
    sparsity: ChannelSparsity | None,
    make_extension: MakeExtension,
    sorting_source: Callable[[], BaseSorting | None] | None = None,
    format: str = "memory",
    folder: str | Path | None = None,
    backend_options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> SortingAnalyzer:
    """Return an analyzer of the same recording, with other units and what is made of extensions.

    Extensions are made one after the other, each when those that it came from are there. On disk,
    all of it is written at once, or nothing.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer; it stays as it is.
    sorting : BaseSorting
        The units of the new one; in memory, and of nobody else.
    sparsity : ChannelSparsity or None
        Their channels.
    make_extension : callable
        Takes an extension and the new analyzer; returns the new extension.
    sorting_source : callable, optional
        Returns what the units came from, if that can be told, when the new one is written.
    format, folder, backend_options, overwrite
        See `spikeloom.create_sorting_analyzer`.
    """
    check_place(format, folder)
    new = SortingAnalyzer(
        sorting,
        analyzer.recording if analyzer.has_recording() else None,
        analyzer.recording_info,
        sparsity=sparsity,
        return_in_uV=analyzer.return_in_uV,
        settings=analyzer.settings,
    )
    new.recording_error = analyzer.recording_error
    new.recording_description = analyzer.recording_description
    new.is_lazy = analyzer.is_lazy
    new.set_sorting_source(sorting_source)
    if analyzer.has_temporary_recording() and not analyzer.has_recording():
        new.set_temporary_recording(analyzer.recording, check_dtype=False)
    for name in planner.by_origin(analyzer, _known_names(analyzer)):
        extension = analyzer.get_extension(name)
        made = None if extension is None else make_extension(extension, new)
        if made is not None:
            new.extensions[name] = made
    new.store = write_analyzer(
        new, format, folder, backend_options=backend_options, overwrite=overwrite
    )
    return new


def _known_names(analyzer: SortingAnalyzer) -> list[str]:
    """Return the names of all extensions that can be loaded; say which cannot."""
    names = list(dict.fromkeys([*analyzer.extensions, *analyzer.get_saved_extension_names()]))
    unknown = [name for name in names if not planner.is_known(analyzer, name)]
    if unknown:
        message = (
            f"The new analyzer is without {', '.join(unknown)}: extensions that are unknown here."
        )
        warnings.warn(message, UserWarning, stacklevel=5)
    return [name for name in names if name not in unknown]
