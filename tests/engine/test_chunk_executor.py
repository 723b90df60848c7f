"""The laws of the executor, on every engine that needs no other machine."""

import gc
import multiprocessing
import threading
import time
import weakref
from contextlib import closing
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from making import chunk_sources as making
from making.chunk_sources import ArraySource
from spikeloom.engine.chunk_executor import (
    ChunkRecordingExecutor,
    TimeSeriesChunkExecutor,
    map_chunks,
)
from spikeloom.engine.options import JobOptions
from spikeloom.errors import ParameterError, TransferError

# From 3.12 on Python says this of every fork beside a thread; these tests know.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

WAYS = [
    pytest.param({"n_jobs": 1}, id="serial"),
    pytest.param({"n_jobs": 2}, id="2 threads"),
    pytest.param({"n_jobs": 4}, id="4 threads"),
    pytest.param({"n_jobs": 2, "pool_engine": "process", "mp_context": "fork"}, id="2 forks"),
    pytest.param({"n_jobs": 4, "pool_engine": "process", "mp_context": "fork"}, id="4 forks"),
    pytest.param({"n_jobs": 2, "pool_engine": "process", "mp_context": "spawn"}, id="2 spawned"),
    pytest.param(
        {"n_jobs": 4, "pool_engine": "process", "mp_context": "forkserver"}, id="4 from a server"
    ),
]
QUICK_WAYS = WAYS[:2] + WAYS[3:4]


def options_of(way, chunk_size=100, **others):
    return JobOptions(**{"progress_bar": False, "chunk_size": chunk_size} | way | others)


def worker_threads():
    return [t for t in threading.enumerate() if t.name.startswith("spikeloom-chunk")]


@pytest.fixture(autouse=True)
def nothing_stays():
    yield
    assert worker_threads() == []
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("way", WAYS)
def test_chunked_is_whole_on_every_engine(way):
    source = ArraySource()
    squares = list(map_chunks(source, making.squares, options=options_of(way)))
    whole = np.concatenate([segment.astype(np.float32) ** 2 for segment in source.segments])
    assert np.array_equal(np.concatenate(squares), whole)
    assert len(squares) == 14


@settings(max_examples=20)
@given(
    st.lists(st.integers(0, 200), max_size=3),
    st.integers(1, 150),
    st.sampled_from([1, 2, 4]),
    st.integers(0, 5),
)
def test_neither_size_nor_number_of_workers_changes_the_sum(n_samples, chunk_size, n_jobs, seed):
    source = ArraySource(n_samples, 2, seed)
    options = options_of({"n_jobs": n_jobs}, chunk_size)
    total = sum(map_chunks(source, making.chunk_sums, options=options), start=np.zeros(2))
    assert (
        total.tolist()
        == sum(s.sum(0, dtype=float) for s in source.segments or [np.zeros((1, 2))]).tolist()
    )


