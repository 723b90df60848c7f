"""By how much the template of each spike has to be scaled to look like the traces around it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel, kernel_part


class Shapes(NamedTuple):
    """What is fitted."""

    templates: NDArray[np.float64]
    """Shape (n_units, n_channels, n_window)."""
    sums: NDArray[np.float64]
    """Their sums over time, nan where they are zero throughout; shape (n_units, n_channels)."""
    mask: NDArray[np.bool_]
    """Channels that a fit looks at; shape (n_units, n_channels)."""
    shares_channels: NDArray[np.bool_]
    """Which units can collide; shape (n_units, n_units)."""
    energies: NDArray[np.float64]
    """Products of templates with themselves, nan if they are not all in the mask; (n_units,)."""


class Windows(NamedTuple):
    """Traces, and the spikes in them."""

    traces: NDArray[np.generic]
    """Shape (n_rows, n_channels); zero beyond."""
    scale: NDArray[np.float32]
    """Gains and offsets; shape (2, n_channels)."""
    rows: NDArray[np.int64]
    """Row at which the window of each spike of the segment begins; increasing."""
    units: NDArray[np.int64]
    """Unit of each spike."""


@kernel_part
def _decompose(
    gram: NDArray[np.float64],
    chosen: NDArray[np.int64],
    n_chosen: int,
    lower: NDArray[np.float64],
) -> bool:
    """Fill the Cholesky factor of the chosen rows and columns; False if one tells nothing new."""
    for a in range(n_chosen):
        for b in range(a + 1):
            value = gram[chosen[a], chosen[b]]
            for c in range(b):
                value -= lower[a, c] * lower[b, c]
            if a > b:
                lower[a, b] = value / lower[b, b]
            elif value > 1e-10 * gram[chosen[a], chosen[a]]:
                lower[a, a] = np.sqrt(value)
            else:
                return False
    return True


@kernel_part
def _solve(
    lower: NDArray[np.float64],
    right: NDArray[np.float64],
    chosen: NDArray[np.int64],
    n_chosen: int,
    solution: NDArray[np.float64],
) -> None:
    """Fill the solution of the equations of the chosen unknowns."""
    for a in range(n_chosen):
        value = right[chosen[a]]
        for c in range(a):
            value -= lower[a, c] * solution[c]
        solution[a] = value / lower[a, a]
    for a in range(n_chosen - 1, -1, -1):
        value = solution[a]
        for c in range(a + 1, n_chosen):
            value -= lower[c, a] * solution[c]
        solution[a] = value / lower[a, a]


@kernel_part
def _steepest(
    gram: NDArray[np.float64],
    right: NDArray[np.float64],
    found: NDArray[np.float64],
    is_out: NDArray[np.bool_],
    smallest: float,
) -> int:
    """Return the unknown that helps most if it grows; -1 if none does."""
    best, newest = smallest, -1
    for j in range(is_out.size):
        if not is_out[j]:
            slope = right[j]
            for k in range(is_out.size):
                slope -= gram[j, k] * found[k]
            if slope > best:
                best, newest = slope, j
    return newest


@kernel_part
def _go_towards(
    solution: NDArray[np.float64],
    chosen: NDArray[np.int64],
    n_chosen: int,
    found: NDArray[np.float64],
) -> int:
    """Go towards a solution up to where the first unknown is zero; return how many are not.

    Those stay chosen, in order; the zero ones stand behind them.
    """
    step = 1.0
    for a in range(n_chosen):
        if solution[a] <= 0:
            x = found[chosen[a]]
            step = min(step, x / (x - solution[a]) if x > 0 else 0.0)
    n_left = 0
    for a in range(n_chosen):
        j = chosen[a]
        x = found[j] + step * (solution[a] - found[j])
        if solution[a] > 0 or x > 1e-14 * (found[j] - solution[a]):
            found[j] = x
            chosen[a], chosen[n_left] = chosen[n_left], j
            n_left += 1
        else:
            found[j] = 0.0
    return n_left


@kernel
def non_negative(
    gram: NDArray[np.float64], right: NDArray[np.float64], found: NDArray[np.float64]
) -> None:
    """Fill `found` with the ``x >= 0`` of least ``x @ gram @ x / 2 - right @ x``.

    An unknown that tells nothing new beside others is zero. The method adds one unknown after the
    other (Lawson and Hanson, 1974).
    """
    n = right.size
    chosen, n_chosen = np.empty(n, np.int64), 0
    lower, solution = np.zeros((n, n)), np.zeros(n)
    is_out = np.empty(n, np.bool_)  # chosen, or useless
    largest = 0.0
    for j in range(n):
        found[j] = 0.0
        largest = max(largest, abs(right[j]))
        is_out[j] = not gram[j, j] > 0
    for _ in range(3 * n + 10):
        newest = _steepest(gram, right, found, is_out, 1e-10 * largest)
        if newest < 0:
            break
        is_out[newest] = True
        chosen[n_chosen] = newest
        n_chosen += 1
        while n_chosen > 0:
            if not _decompose(gram, chosen, n_chosen, lower):
                n_chosen -= 1  # only the newest can be too much; it stays out for good
                break
            _solve(lower, right, chosen, n_chosen, solution)
            n_left = _go_towards(solution, chosen, n_chosen, found)
            for a in range(n_left, n_chosen):
                is_out[chosen[a]] = chosen[a] == newest  # which would come and go for ever
            is_solved = n_left == n_chosen
            n_chosen = n_left
            if is_solved:
                break


@kernel_part
def _collect(
    windows: Windows, shares_channels: NDArray[np.bool_], spike: int, delta: int
) -> NDArray[np.int64]:
    """Return a spike and, behind it, those that it collides with."""
    rows, units = windows.rows, windows.units
    first, end = spike, spike + 1
    if delta >= 0:
        while first > 0 and rows[first - 1] >= rows[spike] - delta:
            first -= 1
        while end < rows.size and rows[end] < rows[spike] + delta:
            end += 1
    members = np.empty(end - first, np.int64)
    members[0] = spike
    n = 1
    for j in range(first, end):
        if j != spike and shares_channels[units[spike], units[j]]:
            members[n] = j
            n += 1
    return members[:n]


@kernel_part
def _product(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the sum of products.

    Four sums at a time: each addition to a single one would wait for that before it.
    """
    a = b = c = d = 0.0
    n_fours = one.size // 4
    for k in range(n_fours):
        t = 4 * k
        a += one[t] * other[t]
        b += one[t + 1] * other[t + 1]
        c += one[t + 2] * other[t + 2]
        d += one[t + 3] * other[t + 3]
    for t in range(4 * n_fours, one.size):
        a += one[t] * other[t]
    return (a + b) + (c + d)


