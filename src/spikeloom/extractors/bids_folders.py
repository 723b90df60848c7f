"""Recordings in folders of BIDS, with the probes that tables beside them describe."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikeloom.core.recording import BaseRecording
from spikeloom.errors import DataError, MissingFileError, SpikeloomError
from spikeloom.extractors.neo_readers import NEO_CLASSES
from spikeloom.extractors.nwb_recording import NwbRecordingExtractor
from spikeloom.storage.delimited import read_table

if TYPE_CHECKING:
    from probeinterface import ProbeGroup

_SUFFIXES = (".nwb", ".nix")

_EPHYS = "_ephys"

_UNCONNECTED = -1


def read_bids(folder_path: str | Path) -> list[BaseRecording]:
    """Open all recordings of a folder of the extension of BIDS for electrophysiology.

    Parameters
    ----------
    folder_path : str or Path
        Folder with ``*_ephys.nwb`` or ``*_ephys.nix`` files. Tables ``*_contacts.tsv`` and
        ``*_channels.tsv``, if they are there, say where contacts are, in micrometres, and which
        channel is wired to which contact.

    Returns
    -------
    list of BaseRecording
        One for each series or stream of each file, in the order of their names; nothing of the
        traces is read yet. The annotation ``bids_name`` is the name of the file. Where there are
        probes, channels without a contact are left out.

    Raises
    ------
    MissingFileError
        If the folder holds no such files.
    DataError
        If tables cannot be read, or contradict each other.

    Examples
    --------
    >>> import spikeloom as si
    >>> recordings = si.read_bids("sub-1/ses-2/ephys")  # doctest: +SKIP
    """
    folder = Path(folder_path).absolute()
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [path for path in inside if path.suffix in _SUFFIXES]
    if not paths:
        msg = f"{folder} holds no {' or '.join(_SUFFIXES)} files."
        raise MissingFileError(2, msg)
    found = []
    for path in paths:
        for recording in _recordings(path):
            recording.annotate(bids_name=path.stem)
            found.append(_with_probes(recording, path))
    return found


def _recordings(path: Path) -> list[BaseRecording]:
    """Return the recordings of all series or streams of a file."""
    if path.suffix == ".nwb":
        series = NwbRecordingExtractor.fetch_available_electrical_series_paths(path)
        return [NwbRecordingExtractor(path, electrical_series_path=one) for one in series]
    nix = NEO_CLASSES["nix"]
    _, stream_ids = nix.get_streams(path)
    return [nix(path, stream_id=stream_id) for stream_id in stream_ids]


def _with_probes(recording: BaseRecording, path: Path) -> BaseRecording:
    """Return a recording with the probes of its tables; as it is if there are none."""
    contacts, channels = _table(path, "contacts"), _table(path, "channels")
    if contacts is None or channels is None:
        return recording
    positions = {str(id_): k for k, id_ in enumerate(recording.channel_ids.tolist())}
    wiring = dict(zip(*_columns(channels, "contact_id", "channel_id"), strict=True))
    group = _probes(contacts)
    try:
        for probe in group.probes:
            wired = [positions.get(wiring.get(id_, ""), _UNCONNECTED) for id_ in probe.contact_ids]
            probe.set_device_channel_indices(wired)
        return recording.set_probegroup(group, in_place=False)
    except (SpikeloomError, ValueError) as error:
        msg = f"{channels} does not go with {path.name}: {error}"
        raise DataError(msg) from error


def _table(path: Path, name: str) -> Path | None:
    """Return the table that goes with a file, or the only one of its kind in the folder."""
    own = path.with_name(f"{path.stem.removesuffix(_EPHYS)}_{name}.tsv")
    if own.is_file():
        return own
    found = sorted(path.parent.glob(f"*_{name}.tsv"))
    return found[0] if len(found) == 1 else None


def _columns(path: Path, *names: str) -> list[list[str]]:
    """Return columns of a table; raises DataError if one is missing."""
    header, rows = read_table(path)
    missing = [name for name in names if name not in header]
    if missing:
        msg = f"{path} has no columns {', '.join(missing)}; it has {', '.join(header)}."
        raise DataError(msg)
    places = [header.index(name) for name in names]
    return [[row[k] for row in rows] for k in places]


def _probes(path: Path) -> "ProbeGroup":
    """Return the probes of a table of contacts; positions are in micrometres."""
    from probeinterface import Probe, ProbeGroup  # noqa: PLC0415 - takes a while to import

    contact_ids, probe_ids, *texts = _columns(path, "contact_id", "probe_id", "x", "y")
    try:
        places = np.array(texts, np.float64).T
    except ValueError as error:
        msg = f"{path}: x and y must be numbers of micrometres: {error}."
        raise DataError(msg) from error
    if not np.isfinite(places).all() or len(set(zip(contact_ids, probe_ids, strict=True))) < len(
        places
    ):
        msg = f"{path} must have a place for each contact, and each contact of a probe once."
        raise DataError(msg)
    group = ProbeGroup()
    for probe_id in dict.fromkeys(probe_ids):
        own = [k for k, id_ in enumerate(probe_ids) if id_ == probe_id]
        probe = Probe(ndim=2, si_units="um")
        try:
            probe.set_contacts(places[own], shapes="circle", shape_params={"radius": 1})
        except ValueError as error:  # such as two contacts at one place
            msg = f"{path} makes no probe {probe_id!r}: {error}"
            raise DataError(msg) from error
        probe.set_contact_ids([contact_ids[k] for k in own])
        probe.annotate(probe_id=probe_id)
        group.add_probe(probe)
    return group
