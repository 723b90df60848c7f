import json
import multiprocessing
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st
from probeinterface import generate_linear_probe

from making.round_trips import describe, digest, digest_in_another_process, through_json
from spikeloom.errors import ParameterError
from spikeloom.generation.generated_sortings import generate_sorting
from spikeloom.generation.ground_truth_recordings import generate_ground_truth_recording
from spikeloom.generation.template_injection import InjectTemplatesRecording


def make(**options):
    return generate_ground_truth_recording(**{"durations": [2.0, 1.0], "seed": 1, **options})


def test_recordings_have_what_their_users_know():
    recording, sorting = make()
    assert isinstance(recording, InjectTemplatesRecording)
    assert recording.name == "GroundTruthRecording"
    assert sorting.name == "GroundTruthSorting"
    assert recording.channel_ids.tolist() == ["0", "1", "2", "3"]
    assert recording.sampling_frequency == sorting.sampling_frequency == 25_000.0
    assert recording.get_num_samples(1) == 25_000
    assert recording.dtype == np.float32
    assert recording.is_filtered()
    assert recording.get_channel_gains().tolist() == [1.0] * 4
    assert recording.get_channel_offsets().tolist() == [0.0] * 4
    locations = recording.get_channel_locations()
    assert set(locations[:, 0] - locations[:, 0].min()) == {0.0, 20.0}
    assert sorting.get_property("gt_unit_locations").shape == (10, 3)
    assert set(sorting.get_property("main_channel_id")) <= set("0123")


def test_noise_and_spikes_add_up():
    recording, sorting = make(num_units=3, noise_kwargs={"noise_levels": 2.0})
    noise = recording.get_parent()
    rest = recording.get_traces(0) - noise.get_traces(0)
    assert noise.get_traces(0).std() == pytest.approx(2.0, rel=0.02)
    vector = sorting.to_spike_vector(concatenated=False)[0]
    far = np.ones(len(rest), bool)
    for sample in vector["sample_index"]:
        far[max(0, sample - 25) : sample + 75] = False
    assert np.abs(rest[far]).max() < 1e-5
    # A spike that is alone looks like its template, with the trough on the spike.
    samples = vector["sample_index"].astype(int)
    alone = np.flatnonzero((np.diff(samples[:-1]) > 100) & (np.diff(samples[1:]) > 100))[0] + 1
    cut = rest[samples[alone] - 25 : samples[alone] + 75]
    template = recording.templates[vector["unit_index"][alone]]
    np.testing.assert_allclose(cut, template, atol=1e-4)
    main = sorting.get_property("main_channel_id")[vector["unit_index"][alone]]
    assert np.abs(cut).max(axis=0).argmax() == int(main)


@given(data=st.data())
def test_any_window_is_a_slice_of_the_whole(data):
    recording, _ = make(durations=[0.3, 0.2], upsample_factor=3)
    segment = data.draw(st.integers(0, 1))
    whole = recording.get_traces(segment)
    start, end = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=2, max_size=2)))
    channels = data.draw(st.permutations("0123"))[: data.draw(st.integers(0, 4))]
    window = recording.get_traces(segment, start, end, channel_ids=channels)
    np.testing.assert_array_equal(window, whole[start:end][:, [int(c) for c in channels]])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"upsample_factor": 4, "dtype": "float64"},
        {"generate_templates_kwargs": {"unit_params": {"alpha": (50.0, 60.0)}, "mode": "sphere"}},
        {"generate_sorting_kwargs": {"firing_rates": (2.0, 9.0)}},
        {"noise_kwargs": {"noise_levels": [1.0, 2.0, 3.0, 4.0], "strategy": "tile_pregenerated"}},
        {"seed": None},
    ],
    ids=["plain", "upsampled", "params", "rates", "levels", "new"],
)
def test_recordings_are_made_again_from_what_is_written(options, tmp_path):
    recording, sorting = make(**options)
    expected = digest(recording)
    assert recording.check_serializability("json")
    assert digest_in_another_process(recording, tmp_path) == expected
    assert digest(pickle.loads(pickle.dumps(recording))) == expected
    assert digest(recording.clone()) == expected
    assert digest(through_json(sorting)) == digest(sorting)
    again = through_json(recording)
    assert again.name == "GroundTruthRecording"
    assert again.has_scaleable_traces()
    np.testing.assert_array_equal(again.get_channel_locations(), recording.get_channel_locations())


