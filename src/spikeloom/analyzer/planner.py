"""Computing extensions: what is needed, in order, each in place of the old one when it is complete.

New results are made aside and take their place only when they are complete, so that one that fails
loses nothing; what depends on what was replaced goes at that moment.
"""

import logging
import time
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spikeloom.analyzer.chunk_pass import run_extensions
from spikeloom.analyzer.compute_plan import ComputePlan, planned
from spikeloom.analyzer.dependencies import (
    Params,
    check_dependencies,
    descendants,
    made_of,
)
from spikeloom.analyzer.extension import AnalyzerExtension, get_extension_class
from spikeloom.analyzer.result_hashes import hash_of_request
from spikeloom.analyzer.run_notes import HASH, ORIGIN
from spikeloom.engine.options import split_job_kwargs
from spikeloom.engine.progress import write_line
from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

_log = logging.getLogger(__name__)


def compute(
    analyzer: "SortingAnalyzer",
    params: Params,
    *,
    save: bool,
    verbose: bool,
    job_kwargs: Mapping[str, Any],
    force_recompute: bool,
    compute_parents: bool,
) -> None:
    """Compute several extensions, those that read the recording in as few passes as possible.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer.
    params : mapping of str to mapping
        Parameters of each extension, by its name.
    save : bool
        Keep the results where the analyzer is kept.
    verbose : bool
        Say more.
    job_kwargs : mapping
        How the work is spread.
    force_recompute : bool
        Compute what is there with the same parameters, too.
    compute_parents : bool
        Compute what is needed and not there.

    Raises
    ------
    MissingExtensionError
        If something is needed that is not there; nothing was computed then.
    ParameterError
        If an extension has no such parameter; nothing was computed then.
    """
    plan = planned(
        analyzer, params, force_recompute=force_recompute, compute_parents=compute_parents
    )
    _tell(plan, verbose=verbose)
    for name in plan.kept:
        _keep(analyzer, name, save=save)
    waiting = list(plan.params)
    while waiting:
        ready = [name for name in waiting if not _waits(name, waiting, plan.params)]
        alone = [name for name in ready if not get_extension_class(name).use_nodepipeline]
        # Whatever needs no pass comes first, so that one pass is for as many as possible.
        chosen = alone[:1] or ready
        extensions = []
        for name in chosen:
            extension = get_extension_class(name)(analyzer)
            extension.set_params(**plan.params[name])
            extensions.append(extension)
        _run(
            analyzer,
            extensions,
            save=save,
            verbose=verbose,
            job_kwargs=job_kwargs,
            expected=waiting,
        )
        waiting = [name for name in waiting if name not in chosen]


def _tell(plan: ComputePlan, *, verbose: bool) -> None:
    """Say what is computed that was not asked for, and what is not that was."""
    for name, child in plan.added.items():
        params = plan.params.get(name) or {}
        how = ", ".join(f"{key}={value!r}" for key, value in params.items())
        with_what = f"as before ({how})" if how else "with its default parameters"
        _log.warning("%s needs %s, which is computed first, %s.", child, name, with_what)
    for name in plan.kept:
        message = f"{name} is there with these parameters; force_recompute=True computes it anew."
        _log.info(message)
        if verbose:
            write_line(message)


def _keep(analyzer: "SortingAnalyzer", name: str, *, save: bool) -> None:
    """Leave an extension as it is; save it if it was not."""
    extension = analyzer.extensions.get(name)
    if extension is None or not save or analyzer.store.format == "memory":
        return
    if name in analyzer.get_saved_extension_names():
        return
    if _unsaved_origin(analyzer, extension):
        _warn_unsaved(analyzer, extension)
    else:
        write(extension)


def run_alone(
    extension: AnalyzerExtension, *, save: bool, verbose: bool = False, **job_kwargs: Any
) -> None:
    """Compute one extension, with the parameters that it has.

    Parameters
    ----------
    extension : AnalyzerExtension
        The extension.
    save : bool
        Keep the results where the analyzer is kept.
    verbose : bool, default False
        Say more.
    **job_kwargs
        How the work is spread.
    """
    analyzer = extension.sorting_analyzer
    check_dependencies(analyzer, extension.extension_name, extension.params or {})
    _run(analyzer, [extension], save=save, verbose=verbose, job_kwargs=job_kwargs)


def _waits(name: str, waiting: Sequence[str], params: Params) -> bool:
    needed = get_extension_class(name).get_any_dependencies(**params[name])
    return any(other in needed for other in waiting if other != name)


