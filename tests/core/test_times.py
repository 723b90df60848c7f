from itertools import pairwise

import numpy as np
import pytest
import zarr
from hypothesis import given, strategies as st

from spikeloom.core.times import (
    GivenTimes,
    PiecewiseTimes,
    RegularTimes,
    are_increasing,
    are_same,
    given_times,
    is_set,
    joined,
)
from spikeloom.errors import ParameterError

RATE = 8.0  # a power of two: its times are exact


@st.composite
def placed_times(draw, start=0.0):
    """Return increasing times of some samples from `start`, and the same as an array."""
    n_samples = draw(st.integers(0, 8))
    if draw(st.booleans()):
        return RegularTimes(RATE, start), start + np.arange(n_samples) / RATE
    steps = draw(st.lists(st.integers(1, 9), min_size=n_samples, max_size=n_samples))
    vector = start + np.cumsum(np.array(steps, np.float64)) / 4
    return GivenTimes(as_kind(vector, draw(st.sampled_from(["array", "zarr"])))), vector


def as_kind(vector, kind):
    if kind == "array":
        return vector
    array = zarr.create_array({}, shape=vector.shape, dtype="f8", chunks=(3,))
    array[:] = vector
    return array


@st.composite
def many_times(draw):
    pieces, vectors, start = [], [], float(draw(st.integers(-5, 5)))
    for _ in range(draw(st.integers(1, 4))):
        times, vector = draw(placed_times(start))
        pieces.append(times)
        vectors.append(vector)
        start += 100
    counts = [len(vector) for vector in vectors]
    return joined(pieces, counts), np.concatenate(vectors)


def check(times, vector):
    n_samples = len(vector)
    frames = np.arange(n_samples)
    np.testing.assert_array_equal(times.between(0, n_samples), vector)
    np.testing.assert_array_equal(times.of_frames(frames), vector)
    np.testing.assert_array_equal(times.of_frames(frames[::-1]), vector[::-1])
    np.testing.assert_array_equal(times.frames_at(vector), frames)
    for frame in frames[:3]:
        assert float(times.of_frames(frame)) == vector[frame]
        assert int(times.frames_at(vector[frame])) == frame


@given(st.data())
def test_pieces_slices_and_shifts_equal_an_array(data):
    times, vector = data.draw(many_times())
    check(times, vector)
    for _ in range(3):
        start = data.draw(st.integers(0, len(vector)))
        end = data.draw(st.integers(start, len(vector)))
        shift = float(data.draw(st.integers(-3, 3)))
        np.testing.assert_array_equal(times.between(start, end), vector[start:end])
        times, vector = times.sliced(start, end).shifted(shift), vector[start:end] + shift
        check(times, vector)


@given(st.lists(placed_times(), min_size=1, max_size=4))
def test_order_of_pieces(drawn):
    counts = [len(vector) for _, vector in drawn]
    filled = [vector for _, vector in drawn if len(vector)]
    expected = all(a[-1] < b[0] for a, b in pairwise(filled))
    assert are_increasing([times for times, _ in drawn], counts) == expected


def test_a_pause_belongs_to_the_sample_before_it():
    times = joined([RegularTimes(RATE, 0.0), RegularTimes(RATE, 10.0)], [4, 4])
    assert times.frames_at([0.0, 0.375, 5.0, 9.99, 10.0, 10.5]).tolist() == [0, 3, 3, 3, 4, 8]
    assert int(times.frames_at(-1.0)) == -8


def test_pieces_of_pieces_lie_flat_and_empty_ones_are_left_out():
    inner = joined([RegularTimes(RATE, 0.0), RegularTimes(RATE, 5.0)], [2, 2])
    outer = joined([inner, GivenTimes(np.zeros(0)), RegularTimes(RATE, 9.0)], [4, 0, 1])
    assert isinstance(outer, PiecewiseTimes)
    assert outer.n_samples == (2, 2, 1)
    assert joined([GivenTimes(np.zeros(0)), inner], [0, 4]) is inner


def test_a_stretch_without_samples_remembers_when_it_was():
    times = joined([RegularTimes(RATE, 0.0), RegularTimes(RATE, 5.0)], [2, 2])
    assert float(times.sliced(3, 3).of_frames(0)) == 5.125
    assert float(RegularTimes(RATE).sliced(4, 4).of_frames(0)) == 0.5


def test_who_set_times():
    unset = RegularTimes(RATE)
    assert not is_set(unset)
    assert is_set(RegularTimes(RATE, 0.0))
    assert is_set(GivenTimes(np.zeros(1)))
    assert is_set(unset.sliced(1, 2))
    assert is_set(unset.shifted(1.0))
    assert not is_set(PiecewiseTimes((unset, unset), (1, 1)))


def test_same_times():
    vector = np.arange(4) / RATE
    alike = [RegularTimes(RATE), RegularTimes(RATE, 0.0), GivenTimes(vector)]
    for times in alike:
        assert all(are_same(times, others, 4) for others in alike)
        for others in (RegularTimes(RATE, 1.0), RegularTimes(4.0), GivenTimes(vector + 1)):
            assert not are_same(times, others, 4)


def test_shifting_leaves_the_given_array_as_it_is():
    vector = np.arange(3.0)
    GivenTimes(vector).shifted(5.0)
    assert vector.tolist() == [0, 1, 2]


def test_a_slice_of_an_array_is_a_view_and_one_of_a_file_reads_nothing():
    vector = np.arange(10.0)
    assert np.shares_memory(GivenTimes(vector).sliced(2, 5).vector, vector)

    class Counted:
        shape = (10,)
        dtype = np.dtype("f8")
        n_reads = 0

        def __getitem__(self, key):
            self.n_reads += 1
            return vector[key]

    on_disk = Counted()
    stretch = GivenTimes(on_disk).sliced(2, 8).sliced(1, 5).vector
    assert on_disk.n_reads == 0
    assert stretch.shape == (4,)
    assert stretch[0] == 3
    assert stretch[-1] == 6
    assert stretch[1:3].tolist() == [4, 5]
    assert np.asarray(stretch).tolist() == [3, 4, 5, 6]
    with pytest.raises(IndexError):
        stretch[4]


def test_given_times_are_one_for_each_sample():
    vector = np.arange(3.0)
    assert given_times(vector, 3).vector is vector
    assert given_times([0, 1, 2], 3).vector.dtype == np.float64
    assert given_times(np.arange(3, dtype=np.float32), 3).vector.dtype == np.float64
    for wrong in (np.zeros(2), np.zeros((3, 1)), 5.0):
        with pytest.raises(ParameterError, match="one value for each of the 3 samples"):
            given_times(wrong, 3)
