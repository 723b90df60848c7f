import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, strategies as st
from probeinterface import Probe

from making.units import make_units
from spikeloom.core.noise_levels import get_noise_levels
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.sparsity_estimation import (
    compute_sparsity,
    estimate_sparsity,
    locations_apart,
    precompute_sparsity,
)
from spikeloom.core.templates import Templates
from spikeloom.errors import ParameterError

# Recordings of tests are shorter than the pieces that noise is usually taken from.
pytestmark = pytest.mark.filterwarnings("ignore:Pieces are shortened")

UNIT_IDS = ["u0", "u1"]
CHANNEL_IDS = ["c0", "c1", "c2", "c3"]

masks = st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 99)).map(
    lambda size: np.random.default_rng(size[2]).random(size[:2]) < 0.5
)


def sparsity_of(mask):
    n_units, n_channels = mask.shape
    return ChannelSparsity(mask, np.arange(n_units) * 10, [f"c{k}" for k in range(n_channels)])


@given(masks)
def test_what_it_knows(mask):
    sparsity = sparsity_of(mask)
    assert (sparsity.num_units, sparsity.num_channels) == mask.shape
    assert sparsity.max_num_active_channels == max([row.sum() for row in mask], default=0)
    for k, row in enumerate(mask):
        channels = sparsity.unit_id_to_channel_indices[10 * k]
        np.testing.assert_array_equal(channels, np.flatnonzero(row))
        np.testing.assert_array_equal(
            sparsity.unit_id_to_channel_ids[np.int64(10 * k)], sparsity.channel_ids[row]
        )
    assert repr(sparsity).startswith(f"ChannelSparsity - units: {len(mask)} - channels:")


@given(masks)
def test_dictionaries_and_text(mask):
    sparsity = sparsity_of(mask)
    description = sparsity.to_dict()
    assert ChannelSparsity.from_dict(description) == sparsity
    assert description == sparsity.to_dict()
    # JSON makes text of the unit ids.
    again = json.loads(json.dumps(description))
    before = json.dumps(again)
    np.testing.assert_array_equal(ChannelSparsity.from_dict(again).mask, mask)
    assert json.dumps(again) == before


@given(masks)
def test_waveforms_go_there_and_back(mask):
    sparsity = sparsity_of(mask)
    templates = np.random.default_rng(0).normal(0, 1, (len(mask), 3, mask.shape[1]))
    sparse = sparsity.sparsify_templates(templates)
    masked = templates * mask[:, np.newaxis]
    np.testing.assert_array_equal(sparsity.densify_templates(sparse), masked)
    for k, row in enumerate(mask):
        dense = np.stack([templates[k]] * 2)
        waveforms = sparsity.sparsify_waveforms(dense, 10 * k)
        np.testing.assert_array_equal(waveforms, dense[..., row])
        assert sparsity.are_waveforms_sparse(waveforms, 10 * k)
        np.testing.assert_array_equal(
            sparsity.densify_waveforms(waveforms, 10 * k), np.stack([masked[k]] * 2)
        )
        assert sparsity.are_waveforms_dense(dense)


def test_padding_that_cancels_out_is_no_padding():
    sparsity = ChannelSparsity([[True, False, False]], ["a"], [0, 1, 2])
    waveforms = np.array([[1.0, 5.0, -5.0], [1.0, 0.4, 0.0]])
    for rows in (waveforms[:1], waveforms[1:]):
        assert not sparsity.are_waveforms_sparse(rows, "a")
    with pytest.raises(ParameterError, match="not on those alone"):
        sparsity.densify_waveforms(waveforms, "a")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match="does not fit 1 units"):
        ChannelSparsity([True], ["a"], [0])
    sparsity = ChannelSparsity([[True, False]], ["a"], [0, 1])
    with pytest.raises(ParameterError, match="Unknown unit id"):
        sparsity.sparsify_waveforms(np.zeros((3, 2)), "b")
    with pytest.raises(ParameterError, match="not on all 2 channels"):
        sparsity.sparsify_waveforms(np.zeros((3, 1)), "a")
    with pytest.raises(ParameterError, match="with 1 units"):
        sparsity.sparsify_templates(np.zeros((2, 3, 2)))
    with pytest.raises(ParameterError, match="Unknown channel id"):
        ChannelSparsity.from_unit_id_to_channel_ids({"a": [5]}, ["a"], [0, 1])


