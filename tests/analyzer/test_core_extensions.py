import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from making.spiking import spiking
from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.core_extensions import compute_templates
from spikeloom.analyzer.core_waveforms import repack
from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.core.merging_units import apply_merges_to_sorting, apply_splits_to_sorting
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.errors import MissingExtensionError, ParameterError

pytestmark = pytest.mark.filterwarnings("ignore:Pieces are shortened")

NB, NA = 20, 40
PARAMS = {"random_spikes": {"seed": 4, "max_spikes_per_unit": 50}}


@pytest.fixture(scope="module")
def made():
    return spiking(seed=8, unequal=True)


def compute(analyzer, *names, params=None, **job_kwargs):
    given = {name: (params or PARAMS).get(name, {}) for name in names}
    analyzer.compute(given, **{"progress_bar": False, **job_kwargs})
    return analyzer


def windows_of(made, spikes, nb=NB, na=NA, *, in_uV=True):
    """Return the windows of spikes on all channels, zero outside the recording."""
    windows = np.zeros((len(spikes), nb + na, len(made.locations)))
    for window, (sample, _, segment) in zip(windows, spikes.tolist(), strict=True):
        traces = made.traces[segment].astype("f4")
        if in_uV:
            traces = traces * made.gains.astype("f4") + made.offsets.astype("f4")
        for t in range(nb + na):
            if 0 <= sample - nb + t < len(traces):
                window[t] = traces[sample - nb + t]
    return windows


@pytest.mark.parametrize("in_uV", [True, False])
@pytest.mark.parametrize("radius_um", [None, 45.0])
def test_waveforms_are_windows_of_traces(made, radius_um, in_uV):
    analyzer = made.analyzer(radius_um=radius_um, return_in_uV=in_uV)
    compute(analyzer, "random_spikes", "waveforms")
    waveforms = analyzer.get_extension("waveforms")
    spikes = analyzer.get_extension("random_spikes").get_random_spikes()
    assert waveforms.get_data().dtype == (np.float32 if in_uV else np.int16)
    dense = windows_of(made, spikes, in_uV=in_uV)
    for unit_index, unit_id in enumerate(analyzer.unit_ids.tolist()):
        rows = spikes["unit_index"] == unit_index
        channels = slice(None) if radius_um is None else made.mask(radius_um)[unit_index]
        found = waveforms.get_waveforms_one_unit(unit_id)
        np.testing.assert_allclose(found, dense[rows][:, :, channels], rtol=1e-6)
        assert len(found) == (50 if unit_index < 4 else 0)
        on_all = waveforms.get_waveforms_one_unit(unit_id, force_dense=True)
        assert on_all.shape[2] == len(made.locations)
        np.testing.assert_allclose(on_all[:, :, channels], found)
    if radius_um is not None:
        assert waveforms.get_data().shape[2] == made.mask(radius_um).sum(axis=1).max()


@pytest.mark.parametrize(
    ("dtype", "expected"), [("float64", "<f8"), ("int16", "<f4"), ("float16", "<f2")]
)
def test_waveforms_have_the_type_that_is_asked_for(made, dtype, expected):
    analyzer = compute(made.analyzer(), "random_spikes")
    waveforms = analyzer.compute("waveforms", dtype=dtype, progress_bar=False)
    assert waveforms.get_data().dtype.str == waveforms.params["dtype"] == expected
    average = analyzer.compute("templates", progress_bar=False).get_data()
    assert np.isfinite(average).all()
    assert np.ptp(average) > 10


