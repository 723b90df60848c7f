"""Random pieces of a recording: the same for the same seed, whatever the machine."""

import warnings
from collections.abc import Iterable
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.recording import BaseRecording
from spikeloom.engine.amounts import seconds_of
from spikeloom.errors import ParameterError

_OLDER_ORDER = ("num_chunks_per_segment", "chunk_size", "concatenated", "seed", "margin_frames")
"""Positional arguments after the first two, as SpikeInterface up to 0.101 had them."""

_ORDER = (
    *("concatenated", "num_chunks_per_segment", "chunk_duration", "chunk_size"),
    *("margin_frames", "seed"),
)


def get_random_sample_slices(
    recording: BaseRecording,
    method: Literal["full_random"] = "full_random",
    num_chunks_per_segment: int = 20,
    chunk_duration: str | float | None = "500ms",
    chunk_size: int | None = None,
    margin_frames: int = 0,
    seed: int | None = None,
) -> list[tuple[int, int, int]]:
    """Choose pieces of each segment at random; they may overlap.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    method : {"full_random"}
        Every start is as likely as any other.
    num_chunks_per_segment : int, default 20
        Number of pieces of each segment.
    chunk_duration : str or float, default "500ms"
        Length of a piece, in seconds or with a unit; counts if there is no `chunk_size`.
    chunk_size : int, optional
        Length of a piece, in samples. Where a segment is too short, all pieces are shortened, with
        a warning.
    margin_frames : int, default 0
        Samples at both ends of a segment that are left out.
    seed : int, optional
        Without it, each call chooses others.

    Returns
    -------
    list of (segment_index, start_frame, end_frame)
        By segment and start. Segments with nothing between the margins have none.

    Raises
    ------
    ParameterError
        If the method is unknown, a number makes no sense, or no segment is long enough.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((1000, 2), "int16")], 30000.0)
    >>> get_random_sample_slices(recording, num_chunks_per_segment=2, chunk_size=100, seed=0)
    [(0, 573, 673), (0, 766, 866)]
    """
    if method != "full_random":
        msg = f"method must be 'full_random'; got {method!r}."
        raise ParameterError(msg)
    size = _chunk_size(recording, chunk_duration, chunk_size)
    if size < 1 or num_chunks_per_segment < 0 or margin_frames < 0:
        msg = (
            f"{num_chunks_per_segment} pieces of {size} samples with margins of {margin_frames} "
            "are not possible: pieces have a sample at least, and nothing is negative."
        )
        raise ParameterError(msg)
    rooms = {
        segment_index: recording.get_num_samples(segment_index) - 2 * margin_frames
        for segment_index in range(recording.get_num_segments())
    }
    rooms = {segment_index: room for segment_index, room in rooms.items() if room > 0}
    if not rooms:
        msg = (
            f"No segment has samples between margins of {margin_frames} samples; choose smaller "
            "margin_frames."
        )
        raise ParameterError(msg)
    size = _fitting_size(size, rooms)
    rng = np.random.default_rng(seed)
    slices = []
    for segment_index, room in rooms.items():
        last = margin_frames + room - size
        starts = rng.integers(margin_frames, last, num_chunks_per_segment, endpoint=True)
        slices += [(segment_index, start, start + size) for start in np.sort(starts).tolist()]
    return slices


def _chunk_size(
    recording: BaseRecording, chunk_duration: str | float | None, chunk_size: int | None
) -> int:
    if chunk_size is not None:
        return int(chunk_size)
    if chunk_duration is None:
        msg = "Give chunk_duration or chunk_size: one of them is needed."
        raise ParameterError(msg)
    return max(1, int(seconds_of(chunk_duration) * recording.sampling_frequency))


def _fitting_size(size: int, rooms: dict[int, int]) -> int:
    """Return a length that fits into all segments, one sample shorter than the shortest."""
    for segment_index, room in rooms.items():
        if size > room:
            # One less than there is: so the choice is that of SpikeInterface with the same seed.
            size = max(1, room - 1)
            message = (
                f"Pieces are shortened to {size} samples: segment {segment_index} has only {room} "
                "between its margins."
            )
            warnings.warn(message, UserWarning, stacklevel=3)
    return size


@overload
def get_random_data_chunks(
    recording: BaseRecording,
    return_in_uV: bool = False,
    *positional: Any,
    return_scaled: bool | None = None,
    concatenated: Literal[True] = True,
    **slice_options: Any,
) -> NDArray[Any]: ...


@overload
def get_random_data_chunks(
    recording: BaseRecording,
    return_in_uV: bool = False,
    *positional: Any,
    return_scaled: bool | None = None,
    concatenated: bool,
    **slice_options: Any,
) -> Any: ...


def get_random_data_chunks(
    recording: BaseRecording,
    return_in_uV: bool = False,
    *positional: Any,
    return_scaled: bool | None = None,
    concatenated: bool | None = None,
    **slice_options: Any,
) -> Any:
    """Read random pieces of a recording.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    return_in_uV : bool, default False
        Return microvolts rather than what is in the file.
    *positional
        ``concatenated, num_chunks_per_segment, chunk_duration, chunk_size, margin_frames, seed``;
        or, where the first of them is a number, in the older order ``num_chunks_per_segment,
        chunk_size, concatenated, seed, margin_frames``.
    return_scaled : bool, optional
        Older spelling of `return_in_uV`.
    concatenated : bool, default True
        Return one array rather than a list.
    **slice_options
        See `get_random_sample_slices`.

    Returns
    -------
    ndarray of shape (n_samples, n_channels), or list of them

    Raises
    ------
    ParameterError
        If an option is given twice, or see `get_random_sample_slices`.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((1000, 2), "int16")], 30000.0)
    >>> get_random_data_chunks(recording, num_chunks_per_segment=3, chunk_size=10, seed=0).shape
    (30, 2)
    """
    options = _with_positional(positional, slice_options, concatenated)
    is_joined = options.pop("concatenated", True)
    in_uV = return_in_uV if return_scaled is None else return_scaled
    pieces = read_slices(recording, get_random_sample_slices(recording, **options), in_uV=in_uV)
    if not is_joined:
        return pieces
    if not pieces:
        return recording.get_traces(0, 0, 0, return_in_uV=in_uV)
    return np.concatenate(pieces, axis=0)


def read_slices(
    recording: BaseRecording, slices: Iterable[tuple[int, int, int]], *, in_uV: bool = False
) -> list[NDArray[Any]]:
    """Read pieces (segment_index, start_frame, end_frame) of a recording, one array for each."""
    return [
        recording.get_traces(segment_index, start, end, return_in_uV=in_uV)
        for segment_index, start, end in slices
    ]


def _with_positional(
    positional: tuple[Any, ...], named: dict[str, Any], concatenated: bool | None
) -> dict[str, Any]:
    options = dict(named)
    if concatenated is not None:
        options["concatenated"] = concatenated
    is_older = bool(positional) and not isinstance(positional[0], bool | np.bool_)
    order = _OLDER_ORDER if is_older else _ORDER
    if len(positional) > len(order):
        msg = f"There are {len(positional)} options too many without names; name them."
        raise ParameterError(msg)
    for name, value in zip(order, positional, strict=False):
        if name in options:
            msg = f"{name} is given twice, once by position."
            raise ParameterError(msg)
        options[name] = value
    return options
