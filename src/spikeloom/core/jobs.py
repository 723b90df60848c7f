"""The options of parallel jobs, as users of the core room know them."""

from spikeloom.engine.chunk_executor import ChunkRecordingExecutor, TimeSeriesChunkExecutor
from spikeloom.engine.chunks import (
    divide_recording_into_chunks,
    divide_segment_into_chunks,
    divide_time_series_into_chunks,
    ensure_chunk_size,
)
from spikeloom.engine.folders import (
    get_global_dataset_folder,
    get_global_tmp_folder,
    is_set_global_dataset_folder,
    is_set_global_tmp_folder,
    reset_global_tmp_folder,
    set_global_dataset_folder,
    set_global_tmp_folder,
)
from spikeloom.engine.options import (
    ensure_n_jobs,
    fix_job_kwargs,
    get_best_job_kwargs,
    get_global_job_kwargs,
    is_set_global_job_kwargs_set,
    reset_global_job_kwargs,
    set_global_job_kwargs,
    split_job_kwargs,
)

__all__ = [
    "ChunkRecordingExecutor",
    "TimeSeriesChunkExecutor",
    "divide_recording_into_chunks",
    "divide_segment_into_chunks",
    "divide_time_series_into_chunks",
    "ensure_chunk_size",
    "ensure_n_jobs",
    "fix_job_kwargs",
    "get_best_job_kwargs",
    "get_global_dataset_folder",
    "get_global_job_kwargs",
    "get_global_tmp_folder",
    "is_set_global_dataset_folder",
    "is_set_global_job_kwargs_set",
    "is_set_global_tmp_folder",
    "reset_global_job_kwargs",
    "reset_global_tmp_folder",
    "set_global_dataset_folder",
    "set_global_job_kwargs",
    "set_global_tmp_folder",
    "split_job_kwargs",
]
