"""Arrays that are read, or worked out, row by row when somebody asks for rows."""

import operator
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class LazyRows(ABC):
    """Something that is indexed like an array and makes the rows that are asked for.

    The first index picks rows: a number, a slice, a list of numbers or a mask. Further indices are
    applied to the rows that were made.

    Parameters
    ----------
    shape : tuple of int
        What the shape would be if all rows were made.
    dtype : dtype
        Of the values.

    Examples
    --------
    >>> class Squares(LazyRows):
    ...     def read_rows(self, rows):
    ...         return np.arange(len(self))[rows, np.newaxis] ** np.arange(1, 3)
    >>> squares = Squares((1000, 2), "int64")
    >>> squares[[7, -1]]
    array([[     7,     49], [   999, 998001]])
    >>> int(squares[3, 1]), squares[2:8:3, 1]
    (9, array([ 4, 25]))
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.shape = tuple(int(n) for n in shape)
        """What `read_rows` would return for all rows."""
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        """Type of the values."""

    @abstractmethod
    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Return rows: consecutive ones (a slice of step 1), or those at indices in any order."""

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"

    def __getitem__(self, item: Any) -> Any:
        first, *rest = item if isinstance(item, tuple) else (item,)
        if first is Ellipsis:
            return self.read_rows(slice(0, len(self)))[item]
        if isinstance(first, slice):
            rows = self._slab(first)
        elif np.ndim(first) == 0 and not isinstance(first, bool | np.bool):
            return self.read_rows(self._checked([operator.index(first)]))[(0, *rest)]
        else:
            wanted = np.asarray(first)
            is_mask = wanted.dtype == np.bool and wanted.shape == (len(self),)
            rows = self.read_rows(np.flatnonzero(wanted) if is_mask else self._checked(wanted))
        return rows[(slice(None), *rest)] if rest else rows

    def _slab(self, rows: slice) -> NDArray[Any]:
        start, stop, step = rows.indices(len(self))
        picked = range(start, stop, step)
        if not picked:
            return self.read_rows(slice(0, 0))
        low, high = min(picked[0], picked[-1]), max(picked[0], picked[-1]) + 1
        if abs(step) == 1:
            return self.read_rows(slice(low, high))[::step]
        return self.read_rows(np.arange(start, stop, step))

    def _checked(self, wanted: Any) -> NDArray[np.int64]:
        rows = np.asarray(wanted)
        if rows.size == 0:
            return np.zeros(0, np.int64)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            msg = f"Rows are picked by a list of whole numbers; got {rows.dtype} of {rows.shape}."
            raise IndexError(msg)
        rows = rows.astype(np.int64)
        n_rows = len(self)
        if rows.min() < -n_rows or rows.max() >= n_rows:
            worst = rows.min() if rows.min() < -n_rows else rows.max()
            msg = f"There is no row {worst}: there are {n_rows}."
            raise IndexError(msg)
        return np.where(rows < 0, rows + n_rows, rows)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            msg = "These values are not in memory, so they cannot be had without a copy."
            raise ValueError(msg)
        values = self.read_rows(slice(0, len(self)))
        return values if dtype is None else values.astype(dtype)
