import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.core.loading import load
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.datasets.template_loading import load_template_model
from spikeloom.errors import MissingExtensionError, ParameterError, WriteError
from spikeloom.exporters import export_to_phy
from spikeloom.exporters.phy_projections import padded_channels
from spikeloom.exporters.phy_unit_tables import unit_tables
from spikeloom.extractors.phy_params import read_phy_params
from spikeloom.generation import generate_ground_truth_recording

N_CHANNELS, N_UNITS = 12, 5
QUIET = {"verbose": False, "progress_bar": False}
MAIN_CHANNELS = np.array([11, 0, 3, 11, 0])
GROUPS = np.repeat(["left", "right"], N_CHANNELS // 2)


def make(n_segments=1, dtype="int16"):
    recording, sorting = generate_ground_truth_recording(
        [4.0] * n_segments, num_channels=N_CHANNELS, num_units=N_UNITS, seed=1
    )
    # A probe as the generator makes it, and one unit that never fires.
    traces = [recording.get_traces(k) for k in range(n_segments)]
    if dtype == "int16":
        traces = [np.round(2 * one).astype(np.int16) for one in traces]
    copy = NumpyRecording(traces, recording.sampling_frequency)
    copy.set_channel_gains(0.5)
    copy.set_channel_offsets(0.0)
    copy = copy.set_probegroup(recording.get_probegroup())
    copy.set_property("group", GROUPS)
    trains = [
        {
            f"u{k}": sorting.get_unit_spike_train(unit_id, segment_index)
            for k, unit_id in enumerate(sorting.unit_ids)
        }
        for segment_index in range(n_segments)
    ]
    return copy, NumpySorting.from_unit_dict(trains, sorting.sampling_frequency)


def with_silent_unit(sorting):
    trains = {"silent": np.zeros(0, np.int64)}
    trains |= {unit_id: sorting.get_unit_spike_train(unit_id, 0) for unit_id in sorting.unit_ids}
    found = NumpySorting.from_unit_dict([trains], sorting.sampling_frequency)
    found.set_property("depth", np.arange(len(trains)) * 1.5)
    found.set_property("remark", np.array(["a\tb", "", "x", "y", "z", "µ"]))
    return found


def uneven(recording, sorting):
    """Return some channels for each unit, more for some than for others."""
    mask = np.zeros((sorting.get_num_units(), N_CHANNELS), bool)
    for row, main in enumerate(MAIN_CHANNELS):
        first = min(max(0, main - 1 - row % 2), N_CHANNELS - 3 - row)
        mask[row, first : first + 3 + row] = True
    return ChannelSparsity(mask, sorting.unit_ids, recording.channel_ids)


@pytest.fixture(scope="module")
def data():
    recording, sorting = make()
    return recording, sorting


def make_analyzer(data, kind):
    recording, sorting = data
    sparsity = uneven(recording, sorting) if kind == "sparse" else None
    return create_sorting_analyzer(
        sorting,
        recording,
        main_channel_indices=MAIN_CHANNELS,
        sparse=kind == "sparse",
        sparsity=sparsity,
    )


def expected_of(analyzer, mask):
    """Return what is exported, computed by the analyzer itself."""
    names = ["random_spikes", "waveforms", "templates", "spike_amplitudes"]
    # The same choice of spikes in both: all of them.
    params = {"random_spikes": {"method": "all"}}
    analyzer.compute(
        [*names, "template_similarity", "principal_components"],
        extension_params=params,
        progress_bar=False,
    )
    features = analyzer.get_extension("principal_components").run_for_all_spikes(progress_bar=False)
    units = analyzer.sorting.spike_table().unit_index
    on_channels = np.zeros((*features.shape[:2], N_CHANNELS))
    for unit, is_own in enumerate(mask):
        mine = features[units == unit]
        columns = np.arange(is_own.sum()) if analyzer.is_sparse() else np.flatnonzero(is_own)
        on_channels[np.ix_(units == unit, range(features.shape[1]), np.flatnonzero(is_own))] = mine[
            :, :, columns
        ]
    return on_channels


@pytest.mark.parametrize("kind", ["sparse", "dense", "given"])
def test_what_is_exported_is_what_the_analyzer_has(data, tmp_path, kind):
    analyzer = make_analyzer(data, kind)
    sparsity = uneven(*data) if kind == "given" else None
    mask = np.ones((N_UNITS, N_CHANNELS), bool) if kind == "dense" else uneven(*data).mask
    features = expected_of(analyzer, mask)
    export_to_phy(analyzer, tmp_path / "phy", sparsity=sparsity, **QUIET)
    model = load_template_model(tmp_path / "phy")
    assert model.warnings == ()
    table = analyzer.sorting.spike_table()
    np.testing.assert_array_equal(model.spike_samples, table.sample_index)
    np.testing.assert_array_equal(model.spike_clusters, table.unit_index)
    np.testing.assert_array_equal(model.spike_templates, table.unit_index)
    amplitudes = analyzer.get_extension("spike_amplitudes").get_data()
    np.testing.assert_array_equal(model.amplitudes, amplitudes)
    templates = analyzer.get_extension("templates").get_templates()
    for unit in range(N_UNITS):
        channels = np.flatnonzero(mask[unit])
        found = model.templates.dense(unit, channels.tolist())
        np.testing.assert_allclose(found, templates[unit][:, channels], rtol=1e-6)
    found = model.features.get(np.arange(model.n_spikes), range(N_CHANNELS))
    np.testing.assert_allclose(np.nan_to_num(found), features, rtol=1e-5, atol=1e-5)
    assert np.abs(features).max() > 1
    similarity = analyzer.get_extension("template_similarity").get_data()
    np.testing.assert_allclose(model.template_similarity, similarity)
    np.testing.assert_array_equal(
        model.traces.read(0, 100_000), analyzer.recording.get_traces(0, 0, 100_000)
    )
    np.testing.assert_allclose(model.channel_positions, analyzer.get_channel_locations())
    assert model.channel_shanks.tolist() == np.repeat([0, 1], 6).tolist()
    main = analyzer.main_channel_indices
    assert model.labels["channel_group"] == {k: int(main[k] >= 6) for k in range(N_UNITS)}
    assert model.labels["si_unit_id"] == {k: f"u{k}" for k in range(N_UNITS)}
    assert model.labels["group"] == dict.fromkeys(range(N_UNITS), "unsorted")
    assert (tmp_path / "phy" / "template_ind.npy").exists() == (kind != "dense")


def test_what_is_missing_is_computed_and_the_analyzer_stays_as_it_is(data, tmp_path):
    recording, sorting = data
    saved = recording.save(folder=tmp_path / "recording", progress_bar=False)
    analyzer = create_sorting_analyzer(
        sorting, saved, format="binary_folder", folder=tmp_path / "analyzer"
    )
    names = ["random_spikes", "templates", "noise_levels", "quality_metrics"]
    analyzer.compute(names, progress_bar=False)
    files = sorted(path for path in (tmp_path / "analyzer").rglob("*"))
    analyzer = load_sorting_analyzer(tmp_path / "analyzer")
    export_to_phy(analyzer, tmp_path / "phy", **QUIET)
    assert not {"spike_amplitudes", "principal_components"} & set(analyzer.extensions)
    assert analyzer.has_extension("quality_metrics")
    assert sorted(path for path in (tmp_path / "analyzer").rglob("*")) == files
    model = load_template_model(tmp_path / "phy")
    metrics = analyzer.get_extension("quality_metrics").get_data()
    expected = metrics["snr"].to_numpy(float)
    np.testing.assert_allclose([model.labels["snr"][k] for k in range(N_UNITS)], expected)
    assert not {"num_spikes", "firing_rate"} & set(model.labels)
    assert model.features is not None
    assert model.amplitudes is not None


def test_results_do_not_depend_on_chunks_and_workers(data, tmp_path):
    analyzer = make_analyzer(data, "sparse")
    analyzer.compute({"random_spikes": {"seed": 0}, "waveforms": {}}, progress_bar=False)
    export_to_phy(analyzer, tmp_path / "one", chunk_duration="10s", **QUIET)
    export_to_phy(analyzer, tmp_path / "two", chunk_duration="130ms", n_jobs=2, **QUIET)
    for path in sorted((tmp_path / "one").glob("*.npy")):
        other = np.load(tmp_path / "two" / path.name)
        np.testing.assert_array_equal(np.load(path), other, err_msg=path.name)
    raw = [(tmp_path / name / "recording.dat").read_bytes() for name in ("one", "two")]
    assert raw[0] == raw[1]


def test_units_without_spikes_are_left_out_and_properties_stay_with_theirs(data, tmp_path):
    recording, sorting = data
    analyzer = create_sorting_analyzer(with_silent_unit(sorting), recording, sparse=False)
    with pytest.warns(UserWarning, match=r"Units without spikes.*silent"):
        export_to_phy(
            analyzer,
            tmp_path / "phy",
            additional_properties=["depth", "remark", "group", "absent"],
            **QUIET,
        )
    model = load_template_model(tmp_path / "phy")
    assert model.n_templates == N_UNITS
    assert model.spike_clusters.max() == N_UNITS - 1
    assert model.template_similarity.shape == (N_UNITS, N_UNITS)
    assert model.labels["si_unit_id"] == {k: f"u{k}" for k in range(N_UNITS)}
    assert model.labels["depth"] == {k: 1.5 * (k + 1) for k in range(N_UNITS)}
    assert model.labels["remark"] == {1: "x", 2: "y", 3: "z", 4: "µ"}
    assert model.labels["group"][0] == "unsorted"


def test_raw_data_stay_where_they_are_if_that_is_wanted(data, tmp_path):
    recording, sorting = data
    saved = recording.save(folder=tmp_path / "recording", progress_bar=False)
    analyzer = create_sorting_analyzer(sorting, saved)
    for is_relative in (False, True):
        folder = tmp_path / f"phy_{is_relative}"
        export_to_phy(analyzer, folder, copy_binary=False, use_relative_path=is_relative, **QUIET)
        assert not (folder / "recording.dat").exists()
        model = load_template_model(folder)
        np.testing.assert_array_equal(model.traces.read(5, 90), recording.get_traces(0, 5, 90))
    assert "../recording" in (tmp_path / "phy_True" / "params.py").read_text()
    analyzer = create_sorting_analyzer(sorting, recording)
    with pytest.warns(UserWarning, match="not a flat file"):
        export_to_phy(analyzer, tmp_path / "none", copy_binary=False, **QUIET)
    assert read_phy_params(tmp_path / "none" / "params.py").dat_paths == ()
    assert load_template_model(tmp_path / "none").traces is None


def test_raw_data_can_be_moved_and_be_of_another_type(data, tmp_path):
    analyzer = make_analyzer(data, "sparse")
    export_to_phy(analyzer, tmp_path / "phy", dtype="float32", use_relative_path=True, **QUIET)
    (tmp_path / "phy").rename(tmp_path / "it's moved")
    model = load_template_model(tmp_path / "it's moved")
    assert model.params.dtype == np.float32
    np.testing.assert_array_equal(model.traces.read(5, 90), data[0].get_traces(0, 5, 90))


def test_a_folder_that_is_there_is_replaced_only_if_that_is_wanted(data, tmp_path):
    analyzer = make_analyzer(data, "sparse")
    folder = tmp_path / "phy"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="remove_if_exists=True"):
        export_to_phy(analyzer, folder, **QUIET)
    with pytest.raises(WriteError):
        export_to_phy(analyzer, folder, **QUIET)
    # What fails leaves the old one, and nothing else.
    with pytest.raises(ParameterError, match="Operators are"):
        export_to_phy(analyzer, folder, remove_if_exists=True, template_mode="mean", **QUIET)
    assert [path.name for path in tmp_path.rglob("*")] == ["phy", "mine.txt"]
    export_to_phy(analyzer, folder, remove_if_exists=True, **QUIET)
    assert not (folder / "mine.txt").exists()
    assert load_template_model(folder).n_templates == N_UNITS


