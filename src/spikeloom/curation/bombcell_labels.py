"""Labels of units by the thresholds of Bombcell: noise, multi-unit, not of a soma, or good."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.curation.unit_labels import threshold_metrics_label_units
from spikeloom.errors import ParameterError
from spikeloom.storage.atomic import write_atomic

if TYPE_CHECKING:
    import pandas as pd

Thresholds = Mapping[str, Mapping[str, Any]]
"""Least and largest value of each metric, as for `threshold_metrics_label_units`."""

_SECTIONS = ("noise", "mua", "non-somatic")
_NO_VALUE_IS_BAD = frozenset({"sliding_rp_violation"})
"""Metrics that have no value where no contamination could be excluded, rather than by chance."""
_NARROW = ("peak_before_width", "trough_width")
_LARGE_RATIO = ("peak_before_to_trough_ratio", "peak_before_to_peak_after_ratio")
_LARGE_PEAK = ("main_peak_to_trough_ratio",)


def bombcell_get_default_thresholds() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the thresholds of Bombcell, by section and metric.

    Returns
    -------
    dict of section to dict of metric to dict
        Sections "noise", "mua" and "non-somatic"; for a metric the least value that passes
        (``greater``), the largest (``less``), None for no limit, and ``abs`` for absolute values.
        In the units of the columns of the metrics.

    References
    ----------
    Fabre et al. 2023, Bombcell, doi:10.5281/zenodo.8172821.

    Examples
    --------
    >>> bombcell_get_default_thresholds()["mua"]["snr"]
    {'greater': 5, 'less': None}
    """

    def between(greater: float | None, less: float | None, **more: bool) -> dict[str, Any]:
        return {"greater": greater, "less": less, **more}

    return {
        "noise": {
            "num_positive_peaks": between(None, 2),
            "num_negative_peaks": between(None, 1),
            "peak_to_trough_duration": between(0.0001, 0.00115),
            "waveform_baseline_flatness": between(None, 0.5),
            "peak_after_to_trough_ratio": between(None, 0.8),
            "exp_decay": between(0.01, 0.1),
        },
        "mua": {
            "amplitude_median": between(30, None, abs=True),
            "snr": between(5, None),
            "amplitude_cutoff": between(None, 0.2),
            "num_spikes": between(300, None),
            "sliding_rp_violation": between(None, 0.1),
            "presence_ratio": between(0.7, None),
            "drift_ptp": between(None, 100),
            "isolation_distance": between(20, None),
            "l_ratio": between(None, 0.3),
        },
        "non-somatic": {
            "peak_before_to_trough_ratio": between(None, 3),
            "peak_before_width": between(0.00015, None),
            "trough_width": between(0.0002, None),
            "peak_before_to_peak_after_ratio": between(None, 3),
            "main_peak_to_trough_ratio": between(None, 0.8),
        },
    }


def bombcell_label_units(
    sorting_analyzer: Any = None,  # noqa: ANN401 - analyzers are above this room
    thresholds: Mapping[str, Thresholds] | str | Path | None = None,
    *,
    split_non_somatic: bool = False,
    external_metrics: "pd.DataFrame | Sequence[pd.DataFrame] | None" = None,
) -> "pd.DataFrame":
    """Label units as noise, multi-unit activity, not of a soma, or good.

    A unit that fails one threshold of "noise" is noise; noise has to have values. Of the others,
    one that fails a threshold of "mua" is multi-unit activity, where metrics without a value say
    nothing (but that of sliding refractory periods, which has none for a bad unit). Of what is not
    noise, a unit is not of a soma if both its first peak and its trough are narrow and one of the
    ratios of the first peak is large, or if the main peak is large beside the trough, or if it
    fails all thresholds of other metrics in the section "non-somatic".

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer, optional
        With metrics of quality and of templates, computed before.
    thresholds : mapping of section to mapping, or path of a JSON file with one, optional
        See `bombcell_get_default_thresholds`, which are the default. A section that is empty or
        left out labels nothing.
    split_non_somatic : bool, default False
        Say of units that are not of a soma whether they are good, too.
    external_metrics : DataFrame or sequence of DataFrame, optional
        Metrics with units as rows, instead of those of the analyzer.

    Returns
    -------
    DataFrame
        With units as rows, and the column ``bombcell_label``: "noise", "mua", "good", and
        "non_soma", or "non_soma_good" and "non_soma_mua".

    Raises
    ------
    ParameterError
        If there are no metrics, or a threshold makes no sense.

    Warns
    -----
    UserWarning
        If there are thresholds for metrics that were not computed; they are left out.

    References
    ----------
    Fabre et al. 2023, Bombcell, doi:10.5281/zenodo.8172821.

    Examples
    --------
    >>> import pandas as pd
    >>> metrics = pd.DataFrame({"snr": [9.0, 2.0], "num_positive_peaks": [1, 1]}, index=["a", "b"])
    >>> limits = {"noise": {"num_positive_peaks": {"less": 2}}, "mua": {"snr": {"greater": 5}}}
    >>> bombcell_label_units(external_metrics=metrics, thresholds=limits)["bombcell_label"].tolist()
    ['good', 'mua']
    """
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    metrics = _metrics_of(sorting_analyzer, external_metrics)
    limits = _known_thresholds(metrics, thresholds)
    is_noise = _fails(metrics, limits["noise"])
    strict = {name: limits["mua"].pop(name) for name in _NO_VALUE_IS_BAD & set(limits["mua"])}
    is_mua = _fails(metrics, limits["mua"], nan_policy="ignore") | _fails(metrics, strict)
    is_not_of_soma = _is_not_of_soma(metrics, limits["non-somatic"])
    labels = np.where(is_mua, "mua", "good").astype(object)
    elsewhere = np.full(len(labels), "non_soma", object)
    if split_non_somatic:
        elsewhere = np.where(is_mua, "non_soma_mua", "non_soma_good").astype(object)
    labels = np.where(is_not_of_soma, elsewhere, labels)
    labels = np.where(is_noise, "noise", labels)
    return pd.DataFrame({"bombcell_label": labels.astype(object)}, index=metrics.index)


