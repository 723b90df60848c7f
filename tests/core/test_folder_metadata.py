import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making import rich_objects as making
from spikeloom.core.folder_metadata import (
    name_of_property,
    property_of_name,
    read_folder_description,
    read_metadata,
    write_metadata,
)
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.errors import DataError


@given(st.text(min_size=1))
def test_any_name_of_a_property(key):
    name = name_of_property(key)
    assert property_of_name(name) == key
    assert not set(name) & set('/\\:*?"<>|#\n\0')
    assert not name.startswith(".")


@given(st.from_regex(r"[a-zA-Z0-9_ -]+", fullmatch=True))
def test_usual_names_stay(key):
    assert name_of_property(key) == key


@given(recording=making.rich_recordings())
def test_everything_comes_back(tmp_path_factory, recording):
    folder = tmp_path_factory.mktemp("x")
    write_metadata(recording, folder, source=None)
    segments = range(recording.get_num_segments())
    bare = NumpyRecording(
        [recording.get_traces(k) for k in segments],
        making.RATE,
        channel_ids=recording.channel_ids,
    )
    read_metadata(bare, folder)
    making.check_metadata(recording, bare)
    assert bare.has_probe() == recording.has_probe()


def bare_recording(n_channels=4):
    return NumpyRecording([np.zeros((3, n_channels), "i2")], 100.0)


def test_a_probe_of_older_versions(tmp_path):
    """Before 0.105 the probe was a property, and remarks on it an annotation."""
    recording = making.rich_recording((50,), 4, n_probes=2)
    write_metadata(recording, tmp_path, source=None)
    expected = recording.get_probegroup()
    # probe.json holds contacts in any order, wired or not.
    (tmp_path / "probegroup.json").unlink()
    found = bare_recording()
    read_metadata(found, tmp_path)
    assert found.get_probegroup().to_dict(True) == expected.to_dict(True)
    (tmp_path / "probe.json").unlink()
    info = [{"name": "first"}, {"name": "second", "serial": 5}]
    (tmp_path / "si_folder.json").write_text(
        json.dumps({"annotations": {"probes_info": info, "note": "old", "name": None}})
    )
    (tmp_path / "annotations.json").unlink()
    found = bare_recording()
    read_metadata(found, tmp_path)
    np.testing.assert_array_equal(found.get_channel_locations(), recording.get_channel_locations())
    assert [probe.annotations for probe in found.get_probes()] == info
    assert found.get_annotation("note") == "old"
    assert "probes_info" not in found.get_annotation_keys()
    assert not {"contact_vector", "location"} & set(found.get_property_keys())


def test_filtered_or_not_of_older_versions(tmp_path):
    (tmp_path / "si_folder.json").write_text(json.dumps({"annotations": {"is_filtered": True}}))
    found = bare_recording()
    read_metadata(found, tmp_path)
    assert found.is_filtered()


def test_positions_without_a_probe(tmp_path):
    recording = bare_recording()
    recording.set_channel_locations(np.arange(8.0).reshape(4, 2))
    for kind in ("binary", "zarr"):
        saved = recording.save(format=kind, folder=tmp_path / kind, progress_bar=False)
        assert not saved.has_probe()
        np.testing.assert_array_equal(
            saved.get_channel_locations(), recording.get_channel_locations()
        )


def test_a_folder_of_another_class(tmp_path):
    (tmp_path / "x.json").write_text('{"class": "a.Other", "kwargs": {}}')
    with pytest.raises(DataError, match=r"a\.Other"):
        read_folder_description(tmp_path, "x.json", "Mine")
