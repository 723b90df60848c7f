"""Twins of the coincidences: every pair of spikes is looked at."""

import numpy as np


def count_coincidences(train1, train2, delta):
    """Count the coincidences of two trains: the rule of the kernel, without the shortcuts."""
    count, last = 0, None
    for a in train1:
        for j, b in enumerate(train2):
            if abs(int(a) - int(b)) <= delta and j != last:
                count, last = count + 1, j
                break
    return count


def count_matrix(trains1, trains2, delta):
    """Count them for all pairs of trains."""
    pairs = [[count_coincidences(one, two, delta) for two in trains2] for one in trains1]
    return np.array(pairs, np.int64).reshape(len(trains1), len(trains2))


def overlap(train1, train2, delta):
    """Sum what any two spikes have in common as boxes."""
    return sum(max(0, delta - abs(int(a) - int(b))) for a in train1 for b in train2)


def n_pairs_max(train1, train2, delta):
    """Return how many pairs there can be at most, by augmenting paths (Kuhn's algorithm)."""
    partner = {}

    def finds(i, tried):
        for j, b in enumerate(train2):
            if abs(int(train1[i]) - int(b)) <= delta and j not in tried:
                tried.add(j)
                if j not in partner or finds(partner[j], tried):
                    partner[j] = i
                    return True
        return False

    return sum(finds(i, set()) for i in range(len(train1)))
