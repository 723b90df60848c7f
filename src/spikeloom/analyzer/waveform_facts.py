"""What a waveform extractor tells of its recording and its waveforms."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.analyzer_facts import AnalyzerFacts
from spikeloom.analyzer.waveform_layout import params_of
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.unit_conversion import ms_to_samples
from spikeloom.errors import MissingExtensionError, ParameterError


class WaveformFacts(AnalyzerFacts):
    """What a waveform extractor tells of its recording and its waveforms.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        What it covers.
    """

    def __init__(self, sorting_analyzer: SortingAnalyzer) -> None:
        super().__init__(sorting_analyzer.sorting, sorting_analyzer.recording_info)
        self.sorting_analyzer = sorting_analyzer
        self._params: dict[str, Any] = params_of(sorting_analyzer)

    @property
    def recording(self) -> BaseRecording:
        """The recording; raises MissingExtensionError if there is none."""
        return self.sorting_analyzer.recording

    @property
    def sparsity(self) -> ChannelSparsity | None:
        """The channels of each unit; None for all."""
        return self.sorting_analyzer.sparsity

    @property
    def folder(self) -> Any:
        """Where it is kept; None in memory."""
        return self.sorting_analyzer.folder

    @property
    def format(self) -> str:
        """How it is kept: memory, binary or zarr."""
        kind = self.sorting_analyzer.format
        return "binary" if kind == "binary_folder" else kind

    @property
    def return_scaled(self) -> bool:
        """Whether waveforms are in microvolts."""
        return self.sorting_analyzer.return_in_uV

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type of the waveforms."""
        dtype: np.dtype[Any] = np.dtype(self._param("dtype"))
        return dtype

    @property
    def nbefore(self) -> int:
        """Samples before a spike."""
        return self._samples("ms_before")

    @property
    def nafter(self) -> int:
        """Samples from a spike on."""
        return self._samples("ms_after")

    @property
    def nsamples(self) -> int:
        """Samples of a waveform."""
        return self.nbefore + self.nafter

    def _samples(self, key: str) -> int:
        return ms_to_samples(self._param(key), self.sampling_frequency)

    def _param(self, key: str) -> Any:
        if self._params.get(key) is None:
            msg = "There are no waveforms yet: call set_params() and run_extract_waveforms()."
            raise MissingExtensionError(msg)
        return self._params[key]

    def is_sparse(self) -> bool:
        """Return whether each unit has channels of its own."""
        return self.sorting_analyzer.is_sparse()

    def is_read_only(self) -> bool:
        """Return whether nothing may be saved."""
        return self.sorting_analyzer.is_read_only()

    def has_recording(self) -> bool:
        """Return whether the recording is at hand."""
        return self.sorting_analyzer.has_recording()

    def set_recording(
        self,
        recording: BaseRecording,
        rec_attributes: Mapping[str, Any] | None = None,  # noqa: ARG002 - they are known
        allow_unfiltered: bool = False,
    ) -> None:
        """Use a recording as that of the waveforms; raises ParameterError if it differs."""
        check_filtered(recording, allow_unfiltered=allow_unfiltered)
        self.sorting_analyzer.set_recording(recording)


def check_filtered(recording: BaseRecording, *, allow_unfiltered: bool) -> None:
    """Raise ParameterError for a recording that was not filtered, unless that is allowed."""
    if not allow_unfiltered and not recording.is_filtered():
        msg = (
            "The recording is not filtered, so offsets and slow waves would be part of the "
            "waveforms. Filter it first, recording.annotate(is_filtered=True) if it was filtered "
            "elsewhere, or pass allow_unfiltered=True."
        )
        raise ParameterError(msg)
