"""Nodes that bring peaks, or the spikes of a sorting, into a pipeline over traces."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.channel_geometry import get_channel_distances
from spikeloom.core.pipeline_nodes import PeakSource
from spikeloom.core.recording import BaseRecording
from spikeloom.core.spike_vector import spike_peak_dtype
from spikeloom.core.template_peaks import PeakSign
from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    from spikeloom.core.sorting import BaseSorting

_SIGNS = ("neg", "pos", "both")


class PeakRetriever(PeakSource):
    """Gives peaks that are known already.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    peaks : ndarray of shape (n_peaks,)
        With the fields sample_index, channel_index, amplitude and segment_index, in order of
        segment and sample.

    Raises
    ------
    ParameterError
        If a field is missing, or they are not in order.
    """

    def __init__(self, recording: BaseRecording, peaks: NDArray[np.void]) -> None:
        super().__init__(recording, return_output=False)
        self._peaks = peaks
        self._offsets = _offsets_in_order(peaks, recording.get_num_segments())
        self._kwargs["peaks"] = peaks

    def get_dtype(self) -> DTypeLike:
        """Return the type of the peaks."""
        return self._peaks.dtype

    def get_peak_slice(
        self, segment_index: int, start_frame: int, end_frame: int, max_margin: int
    ) -> tuple[int, int]:
        """Return which of the peaks of a segment lie in a chunk."""
        del max_margin
        return _found(self._of_segment(segment_index), start_frame, end_frame)

    def _of_segment(self, segment_index: int) -> NDArray[np.void]:
        first, last = self._offsets[segment_index : segment_index + 2]
        return self._peaks[first:last]

    def compute(
        self,
        traces: NDArray[Any],
        start_frame: int,
        end_frame: int,
        segment_index: int,
        max_margin: int,
        peak_slice: tuple[int, int],
    ) -> tuple[NDArray[np.void]]:
        """Return the peaks of a chunk, with samples counted from the first row of its traces."""
        del traces, end_frame
        peaks = self._of_segment(segment_index)[slice(*peak_slice)].copy()
        peaks["sample_index"] -= start_frame - max_margin
        return (peaks,)


class SpikeRetriever(PeakSource):
    """Gives the spikes of a sorting as peaks.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting, with the property ``main_channel_id`` (that of an analyzer has it).
    recording : BaseRecording
        The recording.
    channel_from_template : bool, default True
        Take the main channel of the unit for each spike. Else, the one near it on which the spike
        itself is strongest.
    radius_um : float, default 50.0
        How near, in µm.
    peak_sign : {"neg", "pos", "both"}, default "neg"
        Which way spikes go, where the strongest channel is looked for.
    include_spikes_in_margin : bool, default False
        Also give the spikes of the margins; a field ``in_margin`` tells which they are.
    extremum_channel_inds : mapping of unit id to int, optional
        Position of the main channel of each unit; that of the property by default.

    Raises
    ------
    ParameterError
        If the main channels are not known.

    Notes
    -----
    Peaks have the fields of ``spikeloom.spike_peak_dtype``; their amplitude is the value of the
    traces at their sample and channel.
    """

    def __init__(
        self,
        sorting: "BaseSorting",
        recording: BaseRecording,
        channel_from_template: bool = True,
        radius_um: float = 50,
        peak_sign: PeakSign = "neg",
        include_spikes_in_margin: bool = False,
        *,
        extremum_channel_inds: Mapping[Any, int] | None = None,
    ) -> None:
        super().__init__(recording, return_output=False)
        if peak_sign not in _SIGNS:
            msg = f"peak_sign must be one of {', '.join(_SIGNS)}; got {peak_sign!r}."
            raise ParameterError(msg)
        self.channel_from_template = channel_from_template
        self.include_spikes_in_margin = include_spikes_in_margin
        self.peak_sign = peak_sign
        self.main_channel_indices = _main_channels(sorting, recording, extremum_channel_inds)
        self._peaks = sorting_to_peaks(sorting, self.main_channel_indices)
        self._offsets = _offsets_in_order(self._peaks, recording.get_num_segments())
        self._neighbours: NDArray[np.bool_] | None = None
        if not channel_from_template:
            self._neighbours = get_channel_distances(recording) <= radius_um
        in_margin = [("in_margin", np.bool_)] if include_spikes_in_margin else []
        self._dtype = np.dtype([*spike_peak_dtype.descr, *in_margin])
        self._kwargs.update({
            "sorting": sorting,
            "channel_from_template": channel_from_template,
            "radius_um": radius_um,
            "peak_sign": peak_sign,
            "include_spikes_in_margin": include_spikes_in_margin,
        })

    def get_dtype(self) -> DTypeLike:
        """Return the type of the peaks."""
        return self._dtype

    def get_peak_slice(
        self, segment_index: int, start_frame: int, end_frame: int, max_margin: int
    ) -> tuple[int, int]:
        """Return which of the spikes of a segment lie in a chunk, or also in its margins."""
        margin = max_margin if self.include_spikes_in_margin else 0
        return _found(self._of_segment(segment_index), start_frame - margin, end_frame + margin)

    def _of_segment(self, segment_index: int) -> NDArray[np.void]:
        first, last = self._offsets[segment_index : segment_index + 2]
        return self._peaks[first:last]

    def compute(
        self,
        traces: NDArray[Any],
        start_frame: int,
        end_frame: int,
        segment_index: int,
        max_margin: int,
        peak_slice: tuple[int, int],
    ) -> tuple[NDArray[np.void]]:
        """Return the spikes of a chunk, with samples counted from the first row of its traces."""
        spikes = self._of_segment(segment_index)[slice(*peak_slice)]
        peaks = np.zeros(spikes.size, self._dtype)
        for name in spike_peak_dtype.names or ():
            peaks[name] = spikes[name]
        peaks["sample_index"] -= start_frame - max_margin
        rows = peaks["sample_index"]
        if self.include_spikes_in_margin:
            behind = max_margin + end_frame - start_frame
            peaks["in_margin"] = (rows < max_margin) | (rows >= behind)
        if self._neighbours is not None and peaks.size:
            peaks["channel_index"] = self._strongest(traces[rows], peaks["channel_index"])
        peaks["amplitude"] = traces[rows, peaks["channel_index"]]
        return (peaks,)

    def _strongest(self, values: NDArray[Any], channels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return on which channel near another each spike is strongest; the first of equal ones."""
        strengths = values.astype(np.float64)
        if self.peak_sign == "neg":
            strengths = -strengths
        elif self.peak_sign == "both":
            strengths = np.abs(strengths)
        assert self._neighbours is not None
        strengths[~self._neighbours[channels]] = -np.inf
        strongest: NDArray[np.int64] = np.argmax(strengths, axis=1)
        return strongest


