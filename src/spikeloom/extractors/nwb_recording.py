"""Recordings in NWB files: electrical series, with the table of electrodes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core import times as clock
from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.array_segments import ArraySegment, Rows
from spikeloom.extractors.checked_numbers import finite_number
from spikeloom.extractors.nwb_places import nwb_place
from spikeloom.extractors.nwb_recognition import recognise_nwb
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Reader, Recognition

if TYPE_CHECKING:
    from spikeloom.extractors.nwb_files import NwbTree

_TABLE = "general/extracellular_ephys/electrodes"

_AXES = ("rel_x", "rel_y", "rel_z")

_PROPERTIES = {"location": "brain_area", "channel_group": "group"}
"""What columns are called that have another name as properties."""

_OWN_COLUMNS = frozenset({*_AXES, "id", "group", "group_name", "channel_name", "offset"})


@stored_as("spikeinterface.extractors.nwbextractors.NwbRecordingExtractor")
class NwbRecordingExtractor(BaseRecording):
    """An electrical series of an NWB file, in HDF5 or zarr.

    Parameters
    ----------
    file_path : str or Path
        The file, the folder of a zarr store, or the URL of either.
    load_time_vector : bool, default False
        Keep the time of each sample, if the file has them, rather than a rate worked out of them.
    samples_for_rate_estimation : int, default 1000
        How many times that rate is worked out of.
    stream_mode : {"fsspec", "remfile", "ros3", "zarr"}, optional
        What is behind a URL: an HDF5 file (the first three, which are read in the same way), or a
        zarr store. By default that is found out.
    stream_cache_path : str or Path, optional
        Folder for what `cache` keeps; by default in that of spikeloom's caches.
    electrical_series_path : str, optional
        Which series, such as ``"acquisition/ElectricalSeries"``; needed if there are several.
    load_channel_properties : bool, default True
        Make properties of the columns of the table of electrodes.
    cache : bool, default False
        Keep what was fetched of an HDF5 file behind a URL, for the next time.
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it contradicts itself, or has no electrical series.
    ParameterError
        If there are several series and none was chosen, or no such one.

    Notes
    -----
    Channel ids are the column ``channel_name`` where there is one, else the ids of electrodes.
    Electrodes with positions make a probe for each group.
    """

    def __init__(
        self,
        file_path: str | Path,
        load_time_vector: bool = False,
        samples_for_rate_estimation: int = 1000,
        stream_mode: str | None = None,
        stream_cache_path: str | Path | None = None,
        electrical_series_path: str | None = None,
        load_channel_properties: bool = True,
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
            series = chosen_series(tree, electrical_series_path)
            traces, rate, segment = open_series(
                tree, series, samples_for_rate_estimation, keeps_times=load_time_vector
            )
            electrodes = _electrodes(tree, series, traces.shape[1])
            super().__init__(rate, _channel_ids(tree, electrodes), traces.dtype)
            self.add_recording_segment(segment)
            self._set_scale(tree, series)
            self._describe(tree, electrodes, has_properties=load_channel_properties)
        self.electrical_series_path = series
        self._kwargs = {
            **place.kwargs(),
            "load_time_vector": load_time_vector,
            "samples_for_rate_estimation": samples_for_rate_estimation,
            "electrical_series_path": series,
            "load_channel_properties": load_channel_properties,
        }

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Any,  # noqa: ARG003 - a protocol
    ) -> dict[str, Any]:
        kwargs = dict(old_kwargs)
        if "electrical_series_name" in kwargs:
            name = kwargs.pop("electrical_series_name")
            kwargs.setdefault("electrical_series_path", name and f"acquisition/{name}")
        for gone in ("file", "use_pynwb"):
            kwargs.pop(gone, None)
        return kwargs

    def _set_scale(self, tree: "NwbTree", series: str) -> None:
        conversion, offset = scale_of(tree, series)
        gains = np.full(self.get_num_channels(), conversion)
        if tree.shape(f"{series}/channel_conversion") == (self.get_num_channels(),):
            gains *= tree.values(f"{series}/channel_conversion")
        self.set_channel_gains(gains * 1e6)
        self.set_channel_offsets(offset * 1e6)

    def _describe(
        self, tree: "NwbTree", electrodes: NDArray[np.int64], *, has_properties: bool
    ) -> None:
        columns = _columns(tree)
        groups = None
        if "group_name" in columns:
            groups = _column(tree, "group_name")[electrodes]
        positions = [_column(tree, axis)[electrodes] for axis in _AXES if axis in columns]
        if len(positions) >= 2 and np.isfinite(positions).all():
            self._set_positions(np.stack(positions[:2], axis=1), groups)
        if groups is not None:
            self.set_channel_groups(groups)
        for name in columns if has_properties else ():
            if name in _OWN_COLUMNS or f"{name}_index" in columns:
                continue
            shape = tree.shape(f"{_TABLE}/{name}")
            if shape is not None and shape[:1] == tree.shape(f"{_TABLE}/id"):
                values = _column(tree, name)[electrodes]
                self.set_property(_PROPERTIES.get(name, name), values)

    def _set_positions(self, positions: NDArray[Any], groups: NDArray[Any] | None) -> None:
        from probeinterface import Probe, ProbeGroup  # noqa: PLC0415 - takes a while to import

        group = ProbeGroup()
        names = np.zeros(len(positions), int) if groups is None else groups
        for name in np.unique(names):
            channels = np.flatnonzero(names == name)
            probe = Probe(ndim=2)
            probe.set_contacts(
                positions[channels].astype(float), shapes="circle", shape_params={"radius": 1}
            )
            probe.set_device_channel_indices(channels)
            group.add_probe(probe)
        # Positions are relative to each group, so that those of two may be the same.
        self.set_probegroup(group, in_place=True, check_overlap=False)

    @staticmethod
    def fetch_available_electrical_series_paths(
        file_path: str | Path, storage_options: dict[str, Any] | None = None
    ) -> list[str]:
        """Return the paths of the electrical series of a file."""
        from spikeloom.extractors.nwb_files import open_nwb  # noqa: PLC0415 - imports h5py

        with open_nwb(file_path, storage_options) as tree:
            return tree.of_type("ElectricalSeries")


def read_nwb_recording(
    file_path: str | Path,
    load_time_vector: bool = False,
    samples_for_rate_estimation: int = 1000,
    stream_mode: str | None = None,
    stream_cache_path: str | Path | None = None,
    electrical_series_path: str | None = None,
    load_channel_properties: bool = True,
    *,
    cache: bool = False,
    storage_options: dict[str, Any] | None = None,
) -> NwbRecordingExtractor:
    """Open an electrical series of an NWB file; see `NwbRecordingExtractor`."""
    return NwbRecordingExtractor(
        file_path,
        load_time_vector,
        samples_for_rate_estimation,
        stream_mode,
        stream_cache_path,
        electrical_series_path,
        load_channel_properties,
        cache=cache,
        storage_options=storage_options,
    )


def chosen_series(tree: "NwbTree", wanted: str | None) -> str:
    """Return the path of the electrical series that was asked for, or of the only one.

    Raises
    ------
    DataError
        If there is none.
    ParameterError
        If there are several and none was asked for, or no such one.
    """
    found = tree.of_type("ElectricalSeries")
    if not found:
        msg = f"{tree.where} has no electrical series, so there are no traces in it."
        raise DataError(msg)
    if wanted is None and len(found) > 1:
        msg = (
            f"{tree.where} has several electrical series: choose one with electrical_series_path="
            f"{' or '.join(repr(path) for path in found)}."
        )
        raise ParameterError(msg)
    if wanted is not None and wanted.strip("/") not in found:
        msg = f"{tree.where} has no electrical series {wanted!r}. There are {', '.join(found)}."
        raise ParameterError(msg)
    return found[0] if wanted is None else wanted.strip("/")


class _OneColumn:
    """A list of values as traces of one channel."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.shape = (*rows.shape, 1)
        self.dtype = rows.dtype

    def __getitem__(self, key: Any) -> NDArray[Any]:
        return np.asarray(self._rows[key])[:, np.newaxis]


