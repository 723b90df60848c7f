# Public names of this room, by module; imported when first used.
from .analyzer import SortingAnalyzer as SortingAnalyzer
from .applied_curation import (
    apply_curation as apply_curation,
    apply_curation_labels as apply_curation_labels,
)
from .auto_merging import (
    auto_merge_units as auto_merge_units,
    compute_merge_unit_groups as compute_merge_unit_groups,
    get_potential_auto_merge as get_potential_auto_merge,
)
from .core_extensions import (
    ComputeNoiseLevels as ComputeNoiseLevels,
    ComputeRandomSpikes as ComputeRandomSpikes,
    ComputeTemplates as ComputeTemplates,
    ComputeWaveforms as ComputeWaveforms,
    compute_noise_levels as compute_noise_levels,
    compute_random_spikes as compute_random_spikes,
    compute_templates as compute_templates,
    compute_waveforms as compute_waveforms,
)
from .creation import create_sorting_analyzer as create_sorting_analyzer
from .extension import (
    AnalyzerExtension as AnalyzerExtension,
    get_available_analyzer_extensions as get_available_analyzer_extensions,
    get_default_analyzer_extension_params as get_default_analyzer_extension_params,
    get_extension_class as get_extension_class,
    register_result_extension as register_result_extension,
)
from .loading import (
    load_sorting_analyzer as load_sorting_analyzer,
    load_sorting_analyzer_or_waveforms as load_sorting_analyzer_or_waveforms,
)
from .redundant_units import (
    find_redundant_units as find_redundant_units,
    remove_redundant_units as remove_redundant_units,
)
from .sortingview_curation import apply_sortingview_curation as apply_sortingview_curation
from .waveform_creation import extract_waveforms as extract_waveforms
from .waveform_extractor import (
    MockWaveformExtractor as MockWaveformExtractor,
    WaveformExtractor as WaveformExtractor,
)
from .waveform_loading import load_waveforms as load_waveforms
