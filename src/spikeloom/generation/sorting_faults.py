"""Faults that spike sorters make, put into a sorting on purpose: units twice, units in parts."""

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.spike_building import table_from_columns
from spikeloom.core.spike_vector import minimum_spike_dtype
from spikeloom.errors import ParameterError
from spikeloom.generation.random_streams import Purpose, given_or_new_seed, random_stream
from spikeloom.generation.transformed_sortings import TransformSorting


def inject_some_duplicate_units(
    sorting: BaseSorting,
    num: int = 4,
    max_shift: int = 5,
    ratio: float | None = None,
    seed: int | None = None,
) -> TransformSorting:
    """Add units that fire with units that are there, a little earlier or later.

    Parameters
    ----------
    sorting : BaseSorting
        Its first `num` units are duplicated. Unit ids are whole numbers, or strings of them.
    num : int, default 4
        Number of duplicates; their ids go on after the largest one.
    max_shift : int, default 5
        How many samples earlier or later a duplicate is at most; it is one at least.
    ratio : float, optional
        Share of a unit's spikes that its duplicate has; all by default.
    seed : int, optional
        The same seed gives the same sorting; None is a new seed.

    Returns
    -------
    TransformSorting
        With `num` units more.

    Raises
    ------
    ParameterError
        If there are fewer units than `num`, if an argument makes no sense, or if unit ids are no
        numbers.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"0": [10, 90], "1": [50]}, 30_000.0)
    >>> inject_some_duplicate_units(sorting, num=1, seed=0).unit_ids.tolist()
    ['0', '1', '2']
    """
    n_units = sorting.get_num_units()
    if not 0 <= num <= n_units or max_shift < 1:
        msg = (
            f"num={num} must be from 0 to the number of units, {n_units}, and "
            f"max_shift={max_shift} must be 1 at least."
        )
        raise ParameterError(msg)
    if ratio is not None and not 0 < ratio <= 1:
        msg = f"ratio={ratio} must be a share above 0 and up to 1."
        raise ParameterError(msg)
    new_ids = next_unit_ids(sorting, num)
    seed = given_or_new_seed(seed)
    shifts = random_stream(seed, Purpose.DUPLICATION).integers(1, max_shift + 1, num)
    shifts *= random_stream(seed, Purpose.DUPLICATION, 0).choice([-1, 1], num)
    parts = []
    for segment_index in range(sorting.get_num_segments()):
        for k, unit_id in enumerate(sorting.unit_ids[:num].tolist()):
            train = sorting.get_unit_spike_train(unit_id, segment_index=segment_index)
            if not train.size:
                continue
            kept = train
            if ratio is not None:
                stream = random_stream(seed, Purpose.DUPLICATION, 1, segment_index, k)
                kept = stream.permutation(train)[: int(train.size * ratio)]
            part = np.zeros(kept.size, minimum_spike_dtype)
            part["sample_index"] = np.clip(kept + shifts[k], 0, train[-1])
            part["unit_index"] = n_units + k
            part["segment_index"] = segment_index
            parts.append(part)
    added = np.concatenate(parts) if parts else np.zeros(0, minimum_spike_dtype)
    return TransformSorting(sorting, added_spikes_new_units=added, new_unit_ids=new_ids)


@overload
def inject_some_split_units(
    sorting: BaseSorting,
    split_ids: Sequence[Any],
    num_split: int = 2,
    output_ids: Literal[False] = False,
    seed: int | None = None,
) -> NumpySorting: ...


@overload
def inject_some_split_units(
    sorting: BaseSorting,
    split_ids: Sequence[Any],
    num_split: int = 2,
    *,
    output_ids: Literal[True],
    seed: int | None = None,
) -> tuple[NumpySorting, dict[Any, list[Any]]]: ...


def inject_some_split_units(
    sorting: BaseSorting,
    split_ids: Sequence[Any],
    num_split: int = 2,
    output_ids: bool = False,
    seed: int | None = None,
) -> NumpySorting | tuple[NumpySorting, dict[Any, list[Any]]]:
    """Replace units by parts of them, to which spikes belong at random.

    Parameters
    ----------
    sorting : BaseSorting
        Unit ids are whole numbers, or strings of them.
    split_ids : list
        Ids of the units.
    num_split : int, default 2
        Number of parts of each; their ids go on after the largest one.
    output_ids : bool, default False
        Also return the ids of the parts.
    seed : int, optional
        The same seed gives the same sorting; None is a new seed.

    Returns
    -------
    sorting_with_split : NumpySorting
        Parts stand where their units were.
    other_ids : dict of list
        Ids of the parts by id of the unit, if `output_ids`.

    Raises
    ------
    ParameterError
        If a unit is unknown, if there is to be no part, or if unit ids are no numbers.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"0": [10, 90], "1": [50]}, 30_000.0)
    >>> inject_some_split_units(sorting, ["0"], seed=0).unit_ids.tolist()
    ['2', '3', '1']
    """
    if num_split < 1:
        msg = f"num_split={num_split}; a unit has one part at least."
        raise ParameterError(msg)
    split_units = np.unique(np.asarray(sorting.ids_to_indices(split_ids)))
    new_ids = next_unit_ids(sorting, num_split * len(split_ids))
    unit_ids = sorting.unit_ids.tolist()
    parts_of = {
        unit_ids[sorting.id_to_index(unit_id)]: new_ids[k * num_split : (k + 1) * num_split]
        for k, unit_id in enumerate(split_ids)
    }
    ids: list[Any] = []
    first_index = np.zeros(len(unit_ids), np.int64)
    for k, unit_id in enumerate(unit_ids):
        first_index[k] = len(ids)
        ids.extend(parts_of.get(unit_id, [unit_id]))
    table = sorting.spike_table()
    stream = random_stream(given_or_new_seed(seed), Purpose.DIVISION)
    is_split = np.zeros(len(unit_ids), np.bool_)
    is_split[split_units] = True
    divided_spikes = np.flatnonzero(is_split[table.unit_index])
    units = first_index[table.unit_index]
    units[divided_spikes] += stream.integers(0, num_split, divided_spikes.size)
    divided = table_from_columns(
        table.sample_index,
        units,
        table.segment_index() if table.n_segments > 1 else None,
        n_units=len(ids),
        n_segments=table.n_segments,
    )
    result = NumpySorting(divided, sorting.sampling_frequency, ids)
    sorting.copy_time_info(result)
    return (result, parts_of) if output_ids else result


def next_unit_ids(sorting: BaseSorting, n_ids: int) -> list[Any]:
    """Return ids that go on after the largest one, of the same type.

    Raises
    ------
    ParameterError
        If ids are neither whole numbers nor strings of them.

    Examples
    --------
    >>> next_unit_ids(NumpySorting.from_unit_dict({"8": [1], "9": [2]}, 1000.0), 2)
    ['10', '11']
    """
    ids: NDArray[Any] = sorting.unit_ids
    if ids.dtype.kind in "iu":
        first = int(ids.max()) + 1 if ids.size else 0
        return list(range(first, first + n_ids))
    if not all(str(unit_id).isdecimal() for unit_id in ids.tolist()):
        msg = f"Unit ids must be numbers, or strings of digits, to go on from; got {ids[:8]}."
        raise ParameterError(msg)
    first = max((int(unit_id) for unit_id in ids.tolist()), default=-1) + 1
    return [str(k) for k in range(first, first + n_ids)]
