"""Read a piece of a segment with a margin on both sides, as filters need it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecordingSegment
from spikeloom.errors import ParameterError


def get_chunk_with_margin(
    rec_segment: BaseRecordingSegment,
    start_frame: int | None,
    end_frame: int | None,
    channel_indices: Indices | Sequence[int] | None,
    margin: int,
    add_zeros: bool = False,
    add_reflect_padding: bool = False,
    window_on_margin: bool = False,
    dtype: DTypeLike | None = None,
) -> tuple[NDArray[Any], int, int]:
    """Read a piece of a segment and what lies around it.

    Parameters
    ----------
    rec_segment : BaseRecordingSegment
        The segment.
    start_frame, end_frame : int or None
        First sample of the piece, and the one after its last. None is the end of the segment,
        where there is no margin unless it is padded.
    channel_indices : slice, array or None
        Which channels, all for None.
    margin : int
        Samples wanted on both sides.
    add_zeros : bool, default False
        Fill what lies outside the segment with zeros.
    add_reflect_padding : bool, default False
        Fill it with the samples inside, mirrored at the end.
    window_on_margin : bool, default False
        Fade the margins in and out by a half cosine; needs `add_zeros`.
    dtype : dtype, optional
        Of the result; with padding only, as filters ask for it then.

    Returns
    -------
    traces : ndarray of shape (n_samples, n_channels)
        Maybe a view of the file, if nothing is filled in.
    left_margin, right_margin : int
        Samples of it that lie before and after the piece. Without padding they are fewer at the
        ends of the segment.

    Raises
    ------
    ParameterError
        If the margins are to be faded but not filled, both paddings are asked for, or the piece
        is not within the segment.

    Examples
    --------
    >>> segment = BaseRecordingSegment(10.0)
    >>> segment.get_num_samples = lambda: 5
    >>> segment.get_traces = lambda start, end, channels: np.arange(start, end)[:, np.newaxis] + 1
    >>> traces, left, right = get_chunk_with_margin(segment, 1, 3, None, 2, add_zeros=True)
    >>> traces[:, 0], left, right
    (array([0, 1, 2, 3, 4, 5]), 2, 2)
    """
    if add_zeros and add_reflect_padding:
        msg = "Margins are filled in one way: with add_zeros or with add_reflect_padding."
        raise ParameterError(msg)
    if window_on_margin and not add_zeros:
        msg = "window_on_margin=True requires add_zeros=True."
        raise ParameterError(msg)
    n_samples = int(rec_segment.get_num_samples())
    is_padded = add_zeros or add_reflect_padding
    start = 0 if start_frame is None else int(start_frame)
    end = n_samples if end_frame is None else int(end_frame)
    if not 0 <= start <= end <= n_samples or margin < 0:
        msg = (
            f"Samples {start} to {end} with a margin of {margin} are not within a segment of "
            f"{n_samples} samples."
        )
        raise ParameterError(msg)
    left = 0 if start_frame is None and not is_padded else margin
    right = 0 if end_frame is None and not is_padded else margin
    first, last = max(0, start - left), min(n_samples, end + right)
    channels = slice(None) if channel_indices is None else channel_indices
    traces = rec_segment.get_traces(first, last, channels)
    if not is_padded:
        return traces, start - first, last - end
    missing = (left - (start - first), right - (last - end))
    if dtype is not None:
        traces = np.asarray(traces, dtype)
    if any(missing):
        widths = [missing] + [(0, 0)] * (traces.ndim - 1)
        traces = np.pad(traces, widths, mode="constant" if add_zeros else _mirrored(traces))
    if window_on_margin and margin:
        traces = _faded(traces, margin)
    return traces, margin, margin


def _mirrored(traces: NDArray[Any]) -> Any:
    """Return how to fill by mirroring: one sample has none beside it, and none has nothing."""
    return ("constant", "edge", "reflect")[min(traces.shape[0], 2)]


def _faded(traces: NDArray[Any], margin: int) -> NDArray[Any]:
    taper = (1 - np.cos(np.arange(margin) / margin * np.pi)) / 2
    faded = traces.copy()
    for part, weights in ((slice(margin), taper), (slice(-margin, None), taper[::-1])):
        # Whole numbers are cut off as they are when a filter writes into an array of them.
        faded[part] = (faded[part] * weights[:, np.newaxis]).astype(faded.dtype)
    return faded
