"""Metrics have the names, parameters and values that SpikeInterface gives for the same input."""

import json
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from spikeloom.core.spike_vector import SpikeTable
from spikeloom.metrics.catalogue import get_metric, metrics_of_family
from spikeloom.metrics.inputs import MetricInputs, UnitTemplates
from spikeloom.metrics.pc_features import pc_features
from spikeloom.metrics.spikes import spikes_of_table
from spikeloom.metrics.tables import compute_metric_columns

pytestmark = pytest.mark.peer

# Without tables: they need pandas, which the environment of peers may not have.
ASK = """
import json, sys, types, warnings
from pathlib import Path
import numpy as np
warnings.simplefilter("ignore")
try:
    import pandas
except ImportError:
    sys.modules["pandas"] = types.SimpleNamespace(DataFrame=lambda **kwargs: None)
import spikeinterface.core as si
import spikeinterface.postprocessing
from spikeinterface.core.template_tools import get_dense_templates_array
from spikeinterface.metrics.quality.quality_metrics import ComputeQualityMetrics
from spikeinterface.metrics.template.template_metrics import ComputeTemplateMetrics

folder = Path(sys.argv[1])
params = json.loads((folder / "params.json").read_text())
si.set_global_job_kwargs(progress_bar=False, n_jobs=1)
recording, sorting = si.generate_ground_truth_recording(
    durations=[20.0, 30.0], sampling_frequency=20000.0, num_channels=16, num_units=8, seed=3,
    generate_sorting_kwargs=dict(firing_rates=20.0, refractory_period_ms=2.0),
    noise_kwargs=dict(noise_levels=8.0),
)
# With ids that are strings the peer's nn_isolation is 0, whatever the waveforms are.
sorting = sorting.rename_units(np.arange(8))
answer, arrays = {}, {}


def plain(values, unit_ids):
    if isinstance(values, tuple):
        return {name: plain(getattr(values, name), unit_ids) for name in values._fields}
    return [float(values[unit]) for unit in unit_ids]


def ask(name, recording, sorting, sparse):
    analyzer = si.create_sorting_analyzer(sorting, recording, sparse=sparse)
    analyzer.compute("random_spikes", max_spikes_per_unit=200, seed=1)
    analyzer.compute("waveforms")
    analyzer.compute("templates", operators=["average", "median"])
    analyzer.compute(["noise_levels", "spike_amplitudes"])
    analyzer.compute("spike_locations", method="center_of_mass")
    analyzer.compute("principal_components", n_components=3)
    components = analyzer.get_extension("principal_components")
    projections, labels = components.get_some_projections()
    locations = analyzer.get_extension("spike_locations").get_data()
    spikes = sorting.to_spike_vector()
    templates = analyzer.get_extension("templates")
    noise = si.get_random_data_chunks(
        recording, return_in_uV=True, num_chunks_per_segment=params["nn_advanced"]["max_spikes"],
        chunk_size=templates.nbefore + templates.nafter, seed=0,
    )
    waveforms = analyzer.get_extension("waveforms")
    for k, unit in enumerate(sorting.unit_ids):
        arrays[f"{name}_waveforms_{k}"] = waveforms.get_waveforms_one_unit(unit, force_dense=False)
    for key, value in dict(
        sample_index=spikes["sample_index"], unit_index=spikes["unit_index"],
        segment_index=spikes["segment_index"],
        n_samples=[recording.get_num_samples(k) for k in range(recording.get_num_segments())],
        amplitudes=analyzer.get_extension("spike_amplitudes").get_data(),
        locations=np.stack([locations["x"], locations["y"]], axis=1),
        templates=get_dense_templates_array(analyzer),
        median=templates.get_data(operator="median"),
        nbefore=templates.nbefore,
        noise_levels=analyzer.get_extension("noise_levels").get_data(),
        noise_std=si.get_noise_levels(recording, return_in_uV=True, method="std"),
        main=analyzer.get_main_channels(outputs="index", with_dict=False),
        mask=analyzer.sparsity.mask if sparse else np.ones((8, 16), bool),
        projections=projections, labels=labels,
        packed=components.data["pca_projection"],
        channel_locations=recording.get_channel_locations(),
        noise=noise.reshape(-1, templates.nbefore + templates.nafter, 16),
    ).items():
        arrays[f"{name}_{key}"] = value
    answer[name] = {}
    for extension_class in (ComputeQualityMetrics, ComputeTemplateMetrics):
        extension = extension_class(analyzer)
        names = [m.metric_name for m in extension_class.metric_list]
        defaults = extension_class.get_default_metric_params()
        answer[extension_class.extension_name] = {
            m.metric_name: [
                m.metric_params if isinstance(m.metric_params, dict) else {},
                {column: dtype.__name__ for column, dtype in m.metric_columns.items()},
                m.supports_periods, m.needs_recording, list(m.depend_on),
            ]
            for m in extension_class.metric_list
        }
        extension.set_params(metric_names=names)
        extension.params["metrics_to_compute"] = names
        extension.params["metric_names"] = names
        extension.params["include_multi_channel_metrics"] = True
        unit_ids = list(sorting.unit_ids)
        prepared = extension._prepare_data(analyzer, unit_ids)
        for metric in extension_class.metric_list:
            if sparse and metric.metric_name == "nn_advanced":
                continue  # it takes longer than all others together
            chosen = {**defaults[metric.metric_name], **params.get(metric.metric_name, {})}
            values = metric.compute(
                analyzer, unit_ids, chosen, prepared, dict(n_jobs=1), periods=None
            )
            values = plain(values, unit_ids)
            if isinstance(values, list):
                values = {next(iter(metric.metric_columns)): values}
            answer[name].update(values)
        if "main_channel_templates" in prepared:
            arrays[f"{name}_main_channel_templates"] = prepared["main_channel_templates"]


ask("sparse", recording, sorting, True)
one = si.select_segment_recording(recording, [1]), si.select_segment_sorting(sorting, [1])
ask("dense", *one, False)
np.savez(folder / "answer.npz", **arrays)
(folder / "answer.json").write_text(json.dumps(answer))
"""

