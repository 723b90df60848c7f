import os
import threading

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.engine import executor
from spikeloom.engine.executor import map_items, n_usable_cpus


@given(st.integers(0, 200), st.integers(1, 16))
def test_results_come_in_the_order_of_the_items(n_items, n_cpus):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor, "n_usable_cpus", lambda: n_cpus)
        assert map_items(lambda i: i * i, range(n_items)) == [i * i for i in range(n_items)]


def test_each_item_is_worked_on_once(monkeypatch):
    monkeypatch.setattr(executor, "n_usable_cpus", lambda: 4)
    seen = []
    map_items(seen.append, range(1000))
    assert sorted(seen) == list(range(1000))


def test_a_single_item_stays_on_the_calling_thread():
    names = map_items(lambda _item: threading.current_thread().name, [0])
    assert names == [threading.current_thread().name]


@pytest.mark.parametrize("bad", [0, 57, 99])
def test_an_error_in_any_item_reaches_the_caller(monkeypatch, bad):
    monkeypatch.setattr(executor, "n_usable_cpus", lambda: 4)

    def work(item):
        if item == bad:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        map_items(work, range(100))


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    values = np.arange(10_000)
    totals = []
    for n_cpus in (1, 2, 4):
        monkeypatch.setattr(executor, "n_usable_cpus", lambda n=n_cpus: n)
        parts = map_items(lambda k: int(values[100 * k : 100 * (k + 1)].sum()), range(100))
        totals.append(sum(parts))
    assert totals == [int(values.sum())] * 3


def test_only_the_processors_of_this_process_are_counted():
    assert 1 <= n_usable_cpus() <= (os.cpu_count() or 1)
