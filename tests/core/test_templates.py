import json

import numpy as np
import pytest
import zarr
from hypothesis import given, strategies as st
from probeinterface import Probe

from spikeloom.core.loading import load
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.templates import Templates
from spikeloom.errors import DataError, ParameterError, WriteError


def make_probe(n_channels):
    if not n_channels:
        return None
    probe = Probe(ndim=2)
    places = [[0.0, 20.0 * k] for k in range(n_channels)]
    probe.set_contacts(np.array(places), shank_ids=["s"] * n_channels)
    probe.set_contact_ids([f"e{k}" for k in range(n_channels)])
    probe.set_device_channel_indices(np.arange(n_channels))
    probe.create_auto_shape()
    probe.annotate(name="a probe", remark=3)
    return probe


def make_templates(n_units=3, n_channels=4, *, is_sparse=False, seed=0, **options):
    rng = np.random.default_rng(seed)
    templates = Templates(
        rng.normal(0, 20, (n_units, 10, n_channels)).astype(np.float32),
        20000.0,
        4,
        unit_ids=[f"u{k}" for k in range(n_units)] or np.zeros(0, "U1"),
        channel_ids=[f"c{k}" for k in range(n_channels)] or np.zeros(0, "U1"),
        probe=make_probe(n_channels),
        **options,
    )
    return templates.to_sparse(rng.random((n_units, n_channels)) < 0.6) if is_sparse else templates


sizes = {"n_units": st.integers(0, 4), "n_channels": st.integers(0, 5), "is_sparse": st.booleans()}


def test_what_it_knows():
    templates = make_templates()
    assert (templates.num_units, templates.num_samples, templates.num_channels) == (3, 10, 4)
    assert (templates.nafter, templates.ms_before, templates.ms_after) == (6, 0.2, 0.3)
    assert not templates.are_templates_sparse()
    assert "Templates: 3 units - 10 samples - 4 channels" in repr(templates)
    np.testing.assert_array_equal(templates.get_channel_locations()[:, 1], [0, 20, 40, 60])
    assert Templates(np.zeros((2, 5, 3)), 1000.0, 2).unit_ids.tolist() == [0, 1]


@given(**sizes)
def test_sparse_and_dense_are_the_same(n_units, n_channels, is_sparse):
    templates = make_templates(n_units, n_channels)
    mask = np.random.default_rng(1).random((n_units, n_channels)) < 0.5
    sparse = templates.to_sparse(mask)
    assert sparse.num_channels == n_channels
    assert sparse.templates_array.shape[2] == mask.sum(axis=1).max(initial=0)
    masked = templates.templates_array * mask[:, np.newaxis]
    np.testing.assert_array_equal(sparse.get_dense_templates(), masked)
    dense = sparse.to_dense()
    assert dense.sparsity is None
    np.testing.assert_array_equal(dense.templates_array, masked)
    assert dense.to_sparse(sparse.sparsity) == sparse
    for k in range(n_units):
        np.testing.assert_array_equal(sparse.get_one_template_dense(k), masked[k])
    assert templates.to_dense() is templates


@given(**sizes, seed=st.integers(0, 99))
def test_parts(n_units, n_channels, is_sparse, seed):
    templates = make_templates(n_units, n_channels, is_sparse=is_sparse)
    rng = np.random.default_rng(seed)
    units = rng.permutation(n_units)[: rng.integers(0, n_units + 1)]
    channels = rng.permutation(n_channels)[: rng.integers(0, n_channels + 1)]
    part = templates.select_units(templates.unit_ids[units])
    part = part.select_channels(templates.channel_ids[channels])
    expected = templates.get_dense_templates()[units][:, :, channels]
    np.testing.assert_array_equal(part.get_dense_templates(), expected)
    assert part.are_templates_sparse() is is_sparse
    assert part.unit_ids.tolist() == [f"u{k}" for k in units]
    assert part.channel_ids.tolist() == [f"c{k}" for k in channels]
    if channels.size:
        np.testing.assert_array_equal(part.get_channel_locations()[:, 1], 20 * channels)
        assert part.probe.contact_ids.tolist() == [f"e{k}" for k in channels]


@given(**sizes)
def test_dictionaries_and_text(n_units, n_channels, is_sparse):
    templates = make_templates(n_units, n_channels, is_sparse=is_sparse)
    assert Templates.from_dict(templates.to_dict()) == templates
    assert load(templates.to_dict()) == templates
    text = templates.to_json()
    again = Templates.from_json(text)
    assert again.templates_array.shape == templates.templates_array.shape
    np.testing.assert_array_equal(again.templates_array, templates.templates_array)
    assert again.unit_ids.tolist() == templates.unit_ids.tolist()
    assert load(json.loads(text)).channel_ids.tolist() == templates.channel_ids.tolist()


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("n_units", [0, 3])
@pytest.mark.parametrize("n_channels", [0, 4])
def test_zarr_folders(tmp_path, n_units, n_channels, is_sparse):
    templates = make_templates(n_units, n_channels, is_sparse=is_sparse, is_in_uV=False)
    templates.to_zarr(tmp_path / "t.zarr")
    assert Templates.from_zarr(tmp_path / "t.zarr") == templates
    again = load(tmp_path / "t.zarr")
    assert again == templates
    assert again.templates_array.dtype == np.float32
    if n_channels:
        assert again.probe.annotations == templates.probe.annotations
        np.testing.assert_array_equal(
            again.probe.probe_planar_contour, templates.probe.probe_planar_contour
        )
    with pytest.raises(FileExistsError):
        templates.to_zarr(tmp_path / "t.zarr")
    other = make_templates(2, 2)
    other.to_zarr(tmp_path / "t.zarr", overwrite=True)
    assert load(tmp_path / "t.zarr") == other


