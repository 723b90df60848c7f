"""Where an analyzer and its extensions are kept: in memory, in a folder, in a zarr store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.core.sorting import BaseSorting

if TYPE_CHECKING:
    from spikeloom.analyzer.extension import AnalyzerExtension

IN_MEMORY_BYTES = 64 << 20
"""Arrays up to this size are computed in memory, whatever the store."""


@dataclass(frozen=True)
class ExtensionNotes:
    """What is known of a kept extension before its data are read."""

    params: Mapping[str, Any] | None
    """Parameters that it was computed with."""
    run_info: Mapping[str, Any] | None
    """When and of what it was computed."""


class AnalyzerStore(Protocol):
    """Keeps extensions by name; what is written replaces what was there in one step."""

    format: str
    """``"memory"``, ``"binary_folder"`` or ``"zarr"``."""
    location: Any
    """Folder or URL; None in memory."""
    is_read_only: bool
    """Whether nothing may be written."""

    def extension_names(self) -> list[str]:
        """Return the names of the extensions that are kept."""

    def read_notes(self, name: str) -> ExtensionNotes:
        """Return parameters and run_info of an extension that is kept."""

    def create_array(
        self, extension: "AnalyzerExtension", name: str, shape: Sequence[int], dtype: DTypeLike
    ) -> NDArray[Any]:
        """Return zeros to be filled with a result, where it takes its place by `write_extension`.

        A large one is not in memory.
        """

    def discard_arrays(self, extension: "AnalyzerExtension") -> None:
        """Give up what `create_array` made for an extension; nothing is fine."""

    def write_extension(
        self, extension: "AnalyzerExtension", *, invalid: Sequence[str] = ()
    ) -> None:
        """Keep an extension, in place of one of the same name; `invalid` ones go just before."""

    def read_extension(self, extension: "AnalyzerExtension", *, lazy: bool = False) -> None:
        """Set params, run_info and data of an extension from what is kept."""

    def delete_extension(self, name: str) -> None:
        """Forget an extension; nothing is fine."""

    def write_sorting_property(self, key: str, values: NDArray[Any] | None) -> None:
        """Keep a property of the units; None deletes it."""

    def read_sorting_source(self) -> BaseSorting | None:
        """Return the sorting that the kept one was copied from, if it can be opened."""


class MemoryStore:
    """Keeps nothing: all there is belongs to the analyzer."""

    format = "memory"
    location = None

    def __init__(self, *, is_read_only: bool = False) -> None:
        self.is_read_only = is_read_only

    def extension_names(self) -> list[str]:
        """Return an empty list."""
        return []

    def read_notes(self, name: str) -> ExtensionNotes:  # noqa: ARG002 - there is none
        """Return nothing."""
        return ExtensionNotes(None, None)

    def create_array(
        self,
        extension: "AnalyzerExtension",  # noqa: ARG002 - it belongs to nobody else
        name: str,  # noqa: ARG002
        shape: Sequence[int],
        dtype: DTypeLike,
    ) -> NDArray[Any]:
        """Return zeros."""
        return np.zeros(tuple(shape), dtype)

    def discard_arrays(self, extension: "AnalyzerExtension") -> None:
        """Do nothing."""

    def write_extension(
        self, extension: "AnalyzerExtension", *, invalid: Sequence[str] = ()
    ) -> None:
        """Do nothing."""

    def read_extension(self, extension: "AnalyzerExtension", *, lazy: bool = False) -> None:
        """Do nothing."""

    def delete_extension(self, name: str) -> None:
        """Do nothing."""

    def write_sorting_property(self, key: str, values: NDArray[Any] | None) -> None:
        """Do nothing."""

    def read_sorting_source(self) -> BaseSorting | None:
        """Return nothing: the analyzer knows it."""
        return None


def n_bytes_of(shape: Sequence[int], dtype: DTypeLike) -> int:
    """Return the size of an array, in bytes.

    Examples
    --------
    >>> n_bytes_of((10, 2), "float32")
    80
    """
    return int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
