"""Averages, spreads and percentiles of the waveforms of each unit, and those of merged units."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.engine.executor import map_items
from spikeloom.errors import ParameterError

Operator = str | tuple[str, float]
"""``"average"``, ``"std"``, ``"median"``, ``"mad"`` or ``("percentile", p)``."""

OPERATORS = ("average", "std", "median", "mad")
"""What can be computed without a number; "mad" is the median distance from the median."""


def checked_operators(operators: Iterable[Any]) -> list[Operator]:
    """Return operators as names and pairs.

    Raises
    ------
    ParameterError
        If there is no such operator.

    Examples
    --------
    >>> checked_operators(["average", ["percentile", 25]])
    ['average', ('percentile', 25)]
    """
    if isinstance(operators, str):
        operators = [operators]
    checked: list[Operator] = []
    for operator in operators:
        if isinstance(operator, str) and operator in OPERATORS:
            checked.append(operator)
            continue
        is_pair = isinstance(operator, list | tuple) and len(operator) == 2
        if not (is_pair and operator[0] == "percentile" and 0 <= operator[1] <= 100):
            msg = (
                f"Operators are {', '.join(OPERATORS)} and ('percentile', p) with p from 0 to 100; "
                f"got {operator!r}."
            )
            raise ParameterError(msg)
        checked.append(("percentile", operator[1]))
    return checked


def key_of(operator: Operator) -> str:
    """Return the name of the data of an operator.

    Examples
    --------
    >>> key_of("std"), key_of(("percentile", 25.0))
    ('std', 'percentile_25.0')
    """
    return operator if isinstance(operator, str) else f"{operator[0]}_{operator[1]}"


def operator_of(key: str) -> Operator:
    """Return the operator of the name of data, with the same number and so of the same name.

    Examples
    --------
    >>> operator_of("percentile_20"), operator_of("percentile_2.5"), operator_of("std")
    (('percentile', 20), ('percentile', 2.5), 'std')
    """
    name, _, number = key.partition("_")
    if not number:
        return name
    return name, int(number) if number.isdecimal() else float(number)


def statistics(
    waveforms: NDArray[Any],
    units: NDArray[np.integer],
    chosen: Sequence[int],
    operators: Sequence[Operator],
    *,
    n_channels: int,
    mask: NDArray[np.bool_] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Return statistics of the waveforms of units.

    Parameters
    ----------
    waveforms : ndarray of shape (n_waveforms, n_samples, n_columns)
        On all channels; with a mask on those of their unit, which come first.
    units : ndarray of shape (n_waveforms,)
        Unit of each.
    chosen : sequence of int
        Units that are wanted.
    operators : sequence of Operator
        What is wanted of each.
    n_channels : int
        Number of channels.
    mask : ndarray of shape (n_units, n_channels) and dtype bool, optional
        Channels of each unit.

    Returns
    -------
    dict of str to ndarray of shape (n_chosen, n_samples, n_channels) and dtype float64
        By `key_of` each operator; zero on channels that are not a unit's, and for units without
        waveforms.
    """
    n_samples = waveforms.shape[1]
    found = {key_of(one): np.zeros((len(chosen), n_samples, n_channels)) for one in operators}
    units = np.asarray(units)
    order = np.argsort(units, kind="stable")
    ends = np.searchsorted(units[order], np.arange(units.max(initial=-1) + 2))
    plain = waveforms.view(np.ndarray) if isinstance(waveforms, np.memmap) else waveforms

    def fill(k: int) -> None:
        unit = int(chosen[k])
        if unit + 1 >= ends.size or ends[unit] == ends[unit + 1]:
            return
        rows = order[ends[unit] : ends[unit + 1]].astype(np.int64)
        channels = np.arange(n_channels) if mask is None else np.flatnonzero(mask[unit])
        for key, values in _of_unit(plain, rows, channels.size, operators).items():
            found[key][k][:, channels] = values

    map_items(fill, range(len(chosen)))
    return found


def _of_unit(
    waveforms: NDArray[Any],
    rows: NDArray[np.int64],
    n_columns: int,
    operators: Sequence[Operator],
) -> dict[str, NDArray[np.float64]]:
    values: dict[str, NDArray[np.float64]] = {}
    if "average" in operators or "std" in operators:
        values["average"], values["std"] = _moments(waveforms, rows, n_columns)
    others = [one for one in operators if one not in {"average", "std"}]
    if others:
        block = waveforms[rows][:, :, :n_columns]
        for one in others:
            values[key_of(one)] = _order_statistic(block, one)
    return {key_of(one): values[key_of(one)] for one in operators}


def _order_statistic(block: NDArray[Any], operator: Operator) -> NDArray[np.float64]:
    if operator == "median":
        return np.asarray(np.median(block, axis=0), np.float64)
    if operator == "mad":
        distances = np.abs(block - np.median(block, axis=0))
        return np.asarray(np.median(distances, axis=0), np.float64)
    return np.asarray(np.percentile(block, float(operator[1]), axis=0), np.float64)


def _moments(
    waveforms: NDArray[Any], rows: NDArray[np.int64], n_columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return average and standard deviation of some waveforms, each (n_samples, n_columns)."""
    from spikeloom.kernels.jit import takes_dtype  # noqa: PLC0415 - numba takes a while to import
    from spikeloom.kernels.window_moments import add_up  # noqa: PLC0415

    if not takes_dtype(waveforms.dtype):
        waveforms, rows = waveforms[rows].astype(np.float64), np.arange(rows.size)
    base = waveforms[rows[0], :, :n_columns].astype(np.float64)
    sums, squares = np.zeros_like(base), np.zeros_like(base)
    add_up(waveforms, rows, base, sums, squares)
    means = sums / rows.size
    variances = np.maximum(squares / rows.size - means * means, 0)
    return base + means, np.sqrt(variances)


def pooled(
    averages: NDArray[np.floating],
    deviations: NDArray[np.floating] | None,
    counts: NDArray[np.integer],
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return average and standard deviation of several units together.

    Parameters
    ----------
    averages, deviations : ndarray of shape (n_units, n_samples, n_channels)
        Of each unit.
    counts : ndarray of shape (n_units,)
        How many waveforms each is of.
    mask : ndarray of shape (n_units, n_channels) and dtype bool
        Channels on which each unit is known.

    Returns
    -------
    average, deviation : ndarray of shape (n_samples, n_channels)
        Of all waveforms together, as if computed of them; of units known there on each channel.

    Examples
    --------
    >>> averages, deviations = np.array([[[1.0]], [[4.0]]]), np.array([[[0.0]], [[0.0]]])
    >>> average, deviation = pooled(averages, deviations, np.array([2, 1]), np.ones((2, 1), bool))
    >>> average, deviation.round(3)
    (array([[2.]]), array([[1.414]]))
    """
    weights = (counts[:, np.newaxis] * mask).astype(np.float64)
    total = weights.sum(axis=0)
    weights = (weights / np.maximum(total, 1))[:, np.newaxis, :]
    means = np.asarray(averages, np.float64)
    average = (weights * means).sum(axis=0)
    if deviations is None:
        return average, None
    spread = np.asarray(deviations, np.float64) ** 2 + (means - average) ** 2
    return average, np.sqrt((weights * spread).sum(axis=0))
