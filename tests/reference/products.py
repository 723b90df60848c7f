"""Twin of the gathered products: one at a time, in plain Python."""

from math import nan


def gather_products(values, groups, factors, items):
    """Return values[i] * factors[groups[i]] for each i of items; nan for an unknown group."""
    return [values[i] * (factors[groups[i]] if groups[i] < len(factors) else nan) for i in items]
