"""Twin of the curation: one label for each spike, phy's rules, every state kept as a copy."""

from copy import deepcopy


class PlainClustering:
    """A clustering as a plain list of cluster ids, with labels of clusters beside it."""

    def __init__(self, spike_clusters, labels=None):
        self.spike_clusters = [int(i) for i in spike_clusters]
        self.labels = deepcopy(labels or {})
        self.next_id = max(self.spike_clusters, default=-1) + 1
        self.done, self.undone = [], []

    @property
    def cluster_ids(self):
        return sorted(set(self.spike_clusters))

    def spikes_of(self, cluster_id):
        return [i for i, label in enumerate(self.spike_clusters) if label == cluster_id]

    def merge(self, cluster_ids):
        """Give all spikes of some clusters the next id."""
        new = self.next_id
        self._assign({
            spike: new for spike, old in enumerate(self.spike_clusters) if old in cluster_ids
        })

    def split(self, spikes, parts=None):
        """Give spikes new ids, part by part, then what remains of each touched cluster."""
        parts = [0] * len(spikes) if parts is None else parts
        assigned = {}
        next_id = self.next_id
        for part in sorted(set(parts)):
            for spike, of in zip(spikes, parts, strict=True):
                if of == part:
                    assigned[spike] = next_id
            next_id += 1
        touched = sorted({self.spike_clusters[spike] for spike in spikes})
        for old in touched:
            rest = [spike for spike in self.spikes_of(old) if spike not in assigned]
            if rest:
                assigned |= dict.fromkeys(rest, next_id)
                next_id += 1
        self._assign(assigned)

    def label(self, name, values):
        """Set a field of clusters; None takes it away."""
        self._remember()
        column = self.labels.setdefault(name, {})
        for cluster_id, value in values.items():
            if value is None:
                column.pop(cluster_id, None)
            else:
                column[cluster_id] = value

    def undo(self):
        self.undone.append((self.spike_clusters, self.labels))
        self.spike_clusters, self.labels = self.done.pop()

    def redo(self):
        self.done.append((self.spike_clusters, self.labels))
        self.spike_clusters, self.labels = self.undone.pop()

    def current_labels(self):
        """Return the labels of existing clusters, without empty fields."""
        existing = set(self.spike_clusters)
        columns = {
            name: {i: value for i, value in column.items() if i in existing}
            for name, column in self.labels.items()
        }
        return {name: column for name, column in columns.items() if column}

    def _remember(self):
        self.done.append((list(self.spike_clusters), deepcopy(self.labels)))
        self.undone.clear()

    def _assign(self, new_of):
        self._remember()
        sizes = {i: len(self.spikes_of(i)) for i in self.cluster_ids}
        ancestors = {}
        for spike, new in new_of.items():
            ancestors.setdefault(new, set()).add(self.spike_clusters[spike])
        for column in self.labels.values():
            for new, olds in ancestors.items():
                value = _inherited(column, olds, sizes)
                if value is not None:
                    column[new] = value
        for spike, new in new_of.items():
            self.spike_clusters[spike] = new
        self.next_id = max([self.next_id, *(new + 1 for new in new_of.values())])


def _inherited(column, ancestors, sizes):
    values = {column[i] for i in ancestors if i in column}
    if len(values) == 1:
        return values.pop()
    largest = max(sorted(ancestors), key=sizes.__getitem__)
    return column.get(largest)