def open_series(
    tree: "NwbTree", series: str, n_estimated: int, *, keeps_times: bool
) -> tuple[Rows, float, ArraySegment]:
    """Return the values of a time series, their rate in Hz, and both as a segment.

    Parameters
    ----------
    tree : NwbTree
        The file.
    series : str
        Path of the series in it.
    n_estimated : int
        How many times of samples the rate is worked out of, if there is none.
    keeps_times : bool
        Whether the segment has the time of each sample, if the file has them.

    Raises
    ------
    DataError
        If there are no values of one or two axes, or nothing says when they were taken.
    """
    traces = _traces(tree, series)
    rate, t_start, times = series_times(tree, series, n_estimated)
    segment = ArraySegment(traces, rate, t_start)
    if keeps_times and times is not None:
        segment.times = clock.given_times(times, traces.shape[0])  # type: ignore[arg-type]
    return traces, rate, segment


def scale_of(tree: "NwbTree", series: str) -> tuple[float, float]:
    """Return gain and offset from the values of a time series to its unit.

    Raises
    ------
    DataError
        If the file tells what is no number.
    """
    told = tree.attributes(f"{series}/data")
    gain = finite_number(tree.where, told.get("conversion", 1.0), "conversion")
    return gain, finite_number(tree.where, told.get("offset", 0.0), "offset")


