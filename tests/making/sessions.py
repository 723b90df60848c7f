"""Curation sessions over a plain list of cluster ids, without a dataset."""

import numpy as np

from spikeloom.core.spike_groups import group_spikes
from spikeloom.curation.session import CurationSession
from spikeloom.curation.state import initial_state
from spikeloom.curation.workspace import Rows, Workspace


def make_session(spike_clusters, labels=None, *, similarity=None, facts=None):
    """Return a session; by default clusters are the more similar the greater their id."""
    spike_clusters = np.array(spike_clusters, np.int32)
    state = initial_state(group_spikes(spike_clusters), labels or {})

    def plain_facts(cluster_id, spikes):
        return {"n_spikes": spikes.size}

    def by_id(reference, state):
        return {i: float(i) for i in sorted(state.spikes, reverse=True) if i != reference}

    rows = Rows(facts or plain_facts, similarity or by_id)
    return CurationSession(Workspace(state), rows, spike_clusters)


def make_phy_example():
    """Return the session of phy's own tests: seven clusters, sorted by falling id."""
    groups = {0: "noise", 1: "good", 10: "mua", 11: "good"}
    session = make_session([0, 1, 2, 10, 11, 20, 30], {"group": groups})
    session.sort("cluster", "id", is_descending=True)
    return session


def selected(session):
    """Return the best and the similar clusters."""
    selection = session.workspace.selection
    return list(selection.best), list(selection.similar)


def group_of(session, cluster_id):
    return session.workspace.state.label("group", cluster_id)


def labels_of(session):
    """Return the labels of existing clusters, without empty fields."""
    state = session.workspace.state
    columns = {
        name: {i: value for i, value in column.items() if i in state.spikes}
        for name, column in state.labels.items()
    }
    return {name: column for name, column in columns.items() if column}
