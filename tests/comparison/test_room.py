import pytest

import spikeloom.comparison
from making.processes import run_python

# Those that users of SpikeInterface know, but for comparisons of templates.
KNOWN = """
    CollisionGTComparison GroundTruthComparison MultiSortingComparison SymmetricSortingComparison
    compare_multiple_sorters compare_sorter_to_ground_truth compare_spike_trains compare_two_sorters
    compute_agreement_score compute_performance count_match_spikes count_matching_events
    do_confusion_matrix do_count_event do_count_score do_score_labels make_agreement_scores
    make_best_match make_hungarian_match make_match_count_matrix make_possible_match
"""


@pytest.mark.parametrize("name", sorted({*KNOWN.split(), *spikeloom.comparison.__all__}))
def test_every_name_is_there(name):
    assert name in spikeloom.comparison.__all__
    assert callable(getattr(spikeloom.comparison, name))


def test_nothing_heavy_comes_with_the_names():
    code = """
        import sys
        import spikeloom.comparison as comparison
        for name in comparison.__all__:
            getattr(comparison, name)
        print([m for m in ("numba", "pandas", "scipy", "networkx") if m in sys.modules])
    """
    assert run_python(code).strip() == "[]"
