import json

import numpy as np
import pytest

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.recording_attributes import do_recording_attributes_match, get_rec_attributes
from spikeloom.storage.provenance_json import encode_json


def make_recording(**changes):
    options = {"n_samples": 10, "fs": 1000.0, "dtype": "int16", "ids": ["a", "b"]} | changes
    traces = np.zeros((options["n_samples"], len(options["ids"])), options["dtype"])
    return NumpyRecording([traces], options["fs"], channel_ids=options["ids"])


def test_attributes_are_copies():
    recording = make_recording()
    recording.set_channel_gains(2.0)
    attributes = get_rec_attributes(recording)
    attributes["properties"]["gain_to_uV"][:] = 0
    assert recording.get_channel_gains().tolist() == [2, 2]
    assert attributes["num_samples"] == [10]
    assert attributes["is_filtered"] is False


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({}, None),
        ({"fs": 2000.0}, "sampling_frequency"),
        ({"n_samples": 9}, "num_samples"),
        ({"dtype": "float32"}, "dtype"),
        ({"ids": ["a", "c"]}, "channel_ids"),
        ({"ids": ["a", "b", "c"]}, "num_channels"),
    ],
)
def test_recordings_are_compared_with_what_a_file_says(changes, differing):
    kept = json.loads(encode_json(get_rec_attributes(make_recording())))
    is_match, message = do_recording_attributes_match(make_recording(**changes), kept)
    assert is_match is (differing is None)
    assert message == "" if differing is None else differing in message
    if differing == "dtype":
        others = make_recording(**changes)
        assert do_recording_attributes_match(others, kept, check_dtype=False) == (True, "")