def make_templates():
    """Make two units on a row of channels 20 µm apart, with their lowest values on c1 and c3."""
    lowest = np.array([[-10.0, -90.0, -40.0, 0.0], [0.0, 0.0, -30.0, -60.0]])
    array = np.zeros((2, 5, 4))
    array[:, 2] = lowest
    array[0, 3, 0] = 100.0
    probe = Probe(ndim=2)
    probe.set_contacts(np.array([[0.0, 20.0 * k] for k in range(4)]))
    return Templates(array, 10000.0, 2, unit_ids=UNIT_IDS, channel_ids=CHANNEL_IDS, probe=probe)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"radius_um": 20.0}, ["1110", "0011"]),
        ({"radius_um": 20.0, "peak_sign": "both"}, ["1100", "0011"]),
        ({"method": "best_channels", "num_channels": 2}, ["0110", "0011"]),
        ({"method": "best_channels", "num_channels": 9}, ["1111", "1111"]),
        ({"method": "best_channels", "num_channels": 1, "peak_sign": "pos"}, ["1000", None]),
        ({"method": "closest_channels", "num_channels": 1}, ["0100", "0001"]),
        ({"method": "closest_channels", "num_channels": 2}, [None, "0011"]),
        ({"method": "amplitude", "threshold": 30}, ["0110", "0011"]),
        ({"method": "amplitude", "threshold": 30, "peak_sign": "pos"}, ["1000", "0000"]),
        ({"method": "snr", "threshold": 5, "noise_levels": [1, 10, 20, 5]}, ["1100", "0001"]),
        ({"method": "threshold", "noise_levels": [1, 10, 20, 5]}, ["1100", "0001"]),
        ({"method": "ptp", "noise_levels": [1, 10, 20, 0]}, ["1100", "0001"]),
        (
            {"method": "snr", "amplitude_mode": "at_index", "noise_levels": [20, 1, 1, 1]},
            ["0110", "0011"],
        ),
    ],
)
def test_channels_are_chosen_by_templates(options, expected):
    mask = compute_sparsity(make_templates(), **options).mask
    for row, wanted in zip(mask, expected, strict=True):
        if wanted is not None:
            assert "".join(str(int(value)) for value in row) == wanted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "nearest"}, "method must be one of"),
        ({"method": "snr"}, "needs noise levels"),
        ({"method": "snr", "noise_levels": [1.0]}, "do not fit 4 channels"),
        ({"method": "radius", "radius_um": None}, "needs radius_um"),
        ({"method": "best_channels", "num_channels": -1}, "num_channels"),
        ({"method": "by_property", "by_property": None}, "needs by_property"),
    ],
)
def test_methods_that_lack_something_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        compute_sparsity(make_templates(), **options)


def test_thresholds_in_microvolts_need_microvolts():
    templates = make_templates()
    templates.is_in_uV = False
    with pytest.raises(ParameterError, match="not in microvolts"):
        compute_sparsity(templates, method="amplitude")


@dataclass
class Extension:
    """What an analyzer computed."""

    data: dict = field(default_factory=dict)
    waveforms: dict = field(default_factory=dict)
    nbefore: int = 2

    def get_waveforms_one_unit(self, unit_id, *, force_dense):
        assert force_dense
        return self.waveforms[unit_id]

    def get_templates(self, operator):
        return make_templates().templates_array


@dataclass
class Analyzer:
    """As much of an analyzer as sparsity needs."""

    extensions: dict
    unit_ids: np.ndarray = field(default_factory=lambda: np.array(UNIT_IDS))
    channel_ids: np.ndarray = field(default_factory=lambda: np.array(CHANNEL_IDS))
    main_channel_indices: np.ndarray = field(default_factory=lambda: np.array([0, 2]))
    peak_sign: str = "pos"
    peak_mode: str = "extremum"
    return_in_uV: bool = True

    def get_extension(self, name):
        return self.extensions.get(name)

    def get_channel_locations(self):
        return make_templates().get_channel_locations()


def test_an_analyzer_has_what_is_needed():
    rng = np.random.default_rng(0)
    waveforms = {unit: rng.normal(0, 10, (50, 5, 4)) for unit in UNIT_IDS}
    waveforms["u0"][..., 1] *= 3
    waveforms["u1"] = np.zeros((0, 5, 4))
    analyzer = Analyzer({
        "noise_levels": Extension({"noise_levels": np.full(4, 10.0)}),
        "waveforms": Extension(waveforms=waveforms),
        "templates": Extension(),
    })
    energy = compute_sparsity(analyzer, method="energy", threshold=2)
    np.testing.assert_array_equal(energy.mask, [[False, True, False, False], [False] * 4])
    near = compute_sparsity(analyzer, radius_um=0)
    np.testing.assert_array_equal(near.mask.argmax(axis=1), [0, 2])
    near = compute_sparsity(analyzer, radius_um=0, peak_sign="neg")
    np.testing.assert_array_equal(near.mask.argmax(axis=1), [1, 3])
    snr = compute_sparsity(analyzer, method="snr")
    np.testing.assert_array_equal(snr.mask, [[True, False, False, False], [False] * 4])
    assert ChannelSparsity.create_dense(analyzer).mask.all()
    analyzer.extensions = {"templates": Extension()}
    for method in ("energy", "snr"):
        with pytest.raises(ParameterError, match="noise"):
            compute_sparsity(analyzer, method=method)


