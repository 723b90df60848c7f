"""How strong the noise of each channel is, from random pieces of a recording."""

import weakref
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.random_chunks import get_random_sample_slices
from spikeloom.core.recording import BaseRecording
from spikeloom.engine.chunk_executor import map_chunks
from spikeloom.engine.chunks import Chunk
from spikeloom.engine.options import job_options, split_job_kwargs
from spikeloom.errors import ParameterError

NoiseMethod = Literal["mad", "std", "rms"]
"""Median absolute deviation, standard deviation, root mean square."""

_METHODS = ("mad", "std", "rms")

MAD_OF_UNIT_NORMAL = 0.6744897501960817
"""Median absolute deviation of normal noise with a standard deviation of 1."""

_N_COUNTED_MAX = 1 << 21
"""Numbers of different values, in all channels of a block, that are still counted one by one: the
counters of a block then stay within the cache of a processor."""

_known: "weakref.WeakKeyDictionary[BaseRecording, dict[Any, NDArray[np.float32]]]" = (
    weakref.WeakKeyDictionary()
)
"""Noise levels computed before, for as long as their recordings live."""


def get_noise_levels(
    recording: BaseRecording,
    return_in_uV: bool = True,
    method: NoiseMethod = "mad",
    force_recompute: bool = False,
    random_slices_kwargs: Mapping[str, Any] | None = None,
    *,
    return_scaled: bool | None = None,
    **kwargs: Any,
) -> NDArray[np.float32]:
    """Estimate the noise of each channel: the mean over random pieces of the recording.

    The recording is not changed. Results are kept as long as it lives, so that a second call with
    the same options is immediate and gives the same, also without a seed.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    return_in_uV : bool, default True
        In microvolts rather than in steps of the file.
    method : {"mad", "std", "rms"}
        "mad" is the median distance from the median over 0.6745, which is the standard deviation
        of normal noise and hardly sees spikes; "std" is the standard deviation and "rms" the root
        mean square.
    force_recompute : bool, default False
        Do not use what is known: results kept, or the property
        ``noise_level_{method}_{scaled|raw}`` of the recording, which files bring along (it counts
        where nothing is said about the pieces).
    random_slices_kwargs : dict, optional
        See `spikeloom.core.get_random_sample_slices`.
    return_scaled : bool, optional
        Older spelling of `return_in_uV`.
    **kwargs
        Job options; and, as they were given before, options of the pieces
        (``num_chunks_per_segment``, ``chunk_size``, ``seed``).

    Returns
    -------
    ndarray of shape (n_channels,) and dtype float32

    Raises
    ------
    ParameterError
        If the method is unknown, gains are needed and not known, or the pieces make no sense.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> traces = np.random.default_rng(0).normal(0.0, [2.0, 5.0], (30000, 2))
    >>> recording = NumpyRecording([traces], 30000.0)
    >>> get_noise_levels(recording, seed=0, chunk_size=10000, progress_bar=False).round(0)
    array([2., 5.], dtype=float32)
    """
    if method not in _METHODS:
        msg = f"method must be one of {', '.join(_METHODS)}; got {method!r}."
        raise ParameterError(msg)
    in_uV = return_in_uV if return_scaled is None else return_scaled
    slice_options, jobs = _parted(random_slices_kwargs or {}, kwargs)
    brought = recording.get_property(f"noise_level_{method}_{'scaled' if in_uV else 'raw'}")
    if brought is not None and not force_recompute and not slice_options:
        return np.asarray(brought, np.float32)
    gains, offsets = _scale(recording, in_uV=in_uV)
    key = (method, gains.tobytes(), offsets.tobytes(), tuple(sorted(slice_options.items())))
    levels = None if force_recompute else _known.get(recording, {}).get(key)
    if levels is None:
        slices = get_random_sample_slices(recording, **slice_options)
        parts = map_chunks(
            recording,
            partial(_chunk_noise, method=method, gains=gains, offsets=offsets),
            chunks=slices,
            options=job_options(**jobs),
            job_name="noise_level",
        )
        total = sum(parts, start=np.zeros(recording.get_num_channels()))
        levels = (total / max(1, len(slices))).astype(np.float32)
        _known.setdefault(recording, {})[key] = levels
    return levels.copy()


