"""What a request takes: what is there already is left, what is missing is added."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spikeloom.analyzer.dependencies import (
    Params,
    check_dependencies,
    descendants,
    has_traces,
    made_of,
    missing_parents,
    ordered,
)
from spikeloom.analyzer.extension import AnalyzerExtension, get_extension_class
from spikeloom.analyzer.result_hashes import hash_of_request, noted_hash

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer


@dataclass(frozen=True)
class ComputePlan:
    """What is computed for a request."""

    params: dict[str, Mapping[str, Any]]
    """Parameters of what is computed, by name, parents first."""
    kept: tuple[str, ...]
    """What was asked for, and is there with these parameters."""
    added: dict[str, str]
    """What was not asked for, but is needed; and what needs it."""


def planned(
    analyzer: "SortingAnalyzer",
    params: Params,
    *,
    force_recompute: bool,
    compute_parents: bool,
) -> ComputePlan:
    """Return what has to be computed; raise what can be known to fail before anything is.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The analyzer.
    params : mapping of str to mapping
        Parameters of each extension that is asked for, by its name.
    force_recompute : bool
        Compute all that is asked for, also what is there.
    compute_parents : bool
        Add what is needed and not there.

    Raises
    ------
    MissingExtensionError
        If something is needed that is not there, and cannot or must not be added.
    ParameterError
        If an extension has no such parameter.
    """
    wanted: dict[str, Mapping[str, Any]] = dict(params)
    added: dict[str, str] = {}
    for name, given in wanted.items():
        get_extension_class(name).check_param_names(given)
    while True:
        names = ordered(list(wanted), wanted)
        forced = set(params) if force_recompute else set()
        todo, gone = _to_compute(analyzer, names, wanted, forced)
        found = _first_missing(analyzer, todo, wanted, gone) if compute_parents else None
        if found is None:
            break
        child, alternatives = found
        parent = _chosen(analyzer, alternatives, gone)
        wanted[parent] = _params_before(analyzer, parent) if parent in gone else {}
        added[parent] = child
    _check(analyzer, todo, wanted, added)
    kept = tuple(name for name in names if name not in todo and name in params)
    return ComputePlan({name: wanted[name] for name in todo}, kept, added)


def _to_compute(
    analyzer: "SortingAnalyzer", names: Sequence[str], params: Params, forced: Iterable[str]
) -> tuple[list[str], set[str]]:
    """Return which extensions have to be computed, and what becomes invalid by that."""
    todo: list[str] = []
    gone: set[str] = set()
    for name in names:
        is_there = analyzer.has_extension(name)
        if is_there and name not in gone and name not in forced:
            depends = get_extension_class(name).get_any_dependencies(**params[name])
            if not any(other in todo for other in depends) and _is_there(
                analyzer, name, params[name]
            ):
                continue
        todo.append(name)
        gone.update(descendants(analyzer, name, is_replaced=is_there))
    return todo, gone


def _is_there(analyzer: "SortingAnalyzer", name: str, params: Mapping[str, Any]) -> bool:
    """Return whether an extension was computed with these parameters, of what is there now."""
    noted = noted_hash(analyzer, name)
    if noted is None:
        return False
    extension = get_extension_class(name)(analyzer)
    extension.set_params(**params)
    return hash_of_request(analyzer, extension, made_of(analyzer, extension)) == noted


def _first_missing(
    analyzer: "SortingAnalyzer", todo: Sequence[str], params: Params, gone: set[str]
) -> tuple[str, list[str]] | None:
    """Return the first extension that lacks another, and which could be that."""
    for k, name in enumerate(todo):
        missing = missing_parents(
            analyzer, name, params[name], also=todo[:k], gone=gone, is_to_be_added=True
        )
        if missing:
            return name, missing[0]
    return None


def _chosen(analyzer: "SortingAnalyzer", alternatives: Sequence[str], gone: set[str]) -> str:
    """Return which of several parents to compute: one that was there, or can be, or the first."""
    can_read = has_traces(analyzer)
    possible = [
        one for one in alternatives if can_read or not get_extension_class(one).need_recording
    ]
    was_there = [one for one in possible if one in gone]
    return (was_there or possible or list(alternatives))[0]


def _params_before(analyzer: "SortingAnalyzer", name: str) -> dict[str, Any]:
    """Return the parameters of what becomes invalid on the way, to compute it again with them."""
    before: AnalyzerExtension | None = analyzer.extensions.get(name)
    noted = before.params if before is not None else analyzer.store.read_notes(name).params
    cls = get_extension_class(name)
    return {key: value for key, value in (noted or {}).items() if cls.has_param(key)}


def _check(
    analyzer: "SortingAnalyzer", todo: Sequence[str], params: Params, added: Mapping[str, str]
) -> None:
    """Raise what can be known to fail before anything is computed."""
    gone: set[str] = set()
    for k, name in enumerate(todo):
        check_dependencies(
            analyzer, name, params[name], also=todo[:k], gone=gone, needed_by=added.get(name)
        )
        gone.update(descendants(analyzer, name, is_replaced=analyzer.has_extension(name)))
