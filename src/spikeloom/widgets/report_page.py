"""The page of a report: one HTML file that needs no server and no network.

Everything that comes from users (ids, properties, names of files) is escaped, and the page's policy
lets no script run but its own.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import numpy as np

from spikeloom.exporters.unit_columns import UnitColumn


@dataclass(frozen=True, slots=True)
class PageFigure:
    """A figure of the page."""

    title: str
    """What it shows."""
    caption: str
    """What else is to be known."""
    shown: str
    """Path of the picture that browsers show, relative to the page."""
    full: str
    """Path of the figure in the format that was asked for."""
    size_pixels: tuple[int, int]
    """Its width and height, so that nothing moves when it appears."""
    width: str = "half"
    """Share of the page that it takes: "third", "half" or "whole"."""


@dataclass(frozen=True, slots=True)
class PageUnit:
    """A unit, and the figure of it."""

    unit_id: Any
    """Its id."""
    color: str
    """Its colour in figures, "#rrggbb"."""
    figure: PageFigure
    """Its summary."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a report says."""

    title: str
    """Heading."""
    facts: Sequence[tuple[str, str]]
    """What is known of the whole, by name."""
    missing: Sequence[str]
    """What the report leaves out, and how to get it, in sentences."""
    figures: Sequence[PageFigure]
    """Figures of all units."""
    columns: Sequence[UnitColumn]
    """Columns of the table of units."""
    units: Sequence[PageUnit]
    """The units, in the order of the rows of columns."""
    files: Sequence[str] = field(default_factory=tuple)
    """Other files of the report, relative to the page."""


def page_html(page: Page) -> str:
    """Return the page as HTML.

    Examples
    --------
    >>> text = page_html(Page("<b>", [], [], [], [], []))
    >>> "<h1>&lt;b&gt;</h1>" in text
    True
    """
    script, style = _asset("report.js"), _asset("report.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return "\n".join([
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{escape(page.title)}</title>",
        f"<style>\n{style}</style>",
        "</head>",
        "<body>",
        '<nav aria-label="Sections"><a href="#overview">Overview</a><a href="#table">Table</a>'
        '<a href="#units">Units</a><button id="theme" type="button">Light or dark</button></nav>',
        "<main>",
        f"<h1>{escape(page.title)}</h1>",
        _facts(page.facts),
        _missing(page.missing),
        _overview(page),
        _table(page),
        '<section id="units"><h2>Units</h2>',
        *(_unit(page, row) for row in range(len(page.units))),
        "</section>",
        "</main>",
        f"<script>{script}</script>",
        "</body>",
        "</html>",
        "",
    ])


def _asset(name: str) -> str:
    return (files("spikeloom.widgets") / name).read_text(encoding="utf-8")


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    rows = [f"<div><dt>{escape(key)}</dt><dd>{escape(text)}</dd></div>" for key, text in facts]
    return f'<dl class="facts">{"".join(rows)}</dl>'


