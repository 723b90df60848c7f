"""When units are well isolated: periods with few foreign and few missing spikes."""

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.analyzer.extension import AnalyzerExtension, register_result_extension
from spikeloom.analyzer.unit_rows import flat_ids, places_of
from spikeloom.core.class_names import stored_as
from spikeloom.core.joined_periods import Periods, joined_periods, sorted_periods
from spikeloom.core.spike_selection import (
    cast_periods_to_unit_period_dtype,
    remap_unit_indices_in_vector,
)
from spikeloom.core.spike_vector import unit_period_dtype
from spikeloom.errors import MissingExtensionError, ParameterError
from spikeloom.postprocessing.unit_periods import (
    common_periods,
    contaminations,
    cut_into_periods,
    long_periods,
    missing_parts,
)

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

METHODS = ("false_positives_and_negatives", "user_defined", "combined")
Rates = NDArray[np.float64]


@register_result_extension
@stored_as("spikeinterface.postprocessing.valid_unit_periods.ComputeValidUnitPeriods")
class ComputeValidUnitPeriods(AnalyzerExtension):
    """Periods in which units have few foreign spikes and miss few of their own.

    Parameters
    ----------
    method : str, default "false_positives_and_negatives"
        Or "user_defined", for periods that are given; or "combined", for what is in both.
    period_duration_s_absolute : float, default 30
        Length of a period in seconds.
    period_target_num_spikes : int, default 300
        Spikes in a period, on average over the recording.
    period_mode : {"absolute", "relative"}, default "absolute"
        Which of these two counts.
    relative_margin_size : float, default 1
        Rates of a period are those in it and in a margin on either side, of so many periods.
    fp_threshold, fn_threshold : float, default 0.1
        Rates of foreign and of missing spikes in valid periods are less.
    minimum_n_spikes : int, default 100
        Periods with fewer spikes, margins included, are not valid.
    minimum_valid_period_duration : float, default 180
        Valid periods that meet are joined, and then left out if they are shorter, in seconds.
    min_num_periods_relative : int, default 5
        Periods of a segment at least, for "relative".
    user_defined_periods : array_like, optional
        See `spikeloom.cast_periods_to_unit_period_dtype`.
    refractory_period_ms : float, default 0.8
        No two spikes of a neuron are closer.
    censored_period_ms : float, default 0
        No two spikes are detected that are closer.
    num_histogram_bins : int, default 50
        Bins of the histogram of amplitudes.
    histogram_smoothing_value : float, default 3
        Standard deviation of the Gaussian that smooths it, in bins.
    amplitudes_bins_min_ratio : float, default 5
        Periods with fewer spikes per bin are not valid.

    Notes
    -----
    The data ``valid_unit_periods`` and ``all_periods`` are of dtype `unit_period_dtype`, in order
    of segment, unit and first sample; ``fps`` and ``fns`` (float64) are the rates of all periods, 1
    where there are too few spikes. The last three are there unless all is "user_defined".
    """

    extension_name: ClassVar[str] = "valid_unit_periods"

    _user_periods: Periods | None = None

    @classmethod
    def get_required_dependencies(cls, **params: Any) -> list[str]:
        """Return ``amplitude_scalings``, unless periods are given."""
        method = params.get("method", METHODS[0])
        return [] if method == "user_defined" else ["amplitude_scalings"]

    def _set_params(
        self,
        method: str = "false_positives_and_negatives",
        period_duration_s_absolute: float = 30.0,
        period_target_num_spikes: int = 300,
        period_mode: str = "absolute",
        relative_margin_size: float = 1.0,
        fp_threshold: float = 0.1,
        fn_threshold: float = 0.1,
        minimum_n_spikes: int = 100,
        minimum_valid_period_duration: float = 180,
        min_num_periods_relative: int = 5,
        user_defined_periods: ArrayLike | None = None,
        refractory_period_ms: float = 0.8,
        censored_period_ms: float = 0.0,
        num_histogram_bins: int = 50,
        histogram_smoothing_value: float = 3,
        amplitudes_bins_min_ratio: float = 5,
    ) -> dict[str, Any]:
        if method not in METHODS:
            msg = f"method must be one of {', '.join(METHODS)}; got {method!r}."
            raise ParameterError(msg)
        if period_mode not in {"absolute", "relative"}:
            msg = f"period_mode must be 'absolute' or 'relative'; got {period_mode!r}."
            raise ParameterError(msg)
        if not (period_duration_s_absolute > 0 and period_target_num_spikes > 0):
            msg = "period_duration_s_absolute and period_target_num_spikes must be above 0."
            raise ParameterError(msg)
        if not refractory_period_ms > censored_period_ms >= 0:
            msg = (
                f"refractory_period_ms={refractory_period_ms} has to be longer than "
                f"censored_period_ms={censored_period_ms}, which is not negative."
            )
            raise ParameterError(msg)
        if method == "user_defined" and user_defined_periods is None:
            msg = "method='user_defined' needs user_defined_periods."
            raise ParameterError(msg)
        if method == "combined" and user_defined_periods is None:
            message = "Without user_defined_periods, 'combined' is 'false_positives_and_negatives'."
            warnings.warn(message, UserWarning, stacklevel=2)
            method = METHODS[0]
        if user_defined_periods is not None:
            self._user_periods = self._checked(user_defined_periods, minimum_valid_period_duration)
        return {
            "method": method,
            "period_duration_s_absolute": period_duration_s_absolute,
            "period_target_num_spikes": period_target_num_spikes,
            "period_mode": period_mode,
            "relative_margin_size": relative_margin_size,
            "min_num_periods_relative": min_num_periods_relative,
            "fp_threshold": fp_threshold,
            "fn_threshold": fn_threshold,
            "minimum_n_spikes": minimum_n_spikes,
            "minimum_valid_period_duration": minimum_valid_period_duration,
            "refractory_period_ms": refractory_period_ms,
            "censored_period_ms": censored_period_ms,
            "num_histogram_bins": num_histogram_bins,
            "histogram_smoothing_value": histogram_smoothing_value,
            "amplitudes_bins_min_ratio": amplitudes_bins_min_ratio,
        }

    def _checked(self, given: ArrayLike, minimum_s: float) -> Periods:
        analyzer = self.sorting_analyzer
        periods = cast_periods_to_unit_period_dtype(given)
        n_samples = int(minimum_s * analyzer.sampling_frequency)
        if len(long_periods(periods, n_samples)) < len(periods):
            msg = f"All user_defined_periods must be at least {minimum_s} seconds long."
            raise ParameterError(msg)
        limits = {
            "unit_index": analyzer.get_num_units(),
            "segment_index": analyzer.get_num_segments(),
        }
        for name, limit in limits.items():
            if ((periods[name] < 0) | (periods[name] >= limit)).any():
                msg = f"A {name} of user_defined_periods is not from 0 to {limit - 1}."
                raise ParameterError(msg)
        return sorted_periods(periods)[0]

    # -- computing ---------------------------------------------------------------------------

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002
        every = np.arange(self.sorting_analyzer.get_num_units())
        data = self._computed(self.sorting_analyzer, every, self._user_periods)
        # With the data they are saved, and follow their units when these are merged.
        if self._method == "combined" and self._user_periods is not None:
            data["user_defined_periods"] = self._user_periods
        self.data = data

    @property
    def _method(self) -> str:
        return str((self.params or {})["method"])

    def _computed(
        self, analyzer: "SortingAnalyzer", units: NDArray[np.int64], given: Periods | None
    ) -> dict[str, Any]:
        """Return the data of some units."""
        if self._method == "user_defined":
            return {
                "valid_unit_periods": np.zeros(0, unit_period_dtype) if given is None else given
            }
        params = self.params or {}
        periods, wide = self._cut(analyzer, units)
        fps, fns = self._rates(analyzer, units, wide)
        is_valid = (fps < params["fp_threshold"]) & (fns < params["fn_threshold"])
        valid = joined_periods(periods[is_valid])
        if self._method == "combined" and given is not None:
            valid = common_periods(valid, given)
        n_samples = int(params["minimum_valid_period_duration"] * analyzer.sampling_frequency)
        valid = long_periods(valid, n_samples)
        return {"valid_unit_periods": valid, "all_periods": periods, "fps": fps, "fns": fns}

    def _cut(
        self, analyzer: "SortingAnalyzer", units: NDArray[np.int64]
    ) -> tuple[Periods, Periods]:
        params, rate = self.params or {}, analyzer.sampling_frequency
        n_samples = [int(n) for n in analyzer.recording_info.n_samples]
        if params["period_mode"] == "absolute":
            sizes = np.full(len(units), round(params["period_duration_s_absolute"] * rate))
            n_periods = 1
        else:
            counts = np.asarray(analyzer.sorting.count_num_spikes_per_unit(outputs="array"))[units]
            target = params["period_target_num_spikes"] * sum(n_samples)
            # Units without spikes have one period, a segment.
            sizes = np.round(target / np.maximum(counts, 1)).astype(np.int64)
            n_periods = int(params["min_num_periods_relative"])
        return cut_into_periods(
            n_samples,
            np.minimum(sizes, max([*n_samples, 1])),
            params["relative_margin_size"],
            unit_indices=units,
            min_num_periods=n_periods,
        )

    def _rates(
        self, analyzer: "SortingAnalyzer", units: NDArray[np.int64], periods: Periods
    ) -> tuple[Rates, Rates]:
        """Return the rates of foreign and missing spikes in periods of some units."""
        params, per_ms = self.params or {}, analyzer.sampling_frequency / 1000
        extension = analyzer.get_extension("amplitude_scalings")
        if extension is None:
            msg = (
                "Amplitude scalings are needed: call analyzer.compute('amplitude_scalings') first."
            )
            raise MissingExtensionError(msg)
        scalings = np.asarray(extension.data["amplitude_scalings"])
        order, samples = (
            analyzer.sorting._order("unit"),
            analyzer.sorting.spike_table().sample_index,
        )
        fps, fns = np.ones(len(periods)), np.ones(len(periods))
        for segment in range(analyzer.get_num_segments()):
            in_segment = periods["segment_index"] == segment
            for unit in units.tolist():
                rows = np.flatnonzero(in_segment & (periods["unit_index"] == unit))
                spikes = order.spikes_of(unit, segment)
                train = np.asarray(samples[spikes], np.int64)
                fps[rows] = contaminations(
                    train,
                    periods[rows],
                    refractory=round(params["refractory_period_ms"] * per_ms),
                    censored=round(params["censored_period_ms"] * per_ms),
                    min_num_spikes=params["minimum_n_spikes"],
                )
                fns[rows] = missing_parts(
                    train,
                    scalings[spikes],
                    periods[rows],
                    n_bins=params["num_histogram_bins"],
                    smoothing=params["histogram_smoothing_value"],
                    min_ratio=params["amplitudes_bins_min_ratio"],
                    min_num_spikes=params["minimum_n_spikes"],
                )
        return np.nan_to_num(fps, nan=1.0), np.nan_to_num(fns, nan=1.0)

    # -- for users ---------------------------------------------------------------------------

    def _get_data(self, outputs: Literal["by_unit", "numpy"] = "by_unit") -> Any:
        """Return the valid periods.

        Parameters
        ----------
        outputs : {"by_unit", "numpy"}
            A list, by segment, of dictionaries from unit id to a list of (first sample, end); or
            an array of dtype `unit_period_dtype`.
        """
        if outputs not in {"by_unit", "numpy"}:
            msg = f"outputs must be 'by_unit' or 'numpy'; got {outputs!r}."
            raise ParameterError(msg)
        periods = np.array(self.data["valid_unit_periods"])
        if outputs == "numpy":
            return periods
        starts, ends = periods["start_sample_index"].tolist(), periods["end_sample_index"].tolist()
        ids = self.sorting_analyzer.unit_ids.tolist()
        found: list[dict[Any, list[tuple[int, int]]]] = [
            {unit_id: [] for unit_id in ids}
            for _ in range(self.sorting_analyzer.get_num_segments())
        ]
        where = zip(periods["segment_index"].tolist(), periods["unit_index"].tolist(), strict=True)
        for (segment, unit), start, end in zip(where, starts, ends, strict=True):
            found[segment][ids[unit]].append((start, end))
        return found

    def get_fps_and_fns(self, unit_ids: Sequence[Any] | None = None) -> Any:
        """Return the rates of foreign and of missing spikes in all periods.

        Parameters
        ----------
        unit_ids : list, optional
            All by default.

        Returns
        -------
        fps, fns : list of dict
            By segment, of unit id to ndarray of shape (n_periods,). None for given periods.
        """
        if "all_periods" not in self.data:
            return None, None
        return tuple(self._by_unit(np.asarray(self.data[key]), unit_ids) for key in ("fps", "fns"))

    def get_period_centers(self, unit_ids: Sequence[Any] | None = None) -> Any:
        """Return the middle of all periods, in samples; see `get_fps_and_fns`."""
        if "all_periods" not in self.data:
            return None
        periods = np.asarray(self.data["all_periods"])
        centers = (periods["start_sample_index"] + periods["end_sample_index"]) // 2
        return self._by_unit(centers, unit_ids)

    def _by_unit(
        self, values: NDArray[Any], unit_ids: Sequence[Any] | None
    ) -> list[dict[Any, NDArray[Any]]]:
        analyzer, periods = self.sorting_analyzer, np.asarray(self.data["all_periods"])
        ids = analyzer.unit_ids.tolist() if unit_ids is None else np.asarray(unit_ids).tolist()
        places = places_of(analyzer.sorting, ids).tolist()
        return [
            {
                unit_id: values[
                    (periods["segment_index"] == segment) & (periods["unit_index"] == unit)
                ]
                for unit_id, unit in zip(ids, places, strict=True)
            }
            for segment in range(analyzer.get_num_segments())
        ]

    # -- for other analyzers -----------------------------------------------------------------

    def _kept(self, unit_ids: Sequence[Any], kept: Sequence[Any] | None = None) -> dict[str, Any]:
        """Return the data of units that stay, as they are numbered in another analyzer."""
        old = self.sorting_analyzer.unit_ids
        data: dict[str, Any] = {}
        for key in ("valid_unit_periods", "user_defined_periods", "all_periods"):
            if key not in self.data:
                continue
            periods = np.asarray(self.data[key])
            remapped, mask = remap_unit_indices_in_vector(periods, old, unit_ids, kept)
            data[key], order = sorted_periods(remapped)
            if key == "all_periods":
                for rates in ("fps", "fns"):
                    data[rates] = np.asarray(self.data[rates])[mask][order]
        return data

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        return self._kept(unit_ids)

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002
        return dict(self.data)

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        keep_mask: NDArray[np.bool_] | None = None,  # noqa: ARG002
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        pairs = [
            (unit_id, new_id)
            for group, new_id in zip(merge_unit_groups, new_unit_ids, strict=True)
            for unit_id in group
        ]
        return self._changed(new_sorting_analyzer, pairs)

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        pairs = [
            (unit_id, new_id)
            for unit_id, new_ids in zip(split_units, new_unit_ids, strict=True)
            for new_id in flat_ids([new_ids])
        ]
        return self._changed(new_sorting_analyzer, pairs)

    def _changed(
        self, analyzer: "SortingAnalyzer", pairs: Sequence[tuple[Any, Any]]
    ) -> dict[str, Any]:
        """Return the data after the spikes of some units went to others, (from, to)."""
        sources = set(flat_ids([source for source, _ in pairs]))
        kept = [one for one in self.sorting_analyzer.unit_ids.tolist() if one not in sources]
        # Given periods of a unit are those of what it became.
        key = "valid_unit_periods" if self._method == "user_defined" else "user_defined_periods"
        given = np.asarray(self.data.get(key, np.zeros(0, unit_period_dtype)))
        handed = [np.zeros(0, unit_period_dtype)]
        for source, target in pairs:
            of_source = given["unit_index"] == places_of(self.sorting_analyzer.sorting, [source])[0]
            moved = given[of_source].copy()
            moved["unit_index"] = places_of(analyzer.sorting, [target])[0]
            handed.append(moved)
        data = self._kept(analyzer.unit_ids.tolist(), kept)
        new = joined_periods(np.concatenate(handed))
        targets = np.unique(places_of(analyzer.sorting, [target for _, target in pairs]))
        made = self._computed(analyzer, targets, new)
        if self._method == "combined":
            made["user_defined_periods"] = new
        together = {name: np.concatenate([data[name], made[name]]) for name in made}
        for name in ("valid_unit_periods", "user_defined_periods"):
            if name in together:
                together[name] = sorted_periods(together[name])[0]
        if "all_periods" in together:
            together["all_periods"], order = sorted_periods(together["all_periods"])
            for rates in ("fps", "fns"):
                together[rates] = together[rates][order]
        return together


compute_valid_unit_periods = ComputeValidUnitPeriods.function_factory()
