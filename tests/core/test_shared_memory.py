import gc
import multiprocessing
import os
import pickle
import signal
import sys
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from making.processes import run_python, start_python
from making.sortings import check_same, dicts_of, example_sorting, recording_of, sorting_of
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.shared_memory import SharedMemoryRecording, SharedMemorySorting
from spikeloom.core.spike_vector import minimum_spike_dtype
from spikeloom.errors import DataError, MissingFileError, ParameterError, WriteError
from spikeloom.storage.shared_blocks import attach_block, create_block

IS_LINUX = sys.platform.startswith("linux")
needs_names = pytest.mark.skipif(not IS_LINUX, reason="names of blocks are files on Linux only")


def is_there(name):
    return (Path("/dev/shm") / name).exists()


def what_is_seen(sorting):
    """Run in another process: tell what is seen there, and whether it is the memory of others."""
    return dicts_of(sorting), sorting.shm.is_owner, sorting.get_property("quality").tolist()


def double(sorting):
    """Run in another process: change the memory, which no one should, to show that it is shared."""
    vector = sorting.shm.array(sorting.shm_spikes.shape, minimum_spike_dtype, is_writable=True)
    vector["sample_index"] *= 2


def test_all_is_kept():
    sorting = example_sorting(t_starts=[1.0, 4.0])
    shared = SharedMemorySorting.from_sorting(sorting, with_metadata=True)
    check_same(shared, sorting)
    check_same(shared.clone(), sorting)
    check_same(pickle.loads(pickle.dumps(shared)), sorting)
    assert shared.check_serializability("memory")
    assert not shared.check_serializability("json")
    assert SharedMemorySorting.from_sorting(sorting).get_property("quality") is None
    assert len(pickle.dumps(shared)) < 3000
    assert not shared.to_spike_vector().flags.writeable


def test_no_spikes_and_segments_without():
    for sorting in (
        sorting_of([{"a": []}]),
        sorting_of([{"a": [1]}, {"a": []}, {"a": []}]),
        sorting_of([{"a": []}, {"a": []}]),
        sorting_of([{}]),
    ):
        shared = sorting.to_shared_memory_sorting()
        check_same(shared, sorting)
        assert shared.get_num_segments() == sorting.get_num_segments()
        check_same(pickle.loads(pickle.dumps(shared)), sorting)


@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_other_processes_see_the_same_memory(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"This system cannot {method}.")
    shared = example_sorting().to_shared_memory_sorting()
    expected = dicts_of(shared)
    with multiprocessing.get_context(method).Pool(2) as pool:
        for seen, is_owner, quality in pool.map(what_is_seen, [shared] * 4, chunksize=1):
            assert seen == expected
            assert not is_owner
            assert quality == ["good", "mua", "noise"]
        pool.apply(double, [shared])
    assert shared.to_spike_vector()["sample_index"].tolist() == [
        2 * t for t in example_sorting().to_spike_vector()["sample_index"].tolist()
    ]
    # Workers that ended have taken nothing along.
    assert attach_block(shared.shm.name, 24).is_owner
    if IS_LINUX:
        assert is_there(shared.shm.name)


@needs_names
def test_the_name_goes_with_the_last_user_in_the_owning_process():
    shared = example_sorting().to_shared_memory_sorting()
    name = shared.shm.name
    view, clone = shared.select_units(["a"]), shared.clone()
    vector = shared.to_spike_vector()
    del shared
    gc.collect()
    assert is_there(name)
    assert view.get_unit_spike_train("a", 0).tolist() == [3, 9, 30]
    del view
    gc.collect()
    description = pickle.dumps(clone)
    assert is_there(name)
    del clone
    gc.collect()
    assert not is_there(name)
    assert vector["sample_index"][0] == 3  # the memory stays with who still uses it
    with pytest.raises(MissingFileError, match="any more"):
        pickle.loads(description)


@needs_names
def test_a_process_that_ends_leaves_nothing_and_says_nothing():
    code = """
        import multiprocessing, sys
        from making.sortings import example_sorting, dicts_of

        def look(sorting):
            return dicts_of(sorting)

        if __name__ == "__main__":
            kept = example_sorting().to_shared_memory_sorting()
            trains = kept.get_unit_spike_train("a", 0)
            context = multiprocessing.get_context(sys.argv[1])
            process = context.Process(target=dicts_of, args=(kept,))
            process.start()
            process.join()
            assert process.exitcode == 0
            print(kept.shm.name, end="")
            # A reference cycle, which is there until the very end.
            cycle = [kept, trains]
            cycle.append(cycle)
    """
    for method in ("spawn", "fork", "forkserver"):
        process = start_python(code, method)
        name, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert errors == ""
        assert name
        assert not is_there(name)


@needs_names
def test_forks_of_the_owner_do_not_remove_it():
    code = """
        import os, sys
        from making.sortings import example_sorting

        kept = example_sorting().to_shared_memory_sorting()
        name = kept.shm.name
        if os.fork() == 0:
            assert not kept.shm.is_owner
            del kept
            sys.exit(0)  # as a script ends, not as a worker of a pool does
        os.wait()
        assert os.path.exists(f"/dev/shm/{name}")
        assert kept.shm.is_owner
        print(name, end="")
    """
    process = start_python(code)
    name, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert not is_there(name)


