"""Traces of several files: where each begins is marked."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import spikeloom as si


@pytest.mark.parametrize(
    ("time_range", "marked"), [((0.0, 0.3), ["b.dat"]), ((0.0, 0.05), []), ((0.09, 0.2), ["b.dat"])]
)
def test_the_beginning_of_a_file_is_marked(tmp_path, time_range, marked):
    for name in ("a.dat", "b.dat"):
        np.arange(400, dtype=np.int16).tofile(tmp_path / name)
    traces = si.read_traces(
        [tmp_path / "a.dat", tmp_path / "b.dat"], n_channels=4, dtype="int16", sample_rate=1000
    )
    widget = si.plot_traces(traces, time_range=time_range, figure=Figure())
    assert [
        text.get_text().strip() for text in widget.ax.texts if ".dat" in text.get_text()
    ] == marked
    assert [time_s for time_s, _ in widget.data.edges] == [0.1] * len(marked)
    plain = si.NumpyRecording([traces.get_traces()], 1000.0)
    assert si.plot_traces(plain, figure=Figure()).data.edges == ()