def test_a_folder_is_not_replaced_that_holds_what_is_exported(data, tmp_path):
    recording, sorting = data
    saved = recording.save(folder=tmp_path / "all" / "recording", progress_bar=False)
    analyzer = create_sorting_analyzer(sorting, saved)
    with pytest.raises(ParameterError, match="is not replaced"):
        export_to_phy(analyzer, tmp_path / "all", remove_if_exists=True, **QUIET)
    np.testing.assert_array_equal(
        load(tmp_path / "all" / "recording").get_traces(0, 0, 9), recording.get_traces(0, 0, 9)
    )


def test_what_cannot_be_exported_is_refused(data, tmp_path):
    recording, sorting = data
    folder = tmp_path / "phy"
    two = make(n_segments=2)
    with pytest.raises(ParameterError, match="one segment, but there are 2"):
        export_to_phy(create_sorting_analyzer(two[1], two[0]), folder, **QUIET)
    with pytest.raises(ParameterError, match="SortingAnalyzer is needed"):
        export_to_phy(sorting, folder, **QUIET)
    dense = make_analyzer(data, "dense")
    with pytest.raises(ParameterError, match="must be a ChannelSparsity"):
        export_to_phy(dense, folder, sparsity=uneven(*data).mask, **QUIET)
    mask = np.ones((2, N_CHANNELS), bool)
    other = ChannelSparsity(mask, ["u0", "u1"], recording.channel_ids)
    with pytest.raises(ParameterError, match="unit_ids"):
        export_to_phy(dense, folder, sparsity=other, **QUIET)
    silent = NumpySorting.from_unit_dict([{"a": np.zeros(0, np.int64)}], 25_000.0)
    analyzer = create_sorting_analyzer(silent, recording, sparse=False)
    with pytest.raises(ParameterError, match="No unit has a spike"):
        export_to_phy(analyzer, folder, **QUIET)
    with pytest.warns(UserWarning, match="own sparsity"):
        export_to_phy(make_analyzer(data, "sparse"), folder, sparsity=uneven(*data), **QUIET)