@kernel_part
def _sum(values: NDArray[np.float64]) -> float:
    """Return the sum; four at a time, as in `_product`."""
    a = b = c = d = 0.0
    n_fours = values.size // 4
    for k in range(n_fours):
        t = 4 * k
        a += values[t]
        b += values[t + 1]
        c += values[t + 2]
        d += values[t + 3]
    for t in range(4 * n_fours, values.size):
        a += values[t]
    return (a + b) + (c + d)


@kernel_part
def _read(windows: Windows, channel: int, start: int, values: NDArray[np.float64]) -> float:
    """Fill `values` with scaled traces of a channel from row `start` on; return their sum."""
    gain, offset = windows.scale[0, channel], windows.scale[1, channel]
    first = min(max(0, -start), values.size)
    end = max(first, min(values.size, windows.traces.shape[0] - start))
    values[:first] = 0.0
    values[end:] = 0.0
    column, inside = windows.traces[start + first : start + end, channel], values[first:end]
    for t in range(column.size):
        inside[t] = np.float64(np.float32(column[t]) * gain + offset)
    return _sum(values)


@kernel_part
def _add_products(
    windows: Windows,
    shapes: Shapes,
    members: NDArray[np.int64],
    channel: int,
    start: int,
    values: NDArray[np.float64],
    gram: NDArray[np.float64],
    right: NDArray[np.float64],
) -> None:
    """Add the products of templates with traces of a channel, and with each other."""
    n_window = shapes.templates.shape[2]
    for m in range(members.size):
        unit, row = windows.units[members[m]], windows.rows[members[m]]
        if np.isnan(shapes.sums[unit, channel]):
            continue
        own = shapes.templates[unit, channel]
        right[m] += _product(own, values[row - start : row - start + n_window])
        # What a template gives with itself is known, mostly.
        n_pairs = m + 1 if np.isnan(shapes.energies[unit]) else m
        for k in range(n_pairs):
            if np.isnan(shapes.sums[windows.units[members[k]], channel]):
                continue
            other = shapes.templates[windows.units[members[k]], channel]
            lag = windows.rows[members[k]] - row
            n_shared = n_window - abs(lag)
            if n_shared > 0:
                here, there = max(0, lag), max(0, -lag)
                shared = own[here : here + n_shared], other[there : there + n_shared]
                gram[m, k] += _product(shared[0], shared[1])


