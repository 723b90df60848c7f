"""Snippets in ``.npy`` files: records of a frame and the samples around it, one file a segment."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.snippets import BaseSnippets, BaseSnippetsSegment, pick
from spikeloom.errors import DataError, ParameterError
from spikeloom.storage.atomic import Writer, replace_together
from spikeloom.storage.numpy_files import open_records
from spikeloom.storage.staged_saves import refuse_taken

_BLOCK_BYTES = 1 << 25
"""How much is read and converted at once when writing."""

FilePaths = str | Path | Sequence[str | Path]


@stored_as("spikeinterface.core.npysnippetsextractor.NpySnippetsExtractor")
class NpySnippetsExtractor(BaseSnippets):
    """Snippets in ``.npy`` files, read when asked for.

    Parameters
    ----------
    file_paths : str, Path or list of them
        A file for each segment: a structured array with the fields ``frame`` (int64) and
        ``snippet``, of shape (snippet_len, n_channels).
    sampling_frequency : float
        In Hz.
    channel_ids : array_like of shape (n_channels,), optional
        0, 1, 2, … by default.
    nbefore : int, optional
        Sample of a snippet that its frame belongs to; None if snippets are not aligned.
    gain_to_uV, offset_to_uV : float or array_like of shape (n_channels,), optional
        Microvolts of a step, and of step 0.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or damaged.
    DataError
        If a file holds something else, or snippets of another shape than the first.
    """

    def __init__(
        self,
        file_paths: FilePaths,
        sampling_frequency: float,
        channel_ids: ArrayLike | None = None,
        nbefore: int | None = None,
        gain_to_uV: ArrayLike | None = None,
        offset_to_uV: ArrayLike | None = None,
    ) -> None:
        paths = _as_paths(file_paths)
        if not paths:
            msg = "NpySnippetsExtractor needs a file for each segment; got none."
            raise ParameterError(msg)
        records = [_open_records(path) for path in paths]
        kind = records[0].dtype["snippet"]
        for path, array in zip(paths, records, strict=True):
            if array.dtype["snippet"] != kind:
                msg = f"{path} holds snippets of {array.dtype['snippet']}; those before, {kind}."
                raise DataError(msg)
        snippet_len, n_channels = kind.shape
        ids = np.arange(n_channels) if channel_ids is None else np.asarray(channel_ids)
        if len(ids) != n_channels:
            msg = f"{len(ids)} channel ids do not fit snippets of {n_channels} channels."
            raise ParameterError(msg)
        super().__init__(sampling_frequency, nbefore, snippet_len, ids, kind.base)
        for array in records:
            self.add_snippets_segment(NpySnippetsSegment(array))
        if gain_to_uV is not None:
            self.set_channel_gains(gain_to_uV)
        if offset_to_uV is not None:
            self.set_channel_offsets(offset_to_uV)
        self._kwargs = {
            "file_paths": [str(path.absolute()) for path in paths],
            "sampling_frequency": self.sampling_frequency,
            "channel_ids": self.channel_ids,
            "nbefore": nbefore,
            "gain_to_uV": gain_to_uV,
            "offset_to_uV": offset_to_uV,
        }

    @staticmethod
    def write_snippets(
        snippets: BaseSnippets,
        file_paths: FilePaths,
        dtype: DTypeLike | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Write snippets to ``.npy`` files; see `write_npy_snippets`."""
        write_npy_snippets(snippets, file_paths, dtype, overwrite=overwrite)


class NpySnippetsSegment(BaseSnippetsSegment):
    """A segment of snippets in a memory-mapped array of records."""

    def __init__(self, records: NDArray[np.void]) -> None:
        super().__init__()
        self._records = records
        self._frames: NDArray[np.int64] | None = None

    def get_num_snippets(self) -> int:
        """Return the number of snippets."""
        return len(self._records)

    def get_frames(self, indices: Any = None) -> NDArray[np.int64]:
        """Return the frames of snippets: all of them, or those at `indices`."""
        if self._frames is None:
            # They lie one in each record, so that reading them reads the whole file: but once.
            self._frames = np.array(self._records["frame"], np.int64)
        return self._frames if indices is None else self._frames[indices]

    def get_snippets(self, indices: Any = None, channel_indices: Any = None) -> NDArray[Any]:
        """Return snippets of shape (n_snippets, snippet_len, n_channels)."""
        return pick(self._records["snippet"], indices, channel_indices)


