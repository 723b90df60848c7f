"""Names that users of SpikeInterface know are in the flat namespace; nothing heavy comes along."""

import subprocess
import sys

import pytest

import spikeloom as si

CLASSES = [
    "AppendSegmentRecording",
    "AppendSegmentSorting",
    "BaseEvent",
    "BaseEventSegment",
    "BaseExtractor",
    "BaseRecording",
    "BaseRecordingSegment",
    "BaseRecordingSnippets",
    "BaseSnippets",
    "BaseSnippetsSegment",
    "BaseSorting",
    "BaseSortingSegment",
    "BinaryFolderRecording",
    "BinaryRecordingExtractor",
    "ChannelSliceRecording",
    "ChannelSliceSnippets",
    "ChannelSparsity",
    "ChannelsAggregationRecording",
    "ConcatenateSegmentRecording",
    "ConcatenateSegmentSorting",
    "FrameSliceRecording",
    "FrameSliceSorting",
    "InjectTemplatesRecording",
    "MockRecording",
    "Motion",
    "NoiseGeneratorRecording",
    "NpyFolderSnippets",
    "NpySnippetsExtractor",
    "NpzFolderSorting",
    "NpzSortingExtractor",
    "NumpyEvent",
    "NumpyFolderSorting",
    "NumpyRecording",
    "NumpySnippets",
    "NumpySorting",
    "SelectSegmentRecording",
    "SelectSegmentSorting",
    "SharedMemoryRecording",
    "SharedMemorySorting",
    "SpikeVectorSortingSegment",
    "SplitSegmentSorting",
    "Templates",
    "TimeSeriesChunkExecutor",
    "ChunkRecordingExecutor",
    "UnitsAggregationSorting",
    "UnitsSelectionSorting",
    "ZarrRecordingExtractor",
    "ZarrSortingExtractor",
]

FUNCTIONS = [
    "add_synchrony_to_sorting",
    "aggregate_channels",
    "aggregate_units",
    "append_recordings",
    "append_sortings",
    "apply_merges_to_sorting",
    "apply_splits_to_sorting",
    "clean_refractory_period",
    "compute_sparsity",
    "concatenate_recordings",
    "concatenate_sortings",
    "create_extractor_from_new_recording",
    "create_extractor_from_new_sorting",
    "create_recording_from_old_extractor",
    "create_sorting_from_old_extractor",
    "create_sorting_npz",
    "download_dataset",
    "ensure_chunk_size",
    "ensure_n_jobs",
    "estimate_sparsity",
    "estimate_templates",
    "estimate_templates_with_accumulator",
    "extract_waveforms_to_buffers",
    "fix_job_kwargs",
    "generate_ground_truth_recording",
    "generate_recording",
    "generate_recording_by_size",
    "generate_snippets",
    "generate_sorting",
    "generate_templates",
    "get_best_job_kwargs",
    "get_channel_distances",
    "get_chunk_with_margin",
    "get_closest_channels",
    "get_default_zarr_compressor",
    "get_global_dataset_folder",
    "get_global_job_kwargs",
    "get_global_tmp_folder",
    "get_noise_levels",
    "get_random_data_chunks",
    "get_template_amplitude_on_main_channel",
    "get_template_amplitudes",
    "get_template_extremum_amplitude",
    "get_template_extremum_channel",
    "get_template_extremum_channel_peak_shift",
    "get_template_peak_shift_on_main_channel",
    "inject_some_duplicate_units",
    "inject_some_split_units",
    "inject_templates",
    "is_set_global_dataset_folder",
    "is_set_global_job_kwargs_set",
    "is_set_global_tmp_folder",
    "load",
    "load_extractor",
    "ms_to_samples",
    "normal_pdf",
    "order_channels_by_depth",
    "random_spikes_selection",
    "read_binary",
    "read_binary_folder",
    "read_npy_snippets",
    "read_npy_snippets_folder",
    "read_npz_folder",
    "read_npz_sorting",
    "read_numpy_sorting_folder",
    "read_python",
    "read_zarr",
    "read_zarr_array",
    "reset_global_job_kwargs",
    "reset_global_tmp_folder",
    "select_segment_recording",
    "select_segment_sorting",
    "set_global_dataset_folder",
    "set_global_job_kwargs",
    "set_global_tmp_folder",
    "snippets_from_sorting",
    "spike_vector_to_indices",
    "spike_vector_to_spike_trains",
    "split_job_kwargs",
    "split_recording",
    "split_sorting",
    "synthesize_random_firings",
    "synthetize_spike_train_bad_isi",
    "write_binary_recording",
    "write_memory_recording",
    "write_python",
    "write_recording_to_zarr",
    "write_to_h5_dataset_format",
]

HEAVY = (
    "dask fsspec h5py matplotlib numba numcodecs pandas probeinterface rich scipy starlette zarr"
)


@pytest.mark.parametrize("name", CLASSES + FUNCTIONS)
def test_a_known_name_is_there_under_both_packages(name):
    assert name in si.__all__
    assert callable(getattr(si, name))
    assert getattr(si.core, name) is getattr(si, name)


@pytest.mark.parametrize("name", sorted(si.__all__))
def test_every_name_of_the_stubs_exists(name):
    assert getattr(si, name) is not None


def test_an_unknown_name_is_an_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = si.nonsense
    with pytest.raises(AttributeError, match="nonsense"):
        _ = si.core.nonsense


def test_nothing_heavy_comes_with_the_package_or_with_plain_objects():
    code = (
        "import sys, numpy as np, spikeloom as si;"
        "r = si.NumpyRecording([np.zeros((50, 2))], 100.0);"
        "r.frame_slice(0, 9).select_channels([1]).get_traces();"
        "s = si.NumpySorting.from_unit_dict({'a': [1, 2]}, 100.0);"
        "s.get_unit_spike_train('a'), s.to_spike_vector(), repr(r), repr(s);"
        f"print([m for m in {HEAVY.split()} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
