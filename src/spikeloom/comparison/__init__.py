"""Agreement between sortings: of a sorter with the truth, and of sorters with each other.

Names are imported when they are first used. Comparisons of templates and of correlograms live
where these are computed; they are found here, too.
"""

from spikeloom.registry import names_of_room

_ELSEWHERE = {
    "CorrelogramGTComparison": "postprocessing",
    "MultiTemplateComparison": "postprocessing",
    "TemplateComparison": "postprocessing",
    "compare_multiple_templates": "postprocessing",
    "compare_templates": "postprocessing",
}
"""Rooms of names that users of SpikeInterface look for here."""

__getattr__, __dir__, __all__ = names_of_room(__name__, __file__, _ELSEWHERE)
