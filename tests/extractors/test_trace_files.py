"""Raw data of several files as one recording."""

import time

import numpy as np
import pytest

import spikeloom as si
from making.hashes import folder_state
from spikeloom.errors import DataError, MissingFileError, ParameterError, SpikeloomError
from spikeloom.extractors.trace_files import FlatLayout

FOUR = {"n_channels": 4, "dtype": "int16", "sample_rate": 20000}


@pytest.fixture
def parts(tmp_path):
    """Two flat files, and what is in them."""
    rng = np.random.default_rng(0)
    values = rng.integers(-500, 500, (300, 4)).astype(np.int16)
    paths = [tmp_path / "a.dat", tmp_path / "b.dat"]
    values[:100].tofile(paths[0])
    values[100:].tofile(paths[1])
    return paths, values


def test_files_follow_each_other(parts):
    paths, values = parts
    traces = si.read_traces(paths, **FOUR)
    np.testing.assert_array_equal(traces.get_traces(), values)
    np.testing.assert_array_equal(traces.get_traces(start_frame=90, end_frame=110), values[90:110])
    assert traces.sampling_frequency == 20000
    assert [(one.name, one.start_sample, one.n_samples) for one in traces.stretches] == [
        ("a.dat", 0, 100),
        ("b.dat", 100, 200),
    ]
    assert traces.notes == ()


@pytest.mark.parametrize("as_text", [True, False])
def test_one_file_needs_no_list(parts, as_text):
    paths, values = parts
    traces = si.read_traces(str(paths[0]) if as_text else paths[0], **FOUR)
    np.testing.assert_array_equal(traces.get_traces(), values[:100])


def test_offset_and_fortran_order(tmp_path):
    values = np.arange(40, dtype=">f4").reshape(10, 4)
    path = tmp_path / "by_channel.bin"
    path.write_bytes(b"header!!" + values.T.tobytes())
    traces = si.read_traces(
        path, n_channels=4, dtype=">f4", sample_rate=1000, offset=8, fortran=True
    )
    np.testing.assert_array_equal(traces.get_traces(), values)


def test_the_real_flat_files_are_as_their_readme_says(data_folder):
    one = si.read_traces(data_folder / "raw_4ch_1s" / "test-4ch-1s.dat", **FOUR)
    assert one.get_num_samples() == 20_000
    locust = si.read_traces(
        data_folder / "locust_tdc" / "locust_trial_01.raw",
        n_channels=4,
        dtype="int16",
        sample_rate=15000,
    )
    assert locust.get_num_samples() == 431_548
    assert locust.get_num_samples() / 15000 == pytest.approx(28.77, abs=0.01)


def test_a_flat_file_takes_what_it_does_not_say_from_the_others(data_folder, tmp_path):
    ns5 = data_folder / "blackrock_repack" / "rat128.ns5"
    known = si.read_traces(ns5)
    assert known.get_num_channels() == 128
    assert known.sampling_frequency == 30_000
    flat = tmp_path / "20160101_2.dat"
    known.get_traces()[:600].tofile(flat)
    traces = si.read_traces([ns5, flat])
    assert [one.name for one in traces.stretches] == ["rat128.ns5", "20160101_2.dat"]
    np.testing.assert_array_equal(traces.get_traces(start_frame=10_000), known.get_traces()[:600])
    np.testing.assert_array_equal(traces.get_channel_gains(), known.get_channel_gains())
    assert "128" in traces.notes[0]
    assert "assumed" in traces.notes[0]
    # The order of the files does not matter for that.
    turned = si.read_traces([flat, ns5])
    assert turned.get_num_samples() == 10_600
    assert list(turned.channel_ids) == list(known.channel_ids)


def test_streams_are_chosen(data_folder):
    path = data_folder / "intan_rhd" / "sampledata.rhd"
    with pytest.raises(ParameterError, match="amplifier"):
        si.read_traces(path)
    traces = si.read_traces(path, stream_id="0")
    assert traces.get_num_channels() == 32
    assert traces.get_num_samples() / traces.sampling_frequency == pytest.approx(0.972, abs=1e-3)


def test_what_is_missing_is_told_with_an_example(parts):
    paths, _ = parts
    with pytest.raises(ParameterError, match=r"n_channels, sample_rate.*n_channels=4"):
        si.read_traces(paths, dtype="int16")
    with pytest.raises(ParameterError, match=r"usual ones are int16"):
        si.read_traces(paths, n_channels=4, dtype="integers", sample_rate=1)
    with pytest.raises(ParameterError, match="real numbers"):
        si.read_traces(paths, n_channels=4, dtype="complex64", sample_rate=1)


