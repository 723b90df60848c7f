import json
import subprocess

import numpy as np
import pytest

import spikeloom as si
from making.nwb_makers import make_nwb
from making.recording_files import random_traces
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.reading import recognise

SPEED = random_traces(300, 1)[:, 0] / 10
PLACES = random_traces(200, 2) / 100.0


@pytest.fixture(params=["hdf5", "zarr"])
def maker(request, tmp_path):
    return make_nwb(tmp_path, request.param)


def add(maker, path, values, *, kind="TimeSeries", times=None, **attributes):
    maker.group(path, neurodata_type=kind)
    maker.array(f"{path}/data", values, **attributes)
    if times is None:
        maker.array(f"{path}/starting_time", 1.5, rate=100.0)
    else:
        maker.array(f"{path}/timestamps", times)


def add_both(maker):
    add(maker, "processing/behavior/speed", SPEED, unit="cm/s", conversion=0.5, offset=2.0)
    times = 3 + np.arange(200) / 50
    add(maker, "acquisition/places", PLACES, kind="SpatialSeries", unit="meters", times=times)


def test_the_only_series_is_taken(maker, tmp_path):
    add_both(maker)
    speed = si.read_nwb_timeseries(maker.path)
    assert speed.timeseries_path == "processing/behavior/speed"
    assert (speed.sampling_frequency, speed.get_start_time()) == (100, 1.5)
    assert speed.channel_ids.tolist() == [0]
    np.testing.assert_array_equal(speed.get_traces(), SPEED[:, np.newaxis])
    np.testing.assert_array_equal(speed.get_traces(0, 7, 20), SPEED[7:20, np.newaxis])
    assert speed.get_property("physical_unit").tolist() == ["cm/s"]
    assert speed.get_property("gain_to_physical_unit").tolist() == [0.5]
    assert speed.get_property("offset_to_physical_unit").tolist() == [2.0]
    assert not speed.has_scaleable_traces()
    speed.dump(tmp_path / "speed.json")
    again = si.load(tmp_path / "speed.json")
    assert type(again) is type(speed)
    np.testing.assert_array_equal(again.get_traces(), speed.get_traces())


def test_a_series_of_a_type_that_derives_from_it(maker):
    add_both(maker)
    places = si.read_nwb_timeseries(maker.path, "/acquisition/places", load_time_vector=True)
    np.testing.assert_array_equal(places.get_traces(channel_ids=[1]), PLACES[:, 1:])
    assert places.sampling_frequency == pytest.approx(50)
    np.testing.assert_allclose(places.get_times()[:2], [3, 3.02])


def test_volts_have_gains(maker):
    add(maker, "stimulus/presentation/current", SPEED, unit="volts", conversion=1e-6)
    found = si.read_nwb_timeseries(maker.path)
    np.testing.assert_allclose(found.get_channel_gains(), 1.0)
    np.testing.assert_allclose(found.get_channel_offsets(), 0.0)


def test_one_has_to_be_chosen(maker):
    with pytest.raises(ParameterError, match=r"no time series: .* There are none"):
        si.read_nwb_timeseries(maker.path)
    add_both(maker)
    add(maker, "acquisition/more", SPEED)
    paths = ["acquisition/more", "processing/behavior/speed"]
    assert si.NwbTimeSeriesExtractor.fetch_available_timeseries_paths(maker.path) == paths
    with pytest.raises(ParameterError, match=r"several time series.* 'acquisition/more', 'proc"):
        si.read_nwb_timeseries(maker.path)
    with pytest.raises(ParameterError, match="no time series 'x'"):
        si.read_nwb_timeseries(maker.path, "x")
    assert si.read_nwb_timeseries(maker.path, paths[0]).get_num_samples() == 300


