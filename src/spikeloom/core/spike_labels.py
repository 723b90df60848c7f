"""Which unit each spike belongs to: labels, whole numbers or text, become unit indices."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.spike_vector import blocks
from spikeloom.errors import DataError

_N_TABLE_MIN = 1 << 20
_N_TABLE_PER_LABEL = 4
_N_PACKED_CHARACTERS = 8
_N_NAMED_MAX = 5


def index_labels(
    labels_list: Sequence[ArrayLike], unit_ids: ArrayLike | None = None
) -> tuple[NDArray[Any], list[NDArray[np.int32]]]:
    """Return the unit ids and, for each array of labels, the position of each among the ids.

    Parameters
    ----------
    labels_list : sequence of array_like of shape (n_spikes,)
        Labels of the spikes of each segment, whole numbers or text.
    unit_ids : array_like of shape (n_units,), optional
        The ids in the order wanted; without it, the labels that occur, increasing.

    Returns
    -------
    unit_ids : ndarray of shape (n_units,)
    unit_indices : list of ndarray of shape (n_spikes,)

    Raises
    ------
    DataError
        If labels are neither whole numbers nor text, of both kinds, or not among `unit_ids`; or
        if an id occurs twice.

    Examples
    --------
    >>> ids, (first, second) = index_labels([[7, 2, 7], [4]])
    >>> ids, first, second
    (array([2, 4, 7]), array([2, 0, 2], dtype=int32), array([1], dtype=int32))
    >>> index_labels([["b", "a"]], unit_ids=["b", "a"])[1]
    [array([0, 1], dtype=int32)]
    """
    arrays = [_as_labels(labels) for labels in labels_list]
    filled = [labels for labels in arrays if labels.size]
    ids = None if unit_ids is None else check_unit_ids(unit_ids)
    if len({labels.dtype.kind in "iu" for labels in filled}) > 1:
        msg = "Labels of some segments are whole numbers and of others text; use one kind."
        raise DataError(msg)
    if not filled:
        none = np.zeros(0, np.int64) if ids is None else ids
        return none, [np.zeros(0, np.int32) for _ in arrays]
    if ids is not None and (filled[0].dtype.kind in "iu") != (ids.dtype.kind in "iu"):
        raise _unknown_labels([label for labels in filled for label in labels[:_N_NAMED_MAX]], ids)
    if filled[0].dtype.kind in "iu":
        return _index_numbers(arrays, ids)
    return _index_text(arrays, ids)


def check_unit_ids(unit_ids: ArrayLike) -> NDArray[Any]:
    """Return unit ids as an array of whole numbers or text.

    Raises
    ------
    DataError
        If they are something else, or not one list, or an id occurs twice.

    Examples
    --------
    >>> check_unit_ids([3, 1])
    array([3, 1])
    """
    ids = _as_labels(unit_ids)
    values, counts = np.unique(ids, return_counts=True)
    if values.size != ids.size:
        msg = f"Unit ids must differ from each other; given twice: {values[counts > 1].tolist()}."
        raise DataError(msg)
    return ids


def _as_labels(labels: ArrayLike) -> NDArray[Any]:
    """Return labels as a plain array of integers, bytes or fixed-width text."""
    array = np.asarray(labels)
    if array.size == 0:
        kept = array.dtype if array.dtype.kind in "iuUS" else np.dtype(np.int64)
        return np.zeros(0, kept)
    if array.dtype.kind in "OT" and all(isinstance(label, str) for label in array.flat):
        array = array.astype(np.str_)
    if array.ndim != 1 or array.dtype.kind not in "iuUS":
        msg = (
            f"Labels and unit ids are lists of whole numbers or of text; got an array of "
            f"{array.dtype} and shape {array.shape}."
        )
        raise DataError(msg)
    return array


def _index_numbers(
    arrays: list[NDArray[Any]], ids: NDArray[Any] | None
) -> tuple[NDArray[Any], list[NDArray[np.int32]]]:
    """Index whole numbers: through a table as long as their range, if that is not too long."""
    filled = [labels for labels in arrays if labels.size]
    source = filled if ids is None else [ids]
    low = min((int(values.min()) for values in source if values.size), default=0)
    high = max((int(values.max()) for values in source if values.size), default=-1)
    n_labels = sum(labels.size for labels in filled)
    n_table = high - low + 1
    if n_table > max(_N_TABLE_MIN, _N_TABLE_PER_LABEL * n_labels) or high > np.iinfo(np.int64).max:
        return _index_by_search(arrays, ids)
    if ids is None:
        occurs = np.zeros(high - low + 1, np.bool_)
        for labels in filled:
            for block in blocks(slice(0, labels.size)):
                occurs[_above(labels[block], low)] = True
        ids = np.flatnonzero(occurs) + low
        ids = ids.astype(_common_dtype(filled))
    else:
        _check_range(filled, ids, low, high)
    position_of = np.full(high - low + 1, -1, np.int32)
    position_of[_above(ids, low)] = np.arange(ids.size)
    indexed = []
    for labels in arrays:
        indices = np.empty(labels.size, np.int32)
        for block in blocks(slice(0, labels.size)):
            np.take(position_of, _above(labels[block], low), out=indices[block], mode="clip")
        indexed.append(indices)
    _check_found(arrays, indexed, ids)
    return ids, indexed


def _common_dtype(arrays: list[NDArray[Any]]) -> np.dtype[Any]:
    """Return the type for the ids of several arrays of labels of one kind."""
    dtype = np.result_type(*(labels.dtype for labels in arrays))
    return np.dtype(np.int64) if dtype.kind == "f" else dtype  # int64 and uint64 make a float


def _above(labels: NDArray[Any], low: int) -> NDArray[np.int64]:
    """Return by how much labels lie above the lowest; exact for every integer type."""
    if labels.dtype == np.uint64:
        return (labels - np.uint64(low)).astype(np.int64)
    return labels.astype(np.int64) - low


def _check_range(filled: list[NDArray[Any]], ids: NDArray[Any], low: int, high: int) -> None:
    """Raise if a label lies outside of the range of the ids."""
    unknown: list[Any] = []
    for labels in filled:
        if ids.size == 0 or int(labels.min()) < low or int(labels.max()) > high:
            outside = labels if ids.size == 0 else labels[(labels < low) | (labels > high)]
            unknown.extend(outside.tolist())
    if unknown:
        raise _unknown_labels(unknown, ids)


def _check_found(
    arrays: list[NDArray[Any]], indexed: list[NDArray[np.int32]], ids: NDArray[Any]
) -> None:
    """Raise if a label has no position among the ids."""
    unknown = [
        label
        for labels, indices in zip(arrays, indexed, strict=True)
        if indices.size and indices.min() < 0
        for label in np.unique(labels[indices < 0]).tolist()
    ]
    if unknown:
        raise _unknown_labels(unknown, ids)


def _unknown_labels(unknown: list[Any], ids: NDArray[Any]) -> DataError:
    """Make the error for labels that are no unit's id."""
    labels = sorted(set(unknown), key=str)
    named = ", ".join(repr(getattr(label, "item", lambda x=label: x)()) for label in labels[:5])
    more = f" and {len(labels) - _N_NAMED_MAX} more" if len(labels) > _N_NAMED_MAX else ""
    return DataError(
        f"Labels {named}{more} are not among the {ids.size} unit ids; "
        f"add them to unit_ids, or leave their spikes out."
    )


