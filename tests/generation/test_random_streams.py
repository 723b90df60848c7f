import pytest

from spikeloom.errors import ParameterError
from spikeloom.generation.random_streams import Purpose, random_stream


def test_streams_differ_by_seed_purpose_and_indices():
    draws = {
        random_stream(seed, purpose, *indices).integers(1 << 60)
        for seed in (0, 1)
        for purpose in (Purpose.NOISE, Purpose.FIELD)
        for indices in ((), (0,), (1,), (0, 1))
    }
    assert len(draws) == 16


def test_what_a_seed_stands_for_does_not_change():
    # Numbers of this release: datasets made from a seed must stay the same.
    draws = random_stream(7, Purpose.NOISE, 3).integers(0, 1000, 5)
    assert draws.tolist() == [894, 913, 50, 899, 91]


def test_a_negative_seed_is_refused():
    with pytest.raises(ParameterError, match="seed=-1 is negative"):
        random_stream(-1, Purpose.NOISE)
