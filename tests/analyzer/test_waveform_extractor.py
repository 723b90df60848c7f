"""Waveform extractors: what they hold, and the folders and zarr stores that keep them."""

import json
import pickle
import shutil

import numpy as np
import pytest

import spikeloom as si
from spikeloom.analyzer import (
    MockWaveformExtractor,
    SortingAnalyzer,
    WaveformExtractor,
    create_sorting_analyzer,
    extract_waveforms,
    load_sorting_analyzer_or_waveforms,
    load_waveforms,
)
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.sparsity_estimation import compute_sparsity
from spikeloom.errors import (
    DataError,
    MissingExtensionError,
    MissingFileError,
    ParameterError,
    WriteError,
)
from spikeloom.storage.zarr_opening import create_zarr

QUIET = {"progress_bar": False}
FS = 30000.0


@pytest.fixture(scope="module")
def pair():
    return si.generate_ground_truth_recording(
        durations=[4.0, 3.0], num_channels=12, num_units=5, seed=2
    )


@pytest.fixture(scope="module")
def dense(pair):
    return extract_waveforms(
        *pair, mode="memory", sparse=False, max_spikes_per_unit=20, seed=1, **QUIET
    )


def windows(pair, unit_id, index):
    """Return waveforms in microvolts by hand."""
    recording, sorting = pair
    found = []
    for spike, segment in index.tolist():
        sample = sorting.get_unit_spike_train(unit_id, segment_index=segment)[spike]
        traces = recording.get_traces(segment, return_in_uV=True)
        window = np.zeros((90, traces.shape[1]), np.float32)
        start, stop = max(sample - 30, 0), min(sample + 60, len(traces))
        window[start - sample + 30 : stop - sample + 30] = traces[start:stop]
        found.append(window)
    return np.array(found)


def same(one, other, unit_ids=None):
    """Assert that two hold the same waveforms and averages."""
    for unit_id in one.unit_ids if unit_ids is None else unit_ids:
        waveforms, index = one.get_waveforms(unit_id, with_index=True)
        again, index_again = other.get_waveforms(unit_id, with_index=True)
        np.testing.assert_array_equal(waveforms, again)
        np.testing.assert_array_equal(index, index_again)
        np.testing.assert_array_equal(one.get_template(unit_id), other.get_template(unit_id))


# -- what it holds ---------------------------------------------------------------------------


def test_waveforms_are_the_traces_around_the_sampled_spikes():
    recording, sorting = si.generate_ground_truth_recording(
        durations=[3.0, 2.0], num_channels=6, num_units=3, sampling_frequency=FS, seed=4
    )
    pair = recording, sorting
    we = extract_waveforms(*pair, mode="memory", sparse=False, max_spikes_per_unit=15, **QUIET)
    assert (we.nbefore, we.nafter, we.nsamples) == (30, 60, 90)
    for unit_id in sorting.unit_ids:
        waveforms, index = we.get_waveforms(unit_id, with_index=True)
        assert 0 < len(waveforms) == len(index) <= 15
        np.testing.assert_allclose(waveforms, windows(pair, unit_id, index), atol=1e-3)


def test_it_tells_what_it_is_made_of(dense, pair):
    recording, sorting = pair
    assert dense.get_num_channels() == 12
    assert dense.unit_ids.tolist() == sorting.unit_ids.tolist()
    assert dense.recording is recording
    assert dense.get_num_samples(1) == recording.get_num_samples(1)
    assert (dense.format, dense.folder, dense.return_scaled) == ("memory", None, True)
    assert dense.dtype == np.float32
    assert dense.is_filtered()
    assert MockWaveformExtractor is WaveformExtractor
    np.testing.assert_array_equal(dense.get_channel_locations(), recording.get_channel_locations())


def test_sparse_ones_give_the_channels_of_the_unit_only(pair, dense):
    we = extract_waveforms(
        *pair, mode="memory", seed=1, max_spikes_per_unit=20, method="radius", radius_um=40,
        num_spikes_for_sparsity=50, **QUIET,
    )  # fmt: skip
    assert we.is_sparse()
    for unit_id in we.unit_ids:
        channels = we.sparsity.unit_id_to_channel_indices[unit_id]
        assert 0 < channels.size < 12
        waveforms, template = we.get_waveforms(unit_id), we.get_template(unit_id)
        assert waveforms.shape[2] == template.shape[1] == channels.size
        full = dense.get_waveforms(unit_id)
        np.testing.assert_array_equal(waveforms, full[:, :, channels])
        forced = we.get_waveforms(unit_id, force_dense=True)
        np.testing.assert_array_equal(forced[:, :, channels], waveforms)
        others = np.setdiff1d(np.arange(12), channels)
        assert not forced[:, :, others].any()
        assert we.get_template(unit_id, force_dense=True).shape[1] == 12