def test_without_the_recording_there_are_no_raw_data(data, tmp_path):
    recording, sorting = data
    saved = recording.save(folder=tmp_path / "recording", progress_bar=False)
    analyzer = create_sorting_analyzer(
        sorting, saved, format="binary_folder", folder=tmp_path / "analyzer"
    )
    names = ["random_spikes", "waveforms", "templates", "spike_amplitudes"]
    analyzer.compute(names, progress_bar=False)
    (tmp_path / "recording").rename(tmp_path / "elsewhere")
    alone = load_sorting_analyzer(tmp_path / "analyzer")
    assert not alone.has_recording()
    with (
        pytest.warns(UserWarning, match="no raw data"),
        pytest.raises(MissingExtensionError, match="recording"),
    ):
        export_to_phy(alone, tmp_path / "phy", **QUIET)
    assert not (tmp_path / "phy").exists()
    with pytest.warns(UserWarning, match="no raw data"):
        export_to_phy(
            alone, tmp_path / "phy", compute_pc_features=False, add_waveforms=True, **QUIET
        )
    model = load_template_model(tmp_path / "phy")
    assert model.traces is None
    assert model.features is None
    chosen = alone.get_extension("random_spikes").get_data()
    np.testing.assert_array_equal(model.waveform_pool.spike_ids, chosen)
    waveforms = alone.get_extension("waveforms").get_data()
    channels = np.flatnonzero(alone.sparsity.mask[model.spike_clusters[chosen[3]]])
    found = model.waveform_pool.get(chosen[3:4], channels.tolist())[0]
    np.testing.assert_array_equal(found, waveforms[3][:, : channels.size])


