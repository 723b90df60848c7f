"""What readers of sortings share: spikes that are put in order where they lie."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

from spikeloom.extractors.listed_spikes import ListedSpikesSorting

N_SPIKES, N_THREADS = 150_000, 8


def test_threads_that_ask_at_once_get_the_same_spikes():
    rng = np.random.default_rng(0)
    samples, units = rng.integers(0, 50_000, N_SPIKES), rng.integers(0, 7, N_SPIKES, np.int32)
    order = np.lexsort((units, samples))
    expected = samples[order], units[order]
    for _ in range(3):
        sorting = ListedSpikesSorting(1000.0, np.arange(7), samples.copy(), units.copy())
        barrier = Barrier(N_THREADS)

        def ask(_, sorting=sorting, barrier=barrier):
            barrier.wait()
            return sorting.spike_table()

        with ThreadPoolExecutor(N_THREADS) as pool:
            tables = list(pool.map(ask, range(N_THREADS)))
        for table in tables:
            np.testing.assert_array_equal(table.sample_index, expected[0])
            np.testing.assert_array_equal(table.unit_index, expected[1])
