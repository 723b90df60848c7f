"""What recordings and snippets have in common: channels, their gains, groups and probe."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core import probes
from spikeloom.core.base import BaseExtractor
from spikeloom.core.channel_numbers import as_channel_numbers, check_stored_numbers
from spikeloom.core.ids import Indices
from spikeloom.core.sampling_frequency import checked_sampling_frequency
from spikeloom.errors import DataError, ParameterError
from spikeloom.storage.json_fields import as_object

if TYPE_CHECKING:
    from probeinterface import Probe, ProbeGroup

GroupMode = Literal["auto", "by_probe", "by_shank", "by_side"]


class BaseRecordingSnippets(BaseExtractor):
    """Channels with a sampling frequency, a number type, gains, offsets, groups and a probe.

    Parameters
    ----------
    sampling_frequency : float
        In Hz.
    channel_ids : array_like of shape (n_channels,)
        Whole numbers or strings.
    dtype : dtype
        Of the traces.
    """

    _id_kind: ClassVar[str] = "channel id"

    def __init__(self, sampling_frequency: float, channel_ids: ArrayLike, dtype: DTypeLike) -> None:
        super().__init__(channel_ids)
        self._sampling_frequency = checked_sampling_frequency(sampling_frequency)
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        self._probegroup: ProbeGroup | None = None

    @property
    def channel_ids(self) -> NDArray[Any]:
        """Ids of the channels; shape (n_channels,)."""
        return self._main_ids

    @property
    def sampling_frequency(self) -> float:
        """Samples per second, in Hz."""
        return self._sampling_frequency

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type of the traces."""
        return self._dtype

    def get_sampling_frequency(self) -> float:
        """Return the samples per second, in Hz."""
        return self._sampling_frequency

    def get_channel_ids(self) -> NDArray[Any]:
        """Return the ids of the channels; shape (n_channels,)."""
        return self._main_ids

    def get_num_channels(self) -> int:
        """Return the number of channels."""
        return len(self._main_ids)

    def get_dtype(self) -> np.dtype[Any]:
        """Return the number type of the traces."""
        return self._dtype

    def is_filtered(self) -> bool:
        """Return whether the traces are said to be filtered already (an annotation)."""
        return bool(self._annotations.get("is_filtered", False))

    # -- gains and groups --------------------------------------------------------------------

    def has_scaleable_traces(self) -> bool:
        """Return whether gains and offsets are known, so that traces can be had in microvolts."""
        return "gain_to_uV" in self._properties and "offset_to_uV" in self._properties

    def has_scaled(self) -> bool:
        """Return whether gains and offsets are known; older name of `has_scaleable_traces`."""
        return self.has_scaleable_traces()

    def has_scaled_traces(self) -> bool:
        """Return whether gains and offsets are known; older name of `has_scaleable_traces`."""
        return self.has_scaleable_traces()

    def _in_uV(self, values: NDArray[Any], indices: Indices) -> NDArray[Any]:
        """Return values (…, n_channels) of chosen channels in microvolts."""
        if not self.has_scaleable_traces():
            if self._dtype.kind == "f":
                return values  # of unknown scale, but most likely microvolts already
            msg = (
                "return_in_uV=True is not possible: gains and offsets are not known. Set them "
                "with set_channel_gains(...) and set_channel_offsets(...)."
            )
            raise ParameterError(msg)
        gains = self._properties["gain_to_uV"][indices].astype(np.float32)
        offsets = self._properties["offset_to_uV"][indices].astype(np.float32)
        scaled = values.astype(np.float32, order="K")
        scaled *= gains
        if offsets.any():
            scaled += offsets
        return scaled

    def set_channel_gains(self, gains: ArrayLike, channel_ids: Iterable[Any] | None = None) -> None:
        """Set microvolts per step of the converter, for all channels or for some; one or many."""
        self._set_number_property("gain_to_uV", gains, channel_ids)

    def get_channel_gains(self, channel_ids: Iterable[Any] | None = None) -> NDArray[Any] | None:
        """Return microvolts per step of the converter, None if unknown; shape (n_channels,)."""
        return self.get_property("gain_to_uV", ids=channel_ids)

    def set_channel_offsets(
        self, offsets: ArrayLike, channel_ids: Iterable[Any] | None = None
    ) -> None:
        """Set the microvolts of step 0 of the converter, for all channels or for some."""
        self._set_number_property("offset_to_uV", offsets, channel_ids)

    def get_channel_offsets(self, channel_ids: Iterable[Any] | None = None) -> NDArray[Any] | None:
        """Return the microvolts of step 0, None if unknown; shape (n_channels,)."""
        return self.get_property("offset_to_uV", ids=channel_ids)

    def _set_number_property(
        self, key: str, values: ArrayLike, channel_ids: Iterable[Any] | None
    ) -> None:
        ids = None if channel_ids is None else list(channel_ids)
        n_values = self.get_num_channels() if ids is None else len(ids)
        numbers = as_channel_numbers(key, values)
        self.set_property(
            key, np.full(n_values, numbers) if numbers.ndim == 0 else numbers, ids=ids
        )

    def set_channel_groups(
        self, groups: ArrayLike, channel_ids: Iterable[Any] | None = None
    ) -> None:
        """Set the group of each channel (or of `channel_ids`; others that have none are in 0)."""
        if "probes" in self._annotations:
            self._annotations.pop("probes")
        missing = 0 if np.asarray(groups).dtype.kind in "iu" else None
        self.set_property("group", groups, ids=channel_ids, missing_value=missing)

    def get_channel_groups(self, channel_ids: Iterable[Any] | None = None) -> NDArray[Any] | None:
        """Return the group of each channel, None if there are no groups; shape (n_channels,)."""
        return self.get_property("group", ids=channel_ids)

    def clear_channel_groups(self, channel_ids: Iterable[Any] | None = None) -> None:
        """Put all channels, or some, into group 0."""
        n_channels = len(np.arange(self.get_num_channels())[self.ids_to_indices(channel_ids)])
        self.set_property("group", np.zeros(n_channels, np.int64), ids=channel_ids, missing_value=0)

    def get_channel_property(self, channel_id: Any, key: str) -> Any:
        """Return a property of one channel, None if there is none of this name."""
        values = self.get_property(key)
        return None if values is None else values[self.id_to_index(channel_id)]

    # -- probe -------------------------------------------------------------------------------

    def has_probe(self) -> bool:
        """Return whether a probe is set."""
        return self._probegroup is not None

    def has_3d_probe(self) -> bool:
        """Return whether a probe with positions in three dimensions is set."""
        return self._probegroup is not None and self._probegroup.ndim == 3

    def is_probe_3d(self) -> bool:
        """Return whether the positions of the probe have three dimensions."""
        return bool(self.get_probegroup().ndim == 3)

    def has_channel_location(self) -> bool:
        """Return whether the positions of the channels are known."""
        return self._probegroup is not None or "location" in self._properties

    def set_probe(
        self,
        probe: "Probe",
        group_mode: GroupMode = "auto",
        in_place: bool | None = None,
    ) -> Self:
        """Say which contact of a probe each channel is.

        Parameters
        ----------
        probe : Probe
            A wired probe of the probeinterface package: ``device_channel_indices`` are positions
            of channels, -1 where a contact is not recorded.
        group_mode : {"auto", "by_probe", "by_shank", "by_side"}
            What becomes the property ``group``.
        in_place : bool, optional
            True changes this object and False leaves it as it is. By default it is changed if the
            probe is wired to all of its channels; the result is this object or a new one.

        Returns
        -------
        BaseRecordingSnippets
            The object with the probe, and with the wired channels only.

        Raises
        ------
        ParameterError
            If the probe is not wired, or wired to channels that are not there; if `in_place` is
            True and some channels are not wired.
        """
        return self.set_probegroup(probe, group_mode=group_mode, in_place=in_place)

    def set_probes(
        self,
        probe_or_probegroup: Any,
        group_mode: GroupMode = "auto",
        in_place: bool | None = None,
    ) -> Self:
        """Set one or several probes; older name of `set_probegroup`."""
        return self.set_probegroup(probe_or_probegroup, group_mode=group_mode, in_place=in_place)

    def set_probegroup(
        self,
        probegroup: "ProbeGroup | Probe | list[Probe]",
        group_mode: GroupMode = "auto",
        in_place: bool | None = None,
        check_overlap: bool = True,
    ) -> Self:
        """Set several probes: see `set_probe`; `check_overlap` refuses probes within each other."""
        group = probes.as_probegroup(probegroup)
        if check_overlap:
            probes.check_probe_do_not_overlap(group.probes)
        wired, channels = probes.wired_to(group, self.get_num_channels())
        is_whole = channels.size == self.get_num_channels()
        if in_place and not is_whole:
            msg = (
                f"The probe is wired to {channels.size} of {self.get_num_channels()} channels, so "
                "the result has fewer channels and cannot be set in place. Use the result of "
                "set_probe(probe), or of select_channels_with_probe(probe)."
            )
            raise ParameterError(msg)
        if is_whole:
            target = self.clone() if in_place is False else self
        else:
            target = self.select_channels(self.channel_ids[channels])
        target._take_probegroup(wired, group_mode)
        return target

    def select_channels_with_probe(self, probe: "Probe", group_mode: GroupMode = "auto") -> Self:
        """Return the channels that a probe is wired to, with the probe; this object stays."""
        return self.set_probegroup(probe, group_mode=group_mode, in_place=False)

    def select_channels_with_probegroup(
        self, probegroup: "ProbeGroup", group_mode: GroupMode = "auto"
    ) -> Self:
        """Return the channels that probes are wired to, with the probes; this object stays."""
        return self.set_probegroup(probegroup, group_mode=group_mode, in_place=False)

    def _take_probegroup(self, probegroup: "ProbeGroup | None", group_mode: GroupMode) -> None:
        groups = None if probegroup is None else probes.groups_of(probegroup, group_mode)
        self._probegroup = probegroup
        for key in ("contact_vector", "location"):
            self._properties.pop(key, None)
        if groups is not None:
            self._properties["group"] = groups

    def _restore_probegroup(self, probegroup: "ProbeGroup | None") -> None:
        """Take probes as a file has them: one contact for each channel, in the same order."""
        n_contacts = 0 if probegroup is None else probegroup.get_contact_count()
        n_channels = self.get_num_channels()
        if n_contacts != n_channels:
            msg = f"The stored probe has {n_contacts} contacts for {n_channels} channels."
            raise DataError(msg)
        self._probegroup = probegroup
        for key in ("location", "contact_vector"):
            self._properties.pop(key, None)

    def _check_stored(self) -> None:
        check_stored_numbers(self._properties)

    def remove_probe(self) -> None:
        """Forget the probe, and the positions with it."""
        self._probegroup = None
        for key in ("contact_vector", "location", "group"):
            self._properties.pop(key, None)

    def get_probegroup(self) -> "ProbeGroup":
        """Return the probes, contacts in the order of channels; raises ParameterError without."""
        if self._probegroup is None:
            msg = "There is no probe. Use set_probe(probe) or set_dummy_probe_from_locations(...)."
            raise ParameterError(msg)
        return self._probegroup

    def get_probes(self) -> "list[Probe]":
        """Return the probes."""
        return list(self.get_probegroup().probes)

    def get_probe(self) -> "Probe":
        """Return the only probe; raises ParameterError if there are several, or none."""
        found = self.get_probes()
        if len(found) != 1:
            msg = f"There are {len(found)} probes: use get_probes() or get_probegroup()."
            raise ParameterError(msg)
        return found[0]

    def get_channel_locations(
        self, channel_ids: Iterable[Any] | None = None, axes: str = "xy"
    ) -> NDArray[np.float64]:
        """Return the positions of channels in micrometres.

        Parameters
        ----------
        channel_ids : list, optional
            All by default.
        axes : str, default "xy"
            Which coordinates, in which order.

        Returns
        -------
        ndarray of shape (n_channels, len(axes)) and dtype float64

        Raises
        ------
        ParameterError
            If there is no probe, or if it has no such axis.
        """
        given = self._properties.get("location")
        if self._probegroup is None and given is not None:
            found = np.asarray(given, np.float64)[:, ["xyz".index(axis) for axis in axes]]
        else:
            found = probes.locations(self.get_probegroup(), axes)
        return found[self.ids_to_indices(channel_ids)]

    def set_channel_locations(
        self, locations: ArrayLike, channel_ids: Iterable[Any] | None = None
    ) -> None:
        """Set positions in micrometres without a probe; better set a probe."""
        if self._probegroup is not None:
            msg = "The positions are those of the probe: remove_probe() first, or set another."
            raise ParameterError(msg)
        self.set_property("location", locations, ids=channel_ids)

    def clear_channel_locations(self, channel_ids: Iterable[Any] | None = None) -> None:
        """Forget positions that were set without a probe."""
        if channel_ids is None:
            self._properties.pop("location", None)
        elif "location" in self._properties:
            nowhere = np.full((len(list(channel_ids)), 2), np.nan)
            self.set_property("location", nowhere, ids=channel_ids)

    def create_dummy_probe_from_locations(
        self,
        locations: ArrayLike,
        shape: str = "circle",
        shape_params: dict[str, float] | None = None,
        axes: str = "xy",
    ) -> "Probe":
        """Return a probe with a contact at each of `locations`, in micrometres."""
        return probes.dummy_probe(locations, shape, shape_params, axes)

    def set_dummy_probe_from_locations(
        self,
        locations: ArrayLike,
        shape: str = "circle",
        shape_params: dict[str, float] | None = None,
        axes: str = "xy",
    ) -> None:
        """Set a probe with a contact at each of `locations`, in micrometres and channel order."""
        self.set_probe(probes.dummy_probe(locations, shape, shape_params, axes), in_place=True)

    def planarize(self, axes: str = "xy") -> Self:
        """Return an object whose probe of three dimensions is seen along two of them."""
        flat = self.clone()
        group = probes.as_probegroup([probe.to_2d(axes=axes) for probe in self.get_probes()])
        group.set_global_device_channel_indices(np.arange(self.get_num_channels()))
        flat._probegroup = group
        return flat

    def _virtual_property(self, key: str) -> NDArray[Any] | None:
        if self._probegroup is None:
            return None
        if key == "location":
            return probes.locations(self._probegroup, "xyz"[: self._probegroup.ndim])
        if key == "contact_vector":
            return probes.contact_vector(self._probegroup)
        return None

    def _copy_extra_metadata(self, other: BaseExtractor, positions: Indices) -> None:
        if isinstance(other, BaseRecordingSnippets):
            other._probegroup = probes.sliced(self._probegroup, positions)

    def _extra_metadata_to_dict(self, description: dict[str, Any]) -> None:
        if self._probegroup is not None:
            description["probegroup"] = self._probegroup.to_dict(array_as_list=True)

    def _extra_metadata_from_dict(self, description: Mapping[str, Any]) -> None:
        if description.get("probegroup") is not None:
            told = as_object(description["probegroup"], "The description: probegroup")
            self._restore_probegroup(probes.probegroup_of_dict(told))

    def _handle_extractor_backward_compatibility(self) -> None:
        vector = self._properties.pop("contact_vector", None)
        if vector is None or self._probegroup is not None:
            return
        if vector.dtype.names is None:  # from JSON, which has no structured arrays
            return
        self._restore_probegroup(probes.probegroup_of_contact_vector(vector))

    # -- views -------------------------------------------------------------------------------

    def select_channels(self, channel_ids: Iterable[Any]) -> Self:
        """Return a view of some channels, in the order given."""
        raise NotImplementedError

    def rename_channels(self, new_channel_ids: ArrayLike) -> Self:
        """Return a view whose channels have other ids."""
        raise NotImplementedError

    def select_segments(self, segment_indices: int | Iterable[int]) -> Self:
        """Return a view of some segments."""
        raise NotImplementedError

    def channel_slice(
        self, channel_ids: Iterable[Any], renamed_channel_ids: ArrayLike | None = None
    ) -> Self:
        """Return a view of some channels, perhaps with other ids."""
        selected = self.select_channels(channel_ids)
        return (
            selected
            if renamed_channel_ids is None
            else selected.rename_channels(renamed_channel_ids)
        )

    def remove_channels(
        self,
        remove_channel_ids: Iterable[Any] | None = None,
        *,
        channel_ids: Iterable[Any] | None = None,
    ) -> Self:
        """Return a view without some channels.

        Parameters
        ----------
        remove_channel_ids : list
            The channels to leave out; also spelled ``channel_ids``.

        Raises
        ------
        ParameterError
            If one of them is unknown.
        """
        removed = channel_ids if remove_channel_ids is None else remove_channel_ids
        if removed is None:
            msg = "remove_channels needs the ids of the channels to leave out."
            raise ParameterError(msg)
        is_kept = np.ones(self.get_num_channels(), bool)
        is_kept[self.ids_to_indices(removed)] = False
        return self.select_channels(self.channel_ids[is_kept])

    def split_by(
        self,
        property: str = "group",
        outputs: Literal["dict", "list"] = "dict",
    ) -> Any:
        """Split into one object for each value of a property.

        Parameters
        ----------
        property : str, default "group"
            The property.
        outputs : {"dict", "list"}
            A dictionary by value, in the order of values, or a list.

        Raises
        ------
        ParameterError
            If there is no such property.
        """
        values = self.get_property(property)
        if values is None or outputs not in {"dict", "list"}:
            msg = (
                f"The property {property!r} is not set; set it first (known: "
                f"{', '.join(self.get_property_keys()) or 'none'})."
                if values is None
                else f"outputs must be 'dict' or 'list'; got {outputs!r}."
            )
            raise ParameterError(msg)
        parts = {}
        for value in np.unique(values):
            part = self.select_channels(self.channel_ids[values == value])
            part.annotate(split_by_property=property)
            parts[value.item() if hasattr(value, "item") else value] = part
        return parts if outputs == "dict" else list(parts.values())
