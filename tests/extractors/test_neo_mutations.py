"""Damaged files of every format that neo reads: clean errors, in little time and memory."""

import logging

import pytest

from making.neo_damage import failures_of
from making.neo_samples import SAMPLES, format_name
from spikeloom.extractors.neo_formats import NEO_FORMATS

rawio = pytest.importorskip("neo.rawio")

N_MUTATIONS, N_MUTATIONS_SLOW = 200, 3000

_ONE_OF_EACH = {format_name(name): name for name in reversed(SAMPLES)}.values()


def check(name, folder, n_mutations):
    needs = NEO_FORMATS[format_name(name)].needs
    if needs:
        pytest.importorskip(needs)
    logging.getLogger("neo").setLevel(logging.CRITICAL)
    assert not failures_of(name, folder / "made", n_mutations)


@pytest.mark.parametrize("name", sorted(_ONE_OF_EACH))
def test_damaged_files(name, tmp_path):
    check(name, tmp_path, N_MUTATIONS)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", SAMPLES)
def test_many_damaged_files(name, tmp_path):
    check(name, tmp_path, N_MUTATIONS_SLOW)
