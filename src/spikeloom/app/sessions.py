"""`AppSession`: a dataset that is open for curation, with its journal and its files."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom import __version__
from spikeloom.curation.journal import CurationJournal, Recovery, find_recovery
from spikeloom.curation.session import CurationSession, Outcome
from spikeloom.curation.state import CurationState, initial_state
from spikeloom.curation.workspace import Rows, Workspace
from spikeloom.datasets.raw import NO_SPIKES, RawDataset
from spikeloom.datasets.template import TemplateModel
from spikeloom.datasets.template_loading import load_template_model
from spikeloom.engine.cancellation import CancelToken
from spikeloom.errors import (
    ChangedOnDiskError,
    CurationError,
    JournalError,
    MissingFileError,
    SpikeloomError,
)
from spikeloom.exporters.phy_curation import plan_save, take_snapshot, write_save
from spikeloom.extractors.cluster_tables import read_cluster_tables
from spikeloom.extractors.phy_arrays import PhyFolder, as_labels
from spikeloom.storage.fingerprints import fingerprint_array
from spikeloom.storage.journal import Entry
from spikeloom.viewdata.catalog import ClusterCatalog
from spikeloom.viewdata.context import ViewContext

_log = logging.getLogger(__name__)


@dataclass
class AppSession:
    """A dataset open for curation."""

    model: TemplateModel | RawDataset
    """The dataset."""
    catalog: ClusterCatalog
    """Facts about its clusters."""
    session: CurationSession
    """The curation in progress."""
    journal: CurationJournal
    """Where edits are written."""
    recovery: Recovery | None
    """Unsaved edits that the user was not asked about yet."""
    disk_fingerprint: str
    """Of the clusters as this session last saw them on the disk."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the dataset is saved or recovered."""

    def context(self, cancel: CancelToken) -> ViewContext:
        """Return what views are computed from, as of now."""
        return ViewContext(
            dataset=self.model,
            catalog=self.catalog,
            state=self.session.workspace.state,
            clusters_of=self._clusters_of,
            cancel=cancel,
        )

    def _clusters_of(self, spikes: NDArray[np.integer] | slice) -> NDArray[np.int32]:
        with self.session.lock:
            return self.session.spike_clusters[spikes].copy()

    def log(self, entry: Entry) -> None:
        """Write a journal entry; refuse while the user has not decided about unsaved edits."""
        if self.recovery is not None:
            msg = (
                f"There are {self.recovery.n_edits} unsaved edits of an earlier session. "
                "Recover them or set them aside before you go on."
            )
            raise CurationError(msg)
        self.journal.append(entry)


def open_session(params_path: Path, *, trust_params: bool = False) -> AppSession:
    """Open a phy dataset for curation; nothing is written.

    Raises
    ------
    SpikeloomError
        If the dataset cannot be read.
    """
    return session_of(load_template_model(params_path, trust_params=trust_params))


def session_of(model: TemplateModel | RawDataset) -> AppSession:
    """Start a curation of a dataset; of raw data, a look at them."""
    catalog = ClusterCatalog(model)
    rows = Rows(catalog.facts, catalog.similarity)
    state = initial_state(model.spike_groups, model.labels)
    session = CurationSession(Workspace(state), rows, model.spike_clusters)
    fingerprint = model.spike_clusters_fingerprint
    base = {
        "fingerprint": fingerprint,
        "n_spikes": model.n_spikes,
        "spikeloom": __version__,
    }
    app_session = AppSession(
        model=model,
        catalog=catalog,
        session=session,
        journal=CurationJournal(model.folder, base),
        # A journal in the folder of raw data speaks of somebody's sorting of them.
        recovery=(
            None if isinstance(model, RawDataset) else _look_for_recovery(model.folder, fingerprint)
        ),
        disk_fingerprint=fingerprint,
    )
    session.log = app_session.log
    return app_session


def _look_for_recovery(folder: Path, fingerprint: str) -> Recovery | None:
    try:
        return find_recovery(folder, fingerprint)
    except JournalError as error:
        _log.warning("%s", error.strerror or error)
        return None


