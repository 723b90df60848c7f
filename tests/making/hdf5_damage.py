"""Damage HDF5 files at random, mostly where the library's own structures are, and use them.

Each mutation follows from its seed alone. The work is done in forked children, so that a crash or
a hang of the HDF5 library ends one of them and is noted, and the next child goes on behind it.

To see it by hand: ``python -m making.hdf5_damage CASE FOLDER FIRST_SEED N`` in the folder of tests.
"""

import faulthandler
import json
import mmap
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path

import h5py

from making.processes import start_python
from spikeloom.errors import SpikeloomError

WATCHDOG_S = 20
"""A mutation that takes longer hangs."""

SECONDS_EACH_MAX = 1.0
"""What a mutation takes on average at most; a tenth of it on a machine that has nothing else."""

N_ADDRESS_BYTES_MAX = 3 << 30
"""Address space beyond what a child starts with; sizes that are believed want far more."""

_FAR_SHARE = 0.05
_CUT_SHARE = 0.03

_EXTREMES = (
    0,
    1,
    2,
    7,
    8,
    0x7F,
    0xFF,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    (1 << 63) - 1,
    (1 << 64) - 1,
)


@dataclass
class Outcome:
    """What came of many mutations of a file."""

    file: str = ""
    n_fine: int = 0
    n_told: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Seed and kind of everything that was no clean error."""
    peak_kib: int = 0
    """The most memory that a child took beyond what it began with."""
    seconds: float = 0.0


def structure_of(path: Path) -> list[tuple[int, int]]:
    """Return where a file has something else than values: (first byte, number of bytes)."""
    values = []

    def note(_name: str, node: object) -> None:
        if not isinstance(node, h5py.Dataset):
            return
        if node.chunks is not None:
            for k in range(node.id.get_num_chunks()):
                chunk = node.id.get_chunk_info(k)
                values.append((chunk.byte_offset, chunk.size))
        elif (offset := node.id.get_offset()) is not None:
            values.append((offset, node.id.get_storage_size()))

    with h5py.File(path, "r") as file:
        file.visititems(note)
    found, position = [], 0
    for start, n_bytes in [*sorted(values), (path.stat().st_size, 0)]:
        if start > position:
            found.append((position, start - position))
        position = max(position, start + n_bytes)
    return found


class Damage:
    """Mutations of a file, made in place and taken back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.regions = structure_of(path)
        self.weights = [n for _, n in self.regions]
        self.whole = path.read_bytes()

    def _place(self, rng: random.Random) -> int:
        if rng.random() < _FAR_SHARE:
            return rng.randrange(len(self.whole))
        start, n_bytes = rng.choices(self.regions, self.weights)[0]
        return start + rng.randrange(n_bytes)

    def _piece(self, rng: random.Random, place: int) -> tuple[int, bytes]:
        kind = rng.randrange(6)
        if kind == 0:
            return place, bytes([self.whole[place] ^ 1 << rng.randrange(8)])
        if kind == 1:
            return place, rng.randbytes(1)
        n_bytes = rng.choice((1, 2, 4, 8))
        place -= place % n_bytes
        if kind == 2:
            return place, (rng.choice(_EXTREMES) & (1 << 8 * n_bytes) - 1).to_bytes(
                n_bytes, "little"
            )
        if kind == 3:
            old = int.from_bytes(self.whole[place : place + n_bytes], "little")
            new = old + rng.choice((-8, -1, 1, 8, 64, -64))
            return place, (new & (1 << 8 * n_bytes) - 1).to_bytes(n_bytes, "little")
        if kind == 4:
            return place, rng.randbytes(n_bytes)
        source = self._place(rng)
        n_bytes = rng.choice((8, 8, 16, 64))
        return place, self.whole[source : source + n_bytes]

    def pieces(self, seed: int) -> tuple[list[tuple[int, bytes]], int | None]:
        """Return what is written where, and where the file is cut off if it is."""
        rng = random.Random(seed)
        found = [
            self._piece(rng, self._place(rng)) for _ in range(rng.choice((1, 1, 1, 2, 3, 4, 8)))
        ]
        cut = rng.randrange(len(self.whole)) if rng.random() < _CUT_SHARE else None
        return [(k, new[: len(self.whole) - k]) for k, new in found], cut

    def do(self, seed: int) -> None:
        """Damage the file."""
        pieces, cut = self.pieces(seed)
        with self.path.open("r+b") as file:
            for place, new in pieces:
                file.seek(place)
                file.write(new)
            if cut is not None:
                file.truncate(cut)

    def undo(self, seed: int) -> None:
        """Mend it again."""
        pieces, cut = self.pieces(seed)
        with self.path.open("r+b") as file:
            for place, new in pieces:
                file.seek(place)
                file.write(self.whole[place : place + len(new)])
            if cut is not None:
                file.seek(cut)
                file.write(self.whole[cut:])