def test_workers_that_are_spawned_make_the_same():
    recording, sorting = make(num_channels=5)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(digest, [recording, sorting]) == [digest(recording), digest(sorting)]


def test_what_is_written_is_small():
    recording, _ = make(durations=[100.0], num_channels=64, num_units=50)
    assert len(describe(recording)) < 200_000
    assert "templates" not in json.loads(describe(recording))["kwargs"]


def test_the_same_seed_is_the_same_recording():
    first, again, other = (make(seed=seed)[0] for seed in (1, 1, 2))
    assert digest(first) == digest(again) != digest(other)
    assert digest(make(seed=None)[0]) != digest(make(seed=None)[0])


def test_parts_may_be_given():
    sorting = generate_sorting(3, 20_000.0, [1.0], seed=9)
    probe = generate_linear_probe(6)
    options = {"durations": [1.0], "sampling_frequency": 20_000.0, "sorting": sorting}
    recording, same = make(probe=probe, **options)
    assert same is sorting
    assert recording.get_num_channels() == 6
    assert probe.device_channel_indices is None  # what was given stays as it was
    templates = np.zeros((3, 80, 6), np.float32)
    templates[[0, 1, 2], 20, [5, 0, 3]] = -50.0
    recording, sorting = make(probe=probe, templates=templates, **options)
    assert sorting.get_property("main_channel_id").tolist() == ["5", "0", "3"]
    assert digest(through_json(recording)) == digest(recording)
    fractions = np.repeat(templates[..., None], 2, axis=3)
    other, _ = make(probe=probe, templates=fractions, **options)
    assert digest(other) == digest(recording)


def test_channels_are_where_their_contacts_are():
    probe = generate_linear_probe(4)
    probe.set_device_channel_indices([3, 2, 1, 0])
    recording, sorting = make(
        probe=probe, num_units=8, generate_templates_kwargs={"mode": "sphere"}
    )
    units = sorting.get_property("gt_unit_locations")
    channels = recording.get_channel_locations()
    assert channels[:, 1].tolist() == [60, 40, 20, 0]
    nearest = np.linalg.norm(units[:, None, :2] - channels, axis=2).argmin(axis=1)
    main = [int(channel) for channel in sorting.get_property("main_channel_id")]
    assert main == nearest.tolist()


def test_odd_channels_go_to_the_middle_column():
    recording, _ = make(num_channels=7, generate_probe_kwargs={"num_columns": 3, "xpitch": 10})
    across = recording.get_channel_locations()[:, 0]
    assert np.unique(across, return_counts=True)[1].tolist() == [2, 3, 2]


def test_a_sorting_in_memory_keeps_the_recording_in_memory():
    sorting = generate_sorting(3, 25_000.0, [1.0], seed=9).to_numpy_sorting()
    recording, _ = make(sorting=sorting, durations=[1.0])
    assert not recording.check_serializability("json")
    assert digest(pickle.loads(pickle.dumps(recording))) == digest(recording)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sorting": generate_sorting(2, 30_000.0, [2.0, 1.0], seed=0)}, "Hz"),
        ({"sorting": generate_sorting(2, 25_000.0, [2.0], seed=0)}, "do not fit"),
        ({"templates": np.zeros((10, 7, 4))}, "ms_before"),
        ({"templates": np.zeros((3, 100, 4))}, "units"),
        ({"generate_probe_kwargs": {}}, "num_columns"),
        (
            {"generate_probe_kwargs": {"num_columns": 2, "num_contact_per_column": 9}},
            "18 contacts",
        ),
        ({"dtype": "int16"}, "dtype"),
        ({"ms_after": 0.5}, "ms_after"),
    ],
)
def test_what_does_not_fit_is_refused(options, said):
    with pytest.raises(ParameterError, match=said):
        make(**options)


def test_probes_must_be_wired_to_all_channels():
    probe = generate_linear_probe(4)
    probe.set_device_channel_indices([0, 1, -1, 2])
    with pytest.raises(ParameterError, match="device_channel_indices"):
        make(probe=probe)
