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


def python_beside(peer_python: Path, name: str) -> Path:
    """Return the interpreter of another environment of peers, as ``0.104`` or ``klusta``."""
    environment = peer_python.parents[1]
    found = environment.with_name(f"{environment.name}-{name}") / "bin" / "python"
    if not found.exists():
        absent(f"There is no environment of peers with {name} at {found}; run scripts/peers.")
    return found
