import json
import pickle
import subprocess

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.round_trips import digest, digest_in_another_process, through_json
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import ParameterError
from spikeloom.generation.generated_sortings import generate_sorting
from spikeloom.generation.mock_recordings import MockRecording
from spikeloom.generation.template_injection import InjectTemplatesRecording, inject_templates
from spikeloom.storage.provenance_json import encode_json

RATE = 1000.0
N_UNITS, N_TEMPLATE_SAMPLES, N_CHANNELS = 3, 12, 4


def make_templates(n_fractions=None, dtype=np.float32):
    shape = (N_UNITS, N_TEMPLATE_SAMPLES, N_CHANNELS)
    shape = shape if n_fractions is None else (*shape, n_fractions)
    return np.random.default_rng(1).normal(0, 30, shape).astype(dtype)


def make_sorting(**options):
    options = {"durations": [0.6, 0.3], "firing_rates": 60.0, "seed": 2, **options}
    return generate_sorting(N_UNITS, RATE, **options)


def make_parent(dtype=np.float32):
    stream = np.random.default_rng(3)
    traces = [stream.normal(0, 90, (n, N_CHANNELS)).astype(dtype) for n in (600, 300)]
    return NumpyRecording(traces, RATE, t_starts=[5.0, 7.0], channel_ids=["a", "b", "c", "d"])


def injected_by_hand(sorting, templates, nbefore, background, amplitudes=None, fractions=None):
    """Add templates to arrays one by one, as slowly and clearly as can be."""
    whole = [traces.copy() for traces in background]
    for k, spike in enumerate(sorting.to_spike_vector()):
        template = templates[spike["unit_index"]]
        if fractions is not None:
            template = template[..., fractions[k]]
        if amplitudes is not None:
            template = template * amplitudes[k]
        traces = whole[spike["segment_index"]]
        for t in range(len(template)):
            sample = spike["sample_index"] - nbefore + t
            if 0 <= sample < len(traces):
                traces[sample] += template[t].astype(traces.dtype)
    return whole


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "i4"])
@pytest.mark.parametrize("amplitude", [None, 0.7, "f4", "f8"])
@pytest.mark.parametrize("n_fractions", [None, 3])
def test_templates_are_added_at_spikes(dtype, amplitude, n_fractions):
    sorting, parent, templates = make_sorting(), make_parent(dtype), make_templates(n_fractions)
    n_spikes = sorting.to_spike_vector().size
    stream = np.random.default_rng(4)
    fractions = None if n_fractions is None else stream.integers(0, n_fractions, n_spikes)
    factors = amplitude
    if amplitude == 0.7:
        factors = np.full(n_spikes, 0.7, np.float32)
    elif amplitude is not None:
        amplitude = factors = stream.uniform(0.5, 1.5, n_spikes).astype(amplitude)
    recording = InjectTemplatesRecording(
        sorting, templates, 5, amplitude, parent, upsample_vector=fractions
    )
    background = [parent.get_traces(k) for k in range(2)]
    expected = injected_by_hand(sorting, templates, 5, background, factors, fractions)
    for k in range(2):
        traces = recording.get_traces(k)
        assert traces.dtype == parent.dtype
        np.testing.assert_array_equal(traces, expected[k])
    assert recording.channel_ids.tolist() == ["a", "b", "c", "d"]
    assert recording.get_start_time(1) == 7.0
    # Nothing was written into the recording beneath.
    np.testing.assert_array_equal(parent.get_traces(0), make_parent(dtype).get_traces(0))


