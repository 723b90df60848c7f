"""The documented examples of sorting analyzers run as they are printed, in the document's order.

What they speak of without making it is supplied, and what the text around them says is checked.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

import spikeloom as si
from making.printed import run_printed
from spikeloom.errors import MissingExtensionError, ParameterError

CREATE = """
from spikeinterface import create_sorting_analyzer

# create in-memory sorting analyzer object
sorting_analyzer = create_sorting_analyzer(
    sorting=sorting,
    recording=recording,
    sparse=True, # default
    format="memory", # default
)

print(sorting_analyzer)
"""

SAVE_AS = """
# create a "processed" folder
processed_folder = Path("processed")

sorting_analyzer_zarr = sorting_analyzer.save_as(
    folder=processed_folder / "sorting_analyzer.zarr",
    format="zarr"
)
sorting_analyzer_binary = sorting_analyzer.save_as(
    folder=processed_folder / "sorting_analyzer_bin",
    format="binary_folder"
)
# sorting_analyzer_zarr and sorting_analyzer_binary are valid SortingAnalyzers,
# now associated to a Zarr storage / binary folder backend

# We can also create directly a SortingAnalyzer associated to a backend upon instantiation
# for instance, this create "zarr" SortingAnalyzer object
sorting_analyzer_with_backend = create_sorting_analyzer(
    sorting=sorting,
    recording=recording,
    sparse=True,
    format="zarr",
    folder="my-sorting-analyzer.zarr"
)
"""

LOAD = """
sorting_analyzer = si.load_sorting_analyzer(folder="my-sorting-analyzer.zarr")
"""

FACTS = """
num_channels = sorting_analyzer.get_num_channels()
num_units = sorting_analyzer.get_num_units()
sampling_frequency = sorting_analyzer.get_sampling_frequency()
# or: sampling_frequency = sorting_analyzer.sampling_frequency
total_num_samples = sorting_analyzer.get_total_samples()
total_duration = sorting_analyzer.get_total_duration()

# 'segment_index' is required for multi-segment objects
num_samples = sorting_analyzer.get_num_samples(segment_index=0)

# channel_ids and unit_ids
channel_ids = sorting_analyzer.channel_ids
unit_ids = sorting_analyzer.unit_ids
"""

COMPUTE = """
# compute some additional extensions
random_spikes_extension = sorting_analyzer.compute("random_spikes")
waveforms_extension = sorting_analyzer.compute("waveforms")
templates_extension = sorting_analyzer.compute("templates")

# each extension has a .data field: a dictionary with computed data
print(templates_extension.data.keys())
"""

COMPUTE_MORE = """
# arguments can be passed directly to the compute function
# note that re-computing an extension will overwrite the existing one
waveform_extension_2 = sorting_analyzer.compute("waveforms", ms_before=2, ms_after=5)

# multiple extensions can be computed within the same `compute` call
sorting_analyzer.compute(
    ["random_spikes", "waveforms", "templates", "noise_levels"]
)
"""

GET_EXTENSION = """
if sorting_analyzer.has_extension("templates"):
    templates_extension = sorting_analyzer.get_extension("templates")