@settings(max_examples=10)
@given(st.lists(st.integers(0, 200), max_size=3), st.integers(20, 150), st.sampled_from([2, 4]))
def test_forks_give_what_the_calling_thread_gives(n_samples, chunk_size, n_jobs):
    source = ArraySource(n_samples, 2)
    forks = {"n_jobs": n_jobs, "pool_engine": "process", "mp_context": "fork"}
    forked, serial = (
        list(map_chunks(source, making.squares, options=options_of(way, chunk_size)))
        for way in (forks, {"n_jobs": 1})
    )
    assert len(forked) == len(serial)
    assert all(np.array_equal(one, other) for one, other in zip(forked, serial, strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_a_state_is_made_once_in_each_worker_that_works(way):
    names = list(
        map_chunks(
            ArraySource(),
            making.worker_name,
            options=options_of(way),
            make_state=making.make_worker_name,
        )
    )
    workers = {(process_id, thread_id) for process_id, thread_id, _ in names}
    assert len(set(names)) == len(workers)
    assert 1 <= len(workers) <= way["n_jobs"]
    if way["n_jobs"] == 2:
        assert len(workers) == 2


def test_no_more_workers_are_started_than_there_are_chunks():
    way = {"n_jobs": 50, "pool_engine": "process", "mp_context": "fork"}
    with closing(
        map_chunks(ArraySource([30]), making.chunk_sums, options=options_of(way, 10))
    ) as results:
        next(results)
        assert len(multiprocessing.active_children()) <= 3


def test_nothing_starts_before_a_result_is_asked_for():
    def work(source, chunk):
        raise ZeroDivisionError

    map_chunks(ArraySource(), work, options=options_of({"n_jobs": 2}))
    with pytest.raises(ParameterError):
        map_chunks(ArraySource(), work, chunks=[(9, 0, 1)])


@pytest.mark.parametrize("way", WAYS)
def test_the_first_error_in_the_order_of_the_chunks_is_raised_after_what_was_before(way):
    work = partial(making.fail_at, bad=(300, 500, 700))
    given = []
    with pytest.raises(ZeroDivisionError, match="bad 300") as caught:
        given.extend(map_chunks(ArraySource([1000]), work, options=options_of(way)))
    notes = "\n".join(caught.value.__notes__)
    assert "chunk 4 of 10: segment 0, samples 300 to 400" in notes
    assert given == [0, 100, 200]


@pytest.mark.parametrize("way", WAYS[3:])
def test_the_traceback_of_another_process_comes_along(way):
    work = partial(making.fail_at, bad=(0,))
    with pytest.raises(ZeroDivisionError) as caught:
        list(map_chunks(ArraySource([1000]), work, options=options_of(way)))
    assert "in fail_at" in "\n".join(caught.value.__notes__)


@pytest.mark.parametrize("way", QUICK_WAYS)
def test_an_error_ends_the_job_soon(way):
    began = []

    def work(source, chunk):
        began.append(chunk)
        if chunk.start_sample == 0:
            raise ZeroDivisionError
        time.sleep(0.01)

    with pytest.raises(ZeroDivisionError):
        list(map_chunks(ArraySource([1000]), work, options=options_of(way, 1)))
    assert len(began) <= 8


@pytest.mark.parametrize("way", WAYS[2:3] + WAYS[4:5])
def test_no_chunk_begins_after_one_has_failed(way):
    n_begun = multiprocessing.get_context("fork").Value("i", 0)

    def work(source, chunk):
        with n_begun.get_lock():
            n_begun.value += 1
        if chunk.start_sample == 0:
            time.sleep(0.3)
        if chunk.start_sample == 1:
            raise ZeroDivisionError
        time.sleep(0.01)

    results = map_chunks(ArraySource([1000]), work, options=options_of(way, 1), has_results=False)
    with pytest.raises(ZeroDivisionError):
        list(results)
    assert n_begun.value <= 8


@pytest.mark.parametrize("way", QUICK_WAYS)
def test_an_error_of_the_gatherer_ends_the_job(way):
    def gather(result):
        raise KeyboardInterrupt

    executor = TimeSeriesChunkExecutor(
        ArraySource(),
        making.func_times_factor,
        making.init_without_index,
        (2,),
        gather_func=gather,
        chunk_size=10,
        **way,
    )
    with pytest.raises(KeyboardInterrupt):
        executor.run()


@pytest.mark.parametrize("way", QUICK_WAYS)
def test_a_generator_that_is_given_up_ends_its_workers(way):
    results = map_chunks(ArraySource(), making.chunk_sums, options=options_of(way))
    next(results)
    results.close()
    assert worker_threads() == []
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("way", QUICK_WAYS[1:])
def test_a_slow_first_chunk_does_not_pile_up_results(way):
    """While chunk 0 is under way only a few others begin, however many there are."""
    context = multiprocessing.get_context("fork")
    n_begun = context.Value("i", 0)

    def work(source, chunk):
        with n_begun.get_lock():
            n_begun.value += 1
        if chunk.start_sample == 0:
            time.sleep(0.3)
            return n_begun.value
        return None

    results = list(map_chunks(ArraySource([1000]), work, options=options_of(way, 1)))
    assert results[0] <= 2 * way["n_jobs"]
    assert n_begun.value == 1000


@pytest.mark.parametrize("way", QUICK_WAYS)
def test_results_that_are_taken_slowly_do_not_pile_up(way):
    context = multiprocessing.get_context("fork")
    n_done = context.Value("i", 0)

    def work(source, chunk):
        with n_done.get_lock():
            n_done.value += 1

    results = map_chunks(ArraySource([1000]), work, options=options_of(way, 10))
    for n_taken, _ in zip(range(1, 11), results, strict=False):
        time.sleep(0.005)
        assert n_done.value <= n_taken + 2 * way["n_jobs"]
    results.close()


@pytest.mark.parametrize("way", QUICK_WAYS[:2])
def test_a_result_that_was_given_is_let_go(way):
    class Thing:
        pass

    alive = weakref.WeakSet()

    def work(source, chunk):
        thing = Thing()
        alive.add(thing)
        return thing

    gc.disable()  # it must not need the collector
    try:
        results = map_chunks(ArraySource([300]), work, options=options_of(way, 1))
        for _ in results:
            assert len(alive) <= 2 * way["n_jobs"] + 2
    finally:
        gc.enable()


def test_a_result_is_gone_before_the_next_one_is_made():
    class Thing:
        pass

    alive = weakref.WeakSet()
    n_alive = []

    def work(source, chunk):
        n_alive.append(len(alive))
        thing = Thing()
        alive.add(thing)
        return thing

    results = map_chunks(ArraySource([20]), work, options=options_of({"n_jobs": 1}, 1))
    while next(results, None) is not None:
        pass
    assert n_alive == [0] * 20


def test_results_that_nobody_wants_are_not_sent():
    way = {"n_jobs": 2, "pool_engine": "process", "mp_context": "fork"}
    results = map_chunks(
        ArraySource(), making.give_a_lock, options=options_of(way), has_results=False
    )
    assert list(results) == [None] * 14


@pytest.mark.parametrize("way", WAYS)
def test_the_executor_gathers_in_order_and_returns(way):
    gathered = []
    executor = TimeSeriesChunkExecutor(
        ArraySource(),
        making.func_times_factor,
        making.init_without_index,
        (2,),
        handle_returns=True,
        gather_func=gathered.append,
        chunk_size=150,
        **way,
    )
    expected = [300] * 6 + [200, 300, 300, 154]
    assert executor.run() == gathered == expected
    assert executor.run(slices=[(2, 0, 7), (0, 5, 6)]) == [14, 2]
    assert executor.run(recording_slices=[(0, 0, 1)]) == [2]


def test_without_handling_the_executor_returns_nothing():
    executor = ChunkRecordingExecutor(
        recording=ArraySource(),
        func=making.func_times_factor,
        init_func=making.init_without_index,
        init_args=[3],
        max_threads_per_process=2,
        total_memory="9k",
    )
    assert executor.run() is None
    assert executor.chunk_size == 500
    assert executor.options.max_threads_per_worker == 2
    assert executor.recording is executor.time_series


def test_one_worker_has_a_chunk_for_each_segment():
    executor = TimeSeriesChunkExecutor(
        ArraySource(),
        making.func_times_factor,
        making.init_without_index,
        (1,),
        handle_returns=True,
    )
    assert executor.run() == [1000, 377]


@pytest.mark.parametrize("way", WAYS)
def test_workers_know_their_number(way):
    executor = TimeSeriesChunkExecutor(
        ArraySource(),
        making.func_with_index,
        making.init_with_index,
        (2,),
        need_worker_index=True,
        handle_returns=True,
        chunk_size=50,
        **way,
    )
    numbers = set(executor.run())
    assert numbers <= set(range(way["n_jobs"]))
    if way["n_jobs"] == 2:
        assert numbers == {0, 1}


@pytest.mark.parametrize("way", WAYS)
def test_a_state_that_cannot_be_made_is_the_error_of_the_first_chunk(way):
    executor = TimeSeriesChunkExecutor(
        ArraySource(), making.func_times_factor, making.failing_init, (), chunk_size=100, **way
    )
    with pytest.raises(LookupError, match="no state today") as caught:
        executor.run()
    assert "chunk 1 of 14" in "\n".join(caught.value.__notes__)


def test_verbose_says_how_the_work_is_spread(capsys):
    TimeSeriesChunkExecutor(
        ArraySource(),
        making.func_times_factor,
        making.init_without_index,
        (1,),
        verbose=True,
        progress_bar=True,
        job_name="doubling",
        chunk_size=100,
        n_jobs=2,
    ).run()
    said = capsys.readouterr().err
    assert "doubling: 14 chunks of 100 samples, n_jobs=2" in said
    assert "doubling: 14 of 14 chunks" in said


@pytest.mark.parametrize("wrong", [{"n_jobs": 0}, {"pool_engine": "x"}, {"n_jobs": 2}, {"jobs": 1}])
def test_wrong_options_are_refused_when_the_executor_is_made(wrong):
    with pytest.raises(ParameterError):
        TimeSeriesChunkExecutor(ArraySource(), print, None, (), **wrong)


@pytest.mark.parametrize("mp_context", ["spawn", "forkserver"])
def test_what_cannot_be_sent_is_named(mp_context):
    way = {"n_jobs": 2, "pool_engine": "process", "mp_context": mp_context}
    with pytest.raises(TransferError, match=r"the work cannot be sent.*pool_engine='thread'"):
        list(map_chunks(ArraySource(), lambda source, chunk: 0, options=options_of(way)))
    source = ArraySource()
    source.__class__ = type("Local", (ArraySource,), {})
    with pytest.raises(TransferError, match="the source cannot be sent"):
        list(map_chunks(source, making.chunk_sums, options=options_of(way)))
    with pytest.raises(TransferError, match="HomeboundSource lives in the memory"):
        list(map_chunks(making.HomeboundSource(), making.chunk_sums, options=options_of(way)))
    with pytest.raises(TransferError, match=r"init_args\[1\] cannot be sent"):
        TimeSeriesChunkExecutor(
            ArraySource(),
            making.func_times_factor,
            making.init_without_index,
            (1, threading.Lock()),
            chunk_size=100,
            **way,
        ).run()


def test_threads_and_forks_take_what_cannot_be_sent():
    for way in ({"n_jobs": 2}, {"n_jobs": 2, "pool_engine": "process", "mp_context": "fork"}):
        source = making.HomeboundSource()
        numbers = list(map_chunks(source, lambda source, chunk: 1, options=options_of(way)))
        assert numbers == [1] * 14


@pytest.mark.parametrize("way", QUICK_WAYS)
def test_linear_algebra_keeps_to_its_threads(way):
    threadpoolctl = pytest.importorskip("threadpoolctl")
    before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
    results = list(
        map_chunks(ArraySource(), making.threads_of_linear_algebra, options=options_of(way))
    )
    assert before
    assert all(n_threads == 1 for result in results for n_threads in result)
    assert [pool["num_threads"] for pool in threadpoolctl.threadpool_info()] == before
