"""What a spike sorter thinks of its own clusters, from their refractory periods alone."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.spike_groups import group_spikes

_VIOLATION_MS = 2.0
_CONTAMINATION_MAX = 0.2


def label_clusters(
    spike_samples: NDArray[np.int64],
    spike_clusters: NDArray[np.int32],
    *,
    n_samples: int,
    sampling_frequency: float,
) -> dict[int, str]:
    """Call a cluster good if few of its spikes follow on another within 2 ms, else mua.

    Few is less than a fifth of what spikes at random times would do, as in KiloSort.

    Parameters
    ----------
    spike_samples : ndarray of shape (n_spikes,) and dtype int64
        Sample of each spike, not decreasing.
    spike_clusters : ndarray of shape (n_spikes,) and dtype int32
        Cluster of each spike.
    n_samples : int
        Length of the recording.
    sampling_frequency : float
        In Hz.

    Returns
    -------
    dict
        ``"good"`` or ``"mua"`` by cluster id.

    Examples
    --------
    >>> samples = np.array([0, 5, 30_000, 30_010, 60_000, 90_000])
    >>> clusters = np.array([0, 0, 0, 0, 1, 1], np.int32)
    >>> label_clusters(samples, clusters, n_samples=90_001, sampling_frequency=30_000.0)
    {0: 'mua', 1: 'good'}
    """
    groups = group_spikes(spike_clusters)
    limit = _VIOLATION_MS * sampling_frequency / 1000
    labels = {}
    for cluster_id in groups.labels.tolist():
        train = spike_samples[groups.spikes_of(cluster_id)]
        n_violations = np.count_nonzero(np.diff(train) < limit)
        n_at_random = train.size**2 * limit / n_samples
        labels[cluster_id] = "good" if n_violations <= _CONTAMINATION_MAX * n_at_random else "mua"
    return labels
