"""Sortings in NWB files: tables of units, in HDF5 or zarr."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.sorting import TableSortingSegment
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.listed_spikes import (
    ListedSpikesSorting,
    as_samples,
    checked_rate,
    required_rate,
)
from spikeloom.extractors.nwb_places import nwb_place
from spikeloom.extractors.nwb_recognition import recognise_nwb
from spikeloom.extractors.nwb_recording import (
    NwbRecordingExtractor,
    chosen_series,
    series_times,
)
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Reader, Recognition

if TYPE_CHECKING:
    from spikeloom.extractors.nwb_files import NwbTree

_SKIPPED = frozenset({"spike_times", "unit_name", "id", "obs_intervals"})

_N_UNITS_MAX = 1 << 22


@stored_as("spikeinterface.extractors.nwbextractors.NwbSortingExtractor")
class NwbSortingExtractor(ListedSpikesSorting):
    """The units of an NWB file.

    Parameters
    ----------
    file_path : str or Path
        The file, the folder of a zarr store, or the URL of either.
    electrical_series_path : str, optional
        The series that was sorted, such as ``"acquisition/ElectricalSeries"``: its rate and start
        are those of the sorting.
    sampling_frequency : float, optional
        In Hz, if no series is named.
    samples_for_rate_estimation : int, default 1000
        How many times of a series a rate is worked out of, if it has none.
    stream_mode : {"fsspec", "remfile", "ros3", "zarr"}, optional
        What is behind a URL: an HDF5 file (the first three, which are read in the same way), or a
        zarr store. By default that is found out.
    stream_cache_path : str or Path, optional
        Folder for what `cache` keeps; by default in that of spikeloom's caches.
    load_unit_properties : bool, default True
        Make properties of the columns of the table.
    unit_table_path : str, default "units"
        Which table.
    t_start : float, optional
        Time of sample 0 in seconds, if no series is named.
    cache : bool, default False
        Keep what was fetched of an HDF5 file behind a URL, for the next time.
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it contradicts itself, or has no such table.
    ParameterError
        If the rate is not known, or given twice.

    Notes
    -----
    NWB has times in seconds. Where neither a series nor a rate is given, the rate is that of the
    table (its ``resolution``, or the column ``sampling_rate``), else that of the only electrical
    series of the file. `t_start` is then that of this series if its rate is the same, else 0. Times
    in seconds stay as they are in the file, whatever the samples.

    Unit ids are the column ``unit_name`` where there is one, else ``id``; also ``id`` where the
    names are just these numbers.
    """

    def __init__(
        self,
        file_path: str | Path,
        electrical_series_path: str | None = None,
        sampling_frequency: float | None = None,
        samples_for_rate_estimation: int = 1000,
        stream_mode: str | None = None,
        stream_cache_path: str | Path | None = None,
        load_unit_properties: bool = True,
        unit_table_path: str = "units",
        *,
        t_start: float | None = None,
        cache: bool = False,
        storage_options: dict[str, Any] | None = None,
    ) -> None:
        from spikeloom.extractors.nwb_files import open_nwb  # noqa: PLC0415 - imports h5py

        if electrical_series_path is not None and (sampling_frequency, t_start) != (None, None):
            msg = "electrical_series_path says the rate and start: give it, or these, not both."
            raise ParameterError(msg)
        place = nwb_place(
            file_path,
            stream_mode,
            storage_options,
            cache=cache,
            stream_cache_path=stream_cache_path,
        )
        table = unit_table_path.strip("/")
        with open_nwb(place) as tree:
            times_s, ends = _spike_times(tree, table)
            rate, start, sample_times = _time_base(
                tree,
                table,
                electrical_series_path,
                (sampling_frequency, t_start),
                samples_for_rate_estimation,
            )
            unit_ids = _unit_ids(tree, table, len(ends))
            properties = _properties(tree, table, len(ends)) if load_unit_properties else {}
        if sample_times is None:
            samples = as_samples(times_s - start, f"{place.location}, {table}/spike_times", rate)
        else:
            samples = _nearest(sample_times, times_s)
        counts = np.diff(ends, prepend=0)
        units = np.repeat(np.arange(len(ends), dtype=np.int32), counts)
        super().__init__(rate, unit_ids, samples, units, t_starts=())
        self.add_sorting_segment(_NwbSortingSegment(self, start, times_s, ends))
        for name, values in properties.items():
            self.set_property(name, values)
        self._kwargs = {
            **place.kwargs(),
            "electrical_series_path": electrical_series_path,
            "sampling_frequency": None if electrical_series_path else self.sampling_frequency,
            "samples_for_rate_estimation": samples_for_rate_estimation,
            "load_unit_properties": load_unit_properties,
            "t_start": None if electrical_series_path else start,
        }
        if table != "units":
            self._kwargs["unit_table_path"] = table

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Any,  # noqa: ARG003 - a protocol
    ) -> dict[str, Any]:
        kwargs = dict(old_kwargs)
        for gone in ("file", "use_pynwb"):
            kwargs.pop(gone, None)
        if kwargs.get("electrical_series_path") is not None:
            kwargs |= {"sampling_frequency": None, "t_start": None}
        return kwargs


class _NwbSortingSegment(TableSortingSegment):
    """The only segment, which knows times as they are in the file."""

    def __init__(
        self,
        sorting: NwbSortingExtractor,
        t_start: float,
        times_s: NDArray[np.float64],
        ends: NDArray[np.int64],
    ) -> None:
        super().__init__(sorting, 0, t_start or None)
        self._times_s = times_s
        self._ends = ends

    def get_unit_spike_train_in_seconds(
        self, unit_id: Any, start_time: float | None = None, end_time: float | None = None
    ) -> NDArray[np.float64]:
        """Return the times of the spikes of a unit in seconds, from `start_time` to `end_time`."""
        sorting = self.parent_extractor
        k = sorting.id_to_index(unit_id)  # type: ignore[union-attr]
        first = int(self._ends[k - 1]) if k else 0
        times_s = np.sort(self._times_s[first : int(self._ends[k])])
        start = 0 if start_time is None else np.searchsorted(times_s, start_time)
        end = len(times_s) if end_time is None else np.searchsorted(times_s, end_time, "right")
        return times_s[start:end]


def read_nwb_sorting(
    file_path: str | Path,
    electrical_series_path: str | None = None,
    sampling_frequency: float | None = None,
    samples_for_rate_estimation: int = 1000,
    stream_mode: str | None = None,
    stream_cache_path: str | Path | None = None,
    load_unit_properties: bool = True,
    unit_table_path: str = "units",
    *,
    t_start: float | None = None,
    cache: bool = False,
    storage_options: dict[str, Any] | None = None,
) -> NwbSortingExtractor:
    """Read the units of an NWB file; see `NwbSortingExtractor`."""
    return NwbSortingExtractor(
        file_path,
        electrical_series_path,
        sampling_frequency,
        samples_for_rate_estimation,
        stream_mode,
        stream_cache_path,
        load_unit_properties,
        unit_table_path,
        t_start=t_start,
        cache=cache,
        storage_options=storage_options,
    )


def read_nwb(
    file_path: str | Path,
    load_recording: bool = True,
    load_sorting: bool = False,
    electrical_series_path: str | None = None,
    **streaming: Any,
) -> Any:
    """Open the traces of an NWB file, its units, or both.

    Parameters
    ----------
    file_path : str or Path
        The file, the folder of a zarr store, or the URL of either.
    load_recording : bool, default True
        Open the electrical series; see `NwbRecordingExtractor`.
    load_sorting : bool, default False
        Read the units; see `NwbSortingExtractor`.
    electrical_series_path : str, optional
        Which series.
    **streaming
        How a URL is read: `stream_mode`, `storage_options`, `cache`, `stream_cache_path`.

    Returns
    -------
    NwbRecordingExtractor, NwbSortingExtractor, or a tuple of both
        What was asked for.

    Raises
    ------
    ParameterError
        If nothing was asked for.
    """
    opened: list[Any] = []
    if load_recording:
        opened.append(
            NwbRecordingExtractor(
                file_path, electrical_series_path=electrical_series_path, **streaming
            )
        )
    if load_sorting:
        opened.append(NwbSortingExtractor(file_path, electrical_series_path, **streaming))
    if not opened:
        msg = "read_nwb needs load_recording=True or load_sorting=True."
        raise ParameterError(msg)
    return opened[0] if len(opened) == 1 else tuple(opened)


def _spike_times(tree: "NwbTree", table: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the times of all spikes, unit by unit, and where those of each unit end."""
    if tree.shape(f"{table}/id") is None:
        msg = f"{tree.where} has no table of units {table!r}."
        raise DataError(msg)
    n_units = int((tree.shape(f"{table}/id") or (0,))[0])
    if tree.shape(f"{table}/spike_times") is None or n_units == 0:
        return np.zeros(0), np.zeros(min(n_units, _N_UNITS_MAX), np.int64)
    times = tree.values(f"{table}/spike_times")
    ends = tree.values(f"{table}/spike_times_index")
    is_index = ends.dtype.kind in "iu" and ends.shape == (n_units,)
    if times.ndim != 1 or times.dtype.kind not in "iuf" or not is_index:
        msg = f"{tree.where}: {table}/spike_times and its index are no times of {n_units} units."
        raise DataError(msg)
    edges = ends.astype(np.int64)
    if np.any(np.diff(edges, prepend=0) < 0) or edges[-1] != times.size:
        msg = f"{tree.where}: {table}/spike_times_index does not divide {times.size} times."
        raise DataError(msg)
    return times.astype(np.float64), edges