def _run(
    analyzer: "SortingAnalyzer",
    extensions: Sequence[AnalyzerExtension],
    *,
    save: bool,
    verbose: bool,
    job_kwargs: Mapping[str, Any],
    expected: Collection[str] = (),
) -> None:
    """Compute one extension, or several in one pass, and let them take their places.

    `expected` are those that are going to be computed anew: nobody is told that they go.
    """
    origins = {}
    for extension in extensions:
        extension._is_to_be_saved = save and not _unsaved_origin(analyzer, extension)
        # Before it runs: what runs may complete its parameters.
        hashed = hash_of_request(analyzer, extension, made_of(analyzer, extension))
        origins[extension.extension_name] = hashed
    start = time.perf_counter()
    try:
        first = extensions[0]
        if first.use_nodepipeline:
            run_extensions(analyzer, extensions, verbose=verbose, **job_kwargs)
        else:
            first._run(verbose=verbose, **(job_kwargs if first.need_job_kwargs else {}))
        runtime_s = time.perf_counter() - start
        for extension in extensions:
            extension.run_info = {
                "run_completed": True,
                "runtime_s": runtime_s,
                ORIGIN: made_of(analyzer, extension),
                HASH: origins[extension.extension_name],
            }
            _take_place(analyzer, extension, save=save, expected=expected)
    finally:
        for extension in extensions:
            analyzer.store.discard_arrays(extension)  # those that did not take their place


def _take_place(
    analyzer: "SortingAnalyzer",
    extension: AnalyzerExtension,
    *,
    save: bool,
    expected: Collection[str],
) -> None:
    """Let a complete extension take its place; what was made of the old one goes."""
    name = extension.extension_name
    gone = descendants(analyzer, name, is_replaced=analyzer.has_extension(name))
    if extension._is_to_be_saved:
        write(extension, gone)
    else:
        if save:
            _warn_unsaved(analyzer, extension)
        analyzer.hide_saved([name, *gone], name)
    for other in gone:
        analyzer.extensions.pop(other, None)
    analyzer.extensions[name] = extension
    lost = [other for other in gone if other not in expected]
    if lost:
        stays = not extension._is_to_be_saved and analyzer.format != "memory"
        _log.warning(
            "%s was computed anew. What was made of the old one is not valid any more: %s.%s",
            name,
            ", ".join(lost),
            " What is saved of it stays as it is." if stays else "",
        )


def _warn_unsaved(analyzer: "SortingAnalyzer", extension: AnalyzerExtension) -> None:
    missing = ", ".join(_unsaved_origin(analyzer, extension))
    message = (
        f"{extension.extension_name} is not saved, as it is made of {missing}, computed with "
        "save=False. Compute those with save=True first."
    )
    warnings.warn(message, UserWarning, stacklevel=6)


def write(extension: AnalyzerExtension, gone: Sequence[str] = ()) -> None:
    """Keep an extension; what is kept that was made of the old one goes.

    Parameters
    ----------
    extension : AnalyzerExtension
        The extension.
    gone : sequence of str
        Extensions that became invalid with it.
    """
    analyzer, name = extension.sorting_analyzer, extension.extension_name
    invalid = list(dict.fromkeys([*gone, *analyzer.outdated_by(name)]))
    analyzer.store.write_extension(extension, invalid=invalid)
    analyzer.show_saved([name, *invalid])


def _unsaved_origin(analyzer: "SortingAnalyzer", extension: AnalyzerExtension) -> list[str]:
    """Return what an extension is made of that is not saved as it is in memory."""
    if analyzer.store.format == "memory":
        return []
    saved = analyzer.get_saved_extension_names()
    return [one for one in made_of(analyzer, extension) if one not in saved]


def requests_of(
    wanted: str | Params | Sequence[str],
    extension_params: Params | None,
    kwargs: Mapping[str, Any],
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the parameters of each extension that is asked for, and the job options.

    Raises
    ------
    ParameterError
        If parameters are given for what is not asked for, or in a way that leaves open for which.
    """
    specific, _ = split_job_kwargs(kwargs)
    job_kwargs = {key: value for key, value in kwargs.items() if key not in specific}
    given = dict(extension_params or {})
    if isinstance(wanted, str):
        names: list[str] = [wanted]
    elif specific:
        msg = (
            f"For which extension are {', '.join(specific)} meant? Give them as "
            "extension_params={name: {...}}, or compute one extension by its name."
        )
        raise ParameterError(msg)
    elif isinstance(wanted, Mapping):
        names = list(wanted)
        given = {**given, **{name: dict(params or {}) for name, params in wanted.items()}}
    elif isinstance(wanted, Sequence):
        names = list(wanted)
    else:
        msg = f"A name, a list of names or a dictionary of parameters is needed; got {wanted!r}."
        raise ParameterError(msg)
    unknown = sorted(set(given) - set(names))
    if unknown:
        msg = f"extension_params names {', '.join(unknown)}, which is not asked for: {names}."
        raise ParameterError(msg)
    return {name: {**given.get(name, {}), **specific} for name in names}, job_kwargs
