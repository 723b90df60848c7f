"""Damaged HDF5 files give clean errors, soon, and without crashes or much memory."""

import pytest

from making.hdf5_cases import MADE, REAL
from making.hdf5_damage import run_mutations

N_QUICK = {
    "nwb": 60,
    "klusta": 20,
    "viewa": 20,
    "mearec": 80,
    "matlab": 80,
    "spykingcircus": 250,
}

N_SLOW, N_PARTS = 100_000, 20

MORE_MEMORY_KIB_MAX = 400 << 10


def _check(name, folder, first, n):
    for outcome in run_mutations(name, folder, first, n):
        assert outcome.faults == []
        assert outcome.n_fine + outcome.n_told == n
        assert outcome.n_fine > 0
        assert outcome.peak_kib < MORE_MEMORY_KIB_MAX


@pytest.mark.parametrize("name", MADE)
def test_damage_is_told(tmp_path, name):
    _check(name, tmp_path / "case", 0, N_QUICK[name])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(N_PARTS))
@pytest.mark.parametrize("name", MADE)
def test_much_damage_is_told(tmp_path, name, part):
    n = N_SLOW // N_PARTS
    _check(name, tmp_path / "case", 1_000_000 + part * n, n)


@pytest.mark.slow
@pytest.mark.usefixtures("data_folder")
@pytest.mark.parametrize("name", REAL)
def test_damage_of_real_files_is_told(tmp_path, name):
    _check(name, tmp_path / "case", 0, 2_000)
