"""Recordings that neo reads: one class over all of its raw readers."""

import threading
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.recording_segment import picked
from spikeloom.errors import (
    DataError,
    MissingDependencyError,
    MissingFileError,
    ParameterError,
    ReadError,
    SpikeloomError,
)
from spikeloom.extractors.neo_checks import CHECKS
from spikeloom.extractors.neo_formats import NeoFormat
from spikeloom.extractors.neo_mending import MENDED
from spikeloom.extractors.neo_probes import set_probe_of_file
from spikeloom.extractors.physical_units import set_physical_units
from spikeloom.extractors.streams import chosen_stream
from spikeloom.optional import require

_TO_UV = {"v": 1e6, "volt": 1e6, "volts": 1e6, "mv": 1e3, "uv": 1.0, "µv": 1.0, "u": 1.0}
"""By unit in lower letters; BrainVision's reader calls microvolts ``u``."""

_NO_NEWS = (
    ".*strict_gap_mode.*",  # who wants gap_tolerance_ms gives it
    "Could not identify sev files",  # traces are in the .tev file, then
)
"""What neo warns of and users need not know."""

_WITHOUT_EFFECT = frozenset({"ignore_timestamps_errors", "install_maxwell_plugin"})
"""Arguments that SpikeInterface has and takes, or took; nothing is installed in passing here."""

_OPEN_FILES = ("_memmap_analogsignal_buffers", "_nsx_fids")
"""Where raw readers of neo keep files that they opened."""


class NeoRecordingExtractor(BaseRecording):
    """A stream of a file or folder that neo reads.

    Parameters
    ----------
    path : str or Path
        The file or folder.
    stream_id, stream_name : str, optional
        Which stream; needed if there are several.
    block_index : int, optional
        Which block; needed if there are several.
    all_annotations : bool, default False
        Keep all that neo knows of the stream as annotations, and of its channels as properties.
    use_names_as_ids : bool, optional
        Call channels by their names rather than by their ids.
    **options
        What the reader of this format takes besides; see `spikeloom.extractors.neo_formats`.

    Raises
    ------
    MissingFileError
        If there is nothing at the path.
    MissingDependencyError
        If neo is not installed, or what it needs for this format.
    ReadError
        If neo cannot read it.
    ParameterError
        If there are several streams or blocks and none was chosen, or no such one.

    Notes
    -----
    Gains that are negative, as some systems have them, stay so: microvolts are right.
    """

    format: ClassVar[NeoFormat]

    def __init__(
        self,
        path: str | Path | None = None,
        stream_id: str | None = None,
        stream_name: str | None = None,
        block_index: int | None = None,
        all_annotations: bool = False,
        use_names_as_ids: bool | None = None,
        **options: Any,
    ) -> None:
        known = self.format
        source = _path_of(known, path, options)
        options = _checked_options(known, options)
        reader = open_neo_reader(known, source, options)
        streams = reader.header["signal_streams"]
        ids, names = streams["id"].tolist(), streams["name"].tolist()
        k = chosen_stream(
            ids,
            names,
            stream_id=stream_id,
            stream_name=stream_name,
            where=source,
            default=ids.index(known.default_stream) if known.default_stream in ids else None,
        )
        self.stream_id, self.stream_name = ids[k], names[k]
        self.block_index = _checked_block(reader, block_index, source)
        self.neo_reader = reader
        header = reader.header["signal_channels"]
        channels = header[header["stream_id"] == ids[k]]
        by_name = known.names_as_ids if use_names_as_ids is None else use_names_as_ids
        with translated(known, source):
            rate = float(reader.get_signal_sampling_rate(stream_index=k))
            n_segments = int(reader.segment_count(self.block_index))
        dtype = np.dtype(channels["dtype"][0]).newbyteorder("=")
        super().__init__(rate, _channel_ids(channels, by_name=by_name), dtype)
        self.extra_requirements.append("neo")
        self._set_scale(channels, known.unit)
        if not by_name:
            self.set_property("channel_name", channels["name"])
        if all_annotations:
            self._annotate_all(k)
        lock = threading.Lock()
        for segment_index in range(n_segments):
            place = (self.block_index, segment_index, k)
            with translated(known, source):
                self.add_recording_segment(NeoSegment(reader, place, rate, lock, (known, source)))
        self._describe(known, source, options)
        self._kwargs = {
            known.path_key: str(source),
            "all_annotations": all_annotations,
            "use_names_as_ids": by_name,
        }
        if not known.has_one_stream:
            self._kwargs["stream_id"] = self.stream_id
        # What SpikeInterface's class of a format may not know is written only where it matters.
        if block_index is not None:
            self._kwargs["block_index"] = self.block_index
        self._kwargs |= {k: v for k, v in options.items() if v != known.options[k]}

    def _set_scale(self, channels: NDArray[Any], unit_if_none: str) -> None:
        units = [str(unit).strip() or unit_if_none for unit in channels["units"]]
        factors = [_TO_UV.get(unit.lower()) for unit in units]
        if any(factors) or not any(units):
            # What is no voltage is not scaled; its unit is told by the property.
            to_uV = np.array([factor or 1.0 for factor in factors])
            self.set_channel_gains(channels["gain"] * to_uV)
            self.set_channel_offsets(channels["offset"] * to_uV)
        set_physical_units(self, units, channels["gain"], channels["offset"])

    def _annotate_all(self, stream_index: int) -> None:
        segments = self.neo_reader.raw_annotations["blocks"][self.block_index]["segments"]
        signals = segments[0]["signals"] if segments else []
        if stream_index >= len(signals):
            return
        known = signals[stream_index]
        self.annotate(stream_name=self.stream_name)
        for name, value in known.items():
            if not name.startswith("__") and name != "name":
                self.set_annotation(name, value, overwrite=True)
        for name, values in known.get("__array_annotations__", {}).items():
            if len(values) == self.get_num_channels() and name not in {"channel_ids"}:
                self.set_property(name, np.asarray(values))

    def _describe(self, known: NeoFormat, source: Path, options: Mapping[str, Any]) -> None:
        """Add what neo does not tell: groups and probes."""
        if known.name == "intan" and "amplifier" in self.stream_name:
            header = self.neo_reader.header["signal_channels"]
            ids = header["id"][header["stream_id"] == self.stream_id].tolist()
            ports = [id_.partition("-")[0] for id_ in ids]
            groups = sorted(set(ports))
            self.set_channel_groups([groups.index(port) for port in ports])
            self.set_property("group_names", ports)
        if known.probe is None or (known.name == "spikegadgets" and self.stream_id != "trodes"):
            return
        arguments = {name: options[name] for name in known.probe_options}
        if known.name == "maxwell":
            arguments = {"well_name": self.stream_id, "rec_name": self.neo_reader.rec_name}
        try:
            with translated(known, source):
                set_probe_of_file(self, known.probe, source, arguments)
        except SpikeloomError as error:
            msg = f"The probe of {source} is left out, as it cannot be read: {error}"
            warnings.warn(msg, UserWarning, stacklevel=3)

    @classmethod
    def get_streams(cls, path: str | Path, **options: Any) -> tuple[list[str], list[str]]:
        """Return the names and the ids of the streams of a file or folder."""
        options = _checked_options(cls.format, options)
        reader = open_neo_reader(cls.format, Path(path).absolute(), options)
        streams = reader.header["signal_streams"]
        return streams["name"].tolist(), streams["id"].tolist()

    @classmethod
    def get_num_blocks(cls, path: str | Path, **options: Any) -> int:
        """Return the number of blocks of a file or folder."""
        options = _checked_options(cls.format, options)
        return int(open_neo_reader(cls.format, Path(path).absolute(), options).block_count())

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Mapping[str, Any],  # noqa: ARG003 - a protocol
    ) -> dict[str, Any]:
        return {k: v for k, v in old_kwargs.items() if k not in _WITHOUT_EFFECT}


