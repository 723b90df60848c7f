"""The extension ``waveforms``: windows of traces around the chosen spikes."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.chunk_pass import TraceBlock
from spikeloom.analyzer.core_random_spikes import ComputeRandomSpikes
from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.window_extension import SpikeWindowExtension
from spikeloom.core.class_names import stored_as
from spikeloom.core.spike_windows import ChunkWindows
from spikeloom.core.waveform_extraction import (
    WindowTask,
    cut_windows,
    extract_waveforms_to_single_buffer,
    window_task,
)
from spikeloom.engine.chunks import Chunk
from spikeloom.errors import MissingExtensionError, ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer


class WaveformTask:
    """Cuts windows out of chunks.

    Parameters
    ----------
    task : WindowTask
        What is cut out.
    windows : ndarray of shape ``task.shape``
        Where to, filled with zeros. Threads write to it; other processes send what they cut.
    """

    def __init__(self, task: WindowTask, windows: NDArray[Any]) -> None:
        self.margin = max(task.windows.nbefore, task.windows.nafter)
        self._task = task
        self._windows: NDArray[Any] | None = windows
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_windows": None}

    def compute(self, block: TraceBlock) -> NDArray[Any] | None:
        """Cut the windows of a chunk; return them if they could not be written."""
        task = self._task
        spikes = task.windows.in_chunk(block.chunk)
        if spikes.start == spikes.stop:
            return None
        starts = task.windows.samples[spikes] - (task.windows.nbefore + block.first_sample)
        found = ChunkWindows(spikes, block.raw, starts, None)
        if self._windows is not None and self._process == os.getpid():
            # As a plain array: compiled kernels do not know memory-map objects.
            windows = self._windows.view(np.ndarray)
            cut_windows(found, task.windows.places[spikes], task, windows)
            return None
        cut = np.zeros((spikes.stop - spikes.start, *task.shape[1:]), task.dtype)
        cut_windows(found, np.arange(len(cut)), task, cut)
        return cut

    def put(self, chunk: Chunk, result: NDArray[Any] | None) -> None:
        """Write windows that were sent."""
        if result is not None and self._windows is not None:
            self._windows[self._task.windows.places[self._task.windows.in_chunk(chunk)]] = result

    def finish(self) -> NDArray[Any]:
        """Return all windows."""
        if self._windows is None:
            msg = "Only the task that was given the array has it."
            raise ParameterError(msg)
        return self._windows


@register_result_extension
@stored_as("spikeinterface.core.analyzer_extension_core.ComputeWaveforms")
class ComputeWaveforms(SpikeWindowExtension):
    """Windows of traces around the chosen spikes.

    Parameters
    ----------
    ms_before : float, default 1.0
        Milliseconds before a spike.
    ms_after : float, default 2.0
        Milliseconds from a spike on.
    dtype : dtype, optional
        Of the waveforms; that of the recording by default. Microvolts of whole numbers are float32.

    Notes
    -----
    The data ``waveforms`` are of shape (n_chosen, n_samples, n_channels), in the order of the
    chosen spikes. In a sparse analyzer, the channels of a spike's unit are the first columns, in
    order, of as many as the unit with most channels has; those behind are zero, as is what lies
    outside the recording.
    """

    extension_name = "waveforms"
    depend_on = ["random_spikes"]  # noqa: RUF012 - as SpikeInterface's classes have it
    need_recording = True
    use_nodepipeline = True
    nodepipeline_variables = ["waveforms"]  # noqa: RUF012
    need_job_kwargs = True

    def _set_params(
        self, ms_before: float = 1.0, ms_after: float = 2.0, dtype: DTypeLike | None = None
    ) -> dict[str, Any]:
        analyzer = self.sorting_analyzer
        chosen = np.dtype(analyzer.get_dtype() if dtype is None else dtype)
        if chosen.kind in "iu" and analyzer.return_in_uV:
            chosen = np.dtype(np.float32)
        return {"ms_before": float(ms_before), "ms_after": float(ms_after), "dtype": chosen.str}

    @property
    def _random_spikes(self) -> ComputeRandomSpikes:
        return random_spikes_of(self.sorting_analyzer)

    def _get_chunk_tasks(self) -> list[Any]:
        analyzer = self.sorting_analyzer
        task = window_task(
            analyzer.recording,
            self._random_spikes.get_random_spikes(),
            analyzer.get_num_units(),
            (self.nbefore, self.nafter),
            None if analyzer.sparsity is None else analyzer.sparsity.mask,
            analyzer.return_in_uV,
            (self.params or {})["dtype"],
        )
        windows = self.create_array("waveforms", task.shape, task.dtype)
        return [WaveformTask(task, windows)]

    def _finish_chunk_tasks(self, results: list[Any]) -> None:
        self.data = {"waveforms": results[0]}

    def _get_data(self) -> NDArray[Any]:
        """Return all waveforms; shape (n_chosen, n_samples, n_channels)."""
        return np.asarray(self.data["waveforms"])

    def get_waveforms_one_unit(self, unit_id: Any, force_dense: bool = False) -> NDArray[Any]:
        """Return the waveforms of a unit.

        Parameters
        ----------
        unit_id : int or str
        force_dense : bool, default False
            On all channels, zero on those that are not the unit's, rather than on its own.

        Returns
        -------
        ndarray of shape (n_chosen_of_unit, n_samples, n_channels)
        """
        unit_index = self.sorting_analyzer.sorting.id_to_index(unit_id)
        rows = np.flatnonzero(self._random_spikes.unit_indices() == unit_index)
        found: NDArray[Any] = self._get_data()[rows]
        if self.sparsity is None:
            return found
        channels = np.flatnonzero(self.sparsity.mask[unit_index])
        found = found[:, :, : channels.size]
        if not force_dense:
            return found
        dense = np.zeros((*found.shape[:2], self.sparsity.num_channels), found.dtype)
        dense[:, :, channels] = found
        return dense

    # -- for other analyzers -----------------------------------------------------------------

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        rows = self._random_spikes.rows_of_units(unit_ids)
        waveforms = self._get_data()
        if self.sparsity is None:
            return {"waveforms": waveforms[rows]}
        units = np.asarray(self.sorting_analyzer.sorting.ids_to_indices(unit_ids), np.int64)
        n_columns = int(self.sparsity.mask[units].sum(axis=1).max(initial=0))
        return {"waveforms": waveforms[rows, :, :n_columns]}

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:
        channels = self.sorting_analyzer.channel_ids_to_indices(channel_ids)
        waveforms = self._get_data()
        if self.sparsity is None:
            return {"waveforms": waveforms[:, :, channels]}
        units, mask = self._random_spikes.unit_indices(), self.sparsity.mask
        repacked, _ = repack(waveforms, units, units, mask, mask[:, channels], channels)
        return {"waveforms": repacked}

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],  # noqa: ARG002 - the new sorting tells
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",
        keep_mask: NDArray[np.bool_] | None = None,
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,
    ) -> dict[str, Any]:
        rows = self._random_spikes.rows_kept(keep_mask)
        waveforms = self._get_data()
        if keep_mask is not None:
            waveforms = waveforms[rows]
        if self.sparsity is None or new_sorting_analyzer.sparsity is None:
            return {"waveforms": waveforms if keep_mask is not None else waveforms.copy()}
        places = self._random_spikes.places_kept(keep_mask)
        new_spikes = new_sorting_analyzer.sorting.to_spike_vector()[places]
        repacked, is_incomplete = repack(
            waveforms,
            self._random_spikes.unit_indices()[rows],
            new_spikes["unit_index"],
            self.sparsity.mask,
            new_sorting_analyzer.sparsity.mask,
            np.arange(self.sparsity.num_channels),
        )
        if is_incomplete.any():
            repacked[is_incomplete] = self._cut_again(
                new_sorting_analyzer, new_spikes[is_incomplete], job_kwargs
            )
        return {"waveforms": repacked}

    def _cut_again(
        self, analyzer: "SortingAnalyzer", spikes: NDArray[np.void], job_kwargs: dict[str, Any]
    ) -> NDArray[Any]:
        """Cut out the windows of spikes that have got channels which they had not before."""
        if not (analyzer.has_recording() or analyzer.has_temporary_recording()):
            msg = (
                "A merged unit has channels on which not all of its waveforms are known, and they "
                f"are in the recording alone. {analyzer.why_no_recording()}"
            )
            raise MissingExtensionError(msg)
        cut: NDArray[Any] = extract_waveforms_to_single_buffer(
            analyzer.recording,
            spikes,
            self.nbefore,
            self.nafter,
            mode="shared_memory",
            return_in_uV=analyzer.return_in_uV,
            dtype=(self.params or {})["dtype"],
            sparsity_mask=None if analyzer.sparsity is None else analyzer.sparsity.mask,
            **job_kwargs,
        )
        return cut

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],  # noqa: ARG002 - parts have the channels of their unit
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",  # noqa: ARG002
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {"waveforms": self._get_data().copy()}


def random_spikes_of(analyzer: "SortingAnalyzer") -> ComputeRandomSpikes:
    """Return the chosen spikes of an analyzer; raises MissingExtensionError if none are."""
    found = analyzer.get_extension("random_spikes")
    if not isinstance(found, ComputeRandomSpikes):
        msg = "The spikes were not chosen yet: call analyzer.compute('random_spikes') first."
        raise MissingExtensionError(msg)
    return found


def repack(
    waveforms: NDArray[Any],
    units: NDArray[np.integer],
    new_units: NDArray[np.integer],
    mask: NDArray[np.bool_],
    new_mask: NDArray[np.bool_],
    channels: NDArray[np.integer],
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Put the channels of sparse waveforms, or of what else has them, where other masks want them.

    Parameters
    ----------
    waveforms : ndarray of shape (n, ..., n_columns)
        Channels of their unit come first, in order.
    units, new_units : ndarray of shape (n,)
        Unit of each before and afterwards.
    mask, new_mask : ndarray of shape (n_units, n_channels) and dtype bool
        Channels of each unit before and afterwards.
    channels : ndarray of shape (n_new_channels,)
        Positions before of the channels afterwards.

    Returns
    -------
    repacked : ndarray of shape (n, ..., n_new_columns)
        Zero behind the channels of a unit, and on those that are not known.
    is_incomplete : ndarray of shape (n,) and dtype bool
        Whether there are such.

    Examples
    --------
    >>> mask, wanted = np.array([[True, True, True]]), np.array([[True, False, True]])
    >>> repack(np.array([[5, 6, 7]]), [0], [0], mask, wanted, np.arange(3))[0]
    array([[5, 7]])
    """
    units, new_units = np.asarray(units, np.int64), np.asarray(new_units, np.int64)
    n_columns = int(new_mask.sum(axis=1).max(initial=0))
    is_incomplete = np.zeros(len(waveforms), bool)
    pairs, pair_of = np.unique(units * len(new_mask) + new_units, return_inverse=True)
    changed = []
    for k, pair in enumerate(pairs.tolist()):
        unit, new_unit = divmod(pair, len(new_mask))
        wanted = channels[new_mask[new_unit]]
        if not np.array_equal(wanted, np.flatnonzero(mask[unit])):
            changed.append((k, unit, wanted))
    # Most spikes stay as they are: one copy of all, which is written over where they do not.
    n_common = min(n_columns, waveforms.shape[-1])
    repacked = np.empty((*waveforms.shape[:-1], n_columns), waveforms.dtype)
    if len(changed) < pairs.size:
        repacked[..., :n_common] = waveforms[..., :n_common]
        repacked[..., n_common:] = 0
    for k, unit, wanted in changed:
        is_known = mask[unit][wanted]
        columns = (np.cumsum(mask[unit]) - 1)[wanted[is_known]]
        rows = np.flatnonzero(pair_of == k)
        targets = np.flatnonzero(is_known)
        block = np.zeros((rows.size, *repacked.shape[1:]), repacked.dtype)
        block[..., targets] = waveforms[rows][..., columns]
        repacked[rows] = block
        is_incomplete[rows] = not is_known.all()
    return repacked, is_incomplete


compute_waveforms = ComputeWaveforms.function_factory()
