# Public names of this room, by module; imported when first used.
from .aligned_sortings import align_sorting as align_sorting
from .bombcell_labels import (
    bombcell_get_default_thresholds as bombcell_get_default_thresholds,
    bombcell_label_units as bombcell_label_units,
    save_bombcell_results as save_bombcell_results,
)
from .curation_format import (
    curation_from_dict as curation_from_dict,
    load_curation as load_curation,
    validate_curation_dict as validate_curation_dict,
)
from .curation_model import (
    Curation as Curation,
    LabelDefinition as LabelDefinition,
    ManualLabel as ManualLabel,
    Merge as Merge,
    SequentialCuration as SequentialCuration,
    Split as Split,
)
from .duplicated_spikes import (
    RemoveDuplicatedSpikesSorting as RemoveDuplicatedSpikesSorting,
    find_duplicated_spikes as find_duplicated_spikes,
    remove_duplicated_spikes as remove_duplicated_spikes,
)
from .merged_sorting import (
    MergeUnitsSorting as MergeUnitsSorting,
    merge_units_sorting as merge_units_sorting,
)
from .merging_graph import (
    resolve_merging_graph as resolve_merging_graph,
    resolve_pairs as resolve_pairs,
)
from .sorting_curation import (
    CurationSorting as CurationSorting,
    curation_sorting as curation_sorting,
)
from .split_sorting import (
    SplitUnitSorting as SplitUnitSorting,
    split_unit_sorting as split_unit_sorting,
)
from .unit_labels import (
    curation_label_to_dataframe as curation_label_to_dataframe,
    curation_label_to_vectors as curation_label_to_vectors,
    get_labeling_summary as get_labeling_summary,
    threshold_metrics_label_units as threshold_metrics_label_units,
)
