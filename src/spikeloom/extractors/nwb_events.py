"""Intervals of NWB files, such as trials, as events."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.listed_events import ListedEvents, described_events
from spikeloom.extractors.nwb_places import nwb_place
from spikeloom.extractors.nwb_recognition import recognise_nwb
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Reader, Recognition

if TYPE_CHECKING:
    from spikeloom.extractors.nwb_files import NwbTree

_ROOT = "intervals"

_OWN = ("start_time", "stop_time")

_LABELS = ("label", "labels", "type", "condition", "name")
"""Columns that an event's label is taken from; the first that is there."""

_TAKEN = frozenset({*_OWN, "id", "time", "duration", "label", "timeseries"})


@stored_as("spikeloom.NwbEventExtractor")
class NwbEventExtractor(ListedEvents):
    """The tables of intervals of an NWB file: a channel for each, such as ``trials``.

    Parameters
    ----------
    file_path : str or Path
        The file, the folder of a zarr store, or the URL of either.
    interval_names : list of str or str, optional
        Which tables; all by default.
    stream_mode : {"fsspec", "remfile", "ros3", "zarr"}, optional
        What is behind a URL: an HDF5 file (the first three, which are read in the same way), or a
        zarr store. By default that is found out.
    stream_cache_path : str or Path, optional
        Folder for what `cache` keeps; by default in that of spikeloom's caches.
    cache : bool, default False
        Keep what was fetched of an HDF5 file behind a URL, for the next time.
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it has no intervals, or contradicts itself.
    ParameterError
        If there is no such table.

    Notes
    -----
    Fields of an event: ``time`` and ``duration`` in seconds, ``label``, and every column that has
    one value for each interval.
    """

    def __init__(
        self,
        file_path: str | Path,
        interval_names: Iterable[str] | str | None = None,
        stream_mode: str | None = None,
        stream_cache_path: str | Path | None = None,
        *,
        cache: bool = False,
        storage_options: dict[str, Any] | None = None,
    ) -> None:
        from spikeloom.extractors.nwb_files import open_nwb  # noqa: PLC0415 - imports h5py

        place = nwb_place(
            file_path,
            stream_mode,
            storage_options,
            cache=cache,
            stream_cache_path=stream_cache_path,
        )
        with open_nwb(place) as tree:
            found = _tables(tree)
            if not found:
                msg = f"{place.location} has no intervals."
                raise DataError(msg)
            if interval_names is None:
                wanted = found
            elif isinstance(interval_names, str):
                wanted = [interval_names]
            else:
                wanted = list(interval_names)
            missing = [name for name in wanted if name not in found]
            if missing:
                msg = f"{place.location} has no intervals {missing}. There are {', '.join(found)}."
                raise ParameterError(msg)
            events = {name: _read_table(tree, f"{_ROOT}/{name}") for name in wanted}
        super().__init__([events])
        self._kwargs = {
            **place.kwargs(),
            "interval_names": None if interval_names is None else wanted,
        }


def read_nwb_event(
    file_path: str | Path,
    interval_names: Iterable[str] | str | None = None,
    stream_mode: str | None = None,
    stream_cache_path: str | Path | None = None,
    *,
    cache: bool = False,
    storage_options: dict[str, Any] | None = None,
) -> NwbEventExtractor:
    """Read the intervals of an NWB file; see `NwbEventExtractor`."""
    return NwbEventExtractor(
        file_path,
        interval_names,
        stream_mode,
        stream_cache_path,
        cache=cache,
        storage_options=storage_options,
    )


def _tables(tree: "NwbTree") -> list[str]:
    return [name for name in tree.groups(_ROOT) if tree.shape(f"{_ROOT}/{name}/start_time")]


def _read_table(tree: "NwbTree", path: str) -> NDArray[Any]:
    starts = tree.values(f"{path}/start_time")
    stops = tree.values(f"{path}/stop_time") if tree.shape(f"{path}/stop_time") else starts
    if starts.ndim != 1 or starts.shape != stops.shape or starts.dtype.kind not in "iuf":
        msg = f"{tree.where}: {path} has {starts.shape} starts and {stops.shape} ends."
        raise DataError(msg)
    names = tree.attributes(path).get("colnames", ())
    columns: dict[str, NDArray[Any]] = {}
    for name in [str(name) for name in np.atleast_1d(np.asarray(names, dtype=object))]:
        shape = tree.shape(f"{path}/{name}")
        if name in _OWN or shape != starts.shape or tree.shape(f"{path}/{name}_index"):
            continue
        try:
            values = tree.values(f"{path}/{name}")
        except DataError:
            continue  # refers to other places of the file
        if values.dtype.kind in "iufbSU":
            columns[name] = values
    texts = {name: values for name, values in columns.items() if values.dtype.kind in "SU"}
    label = next((texts[name] for name in _LABELS if name in texts), None)
    others = {name: values for name, values in columns.items() if name not in _TAKEN}
    return described_events(
        starts.astype(np.float64),
        (stops - starts).astype(np.float64),
        path.rpartition("/")[2] if label is None else label,
        others,
    )


def _recognise(peek: Peek) -> Recognition:
    return recognise_nwb(peek, _tables, "intervals")


READERS = (
    Reader(
        name="nwb",
        kind="event",
        recognise=_recognise,
        read=read_nwb_event,
        function="read_nwb_event",
        extensions=(".nwb", ".nwb.zarr"),
        description="intervals of Neurodata Without Borders",
    ),
)
"""Readers of this module."""
