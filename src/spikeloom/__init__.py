"""spikeloom: the workbench for spike-sorted electrophysiology.

Usually imported as ``import spikeloom as si``: all public names are here, and each is imported when
it is first used.
"""

import lazy_loader

__version__ = "0.1.0"

DEV_MODE = False
"""Whether this is a development version, under the name that SpikeInterface has for it."""

__getattr__, __dir__, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_names, "DEV_MODE", "__version__"]  # noqa: PLE0604 - names of strings
