"""The wire between page and server: every message is a structure here, and nowhere else.

``scripts/generate_messages`` writes ``web/src/protocol/messages.gen.ts`` from this file and from
the views of `spikeloom.viewdata`. Commands go from the page to the server and are each answered by
one `Reply` with the same `request` number. `Update` goes to every page after each change.
"""

from typing import Any, Literal

import msgspec

from spikeloom.curation.selection import Gesture, TableName
from spikeloom.curation.session import Which
from spikeloom.curation.wizard import N_SIMILAR, Step
from spikeloom.storage.delimited import Cell
from spikeloom.viewdata.lasso import LassoCounts, Region

ID_MAX = 2**31 - 1

# --- commands: from the page -------------------------------------------------------------------


class Command(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """Something that the page asks for."""

    request: int = 0
    """Number that the reply will bear."""


class Select(Command, tag="select", frozen=True):
    """Select clusters."""

    cluster_ids: list[int] | None = None
    """Best clusters; None keeps those."""
    similar_ids: list[int] | None = None
    """Similar clusters; None selects none, or keeps them if `cluster_ids` is None."""


class ClickRow(Command, tag="click_row", frozen=True):
    """A click on a row of a table."""

    table: TableName
    """The table."""
    cluster_id: int
    """The row."""
    gesture: Gesture
    """Kind of click."""


class WizardStep(Command, tag="wizard_step", frozen=True):
    """A step of the wizard."""

    step: Step
    """Which."""
    n_similar: int = N_SIMILAR
    """Rows for ``select_first_similar``."""


class MergeClusters(Command, tag="merge", frozen=True):
    """Merge clusters."""

    cluster_ids: list[int] | None = None
    """Clusters; the selected ones by default."""


class SplitByLasso(Command, tag="split", frozen=True):
    """Split the selected clusters by what is inside a lasso."""

    regions: list[Region]
    """Polygons; a spike inside any of them is taken."""
    leaves_unplaced: bool = False
    """Go on although some spikes have no coordinates; they stay with the rest."""


class SplitByTemplate(Command, tag="split_init", frozen=True):
    """Split the selected clusters by the template that found each spike."""


class CountLasso(Command, tag="count_lasso", frozen=True):
    """Count what a lasso would take, without doing it."""

    regions: list[Region]
    """Polygons."""


class LabelClusters(Command, tag="label", frozen=True):
    """Set a field of selected clusters."""

    name: str
    """The field."""
    value: Cell | None = None
    """The value; None takes the label away."""
    which: Which = "all"
    """Part of the selection."""


class MoveClusters(Command, tag="move", frozen=True):
    """Move selected clusters to a group."""

    group: str
    """good, mua, noise or unsorted."""
    which: Which = "all"
    """Part of the selection."""
    cluster_ids: list[int] | None = None
    """Clusters to move instead of selected ones."""


class Undo(Command, tag="undo", frozen=True):
    """Take the last action back."""


class Redo(Command, tag="redo", frozen=True):
    """Do again what was undone."""


class Save(Command, tag="save", frozen=True):
    """Write the curation to the dataset's files."""

    overwrites_changes: bool = False
    """Go on although another program changed the clusters meanwhile."""


class SortTable(Command, tag="sort", frozen=True):
    """Sort a table."""

    table: TableName
    """The table."""
    column: str
    """The column."""
    is_descending: bool | None = None
    """Direction; None: ascending, or the other way if it is sorted by this column already."""


class FilterTable(Command, tag="filter", frozen=True):
    """Filter a table."""

    table: TableName
    """The table."""
    text: str
    """Filter expression; empty for none."""


class SkipMasked(Command, tag="skip_masked", frozen=True):
    """Let the wizard skip noise and multi-unit activity, or not."""

    is_on: bool
    """Whether it skips them."""


class Recover(Command, tag="recover", frozen=True):
    """Answer the question whether unsaved edits of an earlier session are wanted."""

    accept: bool
    """Do them again; otherwise they are set aside in a file."""


class FindSpike(Command, tag="find_spike", frozen=True):
    """Ask for a spike of a cluster next to a time."""

    cluster_id: int
    """The cluster."""
    time_s: float
    """Where to look from."""
    step: Literal[1, -1]
    """Direction."""


class KeepState(Command, tag="keep_state", frozen=True):
    """Remember how the page is laid out."""

    shared: dict[str, Any]
    """What holds for all datasets."""
    local: dict[str, Any]
    """What holds for this dataset."""


class Quit(Command, tag="quit", frozen=True):
    """Stop the server."""


AnyCommand = (
    Select
    | ClickRow
    | WizardStep
    | MergeClusters
    | SplitByLasso
    | SplitByTemplate
    | CountLasso
    | LabelClusters
    | MoveClusters
    | Undo
    | Redo
    | Save
    | SortTable
    | FilterTable
    | SkipMasked
    | Recover
    | FindSpike
    | KeepState
    | Quit
)

# --- messages: from the server -----------------------------------------------------------------


class StretchInfo(msgspec.Struct, frozen=True):
    """A stretch of raw data without interruption: a file, or a part of one."""

    label: str
    """How people call it, and how long nothing was recorded before it."""
    start_s: float
    """Where it begins."""


class DatasetInfo(msgspec.Struct, frozen=True):
    """What the page knows of the dataset."""

    name: str
    """How people call it."""
    folder: str
    """Where it lies."""
    app: str
    """Name of the app."""
    n_spikes: int
    """Number of spikes."""
    n_channels: int
    """Number of channels."""
    sampling_frequency: float
    """In Hz."""
    duration_s: float
    """Length of the recording."""
    channel_positions: list[list[float]]
    """Position (x, y) of each channel, in um."""
    channel_shanks: list[int]
    """Shank of each channel."""
    channel_labels: list[str]
    """How people call each channel."""
    n_components: int
    """Principal components per channel, 0 without features."""
    has_traces: bool
    """Whether there are raw data."""
    is_sorted: bool
    """Whether there are spikes in clusters, or raw data alone."""
    stretches: list[StretchInfo]
    """Files that follow each other in the raw data; none where there is one."""
    warnings: list[str]
    """What was wrong with the files."""


class TableInfo(msgspec.Struct, frozen=True):
    """How a table is sorted and filtered."""

    sort_column: str
    """Column by which it is sorted."""
    is_descending: bool
    """Whether the largest value comes first."""
    filter_text: str
    """Filter expression."""


class RecoveryInfo(msgspec.Struct, frozen=True):
    """Edits of an earlier session that were never saved."""

    n_edits: int
    """How many."""
    last_time: str
    """When the last one was made, in ISO format."""
    path: str
    """The journal."""
    problem: str | None
    """Why they cannot be applied; None if they can."""


class Hello(msgspec.Struct, frozen=True, tag="hello", tag_field="type"):
    """The first message of a connection."""

    version: str
    """Version of spikeloom."""
    dataset: DatasetInfo
    """The dataset."""
    column_help: dict[str, str]
    """What each column means."""
    shared_state: dict[str, Any]
    """Layout and settings that hold for all datasets."""
    local_state: dict[str, Any]
    """Settings that hold for this dataset."""


class Update(msgspec.Struct, frozen=True, tag="update", tag_field="type", omit_defaults=True):
    """The session has changed. What is None has not."""

    revision: int
    """Counts all changes."""
    clustering_revision: int
    """Counts changes of clusters and labels."""
    best: list[int]
    """Clusters selected in the Cluster view."""
    similar: list[int]
    """Clusters selected in the Similarity view."""
    can_undo: bool
    """Whether there is something to undo."""
    can_redo: bool
    """Whether there is something to redo."""
    is_dirty: bool
    """Whether there is something to save."""
    n_edits: int
    """Edits in force."""
    skips_masked: bool
    """Whether the wizard skips noise and multi-unit activity."""
    cluster_table: TableInfo
    """How the Cluster view is sorted and filtered."""
    similarity_table: TableInfo
    """How the Similarity view is sorted and filtered."""
    likely: list[list[int]]
    """Selections that probably come next."""
    columns: list[str] | None = None
    """Columns of the tables."""
    is_full: bool = False
    """Whether `rows` are all rows."""
    rows: list[dict[str, Cell | None]] | None = None
    """New and changed rows."""
    removed: list[int] | None = None
    """Clusters that no longer exist."""
    cluster_order: list[int] | None = None
    """Rows of the Cluster view."""
    similarity_order: list[int] | None = None
    """Rows of the Similarity view."""
    similarities: list[float] | None = None
    """Similarity of each of `similarity_order`."""
    recovery: RecoveryInfo | None = None
    """A question to the user; edits are refused until it is answered."""


class ErrorInfo(msgspec.Struct, frozen=True):
    """Why a command failed."""

    kind: str
    """Name of the error."""
    text: str
    """What was got, what is allowed, what to do."""
    position: int = -1
    """Offending character of a filter expression."""


class Reply(msgspec.Struct, frozen=True, tag="reply", tag_field="type", omit_defaults=True):
    """Answer to a command."""

    request: int
    """Number of the command."""
    text: str = ""
    """One sentence for the status line."""
    error: ErrorInfo | None = None
    """Why it failed; nothing was changed then."""
    counts: LassoCounts | None = None
    """What a lasso takes, for ``count_lasso`` and for a split that needs a confirmation."""
    time_s: float | None = None
    """Time of the spike that was found."""


class Goodbye(msgspec.Struct, frozen=True, tag="goodbye", tag_field="type"):
    """The server stops."""


AnyMessage = Hello | Update | Reply | Goodbye
