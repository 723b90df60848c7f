"""A save is there as a whole or not at all; one that was killed can be continued."""

import errno
import os
import signal
import sys
from pathlib import Path

import pytest

from making.crashes import die_at_each_line
from making.processes import run_python, start_python
from spikeloom.errors import WriteError
from spikeloom.storage import staged_saves
from spikeloom.storage.staged_saves import interrupted_saves, part_name, staged_save

posix = pytest.mark.skipif(os.name == "nt", reason="forks and signals")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def save(target, text="new", **options):
    with staged_save(target, **options) as staging:
        staging.path.mkdir(exist_ok=True)
        (staging.path / "a.txt").write_text(text)
        staging.mark(part_name("a", 0, 1), 5)


def interrupt(target, error, parts=None, **options):
    """Begin or go on with a save, in which an error comes; return what was finished before."""
    with staged_save(target, **options) as staging:
        before = dict(staging.finished)
        staging.path.mkdir(exist_ok=True)
        for part, checksum in (parts or {}).items():
            staging.mark(part, checksum)
        error.before = before
        raise error


def content(target):
    return (target / "a.txt").read_text()


@pytest.mark.parametrize("name", ["rec", "rec_2024.05.01", "rec.zarr", "[rec] *", "räc"])
def test_nothing_but_the_target_is_left(tmp_path, name):
    target = tmp_path / "above" / name
    save(target)
    assert content(target) == "new"
    assert [path.name for path in target.parent.iterdir()] == [name]


def test_what_is_there_is_refused(tmp_path):
    save(tmp_path / "rec", "old")
    with pytest.raises(WriteError, match="overwrite=True") as caught:
        save(tmp_path / "rec")
    assert isinstance(caught.value, FileExistsError)
    assert content(tmp_path / "rec") == "old"
    (tmp_path / "empty").mkdir()
    save(tmp_path / "empty")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        save(tmp_path / "link")


@pytest.mark.parametrize("can_exchange", [True, False])
def test_overwriting_replaces_at_the_end(tmp_path, monkeypatch, can_exchange):
    if not can_exchange:
        monkeypatch.setattr(staged_saves, "_exchange", lambda one, other: False)
    target = tmp_path / "rec"
    save(target, "old")
    with staged_save(target, overwrite=True) as staging:
        staging.path.mkdir()
        (staging.path / "a.txt").write_text("new")
        assert content(target) == "old"
    assert content(target) == "new"
    assert names(tmp_path) == ["rec"]
    with pytest.raises(ZeroDivisionError):
        interrupt(target, ZeroDivisionError(), overwrite=True)
    assert content(target) == "new"
    assert names(tmp_path) == ["rec"]


def test_files_are_saved_too(tmp_path):
    target = tmp_path / "sorting.npz"
    for text in ("old", "new"):
        with staged_save(target, overwrite=True) as staging:
            staging.path.write_text(text)
    assert target.read_text() == "new"
    assert names(tmp_path) == ["sorting.npz"]


def test_not_everything_is_replaced(tmp_path, monkeypatch):
    save(tmp_path / "precious", "old")
    with pytest.raises(WriteError, match="does not look like"):
        save(tmp_path / "precious", overwrite=True, is_replaceable=lambda path: False)
    monkeypatch.chdir(tmp_path / "precious")
    for target in (tmp_path / "precious", tmp_path):
        with pytest.raises(WriteError, match="working folder"):
            save(target, overwrite=True)
    assert content(tmp_path / "precious") == "old"


@posix
@pytest.mark.parametrize("can_exchange", [True, False])
@pytest.mark.parametrize("overwrite", [True, False])
def test_dying_at_any_line(tmp_path, monkeypatch, overwrite, can_exchange):
    """There is the old one or the new one afterwards, and the next save leaves nothing else."""
    if not can_exchange:
        monkeypatch.setattr(staged_saves, "_exchange", lambda one, other: False)
    target = tmp_path / "rec"
    seen = set()

    def prepare():
        for path in tmp_path.iterdir():
            staged_saves._remove(path)
        if overwrite:
            save(target, "old")

    def check(_k):
        is_between = overwrite and not can_exchange and not target.exists()
        if target.exists():
            assert content(target) in {"old", "new"}
            seen.add(content(target))
        else:
            assert not overwrite or is_between
        save(target, "newer", overwrite=True)
        assert content(target) == "newer"
        assert names(tmp_path) == ["rec"]

    n = die_at_each_line(
        lambda: save(target, overwrite=overwrite), [staged_saves.__file__], check, prepare=prepare
    )
    assert n > 50
    assert seen == ({"old", "new"} if overwrite else {"new"})


