"""The extension ``spike_locations``: where each spike comes from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.spike_values import BaseSpikeVectorExtension, SpikeWork
from spikeloom.core.channel_geometry import distances_between
from spikeloom.core.class_names import stored_as
from spikeloom.core.unit_conversion import ms_to_samples
from spikeloom.core.waveform_extraction import extract_waveforms_to_single_buffer
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.localization import (
    FEATURES,
    LOCATION_DTYPES,
    gaussian_prototype,
    location_grid,
)
from spikeloom.postprocessing.spike_locators import (
    FeatureLocator,
    GridLocator,
    Locator,
    MainChannels,
    MonopoleLocator,
    neighbours,
)

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

Method = Literal["center_of_mass", "grid_convolution", "monopolar_triangulation", "peak_channel"]
"""How spikes are placed."""

_METHOD_DEFAULTS: dict[str, dict[str, Any]] = {
    "center_of_mass": {"radius_um": 75.0, "feature": "ptp"},
    "monopolar_triangulation": {
        "radius_um": 75.0,
        "max_distance_um": 150.0,
        "optimizer": "minimize_with_log_penality",
        "enforce_decrease": True,
        "feature": "ptp",
    },
    "grid_convolution": {
        "radius_um": 40.0,
        "upsampling_um": 5.0,
        "sigma_ms": 0.25,
        "margin_um": 50.0,
        "prototype": None,
        "percentile": 5.0,
        "peak_sign": "neg",
        "weight_method": {},
        "n_peaks": 5000,
    },
    "peak_channel": {},
}

_RETRIEVER_DEFAULTS = {"channel_from_template": True, "radius_um": 50.0, "peak_sign": "neg"}
_SIGNS = {"neg": -1, "pos": 1, "both": 0}


@register_result_extension
@stored_as("spikeinterface.postprocessing.spike_locations.ComputeSpikeLocations")
class ComputeSpikeLocations(BaseSpikeVectorExtension):
    """Where each spike comes from, in micrometres on the probe.

    Parameters
    ----------
    ms_before, ms_after : float, default 0.5
        Milliseconds before a spike and from it on that are looked at.
    spike_retriever_kwargs : dict, optional
        ``channel_from_template`` (default True): look at spikes from the main channel of their
        unit; else from the strongest channel within ``radius_um`` (50) around it, by ``peak_sign``
        ("neg").
    method : str, default "center_of_mass"
        "center_of_mass", "monopolar_triangulation", "grid_convolution" or "peak_channel".
    method_kwargs : dict, optional
        For "center_of_mass": ``radius_um`` (75) and ``feature`` ("ptp", "mean", "energy" or
        "peak_voltage"). For "monopolar_triangulation": these, ``max_distance_um`` (150),
        ``optimizer`` ("minimize_with_log_penality" or "least_square") and ``enforce_decrease``
        (True). For "grid_convolution": ``radius_um`` (40), ``upsampling_um`` (5), ``margin_um``
        (50), ``percentile`` (5), ``weight_method``, and ``prototype``, which is made of ``n_peaks``
        (5000) spikes if it is not given, and a bell of ``sigma_ms`` (0.25) if it is None.
    seed : int, optional
        Of the choice of spikes for the prototype.

    Notes
    -----
    The data ``spike_locations`` are of shape (n_spikes,), with float32 fields x and y, z for the
    last two methods, and alpha for the triangulation. Traces are scaled as the analyzer's are, so
    that channels of different gains count alike. What cannot be placed is nan, with the grid zero.
    """

    extension_name = "spike_locations"
    depend_on = ["templates"]  # noqa: RUF012 - as SpikeInterface's classes have it
    is_by_unit = True
    nodepipeline_variables = ["spike_locations"]  # noqa: RUF012
    need_backward_compatibility_on_load = True

    def _set_params(
        self,
        ms_before: float = 0.5,
        ms_after: float = 0.5,
        spike_retriever_kwargs: Mapping[str, Any] | None = None,
        method: Method = "center_of_mass",
        method_kwargs: Mapping[str, Any] | None = None,
        seed: int | None = None,
    ) -> dict[str, Any]:
        if method not in _METHOD_DEFAULTS:
            msg = f"method must be one of {', '.join(_METHOD_DEFAULTS)}; got {method!r}."
            raise ParameterError(msg)
        given, retriever = dict(method_kwargs or {}), dict(spike_retriever_kwargs or {})
        _check_names(given, _METHOD_DEFAULTS[method], f"The method {method!r}")
        _check_names(retriever, _RETRIEVER_DEFAULTS, "spike_retriever_kwargs")
        return {
            "ms_before": ms_before,
            "ms_after": ms_after,
            "spike_retriever_kwargs": retriever,
            "method": method,
            "method_kwargs": given,
            "seed": seed,
        }

    def _handle_backward_compatibility_on_load(self) -> None:
        params = self.params if self.params is not None else {}
        if "spike_retriver_kwargs" in params:
            params["spike_retriever_kwargs"] = params.pop("spike_retriver_kwargs")
            params["spike_retriever_kwargs"].pop("peak_sign", None)

    def _get_spike_work(self) -> tuple[SpikeWork, Sequence[DTypeLike]]:
        analyzer, params = self.sorting_analyzer, self.params or {}
        method = params["method"]
        options = {**_METHOD_DEFAULTS[method], **params["method_kwargs"]}
        locations = np.asarray(analyzer.get_channel_locations(), np.float64)[:, :2]
        locations = np.ascontiguousarray(locations)
        distances = distances_between(locations)
        fs = analyzer.sampling_frequency
        window = (ms_to_samples(params["ms_before"], fs), ms_to_samples(params["ms_after"], fs))
        given = (self._main_channels(distances), locations, window)
        locator: Locator
        if method == "grid_convolution":
            if not 0 <= options["percentile"] <= 100:
                msg = f"percentile must be in [0, 100]; got {options['percentile']}."
                raise ParameterError(msg)
            keys = ("radius_um", "upsampling_um", "margin_um", "weight_method")
            grid = location_grid(locations, **{key: options[key] for key in keys})
            shape = self._prototype(window, options)
            percentile = float(options["percentile"])
            locator = GridLocator(*given, grid=grid, prototype=shape, percentile=percentile)
        elif method == "peak_channel":
            locator = Locator(*given)
        else:
            feature, around = options["feature"], neighbours(distances <= options["radius_um"])
            allowed = FEATURES if method == "center_of_mass" else ("ptp", "energy", "peak_voltage")
            if feature not in allowed:
                msg = f"feature must be one of {', '.join(allowed)}; got {feature!r}."
                raise ParameterError(msg)
            if method == "center_of_mass":
                locator = FeatureLocator(*given, around=around, feature=feature)
            else:
                locator = MonopoleLocator(
                    *given,
                    around=around,
                    feature=feature,
                    max_distance_um=float(options["max_distance_um"]),
                    optimizer=options["optimizer"],
                    is_decreasing=bool(options["enforce_decrease"]),
                )
        return locator, [np.dtype(LOCATION_DTYPES[method])]

    def _main_channels(self, distances: NDArray[np.float64]) -> MainChannels:
        analyzer = self.sorting_analyzer
        options = {**_RETRIEVER_DEFAULTS, **(self.params or {})["spike_retriever_kwargs"]}
        channels = np.asarray(analyzer.main_channel_indices, np.int64)
        if options["channel_from_template"]:
            return MainChannels(channels)
        sign = _SIGNS.get(str(options["peak_sign"]))
        if sign is None:
            msg = f"peak_sign must be one of {', '.join(_SIGNS)}; got {options['peak_sign']!r}."
            raise ParameterError(msg)
        return MainChannels(channels, neighbours(distances <= options["radius_um"]), sign)

    def _prototype(
        self, window: tuple[int, int], options: Mapping[str, Any]
    ) -> NDArray[np.float64]:
        analyzer, params = self.sorting_analyzer, self.params or {}
        given = options["prototype"]
        if "prototype" not in params["method_kwargs"] and analyzer.sorting.spike_table().n_spikes:
            shape = spike_prototype(analyzer, window, options["n_peaks"], params["seed"])
            if np.isfinite(shape).all():
                return shape
        if given is None:
            is_negative = options["peak_sign"] == "neg"
            fs = analyzer.sampling_frequency
            return gaussian_prototype(*window, fs, options["sigma_ms"], negative=is_negative)
        shape = np.asarray(given, np.float64).reshape(-1)
        if shape.size != sum(window):
            msg = f"The prototype has {shape.size} samples; the window has {sum(window)}."
            raise ParameterError(msg)
        return shape


def spike_prototype(
    analyzer: "SortingAnalyzer", window: tuple[int, int], n_peaks: int, seed: int | None
) -> NDArray[np.float64]:
    """Return the median of some spikes on their main channels, each over its size at the spike.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        Whose spikes.
    window : tuple of int
        Samples before a spike, and from it on.
    n_peaks : int
        How many spikes are chosen, at most; those at the ends of a segment do not count.
    seed : int or None
        Of the choice.

    Returns
    -------
    ndarray of shape (n_window,)
    """
    spikes = analyzer.sorting.to_spike_vector()
    n_chosen = min(len(spikes), n_peaks)
    chosen = np.random.default_rng(seed).choice(len(spikes), size=n_chosen, replace=False)
    spikes = spikes[np.sort(chosen)]
    ends = np.asarray(analyzer.recording_info.n_samples)[spikes["segment_index"]]
    samples = spikes["sample_index"]
    spikes = spikes[(samples > window[0]) & (samples < ends - window[1])]
    spikes["unit_index"] = np.asarray(analyzer.main_channel_indices)[spikes["unit_index"]]
    waveforms = extract_waveforms_to_single_buffer(
        analyzer.recording,
        spikes,
        *window,
        mode="shared_memory",
        return_in_uV=analyzer.return_in_uV,
        dtype=np.float32,
        sparsity_mask=np.eye(analyzer.get_num_channels(), dtype=bool),
        progress_bar=False,
    )[:, :, 0]
    sizes = np.abs(waveforms[:, window[0]])
    relative = waveforms[sizes > 0] / sizes[sizes > 0, np.newaxis]
    if not len(relative):
        return np.full(sum(window), np.nan)
    return np.asarray(np.median(relative, axis=0), np.float64)


def _check_names(given: Mapping[str, Any], known: Mapping[str, Any], what: str) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        msg = f"{what} takes no {', '.join(unknown)}, but {', '.join(known) or 'nothing'}."
        raise ParameterError(msg)


compute_spike_locations = ComputeSpikeLocations.function_factory()
