"""Units that may be one neuron: found, and merged."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.copies import saved_as
from spikeloom.analyzer.merge_steps import PRESETS, STEPS, Candidates
from spikeloom.analyzer.merging import MergingMode, are_units_mergeable, merge_units
from spikeloom.core.unit_ids import UnitId, plain_ids
from spikeloom.curation.merging_graph import resolve_merging_graph, resolve_pairs
from spikeloom.errors import MissingExtensionError, ParameterError

StepParams = Mapping[str, Mapping[str, Any]]
"""Parameters of steps, by step."""


def compute_merge_unit_groups(
    sorting_analyzer: SortingAnalyzer,
    preset: str | None = "similarity_correlograms",
    resolve_graph: bool = True,
    steps_params: StepParams | None = None,
    compute_needed_extensions: bool = True,
    extra_outputs: bool = False,
    steps: Sequence[str] | None = None,
    force_copy: bool = True,
    **job_kwargs: Any,
) -> Any:
    """Find groups of units that may be one neuron.

    Pairs of units go through steps, each of which lets some pass:

    - "num_spikes": both have ``min_spikes`` spikes at least.
    - "snr": the signal to noise ratio of both is ``min_snr`` at least.
    - "remove_contaminated": the contamination of both, by spikes within the refractory period, is
      ``contamination_thresh`` at most.
    - "unit_locations": they are ``max_distance_um`` apart at most.
    - "template_similarity": their templates differ by less than ``template_diff_thresh``.
    - "correlogram": the cross-correlogram differs from the auto-correlograms by less than
      ``corr_diff_thresh``.
    - "presence_distance": their spikes are ``presence_distance_thresh`` seconds apart on average.
    - "cross_contamination": spikes of one are rarer within the refractory period of the other than
      for a cross-contamination of ``cc_thresh``, with a ``p_value`` above the one given.
    - "knn": among the ``k_nn`` spikes most like a spike of one is one of the other.
    - "slay_score": the score of SLAy is above ``slay_threshold``.
    - "quality_score": together their score, ``f (1 - (k + 1) C)`` of firing rate f and
      contamination C with k the ``firing_contamination_balance``, is not lower than that of either.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        The units.
    preset : str, default "similarity_correlograms"
        Which steps: "similarity_correlograms", "temporal_splits", "x_contaminations",
        "feature_neighbors" or "slay"; see `spikeloom.analyzer.merge_steps.PRESETS`.
    resolve_graph : bool, default True
        Return groups of units that belong together by a chain of pairs, rather than pairs.
    steps_params : mapping of str to mapping, optional
        Parameters of steps that are not the default.
    compute_needed_extensions : bool, default True
        Compute what is missing, with default parameters.
    extra_outputs : bool, default False
        Return what the steps found, too.
    steps : sequence of str, optional
        The steps, instead of a preset.
    force_copy : bool, default True
        Compute what is missing for a copy, so that the analyzer stays as it is.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    merge_unit_groups : list of list of unit ids, or of tuple of two unit ids
    outs : dict
        With `extra_outputs`.

    Raises
    ------
    ParameterError
        If there is no such preset, step or parameter.
    MissingExtensionError
        If something is missing that is not to be computed.
    """
    names = _steps_of(preset, steps)
    params = _params_of(names, steps_params)
    analyzer = _with_extensions(
        sorting_analyzer,
        params,
        may_compute=compute_needed_extensions,
        is_copied=force_copy,
        job_kwargs=job_kwargs,
    )
    found = Candidates(analyzer)
    n_units = found.n_units
    pairs = np.triu(np.ones((n_units, n_units), bool), k=1)
    for name in names:
        pairs = STEPS[name].run(found, pairs, params[name])
    ids = plain_ids(analyzer.unit_ids)
    groups: list[Any] = [(ids[i], ids[j]) for i, j in np.argwhere(pairs).tolist()]
    if resolve_graph:
        groups = resolve_merging_graph(analyzer.sorting, groups)
    return (groups, found.outs) if extra_outputs else groups


def get_potential_auto_merge(
    sorting_analyzer: SortingAnalyzer,
    preset: str | None = "similarity_correlograms",
    resolve_graph: bool = False,
    extra_outputs: bool = False,
    steps: Sequence[str] | None = None,
    **params: Any,
) -> Any:
    """Find pairs of units that may be one neuron; older form of `compute_merge_unit_groups`.

    Parameters
    ----------
    sorting_analyzer, preset, resolve_graph, extra_outputs, steps
        See `compute_merge_unit_groups`.
    **params
        Parameters of steps, each for all steps that have it.

    Raises
    ------
    ParameterError
        If there is no such preset or step, or no step that has a parameter.
    """
    names = _steps_of(preset, steps)
    known = {key for step in STEPS.values() for key in step.defaults}
    unknown = sorted(set(params) - known)
    if unknown:
        msg = f"No step has a parameter {', '.join(unknown)}; there are {', '.join(sorted(known))}."
        raise ParameterError(msg)
    steps_params = {
        name: {key: value for key, value in params.items() if key in STEPS[name].defaults}
        for name in names
    }
    return compute_merge_unit_groups(
        sorting_analyzer,
        None,
        resolve_graph,
        steps_params,
        extra_outputs=extra_outputs,
        steps=names,
    )


def auto_merge_units(
    sorting_analyzer: SortingAnalyzer,
    presets: str | Sequence[str] | None = ("similarity_correlograms",),
    steps_params: StepParams | Sequence[StepParams | None] | None = None,
    steps: Sequence[str] | Sequence[Sequence[str]] | None = None,
    recursive: bool = False,
    censor_ms: float | None = None,
    sparsity_overlap: float = 0.75,
    merging_mode: MergingMode = "soft",
    new_id_strategy: str = "append",
    raise_error: bool = False,
    extra_outputs: bool = False,
    force_copy: bool = True,
    **job_kwargs: Any,
) -> Any:
    """Find units that may be one neuron, and merge them.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        The units.
    presets : str or sequence of str
        Presets, one after the other; see `compute_merge_unit_groups`.
    steps_params : mapping, or sequence of mappings, optional
        Parameters of steps, of each preset.
    steps : sequence of str, or several, optional
        Steps, instead of presets.
    recursive : bool, default False
        Repeat each preset until it finds nothing more.
    censor_ms, sparsity_overlap, merging_mode, new_id_strategy
        See `spikeloom.analyzer.merging.merge_units`.
    raise_error : bool, default False
        Raise if units share too few channels to be merged, rather than leave them with a warning.
    extra_outputs : bool, default False
        Return what was merged, too.
    force_copy : bool, default True
        Leave the analyzer as it is. Otherwise what is missing is computed for it; merged units are
        in a new one always.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    analyzer : SortingAnalyzer
    resolved_merges : dict of unit id to list of unit ids
        What each merged unit was made of; with `extra_outputs`, as all that follows.
    merge_unit_groups : list of list of unit ids
        Of the last round.
    outs : list of dict
        What the steps of each round found.

    Raises
    ------
    ParameterError
        If there is no such preset, step or parameter.
    """
    rounds = _rounds_of(presets, steps, steps_params)
    analyzer = saved_as(sorting_analyzer) if force_copy else sorting_analyzer
    resolved: dict[UnitId, list[UnitId]] = {}
    groups: list[list[UnitId]] = []
    outs: list[dict[str, Any]] = []
    for names, params in rounds:
        while True:
            groups, found = compute_merge_unit_groups(
                analyzer,
                steps=names,
                steps_params=params,
                extra_outputs=True,
                force_copy=False,
                **job_kwargs,
            )
            outs.append(found)
            groups = _mergeable(analyzer, groups, merging_mode, sparsity_overlap, raise_error)
            if not groups:
                break
            analyzer, new_ids = merge_units(
                analyzer,
                groups,
                None,
                censor_ms,
                merging_mode,
                sparsity_overlap,
                new_id_strategy=new_id_strategy,
                return_new_unit_ids=True,
                **job_kwargs,
            )
            resolved = resolve_pairs(resolved, dict(zip(new_ids, groups, strict=True)))
            if not recursive:
                break
    return (analyzer, resolved, groups, outs) if extra_outputs else analyzer


def _steps_of(preset: str | None, steps: Sequence[str] | None) -> list[str]:
    names = list(steps) if steps is not None else list(PRESETS.get(preset or "", ()))
    if not names:
        msg = f"preset is one of {', '.join(PRESETS)}; got {preset!r}. Or give steps."
        raise ParameterError(msg)
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        msg = f"There are no steps {', '.join(unknown)}; there are {', '.join(STEPS)}."
        raise ParameterError(msg)
    return names


def _params_of(names: Sequence[str], given: StepParams | None) -> dict[str, dict[str, Any]]:
    params: dict[str, dict[str, Any]] = {}
    for name in names:
        more = dict((given or {}).get(name, {}))
        unknown = sorted(set(more) - set(STEPS[name].defaults))
        if unknown:
            msg = (
                f"The step {name!r} has no parameter {', '.join(unknown)}; it has "
                f"{', '.join(STEPS[name].defaults)}."
            )
            raise ParameterError(msg)
        params[name] = {**STEPS[name].defaults, **more}
    return params


def _rounds_of(
    presets: str | Sequence[str] | None,
    steps: Sequence[str] | Sequence[Sequence[str]] | None,
    steps_params: StepParams | Sequence[StepParams | None] | None,
) -> list[tuple[list[str], StepParams | None]]:
    """Return the steps of each round, and their parameters."""
    if steps is not None:
        given: list[Any] = list(steps)
        if all(isinstance(one, str) for one in given):
            given = [given]
        of_rounds = [_steps_of(None, one) for one in given]
    else:
        chosen = [presets] if isinstance(presets, str) else list(presets or [])
        of_rounds = [_steps_of(one, None) for one in chosen]
    if steps_params is None or isinstance(steps_params, Mapping):
        params: list[StepParams | None] = [steps_params] * len(of_rounds)
    else:
        params = list(steps_params)
    if not of_rounds or len(params) != len(of_rounds):
        msg = f"There are {len(of_rounds)} rounds of steps, and parameters of {len(params)}."
        raise ParameterError(msg)
    return list(zip(of_rounds, params, strict=True))


def _with_extensions(
    analyzer: SortingAnalyzer,
    params: Mapping[str, Mapping[str, Any]],
    *,
    may_compute: bool,
    is_copied: bool,
    job_kwargs: Mapping[str, Any],
) -> SortingAnalyzer:
    """Return an analyzer that has what steps need."""
    needed = dict.fromkeys(name for step in params for name in STEPS[step].extensions)
    if any(analyzer.has_extension(n) for n in ("templates", "waveforms")):
        needed.pop("random_spikes", None)  # of which templates that are there were made
    missing = {name: dict[str, Any]() for name in needed if not analyzer.has_extension(name)}
    if missing and not may_compute:
        msg = f"The steps need {', '.join(missing)}: analyzer.compute({list(missing)}) first."
        raise MissingExtensionError(msg)
    if "template_similarity" in params:
        method = params["template_similarity"]["similarity_method"]
        known = analyzer.get_extension("template_similarity")
        if known is None or (known.params or {}).get("method") != method:
            missing["template_similarity"] = {"method": method}
            is_copied = is_copied or known is not None  # that of another method is not replaced
    if not missing:
        return analyzer
    completed = saved_as(analyzer) if is_copied else analyzer
    completed.compute(missing, **job_kwargs)
    return completed


def _mergeable(
    analyzer: SortingAnalyzer,
    groups: list[list[UnitId]],
    merging_mode: MergingMode,
    sparsity_overlap: float,
    raise_error: bool,
) -> list[list[UnitId]]:
    fits = are_units_mergeable(analyzer, groups, merging_mode, sparsity_overlap)
    misfits = [list(group) for group, fit in fits.items() if not fit]
    if misfits:
        what = f"The units of {misfits[:5]} share too few channels to be merged."
        if raise_error:
            msg = f"{what} Use merging_mode='hard' or a lower sparsity_overlap."
            raise ParameterError(msg)
        warnings.warn(f"{what} They are left as they are.", UserWarning, stacklevel=3)
    return [list(group) for group, fit in fits.items() if fit]
