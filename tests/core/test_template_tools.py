from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, strategies as st

import spikeloom.core.template_tools as tools
from making.units import make_units
from spikeloom.core.template_peaks import channel_amplitudes, main_channels, peak_shifts
from spikeloom.core.templates import Templates
from spikeloom.errors import ParameterError

SIGNS = ("neg", "pos", "both")
MODES = ("extremum", "at_index", "peak_to_peak")

# One unit: lowest on channel 0, lowest at its spike on channel 2, highest on channel 1.
ARRAY = np.array([[[-9.0, 0.0, 1.0], [-1.0, 7.0, -5.0], [2.0, 8.0, 1.0]]])
TEMPLATES = Templates(ARRAY, 10000.0, 1, unit_ids=["u"], channel_ids=["a", "b", "c"])


@dataclass
class Extension:
    """The templates of an analyzer."""

    nbefore: int = 1

    def get_templates(self, operator):
        return {"average": ARRAY, "median": -ARRAY}[operator]


@dataclass
class Analyzer:
    """As much of an analyzer as functions on templates need."""

    extension: Extension | None = field(default_factory=Extension)
    unit_ids: np.ndarray = field(default_factory=lambda: np.array(["u"]))
    channel_ids: np.ndarray = field(default_factory=lambda: np.array(["a", "b", "c"]))
    return_in_uV: bool = True
    peak_sign: str = "pos"
    peak_mode: str = "at_index"
    main_channel_indices: np.ndarray = field(default_factory=lambda: np.array([1]))

    def get_extension(self, name):
        return self.extension


@dataclass
class Extractor:
    """As much of a waveform extractor."""

    unit_ids: np.ndarray = field(default_factory=lambda: np.array(["u"]))
    channel_ids: np.ndarray = field(default_factory=lambda: np.array(["a", "b", "c"]))
    nbefore: int = 1

    def get_all_templates(self, mode):
        return {"average": ARRAY, "median": -ARRAY}[mode]


EXPECTED = {
    ("neg", "extremum"): ([-9, 0, -5], "a"),
    ("pos", "extremum"): ([2, 8, 1], "b"),
    ("both", "extremum"): ([9, 8, 5], "a"),
    ("neg", "at_index"): ([-1, 7, -5], "c"),
    ("pos", "at_index"): ([-1, 7, -5], "b"),
    ("both", "at_index"): ([1, 7, 5], "b"),
    ("neg", "peak_to_peak"): ([11, 8, 6], "a"),
    ("pos", "peak_to_peak"): ([11, 8, 6], "a"),
    ("both", "peak_to_peak"): ([11, 8, 6], "a"),
}


@pytest.mark.parametrize("source", [TEMPLATES, Analyzer(), Extractor()], ids=type)
@pytest.mark.parametrize(("sign", "mode"), EXPECTED)
def test_sign_and_mode_are_honoured_whatever_has_the_templates(source, sign, mode):
    amplitudes, channel = EXPECTED[sign, mode]
    ours = tools.get_template_amplitudes(source, sign, mode, abs_value=False)
    np.testing.assert_array_equal(ours["u"], amplitudes)
    ours = tools.get_template_amplitudes(source, peak_sign=sign, mode=mode)
    np.testing.assert_array_equal(ours["u"], np.abs(amplitudes))
    assert tools.get_template_extremum_channel(source, sign, mode) == {"u": channel}
    position = "abc".index(channel)
    assert tools.get_template_extremum_channel(source, sign, peak_mode=mode, outputs="index") == {
        "u": position
    }
    assert tools.get_template_extremum_amplitude(source, sign, mode, abs_value=False) == {
        "u": amplitudes[position]
    }


def test_other_templates_than_averages():
    for source in (Analyzer(), Extractor()):
        channels = tools.get_template_extremum_channel(source, "neg", operator="median")
        assert channels == {"u": "b"}
        assert tools.get_dense_templates_array(source, operator="median")[0, 0, 0] == 9


