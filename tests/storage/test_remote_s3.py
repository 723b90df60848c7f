"""Zarr stores in an S3 bucket, which a server on this machine plays."""

import numpy as np
import pytest

from making.s3_server import served_bucket
from spikeloom.errors import MissingFileError, ReadError, WriteError
from spikeloom.storage.zarr_codecs import default_compressor
from spikeloom.storage.zarr_opening import open_zarr
from spikeloom.storage.zarr_saving import saving_zarr

TRACES = np.random.default_rng(0).integers(-300, 300, (500, 6)).astype("i2")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def options():
    """Options for a bucket named "bucket" on a server of our own."""
    with served_bucket("bucket") as found:
        yield found


def save(url, options, **more):
    with saving_zarr(url, storage_options=options, **more) as saving:
        traces = saving.group.create_array(
            "traces_seg0", TRACES.shape, "i2", chunks=(90, 3), compressor=default_compressor()
        )
        for row in range(0, 500, 90):
            rows = slice(row, row + 90)
            saving.write_missing(traces, row, lambda rows=rows: TRACES[rows])
        saving.group.write_array("properties/quality", np.array(["a", "b"]))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_round_trip(options, zarr_format):
    url = f"s3://bucket/folder/rec.{zarr_format}.zarr"
    save(url, options, zarr_format=zarr_format)
    group = open_zarr(url, storage_options=options)
    array = group.array("traces_seg0")
    np.testing.assert_array_equal(array.read(), TRACES)
    np.testing.assert_array_equal(array.read(slice(85, 100), [4, 0]), TRACES[85:100, [4, 0]])
    assert group.group("properties").array_names() == ["quality"]
    with pytest.raises(FileExistsError):
        save(url, options)
    save(url, options, overwrite=True)
    assert open_zarr(url, storage_options=options).format == 2


def test_incomplete_and_absent(options):
    url = "s3://bucket/half.zarr"
    with saving_zarr(url, storage_options=options) as saving:
        saving.group.write_array("x", np.arange(3))
        with pytest.raises(ReadError, match="incomplete"):
            open_zarr(url, storage_options=options)
    with pytest.raises(MissingFileError):
        open_zarr("s3://bucket/absent.zarr", storage_options=options)


def test_a_bucket_that_is_not_there(options):
    with pytest.raises((ReadError, WriteError)):
        save("s3://absent/rec.zarr", options)
