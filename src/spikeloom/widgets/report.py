"""A static report of an analyzer: a page to look at, with figures and tables beside it.

The report is here and not among the exporters, as it is made of plots; the room of exporters has
its name, too.
"""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.core.display import duration_text, frequency_text
from spikeloom.core.template_peaks import PeakSign
from spikeloom.core.template_tools import (
    get_template_amplitude_on_main_channel,
    get_template_extremum_amplitude,
    get_template_extremum_channel,
)
from spikeloom.engine.options import checked_job_kwargs
from spikeloom.errors import ParameterError
from spikeloom.exporters.analyzer_copies import (
    checked_analyzer,
    compute_missing,
    refuse_sources_inside,
    working_copy,
)
from spikeloom.exporters.unit_columns import (
    UnitColumn,
    location_columns,
    metric_columns,
    property_columns,
)
from spikeloom.storage.delimited import format_table
from spikeloom.storage.staged_saves import refuse_taken, staged_save
from spikeloom.widgets.figures import import_pyplot
from spikeloom.widgets.report_figures import report_figures
from spikeloom.widgets.report_page import Page, PageFigure, PageUnit, page_html
from spikeloom.widgets.sources import voltage_unit
from spikeloom.widgets.unit_colors import get_unit_colors
from spikeloom.widgets.unit_summary import missing_for_summary, plot_unit_summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spikeloom.analyzer.analyzer import SortingAnalyzer

PAGE_NAME = "index.html"
"""File to open."""

_ON_PAGES = frozenset({"png", "svg", "jpg", "jpeg", "webp"})
"""Formats of figures that browsers show."""

_FORCED = (
    "waveforms",
    "templates",
    "noise_levels",
    "unit_locations",
    "spike_amplitudes",
    "correlograms",
    "template_similarity",
    "template_metrics",
    "quality_metrics",
)
"""What a whole report is made of."""

_N_AMPLITUDES = 10_000
"""Spikes of a unit whose amplitudes are drawn."""

_DPI = 100

_PLAIN_NAME = re.compile(r"[\w+#=-][\w .+#=-]{0,80}(?<![ .])")
"""Ids of units that every system takes for the name of a file."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""What Windows has for names of devices."""


def export_report(
    sorting_analyzer: "SortingAnalyzer",
    output_folder: str | Path,
    remove_if_exists: bool = False,
    format: str = "png",
    show_figures: bool = False,
    force_computation: bool = False,
    *,
    peak_sign: PeakSign | None = None,
    **job_kwargs: Any,
) -> None:
    """Write a report of all units: a page, figures and tables, as a whole or not at all.

    ``index.html`` opens with a double click, without a server or a network.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        What the report is of. It is not changed: what `force_computation` adds is for the report
        only. To keep it, compute it first.
    output_folder : str or Path
        Folder to make.
    remove_if_exists : bool, default False
        Replace what is at `output_folder`, at the very end.
    format : str, default "png"
        Format of the figures: whatever matplotlib writes. Of one that browsers do not show, there
        are PNG files for the page, too.
    show_figures : bool, default False
        Leave the figures open for `matplotlib.pyplot`, which shows them in notebooks.
    force_computation : bool, default False
        Compute what the report would have to leave out. Only locations of units, and similarity of
        templates, which take no time, are computed anyway.
    peak_sign : {"neg", "pos", "both"}, optional
        Which way peaks go, for main channels and amplitudes in the list of units; as the analyzer
        says by default.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Raises
    ------
    ParameterError
        If there are no units, the recording has no probe, matplotlib does not know the format, or
        there is no such job option.
    MissingExtensionError
        If something is to be computed, but there is no recording.
    MissingDependencyError
        If matplotlib is not installed.
    WriteError
        If something is at `output_folder` already (also a FileExistsError then), or a file cannot
        be written.

    Warns
    -----
    UserWarning
        If something is left out, as it was not computed. The page says so, too.

    Notes
    -----
    The folder holds ``index.html``; ``unit list.csv`` (with tabs) and, if they were computed,
    ``quality metrics.csv`` and ``template metrics.csv``; figures of all units; and in ``units`` a
    figure of each, named after its id where a file can have that name.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=2, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> folder = Path(tempfile.mkdtemp()) / "report"
    >>> export_report(analyzer, folder, force_computation=True, progress_bar=False)
    >>> sorted(path.name for path in (folder / "units").iterdir())
    ['0.png', '1.png']
    """
    checked_job_kwargs(job_kwargs)
    target = Path(output_folder).absolute()
    _check(checked_analyzer(sorting_analyzer), target, format, replaces=remove_if_exists)
    working = working_copy(sorting_analyzer)
    _compute(working, job_kwargs, is_forced=force_computation)
    missing = _left_out(working)
    if missing:
        warnings.warn(
            f"The report leaves out what was not computed: {', '.join(missing)}. Compute that "
            "first, or pass force_computation=True.",
            stacklevel=2,
        )
    with staged_save(target, overwrite=remove_if_exists) as staging:
        folder = staging.path
        (folder / "units").mkdir(parents=True)
        writer = _FigureWriter(folder, format, show_figures)
        tables = _tables(working, peak_sign)
        for name, content in tables.items():
            (folder / name).write_bytes(content)
        page = Page(
            title="Spike sorting report",
            facts=_facts(working),
            missing=[f"{name}: call analyzer.compute({name!r})." for name in missing],
            figures=_overview(working, writer),
            columns=_columns(working, peak_sign),
            units=_units(working, writer),
            files=list(tables),
        )
        (folder / PAGE_NAME).write_text(page_html(page), encoding="utf-8")