def _index_by_search(
    arrays: list[NDArray[Any]], ids: NDArray[Any] | None
) -> tuple[NDArray[Any], list[NDArray[np.int32]]]:
    """Index labels by looking each up in the sorted ids."""
    if ids is None:
        filled = [labels for labels in arrays if labels.size]
        dtype = _common_dtype(filled)
        ids = np.unique(np.concatenate([np.unique(labels).astype(dtype) for labels in filled]))
    if ids.size == 0:
        raise _unknown_labels([label for labels in arrays for label in labels.tolist()], ids)
    order = np.argsort(ids, kind="stable").astype(np.int32)
    in_order = ids[order]
    indexed = []
    for labels in arrays:
        indices = np.empty(labels.size, np.int32)
        for block in blocks(slice(0, labels.size)):
            place = np.minimum(np.searchsorted(in_order, labels[block]), ids.size - 1)
            indices[block] = np.where(in_order[place] == labels[block], order[place], -1)
        indexed.append(indices)
    _check_found(arrays, indexed, ids)
    return ids, indexed


def _index_text(
    arrays: list[NDArray[Any]], ids: NDArray[Any] | None
) -> tuple[NDArray[Any], list[NDArray[np.int32]]]:
    """Index text: short text as the whole number that its characters make, which is quick."""
    arrays = [labels.astype(np.str_) if labels.dtype.kind != "U" else labels for labels in arrays]
    if ids is not None and ids.dtype.kind != "U":
        ids = ids.astype(np.str_)
    packed = [_pack_text(labels) for labels in arrays]
    packed_ids = None if ids is None else _pack_text(ids)
    numbers = [numbers for numbers in packed if numbers is not None]
    if len(numbers) < len(packed) or (ids is not None and packed_ids is None):
        return _index_by_search(arrays, ids)
    try:
        found, indexed = _index_numbers(list(numbers), packed_ids)
    except DataError:
        return _index_by_search(arrays, ids)  # which names the labels as they are
    return (_unpack_text(found) if ids is None else ids), indexed


def _pack_text(texts: NDArray[np.str_]) -> NDArray[np.int64] | None:
    """Return each text as the number that its characters make as bytes, or None if it does not fit.

    Numbers compare as the texts do: the first character is the highest byte.
    """
    n_wide = texts.dtype.itemsize // 4
    characters = np.ascontiguousarray(texts).view(np.uint32).reshape(texts.size, n_wide)
    n_used = n_wide
    while n_used and not characters[:, n_used - 1].any():
        n_used -= 1
    if n_used >= _N_PACKED_CHARACTERS or characters.max(initial=0) > 0xFF:
        return None
    numbers = np.zeros(texts.size, np.int64)
    for i in range(n_used):
        # Always from byte 6 downward, so that texts of different arrays compare, too.
        numbers |= characters[:, i].astype(np.int64) << (8 * (_N_PACKED_CHARACTERS - 2 - i))
    return numbers


def _unpack_text(numbers: NDArray[np.int64]) -> NDArray[np.str_]:
    """Undo `_pack_text`."""
    return np.array(
        [number.to_bytes(7, "big").rstrip(b"\0").decode("latin-1") for number in numbers.tolist()],
        np.str_,
    )
