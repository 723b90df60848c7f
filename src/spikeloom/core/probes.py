"""Probes on recordings: which contact each channel is wired to, where it is, its group.

A recording keeps a ProbeGroup of the probeinterface package whose contacts are in the order of its
channels, each wired to its own channel's position.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import DataError, ParameterError

if TYPE_CHECKING:
    from probeinterface import Probe, ProbeGroup

GROUP_MODES = ("auto", "by_probe", "by_shank", "by_side")


def as_probegroup(probes: "Probe | ProbeGroup | Iterable[Probe]") -> "ProbeGroup":
    """Return a group of copies of `probes`, wired as they are.

    Raises
    ------
    ParameterError
        If it is neither a probe, nor a group, nor a list of probes.
    """
    from probeinterface import Probe, ProbeGroup  # noqa: PLC0415 - takes a while to import

    if isinstance(probes, ProbeGroup):
        return copied(probes)
    listed = [probes] if isinstance(probes, Probe) else list(probes)
    if not all(isinstance(probe, Probe) for probe in listed):
        msg = f"A Probe, a list of them or a ProbeGroup is needed; got {type(probes).__name__}."
        raise ParameterError(msg)
    return ProbeGroup.from_dict({"probes": [probe.to_dict() for probe in listed]})


def copied(probegroup: "ProbeGroup") -> "ProbeGroup":
    """Return a copy with the same wiring and annotations."""
    return type(probegroup).from_dict(probegroup.to_dict())


def wired_to(
    probegroup: "ProbeGroup", n_channels: int
) -> tuple["ProbeGroup | None", NDArray[np.int64]]:
    """Return the connected contacts in the order of channels, and the channel of each.

    Parameters
    ----------
    probegroup : ProbeGroup
        Its ``device_channel_indices`` are positions of channels; -1 is not connected.
    n_channels : int
        Number of channels of the recording.

    Returns
    -------
    probegroup : ProbeGroup or None
        The connected contacts, wired 0, 1, 2, …; None if there are none.
    channels : ndarray of shape (n_connected,) and dtype int64
        Position of the channel of each, increasing.

    Raises
    ------
    ParameterError
        If the probe is not wired, or is wired to channels that are not there.
    """
    if any(probe.device_channel_indices is None for probe in probegroup.probes):
        msg = (
            "The probe is not wired: nothing says which contact each channel is. Use "
            "probe.set_device_channel_indices(...) or probe.wiring_to_device(...)."
        )
        raise ParameterError(msg)
    contacts = probegroup.to_numpy(complete=True)
    wiring = contacts["device_channel_indices"]
    connected = np.flatnonzero(wiring >= 0)
    connected = connected[np.argsort(wiring[connected], kind="stable")]
    channels = wiring[connected].astype(np.int64)
    if channels.size and channels[-1] >= n_channels:
        msg = (
            f"The probe is wired to channel {channels[-1]}, but the recording has {n_channels} "
            f"channels (0 to {n_channels - 1}). If it is a part of a recording, set the probe "
            "before taking the part; else set device_channel_indices of contacts that are not "
            "recorded to -1."
        )
        raise ParameterError(msg)
    if not connected.size:
        return None, channels
    return sliced(probegroup, connected), channels


def sliced(probegroup: "ProbeGroup | None", positions: Any) -> "ProbeGroup | None":
    """Return the contacts at `positions`, in that order, wired 0, 1, 2, …; None if none is left."""
    if probegroup is None:
        return None
    indices = np.arange(probegroup.get_contact_count())[positions]
    if not indices.size:
        return None
    if indices.size == probegroup.get_contact_count() and np.all(np.diff(indices) == 1):
        part = copied(probegroup)
        if _is_wired_in_order(part):
            return part
    else:
        part = probegroup.get_slice(indices)
    part.set_global_device_channel_indices(np.arange(indices.size))
    return part


def _is_wired_in_order(probegroup: "ProbeGroup") -> bool:
    """Tell whether contacts are wired 0, 1, 2, … already, which takes less than to wire them."""
    wirings = [probe.device_channel_indices for probe in probegroup.probes]
    if getattr(probegroup, "_global_contact_order", None) is not None:
        return False
    if any(wiring is None for wiring in wirings):
        return False
    return np.array_equal(np.concatenate(wirings), np.arange(probegroup.get_contact_count()))


def concatenated(probegroups: "Sequence[ProbeGroup]") -> "ProbeGroup":
    """Return the probes of all groups as one group, contacts in the order of the groups.

    Probes stay apart, also those that were cut out of the same one.
    """
    listed = [probe.to_dict() for group in probegroups for probe in group.probes]
    for description in listed:  # each is wired from 0, and no two may be wired to the same
        description.pop("device_channel_indices", None)
    ids = [probe_id for group in probegroups for probe_id in group.probe_ids]
    if len(set(ids)) < len(ids):
        ids = [str(k) for k in range(len(listed))]
        for description in listed:
            known = description.get("annotations", {})
            description["annotations"] = {k: v for k, v in known.items() if k != "probe_id"}
    first = np.cumsum([0, *(group.get_contact_count() for group in probegroups)])
    order = np.concatenate([
        _contact_order(group) + k for group, k in zip(probegroups, first, strict=False)
    ])
    joined = type(probegroups[0]).from_dict({
        "probes": listed,
        "probe_ids": ids,
        "global_contact_order": order if np.any(np.diff(order) != 1) else None,
    })
    joined.set_global_device_channel_indices(np.arange(order.size))
    return joined


def _contact_order(probegroup: "ProbeGroup") -> NDArray[np.int64]:
    """Return the order of contacts where it is not that of probes."""
    order = getattr(probegroup, "_global_contact_order", None)
    return np.arange(probegroup.get_contact_count()) if order is None else np.asarray(order)


def check_probe_do_not_overlap(probes: "Sequence[Probe]") -> None:
    """Raise if contacts of one probe lie within the bounds of another.

    Raises
    ------
    ParameterError
        If they do: locations would then not tell the probes apart.
    """
    for k, probe in enumerate(probes):
        positions = probe.contact_positions
        low, high = positions.min(axis=0), positions.max(axis=0)
        for other in probes[k + 1 :]:
            inside = (other.contact_positions >= low) & (other.contact_positions <= high)
            if inside.all(axis=1).any():
                msg = (
                    "Probes are overlapping! Move them apart with probe.move([x_um, y_um]), or "
                    "retrieve locations of single probes."
                )
                raise ParameterError(msg)


def groups_of(probegroup: "ProbeGroup", group_mode: str) -> NDArray[np.int64]:
    """Return the group of each contact, counted from 0.

    Parameters
    ----------
    probegroup : ProbeGroup
        The probes.
    group_mode : {"auto", "by_probe", "by_shank", "by_side"}
        What makes a group: a probe; a shank of a probe; a side of a shank of a probe; or as many of
        these as the probe says anything about.

    Raises
    ------
    ParameterError
        If the mode is unknown, or if the probe has no shanks or sides to go by.
    """
    if group_mode not in GROUP_MODES:
        msg = f"group_mode must be one of {', '.join(GROUP_MODES)}; got {group_mode!r}."
        raise ParameterError(msg)
    contacts = probegroup.to_numpy(complete=True)
    names = contacts.dtype.names or ()
    fields = ["probe_index"]
    if group_mode == "auto":
        fields += [name for name in ("shank_ids", "contact_sides") if name in names]
    elif group_mode != "by_probe":
        if "shank_ids" not in names and group_mode == "by_shank":
            msg = "The probe has no shank_ids: use group_mode='by_probe' or set them."
            raise ParameterError(msg)
        if "contact_sides" not in names and group_mode == "by_side":
            msg = "The probe has no contact_sides: use group_mode='by_shank' or set them."
            raise ParameterError(msg)
        fields += [name for name in ("shank_ids",) if name in names]
        fields += ["contact_sides"] if group_mode == "by_side" else []
    _, groups = np.unique(contacts[fields], return_inverse=True)
    return np.asarray(groups, np.int64).reshape(-1)


def contact_vector(probegroup: "ProbeGroup") -> NDArray[Any]:
    """Return what is known of each contact, as a structured array of shape (n_channels,)."""
    vector: NDArray[Any] = probegroup.to_numpy(complete=True)
    return vector


def locations(probegroup: "ProbeGroup", axes: str = "xy") -> NDArray[np.float64]:
    """Return the positions of the contacts in micrometres, shape (n_channels, len(axes)).

    Raises
    ------
    ParameterError
        If the probe has no such axis.
    """
    positions: NDArray[np.float64] = probegroup.get_global_contact_positions()
    known = "xyz"[: positions.shape[1]]
    if not axes or not set(axes) <= set(known):
        msg = f"axes must be made of {', '.join(known)}, as the probe has; got {axes!r}."
        raise ParameterError(msg)
    return positions[:, ["xyz".index(axis) for axis in axes]]


def dummy_probe(
    positions_um: ArrayLike,
    shape: str = "circle",
    shape_params: dict[str, float] | None = None,
    axes: str = "xy",
) -> "Probe":
    """Return a probe with contacts at `positions_um`, wired in their order.

    Parameters
    ----------
    positions_um : array_like of shape (n_channels, 2 or 3)
        Positions in micrometres.
    shape : str
        Shape of the contacts: circle, square or rect.
    shape_params : dict, optional
        Size of the contacts, e.g. ``{"radius": 1}``, the default.
    axes : str
        Plane that contacts lie in, for positions in three dimensions.
    """
    from probeinterface import Probe  # noqa: PLC0415 - takes a while to import

    positions = np.asarray(positions_um, np.float64)
    if positions.ndim != 2 or positions.shape[1] not in {2, 3}:
        msg = (
            f"Locations must be of shape (n_channels, 2) or (n_channels, 3); got {positions.shape}."
        )
        raise ParameterError(msg)
    n_contacts, n_dimensions = positions.shape
    if len(np.unique(positions, axis=0)) < n_contacts:
        msg = "Locations of a probe must differ; use set_channel_locations(...) for others."
        raise ParameterError(msg)
    planes = None
    if n_dimensions == 3:
        planes = np.zeros((n_contacts, 2, 3))
        for k, axis in enumerate(axes[:2]):
            planes[:, k, "xyz".index(axis)] = 1.0
    probe = Probe(ndim=n_dimensions, si_units="um")
    probe.set_contacts(
        positions, plane_axes=planes, shapes=shape, shape_params=shape_params or {"radius": 1}
    )
    probe.set_device_channel_indices(np.arange(n_contacts))
    if n_contacts > 1 and n_dimensions == 2:
        probe.create_auto_shape()
    return probe


def probegroup_of_contact_vector(vector: NDArray[Any]) -> "ProbeGroup":
    """Return the group that a structured array of contacts describes, as older files hold it."""
    from probeinterface import ProbeGroup  # noqa: PLC0415 - takes a while to import

    return _stored(lambda: ProbeGroup.from_numpy(vector))


def probegroup_of_dict(description: Mapping[str, Any]) -> "ProbeGroup":
    """Return the group that a dictionary of ``ProbeGroup.to_dict`` describes.

    Raises
    ------
    DataError
        If it describes none, or one whose contacts are nowhere.
    """
    from probeinterface import ProbeGroup  # noqa: PLC0415 - takes a while to import

    return _stored(lambda: ProbeGroup.from_dict(dict(description)))


def in_order_of_channels(description: Mapping[str, Any]) -> "ProbeGroup | None":
    """Return the connected contacts of a described group, in the order of their channels."""
    group = probegroup_of_dict(description)
    wiring = contact_vector(group)["device_channel_indices"]
    connected = np.flatnonzero(wiring >= 0)
    return sliced(group, connected[np.argsort(wiring[connected], kind="stable")])


def _stored(make: Callable[[], "ProbeGroup"]) -> "ProbeGroup":
    """Make a group of what a file tells, and have probeinterface look at all of it once."""
    try:
        group = make()
        contact_vector(group)
        positions = group.get_global_contact_positions()
        is_sound = positions.ndim == 2 and len(positions) == group.get_contact_count()
        is_sound = is_sound and bool(np.isfinite(positions).all())
    except Exception as error:  # damaged descriptions raise whatever comes first
        msg = f"What describes the probe makes no sense: {error!r:.300}."
        raise DataError(msg) from error
    if not is_sound:
        msg = "What describes the probe does not say where each of its contacts is."
        raise DataError(msg)
    return group
