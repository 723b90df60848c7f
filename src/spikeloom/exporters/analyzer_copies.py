"""Analyzers to compute more in, so that an export leaves the analyzer that it is given as it is."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.errors import ParameterError

_OF_CHOSEN_SPIKES = frozenset({"templates", "waveforms", "principal_components"})
"""Extensions that are made of chosen spikes."""


def checked_analyzer(given: object) -> SortingAnalyzer:
    """Return what is given; raises ParameterError if it is no SortingAnalyzer."""
    if not isinstance(given, SortingAnalyzer):
        msg = f"A SortingAnalyzer is needed; got {type(given).__name__}."
        raise ParameterError(msg)
    return given


def working_copy(analyzer: SortingAnalyzer) -> SortingAnalyzer:
    """Return an analyzer with the same spikes, recording and extensions, to compute more.

    What is computed in it leaves the given one, and what was saved of it, as they are.
    """
    has_recording = analyzer.has_recording() or analyzer.has_temporary_recording()
    copy = SortingAnalyzer(
        analyzer.sorting,
        analyzer.recording if has_recording else None,
        analyzer.recording_info,
        sparsity=analyzer.sparsity,
        return_in_uV=analyzer.return_in_uV,
        settings=analyzer.settings,
        store=analyzer.store,
    )
    copy.recording_error = analyzer.recording_error
    copy.is_lazy = analyzer.is_lazy
    copy.extensions = dict(analyzer.extensions)
    seen = set(analyzer.get_saved_extension_names())
    copy.hide_saved(set(analyzer.store.extension_names()) - seen, cause="")
    return copy


def compute_missing(
    analyzer: SortingAnalyzer,
    names: Iterable[str],
    job_kwargs: Mapping[str, Any],
    params: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Compute those extensions that are not there yet, and keep them in memory only.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        A `working_copy`.
    names : iterable of str
        Extensions.
    job_kwargs : mapping
        See `spikeloom.set_global_job_kwargs`.
    params : mapping, optional
        Parameters of extensions, by name.

    Raises
    ------
    MissingExtensionError
        If something is to be computed of a recording that is not there.
    """
    missing = [name for name in dict.fromkeys(names) if not analyzer.has_extension(name)]
    if _OF_CHOSEN_SPIKES.intersection(missing) and not analyzer.has_extension("random_spikes"):
        missing = list(dict.fromkeys(["random_spikes", *missing]))
    if missing:
        known = {name: dict((params or {}).get(name, {})) for name in missing}
        analyzer.compute(known, save=False, **job_kwargs)


def refuse_sources_inside(analyzer: SortingAnalyzer, target: Path) -> None:
    """Refuse to replace what the analyzer or its raw data are, or a folder in which they are.

    Raises
    ------
    ParameterError
        If one of them is at `target` or in it.
    """
    sources = [] if analyzer.folder is None else [analyzer.folder]
    has_recording = analyzer.has_recording() or analyzer.has_temporary_recording()
    if has_recording and analyzer.recording.is_binary_compatible():
        sources += analyzer.recording.get_binary_description()["file_paths"]
    for source in map(Path, sources):
        if source.resolve().is_relative_to(target.resolve()):
            msg = f"{target} is not replaced, as {source} is in it, which is exported."
            raise ParameterError(msg)
