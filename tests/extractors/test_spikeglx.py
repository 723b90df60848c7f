import warnings

import numpy as np
import pytest

import spikeloom as si
from making.recording_files import random_traces, write_spikeglx
from reference.mtscomp import write_cbin
from spikeloom.core.loading import load
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.cbin_recording import read_cbin_ibl
from spikeloom.extractors.spikeglx_meta import parse_file_name, read_spikeglx_meta
from spikeloom.extractors.spikeglx_recording import SpikeGLXRecordingExtractor, read_spikeglx

pytestmark = pytest.mark.filterwarnings("ignore:The recording is opened without a probe")

AP, LF, NI = random_traces(500, 9, 1), random_traces(50, 9, 2), random_traces(400, 3, 3)


@pytest.fixture
def run(tmp_path):
    """Return a run with a probe of two bands and an NI board, two triggers, in nested folders."""
    folder = tmp_path / "rat_g0"
    probe = folder / "rat_g0_imec0"
    for k in range(2):
        write_spikeglx(probe, f"rat_g0_t{k}.imec0.ap", AP + k, first_sample=3000 + 600 * k)
        write_spikeglx(probe, f"rat_g0_t{k}.imec0.lf", LF + k, first_sample=250 + 50 * k)
        write_spikeglx(folder, f"rat_g0_t{k}.nidq", NI + k, n_sync=0)
    return folder


def test_streams_are_listed_and_chosen(run):
    names, ids = SpikeGLXRecordingExtractor.get_streams(run)
    assert names == ["imec0.ap", "nidq", "imec0.lf", "imec0.ap-SYNC", "imec0.lf-SYNC"]
    assert ids == names
    with pytest.raises(ParameterError, match=r"stream_name='imec0\.lf'"):
        read_spikeglx(run)
    with pytest.raises(ParameterError, match=r"no stream with stream_id='imec1\.ap'"):
        read_spikeglx(run, stream_id="imec1.ap")


def test_traces_gains_and_times_of_each_stream(run):
    recording = read_spikeglx(run, stream_name="imec0.ap")
    assert recording.channel_ids.tolist() == [f"imec0.ap#AP{k}" for k in range(8)]
    assert recording.get_property("channel_name").tolist() == [f"AP{k}" for k in range(8)]
    assert recording.get_num_segments() == 2
    assert [recording.get_start_time(k) for k in range(2)] == [0.1, 0.12]
    np.testing.assert_array_equal(recording.get_traces(1), AP[:, :8] + 1)
    np.testing.assert_array_equal(
        recording.get_traces(0, 3, 9, ["imec0.ap#AP5", "imec0.ap#AP1"]), AP[3:9, [5, 1]]
    )
    np.testing.assert_allclose(recording.get_channel_gains(), 0.6 / 512 / 500 * 1e6)
    assert recording.get_dtype() == np.int16

    low = read_spikeglx(run, stream_id="imec0.lf")
    assert low.sampling_frequency == 2500
    np.testing.assert_allclose(low.get_channel_gains(), 0.6 / 512 / 250 * 1e6)
    assert low.get_start_time(0) == 0.1
    np.testing.assert_array_equal(low.get_traces(0), LF[:, :8])

    board = read_spikeglx(run, stream_id="nidq")
    np.testing.assert_array_equal(board.get_traces(0), NI)
    np.testing.assert_allclose(board.get_channel_gains(), 5 / 32768 * 1e6)

    sync = read_spikeglx(run, stream_id="imec0.ap-SYNC")
    np.testing.assert_array_equal(sync.get_traces(1), AP[:, 8:] + 1)
    assert not sync.has_scaleable_traces()


def test_large_reads_come_from_the_right_place(tmp_path):
    traces = random_traces(400_000, 5)
    write_spikeglx(tmp_path, "big_g0_t0.imec0.ap", traces)
    recording = read_spikeglx(tmp_path)
    np.testing.assert_array_equal(recording.get_traces(0, 123, 399_999), traces[123:399_999, :4])
    np.testing.assert_array_equal(
        recording.get_traces(0, 1, 300_000, recording.channel_ids[::-1]), traces[1:300_000, 3::-1]
    )


def test_probes_are_set_with_shifts_and_saturation(run):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for stream in ("imec0.ap", "imec0.lf"):
            recording = read_spikeglx(run, stream_name=stream)
            assert recording.get_channel_locations().shape == (8, 2)
            shifts = recording.get_property("inter_sample_shift")
            assert shifts.shape == (8,)
            assert (shifts < 1).all()
            assert recording.get_annotation("saturation_threshold_uV") == pytest.approx(
                0.6 / (250 if stream.endswith("lf") else 500) * 1e6
            )


