"""Spikes outside of the recording: found, and left out."""

from typing import Any

import numpy as np

from spikeloom.core.class_names import stored_as
from spikeloom.core.matching import as_recording
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.sorting_matching import as_sorting
from spikeloom.core.spike_vector import SpikeTable, offsets_of, read_only
from spikeloom.errors import ParameterError


@stored_as("spikeinterface.curation.remove_excess_spikes.RemoveExcessSpikesSorting")
class RemoveExcessSpikesSorting(BaseSorting):
    """A sorting without the spikes that lie before the start or behind the end of a recording.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    recording : BaseRecording
        Says how long each segment is.

    Raises
    ------
    ParameterError
        If they differ in the number of segments.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> recording = NumpyRecording([np.zeros((25, 1))], 30000.0)
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30]}, 30000.0)
    >>> RemoveExcessSpikesSorting(sorting, recording).get_unit_spike_train("a")
    array([10])
    """

    def __init__(self, sorting: BaseSorting, recording: BaseRecording) -> None:
        parent = as_sorting(sorting)
        _check_segments(parent, as_recording(recording))
        super().__init__(parent.sampling_frequency, parent.unit_ids)
        for k in range(parent.get_num_segments()):
            self.add_sorting_segment(TableSortingSegment(self, k, None))
        parent.copy_metadata(self)
        parent.copy_time_info(self)
        self._parent = parent
        self._num_samples = [recording.get_num_samples(k) for k in range(len(self._segments))]
        self._kwargs = {"sorting": parent, "recording": recording}

    def _make_spike_table(self) -> SpikeTable:
        table: SpikeTable = self._kwargs["sorting"].spike_table()
        kept = [table.window(k, 0, n_samples) for k, n_samples in enumerate(self._num_samples)]
        offsets = offsets_of([spikes.stop - spikes.start for spikes in kept])
        if offsets[-1] == table.n_spikes:
            return table
        samples = np.concatenate([table.sample_index[spikes] for spikes in kept])
        units = np.concatenate([table.unit_index[spikes] for spikes in kept])
        return SpikeTable(read_only(samples), read_only(units), read_only(offsets))


def remove_excess_spikes(sorting: BaseSorting, recording: BaseRecording | None = None) -> Any:
    """Leave out the spikes that lie outside of a recording.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    recording : BaseRecording, optional
        The recording; by default the one that is registered.

    Returns
    -------
    RemoveExcessSpikesSorting
        Or `sorting` itself, if it has no such spikes.

    Raises
    ------
    ParameterError
        If there is no recording, or if it has another number of segments.
    """
    known = as_sorting(sorting)._registered() if recording is None else recording
    if has_exceeding_spikes(sorting, known):
        return RemoveExcessSpikesSorting(sorting, known)
    return sorting


def has_exceeding_spikes(sorting: Any, recording: Any) -> bool:
    """Tell whether a sorting has spikes before the start or behind the end of a recording.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    recording : BaseRecording
        The recording. The two may be given in either order, for that changed over the years.

    Raises
    ------
    ParameterError
        If they differ in the number of segments.
    """
    if isinstance(sorting, BaseRecording):
        sorting, recording = recording, sorting
    _check_segments(as_sorting(sorting), as_recording(recording))
    return bool(sorting._has_spikes_outside(recording))


def _check_segments(sorting: BaseSorting, recording: BaseRecording) -> None:
    ours, theirs = sorting.get_num_segments(), recording.get_num_segments()
    if ours != theirs:
        msg = f"The recording has {theirs} segments, the sorting {ours}: it must be the same."
        raise ParameterError(msg)
