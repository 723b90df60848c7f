"""The extension ``template_metrics``: what templates look like."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.unit_rows import places_of_kept
from spikeloom.core.class_names import stored_as
from spikeloom.errors import ParameterError
from spikeloom.metrics.analyzer_inputs import templates_of_analyzer
from spikeloom.metrics.catalogue import metrics_of_family
from spikeloom.metrics.inputs import MetricInputs
from spikeloom.metrics.metric_extension import BaseMetricExtension
from spikeloom.metrics.older_params import known_names, known_params
from spikeloom.metrics.tables import default_metric_names
from spikeloom.metrics.template_columns import TEMPLATE_SETTINGS, shared_main_templates

if TYPE_CHECKING:
    from pandas import DataFrame

    from spikeloom.analyzer.analyzer import SortingAnalyzer

_N_CHANNELS_FOR_SPACE = 64
"""From so many channels on templates are looked at on several of them."""

_EXTREMA = ("trough", "peak_before", "peak_after")
_PLACES = ("index", "width_left", "width_right", "half_width_left", "half_width_right")

_OPERATORS = ("average", "median")


@register_result_extension
@stored_as("spikeinterface.metrics.template.template_metrics.ComputeTemplateMetrics")
class ComputeTemplateMetrics(BaseMetricExtension):
    """What templates look like: a table with a row for each unit.

    Parameters
    ----------
    metric_names : list of str, optional
        Which metrics; by default those of the main channel, and perhaps those of several.
    metric_params : dict of metric name to dict, optional
        Parameters that are not to have their defaults.
    delete_existing_metrics : bool, default False
        Do not keep columns that were computed before. Those that are kept, but were made with
        other settings than those given now, are computed anew.
    metrics_to_compute : list of str, optional
        Those of `metric_names` to compute now, if the others were before.
    periods : None
        Templates know no periods.
    template_operator : {"average", "median"}, default "average"
        Which templates.
    upsampling_factor : int, default 10
        How much finer templates are made before they are measured, at least 1.
    include_multi_channel_metrics : bool, optional
        Also take metrics of several channels; by default if none is asked for by its name, and
        there are at least 64 channels.
    depth_direction : {"x", "y"}, default "y"
        The axis along which the probe is long.
    min_thresh_detect_peaks_troughs : float, default 0.3
        Least prominence of peaks and troughs, relative to the template's largest absolute value.
    edge_exclusion_ms : float, default 0.09
        No peaks are looked for so near to the ends of templates.
    min_peak_trough_distance_ratio : float, default 0.2
        Least distance of peaks from the trough, relative to its half width.
    min_extremum_distance_samples : int, default 3
        Least distance of peaks from the trough, in upsampled samples.

    Notes
    -----
    Besides the table, data are ``peaks_data``, a table of where the trough and the peaks are in the
    upsampled template of the main channel (-1 for nowhere), and ``main_channel_templates``, those
    templates in microvolts, of shape (n_units, n_upsampled_samples) and dtype float64.
    """

    extension_name = "template_metrics"
    depend_on: ClassVar[list[str]] = ["templates"]
    need_job_kwargs = True
    need_backward_compatibility_on_load = True
    family = "template"
    shared_params = ("template_operator", *TEMPLATE_SETTINGS)

    def _set_params(
        self,
        metric_names: Iterable[str] | None = None,
        metric_params: Mapping[str, Mapping[str, Any]] | None = None,
        delete_existing_metrics: bool = False,
        metrics_to_compute: Iterable[str] | None = None,
        periods: Any = None,
        template_operator: Literal["average", "median"] = "average",
        upsampling_factor: int = 10,
        include_multi_channel_metrics: bool | None = None,
        depth_direction: Literal["x", "y"] = "y",
        min_thresh_detect_peaks_troughs: float = 0.3,
        edge_exclusion_ms: float = 0.09,
        min_peak_trough_distance_ratio: float = 0.2,
        min_extremum_distance_samples: int = 3,
    ) -> dict[str, Any]:
        if template_operator not in _OPERATORS:
            msg = f"template_operator is 'average' or 'median'; got {template_operator!r}."
            raise ParameterError(msg)
        if depth_direction not in {"x", "y"}:
            msg = f"depth_direction is 'x' or 'y'; got {depth_direction!r}."
            raise ParameterError(msg)
        if int(upsampling_factor) != upsampling_factor or upsampling_factor < 1:
            msg = f"upsampling_factor is a whole number from 1 on; got {upsampling_factor}."
            raise ParameterError(msg)
        if periods is not None:
            msg = "Templates know no periods: choose spikes before templates are computed."
            raise ParameterError(msg)
        params = self._asked_for(
            metric_names,
            metric_params,
            metrics_to_compute,
            delete_existing_metrics=delete_existing_metrics,
        )
        several = include_multi_channel_metrics
        if several and params["metric_names"] is not None:
            more = [one.name for one in metrics_of_family("template") if one.is_multi_channel]
            params["metric_names"] = list(dict.fromkeys([*params["metric_names"], *more]))
        if several is None:
            n_channels = self.sorting_analyzer.get_num_channels()
            several = params["metric_names"] is None and n_channels >= _N_CHANNELS_FOR_SPACE
        return {
            **params,
            "periods": None,
            "template_operator": template_operator,
            "upsampling_factor": int(upsampling_factor),
            "include_multi_channel_metrics": bool(several),
            "depth_direction": depth_direction,
            "min_thresh_detect_peaks_troughs": float(min_thresh_detect_peaks_troughs),
            "edge_exclusion_ms": float(edge_exclusion_ms),
            "min_peak_trough_distance_ratio": float(min_peak_trough_distance_ratio),
            "min_extremum_distance_samples": int(min_extremum_distance_samples),
        }

    def _inputs(
        self,
        analyzer: "SortingAnalyzer",
        names: Iterable[str] | None,
        periods: Any,
        metric_params: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> MetricInputs:
        params = self.params or {}
        inputs = super()._inputs(analyzer, names or (), periods, metric_params)
        operator = params.get("template_operator", "average")
        settings = {name: params[name] for name in TEMPLATE_SETTINGS if name in params}
        return replace(
            inputs, templates=templates_of_analyzer(analyzer, operator=operator), shared=settings
        )

    def _default_names(self, inputs: MetricInputs) -> list[str]:
        several = bool((self.params or {}).get("include_multi_channel_metrics"))
        return default_metric_names(inputs, "template", include_multi_channel_metrics=several)

    def _data_besides(self, inputs: MetricInputs, unit_ids: NDArray[Any]) -> dict[str, Any]:
        import pandas as pd  # noqa: PLC0415 - pandas is slow to import

        made = shared_main_templates(inputs)
        places = [
            [getattr(getattr(one, extremum), place) for extremum in _EXTREMA for place in _PLACES]
            for one in made.extrema
        ]
        columns = [f"{extremum}_{place}" for extremum in _EXTREMA for place in _PLACES]
        table = pd.DataFrame(
            np.array(places, np.int64).reshape(-1, len(columns)),
            index=pd.Index(np.asarray(unit_ids)),
            columns=columns,
        )
        return {"peaks_data": table, "main_channel_templates": np.asarray(made.values, np.float64)}

    def _rows_of(
        self,
        inputs: MetricInputs,
        places: Sequence[int],
        asked: Iterable[str],
        analyzer: "SortingAnalyzer",
    ) -> "tuple[DataFrame, dict[str, Any]]":
        # No template's values depend on those of others: only new ones are looked at.
        templates = inputs.need("templates").of_units(places)
        some = replace(inputs, templates=templates, shared=dict(inputs.shared))
        new_ids = analyzer.unit_ids[list(places)]
        table = self._computed(some, asked).to_table(new_ids).reindex(analyzer.unit_ids)
        new, old = self._data_besides(some, new_ids), self.data
        kept, now = places_of_kept(
            self.sorting_analyzer.sorting, analyzer.sorting, new_ids.tolist()
        )
        n_samples = new["main_channel_templates"].shape[1]
        if (
            "peaks_data" not in old
            or np.shape(old.get("main_channel_templates", ()))[1:] != (n_samples,)
            or set(old["peaks_data"].columns) != set(new["peaks_data"].columns)
        ):
            return table, self._data_besides(inputs, analyzer.unit_ids)
        finer = np.empty((len(analyzer.unit_ids), n_samples))
        finer[now] = np.asarray(old["main_channel_templates"])[kept]
        finer[list(places)] = new["main_channel_templates"]
        peaks = new["peaks_data"].reindex(analyzer.unit_ids, fill_value=-1)
        peaks.iloc[now] = old["peaks_data"][peaks.columns].iloc[kept]
        return table, {"peaks_data": peaks, "main_channel_templates": finer}

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        data = super()._select_units_extension_data(unit_ids)
        if "peaks_data" in data:
            data["peaks_data"] = data["peaks_data"].loc[list(unit_ids)].copy()
        if "main_channel_templates" in data:
            places = self.sorting_analyzer.sorting.ids_to_indices(list(unit_ids))
            data["main_channel_templates"] = np.asarray(data["main_channel_templates"])[places]
        return data

    def _handle_backward_compatibility_on_load(self) -> None:
        params = self.params if self.params is not None else {}
        names = list(params.get("metric_names") or ())
        if "metrics_kwargs" in params:
            shared = params.pop("metrics_kwargs") or {}
            params["metric_params"] = {name: dict(shared) for name in names}
        params.pop("peak_sign", None)
        params["metric_names"] = known_names("template", names)
        params["metric_params"] = known_params("template", params.get("metric_params") or {})
        params.setdefault("template_operator", "average")
        for name, value in TEMPLATE_SETTINGS.items():
            params.setdefault(name, value)
        self.params = params


compute_template_metrics = ComputeTemplateMetrics.function_factory()
