"""Recordings and sortings in an S3 bucket, which a server on this machine plays."""

import numpy as np
import pytest

from making import rich_objects as making
from making.s3_server import served_bucket
from spikeloom.core.loading import load
from spikeloom.errors import MissingFileError, ReadError
from spikeloom.storage.remote import RemoteStore

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUIET = {"progress_bar": False}


@pytest.fixture(scope="module")
def options():
    """Options for a bucket named "bucket" on a server of our own."""
    with served_bucket("bucket") as found:
        yield found


@pytest.mark.parametrize(
    "layout",
    [{}, {"zarr_format": 3, "shard_duration_s": 0.005}],
    ids=["format 2", "format 3 in shards"],
)
def test_a_recording(options, layout):
    url = f"s3://bucket/folder/rec_{len(layout)}"
    recording = making.rich_recording(n_probes=2)
    choices = {"storage_options": options, "chunk_size": 50, **layout, **QUIET}
    saved = recording.save(format="zarr", folder=url, **choices)
    making.check_recordings(recording, saved)
    found = load(f"{url}.zarr", storage_options=options)
    making.check_recordings(recording, found)
    ids = recording.channel_ids[[3, 0]]
    np.testing.assert_array_equal(
        found.get_traces(0, 45, 160, ids), recording.get_traces(0, 45, 160, ids)
    )
    with pytest.raises(FileExistsError, match="overwrite=True"):
        recording.save(format="zarr", folder=url, **choices)
    half = recording.select_segments([0]).frame_slice(100, 300)
    half.save(format="zarr", folder=url, overwrite=True, n_jobs=2, **choices)
    again = load(f"{url}.zarr", storage_options=options)
    making.check_recordings(half, again)
    making.check_recordings(again, load(again.to_dict(include_annotations=True)))


def test_workers_in_other_processes(options):
    recording = making.rich_recording((400,), 3)
    jobs = {"n_jobs": 2, "pool_engine": "process", "mp_context": "spawn", "chunk_size": 100}
    saved = recording.save(
        format="zarr", folder="s3://bucket/processes", storage_options=options, **jobs, **QUIET
    )
    making.check_recordings(recording, saved)


def test_a_sorting(options):
    sorting = making.rich_sorting()
    url = "s3://bucket/folder/sorting.zarr"
    sorting.save(format="zarr", folder=url, storage_options=options)
    making.check_sortings(sorting, load(url, storage_options=options))
    with pytest.raises(FileExistsError):
        sorting.save(format="zarr", folder=url, storage_options=options)
    other = making.rich_sorting((5,))
    other.save(format="zarr", folder=url, storage_options=options, overwrite=True)
    making.check_sortings(other, load(url, storage_options=options))


def test_absent_and_refused(options):
    with pytest.raises(MissingFileError):
        load("s3://bucket/absent.zarr", storage_options=options)
    with pytest.raises(ReadError):
        load("s3://no-such-bucket/x.zarr", storage_options=options)
    RemoteStore("s3://bucket/mine.zarr", options).put("precious", b"1")
    sorting, choices = making.rich_sorting(), {"storage_options": options, "overwrite": True}
    with pytest.raises(FileExistsError, match="not a zarr store"):
        sorting.save(format="zarr", folder="s3://bucket/mine.zarr", **choices)
