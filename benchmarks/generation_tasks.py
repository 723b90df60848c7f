"""One generator, called by one side in a process of its own: the first time, and once warm.

``generation_tasks.py SIDE TASK`` runs with the interpreter of that side (``spikeloom`` or
``spikeinterface``; ``limit`` is the part that nobody can leave out, by numpy alone) and prints
seconds, processor seconds and peak memory as JSON.
"""

import importlib
import json
import statistics
import sys
import time

import numpy as np

from measuring import cpu_s, peak_mib

N_WARM = 9
RATE = 30_000.0


def library(side):
    """Import a side as its users do, with the names of its generators in one place."""
    if side == "spikeloom":
        return importlib.import_module("spikeloom")
    names = {}
    for module in (
        "spikeinterface.core",
        "spikeinterface.core.generate",
        "spikeinterface.generation",
    ):
        names.update(vars(importlib.import_module(module)))
    return type("Names", (), {k: staticmethod(v) for k, v in names.items() if callable(v)})


def sorting(si, n_units, duration_s):
    made = si.generate_sorting(num_units=n_units, durations=[duration_s], firing_rates=15.0, seed=3)
    made.to_spike_vector()
    return made


def firings(si, **options):
    si.synthesize_random_firings(
        num_units=200, duration=333.0, firing_rates=15.0, seed=1, **options
    )


def poisson(si):
    si.synthesize_poisson_spike_vector(num_units=200, duration=333.0, firing_rates=15.0, seed=1)


def templates(si):
    channels = si.generate_channel_locations(64, 2, 20.0)
    units = np.random.default_rng(0).uniform([0, 0, 5], [20, 620, 40], (100, 3))
    si.generate_templates(channels, units, RATE, 1.0, 3.0, seed=1)


def unit_locations(si):
    si.generate_unit_locations(100, si.generate_channel_locations(64, 2, 20.0), seed=1)


def read(recording):
    for start in range(0, recording.get_num_samples(), 30_000):
        recording.get_traces(start_frame=start, end_frame=start + 30_000)


def recording(si):
    read(si.generate_recording(num_channels=32, durations=[60.0], seed=1))


def noise(si):
    read(si.NoiseGeneratorRecording(32, RATE, [60.0], seed=1, strategy="tile_pregenerated"))


def ground_truth(si):
    read(
        si.generate_ground_truth_recording(
            durations=[60.0], num_channels=32, num_units=32, sampling_frequency=RATE, seed=1
        )[0]
    )


def snippets(si):
    si.generate_snippets(num_channels=4, nbefore=20, nafter=44, durations=[60.0, 60.0])


def clean(si, times):
    si.clean_refractory_period(times, 120)


def ordered_times():
    return np.sort(np.random.default_rng(0).integers(0, 18_000_000, 300_000))


def any_times():
    return np.random.default_rng(1).permutation(ordered_times())


# Each with what its calls share, which is not timed.
TASKS = {
    "sorting_1e5": (None, lambda si, _: sorting(si, 50, 133.3)),
    "sorting_1e6": (None, lambda si, _: sorting(si, 200, 333.3)),
    "sorting_1e7": (None, lambda si, _: sorting(si, 500, 1333.3)),
    "random_firings_1e6": (None, lambda si, _: firings(si)),
    "shuffled_firings_1e6": (None, lambda si, _: firings(si, add_shift_shuffle=True)),
    "poisson_1e6": (None, lambda si, _: poisson(si)),
    "templates": (None, lambda si, _: templates(si)),
    "unit_locations": (None, lambda si, _: unit_locations(si)),
    "clean_in_order": (lambda _: ordered_times(), clean),
    "clean_any_order": (lambda _: any_times(), clean),
    "duplicate_units": (
        lambda si: sorting(si, 50, 200.0),
        lambda si, made: si.inject_some_duplicate_units(made, num=4, seed=1).to_spike_vector(),
    ),
    "split_units": (
        lambda si: sorting(si, 50, 200.0),
        lambda si, made: si.inject_some_split_units(
            made, split_ids=made.unit_ids[:4], seed=1
        ).to_spike_vector(),
    ),
    "synchrony": (
        lambda si: sorting(si, 50, 200.0),
        lambda si, made: si.add_synchrony_to_sorting(made, seed=1).to_spike_vector(),
    ),
    "spikes_to_inject": (
        lambda si: sorting(si, 50, 200.0),
        lambda si, made: si.generate_sorting_to_inject(made, [6_000_000], seed=1),
    ),
    "recording": (None, lambda si, _: recording(si)),
    "noise": (None, lambda si, _: noise(si)),
    "ground_truth": (None, lambda si, _: ground_truth(si)),
    "snippets": (None, lambda si, _: snippets(si)),
}


def limit_spikes(n_spikes):
    """Draw as many numbers, and write a spike vector of them."""
    intervals = np.random.default_rng(0).standard_exponential(n_spikes)
    vector = np.zeros((n_spikes, 3), np.int64)
    vector[:, 0] = intervals


def limit_block():
    """Draw the one block of noise that is repeated, and copy it for every second."""
    block = np.random.default_rng(0).standard_normal((30_000, 32), np.float32)
    for _ in range(60):
        block.copy()


def limit_copies():
    block = np.ones((30_000, 32), np.float32)
    for _ in range(60):
        block.copy()


def limit_snippets():
    for seed in (0, 1):
        np.random.default_rng(seed).standard_normal((30_000, 4), np.float32)


LIMITS = {
    "sorting_1e5": lambda: limit_spikes(100_000),
    "sorting_1e6": lambda: limit_spikes(1_000_000),
    "sorting_1e7": lambda: limit_spikes(10_000_000),
    "random_firings_1e6": lambda: limit_spikes(1_000_000),
    "shuffled_firings_1e6": lambda: limit_spikes(2_000_000),
    "poisson_1e6": lambda: limit_spikes(1_000_000),
    "templates": lambda: np.zeros((100, 120, 64), np.float32) + np.float32(1),
    "recording": limit_block,
    "noise": limit_copies,
    "snippets": limit_snippets,
    "split_units": lambda: limit_spikes(150_000),
    "duplicate_units": lambda: limit_spikes(150_000),
}


def timed(call):
    start, start_cpu = time.perf_counter(), cpu_s()
    call()
    return time.perf_counter() - start, cpu_s() - start_cpu


def run(side, task):
    """Return the first call's seconds (the import of the library in it or not), and warm ones."""
    start = time.perf_counter()
    if side == "limit":
        call, import_s = LIMITS[task], 0.0
    else:
        si = library(side)
        import_s = time.perf_counter() - start
        before, work = TASKS[task]
        shared = None if before is None else before(si)

        def call():
            work(si, shared)

    first_s, _ = timed(call)
    if side == "spikeloom":
        # As in any process that has made noise or opened an analyzer: the compiler is there.
        importlib.import_module("numba")
    call()
    warm = [timed(call) for _ in range(N_WARM)]
    return {
        "cold_s": import_s + first_s,
        "first_s": first_s,
        "warm_s": statistics.median(wall_s for wall_s, _ in warm),
        "warm_cpu_s": statistics.median(used_s for _, used_s in warm),
        "peak_mib": peak_mib(),
    }


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:])))
