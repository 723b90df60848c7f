"""Projections of all spikes on principal components, in one pass over the recording."""

import tempfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.chunk_pass import TraceBlock, run_chunk_tasks
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.engine.chunks import Chunk
from spikeloom.engine.options import job_options
from spikeloom.errors import MissingExtensionError
from spikeloom.postprocessing.amplitude_scalings import scale_of
from spikeloom.postprocessing.pca_models import PCAModel

if TYPE_CHECKING:
    from spikeloom.kernels.projections import Axes
    from spikeloom.postprocessing.principal_components import ComputePrincipalComponents


class ProjectionTask:
    """Projects the spikes of chunks.

    Parameters
    ----------
    table : SpikeTable
        The spikes.
    window : tuple of int
        Samples before a spike, and from it on.
    columns : ndarray of shape (n_units, n_channels) and dtype int64
        Where the projection of a unit on a channel goes; -1 for channels that are not the unit's.
    weights : ndarray of shape (n_channels, n_samples, n_components)
    offsets : ndarray of shape (n_channels, n_components)
    projections : ndarray of shape (n_spikes, n_components, n_columns)
        Written to.
    """

    def __init__(
        self,
        table: SpikeTable,
        window: tuple[int, int],
        columns: NDArray[np.int64],
        weights: NDArray[np.float32],
        offsets: NDArray[np.float32],
        projections: NDArray[Any],
    ) -> None:
        self.margin = max(window)
        self._table = table
        self._window = window
        self._columns = columns
        self._weights = weights
        self._offsets = offsets
        self._shape, self._dtype = projections.shape[1:], projections.dtype
        self._projections: NDArray[Any] | None = projections

    @cached_property
    def _axes(self) -> "Axes":
        from spikeloom.kernels.projections import Axes  # noqa: PLC0415 - imports numba

        sets, set_of = np.unique(self._columns >= 0, axis=0, return_inverse=True)
        first = np.concatenate([[0], np.cumsum(sets.sum(axis=1))])
        weights, offsets = self._weights.transpose(1, 2, 0), self._offsets.T
        return Axes(
            set_of.reshape(-1).astype(np.int64),
            first.astype(np.int64),
            np.nonzero(sets)[1].astype(np.int64),
            np.concatenate([weights[:, :, one].ravel() for one in sets]),
            np.concatenate([offsets[:, one].ravel() for one in sets]),
            np.ascontiguousarray(self._columns, np.int64),
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_projections": None}

    def _spikes(self, chunk: Chunk) -> slice:
        return self._table.window(chunk.segment_index, chunk.start_sample, chunk.end_sample)

    def compute(self, block: TraceBlock) -> NDArray[Any]:
        """Return the projections of the spikes of a chunk."""
        from spikeloom.kernels.projections import (  # noqa: PLC0415 - imports numba
            project_windows,
        )

        spikes = self._spikes(block.chunk)
        found = np.zeros((spikes.stop - spikes.start, *self._shape), self._dtype)
        if len(found):
            starts = self._table.sample_index[spikes] - block.first_sample - self._window[0]
            units = self._table.unit_index[spikes].astype(np.int64)
            n_window = sum(self._window)
            project_windows(block.raw, scale_of(block), starts, units, n_window, self._axes, found)
        return found

    def put(self, chunk: Chunk, result: NDArray[Any]) -> None:
        """Keep the projections of a chunk."""
        if self._projections is not None and len(result):
            self._projections[self._spikes(chunk)] = result

    def finish(self) -> NDArray[Any] | None:
        """Return all projections."""
        return self._projections


class ConcatenatedTask(ProjectionTask):
    """Projects the spikes of chunks on components over all channels.

    The arrays have one model in place of one for each channel, and no columns.
    """

    def compute(self, block: TraceBlock) -> NDArray[Any]:
        """Return the projections of the spikes of a chunk."""
        spikes = self._spikes(block.chunk)
        found = np.zeros((spikes.stop - spikes.start, *self._shape), self._dtype)
        first = block.chunk.start_sample - block.margin
        starts = self._table.sample_index[spikes] - first - self._window[0]
        samples = np.arange(sum(self._window))
        for k in range(0, len(found), 512):
            rows = starts[k : k + 512, np.newaxis] + samples
            flat = block.traces[rows].astype(np.float32).reshape(len(rows), -1)
            found[k : k + 512] = _products(flat, self._weights[0]) + self._offsets[0]
        return found


def _products(rows: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the matrix product, each row of it the same whatever rows are beside it.

    Those of a matrix product differ in their last bits with the number of rows, which is that of
    spikes in a chunk.
    """
    products: NDArray[np.float32] = np.einsum("ns,sc->nc", rows, weights)
    return products


def project_all(
    extension: "ComputePrincipalComponents",
    models: Sequence[PCAModel],
    file_path: str | Path | None,
    **job_kwargs: Any,
) -> NDArray[Any]:
    """Return the projections of all spikes; see `ComputePrincipalComponents.run_for_all_spikes`."""
    analyzer = extension.sorting_analyzer
    if not (analyzer.has_recording() or analyzer.has_temporary_recording()):
        msg = f"To project all spikes, the recording is needed. {analyzer.why_no_recording()}"
        raise MissingExtensionError(msg)
    waveforms: Any = analyzer.get_extension("waveforms")
    if waveforms is None:
        msg = "There are no waveforms, whose window is needed: compute('waveforms') first."
        raise MissingExtensionError(msg)
    window = (int(waveforms.nbefore), int(waveforms.nafter))
    n_spikes = analyzer.sorting.spike_table().n_spikes
    is_concatenated = extension._mode == "concatenated"
    columns = _columns(extension)
    shape: tuple[int, ...] = (n_spikes, extension._n_components, int(columns.max(initial=-1)) + 1)
    parts = [one.affine() for one in models]
    weights = np.array([weight for weight, _ in parts], np.float32)
    offsets = np.array([offset for _, offset in parts], np.float32)
    if is_concatenated:
        shape = shape[:2]
    elif len(models) == 1:
        n_channels = analyzer.get_num_channels()
        weights, offsets = np.repeat(weights, n_channels, 0), np.repeat(offsets, n_channels, 0)
    kind = ConcatenatedTask if is_concatenated else ProjectionTask

    def fill(projections: NDArray[Any]) -> None:
        table = analyzer.sorting.spike_table()
        task = kind(table, window, columns, weights, offsets, projections)
        run_chunk_tasks(
            analyzer.recording,
            [task],
            in_uV=analyzer.return_in_uV,
            options=job_options(**job_kwargs),
            job_name="project all spikes",
        )

    return _filled(fill, shape, extension._dtype, file_path)


def _filled(
    fill: Callable[[NDArray[Any]], None],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    file_path: str | Path | None,
) -> NDArray[Any]:
    """Return an array, in memory or in a file, that was filled."""
    if file_path is None:
        projections = np.zeros(shape, dtype)
        fill(projections)
        return projections
    target = Path(file_path)
    # Complete or not there at all: it takes its name when it is done.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        part = Path(folder) / "projections.npy"
        if 0 in shape:
            np.save(part, np.zeros(shape, dtype))
        else:
            mapped = np.lib.format.open_memmap(part, "w+", dtype, shape)
            fill(mapped)
            mapped.flush()
            del mapped
        part.replace(target)
    written: NDArray[Any] = np.load(target, mmap_mode=None if 0 in shape else "r")
    return written


def _columns(extension: "ComputePrincipalComponents") -> NDArray[np.int64]:
    analyzer = extension.sorting_analyzer
    shape = (analyzer.get_num_units(), analyzer.get_num_channels())
    if analyzer.sparsity is None:
        return np.broadcast_to(np.arange(shape[1]), shape)
    mask = analyzer.sparsity.mask
    return np.where(mask, np.cumsum(mask, axis=1) - 1, -1)
