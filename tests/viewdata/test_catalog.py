import numpy as np
import pytest

from making.contexts import open_context
from making.phy_folders import N_SAMPLES, N_SPIKES, RATE, make_arrays, write_phy_folder
from spikeloom.app.sessions import session_of
from spikeloom.datasets.template_loading import load_template_model
from spikeloom.engine.cancellation import CancelToken
from spikeloom.viewdata.catalog import COLUMNS, N_SIMILAR_MAX


@pytest.fixture
def edited(shared_folder):
    """A context in which clusters 1 and 4 are merged into 6, and 2 is split into 7 and 8."""
    app_session = session_of(load_template_model(shared_folder))
    app_session.session.log = None
    app_session.session.merge([1, 4])
    strong = [
        s
        for s in app_session.session.workspace.state.spikes[2]
        if make_arrays()["amplitudes"][s] > 10
    ]
    app_session.session.split(np.array(strong))
    return app_session.context(CancelToken())


def facts(context, cluster_id):
    return context.catalog.facts(cluster_id, context.spikes_of(cluster_id))


def test_the_facts_of_a_cluster_are_those_of_its_template(context):
    arrays = make_arrays()
    for i in range(6):
        found = facts(context, i)
        template = arrays["templates"][i].astype(float) @ arrays["whitening_mat_inv"]
        ptp = np.ptp(template, axis=0)
        main = int(np.argmax(ptp))
        assert found["ch"] == str(arrays["channel_map"][main])
        assert found["depth"] == arrays["channel_positions"][main, 1]
        assert found["sh"] == 0
        assert found["n_spikes"] == int((arrays["spike_clusters"] == i).sum())
        assert found["fr"] == pytest.approx(found["n_spikes"] / (N_SAMPLES / RATE))
        assert found["amp"] == pytest.approx(ptp[main], rel=1e-5)


def test_every_column_is_explained(context):
    assert set(facts(context, 0)) | {"id", "group", "similarity"} == set(COLUMNS)


def test_the_rate_of_a_very_short_recording_is_per_second(context_of):
    context = context_of([0, 5, 10], [0, 0, 0])
    assert facts(context, 0)["fr"] == 3.0


def test_a_merged_cluster_is_shown_where_most_of_its_spikes_are(edited):
    arrays = make_arrays()
    sizes = {i: int((arrays["spike_templates"] == i).sum()) for i in (1, 4)}
    main = max(sizes, key=sizes.get)
    assert (
        edited.best_channels(6).tolist() == edited.dataset.templates.get(main).channel_ids.tolist()
    )
    weights = np.array([sizes[1], sizes[4]], float)
    channel = [int(edited.best_channels(6)[0])]
    mean = sum(
        w * edited.dataset.templates.dense(i, channel)[:, 0]
        for w, i in zip(weights / weights.sum(), (1, 4), strict=True)
    )
    assert facts(edited, 6)["amp"] == pytest.approx(np.ptp(mean), rel=1e-4)


def test_the_amplitude_of_a_part_tells_how_large_its_spikes_are(edited):
    arrays = make_arrays()
    whole = facts(edited, 3)["amp"]
    assert whole > 0
    parent = float(edited.dataset.templates.main_amplitudes[2])
    mean = arrays["amplitudes"][arrays["spike_templates"] == 2].mean()
    for part in (7, 8):
        own = arrays["amplitudes"][edited.spikes_of(part)].mean()
        assert facts(edited, part)["amp"] == pytest.approx(parent * own / mean, rel=1e-4)
    assert facts(edited, 7)["amp"] > facts(edited, 8)["amp"]


def test_similarity_is_the_largest_between_templates_of_both(edited):
    matrix = make_arrays()["similar_templates"]
    templates = {0: [0], 3: [3], 5: [5], 6: [1, 4], 7: [2], 8: [2]}
    for reference, own in templates.items():
        found = edited.catalog.similarity(reference, edited.state)
        expected = {
            i: max(float(matrix[a, b]) for a in own for b in others)
            for i, others in templates.items()
            if i != reference
        }
        assert found == pytest.approx(expected)
        scores = list(found.values())
        assert scores == sorted(scores, reverse=True)


def test_at_most_a_hundred_similar_clusters_are_listed(context_of):
    n = 150
    matrix = np.random.default_rng(0).uniform(0, 1, (n, n)).astype(np.float32)
    context = context_of(np.arange(n) * 100, np.arange(n), similar_templates=matrix)
    found = context.catalog.similarity(3, context.state)
    assert len(found) == N_SIMILAR_MAX
    assert 3 not in found
    others = np.delete(matrix[3], 3)
    np.testing.assert_array_equal(list(found.values()), np.sort(others)[::-1][:N_SIMILAR_MAX])


def test_without_similarities_all_clusters_are_equally_similar(context_of):
    context = context_of([1, 2, 3], [5, 0, 2])
    assert context.catalog.similarity(2, context.state) == {0: 0.0, 5: 0.0}


def test_a_lonely_cluster_is_similar_to_none(context_of):
    context = context_of([1], [5], similar_templates=np.eye(6))
    assert context.catalog.similarity(5, context.state) == {}


def test_similarity_to_templates_that_no_file_knows_is_nil(tmp_path):
    arrays = make_arrays()
    arrays["spike_templates"][7] = 60
    arrays["spike_clusters"][7] = 60
    context = open_context(write_phy_folder(tmp_path, arrays=arrays, has_raw=False))
    assert context.catalog.similarity(60, context.state) == {}
    assert context.catalog.similarity(2, context.state)[60] == 0.0
    assert facts(context, 60) | {"ch": None, "depth": None, "sh": None, "amp": None} == facts(
        context, 60
    )


def test_without_templates_the_channels_of_the_features_are_shown(tmp_path):
    arrays = make_arrays()
    del arrays["templates"]
    context = open_context(write_phy_folder(tmp_path, arrays=arrays, has_raw=False))
    for i in range(6):
        assert context.best_channels(i).tolist() == arrays["pc_feature_ind"][i].tolist()
        assert facts(context, i)["amp"] is None
        assert facts(context, i)["ch"] == str(arrays["channel_map"][arrays["pc_feature_ind"][i, 0]])


def test_facts_need_no_file_but_the_spikes(context_of):
    context = context_of([1, 2, 300], [5, 0, 5])
    assert facts(context, 5) == {
        "ch": None,
        "sh": None,
        "depth": None,
        "amp": None,
        "fr": 2.0,
        "n_spikes": 2,
    }


def test_a_channel_is_seen_where_it_is_one_of_the_best(context):
    for i in range(6):
        spikes = context.spikes_of(i)
        seen = [c for c in range(8) if context.catalog.is_seen_on(c, i, spikes)]
        assert seen == sorted(context.best_channels(i).tolist())


def test_what_is_known_of_spikes_covers_all_of_them(context):
    counts = [context.catalog.template_counts(i, context.spikes_of(i)) for i in range(6)]
    assert sum(int(c.counts.sum()) for c in counts) == N_SPIKES
