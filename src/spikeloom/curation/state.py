"""`CurationState`: which spikes each cluster has and what is known of it, as one immutable value.

A cluster's spikes are an increasing array of spike indices. Clusters that were never touched are
views into the one order array of the dataset; an edit makes arrays for the new clusters only, and
the old arrays stay where the history can find them. Cluster ids are never used twice, so within a
session an id stands for the same spikes forever, which makes ids good cache keys.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.spike_groups import SpikeGroups
from spikeloom.errors import CurationError
from spikeloom.storage.delimited import Cell

Spikes = NDArray[np.integer]
"""Increasing spike indices of one cluster; shape (n_spikes_of_cluster,)."""

Labels = Mapping[str, Mapping[int, Cell]]
"""Field, then cluster id, to value."""

ID_MAX = 2**31 - 1
"""Greatest cluster id: they are saved as 32-bit integers."""

GROUP = "group"
"""The field that holds good, mua, noise or unsorted."""


@dataclass(frozen=True, slots=True)
class CurationState:
    """A clustering and its labels."""

    spikes: Mapping[int, Spikes]
    """Spikes of each existing cluster."""
    labels: Labels
    """Values by field and cluster; clusters that no longer exist keep theirs for undo."""
    next_cluster_id: int
    """Id of the next new cluster; it never decreases, not even by undo."""

    @property
    def cluster_ids(self) -> list[int]:
        """Existing clusters, increasing."""
        return sorted(self.spikes)

    def spikes_of(self, cluster_id: int) -> Spikes:
        """Return the spikes of a cluster.

        Raises
        ------
        CurationError
            If there is no such cluster.
        """
        try:
            return self.spikes[cluster_id]
        except KeyError:
            msg = f"There is no cluster {cluster_id} (any more)."
            raise CurationError(msg) from None

    def label(self, field: str, cluster_id: int) -> Cell | None:
        """Return the value of a field for a cluster, None where it has none."""
        return self.labels.get(field, {}).get(cluster_id)

    def labels_of(self, cluster_id: int) -> dict[str, Cell]:
        """Return all values of a cluster by field."""
        return {
            field: values[cluster_id]
            for field, values in self.labels.items()
            if cluster_id in values
        }

    def check_known(self, cluster_ids: Iterable[int]) -> None:
        """Raise `CurationError` unless all clusters exist."""
        unknown = [cluster_id for cluster_id in cluster_ids if cluster_id not in self.spikes]
        if unknown:
            names = ", ".join(map(str, unknown))
            msg = f"There is no cluster {names} (any more)."
            raise CurationError(msg)

    def with_clusters(
        self, removed: Iterable[int], added: Mapping[int, Spikes], labels: Labels
    ) -> "CurationState":
        """Return a state in which some clusters gave way to others.

        Labels of clusters in `labels` are set; those of `removed` stay for undo.

        Raises
        ------
        CurationError
            If an id is too large for the files that clusters are saved in.
        """
        if max(added, default=0) > ID_MAX:
            msg = f"The cluster id {max(added)} is too large; ids go up to {ID_MAX}."
            raise CurationError(msg)
        spikes = dict(self.spikes)
        for cluster_id in removed:
            del spikes[cluster_id]
        spikes.update(added)
        next_id = max([self.next_cluster_id, *(cluster_id + 1 for cluster_id in added)])
        state = replace(self, spikes=MappingProxyType(spikes), next_cluster_id=next_id)
        return state.with_labels({field: dict(values) for field, values in labels.items()})

    def with_labels(self, changes: Mapping[str, Mapping[int, Cell | None]]) -> "CurationState":
        """Return a state with some labels set, or taken away where the value is None."""
        if not any(changes.values()):
            return self
        labels = dict(self.labels)
        for field, values in changes.items():
            column = dict(labels.get(field, {}))
            for cluster_id, value in values.items():
                if value is None:
                    column.pop(cluster_id, None)
                else:
                    column[cluster_id] = value
            labels[field] = MappingProxyType(column)
        return replace(self, labels=MappingProxyType(labels))


def initial_state(groups: SpikeGroups, labels: Labels, next_cluster_id: int = 0) -> CurationState:
    """Return the state of a dataset as it was opened.

    Parameters
    ----------
    groups : SpikeGroups
        Spikes by cluster.
    labels : mapping
        Field, then cluster id, to value.
    next_cluster_id : int, default 0
        Least id that new clusters may take; ids are at least the largest one plus one.
    """
    spikes = {}
    for position, cluster_id in enumerate(groups.labels.tolist()):
        members = groups.order[groups.offsets[position] : groups.offsets[position + 1]]
        members.setflags(write=False)
        spikes[cluster_id] = members
    largest = int(groups.labels[-1]) if groups.labels.size else -1
    columns = {field: MappingProxyType(dict(values)) for field, values in labels.items()}
    return CurationState(
        MappingProxyType(spikes), MappingProxyType(columns), max(next_cluster_id, largest + 1)
    )
