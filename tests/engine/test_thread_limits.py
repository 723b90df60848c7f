import os

import pytest

from spikeloom.engine.thread_limits import limit_threads, release_threads, thread_variables


def test_jobs_that_overlap_share_the_lowest_limit_and_leave_none_behind():
    import numpy as np

    threadpoolctl = pytest.importorskip("threadpoolctl")
    np.ones((4, 4)) @ np.ones((4, 4))

    def in_force():
        return {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}

    with threadpoolctl.threadpool_limits(limits=5):
        before = in_force()
        limit_threads(2)
        limit_threads(1)
        assert in_force() == {1}
        release_threads(2)
        assert in_force() == {1}
        release_threads(1)
        assert in_force() == before
        limit_threads(None)
        assert in_force() == before
        release_threads(None)


def test_variables_are_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with thread_variables(2):
        assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "2"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ
    with thread_variables(None):
        assert os.environ["OMP_NUM_THREADS"] == "7"
