"""The examples of docs/analyzer.md run one after the other, as they are printed."""

import re
from pathlib import Path

import numpy as np
import pynwb
import pytest

import spikeloom as si

GUIDE = Path(__file__).parents[2] / "docs" / "analyzer.md"


@pytest.mark.parametrize("durations", [[10.0]])
def test_the_examples_run(durations, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    recording, sorting = si.generate_ground_truth_recording(
        durations=durations, num_channels=16, num_units=6, seed=2
    )
    namespace = {"np": np, "si": si, "recording": recording, "sorting": sorting}
    blocks = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    for code in blocks:
        exec(compile(code, "docs/analyzer.md", "exec"), namespace)
    assert "16 channels - 6 units - 1 segments - memory - sparse" in capsys.readouterr().out
    assert namespace["metrics"].shape[0] == 6
    assert namespace["merged"].get_num_units() == 5
    assert namespace["others"].get_num_units() == 5
    assert namespace["templates"].shape[0] == 6
    assert (tmp_path / "phy" / "params.py").is_file()
    assert len(list((tmp_path / "report" / "units").iterdir())) == 6
    with pynwb.NWBHDF5IO("session.nwb", "r") as file:
        assert len(file.read().units) == 6
    assert (tmp_path / "units.nwb").is_file()
    assert 0 < len(namespace["good"]) <= len(namespace["units"]) == 6
    again = si.load("sorting_analyzer.zarr")
    assert again.has_extension("quality_metrics")
