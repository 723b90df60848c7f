"""Tables of numbers in text files."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def parse_numbers(lines: Sequence[str], dtype: DTypeLike) -> NDArray[Any]:
    """Return a table of numbers that are separated by commas or blanks.

    Parameters
    ----------
    lines : list of str
        Its lines; what follows a ``#`` is left out.
    dtype : dtype
        Of the values.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Of shape (0, 1) if there are none.

    Raises
    ------
    ValueError, OverflowError
        If they are no such numbers, or not as many in each line.

    Examples
    --------
    >>> parse_numbers(["3 4", "# and", "5 6"], "int64")
    array([[3, 4],
           [5, 6]])
    """
    first = next((line for line in lines if line.partition("#")[0].strip()), None)
    if first is None:
        return np.zeros((0, 1), dtype)
    delimiter = "," if "," in first else None
    with warnings.catch_warnings():
        # Texts of numbers with a point are no whole numbers, of which numpy is about to be sure.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.loadtxt(lines, dtype, delimiter=delimiter, ndmin=2)
        except DeprecationWarning as error:
            raise ValueError(str(error)) from error
