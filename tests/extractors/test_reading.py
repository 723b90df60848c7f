"""`read` opens whatever it is, says why it cannot, and looks at little of large files."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import spikeloom as si
from making.processes import run_python
from making.recording_files import random_traces, write_mda, write_openephys, write_spikeglx
from reference.mtscomp import write_cbin
from spikeloom.errors import (
    DataError,
    DuplicateNameError,
    MissingFileError,
    ParameterError,
    UnknownNameError,
)
from spikeloom.extractors import reader_registry
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, get_readers, known, unknown
from spikeloom.extractors.reading import read
from spikeloom.extractors.recognising import recognise

pytestmark = pytest.mark.filterwarnings("ignore:The recording is opened without a probe")

REAL = {
    "locust1_si_tdc2/recording_binary": "BinaryFolderRecording",
    "locust1_si_tdc2/recording.zarr": "ZarrRecordingExtractor",
    "locust1_si_tdc2/sorting_numpy_folder": "NumpyFolderSorting",
    "locust1_si_tdc2/sorting.npz": "NpzSortingExtractor",
    "locust1_si_tdc2/sorting.zarr": "ZarrSortingExtractor",
    "locust1_si_tdc2/locust_trial1.nwb": "NwbRecordingExtractor",
    "hybrid_np24_dev": "SpikeGLXRecordingExtractor",
    "hybrid_np24_dev/rec_g0_t0.imec0.ap.bin": "SpikeGLXRecordingExtractor",
    "hybrid_np24_dev/rec_g0_t0.imec0.ap.meta": "SpikeGLXRecordingExtractor",
    "oe_hippocampus16": "OpenEphysBinaryRecordingExtractor",
    "oe_np_spikewrap/openephys/rawdata/sub-001/ses-001/ephys": "OpenEphysBinaryRecordingExtractor",
    "blackrock_repack/rat128.ns5": "BlackrockRecordingExtractor",
    "mearec/tetrode_8u_20s.h5": "MEArecRecordingExtractor",
}


@pytest.mark.parametrize("place", REAL)
def test_real_files_are_recognised(data_folder, place):
    assert type(read(data_folder / place)).__name__ == REAL[place]


@pytest.mark.parametrize("place", ["intan_rhd/sampledata.rhd", "intan_ofps128/info.rhd"])
def test_streams_are_passed_on(data_folder, place):
    with pytest.raises(ParameterError, match="several streams"):
        read(data_folder / place)
    assert type(read(data_folder / place, stream_id="0")).__name__ == "IntanRecordingExtractor"


def test_a_folder_stands_for_the_only_file_in_it(data_folder, tmp_path):
    recording = read(data_folder / "intan_ofps128", kind="recording", stream_id="0")
    assert recording.get_num_channels() == 128
    for name in ("a.h5", "b.h5"):
        shutil.copy(data_folder / "mearec/tetrode_8u_20s.h5", tmp_path / name)
    with pytest.raises(DataError, match=r"a\.h5 \(mearec, recording\)\n  b\.h5 \(mearec, rec"):
        read(tmp_path, kind="recording")


def test_a_folder_stands_for_the_only_known_thing_below_it(data_folder, tmp_path):
    sorting = read(data_folder / "ks4_np_aolab", sampling_frequency=3e4)
    assert sorting.count_total_num_spikes() == 99_519
    with pytest.raises(DataError, match=r"Give one of") as caught:
        read(data_folder / "oe_np_spikewrap")
    assert "  openephys/rawdata/sub-001/ses-001/ephys (openephys, recording)" in str(caught.value)
    with pytest.raises(DataError, match=r"analyzer\.zarr \(spikeloom\)\n"):
        read(data_folder / "locust1_si_tdc2")
    for k in range(25):
        (tmp_path / f"{k}.prb").write_text("channel_groups = {0: {'channels': [0]}}")
    with pytest.raises(DataError, match=r"and 5 more$"):
        read(tmp_path)


def test_probes_and_parameters_are_read(data_folder):
    assert read(data_folder / "probes/generic/tetrode/4tetrodes.json").get_contact_count() == 16
    assert read(data_folder / "axona_tt8_dev/axona_tt8_dev.prb").get_contact_count() == 4
    params = read(data_folder / "axona_tt8_dev/axona_tt8_dev.prm")
    assert params["traces"]["sample_rate"] == 48_000


def test_looking_below_a_folder_has_an_end(tmp_path):
    deep = tmp_path
    for k in range(9):
        deep = deep / str(k)
    deep.mkdir(parents=True)
    shutil.copyfile(__file__, deep / "x.prb")
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(DataError, match="No reader knows"):
        read(tmp_path)


def test_flat_files_are_told_what_they_hold(data_folder):
    path = data_folder / "locust_tdc/locust_trial_01.raw"
    with pytest.raises(ParameterError, match=r"sampling_frequency=\.\.\., dtype=\.\.\., num_ch"):
        read(path)
    recording = read(path, sampling_frequency=15_000.0, dtype="int16", num_channels=4)
    assert recording.get_num_samples() == 431_548
    assert recording.get_total_duration() == pytest.approx(28.77, abs=0.01)
    one = read(
        data_folder / "raw_4ch_1s/test-4ch-1s.dat",
        sampling_frequency=20_000,
        dtype="int16",
        num_channels=4,
    )
    assert one.get_total_duration() == 1.0


def test_plain_formats(tmp_path):
    traces = random_traces(100, 3)
    np.save(tmp_path / "x.npy", traces)
    assert read(tmp_path / "x.npy", sampling_frequency=1e4).get_num_samples() == 100
    with pytest.raises(ParameterError, match="recognised as npy"):
        read(tmp_path / "x.npy")
    write_cbin(tmp_path / "x.cbin", traces, 30_000.0, chunk_samples=40)
    np.testing.assert_array_equal(read(tmp_path / "x.cbin").get_traces(), traces)
    folder = tmp_path / "mountain"
    folder.mkdir()
    write_mda(folder / "raw.mda", traces.T)
    (folder / "params.json").write_text('{"samplerate": 30000}')
    np.testing.assert_array_equal(read(folder).get_traces(), traces)
    write_mda(tmp_path / "firings.mda", np.array([[1.0], [5], [2]]))
    assert read(tmp_path / "firings.mda", sampling_frequency=1e4).unit_ids.tolist() == [2]


def test_what_save_made_is_loaded(tmp_path):
    recording = si.generate_recording(durations=[0.1], num_channels=3)
    recording.save(folder=tmp_path / "binary")
    recording.save(folder=tmp_path / "store.zarr", format="zarr")
    for name in ("binary", "store.zarr"):
        np.testing.assert_array_equal(read(tmp_path / name).get_traces(), recording.get_traces())
    recording.dump(tmp_path / "recording.json")
    assert read(tmp_path / "recording.json").get_num_channels() == 3
    assert read(f"file://{tmp_path}/binary").get_num_channels() == 3


def test_one_of_several_kinds_is_chosen(data_folder):
    path = data_folder / "mearec/tetrode_8u_20s.h5"
    assert read(path, kind="sorting").get_num_units() == 8
    assert read(path, reader="mearec-sorting").get_num_units() == 8
    with pytest.raises(ParameterError, match="kind must be one of"):
        read(path, kind="movie")
    with pytest.raises(UnknownNameError, match="spikeglx"):
        read(path, reader="nonsense")


def test_what_nobody_knows_is_explained(tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(DataError, match="No reader knows") as caught:
        read(tmp_path / "x.txt")
    told = str(caught.value)
    for name in {reader.name for reader in get_readers()}:
        assert re.search(rf"[:,] {name}(,|$)", told, re.MULTILINE)
    assert "  it is no folder: alphaomega, " in told
    with pytest.raises(DataError, match=r"tmp.*\. The folder holds x\.txt\. If you know"):
        read(tmp_path)
    with pytest.raises(MissingFileError, match="a name in which is longer than any"):
        read(tmp_path / ("x" * 300))
    with pytest.raises(MissingFileError, match="The folder above it exists"):
        read(tmp_path / "absent")
    with pytest.raises(MissingFileError, match="is not there either"):
        read(tmp_path / "absent" / "too")


@pytest.mark.parametrize("reader", get_readers(), ids=lambda one: f"{one.name}-{one.kind}")
def test_every_reader_is_described(reader):
    assert reader.kind in reader_registry.KINDS
    assert reader.description
    assert not reader.function or hasattr(si, reader.function) or reader.kind == "dataset"


@pytest.mark.parametrize("reader", get_readers(), ids=lambda one: f"{one.name}-{one.kind}")
@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"\x89HDF\r\n\x1a\n" * 90, b"PK\x03\x04"])
def test_nobody_stumbles_over_strange_files(reader, content, tmp_path):
    for suffix in ("", *reader.extensions[:3]):
        path = tmp_path / f"x{suffix}"
        path.write_bytes(content)
        assert reader.recognise(Peek(path)).reason
    assert reader.recognise(Peek(tmp_path / "..")).reason


def test_other_packages_add_readers(tmp_path, monkeypatch):
    def recognise_it(peek):
        return known(Certainty.CONTENT, "it hums") if peek.head == b"hum" else unknown("no hum")

    mine = Reader("humming", "recording", recognise_it, lambda path, loud=False: (path, loud))

    class EntryPoint:
        name = "humming"

        @staticmethod
        def load():
            return mine

    registry = type(reader_registry.REGISTRY)("reader", entry_point_group="spikeloom.readers")
    monkeypatch.setattr(reader_registry, "REGISTRY", registry)
    monkeypatch.setattr("spikeloom.registry.entry_points", lambda group: [EntryPoint])
    reader_registry._load_own_readers.cache_clear()
    try:
        (tmp_path / "x.hum").write_bytes(b"hum")
        assert read(tmp_path / "x.hum", loud=True) == (tmp_path / "x.hum", True)
        assert "humming" in si.get_available_readers("recording")
        with pytest.raises(DuplicateNameError):
            si.register_readers([Reader("humming", "recording", recognise_it, print)])
    finally:
        reader_registry._load_own_readers.cache_clear()
        monkeypatch.undo()


class Effort:
    """Counts the files opened and the bytes read by this process."""

    _active = None

    def __enter__(self):
        self.n_opened, self._before = 0, self._n_read()
        type(self)._active = self
        return self

    def __exit__(self, *_):
        type(self)._active = None
        self.n_bytes = self._n_read() - self._before

    @staticmethod
    def _n_read():
        fields = Path("/proc/self/io").read_text().split()
        return int(fields[fields.index("rchar:") + 1])


def _count_opened(event, _):
    if event == "open" and Effort._active is not None:
        Effort._active.n_opened += 1


sys.addaudithook(_count_opened)

needs_proc = pytest.mark.skipif(
    not os.access("/proc/self/io", os.R_OK), reason="only Linux tells how much was read"
)


def make_sparse(path, n_bytes):
    with path.open("ab") as file:
        file.truncate(n_bytes)


@needs_proc
def test_a_hundred_gigabytes_open_by_reading_little(tmp_path):
    size = 100 << 30
    write_spikeglx(tmp_path / "glx", "x_g0_t0.imec0.ap", random_traces(10, 385))
    make_sparse(tmp_path / "glx/x_g0_t0.imec0.ap.bin", size)
    inner = tmp_path / "oe/experiment1/recording1"
    write_openephys(inner, random_traces(10, 16))
    make_sparse(inner / "continuous/Rhythm-100/continuous.dat", size)
    np.save(tmp_path / "x.npy", np.zeros((1, 4), "int16"))
    head = (tmp_path / "x.npy").read_bytes()[:128]
    rows = (size - 128) // 8
    (tmp_path / "x.npy").write_bytes(head.replace(b"(1, 4)", f"({rows}, 4)".encode())[:127] + b"\n")
    make_sparse(tmp_path / "x.npy", 128 + rows * 8)
    make_sparse(tmp_path / "x.dat", size)
    flat = {"sampling_frequency": 3e4, "dtype": "int16", "num_channels": 64}
    read(tmp_path / "glx")  # imports what is needed
    for place, kwargs in [
        ("glx", {}),
        ("oe", {}),
        ("x.npy", {"sampling_frequency": 3e4}),
        ("x.dat", flat),
    ]:
        with Effort() as effort:
            recording = read(tmp_path / place, **kwargs)
        assert recording.get_total_memory_size() > 90 << 30
        assert effort.n_bytes < 1 << 20, place
        assert effort.n_opened < 40, place
        last = recording.get_num_samples()
        assert not recording.get_traces(0, last - 5, last).any()


@needs_proc
def test_five_hundred_files_open_once_each(tmp_path):
    traces = random_traces(10, 5)
    for k in range(250):
        write_spikeglx(tmp_path / "glx", f"x_g0_t{k}.imec0.ap", traces + k)
        write_openephys(tmp_path / f"oe/experiment1/recording{k}", traces + k)
    for place in ("glx", "oe"):
        read(tmp_path / place)
        with Effort() as effort:
            recording = read(tmp_path / place)
        assert recording.get_num_segments() == 250
        assert effort.n_opened < 250 * 4 + 60
        assert effort.n_bytes < 4 << 20
        np.testing.assert_array_equal(recording.get_traces(77)[:, :2], traces[:, :2] + 77)


@needs_proc
def test_looking_at_a_large_file_reads_kilobytes(tmp_path):
    make_sparse(tmp_path / "x.bin", 100 << 30)
    recognise(tmp_path / "x.bin")
    with Effort() as effort:
        recognise(tmp_path / "x.bin")
    assert effort.n_bytes < 64 << 10
    assert effort.n_opened < 10


@pytest.mark.parametrize(
    ("place", "allowed"),
    [
        ("phy_template_phydata", set()),
        ("oe_hippocampus16", set()),
        ("hybrid_np24_dev", {"probeinterface"}),
        ("kwik_hybrid10s/hybrid_10sec.kwik", {"h5py"}),
    ],
)
def test_a_first_reading_imports_what_this_format_needs(data_folder, place, allowed):
    """Everything else makes every script, and every call of the command line, wait."""
    told = run_python(
        """
        import sys
        import spikeloom as si

        si.read(sys.argv[1])
        print(*sys.modules)
        """,
        data_folder / place,
    )
    slow = {"h5py", "neo", "numba", "pandas", "probeinterface", "pynwb", "scipy", "zarr"}
    assert slow & set(told.split()) <= allowed


def test_reading_writes_nothing(data_folder, tmp_path):
    copy = tmp_path / "x"
    shutil.copytree(data_folder / "hybrid_np24_dev", copy)
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    read(copy).get_traces(0, 0, 10)
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_the_real_spikeglx_file_holds_what_it_was_made_of(data_folder):
    folder = data_folder / "hybrid_np24_dev"
    recording = read(folder)
    assert recording.get_shape() == (450_000, 24)
    raw = np.fromfile(folder / "rec_g0_t0.imec0.ap.bin", "<i2").reshape(-1, 25)
    np.testing.assert_array_equal(recording.get_traces(), raw[:, :24])
    positions = np.load(folder / "phy/channel_positions.npy")
    assert recording.get_channel_locations().shape == (*positions.shape[:1], 2)
    assert json.loads((folder / "phy_errors.json").read_text())
