import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st
from probeinterface import generate_linear_probe

from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.core.snippet_views import ChannelSliceSnippets, SelectSegmentSnippets
from spikeloom.core.snippets import BaseSnippets
from spikeloom.errors import ParameterError

RATE = 30_000.0


def make_snippets(n_channels=4, counts=(7, 3), dtype=np.int16):
    """Return snippets of several segments, and their arrays."""
    rng = np.random.default_rng(0)
    waves = [rng.integers(-99, 99, (n, 12, n_channels)).astype(dtype) for n in counts]
    frames = [np.sort(rng.integers(0, 1000, n)) for n in counts]
    ids = [f"ch{k}" for k in range(n_channels)]
    return NumpySnippets(waves, frames, RATE, nbefore=5, channel_ids=ids), waves, frames


def test_what_is_known_of_snippets():
    snippets, waves, frames = make_snippets()
    assert isinstance(snippets, BaseSnippets)
    assert snippets.channel_ids.tolist() == ["ch0", "ch1", "ch2", "ch3"]
    assert (snippets.nbefore, snippets.nafter, snippets.snippet_len) == (5, 7, 12)
    assert snippets.is_aligned()
    assert snippets.get_num_snippets(segment_index=1) == 3
    assert snippets.get_total_snippets() == 10
    assert snippets.get_dtype() == np.int16
    np.testing.assert_array_equal(snippets.get_frames(segment_index=1), frames[1])
    np.testing.assert_array_equal(snippets.get_snippets(segment_index=0), waves[0])
    np.testing.assert_array_equal(snippets.get_times(segment_index=1), frames[1] / RATE)
    loose = NumpySnippets(waves[0], frames[0], RATE)
    assert loose.nafter is None
    assert not loose.is_aligned()
    assert loose.channel_ids.tolist() == [0, 1, 2, 3]


INDICES = st.one_of(
    st.none(),
    st.lists(st.integers(-7, 6), max_size=9),
    st.lists(st.booleans(), min_size=7, max_size=7),
    st.slices(7),
)
CHANNELS = st.one_of(
    st.none(),
    st.permutations(range(4)).flatmap(
        lambda order: st.integers(0, 4).map(lambda n: list(order[:n]))
    ),
)


@given(INDICES, CHANNELS)
def test_any_snippets_on_any_channels_equal_those_of_the_array(indices, channels):
    snippets, waves, frames = make_snippets()
    expected, expected_frames = waves[0], frames[0]
    if indices is not None:
        picked = (
            indices if isinstance(indices, slice) else np.array(indices, None if indices else int)
        )
        expected, expected_frames = expected[picked], expected_frames[picked]
    ids = None if channels is None else [f"ch{c}" for c in channels]
    if channels is not None:
        expected = expected[:, :, channels]
    found = snippets.get_snippets(indices, 0, ids)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(snippets.get_frames(indices, 0), expected_frames)


@given(
    st.lists(st.integers(0, 40), max_size=20),
    st.booleans(),
    st.none() | st.integers(0, 41),
    st.none() | st.integers(0, 41),
)
def test_a_stretch_of_frames_equals_a_loop(frames, is_sorted, start, end):
    frames = np.array(sorted(frames) if is_sorted else frames, np.int64)
    waves = np.arange(len(frames) * 3 * 2).reshape(len(frames), 3, 2)
    snippets = NumpySnippets([waves[:0], waves], [frames[:0], frames], RATE)
    inside = [
        k
        for k, frame in enumerate(frames)
        if (start is None or frame >= start) and (end is None or frame < end)
    ]
    found = snippets.get_snippets_from_frames(1, start, end, channel_ids=[1])
    np.testing.assert_array_equal(found, waves[inside][:, :, [1]])
    assert len(snippets.get_snippets_from_frames(0, start, end)) == 0