"""

CHANGE_UNITS = """
sorting_analyzer_select = sorting_analyzer.select_units(unit_ids=[0, 1, 2, 3])
sorting_analyzer_remove = sorting_analyzer.remove_units(remove_unit_ids=[0])
sorting_analyzer_merge = sorting_analyzer.merge_units([0, 1], [2, 3])
"""

SPARSITY = """
# in this case 'analyzer' should be a dense SortingAnalyzer
sparsity = compute_sparsity(analyzer, method="radius", radius_um=40)
"""

SPARSE_ANALYZER = """
analyzer_sparse = si.create_sorting_analyzer(
    sorting=sorting,
    recording=recording,
    sparsity=sparsity,
    format='binary_folder',
    folder="sparse_analyzer"
)
"""

GAIN_UV = 2.0

TEMPLATE_TOOLS = (
    "get_template_amplitudes",
    "get_template_extremum_channel",
    "get_template_extremum_channel_peak_shift",
    "get_template_extremum_amplitude",
)


@pytest.fixture(scope="module")
def sorted_data(tmp_path_factory):
    """Four channels and ten units; the recording is a file."""
    generated, truth = si.generate_ground_truth_recording(
        durations=[6.0], num_channels=4, num_units=10, seed=3
    )
    folder = tmp_path_factory.mktemp("sorted") / "recording"
    recording = generated.save(folder=folder, progress_bar=False)
    recording.set_channel_gains(GAIN_UV)
    return recording, truth.rename_units(np.arange(10))


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recording(sorted_data):
    return sorted_data[0]


@pytest.fixture
def sorting(sorted_data):
    return sorted_data[1]


@pytest.fixture
def analyzer(recording, sorting):
    return si.create_sorting_analyzer(sorting, recording)


def files_of(folder):
    """Return all files below a folder, and when they were written."""
    found = Path(folder).rglob("*")
    return {path: path.stat().st_mtime_ns for path in found if path.is_file()}


# -- making, saving and loading --------------------------------------------------------------


def test_creating(recording, sorting, capsys):
    code = CREATE.replace("from spikeinterface", "from spikeloom")
    done = run_printed(code, recording=recording, sorting=sorting)
    assert capsys.readouterr().out == (
        "SortingAnalyzer: 4 channels - 10 units - 1 segments - memory - sparse - has recording\n"
        "Loaded 0 extensions:\n"
    )
    default = si.create_sorting_analyzer(sorting, recording)
    assert default.format == "memory"
    assert default.sparsity == done.sorting_analyzer.sparsity


def test_voltages_are_in_microvolts_unless_told_otherwise(recording, sorting, analyzer):
    raw = si.create_sorting_analyzer(sorting, recording, return_scaled=False)
    assert (analyzer.return_scaled, raw.return_scaled) == (True, False)
    for one in (analyzer, raw):
        one.compute({"random_spikes": {"method": "all"}, "waveforms": {}, "templates": {}})
        one.compute("spike_amplitudes")
    for name in ("waveforms", "templates", "spike_amplitudes"):
        values, unscaled = (one.get_extension(name).get_data() for one in (analyzer, raw))
        np.testing.assert_allclose(values, unscaled * GAIN_UV, rtol=1e-4, atol=1e-3)


def test_saving(recording, sorting, analyzer):
    analyzer.compute(["random_spikes", "waveforms", "templates", "noise_levels"])
    analyzer.compute("quality_metrics", metric_names=["num_spikes", "snr"])
    done = run_printed(SAVE_AS, recording=recording, sorting=sorting, sorting_analyzer=analyzer)
    formats = [
        one.format
        for one in (
            done.sorting_analyzer_zarr,
            done.sorting_analyzer_binary,
            done.sorting_analyzer_with_backend,
        )
    ]
    assert formats == ["zarr", "binary_folder", "zarr"]
    for saved in (done.sorting_analyzer_zarr, done.sorting_analyzer_binary):
        assert set(saved.get_saved_extension_names()) == set(analyzer.get_loaded_extension_names())
        again = si.load_sorting_analyzer(saved.folder)
        for name in ("waveforms", "templates"):
            values = analyzer.get_extension(name).get_data()
            np.testing.assert_array_equal(again.get_extension(name).get_data(), values)
    extensions = Path("processed/sorting_analyzer_bin/extensions")
    assert (extensions / "templates" / "average.npy").is_file()
    assert list((extensions / "quality_metrics").glob("*.csv"))
    assert not list(Path().rglob("*.pkl"))
    assert Path("processed/sorting_analyzer.zarr/extensions/templates/.zgroup").is_file()
    assert Path("my-sorting-analyzer.zarr/.zgroup").is_file()


@pytest.mark.parametrize("format", ["zarr", "binary_folder"])
def test_in_memory_it_writes_only_when_it_is_saved(analyzer, format):
    analyzer.compute(["random_spikes", "waveforms", "templates"])
    saved = analyzer.save_as(folder=f"saved.{format}", format=format)
    before = files_of(Path())
    tried = saved.save_as(format="memory")
    tried.compute("waveforms", ms_before=0.5, save=True)
    assert files_of(Path()) == before
    assert not tried.has_extension("templates")
    assert si.load_sorting_analyzer(saved.folder).has_extension("templates")
    kept = tried.save_as(folder=f"kept.{format}", format=format)
    assert kept.get_extension("waveforms").params["ms_before"] == 0.5


def test_loading(recording, sorting):
    made = si.create_sorting_analyzer(
        sorting, recording, format="zarr", folder="my-sorting-analyzer.zarr"
    )
    loaded = run_printed(LOAD).sorting_analyzer
    np.testing.assert_array_equal(loaded.sorting.to_spike_vector(), made.sorting.to_spike_vector())
    assert loaded.has_recording()
    np.testing.assert_array_equal(
        loaded.recording.get_traces(end_frame=9), recording.get_traces(end_frame=9)
    )


def test_loading_without_the_recording(recording, sorting):
    copied = recording.save(folder="copied")
    si.create_sorting_analyzer(sorting, copied, format="binary_folder", folder="saved")
    shutil.rmtree("copied")
    loaded = si.load_sorting_analyzer(folder="saved")
    assert not loaded.has_recording()
    assert "has recording" not in repr(loaded)
    assert loaded.sampling_frequency == recording.sampling_frequency
    assert loaded.channel_ids.tolist() == recording.channel_ids.tolist()
    np.testing.assert_array_equal(loaded.get_channel_locations(), recording.get_channel_locations())
    assert loaded.get_total_samples() == recording.get_total_samples()
    np.testing.assert_array_equal(loaded.sorting.to_spike_vector(), sorting.to_spike_vector())


def test_facts(analyzer, recording):
    done = run_printed(FACTS, sorting_analyzer=analyzer)
    assert (done.num_channels, done.num_units) == (4, 10)
    assert done.sampling_frequency == analyzer.sampling_frequency == recording.sampling_frequency
    assert done.total_num_samples == done.num_samples == recording.get_num_samples()
    assert done.total_duration == 6.0
    assert done.channel_ids.tolist() == recording.channel_ids.tolist()
    assert done.unit_ids.tolist() == list(range(10))


# -- extensions ------------------------------------------------------------------------------


def test_where_extensions_live():
    core = {"random_spikes", "waveforms", "templates", "noise_levels"}
    assert core <= set(si.get_available_analyzer_extensions())
    assert si.get_extension_class("spike_amplitudes") is si.postprocessing.ComputeSpikeAmplitudes
    assert si.get_extension_class("quality_metrics") is si.metrics.ComputeQualityMetrics


def test_a_child_needs_its_parent(analyzer):
    for child, parent in (("waveforms", "random_spikes"), ("spike_amplitudes", "templates")):
        with pytest.raises(MissingExtensionError, match=parent):
            analyzer.compute(child)
    analyzer.compute("random_spikes")
    analyzer.compute("noise_levels")
    analyzer.compute("waveforms")
    assert analyzer.get_loaded_extension_names() == ["random_spikes", "noise_levels", "waveforms"]


@pytest.mark.parametrize("again", [{"max_spikes_per_unit": 50}, {}])
def test_children_go_when_a_parent_is_computed_again(analyzer, again):
    analyzer.compute(["random_spikes", "waveforms", "templates", "noise_levels"])
    analyzer.compute("random_spikes", **again)
    assert set(analyzer.get_loaded_extension_names()) == {"random_spikes", "noise_levels"}
    assert not analyzer.has_extension("waveforms")


def test_how_many_spikes_and_how_long_waveforms(analyzer, recording):
    analyzer.compute("random_spikes", max_spikes_per_unit=20)
    chosen = analyzer.get_extension("random_spikes").get_random_spikes()
    assert np.bincount(chosen["unit_index"]).tolist() == [20] * 10
    found = analyzer.compute("waveforms", ms_before=2, ms_after=5)
    n_samples = int(7 * recording.sampling_frequency / 1000)
    assert found.get_waveforms_one_unit(0).shape[:2] == (20, n_samples)


def test_templates_of_waveforms_or_of_traces(recording, sorting):
    straight = si.create_sorting_analyzer(sorting, recording, sparse=False)
    straight.compute("random_spikes")
    of_waveforms = straight.copy()
    templates = straight.compute("templates", ms_before=1, ms_after=2)
    assert set(templates.data) == {"average", "std"}
    with pytest.raises((ParameterError, MissingExtensionError), match="waveforms"):
        straight.compute("templates", operators=["median"])
    of_waveforms.compute("waveforms", ms_before=1, ms_after=2)
    operators = ["average", "std", "median", ("percentile", 90.0)]
    both = of_waveforms.compute("templates", operators=operators)
    np.testing.assert_allclose(both.data["average"], templates.data["average"], atol=1e-2)
    np.testing.assert_allclose(both.data["std"], templates.data["std"], atol=1e-2)
    waveforms = of_waveforms.get_extension("waveforms").get_waveforms_one_unit(3)
    for operator, expected in (
        ("average", waveforms.mean(axis=0)),
        ("std", waveforms.std(axis=0)),
        ("median", np.median(waveforms, axis=0)),
    ):
        found = both.get_templates(unit_ids=[3], operator=operator)[0]
        np.testing.assert_allclose(found, expected, atol=1e-2)
    high = both.get_templates(unit_ids=[3], operator="percentile", percentile=90.0)[0]
    np.testing.assert_allclose(high, np.percentile(waveforms, 90.0, axis=0), atol=1e-2)


def test_what_the_recording_is_needed_for(recording, sorting):
    copied = recording.save(folder="copied")
    made = si.create_sorting_analyzer(sorting, copied, format="zarr", folder="saved.zarr")
    made.compute(["random_spikes", "waveforms", "templates", "noise_levels"])
    shutil.rmtree("copied")
    loaded = si.load_sorting_analyzer("saved.zarr")
    later = ["unit_locations", "template_similarity", "correlograms", "principal_components"]
    loaded.compute(later)
    assert all(loaded.has_extension(name) for name in later)
    loaded.compute("random_spikes", max_spikes_per_unit=50)
    for name in ("waveforms", "noise_levels"):
        with pytest.raises(MissingExtensionError, match="recording"):
            loaded.compute(name)


def test_computing(analyzer, recording, capsys):
    done = run_printed(COMPUTE, sorting_analyzer=analyzer)
    assert capsys.readouterr().out == "dict_keys(['average', 'std'])\n"
    assert done.templates_extension is analyzer.get_extension("templates")
    again = run_printed(COMPUTE_MORE, sorting_analyzer=analyzer)
    n_samples = int(7 * recording.sampling_frequency / 1000)
    assert again.waveform_extension_2.data["waveforms"].shape[1] == n_samples
    # What is named is computed anew, with the parameters of this call.
    assert analyzer.get_extension("waveforms") is not again.waveform_extension_2
    assert analyzer.get_extension("waveforms").data["waveforms"].shape[1] < n_samples
    assert set(analyzer.get_loaded_extension_names()) == {
        "random_spikes",
        "waveforms",
        "templates",
        "noise_levels",
    }
    assert run_printed(GET_EXTENSION, sorting_analyzer=analyzer).templates_extension is (
        analyzer.get_extension("templates")
    )


def test_what_is_computed_already_is_computed_again(analyzer):
    first = analyzer.compute("random_spikes", seed=1)
    second = analyzer.compute("random_spikes", seed=1)
    assert second is not first
    np.testing.assert_array_equal(second.get_data(), first.get_data())


def test_what_is_not_computed_is_not_there(analyzer):
    assert not analyzer.has_extension("templates")
    assert analyzer.get_extension("templates") is None
    assert not hasattr(run_printed(GET_EXTENSION, sorting_analyzer=analyzer), "templates_extension")


def test_parameters_of_several_extensions(analyzer):
    analyzer.compute(
        ["random_spikes", "waveforms"],
        extension_params={"waveforms": {"ms_before": 2}},
        n_jobs=2,
        progress_bar=False,
    )
    assert analyzer.get_extension("waveforms").params["ms_before"] == 2
    analyzer.compute({"waveforms": {"ms_before": 0.5}, "templates": {"operators": ["average"]}})
    assert analyzer.get_extension("waveforms").params["ms_before"] == 0.5
    assert list(analyzer.get_extension("templates").data) == ["average"]


@pytest.mark.parametrize("format", ["zarr", "binary_folder"])
def test_trying_parameters_without_saving(recording, sorting, format):
    place = f"saved.{format}"
    saved = si.create_sorting_analyzer(sorting, recording, format=format, folder=place)
    saved.compute(["random_spikes", "waveforms"])
    before = files_of(Path())
    saved.compute("waveforms", ms_before=0.5, save=False)
    assert files_of(Path()) == before
    assert saved.get_extension("waveforms").params["ms_before"] == 0.5
    on_disk = si.load_sorting_analyzer(saved.folder).get_extension("waveforms")
    assert on_disk.params["ms_before"] == 1.0
    elsewhere = saved.save_as(folder=f"elsewhere.{format}", format=format)
    again = si.load_sorting_analyzer(elsewhere.folder)
    assert again.get_extension("waveforms").params["ms_before"] == 0.5
    saved.compute("waveforms", ms_before=0.5, save=True)
    on_disk = si.load_sorting_analyzer(saved.folder).get_extension("waveforms")
    assert on_disk.params["ms_before"] == 0.5


def test_in_memory_there_is_nowhere_to_save_to(analyzer):
    analyzer.compute("random_spikes", save=True)
    assert files_of(Path()) == {}


def test_changing_units(analyzer):
    analyzer.compute(["random_spikes", "waveforms", "templates", "noise_levels"])
    analyzer.compute(["spike_amplitudes", "correlograms", "unit_locations"])
    names = analyzer.get_loaded_extension_names()
    done = run_printed(CHANGE_UNITS, sorting_analyzer=analyzer)
    selected, removed = done.sorting_analyzer_select, done.sorting_analyzer_remove
    merged = done.sorting_analyzer_merge
    assert selected.unit_ids.tolist() == [0, 1, 2, 3]
    assert removed.unit_ids.tolist() == list(range(1, 10))
    assert merged.unit_ids.tolist() == [4, 5, 6, 7, 8, 9, 10, 11]
    for changed in (selected, removed, merged):
        assert set(changed.get_loaded_extension_names()) == set(names)
    templates = analyzer.get_extension("templates").get_templates()
    np.testing.assert_array_equal(
        selected.get_extension("templates").get_templates(), templates[:4]
    )
    np.testing.assert_array_equal(removed.get_extension("templates").get_templates(), templates[1:])
    n_spikes = analyzer.sorting.count_num_spikes_per_unit()
    for new, (one, other) in ((10, (0, 1)), (11, (2, 3))):
        assert merged.sorting.count_num_spikes_per_unit()[new] == n_spikes[one] + n_spikes[other]
    assert analyzer.get_num_units() == 10


def test_the_ways_to_say_what_is_merged(analyzer):
    printed = analyzer.merge_units([0, 1], [2, 3])
    for merged in (
        analyzer.merge_units([[0, 1], [2, 3]]),
        analyzer.merge_units(merge_unit_groups=[[0, 1], [2, 3]]),
        analyzer.merge_units([(0, 1), (2, 3)]),
    ):
        assert merged.unit_ids.tolist() == printed.unit_ids.tolist()
        np.testing.assert_array_equal(
            merged.sorting.to_spike_vector(), printed.sorting.to_spike_vector()
        )
    assert analyzer.merge_units([0, 1]).get_num_units() == 9


def test_unknown_units_are_refused(analyzer):
    for change in (analyzer.select_units, analyzer.remove_units):
        with pytest.raises(ParameterError, match="99"):
            change([0, 99])
    with pytest.raises(ParameterError):
        analyzer.merge_units([0, 99], [2, 3])


# -- sparsity --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wide_data():
    """Sixteen channels, so that units are far from some."""
    recording, sorting = si.generate_ground_truth_recording(
        durations=[5.0], num_channels=16, num_units=6, seed=5
    )
    return recording, sorting


@pytest.fixture(scope="module")
def wide(wide_data):
    recording, sorting = wide_data
    analyzer = si.create_sorting_analyzer(sorting, recording, sparse=False)
    analyzer.compute(["random_spikes", "waveforms", "templates", "noise_levels"])
    return analyzer


def test_sparsity(wide, wide_data):
    recording, sorting = wide_data
    sparsity = run_printed(SPARSITY, analyzer=wide).sparsity
    assert isinstance(sparsity, si.ChannelSparsity)
    locations_um = wide.get_channel_locations()
    mains = wide.get_main_channels(with_dict=True)
    for unit_id in wide.unit_ids:
        offsets_um = locations_um - locations_um[mains[unit_id]]
        near = np.flatnonzero(np.hypot(*offsets_um.T) <= 40)
        assert sparsity.unit_id_to_channel_indices[unit_id].tolist() == near.tolist()
        ids = sparsity.unit_id_to_channel_ids[unit_id]
        assert list(ids) == recording.channel_ids[near].tolist()
    done = run_printed(SPARSE_ANALYZER, recording=recording, sorting=sorting, sparsity=sparsity)
    assert done.analyzer_sparse.sparsity == sparsity
    assert si.load_sorting_analyzer("sparse_analyzer").sparsity == sparsity
    ignored = si.create_sorting_analyzer(sorting, recording, sparse=False, sparsity=sparsity)
    assert ignored.sparsity == sparsity
    done.analyzer_sparse.compute(["random_spikes", "waveforms"])
    sparse, dense = (
        one.get_extension("waveforms").data["waveforms"].nbytes
        for one in (done.analyzer_sparse, wide)
    )
    assert sparse < dense


def test_sparsity_is_the_default(wide_data):
    recording, sorting = wide_data
    assert si.create_sorting_analyzer(sorting, recording).is_sparse()
    assert not si.create_sorting_analyzer(sorting, recording, sparse=False).is_sparse()


def test_ways_to_find_a_sparsity(wide):
    best = si.compute_sparsity(wide, method="best_channels", num_channels=4)
    amplitudes = si.get_template_amplitudes(wide)
    for unit_id in wide.unit_ids:
        largest = np.argsort(np.abs(amplitudes[unit_id]))[-4:]
        assert set(best.unit_id_to_channel_indices[unit_id]) == set(largest)
    by_snr = si.compute_sparsity(wide, method="threshold", threshold=5)
    noise = wide.get_extension("noise_levels").get_data()
    for unit_id in wide.unit_ids:
        loud = np.flatnonzero(np.abs(amplitudes[unit_id]) / noise >= 5)
        assert by_snr.unit_id_to_channel_indices[unit_id].tolist() == loud.tolist()


def test_a_sparsity_by_signal_to_noise_needs_no_computed_noise(wide_data):
    recording, sorting = wide_data
    analyzer = si.create_sorting_analyzer(sorting, recording, sparse=False)
    analyzer.compute(["random_spikes", "templates"])
    found = si.compute_sparsity(analyzer, method="threshold", threshold=5)
    assert not analyzer.has_extension("noise_levels")
    analyzer.compute("noise_levels")
    computed = si.compute_sparsity(analyzer, method="threshold", threshold=5)
    assert found.mask.any()
    assert (found.mask != computed.mask).mean() < 0.05


def test_sparsity_by_property(wide_data):
    recording, sorting = wide_data
    tetrodes = np.repeat([0, 1, 2, 3], 4)
    grouped = recording.channel_slice(channel_ids=recording.channel_ids)
    grouped.set_channel_groups(tetrodes)
    units = sorting.select_units(unit_ids=sorting.unit_ids)
    units.set_property("group", [0, 1, 2, 3, 0, 1])
    analyzer = si.create_sorting_analyzer(units, grouped, sparse=False)
    sparsity = si.compute_sparsity(analyzer, method="by_property", by_property="group")
    for unit_id, group in zip(units.unit_ids, [0, 1, 2, 3, 0, 1], strict=True):
        channels = sparsity.unit_id_to_channel_indices[unit_id]
        assert channels.tolist() == np.flatnonzero(tetrodes == group).tolist()


def test_estimating_a_sparsity_of_an_analyzer(wide, wide_data):
    recording, sorting = wide_data
    of_analyzer = si.estimate_sparsity(wide, method="radius", radius_um=40)
    assert of_analyzer == si.estimate_sparsity(sorting, recording, method="radius", radius_um=40)
    assert of_analyzer == si.compute_sparsity(wide, method="radius", radius_um=40)


def test_plots_take_a_sparsity(wide):
    import matplotlib.pyplot as plt

    sparsity = si.compute_sparsity(wide, method="radius", radius_um=40)
    for plot in (si.plot_unit_waveforms, si.plot_unit_templates):
        assert plot(wide, unit_ids=wide.unit_ids[:2], sparsity=sparsity) is not None
    plt.close("all")


# -- template tools --------------------------------------------------------------------------


@pytest.mark.parametrize("cover", [lambda analyzer: analyzer, si.WaveformExtractor])
def test_template_tools(wide, cover):
    given = cover(wide)
    amplitudes, channels, shifts, peaks = (getattr(si, name)(given) for name in TEMPLATE_TOOLS)
    nbefore = wide.get_extension("waveforms").nbefore
    for unit_index, unit_id in enumerate(wide.unit_ids):
        template = wide.get_extension("templates").get_templates()[unit_index]
        main = int(np.abs(amplitudes[unit_id]).argmax())
        assert np.abs(amplitudes[unit_id]).shape == (16,)
        assert channels[unit_id] == wide.channel_ids[main]
        assert shifts[unit_id] == np.abs(template[:, main]).argmax() - nbefore
        assert abs(peaks[unit_id]) == pytest.approx(np.abs(template[:, main]).max(), rel=1e-3)


def test_extremum_channels_as_indices(wide):
    ids = si.get_template_extremum_channel(wide, outputs="id")
    indices = si.get_template_extremum_channel(wide, outputs="index")
    assert {unit: wide.channel_ids[k] for unit, k in indices.items()} == ids
