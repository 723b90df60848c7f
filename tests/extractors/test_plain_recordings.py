import json
import struct

import numpy as np
import pytest

from making.recording_files import random_traces, write_mda
from reference.mtscomp import write_cbin
from spikeloom.core.loading import load
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.cbin_recording import read_cbin
from spikeloom.extractors.mda_files import open_mda
from spikeloom.extractors.mda_recording import read_mda_recording, read_mda_sorting
from spikeloom.extractors.mtscomp_files import CompressedTraces
from spikeloom.extractors.plain_arrays import read_npy_recording

TRACES = random_traces(1000, 5)


def test_npy_files_are_segments(tmp_path):
    np.save(tmp_path / "a.npy", TRACES)
    np.save(tmp_path / "b.npy", np.asfortranarray(TRACES[:10]))
    paths = [tmp_path / "a.npy", tmp_path / "b.npy"]
    recording = read_npy_recording(paths, 30_000.0, t_starts=[0.0, 5.0], gain_to_uV=0.5)
    assert recording.get_num_segments() == 2
    np.testing.assert_array_equal(recording.get_traces(1), TRACES[:10])
    np.testing.assert_array_equal(recording.get_traces(0, 5, 7, [3, 1]), TRACES[5:7, [3, 1]])
    assert recording.get_start_time(1) == 5.0
    np.testing.assert_allclose(recording.get_traces(0, return_in_uV=True), TRACES * 0.5)
    recording.dump(tmp_path / "recording.json")
    np.testing.assert_array_equal(load(tmp_path / "recording.json").get_traces(0), TRACES)


def test_npy_files_of_one_channel_or_turned(tmp_path):
    np.save(tmp_path / "one.npy", TRACES[:, 0])
    np.save(tmp_path / "turned.npy", TRACES.T)
    one = read_npy_recording(tmp_path / "one.npy", 1000.0)
    np.testing.assert_array_equal(one.get_traces(), TRACES[:, :1])
    turned = read_npy_recording(tmp_path / "turned.npy", 1000.0, time_axis=1)
    np.testing.assert_array_equal(turned.get_traces(), TRACES)


def test_npy_files_that_are_none(tmp_path):
    np.save(tmp_path / "cube.npy", np.zeros((2, 3, 4)))
    np.save(tmp_path / "two.npy", np.zeros((2, 3)))
    np.save(tmp_path / "three.npy", np.zeros((2, 4)))
    (tmp_path / "text.npy").write_text("no")
    with pytest.raises(DataError, match="shape"):
        read_npy_recording(tmp_path / "cube.npy", 1.0)
    with pytest.raises(DataError, match="3 channels"):
        read_npy_recording([tmp_path / "two.npy", tmp_path / "three.npy"], 1.0)
    with pytest.raises(ReadError):
        read_npy_recording(tmp_path / "text.npy", 1.0)
    with pytest.raises(MissingFileError):
        read_npy_recording(tmp_path / "absent.npy", 1.0)
    with pytest.raises(ParameterError, match="channel ids"):
        read_npy_recording(tmp_path / "two.npy", 1.0, channel_ids=[1])
    with pytest.raises(ParameterError, match="At least one"):
        read_npy_recording([], 1.0)


@pytest.mark.parametrize("dtype", ["<i2", "<f4", "<f8", "<i4", "<u2", "<u4", "|u1"])
def test_mda_files_of_all_types(tmp_path, dtype):
    array = np.arange(24).reshape(4, 6).astype(dtype)
    write_mda(tmp_path / "x.mda", array)
    read = open_mda(tmp_path / "x.mda")
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_mda_with_large_dimensions_and_old_ones(tmp_path):
    array = np.arange(6, dtype="<i2").reshape(2, 3)
    head = struct.pack("<3i2q", -4, 2, -2, 2, 3)
    (tmp_path / "large.mda").write_bytes(head + array.tobytes(order="F"))
    np.testing.assert_array_equal(open_mda(tmp_path / "large.mda"), array)
    head = struct.pack("<3i", 2, 2, 3)
    (tmp_path / "old.mda").write_bytes(head + array.astype("<c8").tobytes(order="F"))
    np.testing.assert_array_equal(open_mda(tmp_path / "old.mda"), array)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"", "expected at byte 0"),
        (struct.pack("<3i", -99, 2, 2), "-99 is no type"),
        (struct.pack("<5i", -4, 4, 2, 4, 10), "at byte 4"),
        (struct.pack("<5i", -4, 2, 99, 4, 10), "99 is no number of dimensions"),
        (struct.pack("<5i", -4, 2, 2, 4, 10), "only 0 bytes follow"),
        (struct.pack("<5i", -4, 2, 2, -4, -10), r"\(-4, -10\)"),
        (struct.pack("<4i", -4, 2, 2, 4), "expected at byte 12"),
    ],
)
def test_mda_headers_that_are_wrong(tmp_path, head, told):
    (tmp_path / "x.mda").write_bytes(head)
    with pytest.raises(DataError, match=told):
        open_mda(tmp_path / "x.mda")