@pytest.mark.parametrize("with_parent", [False, True])
@given(data=st.data())
def test_any_window_is_a_slice_of_the_whole(with_parent, data):
    parent = MockRecording(N_CHANNELS, RATE, [0.6, 0.3], seed=0) if with_parent else None
    recording = InjectTemplatesRecording(
        make_sorting(), make_templates(), parent_recording=parent, num_samples=None
    )
    segment = data.draw(st.integers(0, 1))
    whole = recording.get_traces(segment)
    start, end = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=2, max_size=2)))
    picked = data.draw(st.permutations(range(N_CHANNELS)))[: data.draw(st.integers(0, N_CHANNELS))]
    window = recording.get_traces(segment, start, end, channel_ids=recording.channel_ids[picked])
    np.testing.assert_array_equal(window, whole[start:end][:, picked])
    np.testing.assert_array_equal(recording.get_traces(segment, start, end), whole[start:end])
    neighbours = recording.get_traces(segment, start, end, channel_ids=recording.channel_ids[1:3])
    np.testing.assert_array_equal(neighbours, whole[start:end, 1:3])


def test_without_a_parent_segments_end_with_their_last_template():
    sorting = make_sorting()
    recording = inject_templates(sorting, make_templates(dtype="f8"), nbefore=2)
    ends = [part["sample_index"].max() for part in sorting.to_spike_vector(concatenated=False)]
    lengths = [recording.get_num_samples(k) for k in range(2)]
    assert lengths == [end + N_TEMPLATE_SAMPLES for end in ends]
    assert recording.dtype == np.float64
    shorter = inject_templates(sorting, make_templates(), num_samples=[100, 50])
    assert [shorter.get_num_samples(k) for k in range(2)] == [100, 50]


def test_the_largest_sample_is_put_on_the_spike():
    template = np.zeros((1, 9, 2), np.float32)
    template[0, 6, 1] = -7.0
    sorting = NumpySorting.from_unit_dict({"a": [50]}, RATE)
    traces = inject_templates(sorting, template, num_samples=100).get_traces()
    assert np.argwhere(traces).tolist() == [[50, 1]]


def test_units_without_spikes_and_no_spikes_at_all_are_fine():
    sorting = make_sorting(empty_units=[0, 1, 2])
    traces = inject_templates(sorting, make_templates(), num_samples=[20, 30]).get_traces(1)
    assert traces.shape == (30, N_CHANNELS)
    assert not traces.any()
    assert inject_templates(sorting, make_templates()).get_num_samples(0) == N_TEMPLATE_SAMPLES


@pytest.mark.parametrize("with_parent", [False, True])
def test_the_same_in_another_process(with_parent, tmp_path):
    parent = MockRecording(N_CHANNELS, RATE, [0.6, 0.3], seed=0) if with_parent else None
    sorting = make_sorting()
    n_spikes = sorting.to_spike_vector().size
    stream = np.random.default_rng(5)
    recording = InjectTemplatesRecording(
        sorting,
        make_templates(2),
        amplitude_factor=stream.uniform(0.5, 2, n_spikes).astype(np.float32),
        parent_recording=parent,
        upsample_vector=stream.integers(0, 2, n_spikes),
    )
    expected = digest(recording)
    assert recording.check_serializability("json")
    assert through_json(recording).dtype == np.float32
    assert digest_in_another_process(recording, tmp_path) == expected
    assert digest(pickle.loads(pickle.dumps(recording))) == expected
    assert digest(recording.clone()) == expected


def test_spikes_in_memory_cannot_be_described_in_json():
    recording = InjectTemplatesRecording(make_sorting().to_numpy_sorting(), make_templates())
    assert not recording.check_serializability("json")
    assert recording.check_serializability("memory")
    assert digest(pickle.loads(pickle.dumps(recording))) == digest(recording)


