"""Opening, crashing, recovering, looking from elsewhere."""

import shutil
import signal
import sys

import numpy as np
import pytest

from making.hashes import folder_state
from making.phy_folders import N_SPIKES, write_phy_folder
from making.processes import run_python, start_python
from making.sessions import labels_of
from spikeloom.app.sessions import recover, save, set_aside
from spikeloom.errors import ChangedOnDiskError, CurationError, JournalError, LockedError
from spikeloom.exporters import phy_curation
from spikeloom.storage.atomic import replace_together

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="uses capabilities of Linux")
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="uses signals")

FIFTY_EDITS = """
    import os, signal, sys
    from pathlib import Path
    from spikeloom.app.sessions import open_session, save

    app_session = open_session(Path(sys.argv[1]))
    session = app_session.session
    for k in range(50):
        ids = session.workspace.state.cluster_ids
        match k % 6:
            case 0:
                session.select(ids[:2])
                session.merge()
            case 1:
                session.split(session.workspace.state.spikes[ids[-1]][::2])
            case 2:
                session.label("note", f"number {k}", cluster_ids=ids[-1:])
            case 3:
                session.select(ids[1:2], ids[2:3])
                session.move("good")
            case 4:
                session.undo()
            case 5:
                session.redo()
    state = session.workspace.state
    print(session.spike_clusters.tolist())
    print(sorted((n, sorted((i, v) for i, v in c.items() if i in state.spikes))
                 for n, c in state.labels.items()))
    print(len(session.workspace.history.done), flush=True)
"""


def state_lines(session):
    labels = sorted(
        (name, sorted((i, v) for i, v in column.items() if i in session.workspace.state.spikes))
        for name, column in session.workspace.state.labels.items()
    )
    return [str(session.spike_clusters.tolist()), str(labels)]


@needs_posix
def test_fifty_edits_survive_kill_9_and_can_be_undone(dataset, open_dataset):
    before = open_dataset(dataset)
    clusters, labels = before.session.spike_clusters.copy(), labels_of(before.session)
    process = start_python(FIFTY_EDITS + "    signal.pause()\n", dataset)
    lines = [process.stdout.readline().strip() for _ in range(3)]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = open_dataset(dataset)
    assert again.recovery.n_edits == 50
    assert again.recovery.problem is None
    np.testing.assert_array_equal(again.session.spike_clusters, clusters)
    assert "50 unsaved edits" in recover(again)
    assert again.recovery is None
    assert state_lines(again.session) == lines[:2]
    n_done = len(again.session.workspace.history.done)
    assert n_done == int(lines[2])
    assert again.session.workspace.is_dirty
    for _ in range(n_done):
        again.session.undo()
    np.testing.assert_array_equal(again.session.spike_clusters, clusters)
    assert str(labels_of(again.session)) == str(labels)


@needs_posix
def test_recovered_edits_survive_the_next_crash_too(dataset, open_dataset):
    run_python(FIFTY_EDITS + "    os._exit(1)\n", dataset, code_expected=1)
    run_python(
        """
        import os, sys
        from pathlib import Path
        from spikeloom.app.sessions import open_session, recover

        app_session = open_session(Path(sys.argv[1]))
        recover(app_session)
        session = app_session.session
        session.label("after", 1, cluster_ids=session.workspace.state.cluster_ids[:1])
        session.undo()
        session.undo()
        os._exit(1)
        """,
        dataset,
        code_expected=1,
    )
    again = open_dataset(dataset)
    assert again.recovery.n_edits == 53
    recover(again)
    save(again)
    assert open_dataset(dataset).recovery is None


def crashed(dataset, act="session.merge([0, 1])"):
    """Edit a dataset in a process that dies without saving."""
    run_python(
        f"""
        import os, sys
        from pathlib import Path
        from spikeloom.app.sessions import open_session, recover, save

        app_session = open_session(Path(sys.argv[1]))
        session = app_session.session
        {act}
        os._exit(1)
        """,
        dataset,
        code_expected=1,
    )


