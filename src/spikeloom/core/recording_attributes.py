"""What is known of a recording besides its traces, and whether two recordings agree in it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from spikeloom.core.recording import BaseRecording

_COMPARED = ("channel_ids", "sampling_frequency", "num_channels", "num_samples")


def get_rec_attributes(recording: BaseRecording) -> dict[str, Any]:
    """Return what an analysis keeps of a recording in case it gets lost.

    Returns
    -------
    dict
        ``channel_ids``, ``sampling_frequency`` (Hz), ``num_channels``, ``num_samples`` (of each
        segment), ``is_filtered``, ``properties`` (copies) and ``dtype``.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((9, 2), "int16")], 30000.0)
    >>> attributes = get_rec_attributes(recording)
    >>> attributes["num_samples"], attributes["dtype"]
    ([9], dtype('int16'))
    """
    n_segments = recording.get_num_segments()
    properties = {key: recording.get_property(key) for key in recording.get_property_keys()}
    return {
        "channel_ids": recording.channel_ids,
        "sampling_frequency": recording.get_sampling_frequency(),
        "num_channels": recording.get_num_channels(),
        "num_samples": [recording.get_num_samples(k) for k in range(n_segments)],
        "is_filtered": recording.is_filtered(),
        "properties": {
            key: values.copy() for key, values in properties.items() if values is not None
        },
        "dtype": recording.get_dtype(),
    }


def do_recording_attributes_match(
    recording1: BaseRecording, recording2_attributes: Mapping[str, Any], check_dtype: bool = True
) -> tuple[bool, str]:
    """Return whether a recording has the attributes of another.

    Parameters
    ----------
    recording1 : BaseRecording
        The recording.
    recording2_attributes : dict
        What `get_rec_attributes` said of the other; may come from a file.
    check_dtype : bool, default True
        Compare the types of the traces, too, if both are known.

    Returns
    -------
    is_match : bool
    message : str
        What differs; empty if nothing does.
    """
    ours = get_rec_attributes(recording1)
    differing = [
        key
        for key in _COMPARED
        if not np.array_equal(np.asarray(ours[key]), np.asarray(recording2_attributes[key]))
    ]
    dtype = recording2_attributes.get("dtype")
    if check_dtype and dtype is not None and ours["dtype"] != np.dtype(dtype):
        differing.append("dtype")
    if not differing:
        return True, ""
    return False, f"Recordings do not match in the following attributes: {differing}"
