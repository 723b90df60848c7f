"""In what order extensions are computed, what becomes invalid with what, and the computing itself.

New results are made aside and take their place only when they are complete, so that one that fails
loses nothing; what depends on what was replaced goes at that moment.
"""

import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spikeloom.analyzer.chunk_pass import run_extensions
from spikeloom.analyzer.extension import (
    EXTENSIONS,
    AnalyzerExtension,
    get_available_analyzer_extensions,
    get_extension_class,
)
from spikeloom.engine.options import split_job_kwargs
from spikeloom.errors import MissingExtensionError, ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

Params = Mapping[str, Mapping[str, Any]]
"""Parameters of extensions, by name."""

ORIGIN = "made_of"
"""Key in run_info: names of the extensions that were there when one was computed of them."""


def ordered(names: Sequence[str], params: Params) -> list[str]:
    """Return extensions such that each comes after those among them that it is made of."""
    left = list(dict.fromkeys(names))
    done: list[str] = []
    while left:
        for name in left:
            needed = get_extension_class(name).get_any_dependencies(**params.get(name, {}))
            if not any(other in needed for other in left if other != name):
                done.append(name)
                left.remove(name)
                break
        else:
            msg = f"The extensions {', '.join(left)} depend on each other in a circle."
            raise ParameterError(msg)
    return done


def check_dependencies(
    analyzer: "SortingAnalyzer",
    name: str,
    params: Mapping[str, Any],
    also: Iterable[str] = (),
    gone: Iterable[str] = (),
) -> None:
    """Raise if something that an extension needs will not be there.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer.
    name : str
        The extension.
    params : mapping
        Its parameters.
    also : iterable of str
        Extensions that will have been computed before.
    gone : iterable of str
        Extensions that will be invalid by then, but for those in `also`.

    Raises
    ------
    MissingExtensionError
        If an extension, or the recording, is missing.
    """
    cls = get_extension_class(name)
    there, invalid = set(also), set(gone)
    for alternatives in cls.get_required_dependencies(**params):
        known = alternatives.split("|")
        if any(one in there for one in known):
            continue
        if any(analyzer.has_extension(one) and one not in invalid for one in known):
            continue
        why = ""
        if any(one in invalid for one in known):
            why = f" What is there becomes invalid by computing {', '.join(also)} anew."
        msg = (
            f"Extension {name} requires {' or '.join(known)} to be computed first: "
            f"analyzer.compute([{', '.join(map(repr, [*known[:1], name]))}]) computes both.{why}"
        )
        raise MissingExtensionError(msg)
    has_recording = analyzer.has_recording() or analyzer.has_temporary_recording()
    if cls.need_recording and not has_recording:
        msg = f"Extension {name} requires the recording. {analyzer.why_no_recording()}"
        raise MissingExtensionError(msg)


def is_known(analyzer: "SortingAnalyzer", name: str) -> bool:
    """Return whether the class of an extension is known."""
    get_available_analyzer_extensions()  # registers ours
    return name in analyzer.extensions or name in EXTENSIONS


def present(analyzer: "SortingAnalyzer") -> list[str]:
    """Return the names of all extensions of an analyzer whose classes are known."""
    names = dict.fromkeys([*analyzer.extensions, *analyzer.get_saved_extension_names()])
    return [name for name in names if is_known(analyzer, name)]


def descendants(analyzer: "SortingAnalyzer", name: str, *, is_replaced: bool = True) -> list[str]:
    """Return the extensions of an analyzer that were made of `name`, directly or not.

    What an extension was made of is noted since it was computed. Where it is not, as SpikeInterface
    notes nothing, all that it can be made of counts; but if `name` is not there (`is_replaced` is
    False), only what it cannot do without.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer.
    name : str
        An extension.
    is_replaced : bool, default True
        Whether it is there, and what was made of it may be made of that.
    """
    candidates = {one: _origin(analyzer, one) for one in present(analyzer) if one != name}
    found: list[str] = []
    queue = [(name, is_replaced)]
    while queue:
        current, was_there = queue.pop()
        for other, (certain, possible) in candidates.items():
            made_of = certain | possible if was_there else certain
            if other not in found and current in made_of:
                found.append(other)
                queue.append((other, True))
    return found


def _origin(analyzer: "SortingAnalyzer", name: str) -> tuple[set[str], set[str]]:
    """Return what an extension was made of for sure, and perhaps."""
    extension = analyzer.extensions.get(name)
    params: Mapping[str, Any] | None
    run_info: Mapping[str, Any] | None
    if extension is not None:
        params, run_info = extension.params, extension.run_info
        cls: type[AnalyzerExtension] = type(extension)
    else:
        notes = analyzer.store.read_notes(name)
        params, run_info, cls = notes.params, notes.run_info, get_extension_class(name)
    noted = (run_info or {}).get(ORIGIN)
    if noted is not None:
        return set(noted), set()
    known = dict(params or {})
    required = {one for one in cls.get_required_dependencies(**known) if "|" not in one}
    return required, set(cls.get_any_dependencies(**known))


