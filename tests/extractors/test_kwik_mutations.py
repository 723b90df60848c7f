"""Damaged Kwik files give clean errors, soon, and without taking the memory."""

import pytest

from making.kwik_datasets import klusta_dataset, viewa_dataset
from making.processes import run_python
from spikeloom import KwikModel
from spikeloom.errors import ReadError

N_MUTATIONS = 80

CODE = """
    import faulthandler, random, resource, sys, warnings
    from pathlib import Path
    import numpy as np
    import spikeloom as si
    from spikeloom import KwikModel
    from spikeloom.errors import SpikeloomError

    warnings.simplefilter("ignore")
    path, suffix, seed, n_mutations = Path(sys.argv[1]), *sys.argv[2:3], *map(int, sys.argv[3:])
    target = path.with_suffix(suffix)
    whole = target.read_bytes()

    def use():
        model = KwikModel(path)
        repr(model), model.metadata, model.cluster_metadata, model.cluster_labels, model.probe
        for rows in (model.features, model.masks, model.waveforms, model.traces):
            if rows is not None:
                rows[:3]
        si.read_kwik(path).spike_table()
        si.read_kwik_event(path)
        si.read_kwik_recording(path).get_traces(0, 0, 10)

    use()
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    outcomes = set()
    for k in range(n_mutations):
        random_ = random.Random(seed + k)
        bytes_ = bytearray(whole)
        for _ in range(random_.choice([1, 1, 2, 4, 16])):
            position = random_.randrange(len(bytes_))
            is_bit = random_.random() < 0.5
            bytes_[position] ^= 1 << random_.randrange(8) if is_bit else random_.randrange(256)
        if random_.random() < 0.1:
            del bytes_[random_.randrange(len(bytes_)) :]
        target.write_bytes(bytes_)
        (path.parent / "mutation").write_text(str(seed + k))
        faulthandler.dump_traceback_later(20, exit=True)  # also out of a library that hangs
        try:
            use()
            outcomes.add("fine")
        except SpikeloomError as error:
            assert str(error)
            outcomes.add("told")
        except BaseException:
            print(f"mutation {seed + k} of {suffix}", file=sys.stderr, flush=True)
            raise
    used_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert used_mb < 1500, used_mb
    print(*sorted(outcomes))
"""


@pytest.mark.parametrize("suffix", [".kwik", ".kwx", ".raw.kwd"])
@pytest.mark.parametrize("make", [klusta_dataset, viewa_dataset])
def test_mutated_files_are_read_or_refused_with_a_clean_error(tmp_path, make, suffix):
    outcomes = run_python(CODE, make(tmp_path), suffix, 0, N_MUTATIONS).split()
    assert "fine" in outcomes


def test_a_heap_that_has_no_end_is_refused(tmp_path):
    """The HDF5 library reads it for ever."""
    path = viewa_dataset(tmp_path)  # which has a text of variable length
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    assert content.count(b"GCOL") == 1
    # Behind the only object ("good", 24 bytes with its head) is free space; make it nothing.
    free = heap + 16 + 24
    assert content[free : free + 2] == b"\0\0"
    content[free + 8 : free + 16] = bytes(8)
    path.write_bytes(content)
    with pytest.raises(ReadError, match=f"global heap object at byte {free}"):
        KwikModel(path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10_000, 18_000, 400))
@pytest.mark.parametrize("make", [klusta_dataset, viewa_dataset])
def test_many_mutations_of_the_main_file(tmp_path, make, seed):
    assert run_python(CODE, make(tmp_path), ".kwik", seed, 400).split() == ["fine", "told"]