def test_an_analyzer_has_decided_before():
    analyzer = Analyzer()
    np.testing.assert_array_equal(
        tools.get_template_amplitudes(analyzer, abs_value=False)["u"], [-1, 7, -5]
    )
    assert tools.get_template_amplitude_on_main_channel(analyzer) == {"u": 7}
    assert tools.get_template_peak_shift_on_main_channel(analyzer) == {"u": 1}
    np.testing.assert_array_equal(tools.get_main_channel_templates_array(analyzer), ARRAY[:, :, 1])
    np.testing.assert_array_equal(
        tools.get_template_amplitude_on_main_channel(analyzer, "neg", with_dict=False), [7]
    )


def test_peaks_are_behind_or_before_spikes():
    assert tools.get_template_extremum_channel_peak_shift(TEMPLATES) == {"u": -1}
    assert tools.get_template_extremum_channel_peak_shift(TEMPLATES, "pos") == {"u": 1}
    shifts = tools.get_template_peak_shift_on_main_channel(TEMPLATES, "pos", with_dict=False)
    np.testing.assert_array_equal(shifts, [1])
    assert tools.get_template_peak_shift_on_main_channel(TEMPLATES, "neg") == {"u": -1}


def test_the_unit_of_templates_can_be_insisted_on():
    assert tools.get_dense_templates_array(TEMPLATES, return_scaled=True) is ARRAY
    with pytest.raises(ParameterError, match="are in microvolts"):
        tools.get_dense_templates_array(TEMPLATES, return_in_uV=False)
    with pytest.raises(ParameterError, match="no templates yet"):
        tools.get_dense_templates_array(Analyzer(extension=None))
    with pytest.raises(ParameterError, match="Templates or a SortingAnalyzer are needed"):
        tools.get_template_amplitudes("templates")


def test_unknown_options_are_refused():
    for options in ({"peak_sign": "up"}, {"peak_mode": "middle"}, {"mode": "x", "peak_mode": "y"}):
        with pytest.raises(ParameterError):
            tools.get_template_amplitudes(TEMPLATES, **options)
    with pytest.raises(ParameterError, match="outputs"):
        tools.get_template_extremum_channel(TEMPLATES, outputs="name")


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("mode", MODES)
@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 99))
def test_the_main_channel_is_the_strongest(sign, mode, n_units, n_more, seed):
    templates = np.random.default_rng(seed).normal(0, 1, (n_units, 4, 1 + n_more))
    values = channel_amplitudes(templates, 2, sign, mode)
    assert values.shape == (n_units, 1 + n_more)
    channels = main_channels(templates, 2, sign, mode)
    for template, channel in zip(templates, channels, strict=True):
        column = template[:, channel]
        for other in template.T:
            pick = (lambda x: x[2]) if mode == "at_index" else None
            if mode == "peak_to_peak":
                assert np.ptp(column) >= np.ptp(other)
            elif sign == "both":
                pick = pick or (lambda x: np.max(np.abs(x)))
                assert abs(pick(column)) >= abs(pick(other))
            elif sign == "neg":
                assert (pick or np.min)(column) <= (pick or np.min)(other)
            else:
                assert (pick or np.max)(column) >= (pick or np.max)(other)


def test_nothing_has_no_peaks():
    assert main_channels(np.zeros((0, 4, 0)), 2).shape == (0,)
    assert peak_shifts(np.zeros((0, 4)), 2, "neg").shape == (0,)
    with pytest.raises(ParameterError, match="without channels"):
        main_channels(np.zeros((1, 4, 0)), 2)
    with pytest.raises(ParameterError, match="The spike is at sample 4"):
        main_channels(np.zeros((1, 4, 2)), 4)
    empty = Templates(np.zeros((0, 4, 2)), 10000.0, 1)
    assert tools.get_template_extremum_channel(empty) == {}
    assert tools.get_template_peak_shift_on_main_channel(empty) == {}


def test_main_channels_from_a_recording():
    recording, sorting = make_units()
    traces = [recording.get_traces(k) for k in range(2)]
    for k, segment in enumerate(traces):
        for u, channel in enumerate((2, 0, 3)):
            segment[sorting.get_unit_spike_train(f"u{u}", k), channel] -= 3000
    options = {"ms_before": 0.5, "ms_after": 0.5, "seed": 0, "progress_bar": False}
    for given_ in ((recording, sorting), (sorting, recording)):
        channels = tools.estimate_main_channel_from_recording(*given_, "neg", "at_index", **options)
        np.testing.assert_array_equal(channels, [2, 0, 3])
