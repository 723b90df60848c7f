"""Nodes of a pipeline over traces: what finds peaks, and what makes something of them.

A node gets a chunk of traces with margins, and what its parents made of it. The first ones are
sources of peaks: they find them (`PeakDetector`) or bring them along (see
`spikeloom.core.peak_retrieval`). `spikeloom.run_node_pipeline` runs a list of nodes over a
recording.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from numpy.typing import DTypeLike, NDArray

from spikeloom.core.chunk_margins import get_chunk_with_margin
from spikeloom.core.spike_vector import base_peak_dtype
from spikeloom.errors import ParameterError

N = TypeVar("N", bound="PipelineNode")


class PipelineNode:
    """Makes something of a chunk of traces, and of what its parents made; to be derived from.

    Parameters
    ----------
    time_series : BaseRecording
        What the pipeline runs over.
    return_output : bool or tuple of bool, default True
        Whether what it makes is a result of the pipeline; for a node that makes several things,
        which of them.
    parents : list of PipelineNode, optional
        Nodes whose output it takes, in this order.

    Examples
    --------
    >>> import numpy as np
    >>> class Energy(PipelineNode):
    ...     def compute(self, traces, peaks):
    ...         return np.sum(traces[peaks["sample_index"]] ** 2, axis=1)
    """

    _compute_has_extended_signature: ClassVar[bool] = False
    """Whether ``compute`` also takes where the chunk is: after the traces come its first sample,
    one past its last sample, its segment and the margin."""

    def __init__(
        self,
        time_series: Any,
        return_output: bool | tuple[bool, ...] = True,
        parents: Sequence["PipelineNode"] | None = None,
    ) -> None:
        self.time_series = time_series
        self.return_output = return_output
        self.parents = None if parents is None else list(parents)
        self._kwargs: dict[str, Any] = {
            "time_series": time_series,
            "return_output": return_output,
            "parents": parents,
        }

    def get_margin(self) -> int:
        """Return how many samples it needs on either side of a chunk."""
        return 0

    def get_dtype(self) -> DTypeLike:
        """Return the type of what it makes."""
        raise NotImplementedError

    def compute(self, traces: NDArray[Any], *inputs: Any) -> Any:
        """Return what it makes of a chunk: an array, or a tuple of arrays.

        Parameters
        ----------
        traces : ndarray of shape (margin + n_samples + margin, n_channels)
            The chunk, with the margin of the pipeline on both sides, zero outside the recording.
        *inputs
            What the parents made; peaks have their ``sample_index`` counted from the first row.
        """
        raise NotImplementedError


class PeakSource(PipelineNode):
    """A node that gives peaks to others: what it makes first has the fields of a peak."""

    need_first_call_before_pipeline: ClassVar[bool] = False
    """Whether it is called once before workers start, to compile what it needs."""

    def get_dtype(self) -> DTypeLike:
        """Return the type of its peaks."""
        return base_peak_dtype

    def get_peak_slice(
        self, segment_index: int, start_frame: int, end_frame: int, max_margin: int
    ) -> tuple[int, int]:
        """Return which of its peaks lie in a chunk; for those that bring them along."""
        raise NotImplementedError

    def first_call(self) -> None:
        """Compute something small, if it wants to be called once before workers start."""
        if not self.need_first_call_before_pipeline:
            return
        margin = self.get_margin()
        segment = self.time_series.segments[0]
        n_samples = min(1, int(segment.get_num_samples()))
        traces, _, _ = get_chunk_with_margin(segment, 0, n_samples, None, margin, add_zeros=True)
        self.compute(traces, 0, n_samples, 0, margin)


class PeakDetector(PeakSource):
    """A node that finds peaks, or spikes, in traces; to be derived from.

    Its ``compute(traces, start_frame, end_frame, segment_index, max_margin)`` gets traces with its
    own margin, whatever that of the pipeline is, and returns a tuple whose first array has the
    peaks of the chunk without margins, with ``sample_index`` counted from the first row.
    """


def find_parents_of_type(
    list_of_parents: Iterable[PipelineNode] | None, parent_type: type[N] | tuple[type[N], ...]
) -> list[N]:
    """Return the nodes of a list that are of a type, or of one of several."""
    return [one for one in list_of_parents or () if isinstance(one, parent_type)]


def find_parent_of_type(
    list_of_parents: Iterable[PipelineNode] | None, parent_type: type[N] | tuple[type[N], ...]
) -> N | None:
    """Return the first node of a list that is of a type; None if none is."""
    found = find_parents_of_type(list_of_parents, parent_type)
    return found[0] if found else None


def check_graph(
    nodes: Sequence[PipelineNode], check_for_peak_source: bool = True
) -> Sequence[PipelineNode]:
    """Return nodes, after a look that they can be run in this order.

    Parameters
    ----------
    nodes : sequence of PipelineNode
        Parents before their children.
    check_for_peak_source : bool, default True
        Whether the first one must be a source of peaks.

    Raises
    ------
    ParameterError
        If something is no node, or a parent does not come before its child.
    """
    given: Sequence[Any] = nodes
    wrong = [one for one in given if not isinstance(one, PipelineNode)]
    if wrong or not nodes:
        msg = f"A pipeline is a list of at least one PipelineNode; got {wrong or list(nodes)!r}."
        raise ParameterError(msg)
    if check_for_peak_source and not isinstance(nodes[0], PeakSource):
        msg = (
            f"The first node must be a PeakSource (PeakDetector, PeakRetriever, SpikeRetriever); "
            f"it is a {type(nodes[0]).__name__}."
        )
        raise ParameterError(msg)
    for k, node in enumerate(nodes):
        for parent in node.parents or ():
            if not any(parent is one for one in nodes[:k]):
                msg = (
                    f"{type(node).__name__} has the parent {type(parent).__name__}, which is not "
                    "among the nodes before it: put it there."
                )
                raise ParameterError(msg)
    return nodes
