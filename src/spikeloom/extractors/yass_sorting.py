"""Sortings of YASS: ``tmp/output/spike_train.npy``, and ``config.yaml`` with the sampling rate."""

import re
from pathlib import Path

import numpy as np

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError
from spikeloom.extractors.json_files import read_text
from spikeloom.extractors.listed_spikes import ListedSpikesSorting, as_samples, checked_rate
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.storage.numpy_files import open_records

_SPIKES = "tmp/output/spike_train.npy"

_CONFIG = "config.yaml"

_RATE = re.compile(r"^\s+sampling_rate\s*:\s*([^#\s]+)", re.MULTILINE)


@stored_as("spikeinterface.extractors.yassextractors.YassSortingExtractor")
class YassSortingExtractor(ListedSpikesSorting):
    """A sorting of YASS.

    Parameters
    ----------
    folder_path : str or Path
        The folder with ``config.yaml`` and ``tmp/output``.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or cannot be read.
    DataError
        If the sampling rate is missing, or the spikes are no table of two columns.
    """

    def __init__(self, folder_path: str | Path) -> None:
        folder = Path(folder_path).absolute()
        config = folder / _CONFIG
        told = _RATE.search(read_text(config))
        rate = checked_rate(None if told is None else told[1], f"{config}, sampling_rate")
        spikes = open_records(folder / _SPIKES)
        if spikes.ndim != 2 or spikes.shape[1] != 2:
            msg = f"{folder / _SPIKES} must have two columns, time and unit; got {spikes.shape}."
            raise DataError(msg)
        samples, units = as_samples(np.asarray(spikes), folder / _SPIKES).T
        ids, indices = np.unique(units, return_inverse=True)
        super().__init__(rate, ids, samples, indices)
        self._kwargs = {"folder_path": str(folder)}


def read_yass(folder_path: str | Path) -> YassSortingExtractor:
    """Read a sorting of YASS; see `YassSortingExtractor`."""
    return YassSortingExtractor(folder_path)


def _recognise(peek: Peek) -> Recognition:
    if _CONFIG in peek.names and (peek.path / _SPIKES).is_file():
        return known(Certainty.CONTENT, f"it has {_CONFIG} and {_SPIKES}")
    return unknown(f"it is no folder with {_CONFIG} and {_SPIKES}")


READERS = (
    Reader(
        name="yass",
        kind="sorting",
        recognise=_recognise,
        read=read_yass,
        function="read_yass",
        description="a working folder of YASS",
    ),
)
"""Readers of this module."""
