import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.random_chunks import get_random_data_chunks, get_random_sample_slices
from spikeloom.errors import ParameterError


def make_recording(*lengths):
    traces = [np.arange(2 * n, dtype=np.int16).reshape(n, 2) for n in lengths]
    recording = NumpyRecording(traces, 1000.0)
    recording.set_channel_gains(0.5)
    recording.set_channel_offsets(1.0)
    return recording


@given(
    st.lists(st.integers(20, 300), min_size=1, max_size=3),
    st.integers(0, 6),
    st.integers(1, 10),
    st.integers(0, 5),
)
def test_pieces_lie_between_the_margins(lengths, n_pieces, size, margin):
    slices = get_random_sample_slices(
        make_recording(*lengths),
        num_chunks_per_segment=n_pieces,
        chunk_size=size,
        margin_frames=margin,
        seed=4,
    )
    assert [k for k, _, _ in slices] == np.repeat(range(len(lengths)), n_pieces).tolist()
    assert slices == sorted(slices)
    assert all(margin <= a and b - a == size and b <= lengths[k] - margin for k, a, b in slices)


def test_a_seed_always_gives_the_same():
    recording = make_recording(5000)
    options = {"chunk_duration": "20ms", "num_chunks_per_segment": 5}
    first = get_random_sample_slices(recording, seed=1, **options)
    assert first == get_random_sample_slices(recording, seed=1, **options)
    assert first != get_random_sample_slices(recording, seed=2, **options)
    assert {b - a for _, a, b in first} == {20}


def test_too_short_segments_shorten_the_pieces():
    with pytest.warns(UserWarning, match="shortened to 79 samples: segment 1 has only 80"):
        slices = get_random_sample_slices(
            make_recording(500, 100), chunk_size=200, margin_frames=10, seed=0
        )
    assert {b - a for _, a, b in slices} == {79}
    with pytest.warns(UserWarning, match="shortened to 1 samples"):
        assert get_random_sample_slices(make_recording(1), seed=0)[0] == (0, 0, 1)


def test_segments_within_the_margins_give_nothing():
    slices = get_random_sample_slices(
        make_recording(0, 500, 20), chunk_size=10, margin_frames=10, seed=0
    )
    assert {k for k, _, _ in slices} == {1}
    with pytest.raises(ParameterError, match="No segment has samples between"):
        get_random_sample_slices(make_recording(20), chunk_size=10, margin_frames=10)
    with pytest.raises(ParameterError, match="No segment"):
        get_random_sample_slices(make_recording(0))


@pytest.mark.parametrize(
    "options",
    [
        {"method": "regular"},
        {"chunk_size": 0},
        {"chunk_duration": None},
        {"num_chunks_per_segment": -1},
        {"margin_frames": -1},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ParameterError):
        get_random_sample_slices(make_recording(100), **options)


def test_both_spellings_and_orders_of_arguments_mean_the_same():
    recording = make_recording(5000)
    named = get_random_data_chunks(
        recording, return_in_uV=True, num_chunks_per_segment=3, chunk_size=10, seed=9
    )
    assert named.dtype == np.float32
    assert named.shape == (30, 2)
    for positional in (
        (True, 3, 10, True, 9),
        (True, True, 3, "1s", 10, 0, 9),
    ):
        np.testing.assert_array_equal(get_random_data_chunks(recording, *positional), named)
    spelled = get_random_data_chunks(
        recording, return_scaled=True, num_chunks_per_segment=3, chunk_size=10, seed=9
    )
    np.testing.assert_array_equal(spelled, named)
    pieces = get_random_data_chunks(recording, True, 3, 10, False, 9)
    assert [piece.shape for piece in pieces] == [(10, 2)] * 3
    np.testing.assert_array_equal(np.concatenate(pieces), named)
    with pytest.raises(ParameterError, match="chunk_size is given twice"):
        get_random_data_chunks(recording, True, 3, 10, chunk_size=10)
    with pytest.raises(ParameterError, match="too many"):
        get_random_data_chunks(recording, True, 3, 10, True, 0, 0, 0)


def test_no_pieces_are_an_empty_array():
    recording = make_recording(500)
    assert get_random_data_chunks(recording, num_chunks_per_segment=0).shape == (0, 2)
    none = recording.select_channels([])
    assert get_random_data_chunks(none, chunk_size=10, num_chunks_per_segment=2).shape == (20, 0)