FS = 20000.0
N_NOISE = 60
PARAMS = {
    # So short that there are several bins.
    "presence_ratio": {"bin_duration_s": 5.0, "mean_fr_ratio_thresh": 0.9},
    "drift": {"interval_s": 5.0, "min_spikes_per_interval": 50},
    "amplitude_cutoff": {"num_histogram_bins": 50},
    "isi_violation": {"isi_threshold_ms": 3.0, "min_isi_ms": 0.5},
    "rp_violation": {"refractory_period_ms": 3.0, "censored_period_ms": 0.3},
    "nn_advanced": {"max_spikes": N_NOISE, "seed": 0},
}
CASES = ("sparse", "dense")

# Columns whose values are the peer's, with the tolerance relative to the larger of 1 and the value.
EXACT = 1e-12
SINGLE = 2e-5
TOLERANCES = {
    "num_spikes": 0,
    "firing_rate": EXACT,
    "presence_ratio": EXACT,
    "snr": SINGLE,
    "rp_contamination": EXACT,
    "rp_violations": 0,
    "sliding_rp_violation": EXACT,
    "sync_spike_2": EXACT,
    "sync_spike_4": EXACT,
    "sync_spike_8": EXACT,
    "firing_range": EXACT,
    "amplitude_cv_median": SINGLE,
    "amplitude_cv_range": SINGLE,
    "noise_cutoff": SINGLE,
    "noise_ratio": SINGLE,
    "amplitude_median": SINGLE,
    "drift_ptp": 1e-4,
    "drift_std": 1e-4,
    "drift_mad": 1e-4,
    "sd_ratio": SINGLE,
    "isolation_distance": SINGLE,
    "l_ratio": SINGLE,
    "d_prime": SINGLE,
    "nn_hit_rate": EXACT,
    "nn_miss_rate": EXACT,
    "silhouette": SINGLE,
    "nn_isolation": 0.01,
    "peak_to_trough_duration": EXACT,
    "trough_half_width": EXACT,
    "peak_half_width": EXACT,
    "repolarization_slope": SINGLE,
    "recovery_slope": SINGLE,
    "num_positive_peaks": 0,
    "num_negative_peaks": 0,
    "main_to_next_extremum_duration": EXACT,
    "peak_before_to_trough_ratio": SINGLE,
    "peak_after_to_trough_ratio": SINGLE,
    "peak_before_to_peak_after_ratio": SINGLE,
    "main_peak_to_trough_ratio": SINGLE,
    "trough_width": SINGLE,
    "peak_before_width": SINGLE,
    "peak_after_width": SINGLE,
    "waveform_baseline_flatness": SINGLE,
    "velocity_above": SINGLE,
    "velocity_below": SINGLE,
    "exp_decay": 1e-4,
}


