"""Zarr stores are saved whole or not at all, in folders and in what fsspec reaches."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from making.processes import run_python, start_python
from spikeloom.errors import MissingFileError, ReadError, WriteError
from spikeloom.storage.remote import RemoteStore
from spikeloom.storage.zarr_codecs import default_compressor
from spikeloom.storage.zarr_opening import create_zarr, open_zarr
from spikeloom.storage.zarr_saving import saving_zarr

HERE = str(Path(__file__).parent)

TRACES = np.random.default_rng(0).integers(-300, 300, (1000, 6)).astype("i2")
CHUNKS = (90, 6)

posix = pytest.mark.skipif(os.name == "nt", reason="signals and limits")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def save(location, traces=TRACES, n_threads=2, before=lambda row: None, **options):
    asked = []
    with saving_zarr(location, **options) as saving:
        array = saving.group.create_array(
            "traces_seg0",
            traces.shape,
            traces.dtype,
            chunks=CHUNKS,
            compressor=default_compressor(),
        )

        def write(row):
            before(row)

            def get_block():
                asked.append(row)
                return traces[row : row + array.block_rows]

            saving.write_missing(array, row, get_block)

        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(write, range(0, len(traces), array.block_rows)))
        saving.group.write_array("channel_ids", np.array(list("abcdef")))
        saving.group.create_group("properties")
        saving.group.set_attributes({"sampling_frequency": 30000.0})
    return asked


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_round_trip(tmp_path, zarr_format):
    target = tmp_path / "rec_2024.05.01.zarr"
    save(target, zarr_format=zarr_format)
    group = open_zarr(target)
    np.testing.assert_array_equal(group.read_array("traces_seg0"), TRACES)
    assert group.names() == ["channel_ids", "properties", "traces_seg0"]
    assert names(tmp_path) == [target.name]


def test_results_do_not_depend_on_threads(tmp_path):
    for n_threads in (1, 2, 4):
        save(tmp_path / f"{n_threads}.zarr", n_threads=n_threads)
    one, two, four = (files_of(tmp_path / f"{n}.zarr") for n in (1, 2, 4))
    assert one == two == four


def test_only_zarr_stores_are_replaced(tmp_path):
    target = tmp_path / "a.zarr"
    save(target)
    with pytest.raises(FileExistsError):
        save(target)
    save(target, TRACES[:50], overwrite=True)
    assert open_zarr(target).array("traces_seg0").shape == (50, 6)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").touch()
    with pytest.raises(WriteError, match="does not look like"):
        save(tmp_path / "thesis", overwrite=True)


DYING = """
import os, sys, time
sys.path.insert(0, sys.argv[2])
import test_zarr_saving as here
count = [0]
def before(row):
    if row >= 450:
        print("ready", flush=True)
        time.sleep(60)
