"""Recordings and sortings with everything that can be known of them, and a thorough comparison."""

import numpy as np
from hypothesis import strategies as st
from probeinterface import ProbeGroup, generate_linear_probe

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.recording import BaseRecording

RATE = 30_000.0

DTYPES = ("int16", "uint8", ">i4", "float32", "float64")

ANNOTATIONS = {
    "note": "größer",
    "count": 3,
    "ratio": 0.1,
    "nested": {"list": [1, 2.5, None, "x"], "truth": True},
}


def all_properties(n):
    """Properties of all kinds that files can hold, for `n` ids."""
    objects = np.empty(n, object)
    objects[:] = [[1, "two", None, {"k": 0.5}][k % 4] for k in range(n)]
    records = np.zeros(n, [("x", "f4"), ("label", "U5"), ("pair", "i2", (2,))])
    records["x"] = np.arange(n) / 3
    records["label"] = [f"r{k}" for k in range(n)]
    return {
        "quality": np.array([f"good{k}" for k in range(n)], dtype="U8"),
        "bytes": np.array([b"abc"] * n, dtype="S3"),
        "is_bad": np.arange(n) % 2 == 0,
        "depth": np.linspace(-1, 1, n) if n else np.zeros(0),
        "small": np.arange(n, dtype="u1"),
        "matrix": np.arange(n * 6, dtype="f4").reshape(n, 2, 3),
        "when": np.arange(n).astype("M8[s]"),
        "phase": np.exp(1j * np.arange(n)),
        "missing": np.full(n, np.nan, "f4"),
        "records": records,
        "free": objects,
        "a/b: c?": np.arange(n),
        "50%2F": np.arange(n),
        "~41": np.arange(n),
        ".hidden": np.arange(n),
    }


def some_probes(n_channels, n_probes=1, rng=None):
    """Probes wired to `n_channels` channels in a mixed-up order."""
    order = np.arange(n_channels) if rng is None else rng.permutation(n_channels)
    group = ProbeGroup()
    for k, part in enumerate(np.array_split(order, n_probes)):
        probe = generate_linear_probe(len(part), ypitch=20)
        probe.move([k * 500.0, 0.0])
        probe.set_shank_ids([str(i % 2) for i in range(len(part))])
        probe.annotate(name=f"probe{k}", manufacturer="home")
        probe.set_device_channel_indices(part)
        group.add_probe(probe)
    return group


def rich_recording(
    lengths=(400, 0, 37), n_channels=5, *, dtype="int16", n_probes=1, times="some", seed=0
):
    """A recording in memory with properties, annotations, gains, probe and times."""
    rng = np.random.default_rng(seed)
    traces = [
        rng.normal(0, 40, (n, n_channels)).clip(0 if dtype == "uint8" else -99, 99).astype(dtype)
        for n in lengths
    ]
    ids = [f"ch{k}" for k in range(n_channels)] if seed % 2 == 0 else np.arange(n_channels) + 10
    starts = None if times == "none" else [10.0 * k for k in range(len(lengths))]
    recording = NumpyRecording(
        traces, RATE, t_starts=starts, channel_ids=np.array(ids, "U4" if seed % 2 == 0 else "i8")
    )
    if times == "some" and len(lengths) > 1:
        k = len(lengths) - 1
        recording.set_times(99 + np.cumsum(rng.uniform(1e-5, 4e-5, lengths[k])), segment_index=k)
    for key, values in all_properties(n_channels).items():
        recording.set_property(key, values)
    recording.set_channel_gains(rng.uniform(0.1, 2, n_channels))
    recording.set_channel_offsets(rng.uniform(-5, 5, n_channels))
    recording.annotate(is_filtered=True, **ANNOTATIONS)
    if n_probes and n_channels:
        recording.set_probegroup(some_probes(n_channels, n_probes, rng), group_mode="by_shank")
    return recording


