"""Where the extensions of waveforms are kept that lie in a folder or zarr store of their own."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.core_templates import ComputeTemplates
from spikeloom.analyzer.core_waveforms import ComputeWaveforms
from spikeloom.analyzer.folder_store import FolderStore
from spikeloom.analyzer.stores import IN_MEMORY_BYTES, ExtensionNotes, n_bytes_of
from spikeloom.analyzer.waveform_layout import (
    TEMPLATES,
    template_arrays,
    waveform_arrays,
)
from spikeloom.analyzer.waveform_places import WAVEFORMS, FolderPlace, WaveformPlace, ZarrPlace
from spikeloom.analyzer.zarr_store import ZarrStore
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.storage.disk_space import require_disk_space

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer
    from spikeloom.analyzer.extension import AnalyzerExtension

_OWN = ("waveforms", "templates")
"""Extensions that are kept in the older layout; the others are as those of an analyzer."""


class WaveformStore:
    """Keeps waveforms and templates in the older layout, other extensions as an analyzer does.

    Parameters
    ----------
    inner : FolderStore or ZarrStore
        Keeps the other extensions, in ``extensions``.
    place : WaveformPlace
        Where waveforms and templates are.
    has_sorting : bool
        Whether the sorting is there as well, so that properties of units can be kept.
    """

    def __init__(
        self, inner: FolderStore | ZarrStore, place: WaveformPlace, *, has_sorting: bool
    ) -> None:
        self.format = inner.format
        self.location: Any = inner.location
        self.is_read_only = inner.is_read_only
        self._inner = inner
        self._place = place
        self._has_sorting = has_sorting

    def extension_names(self) -> list[str]:
        """Return the names of the extensions that are kept, sorted."""
        names = set(self._inner.extension_names())
        if self._place.names(WAVEFORMS):
            names |= {"random_spikes", "waveforms"}
        if self._templates():
            names.add("templates")
        return sorted(names)

    def read_notes(self, name: str) -> ExtensionNotes:
        """Return parameters and run_info of an extension that is kept."""
        if name in self._inner.extension_names():
            return self._inner.read_notes(name)
        return ExtensionNotes(None, None)  # such are always loaded, and tell themselves

    def create_array(
        self,
        extension: "AnalyzerExtension",
        name: str,
        shape: Sequence[int],
        dtype: DTypeLike,
    ) -> NDArray[Any]:
        """Return zeros to be filled: in a file without a name if they are many."""
        if extension.extension_name not in _OWN:
            return self._inner.create_array(extension, name, shape, dtype)
        n_bytes = n_bytes_of(shape, dtype)
        if n_bytes <= IN_MEMORY_BYTES:
            return np.zeros(tuple(shape), dtype)
        require_disk_space(Path(self.location), n_bytes)
        # It is gone when the array is, or the process, however that ends.
        with tempfile.TemporaryFile(dir=self.location, prefix=".") as file:
            array: NDArray[Any] = np.memmap(file, np.dtype(dtype), "w+", shape=tuple(shape))
        return array

    def discard_arrays(self, extension: "AnalyzerExtension") -> None:
        """Give up what `create_array` made for an extension; nothing is fine."""
        self._inner.discard_arrays(extension)

    def write_extension(
        self, extension: "AnalyzerExtension", *, invalid: Sequence[str] = ()
    ) -> None:
        """Keep an extension, in place of one of the same name; `invalid` ones go just before."""
        self._require_writable()
        others = [name for name in invalid if name != extension.extension_name]
        for name in others:
            self.delete_extension(name)
        if isinstance(extension, ComputeWaveforms):
            self._place.replace_waveforms(waveform_arrays(extension))
            self._place.write_params(_params_with(extension))
        elif isinstance(extension, ComputeTemplates):
            arrays = template_arrays(extension)
            shapes = {values.shape for values in arrays.values()}
            for name in self._templates():
                # Those of other windows are not of the same waveforms.
                if name not in arrays and self._place.read(name).shape not in shapes:
                    self._place.delete(name)
            for name, values in arrays.items():
                self._place.write(name, values)
            if not self._place.names(WAVEFORMS):
                self._place.write_params(_params_with(extension))
        else:
            self._inner.write_extension(extension)

    def read_extension(self, extension: "AnalyzerExtension", *, lazy: bool = False) -> None:
        """Set params, run_info and data of an extension from what is kept."""
        self._inner.read_extension(extension, lazy=lazy)

    def delete_extension(self, name: str) -> None:
        """Forget an extension; nothing is fine."""
        self._require_writable()
        if name == "waveforms":
            self._place.replace_waveforms(None)
        elif name == "templates":
            for array in self._templates():
                self._place.delete(array)
        else:
            self._inner.delete_extension(name)

    def write_sorting_property(self, key: str, values: NDArray[Any] | None) -> None:
        """Keep a property of the units; raises ParameterError if the sorting is not there."""
        if not self._has_sorting:
            msg = (
                f"{self.location} was written by an older version, and has no sorting of its own: "
                "use save=False, or save(folder=...) a copy."
            )
            raise ParameterError(msg)
        self._inner.write_sorting_property(key, values)

    def read_sorting_source(self) -> BaseSorting | None:
        """Return nothing: who opens the folder says how it is found."""
        return None

    def _templates(self) -> list[str]:
        return [name for name in self._place.names() if name.startswith(TEMPLATES)]

    def _require_writable(self) -> None:
        if self.is_read_only:
            msg = f"{self.location} cannot be written to; save(folder=...) a copy to change."
            raise ParameterError(msg)


def folder_store(root: Path, *, has_sorting: bool, is_read_only: bool = False) -> WaveformStore:
    """Return the store of a folder of waveforms."""
    inner = FolderStore(root, is_read_only=is_read_only)
    return WaveformStore(inner, FolderPlace(root), has_sorting=has_sorting)


def zarr_store(root: Path, *, has_sorting: bool, is_read_only: bool = False) -> WaveformStore:
    """Return the store of a zarr store of waveforms, in a folder."""
    inner = ZarrStore(root, is_read_only=is_read_only)
    return WaveformStore(inner, ZarrPlace(inner.root, root), has_sorting=has_sorting)


def _params_with(extension: "AnalyzerExtension") -> dict[str, Any]:
    """Return the parameters as they are once an extension has taken its place."""
    analyzer: SortingAnalyzer = extension.sorting_analyzer
    known = extension.params or {}
    chosen = analyzer.extensions.get("random_spikes")
    limit = None if chosen is None else (chosen.params or {}).get("max_spikes_per_unit")
    return {
        "ms_before": known["ms_before"],
        "ms_after": known["ms_after"],
        "max_spikes_per_unit": limit,
        "return_scaled": bool(analyzer.return_in_uV),
        "dtype": np.dtype(known.get("dtype") or np.float32).name,
    }
