"""The analyzer and its extensions have the methods and arguments that users know."""

import inspect

import numpy as np
import pytest

import spikeloom as si
from making.analyzers import make_analyzer, make_saved_analyzer
from spikeloom.errors import MissingExtensionError, ParameterError

METHODS = {
    "has_recording": [],
    "has_temporary_recording": [],
    "set_temporary_recording": ["recording", "check_dtype"],
    "is_sparse": [],
    "is_filtered": [],
    "is_read_only": [],
    "is_aggregated": [],
    "split_by": [],
    "get_num_samples": ["segment_index"],
    "get_total_samples": [],
    "get_total_duration": [],
    "get_num_channels": [],
    "get_num_units": [],
    "get_num_segments": [],
    "get_sampling_frequency": [],
    "get_probegroup": [],
    "get_probe": [],
    "get_channel_locations": [],
    "channel_ids_to_indices": ["channel_ids"],
    "get_recording_property": ["key"],
    "get_sorting_property": ["key", "ids"],
    "set_sorting_property": ["key", "values", "ids", "missing_value", "save"],
    "get_sorting_provenance": [],
    "get_dtype": [],
    "get_main_channels": ["outputs", "with_dict"],
    "compute": ["input", "save", "extension_params", "verbose"],
    "compute_one_extension": ["extension_name", "save", "verbose"],
    "compute_several_extensions": ["extensions", "save", "verbose"],
    "get_extension": ["extension_name"],
    "has_extension": ["extension_name"],
    "load_extension": ["extension_name"],
    "load_all_saved_extension": [],
    "delete_extension": ["extension_name"],
    "get_saved_extension_names": [],
    "get_loaded_extension_names": [],
    "get_computable_extensions": [],
    "get_default_extension_params": ["extension_name"],
    "get_metrics_extension_data": [],
    "save_as": ["format", "folder", "backend_options"],
    "copy": [],
    "select_units": ["unit_ids", "format", "folder"],
    "remove_units": ["remove_unit_ids", "format", "folder"],
    "merge_units": ["merge_unit_groups"],
    "split_units": ["split_units"],
    "are_units_mergeable": ["merge_unit_groups"],
    "create": ["sorting", "recording"],
    "load": ["folder", "recording"],
}

FACTS = [
    "recording",
    "sorting",
    "sparsity",
    "return_in_uV",
    "return_scaled",
    "peak_sign",
    "peak_mode",
    "folder",
    "format",
    "extensions",
    "rec_attributes",
    "main_channel_indices",
    "channel_ids",
    "unit_ids",
    "sampling_frequency",
]

OF_EXTENSIONS = {
    "set_params": ["save"],
    "run": ["save"],
    "save": [],
    "copy": ["new_sorting_analyzer", "unit_ids"],
    "merge": ["new_sorting_analyzer", "merge_unit_groups", "new_unit_ids", "keep_mask", "verbose"],
    "split": ["new_sorting_analyzer", "split_units", "new_unit_ids", "verbose"],
    "delete": [],
    "reset": [],
    "set_data": ["ext_data_name", "ext_data"],
    "get_data": [],
    "load_params": [],
    "load_data": [],
    "load_run_info": [],
    "get_pipeline_nodes": [],
    "get_required_dependencies": [],
    "get_optional_dependencies": [],
    "get_any_dependencies": [],
    "get_default_params": [],
    "function_factory": [],
    "_set_params": [],
    "_run": ["verbose"],
    "_get_data": [],
    "_select_units_extension_data": ["unit_ids"],
    "_merge_extension_data": [
        *("merge_unit_groups", "new_unit_ids", "new_sorting_analyzer", "keep_mask", "verbose"),
    ],
    "_split_extension_data": ["split_units", "new_unit_ids", "new_sorting_analyzer", "verbose"],
    "_select_channels_extension_data": ["channel_ids"],
    "_get_pipeline_nodes": [],
    "_handle_backward_compatibility_on_load": [],
}


def has_arguments(function, names):
    """Return whether the arguments are there, in this order before all others."""
    given = [name for name in inspect.signature(function).parameters if name != "self"]
    return given[: len(names)] == names


