"""Which channels each unit has: waveforms and templates on those alone, and back on all."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core import sparsity_masks as masks
from spikeloom.core.ids import IdIndex
from spikeloom.core.template_peaks import PeakMode, PeakSign, channel_amplitudes
from spikeloom.core.template_source import TemplateSource, template_source
from spikeloom.errors import ParameterError


class ChannelSparsity:
    """Which channels each unit has.

    Parameters
    ----------
    mask : array_like of shape (n_units, n_channels) and dtype bool
        Which channels a unit has.
    unit_ids : array_like of shape (n_units,)
    channel_ids : array_like of shape (n_channels,)

    Raises
    ------
    ParameterError
        If the mask does not fit the ids.

    Examples
    --------
    >>> sparsity = ChannelSparsity([[True, False, True]], ["a"], [10, 11, 12])
    >>> sparsity.unit_id_to_channel_ids
    {'a': array([10, 12])}
    >>> sparsity
    ChannelSparsity - units: 1 - channels: 3 - density, P(x=1): 0.67
    """

    def __init__(self, mask: ArrayLike, unit_ids: ArrayLike, channel_ids: ArrayLike) -> None:
        self.unit_ids: NDArray[Any] = np.asarray(unit_ids)
        self.channel_ids: NDArray[Any] = np.asarray(channel_ids)
        self.mask: NDArray[np.bool_] = np.asarray(mask, bool)
        if self.mask.shape != (self.unit_ids.size, self.channel_ids.size):
            msg = (
                f"A mask of shape {self.mask.shape} does not fit {self.unit_ids.size} units and "
                f"{self.channel_ids.size} channels."
            )
            raise ParameterError(msg)
        self._units = IdIndex(self.unit_ids, "unit id")

    @property
    def num_units(self) -> int:
        """Number of units."""
        return int(self.unit_ids.size)

    @property
    def num_channels(self) -> int:
        """Number of channels of the recording."""
        return int(self.channel_ids.size)

    @cached_property
    def max_num_active_channels(self) -> int:
        """Number of channels of the unit that has most."""
        return int(self.mask.sum(axis=1).max(initial=0))

    @cached_property
    def unit_id_to_channel_indices(self) -> dict[Any, NDArray[np.int64]]:
        """Positions of the channels of each unit, increasing."""
        rows = zip(self.unit_ids.tolist(), self.mask, strict=True)
        return {unit_id: np.flatnonzero(row) for unit_id, row in rows}

    @cached_property
    def unit_id_to_channel_ids(self) -> dict[Any, NDArray[Any]]:
        """Ids of the channels of each unit."""
        indices = self.unit_id_to_channel_indices
        return {unit_id: self.channel_ids[of_unit] for unit_id, of_unit in indices.items()}

    def __repr__(self) -> str:
        density = float(self.mask.mean()) if self.mask.size else 0.0
        return (
            f"ChannelSparsity - units: {self.num_units} - channels: {self.num_channels} - "
            f"density, P(x=1): {density:0.2f}"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChannelSparsity) and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("channel_ids", "unit_ids", "mask")
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, which can be changed

    # -- waveforms and templates -------------------------------------------------------------

    def _channels_of(self, unit_id: Any) -> NDArray[np.int64]:
        return np.flatnonzero(self.mask[self._units.position(unit_id)])

    def sparsify_waveforms(self, waveforms: NDArray[Any], unit_id: Any) -> NDArray[Any]:
        """Return waveforms of a unit on its own channels.

        Parameters
        ----------
        waveforms : ndarray of shape (..., n_samples, n_channels)
        unit_id : int or str

        Returns
        -------
        ndarray of shape (..., n_samples, n_channels_of_unit)

        Raises
        ------
        ParameterError
            If the unit is unknown, or waveforms are not on all channels.
        """
        self._require_dense(waveforms)
        sparse: NDArray[Any] = waveforms[..., self._channels_of(unit_id)]
        return sparse

    def densify_waveforms(self, waveforms: NDArray[Any], unit_id: Any) -> NDArray[Any]:
        """Return waveforms of a unit, which are on its own channels, on all; zero on the others.

        Parameters
        ----------
        waveforms : ndarray of shape (..., n_samples, n_channels_of_unit or more)
            More are padding, and zero.
        unit_id : int or str

        Returns
        -------
        ndarray of shape (..., n_samples, n_channels)

        Raises
        ------
        ParameterError
            If the unit is unknown, or waveforms are on other channels.
        """
        channels = self._channels_of(unit_id)
        if not self.are_waveforms_sparse(waveforms, unit_id):
            msg = (
                f"The unit {unit_id!r} has {channels.size} channels; waveforms of shape "
                f"{waveforms.shape} are not on those alone."
            )
            raise ParameterError(msg)
        dense = np.zeros((*waveforms.shape[:-1], self.num_channels), waveforms.dtype)
        dense[..., channels] = waveforms[..., : channels.size]
        return dense

    def are_waveforms_dense(self, waveforms: NDArray[Any]) -> bool:
        """Return whether waveforms have as many channels as the recording."""
        return bool(waveforms.shape[-1] == self.num_channels)

    def are_waveforms_sparse(self, waveforms: NDArray[Any], unit_id: Any) -> bool:
        """Return whether waveforms are on as many channels as a unit has, zero behind those."""
        n_channels = self._channels_of(unit_id).size
        if waveforms.shape[-1] < n_channels:
            return False
        return not bool(np.count_nonzero(waveforms[..., n_channels:]))

    def sparsify_templates(self, templates_array: NDArray[Any]) -> NDArray[Any]:
        """Return templates on the channels of their units, which come first; zero behind.

        Parameters
        ----------
        templates_array : ndarray of shape (n_units, n_samples, n_channels)

        Returns
        -------
        ndarray of shape (n_units, n_samples, max_num_active_channels)
        """
        self._require_units(templates_array)
        self._require_dense(templates_array)
        shape = (self.num_units, templates_array.shape[1], self.max_num_active_channels)
        sparse = np.zeros(shape, templates_array.dtype)
        for unit_index, row in enumerate(self.mask):
            sparse[unit_index, :, : int(row.sum())] = templates_array[unit_index][:, row]
        return sparse

    def densify_templates(self, templates_array: NDArray[Any]) -> NDArray[Any]:
        """Return templates on all channels, of those that are on the channels of their units."""
        self._require_units(templates_array)
        shape = (self.num_units, templates_array.shape[1], self.num_channels)
        dense = np.zeros(shape, templates_array.dtype)
        for unit_index, unit_id in enumerate(self.unit_ids.tolist()):
            dense[unit_index] = self.densify_waveforms(templates_array[unit_index], unit_id)
        return dense

    def _require_dense(self, values: NDArray[Any]) -> None:
        if values.shape[-1] != self.num_channels:
            msg = f"Values of shape {values.shape} are not on all {self.num_channels} channels."
            raise ParameterError(msg)

    def _require_units(self, templates_array: NDArray[Any]) -> None:
        if templates_array.ndim != 3 or templates_array.shape[0] != self.num_units:
            msg = (
                f"Templates of shape {templates_array.shape} are not (n_units, n_samples, "
                f"n_channels) with {self.num_units} units."
            )
            raise ParameterError(msg)

    # -- as a dictionary ---------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary that JSON can hold: channel ids of each unit, and all ids."""
        channels = self.unit_id_to_channel_ids
        return {
            "unit_id_to_channel_ids": {key: ids.tolist() for key, ids in channels.items()},
            "channel_ids": self.channel_ids.tolist(),
            "unit_ids": self.unit_ids.tolist(),
        }

    @classmethod
    def from_dict(cls, dictionary: Mapping[str, Any]) -> Self:
        """Make it of a dictionary of `to_dict`, in which JSON may have made text of unit ids."""
        by_unit = dictionary["unit_id_to_channel_ids"]
        unit_ids = np.asarray(dictionary["unit_ids"]).tolist()
        return cls.from_unit_id_to_channel_ids(
            {unit_id: by_unit.get(unit_id, by_unit.get(str(unit_id), ())) for unit_id in unit_ids},
            unit_ids,
            dictionary["channel_ids"],
        )

    @classmethod
    def from_unit_id_to_channel_ids(
        cls,
        unit_id_to_channel_ids: Mapping[Any, Iterable[Any]],
        unit_ids: ArrayLike,
        channel_ids: ArrayLike,
    ) -> Self:
        """Make it of the channel ids of each unit; raises ParameterError for unknown ids."""
        units, channels = np.asarray(unit_ids), np.asarray(channel_ids)
        unit_index, channel_index = IdIndex(units, "unit id"), IdIndex(channels, "channel id")
        mask = np.zeros((units.size, channels.size), bool)
        for unit_id, ids in unit_id_to_channel_ids.items():
            mask[unit_index.position(unit_id), channel_index.positions(ids)] = True
        return cls(mask, units, channels)

    @classmethod
    def create_dense(cls, sorting_analyzer: Any) -> Self:
        """Give every unit all channels; of anything with ``unit_ids`` and ``channel_ids``."""
        unit_ids, channel_ids = sorting_analyzer.unit_ids, sorting_analyzer.channel_ids
        return cls(np.ones((len(unit_ids), len(channel_ids)), bool), unit_ids, channel_ids)

    # -- by what units look like -------------------------------------------------------------

    @classmethod
    def from_best_channels(
        cls,
        templates_or_sorting_analyzer: Any,
        num_channels: int,
        peak_sign: PeakSign | None = None,
        amplitude_mode: PeakMode | None = None,
    ) -> Self:
        """Take the `num_channels` channels with the largest amplitudes."""
        source = template_source(templates_or_sorting_analyzer)
        amplitudes = _amplitudes(source, peak_sign, amplitude_mode)
        mask = masks.best_mask(amplitudes, num_channels)
        return cls(mask, source.unit_ids, source.channel_ids)

    @classmethod
    def from_closest_channels(
        cls,
        templates_or_sorting_analyzer: Any,
        num_channels: int,
        peak_sign: PeakSign | None = None,
        peak_mode: PeakMode | None = None,
    ) -> Self:
        """Take the `num_channels` channels closest to the main channel, and itself among them."""
        source = template_source(templates_or_sorting_analyzer)
        locations_um = templates_or_sorting_analyzer.get_channel_locations()
        channels = source.main_channels(peak_sign, peak_mode)
        mask = masks.closest_mask(channels, locations_um, num_channels)
        return cls(mask, source.unit_ids, source.channel_ids)

    @classmethod
    def from_radius(
        cls,
        templates_or_sorting_analyzer: Any,
        radius_um: float,
        peak_sign: PeakSign | None = None,
        peak_mode: PeakMode | None = None,
    ) -> Self:
        """Take the channels within `radius_um` micrometres around the main channel."""
        given = templates_or_sorting_analyzer
        known = getattr(given, "main_channel_indices", None)
        if known is None or peak_sign is not None or peak_mode is not None:
            known = template_source(given).main_channels(peak_sign, peak_mode)
        return cls.from_radius_and_main_channel(
            given.unit_ids, given.channel_ids, known, given.get_channel_locations(), radius_um
        )

    @classmethod
    def from_radius_and_main_channel(
        cls,
        unit_ids: ArrayLike,
        channel_ids: ArrayLike,
        main_channel_indices: ArrayLike,
        channel_locations: ArrayLike,
        radius_um: float,
    ) -> Self:
        """Take the channels within `radius_um` micrometres around the main channels given.

        Parameters
        ----------
        unit_ids : array_like of shape (n_units,)
        channel_ids : array_like of shape (n_channels,)
        main_channel_indices : array_like of shape (n_units,)
            Positions of channels.
        channel_locations : array_like of shape (n_channels, 2 or 3)
            In micrometres.
        radius_um : float
        """
        channels = np.asarray(main_channel_indices, np.int64)
        mask = masks.radius_mask(channels, np.asarray(channel_locations, np.float64), radius_um)
        return cls(mask, unit_ids, channel_ids)

    @classmethod
    def from_snr(
        cls,
        templates_or_sorting_analyzer: Any,
        threshold: float,
        amplitude_mode: PeakMode | None = None,
        peak_sign: PeakSign | None = None,
        noise_levels: ArrayLike | None = None,
    ) -> Self:
        """Take the channels with an amplitude of `threshold` times their noise at least.

        Parameters
        ----------
        templates_or_sorting_analyzer : Templates or SortingAnalyzer
        threshold : float
        amplitude_mode, peak_sign : str, optional
            How amplitudes are measured.
        noise_levels : array_like of shape (n_channels,), optional
            In the unit of the templates; an analyzer may have them.
        """
        source = template_source(templates_or_sorting_analyzer)
        noise = _noise_levels(templates_or_sorting_analyzer, noise_levels)
        amplitudes = _amplitudes(source, peak_sign, amplitude_mode)
        mask = masks.threshold_mask(amplitudes, threshold, noise)
        return cls(mask, source.unit_ids, source.channel_ids)

    @classmethod
    def from_ptp(
        cls,
        templates_or_sorting_analyzer: Any,
        threshold: float,
        noise_levels: ArrayLike | None = None,
    ) -> Self:
        """Take channels by the range of their templates, in units of noise; older name."""
        return cls.from_snr(
            templates_or_sorting_analyzer, threshold, "peak_to_peak", noise_levels=noise_levels
        )

    @classmethod
    def from_amplitude(
        cls,
        templates_or_sorting_analyzer: Any,
        threshold: float,
        amplitude_mode: PeakMode | None = None,
        peak_sign: PeakSign | None = None,
    ) -> Self:
        """Take the channels with an amplitude of `threshold` microvolts at least."""
        source = template_source(templates_or_sorting_analyzer)
        if not source.is_in_uV:
            msg = "The templates are not in microvolts, which this threshold is in; use 'snr'."
            raise ParameterError(msg)
        amplitudes = _amplitudes(source, peak_sign, amplitude_mode)
        mask = masks.threshold_mask(amplitudes, threshold)
        return cls(mask, source.unit_ids, source.channel_ids)

    @classmethod
    def from_energy(cls, sorting_analyzer: Any, threshold: float) -> Self:
        """Take the channels whose waveforms have `threshold` times the energy of noise at least.

        The analyzer needs waveforms and noise levels, which were computed with it.
        """
        noise = _noise_levels(sorting_analyzer, None)
        waveforms = sorting_analyzer.get_extension("waveforms")
        if waveforms is None:
            msg = "The method 'energy' needs waveforms: call analyzer.compute('waveforms') first."
            raise ParameterError(msg)
        unit_ids, channel_ids = sorting_analyzer.unit_ids, sorting_analyzer.channel_ids
        mask = np.zeros((len(unit_ids), len(channel_ids)), bool)
        for unit_index, unit_id in enumerate(unit_ids):
            of_unit = waveforms.get_waveforms_one_unit(unit_id, force_dense=True)
            if len(of_unit):
                n_values = of_unit.shape[0] * of_unit.shape[1]
                energies = np.linalg.norm(of_unit, axis=(0, 1)) / np.sqrt(n_values)
                mask[unit_index] = masks.threshold_mask(energies[np.newaxis], threshold, noise)[0]
        return cls(mask, unit_ids, channel_ids)

    @classmethod
    def from_property(cls, sorting: Any, recording: Any, by_property: str) -> Self:
        """Give each unit the channels with the same value of a property, such as ``"group"``.

        Raises
        ------
        ParameterError
            If one of the two does not have the property, or a unit has a value of no channel.
        """
        of_units = sorting.get_property(by_property)
        of_channels = recording.get_property(by_property)
        if of_units is None or of_channels is None:
            lacking = "sorting" if of_units is None else "recording"
            msg = f"The {lacking} has no property {by_property!r}; set it first."
            raise ParameterError(msg)
        mask = np.asarray(of_units)[:, np.newaxis] == np.asarray(of_channels)[np.newaxis]
        alone = np.flatnonzero(~mask.any(axis=1))
        if alone.size:
            msg = f"No channel has the {by_property} {of_units[alone[0]]!r}, which a unit has."
            raise ParameterError(msg)
        return cls(mask, sorting.unit_ids, recording.channel_ids)


def _amplitudes(
    source: TemplateSource, peak_sign: PeakSign | None, mode: PeakMode | None
) -> NDArray[np.floating]:
    sign, chosen = source.peak(peak_sign, mode)
    amplitudes = channel_amplitudes(source.templates, source.nbefore, sign, chosen)
    return np.asarray(np.abs(amplitudes))


def _noise_levels(given: Any, noise_levels: ArrayLike | None) -> NDArray[np.floating]:
    """Return noise levels that were given, or those of an analyzer."""
    if noise_levels is not None:
        return np.asarray(noise_levels, np.float64)
    analyzer = getattr(given, "sorting_analyzer", given)
    get_extension = getattr(analyzer, "get_extension", None)
    extension = None if get_extension is None else get_extension("noise_levels")
    if extension is None:
        msg = (
            "This needs noise levels: give noise_levels=get_noise_levels(recording), or call "
            "analyzer.compute('noise_levels') first."
        )
        raise ParameterError(msg)
    return np.asarray(extension.data["noise_levels"], np.float64)
