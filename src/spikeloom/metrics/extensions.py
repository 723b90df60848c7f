"""Tables of metrics as extensions of an analyzer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from spikeloom.analyzer.extension import AnalyzerExtension, register_result_extension
from spikeloom.analyzer.unit_extension import BaseUnitExtension
from spikeloom.core.class_names import stored_as
from spikeloom.metrics.analyzer_inputs import inputs_of_analyzer
from spikeloom.metrics.catalogue import get_metric, metrics_of_family
from spikeloom.metrics.inputs import MetricInputs
from spikeloom.metrics.metric import Family
from spikeloom.metrics.tables import MetricColumns, compute_metric_columns, default_metric_names

if TYPE_CHECKING:
    from pandas import DataFrame

    from spikeloom.analyzer.analyzer import SortingAnalyzer


class BaseMetricExtension(BaseUnitExtension):
    """A table with a row for each unit and a column for each value of a metric; to derive from."""

    family: ClassVar[Family] = "quality"
    """Which metrics."""
    optional_depend_on: ClassVar[list[str]] = []

    @classmethod
    def get_optional_dependencies(cls, **params: Any) -> list[str]:
        """Return the extensions that the metrics asked for are made of."""
        names = params.get("metric_names")
        metrics = metrics_of_family(cls.family) if names is None else [get_metric(n) for n in names]
        return list(dict.fromkeys(one for metric in metrics for one in metric.depend_on))

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

    def _inputs(self, analyzer: "SortingAnalyzer", names: Sequence[str] | None) -> MetricInputs:
        """Gather what metrics are computed from."""
        metrics = None if names is None else [get_metric(name) for name in names]
        with_pcs = metrics is None or any(metric.needs_pcs for metric in metrics)
        with_recording = metrics is None or any(metric.needs_recording for metric in metrics)
        return inputs_of_analyzer(
            analyzer,
            periods=(self.params or {}).get("periods"),
            with_pcs=with_pcs and not (self.params or {}).get("skip_pc_metrics", False),
            with_recording=with_recording,
        )

    def _default_names(self, inputs: MetricInputs) -> list[str]:
        return default_metric_names(inputs, self.family)

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002 - the contract
        params = self.params or {}
        inputs = self._inputs(self.sorting_analyzer, params["metric_names"])
        names = params["metric_names"]
        if names is None:
            names = self._default_names(inputs)
        columns = compute_metric_columns(inputs, names, params["metric_params"])
        params["metrics_to_compute"] = list(names)
        table = columns.to_table(self.sorting_analyzer.unit_ids)
        kept = None if params.get("delete_existing_metrics") else self._table_before()
        if kept is not None:
            older = [name for name in kept.columns if name not in table.columns]
            table = kept[older].join(table) if older else table
            before = self._names_before()
            names = [*(name for name in before if name not in names), *names]
        params["metric_names"] = list(names)
        self.data = {"metrics": table, "runtime_s": dict(columns.run_times_s)}

    def _before(self) -> AnalyzerExtension | None:
        before = self.sorting_analyzer.get_loaded(self.extension_name)
        return None if before is self else before

    def _table_before(self) -> "DataFrame | None":
        before = self._before()
        return None if before is None else before.data.get("metrics")

    def _names_before(self) -> list[str]:
        before = self._before()
        return list((before.params or {}).get("metric_names") or ()) if before else []

    def _get_data(self) -> "DataFrame":
        table: DataFrame = self.data["metrics"]
        return table

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        return {**self.data, "metrics": self.data["metrics"].loc[list(unit_ids)].copy()}

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002
        return dict(self.data)

    def _for_new_units(self, analyzer: "SortingAnalyzer", new_ids: Sequence[Any]) -> dict[str, Any]:
        """Compute the rows of new units, and keep those of the others."""
        params = self.params or {}
        new = {np.asarray(one).item() for one in new_ids}
        places = [k for k, one in enumerate(analyzer.unit_ids.tolist()) if one in new]
        inputs = replace(self._inputs(analyzer, params["metric_names"]), units=places)
        names = [
            name for name in params["metric_names"] or () if get_metric(name).can_compute(inputs)
        ]
        columns: MetricColumns = compute_metric_columns(inputs, names, params["metric_params"])
        table = columns.to_table(analyzer.unit_ids)
        old = self.data["metrics"]
        rows = [one for one in analyzer.unit_ids.tolist() if one not in new and one in old.index]
        shared = [name for name in table.columns if name in old.columns]
        if rows and shared:
            table.loc[rows, shared] = old.loc[rows, shared].to_numpy()
        return {**self.data, "metrics": table}


@register_result_extension
@stored_as("spikeinterface.metrics.quality.quality_metrics.ComputeQualityMetrics")
class ComputeQualityMetrics(BaseMetricExtension):
    """How well units are recorded and isolated: a table with a row for each unit.

    Parameters
    ----------
    metric_names : list of str, optional
        Which metrics; by default all quick ones whose needs were computed before.
    metric_params : dict of metric name to dict, optional
        Parameters that are not to have their defaults.
    delete_existing_metrics : bool, default False
        Do not keep columns that were computed before.
    metrics_to_compute : list of str, optional
        Set by itself: what the last run computed.
    use_valid_periods : bool, default False
        Take the spikes of the extension ``valid_unit_periods`` only.
    periods : ndarray, optional
        Take the spikes of these periods only.
    seed : int, optional
        Of metrics that sample spikes.
    skip_pc_metrics : bool, default False
        Leave out those of principal components.
    """

    extension_name = "quality_metrics"
    need_job_kwargs = True
    need_backward_compatibility_on_load = True
    family = "quality"

    @classmethod
    def get_required_dependencies(cls, **params: Any) -> list[str]:
        """Return the valid periods, if they are to be used."""
        return ["valid_unit_periods"] if params.get("use_valid_periods") else []

    def _set_params(
        self,
        metric_names: Sequence[str] | None = None,
        metric_params: Mapping[str, Mapping[str, Any]] | None = None,
        delete_existing_metrics: bool = False,
        metrics_to_compute: Sequence[str] | None = None,
        use_valid_periods: bool = False,
        periods: Any = None,
        seed: int | None = None,
        skip_pc_metrics: bool = False,
    ) -> dict[str, Any]:
        if use_valid_periods and periods is None:
            extension: Any = self.sorting_analyzer.get_extension("valid_unit_periods")
            periods = None if extension is None else extension.get_data(outputs="numpy")
        names = None if metric_names is None else list(metric_names)
        if names is not None and skip_pc_metrics:
            names = [name for name in names if not get_metric(name).needs_pcs]
        given = {name: dict(params) for name, params in (metric_params or {}).items()}
        if seed is not None:
            for metric in metrics_of_family("quality"):
                if "seed" in metric.params:
                    given.setdefault(metric.name, {}).setdefault("seed", seed)
        return {
            "metric_names": names,
            "metric_params": given,
            "delete_existing_metrics": delete_existing_metrics,
            "metrics_to_compute": None if metrics_to_compute is None else list(metrics_to_compute),
            "use_valid_periods": use_valid_periods,
            "periods": periods,
            "seed": seed,
            "skip_pc_metrics": skip_pc_metrics,
        }

    def _default_names(self, inputs: MetricInputs) -> list[str]:
        skipped = bool((self.params or {}).get("skip_pc_metrics"))
        return default_metric_names(inputs, "quality", skip_pc_metrics=skipped)

    def _handle_backward_compatibility_on_load(self) -> None:
        params = self.params if self.params is not None else {}
        if "qm_params" in params:
            params["metric_params"] = params.pop("qm_params")
        params.setdefault("metric_params", {})
        params["metric_names"] = _known_names(params.get("metric_names") or ())
        params["metric_params"] = _known_params(params["metric_params"])
        self.params = params


@register_result_extension
@stored_as("spikeinterface.metrics.spiketrain.spiketrain_metrics.ComputeSpikeTrainMetrics")
class ComputeSpikeTrainMetrics(BaseMetricExtension):
    """What spike trains say by themselves: a table with a row for each unit.

    Parameters
    ----------
    metric_names, metric_params, delete_existing_metrics, metrics_to_compute, periods
        As of `ComputeQualityMetrics`.
    """

    extension_name = "spiketrain_metrics"
    need_job_kwargs = True
    family = "spiketrain"

    def _set_params(
        self,
        metric_names: Sequence[str] | None = None,
        metric_params: Mapping[str, Mapping[str, Any]] | None = None,
        delete_existing_metrics: bool = False,
        metrics_to_compute: Sequence[str] | None = None,
        periods: Any = None,
    ) -> dict[str, Any]:
        return {
            "metric_names": None if metric_names is None else list(metric_names),
            "metric_params": {k: dict(v) for k, v in (metric_params or {}).items()},
            "delete_existing_metrics": delete_existing_metrics,
            "metrics_to_compute": None if metrics_to_compute is None else list(metrics_to_compute),
            "periods": periods,
        }


@register_result_extension
@stored_as("spikeinterface.metrics.template.template_metrics.ComputeTemplateMetrics")
class ComputeTemplateMetrics(BaseMetricExtension):
    """What templates look like: a table with a row for each unit.

    Parameters
    ----------
    metric_names : list of str, optional
        Which metrics; by default those of the main channel.
    metric_params : dict of metric name to dict, optional
        Parameters that are not to have their defaults.
    delete_existing_metrics : bool, default False
        Do not keep columns that were computed before.
    metrics_to_compute : list of str, optional
        Set by itself: what the last run computed.
    include_multi_channel_metrics : bool, default False
        Also take metrics of several channels by default.
    """

    extension_name = "template_metrics"
    depend_on: ClassVar[list[str]] = ["templates"]
    need_job_kwargs = True
    family = "template"

    def _set_params(
        self,
        metric_names: Sequence[str] | None = None,
        metric_params: Mapping[str, Mapping[str, Any]] | None = None,
        delete_existing_metrics: bool = False,
        metrics_to_compute: Sequence[str] | None = None,
        include_multi_channel_metrics: bool = False,
    ) -> dict[str, Any]:
        return {
            "metric_names": None if metric_names is None else list(metric_names),
            "metric_params": {k: dict(v) for k, v in (metric_params or {}).items()},
            "delete_existing_metrics": delete_existing_metrics,
            "metrics_to_compute": None if metrics_to_compute is None else list(metrics_to_compute),
            "include_multi_channel_metrics": include_multi_channel_metrics,
        }

    def _default_names(self, inputs: MetricInputs) -> list[str]:
        several = bool((self.params or {}).get("include_multi_channel_metrics"))
        return default_metric_names(inputs, "template", include_multi_channel_metrics=several)


def _known_names(names: Sequence[str]) -> list[str]:
    """Return names of metrics as they are today."""
    today: dict[str, str] = {
        older: metric.name
        for metric in metrics_of_family("quality")
        for older in metric.deprecated_names
    }
    return list(dict.fromkeys(today.get(name, name) for name in names))


def _known_params(params: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return parameters of metrics that there still are."""
    known = {metric.name: metric.params for metric in metrics_of_family("quality")}
    return {
        name: {key: value for key, value in given.items() if key in known[name]}
        for name, given in params.items()
        if name in known
    }


compute_quality_metrics = ComputeQualityMetrics.function_factory()
compute_spiketrain_metrics = ComputeSpikeTrainMetrics.function_factory()
compute_template_metrics = ComputeTemplateMetrics.function_factory()