def by_origin(analyzer: "SortingAnalyzer", names: Sequence[str]) -> list[str]:
    """Return extensions of an analyzer such that each comes after those that it was made of."""
    left = list(names)
    origins = {name: set[str]().union(*_origin(analyzer, name)) for name in left}
    done: list[str] = []
    while left:
        ready = [n for n in left if not any(o in origins[n] for o in left if o != n)]
        chosen = ready[0] if ready else left[0]  # notes in a circle are none
        done.append(chosen)
        left.remove(chosen)
    return done


def compute(
    analyzer: "SortingAnalyzer",
    params: Params,
    *,
    save: bool,
    verbose: bool,
    job_kwargs: Mapping[str, Any],
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

    Raises
    ------
    MissingExtensionError
        If something is needed that is not there; nothing was computed then.
    ParameterError
        If an extension has no such parameter; nothing was computed then.
    """
    names = ordered(list(params), params)
    _check_all(analyzer, names, params)
    waiting = list(names)
    while waiting:
        ready = [name for name in waiting if not _waits(name, waiting, params)]
        alone = [name for name in ready if not get_extension_class(name).use_nodepipeline]
        # Whatever needs no pass comes first, so that one pass is for as many as possible.
        chosen = alone[:1] or ready
        extensions = []
        for name in chosen:
            extension = get_extension_class(name)(analyzer)
            extension.set_params(**params[name])
            extensions.append(extension)
        _run(analyzer, extensions, save=save, verbose=verbose, job_kwargs=job_kwargs)
        waiting = [name for name in waiting if name not in chosen]


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


def _check_all(analyzer: "SortingAnalyzer", names: Sequence[str], params: Params) -> None:
    """Raise what can be known to fail before anything is computed."""
    gone: set[str] = set()
    for k, name in enumerate(names):
        get_extension_class(name).check_param_names(params[name])
        check_dependencies(analyzer, name, params[name], also=names[:k], gone=gone)
        gone.update(descendants(analyzer, name, is_replaced=analyzer.has_extension(name)))


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
) -> None:
    """Compute one extension, or several in one pass, and let them take their places."""
    for extension in extensions:
        extension._is_to_be_saved = save and not _unsaved_origin(analyzer, extension)
    start = time.perf_counter()
    try:
        first = extensions[0]
        if first.use_nodepipeline:
            run_extensions(analyzer, extensions, verbose=verbose, **job_kwargs)
        else:
            first._run(verbose=verbose, **(job_kwargs if first.need_job_kwargs else {}))
        runtime_s = time.perf_counter() - start
        for extension in extensions:
            _finish(analyzer, extension, runtime_s, save=save)
    finally:
        for extension in extensions:
            analyzer.store.discard_arrays(extension)  # those that did not take their place


def _finish(
    analyzer: "SortingAnalyzer", extension: AnalyzerExtension, runtime_s: float, *, save: bool
) -> None:
    """Let a complete extension take its place; what was made of the old one goes."""
    name = extension.extension_name
    extension.run_info = {
        "run_completed": True,
        "runtime_s": runtime_s,
        ORIGIN: _made_of(analyzer, extension),
    }
    gone = descendants(analyzer, name, is_replaced=analyzer.has_extension(name))
    if extension._is_to_be_saved:
        write(extension, gone)
    else:
        if save:
            missing = ", ".join(_unsaved_origin(analyzer, extension))
            message = (
                f"{name} is not saved, as it is made of {missing}, computed with save=False. "
                "Compute those with save=True first."
            )
            warnings.warn(message, UserWarning, stacklevel=6)
        analyzer.hide_saved([name, *gone], name)
    for other in gone:
        analyzer.extensions.pop(other, None)
    analyzer.extensions[name] = extension


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


def _made_of(analyzer: "SortingAnalyzer", extension: AnalyzerExtension) -> list[str]:
    possible = extension.get_any_dependencies(**(extension.params or {}))
    return [one for one in dict.fromkeys(possible) if analyzer.has_extension(one)]


def _unsaved_origin(analyzer: "SortingAnalyzer", extension: AnalyzerExtension) -> list[str]:
    """Return what an extension is made of that is not saved as it is in memory."""
    if analyzer.store.format == "memory":
        return []
    saved = analyzer.get_saved_extension_names()
    return [one for one in _made_of(analyzer, extension) if one not in saved]


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
