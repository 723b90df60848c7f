"""What every view is computed from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.curation.state import CurationState, Spikes
from spikeloom.datasets.dataset import Dataset
from spikeloom.engine.cancellation import CancelToken
from spikeloom.kernels.gather import gather_scaled
from spikeloom.viewdata.catalog import ClusterCatalog

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class ViewContext:
    """A dataset as it is curated at one moment."""

    dataset: Dataset
    """The dataset."""
    catalog: ClusterCatalog
    """Facts about its clusters."""
    state: CurationState
    """Clusters and labels."""
    clusters_of: Callable[[NDArray[np.integer] | slice], NDArray[np.int32]]
    """Returns the current cluster of given spikes, as a copy."""
    cancel: CancelToken
    """Raised when nobody waits for the result any more."""

    def spikes_of(self, cluster_id: int) -> Spikes:
        """Return the spikes of a cluster; raise `CurationError` if there is none."""
        return self.state.spikes_of(cluster_id)

    def best_channels(self, cluster_id: int) -> NDArray[np.int64]:
        """Return the channels on which a cluster is shown, the main one first."""
        return self.catalog.best_channels(cluster_id, self.spikes_of(cluster_id))

    def only_template(self, cluster_id: int) -> int | None:
        """Return the template that found all spikes of a cluster; None if there are several."""
        counts = self.catalog.template_counts(cluster_id, self.spikes_of(cluster_id))
        return counts.main if counts.template_ids.size == 1 else None

    def times_s(self, spikes: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the times of spikes in seconds; nowhere else do samples become seconds."""
        times_s = np.empty(spikes.size)
        rate = self.dataset.sampling_frequency
        gather_scaled(self.dataset.spike_samples, spikes, 1.0, rate, times_s)
        return times_s

    def plot_times_s(self, spikes: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return `times_s` in single precision, as views send them."""
        times_s = np.empty(spikes.size, np.float32)
        rate = self.dataset.sampling_frequency
        gather_scaled(self.dataset.spike_samples, spikes, 1.0, rate, times_s)
        return times_s


@dataclass(frozen=True, slots=True)
class View(Generic[P]):
    """A view: how to compute it, and from which parameters."""

    params: type[P]
    """A msgspec structure with a default for each parameter."""
    compute: Callable[[ViewContext, list[int], P], Any]
    """Takes the context, the selected clusters and parameters; returns a dataclass."""
    result: type[Any]
    """Type of what is returned."""
