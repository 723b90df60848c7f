"""Results in the order of the plan, whatever the engine, with a bounded number on the way.

Chunks are begun in order, at most so many beyond the next one to give as the engine says. Memory
therefore does not grow when one chunk is slow or when results are taken slowly. When a chunk
fails, no more are begun; those before it are still given, and then its error is raised, so that
what a caller sees does not depend on how chance mixed the workers. Only the death of a worker,
which is chance itself, ends a job at once.
"""

import os
from collections.abc import Generator, Sequence
from typing import Any

from spikeloom.engine.chunks import Chunk
from spikeloom.engine.work import Engine, Outcome


def run_in_order(engine: Engine, chunks: Sequence[Chunk]) -> Generator[Any, None, None]:
    """Yield the result of each chunk, in order; close the engine in the end.

    Parameters
    ----------
    engine : Engine
        Fresh workers.
    chunks : sequence of Chunk
        What they work on.

    Raises
    ------
    Exception
        The error of the first chunk that failed, with a note that names the chunk.
    """
    process_id = os.getpid()
    try:
        yield from _results(engine, chunks)
    finally:
        # A process that was forked meanwhile has a copy of this generator, but no workers.
        if os.getpid() == process_id:
            engine.close()


def _results(engine: Engine, chunks: Sequence[Chunk]) -> Generator[Any, None, None]:
    outcomes: dict[int, Outcome] = {}
    n_wanted = len(chunks)
    n_begun = n_given = 0
    while n_given < n_wanted:
        while n_begun < min(n_wanted, n_given + engine.n_outstanding_max):
            engine.submit(n_begun, chunks[n_begun])
            n_begun += 1
        for outcome in engine.collect(is_waiting=n_given not in outcomes):
            outcomes[outcome.position] = outcome
            if outcome.error is not None:
                n_wanted = min(n_wanted, outcome.position + 1)
            if outcome.is_fatal:
                n_given = outcome.position
        if n_given not in outcomes:
            continue
        outcome = outcomes.pop(n_given)
        if outcome.error is not None:
            outcome.error.add_note(f"In chunk {n_given + 1} of {len(chunks)}: {chunks[n_given]}.")
            try:
                raise outcome.error
            finally:
                # An error that knows this frame, known by this frame, would outlive its catcher.
                del outcome
        n_given += 1
        value = outcome.value
        # Nothing here may keep a result alive that was given away.
        del outcome
        yield value
        del value
