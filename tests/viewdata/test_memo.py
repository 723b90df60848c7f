"""What is kept comes back, what was used longest ago goes first, and nobody can change it."""

import numpy as np
import pytest

from spikeloom.viewdata.memo import Memo


def arrays_of(n_bytes, value=0):
    return (np.full(n_bytes, value, np.uint8),)


def test_what_was_made_once_is_not_made_again():
    memo, n_made = Memo(), []

    def make():
        n_made.append(1)
        return arrays_of(10)

    assert memo.get("a", make) is memo.get("a", make)
    assert len(n_made) == 1


def test_what_was_used_longest_ago_goes_when_there_is_too_much():
    memo, made = Memo(budget_bytes=100), []

    def get(key, n_bytes=40):
        def make():
            made.append(key)
            return arrays_of(n_bytes)

        memo.get(key, make)

    get("a")
    get("b")
    get("a")
    get("c")  # b goes, for a was used after it
    get("a")
    get("b")
    assert made == ["a", "b", "c", "b"]


def test_something_larger_than_the_budget_is_kept_alone():
    memo = Memo(budget_bytes=100)
    memo.get("a", lambda: arrays_of(40))
    first = memo.get("large", lambda: arrays_of(1000))
    assert memo.get("large", lambda: arrays_of(1000, 1)) is first
    assert memo.get("a", lambda: arrays_of(40, 7))[0][0] == 7


def test_what_is_kept_cannot_be_written_to():
    (array,) = Memo().get("a", lambda: arrays_of(3))
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_an_error_while_making_keeps_nothing():
    memo = Memo()
    with pytest.raises(ZeroDivisionError):
        memo.get("a", lambda: (np.zeros(1 // 0),))
    assert memo.get("a", lambda: arrays_of(1, 5))[0][0] == 5
