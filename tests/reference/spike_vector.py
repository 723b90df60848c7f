"""Twins of what `spikeloom.core` does to the spikes of a sorting: plain lists, no thought of speed.

A spike is a tuple (segment, sample, unit).
"""


def in_order(spikes):
    return sorted(spikes)


def sort_by_digit(keys, shift, n_bits):
    return sorted(keys, key=lambda key: (key >> shift) & ((1 << n_bits) - 1))


def train(spikes, unit, segment):
    return [sample for s, sample, u in spikes if (s, u) == (segment, unit)]


def places(spikes, unit, segment):
    return [i for i, (s, _, u) in enumerate(spikes) if (s, u) == (segment, unit)]


def select_units(spikes, units):
    return sorted((s, sample, units.index(u)) for s, sample, u in spikes if u in units)


def in_periods(spikes, periods):
    """Tell which spikes lie in a period (segment, start, end, unit)."""
    return [
        any(
            s == segment and start <= sample < end and u == unit
            for segment, start, end, unit in periods
        )
        for s, sample, u in spikes
    ]


def censor(spikes, units, n_samples):
    """Tell which spikes do not follow the one before of their unit by less than `n_samples`."""
    kept = []
    last = {}
    for s, sample, u in spikes:
        before = last.get((s, u))
        kept.append(u not in units or before is None or sample - before >= n_samples)
        last[s, u] = sample
    return kept
