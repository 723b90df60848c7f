# Public names of this room, by module; imported when first used.
from .base import (
    BaseExtractor as BaseExtractor,
    BaseSegment as BaseSegment,
)
from .binary import (
    BinaryRecordingExtractor as BinaryRecordingExtractor,
    BinaryRecordingSegment as BinaryRecordingSegment,
    read_binary as read_binary,
)
from .binary_folder import (
    BinaryFolderRecording as BinaryFolderRecording,
    read_binary_folder as read_binary_folder,
)
from .channel_aggregation import (
    ChannelsAggregationRecording as ChannelsAggregationRecording,
    aggregate_channels as aggregate_channels,
)
from .channel_geometry import (
    get_channel_distances as get_channel_distances,
    get_closest_channels as get_closest_channels,
    order_channels_by_depth as order_channels_by_depth,
)
from .channel_slices import (
    ChannelSliceRecording as ChannelSliceRecording,
)
from .chunk_margins import (
    get_chunk_with_margin as get_chunk_with_margin,
)
from .event_folder import (
    FolderEvent as FolderEvent,
)
from .events import (
    BaseEvent as BaseEvent,
    BaseEventSegment as BaseEventSegment,
    SelectSegmentEvent as SelectSegmentEvent,
)
from .excess_spikes import (
    RemoveExcessSpikesSorting as RemoveExcessSpikesSorting,
    has_exceeding_spikes as has_exceeding_spikes,
    remove_excess_spikes as remove_excess_spikes,
)
from .frame_slices import (
    FrameSliceRecording as FrameSliceRecording,
)
from .hdf5_writing import (
    write_to_h5_dataset_format as write_to_h5_dataset_format,
)
from .jobs import (
    ChunkRecordingExecutor as ChunkRecordingExecutor,
    TimeSeriesChunkExecutor as TimeSeriesChunkExecutor,
    divide_recording_into_chunks as divide_recording_into_chunks,
    divide_segment_into_chunks as divide_segment_into_chunks,
    divide_time_series_into_chunks as divide_time_series_into_chunks,
    ensure_chunk_size as ensure_chunk_size,
    ensure_n_jobs as ensure_n_jobs,
    fix_job_kwargs as fix_job_kwargs,
    get_best_job_kwargs as get_best_job_kwargs,
    get_global_dataset_folder as get_global_dataset_folder,
    get_global_job_kwargs as get_global_job_kwargs,
    get_global_tmp_folder as get_global_tmp_folder,
    is_set_global_dataset_folder as is_set_global_dataset_folder,
    is_set_global_job_kwargs_set as is_set_global_job_kwargs_set,
    is_set_global_tmp_folder as is_set_global_tmp_folder,
    reset_global_job_kwargs as reset_global_job_kwargs,
    reset_global_tmp_folder as reset_global_tmp_folder,
    set_global_dataset_folder as set_global_dataset_folder,
    set_global_job_kwargs as set_global_job_kwargs,
    set_global_tmp_folder as set_global_tmp_folder,
    split_job_kwargs as split_job_kwargs,
)
from .loading import (
    load as load,
    load_extractor as load_extractor,
)
from .merging_units import (
    apply_merges_to_sorting as apply_merges_to_sorting,
    apply_splits_to_sorting as apply_splits_to_sorting,
    set_properties_after_merging as set_properties_after_merging,
)
from .motion import (
    Motion as Motion,
)
from .node_pipeline import run_node_pipeline as run_node_pipeline
from .noise_levels import (
    get_noise_levels as get_noise_levels,
)
from .normal_distribution import normal_pdf as normal_pdf
from .npy_folder_snippets import (
    NpyFolderSnippets as NpyFolderSnippets,
    read_npy_snippets_folder as read_npy_snippets_folder,
)
from .npy_snippets import (
    NpySnippetsExtractor as NpySnippetsExtractor,
    read_npy_snippets as read_npy_snippets,
)
from .npz_folder_sorting import (
    NpzFolderSorting as NpzFolderSorting,
    read_npz_folder as read_npz_folder,
)
from .npz_sorting import (
    NpzSortingExtractor as NpzSortingExtractor,
    read_npz_sorting as read_npz_sorting,
)
from .numpy_events import (
    NumpyEvent as NumpyEvent,
)
from .numpy_folder_sorting import (
    NumpyFolderSorting as NumpyFolderSorting,
    read_numpy_sorting_folder as read_numpy_sorting_folder,
)
from .numpy_recording import (
    NumpyRecording as NumpyRecording,
)
from .numpy_snippets import (
    NumpySnippets as NumpySnippets,
)
from .numpy_sorting import (
    NumpySorting as NumpySorting,
    SpikeVectorSortingSegment as SpikeVectorSortingSegment,
)
from .old_api import (
    create_extractor_from_new_recording as create_extractor_from_new_recording,
    create_extractor_from_new_sorting as create_extractor_from_new_sorting,
    create_recording_from_old_extractor as create_recording_from_old_extractor,
    create_sorting_from_old_extractor as create_sorting_from_old_extractor,
)
from .operations import (
    AddRecordings as AddRecordings,
    AsTypeRecording as AsTypeRecording,
    SubtractRecordings as SubtractRecordings,
)
from .peak_retrieval import (
    PeakRetriever as PeakRetriever,
    SpikeRetriever as SpikeRetriever,
    sorting_to_peaks as sorting_to_peaks,
)
from .pipeline_nodes import (
    PeakDetector as PeakDetector,
    PeakSource as PeakSource,
    PipelineNode as PipelineNode,
    find_parent_of_type as find_parent_of_type,
    find_parents_of_type as find_parents_of_type,
)
from .probes import (
    check_probe_do_not_overlap as check_probe_do_not_overlap,
)
from .random_chunks import (
    get_random_data_chunks as get_random_data_chunks,
    get_random_sample_slices as get_random_sample_slices,
)
from .random_selection import (
    random_spikes_selection as random_spikes_selection,
)
from .recording import (
    BaseRecording as BaseRecording,
    BaseRecordingSegment as BaseRecordingSegment,
)
from .recording_attributes import (
    do_recording_attributes_match as do_recording_attributes_match,
    get_rec_attributes as get_rec_attributes,
)
from .recording_snippets import (
    BaseRecordingSnippets as BaseRecordingSnippets,
)
from .segments import (
    AppendSegmentRecording as AppendSegmentRecording,
    ConcatenateSegmentRecording as ConcatenateSegmentRecording,
    SelectSegmentRecording as SelectSegmentRecording,
    append_recordings as append_recordings,
    concatenate_recordings as concatenate_recordings,
    select_segment_recording as select_segment_recording,
    split_recording as split_recording,
)
from .shared_memory import (
    SharedMemoryRecording as SharedMemoryRecording,
    SharedMemorySorting as SharedMemorySorting,
)
from .snippet_extraction import (
    snippets_from_sorting as snippets_from_sorting,
)
from .snippet_views import (
    ChannelSliceSnippets as ChannelSliceSnippets,
    SelectSegmentSnippets as SelectSegmentSnippets,
)
from .snippets import (
    BaseSnippets as BaseSnippets,
    BaseSnippetsSegment as BaseSnippetsSegment,
)
from .sorting import (
    BaseSorting as BaseSorting,
    BaseSortingSegment as BaseSortingSegment,
)
from .sorting_segments import (
    AppendSegmentSorting as AppendSegmentSorting,
    ConcatenateSegmentSorting as ConcatenateSegmentSorting,
    SelectSegmentSorting as SelectSegmentSorting,
    SplitSegmentSorting as SplitSegmentSorting,
    append_sortings as append_sortings,
    concatenate_sortings as concatenate_sortings,
    select_segment_sorting as select_segment_sorting,
    split_sorting as split_sorting,
)
from .sorting_slices import (
    FrameSliceSorting as FrameSliceSorting,
    select_sorting_periods as select_sorting_periods,
)
from .sparsity import (
    ChannelSparsity as ChannelSparsity,
)
from .sparsity_estimation import (
    compute_sparsity as compute_sparsity,
    estimate_sparsity as estimate_sparsity,
    precompute_sparsity as precompute_sparsity,
)
from .spike_selection import (
    cast_periods_to_unit_period_dtype as cast_periods_to_unit_period_dtype,
    remap_unit_indices_in_vector as remap_unit_indices_in_vector,
)
from .spike_trains import (
    spike_vector_to_indices as spike_vector_to_indices,
    spike_vector_to_spike_trains as spike_vector_to_spike_trains,
)
from .spike_vector import (
    base_peak_dtype as base_peak_dtype,
    base_period_dtype as base_period_dtype,
    minimum_spike_dtype as minimum_spike_dtype,
    spike_peak_dtype as spike_peak_dtype,
    unit_period_dtype as unit_period_dtype,
)
from .template_estimation import (
    estimate_templates as estimate_templates,
    estimate_templates_with_accumulator as estimate_templates_with_accumulator,
)
from .template_tools import (
    estimate_main_channel_from_recording as estimate_main_channel_from_recording,
    get_dense_templates_array as get_dense_templates_array,
    get_main_channel_templates_array as get_main_channel_templates_array,
    get_template_amplitude_on_main_channel as get_template_amplitude_on_main_channel,
    get_template_amplitudes as get_template_amplitudes,
    get_template_extremum_amplitude as get_template_extremum_amplitude,
    get_template_extremum_channel as get_template_extremum_channel,
    get_template_extremum_channel_peak_shift as get_template_extremum_channel_peak_shift,
    get_template_peak_shift_on_main_channel as get_template_peak_shift_on_main_channel,
)
from .templates import (
    Templates as Templates,
)
from .testing import (
    check_extractor_annotations_equal as check_extractor_annotations_equal,
    check_extractor_properties_equal as check_extractor_properties_equal,
    check_recordings_equal as check_recordings_equal,
    check_sorted_arrays_equal as check_sorted_arrays_equal,
    check_sortings_equal as check_sortings_equal,
)
from .unit_aggregation import (
    UnitsAggregationSorting as UnitsAggregationSorting,
    aggregate_units as aggregate_units,
)
from .unit_conversion import (
    ms_to_samples as ms_to_samples,
    samples_to_ms as samples_to_ms,
)
from .unit_ids import (
    generate_unit_ids_for_merge_group as generate_unit_ids_for_merge_group,
    generate_unit_ids_for_split as generate_unit_ids_for_split,
)
from .unit_selection import (
    UnitsSelectionSorting as UnitsSelectionSorting,
)
from .waveform_extraction import (
    extract_waveforms_to_buffers as extract_waveforms_to_buffers,
    extract_waveforms_to_single_buffer as extract_waveforms_to_single_buffer,
)
from .waveform_nodes import (
    ExtractDenseWaveforms as ExtractDenseWaveforms,
    ExtractSparseWaveforms as ExtractSparseWaveforms,
    WaveformsNode as WaveformsNode,
)
from .writing import (
    write_binary_recording as write_binary_recording,
    write_memory_recording as write_memory_recording,
)
from .zarr_reading import (
    get_default_zarr_compressor as get_default_zarr_compressor,
    read_zarr as read_zarr,
)
from .zarr_recording import (
    ZarrRecordingExtractor as ZarrRecordingExtractor,
    read_zarr_array as read_zarr_array,
    read_zarr_recording as read_zarr_recording,
)
from .zarr_sorting import (
    ZarrSortingExtractor as ZarrSortingExtractor,
    read_zarr_sorting as read_zarr_sorting,
)
from .zarr_writing import (
    write_recording_to_zarr as write_recording_to_zarr,
)
