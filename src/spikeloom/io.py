"""All that reads and writes files, under phy's name for it: ``import spikeloom.io``.

These are the names of the rooms `spikeloom.extractors`, `spikeloom.datasets` and
`spikeloom.exporters`, and those functions of `spikeloom.core` that load, read or write; each is
imported when it is first used.

Examples
--------
>>> import spikeloom.io
>>> spikeloom.io.read_traces is spikeloom.read_traces
True
"""

from typing import Any

from spikeloom import core, datasets, exporters, extractors

_HOMES = {
    **{name: core for name in dir(core) if name.startswith(("load", "read_", "write_"))},
    **{name: room for room in (extractors, datasets, exporters) for name in dir(room)},
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the room has
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(_HOMES[name], name)


def __dir__() -> list[str]:
    return __all__
