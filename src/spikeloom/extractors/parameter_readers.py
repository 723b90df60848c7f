"""Files of probes and parameters as readers of the registry."""

from pathlib import Path

from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.phy_params import evaluate_assignments
from spikeloom.extractors.prb_files import read_prb, read_probe_file
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown


def _recognise_prb(peek: Peek) -> Recognition:
    if peek.suffix != ".prb" or peek.is_folder:
        return unknown("it does not end in .prb")
    if b"channel_groups" in peek.head:
        return known(Certainty.CONTENT, "it assigns channel_groups")
    return known(Certainty.NAME, "it ends in .prb")


def _recognise_probeinterface(peek: Peek) -> Recognition:
    if b'"probeinterface"' in peek.head:
        return known(Certainty.CONTENT, "it says that it follows ProbeInterface")
    return unknown("it is no JSON of ProbeInterface")


def _recognise_prm(peek: Peek) -> Recognition:
    if peek.suffix == ".prm" and not peek.is_folder:
        return known(Certainty.NAME, "it ends in .prm")
    return unknown("it does not end in .prm")


READERS = (
    Reader(
        name="prb",
        kind="probe",
        recognise=_recognise_prb,
        read=read_prb,
        function="read_prb",
        extensions=(".prb",),
        description="probes of klusta and phy; the file is read, not run",
    ),
    Reader(
        name="probeinterface",
        kind="probe",
        recognise=_recognise_probeinterface,
        read=read_probe_file,
        function="read_probe_file",
        extensions=(".json",),
        description="probes of ProbeInterface",
    ),
    Reader(
        name="prm",
        kind="parameters",
        recognise=_recognise_prm,
        read=lambda path: evaluate_assignments(Path(path)),
        extensions=(".prm",),
        description="parameters of klusta; the file is read, not run",
    ),
)
"""Readers of this module."""
