"""Where plots are drawn: a figure of their own, or one that is given; and what they return."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.optional import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BACKENDS = ("matplotlib",)
_OPTIONS = ("figure", "ax", "axes", "ncols", "figsize", "figtitle")
_default = {"backend": "matplotlib"}

Size = tuple[float, float]
Panels = NDArray[np.object_]
"""Axes in rows and columns; None where there are none. Shape (n_rows, n_columns)."""


@dataclass(frozen=True, eq=False)
class Widget:
    """What was drawn, and where."""

    figure: "Figure"
    """The figure."""
    axes: Panels
    """Its axes in rows and columns; None where there are none. Shape (n_rows, n_columns)."""
    data: Any = field(default=None, repr=False)
    """The arrays that are shown."""

    @property
    def ax(self) -> "Axes | None":
        """The only axes; None if there are several."""
        found = panels_in(self.axes)
        return found[0] if len(found) == 1 else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {len(panels_in(self.axes))} axes"


def get_default_plotter_backend() -> str:
    """Return what plots are drawn with if nothing is said.

    Examples
    --------
    >>> get_default_plotter_backend()
    'matplotlib'
    """
    return _default["backend"]


def set_default_plotter_backend(backend: str) -> None:
    """Set what plots are drawn with if nothing is said; raises ParameterError if it is unknown."""
    _default["backend"] = checked_backend(backend)


def checked_backend(backend: str | None) -> str:
    """Return the backend, by default the default one; raises ParameterError if it is unknown."""
    chosen = get_default_plotter_backend() if backend is None else backend
    if chosen not in _BACKENDS:
        msg = f"Plots are drawn with backend='matplotlib'; got backend={chosen!r}."
        raise ParameterError(msg)
    return chosen


def import_pyplot() -> Any:
    """Return matplotlib.pyplot.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    return require("matplotlib.pyplot", feature="A plot", extra="widgets")


def panels_in(panels: Panels) -> "list[Axes]":
    """Return the axes row by row, without the places where there are none."""
    return [one for one in np.asarray(panels, object).ravel().tolist() if one is not None]


def open_panels(
    backend: str | None,
    options: Mapping[str, Any],
    n_panels: int = 1,
    n_columns: int = 5,
    figsize: Size | None = None,
) -> Panels:
    """Return axes to draw into: given ones, or new ones in a given or a new figure.

    Parameters
    ----------
    backend : str, optional
        Only "matplotlib".
    options : mapping
        ``figure``, ``ax`` or ``axes`` to draw into, at most one of them; ``figsize`` in inches and
        ``ncols`` of new figures; ``figtitle``.
    n_panels : int
        How many axes are needed.
    n_columns : int
        Side by side, unless ``ncols`` is given.
    figsize : (float, float), optional
        Size of new figures in inches, unless ``figsize`` is given.

    Returns
    -------
    ndarray of objects of shape (n_rows, n_columns)

    Raises
    ------
    ParameterError
        For an unknown option, or axes that are too few.
    MissingDependencyError
        If matplotlib is not installed.
    """
    checked_backend(backend)
    given = _given_place(options)
    plt = import_pyplot()
    if given in {"ax", "axes"}:
        panels = _given_axes(given, options[given], n_panels)
    else:
        figure = options.get("figure")
        if figure is None:
            size = options.get("figsize") or figsize
            figure = plt.figure(figsize=size, layout="constrained")
        panels = _grid(figure, n_panels, options.get("ncols") or n_columns)
    if options.get("figtitle") is not None and panels_in(panels):
        figure_of(panels).suptitle(options["figtitle"])
    return panels


def _given_place(options: Mapping[str, Any]) -> str | None:
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        msg = (
            f"This plot has no argument {', '.join(map(repr, unknown))}. All plots have backend, "
            f"{', '.join(_OPTIONS)}."
        )
        raise ParameterError(msg)
    given = [name for name in ("figure", "ax", "axes") if options.get(name) is not None]
    if len(given) > 1:
        msg = f"Only one of figure, ax and axes can be given; got {' and '.join(given)}."
        raise ParameterError(msg)
    return given[0] if given else None


def _given_axes(name: str, value: object, n_panels: int) -> Panels:
    panels = np.array([[value]], object) if name == "ax" else np.atleast_2d(np.array(value, object))
    n_given = len(panels_in(panels))
    if n_given < n_panels:
        msg = (
            f"This plot has {n_panels} axes; got {n_given}. Give axes=[...] of {n_panels}, or none."
        )
        raise ParameterError(msg)
    return panels


def _grid(figure: "Figure", n_panels: int, n_columns: int) -> Panels:
    """Return new axes in a figure, row by row."""
    n_columns = max(min(n_columns, n_panels), 1)
    n_rows = max(-(-n_panels // n_columns), 1)
    panels = np.full((n_rows, n_columns), None, object)
    for k in range(n_panels):
        panels[divmod(k, n_columns)] = figure.add_subplot(n_rows, n_columns, k + 1)
    return panels


def figure_of(panels: Panels) -> "Figure":
    """Return the figure of axes."""
    figure: Any = panels_in(panels)[0].figure
    return figure  # type: ignore[no-any-return]


def drawn(panels: Panels, data: Any = None) -> Widget:
    """Return what a plot returns."""
    return Widget(figure_of(panels), panels, data)
