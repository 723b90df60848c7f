"""Any time series of an NWB file as a recording: positions, running speed, stimuli."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import ParameterError
from spikeloom.extractors.nwb_places import nwb_place
from spikeloom.extractors.nwb_recognition import recognise_nwb
from spikeloom.extractors.nwb_recording import open_series, scale_of
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.physical_units import set_physical_units
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition

if TYPE_CHECKING:
    from spikeloom.extractors.nwb_files import NwbTree

_N_LISTED_MAX = 20


@stored_as("spikeinterface.extractors.nwbextractors.NwbTimeSeriesExtractor")
class NwbTimeSeriesExtractor(BaseRecording):
    """A time series of an NWB file, in HDF5 or zarr.

    Parameters
    ----------
    file_path : str or Path
        The file, the folder of a zarr store, or the URL of either.
    timeseries_path : str, optional
        Which series, such as ``"processing/behavior/speed"``; needed unless the file has just one
        of the type ``TimeSeries``. Series of types that derive from it are opened as well.
    load_time_vector : bool, default False
        Keep the time of each sample, if the file has them, rather than a rate worked out of them.
    samples_for_rate_estimation : int, default 1000
        How many times that rate is worked out of.
    stream_mode, stream_cache_path, cache
        For URLs, as for `NwbRecordingExtractor`.
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If the series contradicts itself, or nothing says when its values were taken.
    ParameterError
        If no series was chosen where there is not just one, or no such one.

    Notes
    -----
    Channels are counted from 0. The unit of the values is the property ``physical_unit``, and
    ``gain_to_physical_unit`` and ``offset_to_physical_unit`` are the way to it; volts have gains to
    microvolts, too.
    """

    def __init__(
        self,
        file_path: str | Path,
        timeseries_path: str | None = None,
        load_time_vector: bool = False,
        samples_for_rate_estimation: int = 1000,
        stream_mode: str | None = None,
        stream_cache_path: str | Path | None = None,
        *,
        cache: bool = False,
        storage_options: dict[str, Any] | None = None,
    ) -> None:
        from spikeloom.extractors.nwb_files import open_nwb  # noqa: PLC0415 - imports h5py

        place = nwb_place(
            file_path,
            stream_mode,
            storage_options,
            cache=cache,
            stream_cache_path=stream_cache_path,
        )
        with open_nwb(place) as tree:
            series = _chosen(tree, timeseries_path)
            traces, rate, segment = open_series(
                tree, series, samples_for_rate_estimation, keeps_times=load_time_vector
            )
            super().__init__(rate, np.arange(traces.shape[1]), traces.dtype)
            self.add_recording_segment(segment)
            self._set_scale(tree, series)
        self.timeseries_path = series
        self._kwargs = {
            **place.kwargs(),
            "timeseries_path": series,
            "load_time_vector": load_time_vector,
            "samples_for_rate_estimation": samples_for_rate_estimation,
        }

    def _set_scale(self, tree: "NwbTree", series: str) -> None:
        gain, offset = scale_of(tree, series)
        unit = str(tree.attributes(f"{series}/data").get("unit", ""))
        if unit in {"volts", "volt", "V"}:
            self.set_channel_gains(gain * 1e6)
            self.set_channel_offsets(offset * 1e6)
        set_physical_units(self, unit, gain, offset)

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Any,  # noqa: ARG003 - a protocol
    ) -> dict[str, Any]:
        return {key: value for key, value in old_kwargs.items() if key not in {"file", "use_pynwb"}}

    @staticmethod
    def fetch_available_timeseries_paths(
        file_path: str | Path, storage_options: dict[str, Any] | None = None
    ) -> list[str]:
        """Return the paths of the series of a file that are of the type ``TimeSeries``."""
        from spikeloom.extractors.nwb_files import open_nwb  # noqa: PLC0415 - imports h5py

        with open_nwb(file_path, storage_options) as tree:
            return tree.of_type("TimeSeries")


def read_nwb_timeseries(
    file_path: str | Path,
    timeseries_path: str | None = None,
    load_time_vector: bool = False,
    samples_for_rate_estimation: int = 1000,
    stream_mode: str | None = None,
    stream_cache_path: str | Path | None = None,
    *,
    cache: bool = False,
    storage_options: dict[str, Any] | None = None,
) -> NwbTimeSeriesExtractor:
    """Open a time series of an NWB file; see `NwbTimeSeriesExtractor`."""
    return NwbTimeSeriesExtractor(
        file_path,
        timeseries_path,
        load_time_vector,
        samples_for_rate_estimation,
        stream_mode,
        stream_cache_path,
        cache=cache,
        storage_options=storage_options,
    )


def _chosen(tree: "NwbTree", wanted: str | None) -> str:
    """Return the path of the series that was asked for, or of the only one."""
    path = "" if wanted is None else wanted.strip("/")
    if path and tree.shape(f"{path}/data") is not None:
        return path
    found = tree.of_type("TimeSeries")
    if wanted is None and len(found) == 1:
        return found[0]
    listed = ", ".join(repr(one) for one in found[:_N_LISTED_MAX]) or "none"
    asked = "" if wanted is None else f" {wanted!r}"
    msg = (
        f"{tree.where} has {'several' if wanted is None and found else 'no'} time series{asked}: "
        f"choose one with timeseries_path. There are {listed}."
    )
    raise ParameterError(msg)


def _recognise(peek: Peek) -> Recognition:
    # Who does not ask for them wants traces, or units.
    return recognise_nwb(
        peek, lambda tree: tree.of_type("TimeSeries"), "time series of that type", Certainty.LAYOUT
    )


READERS = (
    Reader(
        name="nwb_timeseries",
        kind="recording",
        recognise=_recognise,
        read=read_nwb_timeseries,
        function="read_nwb_timeseries",
        extensions=(".nwb", ".nwb.zarr"),
        description="any time series of Neurodata Without Borders",
    ),
)
"""Readers of this module."""
