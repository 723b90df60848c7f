"""`KwikModel`: a dataset in the Kwik format of klusta, KlustaViewa and phy, in phy's words.

Opening writes nothing: the ``.kwik.bak`` copy that phy makes then is made before the first edit.
Files are open only while something is read from them, or written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spikeloom.datasets import kwik_edits as edits
from spikeloom.datasets.kwik_edits import ClusterGroup
from spikeloom.datasets.kwik_state import load_clustering, load_group
from spikeloom.datasets.kwik_view import KwikView
from spikeloom.errors import ParameterError
from spikeloom.extractors.kwik_contents import KwikClustering
from spikeloom.extractors.kwik_file import read_kwik_file


class KwikModel(KwikView):
    """A Kwik dataset: one channel group and one clustering of it at a time.

    Parameters
    ----------
    kwik_path : str or Path
        The ``.kwik`` file. The ``.kwx`` file of its name holds features and masks; raw data are
        looked for where the file says and beside it.
    channel_group : int, optional
        The channel group to show; the first by default.
    clustering : str, optional
        The clustering to show; main by default.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError, DataError
        If it is no Kwik file, damaged, or makes no sense.
    ParameterError
        If there is no such channel group or clustering.

    Notes
    -----
    What a dataset does not have is None; `notes` say why. Arrays are read-only.
    """

    def __init__(
        self,
        kwik_path: str | Path,
        channel_group: int | None = None,
        clustering: str | None = None,
    ) -> None:
        self.open(kwik_path, channel_group, clustering)

    def open(
        self,
        kwik_path: str | Path,
        channel_group: int | None = None,
        clustering: str | None = None,
    ) -> None:
        """Open a dataset, or the same one again; arguments and errors are those of the class."""
        path = Path(kwik_path).resolve()
        state = load_group(read_kwik_file(path), channel_group)
        self._clustering = load_clustering(state, clustering)
        self._state = state

    def close(self) -> None:
        """Do nothing: no file is kept open. It is there for programs that call it."""

    @property
    def channel_group(self) -> int:
        """Number of the channel group that is shown; setting another one goes back to main."""
        return super().channel_group

    @channel_group.setter
    def channel_group(self, value: int) -> None:
        self.open(self.path, value)

    @property
    def clustering(self) -> str | None:
        """Name of the clustering that is shown; None if the spikes were not sorted."""
        return super().clustering

    @clustering.setter
    def clustering(self, value: str) -> None:
        self._clustering = load_clustering(self._state, value)

    # -- edits -------------------------------------------------------------------------------

    def save(
        self,
        spike_clusters: ArrayLike | None = None,
        cluster_groups: Mapping[int, ClusterGroup] | None = None,
        clustering_metadata: Mapping[str, Any] | None = None,
        *,
        labels: Mapping[str, Mapping[int, Any]] | None = None,
    ) -> None:
        """Save clusters into the clustering that is shown.

        Parameters
        ----------
        spike_clusters : array_like of shape (n_spikes,), optional
            Cluster of each spike; the array in the file keeps its type.
        cluster_groups : mapping, optional
            Number or name of the group of clusters, None for unsorted; those that are left out
            keep theirs. A name that is new becomes a group with the next number.
        clustering_metadata : mapping, optional
            Attributes of the clustering.
        labels : mapping, optional
            Anything else to note of clusters: numbers and texts, by field and cluster. None takes a
            label away.

        Raises
        ------
        ParameterError
            If there is not one cluster for each spike, or no such group; or if the clustering that
            is shown is the original one.
        ChangedOnDiskError
            If another program changed the clustering meanwhile.
        WriteError
            If the file cannot be written. In all cases it is as before.
        """
        edits.save_clusters(
            self.path,
            self.channel_group,
            self._shown(),
            spike_clusters=None if spike_clusters is None else np.asarray(spike_clusters),
            cluster_groups=cluster_groups,
            metadata=clustering_metadata,
            labels=labels,
        )
        self._reload()

    def add_clustering(self, name: str, spike_clusters: ArrayLike) -> None:
        """Add a clustering; raises ParameterError if there is one of this name."""
        clusters = np.asarray(spike_clusters)
        edits.add_clustering(self.path, self.channel_group, name, clusters, n_spikes=self.n_spikes)
        self._reload()

    def rename_clustering(self, old_name: str, new_name: str) -> None:
        """Rename a clustering that is not shown; raises ParameterError if that cannot be."""
        self._refuse_shown(old_name, "renamed")
        edits.move_clustering(self.path, self.channel_group, old_name, new_name, keeps_old=False)
        self._reload()

    def copy_clustering(self, name: str, new_name: str) -> None:
        """Copy a clustering with its groups; raises ParameterError if that cannot be."""
        edits.move_clustering(self.path, self.channel_group, name, new_name, keeps_old=True)
        self._reload()

    def delete_clustering(self, name: str) -> None:
        """Delete a clustering that is not shown; raises ParameterError if that cannot be."""
        self._refuse_shown(name, "deleted")
        edits.delete_clustering(self.path, self.channel_group, name)
        self._reload()

    def add_cluster_group(self, group_id: int, name: str) -> None:
        """Add a group that clusters can be in, of a number from 4 on."""
        self._name_group(group_id, name, is_new=True)

    def rename_cluster_group(self, group_id: int, name: str) -> None:
        """Rename a group of a number from 4 on."""
        self._name_group(group_id, name, is_new=False)

    def delete_cluster_group(self, group_id: int) -> None:
        """Delete a group of a number from 4 on; the clusters in it become unsorted."""
        edits.delete_cluster_group(self.path, self.channel_group, self._shown(), group_id)
        self._reload()

    def _name_group(self, group_id: int, name: str, *, is_new: bool) -> None:
        path, known = self.path, self._shown()
        edits.name_cluster_group(
            path, self.channel_group, known, number=group_id, name=name, is_new=is_new
        )
        self._reload()

    def _shown(self) -> KwikClustering:
        if self._clustering is None:
            msg = "The spikes are not sorted: add a clustering with add_clustering('main', ...)."
            raise ParameterError(msg)
        return self._clustering

    def _refuse_shown(self, name: str, what: str) -> None:
        if name == self.clustering:
            msg = f"The clustering {name!r} is shown, and cannot be {what}; show another one first."
            raise ParameterError(msg)

    def _reload(self) -> None:
        self.open(self.path, self.channel_group, self.clustering)
