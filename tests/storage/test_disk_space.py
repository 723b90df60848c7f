"""Room is asked for before writing; a full disk is told plainly."""

import errno

import pytest

from spikeloom.errors import WriteError
from spikeloom.storage.disk_space import (
    free_bytes,
    is_disk_full,
    require_disk_space,
    size_text,
    write_error,
)


def test_what_does_not_fit_is_refused(tmp_path):
    free = free_bytes(tmp_path / "not" / "there")
    assert free > 0
    require_disk_space(tmp_path / "not" / "there", 1000)
    with pytest.raises(WriteError, match=r"needs about .* free") as caught:
        require_disk_space(tmp_path, free * 2)
    assert is_disk_full(caught.value)


def test_causes_count():
    error = RuntimeError()
    error.__cause__ = OSError(errno.ENOSPC, "full")
    assert is_disk_full(error)
    assert not is_disk_full(OSError(errno.EACCES, "no"))


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "full"), (errno.EFBIG, "largest size"), (errno.EACCES, "Permission denied")],
)
def test_messages(number, words):
    assert words in str(write_error("a", OSError(number, "Permission denied")))


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1 << 20, "1.0 MiB"), (1 << 60, "1024.0 PiB")],
)
def test_sizes(n, text):
    assert size_text(n) == text
