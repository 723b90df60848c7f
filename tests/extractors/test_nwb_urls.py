"""NWB files behind URLs are read in parts, as they are needed."""

import pickle

import fsspec
import h5py
import numpy as np
import pytest

import spikeloom as si
from making.range_server import served_folder
from making.s3_server import served_bucket
from making.sorting_files import RATE, TRAINS, write_nwb_units
from spikeloom.core.loading import load
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.nwb_events import read_nwb_event
from spikeloom.extractors.nwb_recording import read_nwb_recording
from spikeloom.extractors.nwb_sorting import read_nwb, read_nwb_sorting

pytest.importorskip("aiohttp", reason="aiohttp reaches web servers")

N_SAMPLES, N_CHANNELS, CHUNK = 100_000, 8, 4096


@pytest.fixture
def traces():
    return np.random.default_rng(3).integers(-99, 99, (N_SAMPLES, N_CHANNELS)).astype(np.int16)


@pytest.fixture
def path(tmp_path, traces):
    """Return a file with traces in chunks, units, trials, and traces in one piece."""
    path = write_nwb_units(tmp_path / "mouse.nwb", resolution=1 / RATE)
    with h5py.File(path, "a") as file:
        for name, options in (("chunked", {"chunks": (CHUNK, N_CHANNELS)}), ("whole", {})):
            series = file.create_group(f"acquisition/{name}")
            series.attrs["neurodata_type"] = "ElectricalSeries"
            series.create_dataset("data", data=traces, **options)
            series["starting_time"] = 0.0
            series["starting_time"].attrs["rate"] = RATE
        trials = file.create_group("intervals/trials")
        trials["id"] = np.arange(2)
        trials["start_time"] = np.array([0.5, 1.5])
        trials["stop_time"] = np.array([1.0, 2.0])
    return path


@pytest.fixture
def served(path):
    with served_folder(path.parent) as served:
        yield served


def _check_all(url, traces, **options):
    for name in ("chunked", "whole"):
        recording = read_nwb_recording(url, electrical_series_path=f"acquisition/{name}", **options)
        assert recording.get_num_samples() == N_SAMPLES
        np.testing.assert_array_equal(recording.get_traces(0, 9990, 60_000), traces[9990:60_000])
    sorting = read_nwb_sorting(url, sampling_frequency=RATE, t_start=0.0, **options)
    assert sorting.get_unit_spike_train(12).tolist() == TRAINS[12]
    events = read_nwb_event(url, **options)
    assert events.get_event_times("trials").tolist() == [0.5, 1.5]


def test_all_of_a_file_behind_http(served, traces):
    _check_all(f"{served.url}/mouse.nwb", traces)


@pytest.mark.parametrize("stream_mode", ["fsspec", "remfile", "ros3"])
def test_all_of_a_file_in_a_bucket(path, traces, stream_mode):
    with served_bucket("mice") as options:
        with fsspec.open("s3://mice/mouse.nwb", "wb", **options) as target:
            target.write(path.read_bytes())
        _check_all("s3://mice/mouse.nwb", traces, storage_options=options, stream_mode=stream_mode)
        with pytest.raises(MissingFileError, match=r"no file s3://mice/other.nwb"):
            read_nwb_sorting(
                "s3://mice/other.nwb", storage_options=options, stream_mode=stream_mode
            )


def test_little_is_fetched(served, traces):
    recording = read_nwb_recording(
        f"{served.url}/mouse.nwb", electrical_series_path="acquisition/chunked"
    )
    opened = served.n_bytes
    assert opened <= 1 << 20
    np.testing.assert_array_equal(recording.get_traces(0, 50_000, 50_010), traces[50_000:50_010])
    read = served.n_bytes
    assert read - opened <= 1 << 19
    n_requests = len(served.requests)
    recording.get_traces(0, 50_005, 50_015)
    assert (served.n_bytes, len(served.requests)) == (read, n_requests)  # they were kept


def test_recordings_behind_urls_are_saved_and_sent(served, traces, tmp_path):
    recording = read_nwb_recording(
        f"{served.url}/mouse.nwb", electrical_series_path="acquisition/whole"
    )
    recording.dump(tmp_path / "recording.json")
    for again in (load(tmp_path / "recording.json"), pickle.loads(pickle.dumps(recording))):
        np.testing.assert_array_equal(again.get_traces(0, 5, 9), traces[5:9])


