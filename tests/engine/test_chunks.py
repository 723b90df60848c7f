from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.chunk_sources import ArraySource
from spikeloom.engine.chunks import (
    Chunk,
    bytes_per_sample,
    checked_chunks,
    divide_recording_into_chunks,
    divide_segment_into_chunks,
    divide_time_series_into_chunks,
    ensure_chunk_size,
    margins_of,
    plan_chunks,
)
from spikeloom.engine.options import JobOptions
from spikeloom.errors import ParameterError

lengths = st.lists(st.integers(0, 300), min_size=0, max_size=4)


@given(lengths, st.integers(1, 400) | st.none())
def test_chunks_cover_every_segment_exactly_and_in_order(n_samples, chunk_size):
    source = ArraySource(n_samples, 1)
    chunks = divide_time_series_into_chunks(source, chunk_size)
    covered = [(c.segment_index, k) for c in chunks for k in range(c.start_sample, c.end_sample)]
    assert covered == [(s, k) for s, n in enumerate(n_samples) for k in range(n)]
    assert all(0 < c.n_samples <= (chunk_size or 300) for c in chunks)
    for first, second in pairwise(chunks):
        if first.segment_index == second.segment_index:
            assert first.n_samples == chunk_size
    assert divide_recording_into_chunks(source, chunk_size) == chunks


@pytest.mark.parametrize(("num_frames", "chunk_size"), [(-1, 5), (5, 0), (5, -3)])
def test_what_cannot_be_divided_is_refused(num_frames, chunk_size):
    with pytest.raises(ParameterError, match="cannot be divided"):
        divide_segment_into_chunks(num_frames, chunk_size)


def test_a_chunk_is_a_plain_tuple_to_those_who_expect_one():
    assert Chunk(0, 5, 9) == (0, 5, 9)
    assert str(Chunk(1, 5, 9)) == "segment 1, samples 5 to 9"


def test_chosen_slices_of_any_integers_become_chunks():
    chosen = [(0, 5, 10), np.array([2, 0, 377]), [0, 7, 7]]
    assert checked_chunks(ArraySource(), chosen) == [(0, 5, 10), (2, 0, 377), (0, 7, 7)]


@pytest.mark.parametrize(
    "wrong", [(3, 0, 1), (-1, 0, 1), (0, -1, 5), (0, 5, 4), (0, 0, 1001), (0, 5), 7, ("a", 0, 1)]
)
def test_slices_outside_the_source_are_refused(wrong):
    with pytest.raises(ParameterError, match=r"segment|samples|slice"):
        checked_chunks(ArraySource(), [(0, 0, 5), wrong])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"chunk_size": 7, "chunk_memory": "1M"}, 7),
        ({"chunk_memory": 1800, "total_memory": 10}, 100),
        ({"total_memory": 3600, "chunk_duration": "1s", "n_jobs": 4}, 50),
        ({"chunk_duration": "500ms"}, 500),
        ({"chunk_duration": 0.25}, 250),
        ({"chunk_duration": 2}, 2000),
        ({"chunk_duration": "1us"}, 1),
        ({"chunk_memory": "1B"}, 1),
        ({}, 1000),
    ],
)
def test_the_size_of_a_chunk_is_what_the_first_option_says(options, expected):
    assert ensure_chunk_size(ArraySource(), **options) == expected


def test_durations_are_rounded_to_samples_and_not_cut():
    # 0.29 * 100 is a hair below 29.
    assert ensure_chunk_size(ArraySource(sampling_frequency=100.0), chunk_duration=0.29) == 29


def test_several_workers_need_a_size():
    with pytest.raises(ParameterError, match="n_jobs=2 needs"):
        ensure_chunk_size(ArraySource(), n_jobs=2)


def test_nothing_to_do_has_a_size_too():
    assert ensure_chunk_size(ArraySource([])) == 1
    assert plan_chunks(ArraySource([0]), JobOptions()) == []


def test_memory_counts_the_copies_that_the_work_makes():
    source = ArraySource(n_channels=10)  # 20 bytes as stored, 40 bytes in float32
    assert bytes_per_sample(source, 0) == 20
    assert bytes_per_sample(source) == 60
    assert bytes_per_sample(source, 2) == 100
    assert ensure_chunk_size(source, chunk_memory=6000) == 100
    assert ensure_chunk_size(source, chunk_memory=6000, n_copies=2) == 60
    assert ensure_chunk_size(source, chunk_memory=6000, sample_bytes=600) == 10


def test_a_source_without_sizes_asks_for_samples_or_seconds():
    class Plain:
        sampling_frequency = 10.0

    assert ensure_chunk_size(Plain(), chunk_duration=2) == 20
    with pytest.raises(ParameterError, match=r"Plain.*chunk_duration"):
        ensure_chunk_size(Plain(), chunk_memory="1M")


@given(st.integers(1, 60), st.integers(0, 50), st.integers(1, 40))
def test_margins_are_what_padding_the_segment_would_give(n_samples, margin, chunk_size):
    segment = np.arange(n_samples)
    padded = np.pad(segment, margin, constant_values=-1)
    for start, end in divide_segment_into_chunks(n_samples, chunk_size):
        margins = margins_of(Chunk(0, start, end), margin, n_samples)
        read = segment[margins.start_sample : margins.end_sample]
        assert read[margins.inner].tolist() == segment[start:end].tolist()
        missing = (margins.n_missing_before, margins.n_missing_after)
        expected = padded[start : end + 2 * margin]
        assert np.pad(read, missing, constant_values=-1).tolist() == expected.tolist()
