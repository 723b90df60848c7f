import numpy as np
import pytest

from spikeloom.errors import ParameterError
from spikeloom.metrics import template as t
from spikeloom.metrics.main_templates import main_templates

FS = 30000.0
TIMES = np.arange(90)


def bump(centre, width, height):
    return height * np.exp(-(((TIMES - centre) / width) ** 2))


def made_of(*templates, factor=1):
    return main_templates(
        np.array(templates)[:, :, None], [0] * len(templates), FS, upsampling_factor=factor
    )


SPIKE = bump(18, 3, 20) + bump(30, 3, -90) + bump(50, 6, 30)
FLAT = np.zeros(90)
EARLY = bump(4, 1.5, -90)  # a trough so early that there is no peak before it
LATE = bump(86, 1.5, -90)  # and so late that there is none after it


def test_durations_and_half_widths():
    made = made_of(SPIKE)
    assert t.peak_to_trough_durations(made) == pytest.approx([20 / FS])
    assert t.main_to_next_extremum_durations(made) == pytest.approx([20 / FS])
    half = 2 * np.sqrt(np.log(2))
    assert t.half_widths(made).trough_half_width == pytest.approx([3 * half / FS], abs=1.1 / FS)
    assert t.half_widths(made).peak_half_width == pytest.approx([6 * half / FS], abs=1.1 / FS)


def test_upsampling_refines_without_changing_what_is_measured():
    coarse, fine = made_of(SPIKE), made_of(SPIKE, factor=10)
    assert fine.values.shape == (1, 900)
    assert fine.sampling_frequency == 10 * FS
    one, other = (t.waveform_widths(made).trough_width for made in (coarse, fine))
    assert one == pytest.approx(other, rel=0.02)
    assert t.waveform_ratios(fine).peak_after_to_trough_ratio == pytest.approx([30 / 90], rel=0.02)
    with pytest.raises(ParameterError, match="from 1 on"):
        made_of(SPIKE, factor=0)


def test_slopes_are_those_of_lines():
    rise = np.concatenate((np.zeros(30), np.linspace(-90, 20, 23), np.linspace(20, 0, 38)[1:]))
    made = made_of(rise)
    steps = 110 / 22
    assert t.repolarization_slopes(made) == pytest.approx([steps * FS])
    assert t.recovery_slopes(made) == pytest.approx([-20 / 37 * FS])
    assert t.recovery_slopes(made, recovery_window_ms=0.03)[0] != t.recovery_slopes(made)[0]


def test_counts_and_ratios():
    made = made_of(SPIKE)
    counts = t.number_of_peaks(made)
    assert (counts.num_positive_peaks.tolist(), counts.num_negative_peaks.tolist()) == ([1], [1])
    ratios = t.waveform_ratios(made)
    assert ratios.peak_before_to_trough_ratio == pytest.approx([20 / 90], rel=0.02)
    assert ratios.peak_before_to_peak_after_ratio == pytest.approx([20 / 30], rel=0.02)
    assert ratios.main_peak_to_trough_ratio == pytest.approx([30 / 90], rel=0.02)


def test_the_baseline_is_that_of_the_beginning():
    template = bump(50, 4, -90) + 7
    template[5] += 9
    expected = (9 - 9 / 15) / (90 + 9 / 15)
    assert t.waveform_baseline_flatness(made_of(template)) == pytest.approx([expected], rel=1e-3)
    assert np.isnan(t.waveform_baseline_flatness(made_of(template), baseline_window_ms=None))
    assert np.isnan(t.waveform_baseline_flatness(made_of(template), baseline_window_ms=(9, 9)))
    assert np.isnan(t.waveform_baseline_flatness(made_of(FLAT)))


def test_what_is_not_there_has_no_duration_ratio_or_slope():
    # SpikeInterface takes the last sample for an extremum that is not there.
    made = made_of(LATE, EARLY, FLAT)
    durations = t.peak_to_trough_durations(made)
    assert np.isnan(durations).tolist() == [True, False, True]
    ratios = t.waveform_ratios(made)
    assert np.isnan(ratios.peak_after_to_trough_ratio[0])
    assert np.isnan(ratios.peak_before_to_trough_ratio[1])
    assert np.isfinite(ratios.main_peak_to_trough_ratio).tolist() == [True, True, False]
    assert np.isnan(t.recovery_slopes(made)).tolist() == [True, False, True]
    next_one = t.main_to_next_extremum_durations(made)
    assert np.isfinite(next_one).tolist() == [True, True, False]
    assert (next_one[:2] > 0).all()


def test_there_may_be_no_units():
    made = main_templates(np.zeros((0, 90, 3)), [], FS)
    assert t.peak_to_trough_durations(made).size == 0
    assert t.waveform_widths(made).trough_width.size == 0
    assert t.waveform_baseline_flatness(made).size == 0
    assert t.number_of_peaks(made).num_negative_peaks.size == 0
