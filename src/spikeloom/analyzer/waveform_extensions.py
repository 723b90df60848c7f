"""Read what SpikeInterface 0.95 to 0.100 computed from waveforms and kept beside them."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.core_waveforms import random_spikes_of
from spikeloom.analyzer.extension import EXTENSIONS, get_available_analyzer_extensions
from spikeloom.analyzer.waveform_places import WaveformPlace, read_of_unit
from spikeloom.errors import DataError, SpikeloomError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

OLD_NAMES = {"similarity": "template_similarity"}
"""Names of today, by those of before."""

_ARRAYS = {
    "spike_locations": ("spike_locations",),
    "amplitude_scalings": ("amplitude_scalings",),
    "similarity": ("similarity",),
    "unit_locations": ("unit_locations",),
    "correlograms": ("ccgs", "bins"),
    "isi_histograms": ("isi_histograms", "bins"),
    "noise_levels": ("noise_levels",),
}
"""Arrays of what needs no changes."""

_TABLES = ("quality_metrics", "template_metrics")


def read_old_extensions(
    analyzer: "SortingAnalyzer", place: WaveformPlace, folder: Path | None
) -> None:
    """Give an analyzer what was computed beside its waveforms; say what cannot be read.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        It has the chosen spikes already.
    place : WaveformPlace
        Where the waveforms are.
    folder : Path or None
        The folder, if it is no zarr store.
    """
    get_available_analyzer_extensions()  # registers ours
    left_out = []
    for old_name in (*_ARRAYS, "spike_amplitudes", "principal_components", *_TABLES):
        params = place.sub_params(old_name)
        if params is None:
            continue
        try:
            data = _data_of(analyzer, place, old_name, params, folder)
            _put(analyzer, OLD_NAMES.get(old_name, old_name), params, data)
        except Exception as error:  # noqa: BLE001 - waveforms are of use without it
            left_out.append(f"{old_name} ({error})")
    if left_out:
        message = f"What could not be read of the waveforms is left out: {'; '.join(left_out)}."
        warnings.warn(message, UserWarning, stacklevel=4)


def _data_of(
    analyzer: "SortingAnalyzer",
    place: WaveformPlace,
    name: str,
    params: Mapping[str, Any],
    folder: Path | None,
) -> dict[str, Any]:
    if name in _ARRAYS:
        return {array: np.array(place.read(f"{name}/{array}")) for array in _ARRAYS[name]}
    if name == "spike_amplitudes":
        parts = range(analyzer.get_num_segments())
        read: Callable[[int], NDArray[Any]] = lambda k: place.read(f"{name}/amplitude_segment_{k}")  # noqa: E731
        return {"amplitudes": np.concatenate([np.asarray(read(k)) for k in parts])}
    if name == "principal_components":
        return {"pca_projection": _projections(analyzer, place, params)}
    if folder is None:
        msg = "tables in zarr stores are not read; compute it again"
        raise DataError(msg)
    return {"metrics": _table(folder / name / "metrics.csv", analyzer)}


def _projections(
    analyzer: "SortingAnalyzer", place: WaveformPlace, params: Mapping[str, Any]
) -> NDArray[Any]:
    """Return components of all chosen spikes, channels of a unit first where it has some."""
    units = random_spikes_of(analyzer).unit_indices()
    name, ids = "principal_components", analyzer.unit_ids.tolist()
    of_units = [np.asarray(read_of_unit(place, name, "pca", unit_id)) for unit_id in ids]
    n_components = int(params["n_components"])
    mask = None if analyzer.sparsity is None else analyzer.sparsity.mask
    shape: tuple[int, ...] = (units.size, n_components)
    if params["mode"] != "concatenated":
        width = analyzer.get_num_channels() if mask is None else int(mask.sum(axis=1).max())
        shape = (*shape, width)
    projections = np.zeros(shape, params.get("dtype", "float32"))
    for unit_index, of_unit in enumerate(of_units):
        rows = np.flatnonzero(units == unit_index)
        if projections.ndim == 3 and mask is not None:
            channels = np.flatnonzero(mask[unit_index])
            if of_unit.shape[2] == mask.shape[1] and channels.size < mask.shape[1]:
                of_unit = of_unit[:, :, channels]  # noqa: PLW2901 - was kept on all channels
            projections[rows, :, : channels.size] = of_unit
        else:
            projections[rows] = of_unit
    return projections


def _table(path: Path, analyzer: "SortingAnalyzer") -> Any:
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    # Ids are read as text first: "01" is no number.
    table = pd.read_csv(path, converters={0: str})
    by_text = {str(unit_id): unit_id for unit_id in analyzer.unit_ids.tolist()}
    ids = [by_text[text] for text in table.iloc[:, 0]]
    table = table.iloc[:, 1:]
    table.index = pd.Index(ids, dtype=analyzer.unit_ids.dtype if ids else None)
    return table.loc[analyzer.unit_ids.tolist()]


def _put(
    analyzer: "SortingAnalyzer", name: str, params: Mapping[str, Any], data: dict[str, Any]
) -> None:
    if name not in EXTENSIONS:
        msg = "it is unknown here"
        raise DataError(msg)
    extension = EXTENSIONS.get(name)(analyzer)
    extension.params, extension.data = dict(params), data
    if extension.need_backward_compatibility_on_load:
        extension._handle_backward_compatibility_on_load()
    known = extension.get_default_params()
    left = {key: value for key, value in (extension.params or {}).items() if key in known}
    try:
        extension.params = extension._set_params(**left)
    except (SpikeloomError, KeyError, TypeError, ValueError):
        extension.params = left  # What was possible then may not be any more.
    extension.run_info = {"run_completed": True, "runtime_s": None}
    analyzer.extensions[name] = extension