def read_npy_snippets(
    file_paths: FilePaths,
    sampling_frequency: float,
    channel_ids: ArrayLike | None = None,
    nbefore: int | None = None,
    gain_to_uV: ArrayLike | None = None,
    offset_to_uV: ArrayLike | None = None,
) -> NpySnippetsExtractor:
    """Read snippets from ``.npy`` files; see `NpySnippetsExtractor` for the arguments."""
    return NpySnippetsExtractor(
        file_paths, sampling_frequency, channel_ids, nbefore, gain_to_uV, offset_to_uV
    )


def write_npy_snippets(
    snippets: BaseSnippets,
    file_paths: FilePaths,
    dtype: DTypeLike | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write snippets to ``.npy`` files, one for each segment.

    Parameters
    ----------
    snippets : BaseSnippets
        The snippets.
    file_paths : str, Path or list of them
        A file for each segment; folders above them are made.
    dtype : dtype, optional
        Type to write in; that of the snippets by default.
    overwrite : bool, default False
        Replace files that are there, all at once.

    Raises
    ------
    ParameterError
        If there is not one file for each segment.
    WriteError
        If a file is there already (a FileExistsError, too), or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.core.numpy_snippets import NumpySnippets
    >>> snippets = NumpySnippets(np.ones((2, 32, 4)), np.array([50, 90]), 30000.0)
    >>> path = Path(tempfile.mkdtemp()) / "snippets.npy"
    >>> write_npy_snippets(snippets, path)
    >>> read_npy_snippets(path, 30000.0).get_frames()
    array([50, 90])
    """
    paths = _as_paths(file_paths)
    if len(paths) != snippets.get_num_segments():
        msg = f"{len(paths)} files do not fit {snippets.get_num_segments()} segments."
        raise ParameterError(msg)
    for path in paths:
        refuse_taken(path, overwrite=overwrite)
        path.parent.mkdir(parents=True, exist_ok=True)
    replace_together({path: records_writer(snippets, k, dtype) for k, path in enumerate(paths)})


def records_writer(
    snippets: BaseSnippets, segment_index: int, dtype: DTypeLike | None = None
) -> Writer:
    """Return a writer of a segment in ``.npy`` format, for `storage.atomic`."""

    def write(file: BinaryIO) -> None:
        kind = _record_dtype(snippets, dtype)
        header = {
            "descr": np.lib.format.dtype_to_descr(kind),
            "fortran_order": False,
            "shape": (snippets.get_num_snippets(segment_index),),
        }
        np.lib.format.write_array_header_1_0(file, header)
        for block in _blocks(snippets, segment_index, kind):
            file.write(block.tobytes())

    return write


def n_bytes_of(snippets: BaseSnippets, dtype: DTypeLike | None = None) -> int:
    """Return how many bytes all snippets take in files, but for the headers."""
    return snippets.get_total_snippets() * _record_dtype(snippets, dtype).itemsize


def _record_dtype(snippets: BaseSnippets, dtype: DTypeLike | None) -> np.dtype[np.void]:
    shape = (snippets.snippet_len, snippets.get_num_channels())
    sample = snippets.dtype if dtype is None else np.dtype(dtype)
    return np.dtype([("frame", np.int64), ("snippet", sample, shape)])


def _blocks(
    snippets: BaseSnippets, segment_index: int, kind: np.dtype[np.void]
) -> Iterator[NDArray[np.void]]:
    n_snippets = snippets.get_num_snippets(segment_index)
    frames = snippets.get_frames(segment_index=segment_index)
    step = max(1, _BLOCK_BYTES // kind.itemsize)
    for start in range(0, n_snippets, step):
        rows = slice(start, min(start + step, n_snippets))
        block = np.empty(rows.stop - start, kind)
        block["frame"] = frames[rows]
        block["snippet"] = snippets.get_snippets(rows, segment_index)
        yield block


def _as_paths(file_paths: FilePaths) -> list[Path]:
    return [Path(p) for p in ([file_paths] if isinstance(file_paths, str | Path) else file_paths)]


def _open_records(path: Path) -> NDArray[np.void]:
    """Map a file of records; raises ReadError or DataError if it holds something else."""
    records = open_records(path)
    names = records.dtype.names or ()
    is_sound = (
        records.ndim == 1
        and {"frame", "snippet"} <= set(names)
        and len(records.dtype["snippet"].shape) == 2
        and records.dtype["snippet"].base.kind in "biuf"
        and records.dtype["frame"].kind in "iu"
    )
    if not is_sound:
        msg = (
            f"{path} holds no snippets: an array of records with the fields frame and snippet, of "
            "shape (snippet_len, n_channels), is expected."
        )
        raise DataError(msg)
    return records