def test_borders_are_told_of():
    template = np.zeros((N_UNITS, 9, 2))
    template[:, 4] = 5.0
    InjectTemplatesRecording(make_sorting(), template, check_borders=True)
    template[0, 0, 1] = 1.0
    with pytest.warns(UserWarning, match="at their ends"):
        InjectTemplatesRecording(make_sorting(), template, check_borders=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"templates": np.zeros((2, 5, 4))}, "3 units"),
        ({"templates": np.zeros((3, 5))}, "shape"),
        ({"templates": np.zeros((3, 5, 4, 2))}, "upsample_vector"),
        ({"templates": np.zeros((3, 5, 4, 2)), "upsample_vector": [0, 1]}, "upsample_vector"),
        ({"amplitude_factor": [1.0, 2.0]}, "amplitude_factor"),
        ({"num_samples": [1, 2, 3]}, "num_samples"),
        ({"num_samples": 3}, "num_samples"),
        ({"parent_recording": MockRecording(5, RATE, [0.6, 0.3])}, "do not fit"),
        ({"parent_recording": MockRecording(4, RATE, [0.6])}, "do not fit"),
        ({"parent_recording": MockRecording(4, 2 * RATE, [0.6, 0.3])}, "do not fit"),
        (
            {"parent_recording": MockRecording(4, RATE, [0.6, 0.3]), "num_samples": [1, 2]},
            "leave num_samples out",
        ),
    ],
)
def test_what_does_not_fit_is_refused(options, said):
    options = {"templates": make_templates(), **options}
    with pytest.raises(ParameterError, match=said):
        InjectTemplatesRecording(make_sorting(), **options)


PEER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface as si
from spikeinterface.core.generate import InjectTemplatesRecording

given = json.load(open(sys.argv[1]))
sorting = si.NumpySorting.from_samples_and_labels(
    given["samples"], given["labels"], 1000.0, unit_ids=np.arange(3)
)
answers = []
for dtype in ("float32", "int16"):
    parent = si.NumpyRecording([np.array(t, dtype) for t in given["parent"]], 1000.0)
    for fractions in (None, np.array(given["fractions"])):
        templates = np.array(given["templates"], "float32")
        templates = templates if fractions is not None else templates[..., 0]
        recording = InjectTemplatesRecording(
            sorting, templates, 5, np.array(given["amplitudes"]), parent, upsample_vector=fractions
        )
        answers.append([recording.get_traces(k).tolist() for k in range(2)])
    answers.append(si.load(given["description"]).get_traces(1).tolist())
json.dump(answers, open(sys.argv[2], "w"))
"""


@pytest.mark.peer
def test_spikeinterface_adds_the_same(peer_python, tmp_path):
    sorting, templates = make_sorting().to_numpy_sorting(), make_templates(2)
    vectors = sorting.to_spike_vector(concatenated=False)
    stream = np.random.default_rng(6)
    n_spikes = sum(vector.size for vector in vectors)
    fractions = stream.integers(0, 2, n_spikes)
    amplitudes = stream.uniform(0.5, 1.5, n_spikes)
    parent = MockRecording(N_CHANNELS, RATE, [0.6, 0.3], seed=0)
    asked, answered = tmp_path / "asked.json", tmp_path / "answered.json"
    given_to_peer = {
        "samples": [vector["sample_index"] for vector in vectors],
        "labels": [vector["unit_index"] for vector in vectors],
        "parent": [make_parent().get_traces(k) for k in range(2)],
        "templates": templates,
        "fractions": fractions,
        "amplitudes": amplitudes,
        "description": parent.to_dict(),
    }
    asked.write_bytes(encode_json(given_to_peer))
    subprocess.run([peer_python, "-c", PEER, asked, answered], check=True)
    answers = iter(json.loads(answered.read_text()))
    for dtype in ("float32", "int16"):
        ours = NumpyRecording([make_parent().get_traces(k).astype(dtype) for k in range(2)], RATE)
        for vector, array in ((None, templates[..., 0]), (fractions, templates)):
            recording = InjectTemplatesRecording(
                sorting, array, 5, amplitudes, ours, upsample_vector=vector
            )
            theirs = next(answers)
            for k in range(2):
                np.testing.assert_array_equal(recording.get_traces(k), theirs[k])
        np.testing.assert_array_equal(parent.get_traces(1), next(answers))
