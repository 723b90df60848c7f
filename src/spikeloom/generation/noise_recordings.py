"""Recordings of noise, made when they are read.

The number at a sample and a channel is worked out of its position alone (see
`spikeloom.kernels.normal_numbers`), or of its position in a block of noise that is repeated. So any
window can be read without what lies before it, and is always the same.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.recording_segment import copy_windows
from spikeloom.engine.executor import map_items
from spikeloom.errors import ParameterError
from spikeloom.generation.foreign_seeds import refuse_foreign_seed
from spikeloom.generation.normal_draws import fill_normal_plain
from spikeloom.generation.random_streams import (
    Purpose,
    given_or_new_seed,
    random_stream,
    stream_keys,
)
from spikeloom.generation.segment_lengths import segment_lengths

if TYPE_CHECKING:
    from probeinterface import Probe

Strategy = Literal["tile_pregenerated", "on_the_fly"]
"""Repeat one block of noise, or have new noise all the time."""

_N_TILE_VALUES = 1 << 16  # as many as a processor's cache takes: they are scaled while there
_N_ROWS_TOGETHER = 8  # of weights, in `spikeloom.kernels.mix_channels`
_N_PLAIN_VALUES = 1 << 23  # 0.2 s by numpy, half of what loading the compiler takes
_N_PARALLEL_VALUES = 1 << 20  # a smaller stretch is made before a thread has woken up


@stored_as("spikeloom.generation.NoiseGeneratorRecording")
class NoiseGeneratorRecording(BaseRecording):
    """Normal noise, independent from sample to sample, made when it is read.

    Parameters
    ----------
    num_channels : int
        Number of channels; their ids are ``"0"``, ``"1"``, …
    sampling_frequency : float
        In Hz.
    durations : list of float
        Length of each segment in seconds.
    noise_levels : float or array_like of shape (n_channels,), default 1.0
        Standard deviation of the noise, or with `cov_matrix` what it is multiplied by.
    cov_matrix : array_like of shape (n_channels, n_channels), optional
        Covariance of the channels; independent channels of variance 1 by default.
    dtype : {"float32", "float64"}
        Number type of the traces; the numbers are drawn with the precision of float32.
    seed : int, optional
        The same seed and the same other arguments give the same noise; None is a new seed.
    strategy : {"tile_pregenerated", "on_the_fly"}
        Repeat one block of noise, which takes the time of a copy; or have new noise all the time.
    noise_block_size : int, default 30000
        Samples of the block that is repeated.

    Raises
    ------
    ParameterError
        If an argument makes no sense, or `cov_matrix` is no covariance.

    Examples
    --------
    >>> noise = NoiseGeneratorRecording(4, 30_000.0, [1.0], noise_levels=10.0, seed=0)
    >>> traces = noise.get_traces(start_frame=100, end_frame=200)
    >>> traces.shape, bool(9 < noise.get_traces().std() < 11)
    ((100, 4), True)
    """

    def __init__(
        self,
        num_channels: int,
        sampling_frequency: float,
        durations: Sequence[float],
        noise_levels: ArrayLike = 1.0,
        cov_matrix: ArrayLike | None = None,
        dtype: DTypeLike = "float32",
        seed: int | None = None,
        strategy: Strategy = "tile_pregenerated",
        noise_block_size: int = 30000,
    ) -> None:
        checked = checked_noise_options(num_channels, dtype, strategy, noise_block_size)
        super().__init__(sampling_frequency, _channel_ids(num_channels), checked)
        seed = given_or_new_seed(seed)
        levels = _checked_levels(noise_levels, num_channels)
        mixing = None if cov_matrix is None else mixing_weights(cov_matrix, num_channels)
        for k, n_samples in enumerate(segment_lengths(durations, sampling_frequency)):
            noise = ChannelNoise(seed, k, levels, mixing)
            segment: BaseRecordingSegment
            if strategy == "on_the_fly":
                segment = NoiseSegment(noise, n_samples, self.sampling_frequency, checked)
            else:
                segment = TiledNoiseSegment(
                    noise, noise_block_size, n_samples, self.sampling_frequency, checked
                )
            self.add_recording_segment(segment)
        self._kwargs = {
            "num_channels": int(num_channels),
            "sampling_frequency": self.sampling_frequency,
            "durations": [float(duration_s) for duration_s in durations],
            "noise_levels": noise_levels if np.isscalar(noise_levels) else levels,
            "cov_matrix": None if cov_matrix is None else np.asarray(cov_matrix, np.float64),
            "dtype": checked.name,
            "seed": seed,
            "strategy": strategy,
            "noise_block_size": int(noise_block_size),
        }

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls, old_kwargs: dict[str, Any], full_dict: Mapping[str, Any]
    ) -> dict[str, Any]:
        refuse_foreign_seed(full_dict)
        return old_kwargs


noise_generator_recording = NoiseGeneratorRecording


def generate_noise(
    probe: "Probe",
    sampling_frequency: float,
    durations: Sequence[float],
    dtype: DTypeLike = "float32",
    noise_levels: ArrayLike = 15.0,
    spatial_decay: float | None = None,
    seed: int | None = None,
) -> NoiseGeneratorRecording:
    """Make noise on the contacts of a probe, the more alike the closer they are.

    Parameters
    ----------
    probe : Probe
        A probe of the probeinterface package.
    sampling_frequency : float
        In Hz.
    durations : list of float
        Length of each segment in seconds.
    dtype : {"float32", "float64"}
        Number type of the traces.
    noise_levels : float, array_like of shape (n_channels,) or tuple of two floats, default 15.0
        Standard deviation of the noise, or least and largest one to draw from.
    spatial_decay : float, optional
        Distance in um over which the correlation of channels falls to 1 / e; independent
        channels by default.
    seed : int, optional
        The same seed gives the same noise; None is a new seed.

    Returns
    -------
    NoiseGeneratorRecording
        With channels in the order of contacts; no probe is set.

    Examples
    --------
    >>> from probeinterface import generate_linear_probe
    >>> probe = generate_linear_probe(4)
    >>> noise = generate_noise(probe, 30_000.0, [1.0], spatial_decay=30.0, seed=0)
    >>> correlations = np.corrcoef(noise.get_traces().T)
    >>> bool(correlations[0, 1] > correlations[0, 2] > 0.2)
    True
    """
    seed = given_or_new_seed(seed)
    n_channels = probe.get_contact_count()
    if isinstance(noise_levels, tuple):
        stream = random_stream(seed, Purpose.NOISE_LEVELS)
        low_uV, high_uV = noise_levels
        noise_levels = stream.uniform(low_uV, high_uV, n_channels)
    covariances = None
    if spatial_decay is not None:
        positions_um = probe.contact_positions
        apart_um = np.linalg.norm(positions_um[:, None] - positions_um[None], axis=2)
        covariances = np.exp(-apart_um / spatial_decay)
    return NoiseGeneratorRecording(
        n_channels,
        sampling_frequency,
        durations,
        noise_levels=noise_levels,
        cov_matrix=covariances,
        dtype=dtype,
        seed=seed,
        strategy="on_the_fly",
    )


class ChannelNoise:
    """Normal numbers of the channels of one segment, at any sample.

    Parameters
    ----------
    seed : int
        Seed of the recording.
    segment_index : int
        Which segment.
    levels : ndarray of shape (n_channels,) and dtype float32
        What each channel is multiplied by.
    mixing : ndarray of shape (n_rows, n_channels) and dtype float32, optional
        From `mixing_weights`.

    Examples
    --------
    >>> noise = ChannelNoise(0, 0, np.ones(3, np.float32), None)
    >>> traces = np.empty((10, 3), np.float32)
    >>> noise.fill(traces, 500)
    >>> later = np.empty((4, 3), np.float32)
    >>> noise.fill(later, 505)
    >>> bool((traces[5:9] == later).all())
    True
    """

    def __init__(
        self,
        seed: int,
        segment_index: int,
        levels: NDArray[np.float32],
        mixing: NDArray[np.float32] | None,
    ) -> None:
        self._keys = stream_keys(seed, Purpose.CHANNEL_NOISE, segment_index)
        self._levels = None if np.all(levels == 1) else levels
        self._mixing = mixing
        self.n_channels = levels.size
        """Number of channels."""

    def fill(self, traces: NDArray[np.float32], start_sample: int) -> None:
        """Write the noise from `start_sample` on into `traces` (n_samples, n_channels)."""
        n_samples = len(traces)
        n_rows = max(1, _N_TILE_VALUES // max(1, self.n_channels))
        starts = range(0, n_samples, n_rows)

        def fill_tile(start: int) -> None:
            self._fill_tile(traces[start : start + n_rows], start_sample + start)

        if traces.size < _N_PARALLEL_VALUES:
            for start in starts:
                fill_tile(start)
        else:
            map_items(fill_tile, starts)

    def fill_first(self, traces: NDArray[np.float32]) -> None:
        """Do what `fill` does from sample 0 on, without loading the compiler for a short stretch.

        For noise that is made once: numpy takes ten times as long for each number.
        """
        if "numba" in sys.modules or self._mixing is not None or traces.size > _N_PLAIN_VALUES:
            self.fill(traces, 0)
            return
        fill_normal_plain(traces.reshape(-1), self._keys)
        if self._levels is not None:
            traces *= self._levels

    def _fill_tile(self, tile: NDArray[np.float32], start_sample: int) -> None:
        # Late: numba is slow to import.
        from spikeloom.kernels.mix_channels import mix_channels  # noqa: PLC0415
        from spikeloom.kernels.normal_numbers import fill_normal  # noqa: PLC0415

        fill_normal(tile.reshape(-1), start_sample * self.n_channels, *self._keys)
        if self._mixing is not None:
            mix_channels(tile, self._mixing)
        if self._levels is not None:
            tile *= self._levels


class NoiseSegment(BaseRecordingSegment):
    """A segment of new noise all the time."""

    returns_new_arrays = True
    """Whether what `get_traces` returns belongs to the caller."""

    def __init__(
        self,
        noise: ChannelNoise,
        n_samples: int,
        sampling_frequency: float,
        dtype: np.dtype[Any],
    ) -> None:
        super().__init__(sampling_frequency)
        self._noise = noise
        self._n_samples = n_samples
        self._dtype = dtype

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return self._n_samples

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Make traces, a new array."""
        start = start_frame or 0
        end = self._n_samples if end_frame is None else end_frame
        traces = np.empty((end - start, self._noise.n_channels), np.float32)
        self._noise.fill(traces, start)
        if channel_indices is not None and not _are_all(channel_indices, traces.shape[1]):
            traces = traces[:, channel_indices].copy()
        return traces.astype(self._dtype, copy=False)


