"""Types of values by the names that files have for them."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike


def named_dtype(name: DTypeLike | None) -> np.dtype[Any]:
    """Return what `numpy.dtype` does, but raise one error for whatever is no type.

    Raises
    ------
    TypeError
        If it is none; numpy raises SyntaxError and ValueError for some texts, too.

    Examples
    --------
    >>> named_dtype("<i2")
    dtype('int16')
    >>> named_dtype("(,)i2")
    Traceback (most recent call last):
    TypeError: '(,)i2' is no type of values.
    """
    try:
        return np.dtype(name)
    except (SyntaxError, ValueError) as error:
        msg = f"{repr(name)[:80]} is no type of values."
        raise TypeError(msg) from error
