"""Worker processes that die, and those who start them that are interrupted or die."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from making import chunk_sources as making
from making.chunk_sources import ArraySource
from spikeloom.engine import processes
from spikeloom.engine.chunk_executor import map_chunks
from spikeloom.engine.options import JobOptions
from spikeloom.engine.processes import choose_start_method
from spikeloom.errors import TransferError, WorkerError

TESTS = Path(__file__).parents[1]

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="talks of signals"),
    # From 3.12 on Python says this of every fork beside a thread; these tests know.
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
]


def options_of(mp_context, n_jobs=2, chunk_size=100):
    return JobOptions(
        pool_engine="process",
        mp_context=mp_context,
        n_jobs=n_jobs,
        chunk_size=chunk_size,
        progress_bar=False,
    )


@pytest.fixture(autouse=True)
def nothing_stays():
    yield
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("mp_context", ["fork", "spawn", "forkserver"])
def test_a_worker_that_exits_is_an_error_that_names_its_chunk(mp_context):
    work = partial(making.exit_at, bad=400)
    results = map_chunks(ArraySource([1000]), work, options=options_of(mp_context))
    given = []
    with pytest.raises(WorkerError, match=r"exit code 3 while .*samples 400 to 500") as caught:
        given.extend(results)
    assert given == [0, 100, 200, 300][: len(given)]
    assert "chunk 5 of 10" in "\n".join(caught.value.__notes__)


@pytest.mark.parametrize("mp_context", ["fork", "spawn"])
def test_a_worker_that_is_killed_is_an_error_that_says_what_to_do(mp_context):
    work = partial(making.kill_at, bad=900)
    results = map_chunks(ArraySource([1000]), work, options=options_of(mp_context))
    with pytest.raises(RuntimeError, match=r"SIGKILL while .*900 to 1000.*n_jobs is 2"):
        list(results)


def test_a_worker_that_dies_at_once_is_told_what_scripts_need():
    work = partial(making.exit_at, bad=0)
    results = map_chunks(ArraySource([1000]), work, options=options_of("spawn"))
    with pytest.raises(WorkerError, match="__main__"):
        list(results)


def test_all_workers_may_be_killed_while_they_are_idle():
    results = map_chunks(ArraySource([1000]), making.chunk_sums, options=options_of("fork"))
    next(results)
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(WorkerError, match="SIGKILL"):
        list(results)


def test_an_error_that_cannot_be_sent_is_told_as_text():
    results = map_chunks(
        ArraySource([50]), making.fail_stubbornly, options=options_of("fork", 2, 5)
    )
    with pytest.raises(WorkerError, match="StubbornError: 1 and 2"):
        list(results)


def test_a_result_that_cannot_be_sent_is_an_error():
    results = map_chunks(ArraySource([50]), making.give_a_lock, options=options_of("fork", 2, 5))
    with pytest.raises(TransferError, match="result cannot be sent"):
        list(results)


def test_results_larger_than_a_pipe_arrive():
    source = ArraySource([200_000], 2)
    squares = list(map_chunks(source, making.squares, options=options_of("fork", 2, 50_000)))
    assert sum(len(part) for part in squares) == 200_000


def test_a_system_that_refuses_processes_is_an_error_and_leaves_none(monkeypatch):
    start = multiprocessing.context.ForkProcess.start

    def refuse(process):
        if process.name.endswith("3"):
            raise BlockingIOError(11, "no more processes")
        start(process)

    monkeypatch.setattr(multiprocessing.context.ForkProcess, "start", refuse)
    results = map_chunks(ArraySource(), making.chunk_sums, options=options_of("fork", 4))
    with pytest.raises(WorkerError, match="Worker 3 of 4 could not be started"):
        next(results)


def nested(source, chunk):
    return list(map_chunks(source, making.chunk_sums, options=options_of("fork")))


def test_workers_have_no_workers():
    results = map_chunks(ArraySource(), nested, options=options_of("fork"))
    with pytest.raises(WorkerError, match="pool_engine='thread'"):
        list(results)


def test_forks_are_for_processes_without_threads(monkeypatch):
    monkeypatch.setattr(processes.sys, "platform", "linux")
    monkeypatch.setattr(processes.threading, "active_count", lambda: 1)
    assert choose_start_method() == "fork"
    monkeypatch.setattr(processes.threading, "active_count", lambda: 2)
    assert choose_start_method() == "forkserver"
    assert choose_start_method("fork") == "fork"
    monkeypatch.setattr(processes.sys, "platform", "darwin")
    assert choose_start_method() == "spawn"


def test_what_a_source_needs_wins_and_is_told():
    assert choose_start_method(None, "spawn") == "spawn"
    with pytest.warns(UserWarning, match="'spawn' is used"):
        assert choose_start_method("fork", "spawn") == "spawn"
    source = making.SpawningSource()
    with pytest.warns(UserWarning, match="does not suit"):
        assert len(list(map_chunks(source, making.chunk_sums, options=options_of("fork")))) == 14


def test_several_jobs_at_once_do_not_disturb_each_other():
    answers = {}

    def run(k):
        source = ArraySource([500], seed=k)
        answers[k] = list(map_chunks(source, making.chunk_sums, options=options_of("forkserver")))

    threads = [threading.Thread(target=run, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(3):
        source = ArraySource([500], seed=k)
        expected = list(
            map_chunks(
                source, making.chunk_sums, options=JobOptions(chunk_size=100, progress_bar=False)
            )
        )
        assert [a.tolist() for a in answers[k]] == [e.tolist() for e in expected]


# What happens to whole programs.

PROGRAM = """
import os, sys, time
sys.path.insert(0, {tests!r})
from spikeloom.engine.chunk_executor import TimeSeriesChunkExecutor
from making.chunk_sources import ArraySource

