"""Simulations of MEArec: a recording with exact truth, in one HDF5 file."""

from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.spike_building import table_from_samples_and_labels
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.errors import DataError
from spikeloom.extractors.array_segments import ArraySegment
from spikeloom.extractors.checked_numbers import finite_number
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.physical_units import set_physical_units
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

_N_UNITS_MAX = 1 << 16

_RATE = "info/recordings/fs"

_ORDER = "info/electrodes/sortlist"

_COLUMNS_OF_PLANE = {"xy": [0, 1], "xz": [0, 2], "yz": [1, 2]}


@stored_as("spikeinterface.extractors.neoextractors.mearec.MEArecRecordingExtractor")
class MEArecRecordingExtractor(BaseRecording):
    """The recording of a MEArec file.

    Parameters
    ----------
    file_path : str or Path
        The file.
    all_annotations : bool, default False
        Annotate the recording with how it was made.
    use_names_as_ids : bool, default False
        Call channels ``ch0``, ``ch1`` rather than ``1``, ``2``.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it holds no recording, or contradicts itself.
    """

    def __init__(
        self,
        file_path: str | Path,
        all_annotations: bool = False,
        use_names_as_ids: bool = False,
    ) -> None:
        from spikeloom.extractors.hdf5_arrays import open_array  # noqa: PLC0415 - imports h5py
        from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py
        from spikeloom.extractors.hdf5_nodes import attributes, dataset_at  # noqa: PLC0415 - imports h5py

        path = Path(file_path).absolute()
        with open_hdf5(path) as file:
            dataset = dataset_at(file, "recordings")
            if dataset is None or len(dataset.shape or ()) != 2:
                msg = f"{path} has no recordings of shape (n_samples, n_channels)."
                raise DataError(msg)
            traces = open_array(path, dataset)
            gain = attributes(dataset).get("gain_to_uV", 1.0)
            rate = _rate(path, file)
            made = single_values(path, file, "info/recordings") if all_annotations else {}
            probe = _read_probe(path, file, traces.shape[1])
        n_channels = traces.shape[1]
        names = [f"ch{k}" for k in range(n_channels)]
        ids = names if use_names_as_ids else [str(k + 1) for k in range(n_channels)]
        super().__init__(rate, ids, traces.dtype)
        self.add_recording_segment(ArraySegment(traces, self.sampling_frequency, 0.0))
        if not use_names_as_ids:
            self.set_property("channel_name", names)
        gain_to_uV = finite_number(path, gain, "gain_to_uV")
        self.set_channel_gains(gain_to_uV)
        self.set_channel_offsets(0.0)
        set_physical_units(self, "uV", gain_to_uV)
        self.annotate(**made)
        self.annotate(is_filtered=True)
        self.set_probe(probe, in_place=True)
        self._kwargs = {
            "file_path": str(path),
            "all_annotations": all_annotations,
            "use_names_as_ids": use_names_as_ids,
        }


@stored_as("spikeinterface.extractors.neoextractors.mearec.MEArecSortingExtractor")
class MEArecSortingExtractor(BaseSorting):
    """The true spikes of a MEArec file.

    Parameters
    ----------
    file_path : str or Path
        The file.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it holds no spike trains, or contradicts itself.

    Notes
    -----
    Unit ids are ``#0``, ``#1``, …; what MEArec tells of units are properties.
    """

    def __init__(self, file_path: str | Path) -> None:
        from spikeloom.extractors.hdf5_arrays import read_vector  # noqa: PLC0415 - imports h5py
        from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py
        from spikeloom.extractors.hdf5_nodes import dataset_at, group_at, numbered_children  # noqa: PLC0415 - imports h5py

        path = Path(file_path).absolute()
        with open_hdf5(path) as file:
            trains = group_at(file, "spiketrains")
            numbers = numbered_children(trains)
            if trains is None or len(numbers) > _N_UNITS_MAX:
                msg = f"{path} has no spiketrains, or too many."
                raise DataError(msg)
            rate = _rate(path, file)
            times_s = []
            told: list[dict[str, Any]] = []
            for k in numbers:
                dataset = dataset_at(trains, f"{k}/times")
                if dataset is None:
                    msg = f"{path} has no times of the unit {k}."
                    raise DataError(msg)
                times_s.append(read_vector(path, dataset, np.float64))
                told.append(single_values(path, trains, f"{k}/annotations"))
        super().__init__(rate, [f"#{k}" for k in numbers])
        if any(not np.isfinite(times).all() or (times < 0).any() for times in times_s):
            msg = f"{path} has spikes at times that are no times."
            raise DataError(msg)
        self._samples = [np.round(times * rate).astype(np.int64) for times in times_s]
        self.add_sorting_segment(TableSortingSegment(self, 0, None))
        for name in sorted(set().union(*told) if told else ()):
            values: list[Any] = [one.get(name) for one in told]
            if all(isinstance(value, str) for value in values) or all(
                isinstance(value, int | float) for value in values
            ):
                self.set_property(name, values)
        self._kwargs = {"file_path": str(path)}

    def _make_spike_table(self) -> SpikeTable:
        empty = np.zeros(0, np.int64)
        samples = np.concatenate([empty, *self._samples])
        units = np.repeat(np.arange(len(self._samples)), [len(one) for one in self._samples])
        return table_from_samples_and_labels([samples], [self.unit_ids[units]], self.unit_ids)[0]


def read_mearec_recording(
    file_path: str | Path, all_annotations: bool = False, use_names_as_ids: bool = False
) -> MEArecRecordingExtractor:
    """Open the recording of a MEArec file; see `MEArecRecordingExtractor`."""
    return MEArecRecordingExtractor(file_path, all_annotations, use_names_as_ids)


