"""Events in tables of text, such as BIDS's ``*_events.tsv``, and in ``.npy`` files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.listed_events import ListedEvents, described_events
from spikeloom.extractors.listed_spikes import as_property
from spikeloom.extractors.peeking import Peek, read_head
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.storage.arrays import open_npy
from spikeloom.storage.delimited import parse_cell, read_table
from spikeloom.storage.numpy_files import open_records

TIME_COLUMNS = ("onset", "time", "times", "start_time", "timestamp", "time_s")

END_COLUMNS = ("stop_time", "end_time")

LABEL_COLUMNS = ("label", "trial_type", "event", "name", "value")

CHANNEL_COLUMN = "channel"

_DURATION = "duration"

_SUFFIXES = frozenset({".tsv", ".csv"})


@stored_as("spikeloom.TableEventExtractor")
class TableEventExtractor(ListedEvents):
    r"""Events in a table of text, or in a ``.npy`` file.

    Parameters
    ----------
    file_path : str or Path
        A ``.tsv`` or ``.csv`` file with a header, or a ``.npy`` file with times in seconds, or with
        records that have such a field.
    time_column : str, optional
        Column of the times in seconds; by default ``onset``, ``time``, ``start_time`` or the like.
    channel_column : str, default "channel"
        Column that says which channel an event is of, if there is one; else all are of one, which
        has the name of the file.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it has no times, or what should be a time is none.
    ParameterError
        If there is no such column.

    Notes
    -----
    ``duration``, or ``stop_time``, is the duration; ``label``, ``trial_type``, ``event``, ``name``
    or ``value`` the label. Other columns are further fields.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "sub-1_events.tsv"
    >>> _ = path.write_text("onset\tduration\ttrial_type\n1.5\t0.2\tgo\n0.5\t0.1\tstop\n")
    >>> TableEventExtractor(path).get_events()["label"]
    array(['stop', 'go'], dtype='<U4')
    """

    def __init__(
        self,
        file_path: str | Path,
        time_column: str | None = None,
        channel_column: str = CHANNEL_COLUMN,
    ) -> None:
        path = Path(file_path).absolute()
        columns = _npy_columns(path) if path.suffix == ".npy" else _text_columns(path)
        times = _times_of(columns, time_column, path)
        lasts = _durations_of(columns, columns[times], path)
        name = next((one for one in LABEL_COLUMNS if one in columns and one != times), None)
        labels = _as_texts(columns[name]) if name else path.stem
        gone = {times, _DURATION, name, channel_column, *END_COLUMNS, "time", "label"}
        others = {key: values for key, values in columns.items() if key not in gone}
        if channel_column in columns:
            channels = _as_texts(columns[channel_column])
        else:
            channels = np.full(len(columns[times]), path.stem)
        events = {}
        for channel in dict.fromkeys(channels.tolist()) or {path.stem: None}:
            rows = channels == channel
            events[channel] = described_events(
                columns[times][rows].astype(np.float64),
                None if lasts is None else lasts[rows],
                labels if isinstance(labels, str) else labels[rows],
                {key: values[rows] for key, values in others.items()},
            )
        super().__init__([events])
        self._kwargs = {
            "file_path": str(path),
            "time_column": time_column,
            "channel_column": channel_column,
        }


def read_event_table(
    file_path: str | Path, time_column: str | None = None, channel_column: str = CHANNEL_COLUMN
) -> TableEventExtractor:
    """Read events in a table of text or a ``.npy`` file; see `TableEventExtractor`."""
    return TableEventExtractor(file_path, time_column, channel_column)


def _text_columns(path: Path) -> dict[str, NDArray[Any]]:
    header, rows = read_table(path)
    cells = [[None if cell == "n/a" else parse_cell(cell) for cell in row] for row in rows]
    return {name: as_property([row[k] for row in cells]) for k, name in enumerate(header) if name}


def _as_texts(values: NDArray[Any]) -> NDArray[np.str_]:
    texts = values.astype(np.str_)
    return np.where(texts == "nan", "", texts)  # what is missing has no name


def _npy_columns(path: Path) -> dict[str, NDArray[Any]]:
    if path.is_file() and b"'descr': [" in read_head(path, 512):
        records = open_records(path)
        names = records.dtype.names or ()
        return {name: records[name] for name in names if records[name].ndim == 1}
    values = open_npy(path)
    if values.ndim not in {1, 2} or values.dtype.kind not in "iuf":
        msg = f"{path} holds {values.dtype} of shape {values.shape}; a list of times is expected."
        raise DataError(msg)
    if values.ndim == 2 and values.shape[1] == 2:  # as ALF has intervals
        return {"time": values[:, 0], END_COLUMNS[0]: values[:, 1]}
    return {"time": values.reshape(-1)}


def _times_of(columns: dict[str, NDArray[Any]], wanted: str | None, path: Path) -> str:
    if wanted is not None and wanted not in columns:
        msg = f"{path} has no column {wanted!r}. There are {', '.join(columns)}."
        raise ParameterError(msg)
    name = wanted or next((one for one in TIME_COLUMNS if one in columns), None)
    if name is None:
        msg = f"{path} has no column of times ({', '.join(TIME_COLUMNS)}): give time_column=..."
        raise DataError(msg)
    values = columns[name]
    if values.size and (values.dtype.kind not in "iuf" or not np.isfinite(values).all()):
        msg = f"{path}: some values of {name} are no times in seconds."
        raise DataError(msg)
    return name


def _durations_of(
    columns: dict[str, NDArray[Any]], times: NDArray[Any], path: Path
) -> NDArray[np.float64] | None:
    if not times.size:
        return None
    name = next((one for one in (_DURATION, *END_COLUMNS) if one in columns), None)
    if name is None:
        return None
    values = columns[name]
    if values.dtype.kind not in "iuf":
        if values.dtype.kind in "SU" and not np.any(values != ""):
            return np.full(times.size, np.nan)  # a column of n/a
        msg = f"{path}: some values of {name} are no seconds."
        raise DataError(msg)
    return values.astype(np.float64) - (0 if name == _DURATION else times)


def _recognise(peek: Peek) -> Recognition:
    if peek.suffix == ".npy" and peek.head.startswith(b"\x93NUMPY"):
        is_records = b"'time'" in peek.head[:512] or b"'timestamp'" in peek.head[:512]
        if is_records:
            return known(Certainty.CONTENT, "it is a .npy file of records with times")
        return known(Certainty.GUESS, "a .npy file may hold times of events")
    if peek.suffix not in _SUFFIXES or peek.is_folder:
        return unknown("it is no .tsv, .csv or .npy file")
    first = peek.head.partition(b"\n")[0].decode("utf-8-sig", "replace").strip()
    header = {cell.strip() for cell in first.split("\t" if "\t" in first else ",")}
    found = [name for name in TIME_COLUMNS if name in header]
    if found:
        return known(Certainty.LAYOUT, f"it is a table with the column {found[0]}")
    return unknown(f"it is a table without a column {', '.join(TIME_COLUMNS)}")


READERS = (
    Reader(
        name="table",
        kind="event",
        recognise=_recognise,
        read=read_event_table,
        function="read_event_table",
        extensions=(".tsv", ".csv", ".npy"),
        description="events in a table, such as *_events.tsv of BIDS",
    ),
)
"""Readers of this module."""
