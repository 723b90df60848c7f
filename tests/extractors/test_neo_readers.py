import inspect
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import spikeloom as si
from making.recording_files import random_traces, write_mcs_raw
from spikeloom.core.loading import load
from spikeloom.errors import (
    MissingDependencyError,
    MissingFileError,
    ParameterError,
    ReadError,
    UnknownNameError,
)
from spikeloom.extractors.neo_formats import NEO_FORMATS

rawio = pytest.importorskip("neo.rawio")


@pytest.mark.parametrize("name", NEO_FORMATS)
def test_every_format_is_one_of_neo_and_public(name):
    one = NEO_FORMATS[name]
    assert hasattr(rawio, one.raw_class)
    function = getattr(si, f"read_{name}")
    assert function.__name__ == f"read_{name}"
    assert next(iter(inspect.signature(function).parameters)) == one.path_key
    known = inspect.signature(getattr(rawio, one.raw_class).__init__).parameters
    for option in {**one.options, **one.fixed}:
        assert option in known or name == "neuroscope" or option in one.probe_options
    assert getattr(si, one.class_name).format is one


def test_every_raw_reader_of_neo_is_in_the_table():
    ours = {one.raw_class for one in NEO_FORMATS.values()}
    own = {
        "MEArecRawIO",
        "OpenEphysBinaryRawIO",
        "PhyRawIO",
        "RawBinarySignalRawIO",
        "SpikeGLXRawIO",
    }
    assert {cls.__name__ for cls in rawio.rawiolist} - ours == own


def test_a_real_intan_file(data_folder, tmp_path):
    path = data_folder / "intan_rhd/sampledata.rhd"
    assert si.get_neo_streams("intan", path)[1] == ["0", "1", "2"]
    assert si.get_neo_num_blocks("intan", path) == 1
    with pytest.raises(ParameterError, match="stream_name='RHD2000 amplifier channel'"):
        si.read_intan(path)
    recording = si.read_intan(path, stream_id="0")
    assert recording.get_shape() == (19_440, 32)
    assert recording.sampling_frequency == 20_000
    assert recording.get_total_duration() == pytest.approx(0.972)
    np.testing.assert_allclose(recording.get_channel_gains(), 0.195)
    assert recording.get_property("group_names")[0] == "A"
    auxiliary = si.read_intan(path, stream_name="RHD2000 auxiliary input channel")
    assert auxiliary.sampling_frequency == 5000
    recording.dump(tmp_path / "recording.json")
    again = load(tmp_path / "recording.json")
    np.testing.assert_array_equal(again.get_traces(), recording.get_traces())
    assert type(again) is type(recording)


def test_real_intan_files_one_for_each_signal(data_folder):
    folder = data_folder / "intan_ofps128"
    recording = si.read_intan(folder / "info.rhd", stream_id="0")
    raw = np.fromfile(folder / "amplifier.dat", "<i2").reshape(-1, 128)
    np.testing.assert_array_equal(recording.get_traces(), raw)
    assert recording.sampling_frequency == 30_000
    ids = recording.channel_ids[[7, 3]]
    np.testing.assert_array_equal(recording.get_traces(0, 5, 9, ids), raw[5:9, [7, 3]])
    assert len(si.get_neo_streams("intan", folder / "info.rhd")[0]) == 3


def test_blackrock_of_repackaged_real_samples(data_folder):
    path = data_folder / "blackrock_repack/rat128.ns5"
    recording = si.read_blackrock(path)
    assert recording.get_shape() == (10_000, 128)
    assert recording.sampling_frequency == 30_000
    intan = si.read_intan(data_folder / "intan_ofps128/info.rhd", stream_id="0")
    theirs, ours = (one.get_traces(return_in_uV=True) for one in (intan, recording))
    np.testing.assert_allclose(ours, theirs, atol=0.25)
    assert si.read_blackrock(file_path=path, use_names_as_ids=True).channel_ids.dtype.kind == "U"
    with pytest.raises(ParameterError, match="knows no colour"):
        si.read_blackrock(path, colour=3)
    with pytest.raises(ParameterError, match="block_index must be 0 to 0"):
        si.read_blackrock(path, block_index=1)
    with pytest.raises(ParameterError, match="one path"):
        si.read_blackrock(path, file_path=path)


def test_files_of_multi_channel_systems(tmp_path):
    traces = random_traces(3000, 6)
    write_mcs_raw(tmp_path / "x.raw", traces, 25_000)
    recording = si.read(tmp_path / "x.raw")
    assert type(recording).__name__ == "MCSRawRecordingExtractor"
    np.testing.assert_array_equal(recording.get_traces().astype("<i2"), traces)
    np.testing.assert_allclose(recording.get_channel_gains(), 0.1667)
    assert recording.sampling_frequency == 25_000


def test_threads_read_the_same(data_folder):
    recording = si.read_intan(data_folder / "intan_rhd/sampledata.rhd", stream_id="0")
    whole = recording.get_traces()
    starts = list(range(0, 19_000, 500))
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda k: recording.get_traces(0, k, k + 500), starts))
    np.testing.assert_array_equal(np.concatenate(parts), whole[:19_000])


def test_annotations_of_neo(data_folder):
    recording = si.read_blackrock(data_folder / "blackrock_repack/rat128.ns5", all_annotations=True)
    assert recording.get_annotation("stream_name") == recording.stream_name


def test_what_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(MissingFileError, match="nothing at"):
        si.read_plexon(tmp_path / "absent.plx")
    (tmp_path / "x.plx").write_bytes(b"PLEX" + b"\0" * 90)
    with pytest.raises(ReadError, match="PlexonRawIO"):
        si.read_plexon(tmp_path / "x.plx")
    with pytest.raises(ParameterError, match="opened by its folder"):
        si.read_neuralynx(tmp_path / "x.plx")
    with pytest.raises(UnknownNameError, match="alphaomega"):
        si.read_neo(tmp_path, "nonsense")
    with pytest.raises(ParameterError, match="one path"):
        si.read_plexon()

    monkeypatch.setitem(sys.modules, "neo.rawio", None)
    with pytest.raises(MissingDependencyError, match="pip install neo"):
        si.read_plexon(tmp_path / "x.plx")


def test_intan_files_that_were_split(data_folder, tmp_path):
    source = data_folder / "intan_rhd/sampledata.rhd"
    for name in ("rat_201101_120000.rhd", "rat_201101_120100.rhd"):
        (tmp_path / name).symlink_to(source)
    one = si.read_intan(source, stream_id="0")
    whole = si.read_split_intan_files(tmp_path, stream_id="0")
    assert whole.get_num_samples() == 2 * one.get_num_samples()
    expected = one.get_traces(0, 0, 5)
    np.testing.assert_array_equal(whole.get_traces(0, 19_440, 19_445), expected)
    parts = si.read_split_intan_files(tmp_path, mode="append", stream_id="0")
    assert parts.get_num_segments() == 2
    assert whole.clone().get_num_samples() == whole.get_num_samples()
    with pytest.raises(ParameterError, match="mode"):
        si.read_split_intan_files(tmp_path, mode="pile")
    with pytest.raises(MissingFileError, match=r"no \.rhd"):
        si.read_split_intan_files(tmp_path / "absent")
