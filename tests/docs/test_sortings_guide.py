"""The examples of docs/sortings.md give what is printed there."""

import doctest
import re
from pathlib import Path

import pytest

import spikeloom as si
from making.recording_files import random_traces, write_spikeglx
from making.sorting_files import (
    RATE,
    write_alf,
    write_mclust,
    write_nwb_units,
    write_phy,
    write_spykingcircus,
)

GUIDE = Path(__file__).parents[2] / "docs" / "sortings.md"


def _write_files(folder):
    write_phy(
        folder / "phy",
        group={1: "good", 3: "noise"},
        KSLabel={1: "good", 3: "mua", 12: "good"},
        ContamPct={1: 0.5, 3: 100.0},
    )
    write_mclust(folder / "mclust")
    write_alf(folder / "alf")
    write_spykingcircus(folder / "circus")
    write_nwb_units(folder / "mouse.nwb", resolution=1 / RATE)
    text = "onset\tduration\ttrial_type\n1.5\t0.2\tgo\n0.5\t0.1\tstop\n"
    (folder / "sub-1_events.tsv").write_text(text)
    traces = random_traces(60, 3)
    traces[:, -1] = [0] * 30 + [64] * 30
    write_spikeglx(folder / "rat_g0", "rat_g0_t0.imec0.ap", traces)


def test_the_examples_give_what_is_printed(tmp_path, monkeypatch):
    _write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = "\n".join(re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.M | re.S))
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(text, {}, "docs/sortings.md", str(GUIDE), 0)
    said = []
    results = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert results.attempted > 20
    if results.failed:
        pytest.fail("".join(said))


def test_functions_that_are_named_are_there():
    for name in re.findall(r"`((?:read|write)_\w+)", GUIDE.read_text()):
        assert callable(getattr(si, name)), name
