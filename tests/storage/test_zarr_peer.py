"""What zarr-python 2 and SpikeInterface write we read, and the other way round."""

import json
import subprocess

import numcodecs
import numpy as np
import pytest

from spikeloom.errors import ReadError
from spikeloom.storage.zarr_codecs import default_compressor, delta_filter
from spikeloom.storage.zarr_opening import create_zarr, open_zarr

pytestmark = pytest.mark.peer

WRITE = """
import sys
import numcodecs, numpy as np, zarr

root = zarr.open(sys.argv[1], mode="w")
root.attrs["settings"] = {"nan": float("nan"), "n": 3, "ids": ["a", "b"]}
traces = np.arange(700, dtype="i2").reshape(100, 7)
blosc = numcodecs.Blosc("zstd", 5, numcodecs.Blosc.BITSHUFFLE)
root.create_dataset("traces", data=traces, chunks=(30, 3), compressor=blosc)
root.create_dataset("lzma", data=traces, chunks=(30, 7), compressor=numcodecs.LZMA(),
                    filters=[numcodecs.Delta(dtype="int16")])
root.create_dataset("fortran", data=traces, chunks=(30, 3), order="F")
root.create_dataset("nested", data=traces, chunks=(30, 3), dimension_separator="/")
delta = [numcodecs.Delta("<i8")]
root.create_dataset("unit", data=np.arange(9) ** 2, filters=delta, compressor=blosc)
root.create_dataset("ids", data=np.array(["a", "bcd"]), compressor=None)
root.create_dataset("bytes", data=np.array([b"a", b"bcd"]))
root.create_dataset("t_starts", data=np.array([np.nan, 3.0]), fill_value=np.nan)
records = np.zeros(4, [("x", "f4"), ("y", "f4", (2,))])
records["x"] = range(4)
root.create_dataset("records", data=records, chunks=(1000,))
root.create_dataset("empty", shape=(5, 2), dtype="f4", fill_value=7)
group = root.create_group("extensions/pca")
group.attrs["params"] = {"n": 5}
value = np.array([{"a": 1, "nan": float("nan")}], dtype=object)
group.create_dataset("run", data=value, object_codec=numcodecs.JSON())
group["run"].attrs["dict"] = True
names = np.array(["x", "yy", "zzz"], dtype=object)
group.create_dataset("names", data=names, object_codec=numcodecs.JSON(), chunks=(2,))
group.create_dataset("words", data=names, object_codec=numcodecs.VLenUTF8())
group.create_dataset("model", data=np.array([{1, 2}], object), object_codec=numcodecs.Pickle())
zarr.consolidate_metadata(root.store)
"""

READ = """
import json, sys
import numpy as np, zarr

root = zarr.open_consolidated(sys.argv[1]) if sys.argv[2] == "1" else zarr.open(sys.argv[1], "r")
json.dump({
    "attributes": root.attrs.asdict(),
    "traces": root["traces"][:].tolist(),
    "sum": {name: int(root[name][:].sum()) for name in ("lzma", "spikes/sample_index")},
    "ids": root["ids"][:].tolist(),
    "ids_dtype": root["ids"].dtype.str,
    "records": root["records"]["x"].tolist(),
    "t_starts": [str(x) for x in root["t_starts"][:]],
    "recording": root["recording"][0],
    "names": list(root["names"][:]),
    "chunks": root["traces"].chunks,
    "compressor": str(root["traces"].compressor),
    "groups": sorted(root.group_keys()), "arrays": sorted(root.array_keys()),
}, open(sys.argv[3], "w"))
"""

SPIKEINTERFACE = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface as si

folder = sys.argv[1]
recording, sorting = si.generate_ground_truth_recording(
    [2.0, 1.0], num_channels=4, num_units=3, seed=0
)
recording.set_property("quality", np.array(["good", "bad", "", "µ"]))
saved = recording.save(folder=folder + "/rec.zarr", format="zarr", verbose=False)
sorting = sorting.save(folder=folder + "/sort.zarr", format="zarr")
analyzer = si.create_sorting_analyzer(
    sorting, saved, format="zarr", folder=folder + "/an.zarr", sparse=False, verbose=False
)
analyzer.compute(
    ["random_spikes", "waveforms", "templates", "noise_levels", "principal_components",
     "spike_locations"], verbose=False,
)
np.savez(folder + "/truth.npz", traces=saved.get_traces(segment_index=1),
         spikes=sorting.to_spike_vector()["sample_index"], ids=saved.channel_ids,
         templates=analyzer.get_extension("templates").get_data())
