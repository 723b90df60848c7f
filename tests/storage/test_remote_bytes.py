import pickle

import numpy as np
import pytest

from making.range_server import served_folder
from spikeloom.errors import MissingFileError, ReadError
from spikeloom.storage.remote_bytes import RemoteBytes

pytest.importorskip("aiohttp", reason="aiohttp reaches web servers")


@pytest.fixture
def content(tmp_path):
    content = np.random.default_rng(0).bytes(3_000_001)
    (tmp_path / "bytes.bin").write_bytes(content)
    return content


@pytest.fixture
def served(tmp_path):
    with served_folder(tmp_path) as served:
        yield served


def _read(far, position, n_bytes):
    buffer = bytearray(n_bytes)
    n_read = far.read_into(position, memoryview(buffer))
    return bytes(buffer[:n_read])


def test_blocks_are_fetched_ahead_and_kept(served, content):
    far = RemoteBytes(f"{served.url}/bytes.bin")
    assert far.n_bytes == len(content)
    assert str(far) == far.name == f"{served.url}/bytes.bin"
    far.fetch_ahead([(0, 10), (1_000_000, 700_000), (2_999_999, 2)])
    n_requests = len(served.requests)
    assert n_requests == 3
    for position, n_bytes in ((0, 10), (1_200_000, 100_000), (2_999_990, 11)):
        assert _read(far, position, n_bytes) == content[position : position + n_bytes]
    assert len(served.requests) == n_requests


def test_any_part_is_read(served, content):
    far = pickle.loads(pickle.dumps(RemoteBytes(f"{served.url}/bytes.bin")))
    rng = np.random.default_rng(1)
    for position in [0, 262_143, 262_144, *rng.integers(0, len(content), 20).tolist()]:
        n_bytes = int(rng.integers(1, 900_000))
        assert _read(far, position, n_bytes) == content[position : position + n_bytes]
    assert _read(far, len(content) - 10, 30) == content[-10:]
    assert _read(far, len(content) + 10, 30) == b""


def test_what_is_kept_in_a_folder_is_that_of_the_file(served, content, tmp_path):
    def read():
        return _read(RemoteBytes(f"{served.url}/bytes.bin", None, tmp_path / "kept"), 500, 400_000)

    assert read() == content[500:400_500]
    before = served.n_bytes
    assert read() == content[500:400_500]
    assert served.n_bytes == before
    (tmp_path / "bytes.bin").write_bytes(content[1:])
    assert read() == content[501:400_501]


def test_faults(served, content, tmp_path):
    with pytest.raises(MissingFileError, match=r"no file .*absent\.bin"):
        RemoteBytes(f"{served.url}/absent.bin")
    far = RemoteBytes(f"{served.url}/bytes.bin")
    (tmp_path / "bytes.bin").unlink()
    with pytest.raises(ReadError, match=r"bytes\.bin cannot be read"):
        _read(far, 0, 10)
    with pytest.raises(ReadError, match="Check the URL, the network"):
        RemoteBytes("http://127.0.0.1:9/bytes.bin")