def test_a_sparsity_given_selects_channels(pair, dense):
    mask = np.zeros((5, 12), bool)
    mask[:, 2:5] = True
    sparsity = ChannelSparsity(mask, dense.unit_ids, dense.channel_ids)
    unit_id = dense.unit_ids[1]
    full = dense.get_waveforms(unit_id)
    np.testing.assert_array_equal(dense.get_waveforms(unit_id, sparsity=sparsity), full[..., 2:5])
    forced = dense.get_waveforms(unit_id, sparsity=sparsity, force_dense=True)
    assert forced.shape == full.shape
    assert not forced[..., 5:].any()
    sparse = extract_waveforms(*pair, mode="memory", radius_um=1.0, **QUIET)
    with pytest.raises(ParameterError, match="not on the channels"):
        sparse.get_waveforms(unit_id, sparsity=sparsity)


def test_segments_are_told_apart(dense):
    unit_id = dense.unit_ids[0]
    waveforms, index = dense.get_waveforms(unit_id, with_index=True)
    parts = [dense.get_waveforms_segment(k, unit_id) for k in (0, 1)]
    np.testing.assert_array_equal(np.concatenate(parts), waveforms)
    assert len(parts[1]) == (index["segment_index"] == 1).sum() > 0
    template = dense.get_template_segment(unit_id, 1)
    np.testing.assert_allclose(template, parts[1].mean(axis=0), atol=1e-3)


@pytest.mark.parametrize(
    ("mode", "percentile", "expected"),
    [
        ("average", None, lambda w: w.mean(axis=0)),
        ("std", None, lambda w: w.std(axis=0)),
        ("median", None, lambda w: np.median(w, axis=0)),
        ("percentile", 20, lambda w: np.percentile(w, 20, axis=0)),
    ],
)
def test_templates_of_all_modes(dense, mode, percentile, expected):
    dense.precompute_templates(modes=(mode,), percentile=percentile)
    for k, unit_id in enumerate(dense.unit_ids):
        wanted = expected(dense.get_waveforms(unit_id))
        template = dense.get_template(unit_id, mode=mode, percentile=percentile)
        np.testing.assert_allclose(template, wanted, atol=1e-3)
        every = dense.get_all_templates(mode=mode, percentile=percentile)
        np.testing.assert_array_equal(every[k], template)


def test_more_templates_leave_what_was_computed_from_others(pair):
    we = extract_waveforms(*pair, mode="memory", sparse=False, **QUIET)
    we.sorting_analyzer.compute("noise_levels", **QUIET)
    average = we.get_all_templates()
    we.precompute_templates(("std", "median"))
    assert we.has_extension("noise_levels")
    np.testing.assert_array_equal(we.get_all_templates(), average)
    assert we.get_all_templates(unit_ids=we.unit_ids[[2, 0]], mode="median").shape[0] == 2


def test_parameters_are_checked(pair, tmp_path):
    with pytest.raises(ParameterError, match="percentile"):
        extract_waveforms(*pair, mode="memory", precompute_template=("percentile",))
    with pytest.raises(ParameterError, match="needs a folder"):
        extract_waveforms(*pair)
    with pytest.raises(ParameterError, match="mode must be"):
        extract_waveforms(*pair, mode="disk")
    with pytest.raises(ParameterError, match="contradict"):
        extract_waveforms(*pair, tmp_path / "we", overwrite=True, load_if_exists=True)
    with pytest.raises(ParameterError, match="no option"):
        extract_waveforms(*pair, mode="memory", radius=3)
    raw = si.NumpyRecording([np.zeros((90000, 4), np.float32)], FS)
    units = si.NumpySorting.from_unit_dict({"a": [3000]}, FS)
    with pytest.raises(ParameterError, match="not filtered"):
        extract_waveforms(raw, units, mode="memory", sparse=False)
    we = extract_waveforms(
        raw, units, mode="memory", sparse=False, allow_unfiltered=True, return_scaled=False,
        **QUIET,
    )  # fmt: skip
    assert we.get_waveforms("a").shape == (1, 90, 4)