@needs_names
def test_a_process_that_is_killed_leaves_nothing():
    code = """
        import time
        from making.sortings import example_sorting

        kept = example_sorting().to_shared_memory_sorting()
        print(kept.shm.name, flush=True)
        time.sleep(60)
    """
    process = start_python(code)
    name = process.stdout.readline().strip()
    assert is_there(name)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while is_there(name) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_there(name)


@needs_names
def test_a_stranger_that_attaches_removes_nothing_and_warns_of_nothing():
    shared = example_sorting().to_shared_memory_sorting()
    code = """
        import sys
        from spikeloom.core.shared_memory import SharedMemorySorting

        sorting = SharedMemorySorting(sys.argv[1], (int(sys.argv[2]),), 1000.0, ["a", "b", "c"],
                                      main_shm_owner=False)
        print(sorting.get_num_segments(), sorting.get_unit_spike_train("a", 0).tolist())
    """
    n_spikes = shared.count_total_num_spikes()
    assert run_python(code, shared.shm.name, n_spikes) == "2 [3, 9, 30]\n"
    assert is_there(shared.shm.name)


def test_the_memory_of_others_can_be_taken_over():
    memory = pytest.importorskip("multiprocessing.shared_memory")
    block = memory.SharedMemory(create=True, size=48)
    spikes = np.array([(5, 1, 0), (9, 0, 1)], minimum_spike_dtype)
    block.buf[:48] = spikes.tobytes()
    sorting = SharedMemorySorting(block.name, (2,), 1000.0, ["a", "b"])
    block.close()
    assert dicts_of(sorting) == [{"a": [], "b": [5]}, {"a": [9], "b": []}]
    assert sorting.shm.is_owner
    del sorting
    gc.collect()
    with pytest.raises(FileNotFoundError):
        memory.SharedMemory(block.name)


def test_blocks_that_are_gone_or_too_small():
    with pytest.raises(MissingFileError):
        attach_block("sl_nothing", 8)
    block = create_block(8)
    with pytest.raises(DataError, match="has 8 of 16 bytes"):
        block.array([2], "int64")
    with pytest.raises(FileNotFoundError):
        SharedMemorySorting("sl_nothing", (1,), 1000.0, ["a"])


@needs_names
def test_too_much_is_refused_rather_than_deadly():
    with pytest.raises(WriteError, match="no room"):
        create_block(1 << 50)


def test_blocks_are_freed():
    block = create_block(1000)
    array = block.array([1000], np.uint8, is_writable=True)
    seen = weakref.ref(block)
    del block
    assert seen() is None
    array[:] = 1


# -- recordings --------------------------------------------------------------------------------


def traces_of(recording):
    return [recording.get_traces(k).tolist() for k in range(recording.get_num_segments())]


@pytest.fixture
def recording():
    rng = np.random.default_rng(0)
    traces = [rng.integers(-99, 99, (n, 3)).astype(np.int16) for n in (50, 0, 7)]
    made = NumpyRecording(traces, 1000.0, t_starts=[1.0, 2.0, 3.0], channel_ids=["x", "y", "z"])
    made.set_property("quality", ["p", "q", "r"])
    made.annotate(name="rec")
    return made


@pytest.mark.parametrize("options", [{}, {"n_jobs": 2, "pool_engine": "process"}])
def test_a_recording_is_kept_as_it_is(recording, options):
    shared = SharedMemoryRecording.from_recording(
        recording, chunk_size=20, progress_bar=False, **options
    )
    for copied in (shared, shared.clone(), pickle.loads(pickle.dumps(shared))):
        assert traces_of(copied) == traces_of(recording)
        assert copied.dtype == np.int16
        assert copied.channel_ids.tolist() == ["x", "y", "z"]
        assert copied.get_segment_t_starts() == [1.0, 2.0, 3.0]
        assert copied.get_property("quality").tolist() == ["p", "q", "r"]
        assert copied.name == "rec"
        assert not copied.get_traces(0).flags.writeable


def test_a_recording_in_other_processes(recording):
    shared = SharedMemoryRecording.from_recording(recording, progress_bar=False)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(traces_of, [shared]) == traces_of(recording)
    names = [block.name for block in shared.shms]
    assert len(set(names)) == 3
    assert traces_of(shared) == traces_of(recording)
    if IS_LINUX:
        del shared
        gc.collect()
        assert not any(map(is_there, names))


def test_lists_of_times_only_if_wanted():
    recording = recording_of([3])
    recording.set_times([1.0, 2.0, 5.0])
    plain = SharedMemoryRecording.from_recording(recording, progress_bar=False)
    assert not plain.has_time_vector()
    timed = SharedMemoryRecording.from_recording(
        recording, with_time_vector=True, progress_bar=False
    )
    assert timed.get_times().tolist() == [1.0, 2.0, 5.0]


def test_names_that_do_not_fit():
    block = create_block(100)
    for names, shapes, ids in (
        ([block.name], [], None),
        ([block.name], [(5,)], None),
        ([block.name] * 2, [(5, 2), (5, 3)], None),
        ([block.name], [(5, 2)], ["a"]),
    ):
        with pytest.raises(ParameterError):
            SharedMemoryRecording(names, shapes, "int16", 1000.0, channel_ids=ids)
