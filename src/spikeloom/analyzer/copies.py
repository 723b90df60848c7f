"""Analyzers made of others: saved elsewhere, or with some of the units."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.analyzer import dependencies
from spikeloom.analyzer.analyzer import SortingAnalyzer, copied_sorting
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.saving import check_place, write_analyzer
from spikeloom.core.recording import BaseRecording
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

    left_out: list[str] = []

    def make(extension: AnalyzerExtension, new: SortingAnalyzer) -> AnalyzerExtension | None:
        if not dependencies.lacks_origin(new, extension, left_out):
            with suppress(NotImplementedError):
                return extension.copy(new, unit_ids=ids)
        left_out.append(extension.extension_name)
        return None

    made = derived(
        analyzer,
        sorting=copied_sorting(analyzer.sorting.select_units(ids)),
        sparsity=sparsity,
        make_extension=make,
        sorting_source=source,
        format=format,
        folder=folder,
    )
    warn_of_left_out(left_out, "units are selected")
    return made


def warn_of_left_out(names: Sequence[str], what: str) -> None:
    """Warn of extensions that are not in a new analyzer, as they do not know `what`."""
    if names:
        message = (
            f"The extensions {', '.join(names)} do not know how {what}, and are left out: compute "
            "them for the new analyzer."
        )
        warnings.warn(message, UserWarning, stacklevel=5)


def derived(
    analyzer: SortingAnalyzer,
    *,
    sorting: BaseSorting,
    sparsity: ChannelSparsity | None,
    make_extension: MakeExtension,
    sorting_source: Callable[[], BaseSorting | None] | None = None,
    channel_ids: Sequence[Any] | None = None,
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
    channel_ids : sequence of int or str, optional
        Some of the channels; all by default.
    format, folder, backend_options, overwrite
        See `spikeloom.create_sorting_analyzer`.
    """
    check_place(format, folder)
    info = analyzer.recording_info
    new = SortingAnalyzer(
        sorting,
        _with_channels(analyzer.recording, channel_ids) if analyzer.has_recording() else None,
        info if channel_ids is None else info.sliced(channel_ids),
        sparsity=sparsity,
        return_in_uV=analyzer.return_in_uV,
        settings=analyzer.settings,
    )
    new.recording_error = analyzer.recording_error
    if channel_ids is None:  # it describes a recording with all of them
        new.recording_description = analyzer.recording_description
    new.is_lazy = analyzer.is_lazy
    new.set_sorting_source(sorting_source)
    if analyzer.has_temporary_recording() and not analyzer.has_recording():
        recording = _with_channels(analyzer.recording, channel_ids)
        new.set_temporary_recording(recording, check_dtype=False)
    for name in dependencies.by_origin(analyzer, _known_names(analyzer)):
        extension = analyzer.get_extension(name)
        made = None if extension is None else make_extension(extension, new)
        if made is not None:
            new.extensions[name] = made
    new.store = write_analyzer(
        new, format, folder, backend_options=backend_options, overwrite=overwrite
    )
    return new


def _with_channels(recording: BaseRecording, channel_ids: Sequence[Any] | None) -> BaseRecording:
    if channel_ids is None:
        return recording
    selected: BaseRecording = recording.select_channels(list(channel_ids))
    return selected


def _known_names(analyzer: SortingAnalyzer) -> list[str]:
    """Return the names of all extensions that can be loaded; say which cannot."""
    names = list(dict.fromkeys([*analyzer.extensions, *analyzer.get_saved_extension_names()]))
    unknown = [name for name in names if not dependencies.is_known(analyzer, name)]
    if unknown:
        message = (
            f"The new analyzer is without {', '.join(unknown)}: extensions that are unknown here."
        )
        warnings.warn(message, UserWarning, stacklevel=5)
    return [name for name in names if name not in unknown]