def test_templates_are_statistics_of_waveforms(made):
    analyzer = compute(made.analyzer(), "random_spikes", "waveforms")
    operators = ["average", "std", "median", "mad", ("percentile", 20)]
    templates = analyzer.compute("templates", operators=operators, progress_bar=False)
    assert set(templates.data) == {"average", "std", "median", "mad", "percentile_20"}
    dense = windows_of(made, analyzer.get_extension("random_spikes").get_random_spikes())
    units = analyzer.get_extension("random_spikes").unit_indices()
    for unit_index in range(4):
        mask = made.mask()[unit_index]
        of_unit = dense[units == unit_index]
        expected = {
            "average": of_unit.mean(axis=0),
            "std": of_unit.std(axis=0),
            "median": np.median(of_unit, axis=0),
            "mad": np.median(np.abs(of_unit - np.median(of_unit, axis=0)), axis=0),
            "percentile_20": np.percentile(of_unit, 20, axis=0),
        }
        for key, values in expected.items():
            found = templates.data[key][unit_index]
            np.testing.assert_allclose(found[:, mask], values[:, mask], rtol=1e-5, atol=1e-4)
            assert not found[:, ~mask].any()
    assert not templates.get_templates(["u4"]).any()
    np.testing.assert_allclose(
        templates.get_unit_template("u1", "median"), templates.data["median"][1]
    )


def test_templates_straight_of_traces_are_those_of_waveforms(made):
    straight = compute(made.analyzer(), "random_spikes", "templates")
    assert straight.extensions["templates"].data["average"].dtype == np.float32
    by_waveforms = compute(made.analyzer(), "random_spikes", "waveforms", "templates")
    for key, values in by_waveforms.extensions["templates"].data.items():
        found = straight.extensions["templates"].data[key]
        np.testing.assert_allclose(found, values, rtol=2e-4, atol=2e-3)
    with pytest.raises(MissingExtensionError, match="waveforms"):
        straight.extensions["templates"].get_templates(operator="median")
    with pytest.raises(MissingExtensionError, match="templates requires waveforms"):
        straight.compute("templates", operators=["median", ("percentile", 5)])


def test_templates_that_were_not_asked_for_are_made_when_needed(made):
    analyzer = compute(made.analyzer(), "random_spikes", "waveforms", "templates")
    templates = analyzer.get_extension("templates")
    with pytest.raises(ParameterError, match="average, std"):
        templates.get_data(operator="median")
    median = templates.get_templates(operator="median")
    np.testing.assert_array_equal(templates.get_data(operator="median"), median)
    third = templates.get_templates(["u2", "u0"], operator="percentile", percentile=50.0)
    np.testing.assert_allclose(third, median[[2, 0]], atol=1e-6)
    assert templates.params["operators"] == ["average", "std", "median", ("percentile", 50.0)]
    as_templates = templates.get_templates(["u1"], outputs="Templates")
    assert (as_templates.nbefore, as_templates.unit_ids.tolist()) == (NB, ["u1"])
    np.testing.assert_array_equal(as_templates.templates_array[0], templates.get_data()[1])


@pytest.mark.parametrize("operators", [["mode"], [("percentile", 101)], [("quantile", 0.5)]])
def test_unknown_operators_are_refused_before_anything_is_computed(made, operators):
    analyzer = compute(made.analyzer(), "random_spikes")
    with pytest.raises(ParameterError, match="Operators are"):
        analyzer.compute("templates", operators=operators)
    templates = compute(analyzer, "templates").get_extension("templates")
    with pytest.raises(ParameterError, match="Operators are"):
        templates.get_templates(operator="mode")


def test_every_way_to_choose_spikes_is_kept(made):
    # Another drops the last two parameters, and fails.
    analyzer = made.analyzer()
    chosen = analyzer.compute("random_spikes", method="percentage", percentage=0.5, seed=1)
    counts = np.bincount(chosen.unit_indices(), minlength=5)
    assert counts.tolist() == [60, 60, 60, 60, 0]
    assert chosen.params["percentage"] == 0.5
    rate = analyzer.compute("random_spikes", method="maximum_rate", maximum_rate=20.0, seed=1)
    assert 0 < len(rate.get_data()) < len(chosen.get_data())
    every = analyzer.compute("random_spikes", method="all")
    assert len(every.get_data()) == 480
    for segment in range(2):
        n_spikes = len(made.trains[segment]["u2"])
        of_train = every.get_selected_indices_in_spike_train("u2", segment)
        np.testing.assert_array_equal(of_train, np.arange(n_spikes))