def _traces(tree: "NwbTree", series: str) -> Rows:
    shape = tree.shape(f"{series}/data")
    if shape is None or len(shape) not in {1, 2}:
        msg = f"{tree.where}: {series}/data must be of shape (n_samples, n_channels); got {shape}."
        raise DataError(msg)
    rows = tree.rows(f"{series}/data")
    return rows if len(shape) == 2 else _OneColumn(rows)


def _electrodes(tree: "NwbTree", series: str, n_channels: int) -> NDArray[np.int64]:
    """Return the row in the table of electrodes of each channel."""
    if tree.shape(f"{series}/electrodes") is None:
        return np.arange(n_channels)
    rows = tree.values(f"{series}/electrodes")
    n_rows = (tree.shape(f"{_TABLE}/id") or (0,))[0]
    is_whole = rows.dtype.kind in "iu" and rows.shape == (n_channels,)
    if not is_whole or (rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < n_rows):
        msg = (
            f"{tree.where}: {series}/electrodes names {rows.size} rows of a table of {n_rows} "
            f"electrodes, for {n_channels} channels."
        )
        raise DataError(msg)
    return rows.astype(np.int64)


def _columns(tree: "NwbTree") -> list[str]:
    names = tree.attributes(_TABLE).get("colnames", ())
    return [str(name) for name in np.atleast_1d(np.asarray(names, dtype=object))]


def _column(tree: "NwbTree", name: str) -> NDArray[Any]:
    values = tree.values(f"{_TABLE}/{name}")
    n_rows = (tree.shape(f"{_TABLE}/id") or (0,))[0]
    if values.shape[:1] != (n_rows,):
        msg = f"{tree.where}: the column {name} has {values.shape} values for {n_rows} electrodes."
        raise DataError(msg)
    return values


def _channel_ids(tree: "NwbTree", electrodes: NDArray[np.int64]) -> NDArray[Any]:
    if tree.shape(f"{_TABLE}/id") is None:
        return np.arange(electrodes.size)
    name = "channel_name" if "channel_name" in _columns(tree) else "id"
    for column in (name, "id"):
        ids = _column(tree, column)[electrodes]
        if ids.ndim == 1 and len(np.unique(ids)) == len(ids):
            return ids
    return (
        electrodes if len(np.unique(electrodes)) == electrodes.size else np.arange(electrodes.size)
    )


def series_times(
    tree: "NwbTree", series: str, n_estimated: int = 1000
) -> tuple[float, float | None, Rows | None]:
    """Return the sampling frequency, the first time, and the time of each sample if given.

    Raises
    ------
    DataError
        If the series has neither a rate nor increasing times.
    """
    if tree.shape(f"{series}/starting_time") is not None:
        rate = finite_number(
            tree.where, tree.attributes(f"{series}/starting_time").get("rate"), "rate"
        )
        if rate <= 0:
            msg = f"{tree.where}: the rate of {series} must be above 0; got {rate}."
            raise DataError(msg)
        start = tree.values(f"{series}/starting_time")
        return rate, finite_number(tree.where, start, "starting_time"), None
    shape = tree.shape(f"{series}/timestamps")
    n_samples = (tree.shape(f"{series}/data") or (0,))[0]
    if shape != (n_samples,) or n_samples < 2:
        msg = f"{tree.where}: {series} has neither a rate nor a time for each sample."
        raise DataError(msg)
    times = tree.rows(f"{series}/timestamps")
    first = np.asarray(times[: max(2, n_estimated)], np.float64)
    step = float(np.median(np.diff(first)))
    if not step > 0:
        msg = f"{tree.where}: the times of {series} do not increase."
        raise DataError(msg)
    return 1 / step, float(first[0]), times


def _recognise(peek: Peek) -> Recognition:
    return recognise_nwb(peek, lambda tree: tree.of_type("ElectricalSeries"), "electrical series")


READERS = (
    Reader(
        name="nwb",
        kind="recording",
        recognise=_recognise,
        read=read_nwb_recording,
        function="read_nwb_recording",
        extensions=(".nwb", ".nwb.zarr"),
        description="Neurodata Without Borders, in HDF5 and zarr",
    ),
)
"""Readers of this module."""
