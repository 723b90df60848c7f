# Public names of this room, by module; imported when first used.
from .agreement import (
    compute_agreement_score as compute_agreement_score,
    make_agreement_scores as make_agreement_scores,
    make_agreement_scores_from_count as make_agreement_scores_from_count,
)
from .alternations import (
    count_match_spikes as count_match_spikes,
    count_matching_events as count_matching_events,
    make_matching_events as make_matching_events,
)
from .coincidences import (
    do_count_event as do_count_event,
    make_match_count_matrix as make_match_count_matrix,
)
from .collisions import (
    CollisionGTComparison as CollisionGTComparison,
    make_collision_events as make_collision_events,
)
from .ground_truth import (
    GroundTruthComparison as GroundTruthComparison,
    compare_sorter_to_ground_truth as compare_sorter_to_ground_truth,
)
from .performance import (
    compute_performance as compute_performance,
    do_confusion_matrix as do_confusion_matrix,
    do_count_score as do_count_score,
)
from .several_sorters import (
    AgreementSortingExtractor as AgreementSortingExtractor,
    MultiSortingComparison as MultiSortingComparison,
    compare_multiple_sorters as compare_multiple_sorters,
)
from .spike_distances import (
    calculate_agreement_scores_with_distance as calculate_agreement_scores_with_distance,
    calculate_generalized_comparison_metrics as calculate_generalized_comparison_metrics,
    compute_distance_matrix as compute_distance_matrix,
)
from .spike_labels import (
    compare_spike_trains as compare_spike_trains,
    do_score_labels as do_score_labels,
)
from .two_sorters import (
    SymmetricSortingComparison as SymmetricSortingComparison,
    compare_two_sorters as compare_two_sorters,
)
from .unit_matches import (
    make_best_match as make_best_match,
    make_hungarian_match as make_hungarian_match,
    make_possible_match as make_possible_match,
)