"""


def run_peer(peer_python, code, *arguments):
    done = subprocess.run(
        [str(peer_python), "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def theirs(peer_python, tmp_path_factory):
    path = tmp_path_factory.mktemp("peer") / "theirs.zarr"
    run_peer(peer_python, WRITE, path)
    return path


def test_arrays_of_zarr_python_2(theirs):
    group = open_zarr(theirs)
    traces = np.arange(700, dtype="i2").reshape(100, 7)
    for name in ("traces", "lzma", "fortran", "nested"):
        np.testing.assert_array_equal(group.read_array(name), traces)
        part = group.array(name).read(slice(25, 70), [6, 0])
        np.testing.assert_array_equal(part, traces[25:70, [6, 0]])
    assert group.read_array("unit").tolist() == [k**2 for k in range(9)]
    assert group.read_array("ids").tolist() == ["a", "bcd"]
    assert group.read_array("bytes").tolist() == [b"a", b"bcd"]
    np.testing.assert_array_equal(group.read_array("t_starts"), [np.nan, 3.0])
    assert group.read_array("records")["x"].tolist() == [0, 1, 2, 3]
    assert group.read_array("empty").tolist() == [[7, 7]] * 5
    assert group.attributes["settings"]["ids"] == ["a", "b"]
    assert np.isnan(group.attributes["settings"]["nan"])


def test_objects_of_zarr_python_2(theirs):
    group = open_zarr(theirs).group("extensions/pca")
    value = group.read_object("run")
    assert np.isnan(value.pop("nan"))
    assert value == {"a": 1}
    assert group.array_attributes("run") == {"dict": True}
    assert group.read_object("names") == group.read_object("words") == ["x", "yy", "zzz"]
    assert group.array_names() == ["names", "run", "words"]
    assert group.refused_names() == ["model"]
    assert "model" in group.array_names(skip_refused=False)
    with pytest.raises(ReadError, match=r"never decoded"):
        group.read_object("model")
    with pytest.raises(ReadError, match=r"never decoded|objects"):
        group.array("model")


@pytest.mark.parametrize("is_consolidated", [False, True])
def test_zarr_python_2_reads_ours(peer_python, tmp_path, is_consolidated):
    group = create_zarr(tmp_path / "ours.zarr")
    attributes = {"settings": {"a": [1, None]}, "sampling_frequency": 30000.0}
    group.set_attributes(attributes)
    traces = np.arange(700, dtype="i2").reshape(100, 7)
    options = {"chunks": (30, 3), "compressor": default_compressor()}
    group.write_array("traces", traces, **options)
    filters = [numcodecs.Delta(dtype="int16")]
    group.write_array("lzma", traces, compressor=numcodecs.LZMA(), filters=filters)
    spikes = np.arange(1000) ** 2
    delta = [delta_filter("<i8")]
    group.write_array("spikes/sample_index", spikes, compressor=default_compressor(), filters=delta)
    group.write_array("ids", np.array(["a", "µV"]))
    records = np.zeros(3, [("x", "f4"), ("y", "i2", (2,))])
    group.write_array("records", records, compressor=default_compressor())
    group.write_array("t_starts", np.array([np.nan, 1.0]))
    group.write_object("recording", {"kwargs": {"path": None, "ids": [1, 2]}})
    group.write_object("names", ["a", "b"])
    if is_consolidated:
        group.consolidate()
    answer = tmp_path / "answer.json"
    run_peer(peer_python, READ, tmp_path / "ours.zarr", int(is_consolidated), answer)
    found = json.loads(answer.read_text())
    assert found["attributes"] == attributes
    assert found["traces"] == traces.tolist()
    assert found["sum"] == {"lzma": int(traces.sum()), "spikes/sample_index": int(spikes.sum())}
    assert (found["ids"], found["ids_dtype"]) == (["a", "µV"], "<U2")
    assert found["records"] == [0, 0, 0]
    assert found["t_starts"] == ["nan", "1.0"]
    assert found["recording"] == {"kwargs": {"path": None, "ids": [1, 2]}}
    assert found["names"] == ["a", "b"]
    assert found["chunks"] == [30, 3]
    assert "cname='zstd', clevel=5, shuffle=BITSHUFFLE" in found["compressor"]
    assert found["groups"] == ["spikes"]
    assert len(found["arrays"]) == 7


def test_stores_of_spikeinterface(peer_python, tmp_path):
    run_peer(peer_python, SPIKEINTERFACE, tmp_path)
    truth = np.load(tmp_path / "truth.npz")
    recording = open_zarr(tmp_path / "rec.zarr")
    np.testing.assert_array_equal(recording.read_array("traces_seg1"), truth["traces"])
    np.testing.assert_array_equal(recording.read_array("channel_ids"), truth["ids"])
    assert recording.group("properties").read_array("quality").tolist() == ["good", "bad", "", "µ"]
    assert recording.attributes["num_segments"] == 2
    sorting = open_zarr(tmp_path / "sort.zarr")
    np.testing.assert_array_equal(sorting.read_array("spikes/sample_index"), truth["spikes"])
    analyzer = open_zarr(tmp_path / "an.zarr")
    # The recording is not in the analyzer if SpikeInterface could not describe it.
    assert set(analyzer.names()) >= {"extensions", "recording_info", "sorting"}
    assert analyzer.read_object("recording")["class"].startswith("spikeinterface.")
    average = analyzer.read_array("extensions/templates/average")
    np.testing.assert_array_equal(average, truth["templates"])
    pca = analyzer.group("extensions/principal_components")
    assert pca.array_names() == ["pca_projection"]
    assert len(pca.refused_names()) == 4
    locations = analyzer.read_array("extensions/spike_locations/spike_locations")
    assert locations.dtype.names[:2] == ("x", "y")
