"""The plan of a job: which stretches of which segments are worked on, and how large they are.

A chunk is a half-open range of samples of one segment. The chunks of a plan cover each segment
exactly, in order, without overlap; what works on them must give the same result for every plan.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from spikeloom.engine.amounts import bytes_of, seconds_of
from spikeloom.engine.options import CHUNK_KEYS, JobOptions, resolve_n_jobs
from spikeloom.errors import ParameterError

_BYTES_FLOAT32 = 4


class ChunkSource(Protocol):
    """What has segments of samples: a recording, or anything else in time.

    A source may also have ``get_sample_size_in_bytes()`` and ``get_num_channels()`` (for sizes in
    memory), ``check_serializability("memory")`` and ``get_preferred_mp_context()`` (for processes);
    it is asked for them where it has them.
    """

    def get_num_segments(self) -> int:
        """Return the number of segments."""
        ...

    def get_num_samples(self, segment_index: int | None = None) -> int:
        """Return the number of samples of a segment."""
        ...

    @property
    def sampling_frequency(self) -> float:
        """Samples per second."""
        ...


class Chunk(NamedTuple):
    """A stretch of one segment."""

    segment_index: int
    """Which segment."""
    start_sample: int
    """First sample, counted in the segment."""
    end_sample: int
    """One past the last sample."""

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.end_sample - self.start_sample

    def __str__(self) -> str:
        return f"segment {self.segment_index}, samples {self.start_sample} to {self.end_sample}"


def divide_segment_into_chunks(num_frames: int, chunk_size: int | None) -> list[tuple[int, int]]:
    """Part `num_frames` samples into ranges of `chunk_size`, the last one shorter.

    Parameters
    ----------
    num_frames : int
        Samples of the segment; an empty segment has no chunks.
    chunk_size : int or None
        Samples of a chunk; None makes one of all.

    Raises
    ------
    ParameterError
        If `chunk_size` is below 1 or `num_frames` below 0.

    Examples
    --------
    >>> divide_segment_into_chunks(10, 4)
    [(0, 4), (4, 8), (8, 10)]
    """
    if num_frames < 0 or (chunk_size is not None and chunk_size < 1):
        msg = f"{num_frames} samples cannot be divided into chunks of {chunk_size} samples."
        raise ParameterError(msg)
    n_samples = int(num_frames)
    step = n_samples if chunk_size is None else int(chunk_size)
    return [(k, min(k + step, n_samples)) for k in range(0, n_samples, step or 1)]


def divide_time_series_into_chunks(recording: ChunkSource, chunk_size: int | None) -> list[Chunk]:
    """Part all segments of a source into chunks, in order.

    Examples
    --------
    >>> class Source:
    ...     sampling_frequency = 10.0
    ...
    ...     def get_num_segments(self):
    ...         return 2
    ...
    ...     def get_num_samples(self, segment_index=None):
    ...         return (5, 3)[segment_index]
    >>> [tuple(chunk) for chunk in divide_time_series_into_chunks(Source(), 3)]
    [(0, 0, 3), (0, 3, 5), (1, 0, 3)]
    """
    return [
        Chunk(segment_index, start, end)
        for segment_index in range(recording.get_num_segments())
        for start, end in divide_segment_into_chunks(
            recording.get_num_samples(segment_index=segment_index), chunk_size
        )
    ]


divide_recording_into_chunks = divide_time_series_into_chunks
"""The older name of `divide_time_series_into_chunks`."""


def checked_chunks(source: ChunkSource, slices: Iterable[Sequence[int]]) -> list[Chunk]:
    """Return what a caller chose as chunks, after a look that the source has them.

    Raises
    ------
    ParameterError
        If one is not (segment, start, end) within the source.
    """
    chunks = []
    n_samples: dict[int, int] = {}
    for given in slices:
        try:
            segment_index, start, end = (int(value) for value in given)
        except (TypeError, ValueError) as error:
            msg = f"{given!r} is no slice; give (segment_index, start_sample, end_sample)."
            raise ParameterError(msg) from error
        if segment_index not in n_samples:
            if not 0 <= segment_index < source.get_num_segments():
                msg = (
                    f"Slice {given!r} asks for segment {segment_index}; there are "
                    f"{source.get_num_segments()} segments, counted from 0."
                )
                raise ParameterError(msg)
            n_samples[segment_index] = source.get_num_samples(segment_index=segment_index)
        if not 0 <= start <= end <= n_samples[segment_index]:
            msg = (
                f"Slice {given!r} is not within the {n_samples[segment_index]} samples of segment "
                f"{segment_index}; give 0 <= start <= end."
            )
            raise ParameterError(msg)
        chunks.append(Chunk(segment_index, start, end))
    return chunks


def bytes_per_sample(source: ChunkSource, n_copies: float = 1) -> float:
    """Return what one sample of all channels takes in the memory of a worker, in bytes.

    That is the sample as it is stored, and `n_copies` of it in float32. A source that cannot tell
    its number of channels is taken for one of 16 bit integers.

    Parameters
    ----------
    source : ChunkSource
        With ``get_sample_size_in_bytes``.
    n_copies : float, default 1
        How many copies in float32 the work has alive at once, e.g. 1 for a filter in place, 2 for
        a result beside its input. 0 counts what is stored alone.

    Raises
    ------
    ParameterError
        If the source cannot tell the size of a sample.
    """
    size_of = getattr(source, "get_sample_size_in_bytes", None)
    if size_of is None:
        msg = (
            f"{type(source).__name__} cannot tell the size of a sample in bytes; give chunk_size "
            "or chunk_duration instead of memory."
        )
        raise ParameterError(msg)
    raw = float(size_of())
    n_channels_of = getattr(source, "get_num_channels", None)
    copy = 2 * raw if n_channels_of is None else _BYTES_FLOAT32 * float(n_channels_of())
    return max(1.0, raw + n_copies * copy)


def ensure_chunk_size(
    time_series: ChunkSource,
    total_memory: str | float | None = None,
    chunk_size: int | None = None,
    chunk_memory: str | float | None = None,
    *,
    chunk_duration: str | float | None = None,
    n_jobs: float = 1,
    n_copies: float = 1,
    sample_bytes: float | None = None,
    **other_kwargs: Any,  # noqa: ANN401, ARG001 - all other job options may be passed along
) -> int:
    """Return how many samples a chunk has.

    The first of `chunk_size`, `chunk_memory`, `total_memory` and `chunk_duration` that is given
    counts. Sizes in memory count what the work needs beside the stored samples, too.

    Parameters
    ----------
    time_series : ChunkSource
        What is worked on.
    total_memory : str, int or float, optional
        Memory of all workers together, e.g. ``"2G"``.
    chunk_size : int, optional
        Samples of a chunk.
    chunk_memory : str, int or float, optional
        Memory of one worker, e.g. ``"100M"``.
    chunk_duration : str, int or float, optional
        Length of a chunk in seconds, or with a unit, e.g. ``"500ms"``.
    n_jobs : int or float, default 1
        Workers that share `total_memory`.
    n_copies : float, default 1
        Copies in float32 that the work has alive at once; see `bytes_per_sample`.
    sample_bytes : float, optional
        What one sample of all channels takes in memory in all, if the caller knows better.
    **other_kwargs
        Not used.

    Returns
    -------
    int
        At least 1. Without any size: all samples of the longest segment, for one worker.

    Raises
    ------
    ParameterError
        If a size makes no sense, or none is given for several workers.

    Examples
    --------
    >>> class Source:
    ...     sampling_frequency = 30000.0
    ...
    ...     def get_sample_size_in_bytes(self):
    ...         return 2 * 64
    >>> ensure_chunk_size(Source(), chunk_duration="500ms")
    15000
    >>> ensure_chunk_size(Source(), chunk_memory="384k")
    1000
    """
    n_workers = resolve_n_jobs(n_jobs)
    # The other options were checked where they were made; these come from a caller.
    options = JobOptions(chunk_size=chunk_size)
    if options.chunk_size is not None:
        return int(options.chunk_size)
    if chunk_memory is not None or total_memory is not None:
        budget = (
            bytes_of(chunk_memory)
            if chunk_memory is not None
            else bytes_of(total_memory or 0) / n_workers
        )
        each = bytes_per_sample(time_series, n_copies) if sample_bytes is None else sample_bytes
        return max(1, int(budget / each))
    if chunk_duration is not None:
        return max(1, round(seconds_of(chunk_duration) * time_series.sampling_frequency))
    if n_workers == 1:
        n_segments = range(time_series.get_num_segments())
        return max(1, *(time_series.get_num_samples(segment_index=k) for k in n_segments), 1)
    msg = f"n_jobs={n_workers} needs the size of a chunk; give one of {', '.join(CHUNK_KEYS)}."
    raise ParameterError(msg)


def plan_chunks(
    source: ChunkSource,
    options: JobOptions,
    *,
    n_copies: float = 1,
    sample_bytes: float | None = None,
) -> list[Chunk]:
    """Return the chunks of a job, in order; sizes as in `ensure_chunk_size`."""
    chunk_size = ensure_chunk_size(
        source,
        options.total_memory,
        options.chunk_size,
        options.chunk_memory,
        chunk_duration=options.chunk_duration,
        n_jobs=options.n_jobs,
        n_copies=n_copies,
        sample_bytes=sample_bytes,
    )
    return divide_time_series_into_chunks(source, chunk_size)


@dataclass(frozen=True, slots=True)
class Margins:
    """A chunk with what a filter needs on both sides of it, as far as the segment has it."""

    start_sample: int
    """First sample to read."""
    end_sample: int
    """One past the last sample to read."""
    n_missing_before: int
    """Samples of the margin that lie before the segment."""
    n_missing_after: int
    """Samples of the margin that lie after the segment."""
    inner: slice
    """Where the chunk itself lies in what is read."""


def margins_of(chunk: Chunk, margin: int, n_samples: int) -> Margins:
    """Return what to read for a chunk with `margin` samples on both sides.

    Parameters
    ----------
    chunk : Chunk
        The chunk.
    margin : int
        Samples wanted before and after it.
    n_samples : int
        Samples of the segment.

    Examples
    --------
    >>> margins = margins_of(Chunk(0, 5, 9), 3, 10)
    >>> margins.start_sample, margins.end_sample, margins.n_missing_after, margins.inner
    (2, 10, 2, slice(3, 7, None))
    """
    start = max(0, chunk.start_sample - margin)
    end = min(n_samples, chunk.end_sample + margin)
    return Margins(
        start_sample=start,
        end_sample=end,
        n_missing_before=start - (chunk.start_sample - margin),
        n_missing_after=chunk.end_sample + margin - end,
        inner=slice(chunk.start_sample - start, chunk.end_sample - start),
    )