def test_units_are_selected(dense, tmp_path):
    ids = dense.unit_ids[[3, 1]]
    chosen = dense.select_units(ids)
    assert chosen.unit_ids.tolist() == ids.tolist()
    same(dense, chosen, ids)
    kept = dense.select_units(ids, new_folder=tmp_path / "two")
    assert kept.format == "binary"
    same(dense, load_waveforms(tmp_path / "two"), ids)


# -- folders ---------------------------------------------------------------------------------


def test_a_folder_has_the_layout_of_older_versions(pair, tmp_path):
    we = extract_waveforms(*pair, tmp_path / "we", max_spikes_per_unit=20, radius_um=40, **QUIET)
    unit_id = we.unit_ids[0]
    root = tmp_path / "we"
    params = json.loads((root / "params.json").read_text())
    assert params == {
        "ms_before": 1.0,
        "ms_after": 2.0,
        "max_spikes_per_unit": 20,
        "return_scaled": True,
        "dtype": "float32",
    }
    waveforms = np.load(root / "waveforms" / f"waveforms_{unit_id}.npy")
    np.testing.assert_array_equal(waveforms, we.get_waveforms(unit_id))
    index = np.load(root / "waveforms" / f"sampled_index_{unit_id}.npy")
    assert index.dtype == [("spike_index", "i8"), ("segment_index", "i8")]
    described = json.loads((root / "sparsity.json").read_text())
    assert ChannelSparsity.from_dict(described) == we.sparsity
    for name in ("recording.json", "sorting.json", "templates_average.npy"):
        assert (root / name).is_file()
    we.precompute_templates(("std",), None)
    np.testing.assert_array_equal(
        np.load(root / "templates_std.npy"), we.get_all_templates(mode="std")
    )


@pytest.mark.parametrize("format", ["binary", "zarr"])
def test_what_is_saved_is_loaded_again(dense, tmp_path, format):
    saved = dense.save(tmp_path / "we", format=format)
    assert saved.format == format
    loaded = load_waveforms(saved.folder)
    assert isinstance(loaded, WaveformExtractor)
    assert loaded.has_recording()
    same(dense, saved)
    same(dense, loaded)
    assert isinstance(si.load(saved.folder), WaveformExtractor)
    analyzer = load_sorting_analyzer_or_waveforms(saved.folder)
    assert isinstance(analyzer, SortingAnalyzer)
    assert analyzer.format == "memory"
    same(dense, WaveformExtractor(analyzer))
    with pytest.raises(WriteError, match="exists already"):
        dense.save(tmp_path / "we", format=format)
    dense.save(tmp_path / "we", format=format, overwrite=True)


@pytest.mark.parametrize("format", ["binary", "zarr"])
def test_what_is_computed_later_is_kept(dense, tmp_path, format):
    saved = dense.save(tmp_path / "we", format=format)
    saved.sorting_analyzer.compute("noise_levels", **QUIET)
    saved.precompute_templates(("median",))
    loaded = load_waveforms(saved.folder)
    assert loaded.has_extension("noise_levels")
    np.testing.assert_array_equal(
        loaded.get_all_templates(mode="median"), saved.get_all_templates(mode="median")
    )
    saved.delete_extension("noise_levels")
    saved.delete_waveforms()
    loaded = load_waveforms(saved.folder)
    assert not loaded.has_extension("noise_levels")
    assert not loaded.has_waveforms()
    np.testing.assert_array_equal(loaded.get_all_templates(), dense.get_all_templates())
    with pytest.raises(MissingExtensionError, match="no waveforms"):
        loaded.get_waveforms(loaded.unit_ids[0])


@pytest.mark.parametrize("format", ["binary", "zarr"])
def test_dense_ones_are_saved_sparse(dense, tmp_path, format):
    sparsity = compute_sparsity(dense, method="radius", radius_um=40)
    sparse = dense.save(tmp_path / "sparse", format=format, sparsity=sparsity)
    loaded = load_waveforms(sparse.folder)
    assert loaded.sparsity == sparse.sparsity == sparsity
    same(sparse, loaded)
    unit_id = dense.unit_ids[2]
    own = dense.get_waveforms(unit_id, sparsity=sparsity)
    np.testing.assert_array_equal(loaded.get_waveforms(unit_id), own)
    with pytest.raises(ParameterError, match="sparse already"):
        loaded.save(tmp_path / "again", sparsity=sparsity)


