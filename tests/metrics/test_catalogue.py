from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from making.projections import clouds, features_of
from making.sortings import sorting_of
from spikeloom import metrics
from spikeloom.errors import (
    DuplicateNameError,
    MissingExtensionError,
    ParameterError,
    UnknownNameError,
)
from spikeloom.metrics import metric as metric_module
from spikeloom.metrics.catalogue import metrics_of_family
from spikeloom.metrics.inputs import MetricInputs
from spikeloom.metrics.metric import Column, Metric
from spikeloom.metrics.spikes import spikes_of_sorting
from spikeloom.metrics.tables import compute_metric_columns, default_metric_names
from spikeloom.registry import Registry

LAST_SPIKE = Metric(
    name="last_spike",
    family="quality",
    columns={"last_sample": Column(dtype=int, description="Sample of the last spike.")},
    params={"offset": 0},
    compute=lambda inputs, offset: {
        "last_sample": [inputs.spikes.train(u, 0)[-1] + offset for u in range(2)]
    },
)


@pytest.fixture
def inputs():
    sorting = sorting_of([{"a": [1, 5, 9], "b": [5]}], fs=30000.0)
    return MetricInputs(spikes=spikes_of_sorting(sorting, [100]))


def test_everything_public_is_there():
    for name in metrics.__all__:
        assert getattr(metrics, name) is not None


def test_every_column_says_what_it_is_and_belongs_to_one_metric():
    every = [m for family in ("quality", "template") for m in metrics_of_family(family)]
    columns = [name for m in every for name in m.columns]
    assert len(columns) == len(set(columns)) > 50
    for m in every:
        assert m.with_defaults() == dict(m.params)
        for column in m.columns.values():
            assert column.description.endswith(".")
            assert column.dtype in {int, float}


def test_lists_are_in_order():
    names = metrics.get_quality_metric_list()
    assert names[:3] == ["num_spikes", "firing_rate", "presence_ratio"]
    assert names[-5:] == metrics.get_quality_pca_metric_list()
    assert metrics.get_template_metric_list() == [
        *metrics.get_single_channel_template_metric_names(),
        *metrics.get_multi_channel_template_metric_names(),
    ]
    assert list(metrics.get_default_template_metrics_params(["spread", "nothing"])) == ["spread"]
    assert metrics.get_default_spiketrain_metrics_params() == {"num_spikes": {}, "firing_rate": {}}
    assert metrics.get_spiketrain_metric_list() == ["num_spikes", "firing_rate"]


def test_defaults_are_copies():
    metrics.get_default_quality_metrics_params()["snr"]["method"] = "at_index"
    assert metrics.get_default_quality_metrics_params(["snr"]) == {"snr": {"method": "extremum"}}


def test_older_names_are_explained():
    with pytest.raises(ParameterError, match="part of 'mahalanobis'"):
        metrics.get_metric("l_ratio")
    with pytest.raises(UnknownNameError, match=r"Known: .*amplitude_cutoff"):
        metrics.get_metric("shininess")


def test_what_is_missing_decides_about_the_defaults(inputs):
    names = default_metric_names(inputs)
    assert "isi_violation" in names
    assert "snr" not in names
    assert "d_prime" not in names
    assert default_metric_names(inputs, "template") == []
    with pytest.raises(MissingExtensionError, match="amplitude_scalings or spike_amplitudes"):
        compute_metric_columns(inputs, ["amplitude_cutoff"])


def test_a_table_has_the_dtypes_of_its_columns(inputs):
    columns = compute_metric_columns(inputs)
    table = columns.to_table(["a", "b"])
    assert list(table.index) == ["a", "b"]
    for m in map(metrics.get_metric, default_metric_names(inputs)):
        for name, column in m.columns.items():
            assert table[name].dtype == ("Int64" if column.dtype is int else "float64")
    assert table.loc["a", "num_spikes"] == 3
    assert set(columns.run_times_s) == set(default_metric_names(inputs))


def test_only_some_units_may_matter():
    made = clouds([40, 50, 60], apart=1.0)
    spikes = spikes_of_sorting(sorting_of([{"a": [1], "b": [2], "c": [3]}]), [100])
    every = MetricInputs(spikes=spikes, principal_components=features_of(made))
    names = ["mahalanobis", "d_prime", "nearest_neighbor", "silhouette"]
    expected = compute_metric_columns(every, names).values
    found = compute_metric_columns(replace(every, units=[1]), names).values
    for name, values in found.items():
        assert np.isnan(values).tolist() == [True, False, True]
        assert values[1] == expected[name][1]


def test_unknown_parameters_are_refused(inputs):
    with pytest.raises(ParameterError, match="no parameter threshold_ms"):
        compute_metric_columns(inputs, ["isi_violation"], {"isi_violation": {"threshold_ms": 2}})


def test_third_parties_join_by_an_entry_point(inputs, monkeypatch):
    name, group = "last_spike", "spikeloom.metrics"
    mine = EntryPoint(name, "a_plugin.metrics:last_spike", group)
    monkeypatch.setattr(EntryPoint, "load", lambda self: LAST_SPIKE)
    asked = []
    monkeypatch.setattr(
        "spikeloom.registry.entry_points", lambda group: asked.append(group) or [mine]
    )
    registry = Registry("metric", entry_point_group=metric_module.METRICS._group)
    assert registry.get(name) is LAST_SPIKE
    assert asked == [group]
    assert LAST_SPIKE.of(inputs, offset=2)["last_sample"].tolist() == [11, 7]


def test_a_metric_can_be_registered_and_is_listed_last(inputs, monkeypatch):
    registry = Registry("metric")
    for name in metric_module.METRICS.names():
        registry.register(name, metric_module.METRICS.get(name))
    monkeypatch.setattr("spikeloom.metrics.catalogue.METRICS", registry)
    metrics.register_metric(LAST_SPIKE)
    assert metrics.get_quality_metric_list()[-1] == "last_spike"
    assert compute_metric_columns(inputs, ["last_spike"]).values["last_sample"].tolist() == [9, 5]
    with pytest.raises(DuplicateNameError):
        metrics.register_metric(Metric(name="snr", family="quality", columns={}, compute=dict))


def test_a_metric_that_gives_other_columns_is_refused(inputs):
    wrong = Metric(
        name="wrong",
        family="quality",
        columns={"one": Column(dtype=float, description="One.")},
        compute=lambda inputs: {"two": [1.0, 2.0]},
    )
    with pytest.raises(ParameterError, match=r"gave \['two'\], not \['one'\]"):
        wrong.of(inputs)
