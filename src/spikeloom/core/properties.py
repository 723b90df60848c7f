"""Properties: one value for each channel or unit, by name."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError, UnknownNameError

MISSING_VALUES: Mapping[str, object] = {"f": np.nan, "O": None, "S": "", "U": ""}
"""What stands where nothing is known, by kind of number; the other kinds have no such value."""


def replace_property(
    properties: dict[str, NDArray[Any]], key: str, values: ArrayLike | None, n_ids: int
) -> None:
    """Set all values of a property; None deletes it.

    Raises
    ------
    ParameterError
        If there is not one value for each id.
    """
    if values is None:
        properties.pop(key, None)
        return
    array = _as_values(values)
    if array.ndim < 1 or array.shape[0] != n_ids:
        msg = (
            f"The property {key!r} needs one value for each of the {n_ids} ids; got "
            f"{array.shape[0] if array.ndim else 'a single value'}."
        )
        raise ParameterError(msg)
    properties[key] = array


def update_property(
    properties: dict[str, NDArray[Any]],
    key: str,
    values: ArrayLike,
    positions: NDArray[np.int64],
    *,
    n_ids: int,
    missing_value: object = None,
) -> None:
    """Set the values of a property at some positions.

    What is not named keeps its value, or becomes `missing_value` if the property is new.

    Raises
    ------
    ParameterError
        If positions are there twice, if there is not one value for each, if the values are of
        another kind than those that are there, or if a missing value is needed and not given.
    """
    array = _as_values(values)
    if np.unique(positions).size != positions.size:
        msg = f"Some ids are there more than once in the values of {key!r}."
        raise ParameterError(msg)
    if array.ndim < 1 or array.shape[0] != positions.size:
        n_values = array.shape[0] if array.ndim else 1
        msg = f"The property {key!r} got {n_values} values for {positions.size} ids."
        raise ParameterError(msg)
    if positions.size == n_ids:
        whole = np.empty_like(array)
        whole[positions] = array
        properties[key] = whole
        return
    known = properties.get(key)
    if known is None:
        known = _filled(key, array, n_ids, missing_value)
    if known.dtype.kind != array.dtype.kind:
        msg = (
            f"The property {key!r} holds {known.dtype}; got {array.dtype}. Give values of the same "
            "kind, or set it for all ids at once."
        )
        raise ParameterError(msg)
    if known.shape[1:] != array.shape[1:]:
        msg = (
            f"The property {key!r} holds values of shape {known.shape[1:]}; got "
            f"{array.shape[1:]}. Give values of the same shape, or set it for all ids at once."
        )
        raise ParameterError(msg)
    # A copy: views of this object may share the array; strings may need more room.
    changed = known.astype(np.promote_types(known.dtype, array.dtype))
    changed[positions] = array
    properties[key] = changed


def delete_property(properties: dict[str, NDArray[Any]], key: str) -> None:
    """Delete a property.

    Raises
    ------
    UnknownNameError
        If there is none of this name.
    """
    if key not in properties:
        msg = f"There is no property {key!r}. Known: {', '.join(sorted(properties)) or 'none'}."
        raise UnknownNameError(msg)
    del properties[key]


def missing_values(key: str, like: NDArray[Any], n_ids: int) -> NDArray[Any]:
    """Return an array of missing values of the kind of `like`; raises if there is no such value."""
    return _filled(key, like, n_ids, None)


def slice_properties(
    properties: Mapping[str, NDArray[Any]], positions: Any, *, keys: Iterable[str] | None = None
) -> dict[str, NDArray[Any]]:
    """Return the values at `positions` of all properties, or of those named."""
    wanted = properties.keys() if keys is None else set(keys)
    return {key: values[positions] for key, values in properties.items() if key in wanted}


def _as_values(values: ArrayLike) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        array = np.empty(len(values), object)  # type: ignore[arg-type]
        array[:] = values
    if array.dtype.kind not in "biufcMmSUOV":
        array = np.array(array.tolist())  # numpy's strings of variable length
    return array


def _filled(key: str, like: NDArray[Any], n_ids: int, missing_value: object) -> NDArray[Any]:
    kind = like.dtype.kind
    if missing_value is None:
        if kind not in MISSING_VALUES:
            msg = (
                f"Can't infer a natural missing value of {like.dtype} for the ids without a value "
                f"of {key!r}: give missing_value."
            )
            raise ParameterError(msg)
        missing_value = MISSING_VALUES[kind]
    elif not _is_of_kind(missing_value, like.dtype):
        msg = (
            f"The missing value {missing_value!r} of {key!r} is not of the kind of its values, "
            f"{like.dtype}."
        )
        raise ParameterError(msg)
    shape = (n_ids, *like.shape[1:])
    dtype = like.dtype
    if kind in "SU":
        dtype = np.promote_types(dtype, np.asarray(missing_value).astype(kind).dtype)
    return np.full(shape, missing_value, dtype)


def _is_of_kind(value: object, dtype: np.dtype[Any]) -> bool:
    kind = np.asarray(value).dtype.kind
    if dtype.kind == "u" and kind == "i":
        return bool(np.asarray(value) >= 0)
    return dtype.kind in {kind, "O"}
