import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference.products import gather_products as twin
from spikeloom.kernels.products import gather_products


@given(st.data(), st.sampled_from(["f4", "f8"]), st.sampled_from(["i4", "i8"]))
def test_products_are_those_of_each_item_and_its_group(data, dtype, index_dtype):
    n = data.draw(st.integers(1, 20))
    numbers = st.floats(-100, 100, width=32)
    values = np.array(data.draw(st.lists(numbers, min_size=n, max_size=n)), dtype)
    groups = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), "i4")
    factors = np.array(data.draw(st.lists(numbers, min_size=1, max_size=4)), "f4")
    items = np.array(data.draw(st.lists(st.integers(0, n - 1), max_size=30)), index_dtype)
    products = np.empty(items.size)
    gather_products(values, groups, factors, items, products)
    expected = twin(values.tolist(), groups.tolist(), factors.tolist(), items.tolist())
    assert products.tolist() == pytest.approx(expected, rel=1e-6, nan_ok=True)
