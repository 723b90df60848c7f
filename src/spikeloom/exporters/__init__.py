"""Writers of files for other programs, and of objects of other packages.

Names are imported when they are first used. The report is made of plots, so it lives in the room of
these; it is found here, too.
"""

from spikeloom.registry import names_of_room

_ELSEWHERE = {"export_report": "widgets"}
"""Rooms of names that users of SpikeInterface look for here."""

__getattr__, __dir__, __all__ = names_of_room(__name__, __file__, _ELSEWHERE)
