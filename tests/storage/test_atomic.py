import os
import random
import signal
import sys
import time

import pytest

from making.processes import run_python, start_python
from spikeloom.errors import SpikeloomError, WriteError
from spikeloom.storage.atomic import replace_together, write_atomic

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="uses capabilities of Linux")
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="uses fork and signals")


def test_content_is_written_and_replaced(tmp_path):
    path = tmp_path / "a.txt"
    write_atomic(path, b"old")
    assert path.read_bytes() == b"old"
    write_atomic(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_the_mode_of_the_old_file_is_kept(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomic(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_a_killed_process_left_behind_goes_with_a_later_write(tmp_path):
    target = tmp_path / "a [1].npy"
    old, fresh, other = (
        tmp_path / name
        for name in (".a [1].npy.0123abcd.tmp", ".a [1].npy.0123abce.tmp", ".a 1.npy.0123abcd.tmp")
    )
    for path in (old, fresh, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (0, time.time() - 4000))
    write_atomic(target, b"new")
    assert not old.exists()
    assert fresh.exists()
    assert other.exists()
    assert target.read_bytes() == b"new"


def test_a_writer_that_fails_leaves_the_old_content_and_no_litter(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomic(path, write)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_no_file_is_replaced_if_one_of_them_cannot_be_staged(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"old")

    def refuse(file):
        file.write(b"x" * 10)
        raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match=r"No space left on device.*Nothing was changed") as caught:
        replace_together({first: b"new", second: refuse})
    assert caught.value.errno == 28
    assert str(second) in str(caught.value)
    assert first.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["first"]


def test_an_absent_folder_is_an_error_for_people(tmp_path):
    with pytest.raises(WriteError, match="Cannot write") as caught:
        write_atomic(tmp_path / "absent" / "a.txt", b"new")
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value, SpikeloomError)


def test_a_target_that_is_a_folder_is_an_error_for_people(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(WriteError, match="Cannot replace a"):
        write_atomic(tmp_path / "a", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@needs_linux
def test_an_unwritable_folder_is_an_error_and_changes_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    tmp_path.chmod(0o500)
    output = run_python(
        """
        import sys
        from pathlib import Path
        from making.processes import drop_powers
        from spikeloom.errors import WriteError
        from spikeloom.storage.atomic import write_atomic

        drop_powers()
        try:
            write_atomic(Path(sys.argv[1]), b"new")
        except WriteError as error:
            print(error)
        """,
        path,
    )
    tmp_path.chmod(0o700)
    assert "Permission denied. Nothing was changed." in output
    assert path.read_bytes() == b"old"


@needs_posix
def test_a_full_disk_is_an_error_and_changes_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    output = run_python(
        """
        import resource, sys
        from pathlib import Path
        from spikeloom.errors import WriteError
        from spikeloom.storage.atomic import write_atomic

        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_atomic(Path(sys.argv[1]), b"x" * 5000)
        except WriteError as error:
            print(error.strerror)
        """,
        path,
    )
    assert "Nothing was changed" in output
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@needs_posix
def test_dying_at_any_line_leaves_the_old_content_or_the_new(tmp_path):
    output = run_python(
        """
        import sys
        from pathlib import Path
        from making.crashes import die_at_each_line
        from spikeloom.storage import atomic

        folder = Path(sys.argv[1])
        paths = [folder / name for name in ("first", "second", "last")]
        seen = set()

        def prepare():
            for path in folder.iterdir():
                path.unlink()
            for path in paths:
                path.write_bytes(b"old")

        def work():
            atomic.replace_together({path: b"new!" * 1000 for path in paths})

        def check(k):
            contents = [path.read_bytes() for path in paths]
            assert set(contents) <= {b"old", b"new!" * 1000}, k
            # In the order given: the last one is new only if all are.
            is_new = [content != b"old" for content in contents]
            assert is_new == sorted(is_new, reverse=True), k
            seen.add(tuple(is_new))

        n_deaths = die_at_each_line(work, [atomic.__file__], check, prepare=prepare)
        assert all(path.read_bytes() == b"new!" * 1000 for path in paths)
        assert (False, False, False) in seen and (True, True, True) in seen
        print(n_deaths)
        """,
        tmp_path,
    )
    assert int(output) > 40


@needs_posix
def test_kill_at_random_moments_leaves_one_whole_content(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(4_000_000))
    code = """
        import itertools, sys
        from pathlib import Path
        from spikeloom.storage.atomic import write_atomic

        print("ready", flush=True)
        for k in itertools.count():
            write_atomic(Path(sys.argv[1]), bytes([k % 256]) * 4_000_000)
    """
    rng = random.Random(1)
    for _ in range(5):
        process = start_python(code, path)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        content = path.read_bytes()
        assert len(content) == 4_000_000
        assert len(set(content)) == 1
