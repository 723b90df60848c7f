"""Analyzers are made of what fits together, and say what does not."""

import numpy as np
import pytest

import spikeloom as si
from making.analyzers import FS, make_analyzer, make_recording, make_saved_analyzer, make_sorting
from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.template_peaks import main_channels
from spikeloom.errors import ParameterError, WriteError

QUIET = {"progress_bar": False}
MAIN = [0, 2, 3]


def create(sorting=None, recording=None, **kwargs):
    sorting = make_sorting() if sorting is None else sorting
    recording = make_recording() if recording is None else recording
    return create_sorting_analyzer(sorting, recording, **{**QUIET, **kwargs})


def test_what_it_tells():
    analyzer = make_analyzer()
    assert repr(analyzer) == (
        "SortingAnalyzer: 4 channels - 3 units - 2 segments - memory - sparse - has recording\n"
        "Loaded 0 extensions:"
    )
    assert analyzer.get_main_channels().tolist() == MAIN
    assert analyzer.get_main_channels("id", with_dict=True) == {"a": 0, "b": 2, "01": 3}
    assert analyzer.get_sorting_property("main_channel_id").tolist() == MAIN
    assert analyzer.get_sorting_property_keys() == ["quality", "main_channel_id"]
    assert analyzer.get_total_samples() == 4_700
    assert analyzer.get_num_samples(1) == 1_700
    assert analyzer.get_channel_locations()[:, 1].tolist() == [0, 40, 80, 120]
    assert analyzer.get_dtype() == np.int16
    assert analyzer.get_probe().get_contact_count() == 4
    assert analyzer.return_scaled
    assert analyzer.is_filtered()
    assert analyzer.rec_attributes["num_samples"] == [3_000, 1_700]
    assert analyzer.get_recording_property("gain_to_uV", ids=[1]).tolist() == [0.5]
    with pytest.raises(ParameterError, match="segment_index"):
        analyzer.get_num_samples()


def test_the_sorting_is_copied():
    sorting = make_sorting()
    analyzer = create(sorting, main_channel_indices=MAIN)
    sorting.set_property("quality", ["other"] * 3)
    assert analyzer.get_sorting_property("quality").tolist() == ["good", "mua", "noise"]
    assert "main_channel_id" not in sorting.get_property_keys()
    assert analyzer.get_sorting_provenance() is sorting


def test_the_two_may_be_given_in_either_order():
    analyzer = create_sorting_analyzer(make_recording(), make_sorting(), **QUIET)
    assert analyzer.unit_ids.tolist() == ["a", "b", "01"]


def test_main_channels_are_found():
    recording, sorting = si.generate_ground_truth_recording(
        durations=[3.0], num_channels=16, num_units=4, noise_kwargs={"noise_levels": 2.0}, seed=3
    )
    recording = si.NumpyRecording(
        [recording.get_traces()],
        recording.sampling_frequency,
    ).set_probegroup(recording.get_probegroup())
    sorting = NumpySorting.from_sorting(sorting)  # without what is known of it
    found = create(sorting, recording)
    dense = si.estimate_templates(
        recording, sorting.to_spike_vector(), sorting.unit_ids, 25, 62, return_in_uV=False
    )
    assert found.main_channel_indices.tolist() == main_channels(dense, 25).tolist()
    again = create(sorting, recording)
    assert again.main_channel_indices.tolist() == found.main_channel_indices.tolist()


def test_main_channels_of_the_sorting_are_used():
    sorting = make_sorting()
    sorting.set_property("main_channel_id", [3, 1, 1])
    assert create(sorting).main_channel_indices.tolist() == [3, 1, 1]
    assert create(sorting, main_channel_indices=MAIN).main_channel_indices.tolist() == MAIN
    for wrong in ([0, 1], [0, 1, 4], [-1, 0, 0], ["0", "1", "2"]):
        with pytest.raises(ParameterError, match="main_channel_indices"):
            create(main_channel_indices=wrong)


# -- sparsity --------------------------------------------------------------------------------


