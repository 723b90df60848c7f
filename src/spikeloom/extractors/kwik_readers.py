"""Kwik datasets as readers of the registry.

The registry imports this module to recognise files of any kind, so what opens them is imported
late: it comes with h5py, which takes as long as half of numpy.
"""

from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import (
    Certainty,
    Reader,
    Recognition,
    imported_later,
    known,
    unknown,
)


def _recognise_sorting(peek: Peek) -> Recognition:
    if peek.is_folder:
        found = peek.matching("*.kwik")
        if len(found) == 1:
            return known(Certainty.LAYOUT, f"it has {found[0].name}")
        return unknown(f"it has {len(found)} .kwik files")
    if _is_main_file(peek):
        return known(Certainty.CONTENT, "it has kwik_version and channel_groups")
    return unknown("it is no HDF5 file with kwik_version and channel_groups")


def _recognise_recording(peek: Peek) -> Recognition:
    if peek.suffix == ".kwd" and "recordings" in peek.hdf5_members:
        return known(Certainty.CONTENT, "it is a .kwd file with recordings")
    return recognise_part(peek, "raw data")


def _recognise_event(peek: Peek) -> Recognition:
    if peek.suffix == ".kwe" and "event_types" in peek.hdf5_members:
        return known(Certainty.CONTENT, "it is a .kwe file with event_types")
    if "event_types" not in peek.hdf5_members:
        return unknown("it is no Kwik file with event_types")
    return recognise_part(peek, "events")


def recognise_part(peek: Peek, what: str) -> Recognition:
    """Say that a ``.kwik`` file has this, too; its spikes are what is wanted if nobody says."""
    if _is_main_file(peek):
        return known(Certainty.LAYOUT, f"a .kwik file may have {what}")
    return unknown("it is no Kwik file")


def _is_main_file(peek: Peek) -> bool:
    return "kwik_version" in peek.hdf5_attributes and "channel_groups" in peek.hdf5_members


READERS = (
    Reader(
        name="kwik",
        kind="recording",
        recognise=_recognise_recording,
        read=imported_later("spikeloom.extractors.kwik_recording", "read_kwik_recording"),
        function="read_kwik_recording",
        extensions=(".raw.kwd", ".kwd", ".kwik"),
        description="raw data of klusta, KlustaViewa and Open Ephys in HDF5 files",
    ),
    Reader(
        name="kwik",
        kind="sorting",
        recognise=_recognise_sorting,
        read=imported_later("spikeloom.extractors.kwik_sorting", "read_klusta"),
        function="read_kwik",
        extensions=(".kwik",),
        description="a sorting of klusta, KlustaViewa or phy",
    ),
    Reader(
        name="kwik",
        kind="event",
        recognise=_recognise_event,
        read=imported_later("spikeloom.extractors.kwik_events", "read_kwik_event"),
        function="read_kwik_event",
        extensions=(".kwik", ".kwe"),
        description="events of KlustaViewa and Open Ephys in HDF5 files",
    ),
)
"""Readers of this module."""