def recover(app_session: AppSession) -> str:
    """Do the unsaved edits of an earlier session again; return a sentence about it.

    Raises
    ------
    CurationError
        If there are none, or they cannot be applied to the files as they are now.
    """
    with app_session.lock:
        recovery = _pending(app_session)
        if recovery.problem is not None:
            raise CurationError(recovery.problem)
        if recovery.snapshot is not None:
            _go_back_to(app_session, recovery.snapshot, recovery.new_files)
        app_session.session.replay(recovery.entries)
        app_session.journal.go_on(recovery)
        app_session.recovery = None
        return f"Recovered {recovery.n_edits} unsaved edits; nothing was lost."


def set_aside(app_session: AppSession) -> str:
    """Leave the unsaved edits of an earlier session in a file of their own; tell where."""
    with app_session.lock:
        path = app_session.journal.set_aside(_pending(app_session))
        app_session.recovery = None
        return f"The unsaved edits were set aside in {path}."


def _pending(app_session: AppSession) -> Recovery:
    if app_session.recovery is None:
        msg = "There are no unsaved edits to recover."
        raise CurationError(msg)
    return app_session.recovery


def _go_back_to(app_session: AppSession, snapshot: Path, new_files: Sequence[str]) -> None:
    """Start from the labels of before a save that was cut short, which may have written others.

    The snapshot holds the tables that the save was to replace; of `new_files` there were none.
    """
    model = app_session.model
    tables = read_cluster_tables(model.folder, newer=snapshot, left_out=new_files)
    state: CurationState = initial_state(model.spike_groups, tables.labels)
    app_session.session.start_from(state)


def save(app_session: AppSession, *, overwrites_changes: bool = False) -> tuple[Outcome, str]:
    """Write the curation to the files of the dataset, as phy does.

    Parameters
    ----------
    app_session : AppSession
        The session.
    overwrites_changes : bool, default False
        Go on although another program changed the clusters since they were read. What it wrote
        is in the snapshot.

    Raises
    ------
    ChangedOnDiskError
        If another program changed the clusters.
    CurationError
        If there are no spikes.
    WriteError
        If the files cannot be written; none was changed then.
    """
    model = app_session.model
    if isinstance(model, RawDataset):
        msg = f"{NO_SPIKES} There is nothing to save."
        raise CurationError(msg)
    with app_session.lock:
        if app_session.recovery is not None:
            msg = "Recover the unsaved edits or set them aside before you save."
            raise CurationError(msg)
        session = app_session.session
        if not overwrites_changes:
            _check_unchanged(app_session, model)
        journal = app_session.journal
        # No edit may come between the state that is saved and the note in the journal.
        with session.lock:
            workspace = session.workspace
            spike_clusters = session.spike_clusters.copy()
            plan = plan_save(
                workspace.state,
                spike_clusters,
                session.rows.rows(workspace),
                spike_clusters_path=model.spike_clusters_path,
                texts=model.label_texts,
            )
            fingerprint = fingerprint_array(spike_clusters)
            journal.open()  # before anything is written: somebody else may hold it
            journal.append({
                "kind": "saving",
                "fingerprint": fingerprint,
                "new_files": [path.name for path in plan.paths if not path.exists()],
                "snapshot": take_snapshot(plan, journal.folder),
            })
        write_save(plan)
        app_session.disk_fingerprint = fingerprint
        journal.append({"kind": "saved", "fingerprint": fingerprint})
        journal.rebase(fingerprint)
        outcome = session.mark_saved(workspace)
        names = ", ".join(path.name for path in plan.paths)
        return outcome, f"Saved {len(plan.paths)} files: {names}."


def _check_unchanged(app_session: AppSession, model: TemplateModel) -> None:
    try:
        now = read_clusters_fingerprint(model)
    except MissingFileError:
        return
    except SpikeloomError as error:
        msg = f"The clusters on the disk cannot be read any more: {error} Save anyway?"
        raise ChangedOnDiskError(msg) from error
    if now != app_session.disk_fingerprint:
        msg = (
            f"{model.spike_clusters_path.name} was changed by another program since "
            "it was read. Saving would replace that change (a copy is kept)."
        )
        raise ChangedOnDiskError(msg)


def read_clusters_fingerprint(model: TemplateModel) -> str:
    """Return the fingerprint of the clusters as they are on the disk now."""
    files = PhyFolder(model.folder, [])
    return fingerprint_array(as_labels(files.required("spike_clusters"), "spike_clusters"))
