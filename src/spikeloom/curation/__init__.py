"""Curation as values: states, edits that know their inverse, history; and curations of sortings.

Nothing here knows of a server or a page. Names are imported when they are first used. Those that
users of SpikeInterface look for here, but that live in other rooms, are found, too.
"""

from importlib import import_module
from typing import TYPE_CHECKING

import lazy_loader

_lazy_attribute, _, _own_names = lazy_loader.attach_stub(__name__, __file__)

_ELSEWHERE = {
    "apply_curation": "analyzer",
    "apply_curation_labels": "analyzer",
    "auto_merge_units": "analyzer",
    "compute_merge_unit_groups": "analyzer",
    "find_redundant_units": "analyzer",
    "get_potential_auto_merge": "analyzer",
    "remove_redundant_units": "analyzer",
    "RemoveExcessSpikesSorting": "core",
    "remove_excess_spikes": "core",
}
"""Rooms of names that users of SpikeInterface look for here."""

__all__ = [*_own_names, *_ELSEWHERE]  # noqa: PLE0604 - names of strings


def __dir__() -> list[str]:
    return list(__all__)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in _ELSEWHERE:
            return getattr(import_module(f"spikeloom.{_ELSEWHERE[name]}"), name)
        return _lazy_attribute(name)
