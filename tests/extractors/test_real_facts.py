"""Every real file opens with the facts that are known of it; what it is, is found out by `read`."""

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.reader_cases import NWB_UNITS
from making.real_files import EVENTS, RECORDINGS, SORTINGS


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings(data_folder, name):
    real = RECORDINGS[name]
    recording = si.read(data_folder / real.place, kind="recording", **real.options)
    assert recording.get_num_channels() == real.n_channels
    assert recording.sampling_frequency == pytest.approx(real.rate)
    segments = range(recording.get_num_segments())
    assert tuple(recording.get_num_samples(k) for k in segments) == real.n_samples
    assert recording.has_probe() == real.has_probe
    for k in segments:
        last = recording.get_traces(k, start_frame=real.n_samples[k] - 1)
        assert last.shape == (1, real.n_channels)


@pytest.mark.parametrize("name", SORTINGS)
def test_sortings(data_folder, name):
    real = SORTINGS[name]
    sorting = si.read(data_folder / real.place, kind="sorting", **real.options)
    assert sorting.get_num_units() == real.n_units
    assert sorting.count_total_num_spikes() == real.n_spikes
    assert sorting.sampling_frequency == real.rate


@pytest.mark.parametrize("name", EVENTS)
def test_events(data_folder, name):
    real = EVENTS[name]
    event = si.read(data_folder / real.place, kind="event", **real.options)
    assert event.channel_ids.tolist() == list(real.counts)
    for channel, counts in real.counts.items():
        segments = range(event.get_num_segments())
        assert tuple(len(event.get_events(channel, segment_index=k)) for k in segments) == counts


@pytest.mark.parametrize("name", ["intan", "intan_files"])
def test_streams_of_a_rig_last_equally_long(data_folder, name):
    ours = [one for key, one in RECORDINGS.items() if key.startswith(f"{name}_") or key == name]
    ours = [one for one in ours if one.place == RECORDINGS[name].place]
    durations = [si.read(data_folder / one.place, **one.options).get_duration() for one in ours]
    assert len(durations) == 3
    assert durations == pytest.approx([durations[0]] * 3)


def test_each_form_of_the_locust_is_the_same_recording(data_folder):
    forms = [RECORDINGS[name] for name in ("locust_raw", "binary_folder", "zarr", "nwb")]
    opened = [si.read(data_folder / one.place, kind="recording", **one.options) for one in forms]
    for recording in opened[1:]:
        np.testing.assert_array_equal(recording.get_traces(), opened[0].get_traces())


def test_both_clusterings_of_a_kwik_file(data_folder):
    path = data_folder / "kwik_hybrid10s/hybrid_10sec.kwik"
    main, original = (si.read_kwik(path, clustering=name) for name in ("main", "original"))
    assert sorted(main.get_property("original_cluster_id")) == [0, *range(2, 18)]
    assert original.count_total_num_spikes() == main.count_total_num_spikes()
    assert si.read(path.with_name("1x32_buzsaki.prb")).get_contact_count() == 32


def test_electrodes_of_an_nwb_file_without_traces(data_folder):
    with h5py.File(data_folder / NWB_UNITS) as file:
        assert len(file["general/extracellular_ephys/electrodes/id"]) == 32
    sorting = si.read(data_folder / NWB_UNITS)
    assert "electrodes" in sorting.get_property_keys()
