"""Names and parameters of metrics as older versions wrote them, as they are today."""

from collections.abc import Iterable, Mapping
from typing import Any

from spikeloom.metrics.catalogue import metrics_of_family
from spikeloom.metrics.metric import Family

_RENAMED = {
    "min_channels_for_velocity": "min_channels",
    "min_r2_velocity": "min_r2",
    "exp_peak_function": "peak_function",
    "min_r2_exp_decay": "min_r2",
}
"""Parameters that once bore the name of their metric."""


def known_names(family: Family, names: Iterable[str]) -> list[str]:
    """Return names of metrics as they are today, each once.

    Examples
    --------
    >>> known_names("quality", ["snr", "l_ratio", "isolation_distance"])
    ['snr', 'mahalanobis']
    """
    today = _names_today(family)
    return list(dict.fromkeys(today.get(name, name) for name in names))


def known_params(
    family: Family, params: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return parameters of metrics that there still are, by today's names.

    Examples
    --------
    >>> known_params("template", {"velocity_above": {"min_r2_velocity": 0.5, "gone": 1}})
    {'velocity_fits': {'min_r2': 0.5}}
    """
    today = _names_today(family)
    known = {metric.name: metric.params for metric in metrics_of_family(family)}
    found: dict[str, dict[str, Any]] = {}
    for name, given in params.items():
        metric = today.get(name, name)
        if metric in known:
            renamed = {_RENAMED.get(key, key): value for key, value in given.items()}
            kept = {key: value for key, value in renamed.items() if key in known[metric]}
            found.setdefault(metric, {}).update(kept)
    return found


def _names_today(family: Family) -> dict[str, str]:
    return {
        older: metric.name
        for metric in metrics_of_family(family)
        for older in metric.deprecated_names
    }
