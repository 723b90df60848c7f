"""Files of recordings, sortings and snippets go both ways between us and three SpikeInterfaces."""

import json
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from making import rich_objects as making
from making.absence import python_beside
from making.telling import read_told, tell
from spikeloom.core.loading import load
from spikeloom.core.npz_sorting import NpzSortingExtractor, read_npz_sorting
from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.core.zarr_reading import read_zarr

pytestmark = pytest.mark.peer

TESTS = Path(__file__).parents[1]

VERSIONS = ["0.105", "0.104", "0.102"]

KINDS = [
    "binary",
    "zarr",
    "numpy_folder",
    "npz_folder",
    "zarr_sorting.zarr",
    "sorting.npz",
    "snippets",
    "view.json",
    "units.json",
]

HEAD = """
import sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
sys.path.append(sys.argv[1])
import numpy as np
import spikeinterface.core as si
from making.telling import write_told

folder, out = Path(sys.argv[2]), Path(sys.argv[3])
"""

LOAD = (
    HEAD
    + """
import traceback

for path in sorted(folder.iterdir()):
    try:
        if path.suffix == ".npz":
            extractor = si.NpzSortingExtractor(path)
        elif path.suffix == ".json":
            extractor = si.load(path, base_folder=folder)
        else:
            extractor = si.load(path)
        write_told(out / path.name, extractor)
    except Exception:
        (out / f"{path.name}.failed").write_text(traceback.format_exc())
"""
)

SAVE = (
    HEAD
    + """
from probeinterface import ProbeGroup, generate_linear_probe

rng = np.random.default_rng(0)
quiet = dict(progress_bar=False)

def describe(extractor, n):
    extractor.set_property("quality", np.array([f"good{k}" for k in range(n)]))
    extractor.set_property("is_bad", np.arange(n) % 2 == 0)
    extractor.set_property("matrix", rng.random((n, 2, 3)))
    records = np.zeros(n, [("x", "f4"), ("label", "U5"), ("pair", "i2", (2,))])
    records["label"] = "abc"
    extractor.set_property("records", records)
    extractor.annotate(note="größer", nested={"list": [1, 2.5, None, "x"]})

def wire(extractor, n_probes):
    group = ProbeGroup()
    order = rng.permutation(extractor.get_num_channels())
    for k, part in enumerate(np.array_split(order, n_probes)):
        probe = generate_linear_probe(len(part), ypitch=20)
        probe.move([k * 500.0, 0.0])
        probe.set_contact_ids([f"p{k}c{i}" for i in range(len(part))])
        probe.set_shank_ids([str(i % 2) for i in range(len(part))])
        probe.set_device_channel_indices(part)
        group.add_probe(probe)
    return extractor.set_probegroup(group, group_mode="by_shank") or extractor

recording = si.NumpyRecording(
    [rng.normal(0, 40, (n, 5)).astype("int16") for n in (400, 37)], 30000.0,
    t_starts=[5.0, 10.0], channel_ids=np.array([f"ch{k}" for k in range(5)]),
)
describe(recording, 5)
recording.set_channel_gains(rng.uniform(0.1, 2, 5))
recording.set_channel_offsets(rng.uniform(-5, 5, 5))
recording.annotate(is_filtered=True)
recording = wire(recording, 2)
for k in range(2):
    if sys.argv[4] == "with times":
        times = 99.0 + rng.random(recording.get_num_samples(k)).cumsum()
        recording.set_times(times, segment_index=k)
sorting = si.NumpySorting.from_samples_and_labels(
    [np.sort(rng.integers(0, 5000, n)) for n in (50, 7)],
    [np.array(["a", "b", "c"])[rng.integers(0, 3, n)] for n in (50, 7)],
    30000.0, unit_ids=np.array(["a", "b", "c", "none"]),
)
describe(sorting, 4)
snippets = si.NumpySnippets(
    [rng.normal(0, 9, (n, 12, 3)).astype("float32") for n in (20, 5)],
    [np.sort(rng.integers(0, 10**6, n)) for n in (20, 5)],
    30000.0, nbefore=4, channel_ids=np.array(["a", "b", "c"]),
)
describe(snippets, 3)
snippets = wire(snippets, 1)

made = {}
made["binary"] = recording.save(folder=folder / "binary", **quiet)
made["zarr.zarr"] = recording.save(format="zarr", folder=folder / "zarr.zarr", **quiet)
made["numpy_folder"] = sorting.save(folder=folder / "numpy_folder")
made["npz_folder"] = sorting.save(format="npz_folder", folder=folder / "npz_folder")
made["zarr_sorting.zarr"] = sorting.save(format="zarr", folder=folder / "zarr_sorting.zarr")
si.NpzSortingExtractor.write_sorting(sorting, folder / "sorting.npz")
made["sorting.npz"] = si.NpzSortingExtractor(folder / "sorting.npz")
made["snippets"] = snippets.save(folder=folder / "snippets")
view = made["binary"].select_channels(recording.channel_ids[[3, 1]])
view.annotate(own=1)
units = made["numpy_folder"].select_units(sorting.unit_ids[[2, 0]])
made["view.json"], made["units.json"] = view, units
view.dump(folder / "view.json")
units.dump(folder / "units.json", relative_to=folder)
made["view.pkl"], made["units.pkl"] = view, units
view.dump(folder / "view.pkl")
units.dump(folder / "units.pkl", relative_to=folder)
for name, extractor in made.items():
    write_told(out / name, extractor)
"""
)


