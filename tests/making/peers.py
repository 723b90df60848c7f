"""Ask SpikeInterface, in its own environment, what it reads."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np

_SCRIPT = Path(__file__).with_name("peer_reading.py")


def ask_peer(python, folder, cases, *, dumps=()):
    """Let the peer read all cases in one process; facts and dumps go into the folder."""
    jobs = [
        {
            **{key: getattr(case, key) for key in ("kind", "function", "options")},
            "path": str(case.place),
            "out": str(folder / f"{name}.npz"),
            "dumps": [str(folder / f"{name}{suffix}") for suffix in dumps],
        }
        for name, case in cases.items()
    ]
    (folder / "jobs").write_text(json.dumps(jobs))
    done = subprocess.run(
        [python, _SCRIPT, folder / "jobs"],
        env={**os.environ, "PYTHONPATH": str(_SCRIPT.parents[1])},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def facts_of_peer(folder, name):
    failed = folder / f"{name}.failed"
    assert not failed.exists(), failed.read_text()
    with np.load(folder / f"{name}.npz") as archive:
        return dict(archive)
