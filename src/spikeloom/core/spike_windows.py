"""Windows of traces around spikes: which spikes a chunk has, and what is read for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.recording import BaseRecording
from spikeloom.engine.chunks import Chunk
from spikeloom.errors import ParameterError


@dataclass(frozen=True)
class UnitChannels:
    """The channels of each unit, in one array; made by `unit_channels`."""

    first: NDArray[np.int64]
    """Where the channels of each unit begin in `columns`, and the end; shape (n_units + 1,)."""
    columns: NDArray[np.int64]
    """Positions of channels, increasing for each unit."""
    n_channels: int
    """Channels of the recording."""
    is_dense: bool
    """Whether each unit has all of them."""

    @property
    def n_units(self) -> int:
        """Number of units."""
        return self.first.size - 1

    @cached_property
    def n_columns_max(self) -> int:
        """Channels of the unit that has most; all channels where there is no mask."""
        if self.is_dense:
            return self.n_channels
        return int(np.diff(self.first).max(initial=0))

    def among(self, channels: NDArray[np.int64]) -> "UnitChannels":
        """Return the same by position among `channels`; others get -1."""
        position = np.full(self.n_channels, -1)
        position[channels] = np.arange(channels.size)
        return UnitChannels(self.first, position[self.columns], channels.size, is_dense=False)


def unit_channels(
    n_units: int, n_channels: int, sparsity_mask: ArrayLike | None = None
) -> UnitChannels:
    """Return the channels of each unit.

    Parameters
    ----------
    n_units, n_channels : int
    sparsity_mask : array_like of shape (n_units, n_channels) and dtype bool, optional
        Which channels a unit has; all by default.

    Raises
    ------
    ParameterError
        If the mask has another shape.

    Examples
    --------
    >>> unit_channels(2, 3, [[True, False, True], [False, True, False]]).columns
    array([0, 2, 1])
    """
    if sparsity_mask is None:
        first = np.arange(n_units + 1) * n_channels
        columns = np.tile(np.arange(n_channels), n_units)
        return UnitChannels(first, columns, n_channels, is_dense=True)
    mask = np.asarray(sparsity_mask, bool)
    if mask.shape != (n_units, n_channels):
        msg = f"The sparsity mask has shape {mask.shape}; it needs ({n_units}, {n_channels})."
        raise ParameterError(msg)
    first = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).astype(np.int64)
    return UnitChannels(first, np.nonzero(mask)[1].astype(np.int64), n_channels, is_dense=False)


@dataclass(frozen=True)
class SpikeWindows:
    """Spikes and the windows around them; made by `spike_windows`."""

    samples: NDArray[np.int64]
    """Sample of each spike, in order of segment and sample; shape (n_spikes,)."""
    units: NDArray[np.int64]
    """Unit of each; shape (n_spikes,)."""
    places: NDArray[np.int64]
    """Place of each in the spike vector that was given; shape (n_spikes,)."""
    offsets: NDArray[np.int64]
    """First spike of each segment, and the number of spikes; shape (n_segments + 1,)."""
    nbefore: int
    """Samples of a window before its spike."""
    nafter: int
    """Samples of a window from its spike on."""

    @property
    def n_window(self) -> int:
        """Samples of a window."""
        return self.nbefore + self.nafter

    @cached_property
    def is_in_order(self) -> bool:
        """Whether the spike vector was in order already."""
        return bool(np.all(np.diff(self.places) == 1))

    def in_chunk(self, chunk: Chunk) -> slice:
        """Return which spikes lie in a chunk."""
        begin, end = self.offsets[chunk.segment_index : chunk.segment_index + 2]
        bounds = [chunk.start_sample, chunk.end_sample]
        first, last = np.searchsorted(self.samples[begin:end], bounds)
        return slice(int(begin + first), int(begin + last))

    def without(self, is_left_out: NDArray[np.bool_]) -> "SpikeWindows":
        """Return the windows of the other spikes."""
        kept = np.flatnonzero(~is_left_out)
        offsets = np.searchsorted(kept, self.offsets)
        arrays = (self.samples[kept], self.units[kept], self.places[kept])
        return SpikeWindows(*arrays, offsets, self.nbefore, self.nafter)


def spike_windows(
    spikes: NDArray[np.void], n_units: int, n_segments: int, nbefore: int, nafter: int
) -> SpikeWindows:
    """Return the windows of the spikes of a spike vector, in whatever order it is.

    Parameters
    ----------
    spikes : ndarray of shape (n_spikes,)
        With the fields sample_index, unit_index and segment_index.
    n_units, n_segments : int
        What the indices are of.
    nbefore, nafter : int
        Samples of a window before its spike, and from it on.

    Raises
    ------
    ParameterError
        If a field is missing, a window has no samples, or an index is out of range.
    """
    check_fields(spikes)
    if nbefore < 0 or nafter < 0 or nbefore + nafter < 1:
        msg = f"A window of {nbefore} samples before and {nafter} after a spike is not possible."
        raise ParameterError(msg)
    segments = np.asarray(spikes["segment_index"], np.int64)
    samples = np.asarray(spikes["sample_index"], np.int64)
    units = np.asarray(spikes["unit_index"], np.int64)
    for name, values, n in (("unit", units, n_units), ("segment", segments, n_segments)):
        if np.any((values < 0) | (values >= n)):
            msg = f"A spike has a {name}_index of {values.min()} or {values.max()}; there are {n}."
            raise ParameterError(msg)
    places = np.arange(samples.size)
    steps = np.diff(segments)
    if np.any(steps < 0) or np.any((np.diff(samples) < 0) & (steps == 0)):
        places = np.lexsort((samples, segments))
        samples, units, segments = samples[places], units[places], segments[places]
    offsets = np.searchsorted(segments, np.arange(n_segments + 1))
    # Spikes are read by compiled code, which takes plain arrays only.
    arrays = (np.ascontiguousarray(samples), np.ascontiguousarray(units), places)
    return SpikeWindows(*arrays, offsets, int(nbefore), int(nafter))


def check_fields(spikes: NDArray[np.void]) -> None:
    """Raise ParameterError if an array is no spike vector."""
    names = set(spikes.dtype.names or ())
    missing = {"sample_index", "unit_index", "segment_index"} - names
    if missing:
        names_text = ", ".join(sorted(missing))
        msg = f"The spike vector has no {names_text}; use that of sorting.to_spike_vector()."
        raise ParameterError(msg)


@dataclass(frozen=True)
class ChunkWindows:
    """What is read of a chunk for the windows of its spikes."""

    spikes: slice
    """Which spikes; see `SpikeWindows`."""
    traces: NDArray[Any]
    """As they are in the file; shape (n_samples, n_channels_read)."""
    starts: NDArray[np.int64]
    """Row of `traces` where the window of each spike begins, maybe outside; shape (n_spikes,)."""
    channels: NDArray[np.int64] | None
    """Which channels were read; None for all."""


def read_windows(
    recording: BaseRecording, chunk: Chunk, windows: SpikeWindows, channels: UnitChannels
) -> ChunkWindows | None:
    """Read what the spikes of a chunk need: their stretch of time, and their channels.

    Channels that no unit needs are left out where reading them costs something: not of arrays and
    flat files, of which only what is used is read anyway.

    Returns
    -------
    ChunkWindows or None
        None if there are no spikes.
    """
    spikes = windows.in_chunk(chunk)
    if spikes.start == spikes.stop:
        return None
    samples = windows.samples[spikes]
    n_samples = recording.get_num_samples(chunk.segment_index)
    first = max(0, int(samples[0]) - windows.nbefore)
    last = min(n_samples, int(samples[-1]) + windows.nafter)
    chosen = None
    if not (channels.is_dense or _is_at_hand(recording)):
        chosen = _channels_of(channels, windows.units[spikes])
    traces = recording.get_traces(
        chunk.segment_index,
        first,
        last,
        channel_ids=None if chosen is None else recording.channel_ids[chosen],
    )
    return ChunkWindows(spikes, as_kernels_take(traces), samples - windows.nbefore - first, chosen)


def as_kernels_take(traces: NDArray[Any]) -> NDArray[Any]:
    """Return traces as a plain array of a number type that kernels take."""
    from spikeloom.kernels.jit import takes_dtype  # noqa: PLC0415 - numba takes a while to import

    if not takes_dtype(traces.dtype):
        native = traces.dtype.newbyteorder("=")
        traces = traces.astype(native if takes_dtype(native) else np.float32)
    return np.asarray(traces)


def _is_at_hand(recording: BaseRecording) -> bool:
    return isinstance(recording, NumpyRecording) or recording.is_binary_compatible()


def _channels_of(channels: UnitChannels, units: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the channels that some of the units have; None for all."""
    is_needed = np.zeros(channels.n_channels, bool)
    for unit in np.unique(units).tolist():
        is_needed[channels.columns[channels.first[unit] : channels.first[unit + 1]]] = True
    return None if is_needed.all() else np.flatnonzero(is_needed)


def scaling(recording: BaseRecording, *, in_uV: bool) -> NDArray[np.float32] | None:
    """Return gains and offsets, shape (2, n_channels); None if traces stay as they are.

    Raises
    ------
    ParameterError
        If microvolts are asked for, and whole numbers have no gains.
    """
    if not in_uV:
        return None
    if recording.has_scaleable_traces():
        gains, offsets = recording.get_channel_gains(), recording.get_channel_offsets()
        return np.stack([gains, offsets]).astype(np.float32)  # type: ignore[list-item]
    recording.get_traces(0, 0, 0, return_in_uV=True)  # which says what is missing
    return None


def has_exceeding_spikes(sorting: Any, recording: Any) -> bool:
    """Return whether some spikes lie outside the recording.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    recording : BaseRecording
        The recording; the two may be given in either order.
    """
    if isinstance(sorting, BaseRecording):
        sorting, recording = recording, sorting
    table = sorting.spike_table()
    for segment_index in range(recording.get_num_segments()):
        samples: Sequence[int] = table.sample_index[table.segment_slice(segment_index)]
        n_samples = recording.get_num_samples(segment_index)
        if len(samples) and (samples[0] < 0 or samples[-1] >= n_samples):
            return True
    return False
