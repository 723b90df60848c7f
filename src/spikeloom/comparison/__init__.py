"""Agreement between sortings: of a sorter with the truth, and of sorters with each other."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
