import pytest
from hypothesis import given, strategies as st

from making.sortings import FS, N_SAMPLES, UNIT_IDS, segments_lists, sorting_of
from reference.metrics import synchrony as twin
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.metrics.spikes import spikes_of_sorting
from spikeloom.metrics.synchrony import synchrony

few_samples = st.lists(
    st.fixed_dictionaries({
        u: st.lists(st.integers(0, 4), max_size=9).map(sorted) for u in UNIT_IDS
    }),
    min_size=1,
    max_size=2,
)


@given(segments_lists | few_samples)
def test_synchrony_is_the_part_of_spikes_in_events_of_a_size(dicts):
    found = synchrony(spikes_of_sorting(sorting_of(dicts), [N_SAMPLES] * len(dicts)))
    for size, values in zip((2, 4, 8), found, strict=True):
        assert values.tolist() == pytest.approx(twin(dicts, size))


def test_there_may_be_no_units():
    found = synchrony(spikes_of_sorting(NumpySorting.from_unit_dict({}, FS), [100]))
    assert found.sync_spike_2.size == 0
