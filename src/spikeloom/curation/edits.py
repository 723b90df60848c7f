"""Edits: frozen values that change a `CurationState` and know how to take the change back.

`Merge`, `Split` and `Label` are what a curator does; `Restore` is the inverse of the first two.
``edit.apply(state)`` returns the new state, the inverse edit, the edit with every id filled in
(so that doing it again gives the same ids) and an account of what changed. An edit costs what it
touches: arrays of untouched clusters are shared between states.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikeloom.curation.inheritance import inherited_labels
from spikeloom.curation.state import GROUP, CurationState, Labels, Spikes
from spikeloom.errors import CurationError
from spikeloom.kernels.spike_order import merge_sorted
from spikeloom.storage.delimited import Cell

_TAKEN_NAMES = frozenset({"id", "cluster_id", "info"})
"""Columns that identify clusters, and the name of the file cluster_info.tsv."""

_NAME_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit did."""

    description: str
    """merge, split, label or group (phy's words)."""
    added: tuple[int, ...] = ()
    """Clusters that are new, in the order of their ids."""
    deleted: tuple[int, ...] = ()
    """Clusters that no longer exist."""
    descendants: tuple[tuple[int, int], ...] = ()
    """Pairs of an old cluster and a new one that has spikes of it."""
    n_spikes: int = 0
    """Spikes whose cluster changed."""
    labelled: tuple[int, ...] = ()
    """Existing clusters of which a label changed."""

    @property
    def touches_clusters(self) -> bool:
        """Whether spikes changed cluster."""
        return bool(self.added or self.deleted)


@dataclass(frozen=True, slots=True)
class Applied:
    """Result of applying an edit."""

    state: CurationState
    """The new state."""
    edit: "Edit"
    """The edit with all ids filled in."""
    inverse: "Edit"
    """Takes the edit back."""
    change: Change
    """What changed."""


class Edit(Protocol):
    """A change of a curation state."""

    def apply(self, state: CurationState) -> Applied:
        """Apply the edit; raise `CurationError`, and change nothing, where it makes no sense."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Make one cluster of several."""

    cluster_ids: tuple[int, ...]
    """Two or more clusters."""
    to: int | None = None
    """Id of the new cluster; the next free one by default."""

    def apply(self, state: CurationState) -> Applied:
        """Merge the clusters; see `Edit`."""
        ids = tuple(sorted(set(self.cluster_ids)))
        state.check_known(ids)
        if len(ids) < 2:
            msg = f"A merge takes at least two clusters; got {list(ids)}."
            raise CurationError(msg)
        new_id = _checked_new_id(state, self.to)
        members = merge_spikes([state.spikes[cluster_id] for cluster_id in ids])
        labels = inherited_labels(state, {new_id: ids})
        after = state.with_clusters(ids, {new_id: members}, labels)
        return Applied(
            after,
            replace(self, cluster_ids=ids, to=new_id),
            Restore((new_id,), {cluster_id: state.spikes[cluster_id] for cluster_id in ids}),
            Change(
                "merge",
                added=(new_id,),
                deleted=ids,
                descendants=tuple((old, new_id) for old in ids),
                n_spikes=members.size,
            ),
        )


@dataclass(frozen=True, slots=True)
class Split:
    """Put chosen spikes of some clusters into new clusters.

    The spikes of part 0 go to the next free id, those of part 1 to the one after, and so on
    (parts that get no spike use up no id). What remains of each touched cluster goes to a new id
    too, numbered after the parts, in the order of the old ids. If all this makes a single
    cluster, it is a merge and is called so.
    """

    cluster_ids: tuple[int, ...]
    """The clusters that the spikes belong to."""
    spikes: Spikes = field(repr=False)
    """Spikes to take out, increasing; shape (n_spikes,)."""
    parts: NDArray[np.integer] | None = field(default=None, repr=False)
    """Part of each of `spikes`, from 0 on; all in part 0 by default. Shape (n_spikes,)."""
    first_id: int | None = None
    """Id of the first new cluster; the next free one by default."""

    def apply(self, state: CurationState) -> Applied:
        """Split the clusters; see `Edit`."""
        ids = tuple(sorted(set(self.cluster_ids)))
        state.check_known(ids)
        if self.spikes.size == 0:
            msg = "A split takes at least one spike; none was given."
            raise CurationError(msg)
        first = _checked_new_id(state, self.first_id)
        remainders = _remainders(state, ids, self.spikes)
        added = _part_clusters(self.spikes, self.parts, first)
        ancestors: dict[int, set[int]] = {new: set() for new in added}
        for old in ids:
            for new, members in added.items():
                if _share_spikes(state.spikes[old], members):
                    ancestors[new].add(old)
        next_id = first + len(added)
        for old, members in remainders.items():
            if members.size:
                added[next_id] = members
                ancestors[next_id] = {old}
                next_id += 1
        labels = inherited_labels(state, ancestors)
        after = state.with_clusters(ids, added, labels)
        pairs = sorted((old, new) for new, olds in ancestors.items() for old in olds)
        return Applied(
            after,
            replace(self, cluster_ids=ids, first_id=first),
            Restore(tuple(added), {old: state.spikes[old] for old in ids}),
            Change(
                "merge" if len(added) == 1 else "split",
                added=tuple(added),
                deleted=ids,
                descendants=tuple(pairs),
                n_spikes=sum(members.size for members in added.values()),
            ),
        )


