import pytest

from spikeloom.app.view_frames import FrameCache, FrameRequest, parse_request
from spikeloom.errors import ParameterError


def request_of(k):
    return FrameRequest("isi", (k,), 0, ())


def test_the_query_of_an_address_is_a_request():
    query = {"clusters": "3,1", "revision": "7", "n_bins": "10", "max_ms": "5"}
    request = parse_request("isi", query)
    assert request == FrameRequest("isi", (3, 1), 7, (("max_ms", "5"), ("n_bins", "10")))
    assert parse_request("isi", {}) == FrameRequest("isi", (), 0, ())
    assert parse_request("isi", dict(reversed(query.items()))) == request


@pytest.mark.parametrize("query", [{"clusters": "1,x"}, {"revision": "one"}, {"clusters": "1.5"}])
def test_what_is_no_number_is_an_error(query):
    with pytest.raises(ParameterError, match="whole numbers"):
        parse_request("isi", query)


def test_the_frames_used_last_are_kept_up_to_a_number_of_bytes():
    cache = FrameCache(n_bytes_max=100)
    for k in range(4):
        cache.put(request_of(k), bytes(30))
    assert cache.get(request_of(0)) is None
    assert cache.get(request_of(1)) == bytes(30)  # used: now the youngest
    cache.put(request_of(4), bytes(50))
    assert [k for k in range(5) if cache.get(request_of(k))] == [1, 4]


def test_a_frame_larger_than_the_cache_is_kept_alone():
    cache = FrameCache(n_bytes_max=100)
    cache.put(request_of(1), bytes(10))
    cache.put(request_of(2), bytes(500))
    assert cache.get(request_of(1)) is None
    assert cache.get(request_of(2)) == bytes(500)


def test_a_frame_put_twice_counts_once():
    cache = FrameCache(n_bytes_max=100)
    for _ in range(5):
        cache.put(request_of(1), bytes(60))
    cache.put(request_of(2), bytes(40))
    assert cache.get(request_of(1)) is not None
