"""`ClusterCatalog`: what follows from a cluster's spikes and the sorter's templates.

A cluster's spikes never change while its id exists, so everything here is kept by cluster id.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.curation.state import CurationState, Spikes
from spikeloom.datasets.dataset import Dataset
from spikeloom.storage.delimited import Cell
from spikeloom.viewdata.memo import Memo

N_SIMILAR_MAX = 100
"""Clusters listed in the Similarity view."""

COLUMNS: Mapping[str, str] = {
    "id": "Cluster number. A merge or split gives new numbers; none is ever used twice.",
    "ch": "Main channel: where the cluster's most frequent template has its largest peak-to-peak "
    "amplitude.",
    "sh": "Shank of the main channel.",
    "depth": "Position of the main channel along the probe (y), in µm.",
    "fr": "Firing rate in Hz: number of spikes divided by the length of the recording.",
    "amp": "Peak-to-peak amplitude of the cluster's mean template on its main channel, in the "
    "units of the templates. Scaled by how large its spikes are beside all spikes of their "
    "template, so it changes when a cluster is split.",
    "n_spikes": "Number of spikes.",
    "group": "good, mua, noise or unsorted.",
    "similarity": "Largest similarity between a template of this cluster and one of the last "
    "cluster selected in the Cluster view (similar_templates.npy, else the cosine).",
}
"""What each column means, for people."""


@dataclass(frozen=True, slots=True)
class TemplateCounts:
    """How many spikes of a cluster each template found."""

    template_ids: NDArray[np.int64]
    """Templates that found at least one spike, increasing."""
    counts: NDArray[np.int64]
    """Spikes found by each."""

    @property
    def main(self) -> int:
        """The template that found most spikes; the lowest of equals."""
        return int(self.template_ids[np.argmax(self.counts)])


class ClusterCatalog:
    """Facts about clusters of one dataset.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.memo = Memo()
        """What views worked out for single clusters."""
        self._counts: dict[int, TemplateCounts] = {}
        self._channels: dict[int, tuple[NDArray[np.int64], NDArray[np.float32]]] = {}
        self._channel_sets: dict[int, frozenset[int]] = {}
        self._template_mean_amplitudes: NDArray[np.float64] | None = None
        self._template_sizes: NDArray[np.int64] | None = None

    def template_counts(self, cluster_id: int, spikes: Spikes) -> TemplateCounts:
        """Return how many spikes of a cluster each template found."""
        found = self._counts.get(cluster_id)
        if found is None:
            table = np.bincount(self._dataset.spike_templates[spikes])
            template_ids = np.flatnonzero(table)
            found = TemplateCounts(template_ids, table[template_ids])
            self._counts[cluster_id] = found
        return found

    def best_channels(self, cluster_id: int, spikes: Spikes) -> NDArray[np.int64]:
        """Return the channels on which a cluster is shown, the main one first."""
        return self._best(cluster_id, spikes)[0]

    def channel_amplitudes(self, cluster_id: int, spikes: Spikes) -> NDArray[np.float32]:
        """Return the template's peak-to-peak amplitude on each of `best_channels`."""
        return self._best(cluster_id, spikes)[1]

    def is_seen_on(self, channel: int, cluster_id: int, spikes: Spikes) -> bool:
        """Tell whether a channel is one of a cluster's `best_channels`."""
        found = self._channel_sets.get(cluster_id)
        if found is None:
            found = frozenset(self.best_channels(cluster_id, spikes).tolist())
            self._channel_sets[cluster_id] = found
        return channel in found

    def main_channel(self, cluster_id: int, spikes: Spikes) -> int | None:
        """Return the main channel, None where no file tells it."""
        channels = self.best_channels(cluster_id, spikes)
        return int(channels[0]) if channels.size else None

    def _best(
        self, cluster_id: int, spikes: Spikes
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        found = self._channels.get(cluster_id)
        if found is None:
            found = self._find_best(self.template_counts(cluster_id, spikes).main)
            self._channels[cluster_id] = found
        return found

    def _find_best(self, template_id: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        templates, listed = self._dataset.templates, self._dataset.listed_channels
        if templates is not None:
            template = templates.get(template_id)
            if template is not None:
                return template.channel_ids, template.amplitudes
        elif listed is not None and template_id < len(listed):
            # KiloSort lists the channels of its features by falling amplitude.
            channels = listed[template_id]
            channels = channels[channels >= 0]
            return channels, np.ones(channels.size, np.float32)
        return np.zeros(0, np.int64), np.zeros(0, np.float32)

    def mean_amplitude(self, cluster_id: int, spikes: Spikes) -> float | None:
        """Return the peak-to-peak amplitude of a cluster (see `COLUMNS`), or None."""
        templates = self._dataset.templates
        if templates is None:
            return None
        counts = self.template_counts(cluster_id, spikes)
        channel = self.main_channel(cluster_id, spikes)
        if channel is None:
            return None
        if counts.template_ids.size == 1:
            mean_ptp = float(self.channel_amplitudes(cluster_id, spikes)[0])
        else:
            mean = np.zeros(templates.n_samples)
            for template_id, count in zip(counts.template_ids, counts.counts, strict=True):
                mean += count * templates.dense(int(template_id), [channel])[:, 0]
            mean_ptp = float(np.ptp(mean)) / float(counts.counts.sum())
        return mean_ptp * self._size_ratio(counts, spikes)

    def _size_ratio(self, counts: TemplateCounts, spikes: Spikes) -> float:
        """Return how large the spikes are beside all spikes that their templates found."""
        amplitudes = self._dataset.amplitudes
        if amplitudes is None:
            return 1.0
        if np.array_equal(counts.counts, self._sizes_of_templates()[counts.template_ids]):
            return 1.0  # they are all the spikes of their templates
        expected = self._mean_amplitude_of_templates()[counts.template_ids]
        n_expected = float(expected @ counts.counts)
        found = float(np.nansum(amplitudes[spikes], dtype=np.float64))
        return found / n_expected if n_expected and found / n_expected > 0 else 1.0

    def _sizes_of_templates(self) -> NDArray[np.int64]:
        """Return how many spikes each template found."""
        if self._template_sizes is None:
            self._template_sizes = np.bincount(self._dataset.spike_templates)
        return self._template_sizes

    def _mean_amplitude_of_templates(self) -> NDArray[np.float64]:
        """Return the mean of ``amplitudes.npy`` over the spikes of each template."""
        if self._template_mean_amplitudes is None:
            amplitudes, labels = self._dataset.amplitudes, self._dataset.spike_templates
            sums = np.bincount(labels, weights=np.nan_to_num(np.asarray(amplitudes)))
            self._template_mean_amplitudes = sums / np.maximum(np.bincount(labels), 1)
        return self._template_mean_amplitudes

    def facts(self, cluster_id: int, spikes: Spikes) -> dict[str, Cell | None]:
        """Return the columns of the tables that follow from a cluster's spikes."""
        dataset = self._dataset
        channel = self.main_channel(cluster_id, spikes)
        place: dict[str, Cell | None] = {"ch": None, "sh": None, "depth": None}
        if channel is not None:
            place = {
                "ch": dataset.channel_labels[channel],
                "sh": int(dataset.channel_shanks[channel]),
                "depth": float(dataset.channel_positions[channel, 1]),
            }
        return {
            **place,
            "fr": spikes.size / max(1.0, dataset.duration_s),
            "amp": self.mean_amplitude(cluster_id, spikes),
            "n_spikes": int(spikes.size),
        }

    def similarity(self, reference: int, state: CurationState) -> dict[int, float]:
        """Return the clusters most similar to `reference`, the most similar first.

        The similarity of two clusters is the largest one between a template of the first and a
        template of the second. The reference itself is left out.
        """
        matrix = self._dataset.template_similarity
        if matrix is None:
            others = [i for i in state.cluster_ids if i != reference]
            return dict.fromkeys(others[:N_SIMILAR_MAX], 0.0)
        own = self.template_counts(reference, state.spikes_of(reference)).template_ids
        own = own[own < len(matrix)]
        if own.size == 0:
            return {}
        to_template = np.append(np.max(matrix[own], axis=0), 0.0)  # (n_templates + 1,)
        others = [i for i in state.cluster_ids if i != reference]
        lists = [self.template_counts(i, state.spikes[i]).template_ids for i in others]
        if not lists:
            return {}
        flat = np.minimum(np.concatenate(lists), len(matrix))
        starts = np.concatenate(([0], np.cumsum([len(part) for part in lists[:-1]]))).astype(int)
        scores = np.maximum.reduceat(to_template[flat], starts)
        order = np.argsort(-scores, kind="stable")[:N_SIMILAR_MAX]
        return {others[k]: float(scores[k]) for k in order}
