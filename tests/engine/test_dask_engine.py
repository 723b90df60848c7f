"""The same laws on a Dask cluster: one of threads in this process, and one of processes."""

import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from making import chunk_sources as making
from making.chunk_sources import ArraySource
from spikeloom.engine.chunk_executor import TimeSeriesChunkExecutor, map_chunks
from spikeloom.engine.dask_engine import find_client
from spikeloom.engine.options import JobOptions, job_options
from spikeloom.errors import MissingDependencyError, ParameterError, TransferError, WorkerError

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")


def make_client(**cluster):
    # What the cluster says about itself while it starts and ends is none of ours.
    dask.config.set({"distributed.scheduler.allowed-failures": 0})
    local = distributed.LocalCluster(dashboard_address=":0", silence_logs=50, **cluster)
    return local, distributed.Client(local, set_as_default=False)


@pytest.fixture(scope="module")
def client():
    cluster, client = make_client(n_workers=2, threads_per_worker=2, processes=False)
    yield client
    client.close()
    cluster.close()


@pytest.fixture(scope="module")
def process_client():
    cluster, client = make_client(n_workers=2, threads_per_worker=1, processes=True)
    client.run(sys.path.append, str(Path(__file__).parents[1]))
    yield client
    client.close()
    cluster.close()


def options_of(client, chunk_size=100):
    return JobOptions(pool_engine=client, chunk_size=chunk_size, progress_bar=False)


def squares_of(client):
    source = ArraySource()
    given = list(map_chunks(source, making.squares, options=options_of(client)))
    whole = [segment.astype(np.float32) ** 2 for segment in source.segments]
    assert np.array_equal(np.concatenate(given), np.concatenate(whole))


def test_chunked_is_whole(client):
    squares_of(client)


def test_the_current_client_is_used(client):
    with client.as_current():
        options = job_options(pool_engine="dask", chunk_size=100, progress_bar=False)
        assert len(list(map_chunks(ArraySource(), making.chunk_sums, options=options))) == 14


def test_without_a_client_it_is_told_how_to_get_one():
    with pytest.raises(ParameterError, match=r"distributed\.Client\("):
        find_client("dask")


def test_without_dask_it_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingDependencyError, match=r"spikeloom\[dask\]"):
        find_client("dask")


def test_a_state_is_made_once_in_each_thread(client):
    names = list(
        map_chunks(
            ArraySource(),
            making.worker_name,
            options=options_of(client, 20),
            make_state=making.make_worker_name,
        )
    )
    workers = {(process_id, thread_id) for process_id, thread_id, _ in names}
    # Two machines in one process: a thread of each has its own.
    assert len(set(names)) == len(workers) == 4


def test_the_first_error_in_the_order_of_the_chunks_is_raised(client):
    work = partial(making.fail_at, bad=(300, 500, 700))
    given = []
    with pytest.raises(ZeroDivisionError, match="bad 300") as caught:
        given.extend(map_chunks(ArraySource([1000]), work, options=options_of(client)))
    assert given == [0, 100, 200]
    assert "chunk 4 of 10: segment 0" in "\n".join(caught.value.__notes__)


def test_only_a_few_chunks_are_on_the_way(client):
    making.begun.clear()
    results = map_chunks(ArraySource([1000]), making.note_start, options=options_of(client, 1))
    for n_taken, _ in zip(range(1, 30), results, strict=False):
        assert len(making.begun) <= n_taken + 8
    results.close()
    assert 29 <= len(making.begun) < 60


def test_the_executor_works_on_a_cluster(client):
    executor = TimeSeriesChunkExecutor(
        ArraySource(),
        making.func_times_factor,
        making.init_without_index,
        (2,),
        handle_returns=True,
        chunk_size=500,
        pool_engine=client,
    )
    assert executor.run() == [1000, 1000, 754]


def test_workers_of_a_cluster_have_no_numbers(client):
    executor = TimeSeriesChunkExecutor(
        ArraySource(),
        print,
        making.init_with_index,
        (2,),
        need_worker_index=True,
        pool_engine=client,
    )
    with pytest.raises(ParameterError, match="need_worker_index"):
        executor.run()


def test_a_source_that_cannot_be_sent_is_refused(client):
    with pytest.raises(TransferError, match="HomeboundSource"):
        list(map_chunks(making.HomeboundSource(), making.chunk_sums, options=options_of(client)))


@pytest.mark.slow
def test_chunked_is_whole_in_other_processes(process_client):
    squares_of(process_client)


@pytest.mark.slow
def test_what_cannot_be_sent_to_other_processes_is_an_error(process_client):
    lock = threading.Lock()

    def work(source, chunk):
        return lock

    with pytest.raises(TransferError, match="cannot be sent to a Dask cluster"):
        list(map_chunks(ArraySource(), work, options=options_of(process_client)))


@pytest.mark.slow
def test_a_worker_that_dies_is_an_error_that_names_its_chunk(process_client):
    work = partial(making.exit_at, bad=400)
    with pytest.raises(WorkerError, match="memory") as caught:
        list(map_chunks(ArraySource([1000]), work, options=options_of(process_client)))
    # The scheduler suspects all chunks that it had given to the worker.
    assert "of 10: segment 0, samples" in "\n".join(caught.value.__notes__)
