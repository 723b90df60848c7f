"""Probes from files: klusta's ``.prb``, read without running it, and ProbeInterface's JSON.

A ``.prb`` file is Python source that assigns ``channel_groups``: for each shank the columns of the
raw data (``channels``) and where they are (``geometry``), as a dictionary by channel or as a list
in the order of `channels`. Without a geometry the contacts of a shank are put 20 um apart.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.probes import probegroup_of_dict
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.phy_params import evaluate_assignments
from spikeloom.storage.json_fields import read_object

if TYPE_CHECKING:
    from probeinterface import Probe, ProbeGroup

_STEP_UM = 20.0
_SHANK_GAP_UM = 200.0
_N_CHANNELS_MAX = 1 << 16


def read_probe_file(path: str | Path) -> "ProbeGroup":
    """Read probes from a ``.prb`` file or from ProbeInterface's JSON; neither is run.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    ProbeGroup
        Wired to the columns of the raw data.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or cannot be read.
    DataError
        If it describes no probe.
    ParameterError
        If it is of another format.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "tetrode.prb"
    >>> _ = path.write_text("channel_groups = {0: {'channels': list(range(4))}}")
    >>> read_probe_file(path).get_contact_count()
    4
    """
    path = Path(path)
    if not path.is_file():
        msg = f"There is no file {path}. Give a .prb file, or a .json file of ProbeInterface."
        raise MissingFileError(2, msg)
    match path.suffix.lower():
        case ".prb":
            return read_prb(path)
        case ".json":
            return _read_probeinterface(path)
    msg = f"{path.name} is no probe file: .prb and ProbeInterface's .json can be read."
    raise ParameterError(msg)


def read_prb(path: str | Path) -> "ProbeGroup":
    """Read a ``.prb`` file: a probe for each channel group, wired to columns of the raw data.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    ReadError
        If it cannot be read, or does something else than assign plain values.
    DataError
        If its channel groups make no sense.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "tetrode.prb"
    >>> _ = path.write_text("channel_groups = {0: {'channels': list(range(4))}}")
    >>> read_prb(path).get_contact_count()
    4
    """
    path = Path(path)
    found = evaluate_assignments(path).get("channel_groups")
    if not isinstance(found, Mapping) or not found:
        msg = f"{path} does not assign channel_groups, a dictionary with an entry for each shank."
        raise DataError(msg)
    shanks = [_shank_of(path, key, group) for key, group in found.items()]
    wiring = np.concatenate([channels for channels, _ in shanks])
    if len(set(wiring.tolist())) < wiring.size:
        msg = f"{path} has channels in several channel groups, or twice in one."
        raise DataError(msg)
    from probeinterface import ProbeGroup  # noqa: PLC0415 - takes a while to import

    probegroup = ProbeGroup()
    edge_um = -np.inf
    for (channels, places), key in zip(shanks, found, strict=True):
        # Most files give each shank coordinates of its own: they are put side by side.
        if places[:, 0].min() <= edge_um:
            places[:, 0] += edge_um + _SHANK_GAP_UM - places[:, 0].min()
        edge_um = max(edge_um, float(places[:, 0].max()))
        probegroup.add_probe(_probe(channels, places, str(key)))
    return probegroup


def _shank_of(path: Path, key: Any, group: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the channels of a shank, and where they are in um."""
    where = f"{path}, channel group {key!r}"
    listed = group.get("channels") if isinstance(group, Mapping) else None
    if not isinstance(listed, list) or not listed or not all(map(_is_channel, listed)):
        msg = f"{where}: channels is not a list of columns of the raw data (0, 1, 2, …)."
        raise DataError(msg)
    channels = np.array(listed, np.int64)
    geometry = group.get("geometry")
    if not geometry:
        return channels, np.column_stack([np.zeros(len(listed)), _STEP_UM * np.arange(len(listed))])
    if isinstance(geometry, Mapping):
        missing = [channel for channel in listed if channel not in geometry]
        if missing:
            msg = f"{where}: geometry does not say where channel {missing[0]} is."
            raise DataError(msg)
        geometry = [geometry[channel] for channel in listed]
    return channels, _positions(where, geometry, len(listed))


def _positions(where: str, geometry: Sequence[Any], n_channels: int) -> NDArray[np.float64]:
    try:
        places = np.array(geometry, np.float64)
    except (TypeError, ValueError):
        places = np.zeros(0)
    if places.shape != (n_channels, 2) or not np.isfinite(places).all():
        msg = f"{where}: geometry is not a pair (x, y) in um for each of {n_channels} channels."
        raise DataError(msg)
    if len(np.unique(places, axis=0)) < n_channels:
        msg = f"{where}: geometry puts several channels in one place."
        raise DataError(msg)
    return places


def _is_channel(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _N_CHANNELS_MAX


def _probe(channels: NDArray[np.int64], places_um: NDArray[np.float64], name: str) -> "Probe":
    from probeinterface import Probe  # noqa: PLC0415 - takes a while to import

    probe = Probe(ndim=2, si_units="um")
    shanks = [name] * channels.size
    probe.set_contacts(places_um, shapes="circle", shape_params={"radius": 5}, shank_ids=shanks)
    probe.set_device_channel_indices(channels)
    return probe


def _read_probeinterface(path: Path) -> "ProbeGroup":
    try:
        probegroup = probegroup_of_dict(read_object(path))
    except DataError as error:
        msg = f"{path} is not a probe file of ProbeInterface: {error}"
        raise DataError(msg) from error
    if not probegroup.probes:
        msg = f"{path} holds no probe."
        raise DataError(msg)
    for probe in probegroup.probes:
        if probe.device_channel_indices is None and len(probegroup.probes) == 1:
            probe.set_device_channel_indices(np.arange(probe.get_contact_count()))
    return probegroup
