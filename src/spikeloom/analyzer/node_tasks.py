"""Nodes of a pipeline as a task in the pass over the recording that extensions share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spikeloom.core.node_gathering import MemoryGathering, Outputs
from spikeloom.core.node_pipeline import compute_nodes, empty_outputs, has_peaks, margin_of
from spikeloom.core.pipeline_nodes import PipelineNode, check_graph
from spikeloom.engine.chunks import Chunk

if TYPE_CHECKING:
    from spikeloom.analyzer.chunk_pass import TraceBlock


class NodesTask:
    """Runs the nodes of an extension on each chunk.

    Parameters
    ----------
    time_series : BaseRecording
        The recording.
    nodes : sequence of PipelineNode
        Parents before their children. They get traces as they are in the file.
    """

    def __init__(self, time_series: Any, nodes: Sequence[PipelineNode]) -> None:
        self.nodes = list(check_graph(nodes, check_for_peak_source=False))
        self.margin = margin_of(nodes)
        self._time_series = time_series
        self._gathering = MemoryGathering()
        self._is_any = False

    def __getstate__(self) -> dict[str, Any]:
        # Other processes compute; what they made is gathered here.
        return {**self.__dict__, "_gathering": None, "_time_series": None}

    def compute(self, block: "TraceBlock") -> Outputs | None:
        """Return what the nodes make of a chunk; None if it has no peaks."""
        if not has_peaks(self.nodes, block.chunk, self.margin):
            return None
        traces = block.raw_with_margin(self.margin)
        return compute_nodes(self.nodes, traces, block.chunk, self.margin)[0]

    def put(self, chunk: Chunk, result: Outputs | None) -> None:  # noqa: ARG002 - they come in order
        """Take the results of a chunk."""
        if result is not None:
            self._gathering.put(result)
            self._is_any = True

    def finish(self) -> Outputs:
        """Return the results of all chunks."""
        if not self._is_any:
            return empty_outputs(self._time_series, self.nodes)
        return self._gathering.finish()
