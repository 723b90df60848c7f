"""Addresses of the server: the page, one WebSocket for commands, one address for each view."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from spikeloom import __version__
from spikeloom.app.commands import CommandContext, Handled, error_info, handle
from spikeloom.app.hub import Hub, Page
from spikeloom.app.messages import (
    AnyCommand,
    DatasetInfo,
    ErrorInfo,
    Goodbye,
    Hello,
    Reply,
    StretchInfo,
)
from spikeloom.app.projection import Projector
from spikeloom.app.view_frames import FrameCache, compute_frame, parse_request
from spikeloom.core.raw_traces import RawTraces
from spikeloom.datasets.raw import RawDataset
from spikeloom.datasets.template import TemplateModel
from spikeloom.engine.cancellation import CancelToken
from spikeloom.engine.executor import n_usable_cpus
from spikeloom.errors import Cancelled, CurationError, SpikeloomError, UnknownNameError
from spikeloom.viewdata.catalog import COLUMNS

STATIC_FOLDER = Path(__file__).parent / "static"

_POLL_S = 0.05
_CLIENT_CLOSED = 499
_REQUEST_MAX = 2**53
_decoder = msgspec.json.Decoder(AnyCommand)


@dataclass
class Service:
    """State of a running server."""

    commands: CommandContext
    """What commands act on."""
    app_name: str
    """Name of the app, as on the command line."""
    stop: Callable[[], None]
    """Stops the server."""
    hub: Hub = field(default_factory=Hub)
    """Connected pages."""
    frames: FrameCache = field(default_factory=FrameCache)
    """Frames made last."""
    command_pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "spikeloom-command")
    )
    """One thread: commands are carried out in the order in which they come."""
    view_pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max(4, n_usable_cpus()), "spikeloom-view")
    )
    """Threads that compute views, beside the commands."""

    def __post_init__(self) -> None:
        self.projector = Projector(self.commands.app_session.session)


def make_app(service: Service) -> Starlette:
    """Return the application of a service."""
    app = Starlette(
        routes=[
            Route("/", _page),
            Route("/popout.html", _static_file),
            Route("/favicon.svg", _static_file),
            Route("/assets/{name}", _asset),
            Route("/data/{view}", _data),
            WebSocketRoute("/socket", _socket),
        ]
    )
    app.state.service = service
    return app


async def _page(_request: Request) -> Response:
    page = STATIC_FOLDER / "index.html"
    if not page.is_file():
        text = (
            "The page is not built. Install spikeloom from a wheel, or run "
            "python scripts/build_page.py."
        )
        return PlainTextResponse(text, status_code=500)
    return FileResponse(page)


async def _static_file(request: Request) -> Response:
    return FileResponse(STATIC_FOLDER / request.url.path.lstrip("/"))


async def _asset(request: Request) -> Response:
    # A route parameter holds no slash, so the name cannot lead out of the folder.
    path = STATIC_FOLDER / "assets" / request.path_params["name"]
    if not path.is_file():
        return PlainTextResponse("Not found", status_code=404)
    # Names bear a hash of the content.
    return FileResponse(path, headers={"cache-control": "private, max-age=31536000, immutable"})


async def _data(request: Request) -> Response:
    service: Service = request.app.state.service
    token = CancelToken()
    try:
        asked = parse_request(request.path_params["view"], request.query_params)
        frame = service.frames.get(asked)
        if frame is None:
            context = service.commands.app_session.context(token)
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(service.view_pool, compute_frame, context, asked)
            frame = await _unless_gone(request, work, token)
            service.frames.put(asked, frame)
    except Cancelled:
        return Response(status_code=_CLIENT_CLOSED)
    except SpikeloomError as error:
        status = {UnknownNameError: 404, CurationError: 409}.get(type(error), 400)
        return JSONResponse(msgspec.to_builtins(error_info(error)), status_code=status)
    return Response(frame, media_type="application/octet-stream")


async def _unless_gone(request: Request, work: asyncio.Future[bytes], token: CancelToken) -> bytes:
    """Wait for `work`; raise the token when the page goes away meanwhile."""
    while not work.done():
        await asyncio.wait({work}, timeout=_POLL_S)
        if not work.done() and await request.is_disconnected():
            token.cancel()
            break
    return await work


async def _socket(socket: WebSocket) -> None:
    service: Service = socket.app.state.service
    await socket.accept()
    page = service.hub.join()
    sender = asyncio.create_task(_send_all(socket, page))
    try:
        await _greet(service, page)
        async for text in socket.iter_text():
            await _obey(service, page, text)
    except WebSocketDisconnect:
        pass
    finally:
        service.hub.leave(page)
        sender.cancel()


async def _send_all(socket: WebSocket, page: Page) -> None:
    while (text := await page.queue.get()) is not None:
        await socket.send_text(text.decode())
    await socket.close()


async def _greet(service: Service, page: Page) -> None:
    """Tell a new page everything, in the order of commands."""
    shared, local = service.commands.kept_state.load()
    app_session = service.commands.app_session
    hello = Hello(
        version=__version__,
        dataset=dataset_info(app_session.model, service.app_name),
        column_help=dict(COLUMNS),
        shared_state=shared,
        local_state=local,
    )
    page.send(hello)
    loop = asyncio.get_running_loop()

    def project() -> None:
        workspace = app_session.session.workspace
        update = service.projector.full(workspace, app_session.recovery)
        loop.call_soon_threadsafe(page.send, update)

    await loop.run_in_executor(service.command_pool, project)


async def _obey(service: Service, page: Page, text: str) -> None:
    try:
        command = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        reason = ErrorInfo("ParameterError", f"The command cannot be read: {error}.")
        page.send(Reply(_request_number(text), error=reason))
        return
    loop = asyncio.get_running_loop()
    stops = await loop.run_in_executor(
        service.command_pool, _carry_out, service, page, command, loop
    )
    if stops:
        service.hub.broadcast(Goodbye())
        await asyncio.sleep(_POLL_S)
        service.stop()


def _carry_out(
    service: Service, page: Page, command: AnyCommand, loop: asyncio.AbstractEventLoop
) -> bool:
    """Carry out a command on the command thread; queue what follows from it."""
    handled = _handle_safely(service, command)
    if handled.outcome is not None:
        update = service.projector.difference(
            handled.outcome, service.commands.app_session.recovery
        )
        loop.call_soon_threadsafe(service.hub.broadcast, update)
    loop.call_soon_threadsafe(page.send, handled.reply)
    return handled.stops


def _handle_safely(service: Service, command: AnyCommand) -> Handled:
    try:
        return handle(service.commands, command)
    except Exception as error:  # noqa: BLE001 - the page must hear of a fault of ours, and go on
        reason = ErrorInfo(type(error).__name__, f"This is a fault of spikeloom: {error!r}.")
        return Handled(Reply(command.request, error=reason))


def _request_number(text: str) -> int:
    try:
        number = msgspec.json.decode(text).get("request", 0)
    except (msgspec.DecodeError, AttributeError, RecursionError):
        return 0
    return number if isinstance(number, int) and abs(number) <= _REQUEST_MAX else 0


def dataset_info(model: TemplateModel | RawDataset, app_name: str) -> DatasetInfo:
    """Return what the page knows of a dataset."""
    return DatasetInfo(
        name=model.name,
        folder=str(model.folder),
        app=app_name,
        n_spikes=model.n_spikes,
        n_channels=model.n_channels,
        sampling_frequency=model.sampling_frequency,
        duration_s=model.duration_s,
        channel_positions=model.channel_positions.tolist(),
        channel_shanks=model.channel_shanks.tolist(),
        channel_labels=list(model.channel_labels),
        n_components=model.features.n_components if model.features else 0,
        has_traces=model.traces is not None,
        is_sorted=not isinstance(model, RawDataset),
        stretches=_stretches(model.traces),
        warnings=list(model.warnings),
    )


def _stretches(traces: RawTraces | None) -> list[StretchInfo]:
    if traces is None or len(traces.pieces) == 1:
        return []
    names = traces.sources or [f"part {k + 1}" for k in range(len(traces.pieces))]
    starts_s = (traces.edges[:-1] / traces.sampling_frequency).tolist()
    return [StretchInfo(name, start) for name, start in zip(names, starts_s, strict=True)]
