"""What readers of sortings share: spikes in memory, times as samples, labels as properties."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.spike_building import table_from_columns
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.core.unit_conversion import SAMPLE_MAX
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.checked_numbers import first_number

_PUTTING_IN_ORDER = Lock()
"""Two threads that ask for the same spikes at once must not both move them."""


class ListedSpikesSorting(BaseSorting):
    """A sorting whose file was read into columns: a sample and a unit for each spike.

    Parameters
    ----------
    sampling_frequency : float
        In Hz.
    unit_ids : array_like of shape (n_units,)
        Whole numbers or strings.
    samples : ndarray of shape (n_spikes,) and dtype int64
        Sample of each spike, in any order. This and the next are taken over, and put in order
        where they lie.
    unit_indices : ndarray of shape (n_spikes,)
        Position of its unit in `unit_ids`.
    segment_indices : ndarray of shape (n_spikes,), optional
        Segment of each spike; all are of one by default.
    t_starts : list of float or None
        Time of sample 0 of each segment in seconds, None where it is not known.
    """

    def __init__(
        self,
        sampling_frequency: float,
        unit_ids: ArrayLike,
        samples: NDArray[np.int64],
        unit_indices: NDArray[Any],
        segment_indices: NDArray[Any] | None = None,
        t_starts: Sequence[float | None] = (None,),
    ) -> None:
        super().__init__(sampling_frequency, unit_ids)
        self._columns = (samples, unit_indices, segment_indices)
        for k, t_start in enumerate(t_starts):
            self.add_sorting_segment(TableSortingSegment(self, k, t_start))

    def _make_spike_table(self) -> SpikeTable:
        with _PUTTING_IN_ORDER:
            return table_from_columns(
                *self._columns,
                n_units=self.get_num_units(),
                n_segments=self.get_num_segments(),
                in_place=True,
            )


def checked_rate(value: object, where: object) -> float:
    """Return a sampling frequency in Hz.

    Raises
    ------
    DataError
        If it is no number above 0.
    """
    rate = first_number(value)
    if not np.isfinite(rate) or rate <= 0:
        msg = f"{where}: the sampling frequency must be a number of Hz above 0; got {value!r}."
        raise DataError(msg)
    return rate


def required_rate(value: float | None, where: object) -> float:
    """Return a sampling frequency that the caller has to give, as no file says it.

    Raises
    ------
    ParameterError
        If it was not given, or is no number above 0.
    """
    if value is None:
        msg = f"Nothing in {where} says its sampling frequency: give sampling_frequency=... in Hz."
        raise ParameterError(msg)
    try:
        return checked_rate(value, "sampling_frequency")
    except DataError as error:
        raise ParameterError(str(error)) from error


def as_samples(values: NDArray[Any], where: object, factor: float = 1.0) -> NDArray[np.int64]:
    """Return samples of numbers, or of times in seconds.

    Parameters
    ----------
    values : ndarray of shape (n_spikes,) or (n_spikes, ...)
        Samples, or times.
    where : object
        The file, for messages.
    factor : float, default 1
        Samples per unit of the values; the next sample is taken.

    Raises
    ------
    DataError
        If they are no numbers, not finite, or beyond all samples.

    Examples
    --------
    >>> as_samples(np.array([0.1, 0.2]), "a file", 30000.0)
    array([3000, 6000])
    """
    if values.dtype.kind not in "iuf":
        msg = f"{where}: times of spikes must be numbers; got {values.dtype}."
        raise DataError(msg)
    is_whole = factor == 1.0 and values.dtype.kind in "iu"
    with np.errstate(over="ignore", invalid="ignore"):  # what is no time is told below
        scaled = values if is_whole else np.multiply(values, factor, dtype=np.float64)
    is_sample = (scaled > -SAMPLE_MAX) & (scaled < SAMPLE_MAX)  # which NaN is not
    if not is_sample.all():
        k = int(np.argwhere(~is_sample)[0, 0])
        msg = f"{where}: spike {k} is at {values[~is_sample][0]!r}, which is no time."
        raise DataError(msg)
    return np.rint(scaled).astype(np.int64) if scaled.dtype.kind == "f" else scaled.astype(np.int64)


def as_columns(
    trains: Sequence[NDArray[np.int64]],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return sample and unit index of each spike, of the spikes of each unit.

    Examples
    --------
    >>> as_columns([np.array([3, 9]), np.array([4])])
    (array([3, 9, 4]), array([0, 0, 1], dtype=int32))
    """
    units = np.repeat(np.arange(len(trains), dtype=np.int32), [len(train) for train in trains])
    return np.concatenate([np.zeros(0, np.int64), *trains]), units


def as_property(values: Sequence[Any]) -> NDArray[Any]:
    """Return labels as an array: NaN, or an empty text beside other texts, where there is none.

    Examples
    --------
    >>> as_property([1, None]), as_property(["good", None]), as_property([3, 4])
    (array([ 1., nan]), array(['good', ''], dtype='<U4'), array([3, 4]))
    >>> as_property([None, None])
    array([nan, nan])
    """
    present = [value for value in values if value is not None]
    if len(values) and all(isinstance(value, int | float) for value in present):
        if len(present) == len(values):
            return np.array(values)
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(["" if value is None else str(value) for value in values], np.str_)


def set_labels(
    sorting: BaseSorting,
    labels: Mapping[str, Mapping[int, Any]],
    cluster_ids: Sequence[int],
    renamed: Mapping[str, str],
) -> None:
    """Make properties of what is known of clusters.

    Parameters
    ----------
    sorting : BaseSorting
        Its units are the clusters.
    labels : mapping of str to mapping
        Value by field and cluster.
    cluster_ids : list of int
        Cluster of each unit.
    renamed : mapping of str to str
        What properties are called that have another name than the field.
    """
    for field in sorted(labels):
        name = renamed.get(field, field)
        if name not in sorting.get_property_keys():
            sorting.set_property(
                name, as_property([labels[field].get(cluster) for cluster in cluster_ids])
            )