def test_what_is_wrong_is_told(maker, tmp_path):
    with pytest.raises(MissingFileError):
        si.read_nwb_timeseries(tmp_path / "absent.nwb")
    maker.group("acquisition/a", neurodata_type="TimeSeries")
    maker.array("acquisition/a/data", np.zeros((3, 4, 5)))
    with pytest.raises(DataError, match="must be of shape"):
        si.read_nwb_timeseries(maker.path, "acquisition/a")
    add(maker, "acquisition/b", SPEED, times=np.zeros(300))
    with pytest.raises(DataError, match="do not increase"):
        si.read_nwb_timeseries(maker.path, "acquisition/b")
    add(maker, "acquisition/c", SPEED, conversion="much")
    with pytest.raises(DataError, match="conversion must be a number"):
        si.read_nwb_timeseries(maker.path, "acquisition/c")


def test_read_takes_it_if_there_is_nothing_else(maker):
    add_both(maker)
    assert isinstance(si.read(maker.path), si.NwbTimeSeriesExtractor)
    add(maker, "acquisition/traces", PLACES, kind="ElectricalSeries")
    assert [one.reader.name for one in recognise(maker.path)][:2] == ["nwb", "nwb_timeseries"]
    read = si.read(maker.path, reader="nwb_timeseries")
    assert read.timeseries_path == "processing/behavior/speed"


THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface.extractors as se
from spikeinterface.core import load

path, ours, dumped = sys.argv[1:]
speed = se.read_nwb_timeseries(path)
places = se.read_nwb_timeseries(path, "acquisition/places", load_time_vector=True)
speed.dump_to_json(dumped)
print(json.dumps({
    "paths": se.NwbTimeSeriesExtractor.fetch_available_timeseries_paths(path)
    if hasattr(se, "NwbTimeSeriesExtractor") else None,
    "speed": speed.get_traces().tolist(), "start": speed.get_start_time(),
    "rate": speed.get_sampling_frequency(), "ids": speed.channel_ids.tolist(),
    "places": places.get_traces().tolist(), "times": places.get_times().tolist(),
    "ours": load(ours).get_traces().tolist(),
}))
"""


@pytest.mark.peer
def test_what_spikeinterface_reads(tmp_path, peer_python):
    maker = make_nwb(tmp_path, "hdf5")
    add_both(maker)
    speed = si.read_nwb_timeseries(maker.path)
    places = si.read_nwb_timeseries(maker.path, "acquisition/places", load_time_vector=True)
    speed.dump(tmp_path / "ours.json")
    arguments = [maker.path, tmp_path / "ours.json", tmp_path / "theirs.json"]
    done = subprocess.run(
        [peer_python, "-c", THEIRS, *arguments], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = json.loads(done.stdout)
    assert theirs["speed"] == theirs["ours"] == speed.get_traces().tolist()
    assert (theirs["rate"], theirs["start"]) == (100, 1.5)
    assert theirs["ids"] == speed.channel_ids.tolist()
    assert theirs["places"] == places.get_traces().tolist()
    np.testing.assert_array_equal(places.get_times(), theirs["times"])
    loaded = si.load(tmp_path / "theirs.json")
    assert isinstance(loaded, si.NwbTimeSeriesExtractor)
    np.testing.assert_array_equal(loaded.get_traces(), speed.get_traces())


def test_behind_a_url(tmp_path):
    pytest.importorskip("aiohttp", reason="aiohttp reaches web servers")
    from making.range_server import served_folder

    maker = make_nwb(tmp_path, "hdf5")
    add_both(maker)
    with served_folder(tmp_path) as served:
        speed = si.read_nwb_timeseries(f"{served.url}/x.nwb", stream_mode="fsspec")
        np.testing.assert_array_equal(speed.get_traces(0, 5, 9), SPEED[5:9, np.newaxis])
        speed.dump(tmp_path / "x.json")
        again = si.load(tmp_path / "x.json")
        np.testing.assert_array_equal(again.get_traces(), SPEED[:, np.newaxis])
    with pytest.raises(ParameterError, match="are for URLs"):
        si.read_nwb_timeseries(maker.path, stream_mode="fsspec")
