"""Damage small files of foreign formats at random, and see that reading them ends well."""

import os
import random
import re
import resource
import signal
import traceback
import warnings
from pathlib import Path

import spikeloom as si
from making.neo_samples import SAMPLES, format_name
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import SpikeloomError
from spikeloom.extractors.neo_readers import NEO_FUNCTIONS
from spikeloom.extractors.neo_spikes import SORTING_CLASSES
from spikeloom.extractors.reading import recognise

N_MORE_BYTES_MAX = 9 << 30
"""What a reader may ask for; headers that are believed want far more."""

N_MORE_RESIDENT_BYTES_MAX = 300 << 20
"""What it may take: room that is asked for and not filled costs nothing."""

SECONDS_EACH = 10

_NUMBERS = (b"0", b"-1", b"nan", b"1e999", b"2147483647", b"99999999999999999999", b"")

_WORDS = (
    *(b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\x80\x7f"),
    *(b"\x01\0\0\0", b"\0\0\x01\0", b"\xff\xff", b"\0\0"),
)


def damaged(content, rng):
    """Return a file with something wrong in it."""
    kind = rng.choice(("cut", "word", "word", "word", "word", "number", "number", "bytes", "more"))
    if not content or rng.random() < 0.01:
        return rng.choice((b"", rng.randbytes(700)))
    if kind == "cut":
        return content[: rng.randrange(len(content))]
    if kind == "number":
        places = list(re.finditer(rb"-?\d+(\.\d+)?", content[:20_000]))
        if places:
            found = rng.choice(places)
            return content[: found.start()] + rng.choice(_NUMBERS) + content[found.end() :]
    # Headers are short and at the beginning, and data do not matter.
    end = min(len(content), rng.choice((64, 600, 20_000, len(content))))
    place = rng.randrange(end)
    if kind == "word":
        place -= place % 2
        word = rng.choice(_WORDS)
        return content[:place] + word + content[place + len(word) :]
    if kind == "more":
        return content[:place] + rng.randbytes(rng.randrange(1, 9)) + content[place:]
    piece = rng.randbytes(rng.randrange(1, 5))
    return content[:place] + piece + content[place + len(piece) :]


def read_everything(name, sample):
    """Read some of the traces, the events and the spikes of a sample."""
    kind = format_name(name)
    for read in (
        lambda: NEO_FUNCTIONS[kind](sample.path, **sample.options),
        lambda: si.read_neo_event(sample.path, kind),
        lambda: (
            SORTING_CLASSES[kind](sample.path).to_spike_vector()
            if kind in SORTING_CLASSES
            else None
        ),
    ):
        try:
            found = read()
            if isinstance(found, BaseRecording):
                for k in range(found.get_num_segments()):
                    n_samples = found.get_num_samples(k)
                    found.get_traces(k, 0, min(20, n_samples))
                    found.get_traces(k, max(0, n_samples - 20), n_samples)
        except SpikeloomError as error:
            if isinstance(error.__cause__, MemoryError):
                raise AssertionError("it took too much memory") from error


def failures_of(name, folder, n_times, seed=0):
    """Damage a sample many times in a process of its own; return what went wrong, at most once."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        with os.fdopen(write_end, "w") as told:
            _damage_and_tell(name, folder, n_times, seed, told)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as told:
        failure = told.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return failure or (f"the process ended with {status}" if status else "")


def _damage_and_tell(name, folder, n_times, seed, told):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + N_MORE_BYTES_MAX
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _time_is_up)
    rng = random.Random(seed)
    sample = SAMPLES[name](folder)
    whole = {path: path.read_bytes() for path in sample.damaged}
    before = _resident_bytes()
    try:
        for _ in range(n_times):
            path = rng.choice(sample.damaged)
            path.write_bytes(damaged(whole[path], rng))
            signal.alarm(SECONDS_EACH)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read_everything(name, sample)
                if rng.random() < 0.05:  # asking all readers takes a while
                    recognise(sample.path)
            signal.alarm(0)
            assert _resident_bytes() - before < N_MORE_RESIDENT_BYTES_MAX
            path.write_bytes(whole[path])
    except BaseException:  # noqa: BLE001 - all of them are failures
        told.write(traceback.format_exc())
        told.write(f"\nThe damaged file is kept: {_kept(path)}")


def _resident_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class TookTooLong(BaseException):
    """Not an Exception, as readers turn these into errors of their own."""


def _time_is_up(*_):
    raise TookTooLong


def _kept(path):
    kept = path.with_name(f"{path.name}.damaged")
    kept.write_bytes(path.read_bytes())
    return kept
