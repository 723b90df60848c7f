"""What SpikeInterface reads of a file is what we read; and what either dumped, the other loads."""

import dataclasses
from fnmatch import fnmatchcase

import numpy as np
import pytest

import spikeloom as si
from making.neo_samples import format_name
from making.object_facts import FACTS
from making.peers import ask_peer, facts_of_peer
from making.reader_cases import NEAREST_SAMPLE, NEO_NAMES, REAL, Case, made_cases

pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore"),  # what is said of each sample is tested with the readers
]

MADE = (
    *("made_imec", "made_nidq", "legacy", "mda", "mda_sorting", "cbin_ibl", "cbin_ibl_sync"),
    *("made_phy", "made_phy_excluded", "made_kilosort_good", "hdsort", "mclust"),
    *("spykingcircus", "cellexplorer", "nwb_zarr", "nwb_zarr_sorting"),
)

NAMES = (*REAL, *MADE, *NEO_NAMES)

DUMPED_AS = (".json", ".pkl")

_ONE_OF_EACH_FORMAT = {format_name(name): name for name in reversed(NEO_NAMES)}.values()

DUMPED = [name for name in (*REAL, *MADE, *_ONE_OF_EACH_FORMAT) if not name.endswith("_event")]
"""The peer's events do not know the arguments that they were made with, so it cannot load them."""

UNNAMED = ("phy", "kilosort")
"""They have 62 clusters here and one there, so that pickled properties of these do not fit."""


def read(case):
    found = getattr(si, case.function)(case.place, **case.options)
    return found[case.kind == "sorting"] if isinstance(found, tuple) else found


def differences(ours, theirs):
    """Return the names of the facts that differ; more properties than theirs are none."""
    surplus = {name for name in ours.keys() - theirs.keys() if name.startswith(("prop", "annot"))}
    shared = ours.keys() & theirs.keys()
    return (ours.keys() ^ theirs.keys()) - surplus | {
        name for name in shared if not _is_same(ours[name], theirs[name])
    }


def _is_same(ours, theirs):
    if ours.shape != theirs.shape:
        return False
    if ours.size and {ours.dtype.kind, theirs.dtype.kind} <= set("iuf"):
        return np.allclose(ours, theirs, rtol=1e-6, equal_nan=True)
    return np.array_equal(ours, theirs)


@pytest.fixture(scope="module")
def cases(data_folder, tmp_path_factory):
    real = {
        name: dataclasses.replace(case, place=data_folder / case.place)
        for name, case in REAL.items()
    }
    return real | made_cases(tmp_path_factory.mktemp("made"), data_folder)


@pytest.fixture(scope="module")
def theirs(cases, peer_python, tmp_path_factory):
    """Folder with what the peer reads and dumps of each case."""
    folder = tmp_path_factory.mktemp("theirs")
    ask_peer(peer_python, folder, cases, dumps=DUMPED_AS)
    return folder


@pytest.fixture(scope="module")
def ours(cases):
    return {name: FACTS[case.kind](read(case)) for name, case in cases.items()}


def test_every_case_has_a_name(cases):
    assert set(cases) == set(NAMES)


def faults(case, facts, other):
    """Return the facts that differ, but not on purpose."""
    found = differences(facts, other)
    return {one for one in found if not any(fnmatchcase(one, p) for p in case.differs)}


@pytest.mark.parametrize("name", NAMES)
def test_both_read_the_same(cases, ours, theirs, name):
    known = facts_of_peer(theirs, name)
    assert not faults(cases[name], ours[name], known)
    for pattern, reason in cases[name].differs.items():
        found = differences(ours[name], known)
        assert any(fnmatchcase(one, pattern) for one in found), f"no longer true: {reason}"


ROUNDED = [name for name, case in REAL.items() if NEAREST_SAMPLE in case.differs.values()]


@pytest.mark.parametrize("name", ROUNDED)
def test_spikes_at_the_nearest_sample_are_never_earlier_than_cut_off(ours, theirs, name):
    late = ours[name]["spikes/0"] - facts_of_peer(theirs, name)["spikes/0"]
    assert set(late.tolist()) == {0, 1}


@pytest.mark.parametrize("suffix", DUMPED_AS)
@pytest.mark.parametrize("name", DUMPED)
def test_what_they_dumped_is_loaded_here(cases, ours, theirs, name, suffix):
    loaded = si.load(theirs / f"{name}{suffix}", trust_pickle=suffix == ".pkl")
    assert type(loaded) is type(read(cases[name]))
    found = faults(cases[name], FACTS[cases[name].kind](loaded), ours[name])
    assert {one for one in found if not one.startswith("annot")} == set()


@pytest.fixture(scope="module")
def theirs_of_ours(cases, peer_python, tmp_path_factory):
    """Folder with what the peer loads of what we dumped."""
    folder = tmp_path_factory.mktemp("ours")
    dumped = {}
    for name in DUMPED:
        case, one = cases[name], read(cases[name])
        for suffix in DUMPED_AS:
            place = folder / f"{name}{suffix}"
            one.dump(place)
            dumped[f"{name}-{suffix[1:]}"] = Case(case.kind, "load", place)
    ask_peer(peer_python, folder, dumped)
    return folder


@pytest.mark.parametrize("suffix", DUMPED_AS)
@pytest.mark.parametrize("name", DUMPED)
def test_what_we_dumped_is_loaded_there(cases, theirs, theirs_of_ours, name, suffix):
    if name in UNNAMED and suffix == ".pkl":
        reason = (theirs_of_ours / f"{name}-pkl.failed").read_text()
        assert "Values must have the same size" in reason
        return
    loaded = facts_of_peer(theirs_of_ours, f"{name}-{suffix[1:]}")
    assert faults(cases[name], loaded, facts_of_peer(theirs, name)) == set()