def test_noise_levels_leave_the_recording_alone_and_note_the_seed(made):
    analyzer = made.analyzer()
    keys = sorted(analyzer.recording.get_property_keys())
    noise = analyzer.compute("noise_levels", progress_bar=False)
    assert sorted(analyzer.recording.get_property_keys()) == keys
    assert isinstance(noise.params["random_slices_kwargs"]["seed"], int)
    again = made.analyzer().compute("noise_levels", progress_bar=False, **noise.params)
    np.testing.assert_array_equal(again.get_data(), noise.get_data())
    assert ((noise.get_data() > 8) & (noise.get_data() < 20)).all()  # with many spikes
    half = noise._select_channels_extension_data(["ch3", "ch0"])["noise_levels"]
    np.testing.assert_array_equal(half, noise.get_data()[[3, 0]])


def results_of(analyzer, **job_kwargs):
    compute(
        analyzer,
        "random_spikes",
        "waveforms",
        "templates",
        "noise_levels",
        params={**PARAMS, "noise_levels": {"random_slices_kwargs": {"seed": 1}}},
        **job_kwargs,
    )
    waveforms = analyzer.extensions["waveforms"].get_data()
    return [waveforms, analyzer.extensions["templates"].data["std"]]


@pytest.fixture(scope="module")
def expected(made):
    return results_of(made.analyzer())


@settings(max_examples=12)
@given(st.integers(90, 20000), st.integers(1, 3))
def test_results_do_not_depend_on_chunks_and_workers(made, expected, chunk_size, n_jobs):
    found = results_of(made.analyzer(), chunk_size=chunk_size, n_jobs=n_jobs)
    for ours, those in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, those)


def test_results_do_not_depend_on_the_engine(made, expected):
    found = results_of(
        made.analyzer(), chunk_size=3000, n_jobs=2, pool_engine="process", mp_context="fork"
    )
    for ours, those in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, those)


# -- other analyzers -------------------------------------------------------------------------

OPERATORS = ["average", "std", "median", "mad", ("percentile", 20)]


def full(analyzer, *, with_waveforms=True):
    params = {**PARAMS, "templates": {"operators": OPERATORS if with_waveforms else None}}
    names = ["random_spikes", *(["waveforms"] if with_waveforms else []), "templates"]
    return compute(analyzer, *names, params=params)


def computed_for(analyzer, chosen, names):
    """Return an analyzer like another, in which all but the chosen spikes is computed."""
    fresh = SortingAnalyzer(
        analyzer.sorting,
        analyzer.recording,
        analyzer.recording_info,
        sparsity=analyzer.sparsity,
        return_in_uV=analyzer.return_in_uV,
    )
    fresh.extensions["random_spikes"] = chosen.copy(fresh)
    params = {
        "templates": {"operators": list(analyzer.extensions["templates"].params["operators"])}
    }
    return compute(fresh, *names, params=params)


def check_same(found, expected):
    assert set(found.data) == set(expected.data)
    for key, values in expected.data.items():
        assert found.data[key].shape == values.shape
        np.testing.assert_allclose(found.data[key], values, rtol=1e-4, atol=2e-3, err_msg=key)


@pytest.mark.parametrize("radius_um", [None, 45.0])
@pytest.mark.parametrize("unit_ids", [["u3", "u0", "u4"], ["u1", "u2"], ["u4"], []])
def test_some_units_of_all_are_as_if_computed_alone(made, radius_um, unit_ids):
    analyzer = full(made.analyzer(radius_um=radius_um))
    some = analyzer.select_units(unit_ids)
    chosen = some.extensions["random_spikes"]
    by_train = [
        (unit, k, chosen.get_selected_indices_in_spike_train(unit, k).tolist())
        for unit in unit_ids
        for k in range(2)
    ]
    before = analyzer.extensions["random_spikes"]
    assert by_train == [
        (unit, k, before.get_selected_indices_in_spike_train(unit, k).tolist())
        for unit in unit_ids
        for k in range(2)
    ]
    alone = computed_for(some, chosen, ["waveforms", "templates"])
    for name in ("waveforms", "templates"):
        check_same(some.extensions[name], alone.extensions[name])


