import numpy as np
import pytest
from hypothesis import given, strategies as st

from making import rich_objects as making
from spikeloom.core.binary import read_binary
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.recording import BaseRecordingSegment
from spikeloom.core.writing import (
    as_dtype,
    flat_sources,
    write_binary_recording,
    write_memory_recording,
)
from spikeloom.errors import ParameterError

QUIET = {"progress_bar": False}

JOBS = [
    {"n_jobs": 1},
    {"n_jobs": 2, "chunk_size": 33},
    {"n_jobs": 2, "chunk_size": 33, "pool_engine": "process"},
]


@given(
    values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1),
    dtype=st.sampled_from(["i2", "u1", ">i2"]),
)
def test_floats_become_whole_numbers(values, dtype):
    limits = np.iinfo(dtype)
    found = as_dtype(np.array(values, "f4"), np.dtype(dtype))
    assert found.dtype == np.dtype(dtype)
    assert found.tolist() == [min(max(round(v), limits.min), limits.max) for v in values]


def test_other_number_types():
    values = np.array([np.nan, np.inf, -np.inf, 0.5, 1.5])
    assert as_dtype(values, np.dtype("i2")).tolist() == [0, 32767, -32768, 0, 2]
    assert as_dtype(values, np.dtype("f4")).tolist()[1:] == [np.inf, -np.inf, 0.5, 1.5]
    assert as_dtype(np.array([1, 255], "u1"), np.dtype("i4")).tolist() == [1, 255]


@pytest.mark.parametrize("jobs", JOBS)
def test_flat_files(tmp_path, jobs):
    recording = making.rich_recording((400, 0, 37), times="some")
    recording = recording.save(folder=tmp_path / "source", **QUIET)
    paths = [tmp_path / "a.raw", tmp_path / "b", tmp_path / "c.dat"]
    stamps = [tmp_path / f"t{k}" for k in range(3)]
    write_binary_recording(
        recording, paths, stamps, dtype="float32", byte_offset=7, **jobs, **QUIET
    )
    paths[1] = tmp_path / "b.raw"
    for k, (path, stamp) in enumerate(zip(paths, stamps, strict=True)):
        content = path.read_bytes()
        assert content[:7] == bytes(7)
        expected = recording.get_traces(k).astype("f4")
        assert content[7:] == expected.tobytes()
        np.testing.assert_array_equal(np.fromfile(stamp), recording.get_times(k))
    found = read_binary(
        paths,
        making.RATE,
        "float32",
        5,
        file_offset=7,
        file_timestamps_paths=stamps,
        channel_ids=recording.channel_ids,
    )
    for k in range(3):
        np.testing.assert_array_equal(found.get_traces(k), recording.get_traces(k))
        np.testing.assert_array_equal(found.get_times(k), recording.get_times(k))


def test_names_of_flat_files(tmp_path):
    recording = NumpyRecording([np.ones((3, 2), "i2")], 10.0)
    write_binary_recording(recording, tmp_path / "x", add_file_extension=False, **QUIET)
    write_binary_recording(recording, str(tmp_path / "y.bin"), **QUIET)
    write_binary_recording(recording, [tmp_path / "new" / "er" / "z.2024"], **QUIET)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert found == {"x", "y.bin", "new", "new/er", "new/er/z.2024.raw"}
    with pytest.raises(ValueError, match="one file for each of the 1 segments; got 2"):
        write_binary_recording(recording, [tmp_path / "a", tmp_path / "b"])
    with pytest.raises(ValueError, match="file_timestamps_paths"):
        write_binary_recording(recording, tmp_path / "a", [tmp_path / "b", tmp_path / "c"])
    with pytest.raises(ParameterError, match="no such job option"):
        write_binary_recording(recording, tmp_path / "a", n_job=2)
    assert not (tmp_path / "a.raw").exists()


class BrokenSegment(BaseRecordingSegment):
    def get_num_samples(self):
        return 30

    def get_traces(self, start_frame=None, end_frame=None, channel_indices=None):
        raise RuntimeError(str(start_frame))


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    broken = NumpyRecording([np.zeros((30, 2), "i2")], 10.0)
    broken._segments = []
    broken.add_recording_segment(BrokenSegment(10.0))
    (tmp_path / "x.raw").write_text("precious")
    with pytest.raises(RuntimeError):
        write_binary_recording(broken, tmp_path / "x.raw", **QUIET)
    assert [path.name for path in tmp_path.iterdir()] == ["x.raw"]
    assert (tmp_path / "x.raw").read_text() == "precious"


def test_in_place(tmp_path):
    """The file that is read is replaced only when the new one is whole."""
    np.arange(3000, dtype="i2").tofile(tmp_path / "x.raw")
    recording = read_binary(tmp_path / "x.raw", 100.0, "i2", 3)
    write_binary_recording(recording.frame_slice(500, 1000), tmp_path / "x.raw", **QUIET)
    assert np.fromfile(tmp_path / "x.raw", "i2").tolist() == list(range(1500, 3000))


@pytest.mark.parametrize("buffer_type", ["auto", "numpy", "sharedmem"])
@pytest.mark.parametrize("jobs", JOBS)
def test_memory(tmp_path, jobs, buffer_type):
    recording = making.rich_recording((400, 0, 37))
    recording = recording.save(folder=tmp_path / "source", **QUIET)
    arrays, blocks = write_memory_recording(
        recording, "float64", buffer_type=buffer_type, **jobs, **QUIET
    )
    is_shared = buffer_type == "sharedmem" or (
        buffer_type == "auto" and jobs.get("pool_engine") == "process"
    )
    for k, (array, block) in enumerate(zip(arrays, blocks, strict=True)):
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, recording.get_traces(k))
        assert (block is not None) == is_shared
    with pytest.raises(ParameterError, match="buffer_type"):
        write_memory_recording(recording, buffer_type="paper")


@pytest.mark.parametrize("jobs", [{}, {"n_jobs": 2, "pool_engine": "thread"}])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_a_flat_file_is_copied_as_it_is(tmp_path, jobs, dtype):
    values = np.random.default_rng(0).integers(-999, 999, (500, 3)).astype("int16")
    source = tmp_path / "source.raw"
    source.write_bytes(b"1234567" + values.tobytes() + b"8")
    recording = read_binary(source, 1000.0, "int16", 3, file_offset=7)
    part = recording.frame_slice(start_frame=20, end_frame=500)
    for one, expected in ((recording, values), (part, values[20:])):
        path = tmp_path / "copy.raw"
        write_binary_recording(
            one, path, dtype=dtype, byte_offset=2, chunk_size=90, progress_bar=False, **jobs
        )
        assert path.read_bytes() == b"\0\0" + expected.astype(dtype).tobytes()
    is_flat = flat_sources(recording, np.dtype("int16"))
    assert is_flat is not None
    assert flat_sources(recording, np.dtype("float32")) is None
    assert flat_sources(recording.select_channels([2, 0]), np.dtype("int16")) is None
