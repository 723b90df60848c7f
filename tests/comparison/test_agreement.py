import numpy as np
import pytest
from hypothesis import given

from making.compared import DELTA, pairs_of_segment_lists, sorting_of
from reference import coincidences as twin
from spikeloom.comparison import (
    calculate_agreement_scores_with_distance,
    calculate_generalized_comparison_metrics,
    compute_agreement_score,
    compute_distance_matrix,
    do_count_event,
    make_agreement_scores,
    make_agreement_scores_from_count,
    make_match_count_matrix,
)
from spikeloom.errors import ParameterError


@given(pairs_of_segment_lists)
def test_agreement_is_what_is_common_over_all(pair):
    one, two = map(sorting_of, pair)
    counts = make_match_count_matrix(one, two, DELTA, ensure_symmetry=True)
    n_one, n_two = do_count_event(one), do_count_event(two)
    scores = make_agreement_scores(one, two, DELTA)
    assert scores.equals(make_agreement_scores_from_count(counts, n_one, n_two))
    assert np.all((scores >= 0) & (scores <= 1))
    assert make_agreement_scores(two, one, DELTA).T.equals(scores)
    for unit1 in one.unit_ids.tolist():
        for unit2 in two.unit_ids.tolist():
            score = compute_agreement_score(counts.at[unit1, unit2], n_one[unit1], n_two[unit2])
            assert scores.at[unit1, unit2] == score


def test_no_burst_makes_an_agreement_above_one():
    # A spike of the second train counts for the first and the third of the other.
    one, two = sorting_of([[[0, 1]]]), sorting_of([[[0, 1, 2]]])
    assert make_agreement_scores(one, two, DELTA).to_numpy().tolist() == [[2 / 3]]


@given(pairs_of_segment_lists)
def test_distances_are_those_of_boxes(pair):
    one, two = map(sorting_of, pair)
    overlaps = sum(
        np.array([[twin.overlap(a, b, DELTA) for b in lists[1]] for a in lists[0]]).reshape(
            len(lists[0]), len(lists[1])
        )
        for lists in zip(*pair, strict=True)
    )
    norms = [
        sum(np.array([twin.overlap(a, a, DELTA) for a in units], np.int64) for units in segments)
        for segments in pair
    ]
    distances, products = compute_distance_matrix(one, two, DELTA, return_dot_product=True)
    assert products.tolist() == overlaps.tolist()
    squared = norms[0][:, np.newaxis] + norms[1] - 2 * overlaps
    np.testing.assert_allclose(distances**2, squared, atol=1e-9)
    metrics = calculate_generalized_comparison_metrics(one, two, DELTA)
    scores = calculate_agreement_scores_with_distance(one, two, DELTA).to_numpy()
    np.testing.assert_array_equal(metrics["accuracy"], scores)
    for name in ("accuracy", "recall", "precision", "cosine_similarity"):
        assert np.all((metrics[name] >= 0) & np.isfinite(metrics[name]))


def test_equal_trains_are_at_no_distance():
    one = sorting_of([[[100, 105, 200], [], [50]]])
    distances = compute_distance_matrix(one, one, DELTA)
    assert np.diag(distances).tolist() == [0, 0, 0]
    scores = calculate_agreement_scores_with_distance(one, one, DELTA).to_numpy()
    assert np.diag(scores).tolist() == [1, 0, 1]  # nothing is no agreement


def test_a_negative_distance_is_refused():
    one = sorting_of([[[1]]])
    with pytest.raises(ParameterError, match="not negative"):
        compute_distance_matrix(one, one, -1)
