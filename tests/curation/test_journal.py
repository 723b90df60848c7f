"""The journal of a dataset: what it holds after a crash at any point."""

import pytest

from spikeloom.curation.journal import (
    CurationJournal,
    Recovery,
    find_recovery,
    journal_folders,
)
from spikeloom.errors import JournalError, LockedError
from spikeloom.storage.journal import Journal, encode_line, read_journal

BASE, SAVED = "fingerprint-a", "fingerprint-b"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def open_journal(folder, fingerprint=BASE):
    return CurationJournal(folder, {"fingerprint": fingerprint, "n_spikes": 5})


def edit(k):
    return {"kind": "edit", "k": k}


def write(folder, *entries):
    journal = open_journal(folder)
    for entry in entries:
        journal.append(entry)
    journal.close()
    return journal


def kinds(folder):
    path = folder / ".spikeloom" / "journal.jsonl"
    return [entry["kind"] for entry in read_journal(path).entries]


def numbers(recovery):
    return [entry["k"] for entry in recovery.entries]


SAVING = {
    "kind": "saving",
    "fingerprint": SAVED,
    "snapshot": "snapshots/1",
    "new_files": ["new.tsv"],
}
DONE = {"kind": "saved", "fingerprint": SAVED}


def test_nothing_is_written_before_the_first_edit(folder):
    journal = open_journal(folder)
    assert journal.folder == folder / ".spikeloom"
    assert find_recovery(folder, BASE) is None
    journal.close()
    assert list(folder.iterdir()) == []


def test_the_first_entry_says_what_edits_start_from(folder):
    write(folder, edit(1))
    path = folder / ".spikeloom" / "journal.jsonl"
    base, first = read_journal(path).entries
    assert base["kind"] == "base"
    assert base["fingerprint"] == BASE
    assert base["n_spikes"] == 5
    assert {"user", "host", "time"} <= set(base)
    assert first["k"] == 1
    assert "time" in first


def test_unsaved_edits_are_found(folder):
    write(folder, edit(1), {"kind": "undo", "k": 2}, {"kind": "redo", "k": 3})
    recovery = find_recovery(folder, BASE)
    assert numbers(recovery) == [1, 2, 3]
    assert recovery.n_edits == 3
    assert recovery.problem is None
    assert recovery.snapshot is None
    assert recovery.last_time.startswith("20")


def test_saved_edits_are_no_longer_offered(folder):
    write(folder, edit(1), SAVING, DONE)
    assert find_recovery(folder, SAVED) is None
    write_again = open_journal(folder, SAVED)
    write_again.append(edit(2))
    write_again.close()
    assert numbers(find_recovery(folder, SAVED)) == [2]


def test_an_edit_made_while_saving_is_offered(folder):
    write(folder, edit(1), SAVING, edit(2), DONE, edit(3))
    assert numbers(find_recovery(folder, SAVED)) == [2, 3]


def test_a_save_cut_short_before_its_last_file_is_undone_from_its_copy(folder):
    (folder / ".spikeloom" / "snapshots" / "1").mkdir(parents=True)
    write(folder, edit(1), SAVING)
    recovery = find_recovery(folder, BASE)
    assert numbers(recovery) == [1]
    assert recovery.snapshot == folder / ".spikeloom" / "snapshots" / "1"
    assert recovery.new_files == ("new.tsv",)


def test_a_save_cut_short_after_its_last_file_has_saved_all(folder):
    write(folder, edit(1), SAVING)
    assert find_recovery(folder, SAVED) is None
    # And curation goes on: the note that is missing is written first.
    journal = open_journal(folder, SAVED)
    journal.append(edit(2))
    journal.close()
    assert kinds(folder) == ["base", "edit", "saving", "saved", "edit"]
    assert numbers(find_recovery(folder, SAVED)) == [2]


def test_edits_after_a_save_whose_note_is_missing_are_offered(folder):
    write(folder, edit(1), SAVING, edit(2))
    recovery = find_recovery(folder, SAVED)
    assert numbers(recovery) == [2]
    journal = open_journal(folder, SAVED)
    journal.go_on(recovery)
    journal.append(edit(3))
    journal.close()
    assert numbers(find_recovery(folder, SAVED)) == [2, 3]


def test_a_save_that_failed_and_edits_after_it_are_all_offered(folder):
    write(folder, edit(1), SAVING, edit(2))
    assert numbers(find_recovery(folder, BASE)) == [1, 2]


def test_edits_of_other_clusters_are_offered_with_a_problem(folder):
    write(folder, edit(1))
    recovery = find_recovery(folder, "somebody else's")
    assert "changed by another program" in recovery.problem
    assert numbers(recovery) == [1]


def test_clusters_changed_by_another_program_without_unsaved_edits_are_a_new_base(folder):
    write(folder, edit(1), SAVING, DONE)
    assert find_recovery(folder, "somebody else's") is None
    journal = open_journal(folder, "somebody else's")
    journal.append(edit(2))
    journal.close()
    assert kinds(folder) == ["base", "edit", "saving", "saved", "base", "edit"]
    assert numbers(find_recovery(folder, "somebody else's")) == [2]


def test_edits_cannot_follow_others_that_were_neither_recovered_nor_set_aside(folder):
    write(folder, edit(1))
    journal = open_journal(folder)
    with pytest.raises(JournalError, match="1 edits that were not saved"):
        journal.append(edit(2))
    assert numbers(find_recovery(folder, BASE)) == [1]