def test_until_the_question_is_answered_nothing_can_be_edited_or_saved(dataset, open_dataset):
    crashed(dataset)
    app_session = open_dataset(dataset)
    before = app_session.session.workspace
    for act in (
        lambda: app_session.session.merge([2, 3]),
        lambda: app_session.session.label("x", 1, cluster_ids=[2]),
        lambda: save(app_session),
    ):
        with pytest.raises(CurationError, match=r"[Rr]ecover"):
            act()
    assert app_session.session.workspace is before
    app_session.session.select([2])  # looking is allowed


def test_declining_sets_the_edits_aside_and_goes_on(dataset, open_dataset):
    crashed(dataset)
    app_session = open_dataset(dataset)
    text = set_aside(app_session)
    (aside,) = (dataset / ".spikeloom").glob("journal-set-aside-*.jsonl")
    assert str(aside) in text
    app_session.session.merge([2, 3])
    assert app_session.session.spike_clusters.max() == 6
    app_session.journal.close()
    again = open_dataset(dataset)
    assert again.recovery.n_edits == 1
    recover(again)
    assert set(again.session.workspace.state.spikes) == {0, 1, 4, 5, 6}


@pytest.mark.parametrize("answer", [recover, set_aside])
def test_there_is_nothing_to_answer_without_unsaved_edits(dataset, open_dataset, answer):
    with pytest.raises(CurationError, match="no unsaved edits"):
        answer(open_dataset(dataset))


def test_edits_undone_after_a_save_survive_a_crash(dataset, open_dataset):
    crashed(
        dataset,
        "session.merge([0, 1]); session.move('noise', cluster_ids=[6]); save(app_session);"
        " session.undo(); session.undo(); session.label('note', 'x', cluster_ids=[2])",
    )
    app_session = open_dataset(dataset)
    assert app_session.session.spike_clusters.max() == 6
    assert app_session.recovery.n_edits == 3
    recover(app_session)
    assert set(app_session.session.workspace.state.spikes) == {0, 1, 2, 3, 4, 5}
    assert app_session.session.workspace.state.labels_of(0)["group"] == "good"
    assert app_session.session.workspace.state.label("note", 2) == "x"
    assert app_session.session.workspace.is_dirty
    save(app_session)
    again = open_dataset(dataset)
    assert again.recovery is None
    assert again.model.labels["group"] == {0: "good", 1: "mua", 2: "noise"}


def test_edits_of_files_that_another_program_changed_cannot_be_applied_but_are_kept(
    dataset, open_dataset
):
    crashed(dataset)
    others = np.load(dataset / "spike_clusters.npy")
    others[0] = 50
    np.save(dataset / "spike_clusters.npy", others)
    app_session = open_dataset(dataset)
    assert "another program" in app_session.recovery.problem
    with pytest.raises(CurationError, match="another program"):
        recover(app_session)
    set_aside(app_session)
    app_session.session.merge([2, 3])
    assert list((dataset / ".spikeloom").glob("journal-set-aside-*.jsonl"))


def test_a_journal_that_cannot_be_read_at_all_does_not_keep_a_dataset_shut(dataset, open_dataset):
    (dataset / ".spikeloom" / "journal.jsonl").mkdir(parents=True)
    app_session = open_dataset(dataset)
    assert app_session.recovery is None
    with pytest.raises(JournalError, match="cannot be opened"):
        app_session.session.merge([0, 1])
    assert app_session.session.spike_clusters.max() == 5


def test_a_journal_whose_reading_fails_does_not_keep_a_dataset_shut(
    dataset, open_dataset, monkeypatch, caplog
):
    crashed(dataset)

    def refuse(path):
        raise JournalError(5, f"The journal {path} cannot be read: Input/output error.")

    with monkeypatch.context() as patch:
        patch.setattr("spikeloom.curation.journal.read_journal", refuse)
        app_session = open_dataset(dataset)
    assert app_session.recovery is None
    assert "Input/output error" in caplog.text
    with pytest.raises(JournalError, match="not saved"):
        app_session.session.merge([2, 3])


