"""The examples of docs/reading.md run one after the other, as they are printed."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from making.recording_files import (
    random_traces,
    write_mcs_raw,
    write_mda,
    write_openephys,
    write_spikeglx,
)
from making.rig_files import write_mcs_hdf5, write_sinaps
from spikeloom.extractors import reader_registry

GUIDE = Path(__file__).parents[2] / "docs" / "reading.md"

TRACES = random_traces(300, 5)


def write_files(folder):
    """Write the files that the examples speak of."""
    probe = folder / "rat_g0/rat_g0_imec0"
    write_spikeglx(probe, "rat_g0_t0.imec0.ap", TRACES)
    write_spikeglx(probe, "rat_g0_t0.imec0.lf", TRACES[:25])
    random_traces(300, 4).tofile(folder / "traces.dat")
    write_openephys(folder / "session/Record Node 104/experiment1/recording1", TRACES)
    with h5py.File(folder / "mouse.nwb", "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        series = file.create_group("acquisition/ElectricalSeries")
        series.attrs["neurodata_type"] = "ElectricalSeries"
        series["data"] = TRACES
        series["starting_time"] = 0.0
        series["starting_time"].attrs["rate"] = 30_000.0
        speed = file.create_group("processing/behavior/speed")
        speed.attrs["neurodata_type"] = "TimeSeries"
        speed["data"] = TRACES[:, 0]
        speed["starting_time"] = 0.0
        speed["starting_time"].attrs["rate"] = 100.0
    for name in ("first.npy", "second.npy"):
        np.save(folder / name, TRACES)
    (folder / "mountain").mkdir()
    write_mda(folder / "mountain/raw.mda", TRACES.T)
    write_mda(folder / "mountain/firings.mda", np.array([[1.0, 2], [5, 9], [1, 3]]))
    (folder / "mountain/params.json").write_text('{"samplerate": 30000}')
    write_mcs_raw(folder / "culture.raw", TRACES, 25_000)
    write_mcs_hdf5(folder / "culture.h5", TRACES)
    write_sinaps(folder / "sinaps")
    (folder / "day1.mylab").write_bytes(b"MYLAB" + TRACES[:, :4].tobytes())


@pytest.fixture
def own_registry(monkeypatch):
    """Keep what an example registers from other tests."""
    registry = type(reader_registry.REGISTRY)("reader")
    monkeypatch.setattr(reader_registry, "REGISTRY", registry)
    reader_registry._load_own_readers.cache_clear()
    yield
    reader_registry._load_own_readers.cache_clear()


def test_the_examples_run(tmp_path, monkeypatch, own_registry):
    pytest.importorskip("neo")
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    namespace = {}
    for code in blocks:
        # The first example has a folder of one stream, the following ones of several.
        is_first = 'recording = si.read("rat_g0")\n' in code
        moved = tmp_path / "rat_g0/rat_g0_imec0/rat_g0_t0.imec0.lf.bin"
        if is_first:
            moved.rename(tmp_path / "away")
        exec(compile(code, "docs/reading.md", "exec"), namespace)
        if is_first:
            assert namespace["recording"].get_num_channels() == 4
            (tmp_path / "away").rename(moved)
    assert namespace["low"].get_num_samples() == 25
    np.testing.assert_array_equal(namespace["sync"].get_traces(), TRACES[:, 4:])
    assert namespace["sorting"].unit_ids.tolist() == [1, 3]
    np.testing.assert_array_equal(namespace["recording"].get_traces(), TRACES[:, :4])


def test_every_format_is_named():
    guides = [
        GUIDE.with_name(name).read_text() for name in ("reading.md", "sortings.md", "kwik.md")
    ]
    of_datasets = {"phy", "experiment", "prb", "probeinterface", "prm"}
    functions = {
        one.function
        for one in reader_registry.get_readers()
        if one.function and one.name not in of_datasets
    }
    missing = [name for name in functions if not re.search(rf"\b{name}\b", " ".join(guides))]
    assert not missing
