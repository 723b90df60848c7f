"""What a curation says of the units of a sorting: labels, removals, merges and splits.

These are the values of SpikeInterface's curation format; see `spikeloom.curation.curation_format`
for how files spell them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.core.unit_ids import UnitId, plain_ids, unit_ids_after
from spikeloom.errors import CurationError

SplitMode = Literal["indices", "labels"]
"""How a split tells which spike goes where."""


@dataclass(frozen=True)
class LabelDefinition:
    """A category of labels, such as "quality"."""

    name: str
    """Name of the category."""
    label_options: list[str]
    """The labels that there are."""
    exclusive: bool
    """Whether a unit has one of them at most."""


@dataclass(frozen=True)
class ManualLabel:
    """The labels of a unit."""

    unit_id: UnitId
    """The unit."""
    labels: dict[str, list[str]] = field(default_factory=dict)
    """Labels by category."""


@dataclass(frozen=True)
class Merge:
    """Units that become one."""

    unit_ids: list[UnitId]
    """Two or more."""
    new_unit_id: UnitId | None = None
    """Id of what they become; None leaves it open."""


@dataclass(frozen=True)
class Split:
    """A unit that becomes several.

    Examples
    --------
    >>> Split("a", labels=[1, 0, 1, 1], mode="labels").parts(4)
    [array([1]), array([0, 2, 3])]
    >>> Split("a", indices=[[0, 3]]).parts(4)
    [array([0, 3]), array([1, 2])]
    """

    unit_id: UnitId
    """The unit."""
    mode: SplitMode = "indices"
    """Whether `indices` or `labels` say which spike goes where."""
    indices: list[list[int]] | None = None
    """Spikes of each part, counted through all segments; what no part has is one more."""
    labels: list[int] | None = None
    """Number of the part of each spike of the unit."""
    new_unit_ids: list[UnitId] | None = None
    """Ids of the parts; None leaves them open."""

    def parts(self, n_spikes: int) -> list[NDArray[np.int64]]:
        """Return the spikes of each part.

        Parameters
        ----------
        n_spikes : int
            How many spikes the unit has.

        Raises
        ------
        CurationError
            If the unit has other spikes than the split says.
        """
        if self.mode == "labels":
            labels = np.asarray(self.labels, np.int64)
            if labels.size != n_spikes:
                msg = (
                    f"The split of unit {self.unit_id!r} has {labels.size} labels, and the unit "
                    f"{n_spikes} spikes: each spike needs one."
                )
                raise CurationError(msg)
            return [np.flatnonzero(labels == label) for label in np.unique(labels)]
        parts = [np.asarray(part, np.int64) for part in self.indices or []]
        listed = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        outside = listed[(listed < 0) | (listed >= n_spikes)]
        if outside.size:
            msg = (
                f"The split of unit {self.unit_id!r} lists the spikes {outside[:5].tolist()}; the "
                f"unit has those from 0 to {n_spikes - 1}."
            )
            raise CurationError(msg)
        rest = np.setdiff1d(np.arange(n_spikes), listed)
        return [*parts, rest] if rest.size else parts

    def get_full_spike_indices(self, sorting: BaseSorting) -> list[NDArray[np.int64]]:
        """Return the spikes of each part, for the unit as it is in a sorting."""
        return self.parts(sorting.count_num_spikes_per_unit(outputs="dict")[self.unit_id])


@dataclass(frozen=True)
class Curation:
    """Labels, removals, merges and splits of units.

    Raises
    ------
    CurationError
        If it contradicts itself: unknown or repeated units, units that are both merged and removed,
        ids that are taken.

    Examples
    --------
    >>> Curation([0, 1, 2], removed=[2], merges=[Merge([0, 1], 7)]).final_unit_ids()
    [7]
    """

    unit_ids: list[UnitId]
    """All units that there are before."""
    label_definitions: dict[str, LabelDefinition] = field(default_factory=dict)
    """Categories of labels, by name."""
    manual_labels: list[ManualLabel] = field(default_factory=list)
    """Labels of units."""
    removed: list[UnitId] = field(default_factory=list)
    """Units that are left out."""
    merges: list[Merge] = field(default_factory=list)
    """Units that become one."""
    splits: list[Split] = field(default_factory=list)
    """Units that become several."""
    format_version: str = "2"
    """Version of the format that it was read from."""

    def __post_init__(self) -> None:
        known = set(self.unit_ids)
        merged = [unit for merge in self.merges for unit in merge.unit_ids]
        split = [one.unit_id for one in self.splits]
        self._check_labels(known)
        _check_known(known, self.removed, "removed")
        _check_known(known, merged, "merged")
        _check_known(known, split, "split")
        for merge in self.merges:
            _check_merge(merge, known)
        for one in self.splits:
            _check_split(one, known)
        _check_once([*self.unit_ids], "listed")
        _check_once(self.removed, "removed")
        _check_once(merged, "merged")
        _check_once(split, "split")
        for one_way, other_way, what in [
            (self.removed, merged, "merged and removed"),
            (self.removed, split, "split and removed"),
            (merged, split, "merged and split"),
        ]:
            both = sorted(set(one_way) & set(other_way), key=str)
            if both:
                msg = f"Units {both[:5]} are both {what}; a curation does one thing with a unit."
                raise CurationError(msg)

    def _check_labels(self, known: set[UnitId]) -> None:
        _check_known(known, [one.unit_id for one in self.manual_labels], "labelled")
        for one in self.manual_labels:
            for name, labels in one.labels.items():
                definition = self.label_definitions.get(name)
                if definition is None:
                    msg = (
                        f"Unit {one.unit_id!r} has labels of {name!r}, which is none of the label "
                        f"definitions {list(self.label_definitions)}."
                    )
                    raise CurationError(msg)
                if definition.exclusive and len(labels) > 1:
                    msg = (
                        f"Unit {one.unit_id!r} has the labels {labels} of {name!r}, which are "
                        "exclusive: give one at most."
                    )
                    raise CurationError(msg)
                strange = [label for label in labels if label not in definition.label_options]
                if strange and not definition.exclusive:
                    msg = (
                        f"Unit {one.unit_id!r} has the labels {strange} of {name!r}, which has "
                        f"{definition.label_options}."
                    )
                    raise CurationError(msg)

    def final_unit_ids(self) -> list[UnitId]:
        """Return the unit ids afterwards.

        Raises
        ------
        CurationError
            If the id of a merged unit, or of a part, is left open.
        """
        new: dict[UnitId, list[UnitId]] = {}
        for merge in self.merges:
            if merge.new_unit_id is None:
                msg = f"The merge of units {merge.unit_ids} has no new_unit_id, which is needed."
                raise CurationError(msg)
            new.update({unit: [] for unit in merge.unit_ids})
            new[merge.unit_ids[0]] = [merge.new_unit_id]
        for split in self.splits:
            if split.new_unit_ids is None:
                msg = f"The split of unit {split.unit_id!r} has no new_unit_ids, which are needed."
                raise CurationError(msg)
            new[split.unit_id] = list(split.new_unit_ids)
        kept = [unit for unit in self.unit_ids if unit not in set(self.removed)]
        added = [unit for ids in new.values() for unit in ids]
        return plain_ids(unit_ids_after(np.asarray(kept), new, added)) if new else kept

    def get_final_ids_from_new_unit_ids(self) -> list[UnitId]:
        """Return `final_unit_ids`, under SpikeInterface's name."""
        return self.final_unit_ids()

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary of version 2 of the format, which JSON can hold."""
        return {
            "format_version": "2",
            "unit_ids": plain_ids(self.unit_ids),
            "label_definitions": {
                name: {
                    "name": name,
                    "label_options": list(one.label_options),
                    "exclusive": one.exclusive,
                }
                for name, one in self.label_definitions.items()
            },
            "manual_labels": [
                {"unit_id": one.unit_id, "labels": {k: list(v) for k, v in one.labels.items()}}
                for one in self.manual_labels
            ],
            "removed": list(self.removed),
            "merges": [
                {"unit_ids": list(one.unit_ids), "new_unit_id": one.new_unit_id}
                for one in self.merges
            ],
            "splits": [
                {
                    "unit_id": one.unit_id,
                    "mode": one.mode,
                    "indices": one.indices,
                    "labels": one.labels,
                    "new_unit_ids": one.new_unit_ids,
                }
                for one in self.splits
            ],
        }


@dataclass(frozen=True)
class SequentialCuration:
    """Curations that are applied one after the other.

    Raises
    ------
    CurationError
        If one leaves ids open, or the next one is for other units than it leaves behind.
    """

    curation_steps: list[Curation]
    """In order."""

    def __post_init__(self) -> None:
        for k, (one, following) in enumerate(
            zip(self.curation_steps[:-1], self.curation_steps[1:], strict=True)
        ):
            left, wanted = set(one.final_unit_ids()), set(following.unit_ids)
            if left != wanted:
                differing = sorted(left ^ wanted, key=str)[:5]
                msg = (
                    f"Curation {k + 1} is for other units than curation {k} leaves behind: they "
                    f"differ in {differing}."
                )
                raise CurationError(msg)


def _check_known(known: set[UnitId], units: Iterable[UnitId], what: str) -> None:
    unknown = [unit for unit in units if unit not in known]
    if unknown:
        msg = f"Units {unknown[:5]} are {what}, but not among the {len(known)} unit ids."
        raise CurationError(msg)


def _check_once(units: Sequence[UnitId], what: str) -> None:
    twice = [unit for unit, n in Counter(units).items() if n > 1]
    if twice:
        msg = f"Units {twice[:5]} are {what} more than once."
        raise CurationError(msg)


def _check_merge(merge: Merge, known: set[UnitId]) -> None:
    if len(merge.unit_ids) < 2:
        msg = f"The merge of {list(merge.unit_ids)} has fewer than two units."
        raise CurationError(msg)
    _check_new([merge.new_unit_id], known - set(merge.unit_ids))


def _check_split(split: Split, known: set[UnitId]) -> None:
    what = f"The split of unit {split.unit_id!r}"
    if split.mode not in {"indices", "labels"}:
        msg = f"{what} has the mode {split.mode!r}; it is 'indices' or 'labels'."
        raise CurationError(msg)
    given: Sequence[Any] | None = split.indices if split.mode == "indices" else split.labels
    if given is None or not len(given):
        msg = f"{what} has no {split.mode}."
        raise CurationError(msg)
    if split.mode == "indices":
        spikes = Counter(spike for part in split.indices or [] for spike in part)
        twice = [spike for spike, n in spikes.items() if n > 1]
        if twice:
            msg = f"{what} lists the spikes {twice[:5]} more than once."
            raise CurationError(msg)
        allowed = {len(given), len(given) + 1}
    else:
        allowed = {len(set(given))}
    if split.new_unit_ids is None:
        return
    if len(split.new_unit_ids) not in allowed:
        msg = f"{what} has {len(split.new_unit_ids)} new ids for {min(allowed)} parts."
        raise CurationError(msg)
    _check_new(split.new_unit_ids, known - {split.unit_id})


def _check_new(new_ids: Sequence[UnitId | None], taken: set[UnitId]) -> None:
    known = [unit for unit in new_ids if unit is not None and unit in taken]
    if known:
        msg = f"New unit ids {known[:5]} are those of other units; choose others."
        raise CurationError(msg)
