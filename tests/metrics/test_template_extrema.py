import numpy as np
import pytest

from spikeloom.metrics.template_extrema import template_extrema

FS = 30000.0
TIMES = np.arange(90)


def bump(centre, width, height):
    return height * np.exp(-(((TIMES - centre) / width) ** 2))


def test_the_main_ones_are_the_most_prominent():
    template = bump(20, 3, 10) + bump(30, 3, -90) + bump(45, 4, 30) + bump(60, 4, 45)
    found = template_extrema(template, FS, min_thresh_detect_peaks_troughs=0.1)
    assert (found.trough.index, found.peak_after.index) == (30, 60)
    assert found.peak_before.index == pytest.approx(20, abs=2)
    assert found.peak_after.sample_indices.size == 2
    assert found.trough.sample_indices.tolist()[0] == 30


def test_widths_are_samples_of_the_template():
    template = bump(50, 5, -90)
    trough = template_extrema(template, FS).trough
    half = 5 * np.sqrt(np.log(2))
    assert trough.width == pytest.approx(2 * half, abs=0.2)
    assert trough.width_left == pytest.approx(50 - half, abs=1)
    assert trough.width_right == pytest.approx(50 + half, abs=1)
    assert trough.half_width == trough.half_width_right - trough.half_width_left
    assert trough.half_width == pytest.approx(2 * half, abs=1)


def test_what_is_not_prominent_is_the_highest_sample():
    template = bump(40, 3, -90) + bump(60, 8, 4)
    found = template_extrema(template, FS)
    assert found.peak_after.index == pytest.approx(60, abs=1)
    assert np.isnan(found.peak_after.width)
    assert found.peak_after.width_left == -1
    assert found.peak_after.sample_indices.size == 0


def test_half_the_prominence_is_tried():
    template = bump(40, 3, -90) + bump(60, 4, 20)  # 0.22 of the largest value
    found = template_extrema(template, FS)
    assert np.isfinite(found.peak_after.width)
    assert found.peak_after.sample_indices.size == 0


@pytest.mark.parametrize("template", [np.zeros(90), np.zeros(0), np.full(90, 0.0)])
def test_a_flat_template_has_none(template):
    found = template_extrema(template, FS)
    assert not (found.trough.exists)
    assert not (found.peak_before.exists)
    assert not (found.peak_after.exists)


def test_there_is_nothing_before_a_trough_at_the_beginning():
    found = template_extrema(bump(4, 2, -90) + bump(30, 5, 40), FS)
    assert found.trough.index == 4
    assert found.peak_after.index == 30
    assert not found.peak_before.exists
    assert np.isnan(found.peak_before.half_width)