def write_ours(folder, *, with_times):
    """Save one of each kind; return what each should be, by file name."""
    recording = making.rich_recording(
        (400, 60, 37), n_probes=2, times="some" if with_times else "starts"
    )
    sorting = making.rich_sorting((50, 3, 7))
    rng = np.random.default_rng(0)
    snippets = NumpySnippets(
        [rng.normal(0, 9, (n, 12, 3)).astype("f4") for n in (20, 5)],
        [np.sort(rng.integers(0, 10**6, n)) for n in (20, 5)],
        making.RATE,
        nbefore=4,
        channel_ids=["a", "b", "c"],
    )
    snippets.set_property("quality", ["good", "bad", "ugly"])
    snippets.set_channel_gains([0.5, 1.0, 2.0])
    snippets.set_channel_offsets(0.0)
    snippets.annotate(**making.ANNOTATIONS)
    snippets.set_probegroup(making.some_probes(3, rng=rng))
    for extractor in (recording, sorting):
        for key in ("a/b: c?", "50%2F", "~41", ".hidden"):  # whose names are written differently
            extractor.delete_property(key)
    made = {
        "binary": recording.save(folder=folder / "binary", progress_bar=False),
        "zarr.zarr": recording.save(format="zarr", folder=folder / "zarr", progress_bar=False),
        "numpy_folder": sorting.save(folder=folder / "numpy_folder"),
        "npz_folder": sorting.save(format="npz_folder", folder=folder / "npz_folder"),
        "zarr_sorting.zarr": sorting.save(format="zarr", folder=folder / "zarr_sorting"),
        "snippets": snippets.save(folder=folder / "snippets"),
    }
    NpzSortingExtractor.write_sorting(sorting, folder / "sorting.npz")
    made["sorting.npz"] = read_npz_sorting(folder / "sorting.npz")
    view = made["binary"].select_channels(recording.channel_ids[[3, 1]])
    view.annotate(own=1)
    view.dump(folder / "view.json")
    units = made["numpy_folder"].select_units(sorting.unit_ids[[2, 0]])
    units.dump(folder / "units.json", relative_to=folder)
    made |= {"view.json": view, "units.json": units}
    made["slice.json"] = (
        made["zarr.zarr"].select_segments([0]).frame_slice(10, 50).rename_channels(list("vwxyz"))
    )
    made["slice.json"].dump(folder / "slice.json")
    made["zarr_units.json"] = made["zarr_sorting.zarr"].select_units(sorting.unit_ids[:2])
    made["zarr_units.json"].dump(folder / "zarr_units.json")
    return made


@pytest.fixture(scope="module")
def pythons(peer_python):
    """Interpreter of each version."""
    older = {version: python_beside(peer_python, version) for version in VERSIONS[1:]}
    return {"0.105": peer_python, **older}


def run(python, code, *arguments):
    done = subprocess.run(
        [python, "-c", code, str(TESTS), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """Folder of what we saved, and what it should be."""
    folder = tmp_path_factory.mktemp("ours")
    return folder, write_ours(folder, with_times=True)


@pytest.fixture(scope="module")
def told_by(pythons, ours, tmp_path_factory):
    """Return the folder of what a version makes of our files."""

    @cache
    def read_all(version):
        out = tmp_path_factory.mktemp("told")
        run(pythons[version], LOAD, ours[0], out)
        return out

    return read_all


@pytest.fixture(scope="module")
def theirs(pythons, tmp_path_factory):
    """Return the folders of what a version saved, and of what it tells of that."""

    @cache
    def write_all(version, times):
        folder, out = tmp_path_factory.mktemp("theirs"), tmp_path_factory.mktemp("told")
        run(pythons[version], SAVE, folder, out, times)
        return folder, out

    return write_all


def check_told(expected, told):
    arrays, plain = expected
    other_arrays, other_plain = told
    assert set(other_arrays) == set(arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(other_arrays[name], values, name)
        assert other_arrays[name].dtype.kind == values.dtype.kind, name
    assert other_plain == json.loads(json.dumps(plain))


@pytest.mark.parametrize("kind", [*KINDS, "slice.json", "zarr_units.json"])
@pytest.mark.parametrize("version", VERSIONS)
def test_they_read_ours(ours, told_by, version, kind):
    out = told_by(version)
    name = "zarr.zarr" if kind == "zarr" else kind
    failed = out / f"{name}.failed"
    assert not failed.exists(), failed.read_text()
    check_told(tell(ours[1][name]), read_told(out / name))


@pytest.mark.parametrize("times", ["with times", "without times"])
@pytest.mark.parametrize("kind", [*KINDS, "view.pkl", "units.pkl"])
@pytest.mark.parametrize("version", VERSIONS)
def test_we_read_theirs(theirs, version, kind, times):
    folder, out = theirs(version, times)
    name = "zarr.zarr" if kind == "zarr" else kind
    if kind == "sorting.npz":
        found = read_npz_sorting(folder / name)
    else:
        found = load(folder / name, trust_pickle=True)
    check_told(read_told(out / name), tell(found))
    if name.endswith(".zarr"):
        check_told(read_told(out / name), tell(read_zarr(folder / name)))