class Answer:
    """What the peer was given and what it answered."""

    def __init__(self, folder):
        self.arrays = np.load(folder / "answer.npz")
        self.values = json.loads((folder / "answer.json").read_text())

    def get(self, case, name):
        return self.arrays[f"{case}_{name}"]

    def spikes(self, case):
        samples, segments = self.get(case, "sample_index"), self.get(case, "segment_index")
        n_samples = self.get(case, "n_samples")
        offsets = np.searchsorted(segments, np.arange(n_samples.size + 1))
        table = SpikeTable(samples, self.get(case, "unit_index"), offsets)
        return spikes_of_table(table, n_units=8, n_samples=n_samples, sampling_frequency=FS)

    def features(self, case, *, is_packed=False):
        return pc_features(
            self.get(case, "packed" if is_packed else "projections"),
            self.get(case, "labels"),
            8,
            main_channels=self.get(case, "main"),
            sparsity_mask=self.get(case, "mask") if case == "sparse" else None,
            is_packed=is_packed,
        )

    def inputs(self, case):
        return MetricInputs(
            spikes=self.spikes(case),
            spike_amplitudes=self.get(case, "amplitudes"),
            spike_locations=self.get(case, "locations"),
            templates=UnitTemplates(
                templates=self.get(case, "templates"),
                nbefore=int(self.get(case, "nbefore")),
                main_channels=self.get(case, "main"),
                channel_locations=self.get(case, "channel_locations"),
                sparsity_mask=self.get(case, "mask") if case == "sparse" else None,
                median_templates=self.get(case, "median"),
            ),
            noise_levels=self.get(case, "noise_levels"),
            noise_std=self.get(case, "noise_std"),
            principal_components=self.features(case),
            waveforms=[self.get(case, f"waveforms_{k}") for k in range(8)],
            noise_snippets=self.get(case, "noise"),
        )


@pytest.fixture(scope="module")
def answer(tmp_path_factory, peer_python):
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "params.json").write_text(json.dumps(PARAMS))
    subprocess.run([peer_python, "-c", ASK, folder], check=True, timeout=280)
    return Answer(folder)


@pytest.fixture(scope="module")
def ours(answer):
    names = [m.name for family in ("quality", "template") for m in metrics_of_family(family)]
    return {
        case: compute_metric_columns(answer.inputs(case), names, PARAMS).values for case in CASES
    }


@pytest.mark.parametrize("family", ["quality", "template"])
def test_names_columns_and_parameters_are_those_of_the_peer(answer, family):
    theirs = answer.values[f"{family}_metrics"]
    assert [metric.name for metric in metrics_of_family(family)] == list(theirs)
    for name, (params, columns, supports_periods, needs_recording, depend_on) in theirs.items():
        metric = get_metric(name)
        assert json.loads(json.dumps(dict(metric.params))) == params, name
        assert {c: column.dtype.__name__ for c, column in metric.columns.items()} == columns
        assert metric.supports_periods == supports_periods, name
        assert metric.needs_recording == needs_recording, name
        assert family == "template" or list(metric.depend_on) == depend_on, name


def is_compared(case, column):
    # The peer loses an interval of drift if there are several segments; see below.
    return case == "dense" or not column.startswith(("drift", "nn_isolation"))


COMPARED = [(case, column) for case in CASES for column in TOLERANCES if is_compared(case, column)]


