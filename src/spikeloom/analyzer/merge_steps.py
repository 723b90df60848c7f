"""The steps by which pairs of units are told that may be one neuron.

Each step takes the pairs that are left, looks at one property of units or pairs, and returns those
that pass.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.core.template_tools import get_template_amplitudes
from spikeloom.core.unit_ids import UnitId, plain_ids
from spikeloom.curation.contamination import (
    RefractoryPeriods,
    contamination,
    cross_contamination,
    merged_train,
)
from spikeloom.curation.correlogram_scores import (
    adaptive_window,
    correlogram_differences,
    smooth_correlograms,
)
from spikeloom.curation.presence_distances import presence_distances
from spikeloom.curation.slay_scores import slay_scores
from spikeloom.errors import ParameterError

PairMask = NDArray[np.bool_]
"""Which pairs of units are left; shape (n_units, n_units), the first unit before the second."""


@dataclass
class Candidates:
    """An analyzer whose pairs of units are looked at, and what steps found out."""

    analyzer: SortingAnalyzer
    """With all extensions that the steps need."""
    outs: dict[str, Any] = field(default_factory=dict)
    """What steps found, by SpikeInterface's names."""

    @property
    def n_units(self) -> int:
        """Number of units."""
        return self.analyzer.get_num_units()

    @cached_property
    def n_spikes(self) -> NDArray[np.int64]:
        """Spikes of each unit; shape (n_units,)."""
        return np.asarray(self.analyzer.sorting.count_num_spikes_per_unit(outputs="array"))

    @cached_property
    def trains(self) -> list[NDArray[np.int64]]:
        """Samples of the spikes of each unit, of all segments one after the other."""
        sorting = self.analyzer.sorting
        table = sorting.spike_table()
        n_samples = np.asarray(self.analyzer.recording_info.n_samples, np.int64)
        starts = np.concatenate([[0], np.cumsum(n_samples)])
        samples = table.sample_index + starts[table.segment_index()]
        order = sorting._order("unit")
        return [samples[order.spikes_of(k)] for k in range(self.n_units)]

    def periods(self, params: Mapping[str, Any]) -> RefractoryPeriods:
        """Return the periods of a step, in samples."""
        per_ms = self.analyzer.sampling_frequency / 1000
        return RefractoryPeriods(
            round(params["censored_period_ms"] * per_ms),
            round(params["refractory_period_ms"] * per_ms),
            self.analyzer.get_total_samples(),
        )

    def contaminations(self, params: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the contamination of each unit; NaN for those with at most one spike."""
        periods = self.periods(params)
        key = (periods.censored, periods.refractory)
        if key not in self._contaminations:
            found = [contamination(train, periods) for train in self.trains]
            self._contaminations[key] = np.array(found, np.float64)
        return self._contaminations[key]

    _contaminations: dict[tuple[int, int], NDArray[np.float64]] = field(default_factory=dict)

    def data(self, name: str) -> Any:
        """Return the data of an extension."""
        extension = self.analyzer.get_extension(name)
        if extension is None:
            msg = f"The extension {name!r} was not computed: call analyzer.compute({name!r})."
            raise ParameterError(msg)
        return extension.get_data()

    def without(self, pairs: PairMask, is_removed: NDArray[np.bool_]) -> PairMask:
        """Return the pairs without those of some units."""
        return pairs & ~is_removed[:, np.newaxis] & ~is_removed


def by_num_spikes(found: Candidates, pairs: PairMask, params: Mapping[str, Any]) -> PairMask:
    """Leave out units with few spikes."""
    is_removed = found.n_spikes < params["min_spikes"]
    found.outs["num_spikes"] = is_removed
    return found.without(pairs, is_removed)


def by_snr(found: Candidates, pairs: PairMask, params: Mapping[str, Any]) -> PairMask:
    """Leave out units that do not stand out of the noise."""
    amplitudes = get_template_amplitudes(found.analyzer)
    channels = found.analyzer.main_channel_indices
    peaks = np.array([v[c] for v, c in zip(amplitudes.values(), channels, strict=True)])
    noise = np.asarray(found.data("noise_levels"))[channels]
    with np.errstate(divide="ignore", invalid="ignore"):
        snrs = np.abs(peaks) / noise
    is_removed = np.asarray(snrs < params["min_snr"])
    found.outs["snr"] = is_removed
    return found.without(pairs, is_removed)


def by_contamination(found: Candidates, pairs: PairMask, params: Mapping[str, Any]) -> PairMask:
    """Leave out units with many foreign spikes."""
    is_removed = found.contaminations(params) > params["contamination_thresh"]
    found.outs["remove_contaminated"] = is_removed
    return found.without(pairs, is_removed)


def by_unit_locations(found: Candidates, pairs: PairMask, params: Mapping[str, Any]) -> PairMask:
    """Leave out pairs that are far from each other."""
    locations = np.asarray(found.data("unit_locations"), np.float64)[:, :2]
    distances = np.linalg.norm(locations[:, np.newaxis] - locations, axis=2)
    found.outs["unit_distances"] = distances
    return np.asarray(pairs & (distances <= params["max_distance_um"]))


def by_correlograms(found: Candidates, pairs: PairMask, params: Mapping[str, Any]) -> PairMask:
    """Leave out pairs whose cross-correlogram is not like their auto-correlograms."""
    counts, bins = found.data("correlograms")
    counts, censor_ms = np.array(counts), params["censor_correlograms_ms"]
    counts[:, :, (bins[:-1] >= -censor_ms) & (bins[:-1] < censor_ms)] = 0
    smoothed = smooth_correlograms(counts, bins, params["sigma_smooth_ms"])
    part = params["adaptative_window_thresh"]
    own = [smoothed[k, k] for k in range(found.n_units)]
    windows = np.array([adaptive_window(one, one.max() * part) for one in own], np.int64)
    differences = correlogram_differences(smoothed, windows, found.n_spikes, pairs)
    found.outs.update(
        correlograms=counts,
        bins=bins,
        correlograms_smoothed=smoothed,
        correlogram_diff=differences,
        win_sizes=windows,
    )
    return np.asarray(pairs & (differences < params["corr_diff_thresh"]))


def by_template_similarity(
    found: Candidates, pairs: PairMask, params: Mapping[str, Any]
) -> PairMask:
    """Leave out pairs whose templates differ."""
    differences = 1 - np.asarray(found.data("template_similarity"))
    found.outs["templates_diff"] = differences
    return np.asarray(pairs & (differences < params["template_diff_thresh"]))


def by_presence_distance(found: Candidates, pairs: PairMask, params: Mapping[str, Any]) -> PairMask:
    """Leave out pairs that fire at the same time."""
    distances = presence_distances(
        found.analyzer.sorting,
        found.analyzer.recording_info.n_samples,
        pairs,
        params.get("bin_duration_s", 2.0),
    )
    found.outs["presence_distances"] = distances
    return np.asarray(pairs & (distances > params["presence_distance_thresh"]))


def by_neighbours(found: Candidates, pairs: PairMask, params: Mapping[str, Any]) -> PairMask:
    """Leave out pairs of which no spike of the first is next to one of the second.

    Spikes are next to each other by amplitude and location, each scaled to a variance of one.
    """
    from scipy.spatial import cKDTree  # noqa: PLC0415 - scipy is slow to import

    locations = np.asarray(found.data("spike_locations"))
    columns = [found.data("spike_amplitudes"), locations["x"], locations["y"]]
    features = np.stack(columns, axis=1).astype(np.float64)
    deviations = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(deviations > 0, deviations, 1)
    units = np.asarray(found.analyzer.sorting.spike_table().unit_index)
    is_known = np.isfinite(features).all(axis=1)
    features, units = features[is_known], units[is_known]
    left = np.zeros_like(pairs)
    n_neighbours = min(params["k_nn"], len(features))
    if not n_neighbours:
        return left
    tree = cKDTree(features)
    for unit in np.flatnonzero(pairs.any(axis=1)):
        mine = features[units == unit]
        if len(mine):
            _, places = tree.query(mine, n_neighbours)
            left[unit, np.unique(units[places])] = True
    return pairs & left


def by_cross_contamination(
    found: Candidates, pairs: PairMask, params: Mapping[str, Any]
) -> PairMask:
    """Leave out pairs of which spikes of one are within the refractory period of the other."""
    periods, trains = found.periods(params), found.trains
    own = found.contaminations(params)
    shape = (found.n_units, found.n_units)
    estimates, p_values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for i, j in zip(*np.nonzero(pairs), strict=True):
        estimates[i, j], p_values[i, j] = cross_contamination(
            trains[i], trains[j], periods, contamination1=own[i], limit=params["cc_thresh"]
        )
    found.outs["cross_contaminations"] = (estimates, p_values)
    return np.asarray(pairs & (p_values > params["p_value"]))


def by_quality_score(found: Candidates, pairs: PairMask, params: Mapping[str, Any]) -> PairMask:
    """Leave out pairs that lose more by contamination than they gain in firing rate."""
    periods, own = found.periods(params), found.contaminations(params)
    duration_s = found.analyzer.get_total_duration()
    weight = 1 + params["firing_contamination_balance"]
    scores = found.n_spikes / duration_s * (1 - weight * own)
    ids = plain_ids(found.analyzer.unit_ids)
    left = pairs.copy()
    worse: list[tuple[UnitId, UnitId]] = []
    for i, j in zip(*np.nonzero(pairs), strict=True):
        train = merged_train(found.trains[i], found.trains[j], periods.censored)
        score = train.size / duration_s * (1 - weight * contamination(train, periods))
        if score < scores[i] or score < scores[j]:
            left[i, j] = False
            worse.append((ids[i], ids[j]))
    found.outs["pairs_decreased_score"] = worse
    return left


def by_slay_score(found: Candidates, pairs: PairMask, params: Mapping[str, Any]) -> PairMask:
    """Leave out pairs with a low score of SLAy."""
    counts, bins = found.data("correlograms")
    similarities = np.asarray(found.data("template_similarity"))
    bin_ms = float(bins[1] - bins[0])
    scores = slay_scores(similarities, counts, bin_ms, pairs, k1=params["k1"], k2=params["k2"])
    found.outs["slay_scores"] = scores
    return np.asarray(pairs & (scores > params["slay_threshold"]))


@dataclass(frozen=True)
class Step:
    """A step, what it needs, and its parameters."""

    run: Callable[[Candidates, PairMask, Mapping[str, Any]], PairMask]
    """Takes pairs and parameters; returns the pairs that pass."""
    defaults: Mapping[str, Any]
    """Its parameters."""
    extensions: tuple[str, ...] = ()
    """Extensions that it needs, those that others are made of first."""


_PERIODS = {"refractory_period_ms": 1.0, "censored_period_ms": 0.3}

STEPS: dict[str, Step] = {
    "num_spikes": Step(by_num_spikes, {"min_spikes": 100}),
    "snr": Step(by_snr, {"min_snr": 2.0}, ("random_spikes", "templates", "noise_levels")),
    "remove_contaminated": Step(by_contamination, {"contamination_thresh": 0.2, **_PERIODS}),
    "unit_locations": Step(
        by_unit_locations,
        {"max_distance_um": 150.0},
        ("random_spikes", "templates", "unit_locations"),
    ),
    "correlogram": Step(
        by_correlograms,
        {
            "corr_diff_thresh": 0.16,
            "censor_correlograms_ms": 0.15,
            "sigma_smooth_ms": 0.6,
            "adaptative_window_thresh": 0.5,
        },
        ("correlograms",),
    ),
    "template_similarity": Step(
        by_template_similarity,
        {"similarity_method": "l1", "template_diff_thresh": 0.25},
        ("random_spikes", "templates", "template_similarity"),
    ),
    "presence_distance": Step(
        by_presence_distance, {"presence_distance_thresh": 100.0, "bin_duration_s": 2.0}
    ),
    "knn": Step(
        by_neighbours,
        {"k_nn": 10},
        ("random_spikes", "templates", "spike_locations", "spike_amplitudes"),
    ),
    "cross_contamination": Step(
        by_cross_contamination, {"cc_thresh": 0.1, "p_value": 0.2, **_PERIODS}
    ),
    "quality_score": Step(by_quality_score, {"firing_contamination_balance": 1.5, **_PERIODS}),
    "slay_score": Step(
        by_slay_score,
        {"k1": 0.25, "k2": 1.0, "slay_threshold": 0.5},
        ("random_spikes", "templates", "correlograms", "template_similarity"),
    ),
}
"""All steps, by name."""

PRESETS: dict[str, tuple[str, ...]] = {
    "similarity_correlograms": (
        "num_spikes",
        "remove_contaminated",
        "unit_locations",
        "template_similarity",
        "correlogram",
        "quality_score",
    ),
    "temporal_splits": (
        "num_spikes",
        "remove_contaminated",
        "unit_locations",
        "template_similarity",
        "presence_distance",
        "quality_score",
    ),
    "x_contaminations": (
        "num_spikes",
        "remove_contaminated",
        "unit_locations",
        "template_similarity",
        "cross_contamination",
        "quality_score",
    ),
    "feature_neighbors": (
        "num_spikes",
        "snr",
        "remove_contaminated",
        "unit_locations",
        "knn",
        "quality_score",
    ),
    "slay": ("template_similarity", "slay_score"),
}
"""Steps of each preset, in order."""
