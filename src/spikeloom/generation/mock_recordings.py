"""Recordings of white noise for tests; the same seed is the same noise in SpikeInterface."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.times import RegularTimes
from spikeloom.engine.executor import map_items
from spikeloom.errors import ParameterError
from spikeloom.generation.noise_recordings import (
    Strategy,
    TiledSegment,
    checked_noise_options,
)
from spikeloom.generation.random_streams import given_or_new_seed
from spikeloom.generation.segment_lengths import segment_lengths


@stored_as("spikeinterface.core.generate.MockRecording")
class MockRecording(BaseRecording):
    """White noise of variance 1, made when it is read.

    Its numbers are those of numpy's default generator, drawn as SpikeInterface draws them, so that
    either of the two reads what the other describes. For noise with levels and covariances, and
    faster new noise, see `NoiseGeneratorRecording`.

    Parameters
    ----------
    num_channels : int
        Number of channels; their ids are ``"0"``, ``"1"``, …
    sampling_frequency : float
        In Hz.
    durations : list of float
        Length of each segment in seconds.
    dtype : {"float32", "float64"}
        Number type of the traces; each has noise of its own.
    seed : int, optional
        The same seed and the same other arguments give the same noise; None is a new seed.
    strategy : {"tile_pregenerated", "on_the_fly"}
        Repeat one block of noise, which takes the time of a copy; or draw one new block after the
        other.
    noise_block_size : int, default 30000
        Samples of a block.

    Raises
    ------
    ParameterError
        If an argument makes no sense.

    Examples
    --------
    >>> recording = MockRecording(2, 30_000.0, [2.0], seed=0)
    >>> traces = recording.get_traces()
    >>> traces.shape, bool((traces[:30_000] == traces[30_000:]).all())
    ((60000, 2), True)
    """

    def __init__(
        self,
        num_channels: int,
        sampling_frequency: float,
        durations: Sequence[float],
        dtype: DTypeLike = "float32",
        seed: int | None = None,
        strategy: Strategy = "tile_pregenerated",
        noise_block_size: int = 30000,
    ) -> None:
        checked = checked_noise_options(num_channels, dtype, strategy, noise_block_size)
        super().__init__(sampling_frequency, [str(k) for k in range(num_channels)], checked)
        seed = given_or_new_seed(seed)
        stream = np.random.default_rng(seed)
        kind = MockTileSegment if strategy == "tile_pregenerated" else MockSegment
        for n_samples in segment_lengths(durations, sampling_frequency):
            segment_seed = int(stream.integers(0, 2**63))
            self.add_recording_segment(
                kind(
                    segment_seed,
                    int(noise_block_size),
                    n_samples,
                    n_channels=num_channels,
                    sampling_frequency=self.sampling_frequency,
                    dtype=checked,
                )
            )
        self._kwargs = {
            "num_channels": int(num_channels),
            "sampling_frequency": self.sampling_frequency,
            "durations": [float(duration_s) for duration_s in durations],
            "dtype": checked.name,
            "seed": seed,
            "strategy": strategy,
            "noise_block_size": int(noise_block_size),
        }


class MockTileSegment(TiledSegment):
    """A segment in which one block of numpy's random numbers is repeated."""

    def __init__(
        self,
        seed: int,
        n_block_samples: int,
        n_samples: int,
        *,
        n_channels: int,
        sampling_frequency: float,
        dtype: np.dtype[Any],
    ) -> None:
        super().__init__(n_samples, n_channels, sampling_frequency, dtype)
        self._seed = seed
        self._n_block_samples = n_block_samples

    def _make_block(self) -> NDArray[Any]:
        # Numbers are drawn row by row: of a short segment the first rows suffice.
        n_samples = max(1, min(self._n_block_samples, self._n_samples))
        block: NDArray[Any] = np.random.default_rng(self._seed).standard_normal(
            (n_samples, self._n_channels), self._dtype.type
        )
        return block


