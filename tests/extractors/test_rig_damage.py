"""Damaged files of rigs give clean errors, soon, and without taking the memory."""

import resource
import warnings

import pytest

from making.damage_runs import N_MORE_KIBIBYTES_MAX, Run, grown_kib
from making.hdf5_damage import try_mutations
from making.rig_damage_cases import CASES, HDF5_CASES

N_MUTATIONS, N_MUTATIONS_SLOW = 100, 100_000


def _damage(name, folder, n_mutations):
    case = CASES[name](folder)
    case.use(0)
    run = Run(case)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for seed in range(n_mutations):
            run.one(seed)
    assert not run.faults
    assert run.outcomes["told"] > n_mutations / 20
    assert grown_kib(before_kib) < N_MORE_KIBIBYTES_MAX


@pytest.mark.parametrize("name", CASES)
def test_damage_is_told(tmp_path, name):
    _damage(name, tmp_path, N_MUTATIONS)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", CASES)
def test_much_damage_is_told(tmp_path, name):
    _damage(name, tmp_path, N_MUTATIONS_SLOW)


def _damage_hdf5(name, folder, n_mutations):
    path, use = HDF5_CASES[name](folder)
    outcome = try_mutations(path, use, 0, n_mutations)
    assert outcome.faults == []
    assert outcome.n_told > n_mutations / 20
    assert outcome.peak_kib < N_MORE_KIBIBYTES_MAX


@pytest.mark.parametrize("name", HDF5_CASES)
def test_damage_of_hdf5_files_is_told(tmp_path, name):
    _damage_hdf5(name, tmp_path, N_MUTATIONS)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", HDF5_CASES)
def test_much_damage_of_hdf5_files_is_told(tmp_path, name):
    _damage_hdf5(name, tmp_path, N_MUTATIONS_SLOW)