def _time_base(
    tree: "NwbTree",
    table: str,
    series: str | None,
    given: tuple[float | None, float | None],
    n_estimated: int,
) -> tuple[float, float, NDArray[np.float64] | None]:
    """Return rate, time of sample 0, and the time of each sample if these are not regular."""
    if series is not None:
        rate, start, times = series_times(tree, chosen_series(tree, series), n_estimated)
        return rate, start or 0.0, None if times is None else np.asarray(times, np.float64)
    rate_given, start_given = given
    rate_or_none = rate_given if rate_given is not None else _rate_of_table(tree, table)
    found = tree.of_type("ElectricalSeries")
    if len(found) == 1 and (rate_or_none is None or start_given is None):
        rate, start, _ = series_times(tree, found[0], n_estimated)
        if rate_or_none is None:
            rate_or_none = rate
        if start_given is None and np.isclose(rate, rate_or_none):
            start_given = start
    return required_rate(rate_or_none, tree.where), float(start_given or 0.0), None


def _rate_of_table(tree: "NwbTree", table: str) -> float | None:
    resolution = tree.attributes(f"{table}/spike_times").get("resolution")
    if resolution is not None:
        seconds = float(np.asarray(resolution).reshape(-1)[0])
        if np.isfinite(seconds) and seconds > 0:
            # What was written is 1 / rate, of which rounding may have left traces.
            rounded = round(1 / seconds, 6)
            return rounded if rounded > 0 and 1 / rounded == seconds else 1 / seconds
    if tree.shape(f"{table}/sampling_rate") is not None:
        rates = np.unique(tree.values(f"{table}/sampling_rate"))
        if rates.size == 1 and rates.dtype.kind in "iuf":
            return checked_rate(rates, f"{tree.where}, {table}/sampling_rate")
    return None


