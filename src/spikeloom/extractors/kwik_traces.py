"""Where the raw data of a Kwik file are.

For each recording these places are tried in turn: the ``.raw.kwd`` or flat file that the ``.kwik``
file names (relative to its own folder), a file of that name in its folder, and the experiment's own
``.raw.kwd`` beside it. Without recordings, it is the ``.dat`` file of the experiment's name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError, SpikeloomError
from spikeloom.extractors.hdf5_arrays import open_array, read_vector
from spikeloom.extractors.hdf5_chunks import ChunkedArray
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.hdf5_nodes import attributes, child, dataset_at, number_in
from spikeloom.extractors.kwik_contents import KwikFile, KwikRecording
from spikeloom.storage.dtype_names import named_dtype
from spikeloom.storage.raw_files import open_raw

Traces = NDArray[Any] | ChunkedArray
"""Raw data of a recording, (n_samples, n_channels); not read yet."""

_INSIDE = re.compile(r"/recordings/\d+(/data)?/?$")

RAW_SUFFIX = ".raw.kwd"


@dataclass(frozen=True)
class RecordingTraces:
    """The raw data of a recording."""

    recording: KwikRecording
    """The recording."""
    traces: Traces | None
    """Its data, or None if they were not found."""
    source: Path | None
    """The file that they are in."""
    problem: str = ""
    """Why there are none."""


def find_traces(kwik: KwikFile) -> list[RecordingTraces]:
    """Find the raw data of each recording; nothing is read but headers.

    Returns
    -------
    list of RecordingTraces
        One for each recording of the file; one of number 0 if it has none.
    """
    recordings = kwik.recordings or (
        KwikRecording(0, dat_path=str(kwik.path.with_suffix(".dat").name)),
    )
    return [_find(kwik, recording) for recording in recordings]


def _find(kwik: KwikFile, recording: KwikRecording) -> RecordingTraces:
    problems = []
    for path in dict.fromkeys(_places(kwik, recording)):
        if not path.is_file():
            continue
        try:
            traces = (
                open_kwd_data(path, recording.index)
                if path.suffix == ".kwd"
                else _open_flat(kwik, path)
            )
        except SpikeloomError as error:
            problems.append(str(error))
        else:
            return RecordingTraces(recording, traces, path)
    named = recording.hdf5_path or recording.dat_path or kwik.path.stem + RAW_SUFFIX
    problem = " ".join(problems) or f"{named}, the raw data of recording {recording.index}, " + (
        f"is not in {kwik.path.parent}."
    )
    return RecordingTraces(recording, None, None, problem)


def _places(kwik: KwikFile, recording: KwikRecording) -> Iterator[Path]:
    folder, own = kwik.path.parent, kwik.path.with_suffix(RAW_SUFFIX)
    named = recording.hdf5_path or recording.dat_path
    if named is not None:
        # Some write "{raw.kwd}/recordings/0", with or without the name of a file in the braces.
        inner = _INSIDE.sub("", named).strip("{}")
        if inner not in {"raw.kwd", "kwd"}:
            yield folder / inner
            yield folder / PureWindowsPath(inner).name  # which also splits at slashes
    yield own


def open_kwd_data(path: Path, recording_number: int) -> Traces:
    """Open the data of a recording in a ``.kwd`` file.

    Raises
    ------
    ReadError
        If it is no HDF5 file, or damaged.
    DataError
        If it has no such recording.
    """
    with open_hdf5(path) as file:
        dataset = dataset_at(file, f"recordings/{recording_number}/data")
        if dataset is None or len(dataset.shape or ()) != 2:
            msg = f"{path} has no array recordings/{recording_number}/data of two axes."
            raise DataError(msg)
        return open_array(path, dataset)


def read_gains_uV(path: Path, recording_number: int) -> NDArray[np.float64] | None:
    """Return the microvolts per step of each channel that Open Ephys notes in ``.kwd`` files."""
    with open_hdf5(path) as file:
        node = child(file, f"recordings/{recording_number}/application_data")
        known = attributes(node).get("channel_bit_volts")
        stored = dataset_at(node, "channel_bit_volts")
        if known is None and stored is not None:
            known = read_vector(path, stored)
    gains = np.asarray(known if known is not None else (), np.float64).reshape(-1)
    return gains if gains.size and np.all(np.isfinite(gains)) else None


def _open_flat(kwik: KwikFile, path: Path) -> Traces:
    n_channels = number_in(kwik.metadata, "n_channels", "nchannels")
    if n_channels is None or not 1 <= n_channels < 1 << 20:
        msg = f"{kwik.path} does not say how many channels {path.name} has (n_channels)."
        raise DataError(msg)
    text = str(kwik.metadata.get("dtype") or "int16")
    try:
        dtype = named_dtype(text)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "iuf":
        msg = f"{kwik.path} says that {path.name} holds {text!r}, which is no type of numbers."
        raise DataError(msg)
    return open_raw(path, dtype=dtype, n_channels=int(n_channels))
