"""Metrics as their definitions say, one spike or pair at a time."""

import math
from itertools import pairwise

import numpy as np
from scipy import stats


def count_short_intervals(trains, limit):
    return sum(b - a < limit for train in trains for a, b in pairwise(train))


def count_close_pairs(trains, limit):
    return sum(
        later - one <= limit
        for train in trains
        for i, one in enumerate(train)
        for later in train[i + 1 :]
    )


def sliding_contamination(trains, fs, n_samples, bin_size, n_bins, first_tested, values):
    """Return the least value for which more violations were likely, at any refractory period."""
    n = sum(map(len, trains))
    duration = n_samples / fs
    for value in values:
        n_foreign = value * n
        for k in range(first_tested, n_bins):
            seen = count_close_pairs(trains, (k + 1) * bin_size - 1)
            period = (k + 1) * bin_size / fs
            pairs = n_foreign * ((1 - value) * n + (n_foreign - 1) / 2)
            if 1 - stats.poisson.cdf(seen, 2 * period / duration * pairs) > 0.9:
                return value
    return math.nan


def synchrony(dicts, size):
    """Return the part of each unit's spikes that is in events of a size, by unit."""
    units = list(dicts[0])
    found = []
    for unit in units:
        n_spikes = sum(len(segment[unit]) for segment in dicts)
        n_in = 0
        for segment in dicts:
            for sample in set(segment[unit]):
                n_in += sum(train.count(sample) for train in segment.values()) >= max(size, 2)
        found.append(n_in / n_spikes if n_spikes else -1)
    return found


def uncensored(train, period):
    """Return the spikes that remain if each that remains removes those right after it."""
    kept = []
    for k, sample in enumerate(train):
        if not kept or sample - train[kept[-1]] > period:
            kept.append(k)
    return kept


def presence_ratio(trains, n_samples, bin_size, n_least):
    filled = []
    for train, n in zip(trains, n_samples, strict=True):
        bins = [range(k * bin_size, (k + 1) * bin_size) for k in range(n // bin_size)]
        filled += [sum(s in one for s in train) > n_least for one in bins]
    return np.mean(filled) if filled else math.nan


def mahalanobis(own, others):
    """Return isolation distance and L-ratio."""
    mean, inverse = own.mean(axis=0), np.linalg.inv(np.cov(own.T).reshape(own.shape[1], -1))
    distances = sorted((x - mean) @ inverse @ (x - mean) for x in others)
    l_ratio = sum(stats.chi2.sf(d, own.shape[1]) for d in distances) / len(own)
    return distances[min(len(own), len(others)) - 1], l_ratio


def d_prime(own, others):
    """Return the separation along the discriminant that regression on the label finds."""
    points = np.concatenate((own, others))
    label = np.repeat([1.0, 0.0], [len(own), len(others)])
    design = np.column_stack((points, np.ones(len(points))))
    direction = np.linalg.lstsq(design, label, rcond=None)[0][:-1]
    one, other = own @ direction, others @ direction
    return (one.mean() - other.mean()) / math.sqrt((one.var() + other.var()) / 2)


def silhouette(own, groups):
    """Return the score of Rousseeuw."""
    scores = []
    for i, x in enumerate(own):
        a = np.mean([math.dist(x, y) for j, y in enumerate(own) if j != i])
        b = min(np.mean([math.dist(x, y) for y in group]) for group in groups)
        scores.append((b - a) / max(a, b))
    return np.mean(scores)


def nearest_neighbors(own, others, k):
    """Return hit and miss rate, by all distances."""
    points = np.concatenate((own, others)).astype(np.float64)
    n_own = []
    for i, x in enumerate(points):
        squares = ((points - x) ** 2).sum(axis=1)
        squares[i] = np.inf
        n_own.append(np.count_nonzero(np.argsort(squares, kind="stable")[:k] < len(own)))
    return np.mean(n_own[: len(own)]) / k, np.mean(n_own[len(own) :]) / k