def read_mearec_sorting(file_path: str | Path) -> MEArecSortingExtractor:
    """Open the true spikes of a MEArec file; see `MEArecSortingExtractor`."""
    return MEArecSortingExtractor(file_path)


def read_mearec(file_path: str | Path) -> tuple[MEArecRecordingExtractor, MEArecSortingExtractor]:
    """Open a MEArec file.

    Parameters
    ----------
    file_path : str or Path
        The file.

    Returns
    -------
    recording : MEArecRecordingExtractor
        The recording.
    sorting : MEArecSortingExtractor
        The true spikes.
    """
    return MEArecRecordingExtractor(file_path), MEArecSortingExtractor(file_path)


def _rate(path: Path, file: Any) -> float:
    rate = finite_number(path, single_values(path, file, _RATE).get("fs"), _RATE)
    if rate <= 0:
        msg = f"{path}: {_RATE} must be above 0; got {rate}."
        raise DataError(msg)
    return rate


def single_values(path: Path, node: Any, name: str) -> dict[str, Any]:
    """Return single values, of a group or one by itself, as numbers, truth values or text."""
    from spikeloom.extractors.hdf5_arrays import read_array  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.hdf5_nodes import dataset_at, group_at, names_in  # noqa: PLC0415

    group = group_at(node, name)
    names = [name] if group is None else [f"{name}/{key}" for key in names_in(group)]
    found: dict[str, Any] = {}
    for one in names:
        dataset = dataset_at(node, one)
        if dataset is None or dataset.shape != ():
            continue
        value = read_array(path, dataset)[()]
        if isinstance(value, bytes):
            value = value.decode("utf-8", errors="replace")
        elif isinstance(value, np.generic) and value.dtype.kind in "biuf":
            value = value.item()
        if isinstance(value, bool | int | float | str):
            found[one.rpartition("/")[2]] = value
    return found


def _read_probe(path: Path, file: Any, n_channels: int) -> Any:
    """Return the probe, as it is seen in the plane that it lies in."""
    from probeinterface import Probe  # noqa: PLC0415 - takes a while to import

    from spikeloom.extractors.hdf5_arrays import read_array, read_vector  # noqa: PLC0415 - h5py
    from spikeloom.extractors.hdf5_nodes import dataset_at  # noqa: PLC0415 - imports h5py

    info = single_values(path, file, "info/electrodes")
    stored, listed = (dataset_at(file, name) for name in ("channel_positions", _ORDER))
    places = np.zeros(0) if stored is None else read_array(path, stored)
    columns = _COLUMNS_OF_PLANE.get(str(info.get("plane", "yz")))
    if columns is None or places.shape != (n_channels, 3) or places.dtype.kind not in "iuf":
        msg = (
            f"{path}: channel_positions are {places.dtype} of shape {places.shape} in the plane "
            f"{info.get('plane')!r}: expected are {n_channels} places in one of the planes "
            f"{', '.join(_COLUMNS_OF_PLANE)}."
        )
        raise DataError(msg)
    seen = places[:, columns].astype(np.float64)
    order = np.arange(n_channels)
    if listed is not None and listed.shape != ():  # else it is "null"
        order = read_vector(path, listed)
    is_whole = np.array_equal(np.sort(order), np.arange(n_channels)) and np.isfinite(seen).all()
    if not is_whole or len(np.unique(seen, axis=0)) != n_channels:
        msg = f"{path}: {_ORDER} and channel_positions do not give each channel a place of its own."
        raise DataError(msg)
    name = info.get("electrode_name")
    probe = Probe(ndim=2, si_units="um", model_name=name)
    probe.set_contacts(seen, **_contact_shape(path, file, info.get("shape")))
    probe.annotate(mearec_name=str(name), mearec_description=info.get("description"))
    probe.set_device_channel_indices(order.astype(np.int64))
    probe.create_auto_shape(probe_type="tip")
    return probe


def _contact_shape(path: Path, file: Any, shape: Any) -> dict[str, Any]:
    """Return the shape of contacts as probeinterface takes it, of other shapes than these none."""
    from spikeloom.extractors.hdf5_arrays import read_array  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.hdf5_nodes import dataset_at  # noqa: PLC0415 - imports h5py

    dataset = dataset_at(file, "info/electrodes/size")
    size = np.zeros(0) if dataset is None else read_array(path, dataset).reshape(-1)
    if size.dtype.kind not in "iuf" or not (np.isfinite(size) & (size > 0)).all():
        return {}
    if shape == "circle" and size.size == 1:
        return {"shapes": "circle", "shape_params": {"radius": float(size[0])}}
    if shape == "square" and size.size == 1:  # MEArec has half of the sides
        return {"shapes": "square", "shape_params": {"width": 2 * float(size[0])}}
    if shape == "rect" and size.size == 2:
        width, height = (2 * size).tolist()
        return {"shapes": "rect", "shape_params": {"width": width, "height": height}}
    return {}


def _recognise(peek: Peek) -> Recognition:
    if not peek.is_hdf5:
        return unknown("it is no HDF5 file")
    missing = {"recordings", "spiketrains", "info", "channel_positions"} - set(peek.hdf5_members)
    if missing:
        return unknown(f"the HDF5 file has no {' and no '.join(sorted(missing))}")
    return known(Certainty.CONTENT, "it is HDF5 with recordings, spiketrains and info")


READERS = (
    Reader(
        name="mearec",
        kind="recording",
        recognise=_recognise,
        read=read_mearec_recording,
        function="read_mearec",
        extensions=(".h5",),
        description="simulations of MEArec",
    ),
    Reader(
        name="mearec",
        kind="sorting",
        recognise=_recognise,
        read=read_mearec_sorting,
        function="read_mearec",
        extensions=(".h5",),
        description="true spikes of MEArec",
    ),
)
"""Readers of this module."""
