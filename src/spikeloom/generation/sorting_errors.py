"""Sort a ground truth the way a spike sorter does: well, but with errors that a person can mend.

Each error is made on purpose, once, to units chosen for it, and is told in a `Flaw`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.generation.ground_truth import GroundTruth
from spikeloom.generation.random_streams import Purpose, random_stream

FlawKind = Literal[
    "split_at_random",
    "split_by_amplitude",
    "merged",
    "contaminated",
    "missed",
    "noise",
    "multi_unit",
]
"""What can be wrong with clusters."""

_CONTAMINATION = 0.3
_MISSED_SHARE = 0.35
_FAR_FOUND_SHARE = 0.6
_OFF_BY_ONE_SHARE = 0.1
_THRESHOLD_UV = 45.0
_N_NEURONS_MIN = 6

_SENTENCES: dict[FlawKind, str] = {
    "split_at_random": "Clusters {} are one neuron, cut in two at random",
    "split_by_amplitude": "Clusters {} are one neuron whose amplitude drifts, cut in two by it",
    "merged": "Cluster {} is two neurons",
    "contaminated": "Cluster {} is a neuron, but a quarter of its spikes are noise",
    "missed": "Cluster {} is a neuron that lost its smallest spikes",
    "noise": "Cluster {} is no neuron but an electric artefact",
    "multi_unit": "Cluster {} is many neurons far away",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong with a sorting."""

    kind: FlawKind
    """What is wrong."""
    cluster_ids: tuple[int, ...]
    """Clusters that it concerns, increasing."""
    unit_ids: tuple[int, ...]
    """Units of the ground truth whose spikes these clusters hold."""

    @property
    def sentence(self) -> str:
        """What is wrong, for people, without a full stop."""
        return _SENTENCES[self.kind].format(" and ".join(str(i) for i in self.cluster_ids))


@dataclass(frozen=True, slots=True)
class FlawedSorting:
    """Spikes in clusters, and what is wrong with them."""

    spike_samples: NDArray[np.int64]
    """Sample of each spike, not decreasing; shape (n_spikes,)."""
    spike_clusters: NDArray[np.int32]
    """Cluster of each spike; all of ``range(n_clusters)`` occur; shape (n_spikes,)."""
    flaws: tuple[Flaw, ...]
    """What is wrong; clusters that are in no flaw are single neurons."""


@dataclass(frozen=True, slots=True)
class _Roles:
    """Which neuron suffers which error."""

    halved: int
    drifting: int
    merged: tuple[int, int]
    contaminated: int
    missed: int


@dataclass
class _Draft:
    """A sorting in the making: labels are units at first, new labels are added for clusters."""

    samples: NDArray[np.int64]
    labels: NDArray[np.int32]
    n_labels: int

    def new_label(self) -> int:
        self.n_labels += 1
        return self.n_labels - 1

    def keep(self, is_kept: NDArray[np.bool_]) -> None:
        self.samples, self.labels = self.samples[is_kept], self.labels[is_kept]


def sort_with_errors(truth: GroundTruth, *, seed: int = 0) -> FlawedSorting:
    """Make a sorting with errors: parts of neurons, mixtures, noise, lost spikes.

    Parameters
    ----------
    truth : GroundTruth
        The recording; six neurons at least.
    seed : int, default 0
        The same seed gives the same sorting of the same recording.

    Returns
    -------
    FlawedSorting
        Spikes in clusters, and what is wrong with them.

    Raises
    ------
    ParameterError
        If there are too few neurons for all errors.

    Examples
    --------
    >>> from spikeloom.generation.ground_truth import make_ground_truth
    >>> truth = make_ground_truth(duration_s=5.0, n_neurons=6, n_channels=8)
    >>> sorting = sort_with_errors(truth)
    >>> [flaw.kind for flaw in sorting.flaws][:3]
    ['split_at_random', 'split_by_amplitude', 'merged']
    >>> sorting.flaws[5].sentence
    'Cluster 7 is no neuron but an electric artefact'
    """
    stream = random_stream(seed, Purpose.SORTING)
    roles = _choose_roles(truth)
    draft, found_uV = _detect(truth, roles.missed, stream)
    half, low = draft.new_label(), draft.new_label()
    is_halved = draft.labels == roles.halved
    draft.labels[is_halved & (stream.random(is_halved.size) < 0.5)] = half
    is_drifting = draft.labels == roles.drifting
    if is_drifting.any():
        draft.labels[is_drifting & (found_uV < np.median(found_uV[is_drifting]))] = low
    first, second = roles.merged
    draft.labels[draft.labels == second] = first
    far = truth.units_of_kind("far")
    draft.labels[np.isin(draft.labels, far)] = far[0]
    _contaminate(draft, roles.contaminated, truth.n_samples, stream)
    artefact = truth.units_of_kind("artefact")[0]
    return _finish(
        draft,
        [
            ("split_at_random", (roles.halved, half), (roles.halved,)),
            ("split_by_amplitude", (roles.drifting, low), (roles.drifting,)),
            ("merged", (first,), roles.merged),
            ("contaminated", (roles.contaminated,), (roles.contaminated,)),
            ("missed", (roles.missed,), (roles.missed,)),
            ("noise", (artefact,), (artefact,)),
            ("multi_unit", (far[0],), tuple(far)),
        ],
        stream,
    )


