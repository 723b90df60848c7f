import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from making.spiking import spiking
from reference import spike_features as twin
from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.template_tools import get_template_peak_shift_on_main_channel
from spikeloom.errors import MissingExtensionError, ParameterError
from spikeloom.postprocessing.radial_decrease import enforce_decrease, radial_parents
from spikeloom.postprocessing.spike_locations import spike_prototype

GRID = {"method": "grid_convolution", "seed": 3}
MONOPOLE = {"method": "monopolar_triangulation"}
ALL = [
    ("spike_amplitudes", {}),
    ("spike_locations", {}),
    ("spike_locations", {"method": "peak_channel"}),
    ("spike_locations", {"spike_retriever_kwargs": {"channel_from_template": False}}),
    ("spike_locations", GRID),
    ("spike_locations", MONOPOLE),
    ("amplitude_scalings", {}),
]


@pytest.fixture(scope="module")
def made():
    return spiking((9000, 30, 4000), seed=5, n_spikes=25, unequal=True)


def ready(made, **kwargs):
    analyzer = made.analyzer(**kwargs)
    names = {"random_spikes": {"method": "all"}, "waveforms": {}, "templates": {}}
    analyzer.compute(names, progress_bar=False)
    return analyzer


@pytest.fixture(scope="module")
def analyzer(made):
    return ready(made)


def traces_of(made, segment):
    return made.traces[segment].astype("f4") * made.gains.astype("f4") + made.offsets.astype("f4")


def test_amplitudes_are_read_at_the_peak_of_the_template(made, analyzer):
    amplitudes = analyzer.compute("spike_amplitudes", progress_bar=False)
    shifts = get_template_peak_shift_on_main_channel(analyzer, with_dict=False)
    assert len(set(shifts[:4].tolist())) >= 1
    spikes = analyzer.sorting.to_spike_vector()
    expected = np.zeros(len(spikes), "f4")
    for k, (sample, unit, segment) in enumerate(spikes.tolist()):
        row, traces = sample + int(shifts[unit]), traces_of(made, segment)
        if 0 <= row < len(traces):  # beyond, another gives the offset of the channel
            expected[k] = traces[row, made.main_channels[unit]]
    np.testing.assert_allclose(amplitudes.get_data(), expected, rtol=1e-6)


@pytest.mark.parametrize("params", [{}, {"method_kwargs": {"feature": "energy"}}, MONOPOLE])
def test_channels_of_other_gains_are_not_stronger(made, analyzer, params):
    # Another weighs channels by steps of the file, which are of different size here.
    equal = ready(spiking((9000, 30, 4000), seed=5, n_spikes=25))
    np.testing.assert_array_equal(
        equal.sorting.to_spike_vector(), analyzer.sorting.to_spike_vector()
    )
    assert np.ptp(made.gains) > 0.3
    found, expected = (
        one.compute("spike_locations", progress_bar=False, **params).get_data()
        for one in (analyzer, equal)
    )
    for axis in ("x", "y"):
        assert np.median(np.abs(found[axis] - expected[axis])) < 0.3


def test_scalings_beside_slow_regressions(made, analyzer):
    scalings = analyzer.compute("amplitude_scalings", delta_collision_ms=1.0, progress_bar=False)
    templates = analyzer.get_extension("templates").get_data().transpose(0, 2, 1)
    mask, spikes = made.mask(), analyzer.sorting.to_spike_vector()
    shares = (mask.astype(int) @ mask.T.astype(int)) > 0
    scale = np.stack([made.gains, made.offsets]).astype("f4")
    collides = scalings.get_data(return_data_name="collision_mask")
    for k in range(0, len(spikes), 7):
        sample, unit, segment = spikes[k].tolist()
        others = [
            (int(s), int(u))
            for j, (s, u, other) in enumerate(spikes.tolist())
            if j != k and other == segment and -20 <= s - sample < 20 and shares[u, unit]
        ]
        assert collides[k] == bool(others)
        if len({(sample, unit), *others}) <= len(others):
            continue  # a spike that is there twice: each may have a part of it
        traces = made.traces[segment]
        expected = twin.scaling(traces, scale, (sample, unit), others, templates, mask, 20)
        np.testing.assert_allclose(scalings.get_data()[k], expected, rtol=1e-3, atol=1e-4)
    assert 0.8 < np.median(scalings.get_data()) < 1.2


