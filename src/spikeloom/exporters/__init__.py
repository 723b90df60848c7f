"""Writers of files for other programs, and of objects of other packages.

Names are imported when they are first used. The report is made of plots, so it lives in the room of
these; it is found here, too.
"""

from importlib import import_module
from typing import TYPE_CHECKING

import lazy_loader

_lazy_attribute, _, _own_names = lazy_loader.attach_stub(__name__, __file__)

_ELSEWHERE = {"export_report": "widgets"}
"""Rooms of names that users of SpikeInterface look for here."""

__all__ = [*_own_names, *_ELSEWHERE]  # noqa: PLE0604 - names of strings


def __dir__() -> list[str]:
    return list(__all__)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in _ELSEWHERE:
            return getattr(import_module(f"spikeloom.{_ELSEWHERE[name]}"), name)
        return _lazy_attribute(name)