def _choose_roles(truth: GroundTruth) -> _Roles:
    """Choose for each error a neuron in which it is seen well."""
    counts = np.bincount(truth.spike_units, minlength=truth.n_units)
    free = [unit for unit in truth.units_of_kind("neuron") if counts[unit] > 0]
    if len(free) < _N_NEURONS_MIN:
        msg = (
            f"{len(free)} neurons fire, which is too few for all errors; make {_N_NEURONS_MIN} at "
            "least, or a longer recording."
        )
        raise ParameterError(msg)
    peaks_uV = np.abs(truth.templates_uV).max(axis=(1, 2))
    drifting = max(free, key=lambda unit: abs(truth.unit_drifts[unit]))
    free.remove(drifting)
    missed = min(free, key=lambda unit: peaks_uV[unit])
    free.remove(missed)
    merged = _most_similar_pair(truth, free)
    free = [unit for unit in free if unit not in merged]
    halved = max(free, key=lambda unit: counts[unit])
    free.remove(halved)
    contaminated = max(free, key=lambda unit: counts[unit])
    return _Roles(halved, drifting, merged, contaminated, missed)


def _most_similar_pair(truth: GroundTruth, units: list[int]) -> tuple[int, int]:
    """Return the two of `units` whose templates a sorter would first take for one."""
    flat = truth.templates_uV[units].reshape(len(units), -1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    similarity = np.triu(flat @ flat.T, k=1)
    first, second = np.unravel_index(np.argmax(similarity), similarity.shape)
    return units[int(first)], units[int(second)]


def _detect(
    truth: GroundTruth, missed: int, stream: np.random.Generator
) -> tuple[_Draft, NDArray[np.float64]]:
    """Find the spikes that are large enough; return them and their amplitudes in uV."""
    peaks_uV = np.abs(truth.templates_uV).max(axis=(1, 2))
    noise_uV = float(truth.background.noise_uV.mean())
    found_uV = peaks_uV[truth.spike_units] * truth.spike_scales
    # A sorter sees a spike through many samples, so with less noise than one sample has.
    found_uV = found_uV + 0.2 * noise_uV * stream.standard_normal(found_uV.size)
    is_far = np.isin(truth.spike_units, truth.units_of_kind("far"))
    is_lucky = stream.random(found_uV.size) < _FAR_FOUND_SHARE
    is_found = np.where(is_far, is_lucky, found_uV > _THRESHOLD_UV)
    is_missed = truth.spike_units == missed
    if is_missed.any():
        is_found &= ~is_missed | (found_uV > np.quantile(found_uV[is_missed], _MISSED_SHARE))
    shift = stream.choice(
        [-1, 0, 1],
        size=found_uV.size,
        p=[_OFF_BY_ONE_SHARE, 1 - 2 * _OFF_BY_ONE_SHARE, _OFF_BY_ONE_SHARE],
    )
    samples = np.clip(truth.spike_samples + shift, 0, truth.n_samples - 1)
    draft = _Draft(samples, truth.spike_units.copy(), truth.n_units)
    draft.keep(is_found)
    return draft, found_uV[is_found]


def _contaminate(draft: _Draft, label: int, n_samples: int, stream: np.random.Generator) -> None:
    """Add spikes at random times to the cluster `label`."""
    n_noise = round(_CONTAMINATION * np.count_nonzero(draft.labels == label))
    samples = stream.integers(0, n_samples, n_noise)
    draft.samples = np.concatenate([draft.samples, samples])
    draft.labels = np.concatenate([draft.labels, np.full(n_noise, label, np.int32)])


def _finish(
    draft: _Draft,
    flaws: list[tuple[FlawKind, tuple[int, ...], tuple[int, ...]]],
    stream: np.random.Generator,
) -> FlawedSorting:
    """Sort by time, number the clusters in no order, and tell the flaws of those that exist."""
    order = np.argsort(draft.samples, kind="stable")
    labels, positions = np.unique(draft.labels[order], return_inverse=True)
    numbers = stream.permutation(labels.size).astype(np.int32)
    cluster_of = {int(label): int(number) for label, number in zip(labels, numbers, strict=True)}
    return FlawedSorting(
        spike_samples=draft.samples[order],
        spike_clusters=numbers[positions],
        flaws=tuple(
            Flaw(kind, tuple(sorted(cluster_of[label] for label in its_labels)), unit_ids)
            for kind, its_labels, unit_ids in flaws
            if all(label in cluster_of for label in its_labels)
        ),
    )