@pytest.mark.parametrize(("name", "arguments"), METHODS.items())
def test_analyzers_have(name, arguments):
    assert has_arguments(getattr(si.SortingAnalyzer, name), arguments)


@pytest.mark.parametrize(("name", "arguments"), OF_EXTENSIONS.items())
def test_extensions_have(name, arguments):
    assert has_arguments(getattr(si.AnalyzerExtension, name), arguments)


def test_facts():
    analyzer = make_analyzer()
    for name in FACTS:
        assert getattr(analyzer, name) is not None or name == "folder"
    assert analyzer.get_computable_extensions() == si.get_available_analyzer_extensions()
    params = analyzer.get_default_extension_params("waveforms")
    assert params == si.get_default_analyzer_extension_params("waveforms")
    for name in ("extension_name", "depend_on", "need_recording", "use_nodepipeline"):
        assert hasattr(si.AnalyzerExtension, name)
    for name in ("nodepipeline_variables", "need_job_kwargs"):
        assert hasattr(si.AnalyzerExtension, name)
    assert si.AnalyzerExtension.need_backward_compatibility_on_load is False


@pytest.mark.parametrize("format", ["binary_folder", "zarr"])
def test_what_is_saved_of_an_extension_can_be_read_again(format, tmp_path):
    analyzer = make_saved_analyzer(tmp_path, format)
    extension = analyzer.compute("random_spikes", max_spikes_per_unit=7)
    run_info, chosen = dict(extension.run_info), extension.get_data().tolist()
    extension.params, extension.data, extension.run_info = None, {}, {}
    extension.load_params()
    assert extension.params["max_spikes_per_unit"] == 7
    extension.load_data()
    extension.load_run_info()
    assert extension.run_info == run_info
    assert extension.get_data().tolist() == chosen
    copied = analyzer.copy()
    in_memory = copied.get_extension("random_spikes")
    with pytest.raises(MissingExtensionError, match="in memory"):
        in_memory.load_params()


@pytest.mark.parametrize("sparse", [True, False])
def test_groups_are_split(sparse):
    recording, sorting = si.generate_ground_truth_recording(durations=[4.0], seed=3, num_units=4)
    other, fewer = si.generate_ground_truth_recording(durations=[4.0], seed=4, num_units=3)
    whole = si.create_sorting_analyzer(
        {"left": sorting, "right": fewer},
        {"left": recording, "right": other},
        sparse=sparse,
        progress_bar=False,
    )
    names = ["random_spikes", "waveforms", "templates", "spike_amplitudes", "unit_locations"]
    whole.compute([*names, "correlograms"], progress_bar=False)
    if sparse:
        parts = whole.split_by()
    else:
        with pytest.warns(UserWarning, match="do not know how channels are selected"):
            parts = whole.split_by()
    assert list(parts) == ["left", "right"]
    assert {key: one.get_num_units() for key, one in parts.items()} == {"left": 4, "right": 3}
    left = parts["right"]
    np.testing.assert_array_equal(left.recording.get_traces(), other.get_traces())
    assert left.get_num_channels() == other.get_num_channels()
    assert set(left.extensions) >= {"random_spikes", "waveforms", "templates", "correlograms"}
    assert ("unit_locations" in left.extensions) == sparse
    mains = whole.get_main_channels("id", with_dict=True)
    assert left.get_main_channels("id").tolist() == [mains[unit] for unit in left.unit_ids.tolist()]
    assert (
        left.get_main_channels().tolist()
        == si.create_sorting_analyzer(fewer, other, progress_bar=False).get_main_channels().tolist()
    )
    alone = si.create_sorting_analyzer(
        left.sorting, other.rename_channels(left.channel_ids), sparsity=left.sparsity, sparse=sparse
    )
    alone.extensions["random_spikes"] = left.get_extension("random_spikes").copy(alone)
    alone.compute([name for name in names[1:] if name in left.extensions], progress_bar=False)
    for name in alone.extensions:
        for key, values in alone.get_extension(name).data.items():
            found = left.get_extension(name).data[key]
            np.testing.assert_allclose(found, values, rtol=1e-4, atol=1e-3)
    with pytest.raises(ParameterError, match="nothing to split by"):
        make_analyzer().split_by()
