"""What an analyzer knows of its units, as the tables of a phy dataset."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.extractors.cluster_tables import table_name
from spikeloom.storage.delimited import format_table

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

_OF_PHY = frozenset({"num_spikes", "firing_rate"})
"""Metrics that phy computes itself."""

_IDS_FILE = "cluster_si_unit_ids.tsv"


def unit_tables(
    analyzer: "SortingAnalyzer",
    units: NDArray[np.int64],
    unit_groups: NDArray[Any],
    *,
    extension_names: Sequence[str],
    properties: Iterable[str],
) -> dict[str, bytes]:
    """Return the contents of the tables of a phy dataset, by file name.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The units and what is known of them.
    units : ndarray of shape (n_clusters,)
        Position of the unit of each cluster.
    unit_groups : ndarray of shape (n_clusters,)
        Group of channels of each.
    extension_names : sequence of str
        Extensions whose tables of metrics are taken, if they were computed.
    properties : iterable of str
        Properties of units to take; without those that there are not.
    """
    fields: dict[str, Iterable[Any]] = {}
    for name in extension_names:
        extension = analyzer.get_loaded(name)
        if extension is not None:
            fields |= _metrics(extension.get_data(), analyzer.unit_ids, units)
    for key in properties:
        values = analyzer.get_sorting_property(key)
        # What phy calls group is not a group of channels, which is written anyway.
        if values is not None and key != "group":
            fields[key] = values[units]
    tables = {table_name(name): _table(name, values) for name, values in fields.items()}
    tables[table_name("group")] = _table("group", ["unsorted"] * len(units))
    tables[table_name("channel_group")] = _table("channel_group", unit_groups)
    tables[_IDS_FILE] = _table("si_unit_id", analyzer.unit_ids[units])
    return tables


def _metrics(table: Any, unit_ids: NDArray[Any], units: NDArray[np.int64]) -> dict[str, Any]:
    rows = table if len(table) == len(unit_ids) else table.reindex(unit_ids)
    rows = rows.iloc[units]
    return {str(name): list(rows[name]) for name in rows.columns if name not in _OF_PHY}


def _table(name: str, values: Iterable[Any]) -> bytes:
    return format_table(["cluster_id", name], enumerate(map(_cell, values)))


def _cell(value: Any) -> object:
    """Return what is written for a value: nothing where there is none."""
    plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    is_absent = isinstance(plain, float) and math.isnan(plain)
    # By name, as pandas is large, and need not be there for units without tables.
    if is_absent or type(plain).__name__ in {"NAType", "NaTType"}:
        return None
    return plain
