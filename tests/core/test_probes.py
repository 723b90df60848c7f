import numpy as np
import pytest
from probeinterface import Probe, ProbeGroup, generate_linear_probe, generate_multi_columns_probe

from spikeloom.core import probes
from spikeloom.core.base import BaseExtractor
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.errors import ParameterError


def recording_of(n_channels, n_samples=5):
    return NumpyRecording(
        [np.arange(n_samples * n_channels).reshape(n_samples, n_channels)],
        10.0,
        channel_ids=[f"ch{k}" for k in range(n_channels)],
    )


def linear(wiring, x_um=0.0):
    probe = generate_linear_probe(num_elec=len(wiring), ypitch=20)
    probe.move([x_um, 0.0])
    probe.set_device_channel_indices(wiring)
    return probe


def two_shanks():
    probe = generate_multi_columns_probe(
        num_columns=2, num_contact_per_column=3, xpitch=200, ypitch=20
    )
    probe.set_shank_ids(np.repeat(["a", "b"], 3))
    probe.set_device_channel_indices(np.arange(6))
    return probe


def test_contacts_come_in_the_order_of_channels():
    recording = recording_of(4)
    result = recording.set_probe(linear([2, 0, 3, 1]))
    assert result is recording
    assert recording.get_channel_locations()[:, 1].tolist() == [20, 60, 0, 40]
    wiring = recording.get_probegroup().to_numpy(complete=True)["device_channel_indices"]
    assert wiring.tolist() == [0, 1, 2, 3]
    assert recording.get_property("location")[:, 1].tolist() == [20, 60, 0, 40]
    assert recording.get_property("contact_vector")["y"].tolist() == [20, 60, 0, 40]


def test_unconnected_contacts_are_left_out_and_missing_channels_make_a_view():
    recording = recording_of(4)
    part = recording.set_probe(linear([-1, 3, -1, 1]))
    assert not recording.has_probe()
    assert part.channel_ids.tolist() == ["ch1", "ch3"]
    assert part.get_channel_locations()[:, 1].tolist() == [60, 20]
    with pytest.raises(ParameterError, match="2 of 4 channels"):
        recording.set_probe(linear([-1, 3, -1, 1]), in_place=True)


def test_in_place_false_leaves_the_recording_as_it_is():
    recording = recording_of(3)
    copy = recording.set_probe(linear([0, 1, 2]), in_place=False)
    assert copy.has_probe()
    assert not recording.has_probe()
    assert recording.select_channels_with_probe(linear([2, 1, 0])).has_probe()
    assert not recording.has_probe()


def test_a_recording_keeps_a_copy_of_its_probe():
    recording, probe = recording_of(3), linear([0, 1, 2])
    recording.set_probe(probe)
    probe.move([100, 100])
    assert recording.get_channel_locations()[0].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("mode", "groups"),
    [("auto", [0, 0, 0, 1, 1, 1]), ("by_shank", [0, 0, 0, 1, 1, 1]), ("by_probe", [0] * 6)],
)
def test_groups_follow_the_mode(mode, groups):
    recording = recording_of(6)
    recording.set_probe(two_shanks(), group_mode=mode)
    assert recording.get_channel_groups().tolist() == groups


def test_groups_of_several_probes():
    recording = recording_of(4)
    recording.set_probegroup([linear([0, 2]), linear([1, 3], x_um=500)])
    assert recording.get_channel_groups().tolist() == [0, 1, 0, 1]
    assert len(recording.get_probes()) == 2
    parts = recording.split_by("group")
    assert list(parts) == [0, 1]
    assert parts[1].channel_ids.tolist() == ["ch1", "ch3"]
    assert parts[1].get_probe().contact_positions[:, 0].tolist() == [500, 500]
    assert parts[1].get_annotation("split_by_property") == "group"
    assert [len(p.channel_ids) for p in recording.split_by("group", outputs="list")] == [2, 2]
    for wrong in ({"property": "none"}, {"outputs": "tuple"}):
        with pytest.raises(ParameterError):
            recording.split_by(**wrong)


def test_what_a_probe_cannot_be():
    recording = recording_of(3)
    unwired = generate_linear_probe(num_elec=3)
    with pytest.raises(ParameterError, match="not wired"):
        recording.set_probe(unwired)
    with pytest.raises(ParameterError, match="wired to channel 5, but the recording has 3"):
        recording.set_probe(linear([0, 1, 5]))
    with pytest.raises(ParameterError, match="got str"):
        recording.set_probegroup("probe")
    with pytest.raises(ParameterError, match="overlapping"):
        recording.set_probegroup([linear([0, 1]), linear([2])])
    with pytest.raises(ParameterError, match="group_mode must be one of"):
        recording.set_probe(linear([0, 1, 2]), group_mode="by_color")
    with pytest.raises(ParameterError, match="shank_ids"):
        recording.set_probe(linear([0, 1, 2]), group_mode="by_shank")
    assert not recording.has_probe()


def test_without_a_probe_there_is_no_place():
    recording = recording_of(3)
    for ask in (
        recording.get_probe,
        recording.get_probegroup,
        recording.get_channel_locations,
        recording.is_probe_3d,
    ):
        with pytest.raises(ParameterError, match="no probe"):
            ask()
    assert not recording.has_channel_location()
    assert recording.get_property("location") is None


