"""Write the traces of recordings to datasets of HDF5 files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from spikeloom.core.recording import BaseRecording
from spikeloom.core.writing import write_into_array
from spikeloom.engine.options import job_options
from spikeloom.errors import ParameterError


def write_to_h5_dataset_format(
    recording: BaseRecording,
    dataset_path: str,
    segment_index: int,
    save_path: str | Path | None = None,
    file_handle: Any = None,
    time_axis: int = 0,
    single_axis: bool = False,
    dtype: DTypeLike | None = None,
    chunk_size: int | None = None,
    chunk_memory: str = "500M",
    verbose: bool = False,
    return_in_uV: bool = False,
    *,
    return_scaled: bool | None = None,
) -> Any:
    """Write the traces of a segment as a dataset of an HDF5 file.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    dataset_path : str
        Path of the dataset in the file.
    segment_index : int
        The segment.
    save_path : str or Path, optional
        The file, made if it is not there; instead of `file_handle`.
    file_handle : h5py.File, optional
        An open file; instead of `save_path`.
    time_axis : {0, 1}, default 0
        Axis of the dataset that is time.
    single_axis : bool, default False
        Make the dataset one-dimensional, of a recording with one channel.
    dtype : dtype, optional
        Of the values; that of the recording by default.
    chunk_size : int, optional
        Samples to read at a time.
    chunk_memory : str, default "500M"
        Memory to use at a time, if `chunk_size` is not given.
    verbose : bool
        Show progress.
    return_in_uV : bool, default False
        Write microvolts; older spelling ``return_scaled``.

    Returns
    -------
    h5py.File
        The file, closed if it was opened here.

    Raises
    ------
    ParameterError
        If neither or both of `save_path` and `file_handle` are given, if `single_axis` is asked for
        with several channels, or if `time_axis` is neither 0 nor 1.
    """
    import h5py  # noqa: PLC0415 - only here

    if (save_path is None) == (file_handle is None):
        msg = "Give either save_path or file_handle."
        raise ParameterError(msg)
    n_samples, n_channels = recording.get_shape(segment_index)
    if single_axis and n_channels != 1:
        msg = f"single_axis=True needs a recording with one channel; this one has {n_channels}."
        raise ParameterError(msg)
    if time_axis not in {0, 1}:
        msg = f"time_axis must be 0 or 1; got {time_axis!r}."
        raise ParameterError(msg)
    in_uV = return_in_uV if return_scaled is None else return_scaled
    in_units: DTypeLike = np.float32 if in_uV else recording.dtype
    wanted = np.dtype(in_units if dtype is None else dtype)
    shape: tuple[int, ...] = (n_samples, n_channels) if time_axis == 0 else (n_channels, n_samples)
    if single_axis:
        shape = (n_samples,)
    options = job_options(
        chunk_size=chunk_size,
        chunk_memory=None if chunk_size is not None else chunk_memory,
        progress_bar=verbose,
        n_jobs=1,
    )
    file = h5py.File(save_path, "a") if file_handle is None else file_handle
    try:
        dataset = file.create_dataset(dataset_path, shape=shape, dtype=wanted)
        write_into_array(
            recording, segment_index, dataset, options=options, time_axis=time_axis, in_uV=in_uV
        )
    finally:
        if file_handle is None:
            file.close()
    return file
