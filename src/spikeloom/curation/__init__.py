"""Curation as values: states, edits that know their inverse, history; and curations of sortings.

Nothing here knows of a server or a page. Names are imported when they are first used. Those that
users of SpikeInterface look for here, but that live in other rooms, are found, too.
"""

from spikeloom.registry import names_of_room

_ELSEWHERE = {
    "apply_curation": "analyzer",
    "apply_curation_labels": "analyzer",
    "apply_sortingview_curation": "analyzer",
    "auto_merge_units": "analyzer",
    "compute_merge_unit_groups": "analyzer",
    "find_redundant_units": "analyzer",
    "get_potential_auto_merge": "analyzer",
    "remove_redundant_units": "analyzer",
    "RemoveExcessSpikesSorting": "core",
    "remove_excess_spikes": "core",
}
"""Rooms of names that users of SpikeInterface look for here."""

__getattr__, __dir__, __all__ = names_of_room(__name__, __file__, _ELSEWHERE)
