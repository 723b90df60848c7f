"""Where units are, from their templates."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.unit_extension import BaseUnitExtension
from spikeloom.analyzer.unit_rows import places_of, rows_after
from spikeloom.core.class_names import stored_as
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.template_source import TemplateSource, template_source
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.localization import (
    centers_of_mass,
    channel_features,
    gaussian_prototype,
    grid_locations,
    location_grid,
)
from spikeloom.postprocessing.triangulation import Optimizer, triangulate_monopoles

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

Locations = NDArray[np.float64]


@register_result_extension
@stored_as("spikeinterface.postprocessing.unit_locations.ComputeUnitLocations")
class ComputeUnitLocations(BaseUnitExtension):
    """Positions of units in micrometres.

    Parameters
    ----------
    method : str, default "monopolar_triangulation"
        Or "center_of_mass", "grid_convolution", "max_channel".
    **method_kwargs
        Parameters of `compute_monopolar_triangulation`, `compute_center_of_mass` or
        `compute_grid_convolution`.

    Returns
    -------
    unit_locations : ndarray of shape (n_units, 2, 3 or 4) and dtype float64
        x and y; z, the distance to the probe, but for the center of mass; alpha if asked for.
    """

    extension_name: ClassVar[str] = "unit_locations"
    depend_on: ClassVar[list[str]] = ["templates"]
    need_backward_compatibility_on_load: ClassVar[bool] = True

    def _handle_backward_compatibility_on_load(self) -> None:
        if self.params is not None and "method_kwargs" in self.params:
            self.params.update(self.params.pop("method_kwargs") or {})

    def _set_params(
        self, method: str = "monopolar_triangulation", **method_kwargs: Any
    ) -> dict[str, Any]:
        _function(method)
        return {"method": method, **method_kwargs}

    def _located(
        self, analyzer: "SortingAnalyzer", unit_ids: Sequence[Any] | None = None
    ) -> Locations:
        options = dict(self.params or self.get_default_params())
        locate = _function(options.pop("method"))
        try:
            return locate(analyzer, unit_ids=unit_ids, **options)
        except TypeError as error:
            if "unexpected keyword" not in str(error):
                raise
            raise ParameterError(str(error)) from error

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002
        self.data["unit_locations"] = self._located(self.sorting_analyzer)

    def _get_data(self, outputs: Literal["numpy", "by_unit"] = "numpy") -> Any:
        locations = self.data["unit_locations"]
        if outputs == "numpy":
            return locations
        if outputs != "by_unit":
            msg = f"outputs must be 'numpy' or 'by_unit'; got {outputs!r}."
            raise ParameterError(msg)
        return dict(zip(self.sorting_analyzer.unit_ids.tolist(), locations, strict=True))

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        places = places_of(self.sorting_analyzer.sorting, unit_ids)
        return {"unit_locations": np.asarray(self.data["unit_locations"])[places]}

    def _for_new_units(self, analyzer: "SortingAnalyzer", new_ids: Sequence[Any]) -> dict[str, Any]:
        old, new = self.sorting_analyzer.sorting, analyzer.sorting
        located = self._located(analyzer, new_ids)
        return {
            "unit_locations": rows_after(self.data["unit_locations"], located, old, new, new_ids)
        }


compute_unit_locations = ComputeUnitLocations.function_factory()


def compute_monopolar_triangulation(
    sorting_analyzer_or_templates: Any,
    unit_ids: Sequence[Any] | None = None,
    optimizer: Optimizer = "least_square",
    radius_um: float = 75,
    max_distance_um: float = 1000,
    return_alpha: bool = False,
    enforce_decrease: bool = False,  # noqa: ARG001 - SpikeInterface's, without effect there
    feature: str = "ptp",
    peak_sign: Any = None,
    peak_mode: Any = None,
) -> Locations:
    """Return where units are if their strength falls off with one over the distance [1]_.

    Parameters
    ----------
    sorting_analyzer_or_templates : SortingAnalyzer or Templates
        With a probe.
    unit_ids : list, optional
        Units; all by default.
    optimizer : {"least_square", "minimize_with_log_penality"}, default "least_square"
        See `spikeloom.postprocessing.triangulation`.
    radius_um : float, default 75
        Channels that are used, around the main channel; those of the unit where it has its own.
    max_distance_um : float, default 1000
        How far a unit may be from the center of mass, along each axis of the probe.
    return_alpha : bool, default False
        Also return the strength.
    enforce_decrease : bool, default False
        Has no effect.
    feature : {"ptp", "energy", "peak_voltage"}, default "ptp"
        What stands for the strength at a channel.
    peak_sign, peak_mode
        By which main channels of Templates are found; an analyzer knows them.

    Returns
    -------
    ndarray of shape (n_units, 3) or (n_units, 4) and dtype float64
        x, y and z in micrometres (and alpha); nan for units without strength.

    Raises
    ------
    ParameterError
        If an option is unknown, or there are no templates or positions of channels.

    References
    ----------
    .. [1] Boussard et al. Three-dimensional spike localization and improved motion correction for
       Neuropixels recordings. NeurIPS 34, 2021.
    """
    if feature == "mean":
        msg = "feature must be one of ptp, energy, peak_voltage; got 'mean'."
        raise ParameterError(msg)
    source, places = _source(sorting_analyzer_or_templates, unit_ids)
    mask = _channels(
        sorting_analyzer_or_templates, source, radius_um, peak_sign=peak_sign, peak_mode=peak_mode
    )
    features = channel_features(source.templates[places], feature, source.nbefore, absolute=True)
    found = triangulate_monopoles(
        features,
        sorting_analyzer_or_templates.get_channel_locations(),
        mask[places],
        max_distance_um=max_distance_um,
        optimizer=optimizer,
    )
    return found if return_alpha else found[:, :3]


def compute_center_of_mass(
    sorting_analyzer_or_templates: Any,
    unit_ids: Sequence[Any] | None = None,
    peak_sign: Any = "neg",
    radius_um: float = 75,
    feature: str = "ptp",
) -> Locations:
    """Return the average position of channels, weighted by how strong units are there.

    Parameters
    ----------
    sorting_analyzer_or_templates : SortingAnalyzer or Templates
        With a probe.
    unit_ids : list, optional
        Units; all by default.
    peak_sign : {"neg", "pos", "both"}, default "neg"
        By which main channels of Templates are found; an analyzer knows them.
    radius_um : float, default 75
        Channels that are used, around the main channel; those of the unit where it has its own.
    feature : {"ptp", "mean", "energy", "peak_voltage"}, default "ptp"
        What stands for the strength at a channel.

    Returns
    -------
    ndarray of shape (n_units, 2) and dtype float64
        x and y in micrometres.

    Raises
    ------
    ParameterError
        If an option is unknown, or there are no templates or positions of channels.
    """
    source, places = _source(sorting_analyzer_or_templates, unit_ids)
    mask = _channels(sorting_analyzer_or_templates, source, radius_um, peak_sign=peak_sign)
    features = channel_features(source.templates[places], feature, source.nbefore)
    locations = sorting_analyzer_or_templates.get_channel_locations()
    return centers_of_mass(features, locations, mask[places])


def compute_grid_convolution(
    sorting_analyzer_or_templates: Any,
    unit_ids: Sequence[Any] | None = None,
    invert_prototype_waveform: bool = True,
    radius_um: float = 40.0,
    upsampling_um: float = 5,
    sigma_ms: float = 0.25,
    margin_um: float = 50,
    prototype: NDArray[np.floating] | None = None,
    percentile: float = 5,
    weight_method: Mapping[str, Any] | None = None,
) -> Locations:
    """Return the positions of the made-up sources that are most like units, averaged.

    Parameters
    ----------
    sorting_analyzer_or_templates : SortingAnalyzer or Templates
        With a probe.
    unit_ids : list, optional
        Units; all by default.
    invert_prototype_waveform : bool, default True
        Whether the waveform of made-up sources is negative, where none is given.
    radius_um, upsampling_um, margin_um, weight_method
        See `spikeloom.postprocessing.localization.location_grid`.
    sigma_ms : float, default 0.25
        Width of the waveform of made-up sources.
    prototype : ndarray of shape (n_samples,), optional
        That waveform.
    percentile : float, default 5
        How many sources are averaged, the best ones, in percent.

    Returns
    -------
    ndarray of shape (n_units, 3) and dtype float64
        x, y and z in micrometres.

    Raises
    ------
    ParameterError
        If an option is unknown, or there are no templates or positions of channels.
    """
    given = sorting_analyzer_or_templates
    source, places = _source(given, unit_ids)
    grid = location_grid(
        given.get_channel_locations(), radius_um, upsampling_um, margin_um, weight_method
    )
    if prototype is None:
        prototype = gaussian_prototype(
            source.nbefore,
            source.templates.shape[1] - source.nbefore,
            given.sampling_frequency,
            sigma_ms,
            negative=invert_prototype_waveform,
        )
    main_channels = source.main_channels()[places]
    return grid_locations(source.templates[places], main_channels, grid, prototype, percentile)


def compute_location_max_channel(
    templates_or_sorting_analyzer: Any, unit_ids: Sequence[Any] | None = None
) -> Locations:
    """Return the positions of the main channels of units, shape (n_units, 2)."""
    source, places = _source(templates_or_sorting_analyzer, unit_ids)
    locations = np.asarray(templates_or_sorting_analyzer.get_channel_locations(), np.float64)
    found: Locations = locations[source.main_channels()[places], :2]
    return found


_METHODS: dict[str, Callable[..., Locations]] = {
    "center_of_mass": compute_center_of_mass,
    "grid_convolution": compute_grid_convolution,
    "monopolar_triangulation": compute_monopolar_triangulation,
    "max_channel": compute_location_max_channel,
}


def _function(method: str) -> Callable[..., Locations]:
    if method not in _METHODS:
        msg = f"method must be one of {', '.join(_METHODS)}; got {method!r}."
        raise ParameterError(msg)
    return _METHODS[method]


def _source(given: Any, unit_ids: Sequence[Any] | None) -> tuple[TemplateSource, NDArray[np.int64]]:
    """Return templates, and the places of the units that are asked for."""
    source = template_source(given)
    ids = source.unit_ids.tolist()
    if unit_ids is None:
        return source, np.arange(len(ids))
    wanted = np.asarray(unit_ids).tolist()
    unknown = [unit_id for unit_id in wanted if unit_id not in ids]
    if unknown:
        msg = f"There are no templates of the units {unknown[:8]}."
        raise ParameterError(msg)
    return source, np.array([ids.index(unit_id) for unit_id in wanted], np.int64)


def _channels(
    given: Any,
    source: TemplateSource,
    radius_um: float,
    *,
    peak_sign: Any = None,
    peak_mode: Any = None,
) -> NDArray[np.bool_]:
    """Return the channels of each unit, shape (n_units, n_channels)."""
    sparsity: ChannelSparsity | None = given.sparsity
    if sparsity is not None:
        return sparsity.mask
    if not len(source.unit_ids):
        return np.zeros((0, len(source.channel_ids)), bool)
    channels = source.known_main_channels
    if channels is None:
        channels = source.main_channels(peak_sign, peak_mode)
    return ChannelSparsity.from_radius_and_main_channel(
        source.unit_ids,
        source.channel_ids,
        channels,
        given.get_channel_locations(),
        radius_um,
    ).mask
