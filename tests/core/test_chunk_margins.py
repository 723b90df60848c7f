import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.chunk_margins import get_chunk_with_margin
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.errors import ParameterError


def segment_of(n_samples):
    traces = np.arange(1, 2 * n_samples + 1, dtype=np.int16).reshape(n_samples, 2)
    return NumpyRecording([traces], 1000.0).segments[0], traces


frames = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)


@given(st.integers(1, 30), frames, st.integers(0, 12))
def test_margins_are_as_wide_as_there_is_data(n_samples, frames, margin):
    start, end = (min(frame, n_samples) for frame in frames)
    segment, traces = segment_of(n_samples)
    piece, left, right = get_chunk_with_margin(segment, start, end, None, margin)
    assert (left, right) == (min(margin, start), min(margin, n_samples - end))
    np.testing.assert_array_equal(piece, traces[start - left : end + right])
    np.testing.assert_array_equal(piece[left : len(piece) - right], traces[start:end])


@given(st.integers(1, 30), frames, st.integers(0, 12), st.booleans())
def test_padding_makes_margins_whole(n_samples, frames, margin, is_mirrored):
    start, end = (min(frame, n_samples) for frame in frames)
    segment, traces = segment_of(n_samples)
    kind = "add_reflect_padding" if is_mirrored else "add_zeros"
    piece, left, right = get_chunk_with_margin(segment, start, end, [1], margin, **{kind: True})
    assert (left, right, len(piece)) == (margin, margin, end - start + 2 * margin)
    inside = np.arange(start - margin, end + margin)
    is_inside = (inside >= 0) & (inside < n_samples)
    np.testing.assert_array_equal(piece[is_inside, 0], traces[inside[is_inside], 1])
    if not is_mirrored:
        assert not piece[~is_inside].any()
    elif n_samples > 1:
        period = 2 * (n_samples - 1)
        mirrored = np.abs((inside + n_samples - 1) % period - (n_samples - 1))
        first, last = max(0, start - margin), min(n_samples, end + margin)
        if (first, last) == (0, n_samples):
            np.testing.assert_array_equal(piece[:, 0], traces[mirrored, 1])


def test_margins_fade():
    segment, _ = segment_of(30)
    options = {"add_zeros": True, "dtype": "float64"}
    plain, _, _ = get_chunk_with_margin(segment, 10, 20, None, 4, **options)
    faded, _, _ = get_chunk_with_margin(segment, 10, 20, None, 4, window_on_margin=True, **options)
    taper = np.array([0, 0.5 - np.sqrt(0.125), 0.5, 0.5 + np.sqrt(0.125)])[:, np.newaxis]
    np.testing.assert_allclose(faded[:4], plain[:4] * taper)
    np.testing.assert_allclose(faded[-4:], plain[-4:] * taper[::-1])
    np.testing.assert_array_equal(faded[4:-4], plain[4:-4])


def test_no_bounds_are_the_whole_segment():
    segment, traces = segment_of(9)
    piece, left, right = get_chunk_with_margin(segment, None, None, None, 4)
    assert (left, right) == (0, 0)
    np.testing.assert_array_equal(piece, traces)
    piece, left, right = get_chunk_with_margin(segment, None, None, slice(0, 1), 4, add_zeros=True)
    assert (left, right, piece.shape) == (4, 4, (17, 1))


def test_an_empty_segment_is_padded_with_zeros():
    segment, _ = segment_of(0)
    for kind in ("add_zeros", "add_reflect_padding"):
        piece, _, _ = get_chunk_with_margin(segment, None, None, None, 3, **{kind: True})
        np.testing.assert_array_equal(piece, np.zeros((6, 2)))


@pytest.mark.parametrize(
    ("frames", "margin", "options"),
    [
        ((0, 5), 2, {"window_on_margin": True}),
        ((0, 5), 2, {"add_zeros": True, "add_reflect_padding": True}),
        ((-1, 5), 2, {}),
        ((6, 5), 2, {}),
        ((0, 10), 2, {}),
        ((0, 5), -1, {}),
    ],
)
def test_what_cannot_be_is_refused(frames, margin, options):
    segment, _ = segment_of(9)
    with pytest.raises(ParameterError):
        get_chunk_with_margin(segment, *frames, None, margin, **options)
