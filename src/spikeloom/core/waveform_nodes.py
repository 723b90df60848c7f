"""Nodes of a pipeline that take the waveforms of peaks out of traces."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.channel_geometry import get_channel_distances
from spikeloom.core.pipeline_nodes import PipelineNode
from spikeloom.core.recording import BaseRecording
from spikeloom.core.unit_conversion import ms_to_samples, samples_to_ms
from spikeloom.errors import ParameterError


class WaveformsNode(PipelineNode):
    """A node that makes waveforms, of traces or of other waveforms; to be derived from.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    ms_before, ms_after : float, optional
        Milliseconds before a peak, and from it on.
    nbefore, nafter : int, optional
        The same in samples; each is given in one of the two ways.
    parents : list of PipelineNode, optional
        Among them the source of the peaks.
    return_output : bool, default False
        Whether the waveforms are a result of the pipeline.

    Raises
    ------
    ParameterError
        If a length is given in both ways, or in none.
    """

    def __init__(
        self,
        recording: BaseRecording,
        ms_before: float | None = None,
        ms_after: float | None = None,
        nbefore: int | None = None,
        nafter: int | None = None,
        parents: Sequence[PipelineNode] | None = None,
        return_output: bool = False,
    ) -> None:
        super().__init__(recording, return_output=return_output, parents=parents)
        self.recording = recording
        fs = recording.sampling_frequency
        self.nbefore = _samples("before", ms_before, nbefore, fs)
        self.nafter = _samples("after", ms_after, nafter, fs)
        self.ms_before = samples_to_ms(self.nbefore, fs) if ms_before is None else ms_before
        self.ms_after = samples_to_ms(self.nafter, fs) if ms_after is None else ms_after
        self.neighbours_mask: NDArray[np.bool_] | None = None
        self._kwargs.update({
            "ms_before": ms_before,
            "ms_after": ms_after,
            "nbefore": nbefore,
            "nafter": nafter,
        })

    def get_dtype(self) -> DTypeLike:
        """Return the type of the traces."""
        return self.recording.get_dtype()


class ExtractDenseWaveforms(WaveformsNode):
    """Takes the waveforms of peaks on all channels.

    Parameters
    ----------
    recording, ms_before, ms_after, nbefore, nafter, parents, return_output
        See `WaveformsNode`; the parent gives the peaks.
    """

    def get_margin(self) -> int:
        """Return the longer of the two sides of a waveform."""
        return max(self.nbefore, self.nafter)

    def compute(self, traces: NDArray[Any], peaks: NDArray[np.void]) -> NDArray[Any]:
        """Return waveforms of shape (n_peaks, nbefore + nafter, n_channels)."""
        waveforms: NDArray[Any] = traces[_rows(peaks, self.nbefore, self.nafter)]
        return waveforms


class ExtractSparseWaveforms(WaveformsNode):
    """Takes the waveforms of peaks on the channels around that of the peak.

    Parameters
    ----------
    recording, ms_before, ms_after, nbefore, nafter, parents, return_output
        See `WaveformsNode`; the parent gives the peaks.
    radius_um : float, default 100.0
        How far around, in µm.
    sparsity_mask : array_like of shape (n_channels, n_channels) and dtype bool, optional
        Which channels are taken for a peak on each channel, instead.
    """

    def __init__(
        self,
        recording: BaseRecording,
        ms_before: float | None = None,
        ms_after: float | None = None,
        nbefore: int | None = None,
        nafter: int | None = None,
        parents: Sequence[PipelineNode] | None = None,
        return_output: bool = False,
        radius_um: float = 100.0,
        sparsity_mask: ArrayLike | None = None,
    ) -> None:
        super().__init__(
            recording, ms_before, ms_after, nbefore, nafter, parents, return_output=return_output
        )
        n_channels = recording.get_num_channels()
        self.radius_um = None if sparsity_mask is not None else radius_um
        if sparsity_mask is None:
            mask = get_channel_distances(recording) <= radius_um
        else:
            mask = np.asarray(sparsity_mask, bool)
        if mask.shape != (n_channels, n_channels):
            msg = f"sparsity_mask has shape {mask.shape}; it needs ({n_channels}, {n_channels})."
            raise ParameterError(msg)
        self.neighbours_mask = mask
        self.max_num_chans = int(mask.sum(axis=1).max(initial=0))
        self._kwargs.update({"radius_um": radius_um, "sparsity_mask": sparsity_mask})

    def get_margin(self) -> int:
        """Return the longer of the two sides of a waveform."""
        return max(self.nbefore, self.nafter)

    def compute(self, traces: NDArray[Any], peaks: NDArray[np.void]) -> NDArray[Any]:
        """Return waveforms of shape (n_peaks, nbefore + nafter, n_channels_max).

        The channels of a peak come first, in increasing order; behind them are zeros.
        """
        shape = (peaks.size, self.nbefore + self.nafter, self.max_num_chans)
        waveforms = np.zeros(shape, traces.dtype)
        rows = _rows(peaks, self.nbefore, self.nafter)
        assert self.neighbours_mask is not None
        for channel in np.unique(peaks["channel_index"]).tolist():
            near = np.flatnonzero(self.neighbours_mask[channel])
            there = np.flatnonzero(peaks["channel_index"] == channel)
            waveforms[there, :, : near.size] = traces[rows[there][:, :, np.newaxis], near]
        return waveforms


def _rows(peaks: NDArray[np.void], nbefore: int, nafter: int) -> NDArray[np.int64]:
    """Return which rows of traces each waveform has; shape (n_peaks, nbefore + nafter)."""
    rows: NDArray[np.int64] = peaks["sample_index"][:, np.newaxis] + np.arange(-nbefore, nafter)
    return rows


def _samples(side: str, ms: float | None, n_samples: int | None, sampling_frequency: float) -> int:
    if (ms is None) == (n_samples is None):
        msg = f"Give either ms_{side} or n{side}: got {ms!r} and {n_samples!r}."
        raise ParameterError(msg)
    if n_samples is not None:
        return int(n_samples)
    assert ms is not None
    return ms_to_samples(ms, sampling_frequency)
