import numpy as np
import pytest

from spikeloom.datasets.templates import TemplateSet, cosine_similarity


def make_set(amplitudes, *, positions=None, shanks=None, **options):
    """Return one dense template of the given peak-to-peak amplitudes."""
    amplitudes = np.array(amplitudes, np.float32)
    stored = np.zeros((1, 5, amplitudes.size), np.float32)
    stored[0, 2] = -amplitudes
    n = amplitudes.size
    positions = (
        np.column_stack([np.zeros(n), 20.0 * np.arange(n)]) if positions is None else positions
    )
    options.setdefault("unwhitening", None)
    options.setdefault("stored_channels", None)
    return TemplateSet(
        stored=stored,
        channel_positions=positions,
        channel_shanks=np.array([0] * n if shanks is None else shanks),
        **options,
    )


def test_the_best_channels_are_the_closest_ones_on_the_shank_by_falling_amplitude():
    # Five channels in a column, two shanks: channel 3 is large, but on the other shank.
    templates = make_set([1, 5, 3, 4, 0], shanks=[0, 0, 0, 1, 1], n_closest_channels=3)
    template = templates.get(0)
    assert template.channel_ids.tolist() == [1, 2, 0]
    assert template.amplitudes.tolist() == [5, 3, 1]
    assert np.ptp(template.waveform, axis=0).tolist() == [5, 3, 1]
    assert templates.main_channels.tolist() == [1]
    assert templates.main_amplitudes.tolist() == [5]


def test_the_threshold_leaves_out_what_is_small_beside_the_main_channel():
    shanks = [0, 0, 0, 1, 1]
    templates = make_set(
        [1, 5, 3, 4, 0], shanks=shanks, n_closest_channels=3, amplitude_threshold=0.7
    )
    assert templates.get(0).channel_ids.tolist() == [1]


def test_twelve_channels_are_shown_unless_told_otherwise():
    assert len(make_set(np.arange(1, 31)).get(0).channel_ids) == 12


def test_templates_are_unwhitened_and_scaled():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(4, 4))
    templates = make_set([1, 2, 3, 4], unwhitening=matrix, scaling=2.5)
    expected = 2.5 * templates.stored[0] @ matrix
    np.testing.assert_allclose(templates.dense(0, range(4)), expected, rtol=1e-5)
    np.testing.assert_allclose(templates.main_amplitudes, np.ptp(expected, axis=0).max(), rtol=1e-5)
    np.testing.assert_allclose(templates.main_magnitudes, np.abs(expected).max(), rtol=1e-5)


def test_a_sparse_template_has_all_its_channels_that_carry_a_signal():
    stored = np.zeros((1, 3, 4), np.float32)
    stored[0, 1] = [2, 5, 1e-9, 7]
    templates = make_set([0] * 10, stored_channels=np.array([[8, 3, 5, -1]]))
    templates = TemplateSet(
        stored,
        np.array([[8, 3, 5, -1]]),
        None,
        templates.channel_positions,
        templates.channel_shanks,
    )
    template = templates.get(0)
    assert template.channel_ids.tolist() == [3, 8]
    assert template.amplitudes.tolist() == [5, 2]
    assert templates.dense(0, [0, 8, 3])[1].tolist() == [0, 2, 5]


def test_sparse_templates_are_unwhitened_among_their_channels():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(6, 6))
    stored = rng.normal(size=(1, 3, 2)).astype(np.float32)
    base = make_set([0] * 6)
    templates = TemplateSet(
        stored, np.array([[4, 1]]), matrix, base.channel_positions, base.channel_shanks
    )
    expected = stored[0] @ matrix[np.ix_([4, 1], [4, 1])]
    np.testing.assert_allclose(templates.dense(0, [4, 1]), expected, rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_empty_template_has_no_channels(value):
    templates = make_set([0, 0, 0])
    templates.stored[:] = value
    assert templates.get(0) is None
    assert templates.main_channels.tolist() == [-1]
    assert templates.main_amplitudes.tolist() == [0]


def test_a_template_that_does_not_exist_is_none():
    templates = make_set([1, 2])
    assert templates.get(1) is None
    assert templates.get(-1) is None
    assert not templates.dense(7, [0, 1]).any()


def test_templates_are_compared_by_their_cosine():
    stored = np.zeros((4, 3, 2), np.float32)
    stored[0, 1, 0], stored[1, 1, 0] = -2, -5
    stored[2, 1, 1] = -1
    base = make_set([0, 0])
    templates = TemplateSet(stored, None, None, base.channel_positions, base.channel_shanks)
    expected = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(cosine_similarity(templates), expected, atol=1e-6)
    stored[1] *= -1
    assert cosine_similarity(templates)[0, 1] == 0  # opposite is not similar