_STATE = struct.Struct("<qqqq")
"""The next seed, how many were fine and told, and the most memory in KiB."""


def try_mutations(path, use, first: int, n: int) -> Outcome:
    """Damage a file in many ways, call ``use()`` each time, and note what comes of it."""
    damage = Damage(path)
    use()  # imports and compiles what the children then share
    shared = mmap.mmap(-1, _STATE.size)
    outcome, next_seed, started = Outcome(path.name), first, time.monotonic()
    with tempfile.TemporaryFile() as told:
        while next_seed < first + n:
            shared[:] = _STATE.pack(next_seed, 0, 0, 0)
            told.seek(0)
            told.truncate()
            child = os.fork()
            if child == 0:
                _work(damage, use, shared, first + n, told)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            next_seed, n_fine, n_told, peak_kib = _STATE.unpack(shared[:])
            outcome.n_fine += n_fine
            outcome.n_told += n_told
            outcome.peak_kib = max(outcome.peak_kib, peak_kib)
            if status != 0:
                told.seek(0)
                text = told.read().decode(errors="replace").strip()
                outcome.faults.append((next_seed, _kind(status, text)))
                damage.undo(next_seed)
                next_seed += 1
    outcome.seconds = time.monotonic() - started
    return outcome


def _kind(status: int, text: str) -> str:
    lines = text.splitlines()
    if status < 0:
        places = [line.rsplit(" ", 1)[-1] for line in lines if line.startswith("  File")]
        return f"{signal.Signals(-status).name} in " + ", ".join(places[:6])
    if lines and lines[0].startswith("Timeout"):
        return "hang in" + ", ".join(line.rsplit(" ", 1)[-1] for line in lines[2:8])
    return " | ".join(lines[-2:])[:300] if lines else f"ended with {status}"


def _work(damage: Damage, use, shared: mmap.mmap, end: int, told) -> None:
    """Be the child; never return."""
    os.dup2(told.fileno(), 2)
    faulthandler.enable()
    warnings.simplefilter("ignore")
    used_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    limit = used_bytes + N_ADDRESS_BYTES_MAX
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    begin_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = 1
    try:
        seed, n_fine, n_told, *_ = _STATE.unpack(shared[:])
        while seed < end:
            damage.do(seed)
            faulthandler.dump_traceback_later(WATCHDOG_S, exit=True)
            try:
                use()
                n_fine += 1
            except SpikeloomError as error:
                if not str(error).strip():
                    raise
                n_told += 1
            faulthandler.cancel_dump_traceback_later()
            damage.undo(seed)
            seed += 1
            peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begin_kib
            shared[:] = _STATE.pack(seed, n_fine, n_told, peak_kib)
        status = 0
    except BaseException:  # noqa: BLE001 - the status tells
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def run_mutations(name: str, folder: Path, first: int, n: int) -> list[Outcome]:
    """Try mutations of all files of a case in a process of its own, which may then fork."""
    process = start_python("from making.hdf5_damage import main; main()", name, folder, first, n)
    output, errors = process.communicate(timeout=WATCHDOG_S * 4 + n * SECONDS_EACH_MAX)
    assert process.returncode == 0, errors
    return [Outcome(**json.loads(line)) for line in output.splitlines() if line.startswith("{")]


def main() -> None:
    """Try mutations of a case, and write what came of each of its files as a line of JSON."""
    from making.hdf5_cases import CASES

    name, folder, first, n = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
    for path, use in CASES[name](folder):
        outcome = try_mutations(path, use, first, n)
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
