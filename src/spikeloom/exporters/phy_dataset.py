"""Write a sorted recording as a dataset that phy, and everything that reads phy's files, opens.

Written are the raw data (``recording.dat``), ``params.py``, and the ``.npy`` and ``.tsv`` files
that KiloSort leaves: spikes, templates, amplitudes, features, channels, labels. Nothing is
whitened, so the whitening matrix is the identity and templates are in the units of the raw data.

Source: https://phy.readthedocs.io (dataset format).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.raw_traces import RawTraces
from spikeloom.errors import ParameterError
from spikeloom.exporters.phy_features import N_COMPONENTS, PhyFeatures, compute_phy_features
from spikeloom.storage.arrays import npy_writer, open_flat
from spikeloom.storage.atomic import Writer, replace_together, write_atomic
from spikeloom.storage.delimited import Cell, format_table
from spikeloom.storage.staged_folder import staged_folder

RAW_NAME = "recording.dat"
"""File of the raw data."""


@dataclass(frozen=True, slots=True)
class PhyContent:
    """A sorted recording, but for its raw data."""

    spike_samples: NDArray[np.int64]
    """Sample of each spike, not decreasing; shape (n_spikes,)."""
    spike_clusters: NDArray[np.int32]
    """Cluster of each spike as the sorter found it, not negative; shape (n_spikes,)."""
    channel_positions: NDArray[np.float64]
    """In um; shape (n_channels, 2)."""
    sampling_frequency: float
    """In Hz."""
    channel_shanks: NDArray[np.int32] | None = None
    """Shank of each channel; one shank by default."""
    gain_uV: float | None = None
    """What one step of the raw data stands for, if that is known."""
    labels: Mapping[str, Mapping[int, Cell]] = field(default_factory=dict)
    """What is known of clusters, by field (``group``, ``KSLabel``) and cluster."""
    n_window_samples: int = 82
    """Length of a template in samples; the spike is at ``n_window_samples // 2``."""

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise ParameterError(problem)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.channel_positions)


def export_phy_dataset(
    folder: Path,
    content: PhyContent,
    chunks: Iterable[NDArray[np.int16]],
    *,
    on_progress: Callable[[float], None] | None = None,
) -> Path:
    """Write a dataset; it is there as a whole or not at all.

    Parameters
    ----------
    folder : Path
        New folder, or an empty one.
    content : PhyContent
        Spikes, channels and labels.
    chunks : iterable of ndarray of shape (n_samples, n_channels) and dtype int16
        The raw data, one stretch after the other; asked for one at a time.
    on_progress : callable, optional
        Told the share of spikes whose features are done, from 0 to 1, after the raw data are
        written.

    Returns
    -------
    Path
        The ``params.py`` of the dataset.

    Raises
    ------
    ParameterError
        If the folder holds something already, or a chunk does not go with `content`.
    WriteError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> content = PhyContent(
    ...     spike_samples=np.array([200, 700]),
    ...     spike_clusters=np.array([0, 1], np.int32),
    ...     channel_positions=np.array([[0.0, 0.0], [0.0, 20.0]]),
    ...     sampling_frequency=30_000.0,
    ... )
    >>> noise = np.random.default_rng(0).normal(scale=20, size=(1000, 2)).astype(np.int16)
    >>> folder = Path(tempfile.mkdtemp()) / "sorted"
    >>> export_phy_dataset(folder, content, [noise]).name
    'params.py'
    >>> np.load(folder / "templates.npy").shape
    (2, 82, 2)
    """
    with staged_folder(folder) as staging:
        raw_path = staging / RAW_NAME
        write_atomic(raw_path, _raw_writer(chunks, content.n_channels))
        features = _compute(raw_path, content, on_progress)
        contents: dict[Path, bytes | Writer] = {
            staging / f"{name}.npy": npy_writer(array)
            for name, array in _arrays(content, features).items()
        }
        for name, rows in content.labels.items():
            table = format_table(["cluster_id", name], sorted(rows.items()))
            contents[staging / f"cluster_{name}.tsv"] = table
        contents[staging / "params.py"] = _params(content).encode()
        replace_together(contents)
    return folder / "params.py"


