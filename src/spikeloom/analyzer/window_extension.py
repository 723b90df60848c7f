"""Extensions that are made of windows around spikes."""

from spikeloom.analyzer.extension import AnalyzerExtension
from spikeloom.core.unit_conversion import ms_to_samples


class SpikeWindowExtension(AnalyzerExtension):
    """An extension with the parameters ``ms_before`` and ``ms_after``."""

    @property
    def nbefore(self) -> int:
        """Samples before a spike."""
        return self._samples("ms_before")

    @property
    def nafter(self) -> int:
        """Samples from a spike on."""
        return self._samples("ms_after")

    def _samples(self, key: str) -> int:
        return ms_to_samples((self.params or {})[key], self.sorting_analyzer.sampling_frequency)
