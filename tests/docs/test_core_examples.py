"""The documented examples of the core module run as they are printed, in the order of the document.

What they speak of without making it is supplied, and what the text around them says is checked.
What a call lacks by itself has a stand-in that is named.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import spikeloom as si
from making.annex_repositories import commit, git, new_repository
from making.printed import run_printed
from making.recording_files import random_traces, write_spikeglx
from spikeloom.errors import ParameterError

RATE = 30_000.0

RECORDING = """
channel_ids = recording.channel_ids
num_channels = recording.get_num_channels()
sampling_frequency = recording.sampling_frequency

# get number of samples/duration
num_samples_segment = recording.get_num_samples(segment_index=0)
### NOTE ###
# 'segment_index' is required for multi-segment objects
num_total_samples = recording.get_total_samples()
total_duration = recording.get_total_duration()

# retrieve raw traces between frames 100 and 200
traces = recording.get_traces(start_frame=100, end_frame=200, segment_index=0)
# retrieve raw traces only for the first 4 channels
traces_slice = recording.get_traces(start_frame=100, end_frame=200, segment_index=0,
                                    channel_ids=channel_ids[:4])
# retrieve traces after scaling to uV
# (requires 'gain_to_uV' and 'offset_to_uV' properties)
traces_uV = recording.get_traces(start_frame=100, end_frame=200, segment_index=0,
                                 return_scaled=True)
# set/get a new channel property (e.g. "quality")
recording.set_property(key="quality", values=["good"] * num_channels)
quality_values = recording.get_property("quality")
# get all available properties
property_keys = recording.get_property_keys()

# set/get an annotation
recording.annotate(date="Recording acquired today")
recording.get_annotation(key="date")

# get new recording with the first 10s of the traces
recording_slice_frames = recording.frame_slice(start_frame=0,
                                               end_frame=int(10*sampling_frequency))
# get new recording with the first 4 channels
recording_slice_chans = recording.channel_slice(channel_ids=channel_ids[:4])
# remove last two channels
recording_rm_chans = recording.remove_channels(channel_ids=channel_ids[-2:])

