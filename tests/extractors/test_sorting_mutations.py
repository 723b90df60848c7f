"""Damaged files of sortings and events give clean errors, soon, and without taking the memory."""

import resource
import shutil
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import spikeloom as si
from making.sorting_files import (
    RATE,
    write_alf,
    write_cellexplorer,
    write_hdsort,
    write_mclust,
    write_nwb_units,
    write_phy,
    write_spykingcircus,
    write_waveclus,
)
from spikeloom.errors import SpikeloomError

N_EXAMPLES, N_EXAMPLES_SLOW = 150, 12_000

N_MORE_KIBIBYTES_MAX = 800 << 10
"""Memory beyond what a run may grow; sizes that are believed want far more."""

EXTREMES = [
    *(b"0", b"-1", b"nan", b"99999999999999999999", b"\0", b"\xff\xff\xff\xff", b"\n", b"\t"),
    *(b"\xff\xff\xff\x7f", b"()", b"{", b"O", b"|O", b"<U9999999", b"(999999999,)", b"\xc3\x28"),
]

changes = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 12),
        st.one_of(st.sampled_from(EXTREMES), st.binary(max_size=6)),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def _mutated(content, mutations):
    for place, n_removed, inserted, keeps_size in mutations:
        k = int(place * (len(content) + 1))
        n = len(inserted) if keeps_size else n_removed
        content = content[:k] + inserted + content[k + n :]
    return content


def _phy(folder):
    write_phy(folder, group={1: "good", 3: "mua"})
    return sorted(folder.iterdir()), lambda: si.read_phy(folder).spike_table()


def _alf(folder):
    write_alf(folder)
    return sorted(folder.iterdir()), lambda: si.read_alf_sorting(folder).spike_table()


def _mclust(folder):
    write_mclust(folder)
    return sorted(folder.iterdir()), lambda: si.read_mclust(folder, RATE).spike_table()


def _spykingcircus(folder):
    write_spykingcircus(folder)
    files = [folder / "rec.params", folder / "rec" / "rec.result.hdf5"]
    return files, lambda: si.read_spykingcircus(folder).spike_table()


def _waveclus(folder):
    folder.mkdir()
    path = write_waveclus(folder / "times_a.mat")
    return [path], lambda: si.read_waveclus(path).spike_table()


def _hdsort(folder):
    folder.mkdir()
    five = write_hdsort(folder / "5.mat", version="5")
    seven = write_hdsort(folder / "7.mat", version="7.3")
    return [five, seven], lambda: [si.read_hdsort(path).spike_table() for path in (five, seven)]


def _cellexplorer(folder):
    paths = [write_cellexplorer(folder / name, version=name) for name in ("5", "7.3")]
    return paths, lambda: [si.read_cellexplorer(path).spike_table() for path in paths]


def _nwb(folder):
    folder.mkdir()
    path = write_nwb_units(folder / "a.nwb", resolution=1 / RATE)
    return [path], lambda: si.read_nwb_sorting(path).spike_table()


def _tables(folder):
    folder.mkdir()
    text, records = folder / "events.tsv", folder / "events.npy"
    text.write_text("onset\tduration\tlabel\n1.0\t0.5\ta\n2.0\tn/a\tb\n")
    np.save(records, np.array([(1.5, "on"), (0.5, "off")], [("time", "f8"), ("label", "U3")]))
    return [text, records], lambda: [si.read_event_table(path) for path in (text, records)]


MAKERS = [_phy, _alf, _mclust, _spykingcircus, _waveclus, _hdsort, _cellexplorer, _nwb, _tables]


def _check(make, folder, n_examples):
    files, use = make(folder)
    whole = [path.read_bytes() for path in files]
    use()
    outcomes = set()
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @settings(max_examples=n_examples, deadline=20_000, suppress_health_check=[*HealthCheck])
    @given(which=st.integers(0, len(files) - 1), mutations=changes)
    def check(which, mutations):
        files[which].write_bytes(_mutated(whole[which], mutations))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                use()
            outcomes.add("fine")
        except SpikeloomError as error:
            outcomes.add("told" if str(error) else "said nothing")
        finally:
            files[which].write_bytes(whole[which])

    check()
    assert outcomes == {"fine", "told"}
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert grown_kib < N_MORE_KIBIBYTES_MAX
    shutil.rmtree(folder)


@pytest.mark.parametrize("make", MAKERS)
def test_damage_is_told(tmp_path, make):
    _check(make, tmp_path / "case", N_EXAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_much_damage_is_told(tmp_path, make):
    _check(make, tmp_path / "case", N_EXAMPLES_SLOW)
