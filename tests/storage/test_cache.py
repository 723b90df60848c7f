import os

import numpy as np
import pytest

from spikeloom.storage.cache import cached_array, clear_cache, trim_cache
from spikeloom.storage.places import cache_folder


class Maker:
    """Makes an array and counts how often."""

    def __init__(self, value=1, size=10):
        self.n_calls = 0
        self.value, self.size = value, size

    def __call__(self):
        self.n_calls += 1
        return np.full(self.size, self.value)


def test_a_value_is_computed_once_for_each_kind_and_content():
    first, other = Maker(1), Maker(2)
    assert cached_array("kind-1", "aa", first).tolist() == [1] * 10
    assert cached_array("kind-1", "aa", other).tolist() == [1] * 10
    assert (first.n_calls, other.n_calls) == (1, 0)
    assert cached_array("kind-1", "bb", other).tolist() == [2] * 10
    assert cached_array("kind-2", "aa", other).tolist() == [2] * 10
    assert other.n_calls == 2


def test_values_are_read_only_whether_made_or_read_back():
    for _ in range(2):
        array = cached_array("kind-1", "aa", Maker())
        assert not array.flags.writeable
        assert type(array) is np.ndarray


def test_an_empty_array_is_kept_too():
    maker = Maker(size=0)
    assert cached_array("kind-1", "aa", maker).size == 0
    assert cached_array("kind-1", "aa", maker).size == 0
    assert maker.n_calls == 1


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"nonsense" * 10])
def test_a_damaged_entry_is_made_anew(damage):
    maker = Maker()
    cached_array("kind-1", "aa", maker)
    (path,) = cache_folder().glob("*.npy")
    path.write_bytes(damage)
    assert cached_array("kind-1", "aa", maker).tolist() == [1] * 10
    assert cached_array("kind-1", "aa", maker).tolist() == [1] * 10
    assert maker.n_calls == 2


def test_the_entries_used_longest_ago_go_first():
    makers = {name: Maker() for name in "abc"}
    for age, (name, maker) in enumerate(makers.items()):
        cached_array("kind-1", name, maker)
        path = cache_folder() / f"kind-1-{name}.npy"
        os.utime(path, (1000 + age, 1000 + age))
    size = path.stat().st_size
    cached_array("kind-1", "a", makers["a"])  # used again: now the youngest
    trim_cache(2 * size)
    assert sorted(p.name for p in cache_folder().iterdir()) == ["kind-1-a.npy", "kind-1-c.npy"]
    trim_cache(0)
    assert list(cache_folder().iterdir()) == []


def test_a_cache_that_cannot_be_written_is_no_error(own_folders):
    (own_folders / "cache").write_text("a file where the folder should be")
    maker = Maker()
    for _ in range(2):
        assert cached_array("kind-1", "aa", maker).tolist() == [1] * 10
    assert maker.n_calls == 2
    trim_cache(0)


def test_an_error_while_computing_is_not_hidden():
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cached_array("kind-1", "aa", fail)
    assert cached_array("kind-1", "aa", Maker()).size == 10


def test_the_cache_can_be_cleared():
    clear_cache()
    cached_array("kind-1", "aa", Maker())
    clear_cache()
    assert not cache_folder().exists()
