"""What is known of units, as columns with descriptions: locations, metrics and properties."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError, UnknownNameError
from spikeloom.metrics.catalogue import metrics_of_family
from spikeloom.metrics.metric import Column, Family

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

METRIC_TABLES: dict[str, Family] = {
    "quality_metrics": "quality",
    "template_metrics": "template",
    "spiketrain_metrics": "spiketrain",
}
"""Extensions that hold tables of metrics, and the family of these."""


@dataclass(frozen=True, slots=True, eq=False)
class UnitColumn:
    """A value, or several, for each unit."""

    name: str
    """What it is called."""
    values: NDArray[Any]
    """Shape (n_units, …); numbers, booleans or text (dtype object)."""
    description: str
    """What it says, in a sentence."""
    unit: str = ""
    """Unit of its values; empty for none."""
    origin: str = "property"
    """"property", or the extension that it is from."""

    @property
    def full_description(self) -> str:
        """What it says, and in which unit."""
        return f"{self.description} In {self.unit}." if self.unit else self.description


def sorting_and_analyzer(given: Any) -> "tuple[BaseSorting, SortingAnalyzer | None]":
    """Return a sorting, and the analyzer that it is of if one is given.

    Raises
    ------
    ParameterError
        If neither a sorting nor a SortingAnalyzer is given.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting_and_analyzer(NumpySorting.from_unit_dict({"a": [10]}, 30000.0))[1] is None
    True
    """
    from spikeloom.analyzer.analyzer import SortingAnalyzer  # noqa: PLC0415 - not for a sorting

    if isinstance(given, BaseSorting):
        return given, None
    if isinstance(given, SortingAnalyzer):
        return given.sorting, given
    msg = f"A sorting or a SortingAnalyzer is needed; got {type(given).__name__}."
    raise ParameterError(msg)


def property_columns(
    sorting: BaseSorting, names: Iterable[str] | None = None, taken: Iterable[str] = ()
) -> list[UnitColumn]:
    """Return properties of units as columns.

    Parameters
    ----------
    sorting : BaseSorting
        The units.
    names : iterable of str, optional
        Properties; all by default.
    taken : iterable of str
        Names that are those of other columns: a property of such a name is called
        ``<name>_property``.

    Raises
    ------
    UnknownNameError
        If there is no such property.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10], "b": [20]}, 30000.0)
    >>> sorting.set_property("quality", ["good", "noise"])
    >>> [column.values.tolist() for column in property_columns(sorting)]
    [['good', 'noise']]
    """
    used = set(taken)
    columns = []
    for key in sorting.get_property_keys() if names is None else names:
        values = sorting.get_property(key)
        if values is None:
            known = ", ".join(sorting.get_property_keys()) or "none"
            msg = f"The units have no property {key!r}. There are: {known}."
            raise UnknownNameError(msg)
        name = str(key)
        while name in used:
            name += "_property"
        used.add(name)
        columns.append(UnitColumn(name, _plain(values), f"Property {key!r} of the units."))
    return columns


def metric_columns(
    analyzer: "SortingAnalyzer", extension_names: Sequence[str] = tuple(METRIC_TABLES)
) -> list[UnitColumn]:
    """Return the metrics that were computed as columns.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        The units and what is known of them.
    extension_names : sequence of str
        Which tables; of a metric that is in several, the first counts.
    """
    columns: dict[str, UnitColumn] = {}
    for extension_name in extension_names:
        extension = analyzer.get_loaded(extension_name)
        if extension is None:
            continue
        known = _known_columns(METRIC_TABLES[extension_name])
        table = extension.get_data()
        rows = table if len(table) == analyzer.get_num_units() else table.reindex(analyzer.unit_ids)
        for key in rows.columns:
            name = str(key)
            described = known.get(name, Column(dtype=float, description=f"{name} of the units."))
            column = UnitColumn(
                name,
                _of_table(rows[key]),
                described.description,
                described.unit,
                extension_name,
            )
            columns.setdefault(name, column)
    return list(columns.values())


def location_columns(analyzer: "SortingAnalyzer") -> list[UnitColumn]:
    """Return where units are, if that was computed: columns ``x``, ``y`` and perhaps ``z``."""
    extension = analyzer.get_loaded("unit_locations")
    if extension is None:
        return []
    positions_um = np.asarray(extension.get_data(), np.float64)
    return [
        UnitColumn(
            axis,
            positions_um[:, k],
            f"Estimated position of the unit along {axis} of the probe.",
            "um",
            "unit_locations",
        )
        for k, axis in enumerate("xyz"[: positions_um.shape[1]])
    ]


def _known_columns(family: Family) -> dict[str, Column]:
    return {
        name: column
        for metric in metrics_of_family(family)
        for name, column in metric.columns.items()
    }


def _of_table(column: Any) -> NDArray[Any]:
    """Return a column of a table; NaN, or no text, where nothing is."""
    kind = column.dtype.kind
    if kind in "bui" and not column.isna().any():
        return np.asarray(column.to_numpy({"b": bool, "u": np.uint64, "i": np.int64}[kind]))
    if kind in "buif":
        return np.asarray(column.to_numpy(np.float64, na_value=np.nan))
    values = np.empty(len(column), object)
    values[:] = ["" if is_na else one for one, is_na in zip(column, column.isna(), strict=True)]
    return _plain(values)


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers and booleans as they are; anything else as text, none where nothing is."""
    if values.dtype.kind in "biuf":
        return values
    listed = values.astype(object).ravel() if values.dtype.names is None else values
    text = np.empty(len(listed), object)
    text[:] = ["" if one is None or one != one else str(one) for one in listed]
    return text if values.dtype.names is not None else text.reshape(values.shape)
