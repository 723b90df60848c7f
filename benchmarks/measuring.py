"""What every benchmark of one side beside the other needs: processes, seconds, memory.

The tasks that use it run with the interpreter of either side, so it needs nothing but Python.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEER = HERE.parent / ".peers" / "bin" / "python"
DEFAULT_DATA = Path(tempfile.gettempdir()) / "spikeloom-benchmarks"

WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def cpu_s():
    """Return the processor seconds of this process and of those it waited for."""
    usages = [resource.getrusage(who) for who in WHO]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_mib():
    """Return the most memory that this process, or one it waited for, has had."""
    return max(resource.getrusage(who).ru_maxrss for who in WHO) / 1024


def answer_of(side, script, *args, env=None):
    """Run a script of this folder with the interpreter of a side; return its answer.

    The answer is the JSON of the last line that it prints.
    """
    python = str(PEER) if side == "spikeinterface" else sys.executable
    command = [python, str(HERE / script), *map(str, args)]
    # Installed packages are compiled ahead; what is worked on is by its first run.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(env or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def medians(runs):
    """Return the median of each measure of several runs."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}