def test_a_save_cut_short_between_two_files_is_taken_back_and_its_edits_are_recovered(
    dataset, open_dataset, monkeypatch
):
    (dataset / "cluster_note.tsv").unlink(missing_ok=True)
    before = open_dataset(dataset)
    clusters, labels = before.session.spike_clusters.copy(), labels_of(before.session)
    app_session = open_dataset(dataset)
    session = app_session.session
    session.move("noise", cluster_ids=[0])
    session.label("note", "x", cluster_ids=[2])
    session.label("snr", 9.0, cluster_ids=[1])
    session.merge([3, 4])

    def write_all_but_the_clusters(contents):
        replace_together({p: c for p, c in contents.items() if p.suffix != ".npy"})
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(phy_curation, "replace_together", write_all_but_the_clusters)
        with pytest.raises(ZeroDivisionError):
            save(app_session)
    app_session.journal.close()
    assert (dataset / "cluster_note.tsv").exists()
    again = open_dataset(dataset)
    assert again.recovery.snapshot is not None
    assert set(again.recovery.new_files) >= {"cluster_note.tsv", "cluster_snr.tsv"}
    recover(again)
    assert str(labels_of(again.session)) == str(labels_of(session))
    np.testing.assert_array_equal(again.session.spike_clusters, session.spike_clusters)
    for _ in range(4):
        again.session.undo()
    assert str(labels_of(again.session)) == str(labels)
    np.testing.assert_array_equal(again.session.spike_clusters, clusters)


def test_a_damaged_journal_can_be_set_aside_and_curation_goes_on(dataset, open_dataset):
    crashed(dataset)
    path = dataset / ".spikeloom" / "journal.jsonl"
    path.write_bytes(b"damage\n" + path.read_bytes())
    app_session = open_dataset(dataset)
    assert app_session.recovery.problem
    with pytest.raises(CurationError):
        recover(app_session)
    set_aside(app_session)
    app_session.session.merge([0, 1])
    assert app_session.session.spike_clusters.max() == 6


@needs_posix
def test_a_second_process_can_look_but_not_edit(dataset, open_dataset):
    holder = start_python(
        """
        import signal, sys
        from pathlib import Path
        from spikeloom.app.sessions import open_session

        app_session = open_session(Path(sys.argv[1]))
        app_session.session.merge([0, 1])
        print("edited", flush=True)
        signal.pause()
        """,
        dataset,
    )
    assert holder.stdout.readline().strip() == "edited"
    looking = open_dataset(dataset)
    assert looking.recovery is None  # the edits are those of the other process, which lives
    looking.session.select([2])
    before = looking.session.workspace
    snapshots = dataset / ".spikeloom" / "snapshots"
    for act in (
        lambda: looking.session.merge([2, 3]),
        lambda: looking.session.label("x", 1, cluster_ids=[2]),
        lambda: save(looking),
    ):
        with pytest.raises(LockedError, match="another spikeloom process"):
            act()
    assert looking.session.workspace is before
    assert not snapshots.exists()
    holder.kill()
    holder.communicate()
    again = open_dataset(dataset)
    recover(again)
    assert again.session.spike_clusters.max() == 6


def test_edits_that_somebody_recovers_meanwhile_cannot_be_set_aside(dataset, open_dataset):
    crashed(dataset)
    first, second = open_dataset(dataset), open_dataset(dataset)
    recover(first)
    first.session.merge([2, 3])
    with pytest.raises(LockedError):
        set_aside(second)
    recover(second)  # for looking
    with pytest.raises(LockedError):
        second.session.merge([2, 3])
    first.session.merge([4, 5])
    assert first.session.spike_clusters.max() == 8


@needs_linux
def test_a_read_only_dataset_has_its_journal_in_the_users_folder(dataset, own_folders):
    for path in dataset.iterdir():
        path.chmod(0o444)
    dataset.chmod(0o555)
    before = folder_state(dataset)
    code = """
        import os, sys
        from pathlib import Path
        from making.processes import drop_powers
        from spikeloom.app.sessions import open_session, recover

        drop_powers()
        app_session = open_session(Path(sys.argv[1]))
        if app_session.recovery is not None:
            recover(app_session)
        session = app_session.session
        session.merge(session.workspace.state.cluster_ids[:2])
        print(app_session.journal.folder, len(session.workspace.history.done), flush=True)
        os._exit(1)
    """
    for n_edits in (1, 2, 3):
        folder, n_done = run_python(code, dataset, code_expected=1).split()
        assert folder.startswith(str(own_folders / "state"))
        assert int(n_done) == n_edits
    dataset.chmod(0o755)
    assert folder_state(dataset) == before