def _missing(sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    rows = "".join(f"<li>{escape(one)}</li>" for one in sentences)
    return f'<div class="note"><b>Not in this report</b><ul>{rows}</ul></div>'


def _overview(page: Page) -> str:
    shown = [
        f'<figure class="{figure.width}"><figcaption><b>{escape(figure.title)}</b>'
        f'<span class="faint">{escape(figure.caption)}</span></figcaption>'
        f"{_picture(figure)}</figure>"
        for figure in page.figures
    ]
    links = " · ".join(f'<a href="{quote(name)}">{escape(name)}</a>' for name in page.files)
    also = f'<p class="faint">Tables beside this page: {links}</p>' if links else ""
    return (
        '<section id="overview"><h2>Overview</h2>\n<div class="figures">\n'
        + "\n".join(shown)
        + f"\n</div>{also}</section>"
    )


def _picture(figure: PageFigure) -> str:
    width, height = figure.size_pixels
    picture = (
        f'<img loading="lazy" width="{width}" height="{height}" src="{quote(figure.shown)}" '
        f'alt="{escape(figure.title)}">'
    )
    return f'<a href="{quote(figure.full)}">{picture}</a>'


# -- the table of units ----------------------------------------------------------------------


def _table(page: Page) -> str:
    heads = [_head("unit", "text", "Id of the unit.", "")]
    heads += [_head(one.name, _kind(one), one.full_description, one.unit) for one in page.columns]
    rows = []
    for row, unit in enumerate(page.units):
        text = escape(str(unit.unit_id))
        cells = [
            f'<th scope="row" data-v="{text}">{_dot(unit.color)} <a href="#unit-{row}">{text}</a>'
            "</th>"
        ]
        cells += [_cell(column, row) for column in page.columns]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    n = len(page.units)
    return "\n".join([
        '<section id="table"><h2>Table of units</h2>',
        '<div class="search"><label>Search <input id="search" type="search"></label>'
        f'<span id="count" class="faint" aria-live="polite">{n} of {n} units shown</span>'
        '<span class="faint">A click on a column sorts; its definition shows when you point at it.'
        "</span></div>",
        '<div class="scroll" tabindex="0"><table><thead><tr>',
        *heads,
        "</tr></thead><tbody>",
        *rows,
        "</tbody></table></div></section>",
    ])


def _head(name: str, kind: str, description: str, unit: str) -> str:
    below = escape(_shown_unit(unit)) or "&nbsp;"
    return (
        f'<th scope="col" data-kind="{kind}"><button type="button" title="{escape(description)}">'
        f"<span>{escape(name)}</span><small>{below}</small></button></th>"
    )


def _shown_unit(unit: str) -> str:
    """Return a unit as people write it."""
    return "/".join({"uV": "µV", "um": "µm"}.get(part, part) for part in unit.split("/"))


def _kind(column: UnitColumn) -> str:
    return "number" if column.values.ndim == 1 and column.values.dtype.kind in "iuf" else "text"


def _cell(column: UnitColumn, row: int) -> str:
    value = column.values[row]
    text, exact = _shown(value), _exact(value)
    kind = "" if _kind(column) == "number" else ' class="text"'
    more = f' title="{escape(exact)}"' if exact not in {"", text} else ""
    return f'<td data-v="{escape(exact)}"{kind}{more}>{escape(text)}</td>'


def _exact(value: Any) -> str:
    """Return a value in full; nothing where nothing is."""
    if isinstance(value, np.ndarray):
        return ", ".join(map(_exact, value.ravel()))
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not np.isfinite(plain):
        # As scripts of the page read it.
        return "" if np.isnan(plain) else f"{'-' * (plain < 0)}Infinity"
    return _yes_or_no(plain) if isinstance(plain, bool) else str(plain)


def _shown(value: Any) -> str:
    """Return a value as it is read best."""
    if isinstance(value, np.ndarray):
        return ", ".join(map(_shown, value.ravel()))
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float):
        return "–" if np.isnan(plain) else f"{plain:.4g}"
    return _yes_or_no(plain) if isinstance(plain, bool) else str(plain)


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


# -- one unit --------------------------------------------------------------------------------


def _unit(page: Page, row: int) -> str:
    unit = page.units[row]
    steps = [
        f'<a href="#unit-{other}">{text}</a>'
        for other, text in ((row - 1, "previous"), (row + 1, "next"))
        if 0 <= other < len(page.units)
    ]
    facts = "".join(
        f'<div title="{escape(one.full_description)}"><dt>{escape(one.name)}</dt>'
        f"<dd>{escape(_shown(one.values[row]))} {escape(_shown_unit(one.unit))}</dd></div>"
        for one in page.columns
    )
    return (
        f'<article id="unit-{row}"><header>{_dot(unit.color)}'
        f"<h3>Unit {escape(str(unit.unit_id))}</h3><span>{' · '.join(steps)}"
        ' · <a href="#table">table</a></span></header>'
        f"{_picture(unit.figure)}"
        f'<details><summary>All values</summary><dl class="facts">{facts}</dl></details></article>'
    )


def _dot(color: str) -> str:
    return f'<i class="dot" style="background:{escape(color)}"></i>'