def test_what_is_no_zarr_folder_is_not_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(WriteError):
        make_templates().to_zarr(tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"


def test_zarr_groups(tmp_path):
    templates = make_templates(is_sparse=True)
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    templates.add_templates_to_zarr_group(root.create_group("inner/templates"))
    stored = zarr.open_group(tmp_path / "a.zarr", mode="r")["inner/templates"]
    assert stored["templates_array"].chunks[0] == 1
    assert Templates.from_zarr_group(stored) == templates
    with pytest.raises(ParameterError, match="A group of a zarr folder is needed"):
        Templates.from_zarr_group(tmp_path)
    with pytest.raises(DataError, match="holds no templates"):
        Templates.from_zarr_group(root)


def test_older_files_have_another_name_for_microvolts(tmp_path):
    make_templates().to_zarr(tmp_path / "t.zarr")
    attributes = tmp_path / "t.zarr" / ".zattrs"
    kept = json.loads(attributes.read_text())
    del kept["is_in_uV"]
    attributes.write_text(json.dumps(kept))
    assert load(tmp_path / "t.zarr").is_in_uV is True
    attributes.write_text(json.dumps(kept | {"is_scaled": False}))
    assert load(tmp_path / "t.zarr").is_in_uV is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"templates_array": np.zeros((3, 10))}, "have the shape"),
        ({"unit_ids": ["a"]}, "3 units need an id each"),
        ({"channel_ids": ["a"]}, "4 channels need an id each"),
        ({"probe": make_probe(3)}, "3 contacts does not fit 4 channels"),
        ({"probe": "NP1"}, "probe must be a Probe"),
        ({"sparsity_mask": np.zeros((3, 4), bool)}, "templates are not sparse"),
        ({"sparsity_mask": np.zeros((2, 4), bool)}, "does not fit 3 units"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    given_ = {"templates_array": np.ones((3, 10, 4)), "sampling_frequency": 1e4, "nbefore": 4}
    with pytest.raises(ParameterError, match=message):
        Templates(**given_ | options)


def test_unknown_parts_are_refused():
    templates = make_templates()
    with pytest.raises(ParameterError, match="Unknown unit id"):
        templates.select_units(["u9"])
    with pytest.raises(ParameterError, match="Unknown channel id"):
        templates.select_channels(["c9"])
    with pytest.raises(ParameterError, match="sparse already"):
        make_templates(is_sparse=True).to_sparse(np.ones((3, 4), bool))
    with pytest.raises(ParameterError, match="no probe"):
        Templates(np.zeros((1, 2, 3)), 1e4, 1).get_channel_locations()
    with pytest.raises(ParameterError, match="outputs"):
        templates.get_main_channels(outputs="name")
    with pytest.raises(DataError, match="nbefore is missing"):
        Templates.from_dict({"templates_array": [], "sampling_frequency": 1.0})


def test_a_channel_that_cancels_out_is_seen():
    array = np.zeros((1, 4, 2))
    array[0, :2, 1] = 1, -1  # the sum of what should be padding is zero
    with pytest.raises(ParameterError, match="not sparse"):
        Templates(array, 1e4, 1, sparsity_mask=[[True, False]])


def test_main_channels():
    array = np.zeros((1, 4, 3))
    array[0, 1], array[0, 2] = (0, 5, -2), (-9, 0, 1)
    templates = Templates(array, 1e4, 1, unit_ids=["a"], channel_ids=["x", "y", "z"])
    assert templates.get_main_channels().tolist() == [0]
    assert templates.get_main_channels("neg", "at_index", "id").tolist() == ["z"]
    assert templates.get_main_channels("pos", outputs="id", with_dict=True) == {"a": "y"}
    sparse = templates.to_sparse(ChannelSparsity([[False, True, True]], ["a"], ["x", "y", "z"]))
    assert sparse.get_main_channels().tolist() == [1]


def test_templates_differ_in_anything():
    templates = make_templates()
    assert templates == make_templates()
    assert templates != make_templates(seed=1)
    assert templates != make_templates(is_in_uV=False)
    assert templates != make_templates(is_sparse=True)
    assert templates != "templates"
    assert templates != templates.select_units(["u1", "u0", "u2"])
