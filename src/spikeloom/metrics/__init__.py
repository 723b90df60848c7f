"""Metrics of units: how well they are recorded and isolated, and what their templates look like.

Each is a pure function on arrays (`MetricSpikes`, amplitudes, templates, projections ...) that
returns one value for each unit. `spikeloom.metrics.catalogue` lists them all, with their columns
and parameters, and `spikeloom.metrics.tables` computes several at once.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