def init_func(folder):
    open(os.path.join(folder, str(os.getpid())), "w").close()
    return {{}}

def func(segment_index, start, end, worker):
    time.sleep(0.05 if start < 1000 else 60)

if __name__ == "__main__":
    executor = TimeSeriesChunkExecutor(
        ArraySource([5000]), func, init_func, ({folder!r},), chunk_size=500, progress_bar={bar},
        n_jobs=2, pool_engine={engine!r}, mp_context={mp_context!r},
    )
    executor.run()
"""


def start_program(tmp_path, *, engine="process", mp_context=None, bar=False, sleep_s=60):
    """Start a program whose workers sleep for long; return it and the workers' ids."""
    folder = tmp_path / "workers"
    folder.mkdir()
    script = tmp_path / "program.py"
    script.write_text(
        PROGRAM.format(
            tests=str(TESTS), folder=str(folder), engine=engine, mp_context=mp_context, bar=bar
        ).replace("60", str(sleep_s))
    )
    program = subprocess.Popen(
        [sys.executable, str(script)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    n_workers = 2 if engine == "process" else 1
    deadline_s = time.monotonic() + 30
    while len(list(folder.iterdir())) < n_workers:
        assert time.monotonic() < deadline_s
        assert program.poll() is None, program.stderr.read()
        time.sleep(0.02)
    time.sleep(0.3)
    return program


def members_of(session_id):
    """Return the processes of a session that are not dead, but for the first one."""
    members = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != session_id:
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session_id and fields[0] != "Z":
                members.append(int(folder.name))
    return members


def assert_alone(session_id, within_s=10.0):
    deadline_s = time.monotonic() + within_s
    while members_of(session_id) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    orphans = members_of(session_id)
    for orphan in orphans:
        os.kill(orphan, signal.SIGKILL)
    assert orphans == []


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.parametrize("mp_context", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("is_terminal", [True, False], ids=["to all", "to one"])
def test_ctrl_c_ends_the_program_and_its_workers(tmp_path, mp_context, is_terminal):
    """A terminal sends the signal to all processes, a notebook to one."""
    program = start_program(tmp_path, mp_context=mp_context)
    assert len(members_of(program.pid)) >= 2
    began_s = time.monotonic()
    (os.killpg if is_terminal else os.kill)(program.pid, signal.SIGINT)
    _, said = program.communicate(timeout=20)
    assert time.monotonic() - began_s < 5
    assert program.returncode == -signal.SIGINT
    assert said.count("KeyboardInterrupt") == 1, said
    assert said.count("Traceback") == 1, said
    assert_alone(program.pid)


@needs_proc
def test_ctrl_c_ends_threads_after_the_chunks_that_they_have(tmp_path):
    program = start_program(tmp_path, engine="thread", sleep_s=1.5)
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=20)
    assert program.returncode == -signal.SIGINT
    assert said.count("Traceback") == 1, said


@needs_proc
@pytest.mark.parametrize("mp_context", ["fork", "spawn", "forkserver"])
def test_workers_end_with_the_program_that_started_them(tmp_path, mp_context):
    program = start_program(tmp_path, mp_context=mp_context)
    assert len(members_of(program.pid)) >= 2
    program.kill()
    program.wait(10)
    assert_alone(program.pid)
    program.stderr.close()


@needs_proc
def test_a_worker_killed_from_outside_ends_the_program(tmp_path):
    program = start_program(tmp_path, mp_context="fork", bar=True)
    os.kill(members_of(program.pid)[0], signal.SIGKILL)
    _, said = program.communicate(timeout=20)
    assert program.returncode == 1
    assert "WorkerError: Worker process" in said
    assert "killed by SIGKILL while it worked on segment 0, samples" in said
    assert_alone(program.pid)


def test_a_script_without_a_guard_runs_where_nothing_is_sent(tmp_path):
    script = tmp_path / "program.py"
    text = PROGRAM.format(
        tests=str(TESTS), folder=str(tmp_path), engine="process", mp_context=None, bar=False
    )
    script.write_text(text.replace('if __name__ == "__main__":', "if True:").replace("60", "0.01"))
    subprocess.run([sys.executable, str(script)], check=True, timeout=60)


def test_a_script_without_a_guard_is_told_where_it_is_needed(tmp_path):
    script = tmp_path / "program.py"
    text = PROGRAM.format(
        tests=str(TESTS), folder=str(tmp_path), engine="process", mp_context="spawn", bar=False
    )
    script.write_text(text.replace('if __name__ == "__main__":', "if True:"))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert 'needs if __name__ == "__main__":' in done.stderr


def test_a_function_of_a_prompt_is_told_where_it_must_live():
    text = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "from making.chunk_sources import ArraySource\n"
        "from spikeloom.engine.chunk_executor import map_chunks\n"
        "from spikeloom.engine.options import JobOptions\n"
        "def work(source, chunk): return 1\n"
        "options = JobOptions(pool_engine='process', mp_context='spawn', n_jobs=2, chunk_size=9)\n"
        "list(map_chunks(ArraySource(), work, options=options))\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "TransferError: A worker cannot read its work" in done.stderr
    assert "put them into a module" in done.stderr