def test_concatenated_components_are_replaced_by_those_of_channels(data, tmp_path):
    analyzer = make_analyzer(data, "dense")
    analyzer.compute(["random_spikes", "waveforms"], progress_bar=False)
    analyzer.compute("principal_components", mode="concatenated", n_components=3)
    export_to_phy(analyzer, tmp_path / "phy", **QUIET)
    model = load_template_model(tmp_path / "phy")
    assert model.features.stored.shape == (model.n_spikes, 3, N_CHANNELS)
    assert analyzer.get_extension("principal_components").params["mode"] == "concatenated"


def test_columns_without_features_name_channels_nearby_that_are_not_the_units():
    locations = np.column_stack([np.zeros(6), 20.0 * np.arange(6)])
    mask = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 1]], bool)
    found = padded_channels(mask, locations)
    assert found.tolist() == [[0, 1, 2], [3, 2, 4], [0, 5, 2]]


def test_cells_of_tables_without_a_value_are_empty(data):
    analyzer = make_analyzer(data, "sparse")
    analyzer.compute("random_spikes")
    analyzer.sorting.set_property("quality", np.array([1.5, np.nan, 2, -1, np.inf]))
    units = np.array([1, 4])
    tables = unit_tables(
        analyzer, units, np.array([0, 1]), extension_names=[], properties=["quality"]
    )
    assert tables["cluster_quality.tsv"] == b"cluster_id\tquality\r\n0\t\r\n1\tinf\r\n"
    assert tables["cluster_si_unit_ids.tsv"] == b"cluster_id\tsi_unit_id\r\n0\tu1\r\n1\tu4\r\n"


