"""Twin of the leaky recursion: the formula, term by term."""


def leak_twice(values, first, second):
    """Return y with y[n] = x[n] + first * y[n - 1] + second * y[n - 2]."""
    result = []
    for n, x in enumerate(values):
        before = result[n - 1] if n >= 1 else 0.0
        earlier = result[n - 2] if n >= 2 else 0.0
        result.append(x + first * before + second * earlier)
    return result
