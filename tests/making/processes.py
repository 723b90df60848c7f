"""Run Python in processes of their own, which tests may kill."""

import ctypes
import os
import subprocess
import sys
import textwrap
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

_PATHS = [str(REPOSITORY / "src"), str(REPOSITORY / "tests")]

TIMEOUT_S = 120


def environment():
    """Return an environment in which spikeloom and what its tests share can be imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(_PATHS), "PYTHONDONTWRITEBYTECODE": "1"}


def start_python(code, *arguments, **options):
    """Start a process that runs `code`; its input and output are pipes of text."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run_python(code, *arguments, code_expected=0):
    """Run `code` and return what it prints; complain unless it ends as expected."""
    process = start_python(code, *arguments)
    output, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == code_expected, f"ended with {process.returncode}:\n{errors}"
    return output


def drop_powers():
    """Let file modes hold this process back even if it is root's (Linux); for children only."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3 of the interface, this process
    sets = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    for k in range(3):  # effective, permitted, inheritable
        sets[k] &= ~0b1110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
    assert libc.capset(header, sets) == 0