def test_what_is_in_a_folder_is_kept_replaced_or_loaded(pair, tmp_path):
    folder = tmp_path / "we"
    options = {"sparse": False, "max_spikes_per_unit": 10, **QUIET}
    first = extract_waveforms(*pair, folder, seed=1, **options)
    with pytest.raises(WriteError, match="exists already"):
        extract_waveforms(*pair, folder, seed=2, **options)
    same(first, extract_waveforms(*pair, folder, seed=2, load_if_exists=True, **options))
    second = extract_waveforms(*pair, folder, seed=2, overwrite=True, **options)
    same(second, load_waveforms(folder))
    unit_id = first.unit_ids[0]
    assert not np.array_equal(
        first.get_sampled_indices(unit_id), second.get_sampled_indices(unit_id)
    )
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("mine")
    with pytest.raises(WriteError, match="not replaced"):
        extract_waveforms(*pair, precious, overwrite=True, **options)


def test_the_steps_of_the_oldest_scripts(pair, tmp_path):
    recording, sorting = pair
    we = WaveformExtractor.create(recording, sorting, tmp_path / "we")
    with pytest.raises(MissingExtensionError, match="set_params"):
        we.run_extract_waveforms()
    we.set_params(ms_before=0.5, ms_after=1.0, max_spikes_per_unit=8, return_scaled=True)
    we.run_extract_waveforms(seed=0, **QUIET)
    average = we.get_template(we.unit_ids[0])
    loaded = WaveformExtractor.load(tmp_path / "we")
    same(we, loaded)
    assert we.nsamples == loaded.nsamples == len(average)
    we.set_params(max_spikes_per_unit=5)
    assert not we.has_waveforms()


def test_a_sorting_in_memory_is_kept_in_the_folder(pair, tmp_path):
    recording, sorting = pair
    in_memory = si.NumpySorting.from_sorting(sorting)
    we = extract_waveforms(recording, in_memory, tmp_path / "we", sparse=False, **QUIET)
    shutil.move(tmp_path / "we", tmp_path / "moved")
    same(we, load_waveforms(tmp_path / "moved"))


