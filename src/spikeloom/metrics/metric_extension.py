"""A table of metrics as an extension of an analyzer: what all kinds of tables have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.unit_extension import BaseUnitExtension
from spikeloom.analyzer.unit_rows import flat_ids
from spikeloom.errors import ParameterError
from spikeloom.metrics.analyzer_inputs import inputs_of_analyzer
from spikeloom.metrics.catalogue import get_metric, metrics_of_family
from spikeloom.metrics.inputs import MetricInputs
from spikeloom.metrics.metric import Family, Metric
from spikeloom.metrics.period_moves import periods_of_units_now
from spikeloom.metrics.tables import MetricColumns, compute_metric_columns, default_metric_names

if TYPE_CHECKING:
    from pandas import DataFrame

    from spikeloom.analyzer.analyzer import SortingAnalyzer

_PERIODS = "periods"
"""Periods as units are numbered in another analyzer, on their way from its data to parameters."""


class BaseMetricExtension(BaseUnitExtension):
    """A table with a row for each unit and a column for each value of a metric; to derive from."""

    family: ClassVar[Family] = "quality"
    """Which metrics."""
    optional_depend_on: ClassVar[list[str]] = []
    shared_params: ClassVar[tuple[str, ...]] = (_PERIODS,)
    """Parameters that all metrics share: columns made with others are computed anew."""

    @classmethod
    def get_optional_dependencies(cls, **params: Any) -> list[str]:
        """Return the extensions that the metrics asked for are made of."""
        names = params.get("metric_names")
        metrics = metrics_of_family(cls.family) if names is None else [get_metric(n) for n in names]
        return list(dict.fromkeys(one for metric in metrics for one in metric.depend_on))

    @classmethod
    def get_dependencies_to_compute(cls, **params: Any) -> list[str]:
        """Return also what metrics that are asked for by their names are made of."""
        skips_pcs = params.get("skip_pc_metrics", False)
        metrics = [get_metric(name) for name in params.get("metric_names") or ()]
        kept = [one for one in metrics if not (skips_pcs and one.needs_pcs)]
        needed = [name for metric in kept for name in metric.depend_on]
        return list(dict.fromkeys([*cls.get_required_dependencies(**params), *needed]))

    @classmethod
    def get_available_metric_names(cls) -> list[str]:
        """Return the names of all metrics of the table."""
        return [metric.name for metric in metrics_of_family(cls.family)]

    @classmethod
    def get_default_metric_params(cls) -> dict[str, dict[str, Any]]:
        """Return the parameters of all metrics and their defaults."""
        return {metric.name: metric.with_defaults() for metric in metrics_of_family(cls.family)}

    @classmethod
    def get_metric_columns(cls, metric_names: Sequence[str] | None = None) -> list[str]:
        """Return the columns of metrics, all by default."""
        names = cls.get_available_metric_names() if metric_names is None else metric_names
        return [column for name in names for column in get_metric(name).columns]

    @classmethod
    def get_metric_column_descriptions(
        cls, metric_names: Sequence[str] | None = None
    ) -> dict[str, str]:
        """Return what the columns of metrics say."""
        names = cls.get_available_metric_names() if metric_names is None else metric_names
        return {
            name: column.description
            for metric in names
            for name, column in get_metric(metric).columns.items()
        }

    def get_computed_metric_names(self) -> list[str]:
        """Return the names of the metrics whose columns are all there."""
        columns = set(self.data["metrics"].columns) if "metrics" in self.data else set()
        metrics = metrics_of_family(self.family)
        return [metric.name for metric in metrics if columns >= set(metric.columns)]

    def may_read_recording(self) -> bool:
        """Return whether a metric that was asked for is made of traces."""
        names = (self.params or {}).get("metric_names")
        metrics = metrics_of_family(self.family) if names is None else map(get_metric, names)
        return any(metric.needs_recording or metric.needs_noise for metric in metrics)

    def _asked_for(
        self,
        metric_names: Iterable[str] | None,
        metric_params: Mapping[str, Mapping[str, Any]] | None,
        metrics_to_compute: Iterable[str] | None,
        *,
        delete_existing_metrics: bool,
    ) -> dict[str, Any]:
        """Return the parameters that all tables have, checked."""
        given = {}
        for name, params in (metric_params or {}).items():
            self._metric(name).with_defaults(params)  # says what is unknown
            given[name] = dict(params)
        names, to_compute = (
            None if some is None else [self._metric(name).name for name in dict.fromkeys(some)]
            for some in (metric_names, metrics_to_compute)
        )
        if names is None:
            names = to_compute
        return {
            "metric_names": names,
            "metric_params": given,
            "delete_existing_metrics": bool(delete_existing_metrics),
            "metrics_to_compute": to_compute,
        }

    def _metric(self, name: str) -> Metric:
        metric = get_metric(name)
        if all(metric is not one for one in metrics_of_family(self.family)):
            msg = (
                f"{name!r} is no metric of {self.extension_name!r}, which has "
                f"{', '.join(self.get_available_metric_names())}."
            )
            raise ParameterError(msg)
        return metric

    def _inputs(
        self,
        analyzer: "SortingAnalyzer",
        names: Iterable[str] | None,
        periods: Any,
        metric_params: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> MetricInputs:
        """Gather what metrics are computed from."""
        if names is None:
            metrics = [metric for metric in metrics_of_family(self.family) if metric.is_default]
        else:
            metrics = [get_metric(name) for name in names]
        with_pcs = any(metric.needs_pcs for metric in metrics)
        with_recording = any(metric.needs_recording for metric in metrics)
        with_waveforms = any("waveforms" in metric.depend_on for metric in metrics)
        noisy = [metric for metric in metrics if metric.needs_noise]
        noise = noisy[0].with_defaults((metric_params or {}).get(noisy[0].name)) if noisy else None
        return inputs_of_analyzer(
            analyzer,
            periods=periods,
            with_pcs=with_pcs and not (self.params or {}).get("skip_pc_metrics", False),
            with_recording=with_recording,
            with_waveforms=with_waveforms,
            noise_params=noise,
        )

    def _default_names(self, inputs: MetricInputs) -> list[str]:
        return default_metric_names(inputs, self.family)

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002 - the contract
        params = self.params or {}
        before = None if params["delete_existing_metrics"] else self._before()
        table_before, params_before = self._kept_of(before)
        periods = self._periods_in(self.sorting_analyzer, {})
        names = params["metrics_to_compute"] or params["metric_names"]
        gathered = None
        if names is None:
            gathered = self._inputs(self.sorting_analyzer, None, periods)
            names = self._default_names(gathered)
        kept = {name: of_it for name, of_it in params_before.items() if name not in names}
        given = {**kept, **params["metric_params"]}
        known = () if table_before is None else table_before.columns
        missing = [
            name
            for name in (*(params["metric_names"] or ()), *kept)
            if name not in names and not set(get_metric(name).columns) <= set(known)
        ]
        names = list(dict.fromkeys([*missing, *names]))
        if gathered is not None and all(get_metric(name).is_default for name in names):
            inputs = gathered  # it has all that they need
        else:
            inputs = self._inputs(self.sorting_analyzer, names, periods, given)
        names = [n for n in names if n not in params_before or get_metric(n).can_compute(inputs)]
        columns = compute_metric_columns(inputs, names, given)
        table = columns.to_table(self.sorting_analyzer.unit_ids)
        if table_before is not None:
            older = [name for name in table_before.columns if name not in table.columns]
            table = table_before[older].join(table) if older else table
        params["metrics_to_compute"] = names
        params["metric_names"] = list(dict.fromkeys([*params_before, *names]))
        params["metric_params"] = {
            name: get_metric(name).with_defaults(given.get(name)) for name in params["metric_names"]
        }
        run_times = {} if before is None else dict(before.data.get("runtime_s") or {})
        self.data = {
            "metrics": table,
            "runtime_s": {**run_times, **columns.run_times_s},
            **self._data_besides(inputs, self.sorting_analyzer.unit_ids),
        }

    def _data_besides(
        self,
        inputs: MetricInputs,  # noqa: ARG002 - for subclasses
        unit_ids: NDArray[Any],  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return what is kept besides the table, for the units that `inputs` has templates of."""
        return {}

    def _before(self) -> AnalyzerExtension | None:
        before = self.sorting_analyzer.get_loaded(self.extension_name)
        return None if before is self else before

    def _kept_of(
        self, before: AnalyzerExtension | None
    ) -> "tuple[DataFrame | None, dict[str, dict[str, Any]]]":
        """Return what stays of an older table, and the parameters of its metrics by name."""
        if before is None or "metrics" not in before.data:
            return None, {}
        params, params_before = self.params or {}, before.params or {}
        table, names = before.data["metrics"], list(params_before.get("metric_names") or ())
        given = params_before.get("metric_params") or {}
        settings = (
            [np.asarray(each.get(name)).tolist() for name in self.shared_params]
            for each in (params, params_before)
        )
        if next(settings) != next(settings):
            stale = set(self.get_metric_columns(names))
            table = table[[name for name in table.columns if name not in stale]]
        return table, {name: dict(given.get(name) or {}) for name in names}

    def _get_data(self) -> "DataFrame":
        table: DataFrame = self.data["metrics"]
        return table

    # -- for other analyzers -----------------------------------------------------------------

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        periods = periods_of_units_now(
            (self.params or {}).get(_PERIODS),
            self.sorting_analyzer.unit_ids.tolist(),
            np.asarray(unit_ids).tolist(),
            {},
        )
        table = self.data["metrics"].loc[list(unit_ids)].copy()
        return {**self.data, "metrics": table, _PERIODS: periods}

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002
        return dict(self.data)

    def _with_data(self, analyzer: "SortingAnalyzer", data: dict[str, Any]) -> AnalyzerExtension:
        tables = dict(data)
        periods = tables.pop(_PERIODS, None)
        other = super()._with_data(analyzer, tables)
        if periods is not None and other.params is not None:
            other.params[_PERIODS] = periods
        return other

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        keep_mask: NDArray[np.bool_] | None = None,  # noqa: ARG002 - the contract
        verbose: bool = False,  # noqa: ARG002 - the contract
        **job_kwargs: Any,  # noqa: ARG002 - the contract
    ) -> dict[str, Any]:
        groups = zip(flat_ids(new_unit_ids), merge_unit_groups, strict=True)
        return self._after_change(new_sorting_analyzer, {new: list(old) for new, old in groups})

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        verbose: bool = False,  # noqa: ARG002 - the contract
        **job_kwargs: Any,  # noqa: ARG002 - the contract
    ) -> dict[str, Any]:
        pairs = zip(split_units, new_unit_ids, strict=True)
        sources = {new: [old] for old, some in pairs for new in flat_ids([some])}
        return self._after_change(new_sorting_analyzer, sources)

    def _after_change(
        self, analyzer: "SortingAnalyzer", sources: Mapping[Any, Sequence[Any]]
    ) -> dict[str, Any]:
        """Compute the rows of units that came of others, and keep those of the rest."""
        params = self.params or {}
        periods = self._periods_in(analyzer, sources)
        new = {np.asarray(one).item() for one in sources}
        places = [k for k, one in enumerate(analyzer.unit_ids.tolist()) if one in new]
        asked, given = params.get("metric_names") or (), params.get("metric_params")
        inputs = self._inputs(analyzer, asked, periods, given)
        computed, besides = self._rows_of(inputs, places, asked, analyzer)
        table = with_new_rows(self.data["metrics"], computed, places)
        kept = None if params.get("use_valid_periods") else periods
        return {**self.data, "metrics": table, **besides, _PERIODS: kept}

    def _rows_of(
        self,
        inputs: MetricInputs,
        places: Sequence[int],
        asked: Iterable[str],
        analyzer: "SortingAnalyzer",
    ) -> "tuple[DataFrame, dict[str, Any]]":
        """Return a table whose rows of some units count, and what is kept besides of all units."""
        inputs = replace(inputs, units=places)
        columns = self._computed(inputs, asked)
        return columns.to_table(analyzer.unit_ids), self._data_besides(inputs, analyzer.unit_ids)

    def _computed(self, inputs: MetricInputs, asked: Iterable[str]) -> MetricColumns:
        """Compute those of the metrics asked for whose needs are there."""
        names = [name for name in asked if get_metric(name).can_compute(inputs)]
        return compute_metric_columns(inputs, names, (self.params or {}).get("metric_params"))

    def _periods_in(self, analyzer: "SortingAnalyzer", sources: Mapping[Any, Sequence[Any]]) -> Any:
        """Return the periods that spikes are taken from, as an analyzer numbers its units."""
        params = self.params or {}
        if params.get("use_valid_periods"):
            extension: Any = analyzer.get_extension("valid_unit_periods")
            return None if extension is None else extension.get_data(outputs="numpy")
        before, now = (one.unit_ids.tolist() for one in (self.sorting_analyzer, analyzer))
        return periods_of_units_now(params.get(_PERIODS), before, now, sources)


def with_new_rows(old: "DataFrame", computed: "DataFrame", places: Sequence[int]) -> "DataFrame":
    """Return a table with rows of new units from another, and all other rows as they were.

    Parameters
    ----------
    old : DataFrame
        Rows of the units there were, by id. Columns that were not computed are empty for new units.
    computed : DataFrame
        Rows of all units there are.
    places : sequence of int
        Positions of the new units in `computed`.

    Returns
    -------
    DataFrame
        With the index of `computed`, and the columns of both.
    """
    new = set(computed.index[list(places)])
    kept = [one for one in computed.index if one not in new and one in old.index]
    table = old.loc[kept].reindex(computed.index)
    for name in computed.columns:
        values = computed[name].copy()
        if name in old.columns:
            values.loc[kept] = old.loc[kept, name].to_numpy()
        table[name] = values
    return table
