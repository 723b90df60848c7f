import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.spatial.distance import pdist

from spikeloom.errors import ParameterError
from spikeloom.generation.template_shapes import generate_channel_locations
from spikeloom.generation.unit_locations import generate_unit_locations

CHANNELS = generate_channel_locations(32, 2, 20.0)


@given(st.integers(0, 60), st.integers(0, 1000), st.sampled_from(["uniform", "multimodal"]))
def test_units_lie_around_the_probe_and_apart(n_units, seed, distribution):
    options = {"minimum_distance": 15.0, "distribution": distribution, "margin_um": 30.0}
    places = generate_unit_locations(
        n_units, CHANNELS, maximum_z=90.0, seed=seed, distance_strict=True, **options
    )
    assert places.shape == (n_units, 3)
    assert np.all((places >= [-30, -30, 5]) & (places <= [50, 330, 90]))
    if n_units > 1:
        assert pdist(places).min() >= 15.0


def test_seeds_decide():
    first, again, other = (generate_unit_locations(9, CHANNELS, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_layers_are_layers():
    options = {"minimum_distance": None, "margin_um": 0.0, "seed": 0}
    layers = generate_unit_locations(
        3000, CHANNELS, distribution="multimodal", num_modes=2, **options
    )
    even = generate_unit_locations(3000, CHANNELS, **options)
    # 300 um, layers at 100 and 200.
    counts, even_counts = (
        np.histogram(places[:, 1], [0, 55, 145, 155, 245, 300])[0] for places in (layers, even)
    )
    assert counts[[1, 3]].sum() > 0.9 * 3000
    np.testing.assert_allclose(even_counts / 3000 * 300, [55, 90, 10, 90, 55], atol=8)


def test_too_many_units_are_told_of():
    with pytest.warns(UserWarning, match="minimum_distance"):
        generate_unit_locations(100, CHANNELS[:2], minimum_distance=50.0, max_iteration=3, seed=0)
    with pytest.raises(ParameterError, match="minimum_distance"):
        generate_unit_locations(
            100, CHANNELS[:2], minimum_distance=50.0, max_iteration=3, distance_strict=True
        )


@pytest.mark.parametrize(
    "options", [{"distribution": "cubic"}, {"num_modes": 0}, {"num_units": -1}, {"seed": -1}]
)
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(ParameterError):
        generate_unit_locations(**{"num_units": 3, "channel_locations": CHANNELS, **options})


def test_channels_need_coordinates():
    with pytest.raises(ParameterError, match="shape"):
        generate_unit_locations(3, [1.0, 2.0])