def test_sparsity_is_by_radius():
    near = create(main_channel_indices=MAIN, radius_um=50.0)
    assert near.sparsity.mask.astype(int).tolist() == [[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
    same = create(main_channel_indices=MAIN, sparsity_kwargs={"radius_um": 50.0})
    assert same.sparsity == near.sparsity
    wide = create(main_channel_indices=MAIN)
    assert wide.sparsity.mask.sum() == 3 + 4 + 3
    assert create(main_channel_indices=MAIN, sparse=False).sparsity is None


def test_sparsity_by_amplitude_keeps_the_main_channel():
    analyzer = create(main_channel_indices=MAIN, method="best_channels", num_channels=2)
    assert analyzer.sparsity.mask[np.arange(3), MAIN].all()


def test_a_given_sparsity_must_fit():
    recording, sorting = make_recording(), make_sorting()
    mask = np.eye(4, dtype=bool)[MAIN]
    sparsity = ChannelSparsity(mask, sorting.unit_ids, recording.channel_ids)
    assert create(main_channel_indices=MAIN, sparsity=sparsity).sparsity == sparsity
    with pytest.raises(ParameterError, match="main channel"):
        create(main_channel_indices=[1, 2, 3], sparsity=sparsity)
    other = ChannelSparsity(mask, ["x", "y", "z"], recording.channel_ids)
    with pytest.raises(ParameterError, match="other units"):
        create(main_channel_indices=MAIN, sparsity=other)


def test_without_a_probe_it_can_be_dense():
    recording = make_recording()
    recording.remove_probe()
    with pytest.raises(ParameterError, match="no probe"):
        create(recording=recording, main_channel_indices=MAIN)
    dense = create(recording=recording, main_channel_indices=MAIN, sparse=False)
    assert not dense.is_sparse()
    with pytest.raises(ParameterError, match="no probe"):
        dense.get_channel_locations()


# -- several recordings ----------------------------------------------------------------------


def groups():
    recordings = {"x": make_recording(), "y": make_recording(n_channels=3)}
    sortings = {"x": make_sorting(), "y": make_sorting(("p", "q"))}
    return sortings, recordings


def test_dictionaries_are_put_together():
    sortings, recordings = groups()
    analyzer = create(sortings, {"y": recordings["y"], "x": recordings["x"]})
    assert analyzer.is_aggregated()
    assert analyzer.get_num_channels() == 7
    assert analyzer.unit_ids.tolist() == ["a", "b", "01", "p", "q"]
    channels = analyzer.main_channel_indices
    assert (channels[:3] < 4).all()
    assert (channels[3:] >= 4).all()
    mask = analyzer.sparsity.mask
    assert not mask[:3, 4:].any()
    assert not mask[3:, :4].any()
    assert not mask[:3, :4].all()


def test_sparsity_can_be_by_the_key():
    analyzer = create(*groups(), set_sparsity_by_dict_key=True)
    mask = analyzer.sparsity.mask
    assert mask[:3, :4].all()
    assert mask[3:, 4:].all()
    assert mask.sum() == 3 * 4 + 2 * 3


def test_dictionaries_must_fit():
    sortings, recordings = groups()
    for wrong in (
        (sortings, {"x": recordings["x"]}),
        (sortings, recordings["x"]),
        (sortings["x"], recordings),
        ({}, {}),
    ):
        with pytest.raises(ParameterError, match=r"dictionaries|keys"):
            create(*wrong)
    with pytest.raises(ParameterError, match="dictionaries"):
        create(set_sparsity_by_dict_key=True)


# -- what does not fit -----------------------------------------------------------------------


def test_frequencies_may_differ_by_a_little():
    table = make_sorting().spike_table()
    ids = make_sorting().unit_ids
    with pytest.warns(UserWarning, match="which is used"):
        analyzer = create(NumpySorting(table, FS + 0.005, ids), main_channel_indices=MAIN)
    assert analyzer.sampling_frequency == FS
    with pytest.raises(ParameterError, match="do not belong together"):
        create(NumpySorting(table, FS + 1.0, ids), main_channel_indices=MAIN)


def test_spikes_outside_are_left_out():
    sorting = NumpySorting.from_unit_dict([{"a": [5, 4_000]}, {"a": [7]}], FS)
    with pytest.warns(UserWarning, match="left out"):
        analyzer = create(sorting, main_channel_indices=[0])
    assert analyzer.sorting.count_total_num_spikes() == 2
    with pytest.raises(ParameterError, match="segments"):
        create(NumpySorting.from_unit_dict([{"a": [5]}], FS), main_channel_indices=[0])


def test_without_gains_nothing_is_in_microvolts():
    traces = [np.zeros((100, 2), np.int16)]
    sorting = NumpySorting.from_unit_dict([{"a": [50]}], FS)
    options = {"main_channel_indices": [0], "sparse": False}
    with pytest.warns(UserWarning, match="return_in_uV=False"):
        assert not create(sorting, NumpyRecording(traces, FS), **options).return_in_uV
    assert not create(
        sorting, NumpyRecording(traces, FS), return_scaled=False, **options
    ).return_in_uV
    floats = NumpyRecording([traces[0].astype(np.float32)], FS)
    assert create(sorting, floats, **options).return_in_uV


def test_no_units_and_no_spikes():
    empty = NumpySorting.from_unit_dict([{}, {}], FS)
    analyzer = create(empty)
    assert analyzer.get_num_units() == 0
    assert analyzer.sparsity.mask.shape == (0, 4)
    silent = NumpySorting.from_unit_dict([{"a": []}, {"a": []}], FS)
    assert create(silent).main_channel_indices.tolist() == [0]


def test_unknown_options_are_refused(tmp_path):
    for wrong in (
        {"format": "nonsense"},
        {"format": "zarr"},
        {"format": "binary_folder", "folder": "s3://bucket/x"},
        {"nonsense": 1},
        {"sparsity_kwargs": {"nonsense": 1}},
        {"backend_options": {"nonsense": 1}},
        {"backend_options": {"saving_options": {"nonsense": 1}}},
        {"peak_sign": "up"},
        {"sorting": "no sorting"},
    ):
        with pytest.raises(ParameterError):
            create(**wrong)


# -- folders ---------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["binary_folder", "zarr"])
def test_what_is_there_is_not_replaced_unless_asked(format, tmp_path):
    analyzer = make_saved_analyzer(tmp_path, format)
    arguments = {
        "recording": analyzer.recording,
        "format": format,
        "folder": tmp_path / "analyzer",
        "main_channel_indices": [1, 1],
    }
    sorting = make_sorting(("a", "b"))
    with pytest.raises(WriteError, match="overwrite") as caught:
        create(sorting, **arguments)
    assert isinstance(caught.value, ValueError)
    create(sorting, **arguments, overwrite=True)
    assert si.load(analyzer.folder).unit_ids.tolist() == ["a", "b"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious.txt").write_text("x")
    if format == "binary_folder":
        with pytest.raises(WriteError, match="does not look like"):
            create(sorting, **{**arguments, "folder": tmp_path / "other"}, overwrite=True)


def test_recordings_in_memory_are_told_of(tmp_path):
    with pytest.warns(UserWarning, match="lives in memory"):
        analyzer = make_analyzer("binary_folder", tmp_path / "analyzer")
    assert analyzer.has_recording()
    loaded = load_sorting_analyzer(tmp_path / "analyzer")
    assert not loaded.has_recording()
    assert "memory" in loaded.recording_error