class MockSegment(BaseRecordingSegment):
    """A segment of blocks of numpy's random numbers, each drawn from the number of the block."""

    returns_new_arrays = True
    """Whether what `get_traces` returns belongs to the caller."""

    def __init__(
        self,
        seed: int,
        n_block_samples: int,
        n_samples: int,
        *,
        n_channels: int,
        sampling_frequency: float,
        dtype: np.dtype[Any],
    ) -> None:
        super().__init__(sampling_frequency)
        self._seed = seed
        self._n_block_samples = n_block_samples
        self._n_samples = n_samples
        self._n_channels = n_channels
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
        """Draw traces, a new array."""
        start = start_frame or 0
        end = self._n_samples if end_frame is None else end_frame
        channels = slice(None) if channel_indices is None else channel_indices
        n_block = self._n_block_samples
        n_picked = np.arange(self._n_channels)[channels].size
        traces = np.empty((end - start, n_picked), self._dtype)

        def draw(block_index: int) -> None:
            origin = block_index * n_block
            first, last = max(start, origin), min(end, origin + n_block)
            # Numbers are drawn row by row: what lies behind the last row need not be drawn.
            stream = np.random.default_rng((self._seed, block_index))
            block = stream.standard_normal((last - origin, self._n_channels), self._dtype.type)
            traces[first - start : last - start] = block[first - origin :][:, channels]

        if end > start:
            map_items(draw, range(start // n_block, (end - 1) // n_block + 1))
        return traces


def generate_recording(
    num_channels: int = 2,
    sampling_frequency: float = 30000.0,
    durations: Sequence[float] = (5.0, 2.5),
    set_probe: bool | None = True,
    ndim: int | None = 2,
    t_starts: Sequence[float] | None = None,
    seed: int | None = None,
) -> MockRecording:
    """Make a small recording of noise with a linear probe, for tests and examples.

    Parameters
    ----------
    num_channels : int, default 2
        Number of channels; their ids are ``"0"``, ``"1"``, …
    sampling_frequency : float, default 30000.0
        In Hz.
    durations : list of float, default (5.0, 2.5)
        Length of each segment in seconds.
    set_probe : bool, default True
        Set a linear probe, contacts 20 um apart.
    ndim : {2, 3}
        Dimensions of the positions on the probe.
    t_starts : list of float, optional
        Time of the first sample of each segment in seconds.
    seed : int, optional
        The same seed gives the same recording; None is a new seed.

    Returns
    -------
    MockRecording
        Named ``SyntheticRecording`` and annotated as filtered; noise of standard deviation 1 that
        repeats itself every second.

    Raises
    ------
    ParameterError
        If an argument makes no sense.

    Examples
    --------
    >>> recording = generate_recording(num_channels=4, durations=[10.325, 3.5])
    >>> recording.get_num_segments(), recording.channel_ids.tolist(), recording.has_probe()
    (2, ['0', '1', '2', '3'], True)
    """
    recording = MockRecording(
        num_channels,
        sampling_frequency,
        durations,
        dtype="float32",
        seed=seed,
        noise_block_size=max(1, int(sampling_frequency)),
    )
    if t_starts is not None:
        if len(t_starts) != recording.get_num_segments():
            msg = f"t_starts has {len(t_starts)} times for {recording.get_num_segments()} segments."
            raise ParameterError(msg)
        for segment, t_start in zip(recording.segments, t_starts, strict=True):
            segment.times = RegularTimes(recording.sampling_frequency, float(t_start))
            segment.are_times_set = True
    recording.annotate(is_filtered=True)
    if set_probe:
        # Late: it takes a while to import.
        from probeinterface import generate_linear_probe  # noqa: PLC0415

        probe = generate_linear_probe(num_elec=num_channels)
        if ndim == 3:
            probe = probe.to_3d()
        probe.set_device_channel_indices(np.arange(num_channels))
        recording.set_probe(probe, in_place=True)
    recording.name = "SyntheticRecording"
    return recording


def generate_recording_by_size(
    full_traces_size_GiB: float,
    seed: int | None = None,
    strategy: Strategy = "tile_pregenerated",
) -> MockRecording:
    """Make a recording of noise of a size, without keeping it: 384 channels at 30 kHz of float32.

    Parameters
    ----------
    full_traces_size_GiB : float
        Size of all traces in units of 2**30 bytes.
    seed : int, optional
        The same seed gives the same recording; None is a new seed.
    strategy : {"tile_pregenerated", "on_the_fly"}
        See `MockRecording`.

    Returns
    -------
    MockRecording
        In one segment.

    Raises
    ------
    ParameterError
        If the size is not positive.

    Examples
    --------
    >>> recording = generate_recording_by_size(1.0, seed=0)
    >>> recording.get_shape()
    (699050, 384)
    """
    if not full_traces_size_GiB > 0:
        msg = f"full_traces_size_GiB={full_traces_size_GiB} must be positive."
        raise ParameterError(msg)
    num_channels, sampling_frequency = 384, 30_000.0
    n_samples = int(full_traces_size_GiB * 2**30) // (num_channels * 4)
    duration_s = (n_samples + 0.5) / sampling_frequency  # division must not lose a sample
    return MockRecording(
        num_channels, sampling_frequency, [duration_s], seed=seed, strategy=strategy
    )
