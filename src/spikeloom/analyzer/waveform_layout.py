"""Waveforms and templates of an analyzer as arrays of each unit, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.core_random_spikes import ComputeRandomSpikes
from spikeloom.analyzer.core_templates import ComputeTemplates
from spikeloom.analyzer.core_waveforms import ComputeWaveforms, random_spikes_of
from spikeloom.analyzer.template_statistics import checked_operators, operator_of
from spikeloom.analyzer.waveform_places import (
    WAVEFORMS,
    WaveformPlace,
    name_of_unit,
    read_of_unit,
)
from spikeloom.core.unit_conversion import ms_to_samples
from spikeloom.errors import DataError, ParameterError

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

SAMPLED = np.dtype([("spike_index", "int64"), ("segment_index", "int64")])
"""Which spikes of a unit's trains have waveforms."""

TEMPLATES = "templates_"

_COMPLETE = {"run_completed": True, "runtime_s": None}


def sampled_indices(analyzer: "SortingAnalyzer", unit_id: Any) -> NDArray[np.void]:
    """Return which spikes of the trains of a unit have waveforms, in the order of these.

    Returns
    -------
    ndarray of shape (n_chosen_of_unit,)
        With the fields ``spike_index`` and ``segment_index``.
    """
    chosen = random_spikes_of(analyzer)
    parts = []
    for segment_index in range(analyzer.get_num_segments()):
        spikes = chosen.get_selected_indices_in_spike_train(unit_id, segment_index)
        part = np.zeros(spikes.size, SAMPLED)
        part["spike_index"], part["segment_index"] = spikes, segment_index
        parts.append(part)
    return np.concatenate(parts) if parts else np.zeros(0, SAMPLED)


def waveform_arrays(waveforms: ComputeWaveforms) -> dict[str, NDArray[Any]]:
    """Return waveforms and sampled spikes of each unit, by the names that they are kept under."""
    analyzer = waveforms.sorting_analyzer
    arrays: dict[str, NDArray[Any]] = {}
    for unit_id in analyzer.unit_ids.tolist():
        of_unit = waveforms.get_waveforms_one_unit(unit_id)
        arrays[name_of_unit("waveforms", unit_id)] = np.ascontiguousarray(of_unit)
        arrays[name_of_unit("sampled_index", unit_id)] = sampled_indices(analyzer, unit_id)
    return arrays


def template_arrays(templates: ComputeTemplates) -> dict[str, NDArray[Any]]:
    """Return templates by the names that they are kept under."""
    return {f"{TEMPLATES}{key}": np.asarray(values) for key, values in templates.data.items()}


def params_of(analyzer: "SortingAnalyzer") -> dict[str, Any]:
    """Return the parameters of waveforms as older versions note them; empty without waveforms."""
    source = analyzer.get_extension("waveforms") or analyzer.get_extension("templates")
    if source is None:
        return {}
    known = source.params or {}
    chosen = analyzer.get_extension("random_spikes")
    return {
        "ms_before": known["ms_before"],
        "ms_after": known["ms_after"],
        "max_spikes_per_unit": ((chosen.params if chosen else None) or {}).get(
            "max_spikes_per_unit"
        ),
        "return_scaled": bool(analyzer.return_in_uV),
        "dtype": np.dtype(known.get("dtype") or np.float32).name,
    }


def read_core(analyzer: "SortingAnalyzer", place: WaveformPlace, params: Mapping[str, Any]) -> None:
    """Give an analyzer the chosen spikes, waveforms and templates of a place.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        Whose sorting is that of the waveforms.
    place : WaveformPlace
        Where they are.
    params : mapping
        ``ms_before``, ``ms_after``, ``max_spikes_per_unit`` and ``dtype``.

    Raises
    ------
    DataError
        If they do not fit each other, or the sorting.
    """
    lengths = dict(params)
    if place.names(WAVEFORMS):
        lengths = _read_waveforms(analyzer, place, params)
    data = {}
    for name in place.names():
        key = name.removeprefix(TEMPLATES)
        if key != name and _is_operator(key):
            data[key] = np.array(place.read(name))
    if not data:
        return
    shape = next(iter(data.values())).shape
    if len(shape) != 3 or shape[::2] != (analyzer.get_num_units(), analyzer.get_num_channels()):
        msg = (
            f"The templates of shape {shape} do not fit {analyzer.get_num_units()} units and "
            f"{analyzer.get_num_channels()} channels: is this another sorting?"
        )
        raise DataError(msg)
    templates = ComputeTemplates(analyzer)
    templates.data = data
    templates.params = {
        "operators": [operator_of(key) for key in data],
        **_lengths(lengths, shape[1], analyzer.sampling_frequency),
    }
    templates.run_info = dict(_COMPLETE)
    analyzer.extensions["templates"] = templates


