"""Cut snippets out of a recording around the spikes of a sorting."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.engine.chunks import Chunk, plan_chunks
from spikeloom.engine.executor import map_items
from spikeloom.engine.options import job_options
from spikeloom.errors import ParameterError
from spikeloom.storage.staged_saves import staged_save

_FILE_NAME = "waveforms_0.npy"
"""As SpikeInterface calls the waveforms of its only unit."""


def snippets_from_sorting(
    recording: BaseRecording,
    sorting: BaseSorting,
    nbefore: int = 20,
    nafter: int = 44,
    wf_folder: str | Path | None = None,
    **job_kwargs: Any,
) -> NumpySnippets:
    """Cut a snippet out of a recording around each spike of a sorting.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    sorting : BaseSorting
        Its spikes; all units together.
    nbefore : int, default 20
        Samples of a snippet before the spike.
    nafter : int, default 44
        Samples from the spike on.
    wf_folder : str or Path, optional
        Folder to keep the snippets in, in a file that the result maps; in memory by default.
    **job_kwargs
        How the recording is read; see `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    NumpySnippets
        A segment for each of the recording's, in the order of spikes, with the recording's
        properties and probe. What lies outside of the recording is zero.

    Raises
    ------
    ParameterError
        If recording and sorting do not go together, or if spikes lie outside of the recording.
    WriteError
        If `wf_folder` has such a file already (a FileExistsError, too), or cannot be written.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> recording = NumpyRecording([np.arange(8).reshape(8, 1)], 30000.0)
    >>> sorting = NumpySorting.from_unit_dict({"a": [1, 5]}, 30000.0)
    >>> snippets = snippets_from_sorting(recording, sorting, nbefore=2, nafter=2)
    >>> snippets.get_snippets()[:, :, 0]
    array([[0, 0, 1, 2],
           [3, 4, 5, 6]])
    """
    frames = _frames_by_segment(recording, sorting)
    if nbefore < 0 or nafter < 0 or nbefore + nafter < 1:
        msg = f"A snippet needs samples: got nbefore={nbefore}, nafter={nafter}."
        raise ParameterError(msg)
    shape = (sum(map(len, frames)), nbefore + nafter, recording.get_num_channels())
    if wf_folder is None:
        cut = np.zeros(shape, recording.dtype)
        _cut_all(recording, frames, nbefore, cut, **job_kwargs)
    else:
        cut = _cut_to_file(recording, frames, nbefore, shape, Path(wf_folder), **job_kwargs)
    edges = np.cumsum([len(each) for each in frames])[:-1]
    snippets = NumpySnippets(
        np.split(cut, edges),
        frames,
        recording.sampling_frequency,
        nbefore=nbefore,
        channel_ids=recording.channel_ids,
    )
    recording.copy_metadata(snippets)
    snippets.name = None  # it is the recording's
    return snippets


def _frames_by_segment(recording: BaseRecording, sorting: BaseSorting) -> list[NDArray[np.int64]]:
    """Return the samples of all spikes of each segment, once it is clear that they fit."""
    if sorting.sampling_frequency != recording.sampling_frequency:
        msg = (
            f"The sorting has {sorting.sampling_frequency} Hz and the recording "
            f"{recording.sampling_frequency} Hz."
        )
        raise ParameterError(msg)
    if sorting.get_num_segments() != recording.get_num_segments():
        msg = (
            f"The sorting has {sorting.get_num_segments()} segments and the recording "
            f"{recording.get_num_segments()}."
        )
        raise ParameterError(msg)
    frames = [
        np.ascontiguousarray(spikes["sample_index"], np.int64)
        for spikes in sorting.to_spike_vector(concatenated=False)
    ]
    for k, samples in enumerate(frames):
        n_samples = recording.get_num_samples(k)
        n_outside = int(np.count_nonzero((samples < 0) | (samples >= n_samples)))
        if n_outside:
            msg = (
                f"{n_outside} spikes of segment {k} lie outside of its {n_samples} samples. "
                "Is it the sorting of another recording?"
            )
            raise ParameterError(msg)
    return frames


def _cut_all(
    recording: BaseRecording,
    frames: list[NDArray[np.int64]],
    nbefore: int,
    cut: NDArray[Any],
    **job_kwargs: Any,
) -> None:
    """Cut the snippets of all segments into `cut`, one segment after the other."""
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in frames])]).tolist()
    options = job_options(**job_kwargs)
    far: list[int] = []
    for k, samples in enumerate(frames):
        if not _cut_inner(recording, k, samples - nbefore, cut[offsets[k] : offsets[k + 1]]):
            far.append(k)
    if not far:
        return
    chunks = [chunk for chunk in plan_chunks(recording, options) if chunk.segment_index in far]
    work = partial(_cut_chunk, recording, frames, offsets, nbefore, cut)
    # Threads whatever the engine: they fill one array, which processes could not.
    map_items(work, chunks)


def _cut_inner(
    recording: BaseRecording, segment_index: int, starts: NDArray[np.int64], cut: NDArray[Any]
) -> bool:
    """Cut the snippets of a segment one by one, if that is the quicker way."""
    segment = recording.segments[segment_index]
    n_samples = segment.get_num_samples()
    # Frames increase, so snippets that reach beyond an end come first and last.
    n_early = int(np.searchsorted(starts, 0))
    end = max(n_early, int(np.searchsorted(starts, n_samples - cut.shape[1], side="right")))
    inner = slice(n_early, end)
    if not segment.cut_windows(starts[inner], cut[inner]):
        return False
    for k in (*range(n_early), *range(end, starts.size)):
        first, last = max(int(starts[k]), 0), min(int(starts[k]) + cut.shape[1], n_samples)
        place = slice(first - int(starts[k]), last - int(starts[k]))
        cut[k, place] = segment.get_traces(first, last, None)
    return True


def _cut_chunk(
    recording: BaseRecording,
    frames: list[NDArray[np.int64]],
    offsets: list[int],
    nbefore: int,
    cut: NDArray[Any],
    chunk: Chunk,
) -> None:
    samples = frames[chunk.segment_index]
    first, end = np.searchsorted(samples, [chunk.start_sample, chunk.end_sample]).tolist()
    if first == end:
        return
    snippet_len = cut.shape[1]
    # What is read begins with the first snippet of the chunk and ends with the last.
    start = int(samples[first]) - nbefore
    stop = int(samples[end - 1]) - nbefore + snippet_len
    n_samples = recording.get_num_samples(chunk.segment_index)
    inside = slice(max(start, 0), min(stop, n_samples))
    traces = recording.get_traces(chunk.segment_index, inside.start, inside.stop)
    if len(traces) < stop - start:
        padded = np.zeros((stop - start, traces.shape[1]), traces.dtype)
        padded[inside.start - start : inside.stop - start] = traces
        traces = padded
    rows = (samples[first:end] - nbefore - start)[:, None] + np.arange(snippet_len)
    offset = offsets[chunk.segment_index]
    cut[offset + first : offset + end] = traces[rows]


def _cut_to_file(
    recording: BaseRecording,
    frames: list[NDArray[np.int64]],
    nbefore: int,
    shape: tuple[int, int, int],
    folder: Path,
    **job_kwargs: Any,
) -> NDArray[Any]:
    """Cut the snippets into a file of `folder`, and return it as a read-only memory map."""
    n_bytes = int(np.prod(shape)) * recording.dtype.itemsize
    folder.mkdir(parents=True, exist_ok=True)
    with staged_save(folder / _FILE_NAME, needed_bytes=n_bytes) as staging:
        cut = np.lib.format.open_memmap(staging.path, mode="w+", dtype=recording.dtype, shape=shape)
        _cut_all(recording, frames, nbefore, cut, **job_kwargs)
        cut.flush()
        del cut  # Windows does not rename a file that is mapped.
    return np.asarray(np.load(folder / _FILE_NAME, mmap_mode="r", allow_pickle=False))
