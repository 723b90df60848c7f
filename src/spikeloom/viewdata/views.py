"""The views that a page can ask for, by name."""

from typing import Any

from spikeloom.registry import Registry
from spikeloom.viewdata.amplitudes import AMPLITUDES
from spikeloom.viewdata.context import View
from spikeloom.viewdata.correlograms import CORRELOGRAMS
from spikeloom.viewdata.features import FEATURES
from spikeloom.viewdata.histograms import INTERVALS, RATES
from spikeloom.viewdata.traces import TRACES
from spikeloom.viewdata.waveforms import WAVEFORMS

VIEWS: Registry[View[Any]] = Registry("view", entry_point_group="spikeloom.views")
"""All views; third parties add theirs through the entry-point group ``spikeloom.views``."""

VIEWS.register("waveforms", WAVEFORMS)
VIEWS.register("features", FEATURES)
VIEWS.register("amplitudes", AMPLITUDES)
VIEWS.register("correlograms", CORRELOGRAMS)
VIEWS.register("isi", INTERVALS)
VIEWS.register("firing_rate", RATES)
VIEWS.register("traces", TRACES)
