import stat
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from spikeloom.app import browser

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="displays of Linux")


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Record what would be opened; nothing is started."""
    started = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(browser.subprocess, "Popen", lambda command, **_: started.append(command))
    monkeypatch.setattr(browser.webbrowser, "open", lambda url: started.append([url]) or True)
    return started


def file_of(address):
    return Path(unquote(urlsplit(address.removeprefix("--app=")).path))


@needs_linux
def test_chromium_opens_a_window_of_its_own_and_no_command_line_bears_the_token(
    opened, monkeypatch
):
    monkeypatch.setattr(
        browser.shutil, "which", lambda name: "/bin/c" if name == "chromium" else None
    )
    assert browser.open_page("http://127.0.0.1:1/?token=secret&x=<1>")
    ((program, address),) = opened
    assert program == "/bin/c"
    assert "secret" not in address
    page = file_of(address)
    assert "token=secret&amp;x=&lt;1&gt;" in page.read_text()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


@needs_linux
def test_without_chromium_the_usual_browser_is_taken(opened, monkeypatch):
    monkeypatch.setattr(browser.shutil, "which", lambda _name: None)
    assert browser.open_page("http://127.0.0.1:1/?token=secret")
    assert "secret" not in opened[0][0]


@needs_linux
def test_without_a_display_nothing_is_opened(opened, monkeypatch):
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not browser.open_page("http://127.0.0.1:1/?token=secret")
    assert opened == []
