"""What SpikeInterface reads of files: a script for its interpreter.

``peer_reading.py JOBS`` does each of the jobs of a JSON file: ``{"kind", "function", "path",
"options", "out", "dumps"}``. The facts go into ``out``, or the reason why there are none into a
``.failed`` file beside; ``dumps`` are paths to dump the object to.
"""

import json
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np

from making.object_facts import FACTS


def do(job):
    """Read a file, and write down what it is."""
    from spikeinterface import core, extractors  # only its interpreter has it

    function = getattr(extractors, job["function"], None) or getattr(core, job["function"])
    read = function(job["path"], **job["options"])
    if isinstance(read, tuple):
        read = read[job["kind"] == "sorting"]
    np.savez(job["out"], **FACTS[job["kind"]](read))
    for path in job["dumps"]:
        read.dump(path)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for one in json.loads(Path(sys.argv[1]).read_text()):
        try:
            do(one)
        except Exception:  # noqa: BLE001 - told to the test
            Path(one["out"]).with_suffix(".failed").write_text(traceback.format_exc())
