"""Flat binary files: blocks written from many threads, and memory maps of whole files."""

import contextlib
import errno
import math
import os
import sys
import threading
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.storage.disk_space import write_error

_CHECK_BYTES = 16 << 20


class RawFileWriter:
    """A flat binary file of a known size, into which blocks are written in any order.

    Threads may share one; other processes get their own by pickling it. The file is made, in its
    full size, by the first one that is opened. Values are in C order, (n_samples, n_channels).

    Parameters
    ----------
    path : Path
        The file; its folder must exist. If it has the right size already, its content stays.
    shape : tuple of int
        (n_samples, n_channels).
    dtype : dtype
        Of the values, with their byte order.
    file_offset : int, default: 0
        Bytes before the first sample, which are left as they are (zeros in a new file).
    header : bytes, default: b""
        What to write there.

    Raises
    ------
    WriteError
        If the file cannot be made, or the disk has no room for it.
    ParameterError
        If the header is longer than the offset.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "traces.raw"
    >>> with RawFileWriter(path, (3, 2), "int16") as file:
    ...     _ = file.write(1, np.array([[3, 4], [5, 6]], "int16"))
    ...     _ = file.write(0, np.array([[1, 2]], "int16"))
    >>> np.fromfile(path, "int16").tolist()
    [1, 2, 3, 4, 5, 6]
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int],
        dtype: DTypeLike,
        *,
        file_offset: int = 0,
        header: bytes = b"",
    ) -> None:
        self.path = Path(path)
        self.shape = (int(shape[0]), int(shape[1]))
        self.dtype = np.dtype(dtype)
        self.file_offset = int(file_offset)
        self._header = bytes(header)
        self._row_bytes = self.shape[1] * self.dtype.itemsize
        if min(self.shape) < 0 or self.file_offset < 0 or self.dtype.hasobject:
            msg = f"A file of shape {shape}, dtype {dtype}, offset {file_offset} is not possible."
            raise ParameterError(msg)
        if len(header) > self.file_offset:
            msg = f"A header of {len(header)} bytes does not fit before offset {file_offset}."
            raise ParameterError(msg)
        self._lock = threading.Lock()
        self._descriptor = self._open()

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.path, self.shape, self.dtype, self.file_offset)

    @property
    def n_bytes(self) -> int:
        """Size of the file, in bytes."""
        return self.file_offset + self.shape[0] * self._row_bytes

    def _open(self) -> int:
        descriptor = -1
        try:
            descriptor = os.open(
                self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666
            )
            if os.fstat(descriptor).st_size != self.n_bytes:
                os.ftruncate(descriptor, self.n_bytes)
            _reserve(descriptor, self.n_bytes)
            if self._header:
                self._put(descriptor, memoryview(self._header), 0)
        except OSError as error:
            if descriptor >= 0:
                os.close(descriptor)
            raise write_error(self.path, error) from error
        return descriptor

    def write(self, row_start: int, block: NDArray[Any], *, has_checksum: bool = True) -> int:
        """Write some samples.

        Parameters
        ----------
        row_start : int
            First sample.
        block : ndarray, (n_rows, n_channels)
            The values.
        has_checksum : bool, default: True
            Whether anybody wants the check sum, which takes as long as writing.

        Returns
        -------
        int
            A check sum of the bytes, as `checksum` computes it; 0 if nobody wants it.

        Raises
        ------
        ParameterError
            If the block does not fit.
        WriteError
            If it cannot be written.
        """
        block = np.asarray(block)
        if block.ndim != 2 or block.shape[1] != self.shape[1]:
            msg = f"A block has shape (n_rows, {self.shape[1]}), not {block.shape}."
            raise ParameterError(msg)
        if row_start < 0 or row_start + len(block) > self.shape[0]:
            msg = (
                f"Rows {row_start} to {row_start + len(block)} do not fit into {self.path} of "
                f"{self.shape[0]} samples."
            )
            raise ParameterError(msg)
        if not np.can_cast(block.dtype, self.dtype, "same_kind"):
            msg = f"Values of dtype {block.dtype} do not fit into {self.path} of {self.dtype}."
            raise ParameterError(msg)
        content = np.ascontiguousarray(block, dtype=self.dtype)
        if not content.size:
            return 0
        view = memoryview(content.reshape(-1).view("u1").data)
        try:
            self._put(self._descriptor, view, self.file_offset + row_start * self._row_bytes)
        except OSError as error:
            raise write_error(self.path, error) from error
        return zlib.crc32(view) if has_checksum else 0

    def copy(self, row_start: int, n_rows: int, source: Path, position: int) -> bool:
        """Copy the bytes of some samples from another file, without a way through this process.

        Parameters
        ----------
        row_start, n_rows : int
            First sample, and how many.
        source : Path
            A file that has these samples, one behind the other, in the same layout.
        position : int
            Where in it they begin, in bytes.

        Returns
        -------
        bool
            Whether they were copied: not every system can do that, and the source may be too short.

        Raises
        ------
        WriteError
            If they cannot be written.
        """
        if not sys.platform.startswith("linux"):
            return False  # others send files to sockets only
        end = position + n_rows * self._row_bytes
        try:
            with source.open("rb") as read, self.path.open("r+b", buffering=0) as written:
                written.seek(self.file_offset + row_start * self._row_bytes)
                while position < end:
                    n = os.sendfile(written.fileno(), read.fileno(), position, end - position)
                    if n == 0:
                        return False
                    position += n
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise write_error(self.path, error) from error
            return False
        return True

    def _put(self, descriptor: int, view: memoryview, position: int) -> None:
        while view:
            if hasattr(os, "pwrite"):
                n = os.pwrite(descriptor, view, position)
            else:  # Windows
                with self._lock:
                    os.lseek(descriptor, position, os.SEEK_SET)
                    n = os.write(descriptor, view)
            view, position = view[n:], position + n

    def checksum(self, row_start: int, row_stop: int) -> int | None:
        """Return the check sum of the bytes of some samples, as they are in the file now."""
        first = self.file_offset + row_start * self._row_bytes
        stop = self.file_offset + row_stop * self._row_bytes
        crc = 0
        with self.path.open("rb", buffering=0) as file:
            file.seek(first)
            while first < stop:
                content = file.read(min(_CHECK_BYTES, stop - first))
                if not content:
                    return None
                crc = zlib.crc32(content, crc)
                first += len(content)
        return crc

    def close(self) -> None:
        """Flush the file to the disk and close it; twice is fine.

        Raises
        ------
        WriteError
            If what was written does not reach the disk.
        """
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        try:
            os.fsync(descriptor)
        except OSError as error:
            raise write_error(self.path, error) from error
        finally:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            with contextlib.suppress(OSError):  # The first error is the one to tell.
                self.close()
        else:
            self.close()

    def __del__(self) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)


def _reopen(
    path: Path, shape: tuple[int, int], dtype: np.dtype[Any], file_offset: int
) -> RawFileWriter:
    return RawFileWriter(path, shape, dtype, file_offset=file_offset)


def _reserve(descriptor: int, n_bytes: int) -> None:
    """Take the room on the disk now, where the file system can: it may be gone later."""
    if n_bytes and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, n_bytes)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ENODEV}:
                raise


def open_raw(
    path: Path,
    *,
    dtype: DTypeLike,
    n_channels: int,
    file_offset: int = 0,
    time_axis: int = 0,
) -> NDArray[Any]:
    """Open a flat binary file as a read-only memory map of shape (n_samples, n_channels).

    Bytes after the last whole sample are left out.

    Parameters
    ----------
    path : Path
        The file.
    dtype : dtype
        Of the values, with their byte order.
    n_channels : int
        Number of channels.
    file_offset : int, default: 0
        Bytes before the values.
    time_axis : {0, 1}, default: 0
        0 if the samples of one moment lie together; 1 if those of one channel do. The map has
        the same shape in both cases.

    Returns
    -------
    ndarray, (n_samples, n_channels)
        A memory map; without samples, a plain array.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it cannot be opened.
    DataError
        If it is shorter than the offset.
    ParameterError
        If `n_channels`, `file_offset` or `time_axis` make no sense.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "by_channel.raw"
    >>> _ = path.write_bytes(np.array([[1, 2, 3], [4, 5, 6]], ">i2").tobytes())
    >>> open_raw(path, dtype=">i2", n_channels=2, time_axis=1)[1:, :].tolist()
    [[2, 5], [3, 6]]
    """
    dtype = np.dtype(dtype)
    if n_channels < 1 or file_offset < 0 or time_axis not in {0, 1} or dtype.itemsize == 0:
        msg = (
            f"n_channels={n_channels}, file_offset={file_offset}, time_axis={time_axis}, "
            f"dtype={dtype} do not describe a file; time_axis is 0 or 1, the others positive."
        )
        raise ParameterError(msg)
    try:
        n_bytes = path.stat().st_size
        n_samples = (n_bytes - file_offset) // (dtype.itemsize * n_channels)
        if n_bytes < file_offset:
            msg = f"{path} has {n_bytes} bytes, fewer than its offset of {file_offset} bytes."
            raise DataError(msg)
        shape = (n_samples, n_channels) if time_axis == 0 else (n_channels, n_samples)
        if math.prod(shape) == 0:
            values: NDArray[Any] = np.empty(shape, dtype)
        else:
            # As a plain array: compiled kernels take those much faster than memory-map objects.
            values = np.asarray(np.memmap(path, dtype, mode="r", offset=file_offset, shape=shape))
    except FileNotFoundError as error:
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg) from error
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise ReadError(error.errno or 0, msg) from error
    return values if time_axis == 0 else values.T
