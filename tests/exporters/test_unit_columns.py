"""What is known of units, as columns."""

import numpy as np
import pandas as pd
import pytest

from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import UnknownNameError
from spikeloom.exporters.unit_columns import _of_table, metric_columns, property_columns


@pytest.mark.parametrize(
    ("column", "expected", "kind"),
    [
        (pd.Series([1, 2], dtype="Int64"), [1, 2], "i"),
        (pd.Series([1, None], dtype="Int64"), [1, np.nan], "f"),
        (pd.Series([True, False], dtype="boolean"), [True, False], "b"),
        (pd.Series([True, None], dtype="boolean"), [1, np.nan], "f"),
        (pd.Series([0.5, None], dtype="Float64"), [0.5, np.nan], "f"),
        (pd.Series(["good", None], dtype=object), ["good", ""], "O"),
        (pd.Series(["good", None], dtype="string"), ["good", ""], "O"),
        (pd.Series([1.5, float("nan")], dtype=object), ["1.5", ""], "O"),
    ],
)
def test_columns_of_tables_keep_their_kind_where_nothing_is_missing(column, expected, kind):
    found = _of_table(column)
    assert found.dtype.kind == kind
    np.testing.assert_array_equal(found, np.array(expected, found.dtype))


def test_metrics_come_with_what_they_say(known_analyzer):
    columns = {column.name: column for column in metric_columns(known_analyzer)}
    assert columns["trough_half_width"].unit == "s"
    assert columns["trough_half_width"].origin == "template_metrics"
    assert columns["snr"].origin == "quality_metrics"
    only = metric_columns(known_analyzer, ["quality_metrics"])
    assert {column.name for column in only} < set(columns)
    assert all(len(column.values) == 4 for column in columns.values())


def test_properties_are_found_by_name_and_do_not_take_the_names_of_others():
    sorting = NumpySorting.from_unit_dict({"a": [10], "b": [20]}, 1000.0)
    sorting.set_property("depth", [1.0, 2.0])
    sorting.set_property("label", ["x", None])
    names = [column.name for column in property_columns(sorting, taken=["depth"])]
    assert names == ["depth_property", "label"]
    (label,) = property_columns(sorting, ["label"])
    assert label.values.tolist() in (["x", ""], ["x", "None"])
    with pytest.raises(UnknownNameError, match=r"no property 'nope'. There are: depth, label"):
        property_columns(sorting, ["nope"])
