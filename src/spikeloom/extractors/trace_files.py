"""Raw data to look at: one recording from one or several files, one after the other in time.

Files that say themselves what is in them are opened by the reader that knows them. What flat files
do not say is given by the caller, or taken from a described file of the same list: parts of one
session come from one rig.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from spikeloom.core.binary import BinaryRecordingExtractor
from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sampling_frequency import checked_sampling_frequency
from spikeloom.core.segments import ConcatenateSegmentRecording
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.prb_files import read_probe_file
from spikeloom.storage.dtype_names import named_dtype

_N_CHANNELS_MAX = 1 << 20

FLAT_SUFFIXES = frozenset({".dat", ".bin", ".raw", ".fil", ".i16"})
"""Usual endings of flat binary files."""

_GAP_MIN_SAMPLES = 1.5
"""Segments that begin this much later than the last one ended are told to have a gap between."""


@dataclass(frozen=True)
class TraceStretch:
    """A stretch without interruption of a recording made of files."""

    name: str
    """Name of the file, and of the segment where it has several."""
    start_sample: int
    """Where it begins in the recording."""
    n_samples: int
    """How long it is."""
    gap_s: float | None = None
    """Time that passed between the stretch before and this one; None where no file tells it."""

    @property
    def label(self) -> str:
        """Name, and the gap before it if there is one."""
        return self.name if not self.gap_s else f"{self.name}, {self.gap_s:.6g} s later"


@dataclass(frozen=True)
class FlatLayout:
    """What is to be known of a flat binary file; None is not known."""

    n_channels: int | None = None
    dtype: DTypeLike | None = None
    sample_rate: float | None = None
    gain_to_uV: Any = None
    offset_to_uV: Any = None
    channel_ids: Any = None

    def __post_init__(self) -> None:
        n_channels = self.n_channels
        is_number = isinstance(n_channels, int | np.integer) and not isinstance(n_channels, bool)
        if n_channels is not None and not (is_number and 0 < n_channels <= _N_CHANNELS_MAX):
            msg = f"n_channels must be a number from 1 to {_N_CHANNELS_MAX}; got {n_channels!r}."
            raise ParameterError(msg)
        if self.sample_rate is not None:
            checked_sampling_frequency(self.sample_rate)
        if self.dtype is not None:
            _checked_dtype(self.dtype)

    def filled_from(self, other: "FlatLayout") -> "FlatLayout":
        """Return the layout with what is not known taken from another one."""
        values = {}
        for field in fields(self):
            own = getattr(self, field.name)
            values[field.name] = getattr(other, field.name) if own is None else own
        return FlatLayout(**values)


@stored_as("spikeloom.TraceFilesRecording")
class TraceFilesRecording(ConcatenateSegmentRecording):
    """Recordings of several files as a single segment, which knows where each of them begins.

    Parameters
    ----------
    recording_list : list of BaseRecording
        Recordings with the same channels, sampling frequency and dtype.
    names : list of str
        Name of the file of each.
    notes : list of str
        What had to be assumed.
    """

    def __init__(
        self,
        recording_list: Sequence[BaseRecording],
        names: Sequence[str],
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__(recording_list, ignore_times=True)
        self.stretches = _stretches_of(self.recording_list, names)
        """Stretches without interruption, in order."""
        self.notes = tuple(notes)
        """What had to be assumed, for people."""
        self._kwargs = {
            "recording_list": self.recording_list,
            "names": list(names),
            "notes": list(notes),
        }


def read_traces(
    paths: str | Path | Sequence[str | Path],
    *,
    n_channels: int | None = None,
    dtype: DTypeLike | None = None,
    sample_rate: float | None = None,
    offset: int = 0,
    fortran: bool = False,
    gain_to_uV: float | None = None,
    probe: Any = None,
    **stream: Any,
) -> TraceFilesRecording:
    """Open raw data as one recording: one file, or several one after the other.

    Parameters
    ----------
    paths : str, Path or list of them
        Files in the order of time. Those of known formats say themselves what is in them; flat
        binary files take what is not given here from the others.
    n_channels : int, optional
        Channels of flat files.
    dtype : dtype, optional
        Of the values in flat files, such as ``"int16"``.
    sample_rate : float, optional
        Samples of a channel per second in flat and ``.npy`` files, in Hz.
    offset : int, default 0
        Bytes before the values in flat files.
    fortran : bool, default False
        Whether the samples of a channel lie together in flat files, rather than the channels of a
        sample.
    gain_to_uV : float, optional
        Microvolts per step of flat files.
    probe : str, Path, Probe or ProbeGroup, optional
        Where channels are: a ``.prb`` file, a ``.json`` file of ProbeInterface, or a probe. Only
        channels that it is wired to are shown.
    **stream
        ``stream_name`` or ``stream_id``, for formats with several streams.

    Returns
    -------
    TraceFilesRecording
        With one segment; nothing of the traces is read yet. Its times begin at 0 and run through;
        ``stretches`` tells where files begin, and how long nothing was recorded between them.

    Raises
    ------
    MissingFileError
        If a file is absent.
    ParameterError
        If it is not known what is in a flat file, or files do not go together.
    DataError
        If no reader knows a file.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("a.dat", "b.dat"):
    ...     np.zeros((100, 4), "int16").tofile(folder / name)
    >>> files = [folder / "a.dat", folder / "b.dat"]
    >>> traces = read_traces(files, n_channels=4, dtype="int16", sample_rate=20000)
    >>> traces.get_num_samples(), [one.name for one in traces.stretches]
    (200, ['a.dat', 'b.dat'])
    """
    files = _as_files(paths)
    given = FlatLayout(n_channels, dtype, sample_rate, gain_to_uV)
    opened = {
        k: one
        for k, path in enumerate(files)
        if (one := _described(path, given, stream)) is not None
    }
    known = layout_of(opened[min(opened)]) if opened else FlatLayout()
    notes: list[str] = []
    for k, path in enumerate(files):
        if k not in opened:
            opened[k] = _open_flat(path, given, known, offset=offset, fortran=fortran, notes=notes)
    recordings = _fitting([opened[k] for k in range(len(files))], files, notes)
    if probe is not None:
        group = read_probe_file(probe) if isinstance(probe, str | Path) else probe
        recordings = [one.set_probegroup(group, in_place=False) for one in recordings]
    return TraceFilesRecording(recordings, [path.name for path in files], notes)


def _as_files(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    if not listed:
        msg = "Give at least one file of raw data."
        raise ParameterError(msg)
    files = [Path(path) for path in listed]
    for path in files:
        if not path.exists():
            msg = f"There is no file {path}."
            raise MissingFileError(2, msg)
    return files


def _described(path: Path, given: FlatLayout, stream: dict[str, Any]) -> BaseRecording | None:
    """Open a file that says what is in it; None for a flat one."""
    is_flat = path.suffix.lower() in FLAT_SUFFIXES
    if is_flat and None not in {given.n_channels, given.dtype, given.sample_rate}:
        return None  # whoever says what is in a file knows it
    # The registry imports all readers.
    from spikeloom.extractors.reader_registry import Certainty  # noqa: PLC0415 - see above
    from spikeloom.extractors.reading import read  # noqa: PLC0415 - see above
    from spikeloom.extractors.recognising import recognise  # noqa: PLC0415 - see above

    best = recognise(path, kind="recording")[0]
    if best.recognition.certainty <= Certainty.GUESS and is_flat:
        return None
    kwargs = dict(stream)
    if best.reader.name == "npy" and given.sample_rate is not None:
        kwargs["sampling_frequency"] = given.sample_rate
    found = read(path, kind="recording", **kwargs)
    if not isinstance(found, BaseRecording):
        msg = f"{path} holds a {type(found).__name__}, not a recording."
        raise DataError(msg)
    return found


def layout_of(recording: BaseRecording) -> FlatLayout:
    """Return what a flat file of the same rig would hold."""
    return FlatLayout(
        n_channels=recording.get_num_channels(),
        dtype=recording.get_dtype(),
        sample_rate=recording.sampling_frequency,
        gain_to_uV=recording.get_property("gain_to_uV"),
        offset_to_uV=recording.get_property("offset_to_uV"),
        channel_ids=recording.channel_ids,
    )


def _open_flat(
    path: Path,
    given: FlatLayout,
    known: FlatLayout,
    *,
    offset: int,
    fortran: bool,
    notes: list[str],
) -> BaseRecording:
    n_given = given.n_channels
    if n_given is not None and n_given != known.n_channels:
        known = FlatLayout(dtype=known.dtype, sample_rate=known.sample_rate)
    layout = given.filled_from(known)
    options = {
        "n_channels": layout.n_channels,
        "dtype": layout.dtype,
        "sample_rate": layout.sample_rate,
    }
    missing = [name for name, value in options.items() if value is None]
    if missing:
        msg = (
            f"{path.name} is a flat binary file: nothing says what is in it. Give "
            f"{', '.join(missing)}; for int16 samples of 4 channels at 20 kHz that is n_channels=4,"
            " dtype='int16', sample_rate=20000."
        )
        raise ParameterError(msg)
    assumed = [f"{name} {options[name]}" for name in options if getattr(given, name) is None]
    if assumed:
        notes.append(f"{path.name} does not say what is in it: {', '.join(assumed)} is assumed.")
    kind = _checked_dtype(layout.dtype)
    n_row_bytes = kind.itemsize * int(layout.n_channels or 0)
    n_rest = (path.stat().st_size - offset) % n_row_bytes if n_row_bytes > 0 else 0
    if n_rest:
        notes.append(
            f"{path.name} ends within a sample: {n_rest} bytes are left out. If that is a surprise,"
            " check the number of channels and the dtype."
        )
    has_gain = layout.gain_to_uV is not None
    zero = 0.0 if layout.offset_to_uV is None else layout.offset_to_uV
    return BinaryRecordingExtractor(
        path,
        float(layout.sample_rate or 0.0),
        kind,
        layout.n_channels,
        channel_ids=layout.channel_ids,
        time_axis=int(fortran),
        file_offset=offset,
        gain_to_uV=layout.gain_to_uV if has_gain else None,
        offset_to_uV=zero if has_gain else None,
    )


def _checked_dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    try:
        found = named_dtype(dtype)
    except TypeError as error:
        msg = f"dtype={dtype!r} is no type of numbers; usual ones are int16, uint16 and float32."
        raise ParameterError(msg) from error
    if found.kind not in "iuf":
        msg = f"dtype={found} is no type of real numbers, such as int16 or float32."
        raise ParameterError(msg)
    return found


def _fitting(
    recordings: Sequence[BaseRecording], files: Sequence[Path], notes: list[str]
) -> list[BaseRecording]:
    """Return recordings that can follow each other, called by the channels of the first."""
    first = recordings[0]
    fitting = []
    for one, path in zip(recordings, files, strict=True):
        for what, mine, other in (
            ("channels", one.get_num_channels(), first.get_num_channels()),
            ("Hz", one.sampling_frequency, first.sampling_frequency),
            ("as dtype", one.get_dtype(), first.get_dtype()),
        ):
            if mine != other:
                msg = (
                    f"{path.name} has {mine} {what} and {files[0].name} {other}: they cannot follow"
                    " each other in one view. Open them separately."
                )
                raise ParameterError(msg)
        _check_same_scale(one, first, path, files[0])
        if list(one.channel_ids) != list(first.channel_ids):
            notes.append(f"The channels of {path.name} are called as those of {files[0].name}.")
            one = one.rename_channels(first.channel_ids)  # noqa: PLW2901 - the same by other names
        fitting.append(one)
    return fitting


def _check_same_scale(
    one: BaseRecording, first: BaseRecording, path: Path, first_path: Path
) -> None:
    for name in ("gain_to_uV", "offset_to_uV"):
        mine, other = one.get_property(name), first.get_property(name)
        is_same = (mine is None) == (other is None)
        if is_same and mine is not None:
            is_same = bool(np.allclose(np.asarray(mine), np.asarray(other)))
        if not is_same:
            msg = (
                f"{path.name} and {first_path.name} have another {name}, so that they cannot follow"
                " each other in one view. Open them separately, or give gain_to_uV for flat files."
            )
            raise ParameterError(msg)


def _stretches_of(
    recordings: Sequence[BaseRecording], names: Sequence[str]
) -> tuple[TraceStretch, ...]:
    found: list[TraceStretch] = []
    start = 0
    for recording, name in zip(recordings, names, strict=True):
        n_segments = recording.get_num_segments()
        rate = recording.sampling_frequency
        end_s: float | None = None
        for k, segment in enumerate(recording.segments):
            n_samples = segment.get_num_samples()
            gap_s = None
            if segment.t_start is not None:
                if end_s is not None and abs(segment.t_start - end_s) * rate >= _GAP_MIN_SAMPLES:
                    gap_s = segment.t_start - end_s
                end_s = segment.t_start + n_samples / rate
            else:
                end_s = None
            label = name if n_segments == 1 else f"{name}, part {k + 1}"
            found.append(TraceStretch(label, start, n_samples, gap_s))
            start += n_samples
    return tuple(found)