def test_without_its_probe_a_recording_opens_with_a_warning(run):
    for path in (run / "rat_g0_imec0").glob("*.ap.meta"):
        path.unlink()
    with pytest.warns(UserWarning, match="without a probe"):
        recording = read_spikeglx(run, stream_name="imec0.lf")
    assert not recording.has_probe()


def test_one_file_is_enough(run):
    path = run / "rat_g0_imec0" / "rat_g0_t1.imec0.ap.bin"
    for one in (path, path.with_suffix(".meta")):
        recording = read_spikeglx(one)
        np.testing.assert_array_equal(recording.get_traces(), AP[:, :8] + 1)


def test_recordings_survive_json(run, tmp_path):
    recording = read_spikeglx(run, stream_name="imec0.ap", use_names_as_ids=True)
    recording.dump(tmp_path / "recording.json")
    again = load(tmp_path / "recording.json")
    assert again.channel_ids[0] == "AP0"
    np.testing.assert_array_equal(again.get_traces(1), recording.get_traces(1))


def test_compressed_files_stand_for_flat_ones(tmp_path):
    write_spikeglx(tmp_path, "rat_g0_t0.imec0.ap", AP, suffix=".cbin", first_sample=3000)
    write_cbin(tmp_path / "rat_g0_t0.imec0.ap.cbin", AP, 30_000.0, chunk_samples=200)
    recording = read_spikeglx(tmp_path)
    np.testing.assert_array_equal(recording.get_traces(), AP[:, :8])
    sync = read_spikeglx(tmp_path, stream_name="imec0.ap-SYNC")
    np.testing.assert_array_equal(sync.get_traces(), AP[:, 8:])

    ibl = read_cbin_ibl(tmp_path)
    assert ibl.channel_ids.tolist() == [f"AP{k}" for k in range(8)]
    np.testing.assert_array_equal(ibl.get_traces(), AP[:, :8])
    assert ibl.has_probe()
    whole = read_cbin_ibl(
        cbin_file_path=tmp_path / "rat_g0_t0.imec0.ap.cbin", load_sync_channel=True
    )
    np.testing.assert_array_equal(whole.get_traces(), AP)
    assert not whole.has_probe()
    assert whole.clone().get_num_channels() == 9
    with pytest.raises(MissingFileError, match="lf"):
        read_cbin_ibl(tmp_path, stream_name="lf")
    with pytest.raises(ParameterError, match="folder_path"):
        read_cbin_ibl()


@pytest.mark.parametrize(
    ("name", "run_name", "gate", "trigger", "stream"),
    [
        ("Noise4Sam_g0_t0.nidq.bin", "Noise4Sam", 0, 0, "nidq"),
        ("Noise4Sam_g12_t3.imec2.lf.meta", "Noise4Sam", 12, 3, "imec2.lf"),
        ("rat_g0_tcat.imec0.ap.bin", "rat", 0, -1, "imec0.ap"),
        ("myRun_g0_t0.obx0.obx.bin", "myRun", 0, 0, "obx0"),
        ("name.imec0.ap", "name", -1, -1, "imec0.ap"),
        ("_spikeglx_ephysData_g0_t0.imec1.ap.1b3c.cbin", "_spikeglx_ephysData", 0, 0, "imec1.ap"),
        ("phase3a.imec.ap.meta", "phase3a", -1, -1, "imec.ap"),
        ("renamed.meta", "renamed", -1, -1, ""),
    ],
)
def test_names_of_files(name, run_name, gate, trigger, stream):
    found = parse_file_name(name)
    assert (found.run, found.gate, found.trigger, found.stream) == (run_name, gate, trigger, stream)


def test_renamed_files_keep_their_stream(tmp_path):
    write_spikeglx(tmp_path, "rat_g0_t0.imec0.ap", AP)
    for suffix in (".bin", ".meta"):
        (tmp_path / f"rat_g0_t0.imec0.ap{suffix}").rename(tmp_path / f"my_favourite{suffix}")
    assert read_spikeglx(tmp_path).stream_name == "imec0.ap"


def test_catgt_joins_triggers_into_one_segment(tmp_path):
    write_spikeglx(tmp_path, "rat_g0_tcat.imec0.ap", AP)
    assert read_spikeglx(tmp_path).get_num_segments() == 1


def test_several_words_of_sync(tmp_path):
    write_spikeglx(tmp_path, "rat_g0_t0.imec0.ap", AP, n_sync=4)
    sync = read_spikeglx(tmp_path, stream_id="imec0.ap-SYNC")
    np.testing.assert_array_equal(sync.get_traces(), AP[:, 5:])


