"""Copies of an analyzer that are kept as waveforms, some of them on fewer channels."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer, copied_sorting
from spikeloom.analyzer.copies import derived
from spikeloom.analyzer.core_templates import ComputeTemplates
from spikeloom.analyzer.core_waveforms import ComputeWaveforms, random_spikes_of, repack
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.template_statistics import Operator, checked_operators
from spikeloom.analyzer.waveform_saving import refuse_early, write_waveforms
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.errors import ParameterError


def kept_copy(
    analyzer: SortingAnalyzer,
    folder: str | Path,
    format: str = "binary",
    *,
    use_relative_path: bool = False,
    overwrite: bool = False,
    sparsity: ChannelSparsity | None = None,
) -> SortingAnalyzer:
    """Return a copy that is kept as waveforms; see ``WaveformExtractor.save``."""
    refuse_early(folder, format, overwrite=overwrite)
    copied = copied_in_memory(analyzer) if sparsity is None else sparsified(analyzer, sparsity)
    copied.store = write_waveforms(
        copied, folder, format, use_relative_path=use_relative_path, overwrite=overwrite
    )
    return copied


def copied_in_memory(analyzer: SortingAnalyzer) -> SortingAnalyzer:
    """Return a copy in memory with all extensions."""
    return derived(
        analyzer,
        sorting=copied_sorting(analyzer.sorting),
        sparsity=analyzer.sparsity,
        make_extension=lambda extension, new: extension.copy(new),
        sorting_source=analyzer.get_sorting_provenance,
    )


def sparsified(analyzer: SortingAnalyzer, sparsity: ChannelSparsity) -> SortingAnalyzer:
    """Return a copy in memory with waveforms and templates on the channels of a sparsity only.

    What was computed from them is left out, as it may be different for fewer channels.

    Raises
    ------
    ParameterError
        If it is sparse already, or the sparsity is of other units or channels.
    """
    if analyzer.is_sparse():
        msg = "These waveforms are sparse already; a sparsity can only be given for dense ones."
        raise ParameterError(msg)
    fits = np.array_equal(sparsity.unit_ids, analyzer.unit_ids) and np.array_equal(
        sparsity.channel_ids, analyzer.channel_ids
    )
    if not fits:
        msg = "The sparsity is of other units or channels than the waveforms."
        raise ParameterError(msg)

    def sparse(extension: AnalyzerExtension, new: SortingAnalyzer) -> AnalyzerExtension | None:
        data: dict[str, Any]
        if isinstance(extension, ComputeWaveforms):
            data = {"waveforms": _sparse_waveforms(extension, sparsity)}
        elif isinstance(extension, ComputeTemplates):
            outside = ~sparsity.mask[:, np.newaxis, :]
            data = {key: np.where(outside, 0, values) for key, values in extension.data.items()}
        elif _depends_on_channels(extension):
            return None
        else:
            data = extension.data
        return extension._with_data(new, data)

    return derived(
        analyzer,
        sorting=copied_sorting(analyzer.sorting),
        sparsity=sparsity,
        make_extension=sparse,
        sorting_source=analyzer.get_sorting_provenance,
    )


def _sparse_waveforms(waveforms: ComputeWaveforms, sparsity: ChannelSparsity) -> NDArray[Any]:
    units = random_spikes_of(waveforms.sorting_analyzer).unit_indices()
    channels = np.arange(sparsity.num_channels)
    everything = np.ones_like(sparsity.mask)
    values = waveforms._get_data()
    return repack(values, units, units, everything, sparsity.mask, channels)[0]


def _depends_on_channels(extension: AnalyzerExtension) -> bool:
    made_of = extension.get_any_dependencies(**(extension.params or {}))
    return bool({"waveforms", "templates", "principal_components"} & set(made_of))


def operators_of(modes: Iterable[str], percentile: float | None = None) -> list[Operator]:
    """Return the operators of templates that modes stand for; raises ParameterError.

    Examples
    --------
    >>> operators_of(("average", "percentile"), 20)
    ['average', ('percentile', 20)]
    """
    given = [modes] if isinstance(modes, str) else list(modes)
    if "percentile" in given and percentile is None:
        msg = "The mode 'percentile' needs a number: percentile=..., from 0 to 100."
        raise ParameterError(msg)
    wanted = [("percentile", percentile) if mode == "percentile" else mode for mode in given]
    return list(dict.fromkeys(checked_operators(wanted)))
