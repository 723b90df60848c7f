# Public names of this room, by module; imported when first used.
from .analyzer_functions import (
    compute_amplitude_cutoffs as compute_amplitude_cutoffs,
    compute_amplitude_cv_metrics as compute_amplitude_cv_metrics,
    compute_amplitude_medians as compute_amplitude_medians,
    compute_drift_metrics as compute_drift_metrics,
    compute_firing_ranges as compute_firing_ranges,
    compute_firing_rates as compute_firing_rates,
    compute_isi_violations as compute_isi_violations,
    compute_noise_cutoffs as compute_noise_cutoffs,
    compute_num_spikes as compute_num_spikes,
    compute_presence_ratios as compute_presence_ratios,
    compute_refrac_period_violations as compute_refrac_period_violations,
    compute_sd_ratio as compute_sd_ratio,
    compute_sliding_rp_violations as compute_sliding_rp_violations,
    compute_snrs as compute_snrs,
    compute_synchrony_metrics as compute_synchrony_metrics,
)
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
