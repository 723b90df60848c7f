"""Objects that all others share: recordings, sortings, events, snippets, and their tools.

Names are imported when they are first used. Some that users of SpikeInterface look for here live in
rooms above; they are found, too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import lazy_loader

_lazy_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return _lazy_attribute(name)
        package = import_module("spikeloom")
        if name in package.__all__:
            return getattr(package, name)
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
