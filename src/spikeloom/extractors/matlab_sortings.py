"""Sortings in MATLAB's files: of wave_clus, HDSort and CellExplorer."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, MissingFileError, ParameterError, SpikeloomError
from spikeloom.extractors.listed_spikes import (
    ListedSpikesSorting,
    as_columns,
    as_samples,
    checked_rate,
)
from spikeloom.extractors.matlab_files import read_matlab_fields
from spikeloom.extractors.matlab_structs import read_matlab_cells, read_matlab_structs
from spikeloom.extractors.matlab_version_5 import version_5_names
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

_HDSORT_NOISE = 1000
"""HDSort numbers units by group: what is left over of a group has a number that this divides."""

_CELLEXPLORER_SUFFIX = ".spikes.cellinfo.mat"

_SESSION_RATE, _SESSION_INFO_RATE = "session/extracellular/sr", "sessionInfo/rates/wideband"

_N_PROPERTIES = ("maxWaveformCh", "maxWaveformCh1", "shankID", "cluID", "total", "peakVoltage")


@stored_as("spikeinterface.extractors.waveclustextractors.WaveClusSortingExtractor")
class WaveClusSortingExtractor(ListedSpikesSorting):
    """A sorting of wave_clus.

    Parameters
    ----------
    file_path : str or Path
        A file ``times_*.mat``.
    keep_good_only : bool, default True
        Leave out class 0, of what wave_clus left unsorted.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it is no such file.

    Notes
    -----
    Property ``unsorted``: whether a unit is class 0; ``quality`` says the same in words.
    """

    def __init__(self, file_path: str | Path, keep_good_only: bool = True) -> None:
        path = Path(file_path).absolute()
        fields = read_matlab_fields(path, ["cluster_class", "par/sr"])
        classes = fields.get("cluster_class")
        if classes is None or classes.ndim != 2 or classes.shape[1] < 2:
            msg = f"{path} has no cluster_class of two columns, class and time of each spike."
            raise DataError(msg)
        rate = checked_rate(fields.get("par/sr"), f"{path}, par.sr")
        labels = as_samples(np.asarray(classes[:, 0]), f"{path}, cluster_class")
        samples = as_samples(np.asarray(classes[:, 1]), f"{path}, cluster_class", rate / 1000)
        if keep_good_only:
            samples, labels = samples[labels > 0], labels[labels > 0]
        unit_ids, units = np.unique(labels, return_inverse=True)
        super().__init__(rate, unit_ids, samples, units.reshape(-1))
        self.set_property("unsorted", unit_ids == 0)
        self.set_property("quality", np.where(unit_ids == 0, "unsorted", "sorted"))
        self._kwargs = {"file_path": str(path), "keep_good_only": bool(keep_good_only)}


@stored_as("spikeinterface.extractors.hdsortextractors.HDSortSortingExtractor")
class HDSortSortingExtractor(ListedSpikesSorting):
    """A sorting of HDSort.

    Parameters
    ----------
    file_path : str or Path
        The ``.mat`` file, of any version since 5.
    keep_good_only : bool, default True
        Leave out what HDSort marks as noise.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it is no such file.

    Notes
    -----
    Properties: ``template`` of shape (n_units, n_samples, n_channels) where all are of one shape,
    ``template_frames_cut_before`` and ``quality``.
    """

    def __init__(self, file_path: str | Path, keep_good_only: bool = True) -> None:
        path = Path(file_path).absolute()
        numbers = read_matlab_fields(path, ["samplingRate", "sortingInfo/startTimes"])
        units = read_matlab_structs(path, "Units", ["ID", "spikeTrain", "footprint", "cutLeft"])
        if units is None or any("ID" not in one or "spikeTrain" not in one for one in units):
            msg = f"{path} has no Units with ID and spikeTrain."
            raise DataError(msg)
        rate = checked_rate(numbers.get("samplingRate"), f"{path}, samplingRate")
        starts = numbers.get("sortingInfo/startTimes")
        begin = () if starts is None else as_samples(starts.reshape(-1)[:1], path).tolist()
        start = begin[0] if begin else 0
        ids = [_whole(one["ID"], f"{path}, Units.ID") for one in units]
        kept = [k for k, id_ in enumerate(ids) if not keep_good_only or id_ % _HDSORT_NOISE]
        trains = [
            as_samples(units[k]["spikeTrain"].reshape(-1), f"{path}, Units.spikeTrain") - start
            for k in kept
        ]
        if len({ids[k] for k in kept}) < len(kept):
            msg = f"{path}: numbers of Units occur twice."
            raise DataError(msg)
        unit_ids = np.array([ids[k] for k in kept], np.int64)
        super().__init__(rate, unit_ids, *as_columns(trains))
        is_noise = unit_ids % _HDSORT_NOISE == 0
        self.set_property("quality", np.where(is_noise, "noise", "good"))
        templates = [units[k]["footprint"] for k in kept if "footprint" in units[k]]
        if len(templates) == len(kept) and len({one.shape for one in templates}) == 1:
            self.set_property("template", np.stack(templates))
        cuts = [units[k]["cutLeft"].reshape(-1) for k in kept if "cutLeft" in units[k]]
        if len(cuts) == len(kept) and {one.size for one in cuts} == {1}:
            self.set_property("template_frames_cut_before", np.stack(cuts))
        self._kwargs = {"file_path": str(path), "keep_good_only": bool(keep_good_only)}


@stored_as("spikeinterface.extractors.cellexplorersortingextractor.CellExplorerSortingExtractor")
class CellExplorerSortingExtractor(ListedSpikesSorting):
    """A sorting of CellExplorer, or of buzcode.

    Parameters
    ----------
    file_path : str or Path
        A file ``*.spikes.cellinfo.mat``.
    sampling_frequency : float, optional
        In Hz; by default that of the file, of ``*.session.mat`` or of ``*.sessionInfo.mat``.
    session_info_file_path : str or Path, optional
        The latter, if it is elsewhere.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it is no such file.
    ParameterError
        If the sampling frequency is not known.

    Notes
    -----
    Unit ids are texts, the column ``UID``. Further numbers of each unit become properties.
    """

    def __init__(
        self,
        file_path: str | Path,
        sampling_frequency: float | None = None,
        session_info_file_path: str | Path | None = None,
    ) -> None:
        path = Path(file_path).absolute()
        names = ["spikes/UID", "spikes/sr", *(f"spikes/{name}" for name in _N_PROPERTIES)]
        fields = read_matlab_fields(path, names)
        times = read_matlab_cells(path, "spikes/times")
        uids = fields.get("spikes/UID")
        if times is None or uids is None:
            missing = "times" if times is None else "UID"
            msg = f"{path} has no spikes.{missing}."
            raise DataError(msg)
        if uids.size != len(times):
            msg = f"{path} has {uids.size} units and spike times of {len(times)}."
            raise DataError(msg)
        stored = sampling_frequency if sampling_frequency is not None else fields.get("spikes/sr")
        rate = _cell_explorer_rate(path, stored, session_info_file_path)
        trains = [as_samples(one, f"{path}, spikes.times", rate) for one in times]
        numbers = as_samples(uids.reshape(-1), f"{path}, spikes.UID")
        super().__init__(rate, [str(number) for number in numbers.tolist()], *as_columns(trains))
        for name in _N_PROPERTIES:
            values = fields.get(f"spikes/{name}")
            if values is not None and values.size == len(times) and values.dtype.kind in "iufb":
                self.set_property(name, values.reshape(-1))
        self._kwargs = {
            "file_path": str(path),
            "sampling_frequency": self.sampling_frequency,
            "session_info_file_path": session_info_file_path and str(session_info_file_path),
        }


def _whole(values: NDArray[Any], where: str) -> int:
    if values.size != 1:
        msg = f"{where} must be a number; got {values.size}."
        raise DataError(msg)
    return int(as_samples(values.reshape(-1), where)[0])


def _cell_explorer_rate(path: Path, stored: Any, info_path: str | Path | None) -> float:
    if stored is not None and np.size(stored):
        return checked_rate(stored, f"{path}, spikes.sr")
    session = path.name.partition(".")[0]
    own = path.with_name(f"{session}.session.mat")
    if own.is_file():
        found = read_matlab_fields(own, [_SESSION_RATE]).get(_SESSION_RATE)
        if found is not None:
            return checked_rate(found, own)
    info = path.with_name(f"{session}.sessionInfo.mat") if info_path is None else Path(info_path)
    if not info.is_file():
        msg = (
            f"{path} does not say its sampling frequency, and there is neither {own.name} nor "
            f"{info.name} that does: give sampling_frequency=..."
        )
        if info_path is not None:
            raise MissingFileError(2, msg)
        raise ParameterError(msg)
    found = read_matlab_fields(info, [_SESSION_INFO_RATE]).get(_SESSION_INFO_RATE)
    return checked_rate(found, f"{info}, sessionInfo.rates.wideband")


def read_waveclus(file_path: str | Path, keep_good_only: bool = True) -> WaveClusSortingExtractor:
    """Read a sorting of wave_clus; see `WaveClusSortingExtractor`."""
    return WaveClusSortingExtractor(file_path, keep_good_only)


def read_hdsort(file_path: str | Path, keep_good_only: bool = True) -> HDSortSortingExtractor:
    """Read a sorting of HDSort; see `HDSortSortingExtractor`."""
    return HDSortSortingExtractor(file_path, keep_good_only)


def read_cellexplorer(
    file_path: str | Path,
    sampling_frequency: float | None = None,
    session_info_file_path: str | Path | None = None,
) -> CellExplorerSortingExtractor:
    """Read a sorting of CellExplorer; see `CellExplorerSortingExtractor`."""
    return CellExplorerSortingExtractor(file_path, sampling_frequency, session_info_file_path)


def _is_matlab(peek: Peek) -> bool:
    return peek.suffix == ".mat" and (peek.head.startswith(b"MATLAB 5.0") or _is_version_7_3(peek))


def _is_version_7_3(peek: Peek) -> bool:
    return peek.head.startswith(b"MATLAB 7.3") or peek.is_hdf5


def _variables(peek: Peek) -> set[str]:
    """Return the names of variables, which are told without reading what they hold."""
    try:
        if _is_version_7_3(peek):
            from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py
            from spikeloom.extractors.hdf5_nodes import names_in  # noqa: PLC0415 - imports h5py

            with open_hdf5(peek.path) as file:
                return set(names_in(file))
        return set(version_5_names(peek.path))
    except SpikeloomError:
        return set()


def _recogniser(program: str, needed: set[str]) -> Any:
    def recognise(peek: Peek) -> Recognition:
        if not _is_matlab(peek):
            return unknown("it is no MATLAB file")
        missing = needed - _variables(peek)
        if missing:
            return unknown(f"the MATLAB file has no {' and no '.join(sorted(missing))}")
        return known(Certainty.CONTENT, f"it has the variables of {program}")

    return recognise


def _recognise_cell_explorer(peek: Peek) -> Recognition:
    if peek.path.name.endswith(_CELLEXPLORER_SUFFIX) and _is_matlab(peek):
        return known(Certainty.CONTENT, f"it is a MATLAB file *{_CELLEXPLORER_SUFFIX}")
    return unknown(f"it is no MATLAB file *{_CELLEXPLORER_SUFFIX}")


READERS = (
    Reader(
        name="waveclus",
        kind="sorting",
        recognise=_recogniser("wave_clus", {"cluster_class", "par"}),
        read=read_waveclus,
        function="read_waveclus",
        extensions=(".mat",),
        description="times_*.mat of wave_clus",
    ),
    Reader(
        name="hdsort",
        kind="sorting",
        recognise=_recogniser("HDSort", {"Units", "MultiElectrode", "samplingRate"}),
        read=read_hdsort,
        function="read_hdsort",
        extensions=(".mat",),
        description="results of HDSort",
    ),
    Reader(
        name="cellexplorer",
        kind="sorting",
        recognise=_recognise_cell_explorer,
        read=read_cellexplorer,
        function="read_cellexplorer",
        extensions=(_CELLEXPLORER_SUFFIX,),
        description="spikes of CellExplorer and buzcode",
    ),
)
"""Readers of this module."""
