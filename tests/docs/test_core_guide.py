"""The examples of docs/core.md run as they are printed, with what they speak of supplied."""

import re
from pathlib import Path

import numpy as np
import pytest

import spikeloom as si

GUIDE = Path(__file__).parents[2] / "docs" / "core.md"

RATE = 30_000.0


def examples():
    """Return the code of the guide, with the heading above it and its number below that."""
    heading, found = "", []
    blocks = r"^## ([^\n]*)$|^```python\n(.*?)^```$"
    for match in re.finditer(blocks, GUIDE.read_text(), re.M | re.S):
        if match[1]:
            heading = match[1]
        else:
            number = sum(1 for name, _, _ in found if name == heading)
            found.append((heading, number, match[2]))
    return found


def a_recording(n_channels=16, durations=(12.0,), dtype=np.int16):
    rng = np.random.default_rng(0)
    traces = [rng.integers(-99, 99, (int(s * RATE), n_channels)).astype(dtype) for s in durations]
    recording = si.NumpyRecording(traces, RATE)
    recording.set_channel_gains(0.195)
    recording.set_channel_offsets(0.0)
    return recording


def a_sorting(n_segments=1, n_units=10):
    rng = np.random.default_rng(1)
    samples = [np.sort(rng.integers(0, 12 * RATE, 3000)) for _ in range(n_segments)]
    labels = [rng.integers(0, n_units, 3000) for _ in range(n_segments)]
    return si.NumpySorting.from_samples_and_labels(samples, labels, RATE)


def recordings():
    return {"recording": a_recording(), "num_samples": int(12 * RATE)}


def sortings():
    return {"recording": a_recording(), "sorting": a_sorting()}


def events():
    dtype = [("time", "f8"), ("duration", "f8"), ("label", "U100")]
    pulses = np.array([(1.0, 0.1, "on"), (2.0, 0.1, "off")], dtype)
    return {"event": si.NumpyEvent.from_dict({"trial": pulses, "reward": pulses})}


def some_snippets():
    return {"snippets": si.NumpySnippets([np.ones((5, 60, 16))], [np.arange(5) * 99], RATE, 20)}


def with_probe(monkeypatch):
    import probeinterface

    def get_probe(manufacturer, probe_name):  # the library of probes is on the net
        return probeinterface.generate_multi_shank(
            num_shank=4, num_columns=2, num_contact_per_column=8
        )

    monkeypatch.setattr(probeinterface, "get_probe", get_probe)
    return {"recording": a_recording(64)}


def to_save():
    return {"recording": a_recording(), "sorting": a_sorting()} | some_snippets()


def long_ones():
    def part(n):
        return si.NumpyRecording([np.zeros((20, 40), np.int16)] * n, 30.0)

    return {
        "recording": si.NumpyRecording([np.zeros((30 * 800, 40), np.int16)], 30.0),
        "sorting": a_sorting(),
        "recording2": part(2),
        "recording3": part(3),
    }


def files():
    for name in "AB":
        np.zeros((90, 4), np.int16).tofile(f"file{name}.raw")
        si.NpzSortingExtractor.write_sorting(a_sorting(), f"sorting{name}.npz")
    return {}


SUPPLIED = {
    ("", 0): dict,
    ("Recordings", 0): recordings,
    ("Sortings", 0): sortings,
    ("Events and snippets", 0): events,
    ("Events and snippets", 1): some_snippets,
    ("Probes", 0): with_probe,
    ("Saving and loading", 0): to_save,
    ("Saving and loading", 1): lambda: {**to_save(), "job_kwargs": {"n_jobs": 2}},
    ("Parallel jobs", 0): dict,
    ("Objects in memory", 0): dict,
    ("Objects in memory", 1): sortings,
    ("Slicing, aggregating, segments", 0): long_ones,
    ("Slicing, aggregating, segments", 1): files,
    ("Slicing, aggregating, segments", 2): long_ones,
    ("Toy objects", 0): dict,
}

ON_THE_NET = {"Example data"}


@pytest.fixture(autouse=True)
def clean_settings():
    yield
    si.reset_global_job_kwargs()


@pytest.mark.parametrize(
    ("heading", "number", "code"), examples(), ids=lambda value: str(value)[:20].partition("\n")[0]
)
def test_an_example_runs_as_it_is_printed(heading, number, code, tmp_path, monkeypatch, capsys):
    if heading in ON_THE_NET:
        pytest.skip("needs the net; tests/extractors/test_download.py has a server of its own")
    monkeypatch.chdir(tmp_path)
    supply = SUPPLIED[heading, number]
    supplied = supply(monkeypatch) if supply is with_probe else supply()
    namespace = {"np": np, "si": si, **supplied}
    exec(compile(code, f"docs/core.md: {heading}", "exec"), namespace)
    if heading == "Parallel jobs":
        assert "'n_jobs': 16" in capsys.readouterr().out
    if (heading, number) == ("Recordings", 0):
        assert namespace["traces_uV"].dtype == np.float32
        assert sorted(namespace["recording_by_group"]) == [0, 1, 2, 3]
        assert namespace["recording_rm_chans"].get_num_channels() == 14
    if (heading, number) == ("Slicing, aggregating, segments", 2):
        assert namespace["recording5"].get_num_segments() == 5
        assert namespace["recording_mono"].get_num_samples() == 140
        assert len(namespace["recording_mono_list"]) == 5
        assert namespace["recording_select2"].get_num_segments() == 2
