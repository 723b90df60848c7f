import numpy as np
import pytest

from spikeloom.errors import ParameterError
from spikeloom.metrics.snr import snrs

TEMPLATES = np.array([
    [[0.0, 4.0], [-60.0, 2.0], [30.0, 0.0]],
    [[1.0, 0.0], [0.0, 20.0], [0.0, 0.0]],
])


@pytest.mark.parametrize(
    ("method", "expected"),
    [("extremum", [6.0, 4.0]), ("at_index", [6.0, 4.0]), ("peak_to_peak", [9.0, 4.0])],
)
def test_the_ratio_is_that_of_the_main_channel(method, expected):
    assert snrs(TEMPLATES, 1, [0, 1], [10.0, 5.0], method=method).tolist() == expected


def test_the_sign_says_which_way_peaks_go():
    assert snrs(TEMPLATES, 1, [0, 1], [10.0, 5.0], peak_sign="pos").tolist() == [3.0, 4.0]


def test_channels_without_noise_and_unknown_methods():
    assert snrs(TEMPLATES, 1, [0, 1], [0.0, 5.0]).tolist() == [np.inf, 4.0]
    assert np.isnan(snrs(TEMPLATES * 0, 1, [0, 1], [0.0, 0.0])).all()
    assert snrs(np.zeros((0, 3, 2)), 1, [], [1.0, 1.0]).size == 0
    with pytest.raises(ParameterError):
        snrs(TEMPLATES, 1, [0, 1], [1.0, 1.0], method="median")