def test_recovered_edits_are_gone_on_from(folder):
    write(folder, edit(1))
    journal = open_journal(folder)
    journal.go_on(find_recovery(folder, BASE))
    journal.append(edit(2))
    journal.close()
    assert numbers(find_recovery(folder, BASE)) == [1, 2]
    assert kinds(folder) == ["base", "edit", "edit"]


def test_edits_that_were_recovered_twice_are_gone_on_from_once(folder):
    write(folder, edit(1))
    first, second = open_journal(folder), open_journal(folder)
    first.go_on(find_recovery(folder, BASE))
    second.go_on(find_recovery(folder, BASE))
    first.append(edit(2))
    first.close()
    with pytest.raises(JournalError, match="Open it again"):
        second.append(edit(3))
    assert numbers(find_recovery(folder, BASE)) == [1, 2]


def test_edits_set_aside_are_kept_under_another_name(folder):
    write(folder, edit(1))
    journal = open_journal(folder)
    path = journal.set_aside(find_recovery(folder, BASE))
    assert path.parent == folder / ".spikeloom"
    assert path.name.startswith("journal-set-aside-")
    assert [entry["kind"] for entry in read_journal(path).entries] == ["base", "edit"]
    assert find_recovery(folder, BASE) is None
    journal.append(edit(2))
    journal.close()
    assert numbers(find_recovery(folder, BASE)) == [2]


def test_a_damaged_journal_is_offered_with_its_problem_and_can_be_set_aside(folder):
    write(folder, edit(1), edit(2))
    path = folder / ".spikeloom" / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1] + b"damage\n" + lines[2])
    recovery = find_recovery(folder, BASE)
    assert numbers(recovery) == [1]
    assert "line 3" in recovery.problem
    journal = open_journal(folder)
    with pytest.raises(JournalError, match="damaged"):
        journal.append(edit(3))
    aside = journal.set_aside(recovery)
    assert b"damage" in aside.read_bytes()
    journal.append(edit(3))
    journal.close()
    assert numbers(find_recovery(folder, BASE)) == [3]


def test_a_journal_damaged_from_the_start_can_be_set_aside_too(folder):
    path = folder / ".spikeloom" / "journal.jsonl"
    path.parent.mkdir()
    path.write_bytes(b"damage\n" + encode_line(edit(1)))
    recovery = find_recovery(folder, BASE)
    assert recovery.n_edits == 0
    assert recovery.problem
    open_journal(folder).set_aside(recovery)
    assert find_recovery(folder, BASE) is None


def test_a_journal_cut_at_any_byte_gives_back_the_edits_before_the_cut(folder):
    write(folder, edit(1), edit(2), SAVING)
    path = folder / ".spikeloom" / "journal.jsonl"
    whole = path.read_bytes()
    ends = [k + 1 for k, byte in enumerate(whole) if byte == ord("\n")]
    for n_bytes in range(len(whole)):
        path.write_bytes(whole[:n_bytes])
        n_edits = min(2, max(0, sum(end <= n_bytes for end in ends) - 1))
        recovery = find_recovery(folder, BASE)
        assert (recovery.n_edits if recovery else 0) == n_edits, n_bytes
        assert recovery is None or recovery.problem is None


def test_two_processes_cannot_write_but_the_second_can_look(folder):
    first, second = open_journal(folder), open_journal(folder)
    first.append(edit(1))
    with pytest.raises(LockedError):
        second.append(edit(2))
    assert find_recovery(folder, BASE) is None  # these edits are not lost, but in good hands
    first.close()
    assert numbers(find_recovery(folder, BASE)) == [1]
    third = open_journal(folder)
    third.go_on(find_recovery(folder, BASE))
    third.append(edit(3))
    with pytest.raises(LockedError):
        second.set_aside(Recovery(folder / ".spikeloom" / "journal.jsonl", (), "", None, (), None))
    third.close()


def test_a_read_only_folder_has_its_journal_in_the_users_folder(folder, monkeypatch):
    beside, private = journal_folders(folder)
    monkeypatch.setattr(
        "spikeloom.curation.journal.is_writable", lambda path: not path.is_relative_to(folder)
    )
    journal = open_journal(folder)
    assert journal.folder == private
    journal.append(edit(1))
    journal.close()
    assert not beside.exists()
    recovery = find_recovery(folder, BASE)
    assert recovery.path == private / "journal.jsonl"
    assert numbers(recovery) == [1]


def test_edits_go_on_in_the_users_folder_where_the_data_became_read_only(folder, monkeypatch):
    write(folder, edit(1))
    with monkeypatch.context() as patch:
        patch.setattr(
            "spikeloom.curation.journal.is_writable", lambda path: not path.is_relative_to(folder)
        )
        journal = open_journal(folder)
        journal.go_on(find_recovery(folder, BASE))
        journal.append(edit(2))
        journal.close()
        recovery = find_recovery(folder, BASE)
        assert numbers(recovery) == [1, 2]
        assert recovery.path.parent == journal_folders(folder)[1]
    # Writable again: what was recovered is gone on from where it lies.
    journal = open_journal(folder)
    journal.go_on(recovery)
    journal.append(edit(3))
    journal.close()
    assert numbers(find_recovery(folder, BASE)) == [1, 2, 3]


def test_an_edit_of_a_version_to_come_is_kept_not_hidden(folder):
    write(folder, edit(1), {"kind": "unheard of", "k": 2}, edit(3))
    assert numbers(find_recovery(folder, BASE)) == [1, 3]
    with Journal(folder / ".spikeloom" / "journal.jsonl") as journal:
        assert [entry.get("k") for entry in journal.entries] == [None, 1, 2, 3]
