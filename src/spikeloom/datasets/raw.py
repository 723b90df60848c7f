"""Raw data without spikes, as an app opens them; see `spikeloom.datasets.dataset.Dataset`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.core.raw_traces import RawTraces
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.spike_groups import SpikeGroups, group_spikes
from spikeloom.errors import DataError
from spikeloom.extractors.cluster_tables import Labels
from spikeloom.extractors.lazy_rows import LazyRows
from spikeloom.extractors.trace_files import TraceFilesRecording, TraceStretch, read_traces

NO_SPIKES = "These are raw data without spikes."
"""What is said wherever spikes would be."""

N_SAMPLES_WAVEFORMS = 82
"""Length of a waveform, of which there are none."""

_ROW_UM = 20.0


class _SegmentRows(LazyRows):
    """Samples of a segment, in steps of the file or, with `gains_uV`, in µV."""

    def __init__(
        self,
        segment: BaseRecordingSegment,
        n_channels: int,
        dtype: DTypeLike,
        gains_uV: NDArray[np.float32] | None,
    ) -> None:
        stored_as = dtype if gains_uV is None else np.float32
        super().__init__((segment.get_num_samples(), n_channels), stored_as)
        self._segment = segment
        self._gains_uV = gains_uV

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        if isinstance(rows, slice):
            values = self._segment.get_traces(rows.start, rows.stop)
        elif rows.size:
            low, high = int(rows.min()), int(rows.max()) + 1
            values = self._segment.get_traces(low, high)[rows - low]
        else:
            values = self._segment.get_traces(0, 0)
        return values if self._gains_uV is None else values * self._gains_uV


@dataclass(frozen=True)
class RawDataset:
    """A recording that nobody has sorted: traces, and no spikes in no clusters."""

    name: str
    """Names of the files."""
    folder: Path
    """Folder of the first file."""
    sampling_frequency: float
    """In Hz."""
    traces: RawTraces
    """The raw data."""
    stretches: tuple[TraceStretch, ...]
    """Stretches without interruption, in order: files, or segments of a file."""
    channel_positions: NDArray[np.float64]
    """In um; a column 20 um apart where no probe is known. Shape (n_channels, 2)."""
    channel_shanks: NDArray[np.int64]
    """Group of each channel."""
    channel_labels: tuple[str, ...]
    """Names of channels."""
    gain_uV: float | None
    """What one step stands for, in µV; None where no file tells it."""
    warnings: tuple[str, ...] = ()
    """What had to be assumed."""
    labels: Labels = field(default_factory=dict)
    notes: Mapping[str, str] = field(
        default_factory=lambda: dict.fromkeys(("templates", "features", "amplitudes"), NO_SPIKES)
    )
    n_samples_waveforms: int = N_SAMPLES_WAVEFORMS
    spike_clusters_fingerprint: str = ""
    amplitudes: None = None
    waveform_pool: None = None
    templates: None = None
    listed_channels: None = None
    template_similarity: None = None
    features: None = None

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return self.traces.n_samples / self.sampling_frequency

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.traces.n_channels

    @property
    def n_spikes(self) -> int:
        """Number of spikes: none."""
        return 0

    @cached_property
    def spike_samples(self) -> NDArray[np.int64]:
        """No spikes; shape (0,)."""
        return np.zeros(0, np.int64)

    @cached_property
    def spike_clusters(self) -> NDArray[np.int32]:
        """No spikes; shape (0,)."""
        return np.zeros(0, np.int32)

    @cached_property
    def spike_templates(self) -> NDArray[np.int32]:
        """No spikes; shape (0,)."""
        return np.zeros(0, np.int32)

    @cached_property
    def spike_groups(self) -> SpikeGroups:
        """No spikes in no clusters."""
        return group_spikes(self.spike_clusters)


def open_raw_dataset(paths: Sequence[Path], **options: Any) -> RawDataset:  # noqa: ANN401 - see below
    """Open files of raw data as a dataset without spikes.

    Parameters
    ----------
    paths : sequence of Path
        Files in the order of time.
    **options
        As for `spikeloom.read_traces`.

    Raises
    ------
    SpikeloomError
        If the files cannot be read or do not go together.
    """
    recording = read_traces(paths, **options)
    names = [path.name for path in paths]
    shown = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)} files)"
    return as_raw_dataset(recording, shown, Path(paths[0]).absolute().parent)


def as_raw_dataset(recording: TraceFilesRecording, name: str, folder: Path) -> RawDataset:
    """Return a recording of files as a dataset without spikes.

    Raises
    ------
    DataError
        If it has no samples.
    """
    stretches = tuple(one for one in recording.stretches if one.n_samples)
    if not stretches:
        msg = f"{name} has no samples."
        raise DataError(msg)
    gain_uV, gains_uV = _gains(recording)
    n_channels = recording.get_num_channels()
    segments = [segment for one in recording.recording_list for segment in one.segments]
    pieces = [
        _SegmentRows(segment, n_channels, recording.get_dtype(), gains_uV)
        for segment in segments
        if segment.get_num_samples()
    ]
    traces = RawTraces(
        cast("tuple[NDArray[Any], ...]", tuple(pieces)),  # they are read like arrays
        np.arange(n_channels),
        recording.sampling_frequency,
        tuple(one.label for one in stretches),
    )
    return RawDataset(
        name=name,
        folder=folder,
        sampling_frequency=recording.sampling_frequency,
        traces=traces,
        stretches=stretches,
        channel_positions=_positions(recording),
        channel_shanks=_groups(recording),
        channel_labels=tuple(map(str, recording.channel_ids)),
        gain_uV=gain_uV,
        warnings=recording.notes,
    )


def _gains(recording: BaseRecording) -> tuple[float | None, NDArray[np.float32] | None]:
    """Return the gain of all channels, or else 1 and the gain of each."""
    given = recording.get_property("gain_to_uV")
    if given is None or not len(given):
        return None, None
    gains = np.asarray(given, np.float32)
    if not np.isfinite(gains).all():
        return None, None
    if np.all(gains == gains[0]) and gains[0] > 0:
        return float(given[0]), None
    return 1.0, gains


def _positions(recording: BaseRecording) -> NDArray[np.float64]:
    n_channels = recording.get_num_channels()
    column = np.column_stack([np.zeros(n_channels), _ROW_UM * np.arange(n_channels)])
    given = recording.get_property("location")
    if given is None:
        return column
    places = np.asarray(given, np.float64)[:, :2]
    return places if np.isfinite(places).all() else column


def _groups(recording: BaseRecording) -> NDArray[np.int64]:
    groups = recording.get_property("group")
    n_channels = recording.get_num_channels()
    if groups is None or np.asarray(groups).dtype.kind not in "iu":
        return np.zeros(n_channels, np.int64)
    return np.asarray(groups, np.int64)
