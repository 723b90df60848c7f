"""Spike trains and events that neo reads: one class of each over all of its raw readers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.events import BaseEvent
from spikeloom.core.numpy_events import NumpyEventSegment
from spikeloom.errors import DataError, ParameterError, UnknownNameError
from spikeloom.extractors.listed_events import described_events, event_dtype
from spikeloom.extractors.listed_spikes import (
    ListedSpikesSorting,
    as_columns,
    as_samples,
    required_rate,
)
from spikeloom.extractors.neo_formats import NEO_FORMATS, NeoFormat
from spikeloom.extractors.neo_recording import open_neo_reader, translated
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.extractors.streams import chosen_stream
from spikeloom.optional import require

_BLACKROCK_NAME = re.compile(r"ch([0-9]+)#([0-9]+)")

_NEURALYNX_NAME = re.compile(r"ch(.+)#([0-9]+)#([0-9]+)")
"""Name of a file, channel in it, unit."""

_BLACKROCK_QUALITIES = {0: "unsorted", 255: "noise"}

_LOADED_FOR_TRACES = frozenset({"load_nev"})


@stored_as("spikeloom.NeoSortingExtractor")
class NeoSortingExtractor(ListedSpikesSorting):
    """The spike trains of a file or folder that neo reads.

    Parameters
    ----------
    path : str or Path
        The file or folder.
    format : str, optional
        Name of the format, such as ``"blackrock"``, or of a class of ``neo.rawio``.
    sampling_frequency : float, optional
        In Hz; by default that of the traces, or of the waveforms of spikes if these are faster.
    stream_id, stream_name : str, optional
        Traces whose rate and start are those of the sorting; needed if there are several rates.
    block_index : int, optional
        Which block; needed if there are several.
    use_format_ids : bool, default False
        Call units as the file does, rather than 0, 1, 2, ….
    **options
        For neo's reader.

    Raises
    ------
    MissingFileError, ReadError
        If there is nothing at the path, or neo cannot read it.
    MissingDependencyError
        If neo is not installed.
    DataError
        If there are no spike trains.
    ParameterError
        If there are several blocks or rates, and none was chosen.

    Notes
    -----
    Sample 0 is where the traces begin. Properties: ``original_unit_id`` and
    ``original_unit_name`` as in the file; of Blackrock ``channel`` and ``quality``; of Neuralynx
    ``electrode`` and ``quality``. Each unit of a tetrode is there once, while neo lists it four
    times.
    """

    format: ClassVar[str] = ""

    def __init__(
        self,
        path: str | Path,
        format: str | None = None,
        sampling_frequency: float | None = None,
        stream_id: str | None = None,
        stream_name: str | None = None,
        block_index: int | None = None,
        use_format_ids: bool = False,
        **options: Any,
    ) -> None:
        described = format_of(format or self.format)
        source = Path(path).absolute()
        reader, block = _open(described, source, block_index, options)
        every = reader.header["spike_channels"]
        if not len(every):
            msg = f"{source} has no spike trains."
            raise DataError(msg)
        kept = _distinct(described, every["name"].tolist())
        channels = every[kept]
        rate, stream = _rate(reader, sampling_frequency, stream_id, stream_name, source)
        with translated(described, source):
            n_segments = int(reader.segment_count(block))
            starts = [_start(reader, block, k, stream) for k in range(n_segments)]
            trains = [
                [
                    as_samples(_times_s(reader, block, k, unit) - start, source, rate)
                    for unit in kept
                ]
                for k, start in enumerate(starts)
            ]
        columns = [as_columns(segment) for segment in trains]
        samples = np.concatenate([np.zeros(0, np.int64), *(one[0] for one in columns)])
        units = np.concatenate([np.zeros(0, np.int32), *(one[1] for one in columns)])
        segments = np.repeat(np.arange(n_segments), [one[0].size for one in columns])
        ids = channels["id"]
        if use_format_ids and len(np.unique(ids)) < len(ids):
            msg = f"Ids of units occur twice in {source}: use_format_ids=False counts them."
            raise ParameterError(msg)
        super().__init__(
            rate,
            ids if use_format_ids else np.arange(len(channels)),
            samples,
            units,
            segments,
            [start or None for start in starts],
        )
        self.extra_requirements.append("neo")
        self.set_property("original_unit_id", ids)
        self.set_property("original_unit_name", channels["name"])
        self._set_classes([str(name) for name in channels["name"].tolist()])
        self._kwargs = {
            described.path_key if self.format else "path": str(source),
            "sampling_frequency": rate,
            **options,
        }
        # SpikeInterface's classes know no others, or not all of them.
        chosen = {
            "format": None if self.format else described.name,
            "stream_id": stream_id,
            "stream_name": stream_name,
            "block_index": block_index,
            "use_format_ids": use_format_ids or None,
        }
        self._kwargs |= {name: value for name, value in chosen.items() if value is not None}

    def _set_classes(self, names: list[str]) -> None:
        units = [_NEURALYNX_NAME.fullmatch(name) for name in names]
        if self.format == "neuralynx" and all(units):
            self.set_property("electrode", [one[1] for one in units if one is not None])
            is_noise = np.array([one is not None and int(one[3]) == 0 for one in units])
            self.set_property("quality", np.where(is_noise, "unsorted", "sorted"))
        matched = [_BLACKROCK_NAME.fullmatch(name) for name in names]
        if all(matched):
            numbers = [(int(one[1]), int(one[2])) for one in matched if one is not None]
            self.set_property("channel", np.array([channel for channel, _ in numbers]))
            qualities = [_BLACKROCK_QUALITIES.get(unit, "sorted") for _, unit in numbers]
            self.set_property("quality", np.array(qualities))


@stored_as("spikeloom.NeoEventExtractor")
class NeoEventExtractor(BaseEvent):
    """The events of a file or folder that neo reads: a channel for each list of them.

    Parameters
    ----------
    path : str or Path
        The file or folder.
    format : str
        Name of the format, or of a class of ``neo.rawio``.
    block_index : int, optional
        Which block; needed if there are several.
    use_names_as_ids : bool, default False
        Call channels by their names rather than by their ids. Where these are empty or occur
        twice, the other of both is taken, else channels are counted.
    **options
        For neo's reader.

    Raises
    ------
    MissingFileError, ReadError
        If there is nothing at the path, or neo cannot read it.
    MissingDependencyError
        If neo is not installed.
    ParameterError
        If there are several blocks and none was chosen.
    """

    def __init__(
        self,
        path: str | Path,
        format: str,
        block_index: int | None = None,
        use_names_as_ids: bool = False,
        **options: Any,
    ) -> None:
        described = format_of(format)
        source = Path(path).absolute()
        reader, block = _open(described, source, block_index, options)
        channels = reader.header["event_channels"]
        ids = _channel_names(channels, by_name=use_names_as_ids)
        with translated(described, source):
            segments = [
                {id_: _events(reader, block, k, c) for c, id_ in enumerate(ids)}
                for k in range(int(reader.segment_count(block)))
            ]
        dtypes = {id_: event_dtype(*(one[id_] for one in segments)) for id_ in ids}
        super().__init__(np.array(ids), dtypes)
        for one in segments:
            self.add_event_segment(
                NumpyEventSegment({id_: one[id_].astype(dtypes[id_]) for id_ in ids})
            )
        self._kwargs = {
            "path": str(source),
            "format": described.name,
            "block_index": block,
            "use_names_as_ids": use_names_as_ids,
            **options,
        }


def format_of(name: str) -> NeoFormat:
    """Return what is known of a format of neo's, or of a class of its raw readers.

    Raises
    ------
    UnknownNameError
        If neo has no such format.
    MissingDependencyError
        If neo is needed to know, and is not installed.
    """
    if name in NEO_FORMATS:
        one = NEO_FORMATS[name]
        return replace(one, fixed=_without(one.fixed))
    raw_readers = require("neo.rawio", feature=f"Reading {name!r}")
    for found in raw_readers.rawiolist:
        if name in {found.__name__, found.__name__.removesuffix("RawIO").lower()}:
            return NeoFormat(
                name=found.__name__,
                raw_class=found.__name__,
                class_name="",
                module="",
                extensions=tuple(f".{end}" for end in found.extensions),
                test=lambda _: False,
                hint=f"what {found.__name__} reads",
                is_folder=found.rawmode == "one-dir",
                description=found.__name__,
            )
    known_names = ", ".join((*NEO_FORMATS, *(one.__name__ for one in raw_readers.rawiolist)))
    msg = f"neo has no format {name!r}. Known: {known_names}."
    raise UnknownNameError(msg)


def _without(fixed: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fixed.items() if key not in _LOADED_FOR_TRACES}


def _open(
    described: NeoFormat, source: Path, block_index: int | None, options: dict[str, Any]
) -> tuple[Any, int]:
    reader = open_neo_reader(described, source, {**described.options, **options})
    n_blocks = int(reader.block_count())
    if n_blocks < 1 or (block_index is None and n_blocks > 1):
        msg = f"{source} has {n_blocks} blocks: choose one with block_index."
        raise ParameterError(msg)
    block = block_index or 0
    if not 0 <= block < n_blocks:
        msg = f"block_index must be 0 to {n_blocks - 1}; got {block_index}."
        raise ParameterError(msg)
    return reader, block


def _distinct(described: NeoFormat, names: list[str]) -> list[int]:
    """Return the spike trains that are no copies of others.

    neo lists the units of a tetrode of Neuralynx once for each of its four channels.
    """
    if described.name != "neuralynx":
        return list(range(len(names)))
    seen: dict[tuple[str, str], int] = {}
    for k, name in enumerate(names):
        matched = _NEURALYNX_NAME.fullmatch(name)
        key = (name, "") if matched is None else (matched[1], matched[3])
        seen.setdefault(key, k)
    return list(seen.values())


def _channel_names(channels: NDArray[Any], *, by_name: bool) -> list[str]:
    """Return ids of event channels: as asked for, else what distinguishes them."""
    for field in ("name", "id") if by_name else ("id", "name"):
        found = [str(value) for value in channels[field].tolist()]
        if len(set(found)) == len(found) and all(found):
            return found
    return [str(k) for k in range(len(channels))]


def _rate(
    reader: Any,
    given: float | None,
    stream_id: str | None,
    stream_name: str | None,
    source: Path,
) -> tuple[float, int | None]:
    """Return the sampling frequency, and the stream of traces that it is of."""
    streams = reader.header["signal_streams"]
    names, ids = streams["name"].tolist(), streams["id"].tolist()
    rates = [float(reader.get_signal_sampling_rate(stream_index=k)) for k in range(len(ids))]
    if stream_id is not None or stream_name is not None:
        k = chosen_stream(ids, names, stream_id=stream_id, stream_name=stream_name, where=source)
        return required_rate(rates[k] if given is None else given, source), k
    waveforms = np.unique(reader.header["spike_channels"]["wf_sampling_rate"])
    waveforms = waveforms[waveforms > 0]
    rate = given
    if rate is None and len(set(rates)) == 1 and (waveforms <= rates[0]).all():
        rate = rates[0]
    elif rate is None and waveforms.size == 1:
        rate = float(waveforms[0])
    elif rate is None and rates:
        told = ", ".join(f"{name!r}: {one:g} Hz" for name, one in zip(names, rates, strict=True))
        msg = f"{source} has traces of several rates: choose stream_name from {told}."
        raise ParameterError(msg)
    rate = required_rate(rate, source)
    same = [k for k, one in enumerate(rates) if np.isclose(one, rate, rtol=1e-9)]
    return rate, same[0] if same else None


def _start(reader: Any, block: int, segment: int, stream: int | None) -> float:
    return 0.0 if stream is None else float(reader.get_signal_t_start(block, segment, stream))


def _times_s(reader: Any, block: int, segment: int, unit: int) -> NDArray[np.float64]:
    ticks = reader.get_spike_timestamps(
        block_index=block, seg_index=segment, spike_channel_index=unit
    )
    return np.asarray(reader.rescale_spike_timestamp(ticks, dtype="float64"), np.float64)


def _events(reader: Any, block: int, segment: int, channel: int) -> NDArray[Any]:
    ticks, durations, labels = reader.get_event_timestamps(
        block_index=block, seg_index=segment, event_channel_index=channel
    )
    times_s = np.asarray(
        reader.rescale_event_timestamp(ticks, dtype="float64", event_channel_index=channel)
    )
    if durations is None:
        lasts = None
    else:
        lasts = np.asarray(
            reader.rescale_epoch_duration(durations, "float64", event_channel_index=channel)
        )
    return described_events(times_s, lasts, np.asarray(labels).astype(str))


def read_neo_sorting(path: str | Path, format: str, **kwargs: Any) -> NeoSortingExtractor:
    """Read the spike trains of any format that neo knows; see `NeoSortingExtractor`."""
    return NeoSortingExtractor(path, format, **kwargs)


def read_neo_event(path: str | Path, format: str, **kwargs: Any) -> NeoEventExtractor:
    """Read the events of any format that neo knows; see `NeoEventExtractor`."""
    return NeoEventExtractor(path, format, **kwargs)


def _make_class(one: NeoFormat, name: str) -> type[NeoSortingExtractor]:
    def initialise(self: Any, path: Any = None, *args: Any, **kwargs: Any) -> None:
        given = kwargs.pop(one.path_key, path)
        if given is None:
            msg = f"Give the path, {one.path_key}."
            raise ParameterError(msg)
        NeoSortingExtractor.__init__(self, given, None, *args, **kwargs)

    doc = f"Spike trains of {one.description}; see `NeoSortingExtractor`."
    members = {"format": one.name, "__doc__": doc, "__module__": __name__, "__init__": initialise}
    made = type(name, (NeoSortingExtractor,), members)
    return stored_as(f"spikeinterface.extractors.neoextractors.{one.module}.{name}")(made)


def _make_function(one: NeoFormat) -> Callable[..., NeoSortingExtractor]:
    def read_it(path: str | Path | None = None, **kwargs: Any) -> NeoSortingExtractor:
        given = kwargs.pop(one.path_key, path)
        return SORTING_CLASSES[one.name](given, **kwargs)

    read_it.__name__ = read_it.__qualname__ = f"read_{one.name}_sorting"
    read_it.__doc__ = (
        f"Read spike trains of {one.description}; see `NeoSortingExtractor`. The path is\n"
        f"``{one.path_key}``."
    )
    return read_it


_WITH_SPIKES = {
    "blackrock": "BlackrockSortingExtractor",
    "neuralynx": "NeuralynxSortingExtractor",
    "neuroexplorer": "NeuroExplorerSortingExtractor",
    "plexon": "PlexonSortingExtractor",
    "plexon2": "Plexon2SortingExtractor",
}

SORTING_CLASSES = {
    name: _make_class(NEO_FORMATS[name], made) for name, made in _WITH_SPIKES.items()
}
"""Class of spike trains of each format that often has some."""

BlackrockSortingExtractor = SORTING_CLASSES["blackrock"]
NeuralynxSortingExtractor = SORTING_CLASSES["neuralynx"]
NeuroExplorerSortingExtractor = SORTING_CLASSES["neuroexplorer"]
PlexonSortingExtractor = SORTING_CLASSES["plexon"]
Plexon2SortingExtractor = SORTING_CLASSES["plexon2"]

read_blackrock_sorting = _make_function(NEO_FORMATS["blackrock"])
read_neuralynx_sorting = _make_function(NEO_FORMATS["neuralynx"])
read_neuroexplorer_sorting = _make_function(NEO_FORMATS["neuroexplorer"])
read_plexon_sorting = _make_function(NEO_FORMATS["plexon"])
read_plexon2_sorting = _make_function(NEO_FORMATS["plexon2"])


def _recognise_blackrock(peek: Peek) -> Recognition:
    if peek.head.startswith((b"NEURALEV", b"BREVENTS")):
        return known(Certainty.CONTENT, "it is a .nev file of Blackrock")
    return unknown("no NEURALEV or BREVENTS at its beginning")


def _recognise_neuralynx(peek: Peek) -> Recognition:
    patterns = ("*.nse", "*.ntt", "*.nst")
    found = [path for pattern in patterns for path in peek.matching(pattern)]
    if found:
        return known(Certainty.LAYOUT, f"it has {found[0].name}")
    return unknown("it is no folder with .nse, .nst or .ntt files")


def _recognise_by_table(one: NeoFormat) -> Callable[[Peek], Recognition]:
    def recognise(peek: Peek) -> Recognition:
        if one.test(peek):
            return known(Certainty.LAYOUT, f"it has {one.hint}, and may have spikes and events")
        return unknown(f"{one.hint} is expected")

    return recognise


_RECOGNISERS: dict[str, Callable[[Peek], Recognition]] = {
    "blackrock": _recognise_blackrock,
    "neuralynx": _recognise_neuralynx,
}


def _event_reader(one: NeoFormat) -> Reader:
    def read_events(path: str | Path, **kwargs: Any) -> NeoEventExtractor:
        return NeoEventExtractor(path, one.name, **kwargs)

    return Reader(
        name=one.name,
        kind="event",
        recognise=_RECOGNISERS.get(one.name, _recognise_by_table(one)),
        read=read_events,
        function="read_neo_event",
        extensions=one.extensions,
        description=f"events of {one.description}",
        extra=one.extra,
    )


_WITH_EVENTS = (
    *("alphaomega", "blackrock", "brainvision", "micromed", "neuralynx", "neuroexplorer"),
    *("plexon", "plexon2", "spike2", "tdt"),
)
"""Formats whose files often have events; `read_neo_event` looks for them in all others, too."""

_SORTING_READERS = [
    Reader(
        name=name,
        kind="sorting",
        recognise=_RECOGNISERS.get(name, _recognise_by_table(NEO_FORMATS[name])),
        read=SORTING_CLASSES[name],
        function=f"read_{name}_sorting",
        extensions={"blackrock": (".nev",), "neuralynx": (".nse", ".nst", ".ntt")}.get(
            name, NEO_FORMATS[name].extensions
        ),
        description=f"spike trains of {NEO_FORMATS[name].description}",
        extra=NEO_FORMATS[name].extra,
    )
    for name in _WITH_SPIKES
]

READERS = (*_SORTING_READERS, *(_event_reader(NEO_FORMATS[name]) for name in _WITH_EVENTS))
"""Readers of this module."""
