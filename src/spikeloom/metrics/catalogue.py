"""All metrics by name, ours and those of third parties, and what SpikeInterface asks about them."""

from collections.abc import Iterable
from typing import Any

from spikeloom.errors import ParameterError
from spikeloom.metrics.metric import METRICS, Family, Metric
from spikeloom.metrics.quality import QUALITY_METRICS
from spikeloom.metrics.template_columns import TEMPLATE_METRICS

_OURS = (*QUALITY_METRICS, *TEMPLATE_METRICS)

for _metric in _OURS:
    METRICS.register(_metric.name, _metric)


def get_metric(name: str) -> Metric:
    """Return a metric.

    Raises
    ------
    UnknownNameError
        If there is none of this name; the message lists the known ones.
    ParameterError
        If the name is an older one; the message tells today's.

    Examples
    --------
    >>> get_metric("amplitude_median").columns["amplitude_median"].unit
    'uV'
    """
    if name not in METRICS:
        for metric in _OURS:
            if name in metric.deprecated_names:
                msg = f"The metric {name!r} is part of {metric.name!r} now: ask for that."
                raise ParameterError(msg)
    return METRICS.get(name)


def register_metric(metric: Metric) -> Metric:
    """Register a metric under its name, for this process; packages have an entry point for that.

    Raises
    ------
    DuplicateNameError
        If another metric has the name.
    """
    return METRICS.register(metric.name, metric)


def metrics_of_family(family: Family) -> list[Metric]:
    """Return the metrics of a table: ours in the order of its columns, then others by name.

    Examples
    --------
    >>> [metric.name for metric in metrics_of_family("spiketrain")]
    ['num_spikes', 'firing_rate']
    """
    families = {"quality", "spiketrain"} if family == "quality" else {family}
    ours = {metric.name for metric in _OURS}
    others = [METRICS.get(name) for name in METRICS.names() if name not in ours]
    return [metric for metric in (*_OURS, *others) if metric.family in families]


def get_quality_metric_list() -> list[str]:
    """Return the names of all metrics of quality."""
    return [metric.name for metric in metrics_of_family("quality")]


def get_quality_pca_metric_list() -> list[str]:
    """Return the names of the metrics of quality that need principal components.

    Examples
    --------
    >>> get_quality_pca_metric_list()
    ['mahalanobis', 'd_prime', 'nearest_neighbor', 'silhouette', 'nn_advanced']
    """
    return [metric.name for metric in metrics_of_family("quality") if metric.needs_pcs]


def get_default_quality_metrics_params(
    metric_names: Iterable[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the parameters of metrics of quality and their defaults, by name.

    Examples
    --------
    >>> get_default_quality_metrics_params(["snr"])
    {'snr': {'method': 'extremum'}}
    """
    return _defaults("quality", metric_names)


def get_spiketrain_metric_list() -> list[str]:
    """Return the names of all metrics of spike trains."""
    return [metric.name for metric in metrics_of_family("spiketrain")]


def get_default_spiketrain_metrics_params(
    metric_names: Iterable[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the parameters of metrics of spike trains and their defaults, by name."""
    return _defaults("spiketrain", metric_names)


def get_template_metric_list() -> list[str]:
    """Return the names of all metrics of templates."""
    return [metric.name for metric in metrics_of_family("template")]


def get_single_channel_template_metric_names() -> list[str]:
    """Return the names of the metrics of templates on their main channel."""
    return [m.name for m in metrics_of_family("template") if not m.is_multi_channel]


def get_multi_channel_template_metric_names() -> list[str]:
    """Return the names of the metrics of templates on several channels.

    Examples
    --------
    >>> get_multi_channel_template_metric_names()
    ['velocity_fits', 'exp_decay', 'spread']
    """
    return [m.name for m in metrics_of_family("template") if m.is_multi_channel]


def get_default_template_metrics_params(
    metric_names: Iterable[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the parameters of metrics of templates and their defaults, by name."""
    return _defaults("template", metric_names)


def _defaults(family: Family, names: Iterable[str] | None) -> dict[str, dict[str, Any]]:
    wanted = None if names is None else set(names)
    return {
        metric.name: metric.with_defaults()
        for metric in metrics_of_family(family)
        if wanted is None or metric.name in wanted
    }
