"""What new clusters inherit from those that they were made of.

phy's rule, field by field: take the values of the ancestors that have one. None: nothing is
inherited. One value: that one (so good and unlabelled give good). Several: the value of the
ancestor with most spikes, which may be none at all. Source: phy's manual clustering guide,
https://phy.readthedocs.io/en/latest/clustering.
"""

from collections.abc import Iterable, Mapping

from spikeloom.curation.state import CurationState, Labels
from spikeloom.storage.delimited import Cell


def inherited_labels(state: CurationState, ancestors_of: Mapping[int, Iterable[int]]) -> Labels:
    """Return the labels that new clusters inherit.

    Parameters
    ----------
    state : CurationState
        The state before the edit, in which the ancestors exist.
    ancestors_of : mapping
        New cluster id to the ids of the clusters that its spikes came from.

    Returns
    -------
    mapping
        Field, then new cluster id, to value; only where there is one.
    """
    inherited: dict[str, dict[int, Cell]] = {}
    for cluster_id, ancestors in ancestors_of.items():
        # The lowest id wins among equally large ancestors: they come in increasing order.
        largest = max(sorted(ancestors), key=lambda ancestor: state.spikes[ancestor].size)
        for field, values in state.labels.items():
            found = {values[ancestor] for ancestor in ancestors if ancestor in values}
            value = found.pop() if len(found) == 1 else values.get(largest)
            if value is not None:
                inherited.setdefault(field, {})[cluster_id] = value
    return inherited
