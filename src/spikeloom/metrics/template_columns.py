"""The metrics of templates: names, columns and parameters of SpikeInterface."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.metrics.inputs import MetricInputs
from spikeloom.metrics.main_templates import MainTemplates, main_templates, upsampled
from spikeloom.metrics.metric import Column, Metric
from spikeloom.metrics.template import (
    half_widths,
    main_to_next_extremum_durations,
    number_of_peaks,
    peak_to_trough_durations,
    recovery_slopes,
    repolarization_slopes,
    waveform_baseline_flatness,
    waveform_ratios,
    waveform_widths,
)
from spikeloom.metrics.template_space import exp_decay, spread, velocity_fit

Values = Mapping[str, NDArray[Any]]

TEMPLATE_SETTINGS: Mapping[str, Any] = {
    "upsampling_factor": 10,
    "depth_direction": "y",
    "min_thresh_detect_peaks_troughs": 0.3,
    "edge_exclusion_ms": 0.09,
    "min_peak_trough_distance_ratio": 0.2,
    "min_extremum_distance_samples": 3,
}
"""What all metrics of templates share, and its defaults; put into ``MetricInputs.shared``."""


def shared_main_templates(inputs: MetricInputs) -> MainTemplates:
    """Return the upsampled templates and their extrema, made once for all metrics."""
    if "main_templates" not in inputs.shared:
        of, settings = inputs.need("templates"), _settings(inputs)
        settings.pop("depth_direction")
        inputs.shared["main_templates"] = main_templates(
            of.templates, of.main_channels, inputs.spikes.sampling_frequency, **settings
        )
    made: MainTemplates = inputs.shared["main_templates"]
    return made


def _settings(inputs: MetricInputs) -> dict[str, Any]:
    given = {name: inputs.shared[name] for name in TEMPLATE_SETTINGS if name in inputs.shared}
    return {**TEMPLATE_SETTINGS, **given}


def _column(name: str, function: Callable[..., NDArray[Any]]) -> Callable[..., Values]:
    def compute(inputs: MetricInputs, **params: Any) -> Values:
        return {name: function(shared_main_templates(inputs), **params)}

    return compute


def _columns(function: Callable[..., Any]) -> Callable[..., Values]:
    def compute(inputs: MetricInputs, **params: Any) -> Values:
        values: Values = function(shared_main_templates(inputs), **params)._asdict()
        return values

    return compute


def _on_channels(inputs: MetricInputs, function: Callable[..., Any]) -> list[Any]:
    """Call a function with each unit's template on its channels, upsampled, and their locations."""
    of, factor = inputs.need("templates"), _settings(inputs)["upsampling_factor"]
    if "on_channels" not in inputs.shared:
        everywhere = np.asarray(of.channel_locations, np.float64)[:, :2]
        own = [of.channels_of(unit) for unit in range(len(of.templates))]
        inputs.shared["on_channels"] = [
            (upsampled(template[:, channels], factor, axis=0), everywhere[channels])
            for template, channels in zip(of.templates, own, strict=True)
        ]
    return [function(template, at) for template, at in inputs.shared["on_channels"]]


def _velocities(inputs: MetricInputs, **params: Any) -> Values:
    settings = _settings(inputs)
    fs_up = inputs.spikes.sampling_frequency * settings["upsampling_factor"]
    direction = settings["depth_direction"]
    found = _on_channels(
        inputs, lambda t, at: velocity_fit(t, at, fs_up, depth_direction=direction, **params)
    )
    above, below = np.reshape(found, (-1, 2)).T
    return {"velocity_above": above, "velocity_below": below}


def _exp_decays(inputs: MetricInputs, **params: Any) -> Values:
    return {"exp_decay": np.array(_on_channels(inputs, lambda t, at: exp_decay(t, at, **params)))}


def _spreads(inputs: MetricInputs, **params: Any) -> Values:
    direction = _settings(inputs)["depth_direction"]
    found = _on_channels(inputs, lambda t, at: spread(t, at, depth_direction=direction, **params))
    return {"spread": np.array(found)}


def _metric(
    name: str,
    columns: Mapping[str, Column],
    compute: Callable[..., Values],
    params: Mapping[str, Any] | None = None,
    **options: Any,
) -> Metric:
    return Metric(
        name=name,
        family="template",
        columns=columns,
        compute=compute,
        params=params or {},
        depend_on=("templates",),
        **options,
    )


