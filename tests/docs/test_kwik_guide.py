"""The examples of docs/kwik.md give what is printed there."""

import doctest
import re
from pathlib import Path

import pytest

from making.kwik_datasets import group_data, klusta_dataset

GUIDE = Path(__file__).parents[2] / "docs" / "kwik.md"

HEADINGS = [  # those that users know from phy
    "Working with Kwik files",
    "Opening a dataset",
    "Spikes and clusters",
    "Metadata",
    "Features",
    "Waveforms",
    "Extracellular traces",
    "Working with multiple clusterings",
    "Modifying spike clusters manually",
]


def test_the_examples_give_what_is_printed(tmp_path, monkeypatch):
    groups = {0: group_data(), 1: group_data(seed=2, channels=(1, 5))}
    klusta_dataset(tmp_path, "myexperiment", groups=groups)
    klusta_dataset(tmp_path, "without_raw", has_raw=False)
    monkeypatch.chdir(tmp_path)
    text = "\n".join(re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.M | re.S))
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(text, {}, "docs/kwik.md", str(GUIDE), 0)
    said = []
    results = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert results.attempted > 40
    if results.failed:
        pytest.fail("".join(said))


def test_each_heading_of_the_documents_is_there_with_an_example():
    parts = re.split(r"^#+ (.*)$", GUIDE.read_text(), flags=re.M)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    for heading in HEADINGS:
        assert heading in sections
        assert heading == HEADINGS[0] or "```python" in sections[heading]
