import numpy as np
import pytest

from making.projections import clouds, features_of, own_and_others
from spikeloom.errors import DataError, ParameterError
from spikeloom.metrics.pc_features import pc_features, pooled


def by_row(array):
    return sorted(map(tuple, np.sort(array, axis=1).tolist()))


def test_neighbours_have_their_main_channel_among_the_units_channels():
    made = clouds([5, 6, 7, 8])
    features = features_of(made)
    _, _, main, mask = made
    for unit in range(4):
        expected = [other for other in range(4) if other != unit and mask[unit, main[other]]]
        assert features.neighbours[unit].tolist() == expected
    assert 0 < sum(map(len, features.neighbours)) < 12


def test_features_on_other_channels_are_zero_where_a_unit_is_not():
    made = clouds([5, 6, 7, 8])
    features = features_of(made)
    for unit in range(4):
        own, others, _ = own_and_others(made, unit)
        assert by_row(features.on_channels_of(unit, unit)) == by_row(own)
        found = [features.on_channels_of(unit, other) for other in features.neighbours[unit]]
        assert by_row(np.concatenate(found)) == by_row(others)


def test_packed_and_dense_projections_give_the_same():
    points, units, main, mask = clouds([5, 6, 7, 8])
    packed = np.zeros((len(points), 2, mask.sum(axis=1).max()), points.dtype)
    for row, unit in enumerate(units):
        packed[row, :, : mask[unit].sum()] = points[row][:, mask[unit]]
    one = features_of((points, units, main, mask))
    other = pc_features(packed, units, 4, main_channels=main, sparsity_mask=mask, is_packed=True)
    for a, b in zip(one.features, other.features, strict=True):
        assert np.array_equal(a, b)


def test_moments_are_those_of_the_features():
    features = features_of(clouds([9, 8, 7, 0]))
    for unit in range(3):
        parts = [features.moments_on_channels_of(unit, o) for o in features.neighbours[unit]]
        points = np.concatenate([
            features.on_channels_of(unit, o) for o in features.neighbours[unit]
        ]).astype(np.float64)
        found = pooled(parts)
        assert found.n_spikes == len(points)
        assert found.mean == pytest.approx(points.mean(axis=0))
        assert found.scatter == pytest.approx(np.cov(points.T, bias=True) * len(points), abs=1e-5)
    assert features.moments[3].n_spikes == 0


def test_shapes_have_to_fit():
    with pytest.raises(DataError, match="for 3 spikes"):
        pc_features(np.zeros((2, 3, 4)), [0, 1, 0], 2)
    with pytest.raises(DataError, match="another shape"):
        pc_features(np.zeros((2, 3, 4)), [0, 1], 2, main_channels=[0, 0], sparsity_mask=[[1], [1]])
    with pytest.raises(ParameterError, match="main_channels"):
        pc_features(np.zeros((2, 3, 1)), [0, 1], 2, sparsity_mask=[[1], [1]])
