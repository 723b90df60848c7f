"""The extension ``spike_amplitudes``: how large each spike is on the main channel of its unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.chunk_pass import TraceBlock
from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.spike_values import BaseSpikeVectorExtension, SpikeWork
from spikeloom.core.class_names import stored_as
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.core.template_tools import get_template_peak_shift_on_main_channel


@dataclass(frozen=True)
class AmplitudeReader:
    """Reads the value of each spike at the peak of its unit."""

    channels: NDArray[np.int64]
    """Main channel of each unit; shape (n_units,)."""
    shifts: NDArray[np.int64]
    """Samples from a spike to the peak, of each unit; shape (n_units,)."""

    @property
    def margin(self) -> int:
        """Samples needed around a spike."""
        return int(np.abs(self.shifts).max(initial=0))

    def __call__(
        self, block: TraceBlock, spikes: SpikeTable, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[Any], ...]:
        """Return the amplitudes of some spikes; zero outside the recording."""
        units = spikes.unit_index[chosen]
        rows = spikes.sample_index[chosen] + self.shifts[units] - block.first_sample
        channels = self.channels[units]
        traces = block.raw
        is_inside = (rows >= 0) & (rows < len(traces))
        values = traces[np.where(is_inside, rows, 0), channels]
        if block.scale is not None:
            values = values.astype(np.float32)
            values *= block.scale[0, channels]
            values += block.scale[1, channels]
        values[~is_inside] = 0
        return (values,)


@register_result_extension
@stored_as("spikeinterface.postprocessing.spike_amplitudes.ComputeSpikeAmplitudes")
class ComputeSpikeAmplitudes(BaseSpikeVectorExtension):
    """How large each spike is on the main channel of its unit, where the unit's template peaks.

    Notes
    -----
    The data ``amplitudes`` are of shape (n_spikes,): float32 in microvolts, or steps of the file in
    its number type if the analyzer has those. They are zero where the peak of a spike would lie
    outside the recording.
    """

    extension_name = "spike_amplitudes"
    depend_on = ["templates"]  # noqa: RUF012 - as SpikeInterface's classes have it
    is_by_unit = True
    nodepipeline_variables = ["amplitudes"]  # noqa: RUF012
    need_backward_compatibility_on_load = True

    def _set_params(self) -> dict[str, Any]:
        return {}

    def _handle_backward_compatibility_on_load(self) -> None:
        (self.params or {}).pop("peak_sign", None)  # the analyzer has it

    def _get_spike_work(self) -> tuple[SpikeWork, Sequence[DTypeLike]]:
        analyzer = self.sorting_analyzer
        shifts = get_template_peak_shift_on_main_channel(analyzer, with_dict=False)
        recording = analyzer.recording
        is_scaled = analyzer.return_in_uV and recording.has_scaleable_traces()
        dtype = np.dtype(np.float32) if is_scaled else recording.dtype
        channels = np.asarray(analyzer.main_channel_indices, np.int64)
        return AmplitudeReader(channels, np.asarray(shifts, np.int64)), [dtype]


compute_spike_amplitudes = ComputeSpikeAmplitudes.function_factory()
