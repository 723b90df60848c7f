"""Probes of recordings that neo reads, as probeinterface finds them in the files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.core.recording import BaseRecording
from spikeloom.extractors.neuropixels import set_neuropixels_probe

if TYPE_CHECKING:
    from probeinterface import Probe

_KEPT = ("electrode", "row", "col")
"""What contacts are annotated with and channels keep as properties."""


def set_probe_of_file(
    recording: BaseRecording, function: str, source: Path, arguments: Mapping[str, Any]
) -> None:
    """Set the probe that a file of a recording system tells of.

    Parameters
    ----------
    recording : BaseRecording
        The recording; channels of MaxWell are named after their electrodes.
    function : str
        Function of probeinterface that reads the probe.
    source : Path
        The file.
    arguments : mapping
        Further arguments of the function.
    """
    import probeinterface  # noqa: PLC0415 - takes a while to import

    if function == "read_spikegadgets_neuropixels":
        if probeinterface.has_spikegadgets_neuropixels_probes(source):
            _set_spikegadgets_probes(recording, source)
        return
    probe = getattr(probeinterface, function)(source, **arguments)
    if function == "read_maxwell":
        by_name = recording.get_property("channel_name")
        names = recording.channel_ids if by_name is None else by_name
        probe = _with_electrodes(probe, names.tolist())
    recording.set_probe(probe, in_place=True)
    for name in _KEPT:
        if name in probe.contact_annotations:
            recording.set_property(name, probe.contact_annotations[name])


def _set_spikegadgets_probes(recording: BaseRecording, source: Path) -> None:
    import probeinterface  # noqa: PLC0415 - takes a while to import

    group = probeinterface.read_spikegadgets_neuropixels(source)
    if len(group.probes) > 1:
        recording.set_probegroup(group, in_place=True)
        return
    # Contacts in the order of channels, as what they tell is set as properties of these.
    probe = group.probes[0]
    ordered = probe.get_slice(np.argsort(probe.device_channel_indices))
    set_neuropixels_probe(recording, ordered, "trodes")


def _with_electrodes(probe: "Probe", names: Sequence[str]) -> "Probe":
    """Return the contacts of a MaxWell probe that channels such as ``ch3 elec7`` have."""
    known = {str(name).rpartition("elec")[2] for name in names}
    kept = [k for k, one in enumerate(probe.contact_annotations["electrode"]) if str(one) in known]
    part = probe.get_slice(np.array(kept))
    part.set_device_channel_indices(np.arange(len(kept)))
    return part