def _nearest(sample_times: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the sample whose time is nearest to that of each spike."""
    after = np.clip(np.searchsorted(sample_times, times_s), 1, max(1, len(sample_times) - 1))
    is_before = times_s - sample_times[after - 1] <= sample_times[after] - times_s
    return (after - is_before).astype(np.int64)


def _unit_ids(tree: "NwbTree", table: str, n_units: int) -> NDArray[Any]:
    numbers = tree.values(f"{table}/id")
    if tree.shape(f"{table}/unit_name") == (n_units,):
        names = tree.values(f"{table}/unit_name")
        if len(np.unique(names)) == n_units and not np.array_equal(
            names.astype(str), numbers.astype(str)
        ):
            return names
    if numbers.dtype.kind not in "iu" or len(np.unique(numbers)) != n_units:
        return np.arange(n_units)
    return numbers.astype(np.int64)


def _properties(tree: "NwbTree", table: str, n_units: int) -> dict[str, NDArray[Any]]:
    """Return the columns that have a value, or an array of the same shape, for each unit."""
    names = tree.attributes(table).get("colnames", ())
    found = {}
    for name in [str(name) for name in np.atleast_1d(np.asarray(names, dtype=object))]:
        shape = tree.shape(f"{table}/{name}")
        if name in _SKIPPED or shape is None or tree.shape(f"{table}/{name}_index_index"):
            continue
        try:
            values = _column(tree, f"{table}/{name}", n_units)
        except DataError:
            continue  # refers to other places, as electrode groups do
        if values is not None:
            found[name] = values
    return found


def _column(tree: "NwbTree", path: str, n_units: int) -> NDArray[Any] | None:
    if tree.shape(f"{path}_index") is None:
        values = tree.values(path)
        return values if values.shape[:1] == (n_units,) else None
    counts = np.diff(tree.values(f"{path}_index").astype(np.int64), prepend=0)
    if counts.shape != (n_units,) or not n_units or np.any(counts != counts[0]) or counts[0] < 1:
        return None
    values = tree.values(path)
    if values.shape[0] != n_units * counts[0]:
        return None
    return values.reshape(n_units, int(counts[0]), *values.shape[1:])


def _recognise(peek: Peek) -> Recognition:
    def find(tree: "NwbTree") -> list[str]:
        return [] if tree.shape("units/id") is None else ["a table of units"]

    return recognise_nwb(peek, find, "units")


READERS = (
    Reader(
        name="nwb",
        kind="sorting",
        recognise=_recognise,
        read=read_nwb_sorting,
        function="read_nwb_sorting",
        extensions=(".nwb", ".nwb.zarr"),
        description="units of Neurodata Without Borders",
    ),
)
"""Readers of this module."""