def test_what_was_fetched_is_kept_in_a_folder(served, traces, tmp_path):
    def use():
        options = {"cache": True, "stream_cache_path": tmp_path / "kept"}
        recording = read_nwb_recording(
            f"{served.url}/mouse.nwb", electrical_series_path="acquisition/chunked", **options
        )
        np.testing.assert_array_equal(recording.get_traces(0, 0, 9), traces[:9])

    use()
    assert any((tmp_path / "kept").iterdir())
    before = served.n_bytes
    use()
    assert served.n_bytes == before


def test_read_finds_out_what_is_behind_a_url(served, path, tmp_path):
    with pytest.raises(ParameterError, match="several electrical series"):
        si.read(f"{served.url}/mouse.nwb")
    url = f"{served.url}/mouse.nwb"
    recording = si.read(url, electrical_series_path="acquisition/whole")
    assert recording.get_num_channels() == N_CHANNELS
    assert si.read(url, kind="event").channel_ids.tolist() == ["trials"]
    opened = read_nwb(url, True, True, "acquisition/whole", stream_mode="fsspec")
    assert [type(one).__name__ for one in opened] == [
        "NwbRecordingExtractor",
        "NwbSortingExtractor",
    ]
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["values"] = np.arange(3)
    with pytest.raises(DataError, match="an HDF5 file, but not NWB"):
        si.read(f"{served.url}/other.h5")
    with pytest.raises(DataError, match="holds no snippets"):
        si.read(url, kind="snippets")


def test_zarr_stores_in_a_bucket_are_told_from_files(tmp_path):
    rng = np.random.default_rng(0)
    recording = si.NumpyRecording([rng.integers(0, 9, (50, 2)).astype(np.int16)], RATE)
    with served_bucket("stores") as options:
        recording.save(
            format="zarr", folder="s3://stores/rec.zarr", storage_options=options, verbose=False
        )
        again = si.read("s3://stores/rec.zarr", storage_options=options)
        np.testing.assert_array_equal(again.get_traces(), recording.get_traces())


def test_faults_of_urls(served, path, tmp_path):
    with pytest.raises(MissingFileError, match=r"absent\.nwb"):
        read_nwb_recording(f"{served.url}/absent.nwb", stream_mode="fsspec")
    with pytest.raises(MissingFileError):
        si.read(f"{served.url}/absent.nwb")
    (tmp_path / "forbidden.nwb").write_bytes(b"secret")
    with pytest.raises(ReadError, match=r"forbidden\.nwb.*403.*storage_options"):
        read_nwb_recording(f"{served.url}/forbidden.nwb", stream_mode="fsspec")
    with pytest.raises(ReadError, match=r"127\.0\.0\.1:9.*network"):
        read_nwb_recording("http://127.0.0.1:9/mouse.nwb")
    (tmp_path / "text.nwb").write_bytes(b"no HDF5 at all")
    with pytest.raises(ReadError, match=r"text\.nwb is no HDF5 file"):
        read_nwb_recording(f"{served.url}/text.nwb", stream_mode="remfile")
    with pytest.raises(ParameterError, match="'fsspec', 'remfile', 'ros3', 'zarr'"):
        read_nwb_recording(f"{served.url}/mouse.nwb", stream_mode="carrier pigeon")
    with pytest.raises(ParameterError, match="are for URLs"):
        read_nwb_recording(path, stream_mode="fsspec")
    with pytest.raises(ParameterError, match="cache is for HDF5 files"):
        read_nwb_recording(f"{served.url}/mouse.nwb", stream_mode="zarr", cache=True)


def test_servers_that_give_no_parts_are_told(path):
    with served_folder(path.parent, has_ranges=False) as served, pytest.raises(ReadError) as told:
        read_nwb_recording(f"{served.url}/mouse.nwb", electrical_series_path="acquisition/whole")
    assert "bytes came where bytes 0 to" in str(told.value)


def test_damage_behind_urls_is_told(served, path):
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 8 : heap + 16] = bytes(8)
    path.with_name("damaged.nwb").write_bytes(content)
    with pytest.raises(ReadError, match=f"damaged.nwb.*global heap collection at byte {heap}"):
        read_nwb_sorting(f"{served.url}/damaged.nwb", sampling_frequency=RATE)