def test_opening_writes_nothing(dense, tmp_path):
    root = dense.save(tmp_path / "we").folder
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    we = load_waveforms(root)
    we.get_waveforms(we.unit_ids[0])
    we.get_template(we.unit_ids[0])
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_a_folder_of_an_analyzer_is_loaded_as_well(pair, tmp_path):
    recording, sorting = pair
    folder = tmp_path / "analyzer"
    analyzer = create_sorting_analyzer(sorting, recording, "binary_folder", folder, **QUIET)
    analyzer.compute(["random_spikes", "waveforms", "templates"], **QUIET)
    we = load_waveforms(folder)
    same(WaveformExtractor(analyzer), we)


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(MissingFileError, match="no folder"):
        load_waveforms(tmp_path / "nothing")
    (tmp_path / "x.zarr").mkdir()
    with pytest.raises(MissingFileError, match=r"x\.zarr"):
        load_waveforms(tmp_path / "x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        load_waveforms(tmp_path / "empty")
    with pytest.raises(ParameterError, match="output"):
        load_waveforms(tmp_path / "empty", output="Recording")


def test_ids_that_are_no_file_names_are_kept(tmp_path):
    rng = np.random.default_rng(0)
    recording = si.NumpyRecording([rng.normal(size=(90000, 4)).astype(np.float32)], FS)
    recording.annotate(is_filtered=True)
    sorting = si.NumpySorting.from_unit_dict({"a/b": [3000, 5000], "..": [4000]}, FS)
    we = extract_waveforms(recording, sorting, mode="memory", sparse=False, **QUIET)
    with pytest.warns(UserWarning, match="lives in memory"):
        kept = we.save(tmp_path / "we")
    loaded = load_waveforms(kept.folder)
    same(we, loaded)
    assert "lived in memory" in loaded.sorting_analyzer.recording_error
    loaded.set_recording(recording)
    assert loaded.has_recording()


# -- folders of older versions ---------------------------------------------------------------

IDS, CHANNELS = [7, 12], ["c0", "c1", "c2"]
MASK = np.array([[True, True, False], [False, True, True]])
TRAINS = [{7: [100, 200, 300], 12: [150, 250]}, {7: [80], 12: [90, 400, 500, 600]}]
SAMPLED = {7: [(2, 0), (0, 0), (0, 1)], 12: [(1, 0), (1, 1), (3, 1)]}
"""Not in order, as nothing says that they have to be."""


def old_arrays(*, sparse):
    """Return the arrays of waveforms by name, as 0.95 to 0.100 kept them."""
    rng = np.random.default_rng(0)
    dtype = [("spike_index", "i8"), ("segment_index", "i8")]
    arrays, templates = {}, np.zeros((2, 36, 3), np.float32)
    for k, unit_id in enumerate(IDS):
        waveforms = rng.normal(size=(3, 36, 3)).astype(np.float32)
        channels = np.flatnonzero(MASK[k]) if sparse else np.arange(3)
        templates[k][:, channels] = waveforms.mean(axis=0)[:, channels]
        arrays[f"waveforms/waveforms_{unit_id}"] = waveforms[:, :, channels]
        arrays[f"waveforms/sampled_index_{unit_id}"] = np.array(SAMPLED[unit_id], dtype)
    arrays["templates_average"] = templates
    arrays["similarity/similarity"] = np.eye(2)
    arrays["noise_levels/noise_levels"] = np.array([1.0, 2.0, 3.0])
    for segment, n in enumerate((5, 5)):
        arrays[f"spike_amplitudes/amplitude_segment_{segment}"] = np.arange(n) + 10.0 * segment
    return arrays


def old_metadata(sorting_folder):
    """Return parameters, what is known of the recording, the sparsity, and the sorting."""
    params = {"ms_before": 0.45, "ms_after": 0.78, "max_spikes_per_unit": 3, "dtype": "float32"}
    attributes = {
        "channel_ids": CHANNELS,
        "sampling_frequency": FS,
        "num_channels": 3,
        "num_samples": [9000, 9000],
        "is_filtered": True,
        "properties": {"gain_to_uV": [1.0, 1.0, 1.0]},
    }
    channels = {
        str(u): [CHANNELS[c] for c in np.flatnonzero(m)] for u, m in zip(IDS, MASK, strict=True)
    }
    sparsity = {"unit_id_to_channel_ids": channels, "channel_ids": CHANNELS, "unit_ids": IDS}
    sorting = {
        "class": "spikeinterface.core.npzsortingextractor.NpzSortingExtractor",
        "module": "spikeinterface",
        "version": "0.98.2",
        "kwargs": {"file_path": f"{sorting_folder}/sorting_cached.npz"},
        "annotations": {},
        "properties": {},
        "relative_paths": True,
    }
    return params | {"return_scaled": True}, attributes, sparsity, sorting


def old_sorting(folder):
    sorting = si.NumpySorting.from_unit_dict(TRAINS, FS)
    folder.mkdir()
    si.NpzSortingExtractor.write_sorting(sorting, folder / "sorting_cached.npz")
    return sorting


def old_folder(root, *, sparse=True):
    root.mkdir()
    params, attributes, sparsity, sorting = old_metadata("../sorting")
    for name, array in old_arrays(sparse=sparse).items():
        path = root / f"{name}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, array)
        if path.parent != root and path.parent.name != "waveforms":
            (path.parent / "params.json").write_text("{}")
    (root / "params.json").write_text(json.dumps(params))
    (root / "recording_info").mkdir()
    (root / "recording_info" / "recording_attributes.json").write_text(json.dumps(attributes))
    (root / "sorting.json").write_text(json.dumps(sorting))
    if sparse:
        (root / "sparsity.json").write_text(json.dumps(sparsity))
    metrics = root / "quality_metrics"
    metrics.mkdir()
    (metrics / "params.json").write_text('{"metric_names": ["snr"]}')
    (metrics / "metrics.csv").write_text(",snr\n12,2.5\n7,1.5\n")
    return root


def old_zarr(root):
    group = create_zarr(root)
    params, attributes, sparsity, sorting = old_metadata("../sorting")
    for name, array in old_arrays(sparse=True).items():
        group.write_array(name, array)
    for name in ("similarity", "noise_levels", "spike_amplitudes"):
        group.group(name).set_attributes({"params": {}})
    group.create_group("recording_info", {"recording_attributes": attributes})
    group.set_attributes({"params": params, "sorting": sorting, "sparsity": sparsity})
    return root


def check_old(we, *, sparse=True):
    arrays = old_arrays(sparse=sparse)
    assert we.nsamples == 36
    assert (we.nbefore, we.nafter) == (13, 23)  # cut off, not rounded, in those days
    for k, unit_id in enumerate(IDS):
        waveforms, index = we.get_waveforms(unit_id, with_index=True)
        sampled = SAMPLED[unit_id]
        order = sorted(range(3), key=lambda row: sampled[row][::-1])
        np.testing.assert_array_equal(waveforms, arrays[f"waveforms/waveforms_{unit_id}"][order])
        assert [tuple(one) for one in index.tolist()] == [sampled[row] for row in order]
        channels = np.flatnonzero(MASK[k]) if sparse else np.arange(3)
        template = arrays["templates_average"][k][:, channels]
        np.testing.assert_array_equal(we.get_template(unit_id), template)
    noise = we.load_extension("noise_levels").get_data()
    np.testing.assert_array_equal(noise, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("sparse", [True, False])
def test_folders_of_older_versions_are_read(tmp_path, sparse):
    sorting = old_sorting(tmp_path / "sorting")
    root = old_folder(tmp_path / "we", sparse=sparse)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("/")
        we = load_waveforms(root)
    check_old(we, sparse=sparse)
    assert not we.has_recording()
    np.testing.assert_array_equal(we.sorting.to_spike_vector(), sorting.to_spike_vector())
    analyzer = load_sorting_analyzer_or_waveforms(root)
    check_old(WaveformExtractor(analyzer), sparse=sparse)
    again = we.save(tmp_path / "new")
    check_old(load_waveforms(again.folder), sparse=sparse)


def test_old_extensions_are_read(tmp_path):
    pytest.importorskip("spikeloom.postprocessing.extensions")
    old_sorting(tmp_path / "sorting")
    we = load_waveforms(old_folder(tmp_path / "we"))
    np.testing.assert_array_equal(we.load_extension("similarity").data["similarity"], np.eye(2))
    amplitudes = we.load_extension("spike_amplitudes").data["amplitudes"]
    np.testing.assert_array_equal(amplitudes, [0, 1, 2, 3, 4, 10, 11, 12, 13, 14])


def test_zarr_stores_of_older_versions_are_read(tmp_path):
    old_sorting(tmp_path / "sorting")
    check_old(load_waveforms(old_zarr(tmp_path / "we.zarr")))


def test_a_sorting_can_be_given(tmp_path):
    sorting = old_sorting(tmp_path / "sorting")
    root = old_folder(tmp_path / "we")
    shutil.rmtree(tmp_path / "sorting")
    with pytest.raises(DataError, match=r"sorting=\.\.\."):
        load_waveforms(root)
    check_old(load_waveforms(root, sorting=sorting))
    other = si.NumpySorting.from_unit_dict([{7: [100], 12: [150]}, {7: [], 12: []}], FS)
    with pytest.raises(DataError, match="not that of the waveforms"):
        load_waveforms(root, sorting=other)


def test_pickles_are_read_only_when_asked_for(tmp_path):
    old_sorting(tmp_path / "sorting")
    root = old_folder(tmp_path / "we")
    described = json.loads((root / "sorting.json").read_text())
    (root / "sorting.json").unlink()
    (root / "sorting.pickle").write_bytes(pickle.dumps(described))
    with pytest.raises(ParameterError, match="trust_pickle"):
        load_waveforms(root)
    check_old(load_waveforms(root, trust_pickle=True))


def test_incomplete_waveforms_are_refused(tmp_path):
    old_sorting(tmp_path / "sorting")
    root = old_folder(tmp_path / "we")
    np.save(root / "waveforms" / "waveforms_7.npy", np.zeros((3, 36, 3), np.float32))
    with pytest.raises(DataError, match="unit 7"):
        load_waveforms(root)
    (root / "waveforms" / "waveforms_7.npy").unlink()
    with pytest.raises(DataError, match="incomplete"):
        load_waveforms(root)
