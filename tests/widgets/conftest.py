"""Figures without a screen, closed afterwards, and an analyzer to draw."""

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _closed_figures():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture(scope="session")
def truth():
    """A recording of two segments, and its sorting."""
    from spikeloom.generation import generate_ground_truth_recording

    return generate_ground_truth_recording(
        durations=[4.0, 3.0], num_channels=8, num_units=4, seed=11
    )


@pytest.fixture(scope="session")
def analyzer(truth):
    """An analyzer with all that plots need but metrics."""
    from spikeloom.analyzer import create_sorting_analyzer

    recording, sorting = truth
    found = create_sorting_analyzer(sorting, recording, sparse=True, progress_bar=False)
    names = [
        "random_spikes",
        "waveforms",
        "templates",
        "spike_amplitudes",
        "spike_locations",
        "unit_locations",
        "correlograms",
        "template_similarity",
    ]
    found.compute(names, progress_bar=False)
    return found


@pytest.fixture(scope="session")
def bare_analyzer(truth):
    """An analyzer of which nothing was computed."""
    from spikeloom.analyzer import create_sorting_analyzer

    recording, sorting = truth
    return create_sorting_analyzer(sorting, recording, sparse=False, progress_bar=False)
