"""Events and spikes of foreign formats: times, labels, durations and units as they were written."""

import numpy as np
import pytest

import spikeloom as si
from making.alphaomega_files import make_alphaomega
from making.axona_files import make_axona, write_tetrode
from making.blackrock_files import make_blackrock, write_nev as write_blackrock_nev
from making.clinical_files import make_brainvision, make_elan, make_micromed
from making.neuralynx_files import make_neuralynx, write_nev, write_spikes
from making.neuroexplorer_files import make_neuroexplorer
from making.openephys_legacy_files import (
    make_openephys_legacy,
    write_events,
    write_spikes as write_openephys_spikes,
)
from making.patch_clamp_files import make_axon
from making.plexon_files import make_plexon
from making.spike2_files import make_spike2
from making.tdt_files import make_tdt
from spikeloom.errors import DataError

pytest.importorskip("neo.rawio")

PAUSED = {"starts_us": (1_000_000, 3_000_000), "n_samples": (1024, 700)}
TIMES_US = [1_001_000, 1_002_000, 1_003_000, 3_001_000]


def listed(events, channel, segment=0):
    found = events.get_events(channel_id=channel, segment_index=segment)
    return [(round(one["time"], 6), round(one["duration"], 6), str(one["label"])) for one in found]


def trains(sorting, segment=0):
    return [sorting.get_unit_spike_train(unit, segment).tolist() for unit in sorting.unit_ids]


@pytest.fixture(params=[False, True], ids=["whole", "paused"])
def neuralynx(request, tmp_path):
    sample = make_neuralynx(tmp_path / "nlx", **(PAUSED if request.param else {}))
    write_nev(sample.path / "Events.nev", TIMES_US, [0, 1, 0, 1], [b"off", b"on", b"off", b"on"])
    write_spikes(sample.path / "TT1.ntt", TIMES_US, [0, 1, 1, 2])
    write_spikes(sample.path / "SE1.nse", TIMES_US, [0, 1, 1, 2], n_inputs=1)
    return sample, request.param


def test_events_of_neuralynx(neuralynx):
    sample, is_paused = neuralynx
    events = si.read_neo_event(sample.path, "neuralynx")
    off, on = events.channel_ids
    assert off == "Events event_id=0 ttl=0"
    assert listed(events, off) == [(0.001, 0, "off"), (0.003, 0, "off")]
    later = [(2.001, 0, "on")]
    assert listed(events, on) == [(0.002, 0, "on")] + ([] if is_paused else later)
    if is_paused:
        assert listed(events, on, 1) == later


def test_spikes_of_neuralynx(neuralynx, tmp_path):
    sample, is_paused = neuralynx
    sorting = si.read_neuralynx_sorting(sample.path)
    names = ["chSE1#0#0", "chSE1#0#1", "chSE1#0#2", "chTT1#0#0", "chTT1#0#1", "chTT1#0#2"]
    assert sorting.get_property("original_unit_name").tolist() == names
    assert sorting.get_property("electrode").tolist() == ["SE1"] * 3 + ["TT1"] * 3
    assert sorting.get_property("quality").tolist() == ["unsorted", "sorted", "sorted"] * 2
    assert sorting.sampling_frequency == 32_000
    if is_paused:
        # Times count from the beginning of each segment, as those of its traces do.
        assert trains(sorting) == [[32], [64, 96], []] * 2
        assert trains(sorting, 1) == [[], [], [32]] * 2
    else:
        assert trains(sorting) == [[32], [64, 96], [64_032]] * 2
    sorting.dump(tmp_path / "sorting.json")
    assert trains(si.load(tmp_path / "sorting.json")) == trains(sorting)


def test_gaps_of_neuralynx(tmp_path):
    sample = make_neuralynx(
        tmp_path / "nlx", starts_us=(1_000_000, 1_032_100), n_samples=(1024, 700)
    )
    # 0.1 ms are less than a quarter of a record, and more than a fifth of a sample.
    assert si.read_neuralynx(sample.path).get_num_segments() == 1
    assert si.read_neuralynx(sample.path, strict_gap_mode=True).get_num_segments() == 2
    assert si.read_neuralynx(sample.path, gap_tolerance_ms=0.05).get_num_segments() == 2
    one = si.read_neuralynx(sample.path, gap_tolerance_ms=10)
    assert one.get_num_samples() == 1724
    np.testing.assert_array_equal(one.get_traces(), np.concatenate(sample.segments))
    without = si.read_neuralynx(sample.path, exclude_filename=["CSC2.ncs"])
    assert without.channel_ids.tolist() == ["0", "2"]


def test_open_ephys_legacy(tmp_path):
    sample = make_openephys_legacy(tmp_path / "oe")
    write_events(sample.path / "all_channels.events", [2100, 2250], [1, 2])
    write_openephys_spikes(sample.path / "TT0.spikes", [2100, 2500, 3000], [0, 1, 1])
    events = si.read_neo_event(sample.path, "openephys_legacy")
    assert listed(events, "all_channels") == [(0.07, 0, "3#100#1"), (0.075, 0, "3#100#2")]
    sorting = si.read_neo_sorting(sample.path, "openephys_legacy")
    assert sorting.get_property("original_unit_id").tolist() == ["TT0#0", "TT0#1"]
    assert trains(sorting) == [[2100 - 2048], [2500 - 2048, 3000 - 2048]]


