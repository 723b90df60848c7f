"""Send objects on the ways that they can go: through JSON, pickles and other processes."""

import hashlib
import json

import numpy as np

from making.processes import run_python
from spikeloom.core.base import BaseExtractor
from spikeloom.storage.provenance_json import encode_json

DIGEST = """
import hashlib, json, sys
from spikeloom.core.base import BaseExtractor

one = BaseExtractor.from_dict(json.load(open(sys.argv[1])))
digest = hashlib.sha256()
for k in range(one.get_num_segments()):
    if hasattr(one, "get_traces"):
        digest.update(one.get_traces(k).tobytes())
if hasattr(one, "to_spike_vector"):
    digest.update(one.to_spike_vector().tobytes())
print(digest.hexdigest())
"""


def through_json(extractor):
    """Return an object made of the JSON of another."""
    return BaseExtractor.from_dict(json.loads(describe(extractor)))


def describe(extractor):
    """Return the JSON of an object."""
    return encode_json(extractor.to_dict(recursive=True, include_properties=True))


def digest_in_another_process(extractor, tmp_path):
    """Make an object again in a new process, with other hashes of strings; return its digest."""
    path = tmp_path / "description.json"
    path.write_bytes(describe(extractor))
    return run_python(DIGEST, path).strip()


def digest(extractor):
    """Return a digest of all traces, or of all spikes."""
    total = hashlib.sha256()
    for k in range(extractor.get_num_segments()):
        if hasattr(extractor, "get_traces"):
            total.update(np.ascontiguousarray(extractor.get_traces(k)).tobytes())
    if hasattr(extractor, "to_spike_vector"):
        total.update(extractor.to_spike_vector().tobytes())
    return total.hexdigest()