def test_microvolts_need_gains():
    snippets, waves, _ = make_snippets()
    with pytest.raises(ParameterError, match="set_channel_gains"):
        snippets.get_snippets(segment_index=0, return_in_uV=True)
    snippets.set_channel_gains([1.0, 2.0, 3.0, 4.0])
    snippets.set_channel_offsets(10.0)
    found = snippets.get_snippets([1], 0, ["ch3", "ch1"], return_scaled=True)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, waves[0][[1]][:, :, [3, 1]] * np.float32([4, 2]) + 10)
    window = snippets.get_snippets_from_frames(1, channel_ids=["ch2"], return_in_uV=True)
    np.testing.assert_allclose(window, waves[1][:, :, [2]] * 3.0 + 10)
    floats = make_snippets(dtype=np.float32)[0]
    assert floats.get_snippets(segment_index=0, return_in_uV=True).dtype == np.float32


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (3, r"Write \[3\]"),
        ([7], "there are 7 snippets"),
        ([-8], "there are 7 snippets"),
        ([0.5], "whole numbers"),
        ([True], "for each of the 7"),
        ([[1, 2]], "shape"),
    ],
)
def test_indices_that_make_no_sense_are_refused(indices, message):
    snippets = make_snippets()[0]
    with pytest.raises(ParameterError, match=message):
        snippets.get_snippets(indices, 0)
    with pytest.raises(ParameterError, match=message):
        snippets.get_frames(indices, 0)


def test_segments_and_channels_must_be_known():
    snippets = make_snippets()[0]
    with pytest.raises(ParameterError, match="Provide 'segment_index'"):
        snippets.get_snippets()
    with pytest.raises(ParameterError, match="Unknown channel id"):
        snippets.get_snippets(segment_index=0, channel_ids=["nose"])
    with pytest.raises(ParameterError, match="no segment 2"):
        snippets.get_num_snippets(2)


def test_arrays_that_do_not_go_together_are_refused():
    waves, frames = np.zeros((3, 8, 2)), np.arange(3)
    with pytest.raises(ParameterError, match=r"shape \(n_snippets"):
        NumpySnippets([waves[0]], [frames], RATE)
    with pytest.raises(ParameterError, match="same shape and type"):
        NumpySnippets([waves, waves[:, :5]], [frames, frames], RATE)
    with pytest.raises(ParameterError, match="A frame is needed for each"):
        NumpySnippets([waves], [frames[:2]], RATE)
    with pytest.raises(ParameterError, match="whole numbers"):
        NumpySnippets(waves, frames + 0.5, RATE)
    with pytest.raises(ParameterError, match="3 channel ids"):
        NumpySnippets(waves, frames, RATE, channel_ids=[1, 2, 3])
    with pytest.raises(ParameterError, match="nbefore"):
        NumpySnippets(waves, frames, RATE, nbefore=9)
    assert NumpySnippets(waves, frames + 0.0, RATE).get_frames().dtype == np.int64


@given(st.permutations(range(6)), st.integers(0, 6), st.data())
def test_channels_of_channels_are_those_of_the_array(order, n, data):
    snippets, waves, frames = make_snippets(6)
    first = list(order[:n])
    view = snippets.select_channels([f"ch{c}" for c in first])
    second = data.draw(st.permutations(first)) if first else []
    second = second[: data.draw(st.integers(0, len(second)))]
    inner = view.select_channels([f"ch{c}" for c in second])
    for one, channels in ((view, first), (inner, second)):
        assert isinstance(one, ChannelSliceSnippets)
        assert (one.nbefore, one.snippet_len) == (5, 12)
        np.testing.assert_array_equal(one.get_snippets([1, 0], 1), waves[1][[1, 0]][:, :, channels])
        np.testing.assert_array_equal(one.get_frames(segment_index=0), frames[0])
        if channels:
            last = f"ch{channels[-1]}"
            np.testing.assert_array_equal(
                one.get_snippets(segment_index=0, channel_ids=[last]),
                waves[0][:, :, [channels[-1]]],
            )


