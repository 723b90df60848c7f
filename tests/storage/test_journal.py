import json
import pathlib
import sys
import zlib

import pytest
from hypothesis import given, strategies as st

from making.processes import run_python, start_python
from spikeloom.errors import JournalError, LockedError, SpikeloomError
from spikeloom.storage.journal import Journal, encode_line, read_journal

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="uses limits of POSIX systems")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
entries_lists = st.lists(st.dictionaries(st.text(max_size=8), json_values, max_size=3), max_size=6)


def write_entries(path, *entries):
    with Journal(path) as journal:
        for entry in entries:
            journal.append(entry)


@given(entries_lists)
def test_what_was_appended_is_read_back(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("journal") / "j.jsonl"
    write_entries(path, *entries)
    content = read_journal(path)
    assert list(content.entries) == entries
    assert content.n_bytes == path.stat().st_size
    assert not content.is_torn
    assert content.damage is None
    with Journal(path) as journal:
        assert list(journal.entries) == entries


def test_each_line_is_json_with_a_check_sum_that_anybody_can_compute(tmp_path):
    path = tmp_path / "j.jsonl"
    write_entries(path, {"kind": "edit", "text": "µ\n"}, {"n": 2})
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 2
    for line in lines:
        assert line.endswith(b"\n")
        record = json.loads(line)
        text = line[line.index(b'"entry":') + len(b'"entry":') : -2]
        assert int(record["crc"], 16) == zlib.crc32(text)
        assert json.loads(text) == record["entry"]


def test_a_second_opening_goes_on_behind_the_first(tmp_path):
    path = tmp_path / "j.jsonl"
    write_entries(path, {"k": 1})
    write_entries(path, {"k": 2})
    assert [entry["k"] for entry in read_journal(path).entries] == [1, 2]


def test_a_last_line_torn_at_any_byte_is_cut_off_and_the_rest_is_kept(tmp_path):
    path = tmp_path / "j.jsonl"
    whole = encode_line({"k": 1}) + encode_line({"k": 2, "text": "zwei"})
    n_first = len(encode_line({"k": 1}))
    for n_bytes in range(n_first + 1, len(whole)):
        path.write_bytes(whole[:n_bytes])
        content = read_journal(path)
        assert [entry["k"] for entry in content.entries] == [1]
        assert content.is_torn
        assert content.damage is None
        write_entries(path, {"k": 3})
        assert [entry["k"] for entry in read_journal(path).entries] == [1, 3]
        assert path.read_bytes() == encode_line({"k": 1}) + encode_line({"k": 3})


@pytest.mark.parametrize(
    "litter", [b"\0" * 100, b"\n", b"\xff\xfe", b'{"crc":"00000000","entry":{}}']
)
def test_litter_at_the_end_is_cut_off(tmp_path, litter):
    path = tmp_path / "j.jsonl"
    path.write_bytes(encode_line({"k": 1}) + litter)
    write_entries(path, {"k": 2})
    assert [entry["k"] for entry in read_journal(path).entries] == [1, 2]


def test_any_flipped_byte_in_the_middle_is_damage_that_stops_reading_and_refuses_writing(tmp_path):
    path = tmp_path / "j.jsonl"
    first, second, third = (encode_line({"k": k, "text": "abc"}) for k in (1, 2, 3))
    for position in range(len(second)):
        bad = bytearray(second)
        bad[position] ^= 0x01
        path.write_bytes(first + bytes(bad) + third)
        content = read_journal(path)
        assert [entry["k"] for entry in content.entries] == [1], position
        assert content.damage is not None, position
        assert "line 2" in content.damage
        assert not content.is_torn
        with pytest.raises(JournalError, match=r"damaged.*Move it away"):
            Journal(path)
        assert path.read_bytes() == first + bytes(bad) + third
    # A failed opening holds no lock.
    path.write_bytes(first)
    write_entries(path, {"k": 2})


def test_an_absent_journal_cannot_be_read_but_is_made_by_the_first_writer(tmp_path):
    path = tmp_path / "deep" / "er" / "j.jsonl"
    with pytest.raises(JournalError, match="cannot be read") as caught:
        read_journal(path)
    assert isinstance(caught.value, OSError)
    write_entries(path, {"k": 1})
    assert len(read_journal(path).entries) == 1


def test_a_folder_that_cannot_be_made_is_an_error_for_people(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(tmp_path / "file" / "j.jsonl")


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path):
    path = tmp_path / "data" / ".spikeloom" / "j.jsonl"
    with Journal(path) as journal:
        journal.append({"k": 1})
        with pytest.raises(LockedError, match="another spikeloom process") as caught:
            Journal(path)
        assert isinstance(caught.value, SpikeloomError)
        assert isinstance(caught.value, BlockingIOError)
        assert str(tmp_path / "data") in str(caught.value)
        assert len(read_journal(path).entries) == 1
    write_entries(path, {"k": 2})


def test_the_lock_holds_between_processes_and_goes_with_its_process(tmp_path):
    path = tmp_path / "j.jsonl"
    holder = start_python(
        """
        import sys, time
        from pathlib import Path
        from spikeloom.storage.journal import Journal

        journal = Journal(Path(sys.argv[1]))
        journal.append({"k": 1})
        print("locked", flush=True)
        time.sleep(60)
        """,
        path,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "locked"
    with pytest.raises(LockedError):
        Journal(path)
    holder.kill()
    holder.communicate()
    write_entries(path, {"k": 2})
    assert [entry["k"] for entry in read_journal(path).entries] == [1, 2]


@needs_posix
def test_on_a_full_disk_an_append_fails_and_leaves_the_journal_as_it_was(tmp_path):
    path = tmp_path / "j.jsonl"
    output = run_python(
        """
        import resource, sys
        from pathlib import Path
        from spikeloom.errors import JournalError
        from spikeloom.storage.journal import Journal

        path = Path(sys.argv[1])
        journal = Journal(path)
        journal.append({"k": 1})
        n_bytes = path.stat().st_size
        # There is room for a part of the next line, as on a disk that is all but full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes + 20, resource.RLIM_INFINITY))
        try:
            journal.append({"k": 2, "text": "too long for what is left"})
        except JournalError as error:
            print("refused", error.errno, path.stat().st_size == n_bytes)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        journal.append({"k": 3})
        """,
        path,
    )
    assert output.split()[0] == "refused"
    assert output.split()[2] == "True"
    content = read_journal(path)
    assert [entry["k"] for entry in content.entries] == [1, 3]
    assert content.damage is None


def test_what_a_failed_append_left_behind_is_cut_off_before_the_next_line(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.append({"k": 1})
        with path.open("ab") as file:
            file.write(encode_line({"k": 2})[:9])
        journal.append({"k": 3})
    assert [entry["k"] for entry in read_journal(path).entries] == [1, 3]


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_that_is_full_is_an_error_for_people(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal:
        own = journal._file
        with pathlib.Path("/dev/full").open("ab", buffering=0) as full:
            journal._file = full
            with pytest.raises(JournalError, match="No space left"):
                journal.append({"k": 1})
        journal._file = own


@needs_posix
def test_dying_at_any_line_keeps_all_that_was_acknowledged(tmp_path):
    output = run_python(
        """
        import sys
        from pathlib import Path
        from making.crashes import die_at_each_line
        from spikeloom.storage import journal as module
        from spikeloom.storage.journal import Journal, read_journal

        path, acknowledged = Path(sys.argv[1]), Path(sys.argv[2])

        def prepare():
            path.unlink(missing_ok=True)
            acknowledged.write_bytes(b"")

        def work():
            with Journal(path) as journal, acknowledged.open("ab", buffering=0) as file:
                for k in range(4):
                    journal.append({"k": k})
                    file.write(b".")

        def check(step):
            n_sure = acknowledged.stat().st_size
            found = [e["k"] for e in read_journal(path).entries] if path.exists() else []
            assert found in (list(range(n_sure)), list(range(n_sure + 1))), (step, found, n_sure)
            with Journal(path) as journal:
                journal.append({"k": "next"})

        print(die_at_each_line(work, [module.__file__], check, prepare=prepare))
        """,
        tmp_path / "j.jsonl",
        tmp_path / "acknowledged",
    )
    assert int(output) > 30
