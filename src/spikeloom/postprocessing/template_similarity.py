"""How similar templates are: by their angle, or by the size of their difference.

With a lag, templates are moved against each other and the most similar position counts. What all
pairs have in common is done by matrix products: sums of products over the channels of both units,
or of either, are sums over the products of templates with masks.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.unit_extension import BaseUnitExtension
from spikeloom.analyzer.unit_rows import places_of, places_of_kept
from spikeloom.core.class_names import stored_as
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.template_tools import get_dense_templates_array
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.one_thread import algebra_on_one_thread

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

METHODS = ("cosine", "l1", "l2")
SUPPORTS = ("dense", "union", "intersection")
Masks = NDArray[np.bool_]

_LARGE = 1 << 30
"""Products from which on more threads help."""


@register_result_extension
@stored_as("spikeinterface.postprocessing.template_similarity.ComputeTemplateSimilarity")
class ComputeTemplateSimilarity(BaseUnitExtension):
    """Similarity of the templates of each pair of units.

    Parameters
    ----------
    method : {"cosine", "l1", "l2"}, default "cosine"
        The cosine of the angle between two templates, or one less the norm of their difference
        over the sum of their norms.
    max_lag_ms : float, default 0
        How far templates are moved against each other at most; the highest similarity counts,
        whichever of both is moved.
    support : {"dense", "union", "intersection"}, default "union"
        Channels that are compared: all; those of either unit, if they share one; those of both.
        Units without channels to compare have a similarity of zero.

    Returns
    -------
    similarity : ndarray of shape (n_units, n_units) and dtype float32
        1 for equal templates; negative for opposite ones with the cosine.
    """

    extension_name: ClassVar[str] = "template_similarity"
    depend_on: ClassVar[list[str]] = ["templates"]
    need_backward_compatibility_on_load: ClassVar[bool] = True

    def _handle_backward_compatibility_on_load(self) -> None:
        if self.params is not None:
            self.params.setdefault("max_lag_ms", 0.0)
            self.params.setdefault("support", "union")

    def _set_params(
        self, method: str = "cosine", max_lag_ms: float = 0, support: str = "union"
    ) -> dict[str, Any]:
        _checked(method, support)
        return {"method": method, "max_lag_ms": max_lag_ms, "support": support}

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002
        self.data["similarity"] = self._similarity(self.sorting_analyzer)

    def _get_data(self) -> NDArray[np.float32]:
        similarity: NDArray[np.float32] = self.data["similarity"]
        return similarity

    def _similarity(
        self, analyzer: "SortingAnalyzer", places: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Return the similarity of chosen units (all by default) with all, (n_chosen, n_units)."""
        params = self.params or self.get_default_params()
        templates = get_dense_templates_array(analyzer)
        masks = None if analyzer.sparsity is None else analyzer.sparsity.mask
        n_shifts = int(params["max_lag_ms"] * analyzer.sampling_frequency / 1000)

        def between(first: Any, second: Any) -> NDArray[np.float32]:
            return compute_similarity_with_templates_array(
                templates[first],
                templates[second],
                method=params["method"],
                support=params["support"],
                num_shifts=n_shifts,
                sparsity=None if masks is None else masks[first],
                other_sparsity=None if masks is None else masks[second],
            )[0]

        every = slice(None)
        if places is None:
            return between(every, every)
        rows = between(places, every)
        if n_shifts == 0:
            return rows
        return np.maximum(rows, between(every, places).T)

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        places = places_of(self.sorting_analyzer.sorting, unit_ids)
        return {"similarity": np.asarray(self.data["similarity"])[np.ix_(places, places)]}

    def _for_new_units(self, analyzer: "SortingAnalyzer", new_ids: Sequence[Any]) -> dict[str, Any]:
        old, new = self.sorting_analyzer.sorting, analyzer.sorting
        before, now = places_of_kept(old, new, new_ids)
        places = places_of(new, new_ids)
        rows = self._similarity(analyzer, places)
        similarity = np.empty((new.get_num_units(), new.get_num_units()), np.float32)
        similarity[np.ix_(now, now)] = np.asarray(self.data["similarity"])[np.ix_(before, before)]
        similarity[places] = rows
        similarity[:, places] = rows.T
        return {"similarity": similarity}


compute_template_similarity = ComputeTemplateSimilarity.function_factory()


