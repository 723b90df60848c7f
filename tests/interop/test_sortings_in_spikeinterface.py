"""Sortings that SpikeInterface's own readers read are the same here."""

import json
import subprocess

import numpy as np
import pytest

import spikeloom as si
from making.sorting_files import RATE, write_hdsort, write_mclust, write_phy

pytestmark = pytest.mark.peer

TELL = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface.extractors as se

answers = []
for name, path, kwargs in json.loads(sys.stdin.read()):
    sorting = getattr(se, name)(path, **kwargs)
    properties = {}
    for key in sorting.get_property_keys():
        values = np.asarray(sorting.get_property(key))
        if values.ndim == 1:
            properties[key] = ["" if str(v) == "nan" else v for v in values.tolist()]
    answers.append({
        "ids": sorting.unit_ids.tolist(),
        "rate": sorting.sampling_frequency,
        "trains": {str(u): np.asarray(sorting.get_unit_spike_train(u)).astype(int).tolist()
                   for u in sorting.unit_ids},
        "properties": properties,
    })
print(json.dumps(answers))
"""


def _ask(peer_python, questions):
    asked = [[name, str(path), kwargs] for name, path, kwargs in questions]
    done = subprocess.run(
        [peer_python, "-c", TELL],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _check(answer, sorting, *, left_out=()):
    assert sorting.sampling_frequency == answer["rate"]
    ids = sorting.unit_ids.tolist()
    assert sorted(map(str, ids)) == sorted(map(str, answer["ids"]))
    for unit in ids:
        assert sorting.get_unit_spike_train(unit).tolist() == answer["trains"][str(unit)]
    order = [list(map(str, answer["ids"])).index(str(unit)) for unit in ids]
    for key, values in answer["properties"].items():
        if key in left_out:
            continue
        ours = sorting.get_property(key)
        assert ours is not None, key
        told = ["" if str(value) == "nan" else value for value in ours.tolist()]
        assert told == [values[k] for k in order], key


def test_made_up_files(peer_python, tmp_path):
    tables = {
        "group": {1: "good", 3: "noise", 12: "mua"},
        "KSLabel": {1: "good", 3: "mua", 12: "good"},
        "ContamPct": {1: 0.5, 3: 100.0, 12: 1.5},
    }
    phy = write_phy(tmp_path / "phy", **tables)
    hdsort = write_hdsort(tmp_path / "hd.mat", version="5")
    mclust = write_mclust(tmp_path / "mclust")
    questions = [
        ("read_phy", phy, {}),
        ("read_phy", phy, {"exclude_cluster_groups": ["noise"]}),
        ("read_kilosort", phy, {"keep_good_only": True}),
        ("read_hdsort", hdsort, {}),
        ("read_mclust", mclust, {"sampling_frequency": RATE}),
    ]
    for (name, path, kwargs), answer in zip(questions, _ask(peer_python, questions), strict=True):
        _check(answer, getattr(si, name)(path, **kwargs))


def test_real_folders_of_phy(peer_python, data_folder):
    names = ("ks_bme410_partial", "locust1_si_tdc2/phy", "axona_tt8_dev/phy")
    questions = [("read_phy", data_folder / name, {}) for name in names]
    for (_, path, _), answer in zip(questions, _ask(peer_python, questions), strict=True):
        _check(answer, si.read_phy(path))


def test_clusters_that_no_table_names_are_kept_here_and_dropped_there(peer_python, data_folder):
    path = data_folder / "phy_template_phydata"
    (answer,) = _ask(peer_python, [("read_phy", path, {})])
    sorting = si.read_phy(path)
    assert sorting.get_num_units() == 62
    assert set(answer["ids"]) < set(sorting.unit_ids.tolist())


def test_what_we_write_is_read_there(peer_python, tmp_path):
    sorting = si.NumpySorting.from_unit_dict({7: [3, 90], 2: [], 40: [5]}, 30_000.0)
    sorting.set_property("quality", ["good", "mua", "noise"])
    sorting.set_property("group", [0, 1, 1])
    sorting.set_property("snr", [1.5, 2.5, np.nan])
    si.write_phy_sorting(sorting, tmp_path / "phy")
    (answer,) = _ask(peer_python, [("read_phy", tmp_path / "phy", {})])
    _check(answer, si.read_phy(tmp_path / "phy"))
    assert answer["properties"]["quality"] == ["mua", "good", "noise"]
    assert answer["trains"] == {"2": [], "7": [3, 90], "40": [5]}
