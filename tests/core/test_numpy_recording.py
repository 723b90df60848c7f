import pickle

import numpy as np
import pytest

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.errors import ParameterError

TRACES = np.arange(12.0).reshape(3, 4)


def test_arrays_are_used_as_they_are():
    recording = NumpyRecording([TRACES], sampling_frequency=10.0)
    assert np.shares_memory(recording.get_traces(), TRACES)
    assert recording.channel_ids.tolist() == [0, 1, 2, 3]


def test_a_single_array_is_a_segment():
    assert NumpyRecording(traces_list=TRACES, sampling_frequency=10.0).get_num_segments() == 1


@pytest.mark.parametrize("copy", [lambda r: r.clone(), lambda r: pickle.loads(pickle.dumps(r))])
def test_copies_keep_ids_times_and_what_was_said(copy):
    recording = NumpyRecording(
        [TRACES, TRACES[:1]], 10.0, t_starts=[1.0, None], channel_ids=list("wxyz")
    )
    recording.set_property("depth", [1.0, 2.0, 3.0, 4.0])
    recording.annotate(rat="R1")
    again = copy(recording)
    assert again.channel_ids.tolist() == list("wxyz")
    assert again.get_segment_t_starts() == [1.0, None]
    assert again.get_property("depth").tolist() == [1, 2, 3, 4]
    assert again.get_annotation("rat") == "R1"
    np.testing.assert_array_equal(again.get_traces(1), TRACES[:1])


def test_no_channels_and_no_samples():
    recording = NumpyRecording([np.zeros((0, 2), np.int16), np.zeros((3, 2), np.int16)], 10.0)
    assert recording.get_traces(0).shape == (0, 2)
    assert recording.get_total_samples() == 3
    none = NumpyRecording([np.zeros((3, 0), np.int16)], 10.0)
    assert none.get_num_channels() == 0
    assert none.get_traces().shape == (3, 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"traces_list": [TRACES]}, "needs sampling_frequency"),
        ({"traces_list": [], "sampling_frequency": 1.0}, "got none"),
        ({"traces_list": [np.zeros(3)], "sampling_frequency": 1.0}, "got \\(3,\\)"),
        (
            {"traces_list": [TRACES, TRACES[:, :1]], "sampling_frequency": 1.0},
            "4 channels of float64, 1 channels of float64",
        ),
        (
            {"traces_list": [TRACES, TRACES.astype("f4")], "sampling_frequency": 1.0},
            "4 channels of float32",
        ),
        (
            {"traces_list": [TRACES], "sampling_frequency": 1.0, "channel_ids": [1, 2]},
            "2 channel ids do not fit traces of 4 channels",
        ),
        (
            {"traces_list": [TRACES], "sampling_frequency": 1.0, "channel_ids": [1, 2, 2, 3]},
            "more than once",
        ),
        (
            {"traces_list": [TRACES], "sampling_frequency": 1.0, "t_starts": [0.0, 1.0]},
            "one time for each of the 1 segments; got 2",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments, says):
    with pytest.raises(ParameterError, match=says):
        NumpyRecording(**arguments)
