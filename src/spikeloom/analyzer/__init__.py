"""Sorting analyzers: what is computed from a sorting and its recording, kept consistent."""

from typing import Any

import lazy_loader

from spikeloom.core.loading import FOLDER_LOADERS

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def _load(location: Any, **options: Any) -> Any:
    from spikeloom.analyzer.loading import load_for_core  # noqa: PLC0415 - when it is needed

    return load_for_core(location, **options)


def _load_waveforms(location: Any, **options: Any) -> Any:
    from spikeloom.analyzer.waveform_loading import load_for_core  # noqa: PLC0415 - as above

    return load_for_core(location, **options)


for _kind in ("SortingAnalyzer", "SortingAnalyzer zarr"):
    FOLDER_LOADERS.register(_kind, _load)
for _kind in ("WaveformExtractor", "WaveformExtractor zarr"):
    FOLDER_LOADERS.register(_kind, _load_waveforms)
