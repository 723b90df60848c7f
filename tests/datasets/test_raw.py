"""Raw data as a dataset without spikes, and what an app does with it."""

import time

import numpy as np
import pytest

import spikeloom as si
from making.hashes import folder_state
from spikeloom.app.commands import CommandContext, handle
from spikeloom.app.kept_state import KeptState
from spikeloom.app.messages import FindSpike, MergeClusters, MoveClusters, Save, WizardStep
from spikeloom.app.routes import dataset_info
from spikeloom.app.sessions import session_of
from spikeloom.app.view_frames import FrameRequest, compute_frame
from spikeloom.app.warm_up import warm_up
from spikeloom.datasets.raw import as_raw_dataset, open_raw_dataset
from spikeloom.engine.cancellation import CancelToken
from spikeloom.errors import DataError
from spikeloom.viewdata.traces import TraceParams, compute_traces
from spikeloom.viewdata.views import VIEWS

FOUR = {"n_channels": 4, "dtype": "int16", "sample_rate": 15000}


@pytest.fixture
def values(data_folder):
    return np.fromfile(data_folder / "locust_tdc" / "locust_trial_01.raw", "<i2").reshape(-1, 4)


@pytest.fixture
def paths(values, tmp_path):
    """The locust tetrode in two files."""
    folder = tmp_path / "session"
    folder.mkdir()
    made = [folder / "1.dat", folder / "2.dat"]
    values[:150_000].tofile(made[0])
    values[150_000:].tofile(made[1])
    return made


@pytest.fixture
def app_session(paths):
    return session_of(open_raw_dataset(paths, **FOUR))


def test_traces_across_files_are_those_of_the_raw_data(app_session, values):
    params = TraceParams(start_s=9.99, end_s=10.01, is_filtered=False)
    shown = compute_traces(app_session.context(CancelToken()), [], params)
    block = values[149_850:150_150].astype(np.float64)
    expected = (block - np.median(block, axis=0)).T
    assert shown.order == [0, 1, 2, 3]
    np.testing.assert_allclose(shown.values * shown.scale, expected, rtol=0, atol=shown.scale)
    assert shown.unit == "raw units"
    assert shown.duration_s == pytest.approx(431_548 / 15000)


def test_the_page_is_told_of_files_and_that_nothing_is_sorted(app_session, paths):
    info = dataset_info(app_session.model, "traces")
    assert not info.is_sorted
    assert [(one.label, one.start_s) for one in info.stretches] == [("1.dat", 0.0), ("2.dat", 10.0)]
    assert info.folder == str(paths[0].parent)
    assert info.n_spikes == 0
    assert info.n_channels == 4
    alone = session_of(open_raw_dataset(paths[:1], **FOUR))
    assert dataset_info(alone.model, "traces").stretches == []


def test_every_view_can_be_asked_and_shows_nothing_where_there_are_no_spikes(app_session):
    warm_up(app_session).join()
    for name in VIEWS:
        frame = compute_frame(app_session.context(CancelToken()), FrameRequest(name, (), 0, ()))
        assert len(frame) > 10


@pytest.mark.parametrize(
    "command",
    [
        Save(),
        MergeClusters(),
        MoveClusters(group="good"),
        FindSpike(cluster_id=0, time_s=0.0, step=1),
    ],
)
def test_commands_about_spikes_change_no_file(app_session, paths, command):
    before = folder_state(paths[0].parent)
    context = CommandContext(app_session, KeptState.of("traces", app_session.model.folder))
    reply = handle(context, command).reply
    if isinstance(command, Save):
        assert "raw data without spikes" in reply.error.text
    handle(context, WizardStep(step="next"))
    assert folder_state(paths[0].parent) == before
    assert not app_session.session.workspace.is_dirty


def test_a_journal_beside_raw_data_is_no_business_of_theirs(app_session, paths):
    journal = paths[0].parent / ".spikeloom" / "journal.jsonl"
    journal.parent.mkdir()
    journal.write_text('{"kind": "base", "fingerprint": "x", "n_spikes": 3}\n')
    assert session_of(open_raw_dataset(paths, **FOUR)).recovery is None


def test_gains_and_probes_reach_the_view(paths, tmp_path, values):
    prb = tmp_path / "four.prb"
    prb.write_text(
        "channel_groups = {0: {'channels': [0, 1, 2, 3],"
        " 'geometry': {0: (0, 60), 1: (0, 40), 2: (0, 20), 3: (0, 0)}}}"
    )
    dataset = open_raw_dataset(paths, **FOUR, gain_to_uV=0.5, probe=prb)
    assert dataset.gain_uV == 0.5
    params = TraceParams(start_s=0.0, end_s=0.01, is_filtered=False)
    shown = compute_traces(session_of(dataset).context(CancelToken()), [], params)
    assert shown.order == [3, 2, 1, 0]
    assert shown.unit == "µV"
    block = 0.5 * values[:150].astype(np.float64)
    expected = (block - np.median(block, axis=0)).T
    np.testing.assert_allclose(shown.values * shown.scale, expected, rtol=0, atol=shown.scale)


def test_channels_of_different_gains_are_shown_in_microvolts():
    recording = si.NumpyRecording([np.full((100, 2), 10, np.int16)], 1000.0)
    recording.set_channel_gains([1.0, 3.0])
    recording.set_channel_offsets(0.0)
    dataset = as_raw_dataset(si.TraceFilesRecording([recording], ["a"]), "a", None)
    assert dataset.gain_uV == 1.0
    np.testing.assert_array_equal(dataset.traces.read(5, 7), [[10, 30], [10, 30]])


def test_a_file_without_samples_is_told(tmp_path):
    (tmp_path / "empty.dat").touch()
    with pytest.raises(DataError, match=r"empty\.dat has no samples"):
        open_raw_dataset([tmp_path / "empty.dat"], **FOUR)


def test_a_huge_file_opens_at_once(tmp_path):
    huge = tmp_path / "huge.dat"
    with huge.open("wb") as file:
        file.truncate(100 << 30)
    start = time.process_time()
    dataset = open_raw_dataset([huge], n_channels=384, dtype="int16", sample_rate=30000)
    app_session = session_of(dataset)
    assert time.process_time() - start < 0.2
    params = TraceParams(start_s=4000.0, end_s=4000.25)
    shown = compute_traces(app_session.context(CancelToken()), [], params)
    assert shown.n_channels == 384
