"""What differs between an object and its copy in another format."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.base import BaseExtractor
from spikeloom.core.events import BaseEvent
from spikeloom.core.recording import BaseRecording
from spikeloom.core.snippets import BaseSnippets
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.times import are_same
from spikeloom.exporters import losses

_CHUNK_BYTES = 1 << 26


@dataclass
class Differences:
    """What differs."""

    faults: list[str] = field(default_factory=list)
    """Of what must be the same: traces, spikes, events, rates, segments, ids."""
    notes: list[str] = field(default_factory=list)
    """Of what a format may have no place for: properties, gains, positions, starts."""


def find_differences(
    source: BaseExtractor,
    copy: BaseExtractor,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> Differences:
    """Compare an object with its copy, value by value.

    Parameters
    ----------
    source, copy : BaseRecording, BaseSorting, BaseEvent or BaseSnippets
        Both of one kind.
    on_progress : callable, optional
        Told the share of the traces that is compared, from 0 to 1.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> one = NumpySorting.from_unit_dict({"a": [10, 30]}, 30000.0)
    >>> other = NumpySorting.from_unit_dict({"a": [10, 31]}, 30000.0)
    >>> find_differences(one, other).faults
    ['spikes of segment 0 differ']
    """
    found = Differences()
    if copy.get_num_segments() != source.get_num_segments():
        found.faults.append(
            f"there are {copy.get_num_segments()} segments instead of {source.get_num_segments()}"
        )
        return found
    if isinstance(source, BaseRecording) and isinstance(copy, BaseRecording):
        _compare_recordings(source, copy, found, on_progress)
    elif isinstance(source, BaseSorting) and isinstance(copy, BaseSorting):
        _compare_sortings(source, copy, found)
    elif isinstance(source, BaseEvent) and isinstance(copy, BaseEvent):
        _compare_events(source, copy, found)
    elif isinstance(source, BaseSnippets) and isinstance(copy, BaseSnippets):
        _compare_snippets(source, copy, found)
    else:
        found.faults.append(f"a {type(copy).__name__} is no copy of a {type(source).__name__}")
    return found


def _compare_rates(source: Any, copy: Any, found: Differences) -> None:
    rate, copied = source.sampling_frequency, copy.sampling_frequency
    if not np.isclose(rate, copied, rtol=1e-9):
        found.faults.append(f"the sampling frequency is {copied} Hz instead of {rate} Hz")


def _compare_recordings(
    source: BaseRecording,
    copy: BaseRecording,
    found: Differences,
    on_progress: Callable[[float], None] | None,
) -> None:
    _compare_rates(source, copy, found)
    if copy.get_num_channels() != source.get_num_channels():
        found.faults.append(
            f"there are {copy.get_num_channels()} channels instead of {source.get_num_channels()}"
        )
        return
    if copy.dtype != source.dtype:
        found.faults.append(f"traces are {copy.dtype} instead of {source.dtype}")
    _compare_traces(source, copy, found, on_progress)
    if not np.array_equal(source.channel_ids.astype(str), copy.channel_ids.astype(str)):
        found.notes.append(losses.CHANNEL_IDS)
    _compare_starts(source, copy, found)
    if source.has_any_time_vector() and not all(
        are_same(one.times, other.times, one.get_num_samples())
        for one, other in zip(source.segments, copy.segments, strict=True)
    ):
        found.notes.append(losses.TIMES)
    if source.has_probe() and not (
        copy.has_channel_location()
        and np.allclose(
            np.asarray(source.get_channel_locations())[:, :2],
            np.asarray(copy.get_channel_locations())[:, :2],
        )
    ):
        found.notes.append(losses.POSITIONS)
    _compare_properties(source, copy, found, range(source.get_num_channels()))


def _compare_traces(
    source: BaseRecording,
    copy: BaseRecording,
    found: Differences,
    on_progress: Callable[[float], None] | None,
) -> None:
    n_done, n_all = 0, max(1, source.get_total_samples())
    row_bytes = max(1, source.get_num_channels() * source.dtype.itemsize)
    step = max(1, _CHUNK_BYTES // row_bytes)
    for k in range(source.get_num_segments()):
        n_samples = source.get_num_samples(k)
        if copy.get_num_samples(k) != n_samples:
            found.faults.append(
                f"segment {k} has {copy.get_num_samples(k)} samples instead of {n_samples}"
            )
            continue
        for start in range(0, n_samples, step):
            stop = min(start + step, n_samples)
            if not _are_equal(source.get_traces(k, start, stop), copy.get_traces(k, start, stop)):
                found.faults.append(f"traces of segment {k} differ from sample {start} to {stop}")
                break
            n_done += stop - start
            if on_progress is not None:
                on_progress(n_done / n_all)


def _compare_starts(source: Any, copy: Any, found: Differences) -> None:
    starts = [
        [float(np.asarray(one.sample_index_to_time(np.array([0]), k))[0]) for one in (source, copy)]
        for k in range(source.get_num_segments())
    ]
    if any(not np.isclose(first, second, rtol=0, atol=1e-9) for first, second in starts):
        found.notes.append(losses.START)


def _compare_sortings(source: BaseSorting, copy: BaseSorting, found: Differences) -> None:
    _compare_rates(source, copy, found)
    order = _matching_units(source, copy)
    if order is None:
        found.faults.append(
            f"units are {losses.shown(copy.unit_ids.tolist())} instead of "
            f"{losses.shown(source.unit_ids.tolist())}"
        )
        return
    if not np.array_equal(source.unit_ids, copy.unit_ids[order]):
        found.notes.append(losses.UNIT_IDS)
    one, other = source.spike_table(), copy.spike_table()
    positions = np.empty(len(order), np.int64)
    positions[order] = np.arange(len(order))
    for k in range(source.get_num_segments()):
        mine, yours = one.segment_slice(k), other.segment_slice(k)
        units = positions[other.unit_index[yours]]
        samples = np.asarray(other.sample_index[yours])
        ordered = np.lexsort((units, samples))
        expected = np.lexsort((one.unit_index[mine], one.sample_index[mine]))
        if not (
            np.array_equal(samples[ordered], one.sample_index[mine][expected])
            and np.array_equal(units[ordered], one.unit_index[mine][expected])
        ):
            found.faults.append(f"spikes of segment {k} differ")
    if not found.faults:
        _compare_starts(source, copy, found)
    _compare_properties(source, copy, found, order)


def _matching_units(source: BaseSorting, copy: BaseSorting) -> NDArray[np.int64] | None:
    """Return the position in the copy of each unit, by its id or by that which it had."""
    wanted = [str(unit_id) for unit_id in source.unit_ids.tolist()]
    noted = copy.get_property("unit_id")
    for ids in (noted, copy.unit_ids):
        if ids is None:
            continue
        places = {str(unit_id): k for k, unit_id in enumerate(ids.tolist())}
        if len(places) == len(ids) == len(wanted) and set(places) == set(wanted):
            return np.array([places[unit_id] for unit_id in wanted], np.int64)
    return None


def _compare_events(source: BaseEvent, copy: BaseEvent, found: Differences) -> None:
    if source.channel_ids.tolist() != copy.channel_ids.tolist():
        found.faults.append(f"event channels are {losses.shown(copy.channel_ids.tolist())}")
        return
    for k in range(source.get_num_segments()):
        for channel_id in source.channel_ids.tolist():
            if (
                source.get_events(channel_id, k).tobytes()
                != copy.get_events(channel_id, k).tobytes()
            ):
                found.faults.append(f"events of {channel_id!r} in segment {k} differ")


def _compare_snippets(source: BaseSnippets, copy: BaseSnippets, found: Differences) -> None:
    _compare_rates(source, copy, found)
    for k in range(source.get_num_segments()):
        same = np.array_equal(source.get_frames(segment_index=k), copy.get_frames(segment_index=k))
        if not same or not _are_equal(
            np.asarray(source.get_snippets(segment_index=k)),
            np.asarray(copy.get_snippets(segment_index=k)),
        ):
            found.faults.append(f"snippets of segment {k} differ")


def _compare_properties(
    source: BaseExtractor, copy: BaseExtractor, found: Differences, order: Iterable[int]
) -> None:
    missing, changed = [], []
    rows = np.asarray(list(order), np.int64)
    for key in source.get_property_keys():
        values, copied = source.get_property(key), copy.get_property(key)
        if copied is None:
            missing.append(str(key))
        elif values is not None and not _are_same_values(values, copied[rows]):
            changed.append(str(key))
    found.notes += [*losses.lost_properties(missing), *losses.changed_properties(changed)]


def _are_same_values(values: NDArray[Any], copied: NDArray[Any]) -> bool:
    if values.dtype.kind in "biuf" and copied.dtype.kind in "biuf":
        return values.shape == copied.shape and bool(np.allclose(values, copied, equal_nan=True))
    return values.shape == copied.shape and values.tolist() == copied.tolist()


def _are_equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
