"""Curations that were made in sortingview, read from a JSON file."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.applied_curation import apply_curation
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.unit_ids import UnitId
from spikeloom.curation.curation_format import curation_from_dict
from spikeloom.curation.curation_model import Curation, Merge
from spikeloom.errors import ParameterError


def apply_sortingview_curation(
    sorting_or_analyzer: BaseSorting | SortingAnalyzer,
    uri_or_json: str | Path,
    exclude_labels: Sequence[str] | None = None,
    include_labels: Sequence[str] | None = None,
    skip_merge: bool = False,
    verbose: Any = None,
) -> Any:
    """Return a sorting or an analyzer as a curation of sortingview says.

    Parameters
    ----------
    sorting_or_analyzer : BaseSorting or SortingAnalyzer
        What is curated; it stays as it is.
    uri_or_json : str or Path
        A JSON file with ``labelsByUnit`` and ``mergeGroups``. Links are not followed: download the
        curation first.
    exclude_labels : sequence of str, optional
        Units with one of these labels are removed.
    include_labels : sequence of str, optional
        Units that lack one of these labels are removed.
    skip_merge : bool, default False
        Merge nothing.
    verbose : optional
        Taken for compatibility.

    Returns
    -------
    BaseSorting or SortingAnalyzer
        Merged units are named by their units, joined by dashes.

    Raises
    ------
    ParameterError
        If it is no JSON file, labels are both excluded and included, or there is no such label.
    CurationError
        If it is no curation of these units.
    """
    del verbose
    if exclude_labels is not None and include_labels is not None:
        msg = "Give exclude_labels or include_labels, not both."
        raise ParameterError(msg)
    path = Path(uri_or_json)
    if path.suffix != ".json" or str(uri_or_json).startswith(("gh://", "sha1://", "jot://")):
        msg = (
            f"{str(uri_or_json)!r} is no JSON file. Links of sortingview are not followed: "
            "download the curation, and give the path of the file."
        )
        raise ParameterError(msg)
    given = json.loads(path.read_text(encoding="utf-8"))
    curation = curation_from_dict({**given, "unit_ids": sorting_or_analyzer.unit_ids.tolist()})
    removed = _removed(curation, exclude_labels, include_labels)
    merges = []
    for merge in () if skip_merge else curation.merges:
        left = [unit_id for unit_id in merge.unit_ids if unit_id not in removed]
        if len(left) > 1:
            merges.append(Merge(left))
    curation = replace(curation, merges=merges, removed=list(removed))
    return apply_curation(sorting_or_analyzer, curation, new_id_strategy="join")


def _removed(
    curation: Curation, excluded: Sequence[str] | None, included: Sequence[str] | None
) -> dict[UnitId, None]:
    """Return the units to remove, in the order of all units."""
    asked = set(excluded or ()) | set(included or ())
    known = {one for each in curation.label_definitions.values() for one in each.label_options}
    if asked - known:
        msg = f"The curation has the labels {sorted(known)}, not {sorted(asked - known)}."
        raise ParameterError(msg)
    labels_of: dict[UnitId, set[str]] = {unit_id: set() for unit_id in curation.unit_ids}
    for one in curation.manual_labels:
        for labels in one.labels.values():
            labels_of[one.unit_id].update(labels)
    return {
        unit_id: None
        for unit_id, labels in labels_of.items()
        if labels & set(excluded or ()) or set(included or ()) - labels
    }
