"""Say what a file or folder is: its format, and what is in it."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.core.base import BaseExtractor
from spikeloom.core.events import BaseEvent
from spikeloom.core.recording import BaseRecording
from spikeloom.core.snippets import BaseSnippets
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.extractors.reader_registry import Certainty
from spikeloom.extractors.reading import read
from spikeloom.extractors.recognising import Candidate, known_below, recognise
from spikeloom.storage.disk_space import size_text
from spikeloom.storage.stores import is_url, local_path

if TYPE_CHECKING:
    from probeinterface import Probe, ProbeGroup

_N_NAMES_SHOWN = 12

_N_SECONDS_PER_MINUTE = 60


def describe_path(
    path: str | Path, *, kind: str | None = None, reader: str | None = None, **kwargs: Any
) -> dict[str, str]:
    """Say what a file or folder is.

    Parameters
    ----------
    path : str or Path
        A file, a folder, or a URL of a zarr store.
    kind : str, optional
        What you want of it, if it has several: ``"recording"``, ``"sorting"``, ``"event"``, ….
    reader : str, optional
        Name of the format, if you know better.
    **kwargs
        For the function that reads it; see `spikeloom.read`.

    Returns
    -------
    dict of str
        Facts by what they are of: format, kind, channels, units, duration, ….

    Raises
    ------
    MissingFileError
        If there is nothing at the path.
    DataError
        If no reader knows it; the message says what each of them missed.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "traces.npy"
    >>> np.save(file, np.zeros((1000, 4), "int16"))
    >>> describe_path(file, sampling_frequency=1000.0)["duration"]
    '1 s (1000 samples)'
    """
    facts: dict[str, str] = {"path": str(path)}
    known: list[Candidate] = []
    if reader is None and not is_url(path):
        asked = recognise(path, kind=kind)
        known = [one for one in asked if one.certainty > Certainty.NO]
        inner = [] if known else known_below(local_path(path), kind)
        if len(inner) > 1:
            return facts | _of_a_folder(local_path(path), inner)
        if inner:
            facts["path"] = str(inner[0][0])
            known = [inner[0][1]]
    if known:
        best = known[0]
        facts["format"] = f"{best.reader.name}: {best.reader.description}"
        facts["recognised by"] = best.recognition.reason
        others = [
            f"{one.reader.name} ({one.reader.kind})"
            for one in known[1:]
            if one.certainty >= Certainty.LAYOUT
        ]
        if others:
            facts["also readable as"] = ", ".join(others)
        if best.reader.function:
            facts["function"] = f"spikeloom.{best.reader.function}"
    try:
        opened = read(path, kind=kind, reader=reader, **kwargs)
    except ParameterError as error:
        if not known:
            raise
        facts["kind"] = known[0].reader.kind
        facts["to open it"] = str(error)
        return facts
    facts |= describe_object(opened)
    if not is_url(path) and local_path(path).is_file():
        facts["file size"] = size_text(local_path(path).stat().st_size)
    return facts


def _of_a_folder(folder: Path, inner: list[tuple[Path, Candidate]]) -> dict[str, str]:
    facts = {"format": f"a folder of no format of its own; known in it are {len(inner)}"}
    return facts | {str(place.relative_to(folder)): one.told for place, one in inner}


def describe_object(opened: Any) -> dict[str, str]:
    """Say what is in a recording, a sorting, or whatever else a reader made.

    Parameters
    ----------
    opened : object
        What a reader returned.

    Returns
    -------
    dict of str
        Facts by what they are of.
    """
    for cls, kind, tell in _TELLERS:
        if isinstance(opened, cls):
            facts = {"kind": kind, **tell(opened)}
            break
    else:
        facts = {"kind": type(opened).__name__, **_of_another(opened)}
    if isinstance(opened, BaseExtractor) and opened.get_property_keys():
        facts["properties"] = _shown([str(key) for key in opened.get_property_keys()])
    return facts


def _of_another(opened: Any) -> dict[str, str]:
    if isinstance(opened, tuple | list):
        return {
            f"{k + 1}. {name}": fact
            for k, one in enumerate(opened)
            for name, fact in describe_object(one).items()
        }
    if hasattr(opened, "get_contact_count"):
        return _of_probes(opened)
    if hasattr(opened, "describe"):
        told = opened.describe()
        return _of_parameters(told) if isinstance(told, dict) else {"content": str(told)}
    return {"content": repr(opened)}


def _of_recording(recording: BaseRecording) -> dict[str, str]:
    rate = recording.sampling_frequency
    n_channels = recording.get_num_channels()
    facts = {
        "channels": f"{n_channels} ({_shown(recording.channel_ids.tolist())})",
        "sampling frequency": f"{rate:g} Hz",
        "segments": str(recording.get_num_segments()),
        "duration": _durations([recording.get_num_samples(k) for k in _segments(recording)], rate),
        "traces": f"{recording.dtype}, {size_text(recording.get_total_memory_size())}",
    }
    starts = [recording.get_start_time(k) for k in _segments(recording)]
    if any(starts):
        facts["starts at"] = _shown([f"{start:g} s" for start in starts])
    if recording.has_scaleable_traces():
        gains = np.unique(np.asarray(recording.get_channel_gains(), np.float64))
        facts["microvolts per step"] = _shown([f"{gain:g}" for gain in gains])
    else:
        facts["microvolts per step"] = "not known"
    if recording.has_probe():
        facts["probe"] = "; ".join(_of_probes(recording.get_probegroup()).values())
    else:
        facts["probe"] = "none"
    return facts


def _of_probes(probes: "Probe | ProbeGroup") -> dict[str, str]:
    facts = {}
    for k, one in enumerate(getattr(probes, "probes", [probes])):
        name = one.name or one.model_name or "unnamed"
        n_shanks = max(1, one.get_shank_count())
        facts[f"probe {k + 1}"] = f"{name}, {one.get_contact_count()} contacts, {n_shanks} shanks"
    return facts


def _of_sorting(sorting: BaseSorting) -> dict[str, str]:
    counts = np.asarray(sorting.count_num_spikes_per_unit(outputs="array"))
    facts = {
        "units": f"{sorting.get_num_units()} ({_shown(sorting.unit_ids.tolist())})",
        "spikes": str(int(counts.sum())),
        "sampling frequency": f"{sorting.sampling_frequency:g} Hz",
        "segments": str(sorting.get_num_segments()),
    }
    table = sorting.spike_table()
    if counts.sum():
        last = int(np.max(table.sample_index))
        facts["last spike"] = f"{last / sorting.sampling_frequency:g} s (sample {last})"
        facts["spikes per unit"] = f"{counts.min()} to {counts.max()}, median {np.median(counts):g}"
    quality = sorting.get_property("quality")
    if quality is not None:
        tally = Counter(str(value) or "none" for value in quality.tolist())
        facts["quality"] = _shown([f"{name}: {n}" for name, n in sorted(tally.items())])
    return facts


def _of_events(event: BaseEvent) -> dict[str, str]:
    facts = {
        "channels": str(event.get_num_channels()),
        "segments": str(event.get_num_segments()),
    }
    for channel_id in event.channel_ids.tolist()[:_N_NAMES_SHOWN]:
        counts = [len(event.get_events(channel_id, k)) for k in _segments(event)]
        facts[f"events of {channel_id}"] = ", ".join(map(str, counts))
    return facts


def _of_snippets(snippets: BaseSnippets) -> dict[str, str]:
    return {
        "channels": str(snippets.get_num_channels()),
        "snippets": f"{snippets.get_num_snippets()} of {snippets.snippet_len} samples",
        "sampling frequency": f"{snippets.sampling_frequency:g} Hz",
    }


def _of_parameters(parameters: dict[Any, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in parameters.items()}


def _segments(opened: Any) -> range:
    return range(opened.get_num_segments())


def _durations(counts: list[int], rate: float) -> str:
    told = []
    for count in counts[:_N_NAMES_SHOWN]:
        seconds = count / rate
        minutes = f" = {seconds / 60:.1f} min" if seconds > 2 * _N_SECONDS_PER_MINUTE else ""
        told.append(f"{seconds:g} s{minutes} ({count} samples)")
    if len(counts) > _N_NAMES_SHOWN:
        told.append(f"… in all {sum(counts) / rate:g} s")
    return "; ".join(told)


def _shown(values: list[Any]) -> str:
    listed = ", ".join(str(value) for value in values[:_N_NAMES_SHOWN])
    more = len(values) - _N_NAMES_SHOWN
    return f"{listed}, and {more} more" if more > 0 else listed or "none"


_TELLERS: tuple[tuple[type, str, Callable[[Any], dict[str, str]]], ...] = (
    (BaseRecording, "recording", _of_recording),
    (BaseSorting, "sorting", _of_sorting),
    (BaseEvent, "event", _of_events),
    (BaseSnippets, "snippets", _of_snippets),
    (dict, "parameters", _of_parameters),
)
"""Objects, what they are called, and what tells of them."""