def test_channels_of_the_same_group():
    recording, sorting = make_units(n_units=2)
    recording.set_channel_groups([0, 1, 1, 0])
    sorting.set_property("group", [1, 0])
    sparsity = estimate_sparsity(sorting, recording, method="by_property", by_property="group")
    np.testing.assert_array_equal(sparsity.mask, np.array([[0, 1, 1, 0], [1, 0, 0, 1]], bool))
    sorting.set_property("group", [1, 7])
    with pytest.raises(ParameterError, match="No channel has the group"):
        ChannelSparsity.from_property(sorting, recording, "group")
    with pytest.raises(ParameterError, match="sorting has no property 'shank'"):
        ChannelSparsity.from_property(sorting, recording, "shank")


@pytest.fixture(scope="module")
def deep():
    """A recording with spikes that stand out on one channel each."""
    recording, sorting = make_units()
    for k in range(2):
        segment = recording.segments[k]._traces
        for u, channel in enumerate((3, 0, 2)):
            segment[sorting.get_unit_spike_train(f"u{u}", k), channel] -= 6000
    return recording, sorting


OPTIONS = {"ms_before": 0.5, "ms_after": 0.6, "progress_bar": False}
ALONE = np.eye(4, dtype=bool)[[3, 0, 2]]


@pytest.mark.parametrize(
    "options",
    [
        {"radius_um": 10.0},
        {"method": "closest_channels", "num_channels": 1},
        {"method": "best_channels", "num_channels": 1},
        {"method": "amplitude", "threshold": 1000.0},
        {"method": "snr", "threshold": 15},
        {"method": "threshold", "threshold": 15},
        {"method": "ptp", "threshold": 20},
    ],
)
def test_channels_are_chosen_by_the_recording(deep, options):
    recording, sorting = deep
    for given_ in ((sorting, recording), (recording, sorting)):
        sparsity = estimate_sparsity(*given_, **OPTIONS, **options)
        np.testing.assert_array_equal(sparsity.mask, ALONE)
    older = precompute_sparsity(
        recording, sorting, unit_batch_size=200, allow_unfiltered=True, **OPTIONS, **options
    )
    assert older == sparsity


def test_thresholds_are_in_microvolts_where_gains_are_known(deep):
    recording, sorting = deep
    levels = get_noise_levels(recording)
    for levels_of, n_more in ((levels, 0), (levels / 1e6, 9)):
        sparsity = estimate_sparsity(
            sorting, recording, method="snr", threshold=15, noise_levels=levels_of, **OPTIONS
        )
        assert sparsity.mask.sum() == 3 + n_more


def test_known_main_channels_need_no_traces(deep):
    recording, sorting = deep
    nowhere = NumpyRecording([np.zeros((0, 4)), np.zeros((0, 4))], 10000.0)
    nowhere.set_dummy_probe_from_locations(recording.get_channel_locations())
    sparsity = estimate_sparsity(sorting, nowhere, radius_um=0.0, main_channel_indices=[3, 0, 2])
    np.testing.assert_array_equal(sparsity.mask, ALONE)
    for wrong in ([3, 0], [3, 0, 4], [3, 0, -1]):
        with pytest.raises(ParameterError, match="main_channel_indices needs a channel"):
            estimate_sparsity(sorting, nowhere, main_channel_indices=wrong)


def test_known_main_channels_are_among_the_best(deep):
    recording, sorting = deep
    known = [1, 1, 3]
    for n_channels in (1, 2):
        sparsity = estimate_sparsity(
            sorting,
            recording,
            method="best_channels",
            num_channels=n_channels,
            main_channel_indices=known,
            **OPTIONS,
        )
        assert sparsity.mask.sum(axis=1).tolist() == [n_channels] * 3
        assert sparsity.mask[np.arange(3), known].all()


def test_probes_in_one_place_are_kept_apart():
    recording = NumpyRecording([np.zeros((10, 4))], 10000.0)
    places = [[0.0, 0.0], [0.0, 20.0]]
    probes = []
    for k in range(2):
        probe = Probe(ndim=2)
        probe.set_contacts(np.array(places))
        probe.set_device_channel_indices([2 * k, 2 * k + 1])
        probes.append(probe)
    recording = recording.set_probegroup(probes, check_overlap=False)
    apart_um = locations_apart(recording)
    assert len(np.unique(apart_um, axis=0)) == 4
    mask = ChannelSparsity.from_radius_and_main_channel([0], range(4), [2], apart_um, 500.0).mask
    np.testing.assert_array_equal(mask, [[False, False, True, True]])


def test_no_units_and_no_spikes():
    recording, sorting = make_units()
    none = sorting.select_units([])
    for method in ("radius", "best_channels", "snr", "closest_channels"):
        sparsity = estimate_sparsity(none, recording, method=method, progress_bar=False)
        assert sparsity.mask.shape == (0, 4)
    silent = NumpyRecording([np.zeros((3, 2))] * 2, 10000.0)
    silent.set_dummy_probe_from_locations([[0, 0], [0, 500]])
    assert estimate_sparsity(sorting, silent, progress_bar=False).mask.shape == (3, 2)


def test_unknown_methods_are_refused():
    recording, sorting = make_units()
    for method in ("energy", "nearest"):
        with pytest.raises(ParameterError, match="method must be one of"):
            estimate_sparsity(sorting, recording, method=method)
