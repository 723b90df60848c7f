import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.channel_geometry import (
    get_channel_distances,
    get_closest_channels,
    order_channels_by_depth,
)
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.errors import ParameterError

points = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=8)


def make_recording(locations):
    ids = [f"c{k}" for k in range(len(locations))]
    recording = NumpyRecording([np.zeros((5, len(ids)))], 1000.0, channel_ids=ids)
    # As a property: several contacts in one place are no probe that could be made.
    recording.set_channel_locations(np.asarray(locations, np.float64).reshape(-1, 2))
    return recording


@given(points)
def test_distances(locations):
    distances_um = get_channel_distances(make_recording(locations))
    for i, one in enumerate(locations):
        for j, other in enumerate(locations):
            assert distances_um[i, j] == pytest.approx(np.hypot(*np.subtract(one, other)))


@given(points, st.integers(0, 9))
def test_no_channel_is_its_own_neighbour(locations, n_wanted):
    indices, distances_um = get_closest_channels(make_recording(locations), num_channels=n_wanted)
    n_others = min(n_wanted, len(locations) - 1)
    assert indices.shape == distances_um.shape == (len(locations), n_others)
    for k, (near, how_near) in enumerate(zip(indices, distances_um, strict=True)):
        others = [np.hypot(*np.subtract(locations[k], other)) for other in locations]
        del others[k]
        assert k not in near
        assert len(set(near)) == n_others
        np.testing.assert_allclose(how_near, sorted(others)[:n_others])


def test_neighbours_among_some_channels():
    recording = make_recording([[0, 0], [0, 10], [0, 15], [0, 40]])
    indices, distances_um = get_closest_channels(recording, channel_ids=["c3", "c0"])
    np.testing.assert_array_equal(indices, [[1], [0]])
    np.testing.assert_array_equal(distances_um, [[40], [40]])
    with pytest.raises(ParameterError):
        get_closest_channels(recording, num_channels=-1)


@given(points, st.sampled_from([("x", "y"), ("y", "x"), "x", "y"]), st.booleans())
def test_channels_are_ordered(locations, dimensions, flip):
    recording = make_recording(locations)
    order, back = order_channels_by_depth(recording, dimensions=dimensions, flip=flip)
    keys = [
        tuple(location["xy".index(axis)] for axis in reversed(dimensions)) for location in locations
    ]
    in_order = [keys[k] for k in order]
    assert in_order == sorted(in_order, reverse=flip)
    np.testing.assert_array_equal(order[back], np.arange(len(locations)))


def test_some_channels_are_ordered_among_themselves():
    recording = make_recording([[0, 40], [0, 0], [0, 20]])
    order, _ = order_channels_by_depth(recording, channel_ids=["c2", "c0"])
    np.testing.assert_array_equal(order, [0, 1])
    for dimensions in ("z", ("x", "w"), ()):
        with pytest.raises(ParameterError):
            order_channels_by_depth(recording, dimensions=dimensions)


def test_positions_are_needed():
    with pytest.raises(ParameterError, match="no probe"):
        get_channel_distances(NumpyRecording([np.zeros((5, 2))], 1000.0))