def save_bombcell_results(  # noqa: PLR0917 - as SpikeInterface has it
    metrics: "pd.DataFrame",
    unit_label: ArrayLike,
    thresholds: Mapping[str, Thresholds],
    folder: str | Path,
    save_narrow: bool = True,  # noqa: FBT001, FBT002 - as SpikeInterface has it
    save_wide: bool = True,  # noqa: FBT001, FBT002 - as SpikeInterface has it
) -> None:
    """Write labels and metrics as CSV files.

    Parameters
    ----------
    metrics : DataFrame
        Metrics, with units as rows.
    unit_label : array_like of shape (n_units,)
        Label of each unit.
    thresholds : mapping of section to mapping
        As for `bombcell_label_units`.
    folder : str or Path
        Where; made if it is not there.
    save_narrow : bool, default True
        Write ``labeling_results_narrow.csv``: a row for each unit and each metric that has a
        threshold, with its value, the limits, and whether it passed.
    save_wide : bool, default True
        Write ``labeling_results_wide.csv``: a row for each unit.
    """
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    labels = np.asarray(unit_label)
    if save_wide:
        wide = metrics.copy()
        wide.insert(0, "label", labels)
        write_atomic(place / "labeling_results_wide.csv", wide.to_csv().encode())
    if not save_narrow:
        return
    limits = {name: limit for part in thresholds.values() for name, limit in part.items()}
    columns = []
    for name in metrics.columns:
        if name in limits:
            of_metric = pd.DataFrame({"unit_id": metrics.index, "label": labels})
            of_metric["metric_name"] = name
            of_metric["value"] = metrics[name].to_numpy(float, na_value=np.nan)
            of_metric["threshold_min"] = limits[name].get("greater")
            of_metric["threshold_max"] = limits[name].get("less")
            of_metric["passed"] = ~_fails(metrics, {name: limits[name]})
            columns.append(of_metric.astype({"threshold_min": float, "threshold_max": float}))
    narrow = pd.concat(columns).sort_index(kind="stable") if columns else pd.DataFrame()
    write_atomic(place / "labeling_results_narrow.csv", narrow.to_csv(index=False).encode())


def _metrics_of(
    analyzer: Any,  # noqa: ANN401 - analyzers are above this room
    external: "pd.DataFrame | Sequence[pd.DataFrame] | None",
) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    if external is not None:
        tables = [external] if isinstance(external, pd.DataFrame) else list(external)
        return pd.concat(tables, axis=1)
    if analyzer is None:
        msg = "There are no metrics: give an analyzer that has them, or external_metrics."
        raise ParameterError(msg)
    metrics: pd.DataFrame = analyzer.get_metrics_extension_data()
    if metrics.empty:
        msg = (
            "The analyzer has no metrics: call analyzer.compute(['template_metrics', "
            "'quality_metrics']) first."
        )
        raise ParameterError(msg)
    return metrics


def _known_thresholds(
    metrics: "pd.DataFrame", given: Mapping[str, Thresholds] | str | Path | None
) -> dict[str, dict[str, Mapping[str, Any]]]:
    thresholds: Any = given
    if given is None:
        thresholds = bombcell_get_default_thresholds()
    elif isinstance(given, str | Path):
        thresholds = json.loads(Path(given).read_text(encoding="utf-8"))
    if not isinstance(thresholds, Mapping) or set(thresholds) - set(_SECTIONS):
        msg = f"Thresholds are a dictionary with the sections {', '.join(_SECTIONS)}; got {given}."
        raise ParameterError(msg)
    missing = [name for part in thresholds.values() for name in part if name not in metrics.columns]
    if missing:
        message = (
            f"These metrics were not computed, and say nothing about the labels: "
            f"{', '.join(missing)}. Compute them first, or leave them out of the thresholds."
        )
        warnings.warn(message, UserWarning, stacklevel=3)
    return {
        section: {
            name: limit
            for name, limit in (thresholds.get(section) or {}).items()
            if name in metrics.columns
        }
        for section in _SECTIONS
    }


def _fails(
    metrics: "pd.DataFrame",
    thresholds: Thresholds,
    *,
    operator: Literal["and", "or"] = "and",
    nan_policy: Literal["fail", "ignore"] = "fail",
) -> NDArray[np.bool_]:
    """Tell which units do not pass all thresholds, or with "or" none of them."""
    if not thresholds:
        return np.zeros(len(metrics), bool)
    labels = threshold_metrics_label_units(
        metrics, thresholds, "good", "bad", operator=operator, nan_policy=nan_policy
    )
    return np.asarray(labels["label"].to_numpy() == "bad", bool)


def _is_not_of_soma(metrics: "pd.DataFrame", thresholds: Thresholds) -> NDArray[np.bool_]:
    def fails(names: Sequence[str], operator: Literal["and", "or"]) -> NDArray[np.bool_]:
        chosen = {name: thresholds[name] for name in names if name in thresholds}
        return _fails(metrics, chosen, operator=operator, nan_policy="ignore")

    others = [name for name in thresholds if name not in {*_NARROW, *_LARGE_RATIO, *_LARGE_PEAK}]
    is_small_and_early = fails(_NARROW, "or") & fails(_LARGE_RATIO, "and")
    return is_small_and_early | fails(_LARGE_PEAK, "and") | fails(others, "or")
