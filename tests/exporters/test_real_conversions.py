"""Every real file goes to every format that can be written, and comes back the same."""

import numpy as np
import pytest

import spikeloom as si
from making.real_files import EVENTS, RECORDINGS, SORTINGS
from spikeloom.exporters.comparing import find_differences
from spikeloom.exporters.writer_registry import get_writers

_TABLES = (RECORDINGS, SORTINGS, EVENTS)

KEEPS_ALL = {"binary", "zarr", "numpy"}
"""Our own formats; the others have no place for some properties."""


def _back(target, writer, source):
    """Open what was written, by what is in it; flat files are told what nothing in them says."""
    if writer.name == "nwb" and source.get_num_segments() > 1:
        return writer.read_back(target, source)  # there, segments are streams to choose from
    known = {}
    if writer.kind == "recording" and writer.name in {"flat", "npy"}:
        known["sampling_frequency"] = source.sampling_frequency
    if writer.name == "flat":
        known |= {"num_channels": source.get_num_channels(), "dtype": source.get_dtype()}
    return si.read(target, kind=writer.kind, **known)


def _obstacle(writer, source):
    """Return the word of what keeps a format from holding a real file, if anything does."""
    if writer.kind == "recording":
        if source.get_num_segments() > 1 and writer.name in {"flat", "npy"}:
            return "segment"
        if source.get_dtype() != np.int16 and writer.name == "kwik":
            return "int16"
    return None


def _check(source, kind, folder, *, origin=None):
    for writer in get_writers(kind):
        ending = writer.suffixes[0] if writer.suffixes else ""
        target = folder / f"{writer.name}{ending}"
        obstacle = _obstacle(writer, source)
        if obstacle:
            assert obstacle in si.plan_conversion(source, target, to=writer.name).obstacles[0]
            continue
        done = si.convert(origin or source, target, to=writer.name)
        again = _back(target, writer, source)
        assert find_differences(source, again).faults == [], writer.name
        if writer.name in KEEPS_ALL:
            assert done.notes == ()


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings(data_folder, tmp_path, name):
    one = RECORDINGS[name]
    _check(si.read(data_folder / one.place, kind="recording", **one.options), "recording", tmp_path)


@pytest.mark.parametrize("name", SORTINGS)
def test_sortings(data_folder, tmp_path, name):
    one = SORTINGS[name]
    _check(si.read(data_folder / one.place, kind="sorting", **one.options), "sorting", tmp_path)


@pytest.mark.parametrize("name", EVENTS)
def test_events(data_folder, tmp_path, name):
    one = EVENTS[name]
    _check(si.read(data_folder / one.place, kind="event", **one.options), "event", tmp_path)


@pytest.mark.filterwarnings("ignore:The extension 'principal_components' has 4 parts")
@pytest.mark.parametrize("name", ["analyzer", "analyzer.zarr"])
def test_sortings_of_analyzers(data_folder, tmp_path, name):
    origin = data_folder / "locust1_si_tdc2" / name
    _check(si.load(origin).sorting, "sorting", tmp_path, origin=origin)


def test_every_folder_of_real_data_is_here(data_folder):
    listed = {one.place.split("/")[0] for table in _TABLES for one in table.values()}
    folders = {path.name for path in data_folder.iterdir() if path.is_dir()}
    without = {"generator", "mearec_templates", "probes", "spikeglx_meta", "spikeglx_meta_ibl"}
    assert folders - listed == without
