import numpy as np
import pytest

from spikeloom.errors import ParameterError
from spikeloom.generation.probes import two_column_probe


def test_channels_alternate_between_two_columns_from_the_tip_up():
    positions = two_column_probe(32)
    assert positions.shape == (32, 2)
    assert set(positions[0::2, 0]) == {0.0}
    assert set(positions[1::2, 0]) == {32.0}
    np.testing.assert_array_equal(np.diff(positions[:, 1]), 20.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_channels": 0}, "at least one channel"), ({"step_um": 0.0}, "step_um=0.0")],
)
def test_impossible_probes_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        two_column_probe(**options)
