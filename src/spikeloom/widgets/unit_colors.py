"""Colours of units: those of the page, in the order of the units."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import import_pyplot

Color = Any
"""Whatever matplotlib takes for a colour."""

TABLE = (
    "#0892fc",
    "#ff0202",
    "#98ff00",
    "#ffa530",
    "#b600ff",
    "#028800",
    "#ff8fc8",
    "#79525f",
    "#00fecf",
    "#b0a5ff",
    "#94ad84",
    "#9a6900",
    "#376a62",
    "#d3008c",
    "#fef590",
    "#c86f66",
    "#9ee3ff",
    "#00c946",
    "#a977ad",
    "#b8bb02",
)
"""The page's colours of selected clusters: phy's, then those of the Glasbey palette of colorcet
(CC BY 4.0, https://colorcet.holoviz.org)."""

LIGHTEST = 0.62
"""Lightness, from 0 to 1, that a line on white paper may have."""


def components(color: str) -> tuple[float, float, float]:
    """Return red, green and blue of "#rrggbb", each from 0 to 1.

    Examples
    --------
    >>> components("#ff0033")
    (1.0, 0.0, 0.2)
    """
    red, green, blue = (int(color[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue


def shaded(color: str, share: float) -> str:
    """Return a colour with `share`, from 0 to 1, of its light; "#rrggbb".

    Examples
    --------
    >>> shaded("#ff0064", 0.5)
    '#800032'
    """
    return "#" + "".join(f"{round(255 * one * share):02x}" for one in components(color))


def on_paper(color: str) -> str:
    """Return a colour that is dark enough for a white background, of the same hue.

    Examples
    --------
    >>> on_paper("#b600ff"), on_paper("#fef590")
    ('#b600ff', '#aaa460')
    """
    red, green, blue = components(color)
    lightness = 0.3 * red + 0.59 * green + 0.11 * blue
    return shaded(color, min(1.0, LIGHTEST / max(lightness, 1e-6)))


def table_color(position: int) -> str:
    """Return the colour at a position: from the table, and darker each time around.

    Examples
    --------
    >>> table_color(0), table_color(20)
    ('#0892fc', '#055897')
    """
    n_rounds, place = divmod(position, len(TABLE))
    return shaded(on_paper(TABLE[place]), 0.6 ** (n_rounds % 4))


def get_some_colors(keys: Iterable[Any], map_name: str | None = None) -> dict[Any, Color]:
    """Return a colour for each key.

    Parameters
    ----------
    keys : iterable
        Units, channels or what else.
    map_name : str, optional
        A colour map of matplotlib to spread the colours over, rather than the table.

    Returns
    -------
    dict of key to colour

    Examples
    --------
    >>> get_some_colors(["a", "b"])
    {'a': '#0892fc', 'b': '#ff0202'}
    """
    listed = [_plain(key) for key in keys]
    if map_name is None:
        return {key: table_color(k) for k, key in enumerate(listed)}
    color_map = import_pyplot().get_cmap(map_name)
    shares = np.linspace(0, 1, len(listed) + 2)[1:-1]  # the ends are often black or white
    return {key: color_map(float(share)) for key, share in zip(listed, shares, strict=True)}


def get_unit_colors(
    sorting_or_analyzer_or_templates: Any,
    map_name: str | None = None,
) -> dict[Any, Color]:
    """Return a colour for each unit, the same in all plots.

    Parameters
    ----------
    sorting_or_analyzer_or_templates : BaseSorting, SortingAnalyzer or Templates
        What has ``unit_ids``.
    map_name : str, optional
        A colour map of matplotlib, rather than the table of colours.

    Returns
    -------
    dict of unit id to colour

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> get_unit_colors(NumpySorting.from_unit_dict({3: [10], 7: [20]}, 30000.0))
    {3: '#0892fc', 7: '#ff0202'}
    """
    return get_some_colors(sorting_or_analyzer_or_templates.unit_ids, map_name)


def checked_colors(
    unit_colors: Mapping[Any, Color] | None,
    source: Any,
    unit_ids: Iterable[Any],
) -> dict[Any, Color]:
    """Return the colours of units: given ones, or those of the table.

    Raises
    ------
    ParameterError
        If one of the units has no colour among those that are given.
    """
    if unit_colors is None:
        return get_unit_colors(source)
    missing = [unit_id for unit_id in unit_ids if unit_id not in unit_colors]
    if missing:
        msg = f"unit_colors has no colour for the units {missing}; get_unit_colors() has all."
        raise ParameterError(msg)
    return dict(unit_colors)


def _plain(key: Any) -> Any:
    return key.item() if isinstance(key, np.generic) else key