@pytest.mark.parametrize(("case", "column"), COMPARED)
def test_values_are_those_of_the_peer(answer, ours, case, column):
    theirs = np.array(answer.values[case][column])
    values = ours[case][column]
    assert np.array_equal(np.isnan(theirs), np.isnan(values)), (theirs, values)
    limit = TOLERANCES[column] * np.maximum(1, np.abs(theirs))
    has_value = np.isfinite(theirs)
    assert (np.abs(values - theirs) <= limit)[has_value].all(), (theirs, values)


def test_the_comparison_has_values_to_compare(answer):
    for case, column in COMPARED:
        theirs = np.array(answer.values[case][column])
        if column not in {"peak_before_width", "velocity_above", "velocity_below"}:
            assert np.isfinite(theirs).sum() >= 5, (case, column)
    assert max(answer.values["sparse"]["rp_violations"]) > 3
    assert max(answer.values["sparse"]["sync_spike_2"]) > 0


@pytest.mark.parametrize("case", CASES)
def test_intervals_of_just_the_threshold_are_no_violations(answer, ours, case):
    # The peer compares seconds, so that rounding decides about them.
    spikes = answer.spikes(case)
    limit = round(3.0 * FS / 1000)
    on_limit = [
        sum(
            np.count_nonzero(np.diff(spikes.train(u, k)) == limit) for k in range(spikes.n_segments)
        )
        for u in range(8)
    ]
    surplus = (
        np.array(answer.values[case]["isi_violations_count"]) - ours[case]["isi_violations_count"]
    )
    assert ((surplus >= 0) & (surplus <= on_limit)).all()
    same = surplus == 0
    theirs = np.array(answer.values[case]["isi_violations_ratio"])
    assert ours[case]["isi_violations_ratio"][same] == pytest.approx(theirs[same], rel=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_smoothed_counts_are_not_truncated(answer, ours, case):
    # The peer smooths whole numbers to whole numbers; with few spikes in a bin that matters.
    theirs = np.array(answer.values[case]["amplitude_cutoff"])
    assert ours[case]["amplitude_cutoff"] == pytest.approx(theirs, abs=0.04)


@pytest.mark.parametrize("case", CASES)
def test_spread_is_that_of_the_peer_up_to_a_step_of_the_probe(answer, ours, case):
    # Channels of the same depth have no order, which changes what a smoothing along them gives.
    steps = np.diff(np.unique(answer.get(case, "channel_locations")[:, 1]))
    theirs = np.array(answer.values[case]["spread"])
    assert ours[case]["spread"] == pytest.approx(theirs, abs=2 * steps.max())


def test_noise_overlap_is_that_of_the_peer(answer, ours):
    theirs = np.array(answer.values["dense"]["nn_noise_overlap"])
    assert ours["dense"]["nn_noise_overlap"] == pytest.approx(theirs, abs=0.02)


def test_drift_is_that_of_the_peer_where_it_loses_no_interval(answer, ours):
    # The peer loses the last interval of all segments but the last if they are multiples of it.
    n_samples = answer.get("sparse", "n_samples")
    inputs = answer.inputs("sparse")
    shorter = replace(inputs.spikes, n_samples=n_samples - [1, 0])
    metric = get_metric("drift")
    found = metric.of(replace(inputs, spikes=shorter), **PARAMS["drift"])
    for column, values in found.items():
        theirs = np.array(answer.values["sparse"][column])
        assert values == pytest.approx(theirs, abs=1e-4)
        assert not np.allclose(ours["sparse"][column], theirs, atol=1e-4)


def test_packed_projections_are_those_spread_over_all_channels(answer):
    dense, packed = answer.features("sparse"), answer.features("sparse", is_packed=True)
    for unit in range(8):
        assert np.array_equal(dense.features[unit], packed.features[unit])


def test_upsampled_templates_are_those_of_the_peer(answer):
    from spikeloom.metrics.template_columns import shared_main_templates

    made = shared_main_templates(answer.inputs("sparse"))
    assert np.allclose(made.values, answer.get("sparse", "main_channel_templates"), atol=1e-4)
