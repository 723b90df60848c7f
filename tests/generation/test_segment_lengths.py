import pytest

from spikeloom.errors import ParameterError
from spikeloom.generation.segment_lengths import segment_lengths


def test_samples_are_whole():
    assert segment_lengths([0.0, 1.5, 0.10005], 10_000.0) == [0, 15_000, 1000]


@pytest.mark.parametrize(
    ("durations", "rate"), [([], 1e4), ([-1.0], 1e4), ([1.0], 0.0), ([float("nan")], 1e4)]
)
def test_what_makes_no_sense_is_refused(durations, rate):
    with pytest.raises(ParameterError):
        segment_lengths(durations, rate)
