"""Traces that we write to NWB files are those that SpikeInterface reads of them."""

from datetime import UTC, datetime

import numpy as np
import pytest

import spikeloom as si
from making.object_facts import FACTS
from making.peers import ask_peer, facts_of_peer
from making.reader_cases import Case

pytestmark = pytest.mark.peer

SAME = [
    *("ids", "rate", "n_samples", "starts", "times/0", "all/0", "gains", "offsets", "positions"),
    *("property/quality", "property/brain_area"),
]


def test_spikeinterface_reads_what_was_written(peer_python, tmp_path):
    recording, _ = si.generate_ground_truth_recording([1.0], num_channels=4, num_units=2, seed=0)
    recording = recording.rename_channels(["a", "b", "c", "d"])
    recording.set_channel_gains([0.1, 0.2, 0.3, 0.4])
    recording.set_channel_offsets([5.0, 6.0, 7.0, 8.0])
    recording.set_property("quality", ["good", "bad", "µ", ""])
    recording.set_property("brain_area", ["CA1", "CA1", "CA3", "CA3"])
    recording.shift_times(2.5)
    path = tmp_path / "traces.nwb"
    start = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    si.export_recording_to_nwb(recording, path, session_start_time=start)
    ask_peer(peer_python, tmp_path, {"nwb": Case("recording", "read_nwb_recording", path)})
    theirs, ours = facts_of_peer(tmp_path, "nwb"), FACTS["recording"](recording)
    for name in SAME:
        if np.asarray(ours[name]).dtype.kind == "f":
            np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-6, err_msg=name)
        else:
            np.testing.assert_array_equal(theirs[name], ours[name], err_msg=name)
