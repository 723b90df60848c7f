"""What is converted is the same as its source, and comes back so; or nothing is written."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from probeinterface import generate_linear_probe

import spikeloom as si
from making.hashes import folder_state
from making.recording_files import random_traces
from spikeloom.errors import DataError, ParameterError, SpikeloomError, WriteError
from spikeloom.exporters import losses
from spikeloom.exporters.comparing import find_differences
from spikeloom.exporters.conversion import kind_of
from spikeloom.exporters.writer_registry import Writer, chosen_writer, get_writers

ENDINGS = {"numpy": "", "npz": ".npz", "zarr": ".zarr", "phy": "", "kwik": ".kwik", "alf": "",
           "nwb": ".nwb"}  # fmt: skip

LOSSES = {losses.START, losses.TIMES, losses.CHANNEL_IDS, losses.POSITIONS}

TRACE_ENDINGS = {"binary": "", "zarr": ".zarr", "flat": ".dat", "npy": ".npy", "kwik": ".kwik",
                 "nwb": ".nwb"}  # fmt: skip


def _back(path, name, **kwargs):
    kind = {"numpy": None, "npz": "sorting"}.get(name, "sorting")
    return si.read(path, kind=None if name in {"numpy", "zarr"} else kind, **kwargs)


@st.composite
def sortings(draw):
    """Sortings of one segment with ids of numbers or text, and some labels."""
    n_units = draw(st.integers(1, 5))
    is_text = draw(st.booleans())
    names = st.text("abcxyz01 #_", min_size=1, max_size=6).map(str.strip).filter(bool)
    kind = names if is_text else st.integers(0, 10_000)
    ids = draw(st.lists(kind, min_size=n_units, max_size=n_units, unique=True))
    train = st.lists(st.integers(0, 200_000), max_size=20)
    trains = {unit: sorted(draw(train)) for unit in ids}
    rate = draw(st.sampled_from([1000.0, 24_414.0625, 30_000.0, 25_000.3]))
    sorting = si.NumpySorting.from_unit_dict(trains, rate)
    if draw(st.booleans()):
        quality = st.sampled_from(["good", "mua", "noise", "unsorted"])
        sorting.set_property("quality", [draw(quality) for _ in ids])
        sorting.set_property("snr", [draw(st.floats(-9, 9).map(lambda x: round(x, 3)))
                                     for _ in ids])  # fmt: skip
    return sorting


@pytest.mark.parametrize("name", [*ENDINGS])
@settings(max_examples=15)
@given(sorting=sortings())
def test_sortings_go_there_and_back(tmp_path_factory, name, sorting):
    folder = tmp_path_factory.mktemp("there")
    target = folder / f"sorted{ENDINGS[name]}"
    has_empty = (sorting.count_num_spikes_per_unit(outputs="array") == 0).any()
    if name == "kwik" and has_empty:
        with pytest.raises(ParameterError, match="no spikes"):
            si.convert(sorting, target, to=name)
        assert list(folder.iterdir()) == []
        return
    done = si.convert(sorting, target, to=name)
    again = si.convert(target, folder / "again", to="numpy", kind="sorting" if name in
                       {"phy", "alf", "nwb", "kwik", "npz"} else None)  # fmt: skip
    assert find_differences(sorting, si.load(folder / "again")).faults == []
    if name not in {"npz"} and "quality" in sorting.get_property_keys():
        assert not any("quality" in note or "snr" in note for note in (*done.notes, *again.notes))
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", [*TRACE_ENDINGS])
def test_recordings_go_there_and_back(tmp_path, name):
    recording, _ = si.generate_ground_truth_recording(
        [2.0] if name in {"flat", "npy"} else [2.0, 1.0], num_channels=4, num_units=2, seed=0
    )
    recording = si.NumpyRecording(
        [recording.get_traces(k).astype(np.int16) for k in range(recording.get_num_segments())],
        recording.sampling_frequency,
    )
    target = tmp_path / f"traces{TRACE_ENDINGS[name]}"
    done = si.convert(recording, target)
    assert done.plan.writer.name == name
    bare = {"flat": {"num_channels": 4, "dtype": "int16"}, "npy": {}}
    known = (
        {"sampling_frequency": recording.sampling_frequency, **bare[name]} if name in bare else {}
    )
    if name == "nwb":  # a series for each segment
        known = {"electrical_series_path": "acquisition/ElectricalSeries1"}
        recording = recording.select_segments([1])
    si.convert(target, tmp_path / "again", to="binary", kind="recording", **known)
    assert find_differences(recording, si.load(tmp_path / "again")).faults == []


def rich_recording(n_segments):
    """A recording with something of all that formats may have no place for."""
    recording = si.NumpyRecording(
        [random_traces(500 + k, 4) for k in range(n_segments)],
        10_000.0,
        t_starts=[5.0 + 3 * k for k in range(n_segments)],
        channel_ids=["a", "b", "c", "d"],
    )
    probe = generate_linear_probe(4)
    probe.set_device_channel_indices(range(4))
    recording = recording.set_probe(probe)
    recording.set_channel_gains([1.0, 2.0, 3.0, 4.0])
    recording.set_channel_offsets([0.0, 1.0, 2.0, 3.0])
    for key, values in {
        "quality": ["good", "bad", "good", "µ"],
        "depth": [1.0, np.nan, 2.0, 3.0],
        "is_bad": [True, False, False, True],
        "group": [0, 0, 1, 1],
        "position": np.zeros((4, 3)),
    }.items():
        recording.set_property(key, values)
    return recording


def rich_sorting(n_segments):
    """A sorting with the same."""
    ids = ["a", "b 2", "ü"]
    trains = [{unit: [10 * k + 7, 400] for k, unit in enumerate(ids)} for _ in range(n_segments)]
    vector = si.NumpySorting.from_unit_dict(trains, 10_000.0).to_spike_vector()
    t_starts = [5.0 + 3 * k for k in range(n_segments)]
    sorting = si.NumpySorting(vector, 10_000.0, ids, t_starts=t_starts)
    for key, values in {
        "quality": ["good", "mua", "odd"],
        "snr": [1.0, np.nan, 3.0],
        "is_ok": [True, False, True],
        "note": ["x", "", "z"],
        "group": [0, 1, 1],
        "place": np.zeros((3, 2)),
        "anything": np.array([{"a": 1}, None, "x"], object),
    }.items():
        sorting.set_property(key, values)
    return sorting


@pytest.mark.parametrize("n_segments", [1, 2])
@pytest.mark.parametrize("writer", get_writers("recording") + get_writers("sorting"),
                         ids=lambda writer: f"{writer.name}-{writer.kind}")  # fmt: skip
def test_what_gets_lost_is_said_before_anything_is_written(tmp_path, writer, n_segments):
    source = {"recording": rich_recording, "sorting": rich_sorting}[writer.kind](n_segments)
    plan = si.plan_conversion(source, tmp_path / "copy", to=writer.name)
    if plan.obstacles:
        assert n_segments == 2
        assert all("segment" in one and "select_segments" in one for one in plan.obstacles)
        return
    done = si.convert(source, tmp_path / "copy", to=writer.name)
    assert done.plan.changes == plan.changes
    assert done.notes == ()  # nothing else than what was said
    found = find_differences(source, writer.read_back(plan.target, source)).notes
    said = {one for one in plan.changes if one in LOSSES or one.startswith("properties are")}
    assert said <= set(found)  # and nothing was said that is not so
    if writer.name in {"binary", "zarr", "numpy"}:
        assert plan.changes == ()


def test_times_of_samples_get_lost_but_not_silently(tmp_path):
    recording = si.NumpyRecording([random_traces(300, 2)], 1000.0)
    times = 3.0 + np.arange(300) / 1000.0
    times[100:] += 0.5
    recording.set_times(times)
    for name, ending in TRACE_ENDINGS.items():
        plan = si.plan_conversion(recording, tmp_path / f"{name}{ending}", to=name)
        if name == "nwb":
            assert "reset_times" in plan.obstacles[0]
            continue
        done = si.convert(recording, plan.target, to=name)
        assert done.notes == ()
        assert plan.says(losses.TIMES) == (name not in {"binary", "zarr"})


def test_checksums_are_those_of_the_files(tmp_path):
    sorting = si.NumpySorting.from_unit_dict({1: [3, 9], 2: [4]}, 1000.0)
    done = si.convert(sorting, tmp_path / "a", to="phy")
    assert len(done.checksums) > 3
    for name, digest in done.checksums.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    assert done.format_checksums().count("\n") == len(done.checksums)


def test_progress_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("spikeloom.exporters.comparing._CHUNK_BYTES", 40)
    steps = []
    recording = si.NumpyRecording([random_traces(200, 2)], 1000.0)
    si.convert(recording, tmp_path / "a.npy", on_step=steps.append)
    assert steps[1].startswith("Writing npy")
    assert [step for step in steps if "%" in step] == [f"Compared {k}0 %" for k in range(1, 10)]


def test_a_plan_writes_nothing(tmp_path):
    sorting = si.NumpySorting.from_unit_dict([{1: [3]}, {1: [4]}], 1000.0)
    for name in ("phy", "alf", "nwb"):
        plan = si.plan_conversion(sorting, tmp_path / "x", to=name)
        assert "segment" in plan.obstacles[0]
        with pytest.raises(ParameterError, match="segment"):
            si.convert(sorting, tmp_path / "x", to=name)
    assert si.plan_conversion(sorting, tmp_path / "x.npz").obstacles == ()
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_differs_is_not_kept(tmp_path, monkeypatch):
    def write(source, path, *, overwrite=False, **job_kwargs):
        wrong = si.NumpySorting.from_unit_dict({1: [3, 10]}, 1000.0)
        si.NpzSortingExtractor.write_sorting(wrong, path)

    faulty = Writer("npz", "sorting", write, lambda path, _: si.read_npz_sorting(path), (".npz",))
    monkeypatch.setattr("spikeloom.exporters.conversion.chosen_writer", lambda *_: faulty)
    sorting = si.NumpySorting.from_unit_dict({1: [3, 9]}, 1000.0)
    with pytest.raises(DataError, match="spikes of segment 0 differ"):
        si.convert(sorting, tmp_path / "a.npz")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_replaced_only_if_asked_for(tmp_path):
    one = si.NumpySorting.from_unit_dict({1: [3, 9]}, 1000.0)
    other = si.NumpySorting.from_unit_dict({1: [3, 11]}, 1000.0)
    for name, ending in ENDINGS.items():
        target = tmp_path / name / f"a{ending}"
        si.convert(one, target, to=name)
        before = folder_state(tmp_path / name)
        with pytest.raises(FileExistsError):
            si.convert(other, target, to=name)
        assert folder_state(tmp_path / name) == before
        si.convert(other, target, to=name, overwrite=True)
        assert _back(target, name).get_unit_spike_train(1).tolist() == [3, 11]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(WriteError):
        si.convert(one, tmp_path / "mine", to="phy", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").is_file()


def test_the_source_is_never_the_target(tmp_path):
    sorting = si.NumpySorting.from_unit_dict({1: [3, 9]}, 1000.0)
    si.write_phy_sorting(sorting, tmp_path / "a")
    for target in (tmp_path / "a", tmp_path / "a" / "b", tmp_path):
        with pytest.raises(ParameterError, match="source"):
            si.convert(tmp_path / "a", target, to="numpy", overwrite=True)
    with pytest.raises(ParameterError, match="URL"):
        si.convert(tmp_path / "a", "s3://bucket/a.zarr")


def test_formats_are_chosen_by_name_or_ending():
    assert chosen_writer("sorting", Path("a.kwik")).name == "kwik"
    assert chosen_writer("recording", Path("a.kwik")).kind == "recording"
    assert chosen_writer("sorting", Path("a")).name == "numpy"
    assert chosen_writer("sorting", Path("a"), "alf").name == "alf"
    for kind, path, name in (("sorting", "a.txt", None), ("sorting", "a", "flat")):
        with pytest.raises(ParameterError, match="npz"):
            chosen_writer(kind, Path(path), name)
    with pytest.raises(ParameterError, match="cannot be written"):
        chosen_writer("analyzer", Path("a"))
    with pytest.raises(ParameterError, match="cannot be converted"):
        kind_of(3)


def test_missing_endings_are_appended(tmp_path):
    sorting = si.NumpySorting.from_unit_dict({1: [3, 9]}, 1000.0)
    for name, ending in ENDINGS.items():
        done = si.convert(sorting, tmp_path / f"my.{name}s", to=name)
        assert done.plan.target == tmp_path / f"my.{name}s{ending}"
        assert _back(done.plan.target, name).get_unit_spike_train(1).tolist() == [3, 9]


def test_a_target_for_raw_data_makes_kwik(tmp_path):
    recording = si.NumpyRecording([random_traces(100, 3)], 1000.0)
    si.convert(recording, tmp_path / "rat.raw.kwd")
    again = si.read(tmp_path / "rat.raw.kwd")
    np.testing.assert_array_equal(again.get_traces(), random_traces(100, 3))
    floats = si.NumpyRecording([np.zeros((10, 2), "f4")], 1000.0)
    with pytest.raises(ParameterError, match="int16"):
        si.convert(floats, tmp_path / "floats.kwik")


def test_starts_survive_where_a_format_has_a_place_for_them(tmp_path):
    table = [(3, 0, 0), (9, 1, 0)]
    vector = np.array(table, si.NumpySorting.from_unit_dict({1: [1]}, 1.0).to_spike_vector().dtype)
    sorting = si.NumpySorting(vector, 1000.0, [1, 2], t_starts=[12.5])
    for name, ending in ENDINGS.items():
        done = si.convert(sorting, tmp_path / f"{name}{ending}", to=name)
        is_kept = not done.plan.says(losses.START)
        assert is_kept == (name not in {"phy", "alf", "kwik"})


@pytest.mark.parametrize("change", ["rate", "sample", "unit", "ids"])
def test_differences_are_found(change):
    def made(**changes):
        known = {"rate": 1000.0, "sample": 9, "unit": 1, "ids": "b"} | changes
        trains = {"a": [3], known["ids"]: [7]}
        trains[["a", known["ids"]][known["unit"]]].append(known["sample"])
        return si.NumpySorting.from_unit_dict(trains, known["rate"])

    values = {"rate": 1000.1, "sample": 10, "unit": 0, "ids": "c"}
    assert find_differences(made(), made()).faults == []
    assert find_differences(made(), made(**{change: values[change]})).faults


def test_differences_of_traces_and_events_are_found():
    traces = random_traces(50, 3)
    changed = traces.copy()
    changed[49, 2] += 1
    one, other = (si.NumpyRecording([values], 1000.0) for values in (traces, changed))
    assert find_differences(one, si.NumpyRecording([traces], 1000.0)).faults == []
    assert "differ" in find_differences(one, other).faults[0]
    assert find_differences(one, si.NumpyRecording([traces[:40]], 1000.0)).faults
    assert find_differences(one, si.NumpyRecording([traces[:, :2]], 1000.0)).faults
    assert find_differences(one, si.NumpyRecording([traces.astype("i4")], 1000.0)).faults
    event = si.NumpyEvent.from_dict({"a": [1.0, 2.0]})
    assert find_differences(event, si.NumpyEvent.from_dict({"a": [1.0, 2.0]})).faults == []
    assert find_differences(event, si.NumpyEvent.from_dict({"a": [1.0, 2.5]})).faults
    assert find_differences(event, one).faults


def test_events_and_snippets_are_converted(tmp_path):
    (tmp_path / "events.tsv").write_text("onset\tlabel\n2.0\tb\n1.0\ta\n")
    done = si.convert(tmp_path / "events.tsv", tmp_path / "events")
    assert done.plan.kind == "event"
    again = si.load(tmp_path / "events")
    assert again.get_events("events")["label"].tolist() == ["a", "b"]
    snippets = si.NumpySnippets(np.ones((2, 64, 4)), np.array([50, 90]), 30_000.0, nbefore=20)
    assert si.convert(snippets, tmp_path / "snippets").plan.writer.name == "npy"


def test_unreadable_sources_are_told(tmp_path):
    (tmp_path / "what.xyz").write_text("?")
    with pytest.raises(SpikeloomError, match="No reader knows"):
        si.convert(tmp_path / "what.xyz", tmp_path / "a.npz")
