"""The ``.npy`` files of a phy dataset, under their own names or those of the ALF convention.

Arrays are memory maps, brought into one shape: ``(n, 1)`` columns become vectors, floats that
stand for indices become integers. Nothing is written, nothing is copied that is long.

Sources: phylib's dataset format, https://github.com/cortex-lab/phylib (README, "file formats");
ALF names, https://docs.internationalbrainlab.org (ALF dataset types).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.storage.arrays import open_npy

ALF_NAMES: dict[str, tuple[str, ...]] = {
    "spike_clusters": ("spikes.clusters*",),
    "spike_templates": ("spikes.templates*",),
    "channel_map": ("channels.rawInd*",),
    "channel_positions": ("channels.localCoordinates*",),
    "channel_shanks": ("channels.shanks*",),
    "channel_probe": ("channels.probes*",),
    "amplitudes": ("spikes.amps*",),
    "templates": ("templates.waveforms.*", "templates.waveforms"),
    "template_ind": ("templates.waveformsChannels*",),
}
"""Other names that a file may bear, as patterns without the suffix."""


@dataclass
class PhyFolder:
    """Access to the arrays of one folder; collects warnings on the way."""

    folder: Path
    """Folder of the ``.npy`` files."""
    warnings: list[str]
    """What was wrong with optional files, which are then treated as absent."""

    def find(self, name: str) -> Path | None:
        """Return the file of `name` (without suffix), under its own or an ALF name."""
        path = self.folder / f"{name}.npy"
        if path.is_file():
            return path
        for pattern in ALF_NAMES.get(name, ()):
            found = sorted(self.folder.glob(f"{pattern}.npy"))
            if found:
                return found[0]
        return None

    def required(self, name: str) -> NDArray[Any]:
        """Return the array `name`.

        Raises
        ------
        MissingFileError
            If there is no such file; the message names what was looked for.
        """
        path = self.find(name)
        if path is None:
            others = "".join(f" or {pattern}.npy" for pattern in ALF_NAMES.get(name, ()))
            msg = f"{self.folder} has no {name}.npy{others}, which a phy dataset needs."
            raise MissingFileError(2, msg)
        return squeeze(open_npy(path))

    def optional(self, name: str) -> NDArray[Any] | None:
        """Return the array `name`, or None (with a warning if it is there but damaged)."""
        path = self.find(name)
        if path is None:
            return None
        try:
            return squeeze(open_npy(path))
        except ReadError as error:
            self.warnings.append(f"{error} It is ignored.")
            return None

    def vector(self, name: str, length: int) -> NDArray[Any] | None:
        """Like `optional`, for an array of one axis and a known length."""
        array = self.optional(name)
        if array is not None and array.shape != (length,):
            self.warnings.append(
                f"{name}.npy has shape {array.shape} where {(length,)} is expected; it is ignored."
            )
            return None
        return array

    def optional_unsqueezed(self, name: str, n_dimensions: int) -> NDArray[Any] | None:
        """Like `optional`, for an array whose axes of length one mean something."""
        path = self.find(name)
        if path is None:
            return None
        try:
            array = open_npy(path)
        except ReadError as error:
            self.warnings.append(f"{error} It is ignored.")
            return None
        if array.ndim != n_dimensions:
            self.warnings.append(
                f"{path.name} has shape {array.shape} instead of {n_dimensions} dimensions; "
                "it is ignored."
            )
            return None
        return array

    def optional_indices(
        self, name: str, n_dimensions: int | None = None
    ) -> NDArray[np.int64] | None:
        """Like `optional`, for numbers that stand for indices; with all axes if told how many."""
        if n_dimensions is None:
            array = self.optional(name)
        else:
            array = self.optional_unsqueezed(name, n_dimensions)
        if array is None:
            return None
        try:
            return as_indices(array, name)
        except DataError as error:
            self.warnings.append(f"{error} It is ignored.")
            return None

    def warn_if_wrong(self, name: str, array: NDArray[Any] | None, length: int) -> bool:
        """Return whether optional `array` has `length` rows; warn if it does not."""
        if array is None:
            return False
        if len(array) != length:
            self.warnings.append(
                f"{name}.npy has {len(array)} rows where {length} are expected; it is ignored."
            )
            return False
        return True


def squeeze(array: NDArray[Any]) -> NDArray[Any]:
    """Drop axes of length one, but keep at least one axis."""
    squeezed = array.squeeze()
    return squeezed.reshape(-1) if squeezed.ndim == 0 else squeezed


def as_indices(array: NDArray[Any], name: str) -> NDArray[np.int64]:
    """Turn numbers that stand for indices into int64; what is no index (-1, nan) becomes -1.

    Sorters pad with -1, with ``2**32 - 1`` (an unsigned -1) or with nan, and MATLAB writes
    indices as floats.

    Raises
    ------
    DataError
        If values are not whole numbers.
    """
    limit = np.iinfo(np.int32).max
    if array.dtype.kind in "iu":
        signed = array.astype(np.int64)
        return np.where((signed < 0) | (signed > limit), -1, signed)
    values = np.asarray(array, np.float64)
    is_index = (values >= 0) & (values <= limit)
    if np.any(values[is_index] != np.floor(values[is_index])):
        msg = f"{name}.npy holds indices, but some are not whole numbers."
        raise DataError(msg)
    return np.where(is_index, values, -1).astype(np.int64)


def as_labels(array: NDArray[Any], name: str) -> NDArray[np.int32]:
    """Turn cluster or template numbers into int32, without a copy where they are already.

    Raises
    ------
    DataError
        If values are negative, not whole or too large.
    """
    if array.dtype == np.int32:
        labels: NDArray[np.int32] = array
    else:
        labels = np.empty(array.shape, np.int32)
        with np.errstate(invalid="ignore"):
            np.copyto(labels, array, casting="unsafe")
        if not np.array_equal(labels, array):
            msg = f"{name}.npy holds values that are not whole numbers below 2**31."
            raise DataError(msg)
    if labels.size and labels.min() < 0:
        msg = f"{name}.npy holds the negative number {labels.min()}; ids are not negative."
        raise DataError(msg)
    return labels
