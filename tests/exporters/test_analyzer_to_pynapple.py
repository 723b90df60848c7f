"""Units as a TsGroup of pynapple."""

import numpy as np
import pytest

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import MissingDependencyError, ParameterError
from spikeloom.exporters import to_pynapple_tsgroup


def test_times_are_in_seconds_on_one_axis(known_analyzer):
    group = to_pynapple_tsgroup(known_analyzer)
    fs, sorting = known_analyzer.sampling_frequency, known_analyzer.sorting
    assert list(group.keys()) == [0, 1, 2, 3]
    for key, unit_id in enumerate(known_analyzer.unit_ids):
        trains = [sorting.get_unit_spike_train(unit_id, k) for k in range(2)]
        expected = np.concatenate([trains[0] / fs, 3.0 + trains[1] / fs])
        np.testing.assert_allclose(group[key].t, expected, rtol=0, atol=1e-8)
    np.testing.assert_allclose(group.time_support.values, [[0, 3], [3, 5]], atol=1 / fs)
    # Of the whole recording, not of the time between spikes.
    np.testing.assert_allclose(group["rate"], [len(group[k]) / 5 for k in range(4)], rtol=1e-4)


def test_what_is_known_of_units_comes_along(known_analyzer):
    group = to_pynapple_tsgroup(known_analyzer)
    assert group["unit_id"].tolist() == ["u0", "u1", "u2", "silent"]
    assert group["quality"].tolist() == ["good", "mua", "", "µ"]
    assert group["is_accepted"].tolist() == [True, False, True, False]
    table = known_analyzer.get_extension("quality_metrics").get_data()
    np.testing.assert_allclose(group["snr"], table["snr"].to_numpy(float, na_value=np.nan))
    assert group["snr_property"].tolist() == [9.0] * 4
    locations = known_analyzer.get_extension("unit_locations").get_data()
    np.testing.assert_allclose(group["y"], locations[:, 1])
    assert "trough_half_width" in group.metadata_columns
    np.testing.assert_array_equal(group["position"][1], [2.0, 3.0])
    assert len(group.getby_category("quality")["good"]) == 1


def test_only_what_is_wanted_comes_along(known_analyzer):
    group = to_pynapple_tsgroup(known_analyzer, attach_unit_metadata=False)
    assert "snr_property" not in group.metadata_columns
    assert group["snr"].tolist() == [9.0] * 4
    group = to_pynapple_tsgroup(known_analyzer, attach_unit_properties=False)
    assert "quality" not in group.metadata_columns
    group = to_pynapple_tsgroup(known_analyzer, False, False)
    assert set(group.metadata_columns) == {"rate", "unit_id"}


def test_one_segment_has_its_own_times(known_analyzer):
    group = to_pynapple_tsgroup(known_analyzer, segment_index=1)
    expected = known_analyzer.sorting.get_unit_spike_train("u0", 1)
    np.testing.assert_allclose(group[0].t, expected / known_analyzer.sampling_frequency, atol=1e-8)
    np.testing.assert_allclose(group.time_support.values, [[0, 2]])
    with pytest.raises(ParameterError, match="segment_index=2"):
        to_pynapple_tsgroup(known_analyzer, segment_index=2)


@pytest.mark.parametrize(
    ("unit_ids", "keys", "is_kept"),
    [
        ([4, 2], [4, 2], True),
        (["4", "2"], [4, 2], True),
        (["4", "04"], [0, 1], False),
        (["x", "2"], [0, 1], False),
    ],
)
def test_ids_are_keys_where_they_can_be(unit_ids, keys, is_kept):
    sorting = NumpySorting.from_unit_dict(dict(zip(unit_ids, ([10], [20, 30]), strict=True)), 1000)
    group = to_pynapple_tsgroup(sorting)
    for key, unit_id in zip(keys, unit_ids, strict=True):
        expected = sorting.get_unit_spike_train(unit_id) / 1000
        np.testing.assert_allclose(group[key].t, expected)
    assert ("unit_id" in group.metadata_columns) is not is_kept


def test_names_that_mean_something_to_pynapple_are_changed():
    sorting = NumpySorting.from_unit_dict({1: [10], 2: [20]}, 1000.0)
    sorting.set_property("rate", [1.0, 2.0])
    sorting.set_property("count", [3.0, 4.0])
    group = to_pynapple_tsgroup(sorting)
    assert group["rate_property"].tolist() == [1.0, 2.0]
    assert group["count_property"].tolist() == [3.0, 4.0]


def test_the_times_are_those_of_the_recording():
    recording = NumpyRecording([np.zeros((1000, 1), np.int16)], 1000.0, t_starts=[100.0])
    sorting = NumpySorting.from_unit_dict({1: [10], 2: []}, 1000.0)
    sorting.register_recording(recording)
    group = to_pynapple_tsgroup(sorting)
    np.testing.assert_allclose(group[1].t, [100.01])
    np.testing.assert_allclose(group.time_support.values, [[100, 101]])
    assert len(group[2]) == 0


def test_what_is_no_sorting_is_refused():
    with pytest.raises(ParameterError, match="is needed; got str"):
        to_pynapple_tsgroup("sorting")


def test_without_pynapple_the_error_says_what_to_install(known_analyzer, without):
    without("pynapple")
    with pytest.raises(MissingDependencyError, match=r"pip install 'spikeloom\[pynapple\]'"):
        to_pynapple_tsgroup(known_analyzer)