def test_opening_and_closing_changes_no_byte(dataset, open_dataset):
    before = folder_state(dataset)
    app_session = open_dataset(dataset)
    session = app_session.session
    session.select([0], [1])
    session.filter("cluster", "id > 1")
    session.step("next")
    session.rows.order(session.workspace, "similarity")
    app_session.journal.close()
    assert folder_state(dataset) == before


def test_a_saved_dataset_reopened_elsewhere_is_the_same(dataset, tmp_path, open_dataset):
    app_session = open_dataset(dataset)
    app_session.session.merge([0, 1])
    save(app_session)
    app_session.journal.close()
    moved = tmp_path / "moved"
    shutil.move(dataset, moved)
    again = open_dataset(moved)
    assert again.recovery is None
    again.session.undo() if again.session.workspace.history.done else None
    again.session.merge([2, 3])
    assert again.session.spike_clusters.max() == 7


def test_ids_that_another_program_added_are_respected(dataset, open_dataset):
    app_session = open_dataset(dataset)
    app_session.session.merge([0, 1])
    save(app_session)
    app_session.journal.close()
    clusters = np.load(dataset / "spike_clusters.npy")
    clusters[:7] = 500
    np.save(dataset / "spike_clusters.npy", clusters)
    again = open_dataset(dataset)
    assert again.session.workspace.state.spikes[500].tolist() == list(range(7))
    assert again.session.workspace.state.next_cluster_id == 501
    again.session.merge([500, 2])
    assert again.session.spike_clusters.max() == 501
    facts = again.catalog.facts(501, again.session.workspace.state.spikes[501])
    assert facts["n_spikes"] == int((again.session.spike_clusters == 501).sum())


def test_a_second_save_does_not_take_the_first_for_somebody_elses(dataset, open_dataset):
    app_session = open_dataset(dataset)
    app_session.session.merge([0, 1])
    save(app_session)
    app_session.session.merge([2, 3])
    save(app_session)
    assert not app_session.session.workspace.is_dirty


def test_a_save_whose_note_cannot_be_written_is_not_taken_for_somebody_elses(
    dataset, open_dataset, monkeypatch
):
    app_session = open_dataset(dataset)
    app_session.session.merge([0, 1])
    append = app_session.journal.append

    def refuse_saved(entry):
        if entry["kind"] == "saved":
            raise JournalError(28, "No space left on device")
        append(entry)

    with monkeypatch.context() as patch:
        patch.setattr(app_session.journal, "append", refuse_saved)
        with pytest.raises(JournalError):
            save(app_session)
    app_session.session.label("x", 1, cluster_ids=[6])
    save(app_session)
    assert not app_session.session.workspace.is_dirty
    app_session.journal.close()
    assert open_dataset(dataset).recovery is None


def test_changed_clusters_are_noticed_before_and_after_edits(dataset, open_dataset):
    app_session = open_dataset(dataset)
    np.save(dataset / "spike_clusters.npy", np.zeros(N_SPIKES, np.int32))
    with pytest.raises(ChangedOnDiskError):
        save(app_session)
    app_session.session.merge([0, 1])
    with pytest.raises(ChangedOnDiskError):
        save(app_session)


def test_a_dataset_without_spikes_can_be_opened_and_saved(tmp_path, open_dataset):
    arrays = {name: np.zeros(0, np.int64) for name in ("spike_times", "spike_templates")}
    folder = write_phy_folder(tmp_path, arrays=arrays, has_raw=False, tables={})
    app_session = open_dataset(folder)
    save(app_session)
    assert np.load(folder / "spike_clusters.npy").size == 0
