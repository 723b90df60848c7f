import numpy as np
import pytest
from hypothesis import given, strategies as st

from making import rich_objects as making
from spikeloom.core.binary import BinaryRecordingExtractor, read_binary
from spikeloom.core.loading import load
from spikeloom.errors import MissingFileError, ParameterError


@pytest.fixture
def traces():
    return np.random.default_rng(0).integers(-999, 999, (50, 4)).astype("i2")


@given(
    n_samples=st.integers(0, 30),
    n_channels=st.integers(1, 5),
    dtype=st.sampled_from(["<i2", ">f4", "u1", "<f8"]),
    time_axis=st.sampled_from([0, 1]),
    file_offset=st.integers(0, 9),
    data=st.data(),
)
def test_any_layout(tmp_path, n_samples, n_channels, dtype, time_axis, file_offset, data):
    values = np.arange(n_samples * n_channels).reshape(n_samples, n_channels).astype(dtype)
    content = values if time_axis == 0 else values.T
    path = tmp_path / "x.raw"
    path.write_bytes(b"\xff" * file_offset + np.ascontiguousarray(content).tobytes())
    recording = read_binary(
        path, 100.0, dtype, n_channels, time_axis=time_axis, file_offset=file_offset
    )
    assert recording.get_shape() == (n_samples, n_channels)
    start = data.draw(st.integers(0, n_samples))
    end = data.draw(st.integers(start, n_samples))
    columns = data.draw(st.lists(st.integers(0, n_channels - 1), max_size=5, unique=True))
    np.testing.assert_array_equal(
        recording.get_traces(0, start, end, columns), values[start:end][:, columns]
    )
    np.testing.assert_array_equal(recording.get_traces(0, start, end), values[start:end])
    assert recording.get_traces().dtype == np.dtype(dtype)


def test_large_reads_of_both_kinds(tmp_path):
    values = np.random.default_rng(0).integers(0, 255, (70_001, 17)).astype("u1")
    path = tmp_path / "x.raw"
    path.write_bytes(b"12345" + values.tobytes() + b"67")  # an incomplete sample at the end
    recording = read_binary(path, 100.0, "u1", 17, file_offset=5)
    assert recording.get_num_samples() == 70_001
    for start, end in ((0, 70_001), (1, 65_000), (4095, 69_999), (69_990, 70_001)):
        np.testing.assert_array_equal(recording.get_traces(0, start, end), values[start:end])
        np.testing.assert_array_equal(
            recording.get_traces(0, start, end, [16, 2]), values[start:end][:, [16, 2]]
        )
        np.testing.assert_array_equal(
            recording.get_traces(0, start, end, [3, 4, 5]), values[start:end, 3:6]
        )


def test_several_files(tmp_path, traces):
    paths = [tmp_path / "a.bin", tmp_path / "b.dat"]
    traces[:30].tofile(paths[0])
    traces[30:].tofile(paths[1])
    stamps = np.arange(20) ** 1.5
    stamps.tofile(tmp_path / "b.stamps")
    recording = read_binary(
        paths,
        100.0,
        "int16",
        4,
        t_starts=[5.0, None],
        channel_ids=list("wxyz"),
        gain_to_uV=[0.1, 0.2, 0.3, 0.4],
        offset_to_uV=2.0,
        is_filtered=True,
        file_timestamps_paths=[None, tmp_path / "b.stamps"],
    )
    for each in (
        recording,
        load(recording.to_dict()),
        recording.clone(),
        recording.save(folder=tmp_path / "saved", progress_bar=False),
    ):
        assert each.get_num_segments() == 2
        assert each.is_filtered()
        assert each.get_start_time(0) == 5.0
        assert each.get_times(1).tolist() == stamps.tolist()
        assert not each.has_time_vector(0)
        np.testing.assert_array_equal(each.get_traces(1), traces[30:])
        expected = traces[:30] * np.array([0.1, 0.2, 0.3, 0.4], "f4") + np.float32(2)
        np.testing.assert_allclose(each.get_traces(0, return_in_uV=True), expected, rtol=1e-6)


def test_what_sorters_ask(tmp_path, traces):
    traces.tofile(tmp_path / "x.raw")
    recording = read_binary(tmp_path / "x.raw", 100.0, "int16", 4)
    assert recording.is_binary_compatible()
    assert recording.get_binary_description() == {
        "file_paths": [str(tmp_path / "x.raw")],
        "dtype": np.dtype("i2"),
        "num_channels": 4,
        "time_axis": 0,
        "file_offset": 0,
    }
    assert recording.binary_compatible_with(dtype="int16", time_axis=0, file_suffix=".raw")
    assert not recording.binary_compatible_with(file_offset=1)


def test_what_does_not_fit(tmp_path, traces):
    path = tmp_path / "x.raw"
    traces.tofile(path)
    with pytest.raises(ParameterError, match="how many channels"):
        read_binary(path, 100.0, "int16")
    with pytest.raises(ParameterError, match="3 channel ids do not fit num_channels=4"):
        read_binary(path, 100.0, "int16", 4, channel_ids=[1, 2, 3])
    with pytest.raises(ParameterError, match="At least one"):
        read_binary([], 100.0, "int16", 4)
    with pytest.raises(ParameterError, match="t_starts"):
        read_binary(path, 100.0, "int16", 4, t_starts=[1.0, 2.0])
    with pytest.raises(ParameterError, match="1 files for 2 segments"):
        read_binary([path, path], 100.0, "int16", 4, file_timestamps_paths=path)
    with pytest.raises(ParameterError, match="time_axis"):
        read_binary(path, 100.0, "int16", 4, time_axis=2)
    with pytest.raises(MissingFileError, match=r"absent\.raw"):
        read_binary(tmp_path / "absent.raw", 100.0, "int16", 4)
    np.arange(3.0).tofile(tmp_path / "stamps")
    with pytest.raises(ParameterError, match="one value for each of the 50 samples"):
        read_binary(path, 100.0, "int16", 4, file_timestamps_paths=tmp_path / "stamps")


def test_older_arguments(tmp_path, traces):
    path = tmp_path / "x.raw"
    traces.tofile(path)
    assert BinaryRecordingExtractor(path, 100.0, "int16", num_chan=4).get_num_channels() == 4
    assert read_binary(path, 100.0, "int16", channel_ids=list("abcd")).get_num_channels() == 4
    description = BinaryRecordingExtractor(path, 100.0, "int16", 4).to_dict()
    kwargs = description["kwargs"]
    kwargs["num_chan"] = kwargs.pop("num_channels")
    kwargs["files_path"] = kwargs.pop("file_paths")
    description["class"] = "spikeinterface.core.binaryrecordingextractor.BinDatRecordingExtractor"
    np.testing.assert_array_equal(load(description).get_traces(), traces)


def test_writing_through_the_class(tmp_path):
    recording = making.rich_recording((50,), 3)
    BinaryRecordingExtractor.write_recording(recording, tmp_path / "x.raw", progress_bar=False)
    found = read_binary(tmp_path / "x.raw", making.RATE, "int16", 3)
    np.testing.assert_array_equal(found.get_traces(), recording.get_traces())


def test_memory_goes_with_the_array(tmp_path):
    (tmp_path / "x.raw").write_bytes(b"\1" * (3 << 20))
    recording = read_binary(tmp_path / "x.raw", 100.0, "u1", 3)
    traces = recording.get_traces()
    (tmp_path / "x.raw").unlink()
    assert traces.sum() == 3 << 20
    assert not traces.flags.writeable