def test_files_that_do_not_go_together_are_refused(parts, tmp_path):
    paths, _ = parts
    np.save(tmp_path / "c.npy", np.zeros((50, 3), np.int16))
    with pytest.raises(ParameterError, match=r"4 channels and c\.npy 3"):
        si.read_traces([tmp_path / "c.npy", paths[0]], **FOUR)
    np.save(tmp_path / "d.npy", np.zeros((50, 4), np.float32))
    with pytest.raises(ParameterError, match="dtype"):
        si.read_traces([paths[0], tmp_path / "d.npy"], **FOUR)


def test_absent_unknown_and_empty_files_are_told(tmp_path):
    with pytest.raises(MissingFileError, match=r"nothing\.dat"):
        si.read_traces(tmp_path / "nothing.dat", **FOUR)
    (tmp_path / "notes.md").write_text("nothing that anybody records")
    with pytest.raises(SpikeloomError, match=r"notes\.md"):
        si.read_traces(tmp_path / "notes.md")
    (tmp_path / "short.dat").write_bytes(b"abc")
    with pytest.raises(DataError, match="offset"):
        si.read_traces(tmp_path / "short.dat", **FOUR, offset=100)
    with pytest.raises(ParameterError, match="at least one"):
        si.read_traces([])


def test_a_file_that_ends_within_a_sample_is_told(tmp_path):
    path = tmp_path / "cut.dat"
    path.write_bytes(bytes(8 * 10 + 3))
    traces = si.read_traces(path, **FOUR)
    assert traces.get_num_samples() == 10
    assert "3 bytes" in traces.notes[0]


def test_gaps_between_segments_are_known():
    segments = [np.zeros((100, 2), np.int16)] * 3
    recording = si.NumpyRecording(segments, 1000.0, t_starts=[0.0, 0.1, 5.0])
    traces = si.TraceFilesRecording([recording], ["paused.ns5"])
    assert [one.gap_s for one in traces.stretches] == [None, None, pytest.approx(4.8)]
    assert traces.stretches[2].label == "paused.ns5, part 3, 4.8 s later"
    assert traces.get_end_time(0) == pytest.approx(0.299)


def test_a_probe_says_where_channels_are_and_which_are_shown(parts, tmp_path):
    paths, values = parts
    prb = tmp_path / "three.prb"
    prb.write_text(
        "channel_groups = {0: dict(channels=[3, 1, 0], "
        "geometry={3: (0, 0), 1: (0, 25), 0: (10, 50)})}"
    )
    traces = si.read_traces(paths, **FOUR, probe=prb)
    np.testing.assert_array_equal(traces.channel_ids, [0, 1, 3])
    np.testing.assert_array_equal(traces.get_channel_locations(), [[10, 50], [0, 25], [0, 0]])
    np.testing.assert_array_equal(traces.get_traces(), values[:, [0, 1, 3]])


def test_opening_changes_nothing_and_the_recording_goes_through_json(parts, tmp_path):
    paths, values = parts
    before = folder_state(tmp_path)
    traces = si.read_traces(paths, **FOUR)
    assert folder_state(tmp_path) == before
    again = si.load(traces.to_dict())
    assert again.stretches == traces.stretches
    np.testing.assert_array_equal(again.get_traces(), values)


def test_a_huge_file_and_many_files_open_at_once(tmp_path):
    huge = tmp_path / "huge.dat"
    with huge.open("wb") as file:
        file.truncate(100 << 30)
    many = []
    for k in range(500):
        many.append(tmp_path / f"{k:03d}.dat")
        many[-1].write_bytes(bytes(80))
    si.read_traces(many[0], **FOUR)
    start = time.process_time()
    traces = si.read_traces(huge, n_channels=384, dtype="int16", sample_rate=30000)
    huge_s = time.process_time() - start
    start = time.process_time()
    assert si.read_traces(many, **FOUR).get_num_samples() == 5000
    many_s = time.process_time() - start
    assert traces.get_traces(start_frame=10**8, end_frame=10**8 + 5).shape == (5, 384)
    # An order of magnitude more than it takes, and of this process alone: machines are loaded.
    assert huge_s < 0.2
    assert many_s < 1.0


@pytest.mark.parametrize(
    "layout",
    [
        *({"n_channels": 1 << 70}, {"n_channels": 0}, {"n_channels": 2.5}, {"n_channels": [4]}),
        *({"sample_rate": 1j}, {"sample_rate": -1}, {"dtype": ["int16"]}, {"dtype": "i2,("}),
    ],
)
def test_what_is_said_of_a_flat_file_makes_sense(layout):
    with pytest.raises(ParameterError):
        FlatLayout(**layout)