def sorting_to_peaks(
    sorting: "BaseSorting",
    main_channel_indices: ArrayLike,
    dtype: DTypeLike = spike_peak_dtype,
) -> NDArray[np.void]:
    """Return the spikes of a sorting as peaks, with an amplitude of 0.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    main_channel_indices : array_like of shape (n_units,)
        Position of the channel of each unit.
    dtype : dtype
        With the fields of ``spikeloom.spike_peak_dtype``, and maybe more.
    """
    spikes = sorting.to_spike_vector()
    peaks = np.zeros(spikes.size, np.dtype(dtype))
    for name in ("sample_index", "segment_index", "unit_index"):
        peaks[name] = spikes[name]
    peaks["channel_index"] = np.asarray(main_channel_indices, np.int64)[spikes["unit_index"]]
    return peaks


def _main_channels(
    sorting: "BaseSorting", recording: BaseRecording, given: Mapping[Any, int] | None
) -> NDArray[np.int64]:
    if given is not None:
        return np.array([given[unit] for unit in sorting.unit_ids.tolist()], np.int64)
    ids = sorting.get_property("main_channel_id")
    if ids is None:
        msg = (
            "The main channels of the units are not known: the sorting needs the property "
            "'main_channel_id', as that of an analyzer has it (analyzer.sorting)."
        )
        raise ParameterError(msg)
    return np.asarray(recording.ids_to_indices(ids), np.int64)


def _offsets_in_order(peaks: NDArray[np.void], n_segments: int) -> NDArray[np.int64]:
    """Return where the peaks of each segment begin, and the end; shape (n_segments + 1,)."""
    needed = {"sample_index", "channel_index", "segment_index"}
    missing = sorted(needed - set(peaks.dtype.names or ()))
    if missing:
        msg = f"The peaks have no {', '.join(missing)}; see spikeloom.base_peak_dtype."
        raise ParameterError(msg)
    steps = np.diff(peaks["segment_index"])
    if np.any(steps < 0) or np.any((np.diff(peaks["sample_index"]) < 0) & (steps == 0)):
        msg = (
            "The peaks are not in order of segment and sample: "
            "peaks[np.lexsort((peaks['sample_index'], peaks['segment_index']))] is."
        )
        raise ParameterError(msg)
    return np.searchsorted(peaks["segment_index"], np.arange(n_segments + 1))


def _found(peaks: NDArray[np.void], start: int, end: int) -> tuple[int, int]:
    first, last = np.searchsorted(peaks["sample_index"], [start, end])
    return int(first), int(last)