def _check(analyzer: "SortingAnalyzer", target: Path, format: str, *, replaces: bool) -> None:
    import_pyplot()
    from matplotlib.backend_bases import FigureCanvasBase  # noqa: PLC0415 - matplotlib is optional

    known = FigureCanvasBase.get_supported_filetypes()
    if format not in known:
        msg = f"Figures are written as {', '.join(sorted(known))}; got format={format!r}."
        raise ParameterError(msg)
    if analyzer.get_num_units() == 0:
        msg = "There are no units to report on."
        raise ParameterError(msg)
    if analyzer.recording_info.probegroup is None:
        msg = (
            "A report shows units on the probe, but the recording has none: use "
            "recording.set_probe(...) or set_dummy_probe_from_locations(...), and make the "
            "analyzer again."
        )
        raise ParameterError(msg)
    refuse_taken(target, overwrite=replaces)
    if target.exists():
        refuse_sources_inside(analyzer, target)


# -- what is shown ---------------------------------------------------------------------------


def _compute(analyzer: "SortingAnalyzer", job_kwargs: dict[str, Any], *, is_forced: bool) -> None:
    if is_forced:
        compute_missing(analyzer, _FORCED, job_kwargs)
    elif analyzer.has_extension("templates"):
        compute_missing(analyzer, ["template_similarity", "unit_locations"], job_kwargs)


def _left_out(analyzer: "SortingAnalyzer") -> list[str]:
    """Return the extensions that a whole report is made of and that are not there."""
    needs = [name for figure in report_figures(analyzer) for name in figure.needs]
    for names in missing_for_summary(analyzer).values():
        needs += [one.split("|")[0] for one in names]
    needs.append("template_metrics")
    return [name for name in dict.fromkeys(needs) if analyzer.get_loaded(name) is None]


def _facts(analyzer: "SortingAnalyzer") -> list[tuple[str, str]]:
    n_spikes = analyzer.sorting.spike_table().n_spikes
    n_segments = analyzer.get_num_segments()
    return [
        ("units", f"{analyzer.get_num_units()}"),
        ("spikes", f"{n_spikes:,}"),
        ("channels", f"{analyzer.get_num_channels()}"),
        ("duration", duration_text(analyzer.get_total_duration())),
        ("segments", f"{n_segments}"),
        ("sampling frequency", frequency_text(analyzer.sampling_frequency)),
        ("templates", "sparse" if analyzer.is_sparse() else "dense"),
        ("voltages", voltage_unit(analyzer.return_in_uV)),
    ]


def _columns(analyzer: "SortingAnalyzer", peak_sign: PeakSign | None) -> list[UnitColumn]:
    """Return the columns of the table of units."""
    counts = np.asarray(analyzer.sorting.count_num_spikes_per_unit(outputs="array"), np.int64)
    rates = counts / analyzer.get_total_duration()
    channels, amplitudes = _peaks(analyzer, peak_sign)
    text = np.empty(len(channels), object)
    text[:] = [str(one) for one in channels.tolist()]
    columns = [
        UnitColumn("num_spikes", counts, "Number of spikes."),
        UnitColumn("firing_rate", rates, "Spikes per second of the recording.", "Hz"),
        UnitColumn("main_channel", text, "Channel on which the unit's template is strongest."),
    ]
    if amplitudes is not None:
        unit = "uV" if analyzer.return_in_uV else ""
        about = "Of the template on the main channel, without sign."
        columns.append(UnitColumn("amplitude", amplitudes, about, unit))
    columns += location_columns(analyzer)
    # Metrics say how they were computed, so theirs is what is said of a column that both have.
    metrics = {column.name: column for column in metric_columns(analyzer)}
    columns = [metrics.pop(column.name, column) for column in columns]
    taken = metrics.keys() | {column.name for column in columns}
    shown = [key for key in analyzer.get_sorting_property_keys() if key != "main_channel_id"]
    properties = property_columns(analyzer.sorting, shown, taken)
    return [*columns, *properties, *metrics.values()]


