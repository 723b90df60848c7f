"""Run readers over damaged files, in a process of its own with a limit of memory and a watchdog.

A run is told again by its case and seed::

    PYTHONPATH=src:tests python -m making.damage_runs spikeglx --seed 123 --count 1
"""

import argparse
import faulthandler
import gc
import json
import os
import resource
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from making.damage import damaged
from making.damage_cases import CASES, AbsentError
from spikeloom.errors import SpikeloomError

N_MORE_BYTES_MAX = 1 << 30
"""Address space beyond that of the whole files that a run may take."""

N_MORE_KIBIBYTES_MAX = 300 << 10
"""Memory beyond that of the whole files that a run may grow to."""

HANG_S = 10
"""A damaged file that takes longer hangs."""

N_FAULTS_MAX = 20


def address_space_bytes():
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def grown_kib(before_kib):
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib


def replace(path, content):
    """Write a file anew, for the old one may still be mapped into memory."""
    path.unlink()
    path.write_bytes(content)


def fault_of(error):
    """Return the kind of an error and where in the package it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/spikeloom/" in frame.filename]
    where = own[-1] if own else frames[-1]
    last = frames[-1]
    return (
        f"{type(error).__name__} {Path(where.filename).name}:{where.lineno} ({where.name}) "
        f"[{Path(last.filename).name}:{last.lineno}] {str(error)[:150]!r}"
    )


class Run:
    """Damage the files of a case, one at a time, and use what is opened.

    Parameters
    ----------
    case : Case
        The files, and what is done with them.
    shows : bool
        Whether to raise faults rather than count them.
    """

    def __init__(self, case, *, shows=False):
        self.case = case
        self.shows = shows
        self.whole = [path.read_bytes() for path in case.files]
        self.outcomes = Counter()
        self.faults = {}
        self.slowest_s = 0.0

    def note(self, seed, error):
        if self.shows:
            raise error
        fault = fault_of(error)
        key = fault.rpartition(" [")[0]
        self.faults.setdefault(key, [seed, fault, 0])[2] += 1
        self.outcomes["fault"] += 1

    def one(self, seed):
        """Damage a file, use it, put it right."""
        k = seed % len(self.whole)
        path = self.case.files[k]
        replace(path, damaged(path.name, self.whole[k], seed))
        begin = time.perf_counter()
        try:
            self.case.use(seed)
        except SpikeloomError as error:
            self.outcomes["told"] += 1
            if not str(error):
                self.note(seed, AssertionError("an error without a message"))
        except Exception as error:  # noqa: BLE001 - what is looked for
            self.note(seed, error)
        else:
            self.outcomes["fine"] += 1
        self.slowest_s = max(self.slowest_s, time.perf_counter() - begin)
        replace(path, self.whole[k])


def run_case(name, folder, seed, count, *, shows=False):
    """Run a case; return what came of it as a dictionary."""
    folder.mkdir()
    try:
        case = CASES[name](folder)
    except AbsentError as error:
        return {"case": name, "absent": str(error)}
    run = Run(case, shows=shows)
    for k in range(3):
        case.use(k)  # the whole files, so that everything is imported and compiled
    gc.collect()
    sys.unraisablehook = lambda told: run.note(-1, told.exc_value)
    threading.excepthook = lambda told: run.note(-1, told.exc_value)
    limit = address_space_bytes() + N_MORE_BYTES_MAX
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    for k in range(seed, seed + count):
        if (k - seed) % 20 == 0 or count < 20:
            progress = f"{name} --seed {k} --count 20"
            os.pwrite(PROGRESS, progress.encode().ljust(120), 0)
            faulthandler.dump_traceback_later(20 * HANG_S, exit=True)
        run.one(k)
    faulthandler.cancel_dump_traceback_later()
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return {
        "case": name,
        "seed": seed,
        "count": count,
        "outcomes": dict(run.outcomes),
        "ms_each": round((time.perf_counter() - begin) / count * 1000, 3),
        "slowest_s": round(run.slowest_s, 3),
        "grown_mib": grown_kib(before_kib) >> 10,
        "faults": [f"{n} x {fault} e.g. --seed {first}" for first, fault, n in run.faults.values()],
    }


PROGRESS = -1


def main():
    """Run the cases that are asked for."""
    global PROGRESS  # noqa: PLW0603 - where the watchdog's parent looks
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--shows", action="store_true", help="raise the first fault")
    options = parser.parse_args()
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", UserWarning)
    warnings.simplefilter("ignore", DeprecationWarning)  # numpy's, of old names of dtypes
    with tempfile.TemporaryDirectory() as folder:
        PROGRESS = os.open(Path(folder) / "progress", os.O_CREAT | os.O_RDWR)
        for name in options.cases or CASES:
            found = run_case(
                name, Path(folder) / name, options.seed, options.count, shows=options.shows
            )
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