def test_what_a_dead_process_put_aside_comes_back(tmp_path):
    target = tmp_path / "rec"
    save(target, "old")
    code = """
        import os, sys
        from pathlib import Path
        from spikeloom.storage import staged_saves
        staged_saves._exchange = lambda one, other: False
        staged_saves._remove = lambda path: os._exit(9)
        rename = Path.rename
        def die_second(self, other):
            if Path(other).name == "rec":
                os._exit(9)
            return rename(self, other)
        Path.rename = die_second
        with staged_saves.staged_save(Path(sys.argv[1]), overwrite=True) as staging:
            staging.path.mkdir()
    """
    run_python(code, target, code_expected=9)
    assert not target.exists()
    # The next save looks after the dead one first, and finds what it had put aside.
    with pytest.raises(FileExistsError):
        save(target)
    assert content(target) == "old"


SLOW_SAVE = """
import sys, time
from pathlib import Path
from spikeloom.storage.staged_saves import staged_save
with staged_save(Path(sys.argv[1]), fingerprint="f") as staging:
    staging.path.mkdir()
    (staging.path / "a.txt").write_text("dead")
    staging.mark("a", 1)
    print("ready", flush=True)
    time.sleep(60)
"""


def start_slow_save(target):
    process = start_python(SLOW_SAVE, target)
    assert process.stdout.readline() == "ready\n"
    return process


@posix
def test_the_living_are_left_alone_and_the_dead_cleaned_up(tmp_path):
    target = tmp_path / "rec"
    living = start_slow_save(target)
    try:
        before = names(tmp_path)
        save(target)
        assert names(tmp_path) == sorted([*before, "rec"])
        assert interrupted_saves(target) == []
    finally:
        living.send_signal(signal.SIGKILL)
        living.communicate()
    assert len(interrupted_saves(target)) == 1
    save(target, overwrite=True)
    assert names(tmp_path) == ["rec"]


@posix
def test_resuming(tmp_path):
    target = tmp_path / "rec"
    start = start_slow_save(target)
    start.kill()
    start.communicate()
    assert not target.exists()
    with staged_save(target, fingerprint="f", resume=True) as staging:
        assert staging.is_resumed
        assert (staging.path / "a.txt").read_text() == "dead"
        assert staging.is_done("a", lambda: 1)
        assert not staging.is_done("a", lambda: 2)  # what is there is not what was written
        assert not staging.is_done("b", lambda: 1)
    assert (target / "a.txt").read_text() == "dead"
    assert names(tmp_path) == ["rec"]


@posix
@pytest.mark.parametrize("options", [{"fingerprint": "g", "resume": True}, {"fingerprint": "f"}])
def test_not_resuming_what_is_another(tmp_path, options):
    start = start_slow_save(tmp_path / "rec")
    start.kill()
    start.communicate()
    with staged_save(tmp_path / "rec", **options) as staging:
        assert not staging.is_resumed
        assert not staging.path.exists()
        staging.path.mkdir()
    assert names(tmp_path) == ["rec"]


def test_a_failed_save_can_be_resumed_if_wanted(tmp_path):
    target = tmp_path / "rec"
    options = {"fingerprint": "f", "resume": True}
    with pytest.raises(KeyboardInterrupt):
        interrupt(target, KeyboardInterrupt(), {"a": 7}, **options)
    with staged_save(target, **options) as staging:
        assert staging.finished == {"a": 7}
    assert names(tmp_path) == ["rec"]


def test_a_torn_journal_counts_up_to_the_tear(tmp_path):
    target = tmp_path / "rec"
    options = {"fingerprint": "f", "resume": True}
    with pytest.raises(KeyboardInterrupt):
        interrupt(target, KeyboardInterrupt(), {"a": 7, "b": 8}, **options)
    journal = next(tmp_path.glob(".rec.*.journal"))
    journal.write_bytes(journal.read_bytes()[:-5])
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupt(target, KeyboardInterrupt(), {"c": 9}, **options)
    assert caught.value.before == {"a": 7}
    with staged_save(target, **options) as staging:
        assert staging.finished == {"a": 7, "c": 9}


def test_a_full_disk_leaves_nothing(tmp_path):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(WriteError, match="full"):
        interrupt(tmp_path / "rec", full, {"a": 1}, fingerprint="f", resume=True)
    assert names(tmp_path) == []


def test_no_room_is_noticed_before(tmp_path):
    with pytest.raises(WriteError, match="free"):
        save(tmp_path / "rec", needed_bytes=1 << 60)
    assert names(tmp_path) == []


def test_a_save_that_wrote_nothing_is_a_fault(tmp_path):
    with pytest.raises(ValueError, match="Nothing was written"), staged_save(tmp_path / "rec"):
        pass
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2")
def test_names_are_exchanged_in_one_step(tmp_path):
    one, other = Path(tmp_path, "one"), Path(tmp_path, "other")
    one.mkdir()
    (other / "inside").mkdir(parents=True)
    assert staged_saves._exchange(one, other)
    assert (one / "inside").is_dir()
    assert not staged_saves._exchange(one, tmp_path / "absent")
