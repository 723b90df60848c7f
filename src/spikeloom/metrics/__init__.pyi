# Public names of this room, by module; imported when first used.
from .catalogue import (
    get_default_quality_metrics_params as get_default_quality_metrics_params,
    get_default_spiketrain_metrics_params as get_default_spiketrain_metrics_params,
    get_default_template_metrics_params as get_default_template_metrics_params,
    get_metric as get_metric,
    get_multi_channel_template_metric_names as get_multi_channel_template_metric_names,
    get_quality_metric_list as get_quality_metric_list,
    get_quality_pca_metric_list as get_quality_pca_metric_list,
    get_single_channel_template_metric_names as get_single_channel_template_metric_names,
    get_spiketrain_metric_list as get_spiketrain_metric_list,
    get_template_metric_list as get_template_metric_list,
    register_metric as register_metric,
)
from .extensions import (
    ComputeQualityMetrics as ComputeQualityMetrics,
    ComputeSpikeTrainMetrics as ComputeSpikeTrainMetrics,
    ComputeTemplateMetrics as ComputeTemplateMetrics,
    compute_quality_metrics as compute_quality_metrics,
    compute_spiketrain_metrics as compute_spiketrain_metrics,
    compute_template_metrics as compute_template_metrics,
)
from .inputs import MetricInputs as MetricInputs, UnitTemplates as UnitTemplates
from .metric import Column as Column, Metric as Metric
from .pc_features import PcFeatures as PcFeatures, pc_features as pc_features
from .spikes import (
    MetricSpikes as MetricSpikes,
    spikes_of_sorting as spikes_of_sorting,
    spikes_of_table as spikes_of_table,
)
from .tables import (
    MetricColumns as MetricColumns,
    compute_metric_columns as compute_metric_columns,
    default_metric_names as default_metric_names,
)
