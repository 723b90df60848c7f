"""Extensions that hold something of each unit by itself, as most that need no traces do."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.analyzer.unit_rows import flat_ids

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer


class BaseUnitExtension(AnalyzerExtension):
    """An extension for which merging and splitting are the same: some units are new."""

    def _for_new_units(self, analyzer: "SortingAnalyzer", new_ids: Sequence[Any]) -> dict[str, Any]:
        """Return the data for another analyzer: computed for its new units, kept for the others."""
        raise NotImplementedError

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],  # noqa: ARG002 - the contract
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        keep_mask: NDArray[np.bool_] | None = None,  # noqa: ARG002 - the contract
        verbose: bool = False,  # noqa: ARG002 - the contract
        **job_kwargs: Any,  # noqa: ARG002 - the contract
    ) -> dict[str, Any]:
        return self._for_new_units(new_sorting_analyzer, flat_ids(new_unit_ids))

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],  # noqa: ARG002 - the contract
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        verbose: bool = False,  # noqa: ARG002 - the contract
        **job_kwargs: Any,  # noqa: ARG002 - the contract
    ) -> dict[str, Any]:
        return self._for_new_units(new_sorting_analyzer, flat_ids(new_unit_ids))
