import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import add_templates as twin
from spikeloom.kernels.add_templates import add_templates, add_templates_to_channels

N_UNITS, N_WINDOW, N_CHANNELS = 3, 5, 2
spikes_lists = st.lists(
    st.tuples(st.integers(-10, 30), st.integers(0, N_UNITS - 1), st.floats(-2, 2, width=32)),
    max_size=12,
)


def as_arrays(spikes):
    starts, units, scales = zip(*spikes, strict=True) if spikes else ((), (), ())
    return np.array(starts, np.int64), np.array(units, np.int32), np.array(scales, np.float32)


def make_templates():
    shape = (N_UNITS, N_WINDOW, N_CHANNELS)
    return np.random.default_rng(1).normal(0, 50, shape).astype(np.float32)


@given(spikes_lists, st.integers(0, 20))
def test_scaled_templates_are_added_where_they_overlap_the_block(spikes, n_samples):
    block = np.random.default_rng(2).normal(0, 9, (n_samples, N_CHANNELS)).astype(np.float32)
    expected = twin.add_templates(block, *as_arrays(spikes), make_templates())
    add_templates(block, *as_arrays(spikes), make_templates())
    np.testing.assert_array_equal(block, expected)


@given(spikes_lists, st.integers(0, 20))
def test_a_sample_comes_out_the_same_in_whichever_block_it_lies(spikes, cut):
    starts, units, scales = as_arrays(spikes)
    whole = np.zeros((20, N_CHANNELS), np.float32)
    add_templates(whole, starts, units, scales, make_templates())
    head, tail = np.zeros((cut, N_CHANNELS), np.float32), np.zeros((20 - cut, N_CHANNELS), "f4")
    add_templates(head, starts, units, scales, make_templates())
    add_templates(tail, starts - cut, units, scales, make_templates())
    np.testing.assert_array_equal(np.concatenate([head, tail]), whole)


@pytest.mark.parametrize("scale_type", ["f4", "f8"])
@pytest.mark.parametrize("template_type", ["f4", "f8", "i2"])
@pytest.mark.parametrize("block_type", ["f4", "f8", "i2", "i4"])
def test_products_become_numbers_of_the_block(block_type, template_type, scale_type):
    starts, units, scales = as_arrays([(-2, 0, 0.7), (3, 2, -1.3), (4, 1, 1.0), (8, 0, 0.1)])
    block = np.random.default_rng(2).normal(0, 90, (10, N_CHANNELS)).astype(block_type)
    templates = make_templates().astype(template_type)
    spikes = (starts, units, scales.astype(scale_type))
    expected = twin.add_templates(block, *spikes, templates)
    add_templates(block, *spikes, templates)
    np.testing.assert_array_equal(block, expected)


@given(spikes_lists, st.lists(st.integers(0, N_CHANNELS - 1), max_size=4))
def test_some_channels_are_those_of_the_whole(spikes, channels):
    picked = np.array(channels, np.int64)
    block = np.random.default_rng(2).normal(0, 9, (20, picked.size)).astype(np.float32)
    expected = twin.add_templates_to_channels(block, picked, *as_arrays(spikes), make_templates())
    add_templates_to_channels(block, picked, *as_arrays(spikes), make_templates())
    np.testing.assert_array_equal(block, expected)
