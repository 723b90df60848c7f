"""Checks that two objects are equal, for tests of readers and of other people's code."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from spikeloom.core.base import BaseExtractor
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting


def check_recordings_equal(
    RX1: BaseRecording,
    RX2: BaseRecording,
    return_in_uV: bool = True,
    force_dtype: DTypeLike | None = None,
    check_annotations: bool = False,
    check_properties: bool = False,
    *,
    return_scaled: bool | None = None,
) -> None:
    """Raise AssertionError unless two recordings have the same channels, sizes and traces.

    Parameters
    ----------
    RX1, RX2 : BaseRecording
        The recordings.
    return_in_uV : bool, default True
        Compare microvolts where both know their gains; older spelling ``return_scaled``.
    force_dtype : dtype, optional
        Turn both into this type first.
    check_annotations, check_properties : bool, default False
        Compare these, too.
    """
    np.testing.assert_array_equal(RX1.channel_ids, RX2.channel_ids)
    assert np.isclose(RX1.sampling_frequency, RX2.sampling_frequency)
    assert RX1.get_num_segments() == RX2.get_num_segments()
    in_uV = return_in_uV if return_scaled is None else return_scaled
    in_uV = in_uV and RX1.has_scaleable_traces() and RX2.has_scaleable_traces()
    for k in range(RX1.get_num_segments()):
        n_samples = RX1.get_num_samples(k)
        assert n_samples == RX2.get_num_samples(k)
        n_chunk = max(1, int(RX1.sampling_frequency))
        for first in range(0, n_samples, n_chunk):
            one, other = (
                recording.get_traces(k, first, min(first + n_chunk, n_samples), return_in_uV=in_uV)
                for recording in (RX1, RX2)
            )
            if force_dtype is not None:
                one, other = one.astype(force_dtype), other.astype(force_dtype)
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    _check_metadata(RX1, RX2, annotations=check_annotations, properties=check_properties)


def check_sortings_equal(
    SX1: BaseSorting,
    SX2: BaseSorting,
    check_annotations: bool = False,
    check_properties: bool = False,
    check_exact_lexsort: bool = True,
) -> None:
    """Raise AssertionError unless two sortings have the same units and spikes.

    Parameters
    ----------
    SX1, SX2 : BaseSorting
        The sortings.
    check_annotations, check_properties : bool, default False
        Compare these, too.
    check_exact_lexsort : bool, default True
        Also want spikes of one sample in the same order.
    """
    np.testing.assert_array_equal(SX1.unit_ids, SX2.unit_ids)
    assert np.isclose(SX1.sampling_frequency, SX2.sampling_frequency)
    assert SX1.get_num_segments() == SX2.get_num_segments()
    for k in range(SX1.get_num_segments()):
        for unit_id in SX1.unit_ids.tolist():
            check_sorted_arrays_equal(
                SX1.get_unit_spike_train(unit_id, k), SX2.get_unit_spike_train(unit_id, k)
            )
    if check_exact_lexsort:
        np.testing.assert_array_equal(SX1.to_spike_vector(), SX2.to_spike_vector())
    _check_metadata(SX1, SX2, annotations=check_annotations, properties=check_properties)


def check_sorted_arrays_equal(a1: ArrayLike, a2: ArrayLike) -> None:
    """Raise AssertionError unless two arrays hold the same values, in whatever order."""
    np.testing.assert_array_equal(np.sort(np.asarray(a1)), np.sort(np.asarray(a2)))


def check_extractor_annotations_equal(EX1: BaseExtractor, EX2: BaseExtractor) -> None:
    """Raise AssertionError unless two objects have the same annotations."""
    assert sorted(EX1.get_annotation_keys()) == sorted(EX2.get_annotation_keys())
    for key in EX1.get_annotation_keys():
        assert EX1.get_annotation(key) == EX2.get_annotation(key), key


def check_extractor_properties_equal(EX1: BaseExtractor, EX2: BaseExtractor) -> None:
    """Raise AssertionError unless two objects have the same properties."""
    assert sorted(EX1.get_property_keys()) == sorted(EX2.get_property_keys())
    for key in EX1.get_property_keys():
        np.testing.assert_array_equal(EX1.get_property(key), EX2.get_property(key), key)


def _check_metadata(
    one: BaseExtractor, other: BaseExtractor, *, annotations: bool, properties: bool
) -> None:
    if annotations:
        check_extractor_annotations_equal(one, other)
    if properties:
        check_extractor_properties_equal(one, other)