def _read_waveforms(
    analyzer: "SortingAnalyzer", place: WaveformPlace, params: Mapping[str, Any]
) -> dict[str, Any]:
    ids = analyzer.unit_ids.tolist()
    places = [_places_of(analyzer, place, unit_index) for unit_index in range(len(ids))]
    chosen = np.sort(np.concatenate(places)) if places else np.zeros(0, np.int64)
    mask = None if analyzer.sparsity is None else analyzer.sparsity.mask
    n_channels = analyzer.get_num_channels()
    n_columns = n_channels if mask is None else int(mask.sum(axis=1).max(initial=0))
    waveforms: NDArray[Any] | None = None
    for unit_index, unit_id in enumerate(ids):
        of_unit = read_of_unit(place, WAVEFORMS, "waveforms", unit_id)
        n_own = n_channels if mask is None else int(mask[unit_index].sum())
        if of_unit.ndim != 3 or of_unit.shape[::2] != (places[unit_index].size, n_own):
            msg = (
                f"The waveforms of unit {unit_id!r} have the shape {of_unit.shape}; there are "
                f"{places[unit_index].size} sampled spikes, and {n_own} channels."
            )
            raise DataError(msg)
        if waveforms is None:
            waveforms = np.zeros((chosen.size, of_unit.shape[1], n_columns), of_unit.dtype)
        rows = np.searchsorted(chosen, places[unit_index])
        waveforms[rows, :, :n_own] = of_unit
    random_spikes = ComputeRandomSpikes(analyzer)
    random_spikes.set_params(max_spikes_per_unit=params.get("max_spikes_per_unit"))
    random_spikes.data = {"random_spikes_indices": chosen}
    if waveforms is None:
        waveforms = np.zeros((0, 0, n_columns), np.float32)
    extension = ComputeWaveforms(analyzer)
    lengths = _lengths(params, waveforms.shape[1], analyzer.sampling_frequency)
    extension.params = {**lengths, "dtype": waveforms.dtype.str}
    extension.data = {"waveforms": waveforms}
    for one in (random_spikes, extension):
        one.run_info = dict(_COMPLETE)
        analyzer.extensions[one.extension_name] = one
    return lengths


def _places_of(
    analyzer: "SortingAnalyzer", place: WaveformPlace, unit_index: int
) -> NDArray[np.int64]:
    """Return where the sampled spikes of a unit are in the spike vector, as they are sampled."""
    unit_id = analyzer.unit_ids[unit_index]
    index = np.asarray(read_of_unit(place, WAVEFORMS, "sampled_index", unit_id))
    places = np.zeros(index.size, np.int64)
    order = analyzer.sorting._order("unit")
    for segment_index in np.unique(index["segment_index"]).tolist():
        rows = np.flatnonzero(index["segment_index"] == segment_index)
        spikes = index["spike_index"][rows]
        if not 0 <= segment_index < analyzer.get_num_segments():
            msg = f"Unit {unit_id!r} has sampled spikes in an unknown segment, {segment_index}."
            raise DataError(msg)
        train = np.asarray(order.spikes_of(unit_index, segment_index))
        if spikes.min() < 0 or spikes.max() >= train.size:
            msg = (
                f"Unit {unit_id!r} has {train.size} spikes in segment {segment_index}, but number "
                f"{int(spikes.max())} was sampled: the sorting is not that of the waveforms."
            )
            raise DataError(msg)
        places[rows] = train[spikes]
    return places


def _lengths(params: Mapping[str, Any], n_samples: int, rate_Hz: float) -> dict[str, float]:
    """Return the milliseconds around a spike that give the samples which there are."""
    lengths = {key: float(params[key]) for key in ("ms_before", "ms_after")}
    if n_samples and sum(ms_to_samples(ms, rate_Hz) for ms in lengths.values()) != n_samples:
        # Older versions cut off what is less than a sample, rather than rounding.
        lengths = {key: int(ms * rate_Hz / 1000) * 1000 / rate_Hz for key, ms in lengths.items()}
        if sum(ms_to_samples(ms, rate_Hz) for ms in lengths.values()) != n_samples:
            msg = f"The waveforms have {n_samples} samples, which are not {dict(params)}."
            raise DataError(msg)
    return lengths


def _is_operator(key: str) -> bool:
    try:
        checked_operators([operator_of(key)])
    except (ParameterError, ValueError):
        return False
    return True
