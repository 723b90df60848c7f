"""Recordings and sortings of MountainSort: folders with ``raw.mda``, and ``firings.mda``."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.spike_building import table_from_samples_and_labels
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.errors import DataError, ReadError, SpikeloomError
from spikeloom.extractors.array_segments import ArraySegment
from spikeloom.extractors.json_files import number_in, read_json_object
from spikeloom.extractors.mda_files import open_mda, parse_mda_header
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

_N_GEOMETRY_BYTES_MAX = 1 << 24

_N_CHANNELS_MAX = 1 << 20
"""Files without samples can tell any number of channels."""

_COUNT_MAX = 2.0**53
"""Larger numbers are no longer counted one by one by doubles."""


@stored_as("spikeinterface.extractors.mdaextractors.MdaRecordingExtractor")
class MdaRecordingExtractor(BaseRecording):
    """A recording in a folder of MountainSort.

    Parameters
    ----------
    folder_path : str or Path
        The folder.
    raw_fname, params_fname, geom_fname : str
        Its files: traces of shape (n_channels, n_samples); JSON with ``samplerate`` in Hz; a line
        with a position in micrometres for each channel, which may be absent.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or damaged.
    DataError
        If files contradict each other.
    """

    def __init__(
        self,
        folder_path: str | Path,
        raw_fname: str = "raw.mda",
        params_fname: str = "params.json",
        geom_fname: str = "geom.csv",
    ) -> None:
        folder = Path(folder_path).absolute()
        params = read_json_object(folder / params_fname)
        rate = number_in(params, "samplerate", folder / params_fname)
        traces = open_mda(folder / raw_fname)
        if traces.ndim != 2 or traces.shape[0] > _N_CHANNELS_MAX:
            msg = (
                f"{folder / raw_fname} has the shape {traces.shape}; (n_channels, n_samples) it is."
            )
            raise DataError(msg)
        super().__init__(rate, np.arange(traces.shape[0]), traces.dtype)
        self.add_recording_segment(ArraySegment(traces.T, self.sampling_frequency))
        if (folder / geom_fname).is_file():
            positions = _read_geometry(folder / geom_fname)
            if len(positions) != self.get_num_channels():
                msg = (
                    f"{folder / geom_fname} has {len(positions)} positions for "
                    f"{self.get_num_channels()} channels."
                )
                raise DataError(msg)
            if len(np.unique(positions, axis=0)) == len(positions):
                self.set_dummy_probe_from_locations(positions)
            else:  # no probe has two contacts in one place, but files of tetrodes say so
                self.set_channel_locations(positions)
        self._kwargs = {
            "folder_path": str(folder),
            "raw_fname": raw_fname,
            "params_fname": params_fname,
            "geom_fname": geom_fname,
        }


@stored_as("spikeinterface.extractors.mdaextractors.MdaSortingExtractor")
class MdaSortingExtractor(BaseSorting):
    """A sorting in a ``firings.mda`` file.

    Parameters
    ----------
    file_path : str or Path
        An array of shape (3 or more, n_spikes): main channel (counted from 1), sample, unit.
    sampling_frequency : float
        In Hz.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it is of another shape, or holds what is no sample.

    Notes
    -----
    The property ``max_channel`` has the main channel of each unit, as the sorter counted them.
    """

    def __init__(self, file_path: str | Path, sampling_frequency: float) -> None:
        path = Path(file_path).absolute()
        firings = open_mda(path)
        if firings.ndim != 2 or firings.shape[0] < 3:
            msg = f"{path} has the shape {firings.shape}; firings have three rows or more."
            raise DataError(msg)
        is_counted = firings.dtype.kind != "c" and bool((np.abs(firings[:3]) < _COUNT_MAX).all())
        if not is_counted or (firings[1] < -0.5).any():
            msg = f"{path} holds values that are no numbers of samples or units."
            raise DataError(msg)
        labels = np.asarray(firings[2]).astype(np.int64)
        unit_ids, first = np.unique(labels, return_index=True)
        super().__init__(sampling_frequency, unit_ids)
        self._labels = labels
        self._samples = np.rint(firings[1]).astype(np.int64)
        self.add_sorting_segment(TableSortingSegment(self, 0, None))
        self.set_property("max_channel", np.asarray(firings[0])[first].astype(np.int64))
        self._kwargs = {"file_path": str(path), "sampling_frequency": self.sampling_frequency}

    def _make_spike_table(self) -> SpikeTable:
        return table_from_samples_and_labels([self._samples], [self._labels], self.unit_ids)[0]


def read_mda_recording(
    folder_path: str | Path,
    raw_fname: str = "raw.mda",
    params_fname: str = "params.json",
    geom_fname: str = "geom.csv",
) -> MdaRecordingExtractor:
    """Open a folder of MountainSort as a recording; see `MdaRecordingExtractor`."""
    return MdaRecordingExtractor(folder_path, raw_fname, params_fname, geom_fname)


def read_mda_sorting(file_path: str | Path, sampling_frequency: float) -> MdaSortingExtractor:
    """Read a ``firings.mda`` file as a sorting; see `MdaSortingExtractor`."""
    return MdaSortingExtractor(file_path, sampling_frequency)


def _read_geometry(path: Path) -> NDArray[np.float64]:
    try:
        if path.stat().st_size > _N_GEOMETRY_BYTES_MAX:
            msg = f"{path} is larger than any list of positions of channels."
            raise DataError(msg)
        values = np.loadtxt(path, delimiter=",", ndmin=2, dtype=np.float64)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise ReadError(error.errno or 0, msg) from error
    except ValueError as error:
        msg = f"{path} is no list of positions, such as 0.0,20.0 in each line: {error}."
        raise DataError(msg) from error
    if values.shape[1] < 2 or not np.isfinite(values[:, :2]).all():
        msg = f"{path} is no list of positions: two numbers are expected in each line."
        raise DataError(msg)
    return values[:, :2]


def _recognise_folder(peek: Peek) -> Recognition:
    if not peek.is_folder:
        return unknown("it is no folder")
    missing = [name for name in ("raw.mda", "params.json") if name not in peek.names]
    if missing:
        return unknown(f"it has no {' and no '.join(missing)}")
    return known(Certainty.LAYOUT, "it has raw.mda and params.json")


def _header_of(peek: Peek) -> Any:
    try:
        return parse_mda_header(peek.head, peek.path.stat().st_size, peek.path.name)
    except (SpikeloomError, OSError):
        return None


def _recognise_firings(peek: Peek) -> Recognition:
    if peek.suffix != ".mda":
        return unknown("it does not end in .mda")
    header = _header_of(peek)
    if header is None:
        return unknown("its header is not that of an MDA file")
    if len(header.shape) != 2 or not 3 <= header.shape[0] <= 8 or header.dtype.kind != "f":
        return unknown(f"an array {header.shape} of {header.dtype} holds no firings")
    return known(Certainty.CONTENT, "it is an MDA file with a few rows of floats")


READERS = (
    Reader(
        name="mda",
        kind="recording",
        recognise=_recognise_folder,
        read=read_mda_recording,
        function="read_mda_recording",
        extensions=(".mda",),
        description="a folder of MountainSort: raw.mda, params.json, geom.csv",
    ),
    Reader(
        name="mda",
        kind="sorting",
        recognise=_recognise_firings,
        read=read_mda_sorting,
        function="read_mda_sorting",
        extensions=(".mda",),
        description="firings of MountainSort",
    ),
)
"""Readers of this module."""
