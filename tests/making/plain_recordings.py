"""Recordings beside the plain arrays that they should be equal to, and chains of views of both."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from spikeloom.core.binary import BinaryRecordingExtractor
from spikeloom.core.channel_aggregation import aggregate_channels
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.segments import append_recordings, concatenate_recordings

RATE = 8.0  # a power of two: its times are exact


@dataclass(frozen=True)
class PlainSegment:
    traces: np.ndarray
    times: np.ndarray
    is_set: bool


@dataclass(frozen=True)
class Plain:
    ids: list
    segments: list

    def columns(self, positions, ids):
        cut = [replace(s, traces=s.traces[:, positions]) for s in self.segments]
        return Plain(list(ids), cut)


def plain_segment(rng, n_samples, n_channels, kind):
    traces = rng.integers(-1000, 1000, (n_samples, n_channels)).astype(np.int16)
    counted = np.arange(n_samples) / RATE
    if kind == "unset":
        return PlainSegment(traces, counted, False)
    start = float(rng.integers(0, 8))
    if kind == "start":
        return PlainSegment(traces, counted + start, True)
    return PlainSegment(traces, start + np.cumsum(rng.integers(1, 4, n_samples)) / RATE, True)


@st.composite
def bases(draw, n_segments_max=3):
    """A plain recording, and how its times are said."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n_channels = draw(st.integers(1, 4))
    kinds = draw(
        st.lists(st.sampled_from(["unset", "start", "vector"]), min_size=1, max_size=n_segments_max)
    )
    lengths = [draw(st.integers(0, 9)) for _ in kinds]
    segments = [plain_segment(rng, n, n_channels, k) for n, k in zip(lengths, kinds, strict=True)]
    ids = draw(st.sampled_from([list(range(n_channels)), [f"ch{k}" for k in range(n_channels)]]))
    return Plain(ids, segments), kinds


def in_memory(plain, kinds):
    """Return the recording of arrays that a plain one describes."""
    starts = [
        float(s.times[0]) if kind == "start" and s.times.size else None
        for s, kind in zip(plain.segments, kinds, strict=True)
    ]
    recording = NumpyRecording(
        [s.traces for s in plain.segments], RATE, t_starts=starts, channel_ids=plain.ids
    )
    set_vectors(recording, plain, kinds)
    return recording


def set_vectors(recording, plain, kinds):
    for k, (s, kind) in enumerate(zip(plain.segments, kinds, strict=True)):
        if kind == "vector" or (kind == "start" and not s.times.size):
            recording.set_times(s.times, segment_index=k)


def in_files(plain, kinds, folder):
    """Return the recording in flat files that a plain one describes."""
    paths = [folder / f"segment{k}.raw" for k in range(len(plain.segments))]
    for path, s in zip(paths, plain.segments, strict=True):
        s.traces.tofile(path)
    starts = [
        float(s.times[0]) if kind == "start" and s.times.size else None
        for s, kind in zip(plain.segments, kinds, strict=True)
    ]
    recording = BinaryRecordingExtractor(
        paths, RATE, "int16", num_channels=len(plain.ids), t_starts=starts, channel_ids=plain.ids
    )
    set_vectors(recording, plain, kinds)
    return recording


def selected(draw, recording, plain):
    positions = draw(st.permutations(range(len(plain.ids))))
    positions = positions[: draw(st.integers(0, len(positions)))]
    ids = [plain.ids[k] for k in positions]
    return recording.select_channels(ids), plain.columns(positions, ids)


def renamed(draw, recording, plain):
    ids = [f"new{k}" for k in draw(st.permutations(range(len(plain.ids))))]
    return recording.rename_channels(ids), replace(plain, ids=ids)


def sliced(draw, recording, plain):
    if len(plain.segments) != 1:
        return recording, plain
    (s,) = plain.segments
    start = draw(st.integers(0, len(s.times)))
    end = draw(st.integers(start, len(s.times)))
    part = PlainSegment(s.traces[start:end], s.times[start:end], True)
    return recording.frame_slice(start, end), replace(plain, segments=[part])


