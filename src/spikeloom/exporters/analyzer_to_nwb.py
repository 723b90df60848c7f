"""Write a sorting, or an analyzer, as an NWB file (Neurodata Without Borders)."""

from datetime import datetime
from pathlib import Path
from typing import Any

from spikeloom.exporters.analyzer_copies import refuse_sources_inside
from spikeloom.exporters.nwb_sessions import check_nwb_target, saved_session, session_file
from spikeloom.exporters.nwb_units import add_units_to_nwbfile
from spikeloom.exporters.unit_columns import sorting_and_analyzer


def export_to_nwb(
    sorting_analyzer_or_sorting: Any,
    nwb_file_path: str | Path,
    remove_if_exists: bool = False,
    session_start_time: datetime | None = None,
    *,
    session_description: str = "Spike sorting.",
    identifier: str | None = None,
    nwbfile: Any = None,
) -> None:
    """Write units to an NWB file; it is there as a whole or not at all.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        The units. A sorting has spike times and properties; an analyzer has metrics, templates,
        locations and electrodes, too, as far as they were computed. It is not changed.
    nwb_file_path : str or Path
        File to make.
    remove_if_exists : bool, default False
        Replace what is at `nwb_file_path`, at the very end.
    session_start_time : datetime, optional
        When the session began; times of spikes count from then. NWB needs it.
    session_description : str
        What the session was.
    identifier : str, optional
        Of the file; made up by default.
    nwbfile : pynwb.NWBFile, optional
        What the units are added to, with all that it has of a session, before it is written.

    Raises
    ------
    ParameterError
        If there are no units, or `nwbfile` is given and cannot take them, or is given together
        with what it says itself.
    MissingDependencyError
        If pynwb is not installed.
    WriteError
        If something is at `nwb_file_path` already (also a FileExistsError then), or it cannot be
        written.

    Warns
    -----
    UserWarning
        If nobody says when the session began: 1970-01-01 is written.

    Notes
    -----
    `add_units_to_nwbfile` says which columns the table of units has.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [300, 600], "b": [450]}, 30000.0)
    >>> path = Path(tempfile.mkdtemp()) / "units.nwb"
    >>> export_to_nwb(sorting, path, session_start_time=datetime(2026, 3, 1, 9, tzinfo=UTC))
    >>> import pynwb
    >>> with pynwb.NWBHDF5IO(path, "r") as file:
    ...     file.read().units["spike_times"][0]
    array([0.01, 0.02])
    """
    _, analyzer = sorting_and_analyzer(sorting_analyzer_or_sorting)
    target = Path(nwb_file_path).absolute()
    check_nwb_target(target, replaces=remove_if_exists)
    if target.exists() and analyzer is not None:
        refuse_sources_inside(analyzer, target)
    file = session_file(nwbfile, session_start_time, identifier, session_description)
    add_units_to_nwbfile(sorting_analyzer_or_sorting, file)
    with saved_session(file, target, overwrite=remove_if_exists):
        pass  # there is nothing to fill
