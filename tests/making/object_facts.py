"""What recordings, sortings and events say of themselves, in words that SpikeInterface shares.

The interpreter of the peer imports this module, too, so it needs nothing but numpy. All facts are
arrays of plain types under flat names, so that an ``.npz`` archive holds them.
"""

import hashlib

import numpy as np

N_SLICE = 60


def recording_facts(recording):
    """Return ids, samples, times, traces, scales, probe, properties of a recording."""
    n_segments = recording.get_num_segments()
    facts = {
        "ids": recording.channel_ids,
        "dtype": str(recording.get_dtype()),
        "rate": recording.sampling_frequency,
        "n_samples": [recording.get_num_samples(k) for k in range(n_segments)],
        "starts": [recording.get_start_time(k) for k in range(n_segments)],
        "has_time_vector": [recording.has_time_vector(k) for k in range(n_segments)],
        "is_scaled": recording.has_scaleable_traces(),
        "has_probe": recording.has_probe(),
    }
    for k in range(n_segments):
        times = recording.get_times(k)
        facts[f"times/{k}"] = np.concatenate([times[:3], times[-3:]])
        n = recording.get_num_samples(k)
        for name, start in (("first", 0), ("middle", n // 2), ("last", n - N_SLICE)):
            span = {"start_frame": max(start, 0), "end_frame": min(start + N_SLICE, n)}
            facts[f"{name}/{k}"] = recording.get_traces(k, **span)
            if recording.has_scaleable_traces():
                facts[f"{name}_uV/{k}"] = recording.get_traces(k, **span, return_in_uV=True)
        facts[f"all/{k}"] = _digest(recording.get_traces(k))
    if recording.has_scaleable_traces():
        facts["gains"] = recording.get_channel_gains()
        facts["offsets"] = recording.get_channel_offsets()
    if recording.has_probe():
        probes = recording.get_probegroup().probes
        contacts = [probe.to_dataframe(complete=True) for probe in probes]
        facts["n_contacts"] = [probe.get_contact_count() for probe in probes]
        facts["positions"] = recording.get_channel_locations()
        for key in ("contact_ids", "shank_ids", "device_channel_indices"):
            if all(key in table for table in contacts):
                facts[key] = np.concatenate([table[key].to_numpy() for table in contacts])
        facts["contact_positions"] = np.concatenate([probe.contact_positions for probe in probes])
        facts["n_probes"] = len(probes)
        facts |= {f"probe/{key}": str(value) for key, value in probes[0].annotations.items()}
    return _plain(facts | _described(recording))


def sorting_facts(sorting):
    """Return ids, spikes, properties of a sorting; units in the order of their names."""
    order = np.argsort(np.asarray(sorting.unit_ids).astype(str), kind="stable")
    facts = {"ids": sorting.unit_ids[order], "rate": sorting.sampling_frequency,
             "n_segments": sorting.get_num_segments()}  # fmt: skip
    for k in range(sorting.get_num_segments()):
        trains = [sorting.get_unit_spike_train(u, segment_index=k) for u in facts["ids"]]
        facts[f"n_spikes/{k}"] = [len(train) for train in trains]
        facts[f"spikes/{k}"] = np.concatenate([np.zeros(0), *trains]).astype(np.int64)
    described = _described(sorting)
    for name, values in described.items():
        if name.startswith("property/"):
            described[name] = values[order]
    return _plain(facts | described)


def event_facts(event):
    """Return channels, in the order of their names, and times, durations and labels of events."""
    facts = {
        "ids": np.sort(np.asarray(event.channel_ids).astype(str)),
        "n_segments": event.get_num_segments(),
    }
    for k in range(event.get_num_segments()):
        for channel in event.channel_ids:
            known = event.get_events(channel, segment_index=k)
            facts |= {f"{name}/{channel}/{k}": known[name] for name in known.dtype.names}
            facts[f"times/{channel}/{k}"] = event.get_event_times(channel, segment_index=k)
    return _plain(facts)


FACTS = {"recording": recording_facts, "sorting": sorting_facts, "event": event_facts}


def _described(one):
    """Return properties and annotations."""
    known = {f"property/{key}": one.get_property(key) for key in one.get_property_keys()}
    known.pop("property/contact_vector", None)
    for key in one.get_annotation_keys():
        value = one.get_annotation(key)
        if isinstance(value, str | int | float | bool):
            known[f"annotation/{key}"] = value
    return known


def _digest(values):
    return hashlib.sha256(np.ascontiguousarray(values)).hexdigest()


def _plain(facts):
    arrays = {key: np.asarray(value) for key, value in facts.items()}
    return {
        key: value.astype(str) if value.dtype.kind in "OSUT" else value
        for key, value in arrays.items()
    }
