"""Turn a ground truth into samples, any stretch of it at a time.

Samples are made in fixed blocks, side by side on threads; a stretch that is asked for is cut out
of them. So the same sample has the same value in every stretch.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spikeloom.engine.executor import map_items
from spikeloom.engine.scratch import scratch_array
from spikeloom.errors import ParameterError
from spikeloom.generation.background import BLOCK_SAMPLES, fill_background
from spikeloom.generation.ground_truth import GroundTruth
from spikeloom.kernels.add_templates import add_templates

_INT16 = np.iinfo(np.int16)


def make_traces(
    truth: GroundTruth, start_sample: int = 0, end_sample: int | None = None
) -> NDArray[np.int16]:
    """Make a stretch of the recording.

    Parameters
    ----------
    truth : GroundTruth
        The recording.
    start_sample : int, default 0
        First sample.
    end_sample : int, optional
        Sample after the last one; the end of the recording by default.

    Returns
    -------
    ndarray of shape (n_samples, n_channels) and dtype int16
        In steps of ``truth.gain_uV``.

    Raises
    ------
    ParameterError
        If the stretch is not inside the recording.

    Examples
    --------
    >>> from spikeloom.generation.ground_truth import make_ground_truth
    >>> truth = make_ground_truth(duration_s=1.0, n_neurons=3, n_channels=4)
    >>> bool((make_traces(truth)[100:200] == make_traces(truth, 100, 200)).all())
    True
    """
    end = truth.n_samples if end_sample is None else end_sample
    if not 0 <= start_sample <= end <= truth.n_samples:
        msg = (
            f"Samples {start_sample} to {end} are not a stretch of this recording, which has "
            f"{truth.n_samples} samples."
        )
        raise ParameterError(msg)
    traces = np.empty((end - start_sample, truth.n_channels), np.int16)
    if end == start_sample:
        return traces
    blocks = range(start_sample // BLOCK_SAMPLES, (end - 1) // BLOCK_SAMPLES + 1)

    def make(index: int) -> None:
        block = scratch_array("block", (BLOCK_SAMPLES, truth.n_channels))
        _fill_block(truth, index, block)
        first = max(start_sample, index * BLOCK_SAMPLES)
        last = min(end, (index + 1) * BLOCK_SAMPLES)
        wanted = block[first - index * BLOCK_SAMPLES : last - index * BLOCK_SAMPLES]
        traces[first - start_sample : last - start_sample] = wanted

    map_items(make, blocks)
    return traces


def iterate_traces(
    truth: GroundTruth, *, chunk_samples: int = 16 * BLOCK_SAMPLES
) -> Iterator[NDArray[np.int16]]:
    """Make the whole recording, chunk by chunk.

    Parameters
    ----------
    truth : GroundTruth
        The recording.
    chunk_samples : int, default 131072
        Length of a chunk; the last one may be shorter.

    Yields
    ------
    ndarray of shape (n_samples, n_channels) and dtype int16
        In steps of ``truth.gain_uV``.

    Raises
    ------
    ParameterError
        If `chunk_samples` is not positive.

    Examples
    --------
    >>> from spikeloom.generation.ground_truth import make_ground_truth
    >>> truth = make_ground_truth(duration_s=1.0, n_neurons=3, n_channels=4)
    >>> [len(chunk) for chunk in iterate_traces(truth, chunk_samples=20_000)]
    [20000, 10000]
    """
    if chunk_samples < 1:
        msg = f"chunk_samples={chunk_samples} is not positive."
        raise ParameterError(msg)
    for start in range(0, truth.n_samples, chunk_samples):
        yield make_traces(truth, start, min(start + chunk_samples, truth.n_samples))


def _fill_block(truth: GroundTruth, index: int, block: NDArray[np.float32]) -> None:
    """Write one block of samples, rounded to steps of the gain."""
    fill_background(truth.background, index, block)
    n_window_samples = truth.templates_uV.shape[1]
    origin = index * BLOCK_SAMPLES + n_window_samples // 2
    edges = [origin - n_window_samples, origin + BLOCK_SAMPLES]
    low, high = np.searchsorted(truth.spike_samples, edges)
    add_templates(
        block,
        truth.spike_samples[low:high] - origin,
        truth.spike_units[low:high],
        truth.spike_scales[low:high],
        truth.templates_uV,
    )
    block /= np.float32(truth.gain_uV)
    np.clip(np.rint(block, out=block), _INT16.min, _INT16.max, out=block)
