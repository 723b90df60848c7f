"""Analyzers of the groups, as probes or tetrodes, that one was made of."""

from typing import Any

import numpy as np

from spikeloom.analyzer import dependencies
from spikeloom.analyzer.analyzer import SortingAnalyzer, copied_sorting
from spikeloom.analyzer.copies import derived, warn_of_left_out
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.errors import ParameterError

GROUP_KEY = "aggregation_key"
"""Property of channels and units: the key of what they came from."""


def split_by_group(analyzer: SortingAnalyzer) -> dict[Any, SortingAnalyzer]:
    """Return an analyzer in memory for each of the groups that one was made of.

    Each has the units and the channels of its group, and their extensions.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        Made of dictionaries of sortings and recordings.

    Returns
    -------
    dict of key to SortingAnalyzer

    Raises
    ------
    ParameterError
        If it was not made of several.

    Examples
    --------
    >>> import spikeloom as si
    >>> recording, sorting = si.generate_ground_truth_recording(durations=[2.0], seed=1)
    >>> of_probes = {"left": recording, "right": recording}
    >>> whole = si.create_sorting_analyzer(
    ...     {"left": sorting, "right": sorting}, of_probes, progress_bar=False
    ... )
    >>> {key: one.get_num_units() for key, one in split_by_group(whole).items()}
    {'left': 10, 'right': 10}
    """
    units = analyzer.get_sorting_property(GROUP_KEY)
    channels = analyzer.get_recording_property(GROUP_KEY)
    if units is None or channels is None:
        msg = (
            "This analyzer was not made of several recordings and sortings, so there is nothing to "
            "split by: see create_sorting_analyzer({key: sorting}, {key: recording})."
        )
        raise ParameterError(msg)
    groups = dict.fromkeys(channels.tolist())
    return {
        key: _part(analyzer.select_units(analyzer.unit_ids[units == key]), channels == key)
        for key in groups
    }


def _part(analyzer: SortingAnalyzer, is_kept: np.ndarray[Any, Any]) -> SortingAnalyzer:
    """Return an analyzer with some of the channels."""
    ids = analyzer.channel_ids[is_kept]
    sparsity = analyzer.sparsity
    # Where units keep all of their channels, nothing that is known of them changes.
    is_whole = sparsity is not None and not sparsity.mask[:, ~is_kept].any()
    if sparsity is not None:
        sparsity = ChannelSparsity(sparsity.mask[:, is_kept], analyzer.unit_ids, ids)
    left_out: list[str] = []

    def make(extension: AnalyzerExtension, new: SortingAnalyzer) -> AnalyzerExtension | None:
        if not dependencies.lacks_origin(new, extension, left_out):
            try:
                return extension.copy(new, channel_ids=ids.tolist())
            except NotImplementedError:
                if is_whole:
                    return extension._with_data(new, extension.data)
        left_out.append(extension.extension_name)
        return None

    part = derived(
        analyzer,
        sorting=copied_sorting(analyzer.sorting),
        sparsity=sparsity,
        make_extension=make,
        channel_ids=ids.tolist(),
    )
    warn_of_left_out(left_out, "channels are selected")
    return part