def test_a_folder_of_mountainsort(tmp_path):
    write_mda(tmp_path / "raw.mda", TRACES.T)
    (tmp_path / "params.json").write_text('{"samplerate": 20000, "spike_sign": -1}')
    (tmp_path / "geom.csv").write_text("".join(f"0,{20 * k}\n" for k in range(5)))
    recording = read_mda_recording(tmp_path)
    assert recording.sampling_frequency == 20_000
    np.testing.assert_array_equal(recording.get_traces(), TRACES)
    np.testing.assert_array_equal(recording.get_channel_locations()[:, 1], 20 * np.arange(5))
    assert recording.clone().get_num_samples() == 1000
    (tmp_path / "geom.csv").write_text("0,0\n")
    with pytest.raises(DataError, match="1 positions"):
        read_mda_recording(tmp_path)
    (tmp_path / "geom.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="no list of positions"):
        read_mda_recording(tmp_path)
    (tmp_path / "params.json").write_text('{"samplerate": "fast"}')
    with pytest.raises(DataError, match="samplerate must be a number"):
        read_mda_recording(tmp_path)
    (tmp_path / "params.json").write_text("[]")
    with pytest.raises(DataError, match="list"):
        read_mda_recording(tmp_path)


def test_firings(tmp_path):
    firings = np.array([[2, 1, 2, 2], [10.4, 20, 29.6, 5], [7, 3, 7, 7]], "<f8")
    write_mda(tmp_path / "firings.mda", firings)
    sorting = read_mda_sorting(tmp_path / "firings.mda", 30_000.0)
    assert sorting.unit_ids.tolist() == [3, 7]
    assert sorting.get_unit_spike_train(7).tolist() == [5, 10, 30]
    assert sorting.get_property("max_channel").tolist() == [1, 2]
    assert sorting.clone().get_unit_spike_train(3).tolist() == [20]
    write_mda(tmp_path / "firings.mda", firings[:2])
    with pytest.raises(DataError, match="three rows"):
        read_mda_sorting(tmp_path / "firings.mda", 30_000.0)
    write_mda(tmp_path / "firings.mda", firings * np.nan)
    with pytest.raises(DataError, match="no numbers"):
        read_mda_sorting(tmp_path / "firings.mda", 30_000.0)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("do_time_diff", [True, False])
@pytest.mark.parametrize("do_spatial_diff", [True, False])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32"])
def test_compressed_traces_are_those_that_were_compressed(
    tmp_path, order, do_time_diff, do_spatial_diff, dtype
):
    traces = TRACES.astype(dtype)
    path = tmp_path / "traces.cbin"
    write_cbin(
        path,
        traces,
        30_000.0,
        chunk_samples=300,
        do_time_diff=do_time_diff,
        do_spatial_diff=do_spatial_diff,
        chunk_order=order,
    )
    recording = read_cbin(path)
    assert recording.get_dtype() == dtype
    for start, end in [(0, 1000), (0, 300), (299, 301), (300, 600), (10, 950), (999, 1000), (5, 5)]:
        np.testing.assert_array_equal(recording.get_traces(0, start, end), traces[start:end])
    np.testing.assert_array_equal(recording.get_traces(channel_ids=[4, 0]), traces[:, [4, 0]])


def test_compressed_traces_are_not_written_to(tmp_path):
    write_cbin(tmp_path / "x.cbin", TRACES, 30_000.0, chunk_samples=400)
    traces = CompressedTraces(tmp_path / "x.cbin")
    with pytest.raises(ValueError, match="read-only"):
        traces[0:10][0, 0] = 3


def test_compressed_files_that_are_damaged(tmp_path):
    path = tmp_path / "x.cbin"
    write_cbin(path, TRACES, 30_000.0, chunk_samples=400)
    whole, table = path.read_bytes(), json.loads(path.with_suffix(".ch").read_text())

    def with_table(**changes):
        path.with_suffix(".ch").write_text(json.dumps({**table, **changes}))

    path.write_bytes(whole[:-1])
    with pytest.raises(DataError, match="cut short"):
        read_cbin(path)
    path.write_bytes(b"\0" * len(whole))
    with pytest.raises(DataError, match="chunk 1 at byte"):
        read_cbin(path).get_traces(0, 450, 460)
    path.write_bytes(whole)
    for changes, told in [
        ({"algorithm": "zip"}, "algorithm"),
        ({"n_channels": 0}, "n_channels"),
        ({"n_channels": 4.5}, "n_channels"),
        ({"dtype": "object"}, "numbers"),
        ({"dtype": "what"}, "no dtype"),
        ({"chunk_bounds": [0, 400, 300, 1000]}, "must increase"),
        ({"chunk_bounds": [0, 1 << 61]}, "4 offsets"),
        ({"chunk_bounds": [0, 400, 800, 1 << 61]}, "cannot hold"),
        ({"chunk_bounds": "no"}, "must be a list"),
        ({"chunk_offsets": [1, 2, 3, 4]}, "begin at 0"),
        ({"chunk_order": "K"}, "chunk_order"),
        ({"sample_rate": -1}, "sample_rate"),
    ]:
        with_table(**changes)
        with pytest.raises(DataError, match=told):
            read_cbin(path)
    with_table(n_channels=4)
    with pytest.raises(DataError, match="has more"):
        read_cbin(path).get_traces(0, 0, 10)
    path.with_suffix(".ch").unlink()
    with pytest.raises(MissingFileError):
        read_cbin(path)