def test_what_is_no_run(tmp_path, run):
    with pytest.raises(MissingFileError, match="no pair"):
        read_spikeglx(_new(tmp_path / "empty"))
    with pytest.raises(MissingFileError, match="nothing at"):
        read_spikeglx(tmp_path / "absent")
    lone = _new(tmp_path / "lone")
    (lone / "x_g0_t0.nidq.meta").write_text("")
    with pytest.raises(MissingFileError, match=r"x_g0_t0\.nidq\.meta, without its other half"):
        read_spikeglx(lone)
    write_spikeglx(run / "copy", "rat_g0_t0.imec0.ap", AP)
    with pytest.raises(DataError, match="two files of the stream"):
        read_spikeglx(run, stream_id="imec0.ap")


def _new(folder):
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"nSavedChans": 0}, "nSavedChans"),
        ({"nSavedChans": "many"}, "nSavedChans"),
        ({"imSampRate": "nan"}, "imSampRate"),
        ({"imAiRangeMax": ""}, "imAiRangeMax"),
        ({"snsApLfSy": "8,0"}, "3 whole numbers"),
        ({"snsApLfSy": "8,0,77"}, "77 sync channels"),
        ({"~imroTbl": "(0,8)(0 0 0 500 250 1)"}, "gains of 1 channels; 8 are saved"),
    ],
)
def test_headers_that_make_no_sense(tmp_path, fields, told):
    write_spikeglx(tmp_path, "rat_g0_t0.imec0.ap", AP, fields=fields.items())
    with pytest.raises(DataError, match=told) as caught:
        read_spikeglx(tmp_path)
    assert "rat_g0_t0.imec0.ap.meta" in str(caught.value)


def test_segments_must_have_the_same_channels(tmp_path):
    write_spikeglx(tmp_path, "rat_g0_t0.imec0.ap", AP)
    write_spikeglx(tmp_path, "rat_g0_t1.imec0.ap", AP[:, :5].copy())
    with pytest.raises(DataError, match="differ in channels"):
        read_spikeglx(tmp_path)


def test_real_headers_have_the_gains_that_neo_finds(data_folder):
    rawio = pytest.importorskip("neo.rawio.spikeglxrawio")
    n_compared = 0
    for path in sorted(data_folder.glob("spikeglx_meta*/*.meta")):
        meta = read_spikeglx_meta(path)
        n_traces = meta.n_channels - meta.n_sync
        try:
            known = rawio.extract_stream_info(path, rawio.read_meta_file(path))
        except IndexError:  # of probes whose table neo does not know
            assert path.name.startswith("NP1110")
            np.testing.assert_allclose(meta.gains_to_uV[:n_traces], 0.6 / 512 / 500 * 1e6)
            continue
        np.testing.assert_allclose(meta.gains_to_uV[:n_traces], known["channel_gains"][:n_traces])
        assert list(meta.channel_names) == known["channel_names"]
        assert meta.file_name.stream == known["stream_name"]
        assert meta.sampling_frequency == known["sampling_rate"]
        n_compared += 1
    assert n_compared == 11


def test_real_headers_give_probes_to_recordings(data_folder, tmp_path):
    for k, path in enumerate(sorted(data_folder.glob("spikeglx_meta*/*.meta"))):
        meta = read_spikeglx_meta(path)
        folder = _new(tmp_path / f"{k}")
        (folder / path.name).write_bytes(path.read_bytes())
        random_traces(20, meta.n_channels).tofile((folder / path.name).with_suffix(".bin"))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            recording = read_spikeglx(folder)
        assert recording.get_num_channels() == meta.n_channels - meta.n_sync
        assert recording.get_channel_locations().shape == (recording.get_num_channels(), 2)
        assert recording.get_num_samples() == 20


def test_real_headers_are_read_as_probes(data_folder, tmp_path):
    paths = sorted(data_folder.glob("spikeglx_meta*/*.meta"))
    assert len(paths) == 13
    for path in paths:
        probe, meta = si.read(path), read_spikeglx_meta(path)
        assert probe.get_contact_count() == meta.n_channels - meta.n_sync
    with pytest.raises(MissingFileError):
        si.read_spikeglx_probe(tmp_path / "absent.meta")
    (tmp_path / "nidq.meta").write_text("niSampRate=25000\nnSavedChans=9\nsnsSaveChanSubset=all\n")
    with pytest.raises(DataError, match="describes no probe"):
        si.read(tmp_path / "nidq.meta")
