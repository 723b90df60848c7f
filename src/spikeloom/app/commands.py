"""What each command of the page does: one small function for each kind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikeloom.app import messages
from spikeloom.app.kept_state import KeptState
from spikeloom.app.messages import AnyCommand, ErrorInfo, Reply
from spikeloom.app.sessions import AppSession, recover, save, set_aside
from spikeloom.curation.session import Outcome
from spikeloom.engine.cancellation import CancelToken
from spikeloom.errors import FilterSyntaxError, SpikeloomError
from spikeloom.viewdata.lasso import LassoCounts, spikes_inside
from spikeloom.viewdata.traces import spike_beside


@dataclass(frozen=True, slots=True)
class Handled:
    """What a command led to."""

    reply: Reply
    """The answer to the page that asked."""
    outcome: Outcome | None = None
    """What changed for all pages, if anything."""
    stops: bool = False
    """Whether the server shall stop."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What a handler gives back; `handle` makes the reply of it."""

    outcome: Outcome | None = None
    text: str = ""
    counts: LassoCounts | None = None
    time_s: float | None = None
    error: ErrorInfo | None = None
    stops: bool = False


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What commands act on."""

    app_session: AppSession
    """The open dataset."""
    kept_state: KeptState
    """Where the page's layout is kept."""


_Handler = Callable[[CommandContext, Any], _Result]
_HANDLERS: dict[type, _Handler] = {}


def _handles(kind: type) -> Callable[[_Handler], _Handler]:
    def register(handler: _Handler) -> _Handler:
        _HANDLERS[kind] = handler
        return handler

    return register


def handle(context: CommandContext, command: AnyCommand) -> Handled:
    """Carry out a command; errors made for people become part of the reply."""
    try:
        result = _HANDLERS[type(command)](context, command)
    except SpikeloomError as error:
        return Handled(Reply(command.request, error=error_info(error)))
    text = result.text or (result.outcome.text if result.outcome else "")
    reply = Reply(
        command.request,
        text=text,
        error=result.error,
        counts=result.counts,
        time_s=result.time_s,
    )
    changed = result.outcome is not None and result.outcome.before is not result.outcome.after
    return Handled(reply, result.outcome if changed else None, result.stops)


def error_info(error: SpikeloomError) -> ErrorInfo:
    """Return what the page is told of an error."""
    position = error.position if isinstance(error, FilterSyntaxError) else -1
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return ErrorInfo(type(error).__name__, text, position)


@_handles(messages.Select)
def _select(context: CommandContext, command: messages.Select) -> _Result:
    return _Result(context.app_session.session.select(command.cluster_ids, command.similar_ids))


@_handles(messages.ClickRow)
def _click_row(context: CommandContext, command: messages.ClickRow) -> _Result:
    session = context.app_session.session
    return _Result(session.click_row(command.table, command.cluster_id, command.gesture))


@_handles(messages.WizardStep)
def _wizard_step(context: CommandContext, command: messages.WizardStep) -> _Result:
    return _Result(
        context.app_session.session.step(command.step, n_similar=max(1, command.n_similar))
    )


@_handles(messages.MergeClusters)
def _merge(context: CommandContext, command: messages.MergeClusters) -> _Result:
    return _Result(context.app_session.session.merge(command.cluster_ids))


@_handles(messages.SplitByLasso)
def _split(context: CommandContext, command: messages.SplitByLasso) -> _Result:
    app_session = context.app_session
    view_context = app_session.context(CancelToken())
    selected = list(app_session.session.workspace.selection.all)
    if not selected or not command.regions:
        return _Result(text="Select clusters and draw a lasso first.")
    spikes, counts = spikes_inside(view_context, selected, command.regions)
    if sum(counts.n_unplaced) and not command.leaves_unplaced:
        text = (
            f"{sum(counts.n_unplaced):,} of {sum(counts.n_spikes):,} spikes have no coordinates "
            "in this plot, so the lasso cannot tell where they belong."
        )
        return _Result(counts=counts, error=ErrorInfo("UnplacedSpikes", text))
    return _Result(app_session.session.split(spikes), counts=counts)


@_handles(messages.CountLasso)
def _count_lasso(context: CommandContext, command: messages.CountLasso) -> _Result:
    app_session = context.app_session
    selected = list(app_session.session.workspace.selection.all)
    _, counts = spikes_inside(app_session.context(CancelToken()), selected, command.regions)
    return _Result(counts=counts)


@_handles(messages.SplitByTemplate)
def _split_init(context: CommandContext, _command: messages.SplitByTemplate) -> _Result:
    session = context.app_session.session
    with session.lock:
        workspace = session.workspace
        members = [workspace.state.spikes[i] for i in workspace.selection.all]
        if not members:
            return _Result(text="Select clusters to split.")
        spikes = np.sort(np.concatenate(members))
        return _Result(session.split(spikes, context.app_session.model.spike_templates[spikes]))


@_handles(messages.LabelClusters)
def _label(context: CommandContext, command: messages.LabelClusters) -> _Result:
    session = context.app_session.session
    return _Result(session.label(command.name.strip(), command.value, which=command.which))


@_handles(messages.MoveClusters)
def _move(context: CommandContext, command: messages.MoveClusters) -> _Result:
    return _Result(
        context.app_session.session.move(
            command.group, command.which, cluster_ids=command.cluster_ids
        )
    )


@_handles(messages.Undo)
def _undo(context: CommandContext, _command: messages.Undo) -> _Result:
    return _Result(context.app_session.session.undo())


@_handles(messages.Redo)
def _redo(context: CommandContext, _command: messages.Redo) -> _Result:
    return _Result(context.app_session.session.redo())


@_handles(messages.Save)
def _save(context: CommandContext, command: messages.Save) -> _Result:
    outcome, text = save(context.app_session, overwrites_changes=command.overwrites_changes)
    return _Result(outcome, text)


@_handles(messages.SortTable)
def _sort(context: CommandContext, command: messages.SortTable) -> _Result:
    return _Result(
        context.app_session.session.sort(
            command.table, command.column, is_descending=command.is_descending
        )
    )


@_handles(messages.FilterTable)
def _filter(context: CommandContext, command: messages.FilterTable) -> _Result:
    return _Result(context.app_session.session.filter(command.table, command.text))


@_handles(messages.SkipMasked)
def _skip_masked(context: CommandContext, command: messages.SkipMasked) -> _Result:
    return _Result(context.app_session.session.skip_masked(is_on=command.is_on))


@_handles(messages.Recover)
def _recover(context: CommandContext, command: messages.Recover) -> _Result:
    app_session = context.app_session
    before = app_session.session.workspace
    text = recover(app_session) if command.accept else set_aside(app_session)
    # The question is answered, which all pages must hear even where no edit was done again.
    after = app_session.session.touch().after
    return _Result(Outcome(before, after), text)


@_handles(messages.FindSpike)
def _find_spike(context: CommandContext, command: messages.FindSpike) -> _Result:
    view_context = context.app_session.context(CancelToken())
    return _Result(
        time_s=spike_beside(view_context, command.cluster_id, command.time_s, step=command.step)
    )


@_handles(messages.KeepState)
def _keep_state(context: CommandContext, command: messages.KeepState) -> _Result:
    context.kept_state.keep(command.shared, command.local)
    return _Result()


@_handles(messages.Quit)
def _quit(_context: CommandContext, _command: messages.Quit) -> _Result:
    return _Result(text="spikeloom has stopped.", stops=True)