class TiledSegment(BaseRecordingSegment):
    """A segment in which one block is repeated; subclasses make the block."""

    returns_new_arrays = True
    """Whether what `get_traces` returns belongs to the caller."""

    def __init__(
        self, n_samples: int, n_channels: int, sampling_frequency: float, dtype: np.dtype[Any]
    ) -> None:
        super().__init__(sampling_frequency)
        self._n_samples = n_samples
        self._n_channels = n_channels
        self._dtype = dtype
        self._block: NDArray[Any] | None = None

    def _make_block(self) -> NDArray[Any]:
        """Make the block (n_block_samples, n_channels)."""
        raise NotImplementedError

    def _made_block(self) -> NDArray[Any]:
        """Return the block, made when it is first needed."""
        if self._block is None:
            self._block = self._make_block()
        return self._block

    def __getstate__(self) -> dict[str, Any]:
        # Another process makes the block faster than it is sent there.
        return {**super().__getstate__(), "_block": None}

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return self._n_samples

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Copy traces out of the block, a new array."""
        start = start_frame or 0
        end = self._n_samples if end_frame is None else end_frame
        block = self._made_block()
        n_block, n_channels = block.shape
        channels = slice(None) if channel_indices is None else channel_indices
        n_picked = np.arange(n_channels)[channels].size
        traces = np.empty((end - start, n_picked), self._dtype)
        filled = 0
        while filled < len(traces):
            first = (start + filled) % n_block
            n_copied = min(n_block - first, len(traces) - filled)
            # Rows first, which is a view: rows and channels together would gather one by one.
            rows = block[first : first + n_copied]
            traces[filled : filled + n_copied] = rows[:, channels]
            filled += n_copied
        return traces

    def cut_windows(self, starts: NDArray[np.int64], windows: NDArray[Any]) -> bool:
        """Copy windows out of the block."""
        block, n_window_samples = self._made_block(), windows.shape[1]
        places = starts % len(block)
        last = len(block) - n_window_samples
        if last >= 0:
            copy_windows(block, np.minimum(places, last), windows)
        # Behind its end the block begins anew.
        for k in np.flatnonzero(places > last).tolist():
            start = int(places[k])
            windows[k] = self.get_traces(start, start + n_window_samples)
        return True


class TiledNoiseSegment(TiledSegment):
    """A segment in which one block of noise is repeated."""

    def __init__(
        self,
        noise: ChannelNoise,
        n_block_samples: int,
        n_samples: int,
        sampling_frequency: float,
        dtype: np.dtype[Any],
    ) -> None:
        super().__init__(n_samples, noise.n_channels, sampling_frequency, dtype)
        self._noise = noise
        self._n_block_samples = n_block_samples

    def _make_block(self) -> NDArray[Any]:
        # Of a short segment nothing behind its end is ever read.
        n_samples = max(1, min(self._n_block_samples, self._n_samples))
        block = np.empty((n_samples, self._n_channels), np.float32)
        self._noise.fill_first(block)
        return block.astype(self._dtype, copy=False)


def mixing_weights(cov_matrix: ArrayLike, n_channels: int) -> NDArray[np.float32]:
    """Return the weights that make independent channels have a covariance.

    Parameters
    ----------
    cov_matrix : array_like of shape (n_channels, n_channels)
        Symmetric and without negative eigenvalues.
    n_channels : int
        Number of channels.

    Returns
    -------
    ndarray of shape (n_rows, n_channels) and dtype float32
        As `spikeloom.kernels.mix_channels` takes them.

    Raises
    ------
    ParameterError
        If it is no covariance of so many channels.

    Examples
    --------
    >>> weights = mixing_weights([[4.0, 2.0], [2.0, 5.0]], 2)
    >>> weights.T @ weights
    array([[4., 2.], [2., 5.]], dtype=float32)
    """
    covariances = np.asarray(cov_matrix, np.float64)
    if covariances.shape != (n_channels, n_channels):
        msg = f"cov_matrix has shape {covariances.shape}; needed is ({n_channels}, {n_channels})."
        raise ParameterError(msg)
    scale = float(np.abs(covariances).max(initial=0.0))
    eigenvalues, vectors = np.linalg.eigh(covariances)
    is_symmetric = np.allclose(covariances, covariances.T, atol=1e-8 * scale)
    if not is_symmetric or eigenvalues.min(initial=0.0) < -1e-6 * scale:
        msg = (
            "cov_matrix is no covariance: it must be symmetric and have no negative eigenvalues. "
            "np.cov of data makes one."
        )
        raise ParameterError(msg)
    # Unlike Cholesky's this also takes channels that depend on each other.
    root = vectors * np.sqrt(np.maximum(eigenvalues, 0.0))
    _, upper = np.linalg.qr(root.T)
    upper = upper * np.where(np.diag(upper) < 0, -1.0, 1.0)[:, None]
    n_rows = -(-n_channels // _N_ROWS_TOGETHER) * _N_ROWS_TOGETHER
    weights = np.zeros((n_rows, n_channels), np.float32)
    weights[:n_channels] = upper
    return weights


def checked_noise_options(
    num_channels: int, dtype: DTypeLike, strategy: str, noise_block_size: int
) -> np.dtype[Any]:
    """Return the number type of the traces; raises ParameterError if an option makes no sense."""
    checked = np.dtype(dtype)
    if checked not in {np.dtype("float32"), np.dtype("float64")}:
        msg = f"'dtype' must be 'float32' or 'float64'; got {checked}."
        raise ParameterError(msg)
    if strategy not in {"tile_pregenerated", "on_the_fly"}:
        msg = f"'strategy' must be 'tile_pregenerated' or 'on_the_fly'; got {strategy!r}."
        raise ParameterError(msg)
    if num_channels < 0 or noise_block_size < 1:
        msg = (
            f"num_channels={num_channels} must not be negative, and "
            f"noise_block_size={noise_block_size} must be 1 at least."
        )
        raise ParameterError(msg)
    return checked


def _checked_levels(noise_levels: ArrayLike, n_channels: int) -> NDArray[np.float32]:
    levels = np.asarray(noise_levels, np.float32)
    if levels.ndim == 0:
        return np.full(n_channels, levels, np.float32)
    levels = levels.reshape(-1)
    if levels.shape != (n_channels,):
        msg = f"noise_levels has {levels.size} values for {n_channels} channels; give one of each."
        raise ParameterError(msg)
    return levels


def _channel_ids(n_channels: int) -> list[str]:
    return [str(k) for k in range(n_channels)]


def _are_all(channel_indices: Indices | Sequence[int], n_channels: int) -> bool:
    if not isinstance(channel_indices, slice):
        return False
    return channel_indices.indices(n_channels) == (0, n_channels, 1)
