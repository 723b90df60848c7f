"""Figures, under phy's name for them: ``import spikeloom.plot as plt``.

These are the names of the room `spikeloom.widgets`, each imported when it is first used, and
`show`.

Examples
--------
>>> import spikeloom
>>> import spikeloom.plot as plt
>>> plt.plot_traces is spikeloom.plot_traces
True
"""

from typing import Any

from spikeloom import widgets

__all__ = [*dir(widgets), "show"]  # noqa: PLE0604 - names of strings


def show(*, block: bool | None = None) -> None:
    """Show all figures that were made, as ``matplotlib.pyplot.show`` does.

    Parameters
    ----------
    block : bool, optional
        Wait until their windows are closed; by default not where IPython draws them.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    from spikeloom.widgets.figures import import_pyplot  # noqa: PLC0415 - only to show something

    import_pyplot().show(block=block)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the room has
    return getattr(widgets, name)


def __dir__() -> list[str]:
    return __all__
