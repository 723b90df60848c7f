"""A slow, obvious mtscomp: differences, then zlib, chunk by chunk."""

import json
import zlib
from itertools import pairwise

import numpy as np


def write_cbin(
    path,
    traces,
    sample_rate,
    *,
    chunk_samples,
    do_time_diff=True,
    do_spatial_diff=False,
    chunk_order="F",
):
    """Write a ``.cbin`` file and the ``.ch`` file beside it."""
    bounds = [*range(0, len(traces), chunk_samples), len(traces)]
    offsets = [0]
    packed = b""
    for start, stop in pairwise(bounds):
        chunk = traces[start:stop]
        if do_time_diff:
            chunk = np.concatenate([chunk[:1], np.diff(chunk, axis=0)], axis=0)
        if do_spatial_diff:
            chunk = np.concatenate([chunk[:, :1], np.diff(chunk, axis=1)], axis=1)
        packed += zlib.compress(chunk.astype(traces.dtype).tobytes(order=chunk_order))
        offsets.append(len(packed))
    path.write_bytes(packed)
    table = {
        "version": "1.0",
        "algorithm": "zlib",
        "comp_level": -1,
        "do_time_diff": do_time_diff,
        "do_spatial_diff": do_spatial_diff,
        "dtype": str(traces.dtype),
        "n_channels": traces.shape[1],
        "sample_rate": sample_rate,
        "chunk_bounds": bounds,
        "chunk_offsets": offsets,
        "chunk_order": chunk_order,
        "shape": list(traces.shape),
    }
    path.with_suffix(".ch").write_text(json.dumps(table))
