import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.interpolate import RegularGridInterpolator

from spikeloom.core.loading import load
from spikeloom.core.motion import Motion, ensure_time_bin_edges
from spikeloom.errors import DataError, MissingFileError, ParameterError, WriteError
from spikeloom.storage.provenance_json import decode_json, encode_json


def make_motion(seed=0, *, n_segments=2, n_times=6, n_depths=3, **options):
    rng = np.random.default_rng(seed)
    times_s = [np.cumsum(rng.uniform(0.5, 2, n_times)) for _ in range(n_segments)]
    displacement = [rng.normal(0, 20, (n_times, n_depths)) for _ in range(n_segments)]
    return Motion(displacement, times_s, np.cumsum(rng.uniform(10, 90, n_depths)), **options)


def test_one_array_is_one_segment():
    motion = Motion(np.zeros((4, 1)), np.arange(4.0), np.array([10.0]))
    assert (motion.num_segments, motion.dim) == (1, 1)
    assert repr(motion) == "Motion rigid - interval 1.0s - 1 segments"
    assert "non-rigid - 3 spatial bins" in repr(make_motion())


@pytest.mark.parametrize("method", ["linear", "nearest", "slinear"])
@given(st.integers(2, 6), st.integers(2, 5), st.integers(0, 99))
def test_between_the_bins_it_is_interpolated(method, n_times, n_depths, seed):
    motion = make_motion(seed, n_times=n_times, n_depths=n_depths, interpolation_method=method)
    rng = np.random.default_rng(seed)
    times_s, depths_um = motion.temporal_bins_s[1], motion.spatial_bins_um
    at_s, at_um = rng.uniform(-2, 15, 30), rng.uniform(-50, 500, 30)
    at_s[:2], at_um[1:3] = times_s[:2], depths_um[0]
    expected = RegularGridInterpolator(
        (times_s, depths_um),
        motion.displacement[1],
        method="linear" if method == "slinear" else method,
    )
    inside = (np.clip(at_s, times_s[0], times_s[-1]), np.clip(at_um, depths_um[0], depths_um[-1]))
    ours = motion.get_displacement_at_time_and_depth(at_s, at_um, segment_index=1)
    np.testing.assert_allclose(ours, expected(np.column_stack(inside)), atol=1e-9)
    grid = motion.get_displacement_at_time_and_depth(at_s, at_um, segment_index=1, grid=True)
    assert grid.shape == (30, 30)
    np.testing.assert_allclose(np.diag(grid), ours)
    at_xy = np.column_stack([np.zeros(30), at_um])
    np.testing.assert_array_equal(
        motion.get_displacement_at_time_and_depth(at_s, at_xy, segment_index=1), ours
    )


def test_single_bins_are_the_same_everywhere():
    motion = Motion(np.array([[4.0]]), np.array([1.0]), np.array([10.0]))
    found = motion.get_displacement_at_time_and_depth([0.0, 9.0], [0.0, 99.0])
    np.testing.assert_array_equal(found, [4, 4])
    assert motion.get_displacement_at_time_and_depth([], []).shape == (0,)
    assert "nan" in repr(motion)


@given(st.integers(0, 3), st.integers(1, 5), st.integers(1, 3))
def test_dictionaries_and_text(n_segments, n_times, n_depths):
    motion = make_motion(n_segments=n_segments, n_times=n_times, n_depths=n_depths, direction="x")
    assert Motion.from_dict(motion.to_dict()) == motion
    assert load(decode_json(encode_json(motion.to_dict()), "motion")) == motion


def test_folders(tmp_path):
    motion = make_motion(direction="z", interpolation_method="nearest")
    motion.save(tmp_path / "motion")
    for again in (Motion.load(tmp_path / "motion"), load(tmp_path / "motion")):
        assert again == motion
        assert again.interpolation_method == "nearest"
    with pytest.raises(FileExistsError):
        motion.save(tmp_path / "motion")
    other = make_motion(1, n_segments=1)
    other.save(tmp_path / "motion", overwrite=True)
    assert load(tmp_path / "motion") == other
    assert not (tmp_path / "motion" / "displacement_seg1.npy").exists()


def test_other_folders_are_neither_read_nor_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(MissingFileError, match="does not contain a Motion"):
        Motion.load(tmp_path)
    with pytest.raises(WriteError):
        make_motion().save(tmp_path, overwrite=True)
    (tmp_path / "spikeinterface_info.json").write_text('{"object": "SortingAnalyzer"}')
    with pytest.raises(DataError, match="but a SortingAnalyzer"):
        Motion.load(tmp_path)
    with pytest.raises(WriteError):
        make_motion().save(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").exists()


def test_copies_share_nothing():
    motion = make_motion()
    copy = motion.copy()
    assert copy == motion
    copy.displacement[0][0, 0] += 100
    assert copy != motion


def test_motions_differ_in_anything():
    motion = make_motion()
    assert motion != make_motion(1)
    assert motion != make_motion(n_segments=1)
    assert motion != make_motion(direction="x")
    assert motion != make_motion(n_depths=2)
    assert motion != "motion"


def test_boundaries():
    motion = Motion([np.array([[1.0, -3.0]]), np.array([[7.0, 0.0]])], [[0.0], [0.0]], [0.0, 1.0])
    assert motion.get_boundaries() == (-3.0, 7.0)
    assert Motion([], [], np.zeros(1)).get_boundaries() == (0.0, 0.0)


def test_edges():
    motion = Motion(np.zeros((2, 1)), np.array([1.0, 3.0]), np.zeros(1))
    np.testing.assert_array_equal(motion.temporal_bin_edges_s[0], [1, 2, 3])
    np.testing.assert_array_equal(ensure_time_bin_edges([5.0]), [5, 5])


@pytest.mark.parametrize(
    "given_",
    [
        (np.zeros((4, 2)), np.arange(4.0), np.zeros(1)),
        (np.zeros((4, 1)), np.arange(3.0), np.zeros(1)),
        ([np.zeros((4, 1))], [np.arange(4.0)] * 2, np.zeros(1)),
        ([np.zeros(4)], [np.arange(4.0)], np.zeros(1)),
        (np.zeros((4, 1)), np.arange(4.0), np.zeros(1), "w"),
    ],
)
def test_what_does_not_fit_is_refused(given_):
    with pytest.raises(ParameterError):
        Motion(*given_)


def test_what_cannot_be_looked_up_is_refused():
    motion = make_motion()
    with pytest.raises(ParameterError, match="segment_index="):
        motion.get_displacement_at_time_and_depth([0.0], [0.0])
    with pytest.raises(ParameterError, match="do not fit"):
        motion.get_displacement_at_time_and_depth([0.0, 1.0], [0.0], segment_index=0)
