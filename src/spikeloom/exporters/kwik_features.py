"""Features and masks of all spikes of a sorting analyzer, as Kwik datasets have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.chunk_pass import TraceBlock, run_chunk_tasks
from spikeloom.analyzer.spike_values import SpikeTask
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.engine.options import job_options
from spikeloom.errors import ParameterError
from spikeloom.exporters.analyzer_copies import compute_missing
from spikeloom.exporters.phy_projections import projection_task
from spikeloom.extractors.lazy_rows import LazyRows

_THRESHOLDS: Mapping[str, Any] = {
    "threshold_strong_std_factor": 4.5,
    "threshold_weak_std_factor": 2.0,
}
"""How strong a spike is where its mask is 1 and where it is 0, in standard deviations of the noise,
under klusta's names and with its values."""

_SIGNS = {"neg": "negative", "pos": "positive", "both": "both"}
"""klusta's word for each sign of peaks."""

_PEAK_MS = 0.5
"""How far from its spike the peak on another channel may be."""

_N_COMPONENTS = 3
"""As many as klusta has."""


@dataclass(frozen=True)
class MaskWork:
    """Finds masks: from 0 where a spike peaks at the weak threshold to 1 at the strong one."""

    columns: NDArray[np.int64]
    """Where the mask of a unit on a channel goes; -1 for channels on which it is zero.

    Shape (n_units, n_channels).
    """
    n_columns: int
    """How many columns there are."""
    sign: str
    """Which peaks count: negative, positive, or both."""
    weak: NDArray[np.float32]
    """Threshold of each channel; shape (n_channels,)."""
    strong: NDArray[np.float32]
    """Threshold of each channel; shape (n_channels,)."""
    margin: int
    """Samples on either side of a spike in which its peak is looked for."""

    def __call__(
        self, block: TraceBlock, spikes: SpikeTable, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[Any], ...]:
        """Return the masks of some spikes, of shape (n_chosen, n_columns) and dtype float32."""
        first = block.chunk.start_sample - block.margin
        rows = spikes.sample_index[chosen].astype(np.int64) - first
        traces = self._upwards(block.traces.astype(np.float32, copy=False))
        peaks = traces[rows]
        for shift in range(-self.margin, self.margin + 1):
            np.maximum(peaks, traces[rows + shift], out=peaks)
        span = np.maximum(self.strong - self.weak, np.finfo(np.float32).tiny)
        masks = np.clip((peaks - self.weak) / span, 0, 1)
        found = np.zeros((chosen.size, self.n_columns), np.float32)
        units = spikes.unit_index[chosen]
        for unit in np.unique(units).tolist():
            own, channels = np.flatnonzero(units == unit), np.flatnonzero(self.columns[unit] >= 0)
            found[np.ix_(own, self.columns[unit, channels])] = masks[np.ix_(own, channels)]
        return (found,)

    def _upwards(self, traces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return traces in which all peaks that count go upwards."""
        if self.sign == "positive":
            return traces
        return -traces if self.sign == "negative" else np.abs(traces)


class RowsOfSpikes(LazyRows):
    """Values of some of the spikes on the first channels.

    Parameters
    ----------
    stored : ndarray of shape (n_all_spikes, n_columns, ...)
        Of all spikes.
    spikes : ndarray of shape (n_spikes,)
        Which spikes.
    n_channels : int
        How many channels they have.
    """

    def __init__(self, stored: NDArray[Any], spikes: NDArray[np.int64], n_channels: int) -> None:
        super().__init__((spikes.size, n_channels, *stored.shape[2:]), stored.dtype)
        self._stored, self._spikes = stored, spikes

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Read the values of spikes."""
        picked: NDArray[Any] = self._stored[self._spikes[rows], : self.shape[1]]
        return picked


@dataclass(frozen=True)
class SpikeFeatures:
    """Features and masks of all spikes on the channels of their channel groups."""

    features: NDArray[Any]
    """Shape (n_spikes, n_columns, n_components)."""
    masks: NDArray[np.float32]
    """Shape (n_spikes, n_columns)."""
    parameters: Mapping[str, Any]
    """What they were made with, by klusta's names."""

    def of(self, spikes: NDArray[np.int64], n_channels: int) -> tuple[RowsOfSpikes, RowsOfSpikes]:
        """Return features and masks of the spikes of a channel group."""
        return (
            RowsOfSpikes(self.features, spikes, n_channels),
            RowsOfSpikes(self.masks, spikes, n_channels),
        )


def compute_kwik_features(
    analyzer: SortingAnalyzer,
    unit_channels: NDArray[np.bool_],
    folder: Path,
    *,
    metadata: Mapping[str, Any],
    job_kwargs: Mapping[str, Any],
) -> SpikeFeatures:
    """Compute features and masks of all spikes, in one pass over the recording.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        With the recording; a copy, in which the principal components are computed if they are
        missing.
    unit_channels : ndarray of shape (n_units, n_channels) and dtype bool
        Channels of the channel group of each unit.
    folder : Path
        Where features and masks lie, in memory maps.
    metadata : mapping
        Parameters under klusta's names: thresholds, ``detect_spikes``.
    job_kwargs : mapping
        Job options.

    Raises
    ------
    ParameterError
        If `metadata` say what cannot be.
    """
    parameters = {**_THRESHOLDS, "detect_spikes": _SIGNS[analyzer.peak_sign]}
    parameters |= {name: metadata[name] for name in parameters if name in metadata}
    components = {"n_components": _N_COMPONENTS, "mode": "by_channel_local", "whiten": False}
    params: dict[str, dict[str, Any]] = {
        "random_spikes": {"seed": 0},
        "principal_components": components,
        "noise_levels": {"random_slices_kwargs": {"seed": 0}},
    }
    names = ("waveforms", "principal_components", "noise_levels")
    compute_missing(analyzer, names, job_kwargs, params)
    n_columns = int(unit_channels.sum(axis=1).max())
    work = _mask_work(analyzer, unit_channels, n_columns, parameters)
    table = analyzer.sorting.spike_table()
    masks = np.lib.format.open_memmap(
        folder / "masks.npy", "w+", np.float32, (table.n_spikes, n_columns)
    )
    features, _ = run_chunk_tasks(
        analyzer.recording,
        [
            projection_task(analyzer, unit_channels, folder / "features.npy"),
            SpikeTask(table, work, [masks]),
        ],
        in_uV=analyzer.return_in_uV,
        options=job_options(**job_kwargs),
        job_name="features and masks of all spikes",
    )
    waveforms: Any = analyzer.get_extension("waveforms")
    parameters |= {
        "use_single_threshold": False,
        "extract_s_before": int(waveforms.nbefore),
        "extract_s_after": int(waveforms.nafter),
    }
    return SpikeFeatures(features.transpose(0, 2, 1), masks, parameters)


def _mask_work(
    analyzer: SortingAnalyzer,
    unit_channels: NDArray[np.bool_],
    n_columns: int,
    parameters: Mapping[str, Any],
) -> MaskWork:
    weak, strong = (
        float(parameters[f"threshold_{name}_std_factor"]) for name in ("weak", "strong")
    )
    sign = parameters["detect_spikes"]
    if not 0 <= weak < strong or sign not in _SIGNS.values():
        msg = (
            "metadata must have 0 <= threshold_weak_std_factor < threshold_strong_std_factor and "
            f"detect_spikes of {', '.join(_SIGNS.values())}; got {weak}, {strong} and {sign!r}."
        )
        raise ParameterError(msg)
    columns = np.where(unit_channels, np.cumsum(unit_channels, axis=1) - 1, -1)
    if analyzer.sparsity is not None:
        columns[~analyzer.sparsity.mask] = -1
    noise: Any = analyzer.get_extension("noise_levels")
    levels = np.asarray(noise.get_data(), np.float32)
    reach = round(_PEAK_MS * 1e-3 * analyzer.sampling_frequency)
    return MaskWork(columns, n_columns, sign, weak * levels, strong * levels, reach)