def rich_sorting(n_spikes=(50, 0, 7), n_units=4, *, seed=0):
    """A sorting in memory with properties and annotations, and an empty segment."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"u{k}" for k in range(n_units)], "U3") if seed % 2 == 0 else np.arange(n_units)
    samples = [np.sort(rng.integers(0, 5000, n if n_units else 0)) for n in n_spikes]
    labels = [ids[rng.integers(0, n_units, len(s))] if n_units else ids[:0] for s in samples]
    sorting = NumpySorting.from_samples_and_labels(samples, labels, RATE, unit_ids=ids)
    for key, values in all_properties(n_units).items():
        sorting.set_property(key, values)
    sorting.annotate(**ANNOTATIONS)
    return sorting


@st.composite
def rich_recordings(draw):
    """Recordings of few to no samples and channels, with all kinds of times and probes."""
    n_channels = draw(st.integers(0, 5))
    return rich_recording(
        draw(st.lists(st.integers(0, 60), min_size=1, max_size=3)),
        n_channels,
        dtype=draw(st.sampled_from(DTYPES)),
        n_probes=draw(st.integers(0, min(2, n_channels))),
        times=draw(st.sampled_from(["none", "starts", "some"])),
        seed=draw(st.integers(0, 99)),
    )


@st.composite
def rich_sortings(draw):
    """Sortings of few to no units and spikes."""
    return rich_sorting(
        draw(st.lists(st.integers(0, 30), min_size=1, max_size=3)),
        draw(st.integers(0, 4)),
        seed=draw(st.integers(0, 99)),
    )


def check_metadata(one, other):
    """Check that properties and annotations are the same, with their types."""
    assert set(one.get_property_keys()) == set(other.get_property_keys())
    for key in one.get_property_keys():
        mine, theirs = one.get_property(key), other.get_property(key)
        assert mine.dtype == theirs.dtype, key
        np.testing.assert_array_equal(mine, theirs, key)
    annotations = {key: one.get_annotation(key) for key in one.get_annotation_keys()}
    assert annotations == {key: other.get_annotation(key) for key in other.get_annotation_keys()}


def check_ids(one, other):
    """Check that ids are the same; the width of text, and the kind of none, may get lost."""
    assert one.tolist() == other.tolist()
    assert one.dtype.kind == other.dtype.kind or not one.size


def check_recordings(one, other, *, has_metadata=True):
    """Check that two recordings are the same in everything, to the last bit."""
    assert isinstance(other, BaseRecording)
    check_ids(one.channel_ids, other.channel_ids)
    assert one.sampling_frequency == other.sampling_frequency
    assert one.dtype.newbyteorder("=") == other.dtype.newbyteorder("=")  # which zarr 3 forgets
    assert one.get_num_segments() == other.get_num_segments()
    for k in range(one.get_num_segments()):
        assert one.get_shape(k) == other.get_shape(k)
        traces = other.get_traces(k)
        assert traces.dtype == other.dtype
        np.testing.assert_array_equal(one.get_traces(k), traces)
        n = one.get_num_samples(k)
        ids = other.channel_ids[::-2]
        np.testing.assert_array_equal(
            one.get_traces(k, n // 3, n // 2, ids), other.get_traces(k, n // 3, n // 2, ids)
        )
        assert one.has_time_vector(k) == other.has_time_vector(k)
        np.testing.assert_array_equal(one.get_times(k), other.get_times(k))
        np.testing.assert_array_equal(
            one.get_times(k, n // 3, n // 2), other.get_times(k, n // 3, n // 2)
        )
    assert one.has_probe() == other.has_probe()
    if one.has_probe():
        mine, theirs = one.get_probegroup(), other.get_probegroup()
        assert mine.to_dict(array_as_list=True) == theirs.to_dict(array_as_list=True)
        np.testing.assert_array_equal(one.get_channel_locations(), other.get_channel_locations())
    if has_metadata:
        check_metadata(one, other)


def check_sortings(one, other):
    """Check that two sortings are the same in everything."""
    check_ids(one.unit_ids, other.unit_ids)
    assert one.sampling_frequency == other.sampling_frequency
    assert one.get_num_segments() == other.get_num_segments()
    np.testing.assert_array_equal(one.to_spike_vector(), other.to_spike_vector())
    for k in range(one.get_num_segments()):
        for unit_id in one.unit_ids:
            np.testing.assert_array_equal(
                one.get_unit_spike_train(unit_id, k), other.get_unit_spike_train(unit_id, k)
            )
    check_metadata(one, other)