def test_fits_of_steps_are_not_cut_to_whole_numbers(made):
    # Another puts templates of colliding spikes into arrays of the traces' whole numbers.
    equal = spiking((9000,), seed=5)
    steps, uV = (ready(equal, return_in_uV=in_uV) for in_uV in (False, True))
    found = [a.compute("amplitude_scalings", progress_bar=False).get_data() for a in (steps, uV)]
    np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def expected(analyzer):
    return [analyzer.compute(name, progress_bar=False, **params).get_data() for name, params in ALL]


@settings(max_examples=8)
@given(st.integers(60, 9000), st.integers(1, 3))
def test_values_do_not_depend_on_chunks_and_workers(analyzer, expected, chunk_size, n_jobs):
    for (name, params), values in zip(ALL, expected, strict=True):
        job = {"progress_bar": False, "chunk_size": chunk_size, "n_jobs": n_jobs}
        found = analyzer.compute(name, **params, **job).get_data()
        np.testing.assert_array_equal(found, values, err_msg=f"{name} {params}")


def test_values_do_not_depend_on_the_engine(analyzer, expected):
    job = {"chunk_size": 3000, "n_jobs": 2, "pool_engine": "process", "mp_context": "fork"}
    for (name, params), values in zip(ALL, expected, strict=True):
        found = analyzer.compute(name, progress_bar=False, **params, **job).get_data()
        np.testing.assert_array_equal(found, values)


def test_all_of_one_pass_are_as_each_alone(analyzer, expected):
    names = {"spike_amplitudes": {}, "spike_locations": {}, "amplitude_scalings": {}}
    analyzer.compute(names, progress_bar=False, chunk_size=2000)
    for k in (0, 1, 6):
        found = analyzer.get_extension(ALL[k][0]).get_data()
        np.testing.assert_array_equal(found, expected[k])


def test_values_are_given_by_unit_and_in_periods(analyzer):
    amplitudes = analyzer.compute("spike_amplitudes", progress_bar=False)
    spikes, values = analyzer.sorting.to_spike_vector(), amplitudes.get_data()
    by_unit = amplitudes.get_data(outputs="by_unit")
    together = amplitudes.get_data(outputs="by_unit", concatenated=True)
    for unit_index, unit_id in enumerate(analyzer.unit_ids.tolist()):
        of_unit = spikes["unit_index"] == unit_index
        np.testing.assert_array_equal(together[unit_id], values[of_unit])
        for k in range(3):
            here = of_unit & (spikes["segment_index"] == k)
            np.testing.assert_array_equal(by_unit[k][unit_id], values[here])
    periods = [[0, 1000, 5000, 1], [2, 0, 10, 0]]
    is_in = np.zeros(len(spikes), bool)
    for segment, start, end, unit in periods:
        is_in |= (
            (spikes["segment_index"] == segment)
            & (spikes["unit_index"] == unit)
            & (spikes["sample_index"] >= start)
            & (spikes["sample_index"] < end)
        )
    assert is_in.sum() > 3
    np.testing.assert_array_equal(amplitudes.get_data(periods=periods), values[is_in])
    inside = amplitudes.get_data("by_unit", concatenated=True, periods=periods)
    for unit_index, unit_id in enumerate(analyzer.unit_ids.tolist()):
        chosen = values[is_in & (spikes["unit_index"] == unit_index)]
        np.testing.assert_array_equal(inside[unit_id], chosen)
    amplitudes.get_data()[:] = 0  # a copy
    np.testing.assert_array_equal(amplitudes.get_data(copy=False), values)
    with pytest.raises(ParameterError, match="outputs"):
        amplitudes.get_data(outputs="table")
    with pytest.raises(ParameterError, match="not 'sizes'"):
        amplitudes.get_data(return_data_name="sizes")


