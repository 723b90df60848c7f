"""Labels of units as columns: those of a curation, and those that thresholds give."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.curation.curation_format import as_curation
from spikeloom.curation.curation_model import Curation
from spikeloom.errors import CurationError, ParameterError

if TYPE_CHECKING:
    import pandas as pd

_THRESHOLD_KEYS = {"greater", "less", "abs"}


def curation_label_to_vectors(
    curation_dict_or_model: Mapping[str, Any] | Curation,
) -> dict[str, NDArray[Any]]:
    """Return the labels of all units as columns.

    Parameters
    ----------
    curation_dict_or_model : mapping or Curation
        A curation.

    Returns
    -------
    dict of str to ndarray of shape (n_units,)
        For exclusive labels one column of text, by the category, ``""`` where there is none; for
        others one of truth values for each label, by the label.

    Raises
    ------
    CurationError
        If it is no curation, or two columns have one name.

    Examples
    --------
    >>> labels = {"q": {"label_options": ["good", "bad"], "exclusive": True}}
    >>> of_units = [{"unit_id": 1, "q": ["bad"]}]
    >>> curation_label_to_vectors({
    ...     "format_version": "2",
    ...     "unit_ids": [0, 1],
    ...     "label_definitions": labels,
    ...     "manual_labels": of_units,
    ... })
    {'q': array(['', 'bad'], dtype='<U3')}
    """
    curation = as_curation(curation_dict_or_model)
    if not isinstance(curation, Curation):
        msg = "Labels are of one curation; take one of the steps."
        raise CurationError(msg)
    place = {unit: k for k, unit in enumerate(curation.unit_ids)}
    columns: dict[str, NDArray[Any]] = {}
    for name, definition in curation.label_definitions.items():
        names = [name] if definition.exclusive else list(definition.label_options)
        taken = [one for one in names if one in columns]
        if taken:
            msg = f"There are several columns of labels named {taken[:3]}; rename one."
            raise CurationError(msg)
        labels = [(place[one.unit_id], one.labels.get(name, [])) for one in curation.manual_labels]
        if definition.exclusive:
            text = [""] * len(place)
            for position, given in labels:
                text[position] = given[0] if given else text[position]
            columns[name] = np.array(text, dtype=None if text else "<U1")
            continue
        for option in names:
            columns[option] = np.zeros(len(place), bool)
        for position, given in labels:
            for label in given:
                columns[label][position] = True
    return columns


def curation_label_to_dataframe(
    curation_dict_or_model: Mapping[str, Any] | Curation,
) -> "pd.DataFrame":
    """Return `curation_label_to_vectors` as a pandas table, with units as rows."""
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    curation = as_curation(curation_dict_or_model)
    columns = curation_label_to_vectors(curation)  # type: ignore[arg-type]
    return pd.DataFrame(columns, index=curation.unit_ids)  # type: ignore[union-attr]


def get_labeling_summary(
    unit_labels: ArrayLike, possible_labels: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return how many units have each label.

    Parameters
    ----------
    unit_labels : array_like of shape (n_units,)
        Label of each unit.
    possible_labels : sequence of str, optional
        All labels that there are; those that occur by default.

    Returns
    -------
    dict
        ``total_units``, ``counts`` by label, and ``percentages`` by label, to one decimal.

    Raises
    ------
    ParameterError
        If a unit has another label.

    Examples
    --------
    >>> get_labeling_summary(["good", "noise", "good"])["counts"]
    {'good': 2, 'noise': 1}
    """
    labels, n_units = np.unique(np.asarray(unit_labels), return_counts=True)
    known = labels.tolist() if possible_labels is None else list(possible_labels)
    strange = [label for label in labels.tolist() if label not in known]
    if strange:
        msg = f"Units have the labels {strange[:5]}, which are none of {known}."
        raise ParameterError(msg)
    found = dict(zip(labels.tolist(), n_units.tolist(), strict=True))
    total = int(n_units.sum())
    counts = {label: found.get(label, 0) for label in known}
    return {
        "total_units": total,
        "counts": counts,
        "percentages": {k: round(100 * n / total, 1) if total else 0 for k, n in counts.items()},
    }


