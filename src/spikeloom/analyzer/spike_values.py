"""Extensions that have a value for each spike, in the order of the spike vector."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.analyzer.chunk_pass import TraceBlock
from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.spike_selection import cast_periods_to_unit_period_dtype, spikes_in_periods
from spikeloom.core.spike_vector import SpikeTable, base_period_dtype
from spikeloom.engine.chunks import Chunk
from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer


class SpikeWork(Protocol):
    """What is computed for the spikes of a chunk."""

    @property
    def margin(self) -> int:
        """Samples that it needs around a spike."""

    def __call__(
        self, block: TraceBlock, spikes: SpikeTable, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[Any], ...]:
        """Return arrays of values of the spikes at the places `chosen`, one for each of the data.

        These are some of the spikes of the chunk, increasing.
        """


class SpikeTask:
    """Computes values of all spikes, chunk by chunk.

    Parameters
    ----------
    spikes : SpikeTable
        All spikes.
    work : SpikeWork
        What is computed.
    values : sequence of ndarray of shape (n_spikes,)
        Where to. Those of spikes outside the recording, which no chunk has, stay as they are.
    """

    def __init__(self, spikes: SpikeTable, work: SpikeWork, values: Sequence[NDArray[Any]]) -> None:
        self.margin = work.margin
        self._spikes = spikes
        self._work = work
        self._values = tuple(values)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_values": ()}  # results are sent, not what they are put into

    def compute(self, block: TraceBlock) -> tuple[NDArray[Any], ...] | None:
        """Return the values of the spikes of a chunk; None if it has none."""
        chosen = self._of(block.chunk)
        if not chosen.size:
            return None
        return self._work(block, self._spikes, chosen)

    def put(self, chunk: Chunk, result: tuple[NDArray[Any], ...] | None) -> None:
        """Take the values of a chunk."""
        if result is not None:
            chosen = self._of(chunk)
            for values, found in zip(self._values, result, strict=True):
                values[chosen] = found

    def finish(self) -> tuple[NDArray[Any], ...]:
        """Return all values."""
        return self._values

    def _of(self, chunk: Chunk) -> NDArray[np.int64]:
        """Return which spikes lie in a chunk."""
        if chunk.segment_index >= self._spikes.n_segments:
            return np.zeros(0, np.int64)
        there = self._spikes.window(*chunk)
        return np.arange(there.start, there.stop)


class BaseSpikeVectorExtension(AnalyzerExtension):
    """An extension that has a value for each spike; to be derived from.

    A class of one says in ``nodepipeline_variables`` how its arrays are called, and how they are
    computed in `_get_spike_work`.
    """

    need_recording = True
    use_nodepipeline = True
    need_job_kwargs = True
    nodepipeline_variables: ClassVar[list[str] | None] = []
    is_by_unit: ClassVar[bool] = False
    """Whether values of a unit's spikes stay what they are when other units change, so that a hard
    merge computes those of merged units alone."""

    def _get_spike_work(self) -> tuple[SpikeWork, Sequence[DTypeLike]]:
        """Return what is computed, and the number types of the arrays that it returns."""
        raise NotImplementedError

    @property
    def _names(self) -> list[str]:
        return list(self.nodepipeline_variables or [])

    def _get_chunk_tasks(self) -> list[Any]:
        spikes = self.sorting_analyzer.sorting.spike_table()
        work, dtypes = self._get_spike_work()
        values = [
            self.create_array(name, (spikes.n_spikes,), dtype)
            for name, dtype in zip(self._names, dtypes, strict=True)
        ]
        return [SpikeTask(spikes, work, values)]

    def _finish_chunk_tasks(self, results: list[Any]) -> None:
        self.data = dict(zip(self._names, results[0], strict=True))

    # -- for users ---------------------------------------------------------------------------

    def _get_data(
        self,
        outputs: Literal["numpy", "by_unit"] = "numpy",
        concatenated: bool = False,
        return_data_name: str | None = None,
        periods: ArrayLike | None = None,
        copy: bool = True,
    ) -> Any:
        """Return values of spikes.

        Parameters
        ----------
        outputs : {"numpy", "by_unit"}
            In the order of the spike vector; or by unit.
        concatenated : bool, default False
            By unit only: of all segments together, rather than by segment first.
        return_data_name : str, optional
            Which of the data; the first one by default.
        periods : array_like, optional
            Spikes in these periods only; see `spikeloom.cast_periods_to_unit_period_dtype`. With
            the fields of `base_period_dtype` they are for all units.
        copy : bool, default True
            Return a copy.

        Returns
        -------
        ndarray of shape (n_spikes,), dict of unit id to ndarray, or dict of segment to such a dict

        Raises
        ------
        ParameterError
            If there are no such data or outputs.
        """
        name = self._names[0] if return_data_name is None else return_data_name
        if name not in self._names:
            msg = f"The extension {self.extension_name!r} has {self._names}, not {name!r}."
            raise ParameterError(msg)
        if outputs not in {"numpy", "by_unit"}:
            msg = f"outputs must be 'numpy' or 'by_unit'; got {outputs!r}."
            raise ParameterError(msg)
        values = np.asarray(self.data[name])
        keep_mask = None if periods is None else self._in_periods(periods)
        if outputs == "by_unit":
            return self._by_unit(values, keep_mask, concatenated=concatenated)
        if keep_mask is not None:
            return values[keep_mask]
        return np.array(values) if copy else values

    def _in_periods(self, periods: ArrayLike) -> NDArray[np.bool_]:
        sorting = self.sorting_analyzer.sorting
        given = np.asarray(periods)
        if given.dtype != base_period_dtype:
            given = cast_periods_to_unit_period_dtype(given)
        return spikes_in_periods(sorting.spike_table(), given, sorting.get_num_units())

    def _by_unit(
        self, values: NDArray[Any], keep_mask: NDArray[np.bool_] | None, *, concatenated: bool
    ) -> dict[Any, Any]:
        sorting = self.sorting_analyzer.sorting
        order = sorting._order("unit")

        def of_unit(unit_index: int, segment_index: int | None) -> NDArray[Any]:
            spikes = order.spikes_of(unit_index, segment_index)
            if keep_mask is not None:
                spikes = spikes[keep_mask[spikes]]
            chosen: NDArray[Any] = values[spikes]
            return chosen

        units = list(enumerate(sorting.unit_ids.tolist()))
        if concatenated:
            return {unit_id: of_unit(k, None) for k, unit_id in units}
        return {
            segment_index: {unit_id: of_unit(k, segment_index) for k, unit_id in units}
            for segment_index in range(sorting.get_num_segments())
        }

    # -- for other analyzers -----------------------------------------------------------------

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        places = places_of_units(self.sorting_analyzer.sorting, unit_ids)
        return {name: np.asarray(values)[places] for name, values in self.data.items()}

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],  # noqa: ARG002 - values are of spikes
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",  # noqa: ARG002
        keep_mask: NDArray[np.bool_] | None = None,
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return the values of the spikes that are kept, as they were measured for their old units.

        To measure them for the new ones takes the recording: a hard merge does it.
        """
        kept = slice(None) if keep_mask is None else keep_mask
        return {name: np.array(np.asarray(values)[kept]) for name, values in self.data.items()}

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],  # noqa: ARG002 - values are of spikes
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",  # noqa: ARG002
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return the values as they were measured for the units that are split."""
        return {name: np.array(values) for name, values in self.data.items()}


def places_of_units(sorting: BaseSorting, unit_ids: Sequence[Any]) -> NDArray[np.int64]:
    """Return where the spikes of some units are in the spike vector, as they will be ordered.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    unit_ids : sequence
        Some of its units; spikes of one sample stand in their order in ``select_units``.

    Returns
    -------
    ndarray of shape (n_spikes_of_units,) and dtype int64

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [10], "c": [5]}, 30000.0)
    >>> places_of_units(sorting, ["b", "a"])
    array([2, 1, 3])
    """
    positions = np.asarray(sorting.ids_to_indices(unit_ids), np.int64)
    new_index = np.full(sorting.get_num_units(), -1, np.int64)
    new_index[positions] = np.arange(positions.size)
    table = sorting.spike_table()
    units = new_index[table.unit_index]
    places = np.flatnonzero(units >= 0)
    if np.all(np.diff(positions) > 0):
        return places
    keys = (units[places], table.sample_index[places], table.segment_index()[places])
    return np.asarray(places[np.lexsort(keys)], np.int64)
