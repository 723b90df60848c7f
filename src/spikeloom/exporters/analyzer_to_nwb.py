"""Write a sorting, or an analyzer, as an NWB file (Neurodata Without Borders)."""

import uuid
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from spikeloom.errors import ParameterError
from spikeloom.exporters.analyzer_copies import refuse_sources_inside
from spikeloom.exporters.nwb_units import add_units_to_nwbfile, require_pynwb
from spikeloom.exporters.unit_columns import sorting_and_analyzer
from spikeloom.storage.staged_saves import refuse_taken, staged_save

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

_NO_START = datetime(1970, 1, 1, tzinfo=UTC)
"""What stands for a start that nobody knows."""


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
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [300, 600], "b": [450]}, 30000.0)
    >>> path = Path(tempfile.mkdtemp()) / "units.nwb"
    >>> export_to_nwb(sorting, path, session_start_time=datetime(2026, 3, 1, 9, tzinfo=UTC))
    >>> import pynwb
    >>> with pynwb.NWBHDF5IO(path, "r") as file:
    ...     file.read().units["spike_times"][0]
    array([0.01, 0.02])
    """
    pynwb = require_pynwb()
    _, analyzer = sorting_and_analyzer(sorting_analyzer_or_sorting)
    target = Path(nwb_file_path).absolute()
    _check_target(target, analyzer, replaces=remove_if_exists)
    if nwbfile is None:
        if session_start_time is None:
            warnings.warn(
                "NWB files say when the session began, which is not known: 1970-01-01 is written. "
                "Pass session_start_time=datetime(...).",
                stacklevel=2,
            )
        nwbfile = pynwb.NWBFile(
            session_description=session_description,
            identifier=identifier or str(uuid.uuid4()),
            session_start_time=session_start_time or _NO_START,
        )
    elif session_start_time is not None or identifier is not None:
        msg = "nwbfile says itself when its session began and what its identifier is: pass one."
        raise ParameterError(msg)
    add_units_to_nwbfile(sorting_analyzer_or_sorting, nwbfile)
    with (
        staged_save(target, overwrite=remove_if_exists) as staging,
        # pynwb would warn that the name of the file, while it is written, is not one of NWB.
        h5py.File(staging.path, "w") as file,
        pynwb.NWBHDF5IO(mode="w", file=file) as writer,
    ):
        writer.write(nwbfile)


def _check_target(target: Path, analyzer: "SortingAnalyzer | None", *, replaces: bool) -> None:
    refuse_taken(target, overwrite=replaces)
    if target.is_dir():
        msg = f"{target} is a folder; give the path of a file."
        raise ParameterError(msg)
    if target.exists() and analyzer is not None:
        refuse_sources_inside(analyzer, target)
