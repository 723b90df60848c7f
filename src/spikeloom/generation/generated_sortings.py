"""Sortings of units that fire at random, drawn from a seed when their spikes are asked for."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.sorting import BaseSorting, BaseSortingSegment
from spikeloom.core.spike_vector import SpikeTable, cut_train, offsets_of, read_only
from spikeloom.core.train_merging import merge_trains
from spikeloom.errors import ParameterError
from spikeloom.generation.drawn_trains import DrawnTrains
from spikeloom.generation.foreign_seeds import refuse_foreign_seed
from spikeloom.generation.random_firings import draw_trains, unit_firings
from spikeloom.generation.random_streams import Purpose, given_or_new_seed, random_stream
from spikeloom.generation.segment_lengths import segment_lengths
from spikeloom.generation.spike_trains import Firing
from spikeloom.storage.atomic import write_atomic


@stored_as("spikeloom.generation.SortingGenerator")
class SortingGenerator(BaseSorting):
    """Units that fire at random at a mean rate, with a refractory period.

    Each unit is drawn from random numbers of its own, so one can be drawn without the others. What
    is described in a file is the seed, not the spikes.

    Parameters
    ----------
    num_units : int, default 20
        Number of units; their ids are ``"0"``, ``"1"``, …
    sampling_frequency : float, default 30000.0
        In Hz.
    durations : list of float, default (10.325, 3.5)
        Length of each segment in seconds.
    firing_rates : float, array_like of shape (n_units,) or tuple of two floats, default 3.0
        Mean rates in Hz, or least and largest one to draw from.
    refractory_period_ms : float or array_like of shape (n_units,), default 4.0
        Least interval between two spikes of a unit.
    seed : int, default 0
        The same seed and the same other arguments give the same spikes; None is a new seed.
    empty_units : list, optional
        Ids or indices of units that do not fire.
    num_spikes_per_border : int, default 0
        Spikes to add close to each end of each segment, of units that fire; these may be
        too early or too late for the refractory period.
    border_size_samples : int, default 20
        How close.
    t_starts : list of float, optional
        Time of sample 0 of each segment in seconds.

    Raises
    ------
    ParameterError
        If an argument makes no sense, or if a unit cannot fire at its rate.

    Examples
    --------
    >>> sorting = SortingGenerator(num_units=3, durations=[100.0], firing_rates=5.0, seed=1)
    >>> sorting.unit_ids.tolist(), 300 < sorting.get_unit_spike_train("1").size < 700
    (['0', '1', '2'], True)
    """

    def __init__(
        self,
        num_units: int = 20,
        sampling_frequency: float = 30000.0,
        durations: Sequence[float] = (10.325, 3.5),
        firing_rates: ArrayLike = 3.0,
        refractory_period_ms: ArrayLike = 4.0,
        seed: int | None = 0,
        *,
        empty_units: Sequence[Any] | None = None,
        num_spikes_per_border: int = 0,
        border_size_samples: int = 20,
        t_starts: Sequence[float] | None = None,
    ) -> None:
        super().__init__(sampling_frequency, [str(k) for k in range(num_units)])
        seed = given_or_new_seed(seed)
        firings = unit_firings(firing_rates, refractory_period_ms, num_units, seed)
        rates = [0.0 if firing is None else firing.rate_hz for firing in firings]
        for unit in (silent := _unit_indices(empty_units or (), num_units)):
            firings[unit] = None
        lengths = segment_lengths(durations, sampling_frequency)
        if t_starts is not None and len(t_starts) != len(lengths):
            msg = f"t_starts has {len(t_starts)} times for {len(lengths)} segments."
            raise ParameterError(msg)
        for k, n_samples in enumerate(lengths):
            borders = _BorderSpikes(
                n_per_border=num_spikes_per_border,
                size_samples=border_size_samples,
                units=[unit for unit, firing in enumerate(firings) if firing is not None],
            )
            segment = SortingGeneratorSegment(
                (seed, k),
                firings,
                borders.draw(seed, k, n_samples),
                n_samples=n_samples,
                sampling_frequency=self.sampling_frequency,
                t_start=None if t_starts is None else t_starts[k],
            )
            self.add_sorting_segment(segment)
        one_rate = np.ndim(firing_rates) == 0
        self._kwargs = {
            "num_units": int(num_units),
            "sampling_frequency": self.sampling_frequency,
            "durations": [float(duration_s) for duration_s in durations],
            # As numbers: a tuple would come back from a file as a list, which means something else.
            "firing_rates": firing_rates if one_rate else rates,
            "refractory_period_ms": np.asarray(refractory_period_ms).tolist(),
            "seed": seed,
            "empty_units": silent or None,
            "num_spikes_per_border": int(num_spikes_per_border),
            "border_size_samples": int(border_size_samples),
            "t_starts": None if t_starts is None else [float(start) for start in t_starts],
        }

    def _make_spike_table(self) -> SpikeTable:
        merged = [
            merge_trains(drawn.samples, drawn.starts, drawn.counts)
            for drawn in (segment.draw_trains() for segment in self._segments)
        ]
        samples, units = (
            columns[0] if len(columns) == 1 else np.concatenate(columns)
            for columns in zip(*merged, strict=True)
        )
        offsets = offsets_of([each.size for each, _ in merged])
        return SpikeTable(read_only(samples), read_only(units), read_only(offsets))

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls, old_kwargs: dict[str, Any], full_dict: Mapping[str, Any]
    ) -> dict[str, Any]:
        refuse_foreign_seed(full_dict)
        return old_kwargs


class SortingGeneratorSegment(BaseSortingSegment):
    """A segment of units that fire at random.

    Parameters
    ----------
    place : tuple of int
        Seed of the sorting and index of the segment.
    firings : list of Firing or None
        How each unit fires.
    added : dict of int to ndarray
        Spikes to add, by index of the unit.
    n_samples : int
        Length.
    sampling_frequency : float
        In Hz.
    t_start : float, optional
        Time of sample 0 in seconds.
    """

    def __init__(
        self,
        place: tuple[int, int],
        firings: Sequence[Firing | None],
        added: Mapping[int, NDArray[np.int64]],
        *,
        n_samples: int,
        sampling_frequency: float,
        t_start: float | None,
    ) -> None:
        super().__init__(t_start)
        self._seed, self._segment_index = place
        self._firings = firings
        self._added = added
        self._n_samples = n_samples
        self._sampling_frequency = sampling_frequency

    def draw_trains(self, units: slice = slice(None)) -> DrawnTrains:
        """Draw the spikes of some units that follow each other, of all by default."""
        first, end, _ = units.indices(len(self._firings))
        drawn = draw_trains(
            self._firings[first:end],
            self._seed,
            self._segment_index,
            self._n_samples,
            self._sampling_frequency,
            first_unit=first,
        )
        if not any(first <= unit < end for unit in self._added):
            return drawn
        none = np.zeros(0, np.int64)
        trains = [
            np.sort(np.concatenate([drawn.train(k), self._added.get(first + k, none)]))
            for k in range(end - first)
        ]
        counts = np.array([train.size for train in trains])
        return DrawnTrains(np.concatenate(trains), offsets_of(counts)[:-1], counts)

    def get_unit_spike_train(
        self, unit_id: Any, start_frame: int | None = None, end_frame: int | None = None
    ) -> NDArray[np.int64]:
        """Return the samples of the spikes of a unit from `start_frame` to before `end_frame`."""
        unit = int(unit_id)
        train = self.draw_trains(slice(unit, unit + 1)).train(0)
        first, last = cut_train(train, start_frame, end_frame)
        return train[first:last]


def generate_sorting(
    num_units: int = 5,
    sampling_frequency: float = 30000.0,
    durations: Sequence[float] = (10.325, 3.5),
    firing_rates: ArrayLike = 3.0,
    empty_units: Sequence[Any] | None = None,
    refractory_period_ms: ArrayLike = 4.0,
    add_spikes_on_borders: bool = False,
    num_spikes_per_border: int = 3,
    border_size_samples: int = 20,
    t_starts: Sequence[float] | None = None,
    seed: int | None = None,
    *,
    firing_rate: ArrayLike | None = None,
    refractory_period: ArrayLike | None = None,
) -> SortingGenerator:
    """Make a sorting of units that fire at random, for tests and examples.

    Parameters
    ----------
    num_units : int, default 5
        Number of units; their ids are ``"0"``, ``"1"``, …
    sampling_frequency : float, default 30000.0
        In Hz.
    durations : list of float, default (10.325, 3.5)
        Length of each segment in seconds.
    firing_rates : float, array_like of shape (n_units,) or tuple of two floats, default 3.0
        Mean rates in Hz, or least and largest one to draw from. Also spelled ``firing_rate``.
    empty_units : list, optional
        Ids or indices of units that do not fire.
    refractory_period_ms : float or array_like of shape (n_units,), default 4.0
        Least interval between two spikes of a unit. Also spelled ``refractory_period``.
    add_spikes_on_borders : bool, default False
        Add spikes close to the ends of segments.
    num_spikes_per_border : int, default 3
        How many, at each end.
    border_size_samples : int, default 20
        How close.
    t_starts : list of float, optional
        Time of sample 0 of each segment in seconds.
    seed : int, optional
        The same seed gives the same spikes; None is a new seed.

    Returns
    -------
    SortingGenerator
        Its spikes are drawn when they are first asked for; `to_numpy_sorting` is a copy of arrays.

    Raises
    ------
    ParameterError
        If an argument makes no sense, or if a unit cannot fire at its rate.

    Examples
    --------
    >>> sorting = generate_sorting(num_units=2, durations=[20.0], firing_rates=10.0, seed=0)
    >>> intervals = np.diff(sorting.get_unit_spike_train("0"))
    >>> int(intervals.min()) >= 120
    True
    """
    return SortingGenerator(
        num_units,
        sampling_frequency,
        durations,
        firing_rates if firing_rate is None else firing_rate,
        refractory_period_ms if refractory_period is None else refractory_period,
        seed=given_or_new_seed(seed),
        empty_units=empty_units,
        num_spikes_per_border=num_spikes_per_border if add_spikes_on_borders else 0,
        border_size_samples=border_size_samples,
        t_starts=t_starts,
    )


def create_sorting_npz(num_seg: int, file_path: str | Path) -> None:
    """Write a small sorting of three units to an ``.npz`` file, for tests.

    Parameters
    ----------
    num_seg : int
        Number of segments.
    file_path : str or Path
        File to write; ``.npz`` is added if it has another ending, or none.

    Raises
    ------
    ParameterError
        If there is to be no segment.
    WriteError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     create_sorting_npz(1, Path(folder) / "sorting.npz")
    ...     with np.load(Path(folder) / "sorting.npz") as arrays:
    ...         arrays["spike_labels_seg0"][:4]
    array([0, 1, 2, 0])
    """
    if num_seg < 1:
        msg = f"num_seg={num_seg}; a sorting has one segment at least."
        raise ParameterError(msg)
    path = Path(file_path)
    arrays: dict[str, NDArray[Any]] = {
        "unit_ids": np.arange(3),
        "num_segment": np.array([num_seg]),
        "sampling_frequency": np.array([30_000.0]),
    }
    samples = np.arange(0, 1000, 10)
    for k in range(num_seg):
        arrays[f"spike_indexes_seg{k}"] = samples
        arrays[f"spike_labels_seg{k}"] = np.arange(samples.size) % 3
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_atomic(path if path.suffix == ".npz" else Path(f"{path}.npz"), content.getvalue())


class _BorderSpikes:
    """Spikes close to both ends of a segment, of any of some units."""

    def __init__(self, *, n_per_border: int, size_samples: int, units: list[int]) -> None:
        if n_per_border < 0 or size_samples < 1:
            msg = (
                f"num_spikes_per_border={n_per_border} must not be negative, and "
                f"border_size_samples={size_samples} must be 1 at least."
            )
            raise ParameterError(msg)
        self._n_per_border = n_per_border
        self._size_samples = size_samples
        self._units = units

    def draw(self, seed: int, segment_index: int, n_samples: int) -> dict[int, NDArray[np.int64]]:
        """Return the spikes by unit."""
        n_spikes = self._n_per_border
        if not n_spikes or not self._units or n_samples == 0:
            return {}
        stream = random_stream(seed, Purpose.BORDER_SPIKES, segment_index)
        size = min(self._size_samples, n_samples)
        at_start = stream.integers(0, size, n_spikes)
        at_end = stream.integers(n_samples - size, n_samples, n_spikes)
        samples = np.concatenate([at_start, at_end])
        units = stream.choice(self._units, 2 * n_spikes)
        return {int(unit): samples[units == unit] for unit in np.unique(units)}


def _unit_indices(empty_units: Sequence[Any], num_units: int) -> list[int]:
    """Return the indices of units given by index or by id."""
    indices = []
    for unit in empty_units:
        is_number = isinstance(unit, int | np.integer) or (isinstance(unit, str) and unit.isdigit())
        if not is_number or not 0 <= int(unit) < num_units:
            msg = f"empty_units: there is no unit {unit!r}; there are {num_units}, counted from 0."
            raise ParameterError(msg)
        indices.append(int(unit))
    return indices
