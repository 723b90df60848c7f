"""Probe files, which are read and never run."""

import numpy as np
import pytest

from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.prb_files import read_prb, read_probe_file


def write(tmp_path, text):
    path = tmp_path / "probe.prb"
    path.write_text(text)
    return path


def test_a_real_probe_of_klusta(data_folder):
    group = read_prb(data_folder / "kwik_hybrid10s" / "1x32_buzsaki.prb")
    assert group.get_contact_count() == 32
    (probe,) = group.probes
    np.testing.assert_array_equal(probe.device_channel_indices, np.arange(32))
    assert len(np.unique(probe.contact_positions, axis=0)) == 32


def test_shanks_with_coordinates_of_their_own_are_put_side_by_side(tmp_path):
    path = write(
        tmp_path,
        """
from probe_tools import something
channel_groups = {
    0: {'channels': list(range(2)), 'graph': [], 'geometry': {0: (0, 0), 1: (10, 20)}},
    1: {'channels': [5, 4], 'geometry': [(0, 0), (10, 20)]},
}
""",
    )
    group = read_prb(path)
    places = np.concatenate([probe.contact_positions for probe in group.probes])
    np.testing.assert_array_equal(places, [[0, 0], [10, 20], [210, 0], [220, 20]])
    wiring = np.concatenate([probe.device_channel_indices for probe in group.probes])
    np.testing.assert_array_equal(wiring, [0, 1, 5, 4])


def test_code_in_a_probe_file_does_not_run(tmp_path):
    made = tmp_path / "made"
    path = write(tmp_path, f"channel_groups = {{}}\nopen({str(made)!r}, 'w').close()\n")
    with pytest.raises(ReadError, match="line 2"):
        read_probe_file(path)
    assert not made.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1", "channel_groups"),
        ("channel_groups = {}", "channel_groups"),
        ("channel_groups = {0: {'channels': []}}", "list of columns"),
        ("channel_groups = {0: {'channels': [-1]}}", "list of columns"),
        ("channel_groups = {0: {'channels': [True]}}", "list of columns"),
        ("channel_groups = {0: [1, 2]}", "list of columns"),
        ("channel_groups = {0: {'channels': [1, 1]}}", "twice"),
        ("channel_groups = {0: {'channels': [0]}, 1: {'channels': [0]}}", "several"),
        ("channel_groups = {0: {'channels': [0, 1], 'geometry': {0: (0, 0)}}}", "channel 1"),
        ("channel_groups = {0: {'channels': [0], 'geometry': {0: ('a', 0)}}}", "pair"),
        ("channel_groups = {0: {'channels': [0], 'geometry': [(1, 2, 3)]}}", "pair"),
    ],
)
def test_probe_files_that_make_no_sense_are_told(tmp_path, text, told):
    with pytest.raises(DataError, match=told):
        read_prb(write(tmp_path, text))


def test_probeinterface_files_are_read_and_others_refused(data_folder, tmp_path):
    paths = sorted((data_folder / "probes").rglob("*.json"))
    assert paths
    for path in paths:
        assert read_probe_file(path).get_contact_count() > 0
    (tmp_path / "p.json").write_text('{"probes": 3}')
    with pytest.raises(DataError, match="ProbeInterface"):
        read_probe_file(tmp_path / "p.json")
    (tmp_path / "p.csv").write_text("")
    with pytest.raises(ParameterError, match=r"\.prb"):
        read_probe_file(tmp_path / "p.csv")
    with pytest.raises(MissingFileError):
        read_probe_file(tmp_path / "absent.prb")