@kernel_part
def _center(
    gram: NDArray[np.float64],
    right: NDArray[np.float64],
    totals: NDArray[np.float64],
    total: float,
    n_values: int,
) -> None:
    """Turn products into those of what is less its mean, and complete the upper half."""
    for m in range(right.size):
        right[m] -= totals[m] * total / n_values
        for k in range(m + 1):
            gram[m, k] -= totals[m] * totals[k] / n_values
            gram[k, m] = gram[m, k]


@kernel_part
def _equations(
    windows: Windows, shapes: Shapes, members: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the normal equations of the fit of some spikes together: products, right side."""
    n = members.size
    start, last = windows.rows[members].min(), windows.rows[members].max()
    values = np.empty(last - start + shapes.templates.shape[2])
    gram, right, totals = np.zeros((n, n)), np.zeros(n), np.zeros(n)
    for m in range(n):
        energy = shapes.energies[windows.units[members[m]]]
        gram[m, m] = 0.0 if np.isnan(energy) else energy
    total, n_used = 0.0, 0
    for channel in range(windows.traces.shape[1]):
        is_used = False
        for m in range(n):
            is_used |= shapes.mask[windows.units[members[m]], channel]
        if is_used:
            n_used += 1
            total += _read(windows, channel, start, values)
            _add_products(windows, shapes, members, channel, start, values, gram, right)
            for m in range(n):
                in_channel = shapes.sums[windows.units[members[m]], channel]
                totals[m] += 0.0 if np.isnan(in_channel) else in_channel
    _center(gram, right, totals, total, max(1, n_used * values.size))
    return gram, right


@kernel
def fit_scalings(
    windows: Windows,
    shapes: Shapes,
    spikes: NDArray[np.int64],
    delta: int,
    scalings: NDArray[np.float32],
    has_collided: NDArray[np.bool_],
) -> None:
    """Fit the spikes at the places `spikes`, each together with those that it collides with.

    Spikes from `delta` samples before a spike up to as many behind it, but not at that, collide
    with it if their units share channels; none do if `delta` is negative. Traces, less their mean,
    are fitted by templates less their mean, over all samples and channels of the spikes together;
    if there are several, by none of them negatively; a spike that is there several times has a
    part of the scaling each time. `scalings` and `has_collided`, of as many
    places, are filled.
    """
    for i in range(spikes.size):
        members = _collect(windows, shapes.shares_channels, spikes[i], delta)
        gram, right = _equations(windows, shapes, members)
        has_collided[i] = members.size > 1
        if members.size > 1:
            found = np.empty(members.size)
            non_negative(gram, right, found)
            total, n_same = 0.0, 0
            for m in range(members.size):
                is_here = windows.rows[members[m]] == windows.rows[spikes[i]]
                if is_here and windows.units[members[m]] == windows.units[spikes[i]]:
                    total += found[m]
                    n_same += 1
            scalings[i] = total / n_same
        else:
            scalings[i] = right[0] / gram[0, 0] if gram[0, 0] > 0 else 0.0
