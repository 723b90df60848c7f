import json

import numpy as np
import pytest
import zarr

from making import rich_objects as making
from spikeloom.core.loading import load
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.zarr_sorting import ZarrSortingExtractor, read_zarr_sorting
from spikeloom.errors import DataError, SpikeloomError
from spikeloom.storage.zarr_opening import open_zarr


def test_many_spikes_in_several_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("spikeloom.core.zarr_sorting._N_SPIKES_PER_CHUNK", 100)
    sorting = making.rich_sorting((950, 0, 33))
    sorting.save(format="zarr", folder=tmp_path / "x")
    saved = read_zarr_sorting(tmp_path / "x.zarr")
    making.check_sortings(sorting, saved)
    spikes = open_zarr(tmp_path / "x.zarr").group("spikes")
    expected = sorting.to_spike_vector()["sample_index"][::100]
    assert spikes.read_array("sample_index_chunk_firsts").tolist() == expected.tolist()
    assert spikes.read_array("segment_slices").tolist() == [[0, 950], [950, 950], [950, 983]]


def test_in_a_group(tmp_path):
    sorting = making.rich_sorting()
    sorting.save(format="zarr", folder=tmp_path / "x")
    (tmp_path / "outer.zarr").mkdir()
    (tmp_path / "outer.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    (tmp_path / "x.zarr").rename(tmp_path / "outer.zarr" / "sorting")
    found = ZarrSortingExtractor(tmp_path / "outer.zarr", zarr_group="sorting")
    making.check_sortings(sorting, found)
    making.check_sortings(sorting, load(found.to_dict()))
    with pytest.raises(DataError, match="holds no sorting"):
        ZarrSortingExtractor(tmp_path / "outer.zarr")


def test_start_times_stay(tmp_path):
    recording = making.rich_recording((400, 60), 2, times="starts")
    sorting = NumpySorting.from_unit_dict([{"a": [3]}, {"a": [5]}], making.RATE)
    sorting.register_recording(recording)
    for kind in ("zarr", "numpy_folder", "npz_folder"):
        saved = load(sorting.save(format=kind, folder=tmp_path / kind)._kwargs["folder_path"])
        assert saved.get_unit_spike_train("a", 1, return_times=True).tolist() == [
            10.0 + 5 / making.RATE
        ]


def test_damaged_spikes(tmp_path):
    sorting = making.rich_sorting((20,))
    for name, values in (("sample_index", np.arange(20)[::-1]), ("unit_index", np.full(20, 9))):
        sorting.save(format="zarr", folder=tmp_path / name)
        group = zarr.open_group(tmp_path / f"{name}.zarr", mode="r+")
        group[f"spikes/{name}"][:] = values
        found = load(tmp_path / f"{name}.zarr")
        with pytest.raises(DataError):
            found.to_spike_vector()
    sorting.save(format="zarr", folder=tmp_path / "gone")
    (tmp_path / "gone.zarr" / "spikes" / "sample_index" / ".zarray").unlink()
    with pytest.raises(SpikeloomError):
        load(tmp_path / "gone.zarr").to_spike_vector()


def test_attributes(tmp_path):
    sorting = making.rich_sorting()
    sorting.save(folder=tmp_path / "source")
    load(tmp_path / "source").save(format="zarr", folder=tmp_path / "x")
    attributes = json.loads((tmp_path / "x.zarr" / ".zattrs").read_bytes())
    assert attributes["num_segments"] == 3
    assert attributes["zarr_class_info"]["module"] == "spikeinterface"
    making.check_sortings(sorting, load(attributes["provenance"]))
