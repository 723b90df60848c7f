"""Spikes of a unit that were found twice: found, and left out."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.sorting_matching import as_sorting
from spikeloom.core.spike_selection import keep_spikes
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.errors import ParameterError

DuplicateMethod = Literal[
    "keep_first", "keep_last", "keep_first_iterative", "keep_last_iterative", "random"
]
"""Which of two spikes stays; see `find_duplicated_spikes`."""

_SEED = 0


@stored_as("spikeinterface.curation.remove_duplicated_spikes.RemoveDuplicatedSpikesSorting")
class RemoveDuplicatedSpikesSorting(BaseSorting):
    """A sorting without the spikes that follow others of their unit too closely.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    censored_period_ms : float, default 0.3
        Two spikes of a unit that are so far apart, or less, are one.
    method : str, default "keep_first"
        Which of them stays; see `find_duplicated_spikes`.
    seed : int, optional
        For the method "random"; a fixed one by default.

    Raises
    ------
    ParameterError
        If there is no such method, or the period is negative.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 14, 30], "b": [12]}, 30000.0)
    >>> RemoveDuplicatedSpikesSorting(sorting).get_unit_spike_train("a")
    array([10, 30])
    """

    def __init__(
        self,
        sorting: BaseSorting,
        censored_period_ms: float = 0.3,
        method: DuplicateMethod = "keep_first",
        seed: int | None = None,
    ) -> None:
        parent = as_sorting(sorting)
        _check(censored_period_ms, method)
        super().__init__(parent.sampling_frequency, parent.unit_ids)
        for k in range(parent.get_num_segments()):
            self.add_sorting_segment(TableSortingSegment(self, k, None))
        parent.copy_metadata(self)
        parent.copy_time_info(self)
        self._parent = parent
        self._kwargs = {
            "sorting": parent,
            "censored_period_ms": censored_period_ms,
            "method": method,
        }
        if seed is not None:
            self._kwargs["seed"] = seed

    def _make_spike_table(self) -> SpikeTable:
        table: SpikeTable = self._kwargs["sorting"].spike_table()
        groups = self._kwargs["sorting"]._order("unit")
        samples = table.sample_index[groups.order]
        is_first = np.zeros(samples.size, bool)
        begins = groups.slices[..., 0].ravel()
        is_first[begins[begins < samples.size]] = True
        period = round(self._kwargs["censored_period_ms"] * self.sampling_frequency / 1000)
        method, seed = self._kwargs["method"], self._kwargs.get("seed")
        is_dropped = _find(samples, is_first, period, method=method, seed=seed)
        if not is_dropped.any():
            return table
        keep_mask = np.ones(samples.size, bool)
        keep_mask[groups.order[is_dropped]] = False
        return keep_spikes(table, keep_mask)


def remove_duplicated_spikes(
    sorting: BaseSorting,
    censored_period_ms: float = 0.3,
    method: DuplicateMethod = "keep_first",
    seed: int | None = None,
) -> RemoveDuplicatedSpikesSorting:
    """Leave out the spikes that follow others of their unit too closely.

    See `RemoveDuplicatedSpikesSorting`.
    """
    return RemoveDuplicatedSpikesSorting(sorting, censored_period_ms, method, seed)


def find_duplicated_spikes(
    spike_train: ArrayLike,
    censored_period: int,
    method: DuplicateMethod = "random",
    seed: int | None = None,
) -> NDArray[np.int64]:
    """Find spikes of a train that are too close to others.

    Parameters
    ----------
    spike_train : array_like of shape (n_spikes,)
        Samples, not decreasing.
    censored_period : int
        Two spikes that are so many samples apart, or less, are one.
    method : str, default "random"
        "keep_first": what follows a spike too closely goes, whether that one stays or not;
        "keep_last": what precedes one too closely. "keep_first_iterative": from the first spike
        on, what follows one that stays too closely goes; "keep_last_iterative": the same from the
        last spike back. "random": from the first spike on, of two either goes.
    seed : int, optional
        For the method "random"; a fixed one by default.

    Returns
    -------
    ndarray of shape (n_duplicates,) and dtype int64
        Places in the train, increasing.

    Raises
    ------
    ParameterError
        If there is no such method, or the period is negative.

    Examples
    --------
    >>> find_duplicated_spikes([0, 4, 8, 20], 5, method="keep_first")
    array([1, 2])
    >>> find_duplicated_spikes([0, 4, 8, 20], 5, method="keep_first_iterative")
    array([1])
    """
    _check(censored_period, method)
    samples = np.array(spike_train, np.int64)
    is_first = np.zeros(samples.size, bool)
    is_first[:1] = True
    return np.flatnonzero(_find(samples, is_first, int(censored_period), method=method, seed=seed))


def _check(period: float, method: str) -> None:
    if method not in get_args(DuplicateMethod):
        msg = f"method is one of {', '.join(get_args(DuplicateMethod))}; got {method!r}."
        raise ParameterError(msg)
    if period < 0:
        msg = f"The censored period is {period}; it is not negative."
        raise ParameterError(msg)


def _find(
    samples: NDArray[np.int64],
    is_first: NDArray[np.bool_],
    period: int,
    *,
    method: str,
    seed: int | None,
) -> NDArray[np.bool_]:
    """Tell which spikes of trains that stand one after the other go."""
    if method in {"keep_first", "keep_last"}:
        is_close = np.zeros(samples.size + 1, bool)
        is_close[1:-1] = (np.diff(samples) <= period) & ~is_first[1:]
        return is_close[:-1] if method == "keep_first" else is_close[1:]
    drops_later = np.ones(samples.size, bool)
    if method == "random":
        rng = np.random.default_rng(_SEED if seed is None else seed)
        drops_later = rng.random(samples.size) < 0.5
    if method != "keep_last_iterative":
        return _dropped(samples, is_first, period, drops_later)
    is_last = np.ones(samples.size, bool)
    is_last[:-1] = is_first[1:]
    backwards = _dropped(-samples[::-1], is_last[::-1].copy(), period, drops_later)
    return backwards[::-1].copy()


def _dropped(
    samples: NDArray[np.int64],
    is_first: NDArray[np.bool_],
    period: int,
    drops_later: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    from spikeloom.kernels.close_spikes import drop_close_spikes  # noqa: PLC0415 - numba is slow

    is_dropped = np.zeros(samples.size, bool)
    drop_close_spikes(np.ascontiguousarray(samples), is_first, period, drops_later, is_dropped)
    return is_dropped