# set channel grouping (assume we have 4 groups of 4 channels, e.g. tetrodes)
groups = [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
recording.set_channel_groups(groups)
# split by property
recording_by_group = recording.split_by("group")
# 'recording_by_group' is a dict with group as keys (0,1,2,3) and channel
# sliced recordings as values

# set times (for synchronization) - assume our times start at 300 seconds
timestamps = np.arange(num_samples) / sampling_frequency + 300
recording.set_times(times=timestamps, segment_index=0)
"""

SORTING = """
unit_ids = sorting.unit_ids
num_channels = sorting.get_num_units()
sampling_frequency = sorting.sampling_frequency

# retrieve spike trains for a unit (returned as sample indices)
unit0 = unit_ids[0]
spike_train = sorting.get_unit_spike_train(unit_id=unit0, segment_index=0)
# retrieve spikes between frames 100 and 200
spike_train_slice = sorting.get_unit_spike_train(unit_id=unit0,
                                                 start_frame=100, end_frame=200,
                                                 segment_index=0)
### NOTE ###
# 'segment_index' is required for multi-segment objects

# set/get a new unit property (e.g. "quality")
sorting.set_property(key="quality", values=["good"] * num_units)
quality_values = sorting.get_property("quality")
# get all available properties
property_keys = sorting.get_property_keys()

# set/get an annotation
sorting.annotate(date="Spike sorted today")
sorting.get_annotation(key="date")

# get new sorting within the first 10s of the spike trains
sorting_slice_frames = sorting.frame_slice(start_frame=0,
                                           end_frame=int(10*sampling_frequency))
# get new sorting with only the first 4 units
sorting_select_units = sorting.select_units(unit_ids=unit_ids[:4])

# register 'recording' from the previous example and get the spike trains in seconds
sorting.register_recording(recording=recording)
spike_train_s = sorting.get_unit_spike_train(unit_id=unit0, segment_index=0,
                                             return_times=True)
### NOTE ###
# When running spike sorting in SpikeInterface, the recording is  automatically registered. If
# times are not set, the samples are divided by the sampling frequency
"""

EVENT = """
channel_ids = event.channel_ids
num_channels = event.get_num_channels()
# get structured dtype for the first channel
event_dtype = event.get_dtype(channel_ids[0])
print(event_dtype)
# >>> dtype([('time', '<f8'), ('duration', '<f8'), ('label', '<U100')])

# retrieve events (with structured dtype)
events = event.get_events(channel_id=channel_ids[0], segment_index=0)
# retrieve event times
event_times = event.get_event_times(channel_id=channel_ids[0], segment_index=0)
### NOTE ###
# 'segment_index' is required for multi-segment objects
"""

SNIPPETS = """
channel_ids = snippets.channel_ids
num_channels = snippets.get_num_channels()
# retrieve number of snippets
num_snippets = snippets.get_num_snippets(segment_index=0)
### NOTE ###
# 'segment_index' is required for multi-segment objects
# retrieve total number of snippets across segments
total_snippets = snippets.get_total_snippets()

# retrieve snippet size
nbefore = snippets.nbefore # samples before peak
nsamples_per_snippet = snippets.snippet_len # total
nafter = nsamples_per_snippet - nbefore # samples after peak

# retrieve sample/frame indices
frames = snippets.get_frames(segment_index=0)
# retrieve snippet cutouts
snippet_cutouts = snippets.get_snippets(segment_index=0)
# retrieve snippet cutouts on first 4 channels
snippet_cutouts_slice = snippets.get_snippets(channel_ids=channel_ids[:4],
                                              segment_index=0)
"""

PROBE = """
import probeinterface as pi

# download probe
probe = pi.get_probe(manufacturer='cambridgeneurotech', probe_name='ASSY-156-P-1')
# add wiring
probe.wiring_to_device('ASSY-156>RHD2164')

# set probe
recording_w_probe = recording.set_probe(probe)
# set probe with group info and return a new recording object
recording_w_probe = recording.set_probe(probe, group_mode="by_shank")
# set probe in place, ie, modify the current recording
recording.set_probe(probe, group_mode="by_shank", in_place=True)

# retrieve probe
probe_from_recording = recording.get_probe()
# retrieve channel locations
locations = recording.get_channel_locations()
# equivalent to recording.get_property("location")
"""

SAVE = """
# n_jobs is related to the number of processors you want to use
# n_jobs=-1 indicates to use all available
job_kwargs = dict(n_jobs=8, chunk_duration="1s")
# save recording to folder in binary (default) format
recording_bin = recording.save(folder="recording", **job_kwargs)
# save recording to folder in zarr format (.zarr is appended automatically)
recording_zarr = recording.save(folder="recording", format="zarr", **job_kwargs)
# save snippets to NPZ
snippets_saved = snippets.save(folder="snippets")
# save sorting to NPZ
sorting_saved = sorting.save(folder="sorting")
"""

SAVE_COMPRESSED = """
from numcodecs import LZMA, Delta

compressor = LZMA()
filters = [Delta(dtype="int16")]

recording_custom_comp = recording.save(folder="recording", format="zarr",
                                       compressor=compressor, filters=filters,
                                       **job_kwargs)
"""

JOB_KWARGS = """
global_job_kwargs = dict(n_jobs=16, chunk_duration="5s", progress_bar=False)
set_global_job_kwargs(**global_job_kwargs)
print(get_global_job_kwargs())
# >>> {'n_jobs': 16, 'chunk_duration': '5s', 'progress_bar': False}
"""

IN_MEMORY = """
import numpy as np

# in-memory recording
sampling_frequency = 30_000.
duration = 10.
num_samples = int(duration * sampling_frequency)
num_channels = 16
random_traces = np.random.randn(num_samples, num_channels)

recording_memory = NumpyRecording(traces_list=[random_traces])
# with more elements in `traces_list` we can make multi-segment objects

# in-memory sorting
num_units = 10
num_spikes_unit = 1000
spike_trains = []
labels = []
for i in range(num_units):
    spike_trains_i = np.random.randint(low=0, high=num_samples, size=num_spikes_unit)
    labels_i = [i] * num_spikes_unit
    spike_trains += spike_trains_i
    labels += labels_i

sorting_memory = NumpySorting.from_times_labels(times=spike_trains, labels=labels,
                                                sampling_frequency=sampling_frequency)
"""

IN_MEMORY_SORTINGS = """
# turn any sortinto into NumpySorting
sorting_np = sorting.to_numpy_sorting()

# or to SharedMemorySorting for parallel computing
sorting_shm = sorting.to_shared_memory_sorting()
"""

SLICE = """
# here we load a very long recording and sorting
recording = read_spikeglx(folder_path='np_folder')
sorting =read_kilosort(folder_path='ks_folder')

# keep one channel of every tenth channel
keep_ids = recording.channel_ids[::10]
sub_recording = recording.channel_slice(channel_ids=keep_ids)

# keep between 5min and 12min
fs = recording.sampling_frequency
sub_recording = recording.frame_slice(start_frame=int(fs * 60 * 5), end_frame=int(fs * 60 * 12))
sub_sorting = sorting.frame_slice(start_frame=int(fs * 60 * 5), end_frame=int(fs * 60 * 12))

# keep only the first 4 units
sub_sorting = sorting.select_units(unit_ids=sorting.unit_ids[:4])
"""

AGGREGATE_CHANNELS = """
recA_4_chans = read_binary('fileA.raw')
recB_4_chans = read_binary('fileB.raw')
rec_8_chans = aggregate_channels([recA_4_chans, recB_4_chans])
"""

AGGREGATE_UNITS = """
sortingA = read_npz_sorting('sortingA.npz')
sortingB = read_npz_sorting('sortingB.npz')
sorting_20_units = aggregate_units([sortingA, sortingB])
"""

SEGMENTS = """
# recording2: recording with 2 segments
# recording3: recording with 3 segments

# `append_recordings` will append all segments of multiple recordings
recording5 = append_recordings([recording2, recording3])
# `recording5` will have 5 segments

# `concatenate_recordings` will make a mono-segment recording by virtual concatenation
recording_mono = concatenate_recordings([recording2, recording5])

# `split_recording` will return a list of mono-segment recordings out of a multi-segment one
recording_mono_list = split_recording(recording5)
# `recording_mono_list` will have 5 elements with 1 segment

# `select_segment_recording` will return a user-defined subset of segments
recording_select1 = select_segment_recording(recording5, segment_indices=3)
# `recording_select1` will have 1 segment (the 4th one)
recording_select2 = select_segment_recording(recording5, segment_indices=[0, 4])
# `recording_select2` will have 2 segments (the 1st and last one)
"""

TOYS = """
# recording with 2 segments and 4 channels
recording = generate_recording(num_channels=4, sampling_frequency=30000.,
                               durations=[10.325, 3.5], set_probe=True)

# sorting with 2 segments and 5 units
sorting = generate_sorting(num_units=5, sampling_frequency=30000., durations=[10.325, 3.5],
                           firing_rate=15, refractory_period=1.5)

# snippets of 60 samples on 2 channels from 5 units
snippets = generate_snippets(nbefore=20, nafter=40, num_channels=2,
                             sampling_frequency=30000., durations=[10.325, 3.5],
                             set_probe=True,  num_units=5)
"""

DOWNLOAD = """
# Spike" format
local_file_path = download_dataset(remote_path='spike2/130322-1LY.smr')
rec = read_spike2(local_file_path)

# MEArec format
local_file_path = download_dataset(remote_path='mearec/mearec_test_10s.h5')
rec, sorting = read_mearec(local_file_path)

# SpikeGLX format
local_folder_path = download_dataset(remote_path='/spikeglx/multi_trigger_multi_gate')
rec = read_spikeglx(local_folder_path)
"""


@pytest.fixture(autouse=True)
def own_folder_and_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    si.reset_global_job_kwargs()


def a_recording(n_channels=16, durations_s=(12.0,)):
    rng = np.random.default_rng(0)
    shapes = [(int(duration_s * RATE), n_channels) for duration_s in durations_s]
    traces = [rng.integers(-99, 99, shape, np.int16) for shape in shapes]
    recording = si.NumpyRecording(traces, RATE)
    recording.set_channel_gains(0.5)
    recording.set_channel_offsets(1.0)
    return recording


def a_sorting(n_segments=1, n_units=10):
    rng = np.random.default_rng(1)
    samples = [np.sort(rng.integers(0, int(12 * RATE), 3000)) for _ in range(n_segments)]
    labels = [rng.integers(0, n_units, 3000) for _ in range(n_segments)]
    return si.NumpySorting.from_samples_and_labels(samples, labels, RATE)


def some_snippets():
    return si.NumpySnippets([np.ones((5, 60, 16))], [np.arange(5) * 99], RATE, nbefore=20)


# -- Recording -------------------------------------------------------------------------------


def test_recording():
    recording = a_recording()
    raw = recording.get_traces(start_frame=100, end_frame=200)
    done = run_printed(RECORDING, recording=recording, num_samples=recording.get_num_samples())
    assert (done.num_channels, done.num_samples_segment) == (16, 360_000)
    assert (done.num_total_samples, done.total_duration) == (360_000, 12.0)
    np.testing.assert_array_equal(done.traces, raw)
    np.testing.assert_array_equal(done.traces_slice, raw[:, :4])
    np.testing.assert_array_equal(done.traces_uV, raw * np.float32(0.5) + np.float32(1.0))
    assert done.quality_values.tolist() == ["good"] * 16
    assert {"quality", "gain_to_uV", "offset_to_uV"} <= set(done.property_keys)
    assert recording.get_annotation("date") == "Recording acquired today"
    assert done.recording_slice_frames.get_total_duration() == 10.0
    assert done.recording_slice_chans.channel_ids.tolist() == [0, 1, 2, 3]
    assert done.recording_rm_chans.channel_ids.tolist() == list(range(14))
    by_group = done.recording_by_group
    assert [(key, by_group[key].channel_ids.tolist()) for key in sorted(by_group)] == [
        (group, list(range(4 * group, 4 * group + 4))) for group in range(4)
    ]
    assert recording.get_times(segment_index=0)[0] == 300.0
    assert recording.ids_to_indices([3, 1]).tolist() == [3, 1]


def test_a_recording_needs_gains_for_microvolts():
    bare = si.NumpyRecording([np.zeros((200, 2), np.int16)], RATE)
    with pytest.raises(ValueError, match="gain"):
        bare.get_traces(start_frame=100, end_frame=200, segment_index=0, return_scaled=True)


def test_objects_of_several_segments_need_a_segment_index():
    recording, sorting = a_recording(durations_s=[0.1, 0.1]), a_sorting(n_segments=2)
    for ask in (
        recording.get_num_samples,
        recording.get_traces,
        partial(sorting.get_unit_spike_train, unit_id=0),
    ):
        with pytest.raises(ValueError, match="segment_index"):
            ask()


# -- Sorting ---------------------------------------------------------------------------------


def test_sorting():
    sorting = a_sorting()
    whole = sorting.get_unit_spike_train(0)
    done = run_printed(SORTING, sorting=sorting, recording=a_recording(), num_units=10)
    np.testing.assert_array_equal(done.spike_train, whole)
    np.testing.assert_array_equal(done.spike_train_slice, whole[(whole >= 100) & (whole < 200)])
    assert done.quality_values.tolist() == ["good"] * 10
    assert "quality" in done.property_keys
    assert sorting.get_annotation("date") == "Spike sorted today"
    early = done.sorting_slice_frames.get_unit_spike_train(0)
    np.testing.assert_array_equal(early, whole[whole < 10 * RATE])
    assert done.sorting_select_units.unit_ids.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(done.spike_train_s, whole / RATE)


def test_a_sorting_keeps_trains_by_unit_and_a_vector_of_spikes():
    sorting = a_sorting(n_segments=2)
    spikes = sorting.to_spike_vector()
    assert {"sample_index", "unit_index", "segment_index"} <= set(spikes.dtype.names)
    assert sorting.to_spike_vector() is spikes
    sorting.precompute_spike_trains()
    for segment_index in range(2):
        own = spikes[(spikes["unit_index"] == 3) & (spikes["segment_index"] == segment_index)]
        train = sorting.get_unit_spike_train(3, segment_index)
        np.testing.assert_array_equal(train, own["sample_index"])


# -- Event -----------------------------------------------------------------------------------


def test_event():
    dtype = [("time", "f8"), ("duration", "f8"), ("label", "U100")]
    pulses = np.array([(1.0, 0.1, "on"), (2.0, 0.1, "off")], dtype)
    done = run_printed(EVENT, event=si.NumpyEvent.from_dict({"trial": pulses, "reward": pulses}))
    assert done.num_channels == 2
    assert repr(done.event_dtype) == (
        "dtype([('time', '<f8'), ('duration', '<f8'), ('label', '<U100')])"
    )
    np.testing.assert_array_equal(done.events, pulses)
    assert done.event_times.tolist() == [1.0, 2.0]


def test_events_need_a_field_of_times():
    with pytest.raises((ValueError, AssertionError), match="time"):
        si.NumpyEvent.from_dict({"trial": np.zeros(2, [("label", "U9")])})


# -- Snippets --------------------------------------------------------------------------------


def test_snippets():
    done = run_printed(SNIPPETS, snippets=some_snippets())
    assert (done.num_channels, done.num_snippets, done.total_snippets) == (16, 5, 5)
    assert (done.nbefore, done.nsamples_per_snippet, done.nafter) == (20, 60, 40)
    assert done.frames.tolist() == [0, 99, 198, 297, 396]
    assert done.snippet_cutouts.shape == (5, 60, 16)
    assert done.snippet_cutouts_slice.shape == (5, 60, 4)


# -- Handling probes -------------------------------------------------------------------------


def test_handling_probes(monkeypatch):
    import probeinterface

    def get_probe(manufacturer, probe_name):  # the library of probes is on the net
        return probeinterface.generate_multi_shank(
            num_shank=4, num_columns=2, num_contact_per_column=8
        )

    monkeypatch.setattr(probeinterface, "get_probe", get_probe)
    recording = a_recording(64, durations_s=[0.1])
    done = run_printed(PROBE, recording=recording)
    for probed in (recording, done.recording_w_probe):
        assert probed.get_channel_locations().shape == (64, 2)
        assert np.unique(probed.get_channel_groups(), return_counts=True)[1].tolist() == [16] * 4
    assert done.probe_from_recording.get_contact_count() == 64
    np.testing.assert_array_equal(recording.get_property("location"), done.locations)
    contacts = recording.get_property("contact_vector")
    np.testing.assert_array_equal(np.column_stack([contacts["x"], contacts["y"]]), done.locations)
    few = recording.channel_slice(channel_ids=recording.channel_ids[::10])
    np.testing.assert_array_equal(few.get_channel_locations(), done.locations[::10])
    shanks = recording.split_by("group")
    assert sorted(shanks) == [0, 1, 2, 3]
    assert all(len(np.unique(shank.get_probe().shank_ids)) == 1 for shank in shanks.values())


# -- Saving, loading, and compression --------------------------------------------------------


def compression_of(store):
    found = [json.loads(path.read_text()) for path in Path(store).rglob("traces_seg0/.zarray")]
    return found[0]["compressor"], found[0]["filters"]


def test_saving_and_loading():
    recording, sorting, snippets = a_recording(durations_s=[2.5]), a_sorting(), some_snippets()
    recording.set_property("quality", ["good"] * 16)
    recording.annotate(date="Recording acquired today")
    done = run_printed(SAVE, recording=recording, sorting=sorting, snippets=snippets)
    assert Path("recording/traces_cached_seg0.raw").is_file()
    assert Path("recording/provenance.json").is_file() or Path("recording/si_folder.json").is_file()
    for saved, folder in (
        (done.recording_bin, "recording"),
        (done.recording_zarr, "recording.zarr"),
    ):
        for again in (saved, si.load_extractor(folder)):
            np.testing.assert_array_equal(again.get_traces(), recording.get_traces())
            assert again.get_property("quality").tolist() == ["good"] * 16
            assert again.get_annotation("date") == "Recording acquired today"
    for again in (done.sorting_saved, si.load_extractor("sorting")):
        np.testing.assert_array_equal(again.to_spike_vector(), sorting.to_spike_vector())
    for again in (done.snippets_saved, si.load_extractor("snippets")):
        np.testing.assert_array_equal(again.get_snippets(), snippets.get_snippets())
    compressor, _ = compression_of("recording.zarr")
    bit_shuffle = 2
    assert (compressor["id"], compressor["cname"]) == ("blosc", "zstd")
    assert compressor["shuffle"] == bit_shuffle


def test_an_object_is_made_again_of_its_dictionary():
    saved = a_recording(durations_s=[0.1]).save(folder="recording")
    part = saved.channel_slice(channel_ids=[3, 1]).frame_slice(start_frame=10, end_frame=90)
    again = si.load(part.to_dict())
    np.testing.assert_array_equal(again.get_traces(), part.get_traces())
    assert not a_recording(durations_s=[0.1]).check_serializability("json")


def test_saving_with_another_compressor():
    recording = a_recording(durations_s=[2.5])
    job_kwargs = {"n_jobs": 8, "chunk_duration": "1s"}
    done = run_printed(SAVE_COMPRESSED, recording=recording, job_kwargs=job_kwargs)
    compressor, filters = compression_of("recording.zarr")
    assert (compressor["id"], [one["id"] for one in filters]) == ("lzma", ["delta"])
    np.testing.assert_array_equal(done.recording_custom_comp.get_traces(), recording.get_traces())


# -- Parallel processing and job_kwargs ------------------------------------------------------


def test_global_job_kwargs(capsys):
    defaults = {"n_jobs": 1, "chunk_duration": "1s", "progress_bar": True}
    assert defaults.items() <= si.get_global_job_kwargs().items()
    run_printed(JOB_KWARGS)
    said = {"n_jobs": 16, "chunk_duration": "5s", "progress_bar": False}
    assert said.items() <= si.get_global_job_kwargs().items()
    printed = capsys.readouterr().out
    assert all(f"{key!r}: {value!r}" in printed for key, value in said.items())


@pytest.mark.parametrize(
    "job_kwargs",
    [
        {"chunk_size": 7_000},
        {"chunk_memory": "1M"},
        {"total_memory": "2M", "n_jobs": 2},
        {"chunk_duration": "500ms"},
        {"chunk_duration": 0.3},
        {"n_jobs": -1, "progress_bar": False},
        {"n_jobs": 0.5},
        {"n_jobs": 2, "mp_context": "spawn", "pool_engine": "process"},
    ],
    ids="-".join,
)
def test_all_job_kwargs_give_the_same(job_kwargs):
    # A file, as other processes have no part in the memory of this one.
    recording = a_recording(4, durations_s=[2.0]).save(folder="source")
    saved = recording.save(folder="recording", **job_kwargs)
    np.testing.assert_array_equal(saved.get_traces(), recording.get_traces())


def test_a_recording_is_worked_through_in_chunks():
    recording = a_recording(4, durations_s=[2.5])

    def start(recording):
        return {"recording": recording}

    def sums(segment_index, start_frame, end_frame, worker):
        traces = worker["recording"].get_traces(segment_index, start_frame, end_frame)
        return traces.sum(axis=0, dtype=np.int64)

    executor = si.ChunkRecordingExecutor(
        recording,
        sums,
        start,
        (recording,),
        handle_returns=True,
        n_jobs=2,
        chunk_duration="1s",
        pool_engine="thread",
    )
    found = executor.run()
    assert len(found) == 3
    np.testing.assert_array_equal(sum(found), recording.get_traces().sum(axis=0, dtype=np.int64))
    assert recording.get_preferred_mp_context() in {None, "fork", "spawn"}


# -- Object "in-memory" ----------------------------------------------------------------------


def test_objects_in_memory():
    # As printed it lacks a sampling frequency, and `list += array` is an error of numpy.
    code = IN_MEMORY.replace("spike_trains += spike_trains_i", "spike_trains += [*spike_trains_i]")
    done = run_printed(code, NumpyRecording=partial(si.NumpyRecording, sampling_frequency=RATE))
    np.testing.assert_array_equal(done.recording_memory.get_traces(), done.random_traces)
    assert done.sorting_memory.get_num_units() == 10
    counts = done.sorting_memory.count_num_spikes_per_unit()
    assert set(counts.values()) == {1000}
    mine = sorted(done.spike_trains[3000:4000])
    assert done.sorting_memory.get_unit_spike_train(unit_id=3).tolist() == mine
    several = si.NumpyRecording([done.random_traces] * 3, RATE)
    assert several.get_num_segments() == 3


def test_what_a_call_lacks_is_said():
    with pytest.raises(ParameterError, match="sampling_frequency"):
        si.NumpyRecording(traces_list=[np.zeros((9, 2))])
    with pytest.raises(TypeError, match="sampling_frequency"):
        si.read_binary("fileA.raw")


def test_sortings_in_memory():
    sorting = a_sorting()
    done = run_printed(IN_MEMORY_SORTINGS, sorting=sorting)
    assert isinstance(done.sorting_np, si.NumpySorting)
    assert isinstance(done.sorting_shm, si.SharedMemorySorting)
    for copied in (done.sorting_np, done.sorting_shm):
        np.testing.assert_array_equal(copied.to_spike_vector(), sorting.to_spike_vector())


# -- Manipulating objects: slicing, aggregating ----------------------------------------------


def test_slicing():
    slow_rate, duration_s = 30.0, 13 * 60
    traces = random_traces(int(slow_rate * duration_s), 41)
    write_spikeglx(
        Path("np_folder"), "run_g0_t0.imec0.ap", traces, fields={"imSampRate": slow_rate}
    )
    trains = {unit_id: np.arange(unit_id, len(traces), 500) for unit_id in range(6)}
    samples = np.concatenate(list(trains.values()))
    order = np.argsort(samples, kind="stable")
    Path("ks_folder").mkdir()
    np.save("ks_folder/spike_times.npy", samples[order])
    np.save("ks_folder/spike_clusters.npy", np.repeat(np.arange(6), len(samples) // 6)[order])
    Path("ks_folder/params.py").write_text(f"sample_rate = {slow_rate}\n")

    done = run_printed(SLICE, read_spikeglx=si.read_spikeglx, read_kilosort=si.read_kilosort)
    assert done.keep_ids.tolist() == [f"imec0.ap#AP{k}" for k in (0, 10, 20, 30)]
    assert done.sub_recording.get_num_samples() == 7 * 60 * slow_rate
    first = int(slow_rate * 60 * 5)
    end = int(slow_rate * 60 * 12)
    np.testing.assert_array_equal(done.sub_recording.get_traces(), traces[first:end, :40])
    assert done.sub_sorting.unit_ids.tolist() == [0, 1, 2, 3]


def test_aggregating_channels():
    rng = np.random.default_rng(2)
    written = {name: rng.integers(-9, 9, (90, 4), np.int16) for name in "AB"}
    for name, traces in written.items():
        traces.tofile(f"file{name}.raw")
    # A raw file does not say what is in it, and the printed call does not either.
    read_binary = partial(si.read_binary, sampling_frequency=RATE, dtype="int16", num_channels=4)
    done = run_printed(AGGREGATE_CHANNELS, read_binary=read_binary)
    assert done.rec_8_chans.get_num_channels() == 8
    np.testing.assert_array_equal(
        done.rec_8_chans.get_traces(), np.hstack([written["A"], written["B"]])
    )
    others = [
        si.NumpyRecording([np.zeros((90, 4), np.int16)], 2 * RATE),
        si.NumpyRecording([np.zeros((90, 4), np.int16)] * 2, RATE),
        si.NumpyRecording([np.zeros((91, 4), np.int16)], RATE),
    ]
    for other in others:
        with pytest.raises(ValueError):  # noqa: PT011 - each says what differs
            si.aggregate_channels([done.recA_4_chans, other])


def test_aggregating_units():
    for name in "AB":
        si.NpzSortingExtractor.write_sorting(a_sorting(), f"sorting{name}.npz")
    done = run_printed(AGGREGATE_UNITS)
    assert done.sorting_20_units.get_num_units() == 20
    np.testing.assert_array_equal(
        done.sorting_20_units.get_unit_spike_train(done.sorting_20_units.unit_ids[13]),
        done.sortingB.get_unit_spike_train(3),
    )


# -- Working with multiple segments ----------------------------------------------------------


def segments_of(n_segments, first):
    traces = [np.full((20, 4), first + k, np.int16) for k in range(n_segments)]
    return si.NumpyRecording(traces, 30.0)


def test_multiple_segments():
    done = run_printed(SEGMENTS, recording2=segments_of(2, 20), recording3=segments_of(3, 30))
    whole = done.recording5

    def kinds(recording):
        return [
            recording.get_traces(segment_index=k)[0, 0] for k in range(recording.get_num_segments())
        ]

    assert kinds(whole) == [20, 21, 30, 31, 32]
    assert done.recording_mono.get_num_segments() == 1
    assert done.recording_mono.get_traces()[::20, 0].tolist() == [20, 21, *kinds(whole)]
    assert [kinds(one) for one in done.recording_mono_list] == [[20], [21], [30], [31], [32]]
    assert kinds(done.recording_select1) == [31]
    assert kinds(done.recording_select2) == [20, 32]


def test_multiple_segments_of_sortings():
    sorting2, sorting3 = a_sorting(2), a_sorting(3)
    sorting5 = si.append_sortings([sorting2, sorting3])
    trains = [sorting5.get_unit_spike_train(4, segment_index=k) for k in range(5)]
    np.testing.assert_array_equal(trains[3], sorting3.get_unit_spike_train(4, segment_index=1))
    recordings = [a_recording(1, durations_s=[12.0] * n_segments) for n_segments in (2, 5)]
    for sorting, recording in zip([sorting2, sorting5], recordings, strict=True):
        sorting.register_recording(recording)
    mono = si.concatenate_sortings([sorting2, sorting5])
    assert mono.get_num_segments() == 1
    last = mono.get_unit_spike_train(4, start_frame=int(6 * 12 * RATE))
    np.testing.assert_array_equal(last - int(6 * 12 * RATE), trains[4])
    parts = si.split_sorting(mono, recordings)  # where the recordings were put together
    assert parts.get_num_segments() == 7
    np.testing.assert_array_equal(parts.get_unit_spike_train(4, segment_index=6), trains[4])
    chosen = si.select_segment_sorting(sorting5, segment_indices=[0, 4])
    np.testing.assert_array_equal(chosen.get_unit_spike_train(4, segment_index=1), trains[4])
    assert si.select_segment_sorting(sorting5, segment_indices=3).get_num_segments() == 1


# -- Recording tools -------------------------------------------------------------------------


def test_recording_tools():
    recording = a_recording(8, durations_s=[2.0])
    places_um = np.column_stack([np.zeros(8), np.arange(8) * 20.0])[::-1]
    recording.set_dummy_probe_from_locations(places_um)
    chunks = si.get_random_data_chunks(recording, seed=0)
    assert chunks.shape[1] == 8
    noise = si.get_noise_levels(recording, return_scaled=False)
    expected = np.median(np.abs(recording.get_traces()), axis=0) / 0.6745
    np.testing.assert_allclose(noise, expected, rtol=0.1)
    block, left, right = si.get_chunk_with_margin(recording.segments[0], 100, 200, None, 10)
    assert (left, right) == (10, 10)
    np.testing.assert_array_equal(block, recording.get_traces(start_frame=90, end_frame=210))
    closest, distances_um = si.get_closest_channels(recording, num_channels=2)
    assert closest.shape == distances_um.shape == (8, 2)
    assert closest[0].tolist() == [1, 2]
    square_um = si.get_channel_distances(recording)
    np.testing.assert_array_equal(square_um[0], np.arange(8) * 20.0)
    order, back = si.order_channels_by_depth(recording)
    assert order.tolist() == list(range(8))[::-1]
    np.testing.assert_array_equal(order[back], np.arange(8))


# -- Generate toy objects --------------------------------------------------------------------


def test_toy_objects():
    done = run_printed(TOYS)
    assert done.recording.get_num_channels() == 4
    durations_s = [done.recording.get_num_samples(k) / RATE for k in range(2)]
    assert durations_s == [10.325, 3.5]
    assert done.recording.has_probe()
    assert (done.sorting.get_num_segments(), done.sorting.get_num_units()) == (2, 5)
    intervals = np.diff(done.sorting.get_unit_spike_train(done.sorting.unit_ids[0], 0))
    assert intervals.min() >= 1.5 * RATE / 1000
    snippets, snippet_sorting = done.snippets  # with the sorting that they were cut out by
    assert (snippets.snippet_len, snippets.nbefore, snippets.get_num_channels()) == (60, 20, 2)
    assert snippet_sorting.get_num_units() == 5


def test_sortings_with_mistakes():
    times, labels = si.synthesize_random_firings(
        num_units=4, sampling_frequency=RATE, duration=10.0, seed=0
    )
    assert np.unique(labels).size == 4
    train = np.concatenate([times, times + 30])
    clean = si.clean_refractory_period(train, refractory_period=60)
    assert 0 < clean.size < train.size
    assert np.diff(clean).min() > 60
    sorting = si.generate_sorting(num_units=5, durations=[10.0], seed=0)
    doubled = si.inject_some_duplicate_units(sorting, num=2, seed=0)
    assert doubled.get_num_units() == 7
    split = si.inject_some_split_units(sorting, split_ids=sorting.unit_ids[:2], num_split=2, seed=0)
    assert split.get_num_units() > 5
    bad = si.synthetize_spike_train_bad_isi(
        duration=10.0, baseline_rate=10.0, num_violations=5, violation_delta=1e-3
    )
    # In seconds; the first of each pair of spikes that is too close is one of the five.
    assert (np.diff(bad) < 1.5e-3).sum() >= 5


# -- Downloading test datasets ---------------------------------------------------------------


def test_downloading(tmp_path):
    there = new_repository(tmp_path / "there" / "ephy_testing_data")
    for path in (
        "spike2/130322-1LY.smr",
        "mearec/mearec_test_10s.h5",
        "spikeglx/multi_trigger_multi_gate/a.meta",
    ):
        (there / path).parent.mkdir(parents=True)
        (there / path).write_text(path)
    commit(there)
    # The collection is on the net; what was cloned before is not looked for there again.
    here = tmp_path / "sets" / "ephy_testing_data"
    si.set_global_dataset_folder(here.parent)
    si.download_dataset(there, ".", local_folder=here)
    address = "https://gin.g-node.org/NeuralEnsemble/ephy_testing_data"
    git(here, "remote", "set-url", "origin", address)
    paths = []

    def read(path):  # the small repository holds no recordings
        paths.append(path)
        return path, path

    run_printed(DOWNLOAD, read_spike2=read, read_mearec=read, read_spikeglx=read)
    assert [path.relative_to(here).as_posix() for path in paths] == [
        "spike2/130322-1LY.smr",
        "mearec/mearec_test_10s.h5",
        "spikeglx/multi_trigger_multi_gate",
    ]
    assert all(path.exists() for path in paths)
