"""Units of a sorting as the table of units of an NWB file.

Source: https://nwb-schema.readthedocs.io (Units).
"""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.unit_conversion import samples_to_ms
from spikeloom.errors import ParameterError
from spikeloom.exporters.common_times import CommonTimes, common_times
from spikeloom.exporters.nwb_electrodes import electrode_rows
from spikeloom.exporters.nwb_sessions import require_pynwb
from spikeloom.exporters.unit_columns import (
    UnitColumn,
    location_columns,
    metric_columns,
    property_columns,
    sorting_and_analyzer,
)

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer
    from spikeloom.core.sorting import BaseSorting

VOLTS_PER_uV = 1e-6

_SEGMENTS = "segments"


def add_units_to_nwbfile(
    sorting_analyzer_or_sorting: Any,
    nwbfile: Any,
    *,
    name: str = "units",
    description: str = "Units of a spike sorting.",
) -> None:
    """Add units to an NWB file in memory, with all that is known of them.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        The units. A sorting has spike times and properties; an analyzer has metrics, templates,
        locations and electrodes, too, as far as they were computed.
    nwbfile : pynwb.NWBFile
        What they are added to. If it has electrodes, these need a column ``channel_name`` with the
        ids of the channels.
    name : str, default "units"
        Of the table. ``units`` is the table of units of the file; one of another name is put into
        its processing module ``ecephys``.
    description : str
        What the table is.

    Raises
    ------
    ParameterError
        If there are no units, the file has a table of this name, or electrodes that are not the
        channels.
    MissingDependencyError
        If pynwb is not installed.

    Notes
    -----
    The columns of the table:

    - ``spike_times`` in seconds. Segments have their own times if each begins after the one before
      it has ended; otherwise each is moved to where the one before it ends. The intervals
      ``segments`` say where they are, if there are several.
    - ``unit_name``, the id of the unit; ``id`` is the same if ids are whole numbers.
    - ``obs_intervals``, the segments, if it is known how long they are.
    - ``electrodes`` (all channels), ``waveform_mean`` and ``waveform_sd`` (n_samples, n_channels)
      in volts, if there are templates in microvolts; on channels that a sparse unit has not, they
      are 0.
    - ``electrode_group``, that of the main channel.
    - ``x``, ``y``, ``z``: location in micrometres; and each metric and property.

    Examples
    --------
    >>> import pynwb
    >>> from datetime import UTC, datetime
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> nwbfile = pynwb.NWBFile("Open field.", "mouse-7", datetime(2026, 3, 1, 9, tzinfo=UTC))
    >>> sorting = NumpySorting.from_unit_dict({"a": [300, 600], "b": [450]}, 30000.0)
    >>> add_units_to_nwbfile(sorting, nwbfile)
    >>> nwbfile.units["spike_times"][1]
    array([0.015])
    """
    require_pynwb()
    sorting, analyzer = sorting_and_analyzer(sorting_analyzer_or_sorting)
    if sorting.get_num_units() == 0:
        msg = "There are no units to write."
        raise ParameterError(msg)
    _check_free(nwbfile, name)
    times = common_times(sorting, analyzer)
    table = _UnitsTable(sorting.unit_ids)
    _add_times(table, times)
    settings: dict[str, Any] = {"resolution": 1 / sorting.sampling_frequency}
    if analyzer is not None:
        settings |= _add_templates(table, nwbfile, analyzer)
    for column in _known_columns(sorting, analyzer, table.taken()):
        table.add(column.name, column.full_description, column.values)
    units = table.units(name=name, description=description, **settings)
    if name == "units":
        nwbfile.units = units
    else:
        _ecephys(nwbfile).add(units)
    if len(times.segments) > 1:
        _add_segments(nwbfile, times)


class _UnitsTable:
    """Columns of a table of units, gathered before it is made."""

    def __init__(self, unit_ids: NDArray[Any]) -> None:
        is_number = unit_ids.dtype.kind in "iu" and bool(np.all(unit_ids >= 0))
        self._ids = unit_ids.tolist() if is_number else list(range(len(unit_ids)))
        self._columns: list[Any] = []
        self._names: list[str] = []
        self.add("unit_name", "Id of the unit in the sorting.", unit_ids.astype(str))

    def add(self, name: str, description: str, values: NDArray[Any]) -> None:
        """Add a column with a value, or an array of the same shape, for each unit."""
        common = require_pynwb("hdmf.common")
        data = values if values.dtype.kind in "biuf" else values.tolist()
        self._names.append(name)
        self._columns.append(common.VectorData(name=name, description=description, data=data))

    def add_ragged(
        self, name: str, description: str, rows: list[NDArray[Any]], table: Any = None
    ) -> None:
        """Add a column with as many values for a unit as it has; perhaps rows of a table."""
        common = require_pynwb("hdmf.common")
        data = np.concatenate(rows)
        options = {"name": name, "description": description, "data": data}
        if table is None:
            column = common.VectorData(**options)
        else:
            column = common.DynamicTableRegion(**options, table=table)
        ends = np.cumsum([len(row) for row in rows])
        index = common.VectorIndex(name=f"{name}_index", data=ends, target=column)
        self._names.append(name)
        self._columns += [index, column]

    def taken(self) -> set[str]:
        """Return names that no other column may have."""
        # Those of attributes would be columns that cannot be reached as such.
        return {*self._names, *dir(require_pynwb("pynwb.misc").Units)}

    def units(self, **settings: Any) -> Any:
        """Return the table."""
        common = require_pynwb("hdmf.common")
        ids = common.ElementIdentifiers(name="id", data=self._ids)
        misc = require_pynwb("pynwb.misc")
        return misc.Units(id=ids, columns=self._columns, colnames=self._names, **settings)


