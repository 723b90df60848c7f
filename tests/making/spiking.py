"""Recordings in which units fire with known waveforms, and analyzers of them."""

from dataclasses import dataclass

import numpy as np

from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.sparsity_masks import radius_mask

FS = 20000.0


@dataclass(frozen=True)
class Spiking:
    """What recording, sorting and analyzer are made of, as plain arrays."""

    traces: list
    """Of each segment, (n_samples, n_channels)."""
    trains: list
    """Of each segment, samples by unit id."""
    locations: np.ndarray
    main_channels: np.ndarray
    gains: np.ndarray
    offsets: np.ndarray

    @property
    def unit_ids(self):
        return list(self.trains[0])

    def recording(self):
        channel_ids = [f"ch{k}" for k in range(len(self.locations))]
        recording = NumpyRecording(self.traces, FS, channel_ids=channel_ids)
        recording.set_channel_gains(self.gains)
        recording.set_channel_offsets(self.offsets)
        recording.set_dummy_probe_from_locations(self.locations)
        return recording

    def sorting(self):
        sorting = NumpySorting.from_unit_dict(self.trains, FS)
        ids = np.array([f"ch{k}" for k in self.main_channels])
        sorting.set_property("main_channel_id", ids)
        return sorting

    def mask(self, radius_um=60.0):
        return radius_mask(self.main_channels, self.locations, radius_um)

    def analyzer(self, *, radius_um=60.0, return_in_uV=True):
        """Return an analyzer; dense for `radius_um` None."""
        recording, sorting = self.recording(), self.sorting()
        sparsity = None
        if radius_um is not None:
            mask = self.mask(radius_um)
            sparsity = ChannelSparsity(mask, sorting.unit_ids, recording.channel_ids)
        info = RecordingInfo.of(recording)
        return SortingAnalyzer(
            sorting, recording, info, sparsity=sparsity, return_in_uV=return_in_uV
        )


def spiking(
    n_samples=(16000, 7000),
    *,
    n_units=5,
    n_spikes=60,
    seed=0,
    unequal=False,
    at_borders=True,
    dtype="int16",
):
    """Return units that fire at random, so often in each segment, seldom in very short ones.

    Traces are in steps of half a microvolt.

    With `unequal`, channels differ in gain and offset, the traces in microvolts being much the
    same. With `at_borders`, some spikes are cut off by the ends of the segments. The last unit has
    no spikes.
    """
    rng = np.random.default_rng(seed)
    locations = np.array([[20.0 * (k % 2), 20.0 * (k // 2)] for k in range(12)])
    n_channels = len(locations)
    gains, offsets = rng.uniform(0.2, 0.8, n_channels), rng.uniform(-30, 30, n_channels)
    if not unequal:
        gains, offsets = np.full(n_channels, 0.5), np.zeros(n_channels)
    places = np.column_stack([rng.uniform(-5, 25, n_units), rng.uniform(0, 100, n_units)])
    times_ms = np.arange(-20, 40) / FS * 1000
    shapes = -np.exp(-(times_ms**2) / 0.02) + 0.4 * np.exp(-((times_ms - 0.5) ** 2) / 0.1)
    distances = np.hypot(np.linalg.norm(places[:, np.newaxis] - locations, axis=2), 15.0)
    heights = rng.uniform(1500, 3500, n_units)[:, np.newaxis] / distances
    templates = heights[:, np.newaxis] * shapes[:, np.newaxis]  # (n_units, 60, n_channels)
    traces, trains = [], []
    for n in n_samples:
        uV = rng.normal(0, 8, (n + 200, n_channels))
        of_units = {}
        for unit in range(n_units):
            low, high = (0, n) if at_borders else (100, n - 100)
            n_times = min(n_spikes, n // 20 + 1) if unit < n_units - 1 else 0
            times = np.sort(rng.integers(low, high, n_times))
            if at_borders and times.size:
                times[0], times[-1] = unit % 3, n - 1 - unit
            of_units[f"u{unit}"] = times
            for time in times.tolist():
                uV[time + 80 : time + 140] += rng.normal(1, 0.1) * templates[unit]
        uV = uV[100:-100]
        traces.append(np.round((uV - offsets) / gains).astype(dtype))
        trains.append(of_units)
    main_channels = np.argmin(distances, axis=1)
    return Spiking(traces, trains, locations, main_channels, gains, offsets)
