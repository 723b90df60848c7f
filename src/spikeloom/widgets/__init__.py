"""Figures of recordings, sortings, analyzers and comparisons, drawn with matplotlib.

Each ``plot_`` function returns a `Widget` with the figure, its axes, and the arrays that it shows.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
