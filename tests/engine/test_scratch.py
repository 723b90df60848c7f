"""Scratch memory is reused within a thread and never shared between threads."""

import threading

import numpy as np

from spikeloom.engine.scratch import scratch_array


def test_the_same_name_gives_the_same_memory():
    large = scratch_array("test", (10, 10))
    assert np.shares_memory(large, scratch_array("test", (3, 7)))
    assert scratch_array("test", (3, 7)).shape == (3, 7)
    assert scratch_array("test", (200, 2)).shape == (200, 2)  # grows


def test_other_names_and_other_threads_have_memory_of_their_own():
    mine, others = scratch_array("test", (10,)), []
    assert not np.shares_memory(mine, scratch_array("another test", (10,)))
    thread = threading.Thread(target=lambda: others.append(scratch_array("test", (10,))))
    thread.start()
    thread.join()
    assert not np.shares_memory(mine, others[0])
