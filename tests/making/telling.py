"""Tell all that an object knows, in plain files, by the same code for ours and SpikeInterface's."""

import json
from pathlib import Path

import numpy as np

_OF_PROBES = ("contact_vector", "location")
_NOT_TOLD = ("probes_info", "planar_contour", "compression_ratio")


def tell(extractor):
    """Return arrays and plain values, by name, that say all of a recording, sorting or snippets."""
    arrays = {}
    for key in extractor.get_property_keys():
        values = extractor.get_property(key)
        if key not in _OF_PROBES and values.dtype.kind != "O":
            arrays[f"property {key}"] = values
    known = {key: extractor.get_annotation(key) for key in extractor.get_annotation_keys()}
    plain = {
        "rate": extractor.get_sampling_frequency(),
        "n_segments": extractor.get_num_segments(),
        "annotations": {k: v for k, v in known.items() if not any(name in k for name in _NOT_TOLD)},
    }
    segments = range(extractor.get_num_segments())
    if hasattr(extractor, "get_snippets"):
        for k in segments:
            arrays[f"snippets{k}"] = extractor.get_snippets(segment_index=k)
            arrays[f"frames{k}"] = extractor.get_frames(segment_index=k)
        plain["nbefore"] = extractor.nbefore
    elif hasattr(extractor, "get_traces"):
        for k in segments:
            arrays[f"traces{k}"] = extractor.get_traces(segment_index=k)
            arrays[f"times{k}"] = extractor.get_times(segment_index=k)
        plain["has_time_vector"] = [extractor.has_time_vector(k) for k in segments]
    else:
        spikes = extractor.to_spike_vector()
        for name in spikes.dtype.names:
            arrays[f"spikes {name}"] = spikes[name]
        arrays["unit_ids"] = extractor.unit_ids
    if hasattr(extractor, "channel_ids"):
        arrays["channel_ids"] = extractor.channel_ids
        if extractor.has_probe():
            _tell_probes(extractor, arrays)
    return arrays, plain


def _tell_probes(extractor, arrays):
    arrays["locations"] = extractor.get_channel_locations()
    for k, probe in enumerate(extractor.get_probes()):
        # Older versions keep the contacts of a probe in the order of channels.
        order = np.argsort(probe.device_channel_indices)
        arrays[f"positions{k}"] = probe.contact_positions[order]
        for name in ("contact_ids", "shank_ids"):
            if getattr(probe, name) is not None:
                arrays[f"{name}{k}"] = np.asarray(getattr(probe, name))[order]


def write_told(path, extractor):
    """Write what is told of an object to two files beside each other."""
    arrays, plain = tell(extractor)
    np.savez(f"{path}.npz", **arrays)
    Path(f"{path}.json").write_text(json.dumps(plain))


def read_told(path):
    """Return what `write_told` wrote."""
    with np.load(f"{path}.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, json.loads(Path(f"{path}.json").read_text())