def _peaks(analyzer: "SortingAnalyzer", peak_sign: PeakSign | None) -> tuple[Any, Any]:
    """Return the id of the main channel of each unit, and its amplitude there if that is known."""
    known = np.asarray(analyzer.get_main_channels(outputs="id"))
    if analyzer.get_loaded("templates") is None:
        return known, None
    if peak_sign is None:
        return known, get_template_amplitude_on_main_channel(analyzer, with_dict=False)
    channels = get_template_extremum_channel(analyzer, peak_sign=peak_sign, outputs="id")
    amplitudes = get_template_extremum_amplitude(analyzer, peak_sign=peak_sign)
    unit_ids = analyzer.unit_ids.tolist()
    return (
        np.array([channels[one] for one in unit_ids]),
        np.array([amplitudes[one] for one in unit_ids]),
    )


def _tables(analyzer: "SortingAnalyzer", peak_sign: PeakSign | None) -> dict[str, bytes]:
    """Return the tables beside the page, by name of the file."""
    channels, amplitudes = _peaks(analyzer, peak_sign)
    # Both names of the channel: programs know one or the other.
    names = ["unit_id", "max_on_channel_id", "main_channel_id", "amplitude"]
    blank = [None] * len(channels)
    values = blank if amplitudes is None else np.asarray(amplitudes, float).tolist()
    listed = channels.tolist()
    rows = zip(analyzer.unit_ids.tolist(), listed, listed, values, strict=True)
    tables = {"unit list.csv": format_table(names, rows)}
    for name in ("quality_metrics", "template_metrics"):
        extension = analyzer.get_loaded(name)
        if extension is not None:
            text = extension.get_data().to_csv(lineterminator="\n")
            tables[f"{name.replace('_', ' ')}.csv"] = text.encode()
    return tables


# -- figures ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _FigureWriter:
    """Draws figures and writes them into the folder of a report."""

    folder: Path
    format: str
    is_shown: bool
    """Whether figures are left open."""

    def write(
        self,
        path: str,
        draw: "Callable[[Figure], str]",
        size_in: tuple[float, float],
        *,
        title: str,
        width: str,
    ) -> PageFigure:
        """Write a figure to `path` with an ending; return what the page says of it.

        `draw` is given an empty figure, and returns what else is to be known.
        """
        plt = import_pyplot()
        from matplotlib.figure import Figure  # noqa: PLC0415 - matplotlib is optional

        shown_format = self.format if self.format in _ON_PAGES else "png"
        # An id with dollars in it is no formula.
        with plt.rc_context({"figure.max_open_warning": 0, "text.parse_math": False}):
            make = plt.figure if self.is_shown else Figure
            figure = make(figsize=size_in, layout="constrained")
            caption = draw(figure)
            for one in {self.format, shown_format}:
                figure.savefig(self.folder / f"{path}.{one}", format=one, dpi=_DPI)
            n_across, n_down = (round(_DPI * inches) for inches in figure.get_size_inches())
        return PageFigure(
            title,
            caption,
            shown=f"{path}.{shown_format}",
            full=f"{path}.{self.format}",
            size_pixels=(n_across, n_down),
            width=width,
        )


def _overview(analyzer: "SortingAnalyzer", writer: _FigureWriter) -> list[PageFigure]:
    return [
        writer.write(
            one.name, partial(one.draw, analyzer), one.size_in, title=one.title, width=one.width
        )
        for one in report_figures(analyzer)
        if all(analyzer.get_loaded(name) is not None for name in one.needs)
    ]


def _units(analyzer: "SortingAnalyzer", writer: _FigureWriter) -> list[PageUnit]:
    def draw(figure: "Figure", unit_id: Any) -> str:
        limits = {"amplitudes": {"max_spikes_per_unit": _N_AMPLITUDES}}
        plot_unit_summary(analyzer, unit_id, figure=figure, subwidget_kwargs=limits)
        return ""

    unit_ids = analyzer.unit_ids.tolist()
    colors = get_unit_colors(analyzer)
    units = []
    for unit_id, stem in zip(unit_ids, _file_names(unit_ids), strict=True):
        summary = writer.write(
            f"units/{stem}",
            partial(draw, unit_id=unit_id),
            (15, 8),
            title=f"Unit {unit_id}",
            width="whole",
        )
        units.append(PageUnit(unit_id, str(colors[unit_id]), summary))
    return units


def _file_names(unit_ids: Sequence[Any]) -> list[str]:
    """Return a name for a file of each unit: its id, if all systems take that.

    Examples
    --------
    >>> _file_names(["a", "A", "../b", "con"])
    ['a', 'unit_1', 'unit_2', 'unit_3']
    """
    names: list[str] = []
    used = {f"unit_{k}" for k in range(len(unit_ids))}
    for k, unit_id in enumerate(unit_ids):
        name = str(unit_id)
        # Some systems take "a" and "A" for the same file.
        is_plain = _PLAIN_NAME.fullmatch(name) and not _RESERVED.fullmatch(name)
        if not is_plain or name.casefold() in used:
            name = f"unit_{k}"
        used.add(name.casefold())
        names.append(name)
    return names
