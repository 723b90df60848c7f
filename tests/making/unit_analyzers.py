"""Analyzers of a few units on a small probe, with waveforms and templates put in by hand."""

import numpy as np

from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.extension import get_extension_class
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sparsity import ChannelSparsity

FS = 20_000.0
N_SAMPLES = (40_000, 20_000)
N_CHANNELS = 12
BEFORE, AFTER = 16, 24
LOCATIONS = np.array([[20.0 * (k % 2), 15.0 * k] for k in range(N_CHANNELS)])
SOURCES = np.array([
    [4.0, 20.0, 15.0],
    [15.0, 55.0, 25.0],
    [12.0, 64.0, 12.0],
    [8.0, 110.0, 30.0],
    [10.0, 140.0, 20.0],
])
UNIT_IDS = ["a", "b", "c", "d", "e"]
GAIN_uV = 0.5


def shapes():
    """Return the waveform of each unit, peak at BEFORE; the last one is positive."""
    times = np.arange(-BEFORE, AFTER)
    widths = [2.0, 3.0, 2.5, 4.0, 3.0]
    waves = [
        -np.exp(-(times**2) / (2 * w**2)) + 0.35 * np.exp(-((times - 9) ** 2) / (2 * (2 * w) ** 2))
        for w in widths
    ]
    waves[-1] = -waves[-1]
    return np.array(waves)


def unit_templates():
    """Return templates in uV, (n_units, n_samples, n_channels)."""
    planes = np.c_[LOCATIONS, np.zeros(N_CHANNELS)]
    distances = np.linalg.norm(planes[np.newaxis] - SOURCES[:, np.newaxis], axis=2)
    return shapes()[:, :, np.newaxis] * (3000 / distances)[:, np.newaxis]


def mask_of(templates):
    """Return channels (n_units, n_channels) where templates are large."""
    return np.ptp(templates, axis=1) > 45.0


def make_trains(rates=(40.0, 25.0, 60.0, 12.0, 20.0), seed=3):
    """Return trains by segment and unit, in which units follow each other, with equal samples."""
    rng = np.random.default_rng(seed)
    segments = []
    for n in N_SAMPLES:
        units = {}
        for unit_id, rate in zip(UNIT_IDS, rates, strict=True):
            n_spikes = int(rate * n / FS)
            units[unit_id] = np.sort(rng.choice(n - 200, n_spikes, replace=False)) + 100
        followers = units["a"][::3] + rng.integers(0, 40, len(units["a"][::3]))
        units["b"] = np.unique(np.concatenate([units["b"], followers]))
        segments.append(units)
    return segments


def make_traces(trains, seed=5):
    """Return raw traces, int16, by segment."""
    rng = np.random.default_rng(seed)
    templates = unit_templates() / GAIN_uV
    traces = []
    for n, units in zip(N_SAMPLES, trains, strict=True):
        segment = rng.normal(0, 12, (n, N_CHANNELS))
        for template, train in zip(templates, units.values(), strict=True):
            for sample in train:
                segment[sample - BEFORE : sample + AFTER] += template * rng.normal(1, 0.1)
        traces.append(np.round(segment).astype(np.int16))
    return traces


def make_recording(traces):
    """Return the recording, with gains and a probe."""
    recording = NumpyRecording(traces, FS, channel_ids=[f"c{k}" for k in range(N_CHANNELS)])
    recording.set_channel_gains(GAIN_uV)
    recording.set_channel_offsets(0.0)
    recording.set_dummy_probe_from_locations(LOCATIONS)
    return recording


def cut(traces, spikes, mask=None, units=None):
    """Return windows in uV around spikes, on the channels of the unit if there is a mask."""
    n_columns = N_CHANNELS if mask is None else int(mask.sum(axis=1).max())
    windows = np.zeros((len(spikes), BEFORE + AFTER, n_columns), np.float32)
    for row, (sample, unit, segment) in enumerate(spikes.tolist()):
        full = traces[segment][sample - BEFORE : sample + AFTER] * GAIN_uV
        kept = full if mask is None else full[:, mask[unit]]
        windows[row, :, : kept.shape[1]] = kept
    return windows


def put(analyzer, name, params, **data):
    """Give an analyzer an extension that is computed already."""
    extension = get_extension_class(name)(analyzer)
    extension.params, extension.data = params, data
    extension.run_info = {"run_completed": True, "runtime_s": 0.0}
    analyzer.extensions[name] = extension


def make_analyzer(*, sparse, trains=None, traces=None, n_chosen=40, unit_ids=None):
    """Return an analyzer with chosen spikes, waveforms and templates."""
    trains = make_trains() if trains is None else trains
    traces = make_traces(trains) if traces is None else traces
    sorting = NumpySorting.from_unit_dict(trains, FS)
    templates = unit_templates()
    if unit_ids is not None:
        kept = [UNIT_IDS.index(unit_id) for unit_id in unit_ids]
        sorting = NumpySorting.from_sorting(sorting.select_units(list(unit_ids)))
        templates = templates[kept]
    recording = make_recording(traces)
    sparsity = None
    if sparse:
        sparsity = ChannelSparsity(mask_of(templates), sorting.unit_ids, recording.channel_ids)
    analyzer = create_sorting_analyzer(
        sorting,
        recording,
        sparse=sparse,
        sparsity=sparsity,
        main_channel_indices=np.abs(templates).max(axis=1).argmax(axis=1),
        progress_bar=False,
    )
    give_waveforms(analyzer, traces, n_chosen)
    return analyzer


def give_waveforms(analyzer, traces, n_chosen=40):
    """Choose the first spikes of each unit; cut waveforms, and average them."""
    spikes = analyzer.sorting.to_spike_vector()
    unit_indices = range(analyzer.get_num_units())
    rows = [np.flatnonzero(spikes["unit_index"] == unit)[:n_chosen] for unit in unit_indices]
    chosen = np.sort(np.concatenate(rows)) if rows else np.zeros(0, np.int64)
    mask = None if analyzer.sparsity is None else analyzer.sparsity.mask
    ms = {"ms_before": 1e3 * BEFORE / FS, "ms_after": 1e3 * AFTER / FS}
    put(
        analyzer,
        "random_spikes",
        {"method": "uniform", "max_spikes_per_unit": n_chosen, "margin_size": None, "seed": None},
        random_spikes_indices=chosen,
    )
    waveforms = cut(traces, spikes[chosen], mask)
    put(analyzer, "waveforms", {**ms, "dtype": "<f4"}, waveforms=waveforms)
    average = np.zeros((analyzer.get_num_units(), BEFORE + AFTER, N_CHANNELS))
    units = spikes["unit_index"][chosen]
    for unit in np.unique(units):
        channels = slice(None) if mask is None else mask[unit]
        n = N_CHANNELS if mask is None else int(mask[unit].sum())
        average[unit][:, channels] = waveforms[units == unit, :, :n].mean(axis=0, dtype=float)
    put(analyzer, "templates", {**ms, "operators": ["average"]}, average=average)