def merged_by_hand(analyzer, groups, mask_of, **kwargs):
    sorting, keep_mask, new_ids = apply_merges_to_sorting(
        analyzer.sorting, groups, return_extra=True, **kwargs
    )
    sparsity = None
    if analyzer.sparsity is not None:
        rows = []
        for unit in sorting.unit_ids.tolist():
            group = groups[new_ids.index(unit)] if unit in new_ids else [unit]
            rows.append(mask_of(analyzer.sparsity.mask[analyzer.sorting.ids_to_indices(group)]))
        sparsity = ChannelSparsity(np.array(rows), sorting.unit_ids, analyzer.channel_ids)
    new = SortingAnalyzer(sorting, analyzer.recording, analyzer.recording_info, sparsity=sparsity)
    for name, extension in analyzer.extensions.items():
        new.extensions[name] = extension.merge(new, groups, new_ids, keep_mask, progress_bar=False)
    return new


@pytest.mark.parametrize("with_waveforms", [True, False])
@pytest.mark.parametrize("radius_um", [None, 60.0])
@pytest.mark.parametrize("censor_ms", [None, 3.0])
@pytest.mark.parametrize("mode", [np.logical_and, np.logical_or])
def test_merged_units_are_as_if_computed_then(made, radius_um, censor_ms, mode, with_waveforms):
    # Averages by counts of chosen spikes, spreads pooled: another takes the mean of spreads.
    analyzer = full(made.analyzer(radius_um=radius_um), with_waveforms=with_waveforms)
    counts = analyzer.sorting.count_num_spikes_per_unit(outputs="array")
    assert len(set(counts[:4].tolist())) == 1
    groups = [["u0", "u2"], ["u3", "u4"]]
    merged = merged_by_hand(analyzer, groups, mode.reduce, censor_ms=censor_ms)
    if mode is np.logical_or and radius_um is not None and not with_waveforms:
        return  # statistics of channels that were not looked at are in traces only
    names = ["waveforms", "templates"] if with_waveforms else ["templates"]
    then = computed_for(merged, merged.extensions["random_spikes"], names)
    for name in names:
        check_same(merged.extensions[name], then.extensions[name])


@pytest.mark.parametrize("with_waveforms", [True, False])
def test_split_units_are_as_if_computed_then(made, with_waveforms):
    analyzer = full(made.analyzer(), with_waveforms=with_waveforms)
    splits = {"u1": [np.arange(0, 120, 2), np.arange(1, 120, 2)]}
    sorting, new_ids = apply_splits_to_sorting(analyzer.sorting, splits, return_extra=True)
    masks = dict(zip(analyzer.unit_ids.tolist(), analyzer.sparsity.mask, strict=True))
    mask = np.array([masks.get(u, masks["u1"]) for u in sorting.unit_ids.tolist()])
    new = SortingAnalyzer(
        sorting,
        analyzer.recording,
        analyzer.recording_info,
        sparsity=ChannelSparsity(mask, sorting.unit_ids, analyzer.channel_ids),
    )
    for name, extension in analyzer.extensions.items():
        new.extensions[name] = extension.split(new, splits, new_ids, progress_bar=False)
    names = ["waveforms", "templates"] if with_waveforms else ["templates"]
    then = computed_for(new, new.extensions["random_spikes"], names)
    for name in names:
        check_same(new.extensions[name], then.extensions[name])


def test_what_cannot_be_known_of_changed_units_is_left_out(made):
    analyzer = full(made.analyzer())
    del analyzer.extensions["waveforms"]
    analyzer._recording = None
    with pytest.warns(UserWarning, match="median, mad, percentile_20 are left out"):
        merged = analyzer.merge_units([["u0", "u2"]], sparsity_overlap=0.0)
    assert set(merged.extensions["templates"].data) == {"average", "std"}
    parts = {"u1": [np.arange(60), np.arange(60, 120)]}
    with pytest.warns(UserWarning, match="get the templates of their unit"):
        split = analyzer.split_units(parts)
    old = analyzer.extensions["templates"].data["median"][1]
    np.testing.assert_array_equal(split.extensions["templates"].data["median"][-1], old)


