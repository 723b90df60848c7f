"""The extension ``noise_levels``: how strong the noise of each channel is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension import AnalyzerExtension, register_result_extension
from spikeloom.core.class_names import stored_as
from spikeloom.core.noise_levels import get_noise_levels

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

_SLICE_OPTIONS = ("num_chunks_per_segment", "chunk_size", "chunk_duration", "margin_frames", "seed")
"""Options of the random pieces, which older versions took directly."""


@register_result_extension
@stored_as("spikeinterface.core.analyzer_extension_core.ComputeNoiseLevels")
class ComputeNoiseLevels(AnalyzerExtension):
    """How strong the noise of each channel is, from random pieces of the recording.

    Parameters
    ----------
    **noise_level_params
        Parameters of `spikeloom.get_noise_levels`: ``method``, ``random_slices_kwargs`` and
        ``force_recompute``. A seed that is not given is drawn and noted.

    Notes
    -----
    The data ``noise_levels`` (float32) are of shape (n_channels,), in microvolts if the analyzer's
    traces are. The pieces are read for themselves, not in the pass over the recording: their
    values then do not depend on where chunks begin, even if the recording is filtered on the way.
    """

    extension_name = "noise_levels"
    need_recording = True
    need_job_kwargs = True
    need_backward_compatibility_on_load = True

    _is_seed_drawn = False

    def _set_params(self, **noise_level_params: Any) -> dict[str, Any]:
        params = dict(noise_level_params)
        _gather_slice_options(params)
        slices = params["random_slices_kwargs"]
        self._is_seed_drawn = slices.get("seed") is None
        if self._is_seed_drawn:
            slices["seed"] = int(np.random.default_rng().integers(0, 2**63))
        return params

    def params_asked_for(self) -> dict[str, Any]:
        """Return the parameters, without a seed that was drawn."""
        params = dict(self.params or {})
        if self._is_seed_drawn:
            slices = dict(params["random_slices_kwargs"])
            del slices["seed"]
            params["random_slices_kwargs"] = slices
        return params

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002 - SpikeInterface's
        analyzer = self.sorting_analyzer
        # There, it would be the length of the pieces, which are the chunks of this job.
        jobs = {key: value for key, value in job_kwargs.items() if key != "chunk_size"}
        levels = get_noise_levels(
            analyzer.recording, analyzer.return_in_uV, **(self.params or {}), **jobs
        )
        self.data = {"noise_levels": levels}

    def _get_data(self) -> NDArray[np.float32]:
        """Return the noise levels; shape (n_channels,)."""
        return np.asarray(self.data["noise_levels"])

    def _handle_backward_compatibility_on_load(self) -> None:
        if self.params is not None:
            _gather_slice_options(self.params)

    # -- for other analyzers: nothing depends on units -----------------------------------------

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002
        return {"noise_levels": self._get_data().copy()}

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:
        channels = self.sorting_analyzer.channel_ids_to_indices(channel_ids)
        return {"noise_levels": self._get_data()[channels]}

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],  # noqa: ARG002
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",  # noqa: ARG002
        keep_mask: NDArray[np.bool_] | None = None,  # noqa: ARG002
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {"noise_levels": self._get_data().copy()}

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],  # noqa: ARG002
        new_unit_ids: Sequence[Any],  # noqa: ARG002
        new_sorting_analyzer: "SortingAnalyzer",  # noqa: ARG002
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {"noise_levels": self._get_data().copy()}


def _gather_slice_options(params: dict[str, Any]) -> None:
    """Move options of the pieces, which older versions took directly, to where they belong."""
    slices = dict(params.get("random_slices_kwargs") or {})
    for key in _SLICE_OPTIONS:
        if key in params:
            slices[key] = params.pop(key)
    params["random_slices_kwargs"] = slices


compute_noise_levels = ComputeNoiseLevels.function_factory()
