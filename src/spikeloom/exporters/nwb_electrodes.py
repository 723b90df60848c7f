"""Channels of a recording as the electrodes of an NWB file: where they are, and on which probe."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.core.probes import contact_vector
from spikeloom.errors import ParameterError

CHANNEL_NAME = "channel_name"
"""Column with the ids of channels."""

_UNKNOWN = "unknown"

_OF_PROBE = frozenset({"contact_vector", "location", "location_x", "location_y", "brain_area"})
"""Properties of channels that columns of their own say."""


def electrode_rows(nwbfile: Any, info: RecordingInfo) -> NDArray[np.int64]:
    """Return the row of each channel in the table of electrodes, which is filled if it is empty.

    Parameters
    ----------
    nwbfile : pynwb.NWBFile
        To look in, or to add to.
    info : RecordingInfo
        What is known of the channels.

    Returns
    -------
    ndarray of shape (n_channels,) and dtype int64

    Raises
    ------
    ParameterError
        If the file has electrodes already, and these are not the channels.
    """
    if nwbfile.electrodes is not None and len(nwbfile.electrodes):
        return _known_rows(nwbfile.electrodes, info.channel_ids.astype(str).tolist())
    _add_electrodes(nwbfile, info)
    return np.arange(len(info.channel_ids), dtype=np.int64)


def _known_rows(electrodes: Any, names: list[str]) -> NDArray[np.int64]:
    listed = []
    if CHANNEL_NAME in electrodes.colnames:
        listed = [str(one) for one in electrodes[CHANNEL_NAME].data[:]]
    places = {name: row for row, name in enumerate(listed)}
    absent = [name for name in names if listed.count(name) != 1]
    if absent:
        msg = (
            f"The NWB file has electrodes already, and its column {CHANNEL_NAME!r} does not have "
            f"each of the channels once: {absent[:8]}. Add the channel ids in a column of this "
            "name, or add units to a file without electrodes."
        )
        raise ParameterError(msg)
    return np.array([places[name] for name in names], np.int64)


def _add_electrodes(nwbfile: Any, info: RecordingInfo) -> None:
    groups = _groups(nwbfile, info)
    areas = info.properties.get("brain_area")
    columns = _columns(info)
    positions = _positions(info)
    for name, (description, _) in columns.items():
        nwbfile.add_electrode_column(name=name, description=description)
    for k in range(len(info.channel_ids)):
        nwbfile.add_electrode(
            group=groups[k],
            location=_UNKNOWN if areas is None else str(areas[k]) or _UNKNOWN,
            **{axis: float(values[k]) for axis, values in positions.items()},
            **{name: values[k] for name, (_, values) in columns.items()},
        )


def _positions(info: RecordingInfo) -> dict[str, NDArray[np.float64]]:
    if info.probegroup is None:
        return {}
    positions_um = np.asarray(info.get_channel_locations(), np.float64)
    return {
        f"rel_{axis}": positions_um[:, k] for k, axis in enumerate("xyz"[: len(positions_um.T)])
    }


def _columns(info: RecordingInfo) -> dict[str, tuple[str, list[Any]]]:
    """Return description and values of our own columns of electrodes, by name."""
    names = info.channel_ids.astype(str).tolist()
    columns: dict[str, tuple[str, list[Any]]] = {CHANNEL_NAME: ("Id of the channel.", names)}
    if info.probegroup is not None:
        vector = contact_vector(info.probegroup)
        for key, column, description in (
            ("contact_ids", "contact_name", "Id of the contact on its probe."),
            ("shank_ids", "shank_name", "Id of the shank on its probe."),
        ):
            if key in (vector.dtype.names or ()) and any(vector[key].astype(str) != ""):
                columns[column] = (description, vector[key].astype(str).tolist())
    for key, given in info.properties.items():
        values = np.asarray(given)
        if key in _OF_PROBE or values.ndim != 1 or values.dtype.names is not None:
            continue
        column = "channel_group" if key == "group" else key.replace("/", "_").replace(":", "_")
        is_text = values.dtype.kind not in "biuf"
        listed = [str(one) for one in values.tolist()] if is_text else values.tolist()
        columns.setdefault(column, (f"Property {key!r} of the channels.", listed))
    return columns


def _groups(nwbfile: Any, info: RecordingInfo) -> list[Any]:
    """Add a device for each probe, and a group for each of its shanks; return that of each."""
    n_channels = len(info.channel_ids)
    if info.probegroup is None:
        device = _device(nwbfile, "probe", "Of which nothing is known.", None)
        return [_group(nwbfile, device, "electrodes")] * n_channels
    group = info.probegroup
    vector = contact_vector(group)
    shanks = np.full(n_channels, "", object)
    if "shank_ids" in (vector.dtype.names or ()):
        shanks[:] = vector["shank_ids"].astype(str).tolist()
    devices = []
    for k, probe in enumerate(group.probes):
        about = [probe.manufacturer, probe.model_name or probe.name]
        description = " ".join(str(one) for one in about if one) or "Probe."
        name = "probe" if len(group.probes) == 1 else f"probe{k}"
        devices.append(_device(nwbfile, name, description, probe.serial_number))
    made: dict[tuple[int, str], Any] = {}
    listed = []
    for probe_index, shank in zip(vector["probe_index"].tolist(), shanks.tolist(), strict=True):
        key = int(probe_index), str(shank)
        if key not in made:
            device = devices[key[0]]
            suffix = f"_shank_{shank}" if shank else ""
            made[key] = _group(nwbfile, device, f"{device.name}{suffix}")
        listed.append(made[key])
    return listed


def _device(nwbfile: Any, name: str, description: str, serial_number: Any) -> Any:
    if name in nwbfile.devices:
        return nwbfile.devices[name]
    more = {"serial_number": str(serial_number)} if serial_number else {}
    return nwbfile.create_device(name=name, description=description, **more)


def _group(nwbfile: Any, device: Any, name: str) -> Any:
    name = name.replace("/", "_").replace(":", "_")
    if name in nwbfile.electrode_groups:
        return nwbfile.electrode_groups[name]
    description = f"Contacts of {name}."
    return nwbfile.create_electrode_group(
        name=name, description=description, location=_UNKNOWN, device=device
    )