def aggregated(draw, recording, plain):
    parts = [selected(draw, recording, plain) for _ in range(draw(st.integers(1, 3)))]
    n_channels = sum(len(p.ids) for _, p in parts)
    ids = list(range(10, 10 + n_channels))
    whole = aggregate_channels([r for r, _ in parts], renamed_channel_ids=ids)
    segments = [
        replace(s, traces=np.concatenate([p.segments[k].traces for _, p in parts], axis=1))
        for k, s in enumerate(plain.segments)
    ]
    return whole, Plain(ids, segments)


def appended(draw, recording, plain):
    if len(plain.segments) > 6:
        return recording, plain
    n_times = draw(st.integers(1, 2))
    return append_recordings([recording] * n_times), replace(
        plain, segments=plain.segments * n_times
    )


def concatenated(draw, recording, plain):
    ignore_times = draw(st.sampled_from([None, True, "if_needed"]))
    if not plain.segments:
        return recording, plain
    traces = np.concatenate([s.traces for s in plain.segments])
    filled = [s for s in plain.segments if len(s.times)]
    is_kept = (
        ignore_times is not True
        and bool(filled)
        and all(s.is_set for s in filled)
        and all(a.times[-1] < b.times[0] for a, b in pairwise(filled))
    )
    times = np.concatenate([s.times for s in filled]) if is_kept else np.arange(len(traces)) / RATE
    whole = PlainSegment(traces, times, is_kept)
    return concatenate_recordings([recording], ignore_times), replace(plain, segments=[whole])


def chosen(draw, recording, plain):
    indices = draw(st.lists(st.integers(0, 10), max_size=4)) if plain.segments else []
    indices = [k % len(plain.segments) for k in indices]
    return recording.select_segments(indices), replace(
        plain, segments=[plain.segments[k] for k in indices]
    )


def doubled(draw, recording, plain):
    segments = [replace(s, traces=s.traces + s.traces) for s in plain.segments]
    return recording + recording, replace(plain, segments=segments)


STEPS = [selected, renamed, sliced, aggregated, appended, concatenated, chosen, doubled]


def chained(draw, recording, plain, n_steps_max=5):
    """Return views of views of a recording, and the arrays that they should show."""
    for step in draw(st.lists(st.sampled_from(STEPS), max_size=n_steps_max)):
        recording, plain = step(draw, recording, plain)
    return recording, plain


def check_same(recording, plain):
    """Check everything that a recording says against plain arrays."""
    assert recording.channel_ids.tolist() == plain.ids
    assert recording.get_num_segments() == len(plain.segments)
    for k, s in enumerate(plain.segments):
        assert recording.get_num_samples(k) == len(s.times)
        traces = recording.get_traces(k)
        assert traces.shape == s.traces.shape
        assert traces.dtype == s.traces.dtype
        np.testing.assert_array_equal(traces, s.traces)
        np.testing.assert_array_equal(recording.get_times(k), s.times)


def check_windows(draw, recording, plain):
    """Check windows of some channels in any order, and times of windows, both ways."""
    for k, s in enumerate(plain.segments):
        n_samples = len(s.times)
        start = draw(st.integers(0, n_samples))
        end = draw(st.integers(start, n_samples + 2))
        positions = draw(st.permutations(range(len(plain.ids))))
        positions = positions[: draw(st.integers(0, len(positions)))]
        traces = recording.get_traces(k, start, end, [plain.ids[p] for p in positions])
        np.testing.assert_array_equal(traces, s.traces[start:end][:, positions])
        np.testing.assert_array_equal(recording.get_times(k, start, end), s.times[start:end])
        frames = np.arange(n_samples)
        np.testing.assert_array_equal(recording.sample_index_to_time(frames, k), s.times)
        np.testing.assert_array_equal(recording.time_to_sample_index(s.times, k), frames)