def with_probe():
    snippets, waves, frames = make_snippets()
    probe = generate_linear_probe(4, ypitch=20)
    probe.set_device_channel_indices([3, 2, 1, 0])
    snippets.set_probe(probe, in_place=True)
    snippets.set_channel_gains([1.0, 2.0, 3.0, 4.0])
    snippets.set_channel_offsets(0.0)
    snippets.set_property("quality", ["a", "b", "c", "d"])
    snippets.annotate(session="x")
    return snippets, waves, frames


def test_views_keep_what_is_known_of_their_channels():
    snippets, waves, _ = with_probe()
    view = snippets.select_channels(["ch2", "ch0"]).rename_channels([20, 0])
    assert view.channel_ids.tolist() == [20, 0]
    assert view.get_channel_gains().tolist() == [3.0, 1.0]
    assert view.get_property("quality").tolist() == ["c", "a"]
    assert view.get_channel_locations()[:, 1].tolist() == [20.0, 60.0]
    assert view.get_annotation("session") == "x"
    np.testing.assert_array_equal(
        view.get_snippets(segment_index=0, channel_ids=[0]), waves[0][:, :, [0]]
    )
    assert snippets.remove_channels(["ch0"]).channel_ids.tolist() == ["ch1", "ch2", "ch3"]
    sliced = snippets.channel_slice(["ch1"], renamed_channel_ids=["one"])
    assert sliced.channel_ids.tolist() == ["one"]
    with pytest.raises(ParameterError, match="more than once"):
        snippets.select_channels(["ch0", "ch0"])
    with pytest.raises(ParameterError, match="One new id"):
        snippets.rename_channels([1, 2])


def test_segments_are_views_in_the_order_given():
    snippets, waves, frames = with_probe()
    view = snippets.select_segments([1, 0])
    assert isinstance(view, SelectSegmentSnippets)
    np.testing.assert_array_equal(view.get_snippets(segment_index=0), waves[1])
    np.testing.assert_array_equal(view.get_frames(segment_index=1), frames[0])
    assert view.has_probe()
    only = snippets.select_segments(1)
    np.testing.assert_array_equal(only.get_snippets(channel_ids=["ch2"]), waves[1][:, :, [2]])
    np.testing.assert_array_equal(only.get_snippets_from_frames(end_frame=10**6), waves[1])
    assert snippets.segments[1].parent_extractor is snippets


@pytest.mark.parametrize("view", [False, True])
@pytest.mark.parametrize("copy", ["clone", "pickle", "memory"])
def test_copies_have_everything(copy, view):
    snippets = with_probe()[0]
    if view:
        snippets = snippets.select_channels(["ch3", "ch1"]).select_segments([1])
    made = {
        "clone": snippets.clone,
        "pickle": lambda: pickle.loads(pickle.dumps(snippets)),
        "memory": lambda: snippets.save(format="memory"),
    }[copy]()
    assert made.channel_ids.tolist() == snippets.channel_ids.tolist()
    assert made.nbefore == 5
    for k in range(snippets.get_num_segments()):
        np.testing.assert_array_equal(
            made.get_snippets(segment_index=k), snippets.get_snippets(segment_index=k)
        )
        np.testing.assert_array_equal(
            made.get_frames(segment_index=k), snippets.get_frames(segment_index=k)
        )
    np.testing.assert_array_equal(made.get_channel_locations(), snippets.get_channel_locations())
    assert made.get_property("quality").tolist() == snippets.get_property("quality").tolist()
    assert made.get_annotation("session") == "x"
    assert not made.check_if_json_serializable()


def test_an_unknown_format_or_option_is_refused():
    snippets = make_snippets()[0]
    with pytest.raises(ParameterError, match="snippets can be saved as npy, memory"):
        snippets.save(format="zarr")
    with pytest.raises(ParameterError, match="no option n_job"):
        snippets.save(format="memory", n_job=2)
    assert snippets.save(format="memory", n_jobs=2, dtype="f4").dtype == np.float32
