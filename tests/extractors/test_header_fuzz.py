"""Mutated real headers: own readers open them or say what is wrong, and never more."""

import json
import re
import resource
import shutil
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from making.recording_files import random_traces, write_mda, write_openephys
from reference.mtscomp import write_cbin
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import SpikeloomError
from spikeloom.extractors.cbin_recording import read_cbin
from spikeloom.extractors.mda_recording import read_mda_recording, read_mda_sorting
from spikeloom.extractors.openephys_recording import read_openephys
from spikeloom.extractors.plain_arrays import read_npy_recording
from spikeloom.extractors.reading import recognise
from spikeloom.extractors.spikeglx_recording import read_spikeglx

N_EXAMPLES, N_EXAMPLES_SLOW = 300, 12_500

N_MORE_KIBIBYTES_MAX = 500 << 10
"""Memory beyond what a run may grow; headers that are believed want far more."""

EXTREMES = [
    *(b"0", b"-1", b"1e999", b"nan", b"99999999999999999999", b"2147483647", b"4:3", b"0:99999999"),
    *(b"", b"\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"()", b"[]", b"{}", b"null", b'"x"'),
    *(b"=", b"\n", b"~", b",", b"../../x", b"\xc3\x28"),
]

mutations = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 12),
        st.one_of(st.sampled_from(EXTREMES), st.binary(max_size=6)),
    ),
    min_size=1,
    max_size=6,
)


def mutated(content, changes):
    """Replace bytes at relative places by others."""
    for place, n_removed, inserted in changes:
        k = int(place * (len(content) + 1))
        content = content[:k] + inserted + content[k + n_removed :]
    return content


def replaced_numbers(content, changes):
    """Replace whole numbers of a text, so that headers stay readable and lie."""
    places = list(re.finditer(rb"-?\d+(\.\d+)?", content))
    for place, _, inserted in changes:
        found = places[int(place * len(places))]
        old = content[found.start() : found.end()]
        return content.replace(old, inserted, 1) if inserted else content
    return content


class Case:
    """A header that is mutated, and what reads it."""

    def __init__(self, header, read, *, is_text):
        self.header = header
        self.whole = header.read_bytes()
        self.read = read
        self.is_text = is_text

    def check(self, changes, *, keeps_shape):
        change = replaced_numbers if keeps_shape and self.is_text else mutated
        self.header.write_bytes(change(self.whole, changes))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                recording = self.read()
            if isinstance(recording, BaseRecording):
                recording.get_traces(0, 0, min(5, recording.get_num_samples(0)))
            else:
                recording.to_spike_vector()
        except SpikeloomError:
            pass  # any other error fails the test
        if changes[0][0] < 0.2:  # asking all readers takes a while
            assert all(one.recognition.reason for one in recognise(self.header))


@pytest.fixture(params=["spikeglx", "np24", "openephys", "cbin", "mda", "firings", "npy", "params"])
def case(request, tmp_path, data_folder):
    traces = random_traces(200, 4)
    kind = request.param
    if kind in {"spikeglx", "np24"}:
        source = {
            "spikeglx": data_folder / "hybrid_np24_dev/rec_g0_t0.imec0.ap.meta",
            "np24": data_folder
            / "spikeglx_meta/NP2_4_shanks_save_different_electrodes.imec0.ap.meta",
        }[kind]
        header = tmp_path / source.name
        shutil.copyfile(source, header)
        random_traces(40, 385).tofile(header.with_suffix(".bin"))
        return Case(header, lambda: read_spikeglx(tmp_path), is_text=True)
    if kind == "openephys":
        folder = tmp_path / "experiment1/recording1"
        write_openephys(folder, traces)
        return Case(folder / "structure.oebin", lambda: read_openephys(tmp_path), is_text=True)
    if kind == "cbin":
        write_cbin(tmp_path / "x.cbin", traces, 3e4, chunk_samples=64)
        return Case(tmp_path / "x.ch", lambda: read_cbin(tmp_path / "x.cbin"), is_text=True)
    if kind == "npy":
        np.save(tmp_path / "x.npy", traces)
        path = tmp_path / "x.npy"
        return Case(path, lambda: read_npy_recording(path, 3e4), is_text=False)
    if kind == "firings":
        write_mda(tmp_path / "x.mda", np.arange(30.0).reshape(3, 10))
        path = tmp_path / "x.mda"
        return Case(path, lambda: read_mda_sorting(path, 3e4), is_text=False)
    write_mda(tmp_path / "raw.mda", traces.T)
    (tmp_path / "params.json").write_text('{"samplerate": 30000}')
    (tmp_path / "geom.csv").write_text("0,0\n0,1\n0,2\n0,3\n")
    name = "params.json" if kind == "params" else "raw.mda"
    return Case(tmp_path / name, lambda: read_mda_recording(tmp_path), is_text=kind == "params")


def run(case, n_examples):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @settings(
        max_examples=n_examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(mutations, st.booleans())
    def check(changes, keeps_shape):
        case.check(changes, keeps_shape=keeps_shape)

    check()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < N_MORE_KIBIBYTES_MAX


def test_mutated_headers(case):
    run(case, N_EXAMPLES)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_many_mutated_headers(case):
    run(case, N_EXAMPLES_SLOW)


def test_a_header_as_it_is_opens(case):
    assert case.read().get_num_segments() == 1


@pytest.mark.parametrize("number", [2**31 - 1, -(2**31), 2**30])
def test_sizes_are_checked_before_anything_is_made(tmp_path, number):
    path = tmp_path / "x.mda"
    path.write_bytes(struct.pack("<5i", -7, 8, 2, 3, number) + bytes(240))
    with pytest.raises(SpikeloomError):
        read_mda_sorting(path, 3e4)
    write_cbin(tmp_path / "x.cbin", random_traces(200, 4), 3e4, chunk_samples=64)
    table = json.loads(Path(tmp_path / "x.ch").read_text())
    table["n_channels"] = number
    (tmp_path / "x.ch").write_text(json.dumps(table))
    with pytest.raises(SpikeloomError):
        read_cbin(tmp_path / "x.cbin").get_traces(0, 0, 5)
