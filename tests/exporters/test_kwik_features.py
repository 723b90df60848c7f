"""Features and masks of all spikes of an analyzer are in the Kwik files that are made of it."""

import numpy as np
import pytest

import spikeloom as si
from making.hashes import folder_state
from spikeloom import KwikModel
from spikeloom.errors import ParameterError

GROUPS = np.array([0, 0, 1, 1, 1, 0])
"""Channel group of each channel."""


@pytest.fixture(scope="module")
def made():
    """A recording of two segments and two channel groups, and its spikes."""
    recording, sorting = si.generate_ground_truth_recording(
        [3.0, 2.0], num_channels=6, num_units=5, seed=3
    )
    recording.set_property("group", GROUPS)
    sorting.set_property("group", [0, 1, 1, 0, 1])
    return recording, sorting


def analyzer_of(made, **kwargs):
    recording, sorting = made
    kwargs = {"sparse": False, "return_in_uV": False, **kwargs}
    return si.create_sorting_analyzer(sorting, recording, **kwargs)


def of_group(analyzer, number):
    """Return the rows of spikes of a channel group, and its channels."""
    units = np.flatnonzero(analyzer.sorting.get_property("group") == number)
    rows = np.flatnonzero(np.isin(analyzer.sorting.spike_table().unit_index, units))
    return rows, np.flatnonzero(number == GROUPS)


def slow_masks(analyzer, spikes, channels, *, weak=2.0, strong=4.5, sign="both"):
    """Return klusta's masks of some spikes, sample by sample."""
    table = analyzer.sorting.spike_table()
    noise = analyzer.get_extension("noise_levels").get_data()[channels]
    reach = round(0.5e-3 * analyzer.sampling_frequency)
    turned = {"both": np.abs, "negative": np.negative, "positive": np.positive}[sign]
    masks = []
    for spike in spikes:
        k, sample = table.segment_index()[spike], table.sample_index[spike]
        first, n_samples = max(0, sample - reach), analyzer.recording.get_num_samples(k)
        last = min(n_samples, sample + reach + 1)
        traces = turned(analyzer.recording.get_traces(k, first, last)[:, channels])
        peaks = traces.max(axis=0)
        if last - first < 2 * reach + 1:  # zero beyond the ends
            peaks = np.maximum(peaks, 0)
        masks.append(np.clip((peaks - weak * noise) / ((strong - weak) * noise), 0, 1))
    return np.array(masks)


@pytest.mark.parametrize("whiten", [False, True])
def test_features_are_the_projections_and_masks_are_klustas(made, tmp_path, whiten):
    analyzer = analyzer_of(made)
    analyzer.compute(["random_spikes", "waveforms"])
    analyzer.compute("noise_levels", random_slices_kwargs={"seed": 2})
    analyzer.compute("principal_components", n_components=2, whiten=whiten)
    path = si.export_to_kwik(analyzer, tmp_path / "a.kwik")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.kwik", "a.kwx", "a.raw.kwd"]
    projections = analyzer.get_extension("principal_components").run_for_all_spikes()
    for number in (0, 1):
        model = KwikModel(path, channel_group=number)
        rows, channels = of_group(analyzer, number)
        assert model.features.shape == (rows.size, channels.size, 2)
        assert model.features_masks.shape == (rows.size, 2 * channels.size, 2)
        assert model.features_masks.dtype == np.float32
        np.testing.assert_array_equal(
            model.features[:], projections[rows][:, :, channels].transpose(0, 2, 1)
        )
        np.testing.assert_allclose(
            model.masks[:], slow_masks(analyzer, rows, channels), rtol=0, atol=1e-5
        )
        assert model.masks[:].max() == 1
        assert model.n_features_per_channel == 2
        waveforms = analyzer.get_extension("waveforms")
        assert model.metadata["extract_s_before"] == waveforms.nbefore
        assert model.waveforms.shape[1] == waveforms.nbefore + waveforms.nafter


def test_waveforms_traces_and_clusters_are_as_in_the_recording(made, tmp_path):
    recording, sorting = made
    model = KwikModel(si.export_to_kwik(analyzer_of(made), tmp_path / "a.kwik"))
    rows, channels = of_group(analyzer_of(made), 0)
    whole = np.concatenate([recording.get_traces(k) for k in (0, 1)])
    np.testing.assert_array_equal(model.all_traces[:], whole)
    np.testing.assert_array_equal(model.traces[:], whole[:, channels])
    table = sorting.spike_table()
    starts = np.array([0, recording.get_num_samples(0)])
    samples = (table.sample_index + starts[table.segment_index()])[rows]
    np.testing.assert_array_equal(model.spike_samples, samples)
    units = sorting.unit_ids[table.unit_index[rows]]
    np.testing.assert_array_equal(model.spike_clusters, units.astype(int))
    before = model.metadata["extract_s_before"]
    assert model.metadata["waveform_filter"] == 0  # it is filtered already
    spike = int(np.flatnonzero(samples > before)[0])
    first = int(samples[spike]) - before
    np.testing.assert_allclose(
        model.waveforms[spike], whole[first : first + model.n_samples_waveforms][:, channels]
    )


