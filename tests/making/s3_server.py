"""An S3 server on this machine, with a bucket of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from spikeloom.storage.remote import RemoteStore


@contextmanager
def served_bucket(bucket: str) -> Iterator[dict]:
    """Serve an empty bucket; yield the options to reach it."""
    moto_server = pytest.importorskip("moto.server", reason="moto plays the S3 server")
    pytest.importorskip("s3fs", reason="s3fs reaches S3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        server = moto_server.ThreadedMotoServer(port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        found = {
            "key": "test",
            "secret": "test",
            "client_kwargs": {"endpoint_url": f"http://{host}:{port}"},
        }
        files = RemoteStore(f"s3://{bucket}", found)._fs
        files.mkdir(bucket)
        yield found
        files.rm(bucket, recursive=True)  # all servers of a process share their buckets
        server.stop()