def values_of(analyzer):
    names = {"spike_amplitudes": {}, "spike_locations": {}, "amplitude_scalings": {}}
    analyzer.compute(names, progress_bar=False)
    return {name: analyzer.get_extension(name).data for name in names}


def check_same(found, expected, *, but=()):
    for name, data in expected.items():
        for key, values in data.items():
            if name in but:
                continue
            ours = found[name][key]
            assert ours.dtype == values.dtype
            for field in values.dtype.names or [...]:
                np.testing.assert_allclose(
                    ours[field], values[field], rtol=1e-3, atol=1e-3, err_msg=name
                )


def test_some_units_of_all_are_as_if_computed_alone(made):
    whole = ready(made)
    values_of(whole)
    some = whole.select_units(["u3", "u1", "u4"])
    carried = {name: dict(some.get_extension(name).data) for name in values_of(whole)}
    # Scalings of those left were fitted together with units that are gone.
    check_same(carried, values_of(some), but=["amplitude_scalings"])
    assert len(carried["amplitude_scalings"]["collision_mask"]) == 2 * 52


@pytest.mark.parametrize("censor_ms", [None, 2.0])
def test_hard_merges_are_as_if_computed_then(made, censor_ms):
    whole = ready(made)
    values_of(whole)
    merged = whole.merge_units(
        [["u0", "u2"]], merging_mode="hard", censor_ms=censor_ms, progress_bar=False
    )
    carried = {name: dict(merged.get_extension(name).data) for name in values_of(whole)}
    check_same(carried, values_of(merged))


def test_soft_merges_and_splits_keep_what_was_measured(made):
    whole = ready(made)
    before = {name: dict(data) for name, data in values_of(whole).items()}
    merged = whole.merge_units([["u0", "u2"]], sparsity_overlap=0.0, progress_bar=False)
    after = {name: merged.get_extension(name).data for name in before}
    check_same(after, before)
    parts = {"u1": [np.arange(30), np.arange(30, 52)]}
    split = whole.split_units(parts, progress_bar=False)
    check_same({name: split.get_extension(name).data for name in before}, before)


def test_the_prototype_is_of_spikes_inside(made, analyzer):
    shape = spike_prototype(analyzer, (10, 10), 10_000, seed=1)
    spikes = analyzer.sorting.to_spike_vector()
    windows = []
    for sample, unit, segment in spikes.tolist():
        traces = traces_of(made, segment)[:, made.main_channels[unit]]
        if 10 < sample < len(traces) - 10:
            window = traces[sample - 10 : sample + 10]
            windows.append(window / abs(window[10]))
    np.testing.assert_allclose(shape, np.median(windows, axis=0), rtol=1e-5)