CODE = """
import json, logging, sys
import numpy as np

logging.disable(logging.CRITICAL)
from phylib.io.model import load_model

model = load_model(sys.argv[1])
model.describe()
spikes = np.arange(model.n_spikes)
json.dump({
    "samples": model.spike_samples.tolist(),
    "clusters": model.spike_clusters.tolist(),
    "amplitudes": model.amplitudes.tolist(),
    "depths": model.get_depths().tolist(),
    "features": model.get_features(spikes, np.arange(model.n_channels)).tolist(),
    "waveforms": model.get_waveforms(spikes[5:8], [0, 5]).tolist(),
    "templates": [
        [one.channel_ids.tolist(), one.template.tolist()]
        for one in map(model.get_template, range(model.n_templates))
    ],
    "metadata": {name: sorted(rows.items()) for name, rows in model.metadata.items()},
}, open(sys.argv[2], "w"))
"""


@pytest.mark.peer
@pytest.mark.parametrize("kind", ["sparse", "dense"])
def test_phylib_reads_it_as_spikeloom_does(data, tmp_path, peer_python, kind):
    analyzer = make_analyzer(data, kind)
    export_to_phy(analyzer, tmp_path / "phy", **QUIET)
    files = sorted(path.name for path in (tmp_path / "phy").iterdir())
    answer_path = tmp_path / "answer.json"
    done = subprocess.run(
        [peer_python, "-W", "ignore", "-c", CODE, tmp_path / "phy" / "params.py", answer_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(Path(answer_path).read_text())
    ours = load_template_model(tmp_path / "phy")
    assert answer["samples"] == ours.spike_samples.tolist()
    assert answer["clusters"] == ours.spike_clusters.tolist()
    np.testing.assert_allclose(answer["amplitudes"], np.ravel(ours.amplitudes))
    spikes = np.arange(ours.n_spikes)
    features = np.nan_to_num(ours.features.get(spikes, range(N_CHANNELS)))
    np.testing.assert_allclose(answer["features"], features.transpose(0, 2, 1), rtol=1e-5)
    # The mean of the positions of channels, by the squares of their positive first features.
    weights = np.maximum(features[:, 0], 0.0).astype(float) ** 2
    is_known = weights.sum(axis=1) > 0
    depths = weights @ ours.channel_positions[:, 1] / np.where(is_known, weights.sum(axis=1), 1)
    assert is_known.mean() > 0.7
    np.testing.assert_allclose(
        np.array(answer["depths"], float)[is_known], depths[is_known], rtol=1e-3
    )
    traces = data[0].get_traces(0)[:, [0, 5]]
    n_samples = ours.templates.n_samples
    for k, waveform in enumerate(answer["waveforms"]):
        start = int(ours.spike_samples[5 + k]) - n_samples // 2
        np.testing.assert_array_equal(waveform, traces[start : start + n_samples])
    for unit, (channels, template) in enumerate(answer["templates"]):
        found = ours.templates.dense(unit, channels)
        np.testing.assert_allclose(template, found, rtol=1e-5, atol=1e-5)
    assert {name: dict(rows) for name, rows in answer["metadata"].items()} == ours.labels
    # phylib writes what it misses, but for the spikes that were not there.
    written = {path.name for path in (tmp_path / "phy").iterdir()} - set(files)
    assert not written