here.save(sys.argv[1], n_threads=1, before=before, fingerprint="f")
"""


def kill_in_the_middle(location):
    process = start_python(DYING, location, HERE)
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    process.kill()
    process.communicate()


@posix
def test_a_killed_save_leaves_nothing_and_can_be_resumed(tmp_path):
    target = tmp_path / "rec.zarr"
    kill_in_the_middle(target)
    assert not target.exists()
    with pytest.raises(MissingFileError, match=r"interrupted.*resume=True"):
        open_zarr(target)
    asked = save(target, fingerprint="f", resume=True)
    assert sorted(asked) == list(range(450, 1000, 90))
    save(tmp_path / "whole.zarr")
    assert files_of(target) == files_of(tmp_path / "whole.zarr")
    assert names(tmp_path) == ["rec.zarr", "whole.zarr"]


@posix
def test_what_was_lost_of_a_killed_save_is_written_again(tmp_path):
    target = tmp_path / "rec.zarr"
    kill_in_the_middle(target)
    staged = next(tmp_path.glob(".rec.zarr.*.saving"))
    (staged / "traces_seg0" / "1.0").write_bytes(b"")
    (staged / "traces_seg0" / "3.0").unlink()
    asked = save(target, fingerprint="f", resume=True)
    assert sorted(asked) == [90, 270, *range(450, 1000, 90)]
    np.testing.assert_array_equal(open_zarr(target).read_array("traces_seg0"), TRACES)


@posix
def test_a_killed_save_is_cleaned_up_by_the_next(tmp_path):
    kill_in_the_middle(tmp_path / "rec.zarr")
    assert len(save(tmp_path / "rec.zarr")) == 12
    assert names(tmp_path) == ["rec.zarr"]


@posix
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_file_that_may_not_grow(tmp_path, zarr_format):
    code = f"""
        import os, resource, signal, sys
        sys.path.insert(0, {HERE!r})
        import numpy as np
        import test_zarr_saving as here
        from spikeloom.errors import WriteError
        noise = np.random.default_rng(0).integers(-9999, 9999, (1000, 6)).astype("i2")
        resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
        try:
            here.save(sys.argv[1], noise, zarr_format={zarr_format})
        except WriteError as error:
            print(error)
    """
    assert "largest size" in run_python(code, tmp_path / "rec.zarr")
    assert names(tmp_path) == []


@posix
def test_a_full_disk(tmp_path):
    if not os.path.ismount("/dev/shm") or os.geteuid() != 0:
        pytest.skip("a small disk is mounted by root only")
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=256k tmpfs {small} 2>/dev/null") != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        noise = np.random.default_rng(0).integers(-9999, 9999, (50000, 6)).astype("i2")
        with pytest.raises(WriteError, match=r"needs about .* free"):
            save(small / "rec.zarr", noise, needed_bytes=noise.nbytes)
        with pytest.raises(WriteError, match="free"):
            save(small / "rec.zarr", noise)
        assert names(small) == []
    finally:
        os.system(f"umount {small}")


# Remote stores


@pytest.fixture
def memory_url(request):
    url = f"memory://{request.node.name}/rec.zarr"
    yield url
    RemoteStore(url).delete("")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_remote_round_trip(memory_url, zarr_format):
    save(memory_url, zarr_format=zarr_format)
    group = open_zarr(memory_url)
    np.testing.assert_array_equal(group.read_array("traces_seg0"), TRACES)
    part = group.array("traces_seg0").read(slice(80, 300), [5, 1])
    np.testing.assert_array_equal(part, TRACES[80:300, [5, 1]])
    assert group.names() == ["channel_ids", "properties", "traces_seg0"]
    assert group.attributes == {"sampling_frequency": 30000.0}
    assert not any("incomplete" in name for name in RemoteStore(memory_url).names())
    with pytest.raises(FileExistsError):
        save(memory_url)
    save(memory_url, TRACES[:50], overwrite=True)
    assert open_zarr(memory_url).array("traces_seg0").shape == (50, 6)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_remote_save_in_progress_is_told(memory_url, zarr_format):
    with saving_zarr(memory_url, zarr_format=zarr_format) as saving:
        saving.group.write_array("x", np.arange(3))
        with pytest.raises(ReadError, match="incomplete"):
            open_zarr(memory_url)
    assert open_zarr(memory_url).names() == ["x"]


def test_a_failed_remote_save_leaves_nothing(memory_url):
    with pytest.raises(ZeroDivisionError):
        save(memory_url, before=lambda row: 1 // (row - 450))
    assert RemoteStore(memory_url).names() == []


def test_a_remote_save_is_resumed(memory_url):
    options = {"fingerprint": "f", "resume": True, "n_threads": 1}
    with pytest.raises(ZeroDivisionError):
        save(memory_url, before=lambda row: 1 // (row - 450), **options)
    with pytest.raises(ReadError, match="incomplete"):
        open_zarr(memory_url)
    asked = save(memory_url, **options)
    assert asked[0] == 450
    assert 0 not in asked
    np.testing.assert_array_equal(open_zarr(memory_url).read_array("traces_seg0"), TRACES)


def test_a_strange_bucket_is_not_emptied(memory_url):
    store = RemoteStore(memory_url)
    store.put("thesis.txt", b"precious")
    for overwrite in (False, True):
        with pytest.raises(WriteError):
            save(memory_url, overwrite=overwrite)
    assert store.get("thesis.txt") == b"precious"


def test_consolidated_metadata_need_one_request(memory_url, monkeypatch):
    save(memory_url)
    group = open_zarr(memory_url)
    fetched = []
    get_many = RemoteStore.get_many

    def counted(self, keys):
        keys = list(keys)
        fetched.extend(keys)
        return get_many(self, keys)

    monkeypatch.setattr(RemoteStore, "get_many", counted)
    assert group.names() == ["channel_ids", "properties", "traces_seg0"]
    group.array("traces_seg0").read(slice(0, 10))
    assert fetched[-1] == "traces_seg0/0.0"
    assert set(fetched) <= {"zarr.json", "traces_seg0/0.0"}


def test_file_urls(tmp_path):
    save((tmp_path / "a.zarr").as_uri())
    np.testing.assert_array_equal(open_zarr(tmp_path / "a.zarr").read_array("traces_seg0"), TRACES)


def test_urls_of_unknown_kinds(tmp_path):
    with pytest.raises(ReadError, match="cannot be opened"):
        create_zarr("nonsense://bucket/a.zarr")


def test_reading_over_http(tmp_path):
    pytest.importorskip("aiohttp", reason="aiohttp reaches web servers")
    save(tmp_path / "rec.zarr", is_consolidated=True)
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/rec.zarr"
        group = open_zarr(url)
        assert group.names() == ["channel_ids", "properties", "traces_seg0"]
        part = group.array("traces_seg0").read(slice(80, 300), [5, 1])
        np.testing.assert_array_equal(part, TRACES[80:300, [5, 1]])
        with pytest.raises(ReadError):
            open_zarr(f"{url}.absent")
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass
