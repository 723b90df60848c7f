from html.parser import HTMLParser

import numpy as np
import pytest

from spikeloom.core.base import BaseExtractor
from spikeloom.core.display import duration_text, frequency_text, size_text
from spikeloom.core.numpy_events import NumpyEvent
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment


class LazySegment(BaseRecordingSegment):
    """A segment whose traces nobody may read."""

    def __init__(self, n_samples):
        super().__init__(30_000.0)
        self.n_samples = n_samples

    def get_num_samples(self):
        return self.n_samples

    def get_traces(self, start_frame=None, end_frame=None, channel_indices=None):
        raise AssertionError


def lazy_recording(lengths, n_channels=384):
    recording = BaseRecording(30_000.0, np.arange(n_channels), np.int16)
    for n in lengths:
        recording.add_recording_segment(LazySegment(n))
    return recording


class Outline(HTMLParser):
    """Tags of a text, checked to be closed in order, and what people read in it."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_a_recording_is_one_line():
    recording = NumpyRecording([np.zeros((2000, 4), np.int16)], 500.0)
    assert repr(recording) == (
        "NumpyRecording: 4 channels - 500.0Hz - 1 segments - 2,000 samples - 4.00s - int16 dtype - "
        "15.62 KiB"
    )
    recording.name = "rat 7"
    assert repr(recording).startswith("rat 7 (NumpyRecording): 4 channels - 500.0Hz")


def test_a_long_line_is_broken_where_a_fact_ends():
    recording = lazy_recording([30_000 * 3600])
    recording.name = "a recording with a long name"
    first, second = repr(recording).split("\n")
    assert first.endswith(" - 1 segments")
    assert second == (
        " " * len("a recording with a long name (BaseRecording): ")
        + "108,000,000 samples - 3,600.00s (1.00 hours) - int16 dtype - 77.25 GiB"
    )


def test_a_name_longer_than_a_line_does_not_break_it():
    recording = lazy_recording([10])
    recording.name = "name - with - dashes " * 8
    assert "\n" not in repr(recording)


def test_segments_are_listed_and_many_are_left_out():
    few = repr(lazy_recording([30_000, 300], n_channels=4)).split("\n")
    assert few[-4:] == [
        "Segments:",
        "Samples:   30,000 | 300",
        "Durations: 1.00s | 0.01s (10.00 ms)",
        "Memory:    234.38 KiB | 2.34 KiB",
    ]
    many = repr(lazy_recording(range(1, 101), n_channels=4)).split("\n")
    assert many[-3] == "Samples:   1 | 2 | 3 | ... | 98 | 99 | 100"


def test_files_are_named():
    recording = lazy_recording([30])
    recording._kwargs = {"file_paths": ["a.raw"], "file_path": "b.raw"}
    assert repr(recording).endswith("\n  file_paths: ['a.raw']\n  file_path: b.raw")


def test_the_other_kinds():
    sorting = NumpySorting.from_unit_dict([{"a": [1], "b": [2]}, {}], 30_000.0)
    assert repr(sorting) == "NumpySorting: 2 units - 2 segments - 30.0kHz"
    event = NumpyEvent.from_dict({"stim": [0.5], "lick": [1.0]})
    assert repr(event) == "NumpyEvent: 2 channels - 1 segments"
    snippets = NumpySnippets(np.zeros((3, 64, 4), "i2"), np.arange(3), 24_000.0, nbefore=20)
    assert repr(snippets) == (
        "NumpySnippets: 4 channels - 24.0kHz - 1 segments - 3 snippets - 64 samples (20 before) - "
        "int16 dtype"
    )
    assert "before" not in repr(NumpySnippets(np.zeros((3, 64, 4)), np.arange(3), 24_000.0))
    assert repr(BaseExtractor([1, 2])) == "BaseExtractor: 2 ids - 0 segments"


@pytest.mark.parametrize("cls", [BaseExtractor, NumpyRecording, NumpySorting, NumpyEvent])
def test_objects_that_were_never_made_can_be_printed(cls):
    half = cls.__new__(cls)
    assert repr(half).startswith(cls.__name__)
    Outline(half._repr_html_())


def test_objects_whose_files_are_gone_can_be_printed():
    class Broken(LazySegment):
        def get_num_samples(self):
            raise OSError

    recording = lazy_recording([30])
    recording.add_recording_segment(Broken(1))
    assert repr(recording) == "BaseRecording: 384 channels - 30.0kHz - 2 segments - int16 dtype"
    Outline(recording._repr_html_())


def test_html_has_it_all_to_unfold_and_nothing_of_it_is_markup():
    recording = lazy_recording([30, 40], n_channels=3)
    recording.name = "<b>&rat"
    recording.annotate(note="<script>alert(1)</script>", huge="x" * 10**6)
    recording.set_property("<i>", ["<a>", "<b>", "<c>"])
    recording._kwargs = {"file_path": "<file>.raw"}
    text = recording._repr_html_()
    outline = Outline(text)
    assert set(outline.tags) <= {"div", "strong", "details", "summary", "ul", "li"}
    words = "".join(outline.words)
    for part in ("<b>&rat (BaseRecording): 3 channels", "<script>", "<i>", "'<a>'", "<file>.raw"):
        assert part in words
    for title in ("Segments", "Channel IDs", "Annotations", "Properties", "Files"):
        assert title in outline.words
    assert "Parent" not in outline.words
    assert len(text) < 10_000
    # No colours of our own: dark notebooks stay dark.
    assert "background:none" in text
    assert "color:inherit" in text


def test_html_of_a_view_has_its_parents():
    snippets = NumpySnippets(np.zeros((3, 8, 4)), np.arange(3), 24_000.0)
    snippets.name = "tetrode"
    view = snippets.select_channels([0, 1]).select_segments(0)
    outline = Outline(view._repr_html_())
    assert outline.words.count("Parent") == 2
    assert any(word.startswith("ChannelSliceSnippets: 2 channels") for word in outline.words)
    hidden = Outline(view._repr_html_(display_name=False))
    assert hidden.words[0].startswith("SelectSegmentSnippets: 2 channels")
    deep = snippets
    for _ in range(40):
        deep = deep.select_channels([0])
    assert Outline(deep._repr_html_()).words.count("Parent") == 20


def test_units_have_unit_ids():
    sorting = NumpySorting.from_unit_dict({"a": [1]}, 30_000.0)
    assert "Unit IDs" in Outline(sorting._repr_html_()).words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (frequency_text(10_000.0), "10000.0Hz"),
        (frequency_text(10_001.0), "10.0kHz"),
        (frequency_text(32_000.5), "32000.500000 Hz"),
        (duration_text(59.994), "59.99s"),
        (duration_text(90.0), "90.00s (1.50 minutes)"),
        (duration_text(86_400.0), "86,400.00s (24.00 hours)"),
        (duration_text(864_000.0), "864,000.00s (10.00 days)"),
        (size_text(0), "0.00 B"),
        (size_text(1023), "1023.00 B"),
        (size_text(2**50), "1024.00 TiB"),
    ],
)
def test_amounts_are_read_easily(text, expected):
    assert text == expected
