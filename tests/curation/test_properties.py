"""Any sequence of actions, against a plain list of labels."""

import msgspec
import numpy as np
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from making.sessions import labels_of, make_session, selected
from reference.clustering import PlainClustering

fields = st.sampled_from(["group", "note", "snr"])
values = st.one_of(
    st.none(),
    st.sampled_from(["good", "mua", "noise", "unsorted"]),
    st.integers(-5, 5),
    st.sampled_from([0.5, 1.5]),
)


class AnyCuration(RuleBasedStateMachine):
    """Does the same to a session and to its twin; what the session logs must tell it all."""

    @initialize(
        clusters=st.lists(st.sampled_from([0, 1, 2, 5, 9]), min_size=1, max_size=16),
        groups=st.dictionaries(st.sampled_from([0, 1, 2, 5, 9]), st.sampled_from(["good", "mua"])),
    )
    def start(self, clusters, groups):
        labels = {"group": {i: group for i, group in groups.items() if i in clusters}}
        self.initial = (clusters, labels)
        self.session = make_session(clusters, labels)
        self.plain = PlainClustering(clusters, labels)
        self.entries = []
        self.session.log = lambda entry: self.entries.append(msgspec.json.encode(entry))
        self.on_disk = (list(clusters), labels_of(self.session))
        self.spikes_of_id = {}

    def some_clusters(self, data, min_size):
        ids = self.plain.cluster_ids
        return data.draw(st.lists(st.sampled_from(ids), min_size=min_size, max_size=4, unique=True))

    @precondition(lambda self: len(self.plain.cluster_ids) > 1)
    @rule(data=st.data())
    def merge(self, data):
        ids = self.some_clusters(data, 2)
        self.session.select(ids)
        self.session.merge()
        self.plain.merge(ids)

    @rule(data=st.data())
    def split(self, data):
        n_spikes = len(self.plain.spike_clusters)
        spikes = data.draw(
            st.lists(st.integers(0, n_spikes - 1), min_size=1, max_size=8, unique=True)
        )
        parts = data.draw(
            st.none() | st.lists(st.integers(0, 3), min_size=len(spikes), max_size=len(spikes))
        )
        self.session.split(np.array(spikes), None if parts is None else np.array(parts))
        self.plain.split(spikes, parts)

    @rule(data=st.data(), field=fields.filter(lambda name: name != "group"), value=values)
    def label(self, data, field, value):
        ids = self.some_clusters(data, 1)
        self.session.label(field, value, cluster_ids=ids)
        self.plain.label(field, dict.fromkeys(ids, value))

    @rule(data=st.data(), group=st.sampled_from(["good", "mua", "noise", "unsorted"]))
    def move(self, data, group):
        ids = self.some_clusters(data, 1)
        self.session.select(ids[:1], ids[1:])
        self.session.move(group)
        self.plain.label("group", dict.fromkeys(ids, group))

    @rule(data=st.data())
    def select(self, data):
        self.session.select(self.some_clusters(data, 0), self.some_clusters(data, 0))

    @precondition(lambda self: self.plain.done)
    @rule()
    def undo(self):
        self.session.undo()
        self.plain.undo()

    @precondition(lambda self: self.plain.undone)
    @rule()
    def redo(self):
        self.session.redo()
        self.plain.redo()

    @rule()
    def save(self):
        self.session.mark_saved(self.session.workspace)
        self.on_disk = (list(self.plain.spike_clusters), labels_of(self.session))
        self.entries.clear()

    @invariant()
    def equals_the_twin(self):
        assert self.session.spike_clusters.tolist() == self.plain.spike_clusters
        assert labels_of(self.session) == self.plain.current_labels()
        assert self.session.workspace.state.next_cluster_id == self.plain.next_id

    @invariant()
    def every_spike_is_in_exactly_one_cluster(self):
        state = self.session.workspace.state
        found = np.full(len(self.plain.spike_clusters), -1)
        for cluster_id, spikes in state.spikes.items():
            assert spikes.size
            assert np.all(np.diff(spikes) > 0)
            assert np.all(found[spikes] == -1)
            found[spikes] = cluster_id
        np.testing.assert_array_equal(found, self.session.spike_clusters)

    @invariant()
    def an_id_stands_for_the_same_spikes_forever(self):
        for cluster_id, spikes in self.session.workspace.state.spikes.items():
            known = self.spikes_of_id.setdefault(cluster_id, spikes.tolist())
            assert known == spikes.tolist()

    @invariant()
    def selected_clusters_exist(self):
        best, similar = selected(self.session)
        assert set(best) | set(similar) <= set(self.session.workspace.state.spikes)
        assert len(set(best)) == len(best)

    @invariant()
    def it_is_dirty_if_it_differs_from_the_disk(self):
        now = (self.plain.spike_clusters, self.plain.current_labels())
        if now != self.on_disk:
            assert self.session.workspace.is_dirty

    def teardown(self):
        if not hasattr(self, "session"):
            return
        self.replaying_the_log_gives_the_same_state()
        self.undo_of_everything_gives_the_start_and_redo_the_end()

    def replaying_the_log_gives_the_same_state(self):
        clusters, labels = self.on_disk
        again = make_session(clusters, labels)
        again.replay([msgspec.json.decode(entry) for entry in self.entries])
        assert again.spike_clusters.tolist() == self.plain.spike_clusters
        assert labels_of(again) == self.plain.current_labels()
        # What was done since the save can be undone: back to what is on the disk, or before it.
        for _ in range(len(again.workspace.history.done)):
            again.undo()
            self.equals_some_earlier_state(again)

    def equals_some_earlier_state(self, again):
        known = [clusters for clusters, _ in [*self.plain.done, *self.plain.undone]]
        assert again.spike_clusters.tolist() in [*known, self.plain.spike_clusters, self.on_disk[0]]

    def undo_of_everything_gives_the_start_and_redo_the_end(self):
        end = (self.session.spike_clusters.tolist(), labels_of(self.session))
        n_done = len(self.session.workspace.history.done)
        for _ in range(n_done):
            self.session.undo()
        clusters, labels = self.initial
        assert self.session.spike_clusters.tolist() == clusters
        assert labels_of(self.session) == {name: c for name, c in labels.items() if c}
        for _ in range(n_done):
            self.session.redo()
        assert (self.session.spike_clusters.tolist(), labels_of(self.session)) == end


TestAnyCuration = AnyCuration.TestCase
TestAnyCuration.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
