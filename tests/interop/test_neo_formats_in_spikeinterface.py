"""Files of formats that neo reads, opened here and by SpikeInterface: the same, or told why not."""

import json
import subprocess
import warnings

import numpy as np
import pytest

from making.neo_samples import SAMPLES, format_name
from spikeloom.extractors.neo_formats import NEO_FORMATS
from spikeloom.extractors.neo_readers import NEO_FUNCTIONS

pytestmark = pytest.mark.peer

pytest.importorskip("neo.rawio")

# What both take from neo and we put right; their own tests compare with what was written.
MENDED = {
    "axona, tetrodes apart": "ids of channels",
    "openephys_legacy, gap": "samples at borders of gaps",
    "plexon": "samples of blocks that differ in size, the last block, millivolts",
    "plexon, later": "the same, and the start",
    "maxwell, older": "rows without electrodes",
}

# SpikeInterface has no reader of these, or lacks pyedflib.
LEFT_OUT = {"axograph", "brainvision", "edf", "elan", "micromed", "winedr", "winwcp"}

ASK = """
import json, sys, traceback, warnings
import numpy as np
import spikeinterface.extractors as se
from spikeinterface.extractors.neoextractors import *
import spikeinterface.extractors.neoextractors as neo_extractors
warnings.simplefilter("ignore")
answers = {}
for name, (function, path, options) in json.load(sys.stdin).items():
    try:
        recording = getattr(se, function, getattr(neo_extractors, function, None))(path, **options)
        answers[name] = {
            "ids": [str(one) for one in recording.channel_ids],
            "rate": recording.sampling_frequency,
            "gains": recording.get_channel_gains().tolist(),
            "offsets": recording.get_channel_offsets().tolist(),
            "starts": [recording.get_start_time(k) for k in range(recording.get_num_segments())],
            "traces": [recording.get_traces(segment_index=k).astype(float).tolist()
                       for k in range(recording.get_num_segments())],
            "shifts": None if (found := recording.get_property("inter_sample_shift")) is None
                else found.tolist(),
            "locations":
                recording.get_channel_locations().tolist() if recording.has_probe() else None,
        }
    except Exception as error:
        answers[name] = {"error": traceback.format_exc()[-600:]}
print("ANSWER", json.dumps(answers))
"""

NAMES = [name for name in SAMPLES if format_name(name) not in LEFT_OUT and name not in MENDED]


@pytest.fixture(scope="module")
def both(peer_python, tmp_path_factory):
    """Samples, and what SpikeInterface says of them."""
    folder = tmp_path_factory.mktemp("samples")
    samples = {name: make(folder / f"s{k}") for k, (name, make) in enumerate(SAMPLES.items())}
    questions = {}
    for name in NAMES:
        sample, kind = samples[name], format_name(name)
        options = dict(sample.options)
        if kind == "biocam":
            options["fill_gaps_strategy"] = "zeros"
        if kind == "maxwell":
            options["install_maxwell_plugin"] = False
        if name == "blackrock, paused":
            options["gap_tolerance_ms"] = 1.0
        function = NEO_FORMATS[kind].function
        function = {"openephys_legacy": "read_openephys"}.get(kind, function)
        path = sample.path
        if kind == "neuroscope":
            path = next(
                path.with_suffix(end) for end in (".dat", ".lfp") if path.with_suffix(end).exists()
            )
        questions[name] = (function, str(path), options)
    process = subprocess.run(
        [peer_python, "-c", ASK],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    line = next(line for line in process.stdout.splitlines() if line.startswith("ANSWER "))
    return samples, json.loads(line.removeprefix("ANSWER "))


@pytest.mark.parametrize("name", NAMES)
def test_what_spikeinterface_reads(name, both):
    samples, answers = both
    theirs = answers[name]
    assert "error" not in theirs, theirs["error"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = NEO_FUNCTIONS[format_name(name)](samples[name].path, **samples[name].options)
    assert ours.channel_ids.tolist() == theirs["ids"]
    assert ours.sampling_frequency == theirs["rate"]
    np.testing.assert_allclose(ours.get_channel_gains(), theirs["gains"])
    np.testing.assert_allclose(ours.get_channel_offsets(), theirs["offsets"])
    for k, traces in enumerate(theirs["traces"]):
        np.testing.assert_array_equal(ours.get_traces(k), traces)
        assert ours.get_start_time(k) == pytest.approx(theirs["starts"][k])
    if theirs["shifts"] is not None:
        np.testing.assert_allclose(ours.get_property("inter_sample_shift"), theirs["shifts"])
    if theirs["locations"] is not None:
        np.testing.assert_allclose(ours.get_channel_locations(), theirs["locations"])