def _problem(content: PhyContent) -> str | None:
    """Return what is wrong with a content; None for a good one."""
    samples, clusters = content.spike_samples, content.spike_clusters
    shanks = content.channel_shanks
    if samples.ndim != 1 or samples.shape != clusters.shape:
        return f"spike_samples {samples.shape} and spike_clusters {clusters.shape} differ in shape."
    if samples.size == 0:
        return "There is no spike; a phy dataset needs at least one."
    if samples[0] < 0 or np.any(np.diff(samples) < 0):
        return "spike_samples must not be negative and must not decrease; sort the spikes by time."
    if clusters.min() < 0:
        return f"spike_clusters holds {clusters.min()}; cluster ids are not negative."
    if content.channel_positions.ndim != 2 or content.channel_positions.shape[1] != 2:
        return f"channel_positions {content.channel_positions.shape} is not (n_channels, 2)."
    if content.n_window_samples < N_COMPONENTS:
        return f"n_window_samples={content.n_window_samples} is too short for a waveform."
    if shanks is not None and shanks.shape != (content.n_channels,):
        return f"channel_shanks {shanks.shape} is not ({content.n_channels},)."
    return None


def _raw_writer(chunks: Iterable[NDArray[np.int16]], n_channels: int) -> Writer:
    def write(file: BinaryIO) -> None:
        n_samples = 0
        for chunk in chunks:
            if chunk.dtype != np.int16 or chunk.ndim != 2 or chunk.shape[1] != n_channels:
                msg = (
                    f"A chunk of raw data is {chunk.dtype} of shape {chunk.shape}; int16 of shape "
                    f"(n_samples, {n_channels}) is expected."
                )
                raise ParameterError(msg)
            n_samples += len(chunk)
            file.write(np.ascontiguousarray(chunk).data)
        if n_samples == 0:
            msg = "There are no raw data: chunks hold no sample."
            raise ParameterError(msg)

    return write


def _compute(
    raw_path: Path, content: PhyContent, on_progress: Callable[[float], None] | None
) -> PhyFeatures:
    """Compute features; the map of the raw data is closed on return, so that they can move."""
    raw = open_flat(raw_path, dtype=np.int16, n_channels=content.n_channels)
    if content.spike_samples[-1] >= len(raw):
        msg = (
            f"The last spike is at sample {content.spike_samples[-1]}, but the raw data have "
            f"{len(raw)} samples."
        )
        raise ParameterError(msg)
    return compute_phy_features(
        RawTraces((raw,), np.arange(content.n_channels), content.sampling_frequency),
        content.spike_samples,
        content.spike_clusters,
        channel_positions=content.channel_positions,
        n_window_samples=content.n_window_samples,
        on_progress=on_progress,
    )


def _arrays(content: PhyContent, features: PhyFeatures) -> dict[str, NDArray[Any]]:
    """Return the arrays of a dataset by the names of their files."""
    n_channels = content.n_channels
    clusters = content.spike_clusters.astype(np.int32)
    shanks = content.channel_shanks
    return {
        "spike_times": content.spike_samples.astype(np.int64),
        "spike_templates": clusters,
        "spike_clusters": clusters,
        "amplitudes": features.amplitudes,
        "templates": features.templates,
        "similar_templates": features.similarity,
        "pc_features": features.pc_features,
        "pc_feature_ind": features.pc_feature_ind,
        "template_features": features.template_features,
        "template_feature_ind": features.template_feature_ind,
        "channel_map": np.arange(n_channels, dtype=np.int32),
        "channel_positions": content.channel_positions.astype(np.float64),
        "channel_shanks": np.zeros(n_channels, np.int32) if shanks is None else shanks,
        "whitening_mat": np.eye(n_channels),
        "whitening_mat_inv": np.eye(n_channels),
    }


def _params(content: PhyContent) -> str:
    lines = [
        f"dat_path = '{RAW_NAME}'",
        f"n_channels_dat = {content.n_channels}",
        "dtype = 'int16'",
        "offset = 0",
        f"sample_rate = {float(content.sampling_frequency)!r}",
        "hp_filtered = False",
    ]
    if content.gain_uV is not None:
        lines.append(f"uV_per_bit = {float(content.gain_uV)!r}")
    return "\n".join(lines) + "\n"
