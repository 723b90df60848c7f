"""The extension ``templates``: what the waveforms of each unit look like together."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.core_waveforms import (
    ComputeWaveforms,
    random_spikes_of,
)
from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.template_statistics import (
    Operator,
    checked_operators,
    key_of,
    operator_of,
    pooled,
    statistics,
)
from spikeloom.analyzer.window_extension import SpikeWindowExtension
from spikeloom.core.class_names import stored_as
from spikeloom.core.template_estimation import estimate_templates_with_accumulator
from spikeloom.core.templates import Templates
from spikeloom.errors import MissingExtensionError, ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

_FROM_TRACES = ("average", "std")
"""What needs no waveforms."""


@register_result_extension
@stored_as("spikeinterface.core.analyzer_extension_core.ComputeTemplates")
class ComputeTemplates(SpikeWindowExtension):
    """What the waveforms of each unit look like together.

    With waveforms they are made of these; without, average and standard deviation are made straight
    of the traces around the chosen spikes.

    Parameters
    ----------
    ms_before : float, default 1.0
        Milliseconds before a spike; if there are waveforms, theirs.
    ms_after : float, default 2.0
        Milliseconds from a spike on; if there are waveforms, theirs.
    operators : list, default ["average", "std"]
        Of "average", "std", "median", "mad" (the median distance from the median) and
        ("percentile", p). All but the first two need waveforms.

    Notes
    -----
    The data ``average``, ``std``, ``median``, ``mad`` and ``percentile_{p}`` are of shape
    (n_units, n_samples, n_channels): float64 of waveforms, float32 straight of traces. They are
    zero on channels that are not a unit's, and for units without spikes.
    """

    extension_name = "templates"
    depend_on = ["random_spikes|waveforms"]  # noqa: RUF012 - as SpikeInterface's classes have it
    need_job_kwargs = True
    need_backward_compatibility_on_load = True

    @classmethod
    def get_required_dependencies(cls, **params: Any) -> list[str]:
        """Return what spikes are chosen by; and waveforms, if an operator needs them."""
        operators = checked_operators(params.get("operators") or ())
        more = ["waveforms"] if any(one not in _FROM_TRACES for one in operators) else []
        return [*cls.depend_on, *more]

    def may_read_recording(self) -> bool:
        """Return whether there are no waveforms to make them of."""
        return _waveforms_of(self.sorting_analyzer) is None

    def _set_params(
        self,
        ms_before: float = 1.0,
        ms_after: float = 2.0,
        operators: Iterable[Any] | None = None,
    ) -> dict[str, Any]:
        checked = checked_operators(["average", "std"] if operators is None else operators)
        waveforms = _waveforms_of(self.sorting_analyzer)
        known = {} if waveforms is None else waveforms.params or {}
        return {
            "operators": checked,
            "ms_before": float(known.get("ms_before", ms_before)),
            "ms_after": float(known.get("ms_after", ms_after)),
        }

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:
        self.data = self._computed((self.params or {})["operators"], verbose=verbose, **job_kwargs)

    def _computed(
        self, operators: Sequence[Operator], *, verbose: bool = False, **job_kwargs: Any
    ) -> dict[str, NDArray[Any]]:
        waveforms = _waveforms_of(self.sorting_analyzer)
        units = np.arange(self.sorting_analyzer.get_num_units())
        if waveforms is not None:
            of_rows = random_spikes_of(self.sorting_analyzer).unit_indices()
            values = waveforms._get_data()
            return dict(
                _statistics_in(self.sorting_analyzer, values, of_rows, units.tolist(), operators)
            )
        more = [one for one in operators if one not in _FROM_TRACES]
        if more:
            msg = (
                f"Templates of {', '.join(map(key_of, more))} are made of waveforms: call "
                "analyzer.compute('waveforms') first."
            )
            raise MissingExtensionError(msg)
        found = _of_traces(
            self.sorting_analyzer,
            units,
            (self.nbefore, self.nafter),
            verbose=verbose,
            with_std="std" in operators,
            **job_kwargs,
        )
        return {key_of(one): found[key_of(one)] for one in operators}

    def _handle_backward_compatibility_on_load(self) -> None:
        params = self.params if self.params is not None else {}
        per_ms = self.sorting_analyzer.sampling_frequency / 1000
        for key, old in (("ms_before", "nbefore"), ("ms_after", "nafter")):
            if key not in params and old in params:
                params[key] = params[old] / per_ms
        for key in [one for one in self.data if "pencentile" in one]:
            self.data[key.replace("pencentile", "percentile")] = self.data.pop(key)

    # -- for users ---------------------------------------------------------------------------

    def _get_data(
        self,
        operator: str = "average",
        percentile: float | None = None,
        outputs: Literal["numpy", "Templates"] = "numpy",
    ) -> Any:
        """Return templates of all units that were computed; see `get_templates`.

        Raises
        ------
        ParameterError
            If this operator was not computed.
        """
        key = _key(operator, percentile)
        if key not in self.data:
            msg = f"{key!r} was not computed, but {', '.join(self.data)}; get_templates() does."
            raise ParameterError(msg)
        return self._as(np.asarray(self.data[key]), self.sorting_analyzer.unit_ids, outputs)

    def get_templates(
        self,
        unit_ids: Sequence[Any] | None = None,
        operator: str = "average",
        percentile: float | None = None,
        save: bool = True,
        outputs: Literal["numpy", "Templates"] = "numpy",
    ) -> Any:
        """Return templates, and compute them if they were not yet.

        Parameters
        ----------
        unit_ids : list, optional
            Units; all by default.
        operator : {"average", "std", "median", "mad", "percentile"}
            Which templates.
        percentile : float, optional
            For "percentile", from 0 to 100.
        save : bool, default True
            Keep what had to be computed where the analyzer is kept.
        outputs : {"numpy", "Templates"}
            What is returned.

        Returns
        -------
        ndarray of shape (n_units, n_samples, n_channels), or Templates

        Raises
        ------
        MissingExtensionError
            If it is not there, and what it is made of is not either.
        """
        key = _key(operator, percentile)
        if key not in self.data:
            wanted = operator_of(key) if percentile is None else ("percentile", percentile)
            self.data.update(self._computed([wanted], progress_bar=False))
            if self.params is not None:
                self.params["operators"] = [*self.params["operators"], wanted]
            if save and not self.sorting_analyzer.is_read_only():
                self.save()
        templates = np.asarray(self.data[key])
        ids = self.sorting_analyzer.unit_ids
        if unit_ids is not None:
            positions = np.asarray(self.sorting_analyzer.sorting.ids_to_indices(unit_ids), np.int64)
            templates, ids = templates[positions], ids[positions]
        return self._as(templates, ids, outputs)

    def get_unit_template(self, unit_id: Any, operator: str = "average") -> NDArray[Any]:
        """Return the template of a unit; shape (n_samples, n_channels)."""
        template: NDArray[Any] = self.get_templates([unit_id], operator)[0]
        return template

    def _as(self, templates: NDArray[Any], unit_ids: NDArray[Any], outputs: str) -> Any:
        if outputs == "numpy":
            return templates
        if outputs != "Templates":
            msg = f"outputs must be 'numpy' or 'Templates'; got {outputs!r}."
            raise ParameterError(msg)
        analyzer = self.sorting_analyzer
        group = analyzer.recording_info.probegroup
        return Templates(
            templates,
            analyzer.sampling_frequency,
            self.nbefore,
            is_in_uV=analyzer.return_in_uV,
            channel_ids=analyzer.channel_ids,
            unit_ids=unit_ids,
            probe=group.probes[0] if group is not None and len(group.probes) == 1 else None,
        )

    # -- for other analyzers -----------------------------------------------------------------

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        positions = np.asarray(self.sorting_analyzer.sorting.ids_to_indices(unit_ids), np.int64)
        return {key: np.asarray(values)[positions] for key, values in self.data.items()}

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:
        channels = self.sorting_analyzer.channel_ids_to_indices(channel_ids)
        return {key: np.asarray(values)[:, :, channels] for key, values in self.data.items()}

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        keep_mask: NDArray[np.bool_] | None = None,
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,
    ) -> dict[str, Any]:
        """Return templates in which only those of merged units are new.

        They are made of waveforms where there are some. Without, average and standard deviation
        are pooled, which is the same, unless spikes were left out: then they are made of the
        traces if these are at hand. What else there is cannot be known, and is left out.
        """
        old, new = self.sorting_analyzer, new_sorting_analyzer
        positions = np.asarray(new.sorting.ids_to_indices(new_unit_ids), np.int64)
        operators = [operator_of(key) for key in self.data]
        waveforms = _waveforms_of(old)
        if waveforms is not None:
            merged = _merged_waveforms(waveforms, new, keep_mask, job_kwargs)
            found = _statistics_in(new, *merged, positions.tolist(), operators)
            return self._with_rows(new, positions, found)
        lost_spikes = keep_mask is not None and not keep_mask.all()
        if lost_spikes and (new.has_recording() or new.has_temporary_recording()):
            found = self._from_new_traces(new, positions, job_kwargs)
        else:
            found = self._pooled(merge_unit_groups, new, positions)
        return self._with_rows(new, positions, found)

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,
    ) -> dict[str, Any]:
        """Return templates in which only those of the parts of split units are new.

        They are made of waveforms, or of traces; where neither is at hand, parts have the templates
        of their unit, with a warning.
        """
        new = new_sorting_analyzer
        parts = [unit_id for ids in new_unit_ids for unit_id in ids]
        positions = np.asarray(new.sorting.ids_to_indices(parts), np.int64)
        waveforms = _waveforms_of(self.sorting_analyzer)
        if waveforms is not None:
            chosen = random_spikes_of(self.sorting_analyzer)._get_data()
            units = new.sorting.spike_table().unit_index[chosen]
            operators = [operator_of(key) for key in self.data]
            values = waveforms._get_data()
            found = _statistics_in(new, values, units, positions.tolist(), operators)
        elif new.has_recording() or new.has_temporary_recording():
            found = self._from_new_traces(new, positions, job_kwargs)
        else:
            message = (
                "There are neither waveforms nor the recording: the parts of split units get the "
                "templates of their unit. Compute 'waveforms' before you split."
            )
            warnings.warn(message, UserWarning, stacklevel=3)
            sources = [
                self.sorting_analyzer.sorting.id_to_index(unit_id)
                for unit_id, ids in zip(split_units, new_unit_ids, strict=True)
                for _ in ids
            ]
            found = {key: np.asarray(values)[sources] for key, values in self.data.items()}
        return self._with_rows(new, positions, found)

    def _with_rows(
        self,
        analyzer: "SortingAnalyzer",
        positions: NDArray[np.int64],
        rows: Mapping[str, NDArray[Any]],
    ) -> dict[str, NDArray[Any]]:
        """Return the data of another analyzer: `rows` at `positions`, else those of old units."""
        ids = analyzer.unit_ids
        is_old = np.ones(len(ids), bool)
        is_old[positions] = False
        sources = np.asarray(self.sorting_analyzer.sorting.ids_to_indices(ids[is_old]), np.int64)
        data = {}
        for key, found in rows.items():
            values = np.asarray(self.data[key])
            data[key] = np.zeros((len(ids), *values.shape[1:]), values.dtype)
            data[key][is_old] = values[sources]
            data[key][positions] = found
        return data

    def _from_new_traces(
        self, analyzer: "SortingAnalyzer", positions: NDArray[np.int64], job_kwargs: dict[str, Any]
    ) -> dict[str, NDArray[Any]]:
        self._note_lost()
        window = (self.nbefore, self.nafter)
        found = _of_traces(analyzer, positions, window, with_std="std" in self.data, **job_kwargs)
        return {key: found[key] for key in _FROM_TRACES if key in self.data}

    def _pooled(
        self,
        groups: Sequence[Sequence[Any]],
        analyzer: "SortingAnalyzer",
        positions: NDArray[np.int64],
    ) -> dict[str, NDArray[Any]]:
        self._note_lost()
        if "average" not in self.data:
            return {}
        old = self.sorting_analyzer
        n_units, n_channels = old.get_num_units(), old.get_num_channels()
        counts = np.bincount(random_spikes_of(old).unit_indices(), minlength=n_units)
        mask = np.ones((n_units, n_channels), bool) if old.sparsity is None else old.sparsity.mask
        averages = np.asarray(self.data["average"])
        deviations = np.asarray(self.data["std"]) if "std" in self.data else None
        shape = (len(groups), *averages.shape[1:])
        found = {key: np.zeros(shape) for key in _FROM_TRACES if key in self.data}
        for k, group in enumerate(groups):
            units = np.asarray(old.sorting.ids_to_indices(group), np.int64)
            of_units = None if deviations is None else deviations[units]
            both = pooled(averages[units], of_units, counts[units], mask[units])
            for key, values in zip(_FROM_TRACES, both, strict=True):
                if key in found and values is not None:
                    found[key][k] = values
                    if analyzer.sparsity is not None:
                        found[key][k][:, ~analyzer.sparsity.mask[positions[k]]] = 0
        return found

    def _note_lost(self) -> None:
        lost = [key for key in self.data if key not in _FROM_TRACES]
        if "average" not in self.data:
            lost = list(self.data)
        if lost:
            message = (
                f"The templates {', '.join(lost)} are left out: without waveforms it is not known "
                "what they are of changed units. Compute 'waveforms' first to keep them."
            )
            warnings.warn(message, UserWarning, stacklevel=4)


def _key(operator: str, percentile: float | None) -> str:
    if (operator == "percentile") != (percentile is not None):
        msg = f"operator='percentile' and percentile=... go together; got {operator!r}."
        raise ParameterError(msg)
    wanted: Any = operator if percentile is None else (operator, percentile)
    return key_of(checked_operators([wanted])[0])


def _waveforms_of(analyzer: "SortingAnalyzer") -> ComputeWaveforms | None:
    if not analyzer.has_extension("waveforms"):
        return None
    found = analyzer.get_extension("waveforms")
    return found if isinstance(found, ComputeWaveforms) else None


def _statistics_in(
    analyzer: "SortingAnalyzer",
    waveforms: NDArray[Any],
    units: NDArray[np.integer],
    chosen: Sequence[int],
    operators: Sequence[Operator],
) -> dict[str, NDArray[np.float64]]:
    mask = None if analyzer.sparsity is None else analyzer.sparsity.mask
    n_channels = analyzer.get_num_channels()
    return statistics(waveforms, units, chosen, operators, n_channels=n_channels, mask=mask)


def _of_traces(
    analyzer: "SortingAnalyzer",
    units: NDArray[np.int64],
    window: tuple[int, int],
    *,
    with_std: bool,
    **job_kwargs: Any,
) -> dict[str, NDArray[np.float32]]:
    """Return averages and deviations of some units, on all channels."""
    spikes = random_spikes_of(analyzer).get_random_spikes()
    sparsity = analyzer.sparsity
    if units.size < analyzer.get_num_units():
        spikes = spikes[np.isin(spikes["unit_index"], units)]
    computed: Any = estimate_templates_with_accumulator(
        analyzer.recording,
        spikes,
        analyzer.unit_ids,
        *window,
        return_in_uV=analyzer.return_in_uV,
        sparsity_mask=None if sparsity is None else sparsity.mask,
        return_std=with_std,  # type: ignore[call-overload]
        job_name="compute templates",
        **job_kwargs,
    )
    arrays = computed if with_std else (computed,)
    if sparsity is not None:
        arrays = tuple(sparsity.densify_templates(one) for one in arrays)
    return {key: one[units] for key, one in zip(_FROM_TRACES, arrays, strict=False)}


def _merged_waveforms(
    waveforms: ComputeWaveforms,
    analyzer: "SortingAnalyzer",
    keep_mask: NDArray[np.bool_] | None,
    job_kwargs: dict[str, Any],
) -> tuple[NDArray[Any], NDArray[np.integer]]:
    """Return the waveforms of an analyzer of merged units, and the unit of each."""
    chosen = random_spikes_of(waveforms.sorting_analyzer)
    indices = chosen._merge_extension_data([], [], analyzer, keep_mask)["random_spikes_indices"]
    units = analyzer.sorting.spike_table().unit_index[indices]
    own = analyzer.extensions.get("waveforms")
    if isinstance(own, ComputeWaveforms):
        return own._get_data(), units
    data = waveforms._merge_extension_data([], [], analyzer, keep_mask, **job_kwargs)
    return data["waveforms"], units


compute_templates = ComputeTemplates.function_factory()