def threshold_metrics_label_units(  # noqa: PLR0917 - as SpikeInterface has it
    metrics: "pd.DataFrame",
    thresholds: Mapping[str, Mapping[str, Any]] | str | Path,
    pass_label: str = "good",
    fail_label: str = "noise",
    operator: Literal["and", "or"] = "and",
    nan_policy: Literal["fail", "pass", "ignore"] = "fail",
    column_name: str = "label",
) -> "pd.DataFrame":
    """Label units by thresholds of their metrics.

    Parameters
    ----------
    metrics : DataFrame
        Metrics, with units as rows.
    thresholds : mapping of str to mapping, or path of a JSON file with one
        For a metric, the least value that passes (``greater``), the largest (``less``), or both;
        ``abs`` takes the absolute value first. None or NaN is no threshold.
    pass_label, fail_label : str
        The labels.
    operator : {"and", "or"}
        Whether a unit has to pass all thresholds, or one.
    nan_policy : {"fail", "pass", "ignore"}
        What a metric that is NaN does. Ignored, it says nothing: a unit with no other metrics
        passes for "and", and fails for "or".
    column_name : str, default "label"
        Name of the column.

    Returns
    -------
    DataFrame
        One column, with units as rows.

    Raises
    ------
    ParameterError
        If a metric is not in the table, or an argument makes no sense.

    Examples
    --------
    >>> import pandas as pd
    >>> metrics = pd.DataFrame({"snr": [3.0, 9.0]}, index=["a", "b"])
    >>> threshold_metrics_label_units(metrics, {"snr": {"greater": 5}})["label"].tolist()
    ['noise', 'good']
    """
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    limits = _checked_thresholds(metrics, thresholds)
    for name, value, allowed in [
        ("operator", operator, ("and", "or")),
        ("nan_policy", nan_policy, ("fail", "pass", "ignore")),
    ]:
        if value not in allowed:
            msg = f"{name} is one of {', '.join(allowed)}; got {value!r}."
            raise ParameterError(msg)
    is_all = operator == "and"
    passes = np.full(len(metrics), is_all or not limits)
    for name, limit in limits.items():
        values = np.asarray(metrics[name].to_numpy(dtype=np.float64, na_value=np.nan))
        is_nan = np.isnan(values)
        is_inside = _is_inside(np.abs(values) if limit.get("abs") else values, limit)
        is_inside[is_nan] = {"fail": False, "pass": True, "ignore": is_all}[nan_policy]
        passes = passes & is_inside if is_all else passes | is_inside
    labels = np.where(passes, pass_label, fail_label).astype(object)
    return pd.DataFrame({column_name: labels}, index=metrics.index)


def _is_inside(values: NDArray[np.float64], limit: Mapping[str, Any]) -> NDArray[np.bool_]:
    is_inside = np.ones(len(values), bool)
    if not _is_off(limit.get("greater")):
        is_inside &= values >= limit["greater"]
    if not _is_off(limit.get("less")):
        is_inside &= values <= limit["less"]
    return is_inside


def _is_off(limit: float | None) -> bool:
    return limit is None or math.isnan(limit)


def _checked_thresholds(
    metrics: "pd.DataFrame", given: Mapping[str, Mapping[str, Any]] | str | Path
) -> dict[str, Mapping[str, Any]]:
    """Return the thresholds that say something."""
    thresholds = given
    if isinstance(given, str | Path):
        thresholds = json.loads(Path(given).read_text(encoding="utf-8"))
    if not isinstance(thresholds, Mapping):
        msg = f"Thresholds are a dictionary or a JSON file with one; got {type(given).__name__}."
        raise ParameterError(msg)
    missing = [name for name in thresholds if name not in metrics.columns]
    if missing:
        msg = f"The metrics {missing} are not in the table, which has {list(metrics.columns)}."
        raise ParameterError(msg)
    for name, limit in thresholds.items():
        strange = sorted(set(limit) - _THRESHOLD_KEYS)
        if strange:
            msg = f"The threshold of {name!r} has {strange}; it takes 'greater', 'less' and 'abs'."
            raise ParameterError(msg)
    return {
        name: limit
        for name, limit in thresholds.items()
        if not (_is_off(limit.get("greater")) and _is_off(limit.get("less")))
    }