def _seconds(description: str) -> Column:
    return Column(dtype=float, unit="s", description=description)


_MAIN_CHANNEL_METRICS = (
    _metric(
        "peak_to_trough_duration",
        {"peak_to_trough_duration": _seconds("Time from trough to the peak after it.")},
        _column("peak_to_trough_duration", peak_to_trough_durations),
        deprecated_names=("peak_to_valley",),
    ),
    _metric(
        "half_width",
        {
            "trough_half_width": _seconds("Time of the trough beyond half of its value."),
            "peak_half_width": _seconds("Time of the larger peak beyond half of its value."),
        },
        _columns(half_widths),
    ),
    _metric(
        "repolarization_slope",
        {
            "repolarization_slope": Column(
                dtype=float, unit="uV/s", description="Slope from the trough to zero."
            )
        },
        _column("repolarization_slope", repolarization_slopes),
    ),
    _metric(
        "recovery_slope",
        {
            "recovery_slope": Column(
                dtype=float, unit="uV/s", description="Slope after the peak behind the trough."
            )
        },
        _column("recovery_slope", recovery_slopes),
        {"recovery_window_ms": 0.7},
    ),
    _metric(
        "number_of_peaks",
        {
            "num_positive_peaks": Column(dtype=int, description="Number of peaks."),
            "num_negative_peaks": Column(dtype=int, description="Number of troughs."),
        },
        _columns(number_of_peaks),
        deprecated_names=("num_positive_peaks", "num_negative_peaks"),
    ),
    _metric(
        "main_to_next_extremum_duration",
        {
            "main_to_next_extremum_duration": _seconds(
                "Time between the largest extremum and its next."
            )
        },
        _column("main_to_next_extremum_duration", main_to_next_extremum_durations),
    ),
    _metric(
        "waveform_ratios",
        {
            name: Column(dtype=float, description=f"Height of {one} over that of {other}.")
            for name, one, other in (
                ("peak_before_to_trough_ratio", "the peak before the trough", "the trough"),
                ("peak_after_to_trough_ratio", "the peak after the trough", "the trough"),
                ("peak_before_to_peak_after_ratio", "the peak before", "the peak after"),
                ("main_peak_to_trough_ratio", "the larger peak", "the trough"),
            )
        },
        _columns(waveform_ratios),
        deprecated_names=("peak_trough_ratio",),
    ),
    _metric(
        "waveform_widths",
        {
            "trough_width": _seconds("Width of the trough at half of its prominence."),
            "peak_before_width": _seconds("Width of the peak before it at half its prominence."),
            "peak_after_width": _seconds("Width of the peak after it at half its prominence."),
        },
        _columns(waveform_widths),
    ),
    _metric(
        "waveform_baseline_flatness",
        {
            "waveform_baseline_flatness": Column(
                dtype=float, description="Largest deviation of the baseline over that of all."
            )
        },
        _column("waveform_baseline_flatness", waveform_baseline_flatness),
        {"baseline_window_ms": (0.0, 0.5)},
    ),
)

_SPACE_METRICS = (
    _metric(
        "velocity_fits",
        {
            f"velocity_{side}": Column(
                dtype=float, unit="um/ms", description=f"Velocity {side} the main channel."
            )
            for side in ("above", "below")
        },
        _velocities,
        {"min_channels": 3, "min_r2": 0.2, "column_range": None},
        is_default=False,
        is_multi_channel=True,
        deprecated_names=("velocity_above", "velocity_below"),
    ),
    _metric(
        "exp_decay",
        {
            "exp_decay": Column(
                dtype=float, unit="1/um", description="Decay of amplitudes in space."
            )
        },
        _exp_decays,
        {
            "peak_function": "ptp",
            "min_r2": 0.2,
            "linear_fit": False,
            "channel_tolerance": None,
            "min_channels_for_fit": None,
            "num_channels_for_fit": None,
            "normalize_decay": False,
        },
        is_default=False,
        is_multi_channel=True,
    ),
    _metric(
        "spread",
        {"spread": Column(dtype=float, unit="um", description="Length over which it is seen.")},
        _spreads,
        {"spread_threshold": 0.2, "spread_smooth_um": 20, "column_range": None},
        is_default=False,
        is_multi_channel=True,
    ),
)

TEMPLATE_METRICS = (*_MAIN_CHANNEL_METRICS, *_SPACE_METRICS)
"""All metrics of templates, in the order of the columns of a table."""