def test_hard_merges_without_recording_say_what_is_missing(made):
    analyzer = full(made.analyzer(radius_um=30.0))
    analyzer._recording = None
    with pytest.raises(MissingExtensionError, match="in the recording alone"):
        analyzer.merge_units([["u0", "u2"]], merging_mode="hard")


def test_channels_of_sparse_waveforms_are_chosen(made):
    analyzer = full(made.analyzer())
    channel_ids = ["ch6", "ch1", "ch4", "ch3"]
    data = analyzer.extensions["waveforms"]._select_channels_extension_data(channel_ids)
    units = analyzer.extensions["random_spikes"].unit_indices()
    positions = [6, 1, 4, 3]
    for unit in range(4):
        dense = analyzer.extensions["waveforms"].get_waveforms_one_unit(f"u{unit}", True)
        wanted = [c for c in positions if made.mask()[unit, c]]
        found = data["waveforms"][units == unit]
        np.testing.assert_array_equal(found[:, :, : len(wanted)], dense[:, :, wanted])
        assert not found[:, :, len(wanted) :].any()


@given(st.integers(0, 10_000))
def test_repacking_is_the_way_over_all_channels(seed):
    rng = np.random.default_rng(seed)
    mask, wanted = rng.random((3, 5)) < 0.6, rng.random((4, 4)) < 0.6
    channels = rng.permutation(5)[:4]
    units, new_units = rng.integers(0, 3, 7), rng.integers(0, 4, 7)
    values = np.zeros((7, 2, int(mask.sum(axis=1).max(initial=0))))
    expected = np.zeros((7, 2, int(wanted.sum(axis=1).max(initial=0))))
    lacks = np.zeros(7, bool)
    for k in range(7):
        dense = np.full((2, 5), np.nan)
        dense[:, mask[units[k]]] = rng.random((2, int(mask[units[k]].sum())))
        values[k, :, : int(mask[units[k]].sum())] = dense[:, mask[units[k]]]
        chosen = dense[:, channels[wanted[new_units[k]]]]
        lacks[k] = np.isnan(chosen).any()
        expected[k, :, : chosen.shape[1]] = np.nan_to_num(chosen)
    found, is_incomplete = repack(values, units, new_units, mask, wanted, channels)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(is_incomplete, lacks)


# -- little ------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit_ids", [[], ["a", "b"]])
@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("n_samples", [(0,), (40, 0), (700,)])
def test_nothing_is_computed_of_nothing(unit_ids, sparse, n_samples):
    recording = NumpyRecording([np.zeros((n, 3), "int16") for n in n_samples], 20000.0)
    recording.set_channel_gains(1.0)
    recording.set_channel_offsets(0.0)
    trains = [{unit: np.zeros(0, "i8") for unit in unit_ids} for _ in n_samples]
    sorting = NumpySorting.from_unit_dict(trains, 20000.0)
    ids = np.array(["x"] * 0) if not unit_ids else sorting.unit_ids
    sorting = NumpySorting(sorting.spike_table(), 20000.0, ids)
    mask = np.ones((len(ids), 3), bool)
    sparsity = ChannelSparsity(mask, ids, recording.channel_ids) if sparse else None
    info = RecordingInfo.of(recording)
    analyzer = SortingAnalyzer(sorting, recording, info, sparsity=sparsity)
    compute(analyzer, "random_spikes", "waveforms", "templates")
    n_columns = 0 if sparse and not unit_ids else 3
    assert analyzer.extensions["waveforms"].get_data().shape == (0, NB + NA, n_columns)
    assert analyzer.extensions["templates"].get_data().shape == (len(ids), NB + NA, 3)
    straight = SortingAnalyzer(sorting, recording, info, sparsity=sparsity)
    compute(straight, "random_spikes", "templates")
    assert not straight.extensions["templates"].get_data().any()


def test_functions_compute_and_return(made):
    analyzer = compute(made.analyzer(), "random_spikes")
    average = compute_templates(analyzer, ms_before=0.5, progress_bar=False)
    assert average.shape == (5, 10 + NA, 12)
    with pytest.raises(MissingExtensionError, match="random_spikes"):
        made.analyzer().compute("waveforms")