# -- what is in the table --------------------------------------------------------------------


def _add_times(table: _UnitsTable, times: CommonTimes) -> None:
    unit_ids = times.sorting.unit_ids.tolist()
    trains = [times.train_s(unit_id) for unit_id in unit_ids]
    table.add_ragged("spike_times", "Times of the spikes of each unit, in seconds.", trains)
    if times.has_durations:
        about = "Start and end of each segment of the recording, in seconds."
        table.add_ragged("obs_intervals", about, [times.intervals_s] * len(unit_ids))


def _add_templates(table: _UnitsTable, nwbfile: Any, analyzer: "SortingAnalyzer") -> dict[str, Any]:
    """Add electrodes and templates; return settings of the table."""
    rows = electrode_rows(nwbfile, analyzer.recording_info)
    n_units = analyzer.get_num_units()
    about = "All channels of the recording, in the order of the channels of waveforms."
    table.add_ragged("electrodes", about, [rows] * n_units, nwbfile.electrodes)
    groups = np.empty(n_units, object)
    groups[:] = [nwbfile.electrodes["group"].data[k] for k in rows[analyzer.main_channel_indices]]
    table.add("electrode_group", "Group of the main channel of each unit.", groups)
    extension = analyzer.get_loaded("templates")
    if extension is None:
        return {}
    if not analyzer.return_in_uV:
        warnings.warn(
            "The NWB file will have no waveforms, as those of the analyzer are not in microvolts: "
            "the recording has no gains.",
            stacklevel=4,
        )
        return {}
    for operator, name, what in (
        ("average", "waveform_mean", "Average"),
        ("std", "waveform_sd", "Standard deviation"),
    ):
        if operator in extension.data:
            values = np.asarray(extension.get_data(operator=operator)) * VOLTS_PER_uV
            about = f"{what} of the waveforms of each unit, in volts: (samples, electrodes)."
            table.add(name, about, values.astype(np.float32))
    before: int = extension.nbefore  # type: ignore[attr-defined]
    return {
        "waveform_rate": float(analyzer.sampling_frequency),
        "waveform_unit": "volts",
        "waveform_time_before_peak_in_ms": samples_to_ms(before, analyzer.sampling_frequency),
    }


def _known_columns(
    sorting: "BaseSorting", analyzer: "SortingAnalyzer | None", taken: set[str]
) -> list[UnitColumn]:
    columns = []
    if analyzer is not None:
        columns = [*location_columns(analyzer), *metric_columns(analyzer)]
    names = {column.name for column in columns}
    found = [*columns, *property_columns(sorting, taken=taken | names)]
    # A path is made of names.
    return [_renamed(column) for column in found]


def _renamed(column: UnitColumn) -> UnitColumn:
    name = column.name.replace("/", "_").replace(":", "_")
    return UnitColumn(name, column.values, column.description, column.unit, column.origin)


def _check_free(nwbfile: Any, name: str) -> None:
    if name == "units":
        is_taken = nwbfile.units is not None
    else:
        module = nwbfile.processing.get("ecephys") if "ecephys" in nwbfile.processing else None
        is_taken = module is not None and name in module.data_interfaces
    if is_taken:
        msg = f"The NWB file has a table {name!r} already: give another name=..."
        raise ParameterError(msg)


def _ecephys(nwbfile: Any) -> Any:
    if "ecephys" in nwbfile.processing:
        return nwbfile.processing["ecephys"]
    return nwbfile.create_processing_module("ecephys", "Processed extracellular recordings.")


def _add_segments(nwbfile: Any, times: CommonTimes) -> None:
    """Say where segments are, unless the file says so already or nobody knows."""
    if not times.has_durations or (nwbfile.intervals and _SEGMENTS in nwbfile.intervals):
        return
    epoch = require_pynwb("pynwb.epoch")
    table = epoch.TimeIntervals(name=_SEGMENTS, description="Segments of the recording.")
    table.add_column("segment_index", "Position of the segment.")
    table.add_column("own_start_time", "Start by the time of the segment itself, in seconds.")
    rows = zip(times.segments, times.intervals_s, times.own_starts_s, strict=True)
    for segment, (start_s, stop_s), own_s in rows:
        table.add_interval(
            start_time=float(start_s),
            stop_time=float(stop_s),
            segment_index=segment,
            own_start_time=float(own_s),
        )
    nwbfile.add_time_intervals(table)
