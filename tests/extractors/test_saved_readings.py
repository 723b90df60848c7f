"""Recordings of all readers are saved by several threads and processes as they are."""

import numpy as np
import pytest

import spikeloom as si
from making.recording_files import random_traces, write_mcs_raw, write_mda, write_spikeglx
from reference.mtscomp import write_cbin

TRACES = random_traces(30_000, 5)


def make_cbin(folder):
    write_cbin(folder / "x.cbin", TRACES, 30_000.0, chunk_samples=7000)
    return si.read_cbin(folder / "x.cbin")


def make_npy(folder):
    np.save(folder / "x.npy", TRACES)
    return si.read_npy_recording(folder / "x.npy", 30_000.0)


def make_mda(folder):
    write_mda(folder / "raw.mda", TRACES.T)
    (folder / "params.json").write_text('{"samplerate": 30000}')
    return si.read_mda_recording(folder)


def make_spikeglx(folder):
    write_spikeglx(folder / "glx", "x_g0_t0.imec0.ap", TRACES)
    return si.read_spikeglx(folder / "glx")


def make_mcs(folder):
    pytest.importorskip("neo")
    write_mcs_raw(folder / "x.raw", TRACES, 25_000)
    return si.read_mcsraw(folder / "x.raw")


@pytest.mark.parametrize("engine", ["thread", "process"])
@pytest.mark.parametrize("make", [make_cbin, make_npy, make_mda, make_spikeglx, make_mcs])
def test_saved_traces_are_those_of_the_file(make, engine, tmp_path):
    recording = make(tmp_path)
    saved = recording.save(
        folder=tmp_path / "saved",
        n_jobs=2,
        pool_engine=engine,
        chunk_size=4000,
        progress_bar=False,
    )
    n_channels = recording.get_num_channels()
    np.testing.assert_array_equal(saved.get_traces().astype("<i2"), TRACES[:, :n_channels])
