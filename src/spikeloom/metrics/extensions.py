"""The extensions ``quality_metrics`` and ``spiketrain_metrics``; importing it registers all."""

from collections.abc import Iterable, Mapping
from typing import Any

from spikeloom.analyzer.extension import register_result_extension
from spikeloom.core.class_names import stored_as
from spikeloom.errors import ParameterError
from spikeloom.metrics.catalogue import metrics_of_family
from spikeloom.metrics.inputs import MetricInputs
from spikeloom.metrics.metric_extension import BaseMetricExtension
from spikeloom.metrics.older_params import known_names, known_params
from spikeloom.metrics.tables import default_metric_names
from spikeloom.metrics.template_extension import (
    ComputeTemplateMetrics,
    compute_template_metrics,
)


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
        Do not keep columns that were computed before. Those that are kept, but were made of the
        spikes of other periods, are computed anew.
    metrics_to_compute : list of str, optional
        Those of `metric_names` to compute now, if the others were before.
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
    shared_params = ("periods", "use_valid_periods")

    @classmethod
    def get_required_dependencies(cls, **params: Any) -> list[str]:
        """Return the valid periods, if they are to be used."""
        uses_valid = params.get("use_valid_periods") and params.get("periods") is None
        return ["valid_unit_periods"] if uses_valid else []

    def _set_params(
        self,
        metric_names: Iterable[str] | None = None,
        metric_params: Mapping[str, Mapping[str, Any]] | None = None,
        delete_existing_metrics: bool = False,
        metrics_to_compute: Iterable[str] | None = None,
        use_valid_periods: bool = False,
        periods: Any = None,
        seed: int | None = None,
        skip_pc_metrics: bool = False,
    ) -> dict[str, Any]:
        if use_valid_periods and periods is not None:
            msg = "Give periods or use_valid_periods=True, not both: which spikes are to be taken?"
            raise ParameterError(msg)
        params = self._asked_for(
            metric_names,
            metric_params,
            metrics_to_compute,
            delete_existing_metrics=delete_existing_metrics,
        )
        if skip_pc_metrics:
            of_pcs = {metric.name for metric in metrics_of_family("quality") if metric.needs_pcs}
            for key in ("metric_names", "metrics_to_compute"):
                if params[key] is not None:
                    params[key] = [name for name in params[key] if name not in of_pcs]
        if seed is not None:
            for metric in metrics_of_family("quality"):
                if "seed" in metric.params:
                    params["metric_params"].setdefault(metric.name, {}).setdefault("seed", seed)
        return {
            **params,
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
        if params.get("use_valid_periods") or "periods" not in params:
            params["periods"] = None
        params["metric_names"] = known_names(self.family, params.get("metric_names") or ())
        params["metric_params"] = known_params(self.family, params["metric_params"])
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
        metric_names: Iterable[str] | None = None,
        metric_params: Mapping[str, Mapping[str, Any]] | None = None,
        delete_existing_metrics: bool = False,
        metrics_to_compute: Iterable[str] | None = None,
        periods: Any = None,
    ) -> dict[str, Any]:
        params = self._asked_for(
            metric_names,
            metric_params,
            metrics_to_compute,
            delete_existing_metrics=delete_existing_metrics,
        )
        return {**params, "periods": periods}


compute_quality_metrics = ComputeQualityMetrics.function_factory()
compute_spiketrain_metrics = ComputeSpikeTrainMetrics.function_factory()

__all__ = [
    "BaseMetricExtension",
    "ComputeQualityMetrics",
    "ComputeSpikeTrainMetrics",
    "ComputeTemplateMetrics",
    "compute_quality_metrics",
    "compute_spiketrain_metrics",
    "compute_template_metrics",
]
