"""Twin of dropping close spikes: a list of those that stay, looked at from the start each time."""


def find_dropped(samples, period, drops_later):
    """Return the places of the dropped spikes of one train."""
    staying = []
    for i, sample in enumerate(samples):
        if not staying or sample - samples[staying[-1]] > period:
            staying.append(i)
        elif not drops_later[i]:
            staying[-1] = i
    return [i for i in range(len(samples)) if i not in staying]


def find_dropped_iteratively(samples, period):
    """Return the places of spikes that follow one that stays too closely, pair by pair."""
    dropped = set()
    for i in range(len(samples)):
        if i in dropped:
            continue
        for j in range(i + 1, len(samples)):
            if samples[j] - samples[i] <= period:
                dropped.add(j)
    return sorted(dropped)
