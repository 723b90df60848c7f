import threading

import pytest

from spikeloom.engine.cancellation import CancelToken
from spikeloom.errors import Cancelled, SpikeloomError


def test_work_stops_at_its_next_check_once_it_is_withdrawn():
    token = CancelToken()
    token.check()
    assert not token.is_cancelled
    token.cancel()
    assert token.is_cancelled
    with pytest.raises(Cancelled) as caught:
        token.check()
    assert isinstance(caught.value, SpikeloomError)


def test_another_thread_sees_it():
    token, seen = CancelToken(), threading.Event()

    def work():
        while not token.is_cancelled:
            pass
        seen.set()

    thread = threading.Thread(target=work)
    thread.start()
    token.cancel()
    thread.join(10)
    assert seen.is_set()
