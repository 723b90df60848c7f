import os
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloom.engine import executor
from spikeloom.engine.executor import map_slices, n_usable_cpus


@given(st.integers(0, 200), st.integers(1, 50), st.integers(1, 16))
def test_slices_cover_everything_once_and_in_order(n_items, min_items, n_cpus):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor, "n_usable_cpus", lambda: n_cpus)
        parts = map_slices(lambda part: range(part.start, part.stop), n_items, min_items=min_items)
    assert [i for part in parts for i in part] == list(range(n_items))
    assert len(parts) <= executor.N_THREADS_MAX
    assert len(parts) == 1 or all(len(part) >= min_items for part in parts)


def test_a_short_task_stays_on_the_calling_thread():
    names = map_slices(lambda _part: threading.current_thread().name, 10, min_items=11)
    assert names == [threading.current_thread().name]


def test_an_error_in_any_slice_reaches_the_caller(monkeypatch):
    monkeypatch.setattr(executor, "n_usable_cpus", lambda: 4)

    def work(part):
        if part.start == 0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        map_slices(work, 100)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    values = np.arange(10_000)
    totals = []
    for n_cpus in (1, 2, 4):
        monkeypatch.setattr(executor, "n_usable_cpus", lambda n=n_cpus: n)
        totals.append(sum(map_slices(lambda part: int(values[part].sum()), values.size)))
    assert totals == [int(values.sum())] * 3


def test_only_the_processors_of_this_process_are_counted():
    assert 1 <= n_usable_cpus() <= (os.cpu_count() or 1)
