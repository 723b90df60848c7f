"""A real Chromium, real servers, and the page seen through the eyes of a user."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from browser.gui import Gui
from making.absence import absent
from spikeloom.app.server import AppServer
from spikeloom.app.sessions import open_session

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PAGE_SIZE = {"width": 1600, "height": 950}

OpenPage = Callable[..., Gui]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium(playwright_driver: Playwright) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        absent("There is no Chromium; scripts/test installs it.")
    browser = playwright_driver.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Open pages; whatever goes wrong on one of them fails the test."""
    contexts = []
    pages: list[Gui] = []

    def open_one(entrance: str, *, is_ready: bool = True) -> Gui:
        context = chromium.new_context(viewport=PAGE_SIZE)
        contexts.append(context)
        gui = Gui(context.new_page())
        pages.append(gui)
        gui.page.goto(entrance)
        if is_ready:
            gui.wait_until_ready()
        return gui

    yield open_one
    faults = [fault for gui in pages for fault in gui.faults]
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def serve() -> Iterator[Callable[[Path], AppServer]]:
    """Serve datasets from this process."""
    servers: list[AppServer] = []

    def start(params_path: Path) -> AppServer:
        server = AppServer(open_session(params_path))
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()


class Command:
    """The real command line, in a process of its own."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "spikeloom", *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        self.lines: list[str] = []
        self.entrance = self._read_entrance()

    def _read_entrance(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(r"http://\S+\?token=\S+", line)
            if found:
                return found.group()
        pytest.fail(f"The command ended without an address: {''.join(self.lines)}")

    def kill(self) -> None:
        """Kill the process without a chance to clean up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def interrupt(self) -> str:
        """Press Ctrl+C; return what the command still said."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.stderr is not None
        rest = self.process.stderr.read()
        self.process.wait(timeout=20)
        return rest

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        if self.process.stderr is not None:
            self.process.stderr.close()


@pytest.fixture
def run_command() -> Iterator[Callable[..., Command]]:
    """Run ``spikeloom …`` until it serves a page."""
    commands: list[Command] = []

    def run(*arguments: str) -> Command:
        command = Command([*arguments, "--no-browser"])
        commands.append(command)
        return command

    yield run
    for command in commands:
        command.close()


def wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
