"""Principal components of waveforms, from their covariances.

The covariance of many waveforms is the sum of those of pieces, and of the spread of the averages of
the pieces: so waveforms are looked at once, unit by unit, and the components are the eigenvectors
of a small matrix. Sums run in the order of units, whatever works on them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError

Floats = NDArray[np.float64]

_LARGEST_COVARIANCE = 1536
"""Features beyond which components come from products with the waveforms themselves."""
_SMALLEST_VARIANCE = 1e-9
"""Of a component, relative to the first: what is less is noise of rounding."""
_N_ROWS = 4096


@dataclass(frozen=True)
class PCAModel:
    """Principal components that were fitted to waveforms; attributes are named as scikit-learn's.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features) and dtype float64
        Orthonormal; each such that its largest weight is positive.
    mean_ : ndarray of shape (n_features,) and dtype float64
    explained_variance_ : ndarray of shape (n_components,) and dtype float64
    n_samples_seen_ : int
        Waveforms that it was fitted to; 0 if there were none.
    whiten : bool
        Whether projections are divided by their standard deviation.
    """

    components_: Floats
    mean_: Floats
    explained_variance_: Floats
    n_samples_seen_: int
    whiten: bool

    def affine(self) -> tuple[Floats, Floats]:
        """Return weights (n_features, n_components) and offset (n_components,) of projections.

        All zero without a fit; and for components along which nothing varies.
        """
        weights = self.components_.T
        if self.whiten:
            largest = self.explained_variance_.max(initial=0.0)
            scale = np.zeros(len(self.components_))
            varies = self.explained_variance_ > _SMALLEST_VARIANCE * largest
            scale[varies] = 1 / np.sqrt(self.explained_variance_[varies])
            weights = weights * scale
        return weights, -(self.mean_ @ weights)

    def transform(self, waveforms: NDArray[Any]) -> Floats:
        """Return the projections of waveforms.

        Parameters
        ----------
        waveforms : ndarray of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n, n_components) and dtype float64

        Raises
        ------
        ParameterError
            If it was not fitted.
        """
        if not self.n_samples_seen_:
            msg = "These components were not fitted: there were too few waveforms."
            raise ParameterError(msg)
        weights, offset = self.affine()
        return np.asarray(waveforms @ weights + offset, np.float64)


@dataclass
class Moments:
    """Number, average and summed products of what was added so far, of several models at once."""

    n: NDArray[np.int64]
    """Shape (n_models,)."""
    mean: Floats
    """Shape (n_models, n_features)."""
    scatter: Floats
    """Sum of products of differences from the average; (n_models, n_features, n_features)."""

    @classmethod
    def empty(cls, n_models: int, n_features: int) -> "Moments":
        """Return those of nothing."""
        scatter = np.zeros((n_models, n_features, n_features))
        return cls(np.zeros(n_models, np.int64), np.zeros((n_models, n_features)), scatter)

    def add(
        self, models: Sequence[int], n: int, means: Floats, scatters: NDArray[np.floating]
    ) -> None:
        """Add pieces of `n` waveforms to some models.

        Parameters
        ----------
        models : sequence of int, of length n_pieces
            May name a model several times.
        n : int
            Waveforms of each piece.
        means : ndarray of shape (n_pieces, n_features)
        scatters : ndarray of shape (n_pieces, n_features, n_features)
            Sums of products of differences from the means.
        """
        for model, mean, scatter in zip(models, means, scatters, strict=True):
            before = self.n[model]
            total = before + n
            shift = mean - self.mean[model]
            self.scatter[model] += scatter
            self.scatter[model] += np.outer(shift, shift) * (before * n / total)
            self.mean[model] += shift * (n / total)
            self.n[model] = total


def moments_of_piece(snippets: NDArray[np.floating]) -> tuple[Floats, NDArray[np.floating]]:
    """Return averages and summed products of waveforms.

    Parameters
    ----------
    snippets : ndarray of shape (n_pieces, n, n_features)
        Overwritten.
    """
    means = snippets.mean(axis=1, dtype=np.float64)
    snippets -= means[:, np.newaxis].astype(snippets.dtype)
    return means, snippets.swapaxes(1, 2) @ snippets


def models_of(moments: Moments, n_components: int, *, whiten: bool) -> list[PCAModel]:
    """Return the components of each of several models.

    Raises
    ------
    ParameterError
        If there are more components than features.
    """
    n_features = moments.mean.shape[1]
    _check(n_components, n_features)
    models = []
    for n, mean, scatter in zip(moments.n, moments.mean, moments.scatter, strict=True):
        if n < 1:
            models.append(_unfitted(n_components, n_features, whiten=whiten))
            continue
        values, vectors = np.linalg.eigh(scatter)
        largest = values[::-1][:n_components]
        components = vectors[:, ::-1][:, :n_components].T
        models.append(_model(components, mean, largest, int(n), whiten=whiten))
    return models


def model_of_rows(
    rows: NDArray[np.floating], used: NDArray[np.int64], n_components: int, *, whiten: bool
) -> PCAModel:
    """Return the components of the rows of a large matrix.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        May be a memory map; read in blocks.
    used : ndarray of shape (n_used,)
        Rows that are used, increasing.
    n_components : int
    whiten : bool

    Raises
    ------
    ParameterError
        If there are more components than features.
    """
    n_features = rows.shape[1]
    _check(n_components, n_features)
    if not len(used):
        return _unfitted(n_components, n_features, whiten=whiten)
    mean = sum(b.sum(axis=0, dtype=np.float64) for b in _blocks(rows, used)) / len(used)
    if n_features <= _LARGEST_COVARIANCE or n_components >= n_features - 1:
        scatter = np.zeros((n_features, n_features))
        for block in _blocks(rows, used):
            centered = block - mean.astype(block.dtype)
            scatter += centered.T @ centered
        values, vectors = np.linalg.eigh(scatter)
    else:
        values, vectors = _largest(rows, used, mean, n_components)
    components = vectors[:, ::-1][:, :n_components].T
    largest = values[::-1][:n_components]
    return _model(components, mean, largest, len(used), whiten=whiten)


def _largest(
    rows: NDArray[np.floating], used: NDArray[np.int64], mean: Floats, n: int
) -> tuple[Floats, Floats]:
    """Return the largest eigenvalues of the scatter, increasing, without making it."""
    from scipy.sparse.linalg import LinearOperator, eigsh  # noqa: PLC0415 - slow to import

    def multiply(vector: Floats) -> Floats:
        flat = vector.ravel()
        product = np.zeros(rows.shape[1])
        for block in _blocks(rows, used):
            along = block @ flat.astype(block.dtype) - float(mean @ flat)
            product += along @ block - along.sum(dtype=np.float64) * mean
        return product

    operator: Any = LinearOperator((rows.shape[1],) * 2, matvec=multiply, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(rows.shape[1])
    values, vectors = eigsh(operator, k=n, v0=start, tol=1e-7)  # type: ignore[call-overload]
    return np.asarray(values), np.asarray(vectors)


def _blocks(rows: NDArray[np.floating], used: NDArray[np.int64]) -> Iterable[NDArray[np.floating]]:
    for first in range(0, len(used), _N_ROWS):
        block = rows[used[first : first + _N_ROWS]]
        yield block if block.dtype.kind == "f" else block.astype(np.float32)


def _check(n_components: int, n_features: int) -> None:
    if not 1 <= n_components <= n_features:
        msg = f"n_components={n_components} is not from 1 to the {n_features} values of a waveform."
        raise ParameterError(msg)


def _unfitted(n_components: int, n_features: int, *, whiten: bool) -> PCAModel:
    components = np.zeros((n_components, n_features))
    return PCAModel(components, np.zeros(n_features), np.zeros(n_components), 0, whiten)


def _model(components: Floats, mean: Floats, scatter: Floats, n: int, *, whiten: bool) -> PCAModel:
    largest = np.abs(components).argmax(axis=1)
    signs = np.sign(components[np.arange(len(components)), largest])
    components = components * np.where(signs == 0, 1.0, signs)[:, np.newaxis]
    variance = np.maximum(scatter, 0) / max(n - 1, 1)
    return PCAModel(np.ascontiguousarray(components), mean, variance, n, whiten)
