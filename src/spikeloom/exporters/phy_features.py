"""What a phy dataset tells of spikes besides their times: templates, amplitudes, features.

All of it is computed from the high-pass filtered raw data: first templates and principal axes
from some spikes of each cluster, then the projections of all spikes, batch by batch, each on the
channels around the main one of its template. Units are those of the raw data.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.high_pass import HighPass
from spikeloom.core.raw_traces import RawTraces
from spikeloom.core.spike_groups import SpikeGroups, group_spikes
from spikeloom.datasets.templates import cosine

N_LOCAL_CHANNELS = 12
"""Channels on which a spike has features, those nearest to the main one of its template."""

N_COMPONENTS = 3
"""Principal components per channel."""

N_SIMILAR_TEMPLATES = 16
"""Templates that a spike is projected on: its own and the most similar ones."""

_N_TEMPLATE_SPIKES = 300
_N_AXIS_CHANNELS = 4
_BATCH = 1024


@dataclass(frozen=True, slots=True)
class PhyFeatures:
    """Templates and what spikes have in common with them."""

    templates: NDArray[np.float32]
    """Mean waveforms, zero where there is no spike; shape (n_templates, n_samples, n_channels)."""
    similarity: NDArray[np.float32]
    """Cosine between templates, negative values cut to zero; shape (n_templates, n_templates)."""
    amplitudes: NDArray[np.float64]
    """Factor of its template that is nearest to each spike, about 1; shape (n_spikes,)."""
    pc_features: NDArray[np.float32]
    """Shape (n_spikes, n_components, n_local_channels)."""
    pc_feature_ind: NDArray[np.int32]
    """Channels of each template, the largest first; shape (n_templates, n_local_channels)."""
    template_features: NDArray[np.float32]
    """Projection on each of the similar templates, of length one; (n_spikes, n_similar)."""
    template_feature_ind: NDArray[np.int32]
    """Similar templates of each template, itself first; shape (n_templates, n_similar)."""


def compute_phy_features(
    traces: RawTraces,
    spike_samples: NDArray[np.int64],
    spike_clusters: NDArray[np.int32],
    *,
    channel_positions: NDArray[np.float64],
    n_window_samples: int,
    on_progress: Callable[[float], None] | None = None,
) -> PhyFeatures:
    """Compute templates, amplitudes and features of all spikes.

    Parameters
    ----------
    traces : RawTraces
        The recording.
    spike_samples : ndarray of shape (n_spikes,) and dtype int64
        Sample of each spike.
    spike_clusters : ndarray of shape (n_spikes,) and dtype int32
        Cluster of each spike, which is its template.
    channel_positions : ndarray of shape (n_channels, 2)
        In um.
    n_window_samples : int
        Length of a template; the spike is at ``n_window_samples // 2``.
    on_progress : callable, optional
        Told the share of spikes that are done, from 0 to 1.

    Returns
    -------
    PhyFeatures
        What the files of a phy dataset hold.

    Notes
    -----
    The principal axes are those of all channels together, about zero and not about the mean: so
    the first component goes with the amplitude, as in KiloSort.
    """
    groups = group_spikes(spike_clusters)
    windows = _Windows(
        traces=traces,
        high_pass=HighPass(traces.sampling_frequency),
        starts=spike_samples - n_window_samples // 2,
        n_samples=n_window_samples,
    )
    templates, second_moment = _average(windows, groups)
    axes = principal_axes(second_moment)
    flat = templates.reshape(len(templates), -1)
    similarity = cosine(flat)
    channels = local_channels(templates, channel_positions)
    features = PhyFeatures(
        templates=templates,
        similarity=similarity,
        amplitudes=np.zeros(spike_samples.size),
        pc_features=_zeros(spike_samples.size, N_COMPONENTS, channels.shape[1]),
        pc_feature_ind=channels,
        template_features=_zeros(spike_samples.size, min(N_SIMILAR_TEMPLATES, len(templates))),
        template_feature_ind=most_similar(similarity),
    )
    n_done = 0
    for template_id, spikes in _batches(groups):
        _project(features, windows, axes, template_id=template_id, spikes=spikes)
        n_done += spikes.size
        if on_progress is not None:
            on_progress(n_done / spike_samples.size)
    return features


def local_channels(
    templates: NDArray[np.float32], channel_positions: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Return the channels nearest to the main one of each template, by falling amplitude.

    Parameters
    ----------
    templates : ndarray of shape (n_templates, n_samples, n_channels) and dtype float32
        In any unit.
    channel_positions : ndarray of shape (n_channels, 2)
        In um.

    Returns
    -------
    ndarray of shape (n_templates, n_local_channels) and dtype int32
        Channels; the first is the main one.

    Examples
    --------
    >>> templates = np.array([[[0.0, -2.0, -5.0], [0.0, 2.0, 1.0]]], np.float32)
    >>> local_channels(templates, np.array([[0.0, 0.0], [0.0, 20.0], [0.0, 40.0]]))
    array([[2, 1, 0]], dtype=int32)
    """
    amplitudes = np.ptp(templates, axis=1)  # (n_templates, n_channels)
    offsets_um = channel_positions[amplitudes.argmax(axis=1), None] - channel_positions
    distances_um = np.hypot(offsets_um[:, :, 0], offsets_um[:, :, 1])
    nearest = np.argsort(distances_um, axis=1, kind="stable")[:, :N_LOCAL_CHANNELS]
    order = np.argsort(-np.take_along_axis(amplitudes, nearest, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(nearest, order, axis=1), np.int32)


def principal_axes(second_moment: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the axes along which waveforms vary most about zero.

    Parameters
    ----------
    second_moment : ndarray of shape (n_samples, n_samples)
        Sum of the products of waveforms with themselves.

    Returns
    -------
    ndarray of shape (n_samples, n_components) and dtype float32
        Of length one, the most important first. The largest value of each is negative, so that
        a trough has a positive projection.

    Examples
    --------
    >>> principal_axes(np.diag([1.0, 9.0, 4.0]))[:, 0]
    array([-0., -1., -0.], dtype=float32)
    """
    _, vectors = np.linalg.eigh(second_moment)
    axes = vectors[:, ::-1][:, :N_COMPONENTS]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return np.asarray(axes * -np.sign(largest), np.float32)


def most_similar(similarity: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return for each template itself and those most similar to it, by falling similarity.

    Parameters
    ----------
    similarity : ndarray of shape (n_templates, n_templates) and dtype float32
        From 0 to 1.

    Returns
    -------
    ndarray of shape (n_templates, n_similar) and dtype int32
        Templates.

    Examples
    --------
    >>> most_similar(np.array([[1.0, 0.1, 0.3], [0.1, 1.0, 0.2], [0.3, 0.2, 1.0]], np.float32))
    array([[0, 2, 1],
           [1, 2, 0],
           [2, 0, 1]], dtype=int32)
    """
    # A template without spikes has no similarity even to itself, but comes first all the same.
    ranked = similarity + 2 * np.eye(len(similarity), dtype=similarity.dtype)
    order = np.argsort(-ranked, axis=1, kind="stable")
    return order[:, :N_SIMILAR_TEMPLATES].astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Windows:
    """High-pass filtered windows around spikes."""

    traces: RawTraces
    high_pass: HighPass
    starts: NDArray[np.int64]
    n_samples: int

    def cut(
        self, spikes: NDArray[np.integer], channels: list[int] | None = None
    ) -> NDArray[np.float32]:
        """Return windows (n_spikes, n_samples, n_channels) of some spikes."""
        return self.traces.cut_windows(
            self.starts[spikes], self.n_samples, channels, high_pass=self.high_pass
        )


def _average(
    windows: _Windows, groups: SpikeGroups
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the templates, and the second moment of waveforms (n_samples, n_samples).

    Both are of some spikes of each cluster, spread evenly over its own; the second moment is of
    the channels where its template is largest.
    """
    n_templates = int(groups.labels.max(initial=-1)) + 1
    templates = _zeros(n_templates, windows.n_samples, windows.traces.n_channels)
    second_moment = np.zeros((windows.n_samples, windows.n_samples))
    for template_id in groups.labels.tolist():
        spikes = groups.spikes_of(template_id)
        n_chosen = min(spikes.size, _N_TEMPLATE_SPIKES)
        chosen = spikes[np.linspace(0, spikes.size - 1, n_chosen).round().astype(np.int64)]
        waveforms = windows.cut(chosen)
        templates[template_id] = waveforms.mean(axis=0)
        largest = np.argsort(-np.ptp(templates[template_id], axis=0))[:_N_AXIS_CHANNELS]
        rows = waveforms[:, :, largest].transpose(0, 2, 1).reshape(-1, windows.n_samples)
        second_moment += rows.T @ rows
    return templates, second_moment


def _batches(groups: SpikeGroups) -> Iterator[tuple[int, NDArray[np.integer]]]:
    """Yield spikes of one template at a time, not too many."""
    for template_id in groups.labels.tolist():
        spikes = groups.spikes_of(template_id)
        for first in range(0, spikes.size, _BATCH):
            yield template_id, spikes[first : first + _BATCH]


def _project(
    features: PhyFeatures,
    windows: _Windows,
    axes: NDArray[np.float32],
    *,
    template_id: int,
    spikes: NDArray[np.integer],
) -> None:
    """Write what some spikes of one template have in common with axes and templates."""
    channels = features.pc_feature_ind[template_id]
    waveforms = windows.cut(spikes, channels.tolist())
    features.pc_features[spikes] = np.einsum("ntc,tk->nkc", waveforms, axes, optimize=True)
    similar = features.template_feature_ind[template_id]
    # (n_similar, n_samples * n_channels), the own template first
    local = features.templates[similar][:, :, channels].reshape(similar.size, -1)
    projections = waveforms.reshape(spikes.size, -1) @ local.T
    norms = np.linalg.norm(local, axis=1)
    if norms[0] > 0:
        features.amplitudes[spikes] = projections[:, 0] / norms[0] ** 2
    features.template_features[spikes] = projections / np.where(norms > 0, norms, 1)


def _zeros(*shape: int) -> NDArray[np.float32]:
    return np.zeros(shape, np.float32)
