"""What extensions hold comes back from folders and zarr stores, with its types."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from making.analyzers import Numbers, Table, make_saved_analyzer, register
from making.crashes import die_at_each_line
from spikeloom.analyzer import extension_folders, folder_store, zarr_store
from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.analyzer.stores import MemoryStore
from spikeloom.errors import ParameterError
from spikeloom.storage import staged_saves

ON_DISK = ["binary_folder", "zarr"]


@pytest.fixture(autouse=True)
def known_extensions(monkeypatch):
    register(monkeypatch)


@pytest.fixture(params=ON_DISK)
def saved(request, tmp_path):
    return make_saved_analyzer(tmp_path, request.param)


@pytest.mark.parametrize("lazy", [False, True])
def test_everything_comes_back(saved, lazy):
    saved.compute(["numbers", "table", "remarks"])
    loaded = load_sorting_analyzer(saved.folder, lazy=lazy)
    for name in ("numbers", "table", "remarks"):
        old, new = saved.get_extension(name), loaded.get_extension(name)
        assert new.params == old.params
        assert new.run_info == old.run_info
        assert sorted(new.data) == sorted(old.data)
    numbers = loaded.get_extension("numbers").data
    assert numbers["values"].tolist() == [0.5, 1.5, 2.5]
    assert numbers["records"].dtype.names == ("x", "y")
    if lazy and saved.format == "binary_folder":
        assert not numbers["values"].flags.writeable
    table = saved.get_extension("table").data["table"]
    pd.testing.assert_frame_equal(loaded.get_extension("table").data["table"], table)
    remarks = loaded.get_extension("remarks").data
    assert remarks["remarks"]["text"] == "hello"
    assert np.isnan(remarks["remarks"]["nan"])
    assert remarks["listed"] == ["p", "q"]
    assert remarks["one"] == 5


def test_no_pickle_is_written_and_what_is_no_value_is_left_out(saved):
    saved.compute("numbers")
    extension = saved.get_extension("numbers")
    extension.data["model"] = Numbers
    with pytest.warns(UserWarning, match="'model' of the extension 'numbers' is not saved"):
        extension.save()
    assert "model" not in load_sorting_analyzer(saved.folder).get_extension("numbers").data
    assert not [path for path in saved.folder.rglob("*") if path.suffix in {".pkl", ".pickle"}]


def test_names_that_are_taken_are_refused(saved):
    saved.compute("numbers")
    extension = saved.get_extension("numbers")
    extension.set_data("params", {"a": 1})
    with pytest.raises(ParameterError, match="params"):
        extension.save()
    assert "params" not in load_sorting_analyzer(saved.folder).get_extension("numbers").data


def test_names_with_slashes_are_fine(saved):
    saved.compute("numbers")
    extension = saved.get_extension("numbers")
    extension.data["a/b"] = np.arange(2)
    extension.save()
    data = load_sorting_analyzer(saved.folder).get_extension("numbers").data
    assert data["a/b"].tolist() == [0, 1]


def test_pickles_are_not_read(tmp_path):
    analyzer = make_saved_analyzer(tmp_path)
    analyzer.compute("numbers")
    (analyzer.folder / "extensions" / "numbers" / "model.pkl").write_bytes(b"cos\nsystem\n.")
    with pytest.warns(UserWarning, match="never read"):
        loaded = load_sorting_analyzer(analyzer.folder)
    assert sorted(loaded.get_extension("numbers").data) == ["records", "values"]


def test_properties_of_units_are_saved(saved):
    saved.set_sorting_property("score", [1.0, 2.0, 3.0])
    saved.set_sorting_property("unsaved", [1, 2, 3], save=False)
    loaded = load_sorting_analyzer(saved.folder)
    assert loaded.get_sorting_property("score").tolist() == [1.0, 2.0, 3.0]
    assert loaded.get_sorting_property("score", ids=["01", "a"]).tolist() == [3.0, 1.0]
    assert loaded.get_sorting_property("unsaved") is None
    saved.set_sorting_property("score", None)
    assert load_sorting_analyzer(saved.folder).get_sorting_property("score") is None


def test_read_only_analyzers_refuse(saved):
    saved.compute("numbers")
    loaded = load_sorting_analyzer(saved.folder, read_only=True)
    assert loaded.is_read_only()
    for refused in (
        lambda: loaded.compute("numbers"),
        lambda: loaded.delete_extension("numbers"),
        lambda: loaded.get_extension("numbers").save(),
        lambda: loaded.set_sorting_property("score", [1, 2, 3]),
    ):
        with pytest.raises(ParameterError, match="read-only"):
            refused()
    loaded.compute("numbers", offset=4.0, save=False)
    loaded.set_sorting_property("score", [1, 2, 3], save=False)
    copied = loaded.copy()
    assert not copied.is_read_only()
    assert copied.get_extension("numbers").data["values"][0] == 4.0


def test_deleting_and_resetting(saved):
    saved.compute(["numbers", "table"])
    saved.get_extension("table").delete()
    saved.delete_extension("table")
    assert saved.get_saved_extension_names() == ["numbers"]
    saved.get_extension("numbers").reset()
    assert load_sorting_analyzer(saved.folder).get_saved_extension_names() == []


def test_an_analyzer_at_a_url(tmp_path):
    made = make_saved_analyzer(tmp_path)
    url = f"memory://{tmp_path.name}/analyzer"
    analyzer = create_sorting_analyzer(
        made.sorting, made.recording, "zarr", url, progress_bar=False
    )
    analyzer.compute(["numbers", "table", "remarks"])
    analyzer.compute("numbers", offset=2.0)
    analyzer.compute("table")
    loaded = load_sorting_analyzer(f"{url}.zarr")
    assert loaded.has_recording()
    assert loaded.get_saved_extension_names() == ["numbers", "table"]
    table = analyzer.get_extension("table").data["table"]
    pd.testing.assert_frame_equal(loaded.get_extension("table").data["table"], table)
    loaded.delete_extension("table")
    assert load_sorting_analyzer(f"{url}.zarr").get_saved_extension_names() == ["numbers"]


def test_metadata_are_gathered_anew(tmp_path):
    analyzer = make_saved_analyzer(tmp_path, "zarr")
    analyzer.compute(["numbers", "table"])
    analyzer.set_sorting_property("score", [1.0, 2.0, 3.0])
    analyzer.delete_extension("table")
    gathered = json.loads((analyzer.folder / ".zmetadata").read_text())["metadata"]
    found = {
        str(path.relative_to(analyzer.folder))
        for path in analyzer.folder.rglob(".z*")
        if path.name != ".zmetadata"
    }
    assert set(gathered) == found


def test_the_store_in_memory_keeps_nothing():
    store = MemoryStore()
    assert store.extension_names() == []
    assert store.create_array(None, "x", (2, 3), "int16").shape == (2, 3)
    assert store.read_sorting_source() is None


def test_ids_of_units_keep_their_type(tmp_path):
    made = make_saved_analyzer(tmp_path)
    for k, ids in enumerate(([10, 2, 7], ["010", "2", "7"])):
        sorting = made.sorting.rename_units(ids)
        for format in ON_DISK:
            analyzer = create_sorting_analyzer(
                sorting, made.recording, format, tmp_path / f"{format}{k}", progress_bar=False
            )
            analyzer.compute(["numbers", "table"])
            loaded = load_sorting_analyzer(analyzer.folder)
            assert loaded.unit_ids.tolist() == ids
            assert loaded.get_extension("table").data["table"].index.tolist() == ids


def test_a_changed_table_wins_over_the_noted_types(tmp_path):
    analyzer = make_saved_analyzer(tmp_path)
    analyzer.compute(["numbers", "table"])
    path = analyzer.folder / "extensions" / "table" / "table.csv"
    path.write_text(path.read_text().replace(",0,", ",many,", 1))
    table = load_sorting_analyzer(analyzer.folder).get_extension("table").data["table"]
    assert table["count"].tolist()[0] == "many"
    assert Table.extension_name in load_sorting_analyzer(analyzer.folder).extensions


@pytest.mark.skipif(os.name == "nt", reason="forks")
@pytest.mark.parametrize("format", ON_DISK)
def test_dying_at_any_line_leaves_the_old_or_the_new(format, tmp_path):
    analyzer = make_saved_analyzer(tmp_path, format)
    analyzer.compute({"numbers": {"offset": 0.0}, "table": {}})
    folder = analyzer.folder
    seen = set()

    def work():
        fresh = load_sorting_analyzer(folder)
        value = fresh.get_extension("numbers").data["values"][0]
        fresh.compute("numbers", offset=value + 1)

    def check(_):
        loaded = load_sorting_analyzer(folder)
        numbers = loaded.get_extension("numbers")
        assert numbers.data["values"][0] == numbers.params["offset"]
        if loaded.has_extension("table"):
            table = loaded.get_extension("table").data["table"]
            assert table["z_value"].iloc[0] == numbers.data["values"][0] / 3
        else:
            loaded.compute("table")
            seen.add("without table")
        seen.add(numbers.params["offset"])

    modules = [staged_saves, extension_folders, folder_store, zarr_store]
    n_deaths = die_at_each_line(work, [one.__file__ for one in modules], check, step=7)
    assert n_deaths > 10
    assert len(seen) > 2
    assert not (folder / ".saving").exists()
