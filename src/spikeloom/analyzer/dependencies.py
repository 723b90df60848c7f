"""What extensions are made of: their order, what they lack, and what becomes invalid with what."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spikeloom.analyzer.extension import (
    EXTENSIONS,
    AnalyzerExtension,
    get_available_analyzer_extensions,
    get_extension_class,
)
from spikeloom.analyzer.run_notes import ORIGIN
from spikeloom.errors import MissingExtensionError, ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

Params = Mapping[str, Mapping[str, Any]]
"""Parameters of extensions, by name."""


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


def missing_parents(
    analyzer: "SortingAnalyzer",
    name: str,
    params: Mapping[str, Any],
    also: Iterable[str] = (),
    gone: Iterable[str] = (),
    *,
    is_to_be_added: bool = False,
) -> list[list[str]]:
    """Return what an extension needs that will not be there: the alternatives of each.

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
    is_to_be_added : bool, default False
        Also return what it can do without, but should have with these parameters.
    """
    there, invalid = set(also), set(gone)
    missing = []
    cls = get_extension_class(name)
    needed = cls.get_dependencies_to_compute if is_to_be_added else cls.get_required_dependencies
    for alternatives in needed(**params):
        known = alternatives.split("|")
        if any(one in there for one in known):
            continue
        if any(analyzer.has_extension(one) and one not in invalid for one in known):
            continue
        missing.append(known)
    return missing


def check_dependencies(
    analyzer: "SortingAnalyzer",
    name: str,
    params: Mapping[str, Any],
    also: Iterable[str] = (),
    gone: Iterable[str] = (),
    needed_by: str | None = None,
) -> None:
    """Raise if something that an extension needs will not be there.

    Parameters
    ----------
    analyzer, name, params, also, gone
        See `missing_parents`.
    needed_by : str, optional
        The extension that was asked for, if this one was not.

    Raises
    ------
    MissingExtensionError
        If an extension, or the recording, is missing.
    """
    asked_for = f"{name}, which {needed_by} needs," if needed_by else name
    also = list(also)
    for known in missing_parents(analyzer, name, params, also, gone):
        why = ""
        if any(one in gone for one in known):
            why = f" What is there becomes invalid by computing {', '.join(also)} anew."
        msg = (
            f"Extension {asked_for} requires {' or '.join(known)} to be computed first: "
            f"analyzer.compute([{', '.join(map(repr, [*known[:1], name]))}]) computes both, and "
            f"compute_parents=True computes what is missing.{why}"
        )
        raise MissingExtensionError(msg)
    if get_extension_class(name).need_recording and not has_traces(analyzer):
        msg = f"Extension {asked_for} requires the recording. {analyzer.why_no_recording()}"
        raise MissingExtensionError(msg)


def has_traces(analyzer: "SortingAnalyzer") -> bool:
    """Return whether there is a recording, or a temporary one."""
    return analyzer.has_recording() or analyzer.has_temporary_recording()


def made_of(analyzer: "SortingAnalyzer", extension: AnalyzerExtension) -> list[str]:
    """Return what an extension is made of when it is computed now, with its parameters."""
    possible = extension.get_any_dependencies(**(extension.params or {}))
    return [one for one in dict.fromkeys(possible) if analyzer.has_extension(one)]


def lacks_origin(
    analyzer: "SortingAnalyzer", extension: AnalyzerExtension, left_out: Collection[str]
) -> bool:
    """Return whether an extension of another analyzer needs one that was left out of this one."""
    needed = extension.get_required_dependencies(**(extension.params or {}))
    return any(
        not any(analyzer.has_extension(one) for one in alternatives.split("|"))
        and any(one in left_out for one in alternatives.split("|"))
        for alternatives in needed
    )


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