@pytest.mark.parametrize("first", [0, 200])
def test_plexon(first, tmp_path):
    sample = make_plexon(tmp_path / "plx", first=first)
    events = si.read(sample.path, kind="event")
    assert listed(events, "257") == [(0.025, 0, "3"), (0.425, 0, "5")]
    sorting = si.read_plexon_sorting(sample.path)
    assert sorting.sampling_frequency == 40_000  # traces of 1 kHz would not tell when
    assert sorting.get_property("original_unit_id").tolist() == ["ch1#0", "ch1#1", "ch2#1"]
    assert trains(sorting) == [[400], [800, 2000], [900, 16_000]]
    with_traces = si.read_plexon_sorting(sample.path, stream_id="WB")
    assert with_traces.sampling_frequency == 1000
    assert trains(with_traces)[1] == [20 - first // 40, 50 - first // 40]


def test_spike2(tmp_path):
    sample = make_spike2(tmp_path / "smr")
    events = si.read_neo_event(sample.path, "spike2", use_names_as_ids=True)
    assert listed(events, "ttl") == [(0.001, 0, ""), (0.04, 0, "")]
    assert listed(events, "keys") == [(0.002, 0, "1"), (0.03, 0, "2")]
    assert listed(events, "notes") == [(0.003, 0, "drug")]
    sorting = si.read_neo_sorting(sample.path, "spike2", use_format_ids=True)
    assert sorting.unit_ids.tolist() == ["ch5#1", "ch5#2"]
    assert trains(sorting) == [[30, 120], [60]]


@pytest.mark.parametrize("version", [(2, 2), (2, 3), (3, 0)])
def test_blackrock(version, tmp_path):
    sample = make_blackrock(tmp_path / "x", version=version)
    path = sample.path.with_suffix(".nev")
    spikes = [(300, 1, 0), (600, 1, 1), (900, 2, 1), (1200, 2, 255)]
    write_blackrock_nev(path, spikes, [(450, 7), (750, 0)], version=version)
    events = si.read(path, kind="event")
    assert listed(events, "digital_input_port") == [(0.015, 0, "7"), (0.025, 0, "0")]
    sorting = si.read(path)
    assert sorting.sampling_frequency == 30_000
    assert trains(sorting) == [[300], [600], [900], [1200]]
    assert sorting.get_property("channel").tolist() == [1, 1, 2, 2]
    qualities = sorting.get_property("quality").tolist()
    assert qualities == ["unsorted", "sorted", "sorted", "noise"]
    assert si.read_blackrock(sample.path).get_num_samples() == 500


def test_neuroexplorer(tmp_path):
    sample = make_neuroexplorer(tmp_path / "nex")
    events = si.read_neo_event(sample.path, "neuroexplorer", use_names_as_ids=True)
    assert listed(events, "ttl") == [(0.0025, 0, ""), (0.005, 0, "")]
    assert listed(events, "trial") == [(0.025, 0.025, ""), (0.2, 0.025, "")]
    assert listed(events, "code") == [(0.0075, 0, "017"), (0.0125, 0, "018")]
    sorting = si.read_neuroexplorer_sorting(sample.path)
    assert sorting.get_property("original_unit_name").tolist() == ["unit", "other"]
    assert trains(sorting) == [[10, 20, 300], [22]]


def test_tdt(tmp_path):
    sample = make_tdt(tmp_path / "tdt", n_blocks=2)
    sorting = si.read_neo_sorting(sample.path, "tdt")
    assert trains(sorting) == trains(sorting, 1) == [[24, 73], [49]]
    events = si.read_neo_event(sample.path, "tdt", use_names_as_ids=True)
    assert listed(events, "Tick") == [(0.004, 0, "7")]
    # The folder of a block opens by itself; its time begins with it.
    block = si.read(sample.path / "Block-2")
    assert block.get_start_time() == 0
    np.testing.assert_array_equal(block.get_traces(), sample.segments[1])
    assert listed(si.read_neo_event(sample.path / "Block-2", "tdt"), "1") == [(0.004, 0, "7")]


def test_axona(tmp_path):
    sample = make_axona(tmp_path / "x")
    for k, ticks in enumerate(([96, 960], [480])):
        write_tetrode(sample.path.with_suffix(f".{k + 1}"), ticks)
    expected = [[48, 480], [240]]
    assert trains(si.read_neo_sorting(sample.path, "axona")) == expected
    sample.path.with_suffix(".bin").unlink()
    assert trains(si.read_neo_sorting(sample.path, "axona")) == expected


@pytest.mark.parametrize(
    ("make", "channel", "expected"),
    [
        (make_alphaomega, "11000", [(0.05, 0, "1"), (0.054545, 0, "0")]),
        (make_axon, "Tag", [(0.5, 0, "1")]),
        (make_brainvision, "Stimulus", [(0.101, 0, "S  1"), (0.301, 0, "S  2")]),
        (make_elan, "Trigger", [(0.1, 0, "7"), (0.3, 0, "8")]),
        (make_micromed, "Trigger", [(0.1, 0, "7"), (0.3, 0, "8")]),
    ],
)
def test_events_beside_traces(make, channel, expected, tmp_path):
    name = make.__name__.removeprefix("make_")
    sample = make(tmp_path / "x")
    assert listed(si.read_neo_event(sample.path, name), channel) == expected
    with pytest.raises(DataError, match="no spike trains"):
        si.read_neo_sorting(sample.path, name)
