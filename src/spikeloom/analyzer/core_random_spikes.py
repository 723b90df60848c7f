"""The extension ``random_spikes``: some spikes of each unit, of which waveforms are taken."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension import AnalyzerExtension, register_result_extension
from spikeloom.analyzer.spike_values import places_of_units
from spikeloom.core.class_names import stored_as
from spikeloom.core.random_selection import random_spikes_selection
from spikeloom.core.random_spikes import RandomSpikesMethod

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer


@register_result_extension
@stored_as("spikeinterface.core.analyzer_extension_core.ComputeRandomSpikes")
class ComputeRandomSpikes(AnalyzerExtension):
    """Some spikes of each unit, chosen at random.

    Parameters
    ----------
    method : {"uniform", "all", "percentage", "maximum_rate"}
        Up to `max_spikes_per_unit`; all; the part `percentage` of each unit's spikes; or so many as
        would fire at `maximum_rate`. The last two choose no more than `max_spikes_per_unit` either.
    max_spikes_per_unit : int or None, default 500
        None is no limit.
    margin_size : int, optional
        Samples at both ends of a segment whose spikes are not chosen.
    seed : int, optional
        Without it, each run chooses other spikes.
    percentage : float, optional
        Above 0, up to 1.
    maximum_rate : float, optional
        In spikes per second.

    Notes
    -----
    The data ``random_spikes_indices`` (int64) are places in the spike vector, increasing.
    """

    extension_name = "random_spikes"

    def _set_params(
        self,
        method: RandomSpikesMethod = "uniform",
        max_spikes_per_unit: int | None = 500,
        margin_size: int | None = None,
        seed: int | None = None,
        percentage: float | None = None,
        maximum_rate: float | None = None,
    ) -> dict[str, Any]:
        return {
            "method": method,
            "max_spikes_per_unit": max_spikes_per_unit,
            "margin_size": margin_size,
            "seed": seed,
            "percentage": percentage,
            "maximum_rate": maximum_rate,
        }

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002 - nothing to say or spread
        analyzer = self.sorting_analyzer
        n_samples = list(analyzer.recording_info.n_samples)
        chosen = random_spikes_selection(analyzer.sorting, n_samples, **(self.params or {}))
        self.data = {"random_spikes_indices": chosen}

    def _get_data(self) -> NDArray[np.int64]:
        """Return places in the spike vector; shape (n_chosen,)."""
        return np.asarray(self.data["random_spikes_indices"], np.int64)

    def get_random_spikes(self) -> NDArray[np.void]:
        """Return the chosen spikes, as a spike vector of shape (n_chosen,)."""
        indices = self._get_data()
        chosen: NDArray[np.void] = self.sorting_analyzer.sorting.to_spike_vector()[indices]
        return chosen

    def unit_indices(self) -> NDArray[np.int64]:
        """Return the unit of each chosen spike, as its position; shape (n_chosen,)."""
        table = self.sorting_analyzer.sorting.spike_table()
        return np.asarray(table.unit_index[self._get_data()], np.int64)

    def get_selected_indices_in_spike_train(
        self, unit_id: Any, segment_index: int
    ) -> NDArray[np.int64]:
        """Return which spikes of the train of a unit in a segment are chosen, increasing."""
        sorting = self.sorting_analyzer.sorting
        train = sorting._order("unit").spikes_of(sorting.id_to_index(unit_id), segment_index)
        return np.flatnonzero(np.isin(train, self._get_data(), assume_unique=True))

    # -- for other analyzers -----------------------------------------------------------------

    def rows_of_units(self, unit_ids: Sequence[Any]) -> NDArray[np.int64]:
        """Return which of the chosen spikes are of some units, as they will be ordered then."""
        places = places_of_units(self.sorting_analyzer.sorting, unit_ids)
        return self._row_of_place()[places][self._is_chosen()[places]]

    def rows_kept(self, keep_mask: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """Return which of the chosen spikes a mask of all spikes keeps."""
        indices = self._get_data()
        return np.arange(indices.size) if keep_mask is None else np.flatnonzero(keep_mask[indices])

    def places_kept(self, keep_mask: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """Return where `rows_kept` stand among all spikes that a mask keeps."""
        indices = self._get_data()
        if keep_mask is None:
            return indices
        places: NDArray[np.int64] = (np.cumsum(keep_mask) - 1)[indices[keep_mask[indices]]]
        return places

    def _is_chosen(self) -> NDArray[np.bool_]:
        is_chosen = np.zeros(self.sorting_analyzer.sorting.spike_table().n_spikes, bool)
        is_chosen[self._get_data()] = True
        return is_chosen

    def _row_of_place(self) -> NDArray[np.int64]:
        return np.cumsum(self._is_chosen()) - 1

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        places = places_of_units(self.sorting_analyzer.sorting, unit_ids)
        return {"random_spikes_indices": np.flatnonzero(self._is_chosen()[places])}

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],  # noqa: ARG002 - spikes stay where they are
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",  # noqa: ARG002
        keep_mask: NDArray[np.bool_] | None = None,
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        if keep_mask is None:
            return {"random_spikes_indices": self._get_data().copy()}
        return {"random_spikes_indices": np.flatnonzero(self._is_chosen()[keep_mask])}

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],  # noqa: ARG002 - spikes stay where they are
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",  # noqa: ARG002
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {"random_spikes_indices": self._get_data().copy()}

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002 - of spikes
        return {"random_spikes_indices": self._get_data().copy()}


compute_random_spikes = ComputeRandomSpikes.function_factory()
