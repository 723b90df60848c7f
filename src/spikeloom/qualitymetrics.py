"""SpikeInterface's name for the room `spikeloom.metrics`: the same things.

Examples
--------
>>> from spikeloom import metrics
>>> from spikeloom.qualitymetrics import compute_quality_metrics
>>> compute_quality_metrics is metrics.compute_quality_metrics
True
"""

from typing import Any

from spikeloom import metrics


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the room has
    return getattr(metrics, name)


def __dir__() -> list[str]:
    return dir(metrics)
