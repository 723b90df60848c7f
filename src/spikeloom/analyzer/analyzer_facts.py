"""What an analyzer tells of its recording and its sorting."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    from probeinterface import Probe, ProbeGroup


class AnalyzerFacts:
    """What an analyzer tells of its recording, whether that is at hand or not, and of its sorting.

    Parameters
    ----------
    sorting : BaseSorting
        The spikes.
    recording_info : RecordingInfo
        What is known of the recording.
    """

    def __init__(self, sorting: BaseSorting, recording_info: RecordingInfo) -> None:
        self.sorting = sorting
        self.recording_info = recording_info

    @property
    def channel_ids(self) -> NDArray[Any]:
        """Ids of the channels; shape (n_channels,)."""
        return self.recording_info.channel_ids

    @property
    def unit_ids(self) -> NDArray[Any]:
        """Ids of the units; shape (n_units,)."""
        return self.sorting.unit_ids

    @property
    def sampling_frequency(self) -> float:
        """Samples per second, in Hz."""
        return self.sorting.sampling_frequency

    def get_sampling_frequency(self) -> float:
        """Return the samples per second, in Hz."""
        return self.sampling_frequency

    def get_num_channels(self) -> int:
        """Return the number of channels."""
        return len(self.channel_ids)

    def get_num_units(self) -> int:
        """Return the number of units."""
        return self.sorting.get_num_units()

    def get_num_segments(self) -> int:
        """Return the number of segments."""
        return self.sorting.get_num_segments()

    def get_num_samples(self, segment_index: int | None = None) -> int:
        """Return the samples of a segment."""
        if segment_index is None and len(self.recording_info.n_samples) != 1:
            msg = "Multi-segment object. Provide 'segment_index'."
            raise ParameterError(msg)
        return int(self.recording_info.n_samples[segment_index or 0])

    def get_total_samples(self) -> int:
        """Return the samples of all segments."""
        return int(sum(self.recording_info.n_samples))

    def get_total_duration(self) -> float:
        """Return how long all segments are together, in seconds."""
        return self.get_total_samples() / self.sampling_frequency

    def get_dtype(self) -> np.dtype[Any]:
        """Return the number type of the recording."""
        return np.dtype(self.recording_info.dtype)

    def get_probegroup(self) -> "ProbeGroup":
        """Return the probes of the recording."""
        if self.recording_info.probegroup is None:
            self.recording_info.get_channel_locations()  # which says that there is none
        return self.recording_info.probegroup

    def get_probe(self) -> "Probe":
        """Return the only probe; raises ParameterError if there are several."""
        found = self.get_probegroup().probes
        if len(found) != 1:
            msg = f"There are {len(found)} probes: use get_probegroup()."
            raise ParameterError(msg)
        return found[0]

    def get_channel_locations(self) -> NDArray[np.float64]:
        """Return the positions of the channels in micrometres, shape (n_channels, 2)."""
        return self.recording_info.get_channel_locations()

    def channel_ids_to_indices(self, channel_ids: Iterable[Any]) -> NDArray[np.int64]:
        """Return the positions of channels."""
        return self.recording_info.indices_of(channel_ids)

    @property
    def rec_attributes(self) -> dict[str, Any]:
        """What is known of the recording, as a dictionary."""
        return {**self.recording_info.to_dict(), "probegroup": self.recording_info.probegroup}

    def get_recording_property(
        self, key: str, ids: Iterable[Any] | None = None
    ) -> NDArray[Any] | None:
        """Return a property of the channels; None if there is none of this name."""
        values = self.recording_info.properties.get(key)
        if values is None or ids is None:
            return values
        return values[self.channel_ids_to_indices(ids)]

    def get_sorting_property(
        self, key: str, ids: Iterable[Any] | None = None
    ) -> NDArray[Any] | None:
        """Return a property of the units; None if there is none of this name."""
        return self.sorting.get_property(key, ids=ids)

    def get_recording_property_keys(self) -> list[str]:
        """Return the names of the properties of the channels."""
        return list(self.recording_info.properties)

    def get_sorting_property_keys(self) -> list[str]:
        """Return the names of the properties of the units."""
        return self.sorting.get_property_keys()

    def is_filtered(self) -> bool:
        """Return whether the recording was filtered."""
        return self.recording_info.is_filtered

    def is_aggregated(self) -> bool:
        """Return whether it was made of several recordings or sortings."""
        return self.sorting.get_property("aggregation_key") is not None
