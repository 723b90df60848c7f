"""What templates are taken from: Templates, an analyzer, or a waveform extractor.

Functions on templates see one thing only, a `TemplateSource`; `template_source` makes it of
whatever has the few attributes that it needs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.template_peaks import PeakMode, PeakSign, check_peak, main_channels
from spikeloom.errors import ParameterError


@dataclass(frozen=True)
class TemplateSource:
    """Templates of all units on all channels, and what is known of them."""

    templates: NDArray[Any]
    """Shape (n_units, n_samples, n_channels)."""
    unit_ids: NDArray[Any]
    """Shape (n_units,)."""
    channel_ids: NDArray[Any]
    """Shape (n_channels,)."""
    nbefore: int
    """Samples before the spike."""
    is_in_uV: bool
    """Whether values are microvolts."""
    peak_sign: PeakSign | None = None
    """Which way peaks go, where that was decided before."""
    peak_mode: PeakMode | None = None
    """How peaks are measured, where that was decided before."""
    known_main_channels: NDArray[np.int64] | None = None
    """Main channel of each unit, where that was decided before; shape (n_units,)."""

    def main_channels(
        self, peak_sign: PeakSign | None = None, peak_mode: PeakMode | None = None
    ) -> NDArray[np.int64]:
        """Return the main channels: by what is asked for, else as decided before."""
        if peak_sign is None and peak_mode is None and self.known_main_channels is not None:
            return self.known_main_channels
        sign, mode = self.peak(peak_sign, peak_mode)
        return main_channels(self.templates, self.nbefore, sign, mode)

    def peak(
        self,
        peak_sign: PeakSign | None,
        peak_mode: PeakMode | None,
        *,
        default_sign: PeakSign = "both",
    ) -> tuple[PeakSign, PeakMode]:
        """Return sign and mode: as asked for, as decided before, or else the default."""
        sign = peak_sign or self.peak_sign or default_sign
        mode = peak_mode or self.peak_mode or "extremum"
        check_peak(sign, mode)
        return sign, mode


def template_source(
    templates_or_sorting_analyzer: Any, operator: str = "average"
) -> TemplateSource:
    """Return the templates of an object.

    Parameters
    ----------
    templates_or_sorting_analyzer : Templates, SortingAnalyzer or WaveformExtractor
        What has ``get_dense_templates``, ``get_extension("templates")`` or ``get_all_templates``.
    operator : str, default "average"
        Which templates, where there are several.

    Raises
    ------
    ParameterError
        If it has none of these, or templates were not computed.
    """
    given = templates_or_sorting_analyzer
    if hasattr(given, "get_dense_templates"):
        return TemplateSource(
            given.get_dense_templates(),
            np.asarray(given.unit_ids),
            np.asarray(given.channel_ids),
            int(given.nbefore),
            bool(given.is_in_uV),
        )
    analyzer = getattr(given, "sorting_analyzer", given)
    if hasattr(analyzer, "get_extension"):
        return _of_analyzer(analyzer, operator)
    if hasattr(given, "get_all_templates"):
        return TemplateSource(
            np.asarray(given.get_all_templates(mode=operator)),
            np.asarray(given.unit_ids),
            np.asarray(given.channel_ids),
            int(given.nbefore),
            bool(getattr(given, "return_scaled", True)),
        )
    msg = f"Templates or a SortingAnalyzer are needed; got {type(given).__name__}."
    raise ParameterError(msg)


def _of_analyzer(analyzer: Any, operator: str) -> TemplateSource:
    extension = analyzer.get_extension("templates")
    if extension is None:
        msg = "The analyzer has no templates yet: call analyzer.compute('templates') first."
        raise ParameterError(msg)
    known = getattr(analyzer, "main_channel_indices", None)
    return TemplateSource(
        np.asarray(extension.get_templates(operator=operator)),
        np.asarray(analyzer.unit_ids),
        np.asarray(analyzer.channel_ids),
        int(extension.nbefore),
        bool(analyzer.return_in_uV),
        getattr(analyzer, "peak_sign", None),
        getattr(analyzer, "peak_mode", None),
        None if known is None else np.asarray(known, np.int64),
    )
