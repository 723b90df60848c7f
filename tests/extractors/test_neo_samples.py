"""Files of every format that neo reads: what is read is what was written."""

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import spikeloom as si
from making.neo_samples import SAMPLES, format_name
from spikeloom.core.loading import load
from spikeloom.errors import MissingDependencyError, ParameterError, SpikeloomError
from spikeloom.extractors.neo_formats import NEO_FORMATS
from spikeloom.extractors.neo_readers import NEO_FUNCTIONS

pytest.importorskip("neo.rawio")

_TOLD = {
    "blackrock, 2.1": "Cannot rescale",
    "tdt": "",
}
"""What is said of a sample when it is opened."""


@pytest.fixture(params=SAMPLES)
def case(request, tmp_path):
    needs = NEO_FORMATS[format_name(request.param)].needs
    if needs:
        pytest.importorskip(needs)
    return request.param, SAMPLES[request.param](tmp_path / "made")


def opened(case, **more):
    name, sample = case
    read = NEO_FUNCTIONS[format_name(name)]
    with warnings.catch_warnings():
        if name in _TOLD:
            warnings.filterwarnings("ignore", _TOLD[name])
        return read(sample.path, **sample.options, **more)


def test_what_the_header_says(case):
    sample = case[1]
    recording = opened(case)
    assert tuple(recording.channel_ids) == sample.ids
    if sample.names:
        assert tuple(recording.get_property("channel_name")) == sample.names
    assert recording.sampling_frequency == pytest.approx(sample.rate)
    assert recording.get_dtype() == sample.segments[0].dtype
    assert recording.get_num_segments() == len(sample.segments)
    if sample.gain_uV is not None:
        np.testing.assert_allclose(recording.get_channel_gains(), sample.gain_uV, rtol=1e-6)
        np.testing.assert_allclose(recording.get_channel_offsets(), sample.offset_uV, rtol=1e-6)
        in_uV = recording.get_traces(0, 3, 6, return_in_uV=True)
        expected = sample.segments[0][3:6] * sample.gain_uV + sample.offset_uV
        np.testing.assert_allclose(in_uV, expected, rtol=1e-5, atol=1e-3)


def test_streams(case):
    name, sample = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names, ids = si.get_neo_streams(format_name(name), sample.path)
    assert tuple(zip(names, ids, strict=True)) == sample.streams
    with pytest.raises(ParameterError, match=names[-1].replace("(", ".").replace(")", ".")):
        opened((name, replace(sample, options={})), stream_name="none of these")
    if len(names) > 1:
        for stream_name, stream_id in sample.streams:
            other = opened((name, replace(sample, options={})), stream_name=stream_name)
            assert other.stream_id == stream_id
            assert other.get_traces(0, 0, 7).shape == (7, other.get_num_channels())


def test_traces(case):
    sample = case[1]
    recording = opened(case)
    for k, expected in enumerate(sample.segments):
        np.testing.assert_array_equal(recording.get_traces(k), expected)
        assert recording.get_start_time(k) == pytest.approx(sample.t_starts[k])
        end = len(expected)
        # Borders of blocks are at multiples of 3, 50, 64, 100, 128, 512 and 1024.
        for first, last in ((0, 7), (62, 66), (99, 101), (100, 200), (50, 260), (end - 3, end)):
            found = recording.get_traces(k, first, last)
            np.testing.assert_array_equal(found, expected[first:last])
        assert recording.get_traces(k, 5, 5).shape == (0, len(sample.ids))


def test_some_of_the_channels(case):
    sample = case[1]
    recording = opened(case)
    for k, expected in enumerate(sample.segments):
        for c, channel in enumerate(sample.ids):
            found = recording.get_traces(k, 3, 250, [channel])
            np.testing.assert_array_equal(found[:, 0], expected[3:250, c])
        found = recording.get_traces(k, 3, 250, sample.ids[::-1])
        np.testing.assert_array_equal(found, expected[3:250, ::-1])
    part = recording.channel_slice(sample.ids[1:] or sample.ids)
    np.testing.assert_array_equal(part.get_traces(0, 0, 9)[:, -1], sample.segments[0][:9, -1])


def test_threads(case):
    recording = opened(case)
    expected = case[1].segments[0]
    starts = list(range(0, len(expected), 37))
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda k: recording.get_traces(0, k, k + 37), starts[:-1]))
    np.testing.assert_array_equal(np.concatenate(parts), expected[: starts[-1]])


def test_recognition_and_saving(case, tmp_path):
    name, sample = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recording = si.read(sample.path, **sample.options)
        assert type(recording).__name__ == NEO_FORMATS[format_name(name)].class_name
        recording.dump(tmp_path / "recording.json")
        again = load(tmp_path / "recording.json")
    np.testing.assert_array_equal(again.get_traces(0), sample.segments[0])
    assert tuple(again.channel_ids) == sample.ids


def test_names_as_ids_and_annotations(case):
    sample = case[1]
    recording = opened(case, use_names_as_ids=True, all_annotations=True)
    assert tuple(recording.channel_ids) == (sample.names or sample.ids)
    assert recording.get_annotation("stream_name") == recording.stream_name


def test_empty_foreign_and_cut_files(case):
    name, sample = case
    whole = {path: path.read_bytes() for path in sample.damaged}
    read = NEO_FUNCTIONS[format_name(name)]
    for path, content in whole.items():
        for damage in (b"", b"something else " * 99, content[: len(content) // 3]):
            path.write_bytes(damage)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                told = str(path)
                try:
                    read(sample.path, **sample.options).get_traces(0)
                except SpikeloomError as error:
                    told = str(error)
                assert str(sample.path) in told or path.name in told
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "package"),
    [(name, one.needs) for name, one in NEO_FORMATS.items() if one.needs],
)
def test_what_has_to_be_installed(name, package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / f"x{NEO_FORMATS[name].extensions[0]}"
    path.mkdir() if NEO_FORMATS[name].is_folder else path.write_bytes(b"")
    with pytest.raises(MissingDependencyError, match=package.replace("_", ".")):
        NEO_FUNCTIONS[name](path)
