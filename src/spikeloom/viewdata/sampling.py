"""Which of many spikes a view shows: fixed choices, so that each click shows the same ones."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound=np.generic)


def even_sample(spikes: NDArray[S], n_max: int | None) -> NDArray[S]:
    """Return at most `n_max` of `spikes`, evenly spread, the first and the last among them.

    Of anything else in a row just as well.

    Examples
    --------
    >>> even_sample(np.arange(10), 3), even_sample(np.arange(10), 1)
    (array([0, 4, 9]), array([0]))
    """
    if n_max is None or spikes.size <= n_max:
        return spikes
    if n_max <= 1:
        return spikes[: max(n_max, 0)]
    return spikes[np.arange(n_max) * (spikes.size - 1) // (n_max - 1)]


def random_sample(spikes: NDArray[np.integer], n_max: int | None, seed: int) -> NDArray[np.integer]:
    """Return at most `n_max` of increasing `spikes`, chosen at random by `seed`, increasing."""
    if n_max is None or spikes.size <= n_max:
        return spikes
    n_chosen = max(n_max, 0)
    chosen = np.random.default_rng(seed).choice(spikes.size, n_chosen, replace=False, shuffle=False)
    return spikes[np.sort(chosen)]


def spread_sample(spikes: NDArray[np.integer], n_max: int | None, seed: int) -> NDArray[np.integer]:
    """Return at most `n_max` of `spikes`: one of each of that many equal stretches, at random.

    As even as `even_sample` over the recording, and not in step with anything periodic; quicker
    than `random_sample`. Not for what depends on the intervals between spikes: neighbours are
    chosen together too rarely.

    Examples
    --------
    >>> spread_sample(np.arange(10), 3, seed=0), spread_sample(np.arange(10), 20, seed=0).size
    (array([1, 3, 6]), 10)
    """
    if n_max is None or spikes.size <= n_max:
        return spikes
    if n_max <= 0:
        return spikes[:0]
    edges = np.arange(n_max + 1) * spikes.size // n_max
    places = np.random.default_rng(seed).random(n_max) * np.diff(edges)
    return spikes[edges[:-1] + places.astype(np.int64)]


def allocate(available: list[int], n_each: int, n_total: int | None = None) -> list[int]:
    """Share a budget of spikes fairly between clusters.

    Each cluster gets at most `n_each` and at most what it has. If there is a total, equal shares
    are dealt out again and again to those that still have spikes, single ones to the first.

    Examples
    --------
    >>> allocate([0, 1, 100], 10, 7), allocate([100] * 3, 10, 8), allocate([100, 2], 10)
    ([0, 1, 6], [3, 3, 2], [10, 2])
    """
    capacity = [min(n, n_each) for n in available]
    if n_total is None or sum(capacity) <= n_total:
        return capacity
    given = [0] * len(capacity)
    left = n_total
    while left > 0:
        hungry = [k for k, n in enumerate(capacity) if given[k] < n]
        share = left // len(hungry)
        if share == 0:
            for k in hungry[:left]:
                given[k] += 1
            break
        for k in hungry:
            extra = min(share, capacity[k] - given[k])
            given[k] += extra
            left -= extra
    return given
