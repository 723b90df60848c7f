"""Sources of chunks and functions of chunks that any process can import."""

import os
import signal
import threading
import time

import numpy as np


class ArraySource:
    """Segments of random int16 traces, by seed; what processes get is the seed."""

    def __init__(self, n_samples=(1000, 0, 377), n_channels=3, seed=0, sampling_frequency=1000.0):
        self.arguments = (tuple(n_samples), n_channels, seed, sampling_frequency)
        rng = np.random.default_rng(seed)
        self.segments = [rng.integers(-99, 99, (n, n_channels), np.int16) for n in n_samples]
        self.sampling_frequency = sampling_frequency

    def __reduce__(self):
        return type(self), self.arguments

    def get_num_segments(self):
        return len(self.segments)

    def get_num_samples(self, segment_index=None):
        return len(self.segments[segment_index])

    def get_num_channels(self):
        return self.arguments[1]

    def get_sample_size_in_bytes(self):
        return 2 * self.arguments[1]


class HomeboundSource(ArraySource):
    """A source that says that it cannot be sent."""

    def check_serializability(self, type):
        return False


class SpawningSource(ArraySource):
    """A source that needs processes that are spawned."""

    def get_preferred_mp_context(self):
        return "spawn"


def chunk_sums(source, chunk):
    segment = source.segments[chunk.segment_index]
    return segment[chunk.start_sample : chunk.end_sample].sum(0, dtype=np.int64)


def squares(source, chunk):
    segment = source.segments[chunk.segment_index]
    return segment[chunk.start_sample : chunk.end_sample].astype(np.float32) ** 2


def make_worker_name(source):
    return (os.getpid(), threading.get_ident(), time.monotonic_ns())


def worker_name(source, chunk, state):
    time.sleep(0.01)
    return state


def fail_at(source, chunk, bad=()):
    """Fail at some chunks, the earlier the later."""
    if chunk.start_sample in bad:
        time.sleep(0.2 / (1 + bad.index(chunk.start_sample)))
        msg = f"bad {chunk.start_sample}"
        raise ZeroDivisionError(msg)
    return chunk.start_sample


def exit_at(source, chunk, bad=0, code=3):
    if chunk.start_sample == bad:
        os._exit(code)
    time.sleep(0.01)
    return chunk.start_sample


def kill_at(source, chunk, bad=0):
    if chunk.start_sample == bad:
        os.kill(os.getpid(), signal.SIGKILL)
    return chunk.start_sample


class StubbornError(Exception):
    """Cannot be sent."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")
        self.lock = threading.Lock()


def fail_stubbornly(source, chunk):
    raise StubbornError(1, 2)


def give_a_lock(source, chunk):
    return threading.Lock()


def init_with_index(factor, worker_index):
    return {"factor": factor, "index": worker_index}


def init_without_index(factor):
    return {"factor": factor}


def func_with_index(segment_index, start, end, worker):
    assert worker["index"] == worker["worker_index"]
    time.sleep(0.01)
    return worker["worker_index"]


def func_times_factor(segment_index, start, end, worker):
    return worker["factor"] * (end - start)


def failing_init():
    msg = "no state today"
    raise LookupError(msg)


def threads_of_linear_algebra(source, chunk):
    import threadpoolctl

    np.ones((4, 4)) @ np.ones((4, 4))
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]


begun = []


def note_start(source, chunk):
    begun.append(chunk)
