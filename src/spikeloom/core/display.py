"""What objects look like when they are printed, or shown in a notebook.

No traces are read, and nothing raises: half-made objects are shown as far as they go.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape
from typing import Any

import numpy as np

from spikeloom.core.base import BaseExtractor
from spikeloom.core.events import BaseEvent
from spikeloom.core.recording import BaseRecording
from spikeloom.core.snippets import BaseSnippets
from spikeloom.core.sorting import BaseSorting

_LINE_WIDTH = 100
_N_SEGMENTS_SHOWN = 6
_N_PARENTS_SHOWN = 20
_N_CHARACTERS_SHOWN = 1000

# Colours are those of the page, so that it looks right in dark notebooks, too.
_BOX = "border:1px solid rgba(128,128,128,0.5); padding:10px; color:inherit; background:none;"
_INDENT = "margin-left:10px;"


def describe(extractor: BaseExtractor) -> str:
    """Return a line or a few that say what an object is.

    Parameters
    ----------
    extractor : BaseExtractor
        A recording, sorting, events or snippets.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> print(describe(NumpyRecording([np.zeros((2000, 4), np.int16)], 500.0)))
    NumpyRecording: 4 channels - 500.0Hz - 1 segments - 2,000 samples - 4.00s - int16 dtype -
    15.62 KiB
    """
    text = _wrapped(_header(extractor), len(_name(extractor)) + 2)
    rows = _segment_rows(extractor)
    if rows:
        text += "\nSegments:"
        for title, values in rows:
            text += f"\n{title + ':':<11}{' | '.join(values)}"
    for key, value in _files(extractor):
        text += f"\n  {key}: {value}"
    return text


def describe_html(extractor: BaseExtractor, *, display_name: bool = True) -> str:
    """Return the same as HTML, with ids, annotations, properties and parents to unfold.

    Parameters
    ----------
    extractor : BaseExtractor
        A recording, sorting, events or snippets.
    display_name : bool, default True
        Say its name, if it has one, beside its class.

    Examples
    --------
    >>> from spikeloom.core.numpy_events import NumpyEvent
    >>> describe_html(NumpyEvent.from_dict({"stim": [0.5]})).startswith("<div")
    True
    """
    return _html(extractor, display_name=display_name, n_parents=_N_PARENTS_SHOWN)


# -- the first line --------------------------------------------------------------------------


def _header(extractor: BaseExtractor, *, display_name: bool = True) -> str:
    facts = [fact for fact in map(_asked, _facts(extractor)) if fact is not None]
    name = _name(extractor, display_name=display_name)
    return f"{name}: {' - '.join(facts)}" if facts else f"{name} (not fully made)"


def _name(extractor: BaseExtractor, *, display_name: bool = True) -> str:
    class_name = type(extractor).__name__
    name = _asked(lambda: extractor.name)
    if not display_name or name is None or name == class_name:
        return class_name
    return f"{name} ({class_name})"


def _asked(fact: Callable[[], str]) -> str | None:
    """Return what an object says, or None if it cannot."""
    try:
        return str(fact())
    except Exception:  # noqa: BLE001 - whatever an unfinished object, or one whose file went, does
        return None


def _facts(extractor: BaseExtractor) -> list[Callable[[], str]]:
    facts = next(facts for kind, facts in _FACTS if isinstance(extractor, kind))
    return [partial(fact, extractor) for fact in facts]


def _n_channels(extractor: Any) -> str:
    return f"{extractor.get_num_channels()} channels"


def _n_segments(extractor: Any) -> str:
    return f"{extractor.get_num_segments()} segments"


def _frequency(extractor: Any) -> str:
    return frequency_text(extractor.get_sampling_frequency())


def _dtype(extractor: Any) -> str:
    return f"{extractor.get_dtype()} dtype"


def _before(nbefore: int | None) -> str:
    return "" if nbefore is None else f" ({nbefore} before)"


_FACTS: tuple[tuple[type[BaseExtractor], tuple[Callable[[Any], str], ...]], ...] = (
    (
        BaseRecording,
        (
            *(_n_channels, _frequency, _n_segments),
            lambda recording: f"{recording.get_total_samples():,} samples",
            lambda recording: duration_text(recording.get_total_duration()),
            _dtype,
            lambda recording: size_text(recording.get_total_memory_size()),
        ),
    ),
    (
        BaseSnippets,
        (
            *(_n_channels, _frequency, _n_segments),
            lambda snippets: f"{snippets.get_total_snippets():,} snippets",
            lambda snippets: f"{snippets.snippet_len} samples{_before(snippets.nbefore)}",
            _dtype,
        ),
    ),
    (
        BaseSorting,
        (
            lambda sorting: f"{sorting.get_num_units()} units",
            _n_segments,
            lambda sorting: f"{sorting.sampling_frequency / 1000:0.1f}kHz",
        ),
    ),
    (BaseEvent, (_n_channels, _n_segments)),
    (BaseExtractor, (lambda extractor: f"{len(extractor._main_ids)} ids", _n_segments)),
)
"""What is said of each kind of object; the first that fits counts."""


def _wrapped(text: str, indent: int) -> str:
    """Break a long line at the last dash before its allowed end."""
    position = text.rfind(" - ", 0, _LINE_WIDTH)
    if len(text) <= _LINE_WIDTH or position < indent:
        return text
    return f"{text[:position]}\n{' ' * indent}{text[position + 3 :]}"


# -- segments and files ----------------------------------------------------------------------


def _segment_rows(extractor: BaseExtractor) -> list[tuple[str, list[str]]]:
    """Return what is said of each segment of a recording with several."""
    if not isinstance(extractor, BaseRecording):
        return []
    try:
        n_segments = extractor.get_num_segments()
        if n_segments < 2:
            return []
        shown: list[int | None] = list(range(n_segments))
        if n_segments > _N_SEGMENTS_SHOWN:
            half = _N_SEGMENTS_SHOWN // 2
            shown = [*shown[:half], None, *shown[-half:]]
        return [
            (title, ["..." if k is None else fact(extractor, k) for k in shown])
            for title, fact in _SEGMENT_FACTS.items()
        ]
    except Exception:  # noqa: BLE001 - as in _asked
        return []


_SEGMENT_FACTS: dict[str, Callable[[BaseRecording, int], str]] = {
    "Samples": lambda recording, k: f"{recording.get_num_samples(k):,}",
    "Durations": lambda recording, k: duration_text(recording.get_duration(k)),
    "Memory": lambda recording, k: size_text(recording.get_memory_size(k)),
}


def _files(extractor: BaseExtractor) -> Iterator[tuple[str, Any]]:
    kwargs = getattr(extractor, "_kwargs", None) or {}
    for key in ("file_paths", "file_path"):
        if kwargs.get(key) is not None:
            yield key, kwargs[key]


# -- HTML ------------------------------------------------------------------------------------


def _html(extractor: BaseExtractor, *, display_name: bool, n_parents: int) -> str:
    header = escape(_header(extractor, display_name=display_name))
    parts = [f"<div style='{_BOX}'><strong>{header}</strong></div>"]
    rows = _segment_rows(extractor)
    if rows:
        items = [f"{title}: {' | '.join(values)}" for title, values in rows]
        parts.append(_details("Segments", _list(map(escape, items))))
    title = "Unit IDs" if isinstance(extractor, BaseSorting) else "Channel IDs"
    parts.append(_details(title, escape(_short(getattr(extractor, "_main_ids", "")))))
    for title, values in (
        ("Annotations", getattr(extractor, "_annotations", {})),
        ("Properties", getattr(extractor, "_properties", {})),
    ):
        entries = [
            f"<strong>{escape(str(key))}</strong>: {escape(_short(value))}"
            for key, value in values.items()
        ]
        parts.append(_details(title, _list(entries)))
    files = [f"{key}: {value}" for key, value in _files(extractor)]
    if files:
        parts.append(_details("Files", _list(map(escape, files))))
    parent = getattr(extractor, "_parent", None)
    if isinstance(parent, BaseExtractor) and n_parents > 0:
        is_named = _asked(lambda: parent.name) != _asked(lambda: extractor.name)
        inner = _html(parent, display_name=is_named, n_parents=n_parents - 1)
        parts.append(_details("Parent", inner))
    return "".join(parts)


def _details(title: str, content: str) -> str:
    return (
        f"<details style='{_INDENT}'><summary><strong>{title}</strong></summary>{content}</details>"
    )


def _list(items: Any) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _short(value: object) -> str:
    text = _asked(lambda: str(np.asarray(value)) if isinstance(value, np.ndarray) else str(value))
    text = "?" if text is None else text
    return text if len(text) <= _N_CHARACTERS_SHOWN else f"{text[:_N_CHARACTERS_SHOWN]} …"


# -- amounts ---------------------------------------------------------------------------------


def frequency_text(frequency: float) -> str:
    """Return a frequency in Hz as it is read best.

    Examples
    --------
    >>> frequency_text(30000.0), frequency_text(1000.0), frequency_text(29999.95)
    ('30.0kHz', '1000.0Hz', '29999.950000 Hz')
    """
    if not float(frequency).is_integer():
        return f"{frequency:f} Hz"
    return f"{frequency / 1000:0.1f}kHz" if frequency > 10_000.0 else f"{frequency:0.1f}Hz"


def duration_text(duration_s: float) -> str:
    """Return a duration in seconds, and in what is read more easily.

    Examples
    --------
    >>> duration_text(0.5), duration_text(12.0), duration_text(5400.0)
    ('0.50s (500.00 ms)', '12.00s', '5,400.00s (1.50 hours)')
    """
    text = f"{duration_s:,.2f}s"
    if duration_s < 1.0:
        return f"{text} ({duration_s * 1000:.2f} ms)"
    if duration_s < 60.0:
        return text
    for end_s, seconds, unit in (
        (3600.0, 60.0, "minutes"),
        (2 * 86400.0, 3600.0, "hours"),
        (np.inf, 86400.0, "days"),
    ):
        if duration_s < end_s:
            return f"{text} ({duration_s / seconds:.2f} {unit})"
    return text


def size_text(n_bytes: float, units: Sequence[str] = ("B", "KiB", "MiB", "GiB", "TiB")) -> str:
    """Return a size in memory.

    Examples
    --------
    >>> size_text(1536)
    '1.50 KiB'
    """
    for unit in units[:-1]:
        if n_bytes < 1024:
            return f"{n_bytes:.2f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.2f} {units[-1]}"
