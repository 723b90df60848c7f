"""Template libraries of MEArec: what simulated neurons look like on a probe."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.templates import Templates
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.checked_numbers import finite_number
from spikeloom.extractors.mearec_files import single_values
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown

_MEMBERS = ("templates", "locations", "rotations", "celltypes", "info")


@dataclass(frozen=True)
class MEArecTemplates:
    """A library of templates, and which neuron each is of.

    Parameters
    ----------
    templates : Templates
        In microvolts; units are called ``#0``, ``#1``, ….
    cell_types : array of str, shape (n_units,)
        Model of each neuron, such as ``L5_TTPC1_cADpyr232_1``.
    locations_um : array, shape (n_units, 3) or (n_units, n_drift_steps, 3)
        Where the soma is; the probe lies around the origin.
    rotations : array, shape (n_units, 3) or (n_units, n_drift_steps, 3)
        Angles by which the neuron was turned around each axis.
    parameters : dict
        Single values of how the library was made.
    """

    templates: Templates
    cell_types: NDArray[np.str_]
    locations_um: NDArray[Any]
    rotations: NDArray[Any]
    parameters: dict[str, Any] = field(default_factory=dict)

    def describe(self) -> dict[str, str]:
        """Say what is in it."""
        one = self.templates
        named, counts = np.unique(self.cell_types, return_counts=True)
        return {
            "units": str(one.num_units),
            "channels": str(one.num_channels),
            "samples": f"{one.num_samples} ({one.ms_before:g} ms before the spike)",
            "sampling frequency": f"{one.sampling_frequency:g} Hz",
            "cell types": ", ".join(
                f"{name}: {n}" for name, n in zip(named.tolist(), counts.tolist(), strict=True)
            ),
            "probe": str(self.parameters.get("probe", "not known")),
        }


def read_mearec_templates(file_path: str | Path, drift_step: int | None = None) -> MEArecTemplates:
    """Open a template library of MEArec.

    Parameters
    ----------
    file_path : str or Path
        The HDF5 file.
    drift_step : int, optional
        Of libraries with drifting neurons, which of their positions to take, counted from 0.

    Returns
    -------
    MEArecTemplates
        Templates in microvolts, and the neurons they are of. Where contacts of the probe are is
        not in such files.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it is no such library, or contradicts itself.
    ParameterError
        If the library has drift steps and none of them is chosen.
    """
    from spikeloom.extractors.hdf5_arrays import read_array, read_texts  # noqa: PLC0415 - h5py
    from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.hdf5_nodes import dataset_at  # noqa: PLC0415 - imports h5py

    path = Path(file_path).absolute()
    with open_hdf5(path) as file:
        found = {name: dataset_at(file, name) for name in _MEMBERS[:-1]}
        missing = [name for name, dataset in found.items() if dataset is None]
        if missing:
            msg = f"{path} is no template library of MEArec: it has no {' and no '.join(missing)}."
            raise DataError(msg)
        values = read_array(path, found["templates"])
        places = [read_array(path, found[name]) for name in ("locations", "rotations")]
        cell_types = read_texts(path, found["celltypes"])
        made = single_values(path, file, "info/params")
        cut_out = dataset_at(file, "info/params/cut_out")
        before_ms = None if cut_out is None else read_array(path, cut_out).reshape(-1)[:1]
    values = _one_step(path, values, drift_step)
    _check_shapes(path, values, places, cell_types)
    dt_ms = finite_number(path, made.get("dt"), "info/params/dt")
    if before_ms is None or before_ms.dtype.kind not in "iuf" or before_ms.size != 1 or dt_ms <= 0:
        msg = f"{path}: info/params does not say dt and cut_out, in milliseconds."
        raise DataError(msg)
    n_before = finite_number(path, before_ms[0], "info/params/cut_out") / dt_ms
    if not 0 <= n_before <= values.shape[2]:
        msg = (
            f"{path}: cut_out says that {n_before} samples of {values.shape[2]} are before spikes."
        )
        raise DataError(msg)
    templates = Templates(
        np.ascontiguousarray(values.transpose(0, 2, 1)),  # (n_units, n_samples, n_channels)
        1000.0 / dt_ms,
        nbefore=round(n_before),
        unit_ids=np.array([f"#{k}" for k in range(len(values))], str),
    )
    return MEArecTemplates(templates, cell_types, places[0], places[1], made)


def _one_step(path: Path, values: NDArray[Any], drift_step: int | None) -> NDArray[Any]:
    """Return templates of shape (n_units, n_channels, n_samples)."""
    if values.ndim != 4:
        if drift_step is not None:
            msg = f"{path} has no drift steps, so that drift_step={drift_step} cannot be taken."
            raise ParameterError(msg)
        return values
    n_steps = values.shape[1]
    if drift_step is None or not 0 <= drift_step < n_steps:
        msg = (
            f"The neurons of {path} drift: drift_step must be one of their {n_steps} positions, "
            f"from 0; got {drift_step}."
        )
        raise ParameterError(msg)
    return values[:, drift_step]


def _check_shapes(
    path: Path, values: NDArray[Any], places: list[NDArray[Any]], cell_types: NDArray[np.str_]
) -> None:
    is_sound = (
        values.ndim == 3
        and values.dtype.kind == "f"
        and cell_types.shape == values.shape[:1]
        and all(one.dtype.kind == "f" and one.shape[:1] == values.shape[:1] for one in places)
        and all(one.ndim in {2, 3} and one.shape[-1] == 3 for one in places)
    )
    if not is_sound:
        shapes = ", ".join(str(one.shape) for one in (values, *places, cell_types))
        msg = (
            f"{path}: templates, locations, rotations and celltypes are of the shapes {shapes}. "
            "Expected are (n_units, n_channels, n_samples), (n_units, 3) twice, and (n_units,)."
        )
        raise DataError(msg)


def _recognise(peek: Peek) -> Recognition:
    if not peek.is_hdf5:
        return unknown("it is no HDF5 file")
    if set(_MEMBERS) <= set(peek.hdf5_members):
        return known(Certainty.CONTENT, f"it is HDF5 with {', '.join(_MEMBERS)}")
    return unknown(f"it is no HDF5 file with {', '.join(_MEMBERS)}")


READERS = (
    Reader(
        name="mearec",
        kind="templates",
        recognise=_recognise,
        read=read_mearec_templates,
        function="read_mearec_templates",
        extensions=(".h5",),
        description="template libraries of MEArec",
    ),
)
"""Readers of this module."""