@given(st.integers(0, 10_000), st.integers(0, 11))
def test_strength_decreases_away_from_the_main_channel(seed, channel):
    rng = np.random.default_rng(seed)
    locations = np.array([[20.0 * (k % 2), 20.0 * (k // 2)] for k in range(12)])
    distances = np.linalg.norm(locations - locations[channel], axis=1)
    near = np.flatnonzero(distances <= 75)
    parents = radial_parents(locations, channel, near)
    features = rng.random((4, near.size))
    lowered = enforce_decrease(features, parents)
    assert (lowered <= features).all()
    done = [k for k, _ in parents]
    assert distances[near[done]].tolist() == sorted(distances[near[done]])
    for k, those in parents:
        assert (lowered[:, k] <= lowered[:, those].max(axis=1)).all()
        assert (distances[near[those]] < distances[near[k]]).all()
    untouched = np.setdiff1d(np.arange(near.size), done)
    np.testing.assert_array_equal(lowered[:, untouched], features[:, untouched])
    closest = np.sort(distances)[1]
    assert (distances[near[untouched]] <= closest + 1e-6).all()
    falling = np.exp(-distances[near] / 30)[np.newaxis]
    np.testing.assert_array_equal(enforce_decrease(falling, parents), falling)


def test_decrease_is_enforced_where_it_is_asked_for(made):
    # Another works out what is lower, and goes on with what was there before.
    analyzer = ready(made)
    found = [
        analyzer.compute(
            "spike_locations",
            method="monopolar_triangulation",
            method_kwargs={"enforce_decrease": enforce},
            progress_bar=False,
        ).get_data()
        for enforce in (True, False)
    ]
    assert np.abs(found[0]["z"] - found[1]["z"]).max() > 1


@pytest.mark.parametrize(
    ("name", "params", "match"),
    [
        ("spike_locations", {"method": "guess"}, "method must be one of"),
        ("spike_locations", {"method_kwargs": {"radius": 3}}, "takes no radius"),
        ("spike_locations", {"method_kwargs": {"feature": "sum"}}, "feature must be"),
        ("spike_locations", {**MONOPOLE, "method_kwargs": {"feature": "mean"}}, "feature must be"),
        ("spike_locations", {"spike_retriever_kwargs": {"x": 1}}, "takes no x"),
        (
            "spike_locations",
            {"spike_retriever_kwargs": {"channel_from_template": False, "peak_sign": "up"}},
            "peak_sign",
        ),
        ("spike_locations", {**GRID, "method_kwargs": {"percentile": 101}}, "percentile"),
        ("spike_locations", {**GRID, "method_kwargs": {"prototype": [1.0]}}, "prototype"),
        ("amplitude_scalings", {"ms_before": 5.0}, "ms_before"),
        ("amplitude_scalings", {"delta_collision_ms": -1.0}, "negative"),
    ],
)
def test_what_makes_no_sense_is_refused(analyzer, name, params, match):
    with pytest.raises(ParameterError, match=match):
        analyzer.compute(name, progress_bar=False, **params)


def test_dense_fits_need_few_channels_or_a_sparsity(made):
    analyzer = ready(made, radius_um=None)
    with pytest.raises(ParameterError, match="needs a sparsity"):
        analyzer.compute("amplitude_scalings", max_dense_channels=5)
    every = analyzer.compute("amplitude_scalings", progress_bar=False).get_data()
    assert every.size
    sparsity = ChannelSparsity(made.mask(30.0), analyzer.unit_ids, analyzer.channel_ids)
    some = analyzer.compute("amplitude_scalings", sparsity=sparsity, progress_bar=False)
    assert some.params["sparsity"] == sparsity.to_dict()
    assert (some.get_data() != every).any()
    wider = ready(made, radius_um=20.0)
    with pytest.raises(ParameterError, match="has not"):
        wider.compute("amplitude_scalings", sparsity=sparsity)


def test_templates_are_needed(made):
    with pytest.raises(MissingExtensionError, match="templates"):
        made.analyzer().compute("spike_amplitudes")


@pytest.mark.parametrize("unit_ids", [[], ["u0"]])
@pytest.mark.parametrize(("name", "params"), ALL)
def test_no_spikes_have_no_values(made, name, params, unit_ids):
    whole = made.analyzer()
    trains = [{unit: np.zeros(0, "i8") for unit in ["u0"]} for _ in range(3)]
    sorting = NumpySorting.from_unit_dict(trains, 20000.0).select_units(unit_ids)
    sorting = NumpySorting(sorting.spike_table(), 20000.0, np.array(unit_ids, "U2"))
    sorting.set_property("main_channel_id", np.array(["ch2"] * len(unit_ids), "U3"))
    analyzer = SortingAnalyzer(sorting, whole.recording, whole.recording_info)
    analyzer.compute(["random_spikes", "waveforms", "templates"], progress_bar=False)
    assert analyzer.compute(name, progress_bar=False, **params).get_data().shape == (0,)