def test_results_do_not_depend_on_chunks_or_workers(made, tmp_path):
    analyzer = analyzer_of(made)
    analyzer.compute(["random_spikes", "waveforms", "principal_components"])
    found = []
    for k, options in enumerate([
        {"chunk_size": 1_000_000},
        {"chunk_size": 1111},
        {"chunk_size": 7000, "n_jobs": 2, "pool_engine": "thread"},
        {"chunk_size": 7000, "n_jobs": 2, "pool_engine": "process"},
    ]):
        path = si.export_to_kwik(analyzer, tmp_path / f"{k}.kwik", copy_binary=False, **options)
        found.append(KwikModel(path).features_masks[:])
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


def test_masks_of_a_sparse_analyzer_are_zero_on_channels_that_are_not_the_units(made, tmp_path):
    mask = np.ones((5, 6), bool)
    mask[0, [1, 5]] = False
    recording, sorting = made
    sparsity = si.ChannelSparsity(mask, sorting.unit_ids, recording.channel_ids)
    analyzer = analyzer_of(made, sparse=True, sparsity=sparsity)
    model = KwikModel(si.export_to_kwik(analyzer, tmp_path / "a.kwik", copy_binary=False))
    is_first = model.spike_clusters == int(sorting.unit_ids[0])
    assert (model.masks[is_first][:, [1, 2]] == 0).all()
    assert model.masks[is_first][:, 0].any()
    assert model.masks[~is_first][:, 1].any()
    assert np.isfinite(model.features[:]).all()
    assert np.ptp(model.features[is_first][:, 1], axis=0).all()  # there are features all the same


def test_thresholds_and_signs_are_those_of_the_metadata(made, tmp_path):
    analyzer = analyzer_of(made)
    analyzer.compute("noise_levels", random_slices_kwargs={"seed": 2})
    rows, channels = of_group(analyzer, 0)
    for sign in ("negative", "positive"):
        asked = {
            "threshold_weak_std_factor": 1.0,
            "threshold_strong_std_factor": 9.0,
            "detect_spikes": sign,
        }
        path = si.export_to_kwik(
            analyzer, tmp_path / f"{sign}.kwik", copy_binary=False, metadata=asked
        )
        model = KwikModel(path)
        assert {name: model.metadata[name] for name in asked} == asked
        expected = slow_masks(analyzer, rows, channels, weak=1, strong=9, sign=sign)
        np.testing.assert_allclose(model.masks[:], expected, rtol=0, atol=1e-5)
    for wrong in (
        {"threshold_weak_std_factor": 5.0},
        {"detect_spikes": "sideways"},
    ):
        with pytest.raises(ParameterError, match="threshold_weak_std_factor"):
            si.export_to_kwik(analyzer, tmp_path / "wrong.kwik", metadata=wrong)
    assert not list(tmp_path.glob("*wrong*"))


def test_the_analyzer_stays_as_it_is(made, tmp_path):
    analyzer = analyzer_of(made, format="binary_folder", folder=tmp_path / "analyzer")
    before = folder_state(tmp_path / "analyzer")
    path = si.export_to_kwik(analyzer, tmp_path / "a.kwik")
    assert KwikModel(path).features.shape[2] == 3
    assert analyzer.get_loaded_extension_names() == []
    assert folder_state(tmp_path / "analyzer") == before
    with pytest.raises(FileExistsError):
        si.export_to_kwik(analyzer, path)
    assert KwikModel(si.export_to_kwik(analyzer, path, overwrite=True)).masks is not None


def test_what_has_no_features_is_written_without(made, tmp_path):
    recording, sorting = made
    analyzer = analyzer_of(made)
    path = si.export_to_kwik(analyzer, tmp_path / "a.kwik", compute_pc_features=False)
    assert KwikModel(path).features is None
    folder = tmp_path / "analyzer"
    saved = recording.save(folder=tmp_path / "recording")
    si.create_sorting_analyzer(sorting, saved, sparse=False, format="binary_folder", folder=folder)
    (tmp_path / "recording").rename(tmp_path / "elsewhere")
    orphan = si.load_sorting_analyzer(folder)
    with pytest.warns(UserWarning, match="no features"):
        path = si.export_to_kwik(orphan, tmp_path / "b.kwik")
    assert KwikModel(path).features is None
    path = si.export_to_kwik(orphan, tmp_path / "c.kwik", si.load(tmp_path / "elsewhere"))
    assert KwikModel(path).features is not None
    none = si.NumpySorting.from_unit_dict([{0: []}, {0: []}], recording.sampling_frequency)
    empty = si.create_sorting_analyzer(none, recording, sparse=False)
    assert KwikModel(si.export_to_kwik(empty, tmp_path / "d.kwik")).n_spikes == 0


def test_features_are_of_the_analyzers_recording_and_raw_data_of_the_given_one(made, tmp_path):
    recording, _ = made
    analyzer = analyzer_of(made)
    raw = si.NumpyRecording(
        [100 * recording.get_traces(k) for k in (0, 1)],
        recording.sampling_frequency,
        channel_ids=recording.channel_ids,
    )
    raw.set_property("group", GROUPS)
    own = KwikModel(si.export_to_kwik(analyzer, tmp_path / "a.kwik"))
    found = KwikModel(si.export_to_kwik(analyzer, tmp_path / "b.kwik", raw))
    np.testing.assert_array_equal(own.features_masks[:], found.features_masks[:])
    np.testing.assert_array_equal(found.all_traces[:50], 100 * own.all_traces[:50])
    other = raw.rename_channels(list("abcdef"))
    with pytest.raises(ParameterError, match="other channels"):
        si.export_to_kwik(analyzer, tmp_path / "c.kwik", other)