def test_one_probe_of_several_is_not_the_probe():
    recording = recording_of(4)
    recording.set_probegroup([linear([0, 2]), linear([1, 3], x_um=500)])
    with pytest.raises(ParameterError, match="There are 2 probes"):
        recording.get_probe()


def test_views_have_their_part_of_the_probe_and_its_groups():
    recording = recording_of(6)
    recording.set_probe(two_shanks())
    part = recording.select_channels(["ch4", "ch1"])
    np.testing.assert_array_equal(
        part.get_channel_locations(), recording.get_channel_locations(["ch4", "ch1"])
    )
    assert part.get_channel_groups().tolist() == [1, 0]
    assert part.get_property("contact_vector")["shank_ids"].tolist() == ["b", "a"]
    none = recording.select_channels([])
    assert not none.has_probe()
    assert none.get_traces().shape == (5, 0)


def test_channels_of_several_probes_in_any_order():
    recording = recording_of(4)
    recording.set_probegroup([linear([0, 2]), linear([1, 3], x_um=500)])
    ids = ["ch3", "ch0", "ch1", "ch2"]
    part = recording.select_channels(ids)
    for view in (part, part.clone(), part.select_channels(ids[::-1]).select_channels(ids)):
        np.testing.assert_array_equal(
            view.get_channel_locations(), recording.get_channel_locations(ids)
        )
        assert view.get_property("contact_vector")["device_channel_indices"].tolist() == [*range(4)]


def test_groups_put_together_keep_the_order_of_their_contacts():
    group = ProbeGroup()
    group.add_probe(linear([0, 1]))
    group.add_probe(linear([2, 3], x_um=500))
    mixed = probes.sliced(group, [3, 0, 2])
    both = probes.concatenated([mixed, probes.sliced(group, [1]), mixed])
    assert len(both.probes) == 5
    expected = [520, 0, 500, 20, 520, 0, 500]
    assert probes.locations(both).sum(axis=1).tolist() == expected
    assert both.to_numpy(complete=True)["device_channel_indices"].tolist() == list(range(7))
    again = ProbeGroup.from_dict(both.to_dict(array_as_list=True))
    assert probes.locations(again).sum(axis=1).tolist() == expected


def test_named_probes_may_be_put_together_twice():
    probe = linear([0, 1])
    probe.annotate(probe_id="left")
    group = ProbeGroup()
    group.add_probe(probe)
    assert probes.concatenated([group, group]).probe_ids == ["0", "1"]


def test_a_probe_survives_a_dictionary():
    recording = recording_of(6)
    recording.set_probe(two_shanks())
    again = BaseExtractor.from_dict(recording.to_dict(include_properties=True))
    assert again.get_probe().to_dict(array_as_list=True) == recording.get_probe().to_dict(
        array_as_list=True
    )
    assert again.get_channel_groups().tolist() == recording.get_channel_groups().tolist()


def test_dummy_probes_and_axes():
    recording = recording_of(3)
    places = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    recording.set_dummy_probe_from_locations(places, axes="xz")
    assert recording.has_3d_probe()
    np.testing.assert_array_equal(recording.get_channel_locations(axes="zx"), places[:, [2, 0]])
    flat = recording.planarize(axes="yz")
    np.testing.assert_array_equal(flat.get_channel_locations(), places[:, 1:])
    assert recording.is_probe_3d()
    with pytest.raises(ParameterError, match="axes must be made of"):
        flat.get_channel_locations(axes="xz")
    with pytest.raises(ParameterError, match="Locations must be of shape"):
        recording.set_dummy_probe_from_locations(np.zeros(3))
    assert isinstance(recording.create_dummy_probe_from_locations(places[:, :2]), Probe)


def test_places_without_a_probe():
    recording = recording_of(2)
    recording.set_channel_locations([[1, 2], [3, 4]])
    assert recording.has_channel_location()
    assert recording.get_channel_locations(["ch1"], axes="yx").tolist() == [[4, 3]]
    assert recording.select_channels(["ch1"]).get_channel_locations().tolist() == [[3, 4]]
    recording.clear_channel_locations()
    assert not recording.has_channel_location()
    recording.set_probe(linear([0, 1]))
    with pytest.raises(ParameterError, match="those of the probe"):
        recording.set_channel_locations([[1, 2], [3, 4]])


def test_forgetting_the_probe():
    recording = recording_of(2)
    recording.set_probe(linear([0, 1]))
    recording.remove_probe()
    assert not recording.has_probe()
    assert recording.get_channel_groups() is None


def test_a_contact_vector_of_an_older_file_becomes_a_probe():
    recording = recording_of(6)
    recording.set_probe(two_shanks())
    description = recording.to_dict(include_properties=True)
    del description["probegroup"]
    description["properties"]["contact_vector"] = recording.get_property("contact_vector")
    description["properties"]["location"] = recording.get_property("location")
    again = BaseExtractor.from_dict(description)
    np.testing.assert_array_equal(again.get_channel_locations(), recording.get_channel_locations())
    assert again.get_property_keys() == ["group"]
