"""The metrics of quality, and of spike trains: names, columns and parameters of SpikeInterface."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from spikeloom.metrics.amplitude import amplitude_cutoffs, amplitude_medians, noise_cutoffs
from spikeloom.metrics.amplitude_variation import amplitude_cvs, sd_ratios
from spikeloom.metrics.drift import drift
from spikeloom.metrics.inputs import MetricInputs
from spikeloom.metrics.isolation import d_primes, mahalanobis, silhouettes
from spikeloom.metrics.metric import Column, Metric
from spikeloom.metrics.nearest_neighbors import nearest_neighbors
from spikeloom.metrics.nn_advanced import nn_advanced
from spikeloom.metrics.presence import firing_ranges, presence_ratios
from spikeloom.metrics.refractory import isi_violations, rp_violations, sliding_rp_violations
from spikeloom.metrics.snr import snrs
from spikeloom.metrics.spiketrain import firing_rates, num_spikes
from spikeloom.metrics.synchrony import synchrony

Values = Mapping[str, NDArray[Any]]


def _column(
    name: str, function: Callable[..., NDArray[Any]], *needed: str
) -> Callable[..., Values]:
    """Return what computes a metric of one column from the spikes and what else is needed."""

    def compute(inputs: MetricInputs, **params: Any) -> Values:
        return {name: function(inputs.spikes, *map(inputs.need, needed), **params)}

    return compute


def _columns(function: Callable[..., Any], *needed: str) -> Callable[..., Values]:
    """Return what computes a metric of several columns."""

    def compute(inputs: MetricInputs, **params: Any) -> Values:
        values: Values = function(inputs.spikes, *map(inputs.need, needed), **params)._asdict()
        return values

    return compute


def _snr(inputs: MetricInputs, **params: Any) -> Values:
    of = inputs.need("templates")
    noise_levels = inputs.need("noise_levels")
    values = snrs(
        of.templates, of.nbefore, of.main_channels, noise_levels, peak_sign=of.peak_sign, **params
    )
    return {"snr": values}


def _amplitude_cv(inputs: MetricInputs, *, amplitude_extension: str, **params: Any) -> Values:
    return amplitude_cvs(inputs.spikes, inputs.need(amplitude_extension), **params)._asdict()


def _sd_ratio(inputs: MetricInputs, **params: Any) -> Values:
    of, amplitudes = inputs.need("templates"), inputs.need("spike_amplitudes")
    noise_std = inputs.need("recording")
    values = sd_ratios(
        inputs.spikes, amplitudes, noise_std, of.main_channels, of.templates, **params
    )
    return {"sd_ratio": values}


def _of_pcs(function: Callable[..., Any], name: str = "") -> Callable[..., Values]:
    def compute(inputs: MetricInputs, **params: Any) -> Values:
        values = function(inputs.need("principal_components"), units=inputs.units, **params)
        return {name: values} if name else values._asdict()

    return compute


SPIKETRAIN_METRICS = (
    Metric(
        name="num_spikes",
        family="spiketrain",
        columns={"num_spikes": Column(dtype=int, description="Spikes in all segments.")},
        compute=_column("num_spikes", num_spikes),
        supports_periods=True,
    ),
    Metric(
        name="firing_rate",
        family="spiketrain",
        columns={
            "firing_rate": Column(dtype=float, unit="Hz", description="Spikes over duration.")
        },
        compute=_column("firing_rate", firing_rates),
        supports_periods=True,
    ),
)
"""Metrics of spike trains, which are metrics of quality, too."""

_TRAIN_METRICS = (
    Metric(
        name="presence_ratio",
        family="quality",
        columns={
            "presence_ratio": Column(dtype=float, description="Part of the time it is active in.")
        },
        params={"bin_duration_s": 60, "mean_fr_ratio_thresh": 0.0},
        compute=_column("presence_ratio", presence_ratios),
        supports_periods=True,
    ),
    Metric(
        name="snr",
        family="quality",
        columns={"snr": Column(dtype=float, description="Template amplitude over noise level.")},
        params={"method": "extremum"},
        depend_on=("noise_levels", "templates"),
        compute=_snr,
    ),
    Metric(
        name="isi_violation",
        family="quality",
        columns={
            "isi_violations_ratio": Column(
                dtype=float, description="Rate of violations over that of the unit."
            ),
            "isi_violations_count": Column(dtype=int, description="Intervals that are too short."),
        },
        params={"isi_threshold_ms": 1.5, "min_isi_ms": 0},
        compute=_columns(isi_violations),
        supports_periods=True,
    ),
    Metric(
        name="rp_violation",
        family="quality",
        columns={
            "rp_contamination": Column(
                dtype=float, description="Part of the spikes that is of other neurons."
            ),
            "rp_violations": Column(
                dtype=int, description="Pairs of spikes within the refractory period."
            ),
        },
        params={"refractory_period_ms": 1.0, "censored_period_ms": 0.0},
        compute=_columns(rp_violations),
        supports_periods=True,
    ),
    Metric(
        name="sliding_rp_violation",
        family="quality",
        columns={
            "sliding_rp_violation": Column(
                dtype=float,
                description="Least contamination that is excluded with 90 % confidence.",
            )
        },
        params={
            "min_spikes": 0,
            "bin_size_ms": 0.25,
            "window_size_s": 1,
            "exclude_ref_period_below_ms": 0.5,
            "max_ref_period_ms": 10,
            "contamination_values": None,
        },
        compute=_column("sliding_rp_violation", sliding_rp_violations),
        supports_periods=True,
    ),
    Metric(
        name="synchrony",
        family="quality",
        columns={
            f"sync_spike_{size}": Column(
                dtype=float,
                description=f"Part of the spikes at the same sample as {size - 1} others or more.",
            )
            for size in (2, 4, 8)
        },
        compute=_columns(synchrony),
        supports_periods=True,
    ),
    Metric(
        name="firing_range",
        family="quality",
        columns={
            "firing_range": Column(
                dtype=float, unit="Hz", description="Range between percentiles of the firing rate."
            )
        },
        params={"bin_size_s": 5, "percentiles": (5, 95)},
        compute=_column("firing_range", firing_ranges),
        supports_periods=True,
    ),
)

_AMPLITUDE_METRICS = (
    Metric(
        name="amplitude_cv",
        family="quality",
        columns={
            "amplitude_cv_median": Column(
                dtype=float, description="Median coefficient of variation of amplitudes in bins."
            ),
            "amplitude_cv_range": Column(
                dtype=float, description="Range of the coefficient of variation in bins."
            ),
        },
        params={
            "average_num_spikes_per_bin": 50,
            "percentiles": (5, 95),
            "min_num_bins": 10,
            "amplitude_extension": "spike_amplitudes",
        },
        depend_on=("spike_amplitudes|amplitude_scalings",),
        compute=_amplitude_cv,
        supports_periods=True,
    ),
    Metric(
        name="amplitude_cutoff",
        family="quality",
        columns={
            "amplitude_cutoff": Column(
                dtype=float, description="Part of the spikes that is missing for small amplitudes."
            )
        },
        params={
            "num_histogram_bins": 100,
            "histogram_smoothing_value": 3,
            "amplitudes_bins_min_ratio": 5,
        },
        depend_on=("amplitude_scalings|spike_amplitudes",),
        compute=_column(
            "amplitude_cutoff", amplitude_cutoffs, "amplitude_scalings|spike_amplitudes"
        ),
        supports_periods=True,
    ),
    Metric(
        name="noise_cutoff",
        family="quality",
        columns={
            "noise_cutoff": Column(
                dtype=float,
                description="How far low bins are above high ones, in deviations of those.",
            ),
            "noise_ratio": Column(
                dtype=float, description="Low-amplitude bins relative to the fullest bin."
            ),
        },
        params={"high_quantile": 0.25, "low_quantile": 0.1, "n_bins": 100},
        depend_on=("spike_amplitudes|amplitude_scalings",),
        compute=_columns(noise_cutoffs, "spike_amplitudes|amplitude_scalings"),
        supports_periods=True,
    ),
    Metric(
        name="amplitude_median",
        family="quality",
        columns={
            "amplitude_median": Column(dtype=float, unit="uV", description="Median amplitude.")
        },
        depend_on=("spike_amplitudes",),
        compute=_column("amplitude_median", amplitude_medians, "spike_amplitudes"),
        supports_periods=True,
    ),
    Metric(
        name="drift",
        family="quality",
        columns={
            f"drift_{short}": Column(dtype=float, unit="um", description=f"{long} of positions.")
            for short, long in (
                ("ptp", "Range"),
                ("std", "Standard deviation"),
                ("mad", "Median absolute deviation"),
            )
        },
        params={
            "interval_s": 60,
            "min_spikes_per_interval": 100,
            "direction": "y",
            "min_num_bins": 2,
        },
        depend_on=("spike_locations",),
        compute=_columns(drift, "spike_locations"),
        supports_periods=True,
    ),
    Metric(
        name="sd_ratio",
        family="quality",
        columns={
            "sd_ratio": Column(
                dtype=float, description="Deviation of amplitudes over that of the noise."
            )
        },
        params={
            "censored_period_ms": 4.0,
            "correct_for_drift": True,
            "correct_for_template_itself": True,
        },
        depend_on=("templates", "spike_amplitudes"),
        needs_recording=True,
        compute=_sd_ratio,
        supports_periods=True,
    ),
)

_PC_METRICS = (
    Metric(
        name="mahalanobis",
        family="quality",
        columns={
            "isolation_distance": Column(
                dtype=float, description="Mahalanobis distance that holds as many other spikes."
            ),
            "l_ratio": Column(
                dtype=float, description="Other spikes that may be the unit's, relative to its own."
            ),
        },
        depend_on=("principal_components",),
        needs_pcs=True,
        compute=_of_pcs(mahalanobis),
        deprecated_names=("l_ratio", "isolation_distance"),
    ),
    Metric(
        name="d_prime",
        family="quality",
        columns={
            "d_prime": Column(dtype=float, description="Separation along the best discriminant.")
        },
        depend_on=("principal_components",),
        needs_pcs=True,
        compute=_of_pcs(d_primes, "d_prime"),
    ),
    Metric(
        name="nearest_neighbor",
        family="quality",
        columns={
            "nn_hit_rate": Column(
                dtype=float, description="Part of its spikes' neighbours that is its own."
            ),
            "nn_miss_rate": Column(
                dtype=float, description="Part of other spikes' neighbours that is its own."
            ),
        },
        params={"max_spikes": 10000, "n_neighbors": 5},
        depend_on=("principal_components",),
        needs_pcs=True,
        compute=_of_pcs(nearest_neighbors),
    ),
    Metric(
        name="silhouette",
        family="quality",
        columns={
            "silhouette": Column(
                dtype=float, description="How much nearer spikes are to their unit."
            )
        },
        params={"method": "simplified"},
        depend_on=("principal_components",),
        needs_pcs=True,
        compute=_of_pcs(silhouettes, "silhouette"),
    ),
    Metric(
        name="nn_advanced",
        family="quality",
        columns={
            "nn_isolation": Column(
                dtype=float, description="Neighbours of its own, against the most similar unit."
            ),
            "nn_noise_overlap": Column(
                dtype=float, description="Neighbours that are noise, among as much noise."
            ),
        },
        params={
            "max_spikes": 1000,
            "min_spikes": 10,
            "min_fr": 0.0,
            "n_neighbors": 4,
            "n_components": 10,
            "radius_um": 100,
            "min_spatial_overlap": 0.5,
            "seed": None,
        },
        depend_on=("principal_components", "waveforms", "templates"),
        needs_pcs=True,
        needs_noise=True,
        is_default=False,  # reads the recording, and takes longest
        compute=nn_advanced,
        deprecated_names=("nn_isolation", "nn_noise_overlap"),
    ),
)

QUALITY_METRICS = (*SPIKETRAIN_METRICS, *_TRAIN_METRICS, *_AMPLITUDE_METRICS, *_PC_METRICS)
"""All metrics of quality, in the order of the columns of a table."""