class NeoSegment(BaseRecordingSegment):
    """A segment that a raw reader of neo reads.

    Parameters
    ----------
    reader : neo.rawio.BaseRawIO
        The reader, whose header is parsed.
    place : tuple of int
        Block, segment and stream.
    sampling_frequency : float
        In Hz.
    lock : threading.Lock
        Held while the reader is asked, as threads may not share one.
    origin : tuple of NeoFormat and Path
        What is read, for messages.
    """

    def __init__(
        self,
        reader: Any,
        place: tuple[int, int, int],
        sampling_frequency: float,
        lock: threading.Lock,
        origin: tuple[NeoFormat, Path],
    ) -> None:
        super().__init__(sampling_frequency, float(reader.get_signal_t_start(*place)))
        self._reader = reader
        self._place = place
        self._n_samples = int(reader.get_signal_size(*place))
        self._n_channels = int(reader.signal_channels_count(place[2]))
        self._lock = lock
        self._origin = origin
        # A view of a memory map costs nothing, so that all else is done without the lock.
        self._is_mapped = _is_mapped(reader)

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return self._n_samples

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces, in steps of the file."""
        block, segment, stream = self._place
        start = 0 if start_frame is None else start_frame
        end = self._n_samples if end_frame is None else end_frame
        if isinstance(channel_indices, slice) and not self._is_mapped:
            # Some raw readers take no slices; all at once is quicker than one by one.
            chosen = np.arange(self._n_channels)[channel_indices]
            is_whole = np.array_equal(chosen, np.arange(self._n_channels))
            channel_indices = None if is_whole else chosen
        is_all = channel_indices is None or self._is_mapped
        with self._lock, translated(*self._origin):
            traces = self._reader.get_analogsignal_chunk(
                block_index=block,
                seg_index=segment,
                i_start=start,
                i_stop=end,
                stream_index=stream,
                channel_indexes=None if is_all else channel_indices,
            )
        found = picked(np.asarray(traces), channel_indices if is_all else None)
        return found.astype(found.dtype.newbyteorder("="), copy=False)


@contextmanager
def translated(known: NeoFormat, source: Path) -> Iterator[None]:
    """Turn whatever neo raises into errors of ours.

    Raises
    ------
    MissingDependencyError
        If a package is missing.
    MissingFileError
        If a file is.
    ReadError
        In all other cases.
    """
    try:
        yield
    except SpikeloomError:
        raise
    except ImportError as error:
        msg = f"neo needs another package for {known.description}: {error}."
        raise MissingDependencyError(msg) from error
    except FileNotFoundError as error:
        msg = f"neo's {known.raw_class} misses a file of {source}: {error}."
        raise MissingFileError(2, msg) from error
    except Exception as error:
        # Its readers trust what they read, so a damaged file makes them raise anything.
        msg = f"{source} cannot be read by neo's {known.raw_class} ({known.hint} is expected): "
        raise ReadError(0, f"{msg}{type(error).__name__}: {error}.") from error


def open_neo_reader(known: NeoFormat, source: Path, options: Mapping[str, Any]) -> Any:
    """Return the raw reader of neo for a path, with its header parsed.

    Raises
    ------
    MissingFileError
        If there is nothing at the path.
    MissingDependencyError
        If neo is not installed, or what it needs for this format.
    ReadError
        If neo cannot read it.
    """
    # Some formats are opened by the common part of the names of their files.
    if not source.exists() and not any(source.parent.glob(f"{source.name}*")):
        msg = f"There is nothing at {source}."
        raise MissingFileError(2, msg)
    if known.is_folder and not source.is_dir():
        msg = f"{known.description} is opened by its folder, and {source} is a file."
        raise ParameterError(msg)
    feature = f"Reading {known.description}"
    raw_readers = require("neo.rawio", feature=feature)
    if known.needs:
        require(known.needs, feature=feature)
    with translated(known, source), warnings.catch_warnings():
        for told in _NO_NEWS:
            warnings.filterwarnings("ignore", told)
        if known.name in CHECKS:
            CHECKS[known.name](source)
        reader = getattr(raw_readers, known.raw_class)(**known.neo_arguments(source, options))
        # neo closes the files in here when it is too late, if at all: readers refer to themselves.
        opened: dict[str, Any] = {name: {} for name in _OPEN_FILES}
        vars(reader).update(opened)
        weakref.finalize(reader, _close_all, opened)
        reader.parse_header()
        if known.name in MENDED:
            MENDED[known.name](reader)
    return reader


def _path_of(known: NeoFormat, path: str | Path | None, options: dict[str, Any]) -> Path:
    given = [options.pop(key) for key in ("file_path", "folder_path") if key in options]
    given += [] if path is None else [path]
    if len(given) != 1:
        msg = f"Give one path ({known.path_key}); got {len(given)}."
        raise ParameterError(msg)
    return Path(given[0]).absolute()


def _checked_options(known: NeoFormat, options: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(options) - set(known.options) - _WITHOUT_EFFECT)
    if unknown:
        allowed = ", ".join(known.options) or "none"
        msg = f"{known.function} knows no {', '.join(unknown)}. Further arguments: {allowed}."
        raise ParameterError(msg)
    return {**known.options, **{k: v for k, v in options.items() if k not in _WITHOUT_EFFECT}}


def _checked_block(reader: Any, block_index: int | None, source: Path) -> int:
    n_blocks = int(reader.block_count())
    if n_blocks < 1:
        msg = f"{source} has no blocks."
        raise DataError(msg)
    if block_index is None and n_blocks > 1:
        msg = f"{source} has {n_blocks} blocks: choose one with block_index=0 to {n_blocks - 1}."
        raise ParameterError(msg)
    if not 0 <= (block_index or 0) < n_blocks:
        msg = f"block_index must be 0 to {n_blocks - 1}; got {block_index}."
        raise ParameterError(msg)
    return block_index or 0


def _channel_ids(channels: NDArray[Any], *, by_name: bool) -> NDArray[Any]:
    names: NDArray[Any] = channels["name" if by_name else "id"]
    if len(set(names.tolist())) < len(names):
        if by_name:
            msg = "Names of channels occur twice: use_names_as_ids=False takes their ids."
            raise ParameterError(msg)
        return np.arange(len(names)).astype(str)
    return names


def _is_mapped(reader: Any) -> bool:
    """Tell whether a reader gives views of memory maps."""
    if not isinstance(reader, import_module("neo.rawio.baserawio").BaseRawWithBufferApiIO):
        return False
    blocks = getattr(reader, "_buffer_descriptions", None) or {}
    kinds = {
        buffer.get("type")
        for segments in blocks.values()
        for buffers in segments.values()
        for buffer in buffers.values()
    }
    return kinds == {"raw"}


def _close_all(opened: Mapping[Any, Any]) -> None:
    """Close the files in the nested dictionaries in which neo keeps them."""
    for value in list(opened.values()):
        if isinstance(value, Mapping):
            _close_all(value)
        elif hasattr(value, "close"):
            value.close()