@dataclass(frozen=True, slots=True)
class Label:
    """Set one field of some clusters."""

    name: str
    """The field; ``group`` moves clusters to a group."""
    values: Mapping[int, Cell | None]
    """New value of each cluster; None takes the label away."""

    def apply(self, state: CurationState) -> Applied:
        """Set the labels; see `Edit`."""
        state.check_known(self.values)
        if not self.name or self.name in _TAKEN_NAMES or len(self.name) > _NAME_LENGTH_MAX:
            msg = f"A label cannot be called {self.name!r}; choose another name."
            raise CurationError(msg)
        if any(character in self.name for character in "/\\\t\r\n\0"):
            msg = f"The label name {self.name!r} cannot be part of a file name; choose another."
            raise CurationError(msg)
        before = {cluster_id: state.label(self.name, cluster_id) for cluster_id in self.values}
        return Applied(
            state.with_labels({self.name: self.values}),
            self,
            Label(self.name, before),
            Change("group" if self.name == GROUP else "label", labelled=tuple(self.values)),
        )


@dataclass(frozen=True, slots=True)
class Restore:
    """Bring clusters back in place of those that were made of them: the inverse of an edit."""

    removed: tuple[int, ...]
    """Clusters that go."""
    restored: Mapping[int, Spikes] = field(repr=False)
    """Clusters that come back, with their spikes."""
    labels: Labels = field(default_factory=dict, repr=False)
    """Labels of the clusters that come back, for a state that does not know them any more."""

    def with_labels_of(self, state: CurationState) -> "Restore":
        """Return the edit with the labels that the restored clusters have in `state`."""
        labels = {
            name: {i: values[i] for i in self.restored if i in values}
            for name, values in state.labels.items()
        }
        return replace(self, labels={name: values for name, values in labels.items() if values})

    def apply(self, state: CurationState) -> Applied:
        """Restore the clusters; see `Edit`. Labels of removed clusters go with them."""
        state.check_known(self.removed)
        removed = {cluster_id: state.spikes[cluster_id] for cluster_id in self.removed}
        dropped: dict[str, dict[int, Cell | None]] = {
            name: {cluster_id: None for cluster_id in self.removed if cluster_id in values}
            for name, values in state.labels.items()
        }
        after = state.with_clusters(self.removed, self.restored, self.labels).with_labels(dropped)
        return Applied(
            after,
            self,
            Restore(tuple(self.restored), removed),
            Change(
                "restore",
                added=tuple(sorted(self.restored)),
                deleted=self.removed,
                n_spikes=sum(members.size for members in removed.values()),
            ),
        )


def merge_spikes(members: list[Spikes]) -> Spikes:
    """Merge increasing spike lists without common spikes into one, read-only."""
    starts = np.concatenate(([0], np.cumsum([part.size for part in members])))
    values = np.concatenate(members)
    merged = np.empty_like(values)
    merge_sorted(values, starts, merged)
    merged.setflags(write=False)
    return merged


def _checked_new_id(state: CurationState, wanted: int | None) -> int:
    new_id = state.next_cluster_id if wanted is None else wanted
    if new_id in state.spikes or new_id < 0:
        msg = f"The id {new_id} is taken or negative; the next free one is {state.next_cluster_id}."
        raise CurationError(msg)
    return new_id


def _remainders(
    state: CurationState, cluster_ids: tuple[int, ...], spikes: Spikes
) -> dict[int, Spikes]:
    """Return the spikes of each cluster that are not among `spikes`; check that all are found."""
    remainders = {}
    n_found = 0
    for cluster_id in cluster_ids:
        members = state.spikes[cluster_id]
        is_taken = _is_member(members, spikes)
        n_taken = int(np.count_nonzero(is_taken))
        if n_taken == 0:
            msg = f"None of the spikes to split belongs to cluster {cluster_id}."
            raise CurationError(msg)
        n_found += n_taken
        remainder = members[~is_taken]
        remainder.setflags(write=False)
        remainders[cluster_id] = remainder
    if n_found != spikes.size:
        msg = (
            f"{spikes.size - n_found} of {spikes.size} spikes to split do not belong to the "
            f"clusters {list(cluster_ids)}, or come twice."
        )
        raise CurationError(msg)
    return remainders


def _part_clusters(
    spikes: Spikes, parts: NDArray[np.integer] | None, first_id: int
) -> dict[int, Spikes]:
    if parts is None:
        own = spikes.copy()
        own.setflags(write=False)
        return {first_id: own}
    if parts.shape != spikes.shape:
        msg = f"{parts.size} part numbers were given for {spikes.size} spikes."
        raise CurationError(msg)
    clusters = {}
    for position, part in enumerate(np.unique(parts)):
        members = spikes[parts == part]
        members.setflags(write=False)
        clusters[first_id + position] = members
    return clusters


def _is_member(values: Spikes, among: Spikes) -> NDArray[np.bool_]:
    """Tell which of increasing `values` are in increasing `among` (not empty)."""
    positions = np.minimum(np.searchsorted(among, values), among.size - 1)
    return np.asarray(among[positions] == values)


def _share_spikes(members: Spikes, others: Spikes) -> bool:
    """Tell whether two increasing spike lists have a spike in common; both are not empty."""
    if members[-1] < others[0] or others[-1] < members[0]:
        return False
    small, large = sorted((members, others), key=len)
    return bool(_is_member(small, large).any())