def _parted(
    slice_options: Mapping[str, Any], kwargs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return options of the pieces and of the job, where the older calls have both in one."""
    older, jobs = split_job_kwargs(kwargs)
    if kwargs.get("chunk_size") is not None:
        older["chunk_size"] = kwargs["chunk_size"]
    if older and slice_options:
        msg = (
            f"Give options of the random pieces in random_slices_kwargs: {', '.join(older)} stand "
            "beside it."
        )
        raise ParameterError(msg)
    return {**slice_options, **older}, jobs


def _scale(
    recording: BaseRecording, *, in_uV: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return gain and offset of each channel, 1 and 0 where traces stay as they are."""
    n_channels = recording.get_num_channels()
    if in_uV and recording.has_scaleable_traces():
        gains = np.asarray(recording.get_channel_gains(), np.float64)
        return gains, np.asarray(recording.get_channel_offsets(), np.float64)
    if in_uV:
        recording.get_traces(0, 0, 0, return_in_uV=True)  # which says what is missing
    return np.ones(n_channels), np.zeros(n_channels)


def _chunk_noise(
    recording: BaseRecording,
    chunk: Chunk,
    *,
    method: NoiseMethod,
    gains: NDArray[np.float64],
    offsets: NDArray[np.float64],
) -> NDArray[np.float64]:
    traces = recording.get_traces(chunk.segment_index, chunk.start_sample, chunk.end_sample)
    if method == "mad":
        return median_deviation(traces) * np.abs(gains) / MAD_OF_UNIT_NORMAL
    means, variances = _moments(traces)
    if method == "std":
        return np.asarray(np.sqrt(variances) * np.abs(gains))
    return np.asarray(np.hypot(np.sqrt(variances) * gains, means * gains + offsets))


def _moments(traces: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of each channel."""
    centres = traces[0].astype(np.float64)
    distances = traces - centres  # of small numbers, whose squares lose nothing
    means = distances.mean(axis=0)
    squares = np.einsum("ij,ij->j", distances, distances) / len(traces)
    return centres + means, np.maximum(squares - means * means, 0)


def median_deviation(traces: NDArray[Any]) -> NDArray[np.float64]:
    """Return the median distance from the median of each channel.

    Parameters
    ----------
    traces : ndarray of shape (n_samples, n_channels)
        With a sample at least. Whole numbers are exact.

    Returns
    -------
    ndarray of shape (n_channels,) and dtype float64

    Examples
    --------
    >>> median_deviation(np.array([[1, 0.5], [2, 0.5], [4, 0.5], [9, 9.5]]))
    array([1.5, 0. ])
    >>> median_deviation(np.array([[1], [2], [4], [9]]))
    array([1.5])
    """
    n_channels = traces.shape[1]
    deviations = np.empty(n_channels)
    counted = traces.dtype.kind in "iu" and traces.dtype.isnative and traces.dtype.itemsize < 8
    n_block = 16
    for first in range(0, n_channels, n_block):
        block = slice(first, min(first + n_block, n_channels))
        if not (counted and _count_deviations(traces[:, block], deviations[block])):
            deviations[block] = _select_deviations(traces[:, block])
    return deviations


def _count_deviations(traces: NDArray[Any], deviations: NDArray[np.float64]) -> bool:
    """Fill `deviations` by counting; return False if there are too many different values."""
    n_samples, n_channels = traces.shape
    lows = traces.min(axis=0).astype(np.int64)
    n_values = int((traces.max(axis=0).astype(np.int64) - lows).max()) + 1
    if n_values * n_channels > _N_COUNTED_MAX:
        return False
    # Each channel counts into bins of its own, so that one pass counts them all.
    bins = traces - (lows - np.arange(n_channels) * n_values)
    counts = np.bincount(bins.ravel(), minlength=n_values * n_channels)
    for k, of_channel in enumerate(counts.reshape(n_channels, n_values)):
        deviations[k] = _median_deviation_of_counts(of_channel, n_samples)
    return True


def _median_deviation_of_counts(counts: NDArray[np.int64], n_samples: int) -> float:
    """Return the median distance from the median of 0, 1, 2, …, each there `counts` times."""
    values = np.flatnonzero(counts)
    counts = counts[values]
    distances = np.abs(values - _median_of_counts(values, counts, n_samples))
    order = np.argsort(distances, kind="stable")
    return _median_of_counts(distances[order], counts[order], n_samples)


def _median_of_counts(values: NDArray[Any], counts: NDArray[np.int64], n_samples: int) -> float:
    """Return the median of increasing values, each there `counts` times."""
    middle = [(n_samples - 1) // 2, n_samples // 2]
    low, high = values[np.searchsorted(np.cumsum(counts), middle, side="right")].tolist()
    return float((low + high) / 2)


def _select_deviations(traces: NDArray[Any]) -> NDArray[np.float64]:
    """Return deviations by selecting the middle values of each channel, which is a row then."""
    dtype = np.float32 if traces.dtype in {np.dtype("f4"), np.dtype("f2")} else np.float64
    rows: NDArray[Any] = np.array(traces.T, dtype, order="C")
    medians = _medians_in_place(rows)
    rows -= medians[:, np.newaxis].astype(dtype)
    np.abs(rows, out=rows)
    return _medians_in_place(rows)


def _medians_in_place(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the median of each row, whose values change places."""
    n_values = rows.shape[1]
    high = n_values // 2
    rows.partition(high, axis=1)
    medians = rows[:, high].astype(np.float64)
    if n_values % 2 == 0:
        # Quicker than to have both selected: what is before the one has the other as its greatest.
        medians += rows[:, :high].max(axis=1)
        medians /= 2
    # Not-a-numbers go to the end when values are parted, and make the median one, too.
    rest_is_nan: NDArray[np.bool_] = np.isnan(rows[:, high:]).any(axis=1)
    medians[rest_is_nan] = np.nan
    return medians
