"""What a test needs and does not find: it is skipped, but fails in CI, where nothing may lack."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

IS_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def absent(what: str) -> NoReturn:
    """Skip what needs something absent, but fail where everything is supposed to be there."""
    if IS_CI:
        pytest.fail(what)
    pytest.skip(what)


def python_of_version(peer_python: Path, version: str) -> Path:
    """Return the interpreter of an older SpikeInterface, beside that of all peers."""
    environment = peer_python.parents[1]
    found = environment.with_name(f"{environment.name}-{version}") / "bin" / "python"
    if not found.exists():
        absent(f"There is no SpikeInterface {version} at {found}; run scripts/peers.")
    return found
