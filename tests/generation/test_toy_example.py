import numpy as np
import pytest

import spikeloom as si
from spikeloom.errors import ParameterError


def test_what_it_is_made_of():
    recording, sorting = si.toy_example(duration=[3.0, 2.0], num_units=5, num_channels=6, seed=1)
    assert [recording.get_num_samples(k) for k in range(2)] == [90_000, 60_000]
    assert (recording.get_num_channels(), sorting.get_num_units()) == (6, 5)
    assert recording.get_channel_locations().tolist() == [[0.0, 40.0 * k] for k in range(6)]
    assert recording.has_scaleable_traces()
    lowest = recording.templates.min(axis=(1, 2))
    assert np.mean(lowest) == pytest.approx(-100, rel=1e-5)
    noise = np.median(np.abs(recording.get_traces(0))) / 0.6745
    assert 9 < noise < 13
    n_spikes = sorting.spike_table().n_spikes
    assert 30 < n_spikes < 130  # 5 units at 3 Hz for 5 s
    assert sorting.get_property("main_channel_id") is not None


def test_the_same_seed_gives_the_same(tmp_path):
    first, second, other = (si.toy_example(duration=1, seed=seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.get_traces(1), second.get_traces(1))
    assert (first.get_traces(1) != other.get_traces(1)).any()
    with_columns, _ = si.toy_example(duration=1, num_channels=8, num_columns=2, seed=0)
    assert len(np.unique(with_columns.get_channel_locations()[:, 0])) == 2


def test_given_spikes():
    samples, labels = [[100, 900], [5000]], [[0, 2], [1]]
    recording, sorting = si.toy_example(
        duration=1.0, num_units=4, spike_times=samples, spike_labels=labels, seed=0
    )
    assert sorting.unit_ids.tolist() == [0, 1, 2, 3]
    assert sorting.get_unit_spike_train(2, 0).tolist() == [900]
    quiet, _ = si.toy_example(
        duration=1.0, num_units=4, spike_times=[[], []], spike_labels=[[], []], seed=0
    )
    added = recording.get_traces(1) - quiet.get_traces(1)
    np.testing.assert_allclose(added[4955:5090], recording.templates[1], atol=1e-3)


def test_spikes_between_samples():
    recording, _ = si.toy_example(duration=1.0, upsample_factor=4, seed=0)
    assert recording.templates.shape[3] == 4
    assert np.isfinite(recording.get_traces(0)).all()


def test_arguments_that_make_no_sense():
    with pytest.raises(ParameterError, match="for each of the 2 segments"):
        si.toy_example(duration=[1.0])
    with pytest.raises(ParameterError, match="both spike_times and spike_labels"):
        si.toy_example(duration=1.0, spike_times=[[1], [2]])
