"""HDF5 files of rigs as readers of the registry; what opens them is imported when it is needed."""

from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import (
    Certainty,
    Reader,
    Recognition,
    imported_later,
    known,
    unknown,
)


def _recognise_mcs(peek: Peek) -> Recognition:
    kind = peek.hdf5_attributes.get("McsHdf5ProtocolType")
    if kind == "RawData" and "Data" in peek.hdf5_members:
        return known(Certainty.CONTENT, "its McsHdf5ProtocolType is RawData")
    return unknown("it is no HDF5 file whose McsHdf5ProtocolType is RawData")


def _recognise_sinaps(peek: Peek) -> Recognition:
    members = set(peek.hdf5_members)
    missing = {"Parameters", "Advanced Recording Parameters"} - members
    if missing or not members & {"RawData", "RealTimeProcessedData"}:
        return unknown("it is no HDF5 file with Parameters, Advanced Recording Parameters and data")
    return known(Certainty.CONTENT, "it is HDF5 with Advanced Recording Parameters")


def _recognise_maxwell_events(peek: Peek) -> Recognition:
    missing = {"version", "sig", "mapping", "bits"} - set(peek.hdf5_members)
    if missing:
        return unknown(f"it is no HDF5 file with {' and '.join(sorted(missing))}")
    return known(Certainty.LAYOUT, "it is HDF5 of MaxOne with bits, which may have pulses")


READERS = (
    Reader(
        name="mcsh5",
        kind="recording",
        recognise=_recognise_mcs,
        read=imported_later("spikeloom.extractors.mcs_recording", "read_mcsh5"),
        function="read_mcsh5",
        extensions=(".h5",),
        description="Multi Channel Systems, HDF5 files",
    ),
    Reader(
        name="sinaps_h5",
        kind="recording",
        recognise=_recognise_sinaps,
        read=imported_later(
            "spikeloom.extractors.sinaps_hdf5_recording", "read_sinaps_research_platform_h5"
        ),
        function="read_sinaps_research_platform_h5",
        extensions=(".h5",),
        description="SiNAPS research platform, HDF5 files",
    ),
    Reader(
        name="maxwell",
        kind="event",
        recognise=_recognise_maxwell_events,
        read=imported_later("spikeloom.extractors.maxwell_events", "read_maxwell_event"),
        function="read_maxwell_event",
        extensions=(".raw.h5", ".h5"),
        description="digital inputs of MaxOne",
    ),
)
"""Readers of this module."""
