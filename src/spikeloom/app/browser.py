"""Open the page in a browser, as a window of its own where that is possible.

In an app window (Chromium's ``--app``) every key reaches the page; in a tab the browser keeps a
few for itself. The address with the token is handed over in a file that only its user can read,
since command lines are visible to everybody on a machine.
"""

import html
import os
import shutil
import subprocess
import tempfile
import webbrowser
from pathlib import Path

_CHROMIUM_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "brave-browser",
)


def has_display() -> bool:
    """Tell whether a browser window could be shown here."""
    if os.name == "nt" or os.uname().sysname == "Darwin":
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_page(entrance: str) -> bool:
    """Open `entrance` in a browser; return whether one was found."""
    if not has_display():
        return False
    address = _redirect_file(entrance).as_uri()
    for name in _CHROMIUM_NAMES:
        program = shutil.which(name)
        if program:
            subprocess.Popen(
                [program, f"--app={address}"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            return True
    return webbrowser.open(address)


def _redirect_file(entrance: str) -> Path:
    """Write a page that goes on to `entrance`, readable by the user alone."""
    descriptor, name = tempfile.mkstemp(prefix="spikeloom-", suffix=".html")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        address = html.escape(entrance, quote=True)
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0;url={address}">')
    return Path(name)
