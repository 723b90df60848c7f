import numpy as np
import pytest
from numcodecs import LZ4, Delta

from making import rich_objects as making
from spikeloom.core.zarr_recording import read_zarr_array
from spikeloom.core.zarr_writing import ZarrOptions, write_recording_to_zarr
from spikeloom.errors import ParameterError
from spikeloom.storage.zarr_opening import create_zarr, open_zarr

QUIET = {"progress_bar": False}


@pytest.mark.parametrize(
    "jobs",
    [
        {},
        {"n_jobs": 2, "chunk_size": 30},
        {"n_jobs": 2, "chunk_size": 30, "pool_engine": "process"},
    ],
)
def test_into_a_group_of_ones_own(tmp_path, jobs):
    recording = making.rich_recording((400, 37)).save(folder=tmp_path / "source", **QUIET)
    group = create_zarr(tmp_path / "own.zarr")
    write_recording_to_zarr(
        recording,
        group,
        ["first", "deep/second"],
        ["times/first", "times/second"],
        extra_chunks=(2,),
        dtype="float32",
        compressor_data=LZ4(),
        filters_data=[Delta("<f4")],
        compressor_times=LZ4(),
        **jobs,
        **QUIET,
    )
    found = open_zarr(tmp_path / "own.zarr")
    for k, name in enumerate(("first", "second")):
        traces = found.read_array(name if k == 0 else f"deep/{name}")
        np.testing.assert_array_equal(traces, recording.get_traces(k).astype("f4"))
        np.testing.assert_array_equal(found.read_array(f"times/{name}"), recording.get_times(k))
    assert found.array("first").chunks[1] == 2
    bare = read_zarr_array(tmp_path / "own.zarr" / "first", making.RATE)
    np.testing.assert_array_equal(bare.get_traces(), recording.get_traces(0))
    with pytest.raises(ParameterError, match="1 names for 2 segments"):
        write_recording_to_zarr(recording, group, ["x"])


def test_codecs_of_each_array():
    lz4, other = LZ4(), LZ4(acceleration=3)
    layout = ZarrOptions(compressor=lz4, compressor_by_dataset={"times": other})
    assert layout.compressor_for("traces") is lz4
    assert layout.compressor_for("times") is other
    assert ZarrOptions().compressor_for("times").get_config()["cname"] == "zstd"
    layout = ZarrOptions(filters=[1], filters_by_dataset={"times": [2]})
    assert layout.filters_for("traces") == [1]
    assert layout.filters_for("times") == [2]
    assert ZarrOptions(filters=[1]).filters_for("times") is None


def test_shards(tmp_path):
    recording = making.rich_recording((400,), 4)
    recording.save(
        format="zarr",
        folder=tmp_path / "x",
        zarr_format=3,
        chunk_size=50,
        channel_chunk_size=2,
        shard_duration_s=100 / making.RATE,
        **QUIET,
    )
    array = open_zarr(tmp_path / "x.zarr").array("traces_seg0")
    assert array.block_rows == 100
    files = (tmp_path / "x.zarr" / "traces_seg0" / "c").rglob("*")
    assert sum(path.is_file() for path in files) == 4
    with pytest.raises(ParameterError, match="format 3 only"):
        recording.save(format="zarr", folder=tmp_path / "y", shard_duration_s=1.0, **QUIET)
    assert not (tmp_path / "y.zarr").exists()