def compute_similarity_with_templates_array(
    templates_array: NDArray[np.floating],
    other_templates_array: NDArray[np.floating],
    method: str,
    support: str = "union",
    num_shifts: int = 0,
    sparsity: ChannelSparsity | Masks | None = None,
    other_sparsity: ChannelSparsity | Masks | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return how similar templates are to others, and at which lag most so.

    Parameters
    ----------
    templates_array : ndarray of shape (n_units, n_samples, n_channels)
    other_templates_array : ndarray of shape (n_others, n_samples, n_channels)
    method : {"cosine", "l1", "l2"}
        See `ComputeTemplateSimilarity`.
    support : {"dense", "union", "intersection"}, default "union"
        See `ComputeTemplateSimilarity`.
    num_shifts : int, default 0
        Samples by which templates are moved at most; as many at either end are left out.
    sparsity, other_sparsity : ChannelSparsity or ndarray of shape (n_units, n_channels), optional
        Channels of each unit; all by default.

    Returns
    -------
    similarity : ndarray of shape (n_units, n_others) and dtype float32
    lags : ndarray of shape (n_units, n_others) and dtype int64
        Samples by which the other template is later.

    Raises
    ------
    ParameterError
        If there is no such method or support, shapes do not fit, or the lag leaves no samples.

    Examples
    --------
    >>> templates = np.array([[[0.0], [2.0], [0.0], [0.0]], [[0.0], [0.0], [1.0], [0.0]]])
    >>> compute_similarity_with_templates_array(templates, templates, "cosine", num_shifts=1)
    (array([[1., 1.],
           [1., 1.]], dtype=float32), array([[ 0,  1],
           [-1,  0]]))
    """
    method = _checked(method, support)
    first, second = np.asarray(templates_array), np.asarray(other_templates_array)
    if first.shape[1:] != second.shape[1:]:
        msg = (
            "Both need the same samples and channels; got templates of "
            f"{first.shape[1:]} and {second.shape[1:]}."
        )
        raise ParameterError(msg)
    n_samples = first.shape[1]
    if not 0 <= 2 * num_shifts < max(n_samples, 1):
        msg = f"A lag of {num_shifts} samples is too large for templates of {n_samples} samples."
        raise ParameterError(msg)
    masks = _masks(sparsity, first), _masks(other_sparsity, second)
    is_compared = _comparable(*masks, support)
    width = n_samples - 2 * num_shifts
    middle = np.ascontiguousarray(first[:, num_shifts : num_shifts + width])
    shape = (2 * num_shifts + 1, len(first), len(second))
    distances = np.ones(shape, np.float32)
    is_small = len(first) * len(second) * middle[0:1].size < _LARGE
    with algebra_on_one_thread() if is_small else nullcontext():
        for k in range(shape[0]):
            moved = np.ascontiguousarray(second[:, k : k + width])
            found = _distances(middle, moved, *masks, method=method, support=support)
            distances[k][is_compared] = found[is_compared]
    if _is_same(first, second, *masks):
        distances = _mirror(distances)
    lags = distances.argmin(axis=0) - num_shifts if shape[0] > 1 else np.zeros(shape[1:], np.int64)
    return 1 - distances.min(axis=0), lags


def compute_template_similarity_by_pair(
    sorting_analyzer_1: Any,
    sorting_analyzer_2: Any,
    method: str = "cosine",
    support: str = "union",
    num_shifts: int = 0,
) -> NDArray[np.float32]:
    """Return how similar the templates of one analyzer are to those of another.

    Parameters
    ----------
    sorting_analyzer_1, sorting_analyzer_2 : SortingAnalyzer
        With templates, of the same samples and channels.
    method, support, num_shifts
        See `compute_similarity_with_templates_array`.

    Returns
    -------
    ndarray of shape (n_units_1, n_units_2) and dtype float32
    """
    similarity, _ = compute_similarity_with_templates_array(
        get_dense_templates_array(sorting_analyzer_1),
        get_dense_templates_array(sorting_analyzer_2),
        method=method,
        support=support,
        num_shifts=num_shifts,
        sparsity=sorting_analyzer_1.sparsity,
        other_sparsity=sorting_analyzer_2.sparsity,
    )
    return similarity


def _checked(method: str, support: str) -> str:
    method = "cosine" if method == "cosine_similarity" else method
    if method not in METHODS:
        msg = f"method must be one of {', '.join(METHODS)}; got {method!r}."
        raise ParameterError(msg)
    if support not in SUPPORTS:
        msg = f"support must be one of {', '.join(SUPPORTS)}; got {support!r}."
        raise ParameterError(msg)
    return method


def _masks(given: ChannelSparsity | Masks | None, templates: NDArray[np.floating]) -> Masks:
    if given is None:
        return np.ones((len(templates), templates.shape[2]), bool)
    return np.asarray(given.mask if isinstance(given, ChannelSparsity) else given, bool)


def _comparable(first: Masks, second: Masks, support: str) -> Masks:
    if support == "dense":
        return np.ones((len(first), len(second)), bool)
    return np.asarray(first.astype(np.float32) @ second.astype(np.float32).T > 0)


def _is_same(
    first: NDArray[np.floating], second: NDArray[np.floating], masks: Masks, others: Masks
) -> bool:
    if first.shape != second.shape or not np.array_equal(masks, others):
        return False
    return bool(np.array_equal(first, second))


def _mirror(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distances of pairs whichever of both templates stands still.

    That of (a, b) at a lag and that of (b, a) at the opposite one differ in the samples at the ends
    that are left out: the smaller one counts, so that the matrix is symmetric and the order of
    units does not matter.
    """
    return np.minimum(distances, distances[::-1].swapaxes(1, 2))


def _distances(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    masks: Masks,
    others: Masks,
    *,
    method: str,
    support: str,
) -> NDArray[np.float64]:
    """Return the distances of all pairs at one lag."""
    size = np.abs if method == "l1" else np.square
    powers = size(first).sum(axis=1, dtype=np.float64)  # (n_units, n_channels)
    other_powers = size(second).sum(axis=1, dtype=np.float64)
    norms, other_norms = _norms(powers, other_powers, masks, others, support)
    if method == "l1":
        crossed = _absolute_differences(first, second, masks, others, support)
    else:
        norms, other_norms = np.sqrt(norms), np.sqrt(other_norms)
        crossed = _products(first, second, masks, others, support)
    if method == "cosine":
        below = norms * other_norms
        ratio = np.zeros_like(below)
        np.divide(crossed, below, out=ratio, where=below > 0)
        return np.asarray(1 - ratio)
    if method == "l2":
        crossed = np.sqrt(np.maximum(norms**2 + other_norms**2 - 2 * crossed, 0))
    below = norms + other_norms
    ratio = np.ones_like(below)
    np.divide(crossed, below, out=ratio, where=below > 0)
    return ratio


def _norms(
    powers: NDArray[np.float64],
    other_powers: NDArray[np.float64],
    masks: Masks,
    others: Masks,
    support: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the power of both templates of each pair on the channels that are compared."""
    all_of, all_of_other = powers.sum(axis=1)[:, np.newaxis], other_powers.sum(axis=1)[np.newaxis]
    if support == "dense":
        shape = (len(powers), len(other_powers))
        return np.broadcast_to(all_of, shape), np.broadcast_to(all_of_other, shape)
    if support == "intersection":
        return (powers * masks) @ others.T.astype(float), masks.astype(float) @ (
            other_powers * others
        ).T
    # Channels of either unit are all but those of neither.
    outside = (powers * ~masks) @ (~others).T.astype(float)
    outside_other = (~masks).astype(float) @ (other_powers * ~others).T
    return all_of - outside, all_of_other - outside_other


def _products(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    masks: Masks,
    others: Masks,
    support: str,
) -> NDArray[np.float64]:
    """Return the sum of products of each pair over the channels that are compared."""
    if support == "intersection":
        return _gemm(first * masks[:, np.newaxis], second * others[:, np.newaxis])
    products = _gemm(first, second)
    if support == "dense":
        return products
    outside, outside_other = first * ~masks[:, np.newaxis], second * ~others[:, np.newaxis]
    if not outside.any() or not outside_other.any():
        return products
    return np.asarray(products - _gemm(outside, outside_other))


def _gemm(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    flat = first.reshape(len(first), -1).astype(np.float64)
    product: NDArray[np.float64] = flat @ second.reshape(len(second), -1).astype(np.float64).T
    return product


def _absolute_differences(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    masks: Masks,
    others: Masks,
    support: str,
) -> NDArray[np.float64]:
    """Return the sum of absolute differences of each pair; there is no product for it."""
    differences = np.zeros((len(first), len(second)))
    for i in range(len(first)):
        both = masks[i] & others
        used = both
        if support == "dense":
            used = np.ones_like(both)
        elif support == "union":
            used = (masks[i] | others) & both.any(axis=1)[:, np.newaxis]
        for j in np.flatnonzero(used.any(axis=1)):
            channels = used[j]
            difference = first[i][:, channels] - second[j][:, channels]
            differences[i, j] = np.abs(difference).sum(dtype=np.float64)
    return differences
